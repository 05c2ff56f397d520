//! Two months of usage, as it came in.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use usage_billing_core::{Decimal, DecimalNumber};
use usage_billing_suger::types;
use usage_billing_suger::types::UsageRecordGroupStatus as Status;

use super::catalogue::{self, Deal};
use crate::SUGER_ORG_ID;
use crate::world::{days_before, id, midnight, mix};

/// Days of usage before today.
const DAYS: u64 = 61;

/// Who reports, at which of the minutes since 1970: every so many, beginning with that one. No two of them ever report
/// in the same minute, so the minute numbers the group, and a group is the same whatever day is today.
const RHYTHMS: [(Deal, i64, i64); 4] = [
    (catalogue::AWS, 105, 0),
    (catalogue::AZURE, 105, 35),
    (catalogue::GCP, 105, 70),
    // At 4:21, 10:21, 16:21 and 22:21.
    (catalogue::REFUSED, 360, 261),
];

/// Groups until now, in the order of their creation. None of them has been through an hourly run.
pub(crate) fn history(today: NaiveDate, now: DateTime<Utc>) -> Vec<types::MeteringUsageRecordGroup> {
    let first = midnight(days_before(today, DAYS)).timestamp().div_euclid(60);
    // A clock beyond the days of the world does not make it longer.
    let end = now.clamp(midnight(today), midnight(today) + TimeDelta::days(1)).timestamp().div_euclid(60);
    let mut minutes: Vec<(i64, &Deal)> = Vec::new();
    for (deal, every, at) in &RHYTHMS {
        let next = first + (at - first).rem_euclid(*every);
        minutes.extend((next..end).step_by(usize::try_from(*every).unwrap_or(1)).map(|minute| (minute, deal)));
    }
    minutes.sort_by_key(|(minute, _)| *minute);
    minutes.into_iter().filter_map(|(minute, deal)| group(minute, deal)).collect()
}

fn group(minute: i64, deal: &Deal) -> Option<types::MeteringUsageRecordGroup> {
    let seed = u64::try_from(minute).ok()?;
    let time = DateTime::from_timestamp(minute * 60, 0)?;
    // The cancelled deal has a stray report now and then.
    let stray = deal.id == catalogue::AWS.id && mix(&[61, seed]).is_multiple_of(60);
    let deal = if stray { &catalogue::CANCELLED } else { deal };
    let status = match mix(&[62, seed]) % 100 {
        0 => Status::Invalid,
        1 => Status::Deleted,
        _ if stray => Status::Invalid,
        _ => Status::Created,
    };
    // Every other group of the newer kind of deal; the rest reports the old way.
    let of_events = deal.second_generation && mix(&[63, seed]).is_multiple_of(2);
    let (records, billable_records) =
        if of_events { (BTreeMap::new(), vec![event(seed)]) } else { (records(deal, seed), Vec::new()) };
    Some(types::MeteringUsageRecordGroup {
        id: Some(id(&format!("suger/group/{minute}")).to_string()),
        serial_id: Some(minute),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        entitlement_id: Some(deal.id.to_owned()),
        buyer_id: Some(deal.buyer.to_owned()),
        partner: Some(deal.partner.clone()),
        meta_info: Some(types::MeteringUsageRecordGroupMetaInfo {
            source: Some(types::UsageRecordGroupSource::Api),
            timestamp: Some(time),
            origin_records: records.clone(),
            billable_records,
            ..Default::default()
        }),
        records,
        usage_record_report_id: Some(String::new()),
        reported_time: None,
        creation_time: Some(time),
        last_update_time: Some(time),
        status: Some(status),
    })
}

fn event(seed: u64) -> types::MeteringUsageRecord {
    let region = if mix(&[64, seed]).is_multiple_of(2) { "eu-north-1" } else { "ap-tokyo, 1" };
    types::MeteringUsageRecord {
        key: Some(catalogue::METRIC.to_owned()),
        // Up to a day of GPU time.
        quantity: Some(between(&[65, seed], 6_000, 8_640_000, 2).into()),
        properties: [("region".to_owned(), region.into())].into_iter().collect(),
    }
}

fn records(deal: &Deal, seed: u64) -> BTreeMap<String, DecimalNumber> {
    let mut records = BTreeMap::new();
    for (dimension, number) in catalogue::dimensions(deal.product).iter().zip(66..) {
        let awkward = mix(&[number, 1, seed]) % 100;
        let quantity = match dimension.usual {
            // No float has it exactly; only what is measured finely is ever so little.
            Some((_, _, 3..)) if awkward < 14 => Decimal::new(1, 1),
            Some((least, most, places)) => between(&[number, 2, seed], least, most, places),
            // More digits than a float has.
            None if dimension.key == catalogue::EXACT_DIGITS && awkward == 0 => {
                Decimal::from_i128_with_scale(12_345_678_901_123_456_789, 9)
            }
            None => continue,
        };
        records.insert(dimension.key.to_owned(), quantity.into());
    }
    records
}

/// A quantity from the least to the most, whose last so many digits stand behind the point.
fn between(parts: &[u64], least: u64, most: u64, places: u32) -> Decimal {
    let number = least + mix(parts) % (most - least).max(1);
    Decimal::from_i128_with_scale(number.into(), places).normalize()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn at_noon(day: &str) -> Vec<types::MeteringUsageRecordGroup> {
        let today = day.parse().unwrap();
        history(today, midnight(today) + TimeDelta::hours(12))
    }

    #[test]
    fn there_are_some_2800_groups_in_order_and_each_is_another() {
        let groups = at_noon("2026-11-21");
        assert!((2_700..2_900).contains(&groups.len()), "{}", groups.len());
        assert!(groups.is_sorted_by_key(|group| group.creation_time));
        let ids: HashSet<_> = groups.iter().map(|group| &group.id).collect();
        let serials: HashSet<_> = groups.iter().map(|group| group.serial_id).collect();
        assert_eq!((ids.len(), serials.len()), (groups.len(), groups.len()));
        assert!(groups.iter().any(|group| group.records.is_empty()));
        let statuses: HashSet<_> = groups.iter().filter_map(|group| group.status.clone()).collect();
        assert_eq!(statuses, HashSet::from([Status::Created, Status::Invalid, Status::Deleted]));
    }

    #[test]
    fn quantities_are_believable_but_for_the_dimension_that_tests_digits() {
        let mut all: BTreeMap<&str, Vec<Decimal>> = BTreeMap::new();
        let groups = at_noon("2026-11-21");
        for (key, quantity) in groups.iter().flat_map(|group| &group.records) {
            all.entry(key).or_default().push(quantity.0);
        }
        for (key, least, most) in [
            ("seats", 100_i64, 400_i64),
            ("api_calls", 100_000, 1_000_000),
            ("ingest_gb", 0, 2_000),
            ("node_hours", 0, 96),
            ("exact_digits_test", 12_345_678_901, 12_345_678_902),
        ] {
            let quantities = all.remove(key).unwrap();
            assert!(
                quantities.iter().all(|it| *it > least.into() && *it < most.into() || *it == least.into()),
                "{key}"
            );
            let tenth = quantities.contains(&Decimal::new(1, 1));
            assert_eq!(tenth, ["ingest_gb", "node_hours"].contains(&key), "{key}");
        }
        assert!(all.is_empty(), "{all:?}");
    }

    #[test]
    fn a_group_is_the_same_on_another_day() {
        let (before, after) = (at_noon("2026-11-20"), at_noon("2026-11-21"));
        for group in before.iter().rev().take(200) {
            let same = after.iter().find(|other| other.id == group.id).unwrap();
            assert_eq!(serde_json::to_string(group).unwrap(), serde_json::to_string(same).unwrap());
        }
    }

    #[test]
    fn a_clock_far_from_the_world_makes_no_more_history() {
        let today = "2026-11-21".parse().unwrap();
        for (now, most) in [(DateTime::<Utc>::MIN_UTC, 2_800), (DateTime::<Utc>::MAX_UTC, 2_900)] {
            assert!(history(today, now).len() < most);
        }
    }
}
