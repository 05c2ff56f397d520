//! Which of a row's nine numbers is billed, and in what unit.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use rust_decimal::RoundingStrategy;
use usage_billing_core::{Decimal, Error, ErrorKind, Result};
use uuid::Uuid;

use super::{Client, ReportRequest, ReportRow};
use crate::row_identity::RowIdentity;
use crate::{Period, UsageRow, Vendor};

/// The platform's own counters (end users, resellers) stand among the rows; nobody is billed for them.
const PLATFORM: &str = "platform";

/// A gibibyte; what Acronis shows as a GB.
const GIB: Decimal = Decimal::from_parts(1 << 30, 0, 0, false, 0);
/// Seconds in a compute point.
const POINT: Decimal = Decimal::from_parts(3600, 0, 0, false, 0);

impl Client {
    /// Usage of the direct children of the API client's tenant: creates a report, waits for it and reads it.
    ///
    /// # Errors
    /// As [`create_report`](Self::create_report), [`Report::wait`](crate::Report::wait) and [`rows`](Self::rows).
    pub async fn usage(&self, period: Period, timeout: Duration) -> Result<Vec<UsageRow>> {
        let tenant = self.own_tenant().await?;
        let mut report = self.create_report(&ReportRequest::usage_summary(tenant, period)).await?;
        let mut rows = Vec::new();
        for file in report.wait(timeout).await? {
            let mut read = self.rows(&file).await?;
            while let Some(row) = read.next().await {
                rows.push(row?);
            }
        }
        usage_rows(&rows, tenant, period, period.is_closed(Utc::now()))
    }
}

/// Rows of a `usage_summary` of `period` as usage, one for each tenant, service, thing, backend, edition and SKU; the components of a backend
/// are added up.
///
/// The rule is that of the vendor's own billing module (acronis-cyber-cloud-whmcs, MetricsFetcher, seen 2026-11-21):
/// - the effective number; in files without it the change for what is summed over the period (`is_range`, compute points), else the level;
/// - of it the total for customers, production use for partners and all others;
/// - things of another cloud than Acronis' own are things of their own: `pw_base_storage_google`;
/// - bytes are given in GiB (2^30), not rounded within the 28 digits of a decimal; seconds in compute points (3600 s), rounded half up to two places, once, after adding up.
///
/// # Errors
/// [`ErrorKind::Decode`] if a sum has more than 28 digits.
pub fn usage_rows(rows: &[ReportRow], tenant: Uuid, period: Period, is_final: bool) -> Result<Vec<UsageRow>> {
    let mut sums: BTreeMap<_, (Decimal, &ReportRow)> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.application != PLATFORM) {
        let thing = (&row.application, metric(row), &row.measurement_unit);
        let key = (&row.tenant_name, &row.tenant_id, thing, &row.edition, &row.sku);
        let (sum, _) = sums.entry(key).or_insert((Decimal::ZERO, row));
        *sum = sum.checked_add(billed(row)).ok_or_else(|| {
            Error::new(
                ErrorKind::Decode,
                format!("the usage of {} by {} has more than 28 digits", row.name, row.tenant_id),
            )
        })?;
    }
    let usage = |(raw, row): (Decimal, &ReportRow)| {
        let (quantity, unit) = in_billing_unit(raw, row.measurement_unit.as_deref());
        let identity = RowIdentity {
            vendor: Vendor::Acronis,
            operation: "download_stored_report",
            account: &tenant.to_string(),
            customer_id: Some(&row.tenant_id),
            sku: &row.sku.clone().unwrap_or_else(|| format!("{}/{}", row.application, metric(row))),
            metric: &metric(row),
            unit: &unit,
            period,
            apart: &[&row.application, row.edition.as_deref().unwrap_or_default()],
        };
        UsageRow {
            customer_name: Some(row.tenant_name.clone()).filter(|name| !name.is_empty()),
            customer_kind: Some(row.tenant_kind.clone()),
            is_final,
            billable: true,
            ..identity.row(quantity)
        }
    };
    Ok(sums.into_values().map(usage).collect())
}

/// What is counted: storage at Google is priced apart from storage at Acronis.
fn metric(row: &ReportRow) -> String {
    match row.infra_backend.as_deref() {
        None | Some("acronis") => row.name.clone(),
        Some(backend) => format!("{}_{backend}", row.name),
    }
}

/// The number of a row that is billed, in the row's own unit.
fn billed(row: &ReportRow) -> Decimal {
    let summed = row.is_range || row.name.ends_with("compute_points");
    let amounts = row.effective.unwrap_or(if summed { row.delta } else { row.absolute });
    if row.tenant_kind == "customer" { amounts.total } else { amounts.production }
}

fn in_billing_unit(raw: Decimal, unit: Option<&str>) -> (Decimal, String) {
    match unit {
        Some("bytes") => ((raw / GIB).normalize(), "GiB".to_owned()),
        Some("seconds") => {
            let points = (raw / POINT).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            (points.normalize(), "compute points".to_owned())
        }
        None => (raw.normalize(), "units".to_owned()),
        Some(other) => (raw.normalize(), other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(production: i64, trial: i64) -> super::super::Amounts {
        super::super::Amounts { production: production.into(), trial: trial.into(), total: (production + trial).into() }
    }

    fn row(kind: &str, name: &str, unit: Option<&str>, is_range: bool) -> ReportRow {
        ReportRow {
            tenant_id: "t-1".to_owned(),
            tenant_name: "Birch, Inc.".to_owned(),
            tenant_kind: kind.to_owned(),
            customer_id: None,
            application: "backup".to_owned(),
            name: name.to_owned(),
            edition: None,
            sku: None,
            infra_id: None,
            infra_backend: None,
            date: chrono::NaiveDate::default(),
            is_range,
            measurement_unit: unit.map(str::to_owned),
            absolute: amounts(100, 10),
            delta: amounts(-7, -1),
            effective: None,
            quota: None,
            price: None,
            other: BTreeMap::new(),
        }
    }

    fn usage(rows: &[ReportRow]) -> Vec<(String, String, String)> {
        let rows = usage_rows(rows, Uuid::nil(), "2026-10".parse().unwrap(), true).unwrap();
        rows.into_iter().map(|row| (row.sku, row.quantity.to_string(), row.unit)).collect()
    }

    #[test]
    fn which_number_is_billed_depends_on_range_kind_and_effective() {
        let effective = |kind| ReportRow { effective: Some(amounts(40, 2)), ..row(kind, "seats", None, true) };
        let cases = [
            (row("customer", "seats", None, false), "110"),
            (row("partner", "seats", None, false), "100"),
            (row("folder", "seats", None, false), "100"),
            (row("customer", "seats", None, true), "-8"),
            (row("partner", "seats", None, true), "-7"),
            (row("partner", "pw_compute_points", None, false), "-7"),
            (effective("customer"), "42"),
            (effective("partner"), "40"),
        ];
        for (row, expected) in cases {
            assert_eq!(billed(&row).to_string(), expected, "{row:?}");
        }
    }

    #[test]
    fn bytes_become_gib_unrounded_and_seconds_become_points_once() {
        let cases = [
            (1_073_741_824, Some("bytes"), "1", "GiB"),
            (881_205_362_688_i64, Some("bytes"), "820.6864471435546875", "GiB"),
            (-536_870_912, Some("bytes"), "-0.5", "GiB"),
            (1_234_560, Some("seconds"), "342.93", "compute points"),
            (18, Some("seconds"), "0.01", "compute points"),
            (17, Some("seconds"), "0", "compute points"),
            (3, None, "3", "units"),
            (3, Some("parcels"), "3", "parcels"),
        ];
        for (raw, unit, quantity, named) in cases {
            let (value, text) = in_billing_unit(raw.into(), unit);
            assert_eq!((value.to_string().as_str(), text.as_str()), (quantity, named), "{raw} {unit:?}");
        }
    }

    #[test]
    fn components_are_added_up_before_they_are_rounded() {
        let seconds = |infra: &str| ReportRow {
            infra_id: Some(infra.to_owned()),
            effective: Some(amounts(17, 0)),
            ..row("customer", "pw_compute_points", Some("seconds"), true)
        };
        let expected = ("backup/pw_compute_points".to_owned(), "0.01".to_owned(), "compute points".to_owned());
        assert_eq!(usage(&[seconds("a"), seconds("b")]), [expected]);
    }

    #[test]
    fn backends_and_units_are_kept_apart() {
        let at = |backend: &str| ReportRow {
            infra_backend: Some(backend.to_owned()),
            ..row("customer", "pw_base_storage", Some("bytes"), false)
        };
        let counted = row("customer", "pw_base_storage", None, false);
        let skus: Vec<_> =
            usage(&[at("acronis"), at("google"), at("google"), counted]).into_iter().map(|(sku, ..)| sku).collect();
        assert_eq!(skus, ["backup/pw_base_storage", "backup/pw_base_storage", "backup/pw_base_storage_google"]);
    }

    #[test]
    fn skus_editions_and_tenants_are_kept_apart_and_platform_counters_left_out() {
        let with = |sku: Option<&str>, edition: Option<&str>, application: &str| ReportRow {
            sku: sku.map(str::to_owned),
            edition: edition.map(str::to_owned),
            application: application.to_owned(),
            ..row("customer", "seats", None, false)
        };
        let rows = [
            with(Some("S-1"), None, "backup"),
            with(Some("S-2"), None, "backup"),
            with(None, Some("standard"), "backup"),
            with(None, Some("advanced"), "backup"),
            ReportRow { tenant_id: "t-2".to_owned(), ..with(Some("S-1"), None, "backup") },
            with(None, None, "platform"),
        ];
        let skus: Vec<_> = usage(&rows).into_iter().map(|(sku, ..)| sku).collect();
        assert_eq!(skus, ["S-1", "S-2", "backup/seats", "backup/seats", "S-1"]);
    }
}
