//! Configuration from environment variables.

use std::ffi::OsString;
use std::path::Path;

use crate::secret_format::SecretUse;
use crate::{Error, ErrorKind, Result, secret_file, secret_format};

/// Returns the values of environment variables, in order, without surrounding white space. An empty variable counts as missing.
///
/// A variable whose name ends with `_KEY`, `_PASSWORD`, `_SECRET` or `_TOKEN` contains a secret. Instead of it, the variable with the suffix
/// `_FILE` may name a file that contains the secret; one line break at its end is ignored. On Unix the file's mode must be 0600 or stricter,
/// or 0640 or stricter if root owns it; other systems' permissions are not checked.
///
/// # Errors
/// [`ErrorKind::Config`] with the names of all missing variables, or with the variable whose secret cannot be read or has an invalid format
/// (such as quotes or `Bearer ` around it); never with the secret.
pub fn required<const N: usize>(names: [&str; N]) -> Result<[String; N]> {
    required_from(|name| std::env::var_os(name), names)
}

/// Returns the value of an environment variable, without surrounding white space; `None` if it is missing or empty.
///
/// # Errors
/// [`ErrorKind::Config`] for a value that is not UTF-8, and for an invalid secret as in [`required`].
pub fn optional(name: &str) -> Result<Option<String>> {
    value(|name| std::env::var_os(name), name)
}

fn required_from<const N: usize>(lookup: impl Fn(&str) -> Option<OsString>, names: [&str; N]) -> Result<[String; N]> {
    let values = names.map(|name| value(&lookup, name));
    let missing: Vec<_> = names.iter().zip(&values).filter(|(_, value)| matches!(value, Ok(None))).collect();
    if missing.is_empty() {
        let mut failure = None;
        let values = values.map(|value| {
            value.unwrap_or_else(|error| {
                failure.get_or_insert(error);
                None
            })
        });
        return match failure {
            Some(error) => Err(error),
            None => Ok(values.map(Option::unwrap_or_default)),
        };
    }
    let missing: Vec<_> = missing
        .into_iter()
        .map(|(name, _)| {
            if SecretUse::from_setting(name).is_some() {
                format!("{name} (or {name}_FILE)")
            } else {
                (*name).to_owned()
            }
        })
        .collect();
    Err(Error::new(ErrorKind::Config, format!("not set in the environment: {}", missing.join(", "))))
}

/// Returns the value of a variable, or of the file that it names; `None` if both are missing.
fn value(lookup: impl Fn(&str) -> Option<OsString>, name: &str) -> Result<Option<String>> {
    let invalid = |message: String| Err(Error::new(ErrorKind::Config, message));
    let Ok(text) = lookup(name).unwrap_or_default().into_string() else {
        return invalid(format!("{name} in the environment is not UTF-8"));
    };
    let text = text.trim();
    let Some(usage) = SecretUse::from_setting(name) else { return Ok((!text.is_empty()).then(|| text.to_owned())) };
    let file_variable = format!("{name}_FILE");
    let path = lookup(&file_variable).unwrap_or_default();
    match (text.is_empty(), path.is_empty()) {
        (true, true) => Ok(None),
        (true, false) => secret_file::read(Path::new(&path), &file_variable, usage).map(Some),
        (false, false) => invalid(format!("{name} and {file_variable} are both set in the environment: unset one")),
        (false, true) => match secret_format::problem(usage, text) {
            Some(problem) => invalid(format!("{name} in the environment {problem}")),
            None => Ok(Some(text.to_owned())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_names_all_missing_variables() {
        let lookup = |name: &str| (name != "B").then(|| if name == "C" { OsString::new() } else { "x\n".into() });
        assert_eq!(required_from(lookup, ["A"]).unwrap(), ["x"]);
        let error = required_from(lookup, ["A", "B", "C"]).unwrap_err();
        assert_eq!(error.to_string(), "not set in the environment: B, C");
        let error = required_from(|_| None, ["A_ID", "A_SECRET"]).unwrap_err();
        assert_eq!(error.to_string(), "not set in the environment: A_ID, A_SECRET (or A_SECRET_FILE)");
    }

    #[test]
    fn secret_with_extra_characters_is_rejected() {
        for value in ["\"hush\"", "Key hush", "\u{feff}hush", "hu\nsh"] {
            let error = required_from(|name| (name == "A_KEY").then(|| value.into()), ["A_KEY"]).unwrap_err();
            let line = format!("{error} {error:?}");
            assert!(line.starts_with("A_KEY in the environment ") && !line.contains("hush"), "{line}");
        }
    }

    #[cfg(unix)]
    mod files {
        use std::fs::{self, Permissions};
        use std::os::unix::fs::PermissionsExt;
        use std::path::PathBuf;

        use super::*;

        struct Folder(tempfile::TempDir);

        impl Folder {
            fn new() -> Self {
                Self(tempfile::tempdir().unwrap())
            }

            fn file(&self, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
                let path = self.0.path().join("key");
                fs::write(&path, content).unwrap();
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
                path
            }
        }

        fn read(path: &Path) -> Result<String> {
            let lookup = |name: &str| (name == "A_KEY_FILE").then(|| path.as_os_str().to_owned());
            required_from(lookup, ["A_KEY"]).map(|[key]| key)
        }

        #[test]
        fn secret_file_is_read_without_its_last_line_break() {
            let folder = Folder::new();
            for content in ["hush", "hush\n", "hush\r\n"] {
                assert_eq!(read(&folder.file(content, 0o600)).unwrap(), "hush");
                assert_eq!(read(&folder.file(content, 0o400)).unwrap(), "hush");
                fs::remove_file(folder.0.path().join("key")).unwrap();
            }
        }

        #[test]
        fn invalid_secret_file_is_reported_on_one_line() {
            let folder = Folder::new();
            let rejected = |path: &Path, expected: &str| {
                let error = read(path).unwrap_err();
                let line = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
                assert!(line.starts_with("A_KEY_FILE (`") && line.contains(expected), "{line}");
                assert!(!line.contains("hush") && !line.contains('\n'), "{line}");
                assert_eq!(error.kind(), ErrorKind::Config);
            };
            for mode in [0o644, 0o444, 0o604, 0o620, 0o602, 0o610] {
                rejected(&folder.file("hush", mode), "can be read or changed by other users");
            }
            // Also for volumes of Kubernetes and secrets of Docker.
            rejected(&folder.file("hush", 0o644), "`defaultMode: 0400`");
            rejected(&folder.file("hush", 0o444), "`mode: 0400`");
            for (content, expected) in [
                (&b""[..], "is empty"),
                (b"\n", "is empty"),
                (b"hush\n\n", "begins or ends with a space or line break"),
                (b" hush", "begins or ends with a space"),
                (b"\"hush\"\n", "quotation mark"),
                (b"\xef\xbb\xbfhush\n", "byte order mark"),
                (b"h\0u\0s\0h\0", "control character"),
                (b"\xff\xfeh\0u\0", "is not UTF-8"),
                (b"Bearer hush", "begins with `Bearer`"),
            ] {
                rejected(&folder.file(content, 0o600), expected);
            }
            rejected(&folder.file("hush".repeat(20_000), 0o600), "is larger than 64 KiB");
            rejected(folder.0.path(), "is a directory");
            rejected(&folder.0.path().join("absent\n\u{1b}"), r"absent\n\u{1b}`) cannot be read");
            rejected(Path::new("/dev/zero"), "is not a regular file");
        }

        #[test]
        fn variable_and_file_are_mutually_exclusive() {
            let lookup = |name: &str| name.starts_with("A_KEY").then(|| "hush".into());
            let error = required_from(lookup, ["A_KEY"]).unwrap_err().to_string();
            assert_eq!(error, "A_KEY and A_KEY_FILE are both set in the environment: unset one");
        }
    }
}
