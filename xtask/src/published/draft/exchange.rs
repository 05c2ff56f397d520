//! Request bodies and answers: one kind each.

use serde_json::{Map, Value, json};

use super::{Drafter, operation::Sent, parameters::parameters};
use crate::{
    document::{Operation, resolve},
    names::type_name,
    pointer::child,
    published::{losses::Kind, read::Edition},
};

/// Media types with their schemas and where these are.
type Content = Vec<(String, Option<Value>, String)>;

const FORM: &str = "application/x-www-form-urlencoded";

/// So deep are the objects of a form written out as `a[b]`.
const FORM_DEPTH: usize = 4;

impl Drafter<'_> {
    /// The drafted request body, if there is one. The error says why no client can send it.
    pub(super) fn body(&mut self, operation: &Operation<'_>, id: &str) -> Result<Option<Value>, String> {
        let Some((content, required, description)) = self.stated_body(operation) else { return Ok(None) };
        let at = child(&operation.pointer, "requestBody");
        if ["get", "head"].contains(&operation.method) {
            let why = "HTTP gives the body of a GET no meaning, and proxies drop it";
            if required {
                return Err(format!("it needs a body: {why}"));
            }
            self.losses.add(Kind::Body, &at, format!("no body is sent: {why}"));
            return Ok(None);
        }
        let Some((media, schema, place)) = chosen(&content) else {
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
                "its body is {}, which is not supported: write that call by hand",
                if names.is_empty() { "of no media type" } else { &names }
            ));
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
        let hint = format!("{id}-body");
        let (sent, schema) = match kind(media) {
            Sent::Json => {
                if media != "application/json" {
                    self.losses.add(Kind::Body, &at, format!("sent as application/json in place of {media}"));
                }
                let schema = match schema {
                    Some(schema) => self.schema(&schema.clone(), place, &hint),
                    None => self.any(&Map::new(), place, "the specification does not say what is sent"),
                };
                ("application/json", self.not_null(schema))
            }
            Sent::Form => (FORM, self.form(schema.as_ref().unwrap_or(&Value::Null), place, &hint)?),
            Sent::Text => ("text/plain", json!({"type": "string"})),
            Sent::Bytes => ("application/octet-stream", json!({"type": "string", "format": "binary"})),
        };
        let mut body = json!({"required": true, "content": {sent: {"schema": schema}}});
        if !description.is_empty() {
            body["description"] = json!(description);
        }
        Ok(Some(body))
    }

    /// A body that is sent is there.
    fn not_null(&self, mut schema: Value) -> Value {
        if let Some(map) = schema.as_object_mut() {
            map.remove("nullable");
            if let Some(Value::Array(parts)) = map.get("allOf").filter(|_| map.len() == 1) {
                return parts.first().cloned().unwrap_or_default();
            }
        }
        schema
    }

    /// Media types, whether it is required, and its description.
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
            let place = child(&body.at, "schema");
            let consumed = consumed.into_iter().map(|media| (media, body.value.get("schema").cloned(), place.clone()));
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

    /// A form: fields with simple values, those of objects in it under `a[b]`.
    fn form(&mut self, schema: &Value, at: &str, hint: &str) -> Result<Value, String> {
        let mut fields = Vec::new();
        self.form_fields(schema, at, "", true, 0, &mut fields)?;
        if fields.is_empty() {
            return Err("its form has no fields that can be sent".to_owned());
        }
        let required =
            fields.iter().filter(|(.., required)| *required).map(|(name, ..)| name.clone()).collect::<Vec<_>>();
        let node = fields.iter().map(|(name, node, _)| (name.clone(), node.clone())).collect::<Map<_, _>>();
        let object = json!({"type": "object", "properties": node, "required": required});
        let name = type_name(&format!("{}-form", hint.trim_end_matches("-body")));
        let converted = self.schema(&object, at, &name);
        Ok(self.not_null(converted))
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
        let Some(view) = self.view(schema, at) else { return Err("its form is no object".to_owned()) };
        for (name, node, required) in view.into_fields() {
            let sent = if around.is_empty() { name } else { format!("{around}[{name}]") };
            let required = required && needed;
            let node = without_empty_text(&node);
            let mark = self.losses.len();
            let converted = self.schema(&node, at, &format!("form-{sent}"));
            self.losses.truncate(mark);
            let target = converted.get("$ref").or_else(|| converted["allOf"][0].get("$ref")).and_then(Value::as_str);
            let component = target.and_then(|target| target.strip_prefix("#/components/schemas/"));
            let list = component
                .and_then(|name| self.components.get(name))
                .is_some_and(|(_, schema)| schema.get("enum").is_some());
            let simple = match component {
                Some(_) => list,
                None => ["string", "integer", "number", "boolean"].iter().any(|kind| converted["type"] == *kind),
            };
            if simple {
                fields.push((sent, node, required));
            } else if component.is_some() && depth < FORM_DEPTH && self.view(&node, at).is_some() {
                self.form_fields(&node, at, &sent, required, depth + 1, fields)?;
            } else if required {
                return Err(format!(
                    "its form has the required field {sent:?}, which is a list, a map or of several kinds: forms of core are flat"
                ));
            } else {
                let text = format!("the form's field {sent:?} is left out: a list, a map or of several kinds");
                self.losses.add(Kind::Body, at, text);
            }
        }
        Ok(())
    }

    /// The drafted answers, and whether the success is a file.
    pub(super) fn answers(&mut self, operation: &Operation<'_>, id: &str) -> (Value, bool) {
        let at = child(&operation.pointer, "responses");
        let stated = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        let stated = stated.filter(|(status, _)| !status.starts_with("x-")).map(|(status, answer)| {
            let target = answer.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
            let place = target.map_or_else(|| child(&at, status), str::to_owned);
            (status.to_uppercase(), resolve(self.root, answer), place)
        });
        let stated = stated.collect::<Vec<_>>();
        let mut drafted = Map::new();
        let mut successes = stated.iter().filter(|(status, ..)| status.starts_with('2')).collect::<Vec<_>>();
        if successes.is_empty() {
            successes = stated.iter().filter(|(status, ..)| status == "DEFAULT").collect();
            let text = if successes.is_empty() {
                "no success is described: taken to be 200 without a body"
            } else {
                "`default` is taken for the success, 200"
            };
            self.losses.add(Kind::Answer, &at, text);
        }
        let contents = successes.iter().map(|(status, answer, at)| {
            let content = self.stated_answer(operation, answer, at);
            if ["204", "205"].contains(&status.as_str()) && !content.is_empty() {
                self.losses.add(
                    Kind::Answer,
                    at,
                    format!("{status} has no body in HTTP: the described one is not read"),
                );
                return vec![];
            }
            content
        });
        let contents = contents.collect::<Vec<_>>();
        let best =
            contents.iter().position(|content| content.iter().any(|(media, ..)| matches!(kind(media), Sent::Json)));
        let best = best.or_else(|| contents.iter().position(|content| !content.is_empty())).unwrap_or_default();
        for (index, (status, ..)) in successes.iter().enumerate().filter(|(index, _)| *index != best) {
            let nothing = contents.get(index).is_none_or(Vec::is_empty);
            let what = if nothing { "without a body" } else { "with another body" };
            self.losses.add(
                Kind::Answer,
                &child(&at, &status.to_lowercase()),
                format!("the success {status} {what} is not told apart: it is read like the other"),
            );
        }
        let mut download = false;
        let (status, description, content) = match successes.get(best) {
            Some((status, answer, place)) => {
                let content = contents.get(best).cloned().unwrap_or_default();
                let (drafted, file) = self.answer(&content, place, id);
                download = file;
                (numeric(status), text(answer, "description"), drafted)
            }
            None => ("200".to_owned(), String::new(), None),
        };
        let mut success = json!({"description": if description.is_empty() { "Success." } else { &description }});
        if let Some(content) = content {
            success["content"] = content;
        }
        drafted.insert(status, success);
        let mut errors = Vec::new();
        for (status, answer, place) in stated.iter().filter(|(status, ..)| !status.starts_with('2')) {
            if successes.iter().any(|(success, ..)| success == status) {
                continue;
            }
            if !self.stated_answer(operation, answer, place).is_empty() {
                errors.push(status.to_lowercase());
            }
            let text = text(answer, "description");
            let text = if text.is_empty() { "Error." } else { &text };
            drafted.insert(
                if status == "DEFAULT" { "default".to_owned() } else { status.clone() },
                json!({"description": text}),
            );
        }
        if !errors.is_empty() {
            self.losses.add(Kind::ErrorBody, &at, format!("of {}", errors.join(", ")));
        }
        (Value::Object(drafted), download)
    }

    fn stated_answer(&self, operation: &Operation<'_>, answer: &Value, at: &str) -> Content {
        if self.edition != Edition::Swagger2 {
            return content(self.root, answer, at);
        }
        let Some(schema) = answer.get("schema") else { return vec![] };
        let place = child(at, "schema");
        let produced = media_types(self.root, operation, "produces");
        let file = schema.get("type").and_then(Value::as_str) == Some("file");
        let produced = produced.into_iter().map(|media| {
            if file && matches!(kind(&media), Sent::Json) { "application/octet-stream".to_owned() } else { media }
        });
        produced.map(|media| (media, Some(schema.clone()), place.clone())).collect()
    }

    /// The content of a success, and whether it is a file.
    fn answer(&mut self, content: &Content, at: &str, id: &str) -> (Option<Value>, bool) {
        let json = content.iter().filter(|(media, ..)| matches!(kind(media), Sent::Json));
        let json = json.min_by_key(|(media, ..)| media.as_str() != "application/json");
        let Some((media, schema, place)) = json.or_else(|| content.first()) else { return (None, false) };
        let others = content.iter().map(|(name, ..)| name.as_str()).filter(|name| name != media).collect::<Vec<_>>();
        if !others.is_empty() {
            self.losses.add(
                Kind::Answer,
                at,
                format!("read as {media}; the vendor also answers {}", others.join(", ")),
            );
        }
        if !matches!(kind(media), Sent::Json) {
            return (Some(json!({media.as_str(): {"schema": {"type": "string", "format": "binary"}}})), true);
        }
        let schema = match schema {
            Some(schema) => self.schema(&schema.clone(), place, &format!("{id}-answer")),
            None => self.any(&Map::new(), place, "the specification does not say what is answered"),
        };
        let schema = self.not_null(schema);
        (Some(json!({"application/json": {"schema": schema}})), false)
    }
}

/// How a media type is sent and read.
fn kind(media: &str) -> Sent {
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        "" | "*/*" | "application/*" => Sent::Json,
        json if json.ends_with("/json") || json.ends_with("+json") => Sent::Json,
        FORM => Sent::Form,
        text if text.starts_with("text/") => Sent::Text,
        _ => Sent::Bytes,
    }
}

/// The media type that a client sends: JSON before forms before anything else.
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

fn content(root: &Value, holder: &Value, at: &str) -> Content {
    let at = child(at, "content");
    let media = holder.get("content").and_then(Value::as_object).into_iter().flatten();
    media
        .map(|(name, media)| {
            (name.clone(), resolve(root, media).get("schema").cloned(), child(&child(&at, name), "schema"))
        })
        .collect()
}

/// Of Swagger 2: the operation's, else the document's, else JSON.
fn media_types(root: &Value, operation: &Operation<'_>, key: &str) -> Vec<String> {
    let list = operation.value.get(key).or_else(|| root.get(key)).and_then(Value::as_array);
    let list = list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    if list.is_empty() { vec!["application/json".to_owned()] } else { list }
}

fn numeric(status: &str) -> String {
    let good = status.len() == 3 && status.chars().all(|digit| digit.is_ascii_digit());
    if good { status.to_owned() } else { "200".to_owned() }
}

/// A choice without the alternative of an empty text, with which forms unset a field.
fn without_empty_text(node: &Value) -> Value {
    let Some(parts) = node.get("anyOf").and_then(Value::as_array) else { return node.clone() };
    let kept = parts.iter().filter(|part| part.get("enum") != Some(&json!([""]))).cloned().collect::<Vec<_>>();
    match kept.as_slice() {
        [only] => only.clone(),
        _ => node.clone(),
    }
}

fn text(holder: &Value, key: &str) -> String {
    holder.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}
