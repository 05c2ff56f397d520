//! Rows on their way to a data set, month by month.

use std::collections::BTreeMap;
use std::path::Path;

use usage_billing::chrono::{DateTime, Utc};
use usage_billing::{Error, UsageRow, printable};

use super::FetchArguments;
use super::checks::{Customers, duplicate_keys};
use super::source::Source;
use super::target::FetchTarget;
use super::vendor_usage::Fetched;
use crate::accounts::Vendor;
use crate::dataset::{DataSet, FetchedMonth, Partition};
use crate::exit::Failure;
use crate::terminal;

/// A data set to which each month is written as soon as it is fetched.
pub(crate) struct DataSetOutput {
    data_set: DataSet,
    now: DateTime<Utc>,
    options: BTreeMap<String, String>,
    acronis: BTreeMap<String, String>,
    /// Accounts with the months that were written.
    written: Vec<String>,
    replaces_final: bool,
    requires_all: bool,
}

impl DataSetOutput {
    pub(crate) fn open(folder: &Path, arguments: &FetchArguments, now: DateTime<Utc>) -> Result<Self, Failure> {
        let options = [
            ("clients", arguments.clients.to_string()),
            ("genesys_contracts", arguments.genesys_contracts.to_string()),
        ];
        Ok(Self {
            data_set: DataSet::open(folder)?,
            now,
            options: options.map(|(name, value)| (name.to_owned(), value)).into(),
            written: Vec::new(),
            acronis: arguments.acronis.options(),
            replaces_final: arguments.force,
            requires_all: arguments.require_all,
        })
    }

    /// Returns the options on which the rows of a vendor depend.
    fn options(&self, vendor: Vendor) -> BTreeMap<String, String> {
        match vendor {
            Vendor::Acronis => self.acronis.clone(),
            Vendor::Genesys => self.options.clone(),
            Vendor::Suger => BTreeMap::new(),
        }
    }

    /// Prints which accounts are new beside others of their vendor: sums over the data set will contain them.
    pub(crate) fn print_new_accounts(&self, sources: &[Source]) {
        for source in sources {
            let existing = self.data_set.accounts(source.vendor().name());
            let Some(account) = source.account().filter(|id| !existing.is_empty() && !existing.contains(id)) else {
                continue;
            };
            let others = existing.into_iter().map(|id| printable(id).to_string()).collect::<Vec<_>>().join(", ");
            let line = format!("the account {} is added to the data set, which has {others}", printable(account));
            terminal::eprint_line(&format!("{}: {line}", source.label));
        }
    }

    /// Returns whether a month is there, final, and certainly of the same account. A failure that it had before is forgotten.
    pub(crate) fn keeps(&mut self, source: &Source, target: FetchTarget) -> Result<bool, Failure> {
        match (partition(source.vendor(), target), source.account()) {
            (Some(month), Some(account)) if !self.replaces_final => {
                let is_final = self.data_set.is_final(&month, account, &self.options(source.vendor()))?;
                if is_final {
                    self.data_set.clear_failure(&month, &source.name)?;
                }
                Ok(is_final)
            }
            _ => Ok(false),
        }
    }

    pub(crate) fn customers_before(&self, source: &Source, target: FetchTarget) -> Option<Customers> {
        let rows = self.data_set.rows(&partition(source.vendor(), target)?.previous(), source.account()?)?;
        let mut customers = Customers::default();
        for row in rows {
            customers.add(&row.ok()?);
        }
        Some(customers)
    }

    pub(crate) fn written(&self) -> &[String] {
        &self.written
    }

    pub(crate) fn write(
        &mut self,
        source: &Source,
        target: FetchTarget,
        outcome: Result<Fetched, Error>,
    ) -> Result<(), Failure> {
        let (vendor, name) = (source.vendor(), &*source.name);
        let Some(partition) = partition(vendor, target) else {
            return Err(Failure::Usage("a data set has whole calendar months: write this to a file".to_owned()));
        };
        let lines = |errors: &[Error]| errors.iter().map(Error::to_string).collect::<Vec<_>>();
        let written = match outcome {
            Err(error) => self.data_set.note_failure(&partition, name, self.now, lines(&[error])),
            Ok(fetched) if self.requires_all && !fetched.errors.is_empty() => {
                self.data_set.note_failure(&partition, name, self.now, lines(&fetched.errors))
            }
            // A load by key would lose rows.
            Ok(fetched) if !duplicate_keys(&fetched.rows).is_empty() => {
                let line = "several rows have the same row_key".to_owned();
                self.data_set.note_failure(&partition, name, self.now, vec![line])
            }
            Ok(Fetched { rows, errors }) => {
                let (failures, options) = (lines(&errors), self.options(vendor));
                let account = source.account().map(str::to_owned).or_else(|| account_of(&rows));
                let account = account.ok_or_else(|| {
                    Failure::Local(format!("{}: the vendor does not state the account of {target}", source.label))
                })?;
                let name = name.to_owned();
                let fetched = FetchedMonth { rows, failures, fetched_at: self.now, options, account, name };
                let written = self.data_set.replace(&partition, fetched);
                if written.is_ok() {
                    self.written.push(format!("{} {target}", source.label));
                }
                written
            }
        };
        written.map_err(|failure| match failure {
            Failure::Local(line) => Failure::Local(format!(
                "{line}; months that are complete are kept: to continue, run the same command again"
            )),
            other => other,
        })
    }
}

/// Returns the only account of some rows.
fn account_of(rows: &[UsageRow]) -> Option<String> {
    let first = &rows.first()?.account_id;
    rows.iter().all(|row| row.account_id == *first).then(|| first.clone())
}

/// Returns the partition of a calendar month.
fn partition(vendor: Vendor, target: FetchTarget) -> Option<Partition> {
    match target {
        FetchTarget::Period(month) => Some(Partition::new(vendor.name(), month)),
        FetchTarget::LastMonth(_) | FetchTarget::Report(_) => None,
    }
}
