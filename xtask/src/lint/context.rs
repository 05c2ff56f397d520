//! The input of rules: the document, and the parts of it that several rules walk over.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{
    Operation, SchemaNode, operations,
    pointer::{child, item},
    reachable, resolve, schemas,
};
use serde_json::{Map, Value};

pub(super) struct Context<'a> {
    pub(super) root: &'a Value,
    pub(super) operations: Vec<Operation<'a>>,
    pub(super) parameters: Vec<Parameter<'a>>,
    pub(super) schemas: Vec<SchemaNode<'a>>,
    pub(super) references: Vec<Reference<'a>>,
    /// The facade's source for the vendor, if the document is one of ours and the facade has it.
    pub(super) facade: Option<&'a str>,
}

/// A resolved parameter of an operation.
pub(super) struct Parameter<'a> {
    pub(super) at: String,
    pub(super) name: &'a str,
    /// The value of `in`.
    pub(super) location: &'a str,
    pub(super) value: &'a Value,
    /// The resolved schema.
    pub(super) schema: Option<&'a Value>,
}

/// An object with a `$ref`.
pub(super) struct Reference<'a> {
    pub(super) pointer: String,
    pub(super) node: &'a Map<String, Value>,
    pub(super) target: &'a str,
    /// The section of components that the reference has to point to, where one is expected.
    pub(super) section: Option<&'static str>,
}

impl<'a> Context<'a> {
    pub(super) fn new(root: &'a Value, facade: Option<&'a str>) -> Self {
        let (operations, schemas) = (operations(root), schemas(root));
        let parameters = operations.iter().flat_map(|operation| operation.parameters_at(root));
        let parameters = parameters.map(|(at, value)| parameter(root, at, value)).collect();
        let sections = sections(root, &operations, &schemas);
        let mut references = Vec::new();
        collect_references(root, "", &sections, &mut references);
        Self { root, operations, parameters, schemas, references, facade }
    }

    /// Returns the string at a pointer, or an empty one.
    pub(super) fn text(&self, pointer: &str) -> &'a str {
        self.root.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the operations except for those that the runtime sends itself, which may be of any kind.
    pub(super) fn generated_operations(&self) -> impl Iterator<Item = &Operation<'a>> {
        self.operations.iter().filter(|operation| !operation.is_sent_by_core())
    }

    /// Returns the parameters that have a schema.
    pub(super) fn typed_parameters(&self) -> impl Iterator<Item = (&Parameter<'a>, &'a Value)> {
        self.parameters.iter().filter_map(|parameter| Some((parameter, parameter.schema?)))
    }

    /// Returns the schemas that are not references.
    pub(super) fn own_schemas(&self) -> impl Iterator<Item = &SchemaNode<'a>> {
        self.schemas.iter().filter(|node| !node.schema.contains_key("$ref"))
    }

    /// Returns the components that requests refer to.
    pub(super) fn in_requests(&self) -> BTreeSet<&'a str> {
        let parts = self.operations.iter().flat_map(|operation| {
            let of_item = operation.item.get("parameters");
            [of_item, operation.value.get("parameters"), operation.value.get("requestBody")]
        });
        reachable(self.root, parts.flatten(), |_| true)
    }
}

fn parameter<'a>(root: &'a Value, at: String, value: &'a Value) -> Parameter<'a> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let schema = value.get("schema").map(|schema| resolve(root, schema));
    Parameter { at, name: text("name"), location: text("in"), value, schema }
}

/// Returns the pointers at which references to components of one section are expected.
fn sections(root: &Value, operations: &[Operation<'_>], schemas: &[SchemaNode<'_>]) -> BTreeMap<String, &'static str> {
    let mut sections = BTreeMap::new();
    for operation in operations {
        let path = child("/paths", operation.path);
        for (holder, map) in [(&path, operation.item), (&operation.pointer, operation.value)] {
            let count = map.get("parameters").and_then(Value::as_array).map_or(0, Vec::len);
            let list = child(holder, "parameters");
            sections.extend((0..count).map(|index| (item(&list, index), "parameters")));
        }
        sections.insert(child(&operation.pointer, "requestBody"), "requestBodies");
        let responses = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        let at = child(&operation.pointer, "responses");
        sections.extend(responses.map(|(status, _)| (child(&at, status), "responses")));
    }
    for section in ["parameters", "requestBodies", "responses"] {
        let pointer = child("/components", section);
        let components = root.pointer(&pointer).and_then(Value::as_object).into_iter().flatten();
        sections.extend(components.map(|(name, _)| (child(&pointer, name), section)));
    }
    let references = schemas.iter().filter(|node| node.schema.contains_key("$ref"));
    sections.extend(references.map(|node| (node.pointer.clone(), "schemas")));
    sections
}

/// Collects the references below a node, except for those in examples.
fn collect_references<'a>(
    node: &'a Value,
    pointer: &str,
    sections: &BTreeMap<String, &'static str>,
    found: &mut Vec<Reference<'a>>,
) {
    match node {
        Value::Object(map) => {
            if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                let section = sections.get(pointer).copied();
                found.push(Reference { pointer: pointer.to_owned(), node: map, target, section });
            }
            for (key, value) in map.iter().filter(|(key, _)| !matches!(key.as_str(), "example" | "examples")) {
                collect_references(value, &child(pointer, key), sections, found);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                collect_references(value, &item(pointer, index), sections, found);
            }
        }
        _ => {}
    }
}

/// Returns whether a string is a day, `YYYY-MM-DD`.
pub(super) fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<chrono::NaiveDate>().is_ok()
}
