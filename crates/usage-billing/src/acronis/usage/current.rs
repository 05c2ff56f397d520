//! Usage of the current period, without a report.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use usage_billing_core::{ClientInfo as _, Decimal, Error, ErrorKind, Result, printable};
use uuid::Uuid;

use crate::acronis::billing::item_names::never_charged;
use crate::acronis::error_hints::hinted;
use crate::acronis::usage::billed_quantity::billed_quantity;
use crate::acronis::{Client, types};
use crate::memory_limit::{MemoryLimit, value_bytes};
use crate::rows::identity::{RowIdentity, disambiguate_keys};
use crate::{BillingReason, Period, UsageRow, Vendor};

const OPERATION: &str = "list_tenants_usages";
/// Tenants per request, as the vendor's billing module sends (seen 2026-11-21); no maximum is documented.
const BATCH: usize = 100;

impl Client {
    /// Returns the usage of the direct children of the API client's tenant in the current period.
    ///
    /// The rows are hours old (5 to 6 by the guide), never final and not for billing. They do not distinguish production from trial, nor the
    /// clouds of components, and have no SKUs. Switches, totals and parts are marked as in reports, and items that are switched off for the tenant
    /// as not sold.
    ///
    /// # Errors
    /// The errors of the calls; [`ErrorKind::Limit`] if the rows take more memory than [`with_max_usage_bytes`](Self::with_max_usage_bytes) allows.
    pub async fn current_usage(&self) -> Result<Vec<UsageRow>> {
        let now = self.clock.now();
        let own = self.own_tenant().await?;
        let account_name = self.tenant_name(own).await;
        let mut memory = MemoryLimit::new(self.max_usage_bytes);
        let tenants = memory.collect(self.children(own), 0, "the list of tenants").await?;
        // Tenants are created and deleted while pages are read: one may be repeated on the next page.
        let mut seen = HashSet::new();
        let tenants: Vec<_> = tenants.into_iter().filter(|tenant| seen.insert(tenant.id)).collect();
        let services = self.api.list_applications().send().await.map_err(hinted)?.into_inner().items;
        let services = services.into_iter().map(|service| (service.id, service.type_.to_string())).collect();
        let mut rows = Vec::new();
        for some in tenants.chunks(BATCH) {
            let ids: Vec<_> = some.iter().map(|tenant| tenant.id.to_string()).collect();
            let usages = self.api.list_tenants_usages().tenants(ids.join(",")).send().await.map_err(hinted)?;
            let current = current_rows(own, some, &services, &usages.items, now);
            let current = current.map_err(|error| self.api.inner().masked(error))?;
            memory.keep(current.iter().map(value_bytes).sum(), || "the current usage")?;
            rows.extend(current);
        }
        rows.iter_mut().for_each(|row| row.account_name = account_name.clone());
        Ok(rows)
    }
}

#[derive(Default)]
struct CurrentSum {
    used: Decimal,
    /// Whether any item is not known to be switched off.
    is_on: bool,
}

/// Aggregates the components of each item to rows.
fn current_rows(
    account: Uuid,
    tenants: &[types::Tenant],
    services: &HashMap<Uuid, String>,
    usages: &[types::TenantUsages],
    now: DateTime<Utc>,
) -> Result<Vec<UsageRow>> {
    let mut rows = Vec::new();
    for tenant in tenants {
        // The order of the rows.
        let mut sums: BTreeMap<_, CurrentSum> = BTreeMap::new();
        let used = usages.iter().filter(|used| used.tenant == tenant.id).flat_map(|used| &used.usages);
        for usage in used {
            let service = services.get(&usage.application_id).cloned();
            let service = service.unwrap_or_else(|| usage.application_id.to_string());
            let unit = usage.measurement_unit.to_string();
            let key = (service, &usage.name, unit, usage.edition.as_deref(), usage.range_start.0);
            let sum = sums.entry(key).or_default();
            // For summed items, `value` is that of the period; for levels it equals `absolute_value`.
            sum.is_on |= usage.offering_item.as_ref().is_none_or(|item| item.status != 0);
            sum.used = sum.used.checked_add(usage.value.0).ok_or_else(|| {
                let message =
                    format!("the usage of {} by {} has more than 28 digits", printable(&usage.name), tenant.id);
                Error::new(ErrorKind::Decode, message)
            })?;
        }
        for ((service, name, raw_unit, edition, start), CurrentSum { used: raw, is_on }) in sums {
            let (quantity, unit) = billed_quantity(name, raw, Some(&raw_unit));
            let (account, customer_id, sku) = (account.to_string(), tenant.id.to_string(), format!("{service}/{name}"));
            let identity = RowIdentity {
                customer_id: Some(&customer_id),
                service: Some(&service),
                edition,
                sku: &sku,
                metric: name,
                unit,
                ..RowIdentity::new(Vendor::Acronis, OPERATION, &account, count_period(start, now)?)
            };
            let off = (!is_on).then_some(BillingReason::NotSold);
            let reason = never_charged(name, Some(&raw_unit)).or(off).unwrap_or(BillingReason::NotABillingBasis);
            rows.push(UsageRow {
                customer_name: tenant.name.clone(),
                customer_kind: tenant.kind.as_ref().map(ToString::to_string),
                customer_reference: tenant.customer_id.clone().filter(|id| !id.is_empty()),
                as_of: Some(now),
                raw_quantity: raw,
                raw_unit: Some(raw_unit.clone()),
                ..identity.row(quantity, reason)
            });
        }
    }
    Ok(disambiguate_keys(rows))
}

/// Returns the period of a count, of which the vendor states only the start. It ends with the month of its start: when a month begins, figures
/// that are hours old are still those of the last month. A count that began within an earlier month ends with the month of `now`.
fn count_period(start: DateTime<Utc>, now: DateTime<Utc>) -> Result<Period> {
    let month = Period::month_of(start.date_naive());
    let is_whole = month.start() == start || month.contains(now);
    let end = if is_whole { month.end() } else { Period::month_of(now.date_naive()).end() };
    Period::new(start, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const BACKUP: &str = "6e6d758d-8e74-3ae3-ac84-50eb0dff12eb";
    const OTHER: &str = "dfd85a5f-a464-32ab-81fd-99bcc66a070f";

    fn usage(name: &str, unit: &str, value: i64, infra: Option<&str>) -> Value {
        json!({
            "application_id": BACKUP, "name": name, "edition": null, "usage_name": name, "type": "infra", "measurement_unit": unit,
            "infra_id": infra, "range_start": "2026-11-01T00:00:00", "absolute_value": 99_000_000, "value": value,
        })
    }

    fn rows(usages: Value) -> Vec<UsageRow> {
        let tenant =
            json!({"id": Uuid::nil(), "parent_id": Uuid::max(), "version": 1, "name": "Birch", "kind": "customer"});
        let usages = json!([{"tenant": Uuid::nil(), "usages": usages}, {"tenant": BACKUP, "usages": []}]);
        let services = HashMap::from([(BACKUP.parse().unwrap(), "backup".to_owned())]);
        let (tenant, usages) =
            (serde_json::from_value(tenant).unwrap(), serde_json::from_value::<Vec<_>>(usages).unwrap());
        current_rows(Uuid::max(), &[tenant], &services, &usages, "2026-11-21T12:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn components_are_added_up_in_billed_unit_and_not_final() {
        let mut elsewhere = usage("seats", "quantity", 7, None);
        elsewhere["application_id"] = json!(OTHER);
        let rows = rows(json!([
            usage("pw_base_storage", "bytes", 1 << 30, Some(BACKUP)),
            usage("pw_base_storage", "bytes", 1 << 29, Some(OTHER)),
            usage("pw_compute_points", "seconds", 1_234_560, Some(BACKUP)),
            elsewhere,
        ]));
        let found: Vec<_> =
            rows.iter().map(|row| (row.sku.as_str(), row.quantity.to_string(), row.unit.as_str())).collect();
        let expected = [
            ("backup/pw_base_storage", "1.5".to_owned(), "GiB"),
            ("backup/pw_compute_points", "342.93".to_owned(), "compute points"),
            ("dfd85a5f-a464-32ab-81fd-99bcc66a070f/seats", "7".to_owned(), "units"),
        ];
        assert_eq!(found.len(), expected.len());
        assert!(expected.iter().all(|row| found.contains(row)), "{found:?}");
        let november: Period = "2026-11".parse().unwrap();
        assert!(
            rows.iter().all(|row| !row.is_final && row.is_billable == Some(false) && row.period_end == november.end())
        );
        assert!(
            rows.iter()
                .all(|row| row.customer_name.as_deref() == Some("Birch") && row.period_start == november.start())
        );
    }

    #[test]
    fn row_has_tenant_item_and_raw_quantity() {
        let mut of_edition = usage("pw_base_storage", "bytes", 3 << 29, None);
        of_edition["edition"] = json!("pck_per_workload");
        let row = rows(json!([of_edition])).remove(0);
        assert_eq!((row.account_id, row.customer_id), (Uuid::max().to_string(), Some(Uuid::nil().to_string())));
        assert_eq!((row.service.as_deref(), row.edition.as_deref()), (Some("backup"), Some("pck_per_workload")));
        assert_eq!((row.metric.as_str(), row.customer_kind.as_deref()), ("pw_base_storage", Some("customer")));
        assert_eq!((row.raw_quantity, row.raw_unit.as_deref()), (Decimal::from(3u64 << 29), Some("bytes")));
        assert_eq!(row.as_of, Some("2026-11-21T12:00:00Z".parse().unwrap()));
    }

    #[test]
    fn switches_totals_and_parts_are_marked_as_in_reports() {
        use BillingReason::{Counter, FeatureSwitch, NotABillingBasis, PartOfRow, TotalOfRows};
        for (name, unit, expected) in [
            ("dr_internet_access", "n/a", FeatureSwitch),
            ("total_storage", "bytes", TotalOfRows),
            ("pw_base_immutable_storage", "bytes", PartOfRow),
            ("fc_child_storages", "quantity", Counter),
            ("pw_base_storage", "bytes", NotABillingBasis),
            ("something_new", "parcels", NotABillingBasis),
        ] {
            let rows = rows(json!([usage(name, unit, 1, None)]));
            let [row] = rows.as_slice() else { panic!("{name}: {rows:?}") };
            assert_eq!((row.billing_reason, row.is_billable), (expected, Some(false)), "{name}");
        }
    }

    #[test]
    fn items_that_are_switched_off_are_marked_as_not_sold() {
        use BillingReason::{NotABillingBasis, NotSold, TotalOfRows};
        let item = |name: &str, status: Option<i64>, infra| {
            let mut usage = usage(name, "bytes", 1, Some(infra));
            usage["offering_item"] = status.map_or(Value::Null, |status| json!({"status": status}));
            usage
        };
        for (statuses, expected) in [
            ([Some(0), Some(0)], NotSold),
            ([Some(0), Some(1)], NotABillingBasis),
            ([Some(1), Some(1)], NotABillingBasis),
            ([Some(0), None], NotABillingBasis),
            ([None, None], NotABillingBasis),
        ] {
            let of_name = |name| json!([item(name, statuses[0], BACKUP), item(name, statuses[1], OTHER)]);
            let found = rows(of_name("pw_base_storage"));
            assert_eq!((found.len(), found[0].billing_reason), (1, expected), "{statuses:?}");
            assert_eq!(rows(of_name("total_storage"))[0].billing_reason, TotalOfRows, "{statuses:?}");
        }
    }

    #[test]
    fn rows_have_the_partners_own_id_of_the_customer() {
        for (id, expected) in [(json!("B-7"), Some("B-7")), (json!(""), None), (Value::Null, None)] {
            let tenant = json!({"id": Uuid::nil(), "parent_id": Uuid::max(), "version": 1, "customer_id": id});
            let usages = json!([{"tenant": Uuid::nil(), "usages": [usage("seats", "quantity", 1, None)]}]);
            let usages = serde_json::from_value::<Vec<_>>(usages).unwrap();
            let now = "2026-11-21T12:00:00Z".parse().unwrap();
            let tenants = [serde_json::from_value(tenant).unwrap()];
            let rows = current_rows(Uuid::max(), &tenants, &HashMap::new(), &usages, now).unwrap();
            assert_eq!(rows[0].customer_reference.as_deref(), expected);
        }
    }

    #[test]
    fn fields_that_the_rows_do_not_need_may_be_absent() {
        let mut bare = usage("seats", "quantity", 3, None);
        for field in ["usage_name", "type", "absolute_value", "infra_id"] {
            bare.as_object_mut().unwrap().remove(field);
        }
        assert_eq!(rows(json!([bare]))[0].quantity, Decimal::from(3));
    }

    #[test]
    fn first_hours_of_a_month_have_the_period_of_the_last() {
        for (start, now, end) in [
            ("2026-10-01T00:00:00Z", "2026-11-01T03:00:00Z", "2026-11-01T00:00:00Z"),
            ("2026-11-01T00:00:00Z", "2026-11-01T03:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-11-15T08:00:00Z", "2026-11-21T12:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-10-15T00:00:00Z", "2026-11-03T12:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12-01T00:00:00Z", "2026-11-30T23:59:59Z", "2027-01-01T00:00:00Z"),
        ] {
            let period = count_period(start.parse().unwrap(), now.parse().unwrap()).unwrap();
            assert_eq!(period.end(), end.parse::<DateTime<Utc>>().unwrap(), "{start} {now}");
        }
    }

    #[test]
    fn count_begun_within_the_month_keeps_its_start() {
        let mut late = usage("pw_compute_points", "seconds", 3600, None);
        late["range_start"] = json!("2026-11-15T08:00:00Z");
        assert_eq!(rows(json!([late]))[0].period_start, "2026-11-15T08:00:00Z".parse::<DateTime<Utc>>().unwrap());
    }
}
