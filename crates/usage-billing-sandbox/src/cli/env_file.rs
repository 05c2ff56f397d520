//! The file of the settings for a shell.

use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use usage_billing_core::printable;

use crate::shell_settings::{Shell, settings};

/// The first line of each file, by which later runs recognize it.
const MARK: &str = "# Settings of a usage-billing sandbox (demo credentials).";

/// A file of settings, which is removed when it is dropped.
pub(super) struct EnvFile(PathBuf);

impl EnvFile {
    /// Removes the file of an earlier run, so that it exists only while the sandbox is ready.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the path is another file.
    pub(super) fn clear(path: &Path) -> io::Result<()> {
        let failed = |error: io::Error| in_words(path, &error);
        let file = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
            Ok(found) if found.is_file() => fs::File::open(path).map_err(failed)?,
            Ok(_) => return Err(not_ours(path)),
        };
        let mut first = String::new();
        // The file may be of any size.
        let read = BufReader::new(file.take(MARK.len() as u64 + 2)).read_line(&mut first);
        match read {
            Ok(_) if first.trim_end() == MARK => fs::remove_file(path).map_err(failed),
            _ => Err(not_ours(path)),
        }
    }

    /// Writes the file in one step, so that a waiting shell never reads a part of it.
    ///
    /// # Errors
    /// The file cannot be written; with its path.
    pub(super) fn write(path: &Path, url: &str) -> io::Result<Self> {
        let is_power_shell = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ps1"));
        let shell = if is_power_shell { Shell::PowerShell } else { Shell::Posix };
        let mut partial = path.as_os_str().to_owned();
        partial.push(format!(".{}.partial", std::process::id()));
        let partial = PathBuf::from(partial);
        let written = fs::write(&partial, format!("{MARK}\n{}", settings(url, shell)));
        match written.and_then(|()| fs::rename(&partial, path)) {
            Ok(()) => Ok(Self(path.to_owned())),
            Err(error) => {
                let _ = fs::remove_file(&partial);
                Err(in_words(path, &error))
            }
        }
    }
}

impl Drop for EnvFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn not_ours(path: &Path) -> io::Error {
    let message = format!(
        "{} exists and is not a file of sandbox settings: remove it or choose another --env-file",
        printable(&path.to_string_lossy())
    );
    io::Error::new(ErrorKind::InvalidInput, message)
}

fn in_words(path: &Path, error: &io::Error) -> io::Error {
    let path = path.to_string_lossy();
    io::Error::new(error.kind(), format!("the file {} cannot be written: {error}", printable(&path)))
}
