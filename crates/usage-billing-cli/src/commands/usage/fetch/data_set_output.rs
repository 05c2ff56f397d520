//! Rows on their way to a data set, month by month.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use usage_billing::Error;
use usage_billing::chrono::{DateTime, Utc};

use super::FetchArguments;
use super::checks::{Customers, duplicate_keys};
use super::target::FetchTarget;
use super::vendor_usage::Fetched;
use crate::accounts::Vendor;
use crate::dataset::{DataSet, FetchedMonth, Partition};
use crate::exit::Failure;

/// A data set to which each month is written as soon as it is fetched.
pub(crate) struct DataSetOutput {
    data_set: DataSet,
    now: DateTime<Utc>,
    options: BTreeMap<String, String>,
    /// The account of each vendor, as far as the vendors state it.
    accounts: BTreeMap<&'static str, String>,
    /// Vendors with the months that were written.
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
            accounts: BTreeMap::new(),
            written: Vec::new(),
            replaces_final: arguments.force,
            requires_all: arguments.require_all,
        })
    }

    /// Returns the options on which the rows of a vendor depend.
    fn options(&self, vendor: Vendor) -> BTreeMap<String, String> {
        if vendor == Vendor::Genesys { self.options.clone() } else { BTreeMap::new() }
    }

    /// Takes the account from which a vendor's months are fetched.
    ///
    /// # Errors
    /// If the vendor's months in the data set are of another one.
    pub(crate) fn set_account(&mut self, vendor: Vendor, account: String) -> Result<(), Failure> {
        self.data_set.check_accounts(vendor.name(), &BTreeSet::from([account.clone()]))?;
        self.accounts.insert(vendor.name(), account);
        Ok(())
    }

    /// Returns whether a month is there, final, and certainly of the same account.
    pub(crate) fn has(&self, vendor: Vendor, target: FetchTarget) -> Result<bool, Failure> {
        match partition(vendor, target) {
            Some(month) if !self.replaces_final => {
                let is_final = self.data_set.is_final(&month, &self.options(vendor))?;
                Ok(is_final && self.accounts.contains_key(vendor.name()))
            }
            _ => Ok(false),
        }
    }

    pub(crate) fn customers_before(&self, vendor: Vendor, target: FetchTarget) -> Option<Customers> {
        let rows = self.data_set.rows(&partition(vendor, target)?.previous())?;
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
        vendor: Vendor,
        target: FetchTarget,
        outcome: Result<Fetched, Error>,
    ) -> Result<(), Failure> {
        let Some(partition) = partition(vendor, target) else {
            return Err(Failure::Usage("a data set has whole calendar months: write this to a file".to_owned()));
        };
        let lines = |errors: &[Error]| errors.iter().map(Error::to_string).collect::<Vec<_>>();
        let written = match outcome {
            Err(error) => self.data_set.note_failure(&partition, self.now, lines(&[error])),
            Ok(fetched) if self.requires_all && !fetched.errors.is_empty() => {
                self.data_set.note_failure(&partition, self.now, lines(&fetched.errors))
            }
            // A load by key would lose rows.
            Ok(fetched) if !duplicate_keys(&fetched.rows).is_empty() => {
                self.data_set.note_failure(&partition, self.now, vec!["several rows have the same row_key".to_owned()])
            }
            Ok(Fetched { rows, errors }) => {
                let (failures, options) = (lines(&errors), self.options(vendor));
                let account = self.accounts.get(vendor.name()).cloned();
                let fetched = FetchedMonth { rows, failures, fetched_at: self.now, options, account };
                let written = self.data_set.replace(&partition, fetched);
                if written.is_ok() {
                    self.written.push(format!("{} {target}", vendor.name()));
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

/// Returns the partition of a calendar month.
fn partition(vendor: Vendor, target: FetchTarget) -> Option<Partition> {
    match target {
        FetchTarget::Period(month) => Some(Partition::new(vendor.name(), month)),
        FetchTarget::LastMonth(_) | FetchTarget::Report(_) => None,
    }
}
