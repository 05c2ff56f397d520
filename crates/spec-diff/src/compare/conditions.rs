//! Conditions: `not`, `if`, `contains` and their like. A schema may have several of each, one from every part of an `allOf`.

use std::collections::BTreeSet;

use openapi_document::Node;

use super::{Comparison, Context, Finding, excerpt};
use crate::{
    compare::uncompared::UNKNOWN_CHANGE,
    rule::{Rule, rules},
    schema::{ANYTHING, Branch, Forbidden, Schema, equal, fits, same},
};

rules! {
    CONDITION_ADDED = Rule::data("condition-added", Composition, (Breaking, Info), Major, "condition-removed",
        "values must meet one more condition (not, if, contains, dependentRequired, …)")
        .written("{what}-added");
    CONDITION_REMOVED = Rule::data("condition-removed", Composition, (Info, Breaking), Major, "condition-added",
        "values must meet one condition less")
        .written("{what}-removed");
    CONDITION_CHANGED = Rule::data("condition-changed", Composition, (Breaking, Breaking), Major, "condition-changed",
        "values must meet another condition")
        .written("{what}-changed");
    NOT_WIDENED = Rule::data("not-widened", Composition, (Breaking, Info), Major, "not-narrowed",
        "more values are rejected")
        .in_responses("more values are excluded");
    NOT_NARROWED = Rule::data("not-narrowed", Composition, (Info, Breaking), Major, "not-widened",
        "fewer values are rejected")
        .in_responses("fewer values are excluded");
}

impl<'a> Comparison<'a> {
    pub(super) fn conditions(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        // Other forms of the same.
        if context.settled {
            return;
        }
        self.forbidden_values(old, new, context);
        let words: BTreeSet<_> = old.conditions.keys().chain(new.conditions.keys()).copied().collect();
        for word in words {
            let list = |schema: &Schema<'a>| schema.conditions.get(word).cloned().unwrap_or_default();
            self.condition(word, (old, list(old)), (new, list(new)), context);
        }
        self.branches(old, new, context);
        self.dependent_required(old, new, context);
        let names: BTreeSet<_> = old.dependent_schemas.keys().chain(new.dependent_schemas.keys()).copied().collect();
        for name in names {
            let list = |schema: &Schema<'a>| schema.dependent_schemas.get(name).cloned().unwrap_or_default();
            self.condition("dependent-schema", (old, list(old)), (new, list(new)), context);
        }
    }

    /// Compares the conditions of one keyword: equal ones first, then in order; further ones on one side were added or removed.
    fn condition(
        &mut self,
        word: &'static str,
        (old, olds): (&Schema<'a>, Vec<Node<'a>>),
        (new, mut news): (&Schema<'a>, Vec<Node<'a>>),
        context: Context,
    ) {
        self.are_compared(&olds, &news);
        let mut rest = Vec::new();
        for condition in olds {
            match news.iter().position(|other| same((&self.base, &condition), (&self.revision, other))) {
                Some(index) => drop(news.remove(index)),
                None => rest.push(condition),
            }
        }
        for (condition, other) in rest.iter().zip(&news) {
            match word {
                "not" => self.negation(condition, other, context),
                // Each must hold, as the schema itself.
                _ => self.usages(std::slice::from_ref(condition), std::slice::from_ref(other), context.inside()),
            }
        }
        for condition in rest.iter().skip(news.len()) {
            let finding = Finding::new(&CONDITION_REMOVED).what(word).at(&condition.at, &new.at);
            self.note_data(context, finding.values(excerpt(condition.value), None));
        }
        for condition in news.iter().skip(rest.len()) {
            let finding = Finding::new(&CONDITION_ADDED).what(word).at(&old.at, &condition.at);
            self.note_data(context, finding.values(None, excerpt(condition.value)));
        }
    }

    fn forbidden_values(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let lacks = |one: &Forbidden<'a>, other: &Forbidden<'a>| {
            one.values.iter().any(|value| !other.values.iter().any(|known| equal(known, value)))
        };
        let node = |forbidden: &Forbidden<'a>| excerpt(forbidden.node.value);
        match (&old.forbidden, &new.forbidden) {
            (None, None) => {}
            (Some(before), None) => {
                let finding = Finding::new(&CONDITION_REMOVED).what("not").at(&before.at, &new.at);
                self.note_data(context, finding.values(node(before), None));
            }
            (None, Some(after)) => {
                let finding = Finding::new(&CONDITION_ADDED).what("not").at(&old.at, &after.at);
                self.note_data(context, finding.values(None, node(after)));
            }
            (Some(before), Some(after)) => {
                let finding = |rule| Finding::new(rule).at(&before.at, &after.at).values(node(before), node(after));
                match (lacks(before, after), lacks(after, before)) {
                    (false, false) => {}
                    (false, true) => self.note_data(context, finding(&NOT_WIDENED)),
                    (true, false) => self.note_data(context, finding(&NOT_NARROWED)),
                    (true, true) => self.note(context.scope, finding(&UNKNOWN_CHANGE).with_name("not")),
                }
            }
        }
    }

    /// Compares `not`: values that are forbidden on one side only.
    fn negation(&mut self, old: &Node<'a>, new: &Node<'a>, context: Context) {
        let (olds, news) = (std::slice::from_ref(old), std::slice::from_ref(new));
        let wider = fits(&self.effort, (&self.base, olds), (&self.revision, news), true);
        let narrower = fits(&self.effort, (&self.revision, news), (&self.base, olds), true);
        let rule = match (wider, narrower) {
            (true, true) => return,
            (true, false) => &NOT_WIDENED,
            (false, true) => &NOT_NARROWED,
            (false, false) => {
                let finding = Finding::new(&UNKNOWN_CHANGE).with_name("not").at(&old.at, &new.at);
                return self.note(context.scope, finding.values(excerpt(old.value), excerpt(new.value)));
            }
        };
        let finding = Finding::new(rule).at(&old.at, &new.at);
        self.note_data(context, finding.values(excerpt(old.value), excerpt(new.value)));
    }

    /// Compares `if`, `then`, `else`: equal ones first, then those under the same condition, then in order.
    fn branches(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let (mut olds, mut news): (Vec<&Branch<'a>>, Vec<_>) =
            (old.branches.iter().collect(), new.branches.iter().collect());
        olds.retain(|branch| match news.iter().position(|other| branch.is_same(&self.base, other, &self.revision)) {
            Some(index) => {
                news.remove(index);
                false
            }
            None => true,
        });
        let mut rest = Vec::new();
        for branch in olds {
            let has_same_condition = |other: &&Branch<'a>| match (branch.node.get("if"), other.node.get("if")) {
                (Some(own), Some(other)) => same((&self.base, &own), (&self.revision, &other)),
                _ => false,
            };
            match news.iter().position(has_same_condition) {
                Some(index) => self.outcomes(branch, news.remove(index), context),
                None => rest.push(branch),
            }
        }
        for (branch, other) in rest.iter().zip(&news) {
            let finding = Finding::new(&UNKNOWN_CHANGE).with_name("if").at(&branch.node.at, &other.node.at);
            self.note(context.scope, finding.values(excerpt(branch.node.value), excerpt(other.node.value)));
        }
        for branch in rest.iter().skip(news.len()) {
            self.note_data(context, Finding::new(&CONDITION_REMOVED).what("if").at(&branch.node.at, &new.at));
        }
        for branch in news.iter().skip(rest.len()) {
            self.note_data(context, Finding::new(&CONDITION_ADDED).what("if").at(&old.at, &branch.node.at));
        }
    }

    /// Compares the outcomes under the same condition.
    fn outcomes(&mut self, old: &Branch<'a>, new: &Branch<'a>, context: Context) {
        for key in ["then", "else"] {
            let outcome = |branch: &Branch<'a>| {
                let anything = || Node { value: &ANYTHING, at: branch.node.at.clone() };
                branch.node.get(key).unwrap_or_else(anything)
            };
            self.usages(&[outcome(old)], &[outcome(new)], context.inside());
        }
    }

    fn dependent_required(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let names: BTreeSet<_> = old.dependent_required.keys().chain(new.dependent_required.keys()).copied().collect();
        let none = BTreeSet::new();
        for name in names {
            let before = old.dependent_required.get(name).unwrap_or(&none);
            let after = new.dependent_required.get(name).unwrap_or(&none);
            let rule: &'static Rule = match (before.is_subset(after), after.is_subset(before)) {
                (true, true) => continue,
                (true, false) => &CONDITION_ADDED,
                (false, true) => &CONDITION_REMOVED,
                (false, false) => &CONDITION_CHANGED,
            };
            let value = |names: &BTreeSet<&str>| Some(names.iter().copied().collect());
            let finding = Finding::new(rule).what("dependent-required").at(&old.at, &new.at).with_name(name);
            self.note_data(context, finding.values(value(before), value(after)));
        }
    }
}
