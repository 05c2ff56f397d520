//! Each keyword of one schema beside that of the other: no value that the one allows may be rejected by the other.

use std::{borrow::Cow, collections::BTreeSet};

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::Walk;
use crate::schema::{
    ANYTHING, Additional, Branch, Item, Limit, Schema, Types, Usage, all_match, constraints::type_of_limit, dangling,
    equal, implied::type_of, is_tighter, keeps, same,
};

impl<'a> Walk<'_, 'a> {
    /// Returns all but the alternatives.
    pub(super) fn base(&mut self, narrow: &Schema<'a>, wide: &Schema<'a>) -> bool {
        let own_types = narrow.types_with_alternatives(self.narrow);
        let is_ambiguous =
            |name: &&&str| narrow.ambiguous.contains_key(**name) || own_types.contradicts(&Types::single(name));
        wide.types.relation(&own_types, false).is_within()
            && wide.ambiguous.keys().all(|name| is_ambiguous(&name))
            && Self::values(narrow, wide)
            && Self::limits(narrow, wide, &own_types)
            && self.conditions(narrow, wide, &own_types)
            && (!may_be(&own_types, "object") || !wide.states_members() || self.objects(narrow, wide))
            && (!may_be(&own_types, "array") || !wide.states_items() || self.lists(narrow, wide))
    }

    fn values(narrow: &Schema<'a>, wide: &Schema<'a>) -> bool {
        let Some(allowed) = &wide.values else { return true };
        let is_allowed = |value: &Cow<'a, Value>| allowed.iter().any(|known| equal(known, value));
        narrow.listed().is_some_and(|values| values.iter().all(is_allowed))
    }

    fn limits(narrow: &Schema<'a>, wide: &Schema<'a>, types: &Types<'a>) -> bool {
        let concerns = |name: &str| may_be(types, name) || (name == "number" && may_be(types, "integer"));
        let most = match (narrow.most_items(), wide.most_items()) {
            (_, None) => true,
            (own, Some(most)) => !concerns("array") || own.is_some_and(|own| own <= most),
        };
        let listed = |meets: &dyn Fn(&Value) -> bool| {
            narrow.values.as_ref().is_some_and(|values| values.iter().all(|value| meets(value)))
        };
        let within = |(word, (limit, number)): (&&'static str, &(Limit, Node<'a>))| {
            let own = narrow.limits.get(*word);
            own.is_some_and(|(_, own)| is_tighter(limit.2, own.value, number.value) != Some(true))
                || listed(&|value| keeps(value, *limit, number.value))
        };
        let matches = |pattern: &&&str| {
            let values = narrow.values.as_ref();
            narrow.patterns.contains(**pattern)
                || values.is_some_and(|values| all_match(pattern, values.iter().copied()))
        };
        let has_multiple = |node: &Node<'a>| narrow.multiples.iter().any(|own| equal(own.value, node.value));
        let is_limit = |(word, _): &(&&'static str, _)| **word != "max-items" && concerns(type_of_limit(word));
        let has_content = |(word, media_types): (&&'static str, &BTreeSet<&'a str>)| {
            narrow.content.get(word).is_some_and(|own| media_types.is_subset(own))
        };
        most && wide.limits.iter().filter(is_limit).all(within)
            && (!concerns("number") || wide.multiples.iter().all(has_multiple))
            && (!concerns("array") || !wide.unique || narrow.unique)
            && (!concerns("string")
                || wide.patterns.iter().all(|pattern| matches(&pattern)) && wide.content.iter().all(has_content))
    }

    /// Returns whether conditions are equal; which of two is stricter is not decided.
    fn conditions(&mut self, narrow: &Schema<'a>, wide: &Schema<'a>, types: &Types<'a>) -> bool {
        let forbids = |value: &&Value| {
            let known = narrow.forbidden.iter().flat_map(|forbidden| &forbidden.values);
            let listed = narrow.values.as_ref();
            known.into_iter().any(|own| equal(own, value))
                || listed.is_some_and(|values| !values.iter().any(|own| equal(own, value)))
                || types.contradicts(&Types::single(type_of(value)))
        };
        if !wide.forbidden.iter().flat_map(|forbidden| &forbidden.values).all(forbids) {
            return false;
        }
        let nots = wide.conditions.get("not").map(Vec::as_slice).unwrap_or_default();
        if !nots.iter().all(|not| self.is_forbidden(narrow, not, types)) {
            return false;
        }
        let has = |list: Option<&Vec<Node<'a>>>, node: &Node<'a>| {
            list.into_iter().flatten().any(|own| same((self.narrow, own), (self.wide, node)))
        };
        let branch = |wide: &Branch<'a>| narrow.branches.iter().any(|own| own.is_same(self.narrow, wide, self.wide));
        let dangles = |node: &Node<'a>| {
            dangling(self.wide, node).is_some()
                && !narrow.leaves.iter().any(|own| same((self.narrow, own), (self.wide, node)))
        };
        let others = |(word, _): &(&&'static str, &Vec<Node<'a>>)| {
            **word != "not" && type_of_condition(word).is_none_or(|name| may_be(types, name))
        };
        let is_met = |(word, list): (&&'static str, &Vec<Node<'a>>)| {
            list.iter().all(|node| has(narrow.conditions.get(word), node))
        };
        wide.conditions.iter().filter(others).all(is_met)
            && wide.branches.iter().all(branch)
            && wide
                .dependent_required
                .iter()
                .all(|(name, names)| narrow.dependent_required.get(name).is_some_and(|own| names.is_subset(own)))
            && wide
                .dependent_schemas
                .iter()
                .all(|(name, list)| list.iter().all(|node| has(narrow.dependent_schemas.get(name), node)))
            && wide.unknown.iter().all(|(key, node)| {
                narrow.unknown.get(key).is_some_and(|own| same((self.narrow, own), (self.wide, node)))
            })
            && !wide.leaves.iter().any(dangles)
    }

    /// Returns whether `narrow` has no value that fits what the other side forbids: it forbids the same or more, or is
    /// something else.
    fn is_forbidden(&mut self, narrow: &Schema<'a>, not: &Node<'a>, types: &Types<'a>) -> bool {
        let core = |document: &DocumentTree<'a>, node: &Node<'a>| Usage::of(document, std::slice::from_ref(node)).core;
        let mut forbidden = Schema::of(self.wide, &core(self.wide, not));
        forbidden.types = forbidden.types.intersect(types.clone());
        let own = narrow.conditions.get("not").cloned().unwrap_or_default();
        // From the other side's point of view: what it forbids is to fit what this one forbids.
        let mut turned = Walk::new(self.effort, self.wide, self.narrow, true);
        own.iter().any(|own| turned.schemas(&forbidden, &Schema::of(self.narrow, &core(self.narrow, own))))
            || self.excludes(narrow, &forbidden)
    }

    fn objects(&mut self, narrow: &Schema<'a>, wide: &Schema<'a>) -> bool {
        // A free-form object may have anything, one that lists members has those.
        let lists_members = narrow.leaves.iter().any(|leaf| leaf.get("properties").is_some());
        wide.required.is_subset(&narrow.required)
            && narrow.properties.iter().all(|(name, parts)| match (wide.properties.get(name), &wide.additional) {
                (Some(others), _) => self.nodes(parts, others),
                (None, Additional::Closed) => false,
                (None, Additional::Typed(others)) => self.nodes(parts, others),
                (None, Additional::Open) => self.strict || wide.properties.is_empty(),
            })
            && wide.properties.iter().filter(|(name, _)| !narrow.properties.contains_key(*name)).all(|(_, others)| {
                match &narrow.additional {
                    Additional::Closed => true,
                    Additional::Typed(parts) => self.nodes(parts, others),
                    Additional::Open => !self.strict && lists_members,
                }
            })
            && match (&narrow.additional, &wide.additional) {
                (_, Additional::Open) | (Additional::Closed, _) => true,
                (Additional::Typed(parts), Additional::Typed(others)) => self.nodes(parts, others),
                (Additional::Open, Additional::Typed(others)) => {
                    self.nodes(&[Node { value: &ANYTHING, at: narrow.at.clone() }], others)
                }
                (_, Additional::Closed) => false,
            }
            && wide.pattern_properties.iter().all(|(pattern, node)| {
                let own = narrow.pattern_properties.get(pattern);
                own.is_some_and(|own| self.nodes(std::slice::from_ref(own), std::slice::from_ref(node)))
            })
    }

    fn lists(&mut self, narrow: &Schema<'a>, wide: &Schema<'a>) -> bool {
        let count = narrow.prefix_items.len().max(wide.prefix_items.len()) + 1;
        (0..count).all(|index| match (narrow.item(index), wide.item(index)) {
            (Item::Never, _) | (_, Item::Any) => true,
            (Item::Any, Item::Of(others)) => {
                let anything = Node { value: &ANYTHING, at: narrow.at.clone() };
                self.nodes(&[anything], &others)
            }
            (Item::Of(parts), Item::Of(others)) => self.nodes(&parts, &others),
            _ => false,
        })
    }
}

/// Returns the type whose values a condition concerns, by its word in ids.
fn type_of_condition(word: &str) -> Option<&'static str> {
    match word {
        "contains" | "unevaluated-items" => Some("array"),
        "property-names" | "unevaluated-properties" => Some("object"),
        "content-schema" => Some("string"),
        _ => None,
    }
}

/// Returns whether values may be of the type.
fn may_be(types: &Types<'_>, name: &str) -> bool {
    types.is_any() || types.0.contains_key(name)
}
