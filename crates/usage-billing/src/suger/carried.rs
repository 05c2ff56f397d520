//! Fractions of a unit that a marketplace of whole units, such as AWS, leaves to the next report of the entitlement: not
//! billed until a later report includes them (`decimalParts`).
//!
//! Usage is billed in the order in which it was reported. A fraction is less than a unit, so the next report that
//! includes fractions and has a whole unit bills it, if the marketplace accepts that report. Its own usage waits for a
//! later one while it leaves a fraction in turn.

use std::collections::BTreeMap;
use std::ops::Bound;

use chrono::{DateTime, Utc};
use usage_billing_core::Decimal;

use super::groups::is_set;
use super::marketplace::{Acceptance, acceptance, partner_of};
use super::report_quantities::rounding;
use super::types::{MeteringUsageRecordReport as Report, MeteringUsageRecordReportInfo as Info};

/// Returns the fraction of a dimension that a report leaves to the next one. `None` if it leaves none, or no more than
/// rounding does.
pub(super) fn carried_out(info: &Info, dimension: &str) -> Option<Decimal> {
    let part = info.new_decimal_parts.get(dimension).map(|part| part.0);
    part.filter(|part| part.abs() > rounding(info, dimension, Decimal::ZERO))
}

/// Returns the dimensions of which a report bills the fractions that were left to it, each with whether the marketplace
/// accepted the report.
pub(super) fn carried_in<'a>(report: &'a Report, info: &'a Info) -> impl Iterator<Item = (&'a str, bool)> {
    let has_whole_unit = |dimension: &str| {
        let parts = [&info.reported_records, &info.included_records, &info.credit_records];
        let parts = parts.into_iter().filter_map(|map| map.get(dimension));
        let whole = parts.map(|part| part.0).try_fold(Decimal::ZERO, Decimal::checked_add);
        whole.is_none_or(|whole| whole >= Decimal::ONE)
    };
    let included =
        info.decimal_parts.iter().filter(|(_, part)| !part.0.is_zero()).map(|(dimension, _)| dimension.as_str());
    included
        .filter(move |dimension| has_whole_unit(dimension))
        .map(|dimension| (dimension, acceptance(info, partner_of(report, None), &[dimension]) == Acceptance::Accepted))
}

/// The reports of one entitlement that bill fractions of one dimension, by their start, with whether they were accepted.
/// Of consecutive ones with the same outcome only the last is kept: there is one report per hour.
#[derive(Debug, Default)]
pub(super) struct Billings {
    last_of_run: BTreeMap<DateTime<Utc>, bool>,
    first: Option<DateTime<Utc>>,
}

impl Billings {
    /// Adds a report. If reports are added neither forward nor backward in time, a fraction may wait that was billed,
    /// but none is billed that was not.
    pub(super) fn add(&mut self, start: DateTime<Utc>, is_accepted: bool) {
        let is_first = self.first.is_none_or(|first| start < first);
        if is_first {
            self.first = Some(start);
        }
        if let Some(known) = self.last_of_run.get_mut(&start) {
            *known &= is_accepted;
            return;
        }
        match self.last_of_run.range(start..).next() {
            Some((_, next)) if *next == is_accepted => return,
            // Reports of the run may be before this one: which of them it follows is not known any more.
            Some((_, false)) if !is_first => return,
            Some(_) => {}
            None => {
                if let Some(last) = self.last_of_run.last_entry().filter(|last| *last.get() == is_accepted) {
                    last.remove();
                }
            }
        }
        self.last_of_run.insert(start, is_accepted);
    }

    /// Returns whether the first report after `start` that bills fractions was accepted.
    pub(super) fn is_billed_after(&self, start: DateTime<Utc>) -> bool {
        let after = (Bound::Excluded(start), Bound::Unbounded);
        self.last_of_run.range(after).next().is_some_and(|(_, is_accepted)| *is_accepted)
    }
}

/// Returns the start of the hour of a report, or its creation time if it does not state the start.
pub(super) fn start_of(report: &Report) -> Option<DateTime<Utc>> {
    let start = report.info.as_ref().and_then(|info| info.start_time).filter(is_set);
    start.or(report.creation_time.filter(is_set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suger::marketplace::tests::with_marketplace;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn info_of(json: Value) -> Info {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn fraction_is_carried_out_unless_rounding_left_it() {
        let info = info_of(json!({
            "reportedRecords": {"seats": 12, "calls": 4},
            "newDecimalParts": {"gb": 0.25, "calls": 0, "seats": 0.0000000000000004}, "decimalParts": {"seats": 0.5},
        }));
        let left = ["gb", "calls", "seats", "others"].map(|dimension| carried_out(&info, dimension));
        assert_eq!(left, [Some(Decimal::new(25, 2)), None, None, None]);
    }

    #[test]
    fn whole_unit_bills_fractions_that_were_carried_in() {
        let billed = |records: Value, more: Value| {
            let parts = json!({"gb": 0.25, "calls": 0.25, "seats": 0.25});
            let mut json = json!({"status": "SUCCESS", "reportedRecords": records, "decimalParts": parts});
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let report = Report { info: Some(info_of(with_marketplace(json))), ..Report::default() };
            let info = report.info.as_ref().unwrap();
            carried_in(&report, info).map(|(name, is_accepted)| (name.to_owned(), is_accepted)).collect::<Vec<_>>()
        };
        let of = |names: &[&str], is_accepted| {
            names.iter().map(|name| ((*name).to_owned(), is_accepted)).collect::<Vec<_>>()
        };
        assert_eq!(billed(json!({"gb": 1, "calls": 0.9, "seats": 2}), json!({})), of(&["gb", "seats"], true));
        let covered = json!({"includedRecords": {"gb": 0.5}, "creditRecords": {"gb": 0.5}});
        assert_eq!(billed(json!({"gb": 0}), covered), of(&["gb"], true));
        assert_eq!(billed(json!({"gb": 5}), json!({"status": "FAILED"})), of(&["gb"], false));
        // A unit that is left to the next report is of its own usage.
        let left = json!({"newDecimalParts": {"gb": 0.5, "seats": 0}});
        assert_eq!(billed(json!({"gb": 5, "seats": 2}), left), of(&["gb", "seats"], true));
        for not_carried in [json!({}), json!({"gb": 0}), json!({"calls": 0.5})] {
            assert!(billed(json!({"gb": 5}), json!({"decimalParts": not_carried})).is_empty(), "{not_carried}");
        }
        let rejected = json!({"awsMeteringResponse": {"results": [{"status": "DuplicateRecord", "usageRecord": {"dimension": "gb"}}]}});
        assert_eq!(billed(json!({"gb": 5}), rejected), of(&["gb"], false));
        let no_response = json!({"partner": ""});
        assert_eq!(billed(json!({"gb": 5}), no_response), of(&["gb"], false), "it may be a report to AWS");
        let vast = Decimal::MAX.to_string();
        assert_eq!(billed(json!({"gb": vast}), json!({"includedRecords": {"gb": vast}})), of(&["gb"], true));
    }

    proptest! {
        #[test]
        fn fraction_is_billed_by_the_next_report_that_includes_it(
            reports in prop::collection::btree_map(0i64..40, any::<bool>(), 0..30),
            order in prop::sample::select(vec!["forward", "backward", "any"]),
            seed in any::<u64>(),
        ) {
            let at = |hour: i64| DateTime::from_timestamp(hour * 3600, 0).unwrap();
            let mut added: Vec<_> = reports.iter().collect();
            match order {
                "forward" => {}
                "backward" => added.reverse(),
                _ => added.sort_by_key(|(hour, _)| (**hour as u64 + 1).wrapping_mul(seed | 1)),
            }
            let mut billings = Billings::default();
            added.into_iter().for_each(|(hour, is_accepted)| billings.add(at(*hour), *is_accepted));
            for hour in -1..41 {
                let expected = reports.range(hour + 1..).next().is_some_and(|(_, is_accepted)| *is_accepted);
                let is_billed = billings.is_billed_after(at(hour));
                prop_assert!(expected || !is_billed, "{order} {hour}");
                prop_assert!(order == "any" || expected == is_billed, "{order} {hour}");
            }
        }
    }

    #[test]
    fn two_reports_of_one_hour_bill_a_fraction_only_if_both_are_accepted() {
        let at = |hour: i64| DateTime::from_timestamp(hour * 3600, 0).unwrap();
        for (one, other) in [(true, true), (true, false), (false, true), (false, false)] {
            let mut billings = Billings::default();
            [one, other].into_iter().for_each(|is_accepted| billings.add(at(2), is_accepted));
            assert_eq!(billings.is_billed_after(at(1)), one && other);
            assert!(!billings.is_billed_after(at(2)), "a report does not bill what it leaves");
        }
    }

    #[test]
    fn start_is_the_start_time_or_the_creation_time() {
        let start = |json: Value| start_of(&serde_json::from_value(json).unwrap()).map(|time| time.to_rfc3339());
        let (zero, made) = ("0001-01-01T00:00:00Z", "2026-10-01T08:01:00Z");
        let at = |hour: u32| Some(format!("2026-10-01T{hour:02}:{:02}:00+00:00", hour % 7));
        assert_eq!(start(json!({"creationTime": made, "info": {"startTime": "2026-10-01T07:00:00Z"}})), at(7));
        assert_eq!(start(json!({"creationTime": made, "info": {"startTime": zero}})), at(8));
        assert_eq!(start(json!({"creationTime": zero})), None);
    }
}
