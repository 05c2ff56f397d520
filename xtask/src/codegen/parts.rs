//! The parts of a document that are generated one after the other: what progenitor makes takes a hundred times the memory of what is
//! published. A part has some operations and all schemas that they reach, so that the code of each type is that of the whole document.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{
    METHODS, Operation, SCHEMAS, component_schemas, operations, pointer::unescape, reachable, references,
};
use serde_json::{Map, Value, json};

use crate::packed::Packed;

/// The number of operations and schemas of a part. It has more only if one operation reaches more.
const SIZE: usize = 24;

/// The schemas that each component schema names.
pub(super) struct References(BTreeMap<String, BTreeSet<String>>);

impl References {
    pub(super) fn new(root: &Value) -> Self {
        let named = component_schemas(root);
        Self(named.map(|(name, schema)| (name.to_owned(), schema_names(references(schema)).collect())).collect())
    }

    /// Returns the schemas that some schemas reach, and these themselves.
    pub(super) fn reached(&self, from: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let mut todo = from.into_iter().collect::<Vec<_>>();
        let mut found = BTreeSet::new();
        while let Some(name) = todo.pop() {
            if let Some(next) = self.0.get(&name)
                && found.insert(name)
            {
                todo.extend(next.difference(&found).cloned());
            }
        }
        found
    }
}

/// Returns the names of the component schemas among references.
pub(super) fn schema_names<'a>(references: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = String> {
    references.into_iter().filter_map(|reference| reference.strip_prefix(SCHEMAS)).map(unescape)
}

/// A part: operations by path and method, and the names of schemas.
#[derive(Default)]
pub(super) struct Part {
    operations: Vec<(String, &'static str)>,
    schemas: BTreeSet<String>,
}

/// Returns the parts of a document, in the order of progenitor's code. There are none if it is small, or if names of it hide others: what
/// is written for one operation depends on the names of all then.
pub(super) fn parts(root: &Value) -> Vec<Part> {
    let mut all = operations(root).into_iter().filter(|operation| !operation.is_sent_by_core()).collect::<Vec<_>>();
    if all.len() + component_schemas(root).count() <= SIZE {
        return Vec::new();
    }
    all.sort_by_key(|operation| (operation.path, METHODS.iter().position(|method| *method == operation.method)));
    let references = References::new(root);
    let polls = all.iter().map(|operation| poll(&all, operation)).collect::<Vec<_>>();
    let mut parts = vec![Part::default()];
    let mut together = 0;
    for (at, operation) in all.into_iter().enumerate() {
        let nodes = operation.value.values().chain(operation.item.get("parameters"));
        let found = reachable(root, nodes, |reference| !reference.starts_with(SCHEMAS));
        let schemas = references.reached(schema_names(found));
        if at >= together {
            start_if_full(&mut parts, &schemas);
        }
        // A job is started by one operation and polled by another: the code of both is needed for either.
        let of_job = polls.iter().enumerate().filter_map(|(start, poll)| Some((start, (*poll)?)));
        let spans = of_job.map(|(start, poll)| (start.min(poll), start.max(poll))).filter(|(first, _)| *first <= at);
        together = spans.map(|(_, last)| last + 1).max().unwrap_or(0);
        if let Some(part) = parts.last_mut() {
            part.operations.push((operation.path.to_owned(), operation.method));
            part.schemas.extend(schemas);
        }
    }
    let used = parts.iter().flat_map(|part| &part.schemas).cloned().collect::<BTreeSet<_>>();
    for name in references.0.keys().filter(|name| !used.contains(*name)) {
        let schemas = references.reached([name.clone()]);
        start_if_full(&mut parts, &schemas);
        if let Some(part) = parts.last_mut() {
            part.schemas.extend(schemas);
        }
    }
    parts
}

/// Begins a new part if the last one would become too large.
fn start_if_full(parts: &mut Vec<Part>, schemas: &BTreeSet<String>) {
    let full = parts.last().is_some_and(|part| {
        !part.schemas.is_empty() | !part.operations.is_empty()
            && part.operations.len() + part.schemas.union(schemas).count() >= SIZE
    });
    if full {
        parts.push(Part::default());
    }
}

/// Returns the operation by which the job of another is polled.
fn poll(all: &[Operation<'_>], operation: &Operation<'_>) -> Option<usize> {
    let poll = operation.value.get("x-long-running")?.get("poll")?.as_str()?;
    all.iter().position(|other| other.id() == poll)
}

/// A document whose operations and schemas are packed: few of them are needed at once.
pub(super) struct PackedDocument {
    /// All else.
    rest: Value,
    operations: BTreeMap<(String, &'static str), Packed>,
    schemas: BTreeMap<String, Packed>,
}

impl PackedDocument {
    pub(super) fn new(mut rest: Value) -> Self {
        let mut operations = BTreeMap::new();
        for (path, item) in entries_mut(&mut rest, "/paths") {
            let Some(item) = item.as_object_mut() else { continue };
            for method in METHODS {
                if let Some(operation) = item.remove(method) {
                    operations.insert((path.clone(), method), operation.into());
                }
            }
        }
        let mut schemas = BTreeMap::new();
        for (name, schema) in entries_mut(&mut rest, "/components/schemas") {
            schemas.insert(name.clone(), schema.take().into());
        }
        Self { rest, operations, schemas }
    }

    /// Returns the document with a part alone.
    pub(super) fn part(&self, part: &Part) -> Value {
        let keys = self.rest.as_object().into_iter().flatten().filter(|(key, _)| *key != "paths");
        let mut document = keys.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>();
        let mut paths = Map::new();
        for (path, method) in &part.operations {
            let item = paths.entry(path).or_insert_with(|| {
                let shared = self.rest["paths"][path].get("parameters");
                json!({"parameters": shared.cloned().unwrap_or_else(|| json!([]))})
            });
            item[method] = self.operations.get(&(path.clone(), method)).map(Packed::value).unwrap_or_default();
        }
        document.insert("paths".to_owned(), Value::Object(paths));
        let schemas = part.schemas.iter().filter_map(|name| Some((name.clone(), self.schemas.get(name)?.value())));
        if let Some(components) = document.get_mut("components") {
            components["schemas"] = Value::Object(schemas.collect());
        }
        Value::Object(document)
    }

    /// Returns the whole document.
    pub(super) fn whole(&self) -> Value {
        let mut document = self.rest.clone();
        for ((path, method), operation) in &self.operations {
            document["paths"][path][method] = operation.value();
        }
        for (name, schema) in &self.schemas {
            document["components"]["schemas"][name] = schema.value();
        }
        document
    }
}

fn entries_mut<'a>(root: &'a mut Value, at: &str) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    root.pointer_mut(at).and_then(Value::as_object_mut).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use openapi_document::Document;

    use super::*;
    use crate::codegen::{Whole, joined, mark, printed};

    /// Operations that send or receive types of each other, in cycles too, and a job whose operations are far apart.
    fn large() -> Document {
        let text = json!({"type": "string"});
        let reference = |name: &str| json!({"$ref": format!("{SCHEMAS}{name}")});
        let content = |schema: Value| json!({"description": "d", "content": {"application/json": {"schema": schema}}});
        let (mut paths, mut schemas) = (json!({}), json!({"Unused": {"type": "object", "properties": {"a": text}}}));
        for number in 0..80 {
            let (name, next) = (format!("T{number:02}"), format!("T{:02}", (number + 1) % 20));
            let fields = (0..if number % 3 == 0 { 16 } else { 2 }).map(|field| (format!("f{field}"), text.clone()));
            let mut properties = fields.collect::<Map<_, _>>();
            properties.insert("next".to_owned(), reference(&next));
            properties.insert("all".to_owned(), json!({"type": "array", "items": reference(&next)}));
            properties.insert("end".to_owned(), json!({"type": "string", "nullable": true}));
            schemas[&name] = json!({"type": "object", "properties": properties});
            paths[format!("/get/{number:02}")]["get"] = json!({
                "operationId": format!("get{name}"), "summary": "Gets.", "responses": {"200": content(reference(&name))},
            });
            // An update and a new one of the same types, in different parts.
            if number % 4 == 1 {
                paths[format!("/make/{:02}", 80 - number)]["post"] = json!({
                    "operationId": format!("make{name}"), "summary": "Makes.",
                    "requestBody": content(reference(&name)), "responses": {"204": {"description": "d"}},
                });
            }
            if number % 4 == 0 {
                paths[format!("/put/{number:02}")]["put"] = json!({
                    "operationId": format!("put{name}"), "summary": "Puts.",
                    "requestBody": content(reference(&name)), "responses": {"204": {"description": "d"}},
                });
            }
        }
        let job = json!({"poll": "getJob", "id": "f0", "status": "f1", "succeeded": ["DONE"], "failed": ["LOST"]});
        paths["/get/00/start"]["post"] = json!({
            "operationId": "start", "summary": "Starts.", "x-long-running": job,
            "responses": {"200": content(reference("T05"))},
        });
        paths["/get/03/{id}"]["get"] = json!({
            "operationId": "getJob", "summary": "Gets.", "x-long-running": job, "responses": {"200": content(reference("T05"))},
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": text}],
        });
        let root = json!({
            "openapi": "3.0.3", "info": {"title": "Large", "version": "1"}, "servers": [{"url": "https://x.example"}],
            "paths": paths, "components": {"schemas": schemas},
        });
        Document { name: "large".to_owned(), sha256: String::new(), root }
    }

    #[test]
    fn parts_make_the_code_of_the_whole_document() {
        let code = joined_parts(large());
        assert!(code.contains("boxed") && code.contains("JobState"), "{code}");
    }

    #[test]
    fn names_of_std_are_shadowed_in_all_parts() {
        let mut document = large();
        let schemas = &mut document.root["components"]["schemas"];
        for name in ["option", "Result"] {
            schemas[name] = schemas["T01"].clone();
        }
        let body = json!({"content": {"application/json": {"schema": {"$ref": format!("{SCHEMAS}Result")}}}});
        document.root["paths"]["/put/00"]["put"]["requestBody"] = body;
        document.root["paths"]["/get/79"]["get"]["operationId"] = json!("error");
        let code = joined_parts(document);
        assert!(code.contains("pub struct Result") && !code.contains(": Option<"), "{code}");
    }

    /// Returns the client's code of a document, whose parts make the same as the whole.
    fn joined_parts(mut document: Document) -> String {
        mark(&mut document.root);
        let parts = parts(&document.root);
        assert!(parts.len() > 2, "{}", parts.len());
        let of_whole = Whole::of(&document.root);
        let whole = printed(&document.root, &of_whole.docs).expect("it generates");
        let packed = PackedDocument::new(document.root.clone());
        assert_eq!(packed.whole(), document.root);
        let joined = joined(&packed, &of_whole.docs, &parts).expect("they generate").expect("they fit together");
        assert!(whole.omitted.is_empty() && joined.omitted.is_empty());
        let (whole, joined) = (whole.files(&document, &of_whole), joined.files(&document, &of_whole));
        assert!(whole.client == joined.client && whole.mock == joined.mock);
        whole.client
    }

    #[test]
    fn type_of_successes_differs_from_a_schema_of_another_part() {
        let mut document = large();
        document.root["components"]["schemas"]["PutT00Success"] =
            json!({"type": "object", "properties": {"a": {"type": "string"}}});
        document.root["paths"]["/get/79"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"] =
            json!(format!("{SCHEMAS}PutT00Success"));
        let body = |name: &str| json!({"description": "d", "content": {"application/json": {"schema": {"$ref": format!("{SCHEMAS}{name}")}}}});
        document.root["paths"]["/put/00"]["put"]["responses"] = json!({"200": body("T00"), "202": body("T01")});
        let code = crate::codegen::render(document).expect("it generates").client;
        assert!(code.contains("pub enum PutT00Success2"), "{}", code.contains("PutT00Success"));
    }

    #[test]
    fn small_document_has_no_parts() {
        assert!(parts(&crate::test_support::mini().root).is_empty());
    }
}
