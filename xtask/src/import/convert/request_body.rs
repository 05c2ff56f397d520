//! Request bodies: of one kind that core sends.

use openapi_document::{Operation, pointer::child, resolve};
use serde_json::{Map, Value, json};

use super::{
    Converter,
    form::form_data,
    keywords::kinds,
    media_types::{Content, Media, content, is_any_media, is_form, media_types, text},
    parameters::parameters,
    view::View,
};
use crate::{
    codegen::{
        media_types::{BodyKind, FORM},
        successes::{is_nullable, not_null},
    },
    import::{bundle::dangling, losses::Kind, parse::Edition},
};

/// A request body as the specification states it.
struct Stated {
    /// The location of what is lost of all of it.
    at: String,
    content: Content,
    required: bool,
    description: String,
    /// The fields, where they are parameters.
    form_data: Option<View>,
}

impl Converter<'_> {
    /// Returns the drafted request body, if there is one. The error states why no client can send it.
    pub(super) fn body(&mut self, operation: &Operation<'_>, id: &str) -> Result<Option<Value>, String> {
        let stated = operation.value.get("requestBody").filter(|_| self.edition != Edition::Swagger2);
        let stated = stated.map(|body| resolve(self.root, body));
        if let Some(reference) = stated.and_then(dangling) {
            return Err(format!("unresolved reference {reference:?} of its body"));
        }
        let Some(stated) = self.stated_body(operation) else { return Ok(None) };
        let Stated { at, content, required, description, form_data } = stated;
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
        let Some((sent_as, sent, (media, schema, location))) = self.chosen(&content) else {
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
        let is_encoded_by_callers =
            matches!(sent_as, BodyKind::Text | BodyKind::Bytes) && self.is_structured(schema.as_ref());
        let (sent, schema) = match sent_as {
            BodyKind::Json => {
                let schema = match schema {
                    Some(schema) => self.schema(&schema.clone(), location, &hint),
                    None => self.any(&Map::new(), location, "the specification does not describe the request body"),
                };
                if is_nullable(&schema) {
                    self.losses.add(Kind::Body, location, "null in place of the body is not sent");
                }
                (sent, not_null(&schema))
            }
            BodyKind::Form => {
                let is_described = form_data.is_some() || schema.is_some();
                let stated = || self.view(schema.as_ref().unwrap_or(&json!({"type": "object"})), location);
                let view = form_data.or_else(stated).ok_or("its form is not an object")?;
                if !(view.has_fields() || is_described && view.is_empty()) {
                    if required {
                        return Err("its form has any fields, of which none is described".to_owned());
                    }
                    let text =
                        "no body is sent: the form has any fields, of which none is described, and it is optional";
                    self.losses.add(Kind::Body, &at, text);
                    return Ok(None);
                }
                match self.form(view, location, &hint)? {
                    Some(schema) => (FORM, schema),
                    None => return Ok(None),
                }
            }
            BodyKind::Text => (sent, json!({"type": "string"})),
            BodyKind::Bytes => (sent, json!({"type": "string", "format": "binary"})),
        };
        if matches!(sent_as, BodyKind::Text | BodyKind::Bytes) && sent != media {
            self.losses.add(Kind::Body, &at, format!("a body of {media} is sent as {sent}"));
        }
        if is_encoded_by_callers {
            let text = format!("callers pass the body as they encode it in {media}: its schema is not read");
            self.losses.add(Kind::Body, location, text);
        }
        let others = content.iter().map(|(name, ..)| name.as_str()).filter(|name| name != media).collect::<Vec<_>>();
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

    /// Returns what a client sends of a body's content: its kind, its media type and the entry. JSON comes before forms before anything else.
    /// Lists of changes (RFC 6902) are the last form of JSON, because they need what the resource is now.
    fn chosen<'a>(&self, content: &'a Content) -> Option<(BodyKind, &'a str, &'a Media)> {
        let rank = |media: &str, sent: BodyKind| match sent {
            BodyKind::Json if media == "application/json" => 0,
            BodyKind::Json if media.starts_with("application/json-patch+json") => 2,
            BodyKind::Json => 1,
            BodyKind::Form => 3,
            BodyKind::Text => 4,
            BodyKind::Bytes => 5,
        };
        let sent = content.iter().filter_map(|entry| {
            let (media, schema, _) = entry;
            let (kind, name) = self.sent_as(media, schema.as_ref())?;
            Some((kind, name, entry))
        });
        // A type of its own comes before any type.
        sent.min_by_key(|(kind, media, entry)| (rank(media, *kind), is_any_media(&entry.0)))
    }

    /// Returns the kind and the media type of a body. Where any type is taken, a string is text or bytes, and all else is JSON.
    fn sent_as<'a>(&self, media: &'a str, schema: Option<&Value>) -> Option<(BodyKind, &'a str)> {
        let plain = media.split(';').next().unwrap_or_default().trim();
        let schema = schema.map(|schema| resolve(self.root, schema)).and_then(Value::as_object);
        let is_string = schema.is_some_and(|schema| kinds(schema) == ["string"]);
        let is_binary = schema.is_some_and(|schema| schema.get("format") == Some(&json!("binary")));
        match plain {
            "" | "*/*" | "application/*" if is_string && is_binary => {
                Some((BodyKind::Bytes, "application/octet-stream"))
            }
            "" | "*/*" if is_string => Some((BodyKind::Text, "text/plain")),
            "" | "*/*" | "application/*" => Some((BodyKind::Json, "application/json")),
            "text/*" => Some((BodyKind::Text, "text/plain")),
            _ => BodyKind::of(media).map(|kind| (kind, media)),
        }
    }

    /// Returns whether a schema describes more than a string.
    pub(super) fn is_structured(&self, schema: Option<&Value>) -> bool {
        let schema = schema.map(|schema| resolve(self.root, schema)).and_then(Value::as_object);
        schema.is_some_and(|schema| kinds(schema).iter().any(|kind| !["string", "file"].contains(kind)))
    }

    fn stated_body(&mut self, operation: &Operation<'_>) -> Option<Stated> {
        if self.edition != Edition::Swagger2 {
            let body = operation.value.get("requestBody")?;
            let at = child(&operation.pointer, "requestBody");
            let target = body.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
            let (body, location) = (resolve(self.root, body), target.unwrap_or(&at));
            return Some(Stated {
                content: content(self.root, body, location),
                required: body.get("required").and_then(Value::as_bool).unwrap_or_default(),
                description: text(body, "description"),
                form_data: None,
                at,
            });
        }
        if operation.value.contains_key("requestBody") {
            let text = "not sent: Swagger 2.0 has the body among the parameters";
            self.losses.add(Kind::Body, &child(&operation.pointer, "requestBody"), text);
        }
        let parameters = parameters(self.root, operation);
        let mut consumed = media_types(self.root, operation, "consumes");
        if let Some(body) = parameters.iter().find(|parameter| parameter.text("in") == "body") {
            let bodies = parameters.iter().filter(|other| ["body", "formData"].contains(&other.text("in")));
            for other in bodies.filter(|other| other.at != body.at) {
                let text = format!("{:?} is left out: the operation has a body already", other.text("name"));
                self.losses.add(Kind::Body, &other.at, text);
            }
            let location = child(&body.at, "schema");
            let consumed =
                consumed.into_iter().map(|media| (media, body.value.get("schema").cloned(), location.clone()));
            return Some(Stated {
                at: body.at.clone(),
                content: consumed.collect(),
                required: body.value.get("required").and_then(Value::as_bool).unwrap_or_default(),
                description: body.text("description").trim().to_owned(),
                form_data: None,
            });
        }
        let fields = parameters.iter().filter(|parameter| parameter.text("in") == "formData").collect::<Vec<_>>();
        let files = fields.iter().any(|field| field.text("type") == "file");
        let required = fields.iter().any(|field| field.value.get("required") == Some(&json!(true)));
        let form_data = fields.first().map(|_| form_data(&fields))?;
        let at = child(&operation.pointer, "parameters");
        // Files are sent in parts only.
        let multipart = "multipart/form-data";
        consumed.retain(|media| !files && is_form(media) || media.trim().to_ascii_lowercase().starts_with(multipart));
        if consumed.is_empty() {
            let media = if files { multipart } else { FORM };
            if operation.value.contains_key("consumes") {
                let text = format!("the body is a form: sent as {media}, which the operation does not list");
                self.losses.add(Kind::Body, &child(&operation.pointer, "consumes"), text);
            }
            consumed.push(media.to_owned());
        }
        let content = consumed.into_iter().map(|media| (media, None, at.clone())).collect();
        Some(Stated { content, required, description: String::new(), form_data: Some(form_data), at })
    }
}
