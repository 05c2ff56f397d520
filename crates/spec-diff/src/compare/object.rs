//! Objects: properties, and what may stand beside them.

use std::collections::BTreeSet;

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::{Circumstance, Comparison, Context, Finding};
use crate::{
    classification::Direction,
    compare::conditions::{CONDITION_ADDED, CONDITION_REMOVED},
    compare::schema::{BECAME_NEVER, NO_LONGER_NEVER},
    rule::{Rule, rules},
    schema::{ANYTHING, Additional, Schema, Usage, fits, is_never},
};

rules! {
    PROPERTY_ADDED_OPTIONAL = Rule::data("optional-property-added", Properties, (Info, Info), Major,
        "optional-property-removed", "one more optional property")
        .ids("new-optional-request-property", "response-optional-property-added");
    PROPERTY_ADDED_REQUIRED = Rule::data("required-property-added", Properties, (Breaking, Info), Major,
        "required-property-removed", "one more property; requests without it are rejected")
        .in_responses("one more property, which is always there")
        .ids("new-required-request-property", "response-required-property-added");
    PROPERTY_ADDED_REQUIRED_DEFAULT = Rule::data("required-property-with-default-added", Properties, (Breaking, Info),
        Major, "required-property-removed", "one more required property, which has a default")
        .in_responses("one more property, which is always there")
        .ids("new-required-request-property-with-default", "response-required-property-added");
    PROPERTY_REMOVED_OPTIONAL = Rule::data("optional-property-removed", Properties, (Warning, Warning), Major,
        "optional-property-added", "an optional property was removed")
        .ids("request-property-removed", "response-optional-property-removed");
    PROPERTY_REMOVED_REQUIRED = Rule::data("required-property-removed", Properties, (Warning, Breaking), Major,
        "required-property-added", "a required property was removed")
        .ids("request-property-removed", "response-required-property-removed");
    BECAME_REQUIRED = Rule::data("became-required", Properties, (Breaking, Info), Major, "became-optional",
        "requests without the property are rejected")
        .in_responses("the property is always there");
    BECAME_REQUIRED_DEFAULT = Rule::data("became-required-with-default", Properties, (Breaking, Info), Major,
        "became-optional", "the property is required, though it has a default")
        .in_responses("the property is always there");
    BECAME_OPTIONAL = Rule::data("became-optional", Properties, (Info, Breaking), Major, "became-required",
        "the property may be left out")
        .in_responses("the property may be missing");
    ADDITIONAL_CLOSED = Rule::data("additional-properties-closed", Composition, (Breaking, Warning), Major,
        "additional-properties-opened", "properties that are not listed are rejected")
        .in_responses("properties that are not listed no longer arrive");
    ADDITIONAL_OPENED = Rule::data("additional-properties-opened", Composition, (Info, Info), Major,
        "additional-properties-closed", "properties that are not listed are accepted")
        .in_responses("properties that are not listed may arrive");
    ADDITIONAL_TYPED = Rule::data("additional-properties-typed", Composition, (Breaking, Info), Major,
        "additional-properties-untyped", "properties that are not listed must have a type")
        .in_responses("properties that are not listed have a type");
    ADDITIONAL_UNTYPED = Rule::data("additional-properties-untyped", Composition, (Info, Warning), Major,
        "additional-properties-typed", "properties that are not listed may have any type");
}

impl<'a> Comparison<'a> {
    pub(super) fn objects(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let names: BTreeSet<_> = old.properties.keys().chain(new.properties.keys()).copied().collect();
        for name in names {
            match (old.properties.get(name), new.properties.get(name)) {
                (Some(parts), Some(others)) => self.property((name, old, parts), (name, new, others), context),
                (Some(parts), None) if is_forbidden(&self.base, parts) => {
                    self.forbidden(&NO_LONGER_NEVER, name, (old, new), context);
                }
                (None, Some(parts)) if is_forbidden(&self.revision, parts) => {
                    self.forbidden(&BECAME_NEVER, name, (old, new), context);
                }
                (Some(parts), None) => {
                    let is_closed = matches!(new.additional, Additional::Closed);
                    self.property_removed((name, old, parts), is_closed, context);
                }
                (None, Some(parts)) => self.property_added(old, (name, new, parts), context),
                (None, None) => {}
            }
        }
        self.undeclared(old, new, context);
        self.additional(old, new, context);
        self.pattern_properties(old, new, context);
        self.discriminators(old, new, context);
    }

    fn property(
        &mut self,
        (name, old, parts): (&str, &Schema<'a>, &[Node<'a>]),
        (_, new, others): (&str, &Schema<'a>, &[Node<'a>]),
        context: Context,
    ) {
        match (is_forbidden(&self.base, parts), is_forbidden(&self.revision, others)) {
            (false, false) => {}
            (true, true) => return,
            (false, true) => return self.property_removed((name, old, parts), true, context),
            (true, false) => return self.property_added(old, (name, new, others), context),
        }
        let (was_required, is_required) = (old.required.contains(name), new.required.contains(name));
        if was_required == is_required && self.is_unchanged(parts, others) {
            return;
        }
        let before = Usage::of(&self.base, parts);
        let after = Usage::of(&self.revision, others);
        let inside = context.inside();
        let (was_absent, absent) = (is_absent(&before, context.direction), is_absent(&after, context.direction));
        let rule = |was_required, is_required| match (was_required, is_required) {
            (false, true) if after.default.is_some() => Some(&BECAME_REQUIRED_DEFAULT),
            (false, true) => Some(&BECAME_REQUIRED),
            (true, false) => Some(&BECAME_OPTIONAL),
            _ => None,
        };
        // A member that becomes read-only, or no longer is, counts as before.
        let first = self.findings.len();
        self.attributes(&before, &after, Context { absent: inside.absent || (was_absent && absent), ..inside });
        if was_required && !is_required {
            self.default_of_required(first);
        }
        // A member that is not sent in this direction is not required in it either.
        let sent = rule(was_required && !was_absent, is_required && !absent);
        let stated = rule(was_required, is_required);
        if let Some(rule) = sent.filter(|_| was_absent != absent && context.direction == Direction::Request) {
            let finding = Finding::new(rule).at(&before.at, &after.at);
            self.note_data(inside, finding.when(true, Circumstance::SentAfterAll));
        } else if let Some(rule) = stated {
            let absent = inside.absent || was_absent || absent;
            self.note_data(Context { absent, ..inside }, Finding::new(rule).at(&before.at, &after.at));
        }
        let inside = Context { absent: inside.absent || was_absent || absent, ..inside };
        self.cores(before, after, inside);
    }

    /// Reports a member that only one side describes, as one that may not be there. Closed objects have no others anyway.
    fn forbidden(&mut self, rule: &'static Rule, name: &str, (old, new): (&Schema<'a>, &Schema<'a>), context: Context) {
        let other = if rule.name == BECAME_NEVER.name { old } else { new };
        if !matches!(other.additional, Additional::Closed) {
            let finding = Finding::new(rule).at(&old.at, &new.at).with_name(name).when(true, Circumstance::Undeclared);
            self.note_data(context.inside(), finding);
        }
    }

    fn property_removed(
        &mut self,
        (name, old, parts): (&str, &Schema<'a>, &[Node<'a>]),
        is_closed: bool,
        context: Context,
    ) {
        let usage = Usage::of(&self.base, parts);
        let required = old.required.contains(name);
        let rule = if required { &PROPERTY_REMOVED_REQUIRED } else { &PROPERTY_REMOVED_OPTIONAL };
        let is_rejected = context.direction == Direction::Request && is_closed;
        let mut finding = Finding::new(rule).removed(&usage.at).when(is_rejected, Circumstance::Rejected);
        finding.before = describe(&Schema::of(&self.base, &usage.core));
        let absent = context.absent || is_absent(&usage, context.direction);
        self.note_data(Context { absent, ..context.inside() }, finding);
    }

    fn property_added(
        &mut self,
        old: &Schema<'a>,
        (name, new, parts): (&str, &Schema<'a>, &[Node<'a>]),
        context: Context,
    ) {
        let usage = Usage::of(&self.revision, parts);
        let rule = match (new.required.contains(name), &usage.default) {
            // It was required before, only not described.
            (true, _) if old.required.contains(name) => &PROPERTY_ADDED_OPTIONAL,
            (true, Some(_)) => &PROPERTY_ADDED_REQUIRED_DEFAULT,
            (true, None) => &PROPERTY_ADDED_REQUIRED,
            (false, _) => &PROPERTY_ADDED_OPTIONAL,
        };
        let mut finding = Finding::new(rule).added(&usage.at);
        finding.after = describe(&Schema::of(&self.revision, &usage.core));
        let absent = context.absent || is_absent(&usage, context.direction);
        self.note_data(Context { absent, ..context.inside() }, finding);
    }

    /// Reports names that are required though no property describes them.
    fn undeclared(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let declared = |name: &str| old.properties.contains_key(name) || new.properties.contains_key(name);
        for (required, other, rule) in
            [(&new.required, &old.required, &BECAME_REQUIRED), (&old.required, &new.required, &BECAME_OPTIONAL)]
        {
            for name in required.difference(other).filter(|name| !name.is_empty() && !declared(name)) {
                let finding =
                    Finding::new(rule).at(&old.at, &new.at).with_name(*name).when(true, Circumstance::Undeclared);
                self.note_data(context.inside(), finding);
            }
        }
    }

    fn additional(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        // An object with properties and without a word on others is a struct, a bare one is a map of anything.
        let anything = [Node { value: &ANYTHING, at: old.at.clone() }];
        let takes_all = |document: &DocumentTree<'a>, parts: &[Node<'a>]| {
            fits(&self.effort, (document, &anything), (document, parts), true)
        };
        let rule = match (&old.additional, &new.additional) {
            (Additional::Typed(old), Additional::Typed(new)) => return self.usages(old, new, context.inside()),
            (Additional::Open, Additional::Open) | (Additional::Closed, Additional::Closed) => return,
            (Additional::Typed(parts), Additional::Open) if takes_all(&self.base, parts) => {
                return self.are_compared(parts, &[]);
            }
            (Additional::Open, Additional::Typed(parts)) if takes_all(&self.revision, parts) => {
                return self.are_compared(&[], parts);
            }
            (_, Additional::Closed) => &ADDITIONAL_CLOSED,
            (Additional::Closed, _) => &ADDITIONAL_OPENED,
            (Additional::Open, Additional::Typed(_)) => &ADDITIONAL_TYPED,
            (Additional::Typed(_), Additional::Open) => &ADDITIONAL_UNTYPED,
        };
        // Without a keyword about other properties, no caller was promised any. Senders may have echoed some.
        let is_stated =
            old.properties.is_empty() || old.leaves.iter().any(|leaf| leaf.value.get("additionalProperties").is_some());
        let is_news = context.direction == Direction::Response && !is_stated && rule.name == ADDITIONAL_CLOSED.name;
        let finding = Finding::new(rule).at(&old.at, &new.at).when(is_news, Circumstance::NotStatedBefore);
        self.note_data(context, finding);
    }

    fn pattern_properties(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        for (pattern, node) in &old.pattern_properties {
            match new.pattern_properties.get(pattern) {
                Some(other) => self.usages(std::slice::from_ref(node), std::slice::from_ref(other), context.inside()),
                None => {
                    let finding = Finding::new(&CONDITION_REMOVED).what("pattern-property").at(&node.at, &new.at);
                    self.note_data(context, finding.values(Value::from(*pattern), None));
                }
            }
        }
        for (pattern, node) in
            new.pattern_properties.iter().filter(|(key, _)| !old.pattern_properties.contains_key(*key))
        {
            let finding = Finding::new(&CONDITION_ADDED).what("pattern-property").at(&old.at, &node.at);
            self.note_data(context, finding.values(None, Value::from(*pattern)));
        }
    }
}

/// Returns whether the schema of a member is `false`: it may not be there.
fn is_forbidden<'a>(document: &DocumentTree<'a>, parts: &[Node<'a>]) -> bool {
    parts.iter().any(|part| is_never(document.resolve(part.clone()).value))
}

/// Returns the type of a property that was added or removed.
fn describe(schema: &Schema<'_>) -> Option<Value> {
    Some(schema.types.describe())
}

/// Returns whether a property is not sent in this direction: read-only ones are not sent, write-only ones not received.
fn is_absent(usage: &Usage<'_>, direction: Direction) -> bool {
    match direction {
        Direction::Request => usage.read_only.is_some(),
        Direction::Response => usage.write_only.is_some(),
        Direction::Both | Direction::None => false,
    }
}
