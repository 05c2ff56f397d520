//! Null that is allowed from the revision on, or no longer.

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::{Comparison, Context, Finding};
use crate::{
    rule::rules,
    schema::{Schema, Usage},
};

rules! {
    BECAME_NULLABLE = Rule::data("became-nullable", Nullable, (Info, Breaking), Major, "became-not-nullable",
        "null is accepted")
        .in_responses("null may arrive");
    BECAME_NOT_NULLABLE = Rule::data("became-not-nullable", Nullable, (Breaking, Info), Major, "became-nullable",
        "null is no longer accepted")
        .in_responses("null no longer arrives");
}

impl<'a> Comparison<'a> {
    /// Compares whether two uses allow null.
    pub(super) fn null(&mut self, old: &Usage<'a>, new: &Usage<'a>, context: Context) {
        let core = |usage: &Usage<'a>| usage.core.first().map_or_else(|| usage.at.clone(), |node| node.at.clone());
        // Where no type is named, null is one of the values, and a change of types is reported as that.
        let is_untyped =
            |document: &DocumentTree<'a>, usage: &Usage<'a>| Schema::of(document, &usage.core).is_untyped();
        // 3.0 leaves it to `nullable` whether null is one of listed values.
        let is_stated = |usage: &Usage<'a>| {
            let unlisted = usage.unlisted_null.clone().filter(|_| self.base.siblings() != self.revision.siblings());
            usage.nullable.clone().or(unlisted)
        };
        let lists_all = |document: &DocumentTree<'a>, usage: &Usage<'a>| {
            usage.core.iter().any(may_list_all_types) && Schema::of(document, &usage.core).lists_all_types
        };
        let finding = match (is_stated(old), is_stated(new)) {
            (None, Some(at)) if !is_untyped(&self.base, old) => Finding::new(&BECAME_NULLABLE).at(&core(old), &at),
            (Some(at), None) if !is_untyped(&self.revision, new) => {
                Finding::new(&BECAME_NOT_NULLABLE).at(&at, &core(new))
            }
            // All types, and all but null.
            (None, None) if lists_all(&self.revision, new) && is_untyped(&self.base, old) => {
                Finding::new(&BECAME_NOT_NULLABLE).at(&core(old), &core(new))
            }
            (None, None) if lists_all(&self.base, old) && is_untyped(&self.revision, new) => {
                Finding::new(&BECAME_NULLABLE).at(&core(old), &core(new))
            }
            _ => return,
        };
        self.note_data(context, finding);
    }
}

/// Returns whether a closer look is needed to decide if a schema names all types.
fn may_list_all_types(node: &Node<'_>) -> bool {
    let is_long = |key: &str| node.value.get(key).and_then(Value::as_array).is_some_and(|list| list.len() >= 5);
    ["type", "anyOf", "oneOf"].into_iter().any(is_long)
        || node.get("allOf").iter().flat_map(Node::items).any(|part| may_list_all_types(&part))
}
