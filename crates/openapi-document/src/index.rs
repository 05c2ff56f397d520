//! The result of one walk over a document and its files: its size, and the references that do not begin at the root of their file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{node::Node, pointer::Pointer};

/// A file, by its path, and a reference in it. The document's own file is the empty one.
type Reference<'a> = (&'a str, &'a str);

/// The result of one walk over a document.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index<'a> {
    /// The number of objects that it has.
    pub(crate) objects: usize,
    /// References that do not begin at the root of their file, and values of discriminators that are references to other files.
    pub(crate) outside: BTreeSet<Reference<'a>>,
    /// The file that is read.
    pub(crate) file: &'a str,
    /// Some schema has a name of its own: `$id`, `$anchor`.
    pub(crate) has_names: bool,
    /// Some schema is the root of its references: `$id`.
    pub(crate) has_ids: bool,
    /// Some schema has a `$dynamicRef`.
    pub(crate) has_dynamic: bool,
}

impl<'a> Index<'a> {
    /// Reads a value. `names`: its keys are names that the document gives, not keywords.
    pub(crate) fn read(&mut self, value: &'a Value, names: bool) {
        match value {
            Value::Object(members) => {
                self.objects += 1;
                for (key, value) in members {
                    match key.as_str() {
                        "$ref" | "$dynamicRef" if !names => {
                            self.has_dynamic |= key == "$dynamicRef";
                            let reference = value.as_str().filter(|text| !text.starts_with('#'));
                            self.outside.extend(reference.map(|text| (self.file, text)));
                        }
                        "mapping" if !names => {
                            let targets =
                                value.as_object().into_iter().flatten().filter_map(|(_, target)| target.as_str());
                            let targets = targets.filter(|text| names_file(text));
                            self.outside.extend(targets.map(|text| (self.file, text)));
                        }
                        "$id" if !names && value.is_string() => (self.has_names, self.has_ids) = (true, true),
                        "$anchor" | "$dynamicAnchor" if !names => self.has_names |= value.is_string(),
                        key if !names && is_data(key) => continue,
                        _ => {}
                    }
                    if value.is_object() || value.is_array() {
                        self.read(value, !names && gives_names(key));
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.read(item, false)),
            _ => {}
        }
    }
}

/// Returns the references of a file that do not begin at its root, each once.
#[must_use]
pub fn outside_references(root: &Value) -> BTreeSet<&str> {
    let mut index = Index::default();
    index.read(root, false);
    index.outside.into_iter().map(|(_, reference)| reference).collect()
}

/// Returns whether the value of a discriminator's mapping names a file, and not a component.
#[must_use]
pub fn names_file(target: &str) -> bool {
    let path = target.split('#').next().unwrap_or_default();
    !path.is_empty() && (path.len() < target.len() || path.contains('/') || is_file_name(path))
}

fn is_file_name(path: &str) -> bool {
    [".json", ".yaml", ".yml"].iter().any(|ending| path.ends_with(ending))
}

/// Finds where references are: the first location of each.
pub(crate) fn locate<'a>(
    node: &Node<'a>,
    names: bool,
    wanted: &BTreeSet<&'a str>,
    found: &mut BTreeMap<&'a str, Pointer<'a>>,
) {
    for (key, child) in node.entries().filter(|(key, _)| names || !is_data(key)) {
        match child.value {
            Value::String(text) if wanted.contains(text.as_str()) => {
                found.entry(text).or_insert_with(|| node.at.clone());
            }
            _ => locate(&child, !names && gives_names(key), wanted, found),
        }
    }
    node.items().for_each(|item| locate(&item, false, wanted, found));
}

/// Returns whether a member is a value, an example or an extension: references in it are text.
fn is_data(key: &str) -> bool {
    matches!(key, "example" | "examples" | "default" | "enum" | "const") || key.starts_with("x-")
}

/// Returns whether the keys of this member are names that the document gives.
#[must_use]
pub fn gives_names(key: &str) -> bool {
    matches!(
        key,
        "$defs"
            | "additionalOperations"
            | "callbacks"
            | "content"
            | "definitions"
            | "dependentSchemas"
            | "encoding"
            | "headers"
            | "links"
            | "mapping"
            | "mediaTypes"
            | "parameters"
            | "pathItems"
            | "paths"
            | "patternProperties"
            | "properties"
            | "requestBodies"
            | "responses"
            | "schemas"
            | "scopes"
            | "securitySchemes"
            | "variables"
            | "webhooks"
    )
}
