//! One operation after the other.

use openapi_document::{Operation, pointer::child};
use serde_json::{Value, json};

use super::{ConvertedOperation, Converter, direction::Direction, own_address};
use crate::{
    codegen::{
        identifiers::{setter_name, value_name},
        parameter_names,
    },
    import::{
        self, examples,
        losses::{Kind, Owner},
        security, select,
    },
};

/// HTTP methods of a path that no client calls for its data.
const METHODS_NOT_SENT: [&str; 2] = ["options", "trace"];

impl Converter<'_> {
    /// Returns the drafted operation. The error states why no client can send it.
    pub(super) fn operation(
        &mut self,
        operation: &Operation<'_>,
        address: Option<&str>,
        source: &str,
        today: &str,
    ) -> Result<ConvertedOperation, String> {
        let at = &operation.pointer;
        if METHODS_NOT_SENT.contains(&operation.method) {
            return Err(format!("the HTTP client has no method {}", operation.method.to_uppercase()));
        }
        if let Some(url) = unusable_address(self.root, operation) {
            return Err(format!("its own base URL {url:?} is relative, incomplete or of this machine"));
        }
        let own = self.address_of(operation);
        // What is below the address that all have in common belongs to the path.
        let below = match (&own, address) {
            (Some(own), Some(address)) => {
                own.strip_prefix(address).filter(|rest| rest.is_empty() || rest.starts_with('/')).ok_or_else(|| {
                    format!("it has the base URL {own}, the others {address}: make it a vendor of its own")
                })?
            }
            _ => "",
        };
        let stated = operation.id().trim();
        let wanted = if stated.is_empty() { select::derived_id(operation) } else { stated.to_owned() };
        let id = self.ids.claim(&wanted);
        let outer = self.losses.belong_to(Owner::Operation(id.clone()));
        let drafted = self.operation_called(&id, operation, source, today);
        if stated.is_empty() {
            self.losses.add(Kind::Name, at, format!("no operationId: called {id} here"));
        } else if id != stated {
            self.losses.add(Kind::Name, at, format!("{stated:?} is called {id} here"));
        }
        if !below.is_empty() {
            let text = format!("it has a base URL of its own: its path is {below}{} here", operation.path);
            self.losses.add(Kind::Server, at, text);
        }
        self.losses.belong_to(outer);
        let packed = drafted?.into();
        let path = format!("{below}{}", operation.path);
        Ok(ConvertedOperation { id, method: operation.method, path, at: at.clone(), packed })
    }

    fn operation_called(
        &mut self,
        id: &str,
        operation: &Operation<'_>,
        source: &str,
        today: &str,
    ) -> Result<Value, String> {
        let mut value = json!({"operationId": id});
        let at = child(&operation.pointer, "tags");
        let tags = select::tags_of(operation).into_iter();
        let mut tags = tags.map(|tag| super::printable_text::label(tag, &at, &mut self.losses)).collect::<Vec<_>>();
        tags.retain(|tag| !tag.is_empty());
        if !tags.is_empty() {
            value["tags"] = json!(tags);
        }
        let (summary, description) = summary_and_description(operation);
        if !summary.is_empty() {
            value["summary"] = json!(summary);
        }
        if !description.is_empty() {
            value["description"] = json!(description);
        }
        if operation.flag("deprecated") {
            value["deprecated"] = json!(true);
        }
        if security::requirements(self.root, operation) == Some(&json!([])) {
            value["security"] = json!([]);
        }
        value["x-source"] = json!([{"ref": source, "seen": today}]);
        for key in ["x-pagination", "x-long-running"] {
            match operation.value.get(key) {
                Some(extension @ Value::Object(_)) => value[key] = extension.clone(),
                Some(_) => {
                    self.losses.add(Kind::Other, &child(&operation.pointer, key), format!("{key} is not an object"))
                }
                None => {}
            }
        }
        if operation.value.contains_key("x-ms-long-running-operation") {
            let at = child(&operation.pointer, "x-ms-long-running-operation");
            self.losses.add(Kind::Other, &at, "the operation is long-running: it is polled by hand");
        }
        for key in ["callbacks", "x-webhooks"].into_iter().filter(|key| operation.value.contains_key(*key)) {
            self.losses.add(Kind::Other, &child(&operation.pointer, key), "what the vendor calls back with");
        }
        self.direction = Direction::Request;
        let parameters = self.parameters(operation, id)?;
        if !parameters.is_empty() {
            value["parameters"] = Value::Array(parameters);
        }
        if let Some(body) = self.body(operation, id)? {
            value["requestBody"] = body;
        }
        let drafted = value["parameters"].as_array().into_iter().flatten().collect();
        for (parameter, name) in parameter_names::distinct(drafted, value.get("requestBody").is_some()) {
            if parameter_names::is_renamed(parameter, &name) {
                let (wire, location, setter) = (&parameter["name"], &parameter["in"], setter_name(&name));
                let plain = value_name(wire.as_str().unwrap_or_default());
                let text = format!("{wire} in {location} is set by `{setter}`, not by `{plain}`");
                self.losses.add(Kind::Name, &operation.pointer, text);
            }
        }
        self.direction = Direction::Response;
        let (responses, download) = self.responses(operation, id);
        if download {
            value["x-download"] = json!(true);
        }
        value["responses"] = responses;
        self.examples(operation, &mut value);
        Ok(value)
    }

    /// Adds an example to each body: the vendor's as far as it is valid, else a made-up one.
    fn examples(&mut self, operation: &Operation<'_>, value: &mut Value) {
        let shown = examples::vendor_examples(self.root, self.edition, operation);
        let mut missing = Vec::new();
        let mut fill = |pointer: &str, hint: &examples::Hint<'_>| {
            let media = value.pointer_mut(pointer).and_then(Value::as_object_mut).into_iter().flatten();
            for (_, media) in media.filter(|(name, _)| import::is_json(name) || name.ends_with("urlencoded")) {
                match examples::sample(self.root, &media["schema"], hint, &self.components) {
                    Ok(example) => media["example"] = example,
                    Err(reason) => missing.push((pointer.trim_end_matches("/content").to_owned(), reason)),
                }
            }
        };
        fill("/requestBody/content", &shown.body);
        // Errors have no content, so that all that is left is of success.
        let successes = (200..300).map(|status| format!("/responses/{status}/content"));
        successes.for_each(|pointer| fill(&pointer, &shown.response));
        self.compare_examples_of_bodies(operation, value);
        for (pointer, reason) in missing {
            self.losses.add(Kind::Example, &format!("{}{pointer}", operation.pointer), reason.text());
        }
    }
}

/// Returns the base URL that an operation or its path states in place of the document's, if no client can use it.
fn unusable_address<'a>(root: &Value, operation: &Operation<'a>) -> Option<&'a str> {
    let holders = [operation.value, operation.item];
    let servers =
        holders.iter().find_map(|holder| holder.get("servers")).filter(|own| root.get("servers") != Some(own))?;
    let url = servers.get(0)?.get("url")?.as_str()?;
    own_address(operation).is_none().then_some(url)
}

/// Returns a line of summary, and the description.
fn summary_and_description(operation: &Operation<'_>) -> (String, String) {
    let summary = crate::text::one_line(operation.text("summary"));
    let description = operation.text("description").trim();
    if !summary.is_empty() {
        let description = if description == summary { "" } else { description };
        return (summary, description.to_owned());
    }
    // Its first sentence, if it is one.
    let first = description.lines().next().unwrap_or_default().trim();
    let sentence = first.split_inclusive(". ").next().unwrap_or_default().trim().trim_end_matches('.');
    if sentence.is_empty() || sentence.chars().count() > 100 {
        return (format!("{} {}", operation.method.to_uppercase(), operation.path), description.to_owned());
    }
    let rest = if description.trim_end_matches('.') == sentence { "" } else { description };
    (sentence.to_owned(), rest.to_owned())
}
