//! Values that are equal on both sides with all that they refer to: most of a document. They are not compared further.

use std::collections::{HashMap, HashSet};

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

/// The size up to which a schema is checked for being unchanged as a whole: the parts of a larger one are asked about each.
const SMALL: usize = 24;

/// The schema components that are equal on both sides, as are all that they refer to.
#[derive(Debug, Default)]
pub(super) struct Unchanged<'a> {
    names: HashSet<&'a str>,
    /// Nodes may be in other files, where references lead elsewhere.
    has_files: bool,
}

impl<'a> Unchanged<'a> {
    pub(super) fn of(base: &DocumentTree<'a>, revision: &DocumentTree<'a>) -> Self {
        let (Some(olds), Some(news)) = (base.components("schemas"), revision.components("schemas")) else {
            return Self::default();
        };
        if base.siblings() != revision.siblings() {
            return Self::default();
        }
        let mut unchanged = HashSet::with_capacity(olds.len());
        let mut users = HashMap::<_, Vec<_>>::new();
        for (name, old) in olds.iter().filter(|(name, old)| news.get(*name) == Some(old)) {
            let mut references = Vec::new();
            if read(old, &mut references, &mut { usize::MAX }) {
                unchanged.insert(name.as_str());
                for reference in references {
                    users.entry(reference).or_default().push(name.as_str());
                }
            }
        }
        let mut changed: Vec<_> = users.keys().filter(|name| !unchanged.contains(*name)).copied().collect();
        while let Some(name) = changed.pop() {
            let users = users.get(name).map(Vec::as_slice).unwrap_or_default();
            changed.extend(users.iter().filter(|user| unchanged.remove(*user)));
        }
        Self { names: unchanged, has_files: base.has_files() || revision.has_files() }
    }

    /// Returns whether the component schema of this name is the same.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Returns whether both are the same small schema, and nothing that it refers to has changed.
    pub(super) fn holds(&self, old: &Node<'_>, new: &Node<'_>) -> bool {
        if self.has_files && (old.at.file().is_some() || new.at.file().is_some()) {
            return false;
        }
        let mut references = Vec::new();
        read(old.value, &mut references, &mut { SMALL })
            && references.iter().all(|name| self.names.contains(name))
            && old.value == new.value
    }
}

/// Reads the names of the schemas that a schema refers to. False if it refers to anything else, or has more than `left` parts.
fn read<'v>(schema: &'v Value, references: &mut Vec<&'v str>, left: &mut usize) -> bool {
    let Some(less) = left.checked_sub(1) else { return false };
    *left = less;
    match schema {
        Value::Array(items) => items.iter().all(|item| read(item, references, left)),
        Value::Object(members) => members.iter().all(|(key, value)| match (key.as_str(), value) {
            ("$ref", Value::String(reference)) => {
                let name =
                    reference.strip_prefix(openapi_document::SCHEMAS).filter(|name| DocumentTree::is_plain(name));
                references.extend(name);
                name.is_some()
            }
            // They resolve to schemas without naming them, or change what references in them mean.
            ("discriminator" | "$dynamicRef" | "$id", _) => false,
            (_, value) => read(value, references, left),
        }),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use openapi_document::pointer::Pointer;
    use serde_json::json;

    use super::*;

    #[test]
    fn schema_that_refers_to_a_change_is_not_unchanged() {
        let to = |name: &str| json!({"properties": {"p": {"$ref": format!("#/components/schemas/{name}")}}});
        let document = |leaf: &str| {
            let schemas = json!({
                "A": to("B"), "B": to("Leaf"), "Leaf": {"type": leaf}, "C": to("D"), "D": to("C"), "E": to("C"),
                "F": {"$ref": "other.json"}, "G": {"discriminator": {"propertyName": "p"}}, "H": to("Nowhere"),
            });
            json!({"openapi": "3.0.0", "components": {"schemas": schemas}})
        };
        let (base, revision) = (document("string"), document("number"));
        let documents = (DocumentTree::new(&base).unwrap(), DocumentTree::new(&revision).unwrap());
        let unchanged = Unchanged::of(&documents.0, &documents.1);
        let mut names: Vec<_> = unchanged.names.iter().copied().collect();
        names.sort_unstable();
        assert_eq!(names, ["C", "D", "E"]);
        let holds = |value: &Value| {
            let node = Node { value, at: Pointer::default() };
            unchanged.holds(&node, &node)
        };
        assert!(holds(&json!({"nullable": true, "allOf": [{"$ref": "#/components/schemas/C"}]})));
        assert!(!holds(&json!({"$ref": "#/components/schemas/A"})));
    }
}
