//! Events whose usage Suger has already in another set of dimensions, which it would bill twice.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use usage_billing::suger::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus as Status};
use usage_billing::suger::{Client, UsageEvent};
use usage_billing::{Period, Result, printable};

use super::events::{FileEvent, Problem};

/// Lists the groups of the events' entitlements and times, and returns the events that would be billed twice.
pub(super) async fn find(client: &Client, events: &[FileEvent]) -> Result<Vec<Problem>> {
    let times = events.iter().map(|one| one.event.timestamp());
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Ok(Vec::new()) };
    let period = Period::new(first, last + TimeDelta::seconds(1))?;
    let entitlements: BTreeSet<_> = events.iter().map(|one| one.event.entitlement_id()).collect();
    let only = entitlements.first().filter(|_| entitlements.len() == 1).map(|id| (*id).to_owned());
    let groups = client.usage_record_groups_of(period, only, None).await?;
    Ok(overlaps(client.org_id(), events, &groups))
}

/// Returns the events whose dimensions arrived with others. The id of an event contains the set of its dimensions, so that Suger does not
/// recognize a quantity that arrived with other
/// dimensions.
fn overlaps(org_id: &str, events: &[FileEvent], groups: &[Group]) -> Vec<Problem> {
    let mut by_usage = HashMap::<(&str, DateTime<Utc>), Vec<&Group>>::new();
    for group in groups {
        let time = group.meta_info.as_ref().and_then(|info| info.timestamp);
        if let (Some(entitlement), Some(time)) = (group.entitlement_id.as_deref(), time) {
            by_usage.entry((entitlement, time)).or_default().push(group);
        }
    }
    let problem = |one: &FileEvent| {
        let event = &one.event;
        let groups = by_usage.get(&(event.entitlement_id(), event.timestamp()))?;
        // Suger recognizes the event itself, whatever else it has.
        if groups.iter().any(|group| is_id_of(group, event, org_id)) {
            return None;
        }
        let mut repeated = groups.iter().filter_map(|group| Some((group, shared_dimension(group, one, org_id)?)));
        let (group, dimension) = repeated.next()?;
        let message = format!(
            "{} of {} at {} is in the usage record group {} already, which has other dimensions: send only the lines of dimensions that \
             Suger lacks; usage that is additional needs another sequence",
            printable(dimension),
            printable(event.entitlement_id()),
            event.timestamp().to_rfc3339_opts(SecondsFormat::Secs, true),
            printable(group.id.as_deref().unwrap_or_default()),
        );
        Some(Problem { line: one.line, message })
    };
    events.iter().filter_map(problem).collect()
}

/// Returns a dimension of an event that a group of the same sequence bills.
fn shared_dimension<'a>(group: &'a Group, one: &FileEvent, org_id: &str) -> Option<&'a str> {
    if matches!(group.status, Some(Status::Invalid | Status::Deleted)) {
        return None;
    }
    let origin = group.meta_info.as_ref().map(|info| &info.origin_records).filter(|records| !records.is_empty());
    // Suger may map the dimensions that were sent to others.
    let dimensions = || origin.unwrap_or(&group.records).keys();
    let shared = dimensions().find(|dimension| one.event.quantities().contains_key(*dimension))?;
    let empty = UsageEvent::new(one.event.entitlement_id(), one.event.timestamp()).sequence(one.sequence);
    let sent = dimensions().fold(empty, |event, dimension| event.quantity(dimension, 1));
    is_id_of(group, &sent, org_id).then_some(shared)
}

fn is_id_of(group: &Group, event: &UsageEvent, org_id: &str) -> bool {
    group.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&event.id(org_id).to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(sequence: u32, dimensions: &[&str]) -> FileEvent {
        let empty = UsageEvent::new("ent-7", "2026-11-20T03:00:00Z".parse().unwrap()).sequence(sequence);
        let event = dimensions.iter().fold(empty, |event, dimension| event.quantity(*dimension, 2));
        FileEvent { line: 2, sequence, event }
    }

    fn group(status: &str, sent: &FileEvent) -> Group {
        let records: serde_json::Map<_, _> =
            sent.event.quantities().keys().map(|dimension| (dimension.clone(), json!(2))).collect();
        serde_json::from_value(json!({
            "id": sent.event.id("acme").to_string(), "entitlementID": "ent-7", "status": status, "records": records,
            "metaInfo": {"timestamp": "2026-11-20T03:00:00Z"}
        }))
        .unwrap()
    }

    #[test]
    fn dimension_with_others_of_its_sequence_overlaps() {
        let gb = || group("REPORTED", &event(0, &["gb"]));
        for (sent, groups, expected) in [
            (event(0, &["gb", "calls"]), vec![gb()], true),
            (event(0, &["gb"]), vec![group("CREATED", &event(0, &["gb", "calls"]))], true),
            // Suger recognizes it.
            (event(0, &["gb"]), vec![gb()], false),
            (event(0, &["gb"]), vec![group("CREATED", &event(0, &["gb", "calls"])), gb()], false),
            // Separate usage.
            (event(0, &["calls"]), vec![gb()], false),
            (event(1, &["gb", "calls"]), vec![gb()], false),
            // Not billed.
            (event(0, &["gb", "calls"]), vec![group("INVALID", &event(0, &["gb"]))], false),
            (event(0, &["gb", "calls"]), vec![group("DELETED", &event(0, &["gb"]))], false),
        ] {
            let found = overlaps("acme", &[sent], &groups);
            assert_eq!(!found.is_empty(), expected, "{groups:?}");
        }
    }
}
