//! Parts of a document that are not of the type that OpenAPI states: what they would hold cannot be compared.

use std::collections::BTreeMap;

use openapi_document::{
    DocumentTree, Node,
    pointer::{last_token, unescape},
};

use super::{Comparison, Finding, operation_pairing::is_method};
use crate::compare::uncompared::UNKNOWN_CHANGE;

impl<'a> Comparison<'a> {
    /// Reports such parts, also if both sides have them.
    pub(super) fn malformed(&mut self) {
        let [mut olds, news] = [&self.base, &self.revision].map(malformed);
        let finding = |at: &str, expected| {
            let name = unescape(last_token(at));
            Finding::new(&UNKNOWN_CHANGE).with_name(format!("{name}, which is not {expected}"))
        };
        for (at, (node, expected)) in news {
            let finding = match olds.remove(&at) {
                Some((old, _)) => finding(&at, expected).at(&old.at, &node.at),
                None => finding(&at, expected).added(&node.at),
            };
            self.note(0, finding);
        }
        for (at, (node, expected)) in olds {
            self.note(0, finding(&at, expected).removed(&node.at));
        }
    }
}

/// Returns the malformed values by location, with the type that is expected.
fn malformed<'a>(document: &DocumentTree<'a>) -> BTreeMap<String, (Node<'a>, &'static str)> {
    let mut found = BTreeMap::new();
    let mut check = |node: &Node<'a>, expected: &'static str| {
        let is_right = match expected {
            "an array" => node.value.is_array(),
            _ => node.value.is_object(),
        };
        if !is_right && !node.value.is_null() {
            found.insert(node.at.to_string(), (node.clone(), expected));
        }
    };
    let root = document.root();
    for (section, list) in ["components", "paths", "webhooks"].iter().filter_map(|key| Some((*key, root.get(key)?))) {
        check(&list, "an object");
        for (_, entry) in list.without_extensions() {
            check(&entry, "an object");
            let item = document.resolve(entry);
            let members = item.entries().filter(|(key, _)| section != "components" && is_method(key));
            for (_, operation) in members {
                check(&operation, "an object");
                let parts = [
                    ("callbacks", "an object"),
                    ("parameters", "an array"),
                    ("requestBody", "an object"),
                    ("responses", "an object"),
                ];
                parts
                    .iter()
                    .filter_map(|(key, expected)| Some((operation.get(key)?, expected)))
                    .for_each(|(node, expected)| check(&node, expected));
            }
        }
    }
    for (key, expected) in [("security", "an array"), ("servers", "an array")] {
        root.get(key).iter().for_each(|node| check(node, expected));
    }
    found
}
