//! The curated documents: as text to serve, and read, to hold requests against.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::Place;
use crate::vendors::Vendor;

/// The document as it is written. Copies, because a published crate has nothing from outside its folder;
/// `cargo xtask generate` keeps them the same.
pub(crate) fn yaml(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Genesys => include_str!("../../../assets/openapi/genesys.yaml"),
        Vendor::Suger => include_str!("../../../assets/openapi/suger.yaml"),
        Vendor::Acronis => include_str!("../../../assets/openapi/acronis.yaml"),
    }
}

/// The same as JSON, its keys in the document's order: so no YAML parser is part of the sandbox.
pub(crate) fn json(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Genesys => include_str!("../../../assets/openapi/genesys.json"),
        Vendor::Suger => include_str!("../../../assets/openapi/suger.json"),
        Vendor::Acronis => include_str!("../../../assets/openapi/acronis.json"),
    }
}

/// A document, read once.
pub(crate) struct Document {
    root: Value,
    /// By `operationId`.
    operations: HashMap<String, Operation>,
}

pub(super) struct Operation {
    /// With names in braces.
    path: String,
    pub(super) parameters: Vec<Parameter>,
    /// Schema of the JSON body. Forms (the token endpoints') are no business of ours: their errors are of another shape.
    pub(super) body: Option<Value>,
}

pub(super) struct Parameter {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) schema: Value,
}

impl Document {
    pub(crate) fn of(vendor: Vendor) -> &'static Self {
        static GENESYS: LazyLock<Document> = LazyLock::new(|| Document::read(json(Vendor::Genesys)));
        static SUGER: LazyLock<Document> = LazyLock::new(|| Document::read(json(Vendor::Suger)));
        static ACRONIS: LazyLock<Document> = LazyLock::new(|| Document::read(json(Vendor::Acronis)));
        match vendor {
            Vendor::Genesys => &GENESYS,
            Vendor::Suger => &SUGER,
            Vendor::Acronis => &ACRONIS,
        }
    }

    /// What cannot be read has no operations, and nothing is checked by it: a test sees to it that it can be read.
    fn read(json: &str) -> Self {
        let root: Value = serde_json::from_str(json).unwrap_or_default();
        let mut document = Self { root, operations: HashMap::new() };
        let paths = document.root.get("paths").and_then(Value::as_object).into_iter().flatten();
        document.operations = paths
            .flat_map(|(path, item)| {
                item.as_object().into_iter().flatten().map(move |(_, operation)| (path, operation))
            })
            .filter_map(|(path, operation)| {
                let id = operation.get("operationId")?.as_str()?;
                Some((id.to_owned(), document.operation_at(path, operation)))
            })
            .collect();
        document
    }

    fn operation_at(&self, path: &str, operation: &Value) -> Operation {
        let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let schema = operation.pointer("/requestBody/content/application~1json/schema");
        Operation {
            path: path.to_owned(),
            parameters: parameters.filter_map(|parameter| self.parameter(parameter)).collect(),
            body: schema.cloned(),
        }
    }

    fn parameter(&self, parameter: &Value) -> Option<Parameter> {
        let parameter = self.resolved(parameter);
        let place = match parameter.get("in")?.as_str()? {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            _ => return None,
        };
        Some(Parameter {
            place,
            name: parameter.get("name")?.as_str()?.to_owned(),
            required: parameter.get("required").and_then(Value::as_bool).unwrap_or_default(),
            schema: parameter.get("schema").cloned().unwrap_or_default(),
        })
    }

    /// What a `$ref` stands for.
    pub(super) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value.get("$ref").and_then(Value::as_str).and_then(|to| self.root.pointer(to.strip_prefix('#')?));
        target.unwrap_or(value)
    }

    /// By `operationId`.
    pub(super) fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.get(id)
    }

    /// How many operations it has.
    pub(crate) fn count(&self) -> usize {
        self.operations.len()
    }
}

impl Operation {
    /// The value of a path parameter, still encoded. Counted from the end, since not every document's paths begin at the root.
    pub(super) fn in_path<'a>(&self, name: &str, path: &'a str) -> Option<&'a str> {
        let is_it = |segment: &str| segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) == Some(name);
        path.rsplit('/').nth(self.path.rsplit('/').position(is_it)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VENDORS: [Vendor; 3] = [Vendor::Genesys, Vendor::Suger, Vendor::Acronis];

    #[test]
    fn all_operations_of_the_documents_are_there() {
        for vendor in VENDORS {
            let count = Document::of(vendor).count();
            assert_eq!(count, yaml(vendor).matches("\n      operationId:").count());
            assert!(count > 15, "{vendor:?} {count}");
        }
    }

    #[test]
    fn every_schema_of_a_request_can_be_found() {
        for document in VENDORS.map(Document::of) {
            for operation in document.operations.values() {
                for schema in operation.parameters.iter().map(|one| &one.schema).chain(&operation.body) {
                    assert!(document.resolved(schema).get("type").is_some(), "{schema}");
                }
            }
        }
    }

    #[test]
    fn a_value_in_a_path_is_found_wherever_the_path_begins() {
        let operation = Document::of(Vendor::Acronis).operation("list_tenant_children").unwrap();
        assert_eq!(operation.in_path("tenant_id", "/api/2/tenants/a%20b/children"), Some("a%20b"));
        assert_eq!(operation.in_path("tenant_id", "x"), None);
        assert_eq!(operation.in_path("other", "/api/2/tenants/7/children"), None);
    }
}
