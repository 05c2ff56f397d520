//! The vendor's operations and their drafts side by side: parameters, bodies, responses and all fields.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{Operation, pointer::child, resolve, resolve_at};
use serde_json::Value;

use super::{
    Difference,
    schema::{has_fields_of, has_union, join, kinds, properties, resolved, unions, values, with_parts},
};
use crate::import::{self, Conversion, Published};

/// How deep fields are followed. Components that contain themselves are compared once.
const FIELD_DEPTH: usize = 64;
/// The depth to which the fields of alternatives are followed together.
const MERGED_DEPTH: usize = 3;

/// Returns all differences between the vendor's operations and those of a draft, and the locations that are one field in
/// the draft.
pub(super) fn differences(published: &Published, draft: &Conversion) -> (Vec<Difference>, BTreeSet<Vec<String>>) {
    let document = draft.document();
    let mut walk = Walk {
        theirs: &published.root,
        ours: &document,
        found: Vec::new(),
        from: String::new(),
        merged: BTreeSet::new(),
        seen: BTreeSet::new(),
        sent: false,
        is_form: false,
    };
    for operation in import::operations(&published.root) {
        if let Some(drafted) = draft.operations.iter().find(|drafted| drafted.at == operation.pointer) {
            walk.operation(&operation, &document["paths"][&drafted.path][drafted.method]);
        }
    }
    (walk.found, walk.merged)
}

pub(super) struct Walk<'a> {
    pub(super) theirs: &'a Value,
    pub(super) ours: &'a Value,
    found: Vec<Difference>,
    /// Where the schema that is compared is used.
    pub(super) from: String,
    /// Locations of the fields of alternatives that are one field in the draft: a loss is noted at one of them.
    merged: BTreeSet<Vec<String>>,
    /// Pairs of locations that were compared.
    seen: BTreeSet<(String, String, bool)>,
    /// Whether the client sends what is compared.
    sent: bool,
    /// Whether what is compared is a form: objects in it are fields of their own, and numbers are text.
    pub(super) is_form: bool,
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl<'a> Walk<'a> {
    pub(super) fn add(&mut self, at: &str, text: impl Into<String>) {
        let from = if self.from.is_empty() { at } else { &self.from }.to_owned();
        self.found.push(Difference { at: at.to_owned(), from, text: text.into(), is_certain: true });
    }

    fn operation(&mut self, operation: &Operation<'a>, drafted: &'a Value) {
        self.sent = true;
        self.parameters(operation, drafted);
        self.form_data(operation, drafted.get("requestBody"));
        if let Some(body) = operation.value.get("requestBody") {
            let from = child(&operation.pointer, "requestBody");
            let (at, body) = resolve_at(self.theirs, from.clone(), body);
            self.request_body(body, from, &at, drafted);
        }
        self.sent = false;
        for (status, response) in operation.value.get("responses").and_then(Value::as_object).into_iter().flatten() {
            let at = child(&child(&operation.pointer, "responses"), status);
            let (at, response) = resolve_at(self.theirs, at, response);
            let mut headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
            if !status.starts_with("x-") && headers.any(|(name, _)| !import::is_ignored_header(name)) {
                self.from.clear();
                self.add(&child(&at, "headers"), "the headers are not in the draft");
            }
            // The response to HEAD has no body, whatever is described.
            if !status.starts_with('2') || operation.method == "head" {
                continue;
            }
            if drafted["x-download"] == true {
                let media = response.get("content").and_then(Value::as_object).into_iter().flatten();
                for (media, body) in media {
                    let media_at = child(&child(&at, "content"), media);
                    let described = !import::is_json(media) && self.is_structured(body);
                    let passed_on = if described { child(&media_at, "schema") } else { media_at };
                    if described || import::is_json(media) {
                        self.found.push(Difference {
                            at: passed_on,
                            from: at.clone(),
                            text: "the bytes are passed on in the draft".to_owned(),
                            is_certain: false,
                        });
                    }
                }
                continue;
            }
            let own = drafted["responses"].get(status).or_else(|| {
                let all = drafted["responses"].as_object()?;
                let (read, own) = all.iter().find(|(own, _)| own.starts_with('2'))?;
                // Two bodies are read as one.
                let at = child(&child(&operation.pointer, "responses"), read);
                let text = "read like another status".to_owned();
                self.found.push(Difference { from: at.clone(), at, text, is_certain: false });
                Some(own)
            });
            self.content(response, &at, own);
        }
    }

    /// Compares a request body of any media type: it is in the draft, unless nothing may be in it.
    pub(super) fn request_body(&mut self, body: &'a Value, from: String, at: &str, drafted: &'a Value) {
        if let Some(own) = drafted.get("requestBody") {
            self.content(body, at, Some(own));
            return self.from.clear();
        }
        let media = body.get("content").and_then(Value::as_object).into_iter().flatten();
        let schemas = media.map(|(_, media)| resolve(self.theirs, media).get("schema"));
        let mut schemas = schemas.chain(body.get("schema").map(Some));
        if schemas.any(|schema| schema.is_none_or(|schema| !self.is_empty_object(schema))) {
            self.from = from;
            self.add(at, "the body is not in the draft");
            self.from.clear();
        }
    }

    /// Returns whether an object has no fields in the direction that is compared.
    fn is_empty_object(&self, schema: &'a Value) -> bool {
        let (at, schema) = resolved(self.theirs, String::new(), schema);
        let fields = properties(self.theirs, schema, &at);
        let is_map = schema.get("additionalProperties").is_some_and(import::states_something);
        kinds(self.theirs, schema, 0).iter().eq(["object"].iter())
            && !is_map
            && fields.iter().all(|(_, (_, property))| self.is_skipped(property))
    }

    /// Returns whether a field is of the other direction only.
    pub(super) fn is_skipped(&self, property: &'a Value) -> bool {
        let parts = with_parts(self.theirs, resolve(self.theirs, property), "", 0);
        let states = |key: &str| {
            let schemas = parts.iter().map(|(_, part)| *part).chain([property]);
            schemas.into_iter().any(|schema| schema.get(key) == Some(&Value::Bool(true)))
        };
        let (of_others, of_these) = if self.sent { ("readOnly", "writeOnly") } else { ("writeOnly", "readOnly") };
        states(of_others) && !states(of_these)
    }

    /// Compares the JSON or the form of a body.
    fn content(&mut self, holder: &'a Value, at: &str, own: Option<&'a Value>) {
        let json = |holder: &'a Value| {
            let content = holder.get("content").and_then(Value::as_object).into_iter().flatten();
            let bodies = content.map(|(media, body)| (media.as_str(), body)).collect::<Vec<_>>();
            let json = bodies.iter().find(|(media, _)| import::is_json(media));
            json.or_else(|| bodies.iter().find(|(media, _)| import::is_form(media))).copied()
        };
        self.from.clear();
        if let (Some(schema), Some((_, own))) = (holder.get("schema"), own.and_then(json)) {
            // Swagger 2 has the schema without a media type.
            return own.get("schema").into_iter().for_each(|own| self.schema(schema, child(at, "schema"), own, 0));
        }
        let own_media = own.and_then(json).map(|(media, _)| media);
        let same = own_media.and_then(|media| Some((media, holder.get("content")?.get(media)?)));
        let Some((media, body)) = same.or_else(|| json(holder)) else { return self.encoded_by_callers(holder, at) };
        if own.is_none() {
            return self.add(at, "the body is not in the draft");
        }
        let at = child(&child(&child(at, "content"), media), "schema");
        match (body.get("schema"), own.and_then(json).and_then(|(_, body)| body.get("schema"))) {
            (Some(schema), Some(own)) => {
                self.is_form = import::is_form(media);
                if self.is_form {
                    self.encoding(body, &at, own);
                }
                self.schema(schema, at, own, 0);
                self.is_form = false;
            }
            (Some(_), None) => self.add(&at, "the JSON is not in the draft"),
            (None, _) => self.found.push(Difference {
                from: at.clone(),
                at,
                text: "not described".to_owned(),
                is_certain: false,
            }),
        }
    }

    /// Compares a body that is neither JSON nor a form: callers encode it, whatever its schema is.
    fn encoded_by_callers(&mut self, holder: &'a Value, at: &str) {
        let content = holder.get("content").and_then(Value::as_object).into_iter().flatten();
        let bodies = content.map(|(media, body)| (child(&child(at, "content"), media), body));
        for (at, body) in bodies.chain([(at.to_owned(), holder)]) {
            if self.is_structured(body) {
                return self.add(&child(&at, "schema"), "the body's schema is not in the draft");
            }
        }
    }

    /// Returns whether the schema of a body describes more than a string.
    fn is_structured(&self, body: &'a Value) -> bool {
        let schema = body.get("schema").map(|schema| resolved(self.theirs, String::new(), schema).1);
        schema.is_some_and(|schema| kinds(self.theirs, schema, 0).iter().any(|kind| !["string", "file"].contains(kind)))
    }

    pub(super) fn schema(&mut self, schema: &'a Value, at: String, own: &'a Value, depth: usize) {
        let (own_at, own) = resolved(self.ours, String::new(), own);
        self.from.clone_from(&at);
        let (at, schema) = resolved(self.theirs, at, schema);
        if depth > FIELD_DEPTH || !own_at.is_empty() && !self.seen.insert((at.clone(), own_at, self.sent)) {
            return;
        }
        let (theirs, ours) = (kinds(self.theirs, schema, 0), kinds(self.ours, own, 0));
        if ours.is_empty() {
            return self.add(&at, "any JSON in the draft");
        }
        let is_decimal = self.is_form && theirs.contains("number") && text(own, "format") == "decimal";
        if !theirs.is_empty() && !is_decimal && !theirs.iter().any(|kind| ours.contains(kind)) {
            let text = format!("{} is {} in the draft", join(&theirs), join(&ours));
            return self.add(&at, text);
        }
        for at in unions(self.theirs, schema, &at, 0) {
            self.add(&at, "alternatives");
        }
        self.of_parts(schema, &at);
        // In the form of text: what is listed in a string is one, however YAML reads it.
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let values = values(self.theirs, schema, 0).into_iter().filter(|value| !value.is_null()).map(shown);
        let listed = own.get("enum").and_then(Value::as_array).into_iter().flatten().map(shown).collect::<Vec<_>>();
        if values.collect::<Vec<_>>().iter().any(|value| !listed.contains(value)) {
            self.add(&at, "values of the list are not in the draft");
        }
        let is_listed = own.get("enum").is_some();
        if text(schema, "format").starts_with("date") && text(own, "format") != text(schema, "format") && !is_listed {
            self.add(&at, format!("{} has no such format in the draft", text(schema, "format")));
        }
        if !theirs.contains("object") {
            return self.items(schema, &at, own, depth);
        }
        let described = properties(self.theirs, schema, &at);
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        // Another part of `allOf` may describe it.
        let is_described = |name: &str| {
            let own = own.get("properties").and_then(|own| own.get(name));
            described.iter().any(|(known, _)| known == name) || own.is_some_and(|own| own.get("x-any").is_none())
        };
        for name in required.filter(|name| !is_described(name)) {
            self.add(&at, format!("{name:?} is required and not described"));
        }
        // What one part has in the other direction only, a part that adds a default has not either.
        let skipped = described.iter().filter(|(_, (_, property))| self.is_skipped(property));
        let skipped = skipped.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>();
        let is_union = has_union(self.theirs, schema, 0);
        self.merge_fields(described.iter().map(|(name, (at, _))| (name.clone(), at.clone())), is_union, 0);
        for (name, (at, property)) in described {
            match own.get("properties").and_then(|own| own.get(&name)) {
                Some(own) => self.schema(property, at, own, depth + 1),
                None if skipped.contains(&name) => {}
                None if self.is_form && has_fields_of(own, &name) => self.form_object(property, at, own, &name, depth),
                None => {
                    self.from.clear();
                    self.add(&at, format!("the field {name:?} is not in the draft"));
                }
            }
        }
        self.items(schema, &at, own, depth);
    }

    /// Notes what the parts of a schema state that the draft may have in another form.
    fn of_parts(&mut self, schema: &'a Value, at: &str) {
        let parts = with_parts(self.theirs, schema, at, 0);
        let has_base = parts.iter().skip(1).any(|(_, part)| part.get("discriminator").is_some());
        let mut found = if has_base { vec![at.to_owned()] } else { Vec::new() };
        for (at, part) in &parts {
            for key in ["oneOf", "anyOf", "discriminator", "prefixItems"] {
                found.extend(part.get(key).map(|_| child(at, key)));
            }
            for key in ["additionalProperties", "unevaluatedProperties", "patternProperties"] {
                found.extend(part.get(key).filter(|others| others.is_object()).map(|_| child(at, key)));
            }
            let is_list = part.get("type").is_some_and(|kind| kind == "array");
            if is_list && part.get("items").is_none_or(|items| !items.is_object()) {
                found.push(child(at, "items"));
            }
        }
        let text = "of a part".to_owned();
        self.found.extend(found.into_iter().map(|at| Difference {
            from: at.clone(),
            at,
            text: text.clone(),
            is_certain: false,
        }));
    }

    /// Notes locations of one field of the draft, behind their references too, and those of the fields below it. What they have between them
    /// is alternatives.
    fn merge(&mut self, locations: &[String], is_union: bool, depth: usize) {
        let theirs = self.theirs;
        let schemas = locations.iter().filter_map(|at| Some(resolved(theirs, at.clone(), theirs.pointer(at)?)));
        let schemas = schemas.collect::<Vec<_>>();
        let behind = schemas.iter().map(|(at, _)| at.clone());
        self.merged.insert(locations.iter().cloned().chain(behind).collect());
        let differ = schemas.windows(2).any(|pair| matches!(pair, [one, other] if one.1 != other.1));
        let objects = schemas.iter().filter(|(_, schema)| kinds(theirs, schema, 0).contains("object"));
        let objects = objects.collect::<Vec<_>>();
        if !differ || !is_union {
            return;
        }
        for ((at, _), from) in schemas.iter().zip(locations) {
            self.found.push(Difference {
                at: at.clone(),
                from: from.clone(),
                text: "alternatives".to_owned(),
                is_certain: false,
            });
        }
        let items = schemas.iter().filter(|(_, schema)| schema.get("items").is_some());
        let items = items.map(|(at, _)| child(at, "items"));
        self.merge(&items.collect::<Vec<_>>(), is_union, depth);
        if depth < MERGED_DEPTH {
            let fields = objects.into_iter().flat_map(|(at, schema)| properties(theirs, schema, at));
            self.merge_fields(fields.map(|(name, (at, _))| (name, at)), is_union, depth + 1);
        }
    }

    fn merge_fields(&mut self, fields: impl Iterator<Item = (String, String)>, is_union: bool, depth: usize) {
        let mut locations = BTreeMap::<String, BTreeSet<String>>::new();
        for (name, at) in fields {
            locations.entry(name).or_default().insert(at);
        }
        for locations in locations.into_values().filter(|locations| locations.len() > 1) {
            self.merge(&locations.into_iter().collect::<Vec<_>>(), is_union, depth);
        }
    }

    fn items(&mut self, schema: &'a Value, at: &str, own: &'a Value, depth: usize) {
        for key in ["items", "additionalProperties"] {
            // A map of anything is one in the draft; a list of it is read as any JSON.
            let described =
                |schema: &&Value| schema.is_object() && (key == "items" || import::states_something(schema));
            if let (Some(schema), Some(own)) = (schema.get(key).filter(described), own.get(key)) {
                self.schema(schema, child(at, key), own, depth + 1);
            }
        }
    }
}
