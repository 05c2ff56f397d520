//! A document as a tree of nodes that know their location, with the targets of its references.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use serde_json::{Map, Value};

use crate::{
    pointer::{Pointer, decode},
    reach::SCHEMAS,
};

/// How many references may lead to further references. A longer chain is taken for a cycle.
const MAX_HOPS: usize = 32;

/// The value is not an OpenAPI 3 document. Holds what was found instead of `openapi: 3.x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOpenApi(pub String);

/// A value with its location.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// The value.
    pub value: &'a Value,
    /// Where it is.
    pub at: Pointer<'a>,
}

impl<'a> Node<'a> {
    /// Returns a field, unless it is null.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Self> {
        let (key, value) = self.value.as_object()?.get_key_value(key)?;
        (!value.is_null()).then(|| Self { value, at: self.at.key(key) })
    }

    /// Returns the fields without their locations: cheaper where few of many matter.
    pub fn members(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }

    /// Returns the fields, if this is an object.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let at = self.at.clone();
        let entry = move |(key, value): (&'a String, &'a Value)| (key.as_str(), Self { value, at: at.key(key) });
        self.value.as_object().into_iter().flatten().map(entry)
    }

    /// Returns the fields except for extensions. Maps from names, such as `headers`, have none: there `x-rate` is a name.
    pub fn named(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        self.entries().filter(|(key, _)| !key.starts_with("x-"))
    }

    /// Returns the items, if this is an array.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let at = self.at.clone();
        let item = move |(index, value)| Self { value, at: at.index(index) };
        self.value.as_array().into_iter().flatten().enumerate().map(item)
    }

    /// Returns a field that is a string.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.value.get(key)?.as_str()
    }

    /// Returns whether a field is `true`.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns the address of the value: two nodes with the same address are the same location of the same document.
    #[must_use]
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self.value).addr()
    }
}

/// What one walk over a document finds.
#[derive(Debug, Clone, Default)]
struct Index<'a> {
    /// How many objects it has.
    objects: usize,
    /// References that do not begin at its root.
    outside: BTreeSet<&'a str>,
    /// Some schema has a name of its own: `$id`, `$anchor`.
    has_names: bool,
}

impl<'a> Index<'a> {
    /// `names`: the keys are names that the document gives, not keywords.
    fn read(&mut self, value: &'a Value, names: bool) {
        match value {
            Value::Object(members) => {
                self.objects += 1;
                for (key, value) in members {
                    match key.as_str() {
                        "$ref" if !names => {
                            self.outside.extend(value.as_str().filter(|text| !text.starts_with('#')));
                        }
                        "$id" | "$anchor" | "$dynamicAnchor" if !names => self.has_names |= value.is_string(),
                        "example" | "examples" | "default" | "enum" | "const" if !names => continue,
                        key if key.starts_with("x-") && !names => continue,
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

/// Whether the members of this member have names that the document gives.
fn gives_names(key: &str) -> bool {
    matches!(
        key,
        "$defs"
            | "callbacks"
            | "content"
            | "definitions"
            | "dependentSchemas"
            | "encoding"
            | "headers"
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

/// A document with an index of its references.
#[derive(Debug, Clone)]
pub struct DocumentTree<'a> {
    root: &'a Value,
    index: Index<'a>,
    /// Schemas by the names that they have themselves: `https://example.com/car`, `#car`.
    names: HashMap<String, Node<'a>>,
    /// `components.schemas`, which most references lead into.
    schemas: Option<Node<'a>>,
    siblings: bool,
}

impl<'a> DocumentTree<'a> {
    /// Returns whether the rest of a reference is a name without escapes and further tokens.
    #[must_use]
    pub fn is_plain(token: &str) -> bool {
        !token.contains(['/', '%', '~'])
    }

    /// Indexes a document.
    ///
    /// # Errors
    /// The value is not an OpenAPI 3 document.
    pub fn new(root: &'a Value) -> Result<Self, NotOpenApi> {
        let reject = |found: &str| Err(NotOpenApi(found.to_owned()));
        if !root.is_object() {
            return reject("it is not an object");
        }
        // Documents that forget their version are read as 3.0, if they look like one.
        let looks = root.get("swagger").is_none() && (root.get("paths").is_some() || root.get("components").is_some());
        let read = |siblings| {
            let mut index = Index::default();
            index.read(root, false);
            let mut document = Self { root, names: HashMap::new(), index, schemas: None, siblings };
            document.schemas = document.at(&["components", "schemas"]);
            if document.index.has_names {
                let root = document.root();
                document.name(&root, "", false);
            }
            document
        };
        match root.get("openapi").and_then(Value::as_str) {
            None | Some("") if looks => Ok(read(false)),
            Some(version) if version.starts_with("3.") => Ok(read(!version.starts_with("3.0"))),
            Some(version) => reject(&format!("its version is `{}`", version.chars().take(20).collect::<String>())),
            None if root.get("swagger").is_some() => reject("it is Swagger 2.0; convert it first"),
            None => reject("it has no string `openapi`"),
        }
    }

    /// Returns the root.
    #[must_use]
    pub fn root(&self) -> Node<'a> {
        Node { value: self.root, at: Pointer::default() }
    }

    /// Returns the node at these keys.
    #[must_use]
    pub fn at(&self, keys: &[&str]) -> Option<Node<'a>> {
        keys.iter().try_fold(self.root(), |node, key| node.get(key))
    }

    /// Collects the schemas that have names of their own.
    fn name(&mut self, node: &Node<'a>, within: &str, names: bool) {
        let mut within = Cow::Borrowed(within);
        if !names {
            if let Some(id) = node.text("$id") {
                self.names.entry(id.to_owned()).or_insert_with(|| node.clone());
                within = Cow::Owned(id.trim_end_matches('#').to_owned());
            }
            for anchor in ["$anchor", "$dynamicAnchor"].iter().filter_map(|key| node.text(key)) {
                self.names.entry(format!("#{anchor}")).or_insert_with(|| node.clone());
                self.names.entry(format!("{within}#{anchor}")).or_insert_with(|| node.clone());
            }
        }
        for (key, child) in node.entries() {
            self.name(&child, &within, !names && gives_names(key));
        }
        node.items().for_each(|item| self.name(&item, &within, false));
    }

    /// What a reference by a schema's own name points to.
    fn named(&self, reference: &str) -> Option<Node<'a>> {
        if let Some(node) = self.names.get(reference) {
            return Some(node.clone());
        }
        let (id, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let own = self.root.get("$self").and_then(Value::as_str);
        let start = match own == Some(id) {
            true => self.root(),
            // A reference may leave out what the name of the referring schema begins with.
            false => self
                .names
                .get(id)
                .or_else(|| {
                    let end = format!("/{}", id.trim_start_matches("./").trim_start_matches('/'));
                    let mut ends = self.names.iter().filter(|(name, _)| !id.is_empty() && name.ends_with(&end));
                    ends.next().filter(|_| ends.next().is_none()).map(|(_, node)| node)
                })?
                .clone(),
        };
        walk(start, fragment)
    }

    /// Returns the references into other files, each once.
    pub fn outside(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.index.outside.iter().copied().filter(|reference| self.named(reference).is_none())
    }

    /// Returns what the node's `$ref` points to, one step; none if it is not a reference or unresolved in this document.
    #[must_use]
    pub fn target(&self, node: &Node<'a>) -> Option<Node<'a>> {
        let reference = node.text("$ref").or_else(|| node.text("$dynamicRef"))?;
        if let Some(name) = reference.strip_prefix(SCHEMAS).filter(|name| Self::is_plain(name)) {
            return self.schemas.as_ref()?.get(name);
        }
        match reference.strip_prefix('#') {
            Some(path) if path.is_empty() || path.starts_with('/') => walk(self.root(), path),
            _ => self.named(reference),
        }
    }

    /// Returns what the node's references lead to, as far as they lead; the node itself if it is not a reference.
    #[must_use]
    pub fn resolve(&self, node: Node<'a>) -> Node<'a> {
        let mut node = node;
        for _ in 0..MAX_HOPS {
            match self.target(&node) {
                Some(target) => node = target,
                None => break,
            }
        }
        node
    }

    /// Returns whether fields beside a `$ref` count, which they do from OpenAPI 3.1.
    #[must_use]
    pub fn siblings(&self) -> bool {
        self.siblings
    }

    /// Returns how many objects the document has.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.index.objects
    }

    /// Returns the components of a section.
    #[must_use]
    pub fn components(&self, section: &str) -> Option<&'a Map<String, Value>> {
        self.root.get("components")?.get(section)?.as_object()
    }
}

/// What a JSON pointer leads to from a node.
fn walk<'a>(start: Node<'a>, path: &str) -> Option<Node<'a>> {
    path.split('/').skip(1).try_fold(start, |target, token| {
        let token = decode(token);
        match target.value {
            Value::Array(_) => target.items().nth(token.parse().ok()?),
            _ => target.get(&token),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_lead_through_escapes_lists_and_further_references() {
        let root = json!({
            "openapi": "3.0.3",
            "paths": {"/a b/{c}": {"get": {"parameters": [{"name": "limit"}]}}},
            "components": {"parameters": {"one": {"$ref": "#/paths/~1a%20b~1%7Bc%7D/get/parameters/0"}}},
        });
        let document = DocumentTree::new(&root).unwrap();
        let one = document.at(&["components", "parameters", "one"]).unwrap();
        let found = document.resolve(one);
        assert_eq!(found.text("name"), Some("limit"));
        assert_eq!(found.at.to_string(), "/paths/~1a b~1{c}/get/parameters/0");
    }

    #[test]
    fn references_in_a_circle_or_to_nowhere_end() {
        let root =
            json!({"openapi": "3.1.0", "a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}, "c": {"$ref": "other.yaml#/x"}});
        let document = DocumentTree::new(&root).unwrap();
        assert!(document.resolve(document.at(&["a"]).unwrap()).text("$ref").is_some());
        assert!(document.target(&document.at(&["c"]).unwrap()).is_none());
    }

    #[test]
    fn what_is_not_openapi_3_is_named() {
        let message = |value: &Value| DocumentTree::new(value).unwrap_err().0;
        assert_eq!(message(&json!([])), "it is not an object");
        assert!(message(&json!({"swagger": "2.0"})).ends_with("it is Swagger 2.0; convert it first"));
        assert!(message(&json!({"openapi": "4.0.0"})).ends_with("its version is `4.0.0`"));
    }
}
