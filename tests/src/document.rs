//! The OpenAPI documents, and the facts about operations that tests read from them.

use std::ops::Deref;
use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// One of `openapi/*.yaml`.
pub struct Document {
    root: Value,
}

/// An operation with its document.
pub struct Operation<'a> {
    pub(crate) root: &'a Value,
    operation: openapi_document::Operation<'a>,
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
        let document = openapi_document::Document::parse("document.yaml", text);
        Self { root: document.expect("xtask reads the document, too").root }
    }

    /// Returns the value at a JSON pointer; `null` if there is none.
    pub fn value_at(&self, pointer: &str) -> &Value {
        self.root.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Returns all operations, by path, then method.
    pub fn operations(&self) -> Vec<Operation<'_>> {
        let operations = openapi_document::operations(&self.root).into_iter();
        operations.map(|operation| Operation { root: &self.root, operation }).collect()
    }

    /// Returns the operation with this `operationId`.
    ///
    /// # Panics
    /// If the document has no such operation.
    pub fn operation(&self, id: &str) -> Operation<'_> {
        let found = self.operations().into_iter().find(|operation| operation.id() == id);
        found.unwrap_or_else(|| panic!("no operation `{id}` in the document"))
    }
}

impl<'a> Deref for Operation<'a> {
    type Target = openapi_document::Operation<'a>;

    fn deref(&self) -> &Self::Target {
        &self.operation
    }
}

impl<'a> Operation<'a> {
    /// Returns whether a success has a body.
    pub fn has_body(&self) -> bool {
        self.successes().iter().any(|(status, ..)| *status != 204)
    }

    /// Returns whether the document permits another attempt with this body.
    pub fn is_repeatable(&self, body: &str) -> bool {
        let sent: Value = serde_json::from_str(body).unwrap_or_default();
        matches!(self.method, "get" | "put" | "delete")
            || self.flag("x-idempotent")
            || sent.get(self.text("x-idempotent-with")).is_some_and(Value::is_string)
    }

    /// Returns whether the document declares that an error status is not retried.
    pub fn is_final(&self, status: u16) -> bool {
        let statuses = self.value.get("x-final-statuses").and_then(Value::as_array);
        statuses.is_some_and(|all| all.iter().any(|declared| *declared == status))
    }

    /// Returns the names of the query parameters.
    pub fn query(&self) -> Vec<&'a str> {
        let parameters = self.parameters(self.root).into_iter().filter(|parameter| parameter["in"] == "query");
        parameters.filter_map(|parameter| parameter["name"].as_str()).collect()
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
        self.json_body(self.root).map_or(&Value::Null, |media_type| &media_type["example"])
    }

    /// Returns the example of the first success, decoded.
    ///
    /// # Panics
    /// If there is no success, or if the example does not match the type.
    pub fn response<T: DeserializeOwned>(&self) -> T {
        let (_, _, example) = self.successes().remove(0);
        serde_json::from_value(example.clone()).expect("the example of the response fits its type")
    }

    /// Returns status, schema and example of each success.
    pub fn successes(&self) -> Vec<(u16, &'a Value, &'a Value)> {
        let content = |response: &'a Value| {
            let media = response["content"].as_object().and_then(|types| types.values().next()).unwrap_or(&Value::Null);
            (resolve(self.root, &media["schema"]), &media["example"])
        };
        let responses = self.responses(self.root).into_iter();
        let statuses = responses.filter_map(|(status, response)| Some((status.parse().ok()?, response)));
        let good = statuses.filter(|(status, _)| (200..300).contains(status));
        good.map(|(status, response)| (status, content(response).0, content(response).1)).collect()
    }

    /// Returns status and example of each documented error. Three statuses represent the range `5XX`.
    pub fn errors(&self) -> Vec<(u16, &'a Value)> {
        let all = self.responses(self.root).into_iter().flat_map(|(status, response)| {
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
}

/// Resolves `$ref`, and an `allOf` that only adds documentation to a reference.
pub(crate) fn resolve<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    let schema = openapi_document::resolve(root, node);
    match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) => resolve(root, only),
        _ => schema,
    }
}
