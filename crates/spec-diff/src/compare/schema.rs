//! Two schemas that stand in the same place: types first, then what the common types have.

use serde_json::Value;

use super::{Comparison, Context, Finding, components::component, excerpt};
use crate::{
    document::Node,
    report::Level,
    rules::{self, Rule},
    schema::{DOCS, Relation, Schema, Usage, same},
};

/// A schema that everything fits, for what is not said.
static ANYTHING: Value = Value::Bool(true);

impl<'a> Comparison<'a> {
    /// Compares two schemas in normal form.
    pub(super) fn schemas(&mut self, old: &[Node<'a>], new: &[Node<'a>], context: Context) {
        let Some(left) = self.left.checked_sub(1) else { return };
        self.left = left;
        if left == 0 {
            let finding =
                Finding::new(&rules::UNKNOWN_CHANGE).named("the schemas are too entangled to compare in full");
            self.note(0, finding);
            return;
        }
        let single = old.len() == 1 && new.len() == 1;
        let old = Schema::of(&self.base, old);
        let new = Schema::of(&self.revision, new);
        self.schema_words(&old, &new, context);
        self.unresolved(&old, &new, context);
        if single && old.leaves.len() + new.leaves.len() > 2 {
            self.parts(&old, &new, context);
        }
        if self.unions(&old, &new, context) {
            return;
        }
        if self.types(&old, &new, context) == Relation::Other {
            return;
        }
        self.values(&old, &new, context);
        self.limits(&old, &new, context);
        self.conditions(&old, &new, context);
        // Also where properties stand beside a type that has none: somebody may read them.
        let is_object = |schema: &Schema<'a>| schema.types.0.contains_key("object") || !schema.properties.is_empty();
        if is_object(&old) && is_object(&new) {
            self.objects(&old, &new, context);
        }
        let is_array = |schema: &Schema<'a>| schema.types.0.contains_key("array") || !schema.items.is_empty();
        if is_array(&old) && is_array(&new) {
            self.lists(&old, &new, context);
        }
    }

    /// Documentation and extensions, where a schema is written in one piece on both sides.
    fn schema_words(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        for (old, new) in old.leaves.iter().zip(&new.leaves) {
            self.words(context.scope, old, new);
        }
        for (key, old_value) in &old.unknown {
            let known = new.unknown.get(key);
            if known.is_none_or(|new| !same((&self.base, old_value), (&self.revision, new))) {
                let finding = Finding::new(&rules::UNKNOWN_CHANGE).named(*key);
                let after = known.and_then(|new| excerpt(new.value));
                self.note(context.scope, finding.at(&old_value.at, &new.at).values(excerpt(old_value.value), after));
            }
        }
        for (key, value) in new.unknown.iter().filter(|(key, _)| !old.unknown.contains_key(*key)) {
            let finding = Finding::new(&rules::UNKNOWN_CHANGE).named(*key);
            self.note(context.scope, finding.at(&old.at, &value.at).values(None, excerpt(value.value)));
        }
    }

    /// Parts that an `allOf` gained or lost while all others stayed as they are. What they hold is compared with the rest; that they
    /// are there is a finding of its own where they speak of what callers know.
    fn parts(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let surplus = |few: &Schema<'a>, many: &Schema<'a>| {
            let is_gone = |leaf: &Node<'a>| !many.leaves.iter().any(|other| is_same_part(leaf, other));
            let is_extra =
                |leaf: &&Node<'a>| !own(leaf).is_empty() && !few.leaves.iter().any(|other| is_same_part(leaf, other));
            let kept = !few.leaves.iter().any(is_gone);
            if kept { many.leaves.iter().filter(is_extra).cloned().collect() } else { Vec::new() }
        };
        for part in surplus(old, new) {
            let mut finding = Finding::new(&rules::ALL_OF_ADDED).at(&old.at, &part.at);
            // New optional properties are all that it brings: harmless, and reported by themselves.
            let is_mixin = part.get("properties").is_some()
                && part
                    .get("properties")
                    .iter()
                    .flat_map(Node::entries)
                    .all(|(name, _)| !old.properties.contains_key(name))
                && part.get("required").is_none();
            finding.level = is_mixin.then_some(Level::Info);
            self.note_data(context, finding.named(part_name(&part)));
        }
        for part in surplus(new, old) {
            let finding = Finding::new(&rules::ALL_OF_REMOVED).at(&part.at, &new.at);
            self.note_data(context, finding.named(part_name(&part)));
        }
    }

    /// References that lead nowhere in the document cannot be followed: they are compared as text.
    fn unresolved(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let dangling = |document: &crate::document::Document<'a>, schema: &Schema<'a>| {
            let dangling = |node: &Node<'a>| node.text("$ref").filter(|_| document.target(node).is_none());
            schema.leaves.iter().filter_map(dangling).collect::<Vec<_>>()
        };
        let (before, after) = (dangling(&self.base, old), dangling(&self.revision, new));
        if before != after {
            let values = (Value::from(before), Value::from(after));
            let finding = Finding::new(&rules::UNKNOWN_CHANGE).named("$ref").at(&old.at, &new.at);
            self.note(context.scope, finding.values(values.0, values.1));
        }
    }

    fn types(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) -> Relation {
        let relation = old.types.relation(&new.types, context.text);
        let rule = match relation {
            Relation::Same => return relation,
            Relation::Wider => &rules::TYPE_GENERALIZED,
            Relation::Narrower => &rules::TYPE_SPECIALIZED,
            Relation::Other => &rules::TYPE_CHANGED,
        };
        let finding = Finding::new(rule).at(&old.at, &new.at);
        self.note_data(context, finding.values(old.types.describe(), new.types.describe()));
        relation
    }

    /// What a use says beside its schema: null, default, deprecation, and who may send it.
    pub(super) fn attributes(&mut self, old: &Usage<'a>, new: &Usage<'a>, context: Context) {
        for (old, new) in old.wrappers.iter().zip(&new.wrappers) {
            self.words(context.scope, old, new);
        }
        let core = |usage: &Usage<'a>| usage.core.first().map_or_else(|| usage.at.clone(), |node| node.at.clone());
        match (&old.nullable, &new.nullable) {
            (None, Some(at)) => {
                self.note_data(context, Finding::new(&rules::BECAME_NULLABLE).at(&core(old), at));
            }
            (Some(at), None) => {
                self.note_data(context, Finding::new(&rules::BECAME_NOT_NULLABLE).at(at, &core(new)));
            }
            _ => {}
        }
        self.defaults(old, new, context);
        let deprecation = |usage: &Usage<'a>| usage.deprecated.clone();
        self.data_lifecycle((deprecation(old), &old.at), (deprecation(new), &new.at), context);
        for (was, is, gained, lost) in [
            (&old.read_only, &new.read_only, &rules::BECAME_READ_ONLY, &rules::BECAME_NOT_READ_ONLY),
            (&old.write_only, &new.write_only, &rules::BECAME_WRITE_ONLY, &rules::BECAME_NOT_WRITE_ONLY),
        ] {
            match (was, is) {
                (None, Some(at)) => self.note_data(context, Finding::new(gained).at(&old.at, at)),
                (Some(at), None) => self.note_data(context, Finding::new(lost).at(at, &new.at)),
                _ => {}
            }
        }
    }

    fn defaults(&mut self, old: &Usage<'a>, new: &Usage<'a>, context: Context) {
        let value = |node: &Node<'a>| excerpt(node.value);
        let finding = match (&old.default, &new.default) {
            (Some(old), Some(new)) if old.value != new.value => {
                Finding::new(&rules::DEFAULT_VALUE_CHANGED).at(&old.at, &new.at).values(value(old), value(new))
            }
            (Some(node), None) => {
                Finding::new(&rules::DEFAULT_VALUE_REMOVED).at(&node.at, &new.at).values(value(node), None)
            }
            (None, Some(node)) => {
                Finding::new(&rules::DEFAULT_VALUE_ADDED).at(&old.at, &node.at).values(None, value(node))
            }
            _ => return,
        };
        self.note_data(context, finding);
    }

    /// `not`, `if`, `contains` and their like.
    fn conditions(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        for (word, condition) in &old.conditions {
            let Some(other) = new.conditions.get(word) else {
                let finding = Finding::new(&rules::CONDITION_REMOVED).what(word).at(&condition.at, &new.at);
                self.note_data(context, finding.values(excerpt(condition.value), None));
                continue;
            };
            if same((&self.base, condition), (&self.revision, other)) {
                continue;
            }
            let finding = |rule: &'static Rule| Finding::new(rule).at(&condition.at, &other.at);
            match *word {
                // Each part must hold, as the schema itself.
                "contains"
                | "content-schema"
                | "else"
                | "property-names"
                | "then"
                | "unevaluated-items"
                | "unevaluated-properties" => {
                    self.usages(std::slice::from_ref(condition), std::slice::from_ref(other), context.inside());
                }
                "dependent-required" => {
                    self.note_data(context, finding(&rules::CONDITION_CHANGED).what("dependent-required"));
                }
                _ => {
                    let values = (excerpt(condition.value), excerpt(other.value));
                    self.note(context.scope, finding(&rules::UNKNOWN_CHANGE).named(*word).values(values.0, values.1));
                }
            }
        }
        for (word, condition) in new.conditions.iter().filter(|(word, _)| !old.conditions.contains_key(*word)) {
            let finding = Finding::new(&rules::CONDITION_ADDED).what(word).at(&old.at, &condition.at);
            self.note_data(context, finding.values(None, excerpt(condition.value)));
        }
    }

    fn lists(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let inside = context.inside();
        let or_anything = |items: &[Node<'a>], schema: &Schema<'a>| match items {
            [] => vec![Node { value: &ANYTHING, at: schema.at.clone() }],
            items => items.to_vec(),
        };
        if !(old.items.is_empty() && new.items.is_empty()) {
            self.usages(&or_anything(&old.items, old), &or_anything(&new.items, new), inside);
        }
        for (old, new) in old.prefix_items.iter().zip(&new.prefix_items) {
            self.usages(std::slice::from_ref(old), std::slice::from_ref(new), inside);
        }
        let rule = match old.prefix_items.len().cmp(&new.prefix_items.len()) {
            std::cmp::Ordering::Equal => return,
            std::cmp::Ordering::Less => &rules::PREFIX_ITEMS_ADDED,
            std::cmp::Ordering::Greater => &rules::PREFIX_ITEMS_REMOVED,
        };
        let count = |schema: &Schema<'a>| Value::from(schema.prefix_items.len());
        self.note_data(context, Finding::new(rule).at(&old.at, &new.at).values(count(old), count(new)));
    }
}

/// What a part says itself; what it includes are parts too.
fn own<'a>(part: &Node<'a>) -> Vec<(&'a str, &'a Value)> {
    part.members().filter(|(key, _)| *key != "allOf" && !DOCS.contains(key)).collect()
}

/// Whether two parts of an `allOf` are the same: they say the same, and not as two components.
fn is_same_part(one: &Node<'_>, other: &Node<'_>) -> bool {
    let names = (component(one), component(other));
    let two = names.0.is_some() && names.1.is_some() && names.0 != names.1;
    !two && own(one) == own(other)
}

fn part_name(part: &Node<'_>) -> String {
    component(part).or(part.text("title")).unwrap_or("an unnamed part").to_owned()
}
