//! One account at a vendor: its settings, and where each comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use usage_billing::{Error, ErrorKind, SecretString, printable};
use usage_billing_core::{check_secret, optional_env, read_secret_file};

use super::vendor::{Field, Vendor};
use super::{credential_command, keyring};
use crate::exit::Failure;

/// An account. Secrets are read when a client is built.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// The name in the configuration file; of an account of the environment, the vendor's name.
    pub(crate) name: String,
    pub(crate) vendor: Vendor,
    /// The line of the account in the configuration file.
    pub(crate) location: Option<Location>,
    /// Settings by key.
    pub(crate) settings: BTreeMap<&'static str, Setting>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) value: Value,
    pub(crate) source: Source,
}

/// A value, or where to read a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    /// In a variable of the environment, or in the file that the variable with the suffix `_FILE` names.
    SecretInEnvironment(&'static str),
    SecretInFile(PathBuf),
    /// On the standard output of a command, which is run without a shell.
    SecretOfCommand(Vec<String>),
    /// In the keyring of the operating system, by its user name.
    SecretInKeyring(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Environment(&'static str),
    File(Location),
}

/// A line of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) path: Arc<PathBuf>,
    pub(crate) line: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", printable(&self.path.to_string_lossy()), self.line)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(variable) => write!(f, "environment: {variable}"),
            Self::File(location) => location.fmt(f),
        }
    }
}

impl Account {
    /// Returns the value of a setting that is not a secret.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match &self.settings.get(key)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns where the account is configured, as the prefix of a message.
    pub(crate) fn prefix(&self, key: &str) -> String {
        match self.settings.get(key).map(|setting| &setting.source) {
            Some(Source::File(location)) => format!("{location}: "),
            Some(Source::Environment(_)) => String::new(),
            None => self.location.as_ref().map_or_else(String::new, |location| format!("{location}: ")),
        }
    }

    /// Checks that all required settings are there.
    pub(crate) fn check_complete(&self) -> Result<(), Failure> {
        let is_missing = |field: &&Field| field.is_required && !self.settings.contains_key(field.key);
        let missing: Vec<_> = self.vendor.fields().iter().filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let list = |name: fn(&Field) -> String| missing.iter().map(|field| name(field)).collect::<Vec<_>>().join(", ");
        Err(Failure::Usage(match &self.location {
            Some(location) => {
                let keys = list(|field| match field.is_secret {
                    true => {
                        format!(
                            "{0}_file (or {0}_command, {0}_keyring, or {1} in the environment)",
                            field.key, field.variables[0]
                        )
                    }
                    false => field.key.to_owned(),
                });
                format!("{location}: the account `{}` lacks {keys}", printable(&self.name))
            }
            None => {
                let variables = list(|field| match field.is_secret {
                    true => format!("{0} (or {0}_FILE)", field.variables[0]),
                    false => field.variables[0].to_owned(),
                });
                format!("not set in the environment: {variables}")
            }
        }))
    }

    /// Reads a secret. No other setting may have the same value: messages show it.
    pub(crate) fn secret(&self, key: &'static str) -> Result<SecretString, Failure> {
        let secret = self.read_secret(key)?;
        let is_secret =
            |setting: &Setting| matches!(&setting.value, Value::Text(text) if text == secret.expose_secret());
        match self.settings.iter().find(|(_, setting)| is_secret(setting)) {
            Some((other, _)) => Err(Failure::Usage(format!("{}{other} and {key} are the same", self.prefix(other)))),
            None => Ok(secret),
        }
    }

    fn read_secret(&self, key: &'static str) -> Result<SecretString, Failure> {
        let failed = |message: String| Failure::Usage(format!("{}{message}", self.prefix(key)));
        let Some(setting) = self.settings.get(key) else { return Err(failed(format!("{key} is not set"))) };
        match &setting.value {
            Value::SecretInEnvironment(variable) => {
                match check_named_file(variable).and_then(|()| optional_env(variable)) {
                    Ok(Some(secret)) => Ok(secret.into()),
                    Ok(None) => Err(failed(format!("{variable} is not set"))),
                    Err(error) => Err(failed(error.to_string())),
                }
            }
            Value::SecretInFile(path) => check_file(path, &format!("{key}_file"))
                .and_then(|()| read_secret_file(path, key))
                .map_err(|error| failed(error.to_string())),
            Value::SecretOfCommand(command) => {
                let secret =
                    credential_command::run(command).map_err(|problem| failed(format!("{key}_command {problem}")))?;
                check_secret(key, &secret)
                    .map_err(|error| failed(format!("the output of {key}_command is not a secret: {error}")))?;
                Ok(secret.into())
            }
            Value::SecretInKeyring(user) => {
                let secret = keyring::read(user).map_err(|problem| failed(format!("{key}_keyring {problem}")))?;
                check_secret(key, &secret)
                    .map_err(|error| failed(format!("the entry of {key}_keyring is not a secret: {error}")))?;
                Ok(secret.into())
            }
            // No key of a secret has a value in the file.
            Value::Text(_) => Err(failed(format!("{key} is not read from a value"))),
        }
    }
}

/// Checks the file that the variable with the suffix `_FILE` names, if it is set in place of the variable.
fn check_named_file(variable: &str) -> usage_billing::Result<()> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let file = format!("{variable}_FILE");
    match (set(variable), set(&file)) {
        (None, Some(path)) => check_file(Path::new(&path), &file),
        _ => Ok(()),
    }
}

/// Rejects a path that names no file without quoting it: it may be the secret itself.
fn check_file(path: &Path, setting: &str) -> usage_billing::Result<()> {
    match fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::new(ErrorKind::Config, format!("{setting} names no file: {error}"))),
    }
}
