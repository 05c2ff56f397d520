//! The curated documents, read for what an operation has to be like.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// One of `openapi/*.yaml`.
pub struct Document {
    root: Value,
}

/// An operation of a document, with references followed.
pub struct Operation<'a> {
    document: &'a Document,
    /// `GET`.
    pub method: String,
    /// Template, such as `/reports/{report_id}`.
    pub path: &'a str,
    value: &'a Value,
}

impl Document {
    /// `openapi/genesys.yaml`.
    pub fn genesys() -> &'static Self {
        static READ: LazyLock<Document> = LazyLock::new(|| Document::parse(include_str!("../../openapi/genesys.yaml")));
        &READ
    }

    /// `openapi/suger.yaml`.
    pub fn suger() -> &'static Self {
        static READ: LazyLock<Document> = LazyLock::new(|| Document::parse(include_str!("../../openapi/suger.yaml")));
        &READ
    }

    /// `openapi/acronis.yaml`.
    pub fn acronis() -> &'static Self {
        static READ: LazyLock<Document> = LazyLock::new(|| Document::parse(include_str!("../../openapi/acronis.yaml")));
        &READ
    }

    fn parse(text: &str) -> Self {
        let options = serde_saphyr::options! { strict_booleans: true };
        Self { root: serde_saphyr::from_str_with_options(text, options).expect("xtask reads the document, too") }
    }

    /// What stands at a JSON pointer; `null` if nothing does.
    pub fn at(&self, pointer: &str) -> &Value {
        self.root.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// All operations, in the document's order.
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

    /// The operation with this `operationId`.
    pub fn operation(&self, id: &str) -> Operation<'_> {
        let found = self.operations().into_iter().find(|operation| operation.id() == id);
        found.unwrap_or_else(|| panic!("no operation `{id}` in the document"))
    }

    /// Follows `$ref`, and an `allOf` that only serves to put text beside a reference.
    pub(crate) fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        if let Some(pointer) = node.get("$ref").and_then(Value::as_str) {
            return self.resolve(self.at(pointer.trim_start_matches('#')));
        }
        match node.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) => self.resolve(only),
            _ => node,
        }
    }
}

impl<'a> Operation<'a> {
    /// `operationId`.
    pub fn id(&self) -> &'a str {
        self.value["operationId"].as_str().unwrap_or_default()
    }

    /// A mark or other field of the operation.
    pub fn mark(&self, name: &str) -> &'a Value {
        &self.value[name]
    }

    /// Whether a client has it; else core does it by hand.
    pub fn is_generated(&self) -> bool {
        self.mark("x-client") != "core"
    }

    /// Whether the answer is a file.
    pub fn is_download(&self) -> bool {
        self.mark("x-download") == true
    }

    /// Whether a success brings anything.
    pub fn has_body(&self) -> bool {
        self.successes().iter().any(|(status, ..)| *status != 204)
    }

    /// Whether the document allows to send this body twice.
    pub fn is_repeatable(&self, body: &str) -> bool {
        let id = self.mark("x-idempotent-with").as_str();
        let sent: Value = serde_json::from_str(body).unwrap_or_default();
        matches!(self.method.as_str(), "GET" | "PUT" | "DELETE")
            || self.mark("x-idempotent") == true
            || id.is_some_and(|field| sent[field].is_string())
    }

    /// Whether the document marks an error status as a response of the operation, after which it is not sent again.
    pub fn is_final(&self, status: u16) -> bool {
        self.mark("x-final-statuses").as_array().is_some_and(|all| all.iter().any(|one| *one == status))
    }

    /// Names of its query parameters.
    pub fn query(&self) -> Vec<&'a str> {
        let parameters = self.value["parameters"].as_array().into_iter().flatten();
        let resolved = parameters.map(|parameter| self.document.resolve(parameter));
        resolved.filter(|parameter| parameter["in"] == "query").filter_map(|named| named["name"].as_str()).collect()
    }

    /// The example of the request's body, decoded.
    pub fn body<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.body_example().clone()).expect("the example of the body fits its type")
    }

    /// The example of the request's body; `null` if there is none.
    pub fn body_example(&self) -> &'a Value {
        &self.value["requestBody"]["content"]["application/json"]["example"]
    }

    /// Status, schema and example of each success.
    pub fn successes(&self) -> Vec<(u16, &'a Value, &'a Value)> {
        let content = |response: &'a Value| {
            let media = response["content"].as_object().and_then(|types| types.values().next()).unwrap_or(&Value::Null);
            (self.document.resolve(&media["schema"]), &media["example"])
        };
        let statuses = self.responses().filter_map(|(status, response)| Some((status.parse().ok()?, response)));
        let good = statuses.filter(|(status, _)| (200..300).contains(status));
        good.map(|(status, response)| (status, content(response).0, content(response).1)).collect()
    }

    /// Status and example of each documented error; a range of statuses counts by three of its members.
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

    /// The document it stands in.
    pub(crate) fn document(&self) -> &'a Document {
        self.document
    }
}
