//! Usage record groups: what has been reported, group by group.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Utc};
use usage_billing_core::{Decimal, Error, ErrorKind, Result};

use super::{Client, builder, types};
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
    /// Those of the calls; [`ErrorKind::Decode`] for a group without a time.
    pub async fn usage(&self, period: Period) -> Result<Vec<UsageRow>> {
        let (first, last) = (period.start().date_naive(), period.end().date_naive() + LATE);
        let groups =
            self.usage_record_groups(move |request| request.start_date(first).end_date(last)).collect_all().await?;
        let buyers = self.buyer_names().await?;
        usage_rows(&groups, &buyers, &self.org_id, period)
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

/// Adds up the usage in `period`, by the time of use. Deleted and invalid groups are left out; a row is final when all of it has
/// been reported to the marketplace.
///
/// # Errors
/// [`ErrorKind::Decode`] for a group without any time, or a sum of more than 28 digits.
pub fn usage_rows(
    groups: &[types::MeteringUsageRecordGroup],
    buyers: &BTreeMap<String, String>,
    org_id: &str,
    period: Period,
) -> Result<Vec<UsageRow>> {
    let mut sums: BTreeMap<Key, (Decimal, bool)> = BTreeMap::new();
    for group in groups {
        use types::UsageRecordGroupStatus::{Deleted, Invalid, Reported};
        if matches!(group.status, Some(Deleted | Invalid)) || !period.contains(used_at(group)?) {
            continue;
        }
        let reported = group.status == Some(Reported);
        for (dimension, unit, quantity) in quantities(group) {
            let key = Key {
                buyer: group.buyer_id.clone(),
                entitlement: group.entitlement_id.clone().unwrap_or_default(),
                dimension,
                unit,
            };
            let (sum, is_final) = sums.entry(key).or_insert((Decimal::ZERO, true));
            *sum = sum.checked_add(quantity).ok_or_else(|| {
                Error::new(ErrorKind::Decode, format!("with {} the sum has more than 28 digits", name(group)))
            })?;
            *is_final &= reported;
        }
    }
    let row = |(key, (quantity, is_final)): (Key, (Decimal, bool))| UsageRow {
        vendor: Vendor::Suger,
        account: org_id.to_owned(),
        customer: key.buyer.as_ref().and_then(|id| buyers.get(id).cloned()),
        customer_id: key.buyer,
        sku: format!("{}/{}", key.entitlement, key.dimension),
        metric: key.dimension,
        quantity,
        unit: key.unit.to_owned(),
        start: period.start(),
        end: period.end(),
        is_final,
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

/// What a group reports: `records` by dimension, or else the events of billable metrics. An event without a quantity is counted.
fn quantities(group: &types::MeteringUsageRecordGroup) -> Vec<(String, &'static str, Decimal)> {
    if !group.records.is_empty() {
        return group.records.iter().map(|(dimension, quantity)| (dimension.clone(), "units", quantity.0)).collect();
    }
    let events = group.meta_info.iter().flat_map(|info| &info.billable_records);
    events
        .map(|event| {
            let (unit, quantity) = match event.quantity {
                Some(quantity) => ("units", quantity.0),
                None => ("events", Decimal::ONE),
            };
            (event.key.clone().unwrap_or_default(), unit, quantity)
        })
        .collect()
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
        let buyers = BTreeMap::from([("b-1".to_owned(), "Birch, Inc.".to_owned())]);
        usage_rows(groups, &buyers, "acme", "2026-10".parse().unwrap())
    }

    #[test]
    fn usage_is_added_up_by_the_time_of_use_and_not_of_reporting() {
        let used = |at: &str, reported: &str| {
            group(serde_json::json!({
                "id": "g", "buyerID": "b-1", "entitlementID": "e-1", "status": "REPORTED", "records": {"calls": 0.1},
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
        assert_eq!(row.customer.as_deref(), Some("Birch, Inc."));
    }

    #[test]
    fn what_will_not_be_billed_is_left_out_and_what_is_not_reported_yet_is_not_final() {
        let with = |status: &str| {
            group(serde_json::json!({
                "id": "g", "status": status, "records": {"calls": 1}, "creationTime": "2026-10-05T00:00:00Z",
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
            "metaInfo": {"billableRecords": [{"key": "gb", "quantity": "2.5"}, {"key": "gb", "quantity": 1}, {"key": "call"}]},
        }))])
        .unwrap();
        let read: Vec<_> =
            rows.iter().map(|row| (row.metric.as_str(), row.quantity.to_string(), row.unit.as_str())).collect();
        assert_eq!(read, [("call", "1".to_owned(), "events"), ("gb", "3.5".to_owned(), "units")]);
    }

    #[test]
    fn a_group_without_any_time_is_an_error_and_not_lost() {
        let error = october(&[group(serde_json::json!({"id": "g-9", "records": {"calls": 1}}))]).unwrap_err();
        assert_eq!(error.to_string(), "usage record group g-9 has neither a timestamp nor a creation time");
    }
}
