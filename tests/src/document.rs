//! The OpenAPI documents, and the facts about operations that tests read from them.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// One of `openapi/*.yaml`.
pub struct Document {
    root: Value,
}

/// An operation of a document, with references resolved.
pub struct Operation<'a> {
    document: &'a Document,
    /// `GET`.
    pub method: String,
    /// Template, such as `/reports/{report_id}`.
    pub path: &'a str,
    value: &'a Value,
}

impl Document {
    /// Returns `openapi/genesys.yaml`.
    pub fn genesys() -> &'static Self {
        static READ: LazyLock<Document> = LazyLock::new(|| Document::parse(include_str!("../../openapi/genesys.yaml")));
        &READ
    }

    /// Returns `openapi/suger.yaml`.
    pub fn suger() -> &'static Self {
        static READ: LazyLock<Document> = LazyLock::new(|| Document::parse(include_str!("../../openapi/suger.yaml")));
        &READ
    }

    /// Returns `openapi/acronis.yaml`.
    pub fn acronis() -> &'static Self {
        static READ: LazyLock<Document> = LazyLock::new(|| Document::parse(include_str!("../../openapi/acronis.yaml")));
        &READ
    }

    fn parse(text: &str) -> Self {
        let options = serde_saphyr::options! { strict_booleans: true };
        Self { root: serde_saphyr::from_str_with_options(text, options).expect("xtask reads the document, too") }
    }

    /// Returns the value at a JSON pointer; `null` if there is none.
    pub fn value_at(&self, pointer: &str) -> &Value {
        self.root.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Returns all operations, in the document's order.
    pub fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.root["paths"].as_object().into_iter().flatten();
        paths
            .flat_map(|(path, item)| {
                let methods =
                    item.as_object().into_iter().flatten().filter(|(_, value)| value.get("operationId").is_some());
                methods.map(move |(method, value)| Operation {
                    document: self,
                    method: method.to_uppercase(),
                    path,
                    value,
                })
            })
            .collect()
    }

    /// Returns the operation with this `operationId`.
    ///
    /// # Panics
    /// If the document has no such operation.
    pub fn operation(&self, id: &str) -> Operation<'_> {
        let found = self.operations().into_iter().find(|operation| operation.id() == id);
        found.unwrap_or_else(|| panic!("no operation `{id}` in the document"))
    }

    /// Resolves `$ref`, and an `allOf` that only adds documentation to a reference.
    pub(crate) fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        if let Some(pointer) = node.get("$ref").and_then(Value::as_str) {
            return self.resolve(self.value_at(pointer.trim_start_matches('#')));
        }
        match node.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) => self.resolve(only),
            _ => node,
        }
    }
}

impl<'a> Operation<'a> {
    /// Returns the `operationId`.
    pub fn id(&self) -> &'a str {
        self.value["operationId"].as_str().unwrap_or_default()
    }

    /// Returns an extension or another field of the operation.
    pub fn field(&self, name: &str) -> &'a Value {
        &self.value[name]
    }

    /// Returns whether the operation is generated; otherwise core implements it.
    pub fn is_generated(&self) -> bool {
        self.field("x-client") != "core"
    }

    /// Returns whether the response is a file.
    pub fn is_download(&self) -> bool {
        self.field("x-download") == true
    }

    /// Returns whether a success has a body.
    pub fn has_body(&self) -> bool {
        self.successes().iter().any(|(status, ..)| *status != 204)
    }

    /// Returns whether the document permits another attempt with this body.
    pub fn is_repeatable(&self, body: &str) -> bool {
        let id = self.field("x-idempotent-with").as_str();
        let sent: Value = serde_json::from_str(body).unwrap_or_default();
        matches!(self.method.as_str(), "GET" | "PUT" | "DELETE")
            || self.field("x-idempotent") == true
            || id.is_some_and(|field| sent[field].is_string())
    }

    /// Returns whether the document declares that an error status is not retried.
    pub fn is_final(&self, status: u16) -> bool {
        self.field("x-final-statuses").as_array().is_some_and(|all| all.iter().any(|one| *one == status))
    }

    /// Returns the names of the query parameters.
    pub fn query(&self) -> Vec<&'a str> {
        let parameters = self.value["parameters"].as_array().into_iter().flatten();
        let resolved = parameters.map(|parameter| self.document.resolve(parameter));
        resolved.filter(|parameter| parameter["in"] == "query").filter_map(|named| named["name"].as_str()).collect()
    }

    /// Returns the example of the request's body, decoded.
    ///
    /// # Panics
    /// If the example does not match the type.
    pub fn body<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.body_example().clone()).expect("the example of the body fits its type")
    }

    /// Returns the example of the request's body; `null` if there is none.
    pub fn body_example(&self) -> &'a Value {
        &self.value["requestBody"]["content"]["application/json"]["example"]
    }

    /// Returns status, schema and example of each success.
    pub fn successes(&self) -> Vec<(u16, &'a Value, &'a Value)> {
        let content = |response: &'a Value| {
            let media = response["content"].as_object().and_then(|types| types.values().next()).unwrap_or(&Value::Null);
            (self.document.resolve(&media["schema"]), &media["example"])
        };
        let statuses = self.responses().filter_map(|(status, response)| Some((status.parse().ok()?, response)));
        let good = statuses.filter(|(status, _)| (200..300).contains(status));
        good.map(|(status, response)| (status, content(response).0, content(response).1)).collect()
    }

    /// Returns status and example of each documented error. Three statuses represent the range `5XX`.
    pub fn errors(&self) -> Vec<(u16, &'a Value)> {
        let all = self.responses().flat_map(|(status, response)| {
            let example = &response["content"]["application/json"]["example"];
            let statuses = match status.parse() {
                Ok(status) => vec![status],
                Err(_) if status == "5XX" => vec![502, 503, 599],
                Err(_) => panic!("the status {status} is neither a number nor 5XX"),
            };
            statuses.into_iter().map(move |status| (status, example))
        });
        all.filter(|(status, _)| *status >= 400).collect()
    }

    fn responses(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let responses = self.value["responses"].as_object().into_iter().flatten();
        responses.map(|(status, response)| (status, self.document.resolve(response)))
    }

    /// Returns the document that contains the operation.
    pub(crate) fn document(&self) -> &'a Document {
        self.document
    }
}
