//! A data set that is opened for writing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use usage_billing::chrono::{DateTime, Utc};
use usage_billing::{UsageRow, printable};

use super::Partition;
use super::checksum::checksum;
use super::manifest::{FailedMonth, Manifest, Month, distinct};
use crate::exit::Failure;
use crate::formats::parquet::{self, ParquetWriter};
use crate::temporary_file::{self, INCOMPLETE};

/// A data set, locked against other programs until it is dropped.
pub(crate) struct DataSet {
    folder: PathBuf,
    manifest: Manifest,
    _lock: File,
}

/// A month as it was fetched.
pub(crate) struct FetchedMonth {
    pub(crate) rows: Vec<UsageRow>,
    /// Errors of what is missing.
    pub(crate) failures: Vec<String>,
    pub(crate) fetched_at: DateTime<Utc>,
    pub(crate) options: BTreeMap<String, String>,
    /// Id of the account at the vendor.
    pub(crate) account: String,
    /// Name of the account in the configuration.
    pub(crate) name: String,
}

impl DataSet {
    /// Opens a folder, which is created if it does not exist.
    ///
    /// # Errors
    /// If another program writes to it, or if it contains other files.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| temporary_file::failure(folder, &error);
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = File::options().create(true).append(true).open(folder.join(".lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let line = format!("another fetch is writing to `{}`: wait until it ends", folder.display());
                return Err(Failure::Local(line));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        remove_incomplete(folder).map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), manifest: Manifest::read(folder)?, _lock: lock })
    }

    /// Returns whether an account's month is final and its file is as it was written.
    ///
    /// # Errors
    /// If it is complete and was fetched with other options: its rows would be replaced by other ones, or by fewer.
    pub(crate) fn is_final(
        &self,
        partition: &Partition,
        account: &str,
        options: &BTreeMap<String, String>,
    ) -> Result<bool, Failure> {
        let is_unchanged =
            |month: &&Month| checksum(&self.folder.join(&month.file)).is_ok_and(|sha256| sha256 == month.sha256);
        let Some(month) = self.manifest.month(partition, account).filter(is_unchanged) else { return Ok(false) };
        if month.options == *options || month.rows == 0 || !month.failures.is_empty() {
            return Ok(month.is_final && month.options == *options);
        }
        let options: Vec<_> = month.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Err(Failure::Usage(format!(
            "{partition} was fetched with other options ({}): add --force to replace it, or use another folder",
            printable(&options.join(", "))
        )))
    }

    /// Returns the accounts of a vendor whose months are there.
    pub(crate) fn accounts(&self, vendor: &str) -> BTreeSet<&str> {
        self.manifest.accounts(vendor)
    }

    /// Returns the rows of an account's month, if it is there.
    pub(crate) fn rows(
        &self,
        partition: &Partition,
        account: &str,
    ) -> Option<impl Iterator<Item = io::Result<UsageRow>> + use<>> {
        let file = File::open(self.folder.join(partition.file(account))).ok()?;
        parquet::read(file, Some(&partition.vendor)).ok()
    }

    /// Writes an account's month in place of the one that is there. Incomplete rows never replace a complete month.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub(crate) fn replace(&mut self, partition: &Partition, fetched: FetchedMonth) -> Result<(), Failure> {
        let FetchedMonth { rows, failures, fetched_at, options, account, name } = fetched;
        let existing = self.manifest.month(partition, &account);
        if !failures.is_empty() && existing.is_some_and(|month| month.failures.is_empty()) {
            return self.note_failure(partition, &name, fetched_at, failures);
        }
        let file = partition.file(&account);
        let path = self.folder.join(&file);
        self.write_rows(partition, &path, &rows)?;
        let month = Month {
            file: file.to_string_lossy().replace('\\', "/"),
            sha256: checksum(&path).map_err(|error| temporary_file::failure(&path, &error))?,
            rows: rows.len() as u64,
            // Without rows, the vendor may not have them yet.
            is_final: failures.is_empty() && !rows.is_empty() && rows.iter().all(|row| row.is_final),
            fetched_at,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            options,
            operations: distinct(&rows, |row| Some(&row.source_operation)),
            report_ids: distinct(&rows, |row| row.source_report_id.as_ref()),
            failures,
        };
        self.manifest.remove_failure(partition, &name);
        self.manifest.months.entry(partition.to_string()).or_default().insert(account, month);
        self.manifest.write(&self.folder)
    }

    /// Notes that an account's month could not be fetched; its rows stay as they are.
    pub(crate) fn note_failure(
        &mut self,
        partition: &Partition,
        name: &str,
        at: DateTime<Utc>,
        errors: Vec<String>,
    ) -> Result<(), Failure> {
        let accounts = self.manifest.failures.entry(partition.to_string()).or_default();
        accounts.insert(name.to_owned(), FailedMonth { at, errors });
        self.manifest.write(&self.folder)
    }

    /// Removes the failure of an account's month that is kept as it is.
    pub(crate) fn clear_failure(&mut self, partition: &Partition, name: &str) -> Result<(), Failure> {
        match self.manifest.remove_failure(partition, name) {
            true => self.manifest.write(&self.folder),
            false => Ok(()),
        }
    }

    fn write_rows(&self, partition: &Partition, path: &Path, rows: &[UsageRow]) -> Result<(), Failure> {
        let failed = |error: io::Error| temporary_file::failure(path, &error);
        let folder = self.folder.join(partition.to_string());
        fs::create_dir_all(&folder).map_err(failed)?;
        remove_incomplete(&folder).map_err(failed)?;
        let (file, temporary) = temporary_file::create_beside(path)?.into_parts();
        let mut writer = ParquetWriter::new(file, Some("vendor")).map_err(failed)?;
        rows.iter().try_for_each(|row| writer.write(row)).map_err(failed)?;
        let file = writer.finish().map_err(failed)?;
        temporary_file::persist(&file, temporary, path)
    }
}

/// Removes what a killed program left. The lock excludes that another one is writing it.
fn remove_incomplete(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(INCOMPLETE) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::partition::part_files;
    use crate::formats::tests::row;

    fn october() -> Partition {
        Partition::new("acronis", "2026-10".parse().unwrap())
    }

    fn fetched(rows: Vec<UsageRow>, failures: &[&str]) -> FetchedMonth {
        FetchedMonth {
            rows,
            failures: failures.iter().map(|line| (*line).to_owned()).collect(),
            fetched_at: "2026-11-21T12:00:00Z".parse().unwrap(),
            options: BTreeMap::new(),
            account: "t-0".to_owned(),
            name: "acronis".to_owned(),
        }
    }

    fn rows_of(set: &DataSet, account: &str) -> Vec<UsageRow> {
        set.rows(&october(), account).unwrap().map(Result::unwrap).collect()
    }

    fn rows(set: &DataSet) -> Vec<UsageRow> {
        rows_of(set, "t-0")
    }

    fn is_final(set: &DataSet, options: &BTreeMap<String, String>) -> bool {
        set.is_final(&october(), "t-0", options).unwrap()
    }

    #[test]
    fn month_is_final_if_all_rows_are_and_the_file_is_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let options = BTreeMap::new();
        let mut set = DataSet::open(folder.path()).unwrap();
        assert!(!is_final(&set, &options));
        let mut open = row("2");
        open.is_final = false;
        for (fetched, expected) in [
            (fetched(vec![row("1"), open], &[]), false),
            (fetched(vec![], &[]), false),
            (fetched(vec![row("1")], &[]), true),
        ] {
            let written = fetched.rows.clone();
            set.replace(&october(), fetched).unwrap();
            assert_eq!((rows(&set), is_final(&set, &options)), (written, expected));
        }
        let other = BTreeMap::from([("clients".to_owned(), "none".to_owned())]);
        let line = set.is_final(&october(), "t-0", &other).unwrap_err().to_string();
        assert!(line.contains("was fetched with other options (): add --force"), "{line}");
        drop(set);
        let set = DataSet::open(folder.path()).unwrap();
        assert!(is_final(&set, &options), "the manifest was written");
        let path = folder.path().join(october().file("t-0"));
        let mut bytes = fs::read(&path).unwrap();
        bytes[10] ^= 1;
        fs::write(path, bytes).unwrap();
        assert!(!is_final(&set, &options));
    }

    #[test]
    fn incomplete_rows_never_replace_a_complete_month() {
        let folder = tempfile::tempdir().unwrap();
        let mut set = DataSet::open(folder.path()).unwrap();
        set.replace(&october(), fetched(vec![row("1")], &["no bill"])).unwrap();
        set.replace(&october(), fetched(vec![row("2")], &["no bill"])).unwrap();
        assert_eq!(rows(&set), [row("2")], "more is better than less");
        set.replace(&october(), fetched(vec![row("3")], &[])).unwrap();
        set.replace(&october(), fetched(vec![row("4")], &["no bill"])).unwrap();
        assert_eq!(rows(&set), [row("3")]);
        assert_eq!(set.manifest.failures[&october().to_string()]["acronis"].errors, ["no bill"]);
        set.replace(&october(), fetched(vec![row("5")], &[])).unwrap();
        assert!(set.manifest.failures.is_empty() && rows(&set) == [row("5")]);
    }

    #[test]
    fn failure_of_a_month_that_is_kept_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut set = DataSet::open(folder.path()).unwrap();
        let at = "2026-11-21T12:00:00Z".parse().unwrap();
        for name in ["acronis", "emea"] {
            set.note_failure(&october(), name, at, vec!["unavailable".to_owned()]).unwrap();
        }
        set.clear_failure(&october(), "acronis").unwrap();
        drop(set);
        let set = DataSet::open(folder.path()).unwrap();
        assert_eq!(set.manifest.failures[&october().to_string()].keys().collect::<Vec<_>>(), ["emea"]);
    }

    #[test]
    fn account_is_replaced_without_the_others_of_its_month() {
        let folder = tempfile::tempdir().unwrap();
        let mut set = DataSet::open(folder.path()).unwrap();
        let of_other = |rows| FetchedMonth { account: "t-9".to_owned(), ..fetched(rows, &[]) };
        set.replace(&october(), fetched(vec![row("1")], &[])).unwrap();
        set.replace(&october(), of_other(vec![row("2")])).unwrap();
        assert_eq!(set.accounts("acronis"), ["t-0", "t-9"].into());
        assert!(set.accounts("suger").is_empty());
        set.replace(&october(), of_other(vec![row("3")])).unwrap();
        assert_eq!((rows(&set), rows_of(&set, "t-9")), (vec![row("1")], vec![row("3")]));
        assert_eq!(part_files(folder.path()).unwrap().len(), 2);
    }

    #[test]
    fn folder_has_one_writer_and_no_remains() {
        let folder = tempfile::tempdir().unwrap();
        let mut set = DataSet::open(folder.path()).unwrap();
        let line = DataSet::open(folder.path()).err().unwrap().to_string();
        assert!(line.starts_with("another fetch is writing to `"), "{line}");
        set.replace(&october(), fetched(vec![row("1")], &[])).unwrap();
        let remains = folder.path().join(october().to_string()).join(format!(".usage-billing-x{INCOMPLETE}"));
        fs::write(&remains, "half").unwrap();
        set.replace(&october(), fetched(vec![row("2")], &[])).unwrap();
        assert!(!remains.exists());
        let expected = folder.path().join("vendor=acronis/period=2026-10/part-t-0.parquet");
        assert_eq!(part_files(folder.path()).unwrap(), [("acronis".to_owned(), expected)]);
    }

    #[test]
    fn other_manifest_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        for (text, expected) in [
            ("{}", "missing field `manifest_format`"),
            (r#"{"manifest_format":1,"months":{},"failures":{}}"#, "its format is 1, expected 2"),
        ] {
            fs::write(folder.path().join("_manifest.json"), text).unwrap();
            let line = DataSet::open(folder.path()).err().unwrap().to_string();
            assert!(line.contains(expected) && line.contains("delete it to fetch everything again"), "{line}");
        }
    }
}
