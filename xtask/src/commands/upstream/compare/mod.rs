//! The comparison: the vendor's operations, rewritten by our rules, beside ours, by spec-diff. Only what is on the wire
//! matters, not the names of components.

mod align;
mod media_types;
mod security;

use std::collections::BTreeMap;

use openapi_document::{Operation, pointer::child};
use serde_json::{Value, json};
use spec_diff::{
    Change, Level, Location, Member, Options, Role,
    rules::{Group, rule},
};

use super::access;
use crate::{
    import::{self, Kind, Published},
    upstream::{self, Difference},
};

/// Groups that generated documents lack, or that other files here compare.
const OTHER_GROUPS: [Group; 6] =
    [Group::Components, Group::Constraints, Group::Defaults, Group::Headers, Group::Security, Group::Servers];
const OTHER_RULES: [&str; 5] = [
    "content-changed",
    "request-body-media-type-added",
    "request-body-media-type-removed",
    "response-media-type-added",
    "response-media-type-removed",
];
/// Of errors, generated documents have the statuses only.
const ERROR_STATUS_RULES: [&str; 2] = ["response-non-success-status-added", "response-non-success-status-removed"];
/// The rule for differences that spec-diff does not compare; they may concern the document as a whole.
const UNKNOWN: &str = "unknown-change";
/// Values of an enum that a text states.
const LONGEST_ENUM: usize = 100;

/// Returns all differences. The error states that there is nothing to compare.
pub(super) fn differences(ours: &Value, theirs: &Published) -> Result<Vec<Difference>, String> {
    // Operations of the runtime are described for readers only.
    let mut pairs = upstream::pairs(ours, theirs);
    pairs.retain(|(own, _)| !own.is_sent_by_core());
    let chosen = pairs.iter().filter_map(|(_, other)| other.as_ref()).map(clone_ref).collect::<Vec<_>>();
    if chosen.is_empty() {
        return Err(format!("{}: none of our operations is in it; is it this vendor's?", theirs.file));
    }
    let draft = import::convert(theirs, &chosen, "2000-01-01")?;
    let mut found = Comparison { ours, differences: access::differences(ours, theirs, &draft) };
    for loss in draft.losses.iter().filter(|loss| loss.kind == Kind::Operation) {
        let own = pairs.iter().find(|(_, other)| other.as_ref().is_some_and(|other| other.pointer == loss.at));
        let at = own.map_or(loss.at.as_str(), |(own, _)| own.pointer.as_str());
        found.add(at, "operation", format!("the vendor's cannot be compared: {}", loss.text));
    }
    // Both documents with the operations that both have, at our paths.
    let (mut base, mut revision) = (ours.clone(), draft.document());
    (base["paths"], revision["paths"]) = (json!({}), json!({}));
    for (own, other) in &pairs {
        let Some(other) = other else {
            found.add(&own.pointer, "operation-extra", "the vendor's file has no such operation".to_owned());
            continue;
        };
        if !upstream::same_address(ours, theirs, own, other) {
            let text = format!("the vendor has it as {}", upstream::method_and_path(other));
            found.add(&own.pointer, "path", text);
        }
        found.successes(own, other);
        found.media_types(own, (theirs, other));
        found.security(own, (theirs, other));
        if let Some(drafted) = draft.operations.iter().find(|drafted| drafted.at == other.pointer) {
            let (mut here, mut there) = (own.value.clone(), drafted.value());
            here.insert("parameters".to_owned(), own.parameters(ours).into_iter().cloned().collect());
            found.separators(own, &there);
            align::align(&mut here, &mut there, ours);
            base["paths"][own.path][own.method] = Value::Object(here);
            revision["paths"][align::with_names(own.path, &drafted.path)][own.method] = there;
        }
    }
    [&mut base, &mut revision].into_iter().for_each(align::mark);
    let options = Options { ignored_extensions: vec!["x-*".to_owned()], ..Options::default() };
    let report = spec_diff::diff(&base, &revision, &options).map_err(|error| error.to_string())?;
    found.changes(&report.changes, &base, &revision);
    Ok(found.differences)
}

fn clone_ref<'a>(operation: &Operation<'a>) -> Operation<'a> {
    Operation { pointer: operation.pointer.clone(), ..*operation }
}

struct Comparison<'a> {
    ours: &'a Value,
    differences: Vec<Difference>,
}

impl Comparison<'_> {
    fn add(&mut self, at: &str, kind: &str, text: String) {
        self.differences.push(Difference { at: at.to_owned(), kind: kind.to_owned(), text });
    }

    /// Adds what spec-diff found, with ours as the base: one difference for each location and id.
    fn changes(&mut self, changes: &[Change], base: &Value, revision: &Value) {
        for change in changes.iter().filter(|change| is_compared(change)) {
            let mut by_place = BTreeMap::<String, Vec<String>>::new();
            // Ours may be any string where the vendor has one value.
            let is_stricter = |member: &&Member| {
                let at = member.revision.as_ref().filter(|_| change.id.ends_with("-became-enum"));
                !at.is_some_and(|at| align::is_always(revision, &at.pointer))
            };
            for member in change.members.iter().filter(is_stricter) {
                let at = match (&member.base, &member.revision) {
                    (Some(at), _) => by_name(base, &at.pointer),
                    // The comparison as a whole.
                    (None, None) => "/".to_owned(),
                    (None, Some(at)) => by_name(revision, &at.pointer),
                };
                let here = value("here", member.before.as_ref(), base, member.base.as_ref());
                let there = value("at the vendor's", member.after.as_ref(), revision, member.revision.as_ref());
                // Only the name states what is unknown.
                let name = Some(member.name.clone()).filter(|name| change.rule == UNKNOWN && !name.is_empty());
                let values = [name, here, there].into_iter().flatten().collect::<Vec<_>>().join(", ");
                by_place.entry(at).or_default().push(values);
            }
            let help = rule(change.rule).map(|rule| rule.help_for(change.direction)).unwrap_or_default();
            for (at, values) in by_place {
                let values = values.join("; ");
                let text = if values.is_empty() { help.to_string() } else { format!("{help}: {values}") };
                self.add(&at, &change.id, align::unmarked(&text));
            }
        }
    }

    /// Compares the separators of arrays that are sent as one string, where the descriptions of both parameters state one.
    fn separators(&mut self, own: &Operation<'_>, other: &Value) {
        let stated = other["parameters"].as_array().into_iter().flatten();
        let stated = stated.filter_map(|parameter| Some((parameter, import::separator(parameter)?)));
        for (parameter, there) in stated {
            let same = |own: &&Value| ["in", "name"].iter().all(|key| own[*key] == parameter[*key]);
            if let Some(here) = own.parameters(self.ours).into_iter().find(same).and_then(import::separator)
                && here != there
            {
                let at = child(&child(&own.pointer, "parameters"), parameter["name"].as_str().unwrap_or_default());
                self.add(&at, "separator", format!("joined by {here} here, by {there} at the vendor's"));
            }
        }
    }

    /// Reports the vendor's statuses of success that we do not name. The draft holds only one of them.
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
}

/// Returns the text of a value. Of a list of the values of an enum, spec-diff has the first ones.
fn value(side: &str, value: Option<&Value>, root: &Value, at: Option<&Location>) -> Option<String> {
    let value = value?;
    let listed = at.filter(|_| value.is_array()).and_then(|at| root.pointer(&child(&at.pointer, "enum"))?.as_array());
    match listed {
        Some(all) if all.len() <= LONGEST_ENUM => Some(format!("{} {side}", json!(all))),
        Some(all) => Some(format!("{value} and others, {} in all, {side}", all.len())),
        None => Some(format!("{value} {side}")),
    }
}

/// Returns whether a change is on the wire and in both documents, or limits what was compared. Null in place of a value is
/// read wherever the vendor does not state it.
fn is_compared(change: &Change) -> bool {
    let is_of_errors = change.roles == [Role::Error] && !ERROR_STATUS_RULES.contains(&change.rule);
    // A component that nothing uses has no name there.
    let is_unknown = change.rule == UNKNOWN && change.members.iter().any(|member| !member.name.is_empty());
    (change.level > Level::None || change.group == Group::TypeFormat)
        && !OTHER_GROUPS.contains(&change.group)
        && (!change.operations.is_empty() || is_unknown)
        && !is_of_errors
        && !OTHER_RULES.contains(&change.rule)
        && change.id != "response-property-became-not-nullable"
}

/// Returns a pointer with the name of a parameter instead of its index: `/paths/~1orders/get/parameters/query/since`.
fn by_name(root: &Value, pointer: &str) -> String {
    let parameter = pointer.split_once("/parameters/").and_then(|(operation, below)| {
        let (index, rest) = below.split_once('/').unwrap_or((below, ""));
        let all = child(operation, "parameters");
        let stated = root.pointer(&child(&all, index))?;
        let pointer = child(&child(&all, stated["in"].as_str()?), stated["name"].as_str()?);
        Some(if rest.is_empty() { pointer } else { format!("{pointer}/{rest}") })
    });
    parameter.filter(|_| pointer.starts_with("/paths/")).unwrap_or_else(|| pointer.to_owned())
}
