//! A document as a tree of nodes that know their location, with the targets of its references.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use serde_json::{Map, Value};

use crate::{
    pointer::{Pointer, Step, decode},
    reach::SCHEMAS,
};

/// How many references may lead to further references. A longer chain is taken for a cycle.
const MAX_HOPS: usize = 32;

/// The value is not an OpenAPI 3 document. Holds what was found instead of `openapi: 3.x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOpenApi(pub String);

/// Files beside a document that its references lead to.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The name of the document's own file, by which other files refer to it.
    pub own: String,
    /// The other files, by their paths from the document's folder: `models/car.yaml`.
    pub others: BTreeMap<String, Value>,
}

impl Files {
    /// Returns the path of the file that a reference (`../car.yaml#/Car`) in a file leads to. None if it leads out of the document's
    /// folder, is a URL or an absolute path, or stays in the file.
    #[must_use]
    pub fn path(from: &str, reference: &str) -> Option<String> {
        let path = reference.split('#').next().filter(|path| !path.is_empty() && !path.starts_with('/'))?;
        let mut parts = from.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect());
        let path = decode(path);
        if path.contains(['\\', ':']) {
            return None;
        }
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()?),
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    }
}

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
    /// References that do not begin at the root of their file, with the file; the document's own is the empty one.
    outside: BTreeSet<(&'a str, &'a str)>,
    /// The file that is read.
    file: &'a str,
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
                            let reference = value.as_str().filter(|text| !text.starts_with('#'));
                            self.outside.extend(reference.map(|text| (self.file, text)));
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
    /// `components.schemas`, which most references lead into, and where it is.
    schemas: HashMap<&'a str, &'a Value>,
    schemas_at: Pointer<'a>,
    siblings: bool,
    files: Option<&'a Files>,
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
        Self::of(root, None)
    }

    /// Indexes a document with other files, into which references are followed.
    ///
    /// # Errors
    /// The value is not an OpenAPI 3 document.
    pub fn with_files(root: &'a Value, files: &'a Files) -> Result<Self, NotOpenApi> {
        Self::of(root, Some(files).filter(|files| !files.others.is_empty()))
    }

    fn of(root: &'a Value, files: Option<&'a Files>) -> Result<Self, NotOpenApi> {
        let reject = |found: &str| Err(NotOpenApi(found.to_owned()));
        if !root.is_object() {
            return reject("it is not an object");
        }
        // Documents that forget their version are read as 3.0, if they look like one.
        let looks = root.get("swagger").is_none() && (root.get("paths").is_some() || root.get("components").is_some());
        let read = |siblings| {
            let mut index = Index::default();
            index.read(root, false);
            for (path, value) in files.iter().flat_map(|files| &files.others) {
                index.file = path;
                index.read(value, false);
            }
            let (names, schemas) = (HashMap::new(), HashMap::new());
            let mut document = Self { root, names, index, schemas, schemas_at: Pointer::default(), siblings, files };
            if let Some(schemas) = document.at(&["components", "schemas"]) {
                document.schemas = schemas.members().filter(|(_, value)| !value.is_null()).collect();
                document.schemas_at = schemas.at;
            }
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

    /// Returns the references into other files that cannot be followed, each once.
    #[must_use]
    pub fn outside(&self) -> BTreeSet<&'a str> {
        let is_left = |(file, reference): &(&'a str, &'a str)| {
            self.named(reference).is_none() && self.in_file(Some(file), reference).is_none()
        };
        self.index.outside.iter().copied().filter(is_left).map(|(_, reference)| reference).collect()
    }

    /// Returns the roots of the other files.
    pub fn files(&self) -> impl Iterator<Item = Node<'a>> {
        let others = self.files.into_iter().flat_map(|files| &files.others);
        others.map(|(path, value)| Node { value, at: Pointer::of_file(path) })
    }

    /// Whether a node may be in another file.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.files.is_some()
    }

    /// Returns the root of a file; none for the document's own.
    fn root_of(&self, file: Option<&str>) -> Option<Node<'a>> {
        let Some(file) = file.filter(|file| !file.is_empty()) else { return Some(self.root()) };
        let (path, value) = self.files?.others.get_key_value(file)?;
        Some(Node { value, at: Pointer::of_file(path) })
    }

    /// What a reference in a file leads to in another one.
    fn in_file(&self, file: Option<&str>, reference: &str) -> Option<Node<'a>> {
        let files = self.files?;
        let own = files.own.as_str();
        let path = Files::path(file.filter(|file| !file.is_empty()).unwrap_or(own), reference)?;
        let root = self.root_of(Some(path.as_str()).filter(|path| *path != own))?;
        walk(root, reference.split_once('#').map_or("", |(_, fragment)| fragment))
    }

    /// Returns the node at these steps.
    #[must_use]
    pub fn node(&self, steps: &[Step<'_>]) -> Option<Node<'a>> {
        let (file, steps) = match steps {
            [Step::File(file), steps @ ..] => (Some(*file), steps),
            steps => (None, steps),
        };
        steps.iter().try_fold(self.root_of(file)?, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.items().nth(*index),
            Step::File(_) => None,
        })
    }

    /// Returns a component schema by its name.
    #[must_use]
    pub fn schema(&self, name: &str) -> Option<Node<'a>> {
        let (name, value) = self.schemas.get_key_value(name)?;
        Some(Node { value, at: self.schemas_at.key(name) })
    }

    /// Returns the value of what a reference to a component schema points to, which is cheaper than its location.
    #[must_use]
    pub fn schema_value(&self, reference: &str) -> Option<&'a Value> {
        self.schemas.get(reference.strip_prefix(SCHEMAS).filter(|name| Self::is_plain(name))?).copied()
    }

    /// Returns what the node's `$ref` points to, one step; none if it is not a reference or unresolved in this document.
    #[must_use]
    pub fn target(&self, node: &Node<'a>) -> Option<Node<'a>> {
        let reference = node.text("$ref").or_else(|| node.text("$dynamicRef"))?;
        if self.has_files()
            && let Some(file) = node.at.file()
        {
            return match reference.strip_prefix('#') {
                Some(path) => walk(self.root_of(Some(file))?, path),
                None => self.in_file(Some(file), reference).or_else(|| self.named(reference)),
            };
        }
        if let Some(name) = reference.strip_prefix(SCHEMAS).filter(|name| Self::is_plain(name)) {
            return self.schema(name);
        }
        match reference.strip_prefix('#') {
            Some(path) if path.is_empty() || path.starts_with('/') => walk(self.root(), path),
            _ => self.named(reference).or_else(|| self.in_file(None, reference)),
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

/// Returns the node that a JSON pointer resolves to. A fragment that is a name is not a pointer.
fn walk<'a>(start: Node<'a>, path: &str) -> Option<Node<'a>> {
    if !path.is_empty() && !path.starts_with('/') {
        return None;
    }
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
    fn references_lead_into_other_files_and_back() {
        let root = json!({
            "openapi": "3.1.0",
            "paths": {"/cars": {"$ref": "./paths/cars.yaml#/~1cars"}},
            "components": {"schemas": {"Id": {"type": "string"}}},
        });
        let others = [
            ("paths/cars.yaml", json!({"/cars": {"get": {"schema": {"$ref": "../models.json#/Car"}}}})),
            (
                "models.json",
                json!({"Car": {"items": {"$ref": "#/Wheel"}}, "Wheel": {"$ref": "api.yaml#/components/schemas/Id"}}),
            ),
        ];
        let others = others.into_iter().map(|(path, value)| (path.to_owned(), value)).collect();
        let files = Files { own: "api.yaml".to_owned(), others };
        let document = DocumentTree::with_files(&root, &files).unwrap();
        let item = document.resolve(document.at(&["paths", "/cars"]).unwrap());
        let car = document.resolve(item.get("get").and_then(|get| get.get("schema")).unwrap());
        assert_eq!(car.at.to_string(), "models.json#/Car");
        let id = document.resolve(car.get("items").unwrap());
        assert_eq!((id.at.to_string().as_str(), id.text("type")), ("/components/schemas/Id", Some("string")));
        assert_eq!(document.node(&car.at.steps()).map(|node| node.address()), Some(car.address()));
        assert!(document.outside().is_empty());
        assert_eq!(DocumentTree::new(&root).unwrap().outside().len(), 1);
    }

    #[test]
    fn references_stay_in_the_folder_of_the_document() {
        assert_eq!(Files::path("a/b.yaml", "../c%20d.yaml#/x").as_deref(), Some("c d.yaml"));
        assert_eq!(Files::path("a/b.yaml", "./d/./e.yaml").as_deref(), Some("a/d/e.yaml"));
        for outside in ["../c.yaml", "x/../../c.yaml", "/etc/passwd", "https://h/c.yaml", "#/x", "c:\\d", "%2e%2e/c"] {
            assert_eq!(Files::path("b.yaml", outside), None, "{outside}");
        }
    }

    #[test]
    fn what_is_not_openapi_3_is_named() {
        let message = |value: &Value| DocumentTree::new(value).unwrap_err().0;
        assert_eq!(message(&json!([])), "it is not an object");
        assert!(message(&json!({"swagger": "2.0"})).ends_with("it is Swagger 2.0; convert it first"));
        assert!(message(&json!({"openapi": "4.0.0"})).ends_with("its version is `4.0.0`"));
    }
}
