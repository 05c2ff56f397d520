//! The curated OpenAPI documents: as they are served, and parsed to validate requests.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use openapi_document::resolve;
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

/// A parsed document, with the parts that validate requests.
pub(crate) struct Document {
    /// Resolves references.
    pub(crate) root: &'static Value,
    /// By `operationId`.
    operations: HashMap<&'static str, Operation>,
    /// Properties of schemas that have an enum.
    enum_fields: HashSet<&'static str>,
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
    path: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    /// Schema of the JSON body. Forms, which only token endpoints have, are validated by their handlers.
    pub(crate) body: Option<&'static Value>,
}

pub(crate) struct Parameter {
    pub(crate) location: Location,
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) schema: &'static Value,
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

    /// Parses a document. One that cannot be parsed has no operations; a test checks that all can be.
    fn read(json: &str) -> Self {
        // Read once for each vendor and kept as long as the program runs.
        let root: &'static Value = Box::leak(Box::new(serde_json::from_str(json).unwrap_or_default()));
        let operations = openapi_document::operations(root).into_iter().map(|operation| {
            let parameters = operation.parameters(root).into_iter().filter_map(Parameter::read).collect();
            let body = operation.json_body(root).and_then(|media_type| media_type.get("schema"));
            (operation.id(), Operation { path: operation.path, parameters, body })
        });
        let schemas = openapi_document::schemas(root).into_iter();
        let properties = schemas.filter_map(|node| node.schema.get("properties")?.as_object()).flatten();
        let enum_fields = properties.filter(|(_, property)| has_enum(root, property)).map(|(name, _)| name.as_str());
        Self { root, operations: operations.collect(), enum_fields: enum_fields.collect() }
    }

    /// Returns whether a property of this name has an enum.
    pub(crate) fn is_enum_field(&self, name: &str) -> bool {
        self.enum_fields.contains(name)
    }

    /// Returns an operation by its `operationId`.
    pub(crate) fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.get(id)
    }

    /// Returns the number of operations.
    pub(crate) fn count(&self) -> usize {
        self.operations.len()
    }
}

/// Returns whether a property, or each item of one that is an array, is an enum.
fn has_enum(root: &Value, property: &Value) -> bool {
    let property = property.get("items").unwrap_or(property);
    let named = property.pointer("/allOf/0").unwrap_or(property);
    [property, resolve(root, named)].iter().any(|schema| schema.get("enum").is_some())
}

impl Parameter {
    fn read(parameter: &'static Value) -> Option<Self> {
        let location = match parameter.get("in")?.as_str()? {
            "path" => Location::Path,
            "query" => Location::Query,
            "header" => Location::Header,
            _ => return None,
        };
        let required = parameter.get("required").and_then(Value::as_bool).unwrap_or_default();
        let (name, schema) = (parameter.get("name")?.as_str()?, parameter.get("schema").unwrap_or(&Value::Null));
        Some(Self { location, name, required, schema })
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
                for schema in operation.parameters.iter().map(|parameter| parameter.schema).chain(operation.body) {
                    assert!(resolve(document.root, schema).get("type").is_some(), "{schema}");
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
