//! References that cannot be followed, outside of schemas: their targets cannot be compared, their text can.

use std::collections::BTreeMap;

use openapi_document::{DocumentTree, Node, pointer::Pointer};
use serde_json::Value;

use super::{Comparison, Finding};
use crate::compare::uncompared::UNKNOWN_CHANGE;

/// By location, lists without their indices, and by text.
type References<'a> = BTreeMap<(String, &'a str), Pointer<'a>>;

impl<'a> Comparison<'a> {
    pub(super) fn elsewhere(&mut self) {
        let (olds, news) = (references(&self.base), references(&self.revision));
        let finding = |text: &str| Finding::new(&UNKNOWN_CHANGE).with_name(format!("$ref {text}"));
        // Unchanged here, whatever may have changed there.
        let outside = self.revision.outside();
        for (reference, at) in self.base.outside() {
            if let Some(other) = outside.get(reference) {
                self.note(0, finding(&format!("{reference}, which was not followed")).at(&at, other));
            }
        }
        for ((_, text), at) in olds.iter().filter(|(key, _)| !news.contains_key(*key)) {
            self.note(0, finding(text).removed(at));
        }
        for ((_, text), at) in news.iter().filter(|(key, _)| !olds.contains_key(*key)) {
            self.note(0, finding(text).added(at));
        }
    }
}

fn references<'a>(document: &DocumentTree<'a>) -> References<'a> {
    let mut found = References::new();
    let components = document.at(&["components"]);
    let sections = components.iter().flat_map(Node::entries).filter(|(key, _)| *key != "schemas");
    for node in sections.map(|(_, node)| node).chain(["paths", "webhooks"].iter().filter_map(|key| document.at(&[key])))
    {
        read(document, &node, &mut found);
    }
    document.files().for_each(|root| read(document, &root, &mut found));
    found
}

fn read<'a>(document: &DocumentTree<'a>, node: &Node<'a>, found: &mut References<'a>) {
    if let Some(text) = node.text("$ref") {
        if document.target(node).is_none() {
            let location = node.at.to_string().split('/').filter(|token| token.parse::<usize>().is_err()).collect();
            found.insert((location, text), node.at.clone());
        }
        return;
    }
    match node.value {
        Value::Object(_) => {
            let is_part =
                |key: &str| !key.starts_with("x-") && !matches!(key, "schema" | "example" | "examples" | "links");
            node.entries().filter(|(key, _)| is_part(key)).for_each(|(_, child)| read(document, &child, found));
        }
        Value::Array(_) => node.items().for_each(|item| read(document, &item, found)),
        _ => {}
    }
}
