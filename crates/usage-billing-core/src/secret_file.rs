//! Secrets in files that other users cannot read.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use secrecy::SecretString;

use crate::foreign_text::printable;
use crate::secret_format::SecretUse;
use crate::{Error, ErrorKind, Result, secret_format};

/// A larger file is not a secret.
const MAX_BYTES: u64 = 64 * 1024;

/// Returns the secret in the file at `path`, which a setting such as `client_secret` names. The file is read and checked as one that an
/// environment variable with the suffix `_FILE` names: on Unix its mode must be 0600 or stricter, or 0640 or stricter if root owns it.
///
/// # Errors
/// [`ErrorKind::Config`] for a file that cannot be read, that other users can read, or that does not contain a valid secret.
pub fn read_secret_file(path: &Path, setting: &str) -> Result<SecretString> {
    let usage = SecretUse::from_setting(setting).unwrap_or(SecretUse::Password);
    read(path, setting, usage).map(SecretString::from)
}

/// Returns the secret in the file at `path`, which `variable` names. One line break at the end is removed: editors and `echo` add it.
///
/// # Errors
/// [`ErrorKind::Config`] for a file that cannot be read, that other users can read, or that does not contain a valid secret.
pub(crate) fn read(path: &Path, variable: &str, usage: SecretUse) -> Result<String> {
    let display_path = path.to_string_lossy();
    let invalid =
        |reason: String| Error::new(ErrorKind::Config, format!("{variable} (`{}`) {reason}", printable(&display_path)));
    let unreadable = |error: std::io::Error| invalid(format!("cannot be read: {error}")).with_source(error);
    // Checked before it is opened: opening a pipe would wait for a writer.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(invalid("is a directory: name the file in it".to_owned()));
    }
    if !metadata.is_file() {
        return Err(invalid("is not a regular file".to_owned()));
    }
    let file = File::open(path).map_err(unreadable)?;
    if let Some(problem) = permission_problem(&file.metadata().map_err(unreadable)?) {
        return Err(invalid(problem));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(invalid(format!("is larger than {} KiB: it must contain only the secret", MAX_BYTES / 1024)));
    }
    // Without the source, which contains the bytes.
    let text =
        String::from_utf8(bytes).map_err(|_| invalid("is not UTF-8: save the file as UTF-8 without BOM".to_owned()))?;
    let secret = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
    match secret_format::problem(usage, secret) {
        Some(problem) => Err(invalid(problem)),
        None => Ok(secret.to_owned()),
    }
}

/// Returns why a file's mode is not accepted.
#[cfg(unix)]
fn permission_problem(metadata: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    let mode = metadata.mode() & 0o777;
    (mode & forbidden_bits(metadata.uid()) != 0).then(|| {
        format!(
            "can be read or changed by other users (mode {mode:03o}): restrict it to its owner, with `chmod 600`, `defaultMode: 0400` of a \
             Kubernetes volume, or `mode: 0400` of a secret in Docker Compose"
        )
    })
}

/// Returns the bits of a mode that must not be set, by the rule of libpq for private keys. The group may read a file of root, because
/// containers that run as another user get secrets that way (`fsGroup` of Kubernetes).
#[cfg(unix)]
fn forbidden_bits(owner: u32) -> u32 {
    if owner == 0 { 0o037 } else { 0o077 }
}

/// Access control lists are not checked.
#[cfg(not(unix))]
fn permission_problem(_: &fs::Metadata) -> Option<String> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn group_may_read_only_files_of_root() {
        let is_accepted = |mode: u32, owner| mode & forbidden_bits(owner) == 0;
        for mode in [0o400, 0o600, 0o440, 0o640] {
            assert!(is_accepted(mode, 0), "{mode:o}");
            assert_eq!(is_accepted(mode, 1000), mode & 0o040 == 0, "{mode:o}");
        }
        for mode in [0o444, 0o644, 0o660, 0o650, 0o601] {
            assert!(!is_accepted(mode, 0) && !is_accepted(mode, 1000), "{mode:o}");
        }
    }
}
