//! The folder of a vendor's month in a data set.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use usage_billing::Period;

/// Name of the file of a month.
pub(super) const PART: &str = "part-0.parquet";

/// A vendor and a calendar month, in the notation of Hive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    pub(crate) vendor: String,
    pub(crate) month: Period,
}

impl Partition {
    pub(crate) fn new(vendor: impl Into<String>, month: Period) -> Self {
        Self { vendor: vendor.into(), month }
    }

    /// Returns the same vendor's month before.
    pub(crate) fn previous(&self) -> Self {
        Self::new(self.vendor.clone(), Period::last_month(self.month.start()))
    }

    /// Returns the path of the file in the data set.
    pub(crate) fn file(&self) -> PathBuf {
        Path::new(&self.to_string()).join(PART)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vendor={}/period={}", self.vendor, self.month)
    }
}

/// Returns the Parquet files of a data set with their vendors, sorted.
pub(super) fn part_files(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for (vendor, folder) in folders(folder, "vendor=")? {
        for (_, folder) in folders(&folder, "period=")? {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                let is_hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with(['.', '_']));
                if !is_hidden && path.extension().is_some_and(|extension| extension == "parquet") {
                    found.push((vendor.clone(), path));
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Returns the folders whose names begin with `key`, with the rest of their names.
fn folders(folder: &Path, key: &str) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(value) = name.to_str().and_then(|name| name.strip_prefix(key)).filter(|_| entry.path().is_dir()) {
            found.push((value.to_owned(), entry.path()));
        }
    }
    Ok(found)
}
