//! Usage added up from usage record groups.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};

use super::groups::{events, id_in, name_of, too_long, used_at};
use super::report_rows::{self, REPORTS};
use super::unsettled::{LINK, Unsettled};
use super::{Names, types};
use crate::memory_limit::{MemoryLimit, ROW};
use crate::rows::identity::{RowIdentity, UNITS};
use crate::rows::period::RowPeriod;
use crate::{BillingReason, Period, UsageRow, Vendor};

/// How long after a period usage of it may still come in and be reported: marketplaces take it for up to 24 hours.
pub(super) const LATE: TimeDelta = TimeDelta::days(1);

/// Adds up the usage in `period`, by the time of use, each group once however often it is listed. Deleted and invalid groups are left
/// out; a row is final when the period has been over for a day and the marketplace accepted all of it, in `reports`: give those in which the
/// groups were sent, and later ones, which settle fractions of units that AWS left to them. Only rows of one whole calendar
/// month that is over are billable; the month so far has rows of the whole month, the same every day.
///
/// Events that do not add up are taken from `reports`, by the hour of the report; those that are in no report yet are a row of quantity 0
/// that is not final, for their hour; its key is not that of the report's row.
///
/// # Errors
/// [`ErrorKind::Decode`] for a group without any time, a sum of more than 28 digits, or a group with events that do not add up whose
/// report is not among `reports`.
pub fn usage_rows(
    groups: &[types::MeteringUsageRecordGroup],
    reports: &[types::MeteringUsageRecordReport],
    names: &Names,
    org_id: &str,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Vec<UsageRow>> {
    let (mut sums, mut memory) = (Sums::new(period), MemoryLimit::new(usize::MAX));
    groups.iter().try_for_each(|group| sums.add(group, names, &mut memory))?;
    reports.iter().for_each(|report| sums.settle(report));
    sums.rows(reports, names, org_id, now)
}

/// What is added up so far.
pub(super) struct Sums {
    period: Period,
    sums: BTreeMap<Arc<Key>, Sum>,
    /// What of them waits for the marketplaces' word.
    unsettled: Unsettled,
    /// Events that do not add up and are in no report yet, by hour.
    open: BTreeSet<(Key, DateTime<Utc>)>,
    /// Ids of reports that say what became of events that do not add up, each with a group and its metric as a reason.
    in_reports: BTreeMap<String, (String, String)>,
    /// New groups shift the pages while they are read: a group may come again on the next one.
    seen: HashSet<String>,
}

impl Sums {
    pub(super) fn new(period: Period) -> Self {
        let (sums, open, in_reports) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { period, sums, unsettled: Unsettled::default(), open, in_reports, seen: HashSet::new() }
    }

    /// Returns whether rows are made of reports, since events do not add up.
    pub(super) fn has_events_in_reports(&self) -> bool {
        !self.in_reports.is_empty() || !self.open.is_empty()
    }

    /// Returns whether a report says what became of events that do not add up.
    pub(super) fn is_wanted(&self, report_id: &str) -> bool {
        self.in_reports.contains_key(report_id)
    }

    /// Returns whether anything was reported, so that reports say whether it was accepted.
    pub(super) fn is_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }

    /// Takes in what a report says of the sums, once all groups are added up.
    pub(super) fn settle(&mut self, report: &types::MeteringUsageRecordReport) {
        self.unsettled.settle(report);
    }

    pub(super) fn add(
        &mut self,
        group: &types::MeteringUsageRecordGroup,
        names: &Names,
        memory: &mut MemoryLimit,
    ) -> Result<()> {
        use types::UsageRecordGroupStatus::{Deleted, Invalid, Reported};
        let used_at = used_at(group)?;
        if !self.period.contains(used_at) || id_in(&group.id).is_some_and(|id| !self.seen.insert(id.to_owned())) {
            return Ok(());
        }
        if matches!(group.status, Some(Deleted | Invalid)) {
            return Ok(());
        }
        let reported = group.status == Some(Reported);
        let records = group.records.iter().map(|(dimension, quantity)| (dimension.clone(), Some(UNITS), quantity.0));
        let events = events(group).map(|event| {
            let metric = event.key.clone().unwrap_or_default();
            let unit = names.unit_of_sum(&metric);
            let quantity = if unit == Some("events") { Decimal::ONE } else { event.quantity.unwrap_or_default().0 };
            (metric, unit, quantity)
        });
        for (metric, unit, quantity) in records.chain(events) {
            let key = Arc::new(Key {
                buyer: group.buyer_id.clone(),
                entitlement: group.entitlement_id.clone().unwrap_or_default(),
                metric,
                unit: unit.unwrap_or(UNITS),
            });
            let texts = key.entitlement.len() + key.metric.len() + key.buyer.as_ref().map_or(0, String::len);
            // A row copies the texts, and so does what settles fractions; nodes of a tree may be half full.
            let of_row = 2 * (size_of::<(Key, DateTime<Utc>)>() + 2 * texts) + ROW;
            let is_new = if unit.is_some() {
                let is_new = !self.sums.contains_key(&key);
                let sum = self.sums.entry(key.clone()).or_default();
                sum.quantity = sum.quantity.checked_add(quantity).ok_or_else(|| too_long(&name_of(group)))?;
                sum.is_unreported |= !reported;
                if reported && self.unsettled.add(group, key, quantity) {
                    memory.keep(LINK, || "the usage of all groups")?;
                }
                is_new
            } else if !reported {
                let key = Arc::unwrap_or_clone(key);
                self.open.insert((key, used_at.duration_trunc(TimeDelta::hours(1)).unwrap_or(used_at)))
            } else {
                let report = group.usage_record_report_id.clone().unwrap_or_default();
                let before = self.in_reports.len();
                self.in_reports.entry(report).or_insert_with(|| (name_of(group), key.metric.clone()));
                self.in_reports.len() > before
            };
            if is_new {
                memory.keep(of_row, || "the usage of all groups")?;
            }
        }
        Ok(())
    }

    pub(super) fn rows(
        self,
        reports: &[types::MeteringUsageRecordReport],
        names: &Names,
        org_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<UsageRow>> {
        let given: BTreeSet<&str> = reports.iter().filter_map(|report| report.id.as_deref()).collect();
        if let Some((report, (group, metric))) = self.in_reports.iter().find(|(id, _)| !given.contains(id.as_str())) {
            return Err(unaccounted(report, group, metric));
        }
        let asked = RowPeriod::of(self.period, now);
        let period = asked.period;
        let closed = asked.is_complete() && period.has_ended(now - LATE);
        let reason = if asked.is_whole_month() { BillingReason::Usage } else { BillingReason::NotAWholePeriod };
        let mut rows = Vec::with_capacity(self.sums.len());
        let unsettled = self.unsettled.keys();
        for (key, sum) in self.sums {
            let row = key.row("listUsageRecordGroups", period, sum.quantity, reason, names, org_id);
            let is_final = closed && !sum.is_unreported && !unsettled.contains(&key);
            rows.push(UsageRow { is_final, as_of: Some(now).filter(|_| !is_final), ..row });
        }
        for (key, hour) in self.open {
            let hour = Period::new(hour, hour + TimeDelta::hours(1))?;
            let row = key.row(REPORTS, hour, Decimal::ZERO, BillingReason::Usage, names, org_id);
            rows.push(UsageRow { as_of: Some(now), ..row });
        }
        let unsummed = |metric: &str| names.unit_of_sum(metric).is_none();
        rows.extend(report_rows::of_metrics(reports, &names.buyers, org_id, self.period, unsummed)?);
        Ok(rows)
    }
}

#[derive(Default)]
struct Sum {
    quantity: Decimal,
    /// Something of it was not reported.
    is_unreported: bool,
}

/// What a sum is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) buyer: Option<String>,
    pub(super) entitlement: String,
    pub(super) metric: String,
    pub(super) unit: &'static str,
}

impl Key {
    /// An open row.
    fn row(
        &self,
        operation: &'static str,
        period: Period,
        quantity: Decimal,
        reason: BillingReason,
        names: &Names,
        org_id: &str,
    ) -> UsageRow {
        let sku = format!("{}/{}", self.entitlement, self.metric);
        let identity = RowIdentity {
            customer_id: self.buyer.as_deref(),
            sku: &sku,
            metric: &self.metric,
            unit: self.unit,
            ..RowIdentity::new(Vendor::Suger, operation, org_id, period)
        };
        UsageRow {
            customer_name: self.buyer.as_ref().and_then(|id| names.buyers.get(id).cloned()),
            customer_kind: self.buyer.as_ref().map(|_| "buyer".to_owned()),
            ..identity.row(quantity, reason)
        }
    }
}

fn unaccounted(report: &str, group: &str, metric: &str) -> Error {
    let report = if report.is_empty() { "without id" } else { report };
    let message = format!(
        "{group} has events of the billable metric {}, which do not simply add up; usage record report {}, which says \
         what became of them, is not among the reports given",
        printable(metric),
        printable(report)
    );
    Error::new(ErrorKind::Decode, message).with_hint("give the reports of all hours in which the groups were reported")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::month_to_date::{check_keys_stay, months_and_days};

    fn group(json: serde_json::Value) -> types::MeteringUsageRecordGroup {
        serde_json::from_value(json).unwrap()
    }

    fn october(groups: &[types::MeteringUsageRecordGroup]) -> Result<Vec<UsageRow>> {
        with_reports(groups, &[])
    }

    fn with_reports(
        groups: &[types::MeteringUsageRecordGroup],
        reports: &[types::MeteringUsageRecordReport],
    ) -> Result<Vec<UsageRow>> {
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        let reports = [reports, &[accepted()]].concat();
        usage_rows(groups, &reports, &names(), "acme", "2026-10".parse().unwrap(), now)
    }

    /// A report that was accepted, and states no quantities.
    fn accepted() -> types::MeteringUsageRecordReport {
        let json =
            serde_json::json!({"id": "r-ok", "creationTime": "2026-10-05T08:01:00Z", "info": {"status": "SUCCESS"}});
        serde_json::from_value(json).unwrap()
    }

    fn names() -> Names {
        let metrics = serde_json::json!({
            "gb": {"aggregationType": "SUM", "info": {"filterGroups": [], "groupBys": ["region"]}},
            "call": {"aggregationType": "COUNT"},
            "peak": {"aggregationType": "MAX"},
            "paid": {"aggregationType": "SUM", "info": {"filterGroups": [{"filters": [{"name": "tier"}]}]}},
        });
        Names {
            buyers: BTreeMap::from([("b-1".to_owned(), "Birch, Inc.".to_owned())]),
            metrics: serde_json::from_value(metrics).unwrap(),
        }
    }

    #[test]
    fn usage_is_added_up_by_the_time_of_use_and_not_of_reporting() {
        let used = |at: &str, reported: &str| {
            group(serde_json::json!({
                "buyerID": "b-1", "entitlementID": "e-1", "status": "REPORTED", "usageRecordReportID": "r-ok", "records": {"calls": 0.1},
                "creationTime": reported, "metaInfo": {"timestamp": at},
            }))
        };
        let rows = october(&[
            used("2026-09-30T23:59:59Z", "2026-10-01T00:10:00Z"),
            used("2026-10-01T00:00:00Z", "2026-10-01T00:10:00Z"),
            used("2026-10-31T23:59:59Z", "2026-11-01T00:10:00Z"),
            used("2026-11-01T00:00:00Z", "2026-11-01T00:10:00Z"),
            used("0001-01-01T00:00:00Z", "2026-10-02T00:10:00Z"),
        ])
        .unwrap();
        let [row] = &rows[..] else { panic!("one row: {rows:?}") };
        assert_eq!((row.quantity.to_string().as_str(), row.sku.as_str(), row.is_final), ("0.3", "e-1/calls", true));
        assert_eq!(row.customer_name.as_deref(), Some("Birch, Inc."));
    }

    proptest::proptest! {
        #[test]
        fn the_keys_of_a_month_are_the_same_on_every_day_of_it(month in months_and_days()) {
            let used = group(serde_json::json!({
                "id": "g-1", "buyerID": "b-1", "entitlementID": "e-1", "status": "REPORTED", "usageRecordReportID": "r-ok",
                "records": {"calls": 1}, "creationTime": month.0.start(),
            }));
            check_keys_stay(month, LATE, Some(true), |period, now| {
                usage_rows(std::slice::from_ref(&used), &[accepted()], &names(), "acme", period, now).unwrap().remove(0)
            })?;
        }
    }

    #[test]
    fn a_part_of_a_month_has_its_own_period_and_is_not_billable() {
        let used = group(
            serde_json::json!({"status": "REPORTED", "usageRecordReportID": "r-ok", "records": {"calls": 1}, "creationTime": "2026-10-05T00:00:00Z"}),
        );
        let period: Period = "2026-10-03/2026-10-20".parse().unwrap();
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        let rows = usage_rows(&[used], &[accepted()], &names(), "acme", period, now).unwrap();
        assert_eq!((rows[0].period_end, rows[0].is_final), (period.end(), false));
        assert_eq!((rows[0].is_billable, rows[0].billing_reason), (Some(false), BillingReason::NotAWholePeriod));
    }

    #[test]
    fn groups_without_ids_are_groups_of_their_own() {
        let without = |id: serde_json::Value| {
            group(serde_json::json!({
                "id": id, "status": "REPORTED", "records": {"calls": 1}, "creationTime": "2026-10-05T00:00:00Z",
            }))
        };
        let (empty, none) = (without("".into()), without(serde_json::Value::Null));
        let rows = october(&[empty.clone(), empty, none.clone(), none, without("g-1".into()), without("g-1".into())]);
        assert_eq!(rows.unwrap()[0].quantity, Decimal::from(5));
    }

    #[test]
    fn what_will_not_be_billed_is_left_out_and_what_is_not_reported_yet_is_not_final() {
        let with = |status: &str| {
            group(serde_json::json!({
                "id": status, "status": status, "usageRecordReportID": "r-ok", "records": {"calls": 1}, "creationTime": "2026-10-05T00:00:00Z",
            }))
        };
        let rows = october(&[with("REPORTED"), with("INVALID"), with("DELETED")]).unwrap();
        assert_eq!((rows[0].quantity, rows[0].is_final), (Decimal::ONE, true));
        for open in ["CREATED", "REPORT_PENDING", "REPORT_FAILED", "A_NEW_ONE"] {
            let rows = october(&[with("REPORTED"), with(open)]).unwrap();
            assert_eq!((rows[0].quantity, rows[0].is_final), (Decimal::TWO, false), "{open}");
        }
    }

    #[test]
    fn events_of_billable_metrics_count_where_there_are_no_records() {
        let rows = october(&[group(serde_json::json!({
            "id": "g", "creationTime": "2026-10-05T00:00:00Z", "records": null,
            "metaInfo": {"billableRecords": [{"key": "gb", "quantity": "2.5"}, {"key": "gb", "quantity": 1}, {"key": "call", "quantity": 9}]},
        }))])
        .unwrap();
        let read: Vec<_> =
            rows.iter().map(|row| (row.metric.as_str(), row.quantity.to_string(), row.unit.as_str())).collect();
        assert_eq!(read, [("call", "1".to_owned(), "events"), ("gb", "3.5".to_owned(), "units")]);
    }

    fn event(metric: &str, status: &str) -> types::MeteringUsageRecordGroup {
        group(serde_json::json!({
            "id": metric, "status": status, "creationTime": "2026-10-05T07:10:00Z", "entitlementID": "e-1",
            "usageRecordReportID": if status == "REPORTED" { "r-1" } else { "" },
            "metaInfo": {"billableRecords": [{"key": metric, "quantity": 7}]},
        }))
    }

    #[test]
    fn events_that_do_not_add_up_are_what_the_report_made_of_them() {
        let report: types::MeteringUsageRecordReport = serde_json::from_value(serde_json::json!({
            "id": "r-1", "entitlementID": "e-1", "buyerID": "b-1", "creationTime": "2026-10-05T08:01:00Z",
            "info": {
                "status": "SUCCESS", "startTime": "2026-10-05T07:00:00Z", "endTime": "2026-10-05T08:00:00Z",
                "reportedRecords": {"seats": 3},
                "aggregatedBillableRecords": [
                    {"key": "gb", "quantity": 7}, {"key": "peak", "quantity": 5}, {"key": "paid", "quantity": 2},
                    {"key": "new", "quantity": 1},
                ],
            },
        }))
        .unwrap();
        let groups = ["gb", "peak", "paid", "new"].map(|metric| event(metric, "REPORTED"));
        let rows = with_reports(&groups, std::slice::from_ref(&report)).unwrap();
        let read: Vec<_> =
            rows.iter().map(|row| (row.metric.as_str(), row.quantity.to_string(), row.is_final)).collect();
        // `gb` adds up: once, and not again from the report.
        let expected = [("gb", "7", true), ("peak", "5", true), ("paid", "2", true), ("new", "1", true)];
        assert_eq!(read, expected.map(|(metric, quantity, is_final)| (metric, quantity.to_owned(), is_final)));
        assert_eq!(rows[1].period_start.to_rfc3339(), "2026-10-05T07:00:00+00:00");
        assert_eq!(rows[1].customer_name.as_deref(), Some("Birch, Inc."));
    }

    #[test]
    fn events_that_do_not_add_up_are_never_lost_in_silence() {
        for metric in ["peak", "paid", "new"] {
            let error = october(&[event(metric, "REPORTED")]).unwrap_err();
            let expected = format!(
                "usage record group {metric} has events of the billable metric {metric}, which do not simply add up"
            );
            assert!(error.to_string().starts_with(&expected), "{error}");
            // Two of an hour that is not reported yet: one open row.
            let mut other = event(metric, "CREATED");
            other.id = None;
            let rows = october(&[event(metric, "CREATED"), other]).unwrap();
            let [row] = &rows[..] else { panic!("{rows:?}") };
            assert_eq!((row.quantity, row.is_final, row.metric.as_str()), (Decimal::ZERO, false, metric));
            assert_eq!(row.period_start.to_rfc3339(), "2026-10-05T07:00:00+00:00");
        }
    }

    #[test]
    fn a_group_that_is_listed_twice_counts_once() {
        let twice = group(serde_json::json!({
            "id": "g-7", "status": "REPORTED", "records": {"calls": 5}, "creationTime": "2026-10-05T00:00:00Z",
        }));
        assert_eq!(october(&[twice.clone(), twice]).unwrap()[0].quantity, Decimal::from(5));
    }

    #[test]
    fn nothing_is_final_before_the_period_is_over() {
        let reported = group(serde_json::json!({
            "id": "g-6", "status": "REPORTED", "usageRecordReportID": "r-ok", "records": {"calls": 5}, "creationTime": "2026-10-05T00:00:00Z",
        }));
        let rows = |now: &str| {
            usage_rows(
                std::slice::from_ref(&reported),
                &[accepted()],
                &names(),
                "acme",
                "2026-10".parse().unwrap(),
                now.parse().unwrap(),
            )
        };
        assert!(!rows("2026-10-20T00:00:00Z").unwrap()[0].is_final);
        assert!(!rows("2026-11-01T12:00:00Z").unwrap()[0].is_final, "usage of the last day still comes in");
        assert!(rows("2026-11-02T00:00:00Z").unwrap()[0].is_final);
    }

    /// Usage of two groups of one hour, and whether the row of their sum is final after these reports, in any order.
    fn is_final(groups: [serde_json::Value; 2], reports: &[serde_json::Value]) -> bool {
        let groups = groups.map(|more| {
            let mut json = serde_json::json!({
                "id": "g-1", "entitlementID": "e-1", "status": "REPORTED", "usageRecordReportID": "r-1", "records": {"gb": 2.25},
                "creationTime": "2026-10-05T07:30:00Z",
            });
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            group(json)
        });
        let mut reports: Vec<types::MeteringUsageRecordReport> =
            reports.iter().map(|report| serde_json::from_value(report.clone()).unwrap()).collect();
        let mut of = || {
            reports.reverse();
            let rows = with_reports(&groups, &reports).unwrap();
            assert_eq!((rows.len(), rows[0].metric.as_str()), (1, "gb"), "{rows:?}");
            assert_eq!(rows[0].as_of.is_some(), !rows[0].is_final);
            rows[0].is_final
        };
        let (last_first, first_first) = (of(), of());
        assert_eq!(last_first, first_first);
        last_first
    }

    fn of_report(id: &str, hour: u32, info: serde_json::Value) -> serde_json::Value {
        let mut json = serde_json::json!({"id": id, "entitlementID": "e-1", "info": {
            "status": "SUCCESS", "startTime": format!("2026-10-05T{hour:02}:00:00Z"), "reportedRecords": {"gb": 4},
        }});
        json["info"].as_object_mut().unwrap().extend(info.as_object().unwrap().clone());
        json
    }

    #[test]
    fn sum_is_final_only_once_the_marketplace_accepted_all_of_it() {
        use serde_json::json;
        let result = |status: &str| json!({"awsMeteringResponse": {"results": [{"status": status, "usageRecord": {"dimension": "gb"}}]}});
        let one = |info: serde_json::Value| of_report("r-1", 7, info);
        let both = || [json!({}), json!({"id": "g-2"})];
        assert!(is_final(both(), &[one(json!({}))]) && is_final(both(), &[one(result("Success"))]));
        assert!(!is_final(both(), &[]), "its report is not known");
        for not_accepted in [
            result("CustomerNotSubscribed"),
            result("DuplicateRecord"),
            json!({"awsMeteringResponse": {"results": []}}),
            json!({"status": "FAILED"}),
            json!({"status": "CREATED"}),
        ] {
            assert!(!is_final(both(), &[one(not_accepted.clone())]), "{not_accepted}");
        }
        // One of the two in another report.
        let apart = || [json!({}), json!({"id": "g-2", "usageRecordReportID": "r-2"})];
        let two = |info: serde_json::Value| of_report("r-2", 8, info);
        assert!(is_final(apart(), &[one(json!({})), two(json!({}))]));
        assert!(
            !is_final(apart(), &[one(json!({}))])
                && !is_final(apart(), &[one(json!({})), two(json!({"status": "FAILED"}))])
        );
        // A group that names no report is in the one that names it; of several, one that was accepted.
        let unnamed = || [json!({}), json!({"id": "g-2", "usageRecordReportID": ""})];
        let names =
            |id: &str, status: &str| of_report(id, 8, json!({"status": status, "usageRecordGroupIds": ["g-2"]}));
        assert!(is_final(unnamed(), &[one(json!({})), names("r-2", "FAILED"), names("r-3", "SUCCESS")]));
        assert!(!is_final(unnamed(), &[one(json!({})), names("r-2", "FAILED")]));
        assert!(!is_final(unnamed(), &[one(json!({})), two(json!({}))]));
        // One without any id.
        assert!(!is_final(
            [json!({}), json!({"id": "", "usageRecordReportID": ""})],
            &[one(json!({})), names("r-2", "SUCCESS")]
        ));
    }

    #[test]
    fn sum_with_a_fraction_left_to_later_reports_is_final_once_one_has_a_whole_unit() {
        use serde_json::json;
        let both = || [json!({}), json!({"id": "g-2", "usageRecordReportID": "r-2"})];
        let parts = || json!({"decimalParts": {"gb": 0.5}, "newDecimalParts": {"gb": 0.5}});
        let left = |id: &str, hour| of_report(id, hour, parts());
        let whole = |hour| of_report("r-3", hour, json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": 0.5}}));
        let last = || [left("r-1", 7), left("r-2", 8)];
        assert!(!is_final(both(), &last()), "the second report leaves a fraction as well");
        assert!(is_final(both(), &[last().to_vec(), vec![whole(9)]].concat()));
        assert!(!is_final(both(), &[last().to_vec(), vec![whole(8)]].concat()));
        assert!(is_final(both(), &[left("r-1", 7), of_report("r-2", 8, json!({"decimalParts": {"gb": 0.5}}))]));
        assert!(
            !is_final(both(), &[left("r-1", 7), of_report("r-2", 8, json!({}))]),
            "it does not include the fraction"
        );
        let part = of_report("r-3", 9, json!({"reportedRecords": {"gb": 0.75}, "decimalParts": {"gb": 0.5}}));
        assert!(!is_final(both(), &[last().to_vec(), vec![part]].concat()));
        let mut other = whole(9);
        other["entitlementID"] = json!("e-2");
        assert!(!is_final(both(), &[last().to_vec(), vec![other]].concat()));
        // Of whole numbers no part is left.
        let wholes = || [json!({"records": {"gb": 2}}), json!({"id": "g-2", "records": {"gb": 3}})];
        let first = || of_report("r-1", 7, json!({"newDecimalParts": {"gb": 0.5}}));
        assert!(is_final(wholes(), &[first()]));
        let one_part = || [json!({"records": {"gb": 2}}), json!({"id": "g-2"})];
        assert!(!is_final(one_part(), &[first()]));
        // Of another dimension.
        let other = json!({"decimalParts": {"gb": 0.5}, "newDecimalParts": {"calls": 0.5}});
        assert!(is_final(both(), &[left("r-1", 7), of_report("r-2", 8, other)]));
    }

    #[test]
    fn sum_of_events_is_final_once_everything_in_its_report_was_accepted() {
        use serde_json::json;
        let events = |id: &str| json!({"id": id, "records": {}, "metaInfo": {"billableRecords": [{"key": "gb", "quantity": 2}]}});
        let both = || [events("g-1"), events("g-2")];
        let report = |info: serde_json::Value| {
            let mut report = of_report("r-1", 7, info);
            report["info"]["aggregatedBillableRecords"] = json!([{"key": "gb", "quantity": 4}]);
            report["info"]["reportedRecords"] = json!({});
            report
        };
        assert!(is_final(both(), &[report(json!({}))]));
        assert!(is_final(both(), &[report(json!({"partner": "GCP", "gcpMeteringResponse": {}}))]));
        assert!(!is_final(both(), &[report(json!({"partner": "GCP"}))]));
        let refused = json!({"awsMeteringResponse": {"results": [{"status": "DuplicateRecord", "usageRecord": {"dimension": "usd"}}]}});
        assert!(!is_final(both(), &[report(refused)]));
    }

    #[test]
    fn a_group_without_any_time_is_an_error_and_not_lost() {
        let error = october(&[group(serde_json::json!({"id": "g-9", "records": {"calls": 1}}))]).unwrap_err();
        assert_eq!(error.to_string(), "usage record group g-9 has neither a timestamp nor a creation time");
    }

    proptest::proptest! {
        /// Wherever a span is cut, in whatever order groups are listed, and however often: nothing is lost and nothing counts twice.
        #[test]
        fn the_parts_of_a_period_add_up_to_the_whole(
            used in proptest::collection::vec((0i64..31 * 86_400, 0i64..1_000_000, 0u32..6, 0usize..6, 0usize..3), 1..30),
            cut in 1i64..31 * 86_400,
            turned in 0usize..30,
        ) {
            let whole: Period = "2026-10".parse().unwrap();
            let at = |seconds: i64| whole.start() + TimeDelta::seconds(seconds);
            let statuses = ["CREATED", "REPORTED", "REPORT_PENDING", "REPORT_FAILED", "INVALID", "DELETED"];
            let mut groups: Vec<_> = used.iter().zip(0..).map(|(&(seconds, mantissa, places, status, times), id)| {
                let it = group(serde_json::json!({
                    "id": format!("g-{id}"), "entitlementID": format!("e-{times}"), "status": statuses[status],
                    "records": {"gb": Decimal::new(mantissa, places).to_string()},
                    "creationTime": "2026-11-01T00:00:00Z", "metaInfo": {"timestamp": at(seconds)},
                }));
                vec![it; times + 1]
            }).collect();
            let middle = turned % groups.len();
            groups.rotate_left(middle);
            let groups = groups.concat();
            let total = |period: Period| -> Decimal {
                let rows = usage_rows(&groups, &[], &names(), "acme", period, at(0)).unwrap();
                rows.iter().map(|row| row.quantity).sum()
            };
            let parts = [Period::new(whole.start(), at(cut)).unwrap(), Period::new(at(cut), whole.end()).unwrap()];
            let billed = used.iter().filter(|one| one.3 < 4).map(|one| Decimal::new(one.1, one.2));
            proptest::prop_assert_eq!(total(whole), billed.sum::<Decimal>());
            proptest::prop_assert_eq!(parts.map(total).iter().sum::<Decimal>(), total(whole));
        }
    }
}
