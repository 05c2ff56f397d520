//! The curated OpenAPI documents: as they are served, and parsed to validate requests.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde_json::Value;

use super::Vendor;

/// Returns the document as it is written. These are copies, because a published crate contains only its own folder; `cargo xtask generate`
/// updates them.
pub(crate) fn yaml(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Genesys => include_str!("../../assets/openapi/genesys.yaml"),
        Vendor::Suger => include_str!("../../assets/openapi/suger.yaml"),
        Vendor::Acronis => include_str!("../../assets/openapi/acronis.yaml"),
    }
}

/// Returns the document as JSON, with the fields in the same order, so that the sandbox needs no YAML parser.
pub(crate) fn json(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Genesys => include_str!("../../assets/openapi/genesys.json"),
        Vendor::Suger => include_str!("../../assets/openapi/suger.json"),
        Vendor::Acronis => include_str!("../../assets/openapi/acronis.json"),
    }
}

/// A parsed document.
pub(crate) struct Document {
    root: Value,
    /// By `operationId`.
    operations: HashMap<String, Operation>,
    /// Properties of schemas that have an enum.
    enum_fields: HashSet<String>,
}

/// Where a value of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Path,
    Query,
    Header,
    Body,
}

pub(crate) struct Operation {
    /// Template, with parameters in braces.
    path: String,
    pub(crate) parameters: Vec<Parameter>,
    /// Schema of the JSON body. Forms, which only token endpoints have, are validated by their handlers.
    pub(crate) body: Option<Value>,
}

pub(crate) struct Parameter {
    pub(crate) location: Location,
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) schema: Value,
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

    /// A document that cannot be parsed has no operations; a test checks that all can be.
    fn read(json: &str) -> Self {
        let root: Value = serde_json::from_str(json).unwrap_or_default();
        let mut document = Self { root, operations: HashMap::new(), enum_fields: HashSet::new() };
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
        let schemas = document.root.pointer("/components/schemas").unwrap_or(&Value::Null);
        let mut enum_fields = HashSet::new();
        document.collect_enum_fields(schemas, &mut enum_fields);
        document.enum_fields = enum_fields;
        document
    }

    fn collect_enum_fields(&self, schema: &Value, names: &mut HashSet<String>) {
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let property = property.get("items").unwrap_or(property);
            let named = property.pointer("/allOf/0").unwrap_or(property);
            if property.get("enum").is_some() || self.resolved(named).get("enum").is_some() {
                names.insert(name.clone());
            }
        }
        match schema {
            Value::Object(fields) => fields.values().for_each(|inner| self.collect_enum_fields(inner, names)),
            Value::Array(items) => items.iter().for_each(|inner| self.collect_enum_fields(inner, names)),
            _ => {}
        }
    }

    /// Returns whether a property of this name has an enum.
    pub(crate) fn is_enum_field(&self, name: &str) -> bool {
        self.enum_fields.contains(name)
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
        let location = match parameter.get("in")?.as_str()? {
            "path" => Location::Path,
            "query" => Location::Query,
            "header" => Location::Header,
            _ => return None,
        };
        Some(Parameter {
            location,
            name: parameter.get("name")?.as_str()?.to_owned(),
            required: parameter.get("required").and_then(Value::as_bool).unwrap_or_default(),
            schema: parameter.get("schema").cloned().unwrap_or_default(),
        })
    }

    /// Resolves a `$ref`; other values are returned as they are.
    pub(crate) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value.get("$ref").and_then(Value::as_str).and_then(|to| self.root.pointer(to.strip_prefix('#')?));
        target.unwrap_or(value)
    }

    /// By `operationId`.
    pub(crate) fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.get(id)
    }

    /// Number of operations.
    pub(crate) fn count(&self) -> usize {
        self.operations.len()
    }
}

impl Operation {
    /// Returns the encoded value of a path parameter. Segments are counted from the end, because the paths of some documents do not begin at
    /// the root.
    pub(crate) fn in_path<'a>(&self, name: &str, path: &'a str) -> Option<&'a str> {
        let is_it = |segment: &str| segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) == Some(name);
        path.rsplit('/').nth(self.path.rsplit('/').position(is_it)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_contain_all_operations() {
        for vendor in Vendor::ALL {
            let count = Document::of(vendor).count();
            assert_eq!(count, yaml(vendor).matches("\n      operationId:").count());
            assert!(count > 15, "{vendor:?} {count}");
        }
    }

    #[test]
    fn request_schemas_are_resolved() {
        for document in Vendor::ALL.map(Document::of) {
            for operation in document.operations.values() {
                for schema in operation.parameters.iter().map(|one| &one.schema).chain(&operation.body) {
                    assert!(document.resolved(schema).get("type").is_some(), "{schema}");
                }
            }
        }
    }

    #[test]
    fn path_value_is_found_under_any_base_path() {
        let operation = Document::of(Vendor::Acronis).operation("list_tenant_children").unwrap();
        assert_eq!(operation.in_path("tenant_id", "/api/2/tenants/a%20b/children"), Some("a%20b"));
        assert_eq!(operation.in_path("tenant_id", "x"), None);
        assert_eq!(operation.in_path("other", "/api/2/tenants/7/children"), None);
    }

    #[test]
    fn enum_fields_are_found_inline_by_reference_and_in_arrays() {
        for (vendor, fields) in [
            (Vendor::Genesys, ["status", "httpMethods", "unitOfMeasure"]),
            (Vendor::Suger, ["partner", "channels", "aggregationType"]),
            (Vendor::Acronis, ["kind", "formats", "grant_type"]),
        ] {
            let document = Document::of(vendor);
            assert!(fields.iter().all(|field| document.is_enum_field(field)), "{vendor:?}");
            assert!(!document.is_enum_field("name") && !document.is_enum_field("id"), "{vendor:?}");
        }
    }
}
