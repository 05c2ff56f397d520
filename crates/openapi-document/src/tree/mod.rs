//! A document as a tree of nodes with their location, with the targets of its references.

mod references;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::{
    addresses::Addresses,
    files::Files,
    index::{Index, locate},
    names::Names,
    node::Node,
    pointer::{Pointer, Step},
    reach::SCHEMAS,
};

/// The value is not an OpenAPI 3 document. Holds what was found instead of `openapi: 3.x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOpenApi(pub String);

/// A document with an index of its references.
#[derive(Debug, Clone)]
pub struct DocumentTree<'a> {
    root: &'a Value,
    index: Index<'a>,
    names: Names<'a>,
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
            let (names, schemas) = (Names::default(), HashMap::new());
            let mut document = Self { root, names, index, schemas, schemas_at: Pointer::default(), siblings, files };
            if let Some(schemas) = document.at(&["components", "schemas"]) {
                document.schemas = schemas.members().filter(|(_, value)| !value.is_null()).collect();
                document.schemas_at = schemas.at;
            }
            if document.index.has_names {
                document.names.read(&document.root(), "");
                for (path, value) in files.iter().flat_map(|files| &files.others) {
                    document.names.read(&Node { value, at: Pointer::of_file(path) }, path);
                }
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

    /// Returns the references into other files that cannot be followed, each with one of its locations.
    #[must_use]
    pub fn outside(&self) -> BTreeMap<&'a str, Pointer<'a>> {
        let is_left = |(file, reference): &(&'a str, &'a str)| {
            let from = if file.is_empty() { Pointer::default() } else { Pointer::of_file(file) };
            self.find(reference, &from).is_empty()
        };
        let left: BTreeSet<_> =
            self.index.outside.iter().copied().filter(is_left).map(|(_, reference)| reference).collect();
        let mut found = BTreeMap::new();
        if !left.is_empty() {
            locate(&self.root(), false, &left, &mut found);
            self.files().for_each(|root| locate(&root, false, &left, &mut found));
        }
        found
    }

    /// Returns the roots of the other files.
    pub fn files(&self) -> impl Iterator<Item = Node<'a>> {
        let others = self.files.into_iter().flat_map(|files| &files.others);
        others.map(|(path, value)| Node { value, at: Pointer::of_file(path) })
    }

    /// Returns whether a node may be in another file.
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

    /// Returns the value that a reference to a component schema resolves to, which is cheaper than its location.
    #[must_use]
    pub fn schema_value(&self, reference: &str) -> Option<&'a Value> {
        self.schemas.get(reference.strip_prefix(SCHEMAS).filter(|name| Self::is_plain(name))?).copied()
    }

    /// Adds the addresses of all values that references below these values of the document resolve to, also through other references
    /// and discriminators. Values that are in the set already are not searched again.
    pub fn reach(&self, values: impl IntoIterator<Item = &'a Value>, found: &mut Addresses) {
        // A list instead of recursion: chains of references may be longer than the stack is deep.
        let mut next: Vec<_> = values.into_iter().map(|value| (None, value)).collect();
        while let Some((file, value)) = next.pop() {
            let Value::Object(members) = value else {
                next.extend(value.as_array().into_iter().flatten().map(|item| (file, item)));
                continue;
            };
            let (mut reference, mut mapping, mut is_dynamic) = (None, None, false);
            for (key, value) in members {
                match key.as_str() {
                    "$ref" => reference = value.as_str(),
                    "$dynamicRef" => is_dynamic = true,
                    "discriminator" => mapping = value.get("mapping").and_then(Value::as_object),
                    _ => {}
                }
                if value.is_object() || value.is_array() {
                    next.push((file, value));
                }
            }
            let mut add = |target: &'a Value, file| {
                if found.insert(std::ptr::from_ref(target).addr()) {
                    next.push((file, target));
                }
            };
            let at = file.map_or_else(Pointer::default, Pointer::of_file);
            let plain = reference.filter(|_| file.is_none() && !self.index.has_ids);
            if let Some(schema) = plain.and_then(|reference| self.schema_value(reference)) {
                add(schema, None);
            } else if reference.is_some() || is_dynamic {
                let targets = self.targets(&Node { value, at: at.clone() });
                targets.iter().for_each(|target| add(target.value, target.at.file()));
            }
            for target in mapping.into_iter().flatten().filter_map(|(_, target)| self.mapped(target.as_str()?, &at)) {
                add(target.value, target.at.file());
            }
        }
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
    fn name_resolves_to_the_innermost_schema_around_the_reference() {
        let root = json!({
            "openapi": "3.1.0",
            "components": {"schemas": {
                "A": {"$id": "https://x.example/a", "p": {"$ref": "#/$defs/d"}, "q": {"$ref": "#n"}, "$defs": {"d": {"$anchor": "n"}}},
                "B": {"$id": "https://x.example/b", "p": {"$ref": "#/components/schemas/A"}, "q": {"$ref": "a#n"}, "$anchor": "n"},
                "C": {"p": {"$ref": "#n"}, "q": {"$dynamicRef": "#only"}, "$dynamicAnchor": "only"},
            }},
        });
        let document = DocumentTree::new(&root).unwrap();
        let target = |name: &str, key: &str| {
            let node = document.at(&["components", "schemas", name, key]).unwrap();
            let found = document.targets(&node).iter().map(|target| target.at.to_string()).collect::<Vec<_>>();
            (document.target(&node).is_some(), found.join(" "))
        };
        let (d, b) = ("/components/schemas/A/$defs/d", "/components/schemas/B");
        assert_eq!(target("A", "p"), (true, d.to_owned()));
        assert_eq!(target("A", "q"), (true, d.to_owned()));
        assert_eq!(target("B", "p"), (true, "/components/schemas/A".to_owned()));
        assert_eq!(target("B", "q"), (true, d.to_owned()));
        // Two schemas have the name, and none is around the reference.
        assert_eq!(target("C", "p"), (false, format!("{d} {b}")));
        assert_eq!(target("C", "q"), (true, "/components/schemas/C".to_owned()));
    }

    #[test]
    fn reach_follows_references_mappings_and_other_files() {
        let root = json!({
            "openapi": "3.1.0",
            "paths": {"/a": {"get": {"schema": {"$ref": "#/components/schemas/A"}}}},
            "components": {"schemas": {
                "A": {"discriminator": {"mapping": {"b": "B", "m": "m.yaml#/M"}}}, "B": {}, "C": {"$ref": "#/components/schemas/D"}, "D": {},
            }},
        });
        let others = std::iter::once(("m.yaml".to_owned(), json!({"M": {"$ref": "#/N"}, "N": {}, "O": {}}))).collect();
        let files = Files { own: "api.yaml".to_owned(), others };
        let document = DocumentTree::with_files(&root, &files).unwrap();
        let mut found = Addresses::default();
        document.reach([&root["paths"]], &mut found);
        let is_found = |value: &Value| found.contains(&std::ptr::from_ref(value).addr());
        let (schemas, file) = (&root["components"]["schemas"], &files.others["m.yaml"]);
        assert!([&schemas["A"], &schemas["B"], &file["M"], &file["N"]].into_iter().all(is_found));
        assert!(![&schemas["C"], &schemas["D"], &file["O"]].into_iter().any(is_found));
    }

    #[test]
    fn document_of_another_version_is_an_error_that_names_it() {
        let message = |value: &Value| DocumentTree::new(value).unwrap_err().0;
        assert_eq!(message(&json!([])), "it is not an object");
        assert!(message(&json!({"swagger": "2.0"})).ends_with("it is Swagger 2.0; convert it first"));
        assert!(message(&json!({"openapi": "4.0.0"})).ends_with("its version is `4.0.0`"));
    }
}
