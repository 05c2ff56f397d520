//! Comparison of sent usage with the groups of Suger and the reports to the marketplaces: a pure function.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, SubsecRound, Utc};
use usage_billing_core::{Decimal, Result, printable};

use super::reconciliation::State;
use super::reported::ReportIndex;
use crate::memory_limit::MemoryLimit;
use crate::suger::types::{MeteringUsageRecordGroup as Group, MeteringUsageRecordReport as Report};
use crate::suger::usage::carried::Fractions;
use crate::suger::usage::groups::{canonical_id_in, id_in, name_of, too_long, used_at};
use crate::suger::usage::quantities::{
    billed, differences, dimensions, is_same_quantity, is_void, original_records, quantities_of, quantity,
};
use crate::suger::{ReconciledQuantity, Reconciliation, UsageEvent};

/// Compares events with groups: first by id; then the rest (sent in a batch, or by another program) by entitlement,
/// timestamp and dimension, added up. Each event and each group counts once, however often it is given. Of several
/// events with one id, one is paired with the group. A group that is `INVALID` or `DELETED` counts as nothing.
///
/// Pass groups of the same entitlements and days as the events, because all others are extra. Pass the usage record
/// reports in which they were sent to the marketplaces, because a group without its report is pending. A report states
/// the sum of all its groups. A group is therefore pending too if its report does not name all groups that name it, or
/// names groups that are not given, such as those of another month. So is a group in several reports that are not void.
/// Pass later reports as well, which bill fractions of units.
/// [`Client::reconcile`](crate::suger::Client::reconcile) lists what is needed.
///
/// Quantities are compared as they were reported, before the dimension mapping of Suger (`metaInfo.originRecords`).
/// Events of billable metrics, which a [`UsageEvent`] cannot have, are extra.
///
/// # Errors
/// [`ErrorKind::Decode`](crate::ErrorKind::Decode) for a group without any time, or a sum of more than 28 digits.
pub fn reconcile(org_id: &str, sent: &[UsageEvent], groups: &[Group], reports: &[Report]) -> Result<Reconciliation> {
    let (mut fractions, mut memory) = (Fractions::default(), MemoryLimit::new(usize::MAX));
    reports.iter().try_for_each(|report| fractions.add(report, |_| true, &mut memory))?;
    compare(org_id, sent, groups, &[], reports, fractions)
}

/// Compares events with groups. `others` are groups that are in the same reports, and are not compared. `fractions` are
/// those of all reports of the entitlements.
pub(super) fn compare(
    org_id: &str,
    sent: &[UsageEvent],
    groups: &[Group],
    others: &[Group],
    reports: &[Report],
    fractions: Fractions,
) -> Result<Reconciliation> {
    let by_id: BTreeMap<String, &Group> =
        groups.iter().filter_map(|group| Some((canonical_id_in(&group.id)?, group))).collect();
    let without_id = || groups.iter().filter(|group| id_in(&group.id).is_none());
    let reported = ReportIndex::new(reports, fractions, by_id.values().copied().chain(without_id()).chain(others));
    let (mut found, mut unpaired, mut paired) = (Vec::new(), Vec::new(), HashSet::new());
    let mut sent_by_id: BTreeMap<String, BTreeMap<_, &UsageEvent>> = BTreeMap::new();
    for event in sent {
        sent_by_id.entry(event.id(org_id).to_string()).or_default().insert(event.quantities(), event);
    }
    for (id, same_id) in sent_by_id {
        let mut events: Vec<_> = same_id.into_values().collect();
        if let Some(group) = by_id.get(&id).filter(|group| may_be_of(group, &events)) {
            // Suger has one group, whatever was sent with its id.
            let there = billed(group)?;
            let index = events.iter().position(|event| differences(event.quantities(), &there).next().is_none());
            found.extend(pair(events.swap_remove(index.unwrap_or(0)), group, &there, &reported)?);
            paired.insert(id);
        }
        unpaired.append(&mut events);
    }
    let others = by_id.into_iter().filter(|(id, _)| !paired.contains(id)).map(|(_, group)| group);
    found.extend(by_usage(&unpaired, others.chain(without_id()), &reported)?);
    found.sort_by_cached_key(|(one, _)| (one.entitlement_id.clone(), one.timestamp, one.dimension.clone()));
    let mut all = Reconciliation::default();
    found.into_iter().for_each(|(one, state)| all.note(one, state));
    Ok(all)
}

/// Returns whether a group with the id of events can belong to one of them: it must not be usage of another
/// entitlement.
fn may_be_of(group: &Group, events: &[&UsageEvent]) -> bool {
    let entitlement = id_in(&group.entitlement_id);
    entitlement.is_none_or(|entitlement| events.iter().any(|event| event.entitlement_id() == entitlement))
}

/// Returns why a group with other quantities cannot be compared with the sent usage, if it cannot.
fn incomparable(group: &Group) -> Result<Option<String>> {
    if is_void(group) {
        return Ok(None);
    }
    if id_in(&group.entitlement_id).is_none() {
        return Ok(Some("Suger: the group has no entitlement".to_owned()));
    }
    if original_records(group).is_some() {
        return Ok(None);
    }
    let there = quantities_of(group)?;
    let dimensions: Vec<_> = there.keys().take(MAX_NAMED).map(|dimension| printable(dimension).to_string()).collect();
    let dimensions = if dimensions.is_empty() { "none".to_owned() } else { dimensions.join(", ") };
    Ok(Some(format!("Suger: the group does not state what was reported (its dimensions: {dimensions})")))
}

/// Maximum number of dimensions that a message names.
const MAX_NAMED: usize = 10;

/// Compares an event with the group that has its id, and with its quantities that may be billed.
fn pair(
    event: &UsageEvent,
    group: &Group,
    there: &BTreeMap<String, Decimal>,
    reported: &ReportIndex<'_>,
) -> Result<Vec<(ReconciledQuantity, State)>> {
    let is_same = id_in(&group.entitlement_id).is_some() && differences(event.quantities(), there).next().is_none();
    let incomparable = if is_same { None } else { incomparable(group)? };
    let reconcile_dimension = |dimension: &String| {
        let (state, reasons) = match &incomparable {
            Some(reasons) => (State::NotComparable, vec![reasons.clone()]),
            None => reported.state(group, dimension),
        };
        let quantity = ReconciledQuantity {
            entitlement_id: event.entitlement_id().to_owned(),
            timestamp: event.timestamp(),
            dimension: dimension.clone(),
            sent: quantity(event.quantities(), dimension),
            vendor: quantity(there, dimension),
            group_id: group.id.clone(),
            status: group.status.clone(),
            report_id: reported.report_of(group).and_then(|report| report.id.clone()),
            reasons,
        };
        (quantity, state)
    };
    Ok(dimensions(event.quantities(), there).map(reconcile_dimension).collect())
}

/// Compares events and groups without a counterpart by id.
fn by_usage<'a>(
    events: &[&UsageEvent],
    groups: impl Iterator<Item = &'a Group>,
    reported: &ReportIndex<'_>,
) -> Result<Vec<(ReconciledQuantity, State)>> {
    let mut sums: BTreeMap<(&str, DateTime<Utc>, String), ComparedSums<'_>> = BTreeMap::new();
    let sent: BTreeSet<_> = events.iter().map(|event| (event.entitlement_id(), event.timestamp())).collect();
    for event in events {
        for (dimension, quantity) in event.quantities() {
            let key = (event.entitlement_id(), event.timestamp(), dimension.clone());
            let sums = sums.entry(key).or_default();
            sums.sent = sums.sent.checked_add(*quantity).ok_or_else(|| too_long("the events"))?;
        }
    }
    let mut incomparables = BTreeMap::new();
    for group in groups {
        let there = billed(group)?;
        let timestamp = used_at(group)?.trunc_subsecs(0);
        let key = (group.entitlement_id.as_deref().unwrap_or_default(), timestamp);
        // Events of billable metrics are not mapped dimensions.
        if sent.contains(&key)
            && !group.records.is_empty()
            && let Some(reasons) = incomparable(group)?
        {
            incomparables.insert(key, reasons);
        }
        for dimension in quantities_of(group)?.into_keys() {
            let quantity = quantity(&there, &dimension);
            let key = (group.entitlement_id.as_deref().unwrap_or_default(), timestamp, dimension);
            let sums = sums.entry(key).or_default();
            sums.vendor = sums.vendor.checked_add(quantity).ok_or_else(|| too_long(&name_of(group)))?;
            sums.groups.push(group);
        }
    }
    let different = sums.iter().filter(|(_, sums)| !is_same_quantity(sums.sent, sums.vendor));
    let different: HashSet<_> = different.map(|(key, _)| (key.0, key.1)).collect();
    incomparables.retain(|key, _| different.contains(key));
    let reconcile_sums = |((entitlement_id, timestamp, dimension), sums): ((&str, _, String), ComparedSums<'_>)| {
        let only = sums.groups.first().filter(|_| sums.groups.len() == 1);
        // Void groups do not affect the state of the others in one quantity.
        let counted = sums.groups.iter().filter(|group| !is_void(group));
        let states: Vec<_> = counted.map(|group| reported.state(group, &dimension)).collect();
        let state = states.iter().map(|(state, _)| *state).max().unwrap_or(State::Pending);
        let reasons = states.into_iter().flat_map(|(_, reasons)| reasons).collect();
        let (state, reasons) = match incomparables.get(&(entitlement_id, timestamp)) {
            Some(reasons) => (State::NotComparable, vec![reasons.clone()]),
            None => (state, reasons),
        };
        let quantity = ReconciledQuantity {
            entitlement_id: entitlement_id.to_owned(),
            timestamp,
            dimension,
            sent: sums.sent,
            vendor: sums.vendor,
            group_id: only.and_then(|group| group.id.clone()),
            status: only.and_then(|group| group.status.clone()),
            report_id: only.and_then(|group| reported.report_of(group)).and_then(|report| report.id.clone()),
            reasons,
        };
        (quantity, state)
    };
    Ok(sums.into_iter().map(reconcile_sums).collect())
}

#[derive(Default)]
struct ComparedSums<'a> {
    sent: Decimal,
    vendor: Decimal,
    groups: Vec<&'a Group>,
}

#[cfg(test)]
mod tests;
