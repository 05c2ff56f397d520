//! Listed values: `enum`, `const`, `x-extensible-enum`.

use std::collections::HashSet;

use openapi_document::pointer::Pointer;
use serde_json::Value;

use super::{Comparison, Context, EXTENSION_CHANGED, Finding};
use crate::{
    rule::{Rule, rules},
    schema::{Schema, equal, written},
};

rules! {
    ENUM_VALUE_ADDED = Rule::data("enum-value-added", Enums, (Info, Warning), Major, "enum-value-removed",
        "one more value is accepted")
        .in_responses("one more value may arrive; breaking if the client's enums are closed");
    ENUM_VALUE_REMOVED = Rule::data("enum-value-removed", Enums, (Breaking, Info), Major, "enum-value-added",
        "a value is no longer accepted")
        .in_responses("a value no longer arrives");
    BECAME_ENUM = Rule::data("became-enum", Enums, (Breaking, Info), Major, "enum-removed",
        "only listed values are accepted")
        .in_responses("only listed values arrive");
    ENUM_REMOVED = Rule::data("enum-removed", Enums, (Info, Warning), Major, "became-enum",
        "any value is accepted")
        .in_responses("any value may arrive; breaking if the client's enums are closed");
    EXTENSIBLE_VALUE_ADDED = Rule::data("x-extensible-enum-value-added", Enums, (Info, Info), Minor,
        "x-extensible-enum-value-removed", "one more value in an extensible enum");
    EXTENSIBLE_VALUE_REMOVED = Rule::data("x-extensible-enum-value-removed", Enums, (Breaking, Info), Major,
        "x-extensible-enum-value-added", "a value is no longer accepted")
        .in_responses("a value no longer arrives");
    CONST_ADDED = Rule::data("const-added", Enums, (Breaking, Info), Major, "const-removed",
        "only one value is accepted")
        .in_responses("only one value arrives");
    CONST_CHANGED = Rule::data("const-changed", Enums, (Breaking, Breaking), Major, "const-changed",
        "another value is the only one");
    CONST_REMOVED = Rule::data("const-removed", Enums, (Info, Breaking), Major, "const-added",
        "more than one value is accepted")
        .in_responses("more than one value may arrive");
}

impl<'a> Comparison<'a> {
    /// Compares `enum`, `const` and `x-extensible-enum`.
    pub(super) fn values(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        match (&old.extensible, &new.extensible) {
            (Some(before), Some(after)) => {
                let rules = (&EXTENSIBLE_VALUE_ADDED, &EXTENSIBLE_VALUE_REMOVED);
                self.value_lists((before, old), (after, new), rules, context);
            }
            (None, None) => {}
            // A list that is open at its end does not limit further values.
            _ => {
                let finding = Finding::new(&EXTENSION_CHANGED).with_name("x-extensible-enum");
                self.note(context.scope, finding.at(&old.at, &new.at));
            }
        }
        let list =
            |values: &[&Value]| Value::from(values.iter().take(8).map(|value| (*value).clone()).collect::<Vec<_>>());
        let (base, revision) = (listed_at(old), listed_at(new));
        let whole = |rule: &'static Rule| Finding::new(rule).at(base, revision);
        match (&old.values, &new.values) {
            (Some(before), Some(after)) if old.constant && new.constant && !is_same_list(before, after) => {
                self.note_data(context, whole(&CONST_CHANGED).values(list(before), list(after)));
            }
            (Some(before), Some(after)) => {
                let rules = (&ENUM_VALUE_ADDED, &ENUM_VALUE_REMOVED);
                self.value_lists((before, old), (after, new), rules, context);
            }
            (None, Some(after)) => {
                let rule = if new.constant { &CONST_ADDED } else { &BECAME_ENUM };
                self.note_data(context, whole(rule).values(None, list(after)));
            }
            (Some(before), None) => {
                let rule = if old.constant { &CONST_REMOVED } else { &ENUM_REMOVED };
                self.note_data(context, whole(rule).values(list(before), None));
            }
            (None, None) => {}
        }
    }

    fn value_lists(
        &mut self,
        (before, old): (&[&'a Value], &Schema<'a>),
        (after, new): (&[&'a Value], &Schema<'a>),
        (added, removed): (&'static Rule, &'static Rule),
        context: Context,
    ) {
        if before == after {
            return;
        }
        // Of thousands of values each is looked for once.
        let keys = |values: &[&Value]| values.iter().map(|value| written(value)).collect::<HashSet<_>>();
        let (olds, news) = (keys(before), keys(after));
        for value in before.iter().filter(|value| !news.contains(&written(value))) {
            let finding = Finding::new(removed).at(listed_at(old), listed_at(new));
            self.note_data(context, finding.values((*value).clone(), None));
        }
        for value in after.iter().filter(|value| !olds.contains(&written(value))) {
            let finding = Finding::new(added).at(listed_at(old), listed_at(new));
            self.note_data(context, finding.values(None, (*value).clone()));
        }
    }
}

pub(super) fn is_same_list(olds: &[&Value], news: &[&Value]) -> bool {
    olds.len() == news.len() && olds.iter().zip(news).all(|(old, new)| equal(old, new))
}

/// Returns where a schema's values are listed.
fn listed_at<'s, 'a>(schema: &'s Schema<'a>) -> &'s Pointer<'a> {
    schema.values_at.as_ref().unwrap_or(&schema.at)
}
