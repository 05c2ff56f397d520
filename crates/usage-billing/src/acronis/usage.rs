//! Rows of a report added up to usage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};

use super::download::ReportBody;
use super::hints::PERHAPS_CREATED;
use super::quantity::in_billing_unit;
use super::{Amounts, Client, Price, ReportRequest, ReportRow, StoredFile, rows, types};
use crate::row_identity::RowIdentity;
use crate::time_limit::TimeLimit;
use crate::{Period, Report, UsageRow, Vendor};

const OPERATION: &str = "download_stored_report";
/// The platform's own counters (end users, resellers) stand among the rows; nobody is billed for them.
const PLATFORM: &str = "platform";
/// Its id, the same in all accounts; in files without names it stands in the place of the name.
const PLATFORM_ID: &str = "7459244f-68f3-3bf4-9f53-5f63ecc1d91f";

impl Client {
    /// Usage of the direct children of the API client's tenant: creates a `usage_summary`, waits for it and reads it, all within `timeout`.
    ///
    /// The report stays with the vendor; rows and errors name it, so that [`report`](Self::report) can take it up again and
    /// [`delete_report`](Self::delete_report) clean up.
    ///
    /// # Errors
    /// As [`create_report_once`](Self::create_report_once) and [`usage_by`](Self::usage_by). [`ErrorKind::WaitTimeout`] without the id of a
    /// report if none was created in time.
    pub async fn usage(&self, period: Period, timeout: Duration) -> Result<Vec<UsageRow>> {
        let limit = TimeLimit::new(timeout);
        let tenant = limit.run(self.own_tenant()).await;
        let tenant = tenant.unwrap_or_else(|| Err(limit.exceeded("the tenant of the API client was not looked up")))?;
        let request = ReportRequest::usage_summary(tenant, period);
        let created = limit.run(self.create_report_once(&request)).await;
        let mut report = created.unwrap_or_else(|| {
            Err(limit.exceeded("the creation of the report was not confirmed").with_hint(PERHAPS_CREATED))
        })?;
        self.usage_within(limit, &mut report).await
    }

    /// Usage by a report that was [created](Self::create_report) or [taken up again](Self::report): waits for it and reads the first of its
    /// files that can be read as rows, all within `timeout`.
    ///
    /// # Errors
    /// As [`Report::wait`](crate::Report::wait) and [`usage_of`](Self::usage_of), always naming the report's id.
    pub async fn usage_by(&self, report: &mut Report<Vec<StoredFile>>, timeout: Duration) -> Result<Vec<UsageRow>> {
        self.usage_within(TimeLimit::new(timeout), report).await
    }

    async fn usage_within(&self, limit: TimeLimit, report: &mut Report<Vec<StoredFile>>) -> Result<Vec<UsageRow>> {
        let usage = async {
            let files = report.wait_within(limit).await?;
            let file = files.iter().find(|file| rows::are_in(&file.format)).or(files.first());
            let file = file.ok_or_else(|| Error::new(ErrorKind::Decode, "it is done without a file"))?;
            let read = limit.run(self.usage_of(file)).await;
            read.unwrap_or_else(|| Err(limit.exceeded("the file of the report was not read to its end")))
        };
        usage.await.map_err(|error| naming(report.id(), error))
    }

    /// Downloads a file of a report and adds its rows up, as [`usage_rows`] does; of the rows only their sums are in memory. A download that is
    /// cut off is begun anew, twice at most.
    ///
    /// # Errors
    /// As [`rows`](Self::rows) and [`usage_rows`].
    pub async fn usage_of(&self, file: &StoredFile) -> Result<Vec<UsageRow>> {
        self.read_with_restart(file, |body| add_up(file, body)).await
    }
}

/// A report that was made can be read later, if it was the call that failed.
fn naming(id: &str, error: Error) -> Error {
    if error.message().contains(id) || error.hint().is_some_and(|hint| hint.contains(id)) {
        return error;
    }
    use ErrorKind::{Api, Auth, Connection, Permission, WaitTimeout};
    let done = match error.kind() {
        Connection | Api | Auth | Permission | WaitTimeout => {
            format!("report {id} is at Acronis: take it up again by its id")
        }
        _ => format!("this is report {id}"),
    };
    let hint = error.hint().map_or_else(String::new, |hint| format!("{hint}; "));
    error.with_hint(format!("{hint}{done}"))
}

async fn add_up(file: &StoredFile, body: ReportBody) -> Result<Vec<UsageRow>> {
    let mut sums = Sums::new(file)?;
    let mut rows = rows::read(&file.format, body)?;
    while let Some(row) = rows.next().await {
        sums.add(row?)?;
    }
    sums.rows()
}

/// Rows of a file as usage, one for each tenant, service, thing, backend, edition and SKU (and day, in reports by the day); the
/// components of a backend are added up. What is billed of a row, and in what unit, is told [here](crate::acronis#which-number-is-billed).
///
/// - No usage is counted twice: of the levels `all_customers` and `accounts` only the customers' rows are taken, for partners' rows hold their
///   customers' usage again, and units' rows a part of their customers'.
/// - Things of another cloud than Acronis' own are things of their own: `pw_base_storage_google`.
/// - Only rows of a `usage_summary` are billable, and of these not what is used on trial only. They are final if the file was made after the
///   period's end; those of `usage_current` never are.
///
/// # Errors
/// [`ErrorKind::Request`] for the level `all_partners`, where partners below partners would count twice, and for a level of customers if there
/// are only others; [`ErrorKind::Decode`] if a row is there twice or of another period, or a sum has more than 28 digits.
pub fn usage_rows(file: &StoredFile, rows: impl IntoIterator<Item = ReportRow>) -> Result<Vec<UsageRow>> {
    let mut sums = Sums::new(file)?;
    rows.into_iter().try_for_each(|row| sums.add(row))?;
    sums.rows()
}

/// What is added up so far.
struct Sums<'a> {
    file: &'a StoredFile,
    customers_only: bool,
    /// Whether rows were left out for that.
    left_out: bool,
    by_day: bool,
    sums: BTreeMap<Key, Sum>,
}

/// What usage is kept apart by: all that a row's identity has, and nothing else. Rows come in this order, by name of the tenant.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    tenant_id: String,
    application: String,
    metric: String,
    unit: String,
    edition: Option<String>,
    sku: Option<String>,
    day: Option<NaiveDate>,
}

/// What tells rows apart that are added up: the component, the mode, and columns that are not known here.
type Component = (Option<String>, Option<String>, BTreeMap<Arc<str>, String>);

struct Sum {
    raw: Decimal,
    /// Whether any of it is paying use, and whether any is on trial.
    paid: bool,
    tried: bool,
    price: Option<Price>,
    /// The rows that are added up, with their numbers.
    components: BTreeMap<Component, u64>,
    first: ReportRow,
}

impl<'a> Sums<'a> {
    fn new(file: &'a StoredFile) -> Result<Self> {
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
        Ok(Self { file, customers_only, left_out: false, by_day, sums: BTreeMap::new() })
    }

    fn add(&mut self, mut row: ReportRow) -> Result<()> {
        if row.application == PLATFORM || row.application == PLATFORM_ID {
            return Ok(());
        }
        if self.customers_only && row.tenant_kind != "customer" {
            self.left_out = true;
            return Ok(());
        }
        self.check_day(&row)?;
        let key = Key {
            tenant_id: row.tenant_id.clone(),
            application: row.application.clone(),
            metric: metric(&row),
            unit: in_billing_unit(Decimal::ZERO, row.measurement_unit.as_deref()).1.to_owned(),
            edition: row.edition.clone(),
            sku: row.sku.clone(),
            day: row.date.filter(|_| self.by_day),
        };
        let component = (row.infra_id.clone(), row.pricing_mode.clone(), std::mem::take(&mut row.other));
        let raw = row.billed();
        let Amounts { production, trial, .. } = row.change_or_level();
        let (paid, tried) = (!production.is_zero(), !trial.is_zero());
        let Some(sum) = self.sums.get_mut(&key) else {
            let components = BTreeMap::from([(component, row.number)]);
            self.sums.insert(key, Sum { raw, paid, tried, price: row.price.clone(), components, first: row });
            return Ok(());
        };
        if let Some(before) = sum.components.insert(component, row.number) {
            let message = format!(
                "rows {before} and {} of the report are both about {} of {}: added up, usage would count twice; look at them (rows), or create a new report",
                row.number,
                printable(&row.name),
                printable(&row.tenant_id)
            );
            return Err(Error::new(ErrorKind::Decode, message));
        }
        sum.raw = sum.raw.checked_add(raw).ok_or_else(|| {
            let message = format!(
                "the usage of {} by {} has more than 28 digits",
                printable(&row.name),
                printable(&row.tenant_id)
            );
            Error::new(ErrorKind::Decode, message)
        })?;
        sum.paid |= paid;
        sum.tried |= tried;
        sum.price = sum.price.take().zip(row.price).and_then(|(so_far, more)| price_of_both(so_far, more));
        Ok(())
    }

    /// A monthly report's configuration may tell another period than its latest file has. Of `usage_current` the days are not documented.
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

    fn rows(self) -> Result<Vec<UsageRow>> {
        let report = &self.file.report;
        if self.left_out && self.sums.is_empty() {
            let message = format!(
                "a report of the level {} counts customers, and this one has none; ask for another level",
                printable(report.level.as_str())
            );
            return Err(Error::new(ErrorKind::Request, message));
        }
        let whole = Period::of_days(report.period.start, report.period.end)?;
        let account = report.tenant_id.to_string();
        let row = |(key, sum): (&Key, &Sum)| {
            let (quantity, unit) = in_billing_unit(sum.raw, sum.first.measurement_unit.as_deref());
            let period = key.day.map_or(Ok(whole), |day| Period::of_days(day, day))?;
            let sku = key.sku.clone().unwrap_or_else(|| format!("{}/{}", key.application, key.metric));
            let kind = report.kind.to_string();
            let is_summary = report.kind == types::ReportKind::UsageSummary;
            let apart: &[&str] = &[&key.application, key.edition.as_deref().unwrap_or_default(), &kind];
            let price = sum.price.as_ref();
            let identity = RowIdentity {
                vendor: Vendor::Acronis,
                operation: OPERATION,
                account: &account,
                customer_id: Some(&key.tenant_id),
                sku: &sku,
                metric: &key.metric,
                unit,
                period,
                apart,
            };
            let is_current = report.kind == types::ReportKind::UsageCurrent;
            Ok(UsageRow {
                customer_name: Some(sum.first.tenant_name.clone()).filter(|name| !name.is_empty()),
                customer_kind: Some(sum.first.tenant_kind.clone()),
                is_final: !is_current && self.file.created_at.is_some_and(|built| period.is_closed(built)),
                billable: is_summary && (sum.paid || !sum.tried),
                currency: price.map(|price| price.currency.clone()),
                unit_price: price.and_then(|price| price.unit),
                cost: price.and_then(|price| price.total),
                report_id: Some(self.file.report_id.to_string()),
                report_row: Some(sum.first.number),
                ..identity.row(quantity)
            })
        };
        let mut rows = self.sums.iter().map(row).collect::<Result<Vec<_>>>()?;
        rows.sort_by(|one, other| one.customer_name.cmp(&other.customer_name));
        Ok(rows)
    }
}

/// A price or a cost that is not that of all of it would be wrong.
fn price_of_both(one: Price, other: Price) -> Option<Price> {
    let total = one.total.zip(other.total).and_then(|(one, other)| one.checked_add(other));
    let unit = one.unit.filter(|_| one.unit == other.unit);
    (one.currency == other.currency).then_some(Price { total, unit, ..one })
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
