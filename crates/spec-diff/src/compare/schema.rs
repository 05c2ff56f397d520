//! Two schemas at the same location: types first, then what the common types have.

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::{Circumstance, Comparison, Context, Finding, Raw, components::component, excerpt};
use crate::{
    compare::uncompared::UNKNOWN_CHANGE,
    rule::rules,
    schema::{DOCS, InDocument, Relation, Schema, Types, dangling, fits_schema, is_equivalent, same},
};

rules! {
    TYPE_CHANGED = Rule::data("type-changed", TypeFormat, (Breaking, Breaking), Major, "type-changed",
        "a different type or format; values of the one do not fit the other");
    TYPE_GENERALIZED = Rule::data("type-generalized", TypeFormat, (Info, Breaking), Major, "type-specialized",
        "more values fit: another type too, or a wider format");
    TYPE_SPECIALIZED = Rule::data("type-specialized", TypeFormat, (Breaking, Info), Major, "type-generalized",
        "fewer values fit: fewer types, or a narrower format");
    FORMAT_CHANGED = Rule::data("format-changed", TypeFormat, (Info, Info), Major, "format-changed",
        "another format, which by itself changes no value");
    BECAME_NEVER = Rule::data("became-never", TypeFormat, (Breaking, Info), Major, "no-longer-never",
        "no value is accepted any more")
        .in_responses("no value arrives any more");
    NO_LONGER_NEVER = Rule::data("no-longer-never", TypeFormat, (Info, Breaking), Major, "became-never",
        "values are accepted where none was")
        .in_responses("values may arrive where none did");
    ALL_OF_ADDED = Rule::data("all-of-added", Composition, (Breaking, Info), Major, "all-of-removed",
        "values must match one more part");
    ALL_OF_REMOVED = Rule::data("all-of-removed", Composition, (Info, Info), Major, "all-of-added",
        "values no longer have to match a part");
}

impl<'a> Comparison<'a> {
    /// Compares two schemas, each of one or several parts.
    pub(super) fn schemas(&mut self, old: &[Node<'a>], new: &[Node<'a>], context: Context) {
        let (old, new) = (Schema::of(&self.base, old), Schema::of(&self.revision, new));
        self.normal_forms(&old, &new, context);
    }

    /// Compares two schemas in normal form.
    pub(super) fn normal_forms(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let Some(left) = self.left.checked_sub(1) else { return };
        self.left = left;
        if left == 0 {
            let finding = Finding::new(&UNKNOWN_CHANGE).with_name("the schemas are too entangled to compare in full");
            self.note(0, finding);
            return;
        }
        old.leaves.iter().chain(&new.leaves).for_each(|leaf| self.compared.whole(leaf));
        self.are_compared(&old.absorbed, &new.absorbed);
        self.schema_words(old, new, context);
        self.unresolved(old, new, context);
        if old.never || new.never {
            return self.never(old, new, context);
        }
        let are_bytes = |old, new| is_bytes(&self.base, old) && is_bytes(&self.revision, new);
        if matches!(context.raw, Raw::Part | Raw::Whole) && are_bytes(old, new) {
            return;
        }
        let is_settled = context.settled || self.is_equivalent(old, new);
        let context = Context { settled: is_settled, ..context };
        if is_settled {
            old.unions.iter().for_each(|union| self.are_compared(&union.variants, &[]));
            new.unions.iter().for_each(|union| self.are_compared(&[], &union.variants));
        }
        let single = old.core.len() == 1 && new.core.len() == 1;
        if single && old.leaves.len() + new.leaves.len() > 2 {
            self.parts(old, new, context);
        }
        if self.unions(old, new, context) || self.types(old, new, context) == Relation::Other {
            return;
        }
        self.values(old, new, context);
        self.limits(old, new, context);
        self.conditions(old, new, context);
        let (base, revision) = ((&self.base, old), (&self.revision, new));
        // Also where properties stand beside a type that has none: a caller may read them.
        let is_object = |side: InDocument<'_, 'a, &Schema<'a>>| may_be(side, "object") || !side.1.properties.is_empty();
        let untyped = old.types.is_any() && new.types.is_any();
        let are_objects = untyped || (is_object(base) && is_object(revision));
        let is_array = |side: InDocument<'_, 'a, &Schema<'a>>| may_be(side, "array") || side.1.states_items();
        let are_arrays = is_array(base) && is_array(revision);
        if are_objects {
            self.objects(old, new, context);
        }
        if are_arrays {
            self.lists(old, new, context);
        }
    }

    /// Records that all that these schemas refer to was compared.
    pub(super) fn are_compared(&mut self, olds: &[Node<'a>], news: &[Node<'a>]) {
        for (document, nodes) in [(&self.base, olds), (&self.revision, news)] {
            nodes.iter().for_each(|node| self.compared.whole(&document.resolve(node.clone())));
        }
    }

    fn is_equivalent(&self, old: &Schema<'a>, new: &Schema<'a>) -> bool {
        is_equivalent(&self.equivalence, (&self.base, old), (&self.revision, new))
    }

    /// Compares schemas of which at least one is `false`.
    fn never(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let rule = match (old.never, new.never) {
            (false, true) => &BECAME_NEVER,
            (true, false) => &NO_LONGER_NEVER,
            _ => return,
        };
        self.note_data(context, Finding::new(rule).at(&old.at, &new.at));
    }

    /// Compares documentation and extensions, where a schema is written in one piece on both sides.
    fn schema_words(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        for (old, new) in old.leaves.iter().zip(&new.leaves) {
            self.compare_docs_and_extensions(context.scope, old, new);
        }
        for (key, old_value) in &old.unknown {
            let known = new.unknown.get(key);
            if known.is_none_or(|new| !same((&self.base, old_value), (&self.revision, new))) {
                let finding = Finding::new(&UNKNOWN_CHANGE).with_name(*key);
                let after = known.and_then(|new| excerpt(new.value));
                self.note(context.scope, finding.at(&old_value.at, &new.at).values(excerpt(old_value.value), after));
            }
        }
        for (key, value) in new.unknown.iter().filter(|(key, _)| !old.unknown.contains_key(*key)) {
            let finding = Finding::new(&UNKNOWN_CHANGE).with_name(*key);
            self.note(context.scope, finding.at(&old.at, &value.at).values(None, excerpt(value.value)));
        }
    }

    /// Reports parts that an `allOf` gained or lost while all others stayed as they are. What they hold is compared with the rest; that they
    /// are there is a finding of its own where they concern what callers rely on.
    fn parts(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let surplus = |few: &Schema<'a>, many: &Schema<'a>| {
            let is_gone = |leaf: &Node<'a>| !many.leaves.iter().any(|other| is_same_part(leaf, other));
            // The schema itself is not a part of it.
            let is_part = |leaf: &Node<'a>| many.core.iter().all(|core| core.address() != leaf.address());
            let is_extra = |leaf: &&Node<'a>| {
                is_part(leaf) && !own(leaf).is_empty() && !few.leaves.iter().any(|other| is_same_part(leaf, other))
            };
            let kept = !few.leaves.iter().any(is_gone);
            if kept { many.leaves.iter().filter(is_extra).cloned().collect() } else { Vec::new() }
        };
        // Parts that repeat what the others state.
        let states_nothing =
            |comparison: &Self, schema: InDocument<'_, 'a, &Schema<'a>>, part: InDocument<'_, 'a, &Node<'a>>| {
                let form = Schema::of(part.0, std::slice::from_ref(part.1));
                fits_schema(&comparison.effort, schema, (part.0, &form), true)
            };
        for part in surplus(old, new) {
            if states_nothing(self, (&self.base, old), (&self.revision, &part)) {
                continue;
            }
            let finding = Finding::new(&ALL_OF_ADDED).at(&old.at, &part.at);
            // New optional properties are all that it brings: harmless, and reported by themselves.
            let is_mixin = part.get("properties").is_some()
                && part
                    .get("properties")
                    .iter()
                    .flat_map(Node::entries)
                    .all(|(name, _)| !old.properties.contains_key(name))
                && part.get("required").is_none();
            let finding = finding.when(is_mixin, Circumstance::Met);
            self.note_data(context, finding.with_name(part_name(&part)));
        }
        for part in surplus(new, old) {
            if states_nothing(self, (&self.revision, new), (&self.base, &part)) {
                continue;
            }
            let finding = Finding::new(&ALL_OF_REMOVED).at(&part.at, &new.at);
            self.note_data(context, finding.with_name(part_name(&part)));
        }
    }

    /// Compares references that do not resolve to one schema: they are compared as strings, then by all schemas that have the name.
    fn unresolved(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let dangling = |document: &DocumentTree<'a>, schema: &Schema<'a>| {
            let leaves = schema.leaves.iter().filter_map(|leaf| Some((dangling(document, leaf)?, leaf.clone())));
            leaves.collect::<Vec<_>>()
        };
        let (olds, news) = (dangling(&self.base, old), dangling(&self.revision, new));
        let written = |list: &[(&'a str, Node<'a>)]| list.iter().map(|(text, _)| *text).collect::<Vec<_>>();
        let (before, after) = (written(&olds), written(&news));
        if before != after {
            let values = (Value::from(before), Value::from(after));
            let finding = Finding::new(&UNKNOWN_CHANGE).with_name("$ref").at(&old.at, &new.at);
            return self.note(context.scope, finding.values(values.0, values.1));
        }
        for ((text, old), (_, new)) in olds.iter().zip(&news) {
            if !same((&self.base, old), (&self.revision, new)) {
                let name = format!("$ref {text}, which is the name of several schemas");
                self.note(context.scope, Finding::new(&UNKNOWN_CHANGE).with_name(name).at(&old.at, &new.at));
            }
        }
    }

    fn types(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) -> Relation {
        // Beside alternatives a type may be left out, which are compared by themselves.
        let (before, after) = match old.types.is_any() == new.types.is_any() {
            true => (old.types.clone(), new.types.clone()),
            false => (old.types_with_alternatives(&self.base), new.types_with_alternatives(&self.revision)),
        };
        let relation = before.relation(&after, context.text);
        let values = (before.describe(), after.describe());
        let rule = match relation {
            Relation::Same => {
                if before.has_other_formats(&after) {
                    let finding = Finding::new(&FORMAT_CHANGED).at(&old.at, &new.at);
                    self.note_data(context, finding.values(values.0, values.1));
                }
                return relation;
            }
            Relation::Wider => &TYPE_GENERALIZED,
            Relation::Narrower => &TYPE_SPECIALIZED,
            Relation::Other => &TYPE_CHANGED,
        };
        let finding = Finding::new(rule).at(&old.at, &new.at);
        self.note_data(context, finding.values(values.0, values.1));
        relation
    }
}

/// Returns whether a schema states that a value is bytes of any media type, and nothing else. From 3.1 on, an empty schema states
/// that too.
fn is_bytes<'a>(document: &DocumentTree<'a>, schema: &Schema<'a>) -> bool {
    let states_bytes = match schema.types.is_any() {
        true => document.siblings(),
        false => schema.types == Types::single("string") && schema.content.contains_key("content-media-type"),
    };
    let states_more = schema.values.is_some()
        || schema.states_members()
        || schema.states_items()
        || !schema.unions.is_empty()
        || !schema.limits.is_empty()
        || !schema.patterns.is_empty()
        || !schema.conditions.is_empty()
        || schema.content.contains_key("content-encoding");
    states_bytes && !states_more
}

/// Returns whether values of a schema may be of a type. Alternatives may decide.
fn may_be<'a>((document, schema): InDocument<'_, 'a, &Schema<'a>>, name: &str) -> bool {
    schema.types.0.contains_key(name) || {
        let types = schema.types_with_alternatives(document);
        types.0.contains_key(name) || (types.is_any() && !schema.unions.is_empty())
    }
}

/// Returns what a part states itself; what it includes are parts too.
fn own<'a>(part: &Node<'a>) -> Vec<(&'a str, &'a Value)> {
    part.members().filter(|(key, _)| !matches!(*key, "allOf" | "$ref") && !DOCS.contains(key)).collect()
}

/// Returns whether two parts of an `allOf` are the same: equal keywords, and not as two components.
fn is_same_part(one: &Node<'_>, other: &Node<'_>) -> bool {
    let names = (component(one), component(other));
    let two = names.0.is_some() && names.1.is_some() && names.0 != names.1;
    !two && own(one) == own(other)
}

fn part_name(part: &Node<'_>) -> String {
    component(part).or(part.text("title")).unwrap_or("an unnamed part").to_owned()
}
