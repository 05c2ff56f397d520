//! Rows of a report added up to usage.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};

use super::billing_rule::{self, Item};
use super::hosting::{Component, Host, Owners};
use super::limits::SUMMED_ROWS;
use super::parts::Parts;
use super::quantity::in_billing_unit;
use super::{ReportRow, StoredFile, types};
use crate::row_identity::RowIdentity;
use crate::{BillingReason, Period, UsageMode, UsageRow, Vendor, loadable};

const OPERATION: &str = "download_stored_report";
/// The platform's own counters (end users, resellers) stand among the rows; nobody is billed for them.
const PLATFORM: &str = "platform";
/// Its id, the same in all accounts; in files without names it stands in the place of the name.
const PLATFORM_ID: &str = "7459244f-68f3-3bf4-9f53-5f63ecc1d91f";

/// What is added up so far.
pub(super) struct UsageAggregator<'a> {
    file: &'a StoredFile,
    customers_only: bool,
    /// Whether rows were left out for that.
    left_out: bool,
    by_day: bool,
    owners: Owners,
    has_skus: bool,
    is_modern: bool,
    /// The tenant that was reported on.
    account: String,
    /// Its name, if it has a row of its own.
    account_name: Option<String>,
    sums: BTreeMap<(Key, Component), Sum>,
    /// Rows of the report that are kept for comparison; so that an endless report ends.
    kept: usize,
    max_kept: usize,
}

/// What usage is kept apart by: all that a row's identity has, and nothing else. Rows come in this order, by name of the tenant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    tenant_id: String,
    application: String,
    /// With the backend; of `name`.
    metric: String,
    name: String,
    measurement_unit: Option<String>,
    edition: Option<String>,
    sku: Option<String>,
    day: Option<NaiveDate>,
}

/// What distinguishes rows that are added up: the component, the mode, and columns that are not known here.
type Discriminators = (Option<String>, Option<String>, BTreeMap<Arc<str>, String>);

struct Sum {
    parts: Parts,
    /// The rows that are added up, with their numbers.
    rows: BTreeMap<Discriminators, u64>,
    first: FirstRow,
}

/// Of the first of the rows that are added up.
struct FirstRow {
    number: u64,
    tenant_name: String,
    tenant_kind: String,
    customer_id: Option<String>,
    /// Unless the rows differ in it.
    quota: Option<Decimal>,
}

impl<'a> UsageAggregator<'a> {
    pub(super) fn new(file: &'a StoredFile) -> Result<Self> {
        let customers_only = match file.report.level {
            types::ReportLevel::Itself | types::ReportLevel::DirectPartners => false,
            types::ReportLevel::AllCustomers | types::ReportLevel::Accounts => true,
            _ => {
                let message = format!(
                    "a report of the level {} has partners and the partners below them: added up, usage would count twice; create one of \
                     direct_partners or all_customers",
                    printable(file.report.level.as_str())
                );
                return Err(Error::new(ErrorKind::Request, message));
            }
        };
        let by_day = matches!(file.report.kind, types::ReportKind::UsageDaily | types::ReportKind::UsageBreakdown);
        Ok(Self {
            file,
            customers_only,
            left_out: false,
            by_day,
            owners: Owners::new(file.report.tenant_id.to_string()),
            account: file.report.tenant_id.to_string(),
            has_skus: false,
            is_modern: false,
            account_name: None,
            sums: BTreeMap::new(),
            kept: 0,
            max_kept: SUMMED_ROWS,
        })
    }

    pub(super) fn add(&mut self, mut row: ReportRow) -> Result<()> {
        self.owners.add(&row);
        self.has_skus |= row.sku.is_some();
        self.is_modern |= billing_rule::is_modern(&row.name);
        if self.account_name.is_none() && !row.tenant_name.is_empty() && row.tenant_id == self.account {
            self.account_name = Some(row.tenant_name.clone());
        }
        if row.application == PLATFORM || row.application == PLATFORM_ID {
            return Ok(());
        }
        // Of accounts the kind may be empty.
        if self.customers_only && !matches!(row.tenant_kind.as_str(), "customer" | "") {
            self.left_out = true;
            return Ok(());
        }
        self.check_day(&row)?;
        self.kept += 1;
        if self.kept > self.max_kept {
            let message =
                format!("row {}: the report exceeds the limit of {} rows that are added up", row.number, self.max_kept);
            let hint = "this limit is fixed: ask for a report of each child tenant, or read the rows one by one (rows)";
            return Err(Error::new(ErrorKind::Decode, message).with_hint(hint));
        }
        let parts = Parts::of(&row)?;
        let discriminators = (row.infra_id.clone(), row.pricing_mode.clone(), std::mem::take(&mut row.other));
        let component = Component::of(&row);
        let key = Key {
            metric: metric(&row),
            tenant_id: row.tenant_id,
            application: row.application,
            name: row.name,
            measurement_unit: row.measurement_unit,
            edition: row.edition,
            sku: row.sku,
            day: row.date.filter(|_| self.by_day),
        };
        let first = FirstRow {
            number: row.number,
            tenant_name: row.tenant_name,
            tenant_kind: row.tenant_kind,
            customer_id: row.customer_id,
            quota: row.quota,
        };
        let key = (key, component);
        let Some(sum) = self.sums.get_mut(&key) else {
            self.sums.insert(key, Sum { parts, rows: BTreeMap::from([(discriminators, row.number)]), first });
            return Ok(());
        };
        let Key { name, tenant_id, .. } = &key.0;
        if let Some(before) = sum.rows.insert(discriminators, row.number) {
            let message = format!(
                "rows {before} and {} of the report are both about {} of {}: added up, usage would count twice; look at them (rows), or create a new report",
                row.number,
                printable(name),
                printable(tenant_id)
            );
            return Err(Error::new(ErrorKind::Decode, message));
        }
        sum.add(parts, &first, name, tenant_id)
    }

    /// A monthly report's configuration may have another period than its latest file. Of `usage_current` the days are not documented.
    fn check_day(&self, row: &ReportRow) -> Result<()> {
        let report = &self.file.report;
        let period = &report.period;
        let of = match row.date {
            Some(date) if (period.start..=period.end).contains(&date) => return Ok(()),
            _ if report.kind == types::ReportKind::UsageCurrent => return Ok(()),
            None if !self.by_day => return Ok(()),
            Some(date) => date.to_string(),
            None => "no day".to_owned(),
        };
        let message = format!(
            "row {} of the report is of {of}, but the report is of {} to {}: usage would be billed in the wrong period; create a report of the \
             schedule once",
            row.number, period.start, period.end
        );
        Err(Error::new(ErrorKind::Decode, message))
    }

    pub(super) fn rows(mut self) -> Result<Vec<UsageRow>> {
        let report = &self.file.report;
        if self.left_out && self.sums.is_empty() {
            let message = format!(
                "a report of the level {} counts customers, and this one has none; ask for another level",
                printable(report.level.as_str())
            );
            return Err(Error::new(ErrorKind::Request, message));
        }
        // Only now is it known who hosts what.
        let mut hosted: BTreeMap<(Key, Host), Sum> = BTreeMap::new();
        for ((key, component), sum) in std::mem::take(&mut self.sums) {
            let is_storage = key.measurement_unit.as_deref() == Some("bytes");
            let host = if is_storage { self.owners.host(&component) } else { Host::NoComponent };
            match hosted.get_mut(&(key.clone(), host)) {
                Some(before) => before.add(sum.parts, &sum.first, &key.name, &key.tenant_id)?,
                None => {
                    hosted.insert((key, host), sum);
                }
            }
        }
        let asked = Asked::of(self.file)?;
        let has_others = hosted.keys().any(|(key, _)| key.tenant_id != asked.account);
        let mut rows = Vec::with_capacity(hosted.len());
        for ((key, host), sum) in &hosted {
            let is_own_total = has_others && key.tenant_id == asked.account;
            for (mode, quantity, price) in sum.parts.by_mode() {
                let item = Item {
                    name: &key.name,
                    measurement_unit: key.measurement_unit.as_deref(),
                    edition: key.edition.as_deref(),
                    has_sku: self.has_skus.then_some(key.sku.is_some()),
                    host: *host,
                    mode,
                    is_modern: self.is_modern,
                };
                let never_charged = billing_rule::never_charged(&key.name, item.measurement_unit);
                let never_charged = is_own_total.then_some(BillingReason::TotalOfRows).or(never_charged);
                let reason = never_charged.or(asked.reason()).unwrap_or_else(|| billing_rule::reason(&item));
                let row = asked.row(key, sum, (mode, *host), quantity, price, reason)?;
                rows.push(UsageRow { account_name: self.account_name.clone(), ..row });
            }
        }
        rows.sort_by(|one, other| one.customer_name.cmp(&other.customer_name));
        Ok(rows)
    }
}

impl Sum {
    fn add(&mut self, parts: Parts, first: &FirstRow, name: &str, tenant_id: &str) -> Result<()> {
        self.parts.add(parts).ok_or_else(|| {
            let message =
                format!("the usage of {} by {} has more than 28 digits", printable(name), printable(tenant_id));
            Error::new(ErrorKind::Decode, message)
        })?;
        if self.first.quota != first.quota {
            self.first.quota = None;
        }
        self.first.number = self.first.number.min(first.number);
        Ok(())
    }
}

/// The report as it was asked for, and when it was built.
struct Asked<'a> {
    file: &'a StoredFile,
    account: String,
    kind: String,
    /// Of rows that are not by the day.
    period: Period,
    is_whole: bool,
    built: Option<DateTime<Utc>>,
}

impl<'a> Asked<'a> {
    fn of(file: &'a StoredFile) -> Result<Self> {
        let (first, last) = (file.report.period.start, file.report.period.end);
        let asked = Period::of_days(first, last)?;
        let month = Period::month_of(first);
        let is_over = file.created_at.is_none_or(|built| asked.is_closed(built));
        Ok(Self {
            file,
            account: file.report.tenant_id.to_string(),
            kind: file.report.kind.to_string(),
            period: file.created_at.map_or(Ok(asked), |built| row_period(asked, built))?,
            is_whole: asked == month && is_over,
            built: file.created_at,
        })
    }

    /// Why none of its numbers is charged.
    fn reason(&self) -> Option<BillingReason> {
        if self.file.report.kind != types::ReportKind::UsageSummary {
            return Some(BillingReason::NotABillingBasis);
        }
        (!self.is_whole).then_some(BillingReason::NotAWholePeriod)
    }

    fn row(
        &self,
        key: &Key,
        sum: &Sum,
        (mode, host): (UsageMode, Host),
        raw: Decimal,
        price: Option<&super::Price>,
        reason: BillingReason,
    ) -> Result<UsageRow> {
        let raw_unit = key.measurement_unit.as_deref();
        let (quantity, unit) = in_billing_unit(raw, raw_unit);
        let period = key.day.map_or(Ok(self.period), |day| Period::of_days(day, day))?;
        let sku = key.sku.clone().unwrap_or_else(|| format!("{}/{}", key.application, key.metric));
        let identity = RowIdentity {
            customer_id: Some(&key.tenant_id),
            service: Some(&key.application),
            edition: key.edition.as_deref(),
            sku: &sku,
            metric: &key.metric,
            usage_mode: Some(mode),
            storage_host: host.column(),
            report_kind: Some(&self.kind),
            unit,
            ..RowIdentity::new(Vendor::Acronis, OPERATION, &self.account, period)
        };
        let place = || format!("row {} of the report", sum.first.number);
        let is_current = self.file.report.kind == types::ReportKind::UsageCurrent;
        let is_final = !is_current && self.built.is_some_and(|built| period.is_closed(built));
        let unit_price = price.and_then(|price| price.unit).map(|price| loadable::unit_price(price, place));
        let quota = sum.first.quota.map(|quota| loadable::quantity(in_billing_unit(quota, raw_unit).0));
        Ok(UsageRow {
            customer_name: Some(sum.first.tenant_name.clone()).filter(|name| !name.is_empty()),
            customer_kind: Some(sum.first.tenant_kind.clone()).filter(|kind| !kind.is_empty()),
            customer_reference: sum.first.customer_id.clone(),
            as_of: self.built.filter(|_| !is_final),
            is_final,
            raw_quantity: raw,
            raw_unit: key.measurement_unit.clone(),
            quota_quantity: quota,
            currency: price.map(|price| price.currency.clone()),
            unit_price: unit_price.transpose()?,
            cost: price.and_then(|price| price.total).map(loadable::quantity),
            source_report_id: Some(self.file.report_id.to_string()),
            source_row: Some(sum.first.number),
            ..identity.row(quantity, reason)
        })
    }
}

/// The period of the rows of a report over `asked` that was built at `built`. The month so far has the period of the month, and so the same key
/// every day. So has the rest of a running month: a report goes up to the day on which it is built, which is another one every day. A part of
/// a month that was over by then has its own period, as it must not take the place of the whole month.
fn row_period(asked: Period, built: DateTime<Utc>) -> Result<Period> {
    let month = Period::month_of(asked.start().date_naive());
    match asked.contains(built) && asked.end() < month.end() {
        true => Period::new(asked.start(), month.end()),
        false => Ok(asked.to_date(built)),
    }
}

/// What is counted: storage at Google is priced apart from storage at Acronis.
fn metric(row: &ReportRow) -> String {
    match row.infra_backend.as_deref() {
        None | Some("acronis") => row.name.clone(),
        Some(backend) => format!("{}_{backend}", row.name),
    }
}

#[cfg(test)]
pub(super) mod tests;
