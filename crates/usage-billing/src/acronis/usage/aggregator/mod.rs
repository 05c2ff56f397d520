//! Aggregation of the rows of a report to usage.

mod contained_items;
mod output;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use usage_billing_core::{Error, ErrorKind, Result, printable};
use uuid::Uuid;

use crate::Period;
use crate::acronis::account::tenant_kinds::TenantKinds;
use crate::acronis::billing::hosting::{Component, Owners};
use crate::acronis::billing::item_names;
use crate::acronis::usage::parts::Parts;
use crate::acronis::usage::sums::{FirstRow, Key, Sum, metric, string_bytes};
use crate::acronis::{ReportRow, StoredFile, types};
use crate::memory_limit::{MemoryLimit, ROW, SLOT, text_bytes};
use crate::rows::canonical_id::canonical_id;

/// The service of the platform's own counters (end users, resellers), and its id, equal in all accounts; files without names have the id.
const PLATFORM: [&str; 2] = ["platform", "7459244f-68f3-3bf4-9f53-5f63ecc1d91f"];

/// Returns whether a number states something about other rows: about the tenants, items and SKUs of the report. Counters, switches and the platform's
/// own numbers do not.
fn is_evidence(key: &Key) -> bool {
    !PLATFORM.contains(&&*key.application)
        && item_names::never_charged(&key.name, key.measurement_unit.as_deref()).is_none()
}

/// The sums of the rows so far.
pub(crate) struct UsageAggregator<'a> {
    file: &'a StoredFile,
    kinds: TenantKinds,
    by_day: bool,
    owners: Owners,
    /// The tenant of the report.
    account: String,
    /// The name of that tenant, if it has a row.
    account_name: Option<String>,
    sums: BTreeMap<(Key, Option<Component>), Sum>,
    /// Numbers of the aggregated rows, by the hash of everything that distinguishes them.
    numbers: BTreeMap<[u64; 2], u64>,
    hashers: [RandomState; 2],
    /// Interned strings: rows of a report repeat nearly all of theirs.
    strings: HashSet<Arc<str>>,
    memory: MemoryLimit,
}

/// The size of a row number in a tree whose nodes are half full.
const NUMBER: usize = 2 * size_of::<([u64; 2], u64)>();
/// The size of a sum and its row, without the strings that differ between rows. Before the rows are created, the tree of sums takes less, even
/// if its nodes are half full. The slot is for the key when keys are compared.
const SUM_AND_ROW: usize = size_of::<(Key, Option<Component>)>() + size_of::<Sum>() + ROW + SLOT;

impl<'a> UsageAggregator<'a> {
    /// Creates an aggregator whose sums and rows may take `limit` bytes.
    pub(crate) fn new(file: &'a StoredFile, limit: usize) -> Result<Self> {
        let by_day = matches!(file.report.kind, types::ReportKind::UsageDaily | types::ReportKind::UsageBreakdown);
        Ok(Self {
            file,
            kinds: TenantKinds::new(&file.report)?,
            by_day,
            owners: Owners::new(file.report.tenant_id.to_string()),
            account: file.report.tenant_id.to_string(),
            account_name: None,
            sums: BTreeMap::new(),
            numbers: BTreeMap::new(),
            hashers: [RandomState::new(), RandomState::new()],
            strings: HashSet::new(),
            memory: MemoryLimit::new(limit),
        })
    }

    pub(crate) fn add(&mut self, row: &mut ReportRow) -> Result<()> {
        let number = row.number;
        // With another spelling of its id, the own row would count beside the rows that it contains.
        let ids = [&mut row.infra_id, &mut row.infra_owner_id].into_iter().flatten();
        for id in ids.chain([&mut row.tenant_id, &mut row.application]) {
            *id = canonical_id(std::mem::take(id));
        }
        let kept = self.owners.add(row);
        self.keep(kept, number)?;
        if self.account_name.is_none() && !row.tenant_name.is_empty() && row.tenant_id == self.account {
            self.account_name = Some(row.tenant_name.clone());
        }
        if self.kinds.are_needed() && !row.tenant_kind.is_empty() {
            let (tenant, kind) = (self.shared(&row.tenant_id, number)?, self.shared(&row.tenant_kind, number)?);
            if self.kinds.add(tenant, kind) {
                self.keep(SLOT, number)?;
            }
            if self.kinds.excludes(&row.tenant_kind) {
                return Ok(());
            }
        }
        self.check_day(row)?;
        let parts = Parts::from_row(row)?;
        // The owner matters only for what may be storage.
        let unit = row.measurement_unit.as_deref();
        let component = if item_names::is_storage(&row.name, unit) || item_names::lacks_unit(&row.name, unit) {
            let id = self.shared_option(row.infra_id.as_deref(), number)?;
            let owner = self.shared_option(row.infra_owner_id.as_deref(), number)?;
            Component::new(id, owner, row.infra_backend.is_some())
        } else {
            None
        };
        let key = Key {
            metric: self.shared(&metric(row), number)?,
            tenant_id: self.shared(&row.tenant_id, number)?,
            application: self.shared(&row.application, number)?,
            name: self.shared(&row.name, number)?,
            measurement_unit: self.shared_option(row.measurement_unit.as_deref(), number)?,
            edition: self.shared_option(row.edition.as_deref(), number)?,
            sku: self.shared_option(row.sku.as_deref(), number)?,
            day: row.date.filter(|_| self.by_day),
        };
        let key = (key, component);
        // Aggregated rows differ in the component, the mode, or an unknown column. The values may be long, and only duplicates matter:
        // a keyed hash of 128 bits suffices.
        let discriminators = (&key, &row.infra_id, &row.pricing_mode, &row.other);
        let hash = [&self.hashers[0], &self.hashers[1]].map(|hasher| hasher.hash_one(discriminators));
        self.keep(NUMBER, number)?;
        if let Some(before) = self.numbers.insert(hash, number) {
            let message = format!(
                "rows {before} and {number} of the report are both about {} of {}: added up, usage would count twice; look at both in the file, or create a new report",
                printable(&row.name),
                printable(&row.tenant_id)
            );
            return Err(Error::new(ErrorKind::Decode, message));
        }
        let first = FirstRow {
            number,
            tenant_name: self.shared(&row.tenant_name, number)?,
            tenant_kind: self.shared(&row.tenant_kind, number)?,
            customer_id: self.shared_option(row.customer_id.as_deref(), number)?,
            quota: row.quota,
        };
        if let Some(sum) = self.sums.get_mut(&key) {
            return sum.add(parts, &first, &row.name, &row.tenant_id);
        }
        let sum = Sum { parts, first, is_of_unknown_kind: false };
        self.keep(SUM_AND_ROW + string_bytes(&key.0, &sum), number)?;
        self.sums.insert(key, sum);
        Ok(())
    }

    /// Counts the bytes that are kept of a row.
    fn keep(&mut self, bytes: usize, number: u64) -> Result<()> {
        let kept = self.memory.keep(bytes, || format!("row {number} of the report: the usage up to it"));
        kept.map_err(|error| error.with_hint(TOO_MUCH_USAGE))
    }

    /// Returns the interned copy of a string.
    fn shared(&mut self, text: &str, number: u64) -> Result<Arc<str>> {
        if let Some(known) = self.strings.get(text) {
            return Ok(known.clone());
        }
        self.keep(text_bytes(text) + SLOT, number)?;
        let text: Arc<str> = text.into();
        self.strings.insert(text.clone());
        Ok(text)
    }

    fn shared_option(&mut self, text: Option<&str>, number: u64) -> Result<Option<Arc<str>>> {
        text.map(|text| self.shared(text, number)).transpose()
    }

    /// Checks the day of a row: the configuration of a monthly report may have another period than its latest file. For `usage_current`, the days
    /// are not documented.
    fn check_day(&self, row: &ReportRow) -> Result<()> {
        let report = &self.file.report;
        let period = &report.period;
        let day = match row.date {
            Some(date) if (period.start..=period.end).contains(&date) => return Ok(()),
            _ if report.kind == types::ReportKind::UsageCurrent => return Ok(()),
            None if !self.by_day => return Ok(()),
            Some(date) => date.to_string(),
            None => "no day".to_owned(),
        };
        let message = format!(
            "row {} of the report is of {day}, but the report is of {} to {}: usage would be billed in the wrong period; create a report of the \
             schedule once",
            row.number, period.start, period.end
        );
        Err(Error::new(ErrorKind::Decode, message))
    }

    /// Returns the tenant of the report.
    pub(crate) fn tenant(&self) -> Uuid {
        self.file.report.tenant_id
    }

    /// Returns the components of storage.
    pub(crate) fn components(&self) -> BTreeSet<&Component> {
        self.sums.keys().filter_map(|(_, component)| component.as_ref()).collect()
    }

    /// Returns the tenants whose kind no row states, if the kind decides whether they count.
    pub(crate) fn tenants_without_kind(&self) -> BTreeSet<Uuid> {
        self.kinds.to_look_up(self.sums.keys().map(|(key, _)| &*key.tenant_id))
    }

    /// Returns whether the report lacks the name of the account.
    pub(crate) fn lacks_account_name(&self) -> bool {
        self.account_name.is_none() && !self.sums.is_empty()
    }

    pub(crate) fn owners(&self) -> &Owners {
        &self.owners
    }

    /// Returns whether the licensing mode can decide about any row.
    pub(crate) fn depends_on_licensing(&self) -> bool {
        self.file.report.kind == types::ReportKind::UsageSummary
            && self.sums.keys().any(|(key, _)| item_names::depends_on_licensing(&key.name))
    }

    /// Returns the month whose prices rows may have; `None` without SKUs, and for a report over several months.
    pub(crate) fn priced_month(&self) -> Option<Period> {
        let (first, last) = (self.file.report.period.start, self.file.report.period.end);
        let month = Period::month_of(first);
        let is_within = Period::of_days(first, last).is_ok_and(|period| period.end() <= month.end());
        (is_within && self.sums.keys().any(|(key, _)| key.sku.is_some())).then_some(month)
    }
}

const TOO_MUCH_USAGE: &str = "request a report of one child tenant at a time, or read the rows of the file one by one";

#[cfg(test)]
pub(crate) mod tests;
