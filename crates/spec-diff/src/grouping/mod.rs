//! From what differs to what is worth reading: one finding per owner and rule, with all members and operations.

mod labels;
mod level;
mod merge;
mod reachability;
mod repeated;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use openapi_document::{DocumentTree, pointer::Pointer, text};
use serde_json::Value;
use sha2::{Digest, Sha256};

use level::{Users, level};
use merge::{Merged, json, merge};
use reachability::Reach;

use crate::{
    classification::{Bump, Direction, Group, Level, MessagePart, Role},
    compare::{Comparison, Finding},
    report::{Change, Member, OperationRef, Report, TouchedOperation, Version},
    rule::Rule,
};

/// The number of members that a message lists, and of letters of a value.
const MEMBERS: usize = 10;
const LETTERS: usize = 80;

/// Makes the report of a comparison.
pub(crate) fn report(comparison: Comparison<'_>) -> Report {
    let mut groups: BTreeMap<_, Vec<Merged<'_>>> = BTreeMap::new();
    let mut all = merge(&comparison);
    repeated::join(&mut all);
    for merged in all {
        let level = |finding: &Finding<'_>, id: &str, users| level(finding, id, users, comparison.options);
        let worst = merged
            .findings
            .iter()
            .max_by_key(|(finding, id)| (level(finding, id, Users::Stable), finding.direction, finding.location, id));
        let Some((worst, id)) = worst else { continue };
        let is_both = merged.findings.iter().any(|(finding, _)| finding.direction != worst.direction);
        let direction = if is_both { Direction::Both } else { worst.direction };
        let level = std::cmp::Reverse(level(worst, id, users(&comparison, &merged)));
        let key = (level, merged.owner.clone(), id.clone(), direction, worst.location);
        groups.entry(key).or_default().push(merged);
    }
    let changes: Vec<_> = groups
        .into_iter()
        .filter_map(|((level, _, id, direction, location), group)| {
            change(&comparison, (id, level.0, direction, location), group)
        })
        .collect();
    Report {
        api: comparison.options.api.clone(),
        base: version(&comparison.base),
        revision: version(&comparison.revision),
        wire: changes.iter().map(|change| change.level).max().unwrap_or_default(),
        source: changes.iter().map(|change| change.source).max().unwrap_or_default(),
        docs_changed: comparison.docs_changed,
        operations_compared: comparison.operations.len(),
        operations: touched(&comparison, &changes),
        changes,
    }
}

/// Returns which operations it reaches.
fn users(comparison: &Comparison<'_>, merged: &Merged<'_>) -> Users {
    let is_unstable =
        |(number, _): &(usize, Role)| comparison.operations.get(*number).is_some_and(|known| known.unstable);
    if is_unreferenced(comparison, merged) {
        Users::None
    } else if !merged.reach.is_empty() && merged.reach.iter().all(is_unstable) {
        Users::Unstable
    } else {
        Users::Stable
    }
}

/// Returns whether it is about data of which the document does not state that it is sent.
fn is_unreferenced(comparison: &Comparison<'_>, merged: &Merged<'_>) -> bool {
    let is_data =
        merged.findings.iter().any(|(finding, _)| finding.location.is_some() || finding.rule.is_about_messages());
    is_data && merged.reach.is_empty() && !comparison.is_alone
}

/// Returns whether it is about a property that was removed, and that the revision still has at the same location: a reference
/// changed.
fn is_replaced(comparison: &Comparison<'_>, merged: &Merged<'_>) -> bool {
    merged.findings.iter().all(|(finding, _)| {
        let is_there = |at: &Pointer<'_>| comparison.revision.node(&at.steps()).is_some();
        finding.rule.group == Group::Properties
            && finding.revision.is_none()
            && finding.base.as_ref().is_some_and(is_there)
    })
}

/// Returns one change of the findings that share owner, id, level and direction.
fn change(
    comparison: &Comparison<'_>,
    (id, level, direction, location): (String, Level, Direction, Option<MessagePart>),
    group: Vec<Merged<'_>>,
) -> Option<Change> {
    let first = group.first()?;
    let note = if group.iter().all(|merged| is_unreferenced(comparison, merged)) {
        " (no operation refers to it)"
    } else if group.iter().all(|merged| is_replaced(comparison, merged)) {
        " (the schema still has it; another one is used in its place)"
    } else {
        ""
    };
    let (finding, _) = first.findings.first()?;
    let (rule, owner, what) = (finding.rule, first.owner.clone(), finding.what);
    let reach: Reach = group.iter().flat_map(|merged| merged.reach.iter().copied()).collect();
    let operations: BTreeSet<OperationRef> = reach
        .iter()
        .filter_map(|(number, _)| comparison.operations.get(*number))
        .map(|operation| operation.reference())
        .collect();
    let roles: BTreeSet<_> = reach.iter().map(|(_, role)| *role).collect();
    let mut members: Vec<_> = group.into_iter().map(|merged| merged.member).collect();
    members.sort_by_cached_key(|member| (member.name.clone(), json(&member.before), json(&member.after)));
    let mut change = Change {
        id,
        rule: rule.name,
        group: rule.group,
        level,
        direction,
        location,
        owner,
        members,
        operations: operations.into_iter().collect(),
        roles: roles.into_iter().collect(),
        source: if rule.group == Group::Unknown && level == Level::None { Bump::Patch } else { rule.source },
        message: String::new(),
        fingerprint: String::new(),
    };
    change.message = message(&change, rule, what) + note;
    change.fingerprint = fingerprint(&comparison.options.api, &change);
    Some(change)
}

/// Returns the message: `Customer, in responses: age integer/int32 → integer/int64: more values are allowed`
fn message(change: &Change, rule: &Rule, what: &str) -> String {
    let direction = match change.direction {
        Direction::Request => ", in requests",
        Direction::Response => ", in responses",
        Direction::Both => ", in requests and responses",
        Direction::None => "",
    };
    let excerpt = |text: &str| text::excerpt(text, LETTERS);
    let short = |value: &Value| value.as_str().map_or_else(|| excerpt(&value.to_string()), excerpt);
    let member = |member: &Member| {
        let values = match (&member.before, &member.after) {
            (Some(before), Some(after)) => format!("{} → {}", short(before), short(after)),
            (Some(value), None) | (None, Some(value)) => short(value),
            (None, None) => String::new(),
        };
        match (member.name.is_empty(), values.is_empty()) {
            (false, false) => format!("{} ({values})", excerpt(&member.name)),
            (false, true) => excerpt(&member.name),
            (true, _) => values,
        }
    };
    let mut members: Vec<_> = change.members.iter().map(member).filter(|text| !text.is_empty()).collect();
    // Findings about the owner itself have no name that distinguishes them.
    members.dedup();
    let more = members.len().saturating_sub(MEMBERS);
    members.truncate(MEMBERS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let members = if members.is_empty() { String::new() } else { format!(": {}{more}", members.join(", ")) };
    let what = if what.is_empty() || rule.group != Group::Constraints { String::new() } else { format!(" ({what})") };
    format!("{}{direction}{members}: {}{what}", change.owner, rule.help_for(change.direction))
}

fn fingerprint(api: &str, change: &Change) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    };
    add(api);
    add(&change.id);
    add(&change.owner.label());
    for member in &change.members {
        add(&member.name);
        add(&json(&member.before).unwrap_or_default());
        add(&json(&member.after).unwrap_or_default());
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn touched(comparison: &Comparison<'_>, changes: &[Change]) -> Vec<TouchedOperation> {
    let mut levels: BTreeMap<&OperationRef, Level> = BTreeMap::new();
    for change in changes {
        for operation in &change.operations {
            let level = levels.entry(operation).or_default();
            *level = change.level.max(*level);
        }
    }
    let ids: HashMap<_, _> =
        comparison.operations.iter().map(|operation| (operation.reference(), operation.id())).collect();
    let touched = |(operation, level): (&OperationRef, Level)| TouchedOperation {
        method: operation.method.clone(),
        path: operation.path.clone(),
        operation_id: ids.get(operation).copied().flatten().map(str::to_owned),
        level,
    };
    levels.into_iter().map(touched).collect()
}

fn version(document: &DocumentTree<'_>) -> Version {
    let root = document.root();
    let info = root.get("info");
    let text = |key| info.as_ref().and_then(|info| info.text(key)).unwrap_or_default().to_owned();
    Version {
        title: text("title"),
        version: text("version"),
        openapi: root.text("openapi").unwrap_or_default().to_owned(),
    }
}
