//! Request bodies: of one kind that core sends.

use openapi_document::{Operation, pointer::child, resolve};
use serde_json::{Map, Value, json};

use super::{
    Converter,
    keywords::describe,
    media_types::{Content, FORM, Sent, content, kind, media_types, text},
    parameters::parameters,
};
use crate::{
    codegen::{
        identifiers::type_name,
        successes::{is_nullable, not_null},
    },
    import::{bundle::dangling, losses::Kind, parse::Edition},
};

/// So deep are the objects of a form written out as `a[b]`.
const FORM_DEPTH: usize = 4;

impl Converter<'_> {
    /// Returns the drafted request body, if there is one. The error states why no client can send it.
    pub(super) fn body(&mut self, operation: &Operation<'_>, id: &str) -> Result<Option<Value>, String> {
        let stated = operation.value.get("requestBody").map(|body| resolve(self.root, body));
        if let Some(reference) = stated.and_then(dangling) {
            return Err(format!("unresolved reference {reference:?} of its body"));
        }
        let Some((content, required, description)) = self.stated_body(operation) else { return Ok(None) };
        let at = child(&operation.pointer, "requestBody");
        if ["get", "head"].contains(&operation.method) {
            let why = "HTTP gives the body of a GET no meaning, and proxies drop it";
            if required {
                return Err(format!("it needs a body: {why}"));
            }
            let states = |schema: &Value, at: &str| self.view(schema, at).is_none_or(|view| !view.is_empty());
            if content.iter().all(|(_, schema, at)| schema.as_ref().is_some_and(|schema| !states(schema, at))) {
                return Ok(None);
            }
            self.losses.add(Kind::Body, &at, format!("no body is sent: {why}"));
            return Ok(None);
        }
        let Some((media, schema, location)) = chosen(&content) else {
            let names = content.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join(", ");
            if !required {
                self.losses.add(
                    Kind::Body,
                    &at,
                    format!("no body is sent: {names} is not supported, and it is optional"),
                );
                return Ok(None);
            }
            return Err(format!(
                "its body is {}, which is not supported: send that call with `Client::request`",
                if names.is_empty() { "of no media type" } else { &names }
            ));
        };
        let hint = format!("{id}-body");
        let (sent, schema) = match kind(media) {
            Sent::Json => {
                let sent = if media.contains('*') || media.is_empty() { "application/json" } else { media };
                let schema = match schema {
                    Some(schema) => self.schema(&schema.clone(), location, &hint),
                    None => self.any(&Map::new(), location, "the specification does not describe the request body"),
                };
                if is_nullable(&schema) {
                    self.losses.add(Kind::Body, location, "null in place of the body is not sent");
                }
                (sent, not_null(&schema))
            }
            Sent::Form => match self.form(schema.as_ref().unwrap_or(&json!({"type": "object"})), location, &hint)? {
                Some(schema) => (FORM, schema),
                None => return Ok(None),
            },
            Sent::Text => ("text/plain", json!({"type": "string"})),
            Sent::Bytes => ("application/octet-stream", json!({"type": "string", "format": "binary"})),
        };
        let others = content.iter().map(|(name, ..)| name.as_str()).filter(|name| *name != media).collect::<Vec<_>>();
        if !others.is_empty() {
            self.losses.add(
                Kind::Body,
                &at,
                format!("sent as {media}; the vendor takes {} as well", others.join(", ")),
            );
        }
        if !required {
            self.losses.add(Kind::Body, &at, "the body is optional, and is always sent");
        }
        let mut body = json!({"required": true, "content": {sent: {"schema": schema}}});
        if !description.is_empty() {
            body["description"] = json!(description);
        }
        Ok(Some(body))
    }

    /// Returns the media types of the body, whether it is required, and its description.
    fn stated_body(&self, operation: &Operation<'_>) -> Option<(Content, bool, String)> {
        if self.edition != Edition::Swagger2 {
            let body = operation.value.get("requestBody")?;
            let at = child(&operation.pointer, "requestBody");
            let target = body.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
            let (body, at) = (resolve(self.root, body), target.map_or(at, str::to_owned));
            let required = body.get("required").and_then(Value::as_bool).unwrap_or_default();
            return Some((content(self.root, body, &at), required, text(body, "description")));
        }
        let parameters = parameters(self.root, operation);
        let consumed = media_types(self.root, operation, "consumes");
        if let Some(body) = parameters.iter().find(|parameter| parameter.text("in") == "body") {
            let location = child(&body.at, "schema");
            let consumed =
                consumed.into_iter().map(|media| (media, body.value.get("schema").cloned(), location.clone()));
            let required = body.value.get("required").and_then(Value::as_bool).unwrap_or_default();
            return Some((consumed.collect(), required, body.text("description").trim().to_owned()));
        }
        let fields = parameters.iter().filter(|parameter| parameter.text("in") == "formData").collect::<Vec<_>>();
        let at = fields.first()?.at.clone();
        let required = fields.iter().filter(|field| field.value.get("required") == Some(&json!(true)));
        let required = required.map(|field| field.text("name")).collect::<Vec<_>>();
        let properties = fields.iter().map(|field| {
            let mut schema = field.value.clone();
            ["name", "in", "required"].iter().for_each(|key| drop(schema.remove(*key)));
            (field.text("name").to_owned(), Value::Object(schema))
        });
        let schema = json!({"type": "object", "properties": properties.collect::<Map<_, _>>(), "required": required});
        let files = fields.iter().any(|field| field.text("type") == "file");
        let media = if files { "multipart/form-data" } else { FORM };
        Some((vec![(media.to_owned(), Some(schema), at)], !required.is_empty(), String::new()))
    }

    /// Returns a form: fields with simple values, those of objects in it under `a[b]`.
    /// Nothing, if no field is left: then nothing is sent.
    fn form(&mut self, schema: &Value, at: &str, hint: &str) -> Result<Option<Value>, String> {
        let mut fields = Vec::new();
        self.form_fields(schema, at, "", true, 0, &mut fields)?;
        if fields.is_empty() {
            return Ok(None);
        }
        let required =
            fields.iter().filter(|(.., required)| *required).map(|(name, ..)| name.clone()).collect::<Vec<_>>();
        let node = fields.iter().map(|(name, node, _)| (name.clone(), node.clone())).collect::<Map<_, _>>();
        let object = json!({"type": "object", "properties": node, "required": required});
        let name = type_name(&format!("{}-form", hint.trim_end_matches("-body")));
        let converted = self.schema(&object, at, &name);
        Ok(Some(not_null(&converted)))
    }

    /// Returns whether the object of a form is stated to be sent as `object[field]`; `at` is the location of the form's schema.
    fn is_deep_object(&self, at: &str, name: &str) -> bool {
        let media = at.strip_suffix("/schema").and_then(|at| self.root.pointer(at));
        let style = media.and_then(|media| media.get("encoding")?.get(name)?.get("style")?.as_str());
        style == Some("deepObject")
    }

    fn form_fields(
        &mut self,
        schema: &Value,
        at: &str,
        around: &str,
        needed: bool,
        depth: usize,
        fields: &mut Vec<(String, Value, bool)>,
    ) -> Result<(), String> {
        let Some(view) = self.view(schema, at) else { return Err("its form is not an object".to_owned()) };
        for (name, node, required) in view.into_fields() {
            let sent = if around.is_empty() { name } else { format!("{around}[{name}]") };
            let required = required && needed;
            let node = without_empty_text(&node);
            let mark = self.losses.len();
            let converted = self.schema(&node, at, &format!("form-{sent}"));
            self.losses.truncate_but_schemas(mark);
            let target = converted.get("$ref").or_else(|| converted["allOf"][0].get("$ref")).and_then(Value::as_str);
            let component = target.and_then(|target| target.strip_prefix(openapi_document::SCHEMAS));
            let list = component
                .and_then(|name| self.components.get(name))
                .is_some_and(|(_, schema)| schema.get("enum").is_some());
            let simple = match component {
                Some(_) => list,
                None => ["string", "integer", "number", "boolean"].iter().any(|kind| converted["type"] == *kind),
            };
            if converted.get("x-any").is_some() && self.is_choice_of_simple(&node, at) {
                let text = format!("the form's field {sent:?} may have several types: callers pass a string");
                self.losses.add(Kind::Body, at, text);
                let mut text = json!({"type": "string"});
                node.as_object().into_iter().for_each(|map| describe(&mut text, map));
                fields.push((sent, text, required));
            } else if converted["type"] == "number" {
                // Forms are text: a decimal in it is written as a string is.
                let mut text = json!({"type": "string", "format": "decimal"});
                resolve(self.root, &node).as_object().into_iter().for_each(|map| describe(&mut text, map));
                fields.push((sent, text, required));
            } else if simple {
                fields.push((sent, node, required));
            } else if component.is_some() && depth < FORM_DEPTH && self.view(&node, at).is_some() {
                if depth == 0 && !self.is_deep_object(at, &sent) {
                    let text = format!(
                        "the form's object {sent:?} is sent as fields such as \"{sent}[a]\": the specification states no other form"
                    );
                    self.losses.add(Kind::Body, at, text);
                }
                self.form_fields(&node, at, &sent, required, depth + 1, fields)?;
            } else if required {
                return Err(format!(
                    "its form has the required field {sent:?}, which is an array, a map or of several types: forms are flat"
                ));
            } else {
                let text = format!("the form's field {sent:?} is left out: an array, a map or of several types");
                self.losses.add(Kind::Body, at, text);
            }
        }
        Ok(())
    }
}

/// Returns the media type that a client sends: JSON before forms before anything else.
fn chosen(content: &Content) -> Option<(&str, &Option<Value>, &str)> {
    let rank = |media: &str| match kind(media) {
        Sent::Json if media == "application/json" => Some(0),
        Sent::Json => Some(1),
        Sent::Form => Some(2),
        Sent::Text if media.starts_with("text/plain") => Some(3),
        Sent::Bytes if media.starts_with("application/octet-stream") => Some(4),
        Sent::Text | Sent::Bytes => None,
    };
    let ranked = content.iter().filter_map(|entry| Some((rank(&entry.0)?, entry)));
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, (media, schema, at))| (media.as_str(), schema, at.as_str()))
}

/// Returns a choice without the alternative of an empty text, with which forms unset a field.
fn without_empty_text(node: &Value) -> Value {
    let Some(parts) = node.get("anyOf").and_then(Value::as_array) else { return node.clone() };
    let kept = parts.iter().filter(|part| part.get("enum") != Some(&json!([""]))).cloned().collect::<Vec<_>>();
    match kept.as_slice() {
        [only] => only.clone(),
        _ => node.clone(),
    }
}
