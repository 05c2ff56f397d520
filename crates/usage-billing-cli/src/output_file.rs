//! Output of a verb to a file or to stdout, which gets all of it or nothing.

use std::fs::File;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use tempfile::TempPath;
use usage_billing::printable;

use crate::exit::Failure;
use crate::formats::Format;
use crate::{temporary_file, terminal};

/// The name of stdout.
pub(crate) const STDOUT: &str = "-";

/// The destination of a temporary file.
#[derive(Debug)]
pub(crate) enum OutputFile {
    Stdout,
    File(TempPath, PathBuf),
}

impl OutputFile {
    /// Creates the temporary file for a path or `-`.
    pub(crate) fn create(path: &Path) -> Result<(File, Self), Failure> {
        if path.as_os_str() == STDOUT {
            let file = tempfile::tempfile().map_err(|error| {
                let folder = std::env::temp_dir();
                Failure::Local(format!("no temporary file can be created in {}: {error}", folder.display()))
            });
            return Ok((file?, Self::Stdout));
        }
        let (file, temporary) = temporary_file::create_beside(path)?.into_parts();
        Ok((file, Self::File(temporary, path.to_owned())))
    }

    /// Returns the failure to write to it.
    pub(crate) fn failure(&self, error: &io::Error) -> Failure {
        match self {
            Self::Stdout => Failure::Local(format!("the output cannot be written: {error}")),
            Self::File(_, path) => temporary_file::failure(path, error),
        }
    }

    /// Moves the complete file to its name, or copies it to stdout.
    pub(crate) fn complete(self, mut file: File) -> Result<(), Failure> {
        match self {
            Self::Stdout => {
                file.rewind().and_then(|()| terminal::copy(&mut file)).map_err(|error| self.failure(&error))
            }
            Self::File(temporary, path) => temporary_file::persist(&file, temporary, &path),
        }
    }
}

/// Rejects a name whose extension states another format than the only one that a verb writes.
pub(crate) fn check_extension(path: &Path, expected: &str) -> Result<(), Failure> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if Format::of_extension(path).is_some() && !extension.eq_ignore_ascii_case(expected) {
        let path = path.to_string_lossy();
        let path = printable(&path);
        return Err(Failure::Usage(format!(
            "the name `{path}` ends with .{extension}, and the output is .{expected}: change the ending"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_another_format_is_rejected() {
        for (name, is_accepted) in
            [("a.csv", true), ("a.CSV", true), ("-", true), ("a", true), ("a.xlsx", false), ("a.parquet", false)]
        {
            assert_eq!(check_extension(Path::new(name), "csv").is_ok(), is_accepted, "{name}");
        }
    }
}
