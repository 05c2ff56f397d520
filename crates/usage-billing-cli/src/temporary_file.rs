//! Files that appear under their name only when they are complete.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile, TempPath};
use usage_billing::printable;

use crate::exit::Failure;

/// Ending of the names of incomplete files.
pub(crate) const INCOMPLETE: &str = ".incomplete";

/// Creates a file in the folder of `path`; it is removed unless it is persisted.
pub(crate) fn create_beside(path: &Path) -> Result<NamedTempFile, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    builder.prefix(".usage-billing-").suffix(INCOMPLETE);
    // As other programs create files: the umask decides. The default is a file that only its owner can read.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).map_err(|error| failure(path, &error))
}

/// Moves a complete file to its name, in place of the one that exists.
pub(crate) fn persist(file: &File, temporary: TempPath, path: &Path) -> Result<(), Failure> {
    file.sync_all().map_err(|error| failure(path, &error))?;
    temporary.persist(path).map_err(|error| failure(path, &error.error))
}

/// Returns the failure to write a file. The reason of `tempfile` contains the name of the temporary file, which the user does not know.
pub(crate) fn failure(path: &Path, error: &io::Error) -> Failure {
    let reason = error.to_string();
    let reason = reason.split(" at path ").next().unwrap_or_default();
    let path = path.to_string_lossy();
    Failure::Local(format!("`{}` cannot be written: {}", printable(&path), printable(reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_does_not_name_the_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let failure = create_beside(&folder.path().join("absent").join("x.csv")).unwrap_err().to_string();
        assert!(failure.contains("x.csv` cannot be written: ") && !failure.contains(INCOMPLETE), "{failure}");
    }
}
