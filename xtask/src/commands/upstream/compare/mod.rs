//! The comparison: the vendor's operations, rewritten by our rules, beside ours. Only what is on the wire matters,
//! not the names of components.

mod media_types;
mod parameters;
mod security;

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{Operation, pointer::child, resolve};
use serde_json::Value;

use super::{
    Difference, access, operation_matching,
    plain::{kind, plain, schema_of, shown},
};
use crate::{
    codegen::open_enum,
    import::{self, Kind, Published},
};

/// All differences. The error says that there is nothing to compare.
pub(super) fn differences(ours: &Value, theirs: &Published) -> Result<Vec<Difference>, String> {
    // What core does by hand is described for people.
    let pairs = operation_matching::pairs(ours, theirs)
        .into_iter()
        .filter(|(own, _)| !own.is_sent_by_core())
        .collect::<Vec<_>>();
    let chosen = pairs.iter().filter_map(|(_, other)| other.as_ref()).map(clone_ref).collect::<Vec<_>>();
    if chosen.is_empty() {
        return Err(format!("{}: none of our operations is in it; is it this vendor's?", theirs.file));
    }
    let draft = import::convert(theirs, &chosen, "2000-01-01")?;
    let document = draft.document();
    let mut found = Comparison {
        ours,
        theirs: &document,
        differences: access::differences(ours, theirs, &draft),
        seen: BTreeSet::new(),
        sent: false,
    };
    for loss in draft.losses.iter().filter(|loss| loss.kind == Kind::Operation) {
        let own = pairs.iter().find(|(_, other)| other.as_ref().is_some_and(|other| other.pointer == loss.at));
        let at = own.map_or(loss.at.as_str(), |(own, _)| own.pointer.as_str());
        found.add(at, "operation", format!("the vendor's cannot be compared: {}", loss.text));
    }
    for (own, other) in &pairs {
        match other {
            None => found.add(&own.pointer, "operation-extra", "the vendor's file has no such operation".to_owned()),
            Some(other) => {
                if !operation_matching::same_place(ours, theirs, own, other) {
                    let text = format!("the vendor has it as {}", operation_matching::method_and_path(other));
                    found.add(&own.pointer, "path", text);
                }
                found.successes(own, other);
                found.media_types(own, (theirs, other));
                found.security(own, (theirs, other));
                if let Some(drafted) = draft.operations.iter().find(|drafted| drafted.at == other.pointer) {
                    found.operation(own, &drafted.value, &drafted.path);
                }
            }
        }
    }
    // Of a type that is sent and received, what is required matters where it is sent.
    let sent = found.differences.iter().filter(|one| one.kind == "optional-request").map(|one| one.at.clone());
    let sent = sent.collect::<BTreeSet<_>>();
    found.differences.retain(|one| one.kind != "optional" || !sent.contains(&one.at));
    Ok(found.differences)
}

fn clone_ref<'a>(operation: &Operation<'a>) -> Operation<'a> {
    Operation { pointer: operation.pointer.clone(), ..*operation }
}

struct Comparison<'a> {
    ours: &'a Value,
    /// The vendor's, rewritten.
    theirs: &'a Value,
    differences: Vec<Difference>,
    /// Pairs of components that were compared, and in which direction.
    seen: BTreeSet<(String, String, bool)>,
    /// What is compared is sent by the client.
    sent: bool,
}

impl<'a> Comparison<'a> {
    fn add(&mut self, at: &str, kind: &'static str, text: String) {
        self.differences.push(Difference { at: at.to_owned(), kind, text });
    }

    /// Of an operation or a parameter.
    fn deprecation(&mut self, own: bool, other: &Value, at: &str) {
        match (own, other.get("deprecated") == Some(&Value::Bool(true))) {
            (false, true) => self.add(at, "deprecated", "the vendor says that it is deprecated".to_owned()),
            (true, false) => self.add(at, "deprecated", "deprecated here, not at the vendor's".to_owned()),
            _ => {}
        }
    }

    fn operation(&mut self, own: &Operation<'a>, other: &'a Value, template: &str) {
        let at = own.pointer.clone();
        self.deprecation(own.flag("deprecated"), other, &at);
        self.parameters(own, other, template);
        let (ours, theirs) = (self.ours, self.theirs);
        let body = own.body(ours).and_then(schema_of);
        match (body, other.get("requestBody").and_then(schema_of)) {
            (Some(own), Some(other)) => {
                self.sent = true;
                self.schema(own, other, &child(&at, "requestBody"));
                self.sent = false;
            }
            (Some(_), None) => {
                self.add(&child(&at, "requestBody"), "body-extra", "the vendor takes no body".to_owned())
            }
            (None, Some(_)) => self.add(&at, "body-missing", "the vendor takes a body".to_owned()),
            (None, None) => {}
        }
        let answers = own.responses(ours).into_iter().collect::<BTreeMap<_, _>>();
        let others = other.get("responses").and_then(Value::as_object).into_iter().flatten();
        let others =
            others.map(|(status, answer)| (status.as_str(), resolve(theirs, answer))).collect::<BTreeMap<_, _>>();
        let at = child(&at, "responses");
        for status in others.keys().filter(|status| !answers.contains_key(**status) && !covered(&answers, status)) {
            self.add(&at, "status-missing", format!("the vendor documents {status}"));
        }
        for status in answers.keys().filter(|status| !others.contains_key(**status) && !covered(&others, status)) {
            self.add(&child(&at, status), "status-extra", "the vendor does not document it".to_owned());
        }
        let success = |all: &BTreeMap<&str, &'a Value>| {
            let mut successes = all.iter().filter(|(status, _)| status.starts_with('2'));
            successes.next().map(|(status, answer)| ((*status).to_owned(), *answer))
        };
        let download = own.flag("x-download");
        let download_there = other.get("x-download").is_some();
        if let (Some((status, own)), Some((_, other))) = (success(&answers), success(&others)) {
            let place = child(&at, &status);
            match (schema_of(own), schema_of(other)) {
                // Of a file's bytes nothing is described.
                (Some(_), Some(_)) if download => {
                    if !download_there {
                        self.add(&place, "type", "a file here, JSON at the vendor's".to_owned());
                    }
                }
                (Some(own), Some(other)) => self.schema(own, other, &place),
                (Some(_), None) => self.add(&place, "answer-extra", "the vendor documents no body".to_owned()),
                (None, Some(_)) => self.add(&place, "answer-missing", "the vendor documents a body".to_owned()),
                (None, None) => {}
            }
        }
    }

    /// The vendor's statuses of success that we do not name. The draft holds only one of them.
    fn successes(&mut self, own: &Operation<'_>, other: &Operation<'_>) {
        let ours = own.responses(self.ours).into_iter().map(|(status, _)| status.to_uppercase()).collect::<Vec<_>>();
        let stated = other.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        for status in stated.map(|(status, _)| status.to_uppercase()).filter(|status| status.starts_with('2')) {
            if status != "2XX" && !ours.contains(&status) && !ours.iter().any(|own| own == "2XX") {
                let text = format!("the vendor documents the success {status}");
                self.add(&child(&own.pointer, "responses"), "status-missing", text);
            }
        }
    }

    fn required(&mut self, own: bool, other: bool, at: &str) {
        match (own, other) {
            (true, false) => self.add(at, "required", "required here, optional at the vendor's".to_owned()),
            (false, true) if self.sent => {
                let text = "optional here, required at the vendor's: requests without it are refused";
                self.add(at, "optional-request", text.to_owned());
            }
            (false, true) => self.add(at, "optional", "optional here, required at the vendor's".to_owned()),
            _ => {}
        }
    }

    /// Two schemas, ours first.
    fn schema(&mut self, own: &'a Value, other: &'a Value, at: &str) {
        let (own, other) = (plain(self.ours, own), plain(self.theirs, other));
        let site = at;
        let at = match &own.component {
            Some(component) => component.trim_start_matches('#').to_owned(),
            None => at.to_owned(),
        };
        if let (Some(own), Some(other)) = (&own.component, &other.component)
            && !self.seen.insert((own.clone(), other.clone(), self.sent))
        {
            return;
        }
        match (kind(own.schema), kind(other.schema)) {
            ("any", "any") => {}
            ("any", theirs) => self.add(&at, "free-form", format!("any JSON here, {theirs} at the vendor's")),
            ("map", "object") if own.schema.get("additionalProperties") == Some(&Value::Bool(true)) => {
                self.add(&at, "free-form", "any object here, one with listed fields at the vendor's".to_owned());
            }
            (_, "any") => {
                self.add(&at, "unstated", format!("the vendor does not say that it is {}", shown(own.schema)))
            }
            ("object", "object") => self.objects(own.schema, other.schema, &at),
            ("map", "map") => {
                let values = |schema: &'a Value| schema.get("additionalProperties").filter(|values| values.is_object());
                if let (Some(own), Some(other)) = (values(own.schema), values(other.schema)) {
                    self.schema(own, other, &child(&at, "additionalProperties"));
                }
            }
            ("array", "array") => {
                if let (Some(own), Some(other)) = (own.schema.get("items"), other.schema.get("items")) {
                    self.schema(own, other, &child(&at, "items"));
                }
            }
            ("object", "map") if other.schema.get("additionalProperties") == Some(&Value::Bool(true)) => {
                self.add(&at, "unstated", "the vendor does not say which fields it has".to_owned());
            }
            (one, two) if one == two => self.scalars(own.schema, other.schema, &at),
            _ => {
                // The component may be right for others that refer to it.
                let text = format!("{} here, {} at the vendor's", shown(own.schema), shown(other.schema));
                self.add(site, "type", text);
            }
        }
    }

    fn objects(&mut self, own: &'a Value, other: &'a Value, at: &str) {
        let fields = |schema: &'a Value| schema.get("properties").and_then(Value::as_object);
        let (Some(own_fields), Some(other_fields)) = (fields(own), fields(other)) else { return };
        let required = |schema: &Value, name: &str| {
            schema.get("required").and_then(Value::as_array).is_some_and(|all| all.iter().any(|one| one == name))
        };
        let place = child(at, "properties");
        for (name, field) in own_fields {
            let at = child(&place, name);
            let Some(theirs) = other_fields.get(name) else {
                self.add(&at, "field-extra", "the vendor does not document it".to_owned());
                continue;
            };
            self.required(required(own, name), required(other, name), &at);
            let null = (plain(self.ours, field).nullable, plain(self.theirs, theirs).nullable);
            // Absent and null are the same to a reader: it matters only where neither is expected, and in requests.
            match null {
                (false, true) if self.sent || required(own, name) => {
                    self.add(&at, "nullable", "the vendor says that it may be null".to_owned());
                }
                (true, false) if self.sent => {
                    self.add(&at, "nullable", "may be null here, and not at the vendor's".to_owned());
                }
                _ => {}
            }
            self.schema(field, theirs, &at);
        }
        for (name, field) in other_fields.iter().filter(|(name, _)| !own_fields.contains_key(*name)) {
            let need = if required(other, name) { ", required" } else { "" };
            let text = format!("the vendor has {name:?} ({}{need})", shown(plain(self.theirs, field).schema));
            self.add(at, "field-missing", text);
        }
    }

    fn scalars(&mut self, own: &Value, other: &Value, at: &str) {
        let listed = |schema: &Value| schema.get("enum").is_some();
        match (listed(own), listed(other)) {
            (true, true) => {
                let (ours, theirs) = (open_enum::values(own), open_enum::values(other));
                let lacking = |all: &[&str], of: &[&str]| {
                    let lacking = all.iter().filter(|value| !of.contains(value)).map(|value| format!("{value:?}"));
                    lacking.collect::<Vec<_>>().join(", ")
                };
                let (missing, extra) = (lacking(&theirs, &ours), lacking(&ours, &theirs));
                if !missing.is_empty() {
                    self.add(at, "enum-missing", format!("the vendor lists {missing}"));
                }
                if !extra.is_empty() {
                    self.add(at, "enum-extra", format!("the vendor does not list {extra}"));
                }
            }
            (false, true) => {
                let values = open_enum::values(other).join(", ");
                self.add(at, "enum-missing", format!("any text here, a list at the vendor's: {values}"));
            }
            (true, false) => self.add(at, "enum-unstated", "a list here, any text at the vendor's".to_owned()),
            (false, false) => {
                let format = |schema: &Value| match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
                    // It reads what `date-time` reads, and more.
                    "lenient-date-time" => "date-time".to_owned(),
                    other => other.to_owned(),
                };
                let (one, two) = (format(own), format(other));
                if one != two {
                    let named =
                        |format: &str| if format.is_empty() { "no format".to_owned() } else { format.to_owned() };
                    self.add(at, "format", format!("{} here, {} at the vendor's", named(&one), named(&two)));
                }
            }
        }
    }
}

/// Whether a status is documented by its class or by `default`.
fn covered(all: &BTreeMap<&str, &Value>, status: &str) -> bool {
    let class = status.get(..1).map(|digit| format!("{digit}XX")).unwrap_or_default();
    let success = status.starts_with('2') && all.keys().any(|other| other.starts_with('2'));
    all.contains_key("default") && !status.starts_with('2')
        || status == "default"
        || all.contains_key(class.as_str())
        || success
}
