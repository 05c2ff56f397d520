//! The report's contribution to usage rows: period, kind, and whether the period had ended.

use chrono::{DateTime, Utc};
use usage_billing_core::{Decimal, Result};

use crate::acronis::billing::hosting::Host;
use crate::acronis::usage::billed_quantity::billed_quantity;
use crate::acronis::usage::sums::{Key, Sum};
use crate::acronis::{Price, StoredFile, types};
use crate::rows::identity::RowIdentity;
use crate::rows::loadable;
use crate::rows::period::RowPeriod;
use crate::{BillingReason, Period, UsageMode, UsageRow, Vendor};

const OPERATION: &str = "download_stored_report";

/// The requested report, and when it was built.
pub(crate) struct ReportContext<'a> {
    file: &'a StoredFile,
    pub(crate) account: String,
    kind: String,
    level: String,
    /// The period of rows that are not by the day.
    period: RowPeriod,
    built: Option<DateTime<Utc>>,
}

impl<'a> ReportContext<'a> {
    pub(crate) fn new(file: &'a StoredFile) -> Result<Self> {
        let (first, last) = (file.report.period.start, file.report.period.end);
        let requested = Period::of_days(first, last)?;
        // Without the date of the file, the month may not have ended when it was built.
        let built = file.created_at.unwrap_or(DateTime::<Utc>::MIN_UTC);
        Ok(Self {
            file,
            account: file.report.tenant_id.to_string(),
            kind: file.report.kind.to_string(),
            level: file.report.level.to_string(),
            period: RowPeriod::new(requested, built),
            built: file.created_at,
        })
    }

    /// Returns why none of the numbers of the report is charged.
    pub(crate) fn reason(&self) -> Option<BillingReason> {
        if self.file.report.kind != types::ReportKind::UsageSummary {
            return Some(BillingReason::NotABillingBasis);
        }
        (!self.period.is_whole_month() && !self.may_be_early()).then_some(BillingReason::NotAWholePeriod)
    }

    /// Returns whether the report covers a month that may not have ended when the report was built.
    pub(crate) fn may_be_early(&self) -> bool {
        let period = self.period.period;
        self.built.is_none() && period == Period::month_of(period.start().date_naive())
    }

    pub(crate) fn row(
        &self,
        key: &Key,
        sum: &Sum,
        (mode, host): (UsageMode, Host),
        raw: Decimal,
        price: Option<&Price>,
        reason: BillingReason,
    ) -> Result<UsageRow> {
        let raw_unit = key.measurement_unit.as_deref();
        let (quantity, unit) = billed_quantity(&key.name, raw, raw_unit);
        let (period, is_complete) = match key.day {
            None => (self.period.period, self.period.is_complete()),
            Some(day) => {
                let day = Period::of_days(day, day)?;
                (day, self.built.is_some_and(|built| day.has_ended(built)))
            }
        };
        let sku = key.sku.as_deref().map_or_else(|| format!("{}/{}", key.application, key.metric), str::to_owned);
        let identity = RowIdentity {
            customer_id: Some(&key.tenant_id),
            service: Some(&key.application),
            edition: key.edition.as_deref(),
            sku: &sku,
            metric: &key.metric,
            usage_mode: Some(mode),
            storage_host: host.column(),
            report_kind: Some(&self.kind),
            report_level: Some(&self.level),
            unit,
            ..RowIdentity::new(Vendor::Acronis, OPERATION, &self.account, period)
        };
        let place = || format!("row {} of the report", sum.first.number);
        let is_current = self.file.report.kind == types::ReportKind::UsageCurrent;
        let is_final = !is_current && is_complete;
        let unit_price = price.and_then(|price| price.unit).map(|price| loadable::unit_price(price, place));
        let quota = sum.first.quota.map(|quota| loadable::quantity(billed_quantity(&key.name, quota, raw_unit).0));
        Ok(UsageRow {
            customer_name: Some(&*sum.first.tenant_name).filter(|name| !name.is_empty()).map(str::to_owned),
            customer_kind: Some(&*sum.first.tenant_kind).filter(|kind| !kind.is_empty()).map(str::to_owned),
            customer_reference: sum.first.customer_id.as_deref().map(str::to_owned),
            as_of: self.built.filter(|_| !is_final),
            is_final,
            raw_quantity: raw,
            raw_unit: raw_unit.map(str::to_owned),
            quota_quantity: quota,
            currency: price.map(|price| price.currency.clone()),
            unit_price: unit_price.transpose()?,
            cost: price.and_then(|price| price.total).map(loadable::quantity),
            source_report_id: Some(self.file.report_id.to_string()),
            source_row: Some(sum.first.number),
            ..identity.row(quantity, reason)
        }
        .with_price_source())
    }
}
