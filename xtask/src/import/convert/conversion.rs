//! The rewritten specification, of which operations and schemas are packed.

use serde_json::{Map, Value, json};

use crate::{
    import::{losses::Loss, security::Credential},
    packed::Packed,
};

/// The rewritten specification.
pub(crate) struct Conversion {
    pub(crate) operations: Vec<ConvertedOperation>,
    /// Components by name, in the order in which operations use them.
    pub(crate) schemas: Vec<(String, Packed)>,
    pub(crate) losses: Vec<Loss>,
    pub(crate) credentials: Vec<Credential>,
    /// The base URL of requests, if the specification states one.
    pub(crate) address: Option<String>,
    pub(super) head: Map<String, Value>,
    pub(super) schemes: Value,
}

/// One operation of a draft.
pub(crate) struct ConvertedOperation {
    pub(crate) id: String,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// The pointer in the vendor's file.
    pub(crate) at: String,
    pub(crate) packed: Packed,
}

impl ConvertedOperation {
    /// Returns the operation object.
    pub(crate) fn value(&self) -> Value {
        self.packed.value()
    }
}

impl Conversion {
    /// Returns all before `paths`.
    pub(crate) fn head(&self) -> &Map<String, Value> {
        &self.head
    }

    /// Returns the `securitySchemes`.
    pub(crate) fn schemes(&self) -> &Value {
        &self.schemes
    }

    /// Returns whether a document is this one.
    pub(crate) fn is(&self, document: &Value) -> bool {
        let entries = |value: Option<&Value>| value.and_then(Value::as_object).map_or(0, Map::len);
        let components = document.get("components");
        let paths = document.get("paths");
        let schemas = components.and_then(|components| components.get("schemas"));
        let methods =
            paths.and_then(Value::as_object).into_iter().flat_map(Map::values).map(|item| entries(Some(item)));
        let is_same = |operation: &ConvertedOperation| {
            paths.and_then(|paths| paths.get(&operation.path)?.get(operation.method)) == Some(&operation.value())
        };
        entries(Some(document)) == self.head.len() + 2
            && self.head.iter().all(|(key, value)| document.get(key) == Some(value))
            && methods.sum::<usize>() == self.operations.len()
            && self.operations.iter().all(is_same)
            && entries(schemas) == self.schemas.len()
            && self.schemas.iter().all(|(name, schema)| schemas.and_then(|all| all.get(name)) == Some(&schema.value()))
            && components.and_then(|components| components.get("securitySchemes")) == Some(&self.schemes)
    }

    /// Returns the draft as one document.
    pub(crate) fn document(&self) -> Value {
        let mut document = self.head.clone();
        let mut paths = Map::new();
        for operation in &self.operations {
            let item = paths.entry(operation.path.as_str()).or_insert_with(|| json!({}));
            item[operation.method] = operation.value();
        }
        document.insert("paths".to_owned(), Value::Object(paths));
        let schemas = component_tree(&self.schemas);
        let mut components = json!({"securitySchemes": self.schemes});
        components["schemas"] = Value::Object(schemas);
        document.insert("components".to_owned(), components);
        Value::Object(document)
    }
}

fn component_tree(schemas: &[(String, Packed)]) -> Map<String, Value> {
    schemas.iter().map(|(name, schema)| (name.clone(), schema.value())).collect()
}
