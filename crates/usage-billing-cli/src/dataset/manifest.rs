//! The manifest of a data set: what was fetched, when, and what failed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use usage_billing::UsageRow;
use usage_billing::chrono::{DateTime, Utc};

use super::Partition;
use crate::exit::Failure;
use crate::temporary_file;

const NAME: &str = "_manifest.json";
const FORMAT: u32 = 2;
/// Ten thousand months take a few megabytes.
const MAX_BYTES: u64 = 64 << 20;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Version of this format.
    manifest_format: u32,
    /// By partition (`vendor=acronis/period=2026-10`), then by the account's id at the vendor.
    pub(super) months: BTreeMap<String, BTreeMap<String, Month>>,
    /// Months that could not be fetched, by partition, then by the account's name in the configuration: the errors of the last attempt.
    pub(super) failures: BTreeMap<String, BTreeMap<String, FailedMonth>>,
}

/// A month of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Month {
    pub(super) file: String,
    pub(super) sha256: String,
    pub(super) rows: u64,
    /// Whether the vendor will not change any row any more.
    pub(super) is_final: bool,
    pub(super) fetched_at: DateTime<Utc>,
    /// Version of this program.
    pub(super) version: String,
    /// The options that the rows depend on beside the account and the month.
    pub(super) options: BTreeMap<String, String>,
    /// Operations whose responses contain the rows.
    pub(super) operations: BTreeSet<String>,
    pub(super) report_ids: BTreeSet<String>,
    /// Errors of what is missing.
    pub(super) failures: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FailedMonth {
    pub(super) at: DateTime<Utc>,
    pub(super) errors: Vec<String>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { manifest_format: FORMAT, months: BTreeMap::new(), failures: BTreeMap::new() }
    }
}

impl Manifest {
    /// Reads the manifest of a folder; an empty one if there is none.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(NAME);
        let invalid = |reason: &dyn std::fmt::Display| {
            let advice = "delete it to fetch everything again, or use another folder";
            Failure::Local(format!("`{}` is not a manifest of this version: {reason}; {advice}", path.display()))
        };
        let mut text = String::new();
        match File::open(&path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(invalid(&error)),
            Ok(_) => {}
        }
        let manifest: Self = serde_json::from_str(&text).map_err(|error| invalid(&error))?;
        match manifest.manifest_format {
            FORMAT => Ok(manifest),
            other => Err(invalid(&format_args!("its format is {other}, expected {FORMAT}"))),
        }
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(NAME);
        let (mut file, temporary) = temporary_file::create_beside(&path)?.into_parts();
        let written = serde_json::to_vec_pretty(self).map_err(io::Error::from);
        let written = written.and_then(|bytes| file.write_all(&bytes).and_then(|()| file.write_all(b"\n")));
        written.map_err(|error| temporary_file::failure(&path, &error))?;
        temporary_file::persist(&file, temporary, &path)
    }

    /// Returns the accounts of a vendor's months.
    pub(super) fn accounts(&self, vendor: &str) -> BTreeSet<&str> {
        let prefix = format!("vendor={vendor}/");
        let months = self.months.iter().filter(|(partition, _)| partition.starts_with(&prefix));
        months.flat_map(|(_, accounts)| accounts.keys().map(String::as_str)).collect()
    }

    pub(super) fn month(&self, partition: &Partition, account: &str) -> Option<&Month> {
        self.months.get(&partition.to_string())?.get(account)
    }

    /// Removes the failure of an account's month; returns whether there was one.
    pub(super) fn remove_failure(&mut self, partition: &Partition, name: &str) -> bool {
        let partition = partition.to_string();
        let Some(accounts) = self.failures.get_mut(&partition) else { return false };
        let is_removed = accounts.remove(name).is_some();
        if accounts.is_empty() {
            self.failures.remove(&partition);
        }
        is_removed
    }
}

/// Returns the distinct values of a column.
pub(super) fn distinct<'a>(
    rows: &'a [UsageRow],
    column: impl Fn(&'a UsageRow) -> Option<&'a String>,
) -> BTreeSet<String> {
    rows.iter().filter_map(column).cloned().collect()
}
