//! The folder of a vendor's month in a data set.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use usage_billing::Period;

use super::checksum::hex;

/// Columns that the names of folders contain.
pub(crate) const PARTITION_COLUMNS: [&str; 2] = ["vendor", "period"];

/// Longest account id that is part of the name of a file.
const MAX_ACCOUNT: usize = 64;

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

    /// Returns the path of an account's file in the data set.
    pub(crate) fn file(&self, account: &str) -> PathBuf {
        Path::new(&self.to_string()).join(file_name(account))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vendor={}/period={}", self.vendor, self.month)
    }
}

/// Returns the name of an account's file: with the account's id, or with its hash if some file system could not distinguish the id from others.
fn file_name(account: &str) -> String {
    let is_portable = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match (1..=MAX_ACCOUNT).contains(&account.len()) && account.bytes().all(is_portable) {
        true => format!("part-{account}.parquet"),
        false => format!("part-{}.parquet", &hex(&Sha256::digest(account))[..32]),
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

/// Returns the vendor of a file of a data set, by its folders.
pub(crate) fn vendor_of(part: &Path) -> Option<String> {
    let part = part.canonicalize().ok()?;
    part.ancestors().nth(2)?.file_name()?.to_str()?.strip_prefix("vendor=").map(str::to_owned)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_name_has_the_account_or_its_hash() {
        assert_eq!(
            file_name("0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11"),
            "part-0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11.parquet"
        );
        let names = ["sgr-a", "sgr-A", "..", "", "a/b", "株式会社", &"x".repeat(65)].map(file_name);
        for (index, name) in names.iter().enumerate() {
            assert!(name.is_ascii() && name.len() <= 77 && !name.contains(['/', '\\']), "{name}");
            assert!(!names[..index].iter().any(|other| other.eq_ignore_ascii_case(name)), "{names:?}");
        }
    }
}
