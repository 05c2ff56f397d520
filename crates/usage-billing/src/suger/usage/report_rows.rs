//! Usage record reports of the hourly runs, as rows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use usage_billing_core::{Decimal, DecimalNumber, Error, ErrorKind, Result, printable};

use super::groups::{id_in, is_set};
use super::marketplace::{self, Acceptance, is_void};
use super::report_quantities::{accepted_otherwise, rounding};
use crate::rows::identity::{RowIdentity, UNITS, disambiguate_keys};
use crate::rows::loadable;
use crate::suger::types::{
    AggregatedMeteringUsageRecord, BillableMetricAggregationType, MeteringUsageRecordReport as Report,
    MeteringUsageRecordReportInfo as Info,
};
use crate::{BillingReason, Period, UsageRow, Vendor};

/// The operation that lists the reports.
pub(super) const REPORTS: &str = "listUsageRecordReports";

/// Returns rows of the usage record reports whose hour begins in `period`. Each report counts once, however often it
/// is listed. It has one row for each dimension (v1), and one for each billable metric and group-by value (v2; the
/// value is the last part of the SKU, `ent-7/gpu_seconds/region=eu`). Reports that failed, were deleted or canceled
/// are left out.
///
/// A row is final once the report succeeded and the response of the marketplace accepts its usage (AWS: `Success`;
/// Azure: `Accepted`; Google Cloud: no error), in the quantity of the report if it states one. Reports to other
/// marketplaces have no response; their success is enough.
///
/// The quantity of a dimension is the sum of the sent quantity (`overage_quantity`, which the marketplace charges),
/// the included amount (`included_quantity`) and the part paid from credit. A marketplace such as AWS accepts whole
/// units only: a fraction is carried to the next report, and counted there. Prices are those of the report, which
/// states no currency. Totals of `MAX`, `LAST` and `UNIQUE_COUNT` are of their hour: do not add them up.
///
/// # Errors
/// [`ErrorKind::Decode`] for a report without any time, or a quantity of more than 28 digits.
pub fn report_rows(
    reports: &[Report],
    buyers: &BTreeMap<String, String>,
    org_id: &str,
    period: Period,
) -> Result<Vec<UsageRow>> {
    rows(reports, buyers, org_id, period, |_| true)
}

/// Returns the same rows, limited to wanted metrics, without dimensions.
pub(super) fn of_metrics(
    reports: &[Report],
    buyers: &BTreeMap<String, String>,
    org_id: &str,
    period: Period,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<UsageRow>> {
    rows(reports, buyers, org_id, period, |part| part.of_metric && wanted(part.metric))
}

/// Returns the wanted rows. Keys and positions are those among all rows of a report.
fn rows(
    reports: &[Report],
    buyers: &BTreeMap<String, String>,
    org_id: &str,
    period: Period,
    wanted: impl Fn(&ReportedQuantity<'_>) -> bool,
) -> Result<Vec<UsageRow>> {
    let mut all = Vec::new();
    let mut are_wanted = Vec::new();
    let mut seen = BTreeSet::new();
    for report in reports {
        let Some(info) = &report.info else { continue };
        let again = id_in(&report.id).is_some_and(|id| !seen.insert(id));
        if again || is_void(info) {
            continue;
        }
        let hour = hour(report, info)?;
        if !period.contains(hour.start()) {
            continue;
        }
        for (part, number) in ReportedQuantity::all(info)?.into_iter().zip(1..) {
            are_wanted.push(wanted(&part));
            let row = part.row(report, org_id, hour)?;
            all.push(UsageRow {
                customer_name: row.customer_id.as_ref().and_then(|id| buyers.get(id).cloned()),
                is_final: part.acceptance(report, info) == Acceptance::Accepted && !part.is_contradicted(report, info),
                source_row: Some(number),
                ..row
            });
        }
    }
    Ok(disambiguate_keys(all)
        .into_iter()
        .zip(are_wanted)
        .filter_map(|(row, is_wanted)| is_wanted.then_some(row))
        .collect())
}

/// Returns whether the hour of a report begins in `period`, and the report is not void.
pub(super) fn begins_in(period: Period, report: &Report) -> Result<bool> {
    let info = report.info.as_ref().filter(|info| !is_void(info));
    let hour = info.map(|info| hour(report, info)).transpose()?;
    Ok(hour.is_some_and(|hour| period.contains(hour.start())))
}

/// One quantity of a report.
struct ReportedQuantity<'a> {
    metric: &'a str,
    /// Whether it is of a billable metric, not of a dimension.
    of_metric: bool,
    /// Values of the group-bys, such as `region=eu`.
    group: &'a str,
    unit: &'static str,
    quantity: Decimal,
    included: Option<Decimal>,
    charged: Option<Decimal>,
    price: Option<Decimal>,
    list_price: Option<Decimal>,
    cost: Option<Decimal>,
}

impl<'a> ReportedQuantity<'a> {
    /// Returns all quantities of a report, dimensions first.
    fn all(info: &'a Info) -> Result<Vec<Self>> {
        let metrics = info.aggregated_billable_records.iter().map(|total| Ok(Self::of_metric(total)));
        dimensions(info).into_iter().map(|dimension| Self::of_dimension(info, dimension)).chain(metrics).collect()
    }

    fn of_dimension(info: &'a Info, dimension: &'a str) -> Result<Self> {
        let quantity_in = |map: &BTreeMap<String, DecimalNumber>| map.get(dimension).map(|quantity| quantity.0);
        let charged = quantity_in(&info.reported_records);
        let (included, credit) = (quantity_in(&info.included_records), quantity_in(&info.credit_records));
        let mut parts = [charged, included, credit].into_iter().flatten();
        let quantity = parts.try_fold(Decimal::ZERO, |sum, part| sum.checked_add(part)).ok_or_else(|| {
            Error::new(
                ErrorKind::Decode,
                format!("the quantity of {} in a report has more than 28 digits", printable(dimension)),
            )
        })?;
        Ok(Self {
            metric: dimension,
            of_metric: false,
            group: "",
            unit: UNITS,
            quantity,
            included,
            charged,
            price: quantity_in(&info.dimension_unit_price),
            list_price: quantity_in(&info.dimension_unit_list_price),
            cost: None,
        })
    }

    fn of_metric(total: &'a AggregatedMeteringUsageRecord) -> Self {
        let counts = total.billable_metric_aggregation_type == Some(BillableMetricAggregationType::Count);
        Self {
            metric: total.key.as_deref().unwrap_or_default(),
            of_metric: true,
            group: total.group_bys_expression.as_deref().unwrap_or_default(),
            unit: if counts { "events" } else { UNITS },
            quantity: total.quantity.unwrap_or_default().0,
            included: None,
            charged: None,
            price: None,
            list_price: None,
            cost: total.amount.map(|amount| amount.0),
        }
    }

    /// Returns the acceptance of the quantity. The dimensions of a metric are not stated, so all of the report count.
    fn acceptance(&self, report: &Report, info: &Info) -> Acceptance {
        let dimensions = if self.of_metric { &[] } else { std::slice::from_ref(&self.metric) };
        marketplace::acceptance(info, marketplace::partner_of(report, None), dimensions)
    }

    /// Returns whether the response of the marketplace states another quantity than the report.
    fn is_contradicted(&self, report: &Report, info: &Info) -> bool {
        let (partner, sent) = (marketplace::partner_of(report, None), self.charged.unwrap_or_default());
        let rounding = rounding(info, self.metric, sent);
        !self.of_metric && accepted_otherwise(info, partner, self.metric, sent, rounding).is_some()
    }

    /// Returns the row of the quantity.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] for a price that does not fit its column.
    fn row(&self, report: &Report, org_id: &str, period: Period) -> Result<UsageRow> {
        let entitlement = report.entitlement_id.as_deref().unwrap_or_default();
        let sku = match self.group {
            "" => format!("{entitlement}/{}", self.metric),
            group => format!("{entitlement}/{}/{group}", self.metric),
        };
        let identity = RowIdentity {
            customer_id: report.buyer_id.as_deref(),
            sku: &sku,
            metric: self.metric,
            // A requeued group is in a second report of its hour.
            vendor_grouping: report.id.as_deref(),
            unit: self.unit,
            ..RowIdentity::new(Vendor::Suger, REPORTS, org_id, period)
        };
        let location =
            || format!("{} in usage record report {}", self.metric, report.id.as_deref().unwrap_or("without id"));
        let price = |price: Option<Decimal>| price.map(|price| loadable::unit_price(price, location)).transpose();
        Ok(UsageRow {
            customer_kind: report.buyer_id.as_ref().map(|_| "buyer".to_owned()),
            included_quantity: self.included.map(loadable::quantity),
            overage_quantity: self.charged.map(loadable::quantity),
            unit_price: price(self.price)?,
            list_price: price(self.list_price)?,
            cost: self.cost.map(loadable::quantity),
            source_report_id: report.id.clone(),
            ..identity.row(self.quantity, BillingReason::Usage)
        }
        .with_price_source())
    }
}

/// Returns all dimensions of which a report has a quantity.
fn dimensions(info: &Info) -> BTreeSet<&str> {
    let maps = [&info.reported_records, &info.included_records, &info.credit_records];
    maps.into_iter().flat_map(|map| map.keys().map(String::as_str)).collect()
}

/// Returns the hour of a report, or the hour before its creation if it states none.
fn hour(report: &Report, info: &Info) -> Result<Period> {
    let hour = TimeDelta::hours(1);
    let wrong = |what: &str| {
        let id = report.id.as_deref().unwrap_or("without id");
        Error::new(ErrorKind::Decode, format!("usage record report {} has {what}", printable(id)))
    };
    let made = report.creation_time.filter(is_set).and_then(|time| time.checked_sub_signed(hour));
    let start = info.start_time.filter(is_set).or(made);
    let start = start.ok_or_else(|| wrong("neither a start nor a creation time"))?;
    let end = info.end_time.filter(|end| *end > start).or_else(|| start.checked_add_signed(hour));
    Period::new(start, end.unwrap_or(start)).map_err(|error| wrong("no usable window").with_source(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suger::test_support::with_marketplace;
    use serde_json::{Value, json};

    fn report(id: &str, info: Value) -> Report {
        let mut report = json!({
            "id": id, "entitlementID": "e-1", "buyerID": "b-1", "creationTime": "2026-10-31T00:01:00Z",
            "info": {"status": "SUCCESS", "startTime": "2026-10-30T23:00:00Z", "endTime": "2026-10-31T00:00:00Z"},
        });
        report["info"].as_object_mut().unwrap().extend(info.as_object().unwrap().clone());
        report["info"] = with_marketplace(report["info"].take());
        serde_json::from_value(report).unwrap()
    }

    fn october(reports: &[Report]) -> Result<Vec<UsageRow>> {
        let buyers = BTreeMap::from([("b-1".to_owned(), "Birch, Inc.".to_owned())]);
        report_rows(reports, &buyers, "acme", "2026-10".parse().unwrap())
    }

    #[test]
    fn dimension_is_the_sum_of_charged_included_and_credit() {
        let rows = october(&[report(
            "r-1",
            json!({
                "reportedRecords": {"gb": 1843, "calls": 4}, "includedRecords": {"gb": 100.5}, "creditRecords": {"gb": 0.25, "seats": 2},
                "dimensionUnitPrice": {"gb": 0.035}, "dimensionUnitListPrice": {"gb": 0.04},
            }),
        )])
        .unwrap();
        let read: Vec<_> = rows.iter().map(|row| (row.sku.as_str(), row.quantity.to_string())).collect();
        let expected = [("e-1/calls", "4"), ("e-1/gb", "1943.75"), ("e-1/seats", "2")];
        assert_eq!(read, expected.map(|(sku, quantity)| (sku, quantity.to_owned())));
        let text = |value: Option<Decimal>| value.map(|value| value.to_string()).unwrap_or_default();
        let gb = &rows[1];
        let parts = [gb.included_quantity, gb.overage_quantity, gb.unit_price, gb.list_price, gb.cost].map(text);
        assert_eq!(parts, ["100.5", "1843", "0.035", "0.04", ""]);
        assert_eq!((gb.source_report_id.as_deref(), gb.source_row, gb.is_final), (Some("r-1"), Some(2), true));
        assert_eq!(gb.customer_name.as_deref(), Some("Birch, Inc."));
    }

    #[test]
    fn metric_has_a_row_for_each_group_by_value() {
        let total = |group: &str, quantity: i64, how: &str| json!({"key": "gpu", "groupBysExpression": group, "quantity": quantity, "amount": 0.5, "billableMetricAggregationType": how});
        let info = json!({"aggregatedBillableRecords": [total("region=eu", 3, "COUNT"), total("", 5, "MAX")]});
        let rows = october(&[report("r-1", info)]).unwrap();
        let read: Vec<_> =
            rows.iter().map(|row| (row.sku.as_str(), row.unit.as_str(), row.cost.unwrap().to_string())).collect();
        let cost = || "0.5".to_owned();
        assert_eq!(read, [("e-1/gpu/region=eu", "events", cost()), ("e-1/gpu", "units", cost())]);
    }

    #[test]
    fn void_reports_are_excluded_and_unfinished_ones_not_final() {
        let with = |status: &str| report(status, json!({"status": status, "reportedRecords": {"gb": 1}}));
        for status in ["FAILED", "DELETED", "CANCELED"] {
            assert!(october(&[with(status)]).unwrap().is_empty(), "{status}");
        }
        for (status, is_final) in
            [("SUCCESS", true), ("INVOICED", true), ("CREATED", false), ("", false), ("NEW", false)]
        {
            assert_eq!(october(&[with(status)]).unwrap()[0].is_final, is_final, "{status}");
        }
    }

    #[test]
    fn row_is_final_only_if_the_marketplace_accepted_its_usage() {
        let result = |dimension: &str, status: &str| json!({"status": status, "usageRecord": {"dimension": dimension}});
        let rows = october(&[report(
            "r-1",
            json!({
                "reportedRecords": {"calls": 1, "gb": 2, "seats": 3},
                "aggregatedBillableRecords": [{"key": "gpu", "quantity": 4}],
                "awsMeteringResponse": {
                    "results": [result("gb", "Success"), result("calls", "CustomerNotSubscribed")],
                    "unprocessedRecords": [{"dimension": "seats"}],
                },
            }),
        )]);
        let read: Vec<_> = rows.unwrap().into_iter().map(|row| (row.metric, row.is_final)).collect();
        let expected = [("calls", false), ("gb", true), ("seats", false), ("gpu", false)];
        assert_eq!(read, expected.map(|(metric, is_final)| (metric.to_owned(), is_final)));
    }

    #[test]
    fn reports_count_once_in_the_period_in_which_their_hour_begins() {
        let at =
            |start: &str| report(start, json!({"startTime": start, "endTime": null, "reportedRecords": {"gb": 1}}));
        let inside = at("2026-10-31T23:00:00Z");
        let rows = october(&[at("2026-09-30T23:00:00Z"), inside.clone(), inside, at("2026-11-01T00:00:00Z")]).unwrap();
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(row.period_end.to_rfc3339(), "2026-11-01T00:00:00+00:00");
    }

    #[test]
    fn two_reports_of_one_hour_have_separate_rows() {
        let rows = october(&["r-1", "r-2"].map(|id| report(id, json!({"reportedRecords": {"gb": 1}})))).unwrap();
        assert_ne!(rows[0].row_key, rows[1].row_key);
    }

    #[test]
    fn duplicates_have_separate_keys_and_filters_keep_them() {
        let total = |quantity: i64| json!({"key": "gb", "quantity": quantity});
        let info = json!({"reportedRecords": {"gb": 1}, "aggregatedBillableRecords": [total(2), total(3)]});
        let all = october(&[report("r-1", info.clone())]).unwrap();
        let keys: BTreeSet<_> = all.iter().map(|row| row.row_key).collect();
        assert_eq!((all.len(), keys.len()), (3, 3));
        let metrics = |wanted: bool| {
            let period = "2026-10".parse().unwrap();
            of_metrics(&[report("r-1", info.clone())], &BTreeMap::new(), "acme", period, |_| wanted).unwrap()
        };
        let keys_of = |rows: &[UsageRow]| rows.iter().map(|row| (row.row_key, row.source_row)).collect::<Vec<_>>();
        assert_eq!(keys_of(&metrics(true)), keys_of(&all[1..]));
        assert!(metrics(false).is_empty());
    }

    #[test]
    fn report_without_a_start_is_of_the_hour_before_its_creation() {
        let unset = json!({"startTime": "0001-01-01T00:00:00Z", "endTime": null, "reportedRecords": {"gb": 1}});
        let rows = october(&[report("r-1", unset)]).unwrap();
        assert_eq!(rows[0].period_start.to_rfc3339(), "2026-10-30T23:01:00+00:00");
        let mut timeless = report("r-2", json!({"startTime": null}));
        timeless.creation_time = None;
        let error = october(&[timeless]).unwrap_err();
        assert_eq!(error.to_string(), "usage record report r-2 has neither a start nor a creation time");
    }

    proptest::proptest! {
        #[test]
        fn report_is_in_one_of_two_adjacent_periods(
            hours in proptest::collection::vec((0i64..744, 0i64..1_000_000), 1..20),
            cut in 1i64..31 * 86_400,
        ) {
            let october: Period = "2026-10".parse().unwrap();
            let at = |seconds: i64| october.start() + TimeDelta::seconds(seconds);
            let reports: Vec<_> = hours.iter().zip(0..).map(|(&(hour, quantity), id)| {
                let (start, end) = (at(hour * 3600), at(hour * 3600 + 3600));
                report(&format!("r-{id}"), json!({"startTime": start, "endTime": end, "reportedRecords": {"gb": quantity}}))
            }).collect();
            let parts = [Period::new(october.start(), at(cut)).unwrap(), Period::new(at(cut), october.end()).unwrap()];
            let rows = parts.map(|part| report_rows(&reports, &BTreeMap::new(), "acme", part).unwrap()).concat();
            let keys: BTreeSet<_> = rows.iter().map(|row| row.row_key).collect();
            proptest::prop_assert_eq!((rows.len(), keys.len()), (hours.len(), hours.len()));
            let sum: Decimal = rows.iter().map(|row| row.quantity).sum();
            proptest::prop_assert_eq!(sum, hours.iter().map(|hour| Decimal::from(hour.1)).sum::<Decimal>());
        }
    }
}
