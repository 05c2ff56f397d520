//! The table keeps its own promises.

use std::collections::BTreeSet;

use crate::{Direction, Level, rules::*};

fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().flatten()
}

#[test]
fn every_rule_states_its_inverse_or_the_reason_for_none() {
    for rule in all() {
        match rule.inverse {
            Inverse::Rule(inverse) => {
                let inverse = super::rule(inverse).unwrap_or_else(|| panic!("{}: no rule {inverse}", rule.name));
                let back = match inverse.inverse {
                    Inverse::Rule(back) => super::rule(back),
                    Inverse::None(_) => None,
                };
                assert_eq!(back.map(|back| back.group), Some(rule.group), "{} and back", rule.name);
            }
            Inverse::None(reason) => assert!(!reason.is_empty(), "{}", rule.name),
        }
    }
}

#[test]
fn names_are_unique_and_helps_are_one_line() {
    let mut seen = BTreeSet::new();
    for rule in all() {
        assert!(seen.insert(rule.name), "{} twice", rule.name);
        assert!(!rule.name.contains('{'), "{}", rule.name);
        assert!(!rule.help.is_empty() && !rule.help.contains('\n') && !rule.help.ends_with('.'), "{}", rule.name);
    }
}

#[test]
fn data_rule_breaks_both_directions_only_as_its_own_inverse() {
    // A set of values that grows breaks those who read, one that shrinks those who write. Both at once needs a change to the side.
    for rule in all().filter(|rule| rule.about_data && rule.request == rule.response && rule.request == Level::Breaking)
    {
        let sideways = matches!(rule.inverse, Inverse::Rule(inverse) if inverse == rule.name);
        let reshaped = ["wrapped-in-one-of", "unwrapped-from-one-of"].contains(&rule.name);
        assert!(sideways || reshaped, "{}", rule.name);
    }
}

#[test]
fn ids_are_those_that_users_of_oasdiff_know() {
    let id = |name: &str, direction, location, what| rule(name).expect(name).id(direction, Some(location), what);
    let (request, response) = (Direction::Request, Direction::Response);
    for (name, direction, location, what, expected) in [
        ("became-nullable", response, MessagePart::Property, "", "response-property-became-nullable"),
        ("optional-property-added", request, MessagePart::Property, "", "new-optional-request-property"),
        ("required-property-removed", response, MessagePart::Body, "", "response-required-property-removed"),
        (
            "upper-limit-decreased",
            request,
            MessagePart::Parameter,
            "max-length",
            "request-parameter-max-length-decreased",
        ),
        ("condition-added", request, MessagePart::Body, "dependent-required", "request-body-dependent-required-added"),
        ("api-removed", Direction::None, MessagePart::Body, "path-removed", "api-path-removed-without-deprecation"),
        ("server-default-changed", Direction::None, MessagePart::Body, "", "server-default-changed"),
    ] {
        assert_eq!(id(name, direction, location, what), expected);
    }
}
