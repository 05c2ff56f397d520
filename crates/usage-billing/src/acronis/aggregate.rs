//! Rows of a report added up to usage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};
use uuid::Uuid;

use super::account_facts::AccountFacts;
use super::asked_report::AskedReport;
use super::billing_rule::{self, Item};
use super::hosting::{Component, Host, Owners};
use super::limits::SUMMED_ROWS;
use super::parts::Parts;
use super::{ReportRow, StoredFile, types};
use crate::{BillingReason, Period, UsageRow};

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
    sums: BTreeMap<(Key, Option<Component>), Sum>,
    /// Rows of the report that are kept for comparison; so that an endless report ends.
    kept: usize,
    max_kept: usize,
}

/// What usage is kept apart by: all that a row's identity has, and nothing else. Rows come in this order, by name of the tenant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) tenant_id: String,
    pub(super) application: String,
    /// With the backend; of `name`.
    pub(super) metric: String,
    pub(super) name: String,
    pub(super) measurement_unit: Option<String>,
    pub(super) edition: Option<String>,
    pub(super) sku: Option<String>,
    pub(super) day: Option<NaiveDate>,
}

/// What distinguishes rows that are added up: the component (of storage it is in the key), the mode, and columns that are not known here.
type Discriminators = (Option<String>, Option<String>, BTreeMap<Arc<str>, String>);

pub(super) struct Sum {
    parts: Parts,
    /// The rows that are added up, with their numbers.
    rows: BTreeMap<Discriminators, u64>,
    pub(super) first: FirstRow,
}

/// Of the first of the rows that are added up.
pub(super) struct FirstRow {
    pub(super) number: u64,
    pub(super) tenant_name: String,
    pub(super) tenant_kind: String,
    pub(super) customer_id: Option<String>,
    /// Unless the rows differ in it.
    pub(super) quota: Option<Decimal>,
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
            has_skus: false,
            is_modern: false,
            sums: BTreeMap::new(),
            kept: 0,
            max_kept: SUMMED_ROWS,
        })
    }

    pub(super) fn add(&mut self, mut row: ReportRow) -> Result<()> {
        self.owners.add(&row);
        self.has_skus |= row.sku.is_some();
        self.is_modern |= billing_rule::is_modern(&row.name);
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
        // Whose it is matters to storage only.
        let is_storage = row.measurement_unit.as_deref() == Some("bytes");
        let component = if is_storage { Component::of(&row) } else { None };
        let infra_id = if is_storage { None } else { row.infra_id.take() };
        let discriminators = (infra_id, row.pricing_mode.take(), std::mem::take(&mut row.other));
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

    /// The tenant that was reported on.
    pub(super) fn tenant(&self) -> Uuid {
        self.file.report.tenant_id
    }

    /// Components of storage.
    pub(super) fn components(&self) -> BTreeSet<&Component> {
        self.sums.keys().filter_map(|(_, component)| component.as_ref()).collect()
    }

    pub(super) fn owners(&self) -> &Owners {
        &self.owners
    }

    /// Whether what the account is charged by decides about any row.
    pub(super) fn depends_on_licensing(&self) -> bool {
        self.file.report.kind == types::ReportKind::UsageSummary && !self.sums.is_empty()
    }

    /// The month whose prices rows may have; `None` without SKUs, and for a report over several months.
    pub(super) fn priced_month(&self) -> Option<Period> {
        let (first, last) = (self.file.report.period.start, self.file.report.period.end);
        let month = Period::month_of(first);
        let is_within = Period::of_days(first, last).is_ok_and(|period| period.end() <= month.end());
        (is_within && self.sums.keys().any(|(key, _)| key.sku.is_some())).then_some(month)
    }

    pub(super) fn rows(mut self, facts: &AccountFacts) -> Result<Vec<UsageRow>> {
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
            let host = self.owners.host(component.as_ref(), &facts.ownership);
            match hosted.get_mut(&(key.clone(), host)) {
                Some(before) => before.add(sum.parts, &sum.first, &key.name, &key.tenant_id)?,
                None => {
                    hosted.insert((key, host), sum);
                }
            }
        }
        let asked = AskedReport::of(self.file)?;
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
                    licensing_mode: facts.licensing_mode,
                };
                let reason = asked.reason().unwrap_or_else(|| match is_own_total {
                    true => BillingReason::TotalOfRows,
                    false => billing_rule::reason(&item),
                });
                let mut row = asked.row(key, sum, (mode, *host), quantity, price, reason)?;
                facts.prices.apply(&mut row)?;
                rows.push(row);
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

/// What is counted: storage at Google is priced apart from storage at Acronis.
fn metric(row: &ReportRow) -> String {
    match row.infra_backend.as_deref() {
        None | Some("acronis") => row.name.clone(),
        Some(backend) => format!("{}_{backend}", row.name),
    }
}

#[cfg(test)]
pub(super) mod tests;
