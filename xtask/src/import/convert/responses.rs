//! Responses: the one success that is read, and which errors are documented.

use openapi_document::{Operation, pointer::child, resolve};
use serde_json::{Map, Value, json};

use super::{
    Converter,
    field::Nodes,
    keywords::kinds,
    media_types::{Content, content, is_any_media, kind, media_types, text},
};
use crate::{
    codegen::{
        media_types::BodyKind,
        successes::{is_nullable, not_null},
    },
    import::{bundle::dangling, losses::Kind, parse::Edition},
};

impl Converter<'_> {
    /// Returns the drafted responses, and whether the success is a file.
    pub(super) fn responses(&mut self, operation: &Operation<'_>, id: &str) -> (Value, bool) {
        let at = child(&operation.pointer, "responses");
        let stated = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        let stated = stated.filter(|(status, _)| !status.starts_with("x-")).map(|(status, response)| {
            let target = response.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
            let location = target.map_or_else(|| child(&at, status), str::to_owned);
            (status.clone(), resolve(self.root, response), location)
        });
        let stated = stated.collect::<Vec<_>>();
        for (status, response, location) in &stated {
            if let Some(reference) = dangling(response) {
                let text = format!("unresolved reference {reference:?}: converted to a response without a body");
                self.losses.add(Kind::Response, &child(&at, status), text);
            }
            if self.edition == Edition::Swagger2 && response.get("content").is_some() {
                let text = "not read: Swagger 2.0 has `schema` in its place";
                self.losses.add(Kind::Response, &child(location, "content"), text);
            }
            self.headers(status, response, location);
        }
        let mut drafted = Map::new();
        let mut successes = stated.iter().filter(|(status, ..)| status.starts_with('2')).collect::<Vec<_>>();
        // `2XX` is of those that have no response of their own.
        successes.sort_by_key(|(status, ..)| numeric(status) != *status);
        if successes.is_empty() {
            successes = stated.iter().filter(|(status, ..)| is_default(status)).collect();
            let text = if successes.is_empty() {
                "no success response is described: converted to 200 without a body"
            } else {
                "`default` is converted to the success response 200"
            };
            self.losses.add(Kind::Response, &at, text);
        }
        let contents = successes.iter().map(|(status, response, at)| {
            let content = self.stated_response(operation, response, at);
            if operation.method == "head" {
                return vec![];
            }
            if ["204", "205"].contains(&status.as_str()) && !content.is_empty() {
                self.losses.add(
                    Kind::Response,
                    at,
                    format!("{status} has no body in HTTP: the described one is not read"),
                );
                return vec![];
            }
            content
        });
        let contents = contents.collect::<Vec<_>>();
        let is_json = |content: &Content| content.iter().any(|(media, schema, _)| self.is_read_as_json(media, schema));
        let json = contents.iter().filter(|content| is_json(content)).count();
        let mixed = json > 0 && json < contents.iter().filter(|content| !content.is_empty()).count();
        if mixed {
            let text = "success responses of JSON and of other types: all are read as bytes";
            self.losses.add(Kind::Response, &at, text);
        }
        let mut download = mixed;
        let mut read = Vec::<(&Content, (Option<Value>, bool))>::new();
        for ((status, response, location), content) in successes.iter().zip(&contents) {
            let number = numeric(status);
            // Of all other successes: one without a body, as 204 has none.
            if content.is_empty()
                && number != *status
                && drafted.get(&number).is_some_and(|known| known.get("content").is_some())
            {
                drafted.entry("204").or_insert_with(|| json!({"description": text(response, "description")}));
            }
            if drafted.contains_key(&number) {
                let text = format!("the success response {status} is read like {number}");
                self.losses.add(Kind::Response, &child(&at, status), text);
                continue;
            }
            let hint = if successes.len() == 1 { response_hint(id, "200") } else { response_hint(id, &number) };
            let others = successes.iter().zip(&contents).filter(|((other, ..), _)| other != status);
            let others = others.filter(|((other, ..), _)| numeric(other) == number).flat_map(|(_, content)| content);
            let others = others.filter_map(|(_, schema, at)| Some((schema.clone()?, at.clone()))).collect::<Nodes>();
            let same = read.iter().find(|(known, _)| others.is_empty() && same_bodies(known, content));
            let (content, file) = match same.map(|(_, read)| read.clone()) {
                _ if mixed => (bytes(content), true),
                Some(read) => read,
                None => {
                    let (mark, is_alone) = (self.losses.len(), others.is_empty());
                    let drafted = self.response(content, others, location, &hint);
                    // What is lost is stated at each location.
                    if is_alone && self.losses.len() == mark {
                        read.push((content, drafted.clone()));
                    }
                    drafted
                }
            };
            download |= file;
            let description = text(response, "description");
            let mut success = json!({"description": if description.is_empty() { "Success." } else { &description }});
            if let Some(content) = content {
                success["content"] = content;
            }
            drafted.insert(number, success);
        }
        let mut bodies =
            drafted.values().filter_map(|success| success.get("content")?.as_object()?.values().next()?.get("schema"));
        let first = bodies.clone().next().map(not_null);
        let differ = bodies.clone().any(|schema| first.as_ref() != Some(&not_null(schema)));
        if differ && bodies.any(is_nullable) {
            self.losses.add(Kind::Response, &at, "null in place of one of several bodies is not read");
        }
        if drafted.is_empty() {
            drafted.insert("200".to_owned(), json!({"description": "Success."}));
        }
        let mut errors = Vec::new();
        for (status, response, location) in stated.iter().filter(|(status, ..)| !status.starts_with('2')) {
            if successes.iter().any(|(success, ..)| success == status) {
                continue;
            }
            if status.starts_with('3') {
                let text = format!("{status}: the client follows no redirect, and returns this response as an error");
                self.losses.add(Kind::Response, location, text);
            }
            if !self.stated_response(operation, response, location).is_empty() {
                errors.push(status.to_lowercase());
            }
            let text = text(response, "description");
            let text = if text.is_empty() { "Error." } else { &text };
            drafted.insert(
                if is_default(status) { "default".to_owned() } else { status.to_uppercase() },
                json!({"description": text}),
            );
        }
        if !errors.is_empty() {
            self.losses.add(Kind::ErrorBody, &at, format!("of {}", errors.join(", ")));
        }
        (Value::Object(drafted), download)
    }

    /// Notes the headers that a response documents.
    fn headers(&mut self, status: &str, response: &Value, at: &str) {
        let names =
            response.get("headers").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str());
        let names = names.filter(|name| !is_ignored_header(name)).collect::<Vec<_>>();
        if names.is_empty() {
            return;
        }
        let (names, is_success) = (names.join(", "), status.starts_with('2'));
        let text = if is_success {
            format!("{names}: callers read them by name, in `headers()` of the response")
        } else {
            format!("{names}: an error has the request id and `retry_after()`, and no other header")
        };
        self.losses.add(Kind::Header, &child(at, "headers"), text);
    }

    fn stated_response(&self, operation: &Operation<'_>, response: &Value, at: &str) -> Content {
        if self.edition != Edition::Swagger2 {
            return content(self.root, response, at);
        }
        let Some(schema) = response.get("schema") else { return vec![] };
        let location = child(at, "schema");
        let produced = media_types(self.root, operation, "produces");
        let file = schema.get("type").and_then(Value::as_str) == Some("file");
        let produced = produced.into_iter().map(|media| {
            if file && kind(&media) == Some(BodyKind::Json) { "application/octet-stream".to_owned() } else { media }
        });
        produced.map(|media| (media, Some(schema.clone()), location.clone())).collect()
    }

    /// Returns whether a body is decoded from JSON. Of any media type, a string is text as it comes.
    fn is_read_as_json(&self, media: &str, schema: &Option<Value>) -> bool {
        let is_text = || {
            let schema = schema.as_ref().map(|schema| resolve(self.root, schema)).and_then(Value::as_object);
            schema.is_some_and(|schema| kinds(schema) == ["string"])
        };
        kind(media) == Some(BodyKind::Json) && !(is_any_media(media) && is_text())
    }

    /// Returns the content of a success, and whether it is a file. `also` are the schemas of the JSON that may come instead.
    fn response(&mut self, content: &Content, also: Nodes, at: &str, hint: &str) -> (Option<Value>, bool) {
        let json = content.iter().filter(|(media, schema, _)| self.is_read_as_json(media, schema));
        let json = json.min_by_key(|(media, ..)| media.as_str() != "application/json");
        let Some((media, schema, location)) = json.or_else(|| content.first()) else { return (None, false) };
        if !self.is_read_as_json(media, schema) {
            if let Some((media, _, at)) = content.iter().find(|(_, schema, _)| self.is_structured(schema.as_ref())) {
                let text = format!("callers read the bytes of {media}: its schema is not in the draft");
                self.losses.add(Kind::Response, &at.clone(), text);
            }
            return (bytes(content), true);
        }
        let others = content.iter().map(|(name, ..)| name.as_str()).filter(|name| name != media).collect::<Vec<_>>();
        if !others.is_empty() {
            self.losses.add(
                Kind::Response,
                at,
                format!("read as {media}; the vendor also returns {}", others.join(", ")),
            );
        }
        let named = if is_any_media(media) { "application/json" } else { media.as_str() };
        let schema = match schema {
            Some(schema) if also.iter().all(|(other, _)| other == schema) => {
                self.schema(&schema.clone(), location, hint)
            }
            Some(schema) => {
                let nodes = [vec![(schema.clone(), location.clone())], also].concat();
                let converted = self.union(nodes, location, hint);
                self.placed(converted, hint)
            }
            None => self.any(&Map::new(), location, "the specification does not describe the response body"),
        };
        (Some(json!({named: {"schema": schema}})), false)
    }
}

/// Returns whether a documented header is nothing to callers: OpenAPI ignores `Content-Type`, and those of CORS are for
/// browsers.
pub(crate) fn is_ignored_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "content-type" || name.starts_with("access-control-")
}

/// Returns whether two responses have the same bodies, written out in each: they are of one type.
fn same_bodies(one: &Content, other: &Content) -> bool {
    let bodies = |content: &Content| {
        content.iter().map(|(media, schema, _)| (media.clone(), schema.clone())).collect::<Vec<_>>()
    };
    !one.is_empty() && bodies(one) == bodies(other)
}

/// Returns the name of the component for the body of a success: one for each status besides 200.
fn response_hint(id: &str, status: &str) -> String {
    if status == "200" { format!("{id}-response") } else { format!("{id}-response-{status}") }
}

/// Returns a body of any of its media types, as bytes.
fn bytes(content: &Content) -> Option<Value> {
    let media =
        content.iter().map(|(media, ..)| (media.clone(), json!({"schema": {"type": "string", "format": "binary"}})));
    (!content.is_empty()).then(|| media.collect::<Map<_, _>>().into())
}

fn is_default(status: &str) -> bool {
    status.eq_ignore_ascii_case("default")
}

/// Returns the status by which a success is drafted.
pub(super) fn numeric(status: &str) -> String {
    let good = status.len() == 3 && status.chars().all(|digit| digit.is_ascii_digit());
    if good { status.to_owned() } else { "200".to_owned() }
}
