//! Fractions of a unit that a marketplace of whole units, such as AWS, leaves to the next report: not billed until a later
//! report includes them.
//!
//! Suger stores the fraction of a dimension with the term of the entitlement. A report states the fraction that it
//! includes (`decimalParts`) and the one that it leaves (`newDecimalParts`), which the next report of the term includes.
//! Usage is billed in the order in which it was reported, and a fraction is less than a unit. The next report in this
//! chain that has a whole unit therefore bills it, if the marketplace accepts that report. A report without a whole unit
//! passes it on. The usage of a report waits while it leaves a fraction in turn.
//!
//! A report that failed at Suger is not in the chain: its usage is reported again, with the fraction that the last
//! report before it left. A report that the marketplace did not accept is left out if the next one includes the same
//! fraction. The chain ends at a report that includes another fraction than the last one left, because it is unknown what
//! became of that.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Utc};
use usage_billing_core::{Decimal, Result};

use super::groups::{id_in, is_set};
use super::marketplace::{Acceptance, acceptance, is_void, partner_of};
use super::quantities::is_same_quantity;
use super::report_quantities::rounding;
use crate::memory_limit::{MemoryLimit, SLOT, text_bytes};
use crate::suger::types::{MeteringUsageRecordReport as Report, MeteringUsageRecordReportInfo as Info};

/// Returns the fraction of a dimension that a report leaves to the next one. `None` if it leaves none, or no more than
/// rounding does.
pub(in crate::suger) fn carried_out(info: &Info, dimension: &str) -> Option<Decimal> {
    let part = info.new_decimal_parts.get(dimension).map(|part| part.0);
    part.filter(|part| part.abs() > rounding(info, dimension, Decimal::ZERO))
}

fn carried_in(info: &Info, dimension: &str) -> Option<Decimal> {
    let part = info.decimal_parts.get(dimension).map(|part| part.0);
    part.filter(|part| part.abs() > rounding(info, dimension, Decimal::ZERO))
}

/// Returns whether a report has a whole unit of a dimension.
fn has_whole_unit(info: &Info, dimension: &str) -> bool {
    let parts = [&info.reported_records, &info.included_records, &info.credit_records];
    let parts = parts.into_iter().filter_map(|map| map.get(dimension));
    let whole = parts.map(|part| part.0).try_fold(Decimal::ZERO, Decimal::checked_add);
    whole.is_none_or(|whole| whole >= Decimal::ONE)
}

/// Position of a report among those of its entitlement: when it was made, then the start of its hour.
pub(super) type Order = (DateTime<Utc>, DateTime<Utc>);

/// Returns the position of a report. `None` if it states no time.
pub(in crate::suger) fn order(report: &Report) -> Option<Order> {
    let time = |of: fn(&Info) -> Option<DateTime<Utc>>| report.info.as_deref().and_then(of).filter(is_set);
    let (start, end) = (time(|info| info.start_time), time(|info| info.end_time));
    let made = report.creation_time.filter(is_set).or(end).or(start)?;
    Some((made, start.unwrap_or(made)))
}

/// The fractions of one or more entitlements, collected from their reports.
#[derive(Debug, Default)]
pub(in crate::suger) struct Fractions {
    /// By entitlement, term and dimension.
    chains: HashMap<(String, String, String), Vec<Link>>,
}

/// A report in a chain.
#[derive(Debug)]
struct Link {
    id: FractionId,
    order: Order,
    is_accepted: bool,
    has_whole_unit: bool,
    carried_in: Decimal,
    carried_out: Decimal,
}

/// Identity of a fraction: a hash of the report that leaves it and the dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::suger) struct FractionId(u64);

impl FractionId {
    pub(in crate::suger) fn new(report: &Report, dimension: &str) -> Self {
        Self(hash(&(dimension, report_hash(report))))
    }
}

/// Returns the hash of a report's id; a report without one is identified by its entitlement, term and time.
pub(super) fn report_hash(report: &Report) -> u64 {
    match id_in(&report.id) {
        Some(id) => hash(id),
        None => hash(&(&report.entitlement_id, &report.entitlement_term_id, order(report))),
    }
}

pub(super) fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Fractions {
    /// Adds the wanted dimensions of a report. One that is listed again replaces its earlier state.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if `memory` does not suffice.
    pub(in crate::suger) fn add(
        &mut self,
        report: &Report,
        is_wanted: impl Fn(&str) -> bool,
        memory: &mut MemoryLimit,
    ) -> Result<()> {
        // The position of a report without any time is unknown, so what it leaves is never billed.
        let (Some(info), Some(order)) = (&report.info, order(report)) else { return Ok(()) };
        if is_void(info) {
            return Ok(());
        }
        let left = info.new_decimal_parts.keys().filter(|dimension| !info.decimal_parts.contains_key(*dimension));
        for dimension in info.decimal_parts.keys().chain(left).filter(|dimension| is_wanted(dimension)) {
            let (included, left) = (carried_in(info, dimension), carried_out(info, dimension));
            if included.is_none() && left.is_none() {
                continue;
            }
            let link = Link {
                id: FractionId::new(report, dimension),
                order,
                is_accepted: acceptance(info, partner_of(report, None), &[dimension]) == Acceptance::Accepted,
                has_whole_unit: has_whole_unit(info, dimension),
                carried_in: included.unwrap_or_default(),
                carried_out: left.unwrap_or_default(),
            };
            let [entitlement, term] = [&report.entitlement_id, &report.entitlement_term_id];
            let [entitlement, term] = [entitlement, term].map(|id| id.clone().unwrap_or_default());
            let new = SLOT + text_bytes(&entitlement) + text_bytes(&term) + text_bytes(dimension);
            let chain = self.chains.entry((entitlement, term, dimension.clone())).or_default();
            // A vector that has just grown is half full.
            let bytes = 2 * size_of::<Link>() + size_of::<FractionId>() + if chain.is_empty() { new } else { 0 };
            memory.keep(bytes, || "the list of usage record reports")?;
            chain.push(link);
        }
        Ok(())
    }

    /// Returns the fractions that later reports bill.
    pub(in crate::suger) fn billed(self) -> HashSet<FractionId> {
        self.chains.into_values().flat_map(billed).collect()
    }
}

/// Returns the fractions of a chain that later reports in it bill.
fn billed(mut links: Vec<Link>) -> Vec<FractionId> {
    let mut seen = HashSet::new();
    links.reverse();
    links.retain(|link| seen.insert(link.id));
    // Of reports with the same times, none is assumed to bill what another one leaves.
    links.sort_unstable_by_key(|link| (link.order, link.is_accepted, link.carried_out, link.id));
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(links.len());
    for (index, link) in links.iter().enumerate() {
        let last = index.checked_sub(1).filter(|_| !link.carried_in.is_zero());
        previous.push(last.and_then(|last| {
            let before = &links[last];
            let is_same = |fraction| is_same_quantity(fraction, link.carried_in);
            match is_same(before.carried_out) {
                true => Some(last),
                false if !before.is_accepted && is_same(before.carried_in) => previous[last],
                false => None,
            }
        }));
    }
    let mut is_billed = vec![false; links.len()];
    for (index, link) in links.iter().enumerate().rev() {
        let passes_on = is_billed[index] && link.carried_out >= link.carried_in;
        if let Some(previous) = previous[index].filter(|_| link.is_accepted && (link.has_whole_unit || passes_on)) {
            is_billed[previous] = true;
        }
    }
    links.into_iter().zip(is_billed).filter_map(|(link, is_billed)| is_billed.then_some(link.id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suger::test_support::report_json;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    fn info_of(json: Value) -> Info {
        serde_json::from_value(json).unwrap()
    }

    /// Returns a report of the hour that accepted its usage, with other fields.
    fn report(id: &str, hour: usize, fields: Value) -> Report {
        let start = DateTime::from_timestamp(hour as i64 * 3600, 0).unwrap() + chrono::TimeDelta::days(1);
        let mut all =
            json!({"id": id, "entitlementID": "e-1", "entitlementTermID": "t-1", "at": null, "startTime": start});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(report_json(all.as_object().unwrap().clone())).unwrap()
    }

    fn carrying(id: &str, hour: usize, included: f64, whole: u32, left: f64) -> Report {
        let info = json!({"reportedRecords": {"gb": whole}, "decimalParts": {"gb": included}, "newDecimalParts": {"gb": left}});
        report(id, hour, info)
    }

    /// Cases of `cases.yaml`, which explains them.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Section {
        about: String,
        billed: Vec<Vec<Vec<Value>>>,
        open: Vec<Vec<Vec<Value>>>,
    }

    fn stated(number: usize, fields: &[Value]) -> Report {
        let [hour, included, whole, left] = [0, 1, 2, 3].map(|at| &fields[at]);
        let mut all = json!({"reportedRecords": {"gb": whole}, "decimalParts": {"gb": included}, "newDecimalParts": {"gb": left}});
        assert!(fields.len() <= 5, "{fields:?}");
        let mut more = fields.get(4).cloned().unwrap_or_else(|| json!({}));
        let is_rejected =
            more.as_object_mut().unwrap().remove("rejected").is_some_and(|is_rejected| is_rejected.as_bool().unwrap());
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let report = report(&format!("r-{number}"), usize::try_from(hour.as_u64().unwrap()).unwrap(), all);
        if is_rejected { rejected(report) } else { report }
    }

    #[test]
    fn fractions_of_all_cases_are_billed_or_open() {
        let sections: Vec<Section> = serde_saphyr::from_str(include_str!("cases.yaml")).unwrap();
        for Section { about, billed, open } in &sections {
            for (case, is_billed) in billed.iter().map(|case| (case, true)).chain(open.iter().map(|case| (case, false)))
            {
                let reports: Vec<_> = case.iter().zip(1..).map(|(fields, number)| stated(number, fields)).collect();
                assert_eq!(is_first_billed(&reports), is_billed, "{about}: {case:?}");
            }
        }
    }

    fn with(report: Report, info: Value) -> Report {
        let mut all = serde_json::to_value(report).unwrap();
        all["info"].as_object_mut().unwrap().extend(info.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    fn failed(report: Report) -> Report {
        with(report, json!({"status": "FAILED"}))
    }

    fn rejected(report: Report) -> Report {
        let result = json!({"status": "CustomerNotSubscribed", "usageRecord": {"dimension": "gb"}});
        with(report, json!({"awsMeteringResponse": {"results": [result]}}))
    }

    fn billed_of(reports: &[Report]) -> HashSet<FractionId> {
        let (mut fractions, mut memory) = (Fractions::default(), MemoryLimit::new(usize::MAX));
        reports.iter().for_each(|report| fractions.add(report, |_| true, &mut memory).unwrap());
        fractions.billed()
    }

    /// Returns whether the fraction that the first report leaves is billed, whatever the order of the list.
    fn is_first_billed(reports: &[Report]) -> bool {
        let id = FractionId::new(&reports[0], "gb");
        let reversed: Vec<_> = reports.iter().rev().cloned().collect();
        let is_billed = billed_of(reports).contains(&id);
        assert_eq!(billed_of(&reversed).contains(&id), is_billed);
        is_billed
    }

    #[test]
    fn fraction_is_carried_unless_rounding_left_it() {
        let info = info_of(json!({
            "reportedRecords": {"seats": 12, "calls": 4},
            "newDecimalParts": {"gb": 0.25, "calls": 0, "seats": 0.0000000000000004, "unused": 0},
            "decimalParts": {"seats": 0.5, "unused": 0},
        }));
        let left = ["gb", "calls", "seats", "others", "unused"].map(|dimension| carried_out(&info, dimension));
        assert_eq!(left, [Some(Decimal::new(25, 2)), None, None, None, None]);
        let included = ["seats", "gb", "unused"].map(|dimension| carried_in(&info, dimension));
        assert_eq!(included, [Some(Decimal::new(5, 1)), None, None]);
    }

    #[test]
    fn whole_unit_may_be_in_several_parts_of_a_report() {
        let has_unit = |info: Value| has_whole_unit(&info_of(info), "gb");
        assert!(
            has_unit(json!({"reportedRecords": {"gb": 1}})) && !has_unit(json!({"reportedRecords": {"gb": 0.999}}))
        );
        assert!(has_unit(
            json!({"reportedRecords": {"gb": 0.2}, "includedRecords": {"gb": 0.3}, "creditRecords": {"gb": 0.5}})
        ));
        assert!(
            !has_unit(json!({"reportedRecords": {"calls": 7}, "newDecimalParts": {"gb": 1}})) && !has_unit(json!({}))
        );
        let vast = Decimal::MAX.to_string();
        assert!(has_unit(json!({"reportedRecords": {"gb": vast}, "includedRecords": {"gb": vast}})));
    }

    #[test]
    fn report_that_is_listed_twice_counts_once_in_its_last_state() {
        let (first, second) = (carrying("r-1", 1, 0.0, 5, 0.25), carrying("r-2", 2, 0.25, 1, 0.5));
        let third = carrying("r-3", 3, 0.5, 1, 0.0);
        assert!(is_first_billed(&[first.clone(), second.clone(), first.clone(), second.clone()]));
        let all = billed_of(&[first.clone(), second.clone(), second.clone(), third]);
        assert_eq!(all, [&first, &second].map(|report| FractionId::new(report, "gb")).into());
        let open = with(second.clone(), json!({"status": "CREATED"}));
        let is_billed = |states: [&Report; 2]| {
            billed_of(&[&first, states[0], states[1]].map(Report::clone)).contains(&FractionId::new(&first, "gb"))
        };
        assert!(is_billed([&open, &second]) && !is_billed([&second, &open]));
        let nameless = [first, second].map(|report| Report { id: None, ..report });
        assert!(is_first_billed(&nameless));
    }

    #[test]
    fn reports_are_in_the_order_in_which_they_were_made() {
        let times = |json: Value| {
            order(&serde_json::from_value(json).unwrap())
                .map(|(made, start)| [made, start].map(|time| time.to_rfc3339()))
        };
        let (zero, made) = ("0001-01-01T00:00:00Z", "2026-10-01T08:01:00Z");
        let rfc3339 = |times: [&str; 2]| Some(times.map(|time| format!("2026-10-01T{time}:00+00:00")));
        let hour = json!({"startTime": "2026-10-01T07:00:00Z", "endTime": "2026-10-01T08:00:00Z"});
        assert_eq!(times(json!({"creationTime": made, "info": hour})), rfc3339(["08:01", "07:00"]));
        assert_eq!(times(json!({"creationTime": zero, "info": hour})), rfc3339(["08:00", "07:00"]));
        assert_eq!(times(json!({"info": {"startTime": "2026-10-01T07:00:00Z"}})), rfc3339(["07:00", "07:00"]));
        assert_eq!(times(json!({"creationTime": made, "info": {"startTime": zero}})), rfc3339(["08:01", "08:01"]));
        assert_eq!(times(json!({"creationTime": zero})), None);
        // A retry of an earlier hour is made later.
        let retry =
            Report { creation_time: DateTime::from_timestamp(1_000_000, 0), ..carrying("r-2", 1, 0.25, 1, 0.0) };
        let made = |report| Report { creation_time: DateTime::from_timestamp(900_000, 0), ..report };
        assert!(is_first_billed(&[made(carrying("r-1", 5, 0.0, 5, 0.25)), retry]));
        let timeless = with(carrying("r-2", 2, 0.25, 1, 0.0), json!({"startTime": null}));
        assert!(!is_first_billed(&[carrying("r-1", 1, 0.0, 5, 0.25), timeless]));
        let timeless = with(carrying("r-1", 1, 0.0, 5, 0.25), json!({"startTime": null}));
        assert!(!is_first_billed(&[timeless, carrying("r-2", 2, 0.25, 1, 0.0)]));
    }

    #[test]
    fn memory_of_fractions_is_limited() {
        let mut fractions = Fractions::default();
        let mut memory = MemoryLimit::new(20_000);
        let mut add = |hour: usize, is_wanted: bool| {
            fractions.add(&carrying(&format!("r-{hour}"), hour, 0.5, 1, 0.5), |_| is_wanted, &mut memory)
        };
        (0..1000).for_each(|hour| add(hour, false).unwrap());
        assert!((0..50).all(|hour| add(hour, true).is_ok()) && (50..1000).any(|hour| add(hour, true).is_err()));
    }

    proptest! {
        /// Units that a marketplace accepts bill usage first in, first out.
        #[test]
        fn billed_fractions_are_those_in_accepted_units(
            runs in prop::collection::vec((0i64..150, prop::sample::select(vec!["accepted", "accepted", "failed", "rejected"])), 1..30),
        ) {
            // Usage that waits, in hundredths, by the report that left it.
            let (mut waiting, mut again, mut lost, mut reports) = (Vec::<(usize, i64)>::new(), 0, HashSet::new(), Vec::new());
            for (hour, (used, outcome)) in runs.into_iter().enumerate() {
                let before: i64 = waiting.iter().map(|(_, part)| part).sum();
                let all = before + used + again;
                let [included, left] = [before, all % 100].map(|part| Decimal::new(part, 2).to_string());
                let info = json!({"reportedRecords": {"gb": all / 100}, "decimalParts": {"gb": included}, "newDecimalParts": {"gb": left}});
                let one = report(&format!("r-{hour}"), hour, info);
                if outcome == "failed" {
                    again += used;
                    reports.push(failed(one));
                    continue;
                }
                again = 0;
                if all >= 100 {
                    if outcome == "rejected" {
                        lost.extend(waiting.iter().map(|(hour, _)| *hour));
                    }
                    waiting.clear();
                    waiting.extend((all % 100 > 0).then_some((hour, all % 100)));
                } else {
                    waiting.extend((all > before).then_some((hour, all - before)));
                    if outcome == "rejected" {
                        // Nothing was sent, but the marketplace's response is against the dimension.
                        lost.extend(waiting.iter().map(|(hour, _)| *hour));
                    }
                }
                reports.push(if outcome == "rejected" { rejected(one) } else { one });
            }
            let waiting: HashSet<_> = waiting.into_iter().map(|(hour, _)| hour).collect();
            let billed = billed_of(&reports);
            for (hour, report) in reports.iter().enumerate() {
                let info = report.info.as_ref().unwrap();
                if carried_out(info, "gb").is_none() || is_void(info) || info.aws_metering_response.is_some() {
                    continue;
                }
                let is_billed = billed.contains(&FractionId::new(report, "gb"));
                let is_open = waiting.contains(&hour) || lost.contains(&hour);
                prop_assert!(!is_billed || !is_open, "hour {}", hour);
                // A report that only passed a fraction on is not followed here.
                prop_assert!(is_billed || is_open || info.decimal_parts == info.new_decimal_parts, "hour {}", hour);
            }
        }
    }
}
