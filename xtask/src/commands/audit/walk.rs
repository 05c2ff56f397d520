//! The vendor's operations and their drafts side by side: parameters, bodies, responses and all fields.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{Operation, pointer::child, resolve, resolve_at};
use serde_json::Value;

use super::{
    Difference,
    parts::{has_union, inner_unions, items, other_fields, properties, required, subtypes, unions, with_parts},
    schema::{has_fields_of, is_nullable, join, kinds, resolved, text, values},
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
        is_part: false,
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
    pub(super) found: Vec<Difference>,
    /// Where the schema that is compared is used.
    pub(super) from: String,
    /// Locations of the fields of alternatives that are one field in the draft: a loss is noted at one of them.
    merged: BTreeSet<Vec<String>>,
    /// Pairs of locations that were compared.
    seen: BTreeSet<(String, String, bool)>,
    /// Whether the client sends what is compared.
    sent: bool,
    /// Whether other parts of `allOf` or alternatives describe what is compared, too.
    is_part: bool,
    /// Whether what is compared is a form: objects in it are fields of their own, and numbers are text.
    pub(super) is_form: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn is_swagger_2(&self) -> bool {
        self.theirs.get("swagger").is_some()
    }

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
        self.responses(operation, drafted);
    }

    /// Returns whether a field is of the other direction only.
    pub(super) fn is_skipped(&self, property: &'a Value) -> bool {
        let parts = with_parts(self.theirs, resolve(self.theirs, property), "");
        let states = |key: &str| {
            let schemas = parts.iter().map(|(_, part)| *part).chain([property]);
            schemas.into_iter().any(|schema| schema.get(key) == Some(&Value::Bool(true)))
        };
        let (of_others, of_these) = if self.sent { ("readOnly", "writeOnly") } else { ("writeOnly", "readOnly") };
        states(of_others) && !states(of_these)
    }

    pub(super) fn schema(&mut self, schema: &'a Value, at: String, own: &'a Value, depth: usize) {
        let (own_at, own) = resolved(self.ours, String::new(), own);
        let from = at.clone();
        self.from.clone_from(&from);
        let (at, schema) = resolved(self.theirs, at, schema);
        if depth > FIELD_DEPTH || !own_at.is_empty() && !self.seen.insert((at.clone(), own_at, self.sent)) {
            return;
        }
        let (theirs, ours) = (kinds(self.theirs, schema), kinds(self.ours, own));
        if ours.is_empty() {
            return self.add(&at, "any JSON in the draft");
        }
        if theirs.is_empty() {
            self.add(&at, format!("no type is stated, and {} in the draft", join(&ours)));
        }
        let is_decimal = self.is_form && theirs.contains("number") && text(own, "format") == "decimal";
        let is_kept = |kind: &str| ours.contains(kind) || kind == "integer" && ours.contains("number");
        if !is_decimal && !theirs.iter().all(|kind| is_kept(kind)) {
            let text = format!("{} is {} in the draft", join(&theirs), join(&ours));
            return self.add(&at, text);
        }
        // Stripe's, for ids that are objects where a request asks for them.
        if schema.get("x-expansionResources").is_some() {
            self.add(&at, "alternatives");
        }
        for at in unions(self.theirs, schema, &at) {
            self.add(&at, "alternatives");
        }
        for at in inner_unions(self.theirs, schema, &at) {
            self.found.push(Difference {
                at,
                from: self.from.clone(),
                text: "alternatives".to_owned(),
                is_certain: false,
            });
        }
        self.values(schema, &at, own, &ours);
        let is_listed = own.get("enum").is_some();
        if text(schema, "format").starts_with("date") && text(own, "format") != text(schema, "format") && !is_listed {
            self.add(&at, format!("{} has no such format in the draft", text(schema, "format")));
        }
        if !theirs.contains("object") {
            return self.items(schema, &at, own, depth);
        }
        let mut described = properties(self.theirs, schema, &at);
        let subtypes = subtypes(self.theirs, schema, &at);
        described.extend(subtypes.iter().flat_map(|(at, schema)| properties(self.theirs, schema, at)));
        let required = required(self.theirs, schema, &at);
        // Another part may describe it.
        let is_described = |name: &str| {
            let own = own.get("properties").and_then(|own| own.get(name));
            described.iter().any(|(known, _)| known == name) || own.is_some_and(|own| own.get("x-any").is_none())
        };
        for (location, name) in required.iter().filter(|(_, name)| !is_described(name)) {
            // What a part requires is reported where the part is used by itself, too.
            let (at, from, is_certain) = (location.clone(), self.from.clone(), *location == at);
            let text = format!("{name:?} is required and not described");
            self.found.push(Difference { at, from, text, is_certain });
        }
        let required = required.iter().map(|(_, name)| *name).collect::<BTreeSet<_>>();
        let names = |of: &dyn Fn(&'a Value) -> bool| {
            let found = described.iter().filter(|(_, (_, property))| of(property));
            found.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>()
        };
        let hidden = names(&|property| self.is_skipped(property));
        let typed = names(&|property| !kinds(self.theirs, property).is_empty());
        let mut once = BTreeSet::new();
        let shared = described.iter().filter(|(name, _)| !once.insert(name.as_str())).map(|(name, _)| name.clone());
        let shared = shared.collect::<BTreeSet<_>>();
        // Null is not for a field of which a part excludes it.
        let never_null = described.iter().filter(|(_, (_, property))| property.get("nullable") == Some(&false.into()));
        let never_null = never_null.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>();
        let is_union = has_union(self.theirs, schema) || !subtypes.is_empty();
        self.merge_fields(described.iter().map(|(name, (at, _))| (name.clone(), at.clone())), is_union, 0);
        for (name, (at, property)) in described {
            match own.get("properties").and_then(|own| own.get(&name)) {
                // Another part states the type.
                Some(_) if typed.contains(&name) && kinds(self.theirs, property).is_empty() => {}
                Some(field) => {
                    let is_required = own.get("required").and_then(Value::as_array);
                    let is_required = is_required.is_some_and(|all| all.contains(&name.as_str().into()));
                    if is_required && !self.is_part && !required.contains(name.as_str()) {
                        self.add(&at, format!("{name:?} is required in the draft"));
                    }
                    let is_part = self.is_part;
                    self.is_part |= shared.contains(&name);
                    if never_null.contains(&name) {
                        self.schema(property, at, field, depth + 1);
                    } else {
                        self.field(property, at, field, depth + 1);
                    }
                    self.is_part = is_part;
                }
                None if hidden.contains(&name) => {}
                None if self.is_form && has_fields_of(own, &name) => self.form_object(property, at, own, &name, depth),
                None => {
                    self.from.clear();
                    self.add(&at, format!("the field {name:?} is not in the draft"));
                }
            }
        }
        self.other_fields(schema, (&at, &from), own, depth);
    }

    /// Compares what is in an object or a list: it may be null in the draft if it may be null.
    fn field(&mut self, schema: &'a Value, at: String, own: &'a Value, depth: usize) {
        let is_any = resolve(self.ours, own).get("x-any").is_some();
        if !self.is_form && !is_any && is_nullable(self.theirs, schema) && !is_nullable(self.ours, own) {
            self.from.clear();
            self.add(&at, "null is not in the draft");
        }
        self.schema(schema, at, own, depth);
    }

    /// Compares lists of values.
    fn values(&mut self, schema: &'a Value, at: &str, own: &'a Value, ours: &BTreeSet<&str>) {
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let values = values(self.theirs, schema).into_iter().filter(|value| !value.is_null()).map(shown);
        let values = values.collect::<BTreeSet<_>>();
        let listed = own.get("enum").and_then(Value::as_array).into_iter().flatten().map(shown);
        let mut listed = listed.collect::<BTreeSet<_>>();
        if ours.contains("boolean") && values.len() == 2 {
            listed.extend(["true".to_owned(), "false".to_owned()]);
        }
        let is_other = |value: &Value| value.is_number() || value.is_boolean();
        let mut stated = schema.get("enum").and_then(Value::as_array).into_iter().flatten().chain(schema.get("const"));
        let became_text = schema.get("type").is_some() && ours.contains("string") && stated.any(is_other);
        if became_text || !values.is_subset(&listed) {
            self.add(at, "values of the list are not in the draft");
        }
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
        let objects = schemas.iter().filter(|(_, schema)| kinds(theirs, schema).contains("object"));
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
        // Lists and objects may contain themselves.
        if depth < MERGED_DEPTH {
            let items = schemas.iter().filter(|(_, schema)| schema.get("items").is_some());
            let items = items.map(|(at, _)| child(at, "items"));
            self.merge(&items.collect::<Vec<_>>(), is_union, depth + 1);
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
        let Some(own) = own.get("items") else { return };
        let all = items(self.theirs, schema, at);
        if all.len() > 1 {
            self.merge(&all.iter().map(|(at, _)| at.clone()).collect::<Vec<_>>(), true, 0);
        }
        for (at, items) in all {
            match items {
                Some(items) => self.field(items, at, own, depth + 1),
                None => self.add(&at, "the items are not described"),
            }
        }
    }

    /// Compares the fields beside those that are listed.
    fn other_fields(&mut self, schema: &'a Value, (at, from): (&str, &str), own: &'a Value, depth: usize) {
        from.clone_into(&mut self.from);
        let others = other_fields(self.theirs, schema, at);
        if others.len() > 1 {
            let locations = others.iter().map(|(at, _)| at.clone()).collect::<Vec<_>>();
            self.merge(&locations, true, 0);
            self.merged.insert(locations.into_iter().chain([child(at, "additionalProperties")]).collect());
        }
        for (at, schema) in others {
            match own.get("additionalProperties") {
                // A map of anything is one in the draft.
                Some(own) if import::states_something(schema) => self.field(schema, at, own, depth + 1),
                Some(_) => {}
                None => self.add(&at, "other fields are not in the draft"),
            }
        }
    }
}
