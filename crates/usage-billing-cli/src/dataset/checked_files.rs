//! The files of a data set, checked against its manifest before they are read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use usage_billing::printable;

use super::checksum::checksum;
use super::manifest::Manifest;
use super::partition::part_files;
use crate::exit::Failure;

/// Returns the files of a data set with their vendors, sorted.
///
/// # Errors
/// If a file is missing, changed, or not listed by the manifest: sums would be wrong without a word.
pub(crate) fn checked_files(folder: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let failed = |path: &Path, line: &dyn std::fmt::Display| {
        Failure::Usage(format!("`{}` {line}", printable(&path.to_string_lossy())))
    };
    let files = part_files(folder).map_err(|error| failed(folder, &format_args!("cannot be read: {error}")))?;
    let manifest = Manifest::read(folder)?;
    if files.is_empty() && manifest.months.is_empty() {
        return Err(failed(folder, &"is not a data set: it has no vendor=…/period=…/*.parquet"));
    }
    let months = manifest.months.values().flat_map(BTreeMap::values);
    let months: Vec<_> = months.map(|month| (folder.join(&month.file), month)).collect();
    for (path, month) in &months {
        match checksum(path) {
            Ok(sha256) if sha256 == month.sha256 => {}
            Ok(_) => {
                return Err(failed(
                    path,
                    &"is not the file that was fetched, as its checksum differs: fetch the month again",
                ));
            }
            Err(error) => {
                return Err(failed(path, &format_args!("cannot be read: {error}; fetch the month again")));
            }
        }
    }
    match files.iter().find(|(_, file)| months.iter().all(|(path, _)| path != file)) {
        Some((_, stray)) => Err(failed(
            stray,
            &"is not listed by the data set's _manifest.json: fetch the month again, or remove the file",
        )),
        None => Ok(files),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::dataset::{DataSet, FetchedMonth, Partition};
    use crate::formats::tests::row;

    #[test]
    fn files_that_are_missing_exchanged_or_not_listed_are_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut set = DataSet::open(folder.path()).unwrap();
        let paths = ["2026-09", "2026-10"].map(|month| {
            let partition = Partition::new("acronis", month.parse().unwrap());
            let month = FetchedMonth {
                rows: vec![row(&month[6..])],
                failures: Vec::new(),
                fetched_at: "2026-11-21T12:00:00Z".parse().unwrap(),
                options: BTreeMap::new(),
                account: "t-0".to_owned(),
                name: "acronis".to_owned(),
            };
            set.replace(&partition, month).unwrap();
            folder.path().join(partition.file("t-0"))
        });
        let check = || checked_files(folder.path()).map(|files| files.len()).map_err(|failure| failure.to_string());
        assert_eq!(check(), Ok(2));
        let stray = paths[0].with_file_name("part-1.parquet");
        fs::copy(&paths[0], &stray).unwrap();
        assert!(check().unwrap_err().contains("part-1.parquet` is not listed by the data set's _manifest.json"));
        fs::rename(&paths[0], &stray).unwrap();
        assert!(check().unwrap_err().contains("part-t-0.parquet` cannot be read: No such file"));
        fs::rename(&paths[1], &paths[0]).unwrap();
        fs::rename(&stray, &paths[1]).unwrap();
        assert!(check().unwrap_err().contains("period=2026-09/part-t-0.parquet` is not the file that was fetched"));
    }
}
