//! Secrets in files that only their owner can read.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::foreign_text::printable;
use crate::{Error, ErrorKind, Result, secret_format};

/// More is not a secret but a wrong path.
const LARGEST: u64 = 64 * 1024;

/// The secret in the file at `path`, which `variable` names. One line break at the end is dropped: editors and `echo` add it.
///
/// # Errors
/// [`ErrorKind::Config`] for a file that cannot be read, that others can read, or that does not hold a secret.
pub(crate) fn read(path: &Path, variable: &str) -> Result<String> {
    let shown = path.to_string_lossy();
    let wrong =
        |reason: String| Error::new(ErrorKind::Config, format!("{variable} (`{}`) {reason}", printable(&shown)));
    let unreadable = |error: std::io::Error| wrong(format!("cannot be read: {error}")).with_source(error);
    // Before it is opened: opening a pipe would wait for somebody to write into it.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(wrong("is a directory: name the file in it".to_owned()));
    }
    if !metadata.is_file() {
        return Err(wrong("is not a regular file".to_owned()));
    }
    let file = File::open(path).map_err(unreadable)?;
    if let Some(problem) = others(&file.metadata().map_err(unreadable)?) {
        return Err(wrong(problem));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(wrong(format!("has more than {} KiB: the file holds the secret alone", LARGEST / 1024)));
    }
    // Without the source: it holds the bytes.
    let text =
        String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8: save the file as UTF-8 without BOM".to_owned()))?;
    let secret = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
    match secret_format::problem(secret) {
        Some(problem) => Err(wrong(problem)),
        None => Ok(secret.to_owned()),
    }
}

#[cfg(unix)]
fn others(metadata: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o777;
    (mode & 0o077 != 0)
        .then(|| format!("can be read or changed by other users (mode {mode:03o}): permit its owner alone (chmod 600)"))
}

/// Access lists are not read: the file's owner has to set them.
#[cfg(not(unix))]
fn others(_: &fs::Metadata) -> Option<String> {
    None
}
