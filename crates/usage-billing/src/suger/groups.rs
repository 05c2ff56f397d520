//! Usage record groups: what has been reported, group by group.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, Utc};
use usage_billing_core::{Decimal, Error, ErrorKind, Result};

use super::{Client, builder, types};
use crate::row_identity::RowIdentity;
use crate::{Pager, Period, UsageRow, Vendor};

/// The largest page that the vendor gives.
const PAGE: i64 = 1000;

/// The vendor filters by a day of its own (its documents do not say which); marketplaces take usage for up to 24 hours. So many days after
/// a period's end are searched for usage of the period.
const LATE: Days = Days::new(1);

impl Client {
    /// All usage record groups that `filter` lets through, a page of 1000 at a time. Without dates the vendor lists the last 30
    /// days; it takes at most one of partner, buyer and entitlement.
    ///
    /// ```no_run
    /// # use usage_billing::suger::{Client, types::UsageRecordGroupStatus};
    /// # async fn list(client: Client) -> usage_billing::Result<()> {
    /// let mut failed = client.usage_record_groups(|request| request.status(UsageRecordGroupStatus::ReportFailed));
    /// while let Some(group) = failed.next().await {
    ///     println!("{:?}", group?.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn usage_record_groups(
        &self,
        filter: impl for<'a> Fn(builder::ListUsageRecordGroups<'a>) -> builder::ListUsageRecordGroups<'a>
        + Send
        + Sync
        + Clone
        + 'static,
    ) -> Pager<types::MeteringUsageRecordGroup> {
        let client = self.clone();
        Pager::new(0, move |offset| {
            let (client, filter) = (client.clone(), filter.clone());
            async move {
                let request = filter(client.api.list_usage_record_groups().org_id(&client.org_id));
                let page = request.limit(PAGE).offset(offset).send().await?.into_inner();
                // The last page has no `nextOffset`, or null, or 0.
                Ok((page.usage_record_groups, page.next_offset.filter(|next| *next != 0)))
            }
        })
    }

    /// Usage of a period as rows, one for each buyer, entitlement and dimension.
    ///
    /// # Errors
    /// Those of the calls, and of [`usage_rows`].
    pub async fn usage(&self, period: Period) -> Result<Vec<UsageRow>> {
        let (first, last) = (period.start().date_naive(), period.end().date_naive() + LATE);
        let groups =
            self.usage_record_groups(move |request| request.start_date(first).end_date(last)).collect_all().await?;
        let names = Names { buyers: self.buyer_names().await?, metrics: self.metrics(&groups).await? };
        usage_rows(&groups, &names, &self.org_id, period, Utc::now())
    }

    /// How each billable metric adds up, if any of the groups needs to know.
    async fn metrics(
        &self,
        groups: &[types::MeteringUsageRecordGroup],
    ) -> Result<BTreeMap<String, types::BillableMetricAggregationType>> {
        if groups.iter().all(|group| events(group).next().is_none()) {
            return Ok(BTreeMap::new());
        }
        let metrics = self.api.list_billable_metrics().org_id(&self.org_id).send().await?.into_inner();
        Ok(metrics.into_iter().filter_map(|metric| Some((metric.id?, metric.aggregation_type?))).collect())
    }

    /// Names of all buyers by id.
    async fn buyer_names(&self) -> Result<BTreeMap<String, String>> {
        let client = self.clone();
        // This list has no `nextOffset`: it ends with a page that is not full.
        let buyers = Pager::new(0, move |offset| {
            let client = client.clone();
            async move {
                let request = client.api.list_buyers().org_id(&client.org_id).limit(PAGE).offset(offset);
                let page = request.send().await?.into_inner();
                let full = page.len() as u64 >= PAGE.unsigned_abs();
                Ok((page, full.then_some(offset + PAGE)))
            }
        });
        let named = |buyer: types::IdentityBuyer| Some((buyer.id?, buyer.name.filter(|name| !name.is_empty())?));
        Ok(buyers.collect_all().await?.into_iter().filter_map(named).collect())
    }
}

/// What groups do not say of themselves.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Names of buyers by id.
    pub buyers: BTreeMap<String, String>,
    /// How the events of a billable metric become a quantity, by the metric's id.
    pub metrics: BTreeMap<String, types::BillableMetricAggregationType>,
}

/// Adds up the usage in `period`, by the time of use, each group once however often it is listed. Deleted and invalid groups are left
/// out; a row is final when the period is over and all of it has been reported to the marketplace.
///
/// # Errors
/// [`ErrorKind::Decode`] for a group without any time, a sum of more than 28 digits, or events of a billable metric that does not simply add
/// up (`MAX`, `LAST`, `UNIQUE_COUNT`): their quantity is in the usage record reports.
pub fn usage_rows(
    groups: &[types::MeteringUsageRecordGroup],
    names: &Names,
    org_id: &str,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Vec<UsageRow>> {
    let closed = period.is_closed(now - LATE);
    let mut sums: BTreeMap<Key, (Decimal, bool)> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for group in groups {
        // New groups shift the pages while they are read: a group may come again on the next one.
        if group.id.as_ref().is_some_and(|id| !seen.insert(id)) {
            continue;
        }
        use types::UsageRecordGroupStatus::{Deleted, Invalid, Reported};
        if matches!(group.status, Some(Deleted | Invalid)) || !period.contains(used_at(group)?) {
            continue;
        }
        let reported = group.status == Some(Reported);
        for (dimension, unit, quantity) in quantities(group, names)? {
            let key = Key {
                buyer: group.buyer_id.clone(),
                entitlement: group.entitlement_id.clone().unwrap_or_default(),
                dimension,
                unit,
            };
            let (sum, is_final) = sums.entry(key).or_insert((Decimal::ZERO, closed));
            *sum = sum.checked_add(quantity).ok_or_else(|| {
                Error::new(ErrorKind::Decode, format!("with {} the sum has more than 28 digits", name(group)))
            })?;
            *is_final &= reported;
        }
    }
    let row = |(key, (quantity, is_final)): (Key, (Decimal, bool))| {
        let identity = RowIdentity {
            vendor: Vendor::Suger,
            operation: "listUsageRecordGroups",
            account: org_id,
            customer_id: key.buyer.as_deref(),
            sku: &format!("{}/{}", key.entitlement, key.dimension),
            metric: &key.dimension,
            unit: key.unit,
            period,
            apart: &[],
        };
        UsageRow {
            customer_name: key.buyer.as_ref().and_then(|id| names.buyers.get(id).cloned()),
            customer_kind: key.buyer.as_ref().map(|_| "buyer".to_owned()),
            is_final,
            billable: true,
            ..identity.row(quantity)
        }
    };
    Ok(sums.into_iter().map(row).collect())
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    buyer: Option<String>,
    entitlement: String,
    dimension: String,
    unit: &'static str,
}

/// Events of billable metrics; a group has these or `records`.
fn events(group: &types::MeteringUsageRecordGroup) -> impl Iterator<Item = &types::MeteringUsageRecord> {
    let info = group.meta_info.iter().filter(|_| group.records.is_empty());
    info.flat_map(|info| &info.billable_records)
}

/// What a group reports: `records` by dimension, or else the events of billable metrics.
fn quantities(group: &types::MeteringUsageRecordGroup, names: &Names) -> Result<Vec<(String, &'static str, Decimal)>> {
    use types::BillableMetricAggregationType::{Count, Sum};
    let mut all: Vec<_> =
        group.records.iter().map(|(dimension, quantity)| (dimension.clone(), "units", quantity.0)).collect();
    for event in events(group) {
        let metric = event.key.clone().unwrap_or_default();
        match (names.metrics.get(&metric), event.quantity) {
            (Some(Sum), quantity) => all.push((metric, "units", quantity.unwrap_or_default().0)),
            (Some(Count), _) => all.push((metric, "events", Decimal::ONE)),
            (other, _) => {
                let how = other.map_or("in an unknown way", |aggregation| aggregation.as_str());
                let message = format!(
                    "{} has events of the billable metric {metric}, which aggregates {how} and cannot be added up from groups; \
                     its quantity is in the usage record reports",
                    name(group)
                );
                return Err(Error::new(ErrorKind::Decode, message));
            }
        }
    }
    Ok(all)
}

/// When the usage happened; when it was reported, if the vendor does not say.
fn used_at(group: &types::MeteringUsageRecordGroup) -> Result<DateTime<Utc>> {
    // Go's zero time stands for "not set".
    let set = |time: &DateTime<Utc>| time.timestamp() > 0;
    let used = group.meta_info.as_ref().and_then(|info| info.timestamp);
    used.filter(set).or(group.creation_time.filter(set)).ok_or_else(|| {
        Error::new(ErrorKind::Decode, format!("{} has neither a timestamp nor a creation time", name(group)))
    })
}

fn name(group: &types::MeteringUsageRecordGroup) -> String {
    format!("usage record group {}", group.id.as_deref().unwrap_or("without id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(json: serde_json::Value) -> types::MeteringUsageRecordGroup {
        serde_json::from_value(json).unwrap()
    }

    fn october(groups: &[types::MeteringUsageRecordGroup]) -> Result<Vec<UsageRow>> {
        usage_rows(groups, &names(), "acme", "2026-10".parse().unwrap(), "2026-11-21T00:00:00Z".parse().unwrap())
    }

    fn names() -> Names {
        use types::BillableMetricAggregationType::{Count, Max, Sum};
        let metrics = [("gb", Sum), ("call", Count), ("peak", Max)];
        Names {
            buyers: BTreeMap::from([("b-1".to_owned(), "Birch, Inc.".to_owned())]),
            metrics: metrics.map(|(id, aggregation)| (id.to_owned(), aggregation)).into(),
        }
    }

    #[test]
    fn usage_is_added_up_by_the_time_of_use_and_not_of_reporting() {
        let used = |at: &str, reported: &str| {
            group(serde_json::json!({
                "buyerID": "b-1", "entitlementID": "e-1", "status": "REPORTED", "records": {"calls": 0.1},
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

    #[test]
    fn what_will_not_be_billed_is_left_out_and_what_is_not_reported_yet_is_not_final() {
        let with = |status: &str| {
            group(serde_json::json!({
                "id": status, "status": status, "records": {"calls": 1}, "creationTime": "2026-10-05T00:00:00Z",
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

    #[test]
    fn a_metric_that_does_not_add_up_is_an_error_and_not_a_sum() {
        for (metric, how) in [("peak", "aggregates MAX"), ("new", "in an unknown way")] {
            let error = october(&[group(serde_json::json!({
                "id": "g-8", "creationTime": "2026-10-05T00:00:00Z",
                "metaInfo": {"billableRecords": [{"key": metric, "quantity": 1}]},
            }))])
            .unwrap_err();
            assert!(error.to_string().contains(how), "{error}");
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
            "id": "g-6", "status": "REPORTED", "records": {"calls": 5}, "creationTime": "2026-10-05T00:00:00Z",
        }));
        let rows = |now: &str| {
            usage_rows(
                std::slice::from_ref(&reported),
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

    #[test]
    fn a_group_without_any_time_is_an_error_and_not_lost() {
        let error = october(&[group(serde_json::json!({"id": "g-9", "records": {"calls": 1}}))]).unwrap_err();
        assert_eq!(error.to_string(), "usage record group g-9 has neither a timestamp nor a creation time");
    }
}
