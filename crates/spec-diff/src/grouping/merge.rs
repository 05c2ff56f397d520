//! Equal findings, from several directions and locations, as one.

use std::collections::HashMap;

use openapi_document::pointer::Pointer;
use serde_json::Value;

use super::{
    labels,
    reachability::{Reach, reaches},
};
use crate::{
    classification::Group,
    compare::{COMPONENT_RENAMED, Comparison, EXTENSION_CHANGED, Finding},
    report::{Location, Member, Owner},
};

/// Equal findings, from several directions and locations.
pub(super) struct Merged<'a> {
    /// With their ids.
    pub(super) findings: Vec<(&'a Finding<'a>, String)>,
    pub(super) owner: Owner,
    pub(super) member: Member,
    pub(super) reach: Reach,
}

/// Joins equal findings about the same location.
pub(super) fn merge<'a>(comparison: &'a Comparison<'a>) -> Vec<Merged<'a>> {
    let reaches = reaches(&comparison.scopes);
    let mut indices: HashMap<_, usize> = HashMap::new();
    let mut all: Vec<Merged<'_>> = Vec::new();
    for finding in &comparison.findings {
        let id = finding.rule.id(finding.direction, finding.location, finding.what);
        let everywhere = finding.rule.name == EXTENSION_CHANGED.name;
        let (owner, member) = member(comparison, finding, everywhere);
        let pointer = |location: &Option<Location>| location.as_ref().map(ToString::to_string);
        let key = (
            finding.rule.name,
            finding.what,
            member.name.clone(),
            if everywhere { (None, None) } else { (pointer(&member.base), pointer(&member.revision)) },
            (json(&member.before), json(&member.after)),
        );
        let index = *indices.entry(key).or_insert_with(|| {
            all.push(Merged { findings: Vec::new(), owner, member, reach: Reach::new() });
            all.len() - 1
        });
        if let Some(merged) = all.get_mut(index) {
            if let Some(reach) = reaches.get(finding.scope) {
                merged.reach.extend(reach.iter().copied());
            }
            merged.findings.push((finding, id));
        }
    }
    all
}

pub(super) fn json(value: &Option<Value>) -> Option<String> {
    value.as_ref().map(Value::to_string)
}

fn member(comparison: &Comparison<'_>, finding: &Finding<'_>, everywhere: bool) -> (Owner, Member) {
    let location = |pointer: &Option<Pointer<'_>>| pointer.as_ref().map(location);
    let (owner, name) = match (&finding.revision, &finding.base) {
        (Some(pointer), _) => labels::location(&comparison.revision, pointer),
        (None, Some(pointer)) => labels::location(&comparison.base, pointer),
        (None, None) => (Owner::Document, String::new()),
    };
    let listed = finding.rule.group == Group::Components && finding.rule.name != COMPONENT_RENAMED.name;
    let owner = if everywhere || listed { Owner::Document } else { owner };
    let member = Member {
        name: finding.name.clone().unwrap_or(name),
        base: location(&finding.base),
        revision: location(&finding.revision),
        before: finding.before.clone(),
        after: finding.after.clone(),
    };
    (owner, member)
}

fn location(pointer: &Pointer<'_>) -> Location {
    let (file, text) = (pointer.file(), pointer.to_string());
    let within = text.get(file.map_or(0, |file| file.len() + 1)..).unwrap_or_default().to_owned();
    Location { file: file.map(str::to_owned), pointer: within, line: None, column: None }
}
