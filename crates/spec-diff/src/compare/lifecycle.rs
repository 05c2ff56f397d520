//! Deprecation and sunsets.

use openapi_document::{Node, pointer::Pointer};
use serde_json::Value;

use super::{Comparison, Context, Finding, operation_pairing::Operation};
use crate::{rule::Rule, rule::rules};

rules! {
    ENDPOINT_DEPRECATED = Rule::api("endpoint-deprecated", Deprecation, Info, Minor, "endpoint-reactivated",
        "the operation is now deprecated");
    ENDPOINT_DEPRECATED_WITH_SUNSET = Rule::api("endpoint-deprecated-with-sunset", Deprecation, Warning, Minor,
        "endpoint-reactivated", "the operation is now deprecated and has a last day");
    ENDPOINT_REACTIVATED = Rule::api("endpoint-reactivated", Deprecation, Info, Patch, "endpoint-deprecated",
        "the operation is no longer deprecated");
    DEPRECATED = Rule::data("deprecated", Deprecation, (Info, Info), Minor, "reactivated", "it is now deprecated");
    DEPRECATED_WITH_SUNSET = Rule::data("deprecated-with-sunset", Deprecation, (Warning, Warning), Minor,
        "reactivated", "it is now deprecated and has a last day");
    REACTIVATED = Rule::data("reactivated", Deprecation, (Info, Info), Patch, "deprecated",
        "it is no longer deprecated");
    SUNSET_ADDED = Rule::data("sunset-added", Deprecation, (Warning, Warning), Patch, "sunset-deleted",
        "what is deprecated now has a last day");
    SUNSET_DELETED = Rule::data("sunset-deleted", Deprecation, (Info, Info), Patch, "sunset-added",
        "what is deprecated has no last day any more");
    SUNSET_EARLIER = Rule::data("sunset-moved-earlier", Deprecation, (Warning, Warning), Patch, "sunset-moved-later",
        "the last day comes sooner");
    SUNSET_LATER = Rule::data("sunset-moved-later", Deprecation, (Info, Info), Patch, "sunset-moved-earlier",
        "the last day comes later");
    SUNSET_UNREADABLE = Rule::data("sunset-parse", Deprecation, (Info, Info), Patch, "",
        "the last day is not a date").no_inverse("a date is invalid, so that it cannot be compared with today");
}

/// The last day of something deprecated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sunset<'a> {
    None,
    /// A day: `2026-12-31`.
    Day(&'a str),
    /// Not a date.
    Unreadable,
}

impl<'a> Sunset<'a> {
    /// Reads `x-sunset`: a date, or the date of a date-time.
    pub(super) fn of(node: &Node<'a>) -> Self {
        match node.value.get("x-sunset") {
            None | Some(Value::Null) => Self::None,
            Some(value) => match value.as_str().and_then(|text| text.get(..10)).filter(|day| is_day(day)) {
                Some(day) => Self::Day(day),
                None => Self::Unreadable,
            },
        }
    }

    /// Returns whether the day has ended.
    pub(super) fn has_passed(self, today: Option<&str>) -> bool {
        // Days in this form are in the order of their text.
        matches!((self, today), (Self::Day(day), Some(today)) if day < today)
    }

    fn value(self) -> Option<Value> {
        match self {
            Self::Day(day) => Some(Value::from(day)),
            _ => None,
        }
    }
}

fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    bytes.len() == 10 && [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(digit) && bytes[4] == b'-' && bytes[7] == b'-'
}

/// Returns the rule for a change of lifecycle, with the deprecation's own rules for operations and for data.
fn rules<'a>(
    (was, before): (bool, Sunset<'a>),
    (is, after): (bool, Sunset<'a>),
    own: [&'static Rule; 3],
) -> Vec<&'static Rule> {
    let [deprecated, with_sunset, reactivated] = own;
    let mut found = Vec::new();
    if after == Sunset::Unreadable && before != Sunset::Unreadable {
        found.push(&SUNSET_UNREADABLE);
    }
    match (was, is) {
        (false, true) if matches!(after, Sunset::Day(_)) => found.push(with_sunset),
        (false, true) => found.push(deprecated),
        (true, false) => found.push(reactivated),
        _ => match (before, after) {
            (Sunset::Day(before), Sunset::Day(after)) if after < before => found.push(&SUNSET_EARLIER),
            (Sunset::Day(before), Sunset::Day(after)) if after > before => found.push(&SUNSET_LATER),
            (Sunset::Day(_), Sunset::None) => found.push(&SUNSET_DELETED),
            (Sunset::None, Sunset::Day(_)) => found.push(&SUNSET_ADDED),
            _ => {}
        },
    }
    found
}

impl<'a> Comparison<'a> {
    /// Compares the deprecation of an operation.
    pub(super) fn operation_lifecycle(&mut self, old: &Operation<'a>, new: &Operation<'a>, scope: usize) {
        let state = |node: &Node<'a>| (node.flag("deprecated"), Sunset::of(node));
        let own = [&ENDPOINT_DEPRECATED, &ENDPOINT_DEPRECATED_WITH_SUNSET, &ENDPOINT_REACTIVATED];
        let (before, after) = (state(&old.node), state(&new.node));
        for rule in rules(before, after, own) {
            let finding = Finding::new(rule).at(&old.node.at, &new.node.at);
            self.note(scope, finding.values(before.1.value(), after.1.value()));
        }
    }

    /// Compares the deprecation of a parameter or a property, given where it is deprecated, and where it is.
    pub(super) fn data_lifecycle(
        &mut self,
        (old, base): (Option<Node<'a>>, &Pointer<'a>),
        (new, revision): (Option<Node<'a>>, &Pointer<'a>),
        context: Context,
    ) {
        let state = |node: &Option<Node<'a>>| (node.is_some(), node.as_ref().map_or(Sunset::None, Sunset::of));
        let own = [&DEPRECATED, &DEPRECATED_WITH_SUNSET, &REACTIVATED];
        let (before, after) = (state(&old), state(&new));
        for rule in rules(before, after, own) {
            let at = |node: &Option<Node<'a>>, at: &Pointer<'a>| {
                node.as_ref().map_or_else(|| at.clone(), |node| node.at.clone())
            };
            let finding = Finding::new(rule).at(&at(&old, base), &at(&new, revision));
            self.note_data(context, finding.values(before.1.value(), after.1.value()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sunsets_are_days_and_pass_the_day_after() {
        let read = |value: &'static str| {
            let node = json!({"x-sunset": value});
            let sunset = Sunset::of(&Node { value: &node, at: Pointer::default() });
            (sunset == Sunset::Unreadable, sunset.has_passed(Some("2026-11-22")), sunset.has_passed(None))
        };
        assert_eq!(read("2026-11-21"), (false, true, false));
        assert_eq!(read("2026-11-22T10:00:00Z"), (false, false, false));
        assert_eq!(read("soon"), (true, false, false));
        assert_eq!(read("20261122ab"), (true, false, false));
    }
}
