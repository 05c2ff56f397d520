//! One form for what several keywords state together: integers, booleans, closed lists, and what is forbidden.

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::{
    Additional, NULL, Types, constraints, equal,
    implied::{is_never, is_open, type_of, types},
    is_annotation,
    normal::{Forbidden, Schema},
    same::{self, has_effect},
};

/// Returns whether every string matches a pattern.
pub(crate) fn matches_all(pattern: &str) -> bool {
    matches!(pattern, ".*" | "^.*$" | "" | "^" | "$" | "^.*" | ".*$")
}

/// The depth to which `not` may be nested.
const NESTING: u8 = 8;

impl<'a> Schema<'a> {
    /// Adds what `not` forbids; gives back what is forbidden to be forbidden.
    pub(super) fn merge_not(&mut self, document: &DocumentTree<'a>, not: &Node<'a>) -> Vec<Node<'a>> {
        self.forbid(document, not, NESTING)
    }

    fn forbid(&mut self, document: &DocumentTree<'a>, not: &Node<'a>, depth: u8) -> Vec<Node<'a>> {
        let inner = same::unwrap(document, not);
        if is_open(inner.value) {
            self.never = true;
        }
        if is_open(inner.value) || is_never(inner.value) {
            return Vec::new();
        }
        // A type beside values that are of it states nothing.
        let is_of_types = |value: &&Value| !types(&inner).contradicts(&Types::single(type_of(value)));
        let listed = inner.get("enum").map(|list| list.items().map(|item| item.value).collect::<Vec<_>>());
        let listed = listed.or_else(|| Some(vec![inner.value.get("const")?]));
        let is_redundant = listed.is_some_and(|values| values.iter().all(is_of_types));
        let states = |member: &(&'a str, &'a Value)| {
            !is_annotation(member.0) && has_effect(member) && !(member.0 == "type" && is_redundant)
        };
        let mut members = inner.members().filter(states);
        if let (Some((key, value)), None, Some(depth)) = (members.next(), members.next(), depth.checked_sub(1)) {
            let child = || Node { value, at: inner.at.key(key) };
            match (key, value) {
                ("not", _) => return vec![child()],
                ("anyOf", Value::Array(_)) => {
                    return child().items().flat_map(|item| self.forbid(document, &item, depth)).collect();
                }
                ("enum", Value::Array(values)) => {
                    self.forbid_values(not, values.iter());
                    return Vec::new();
                }
                ("const", value) => {
                    self.forbid_values(not, std::iter::once(value));
                    return Vec::new();
                }
                _ => {}
            }
        }
        let known = self.conditions.entry("not").or_default();
        if !known.iter().any(|other| other.value == not.value) {
            known.push(not.clone());
        }
        Vec::new()
    }

    fn forbid_values(&mut self, not: &Node<'a>, values: impl Iterator<Item = &'a Value>) {
        let forbidden = self.forbidden.get_or_insert_with(|| Forbidden {
            at: not.at.clone(),
            node: not.clone(),
            values: Vec::new(),
        });
        for value in values.filter(|value| !value.is_null()) {
            if !forbidden.values.iter().any(|known| equal(known, value)) {
                forbidden.values.push(value);
            }
        }
    }

    /// Brings what was merged into one form.
    pub(super) fn canonicalize(&mut self, document: &DocumentTree<'a>) {
        self.lists_all_types = self.types.is_all();
        if self.lists_all_types {
            self.types = Types::default();
        }
        self.unevaluated();
        self.patterns_of_all_names();
        // Only strings have content. Listed values of other types stay: YAML reads `4.1` as a number where documents mean a string.
        if !self.types.is_any() && !self.types.0.contains_key("string") {
            self.content.clear();
        }
        self.integers();
        self.negations(document);
        self.values_but_forbidden();
        let listed = |wanted: bool| self.values.iter().flatten().any(|value| **value == Value::Bool(wanted));
        if self.types == Types::single("boolean") && listed(true) && listed(false) {
            (self.values, self.constant) = (None, false);
        }
        // Items that cannot be there.
        if let Some(most) = self.most_items() {
            self.prefix_items.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        }
    }

    /// Makes members that no part evaluates additional ones, if the schema that states it includes all others.
    fn unevaluated(&mut self) {
        let is_plain = self.unions.is_empty()
            && self.left_out.is_empty()
            && self.branches.is_empty()
            && self.dependent_schemas.is_empty()
            && !self.conditions.contains_key("not");
        let [core] = self.core.as_slice() else { return };
        if !is_plain {
            return;
        }
        let stated_in_core = |list: Option<&Vec<Node<'a>>>, key: &str| match list.map(Vec::as_slice) {
            Some([only]) => {
                core.value.get(key).is_some_and(|value| std::ptr::eq(value, only.value)).then(|| only.clone())
            }
            _ => None,
        };
        if let Some(node) = stated_in_core(self.conditions.get("unevaluated-properties"), "unevaluatedProperties") {
            self.conditions.remove("unevaluated-properties");
            if matches!(self.additional, Additional::Open) {
                self.additional = if is_never(node.value) { Additional::Closed } else { Additional::Typed(vec![node]) };
            }
        }
        let items = stated_in_core(self.conditions.get("unevaluated-items"), "unevaluatedItems");
        if let Some(node) = items.filter(|_| !self.conditions.contains_key("contains")) {
            self.conditions.remove("unevaluated-items");
            match is_never(node.value) {
                _ if !self.items.is_empty() || self.closed_items.is_some() => {}
                true => self.closed_items = Some(self.prefix_items.len()),
                false => self.items.push(node),
            }
        }
    }

    /// Makes a pattern that all names match about all members, if no others are listed.
    fn patterns_of_all_names(&mut self) {
        if !self.properties.is_empty() || matches!(self.additional, Additional::Typed(_)) {
            return;
        }
        let [pattern] = self.pattern_properties.keys().copied().collect::<Vec<_>>()[..] else { return };
        if let Some(node) = matches_all(pattern).then(|| self.pattern_properties.remove(pattern)).flatten() {
            self.additional = match is_never(node.value) {
                true => Additional::Closed,
                false if is_open(node.value) => Additional::Open,
                false => Additional::Typed(vec![node]),
            };
        }
    }

    /// Makes numbers that are multiples of a whole number integers; all integers are multiples of 1.
    fn integers(&mut self) {
        let is_whole = |node: &Node<'a>| {
            node.value.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() < 1e15 && number != 0.0)
        };
        if self.multiples.iter().any(is_whole) && self.types.0.remove("number").is_some() {
            self.types.0.entry("integer").or_insert(None);
        }
        if self.types.0.contains_key("integer") && !self.types.0.contains_key("number") {
            self.multiples.retain(|node| !equal(node.value, &Value::from(1)));
        }
    }

    /// Removes forbidden types where the types are known, and makes a forbidden range of numbers a limit.
    fn negations(&mut self, document: &DocumentTree<'a>) {
        if self.types.is_any() {
            return;
        }
        let Some(nots) = self.conditions.remove("not") else { return };
        let mut left = Vec::new();
        for not in nots {
            let inner = same::unwrap(document, &not);
            let mut members = inner.members().filter(|member| !is_annotation(member.0) && has_effect(member));
            let only = members.next().filter(|_| members.next().is_none());
            let is_met = self.types.contradicts(&types(&inner));
            let is_less = match only {
                _ if is_met => true,
                Some(("type", names)) => self.without_types(names),
                Some((key, _)) => self.beyond(key, &inner),
                None => false,
            };
            if !is_less {
                left.push(not);
            }
        }
        if !left.is_empty() {
            self.conditions.insert("not", left);
        }
    }

    fn without_types(&mut self, names: &Value) -> bool {
        let names: Vec<_> = match names {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            name => name.as_str().into_iter().collect(),
        };
        let is_removed = |own: &str| names.contains(&own) || (own == "integer" && names.contains(&"number"));
        let has_number =
            self.types.0.contains_key("number") && names.contains(&"integer") && !names.contains(&"number");
        let left = self.types.0.keys().filter(|own| !is_removed(own)).count();
        if has_number || left == 0 {
            return false;
        }
        self.types.0.retain(|own, _| !is_removed(own));
        true
    }

    /// Returns what is forbidden from a limit on is allowed up to it.
    fn beyond(&mut self, key: &str, not: &Node<'a>) -> bool {
        let is_number = |name: &&str| matches!(*name, "integer" | "number");
        let opposite = match key {
            "minimum" => "exclusiveMaximum",
            "exclusiveMinimum" => "maximum",
            "maximum" => "exclusiveMinimum",
            "exclusiveMaximum" => "minimum",
            _ => return false,
        };
        let Some(number) = not.get(key).filter(|number| number.value.is_number()) else { return false };
        let all = self.types.0.keys().all(is_number);
        all.then(|| constraints::keyword(opposite)).flatten().is_some_and(|limit| {
            self.add_limit(limit, number);
            true
        })
    }

    /// Keeps the listed values that are not forbidden, and the forbidden ones that are of the schema's types.
    fn values_but_forbidden(&mut self) {
        let Some(mut forbidden) = self.forbidden.take() else { return };
        if let Some(values) = &mut self.values {
            let is_forbidden = |value: &&Value| forbidden.values.iter().any(|other| equal(other, value));
            if !values.iter().all(is_forbidden) {
                values.retain(|value| !is_forbidden(value));
                return;
            }
        }
        let is_of_type = |value: &&Value| {
            let name = type_of(value);
            self.types.is_any() || name == NULL || !self.types.contradicts(&Types::single(name))
        };
        forbidden.values.retain(is_of_type);
        self.forbidden = Some(forbidden).filter(|forbidden| !forbidden.values.is_empty());
    }

    /// Returns how many items a list may have.
    pub(crate) fn most_items(&self) -> Option<u64> {
        let limit = self.limits.get("max-items").and_then(|(_, number)| number.value.as_u64());
        let closed = self.closed_items.and_then(|count| u64::try_from(count).ok());
        limit.into_iter().chain(closed).min()
    }

    /// Returns whether no item may follow the first ones.
    pub(crate) fn is_closed(&self) -> bool {
        let first = u64::try_from(self.prefix_items.len()).unwrap_or(u64::MAX);
        self.closed_items.is_some() || (first > 0 && self.most_items().is_some_and(|most| most <= first))
    }

    /// Returns the schema with only one of its types.
    pub(super) fn of_type(&self, name: &'a str) -> Self {
        let mut alone = self.clone();
        alone.types.0.retain(|own, _| *own == name);
        if let Some(values) = &mut alone.values {
            values.retain(|value| !Types::single(type_of(value)).contradicts(&alone.types));
        }
        alone
    }
}
