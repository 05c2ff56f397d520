//! Checks the variables that name trusted roots for TLS: the loader only logs an unreadable file, and every connection fails later.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::foreign_text::printable;
use crate::{Error, ErrorKind, Result};

const FILE: &str = "SSL_CERT_FILE";
/// Paths, separated as in `PATH`.
const DIRECTORIES: &str = "SSL_CERT_DIR";

/// Returns the variable that names trusted roots, if one is set.
#[cfg(not(any(feature = "aws-lc", feature = "native-tls")))]
pub(crate) fn variable() -> Option<&'static str> {
    [FILE, DIRECTORIES].into_iter().find(|name| env::var_os(name).is_some())
}

/// Checks the files and directories that the variables name.
///
/// # Errors
/// [`ErrorKind::Config`] for a file or directory that cannot be read.
pub(crate) fn check_environment() -> Result<()> {
    if let Some(file) = env::var_os(FILE) {
        check(FILE, Path::new(&file), |path| {
            // Reading a pipe would block, and consume it.
            if !fs::metadata(path)?.is_file() {
                return Err(io::Error::other("it is not a file"));
            }
            File::open(path)?.read(&mut [0]).map(drop)
        })?;
    }
    if let Some(paths) = env::var_os(DIRECTORIES) {
        for path in env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()) {
            check(DIRECTORIES, &path, |path| fs::read_dir(path).map(drop))?;
        }
    }
    Ok(())
}

fn check(variable: &str, path: &Path, read: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
    read(path).map_err(|error| {
        let display_path = path.to_string_lossy();
        let message = format!(
            "the trusted roots for TLS that {variable} names (`{}`) cannot be read: {error}",
            printable(&display_path)
        );
        let hint = "correct the variable, or unset it to use the system's trusted roots";
        Error::new(ErrorKind::Config, message).with_hint(hint).with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_file_is_named_with_its_variable() {
        let open = |path: &Path| File::open(path).map(drop);
        let error = check(FILE, Path::new("/absent\n/roots.pem"), open).unwrap_err();
        let line = error.to_string();
        assert!(
            line.contains(r"that SSL_CERT_FILE names (`/absent\n/roots.pem`) cannot be read: No such file"),
            "{line}"
        );
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
