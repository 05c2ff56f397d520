//! Where an outbox is, and whose events it has.

use std::path::PathBuf;

use clap::Args;
use tempfile::TempDir;
use usage_billing::printable;

#[cfg(feature = "postgres")]
use crate::accounts::Account;
use crate::accounts::{AccountArguments, Vendor};
use crate::exit::Failure;

/// The option of verbs that always use an outbox.
#[derive(Args)]
pub(crate) struct OutboxArguments {
    /// The outbox: an SQLite file, which is created if it is new, or postgres://HOST/DATABASE [default: SUGER_OUTBOX, or `outbox` of the
    /// account; with --sandbox, a temporary file].
    #[arg(long, value_name = "OUTBOX")]
    pub(in super::super) outbox: Option<String>,
}

/// The option of verbs that use an outbox in place of Suger's groups.
#[derive(Args)]
pub(crate) struct InsteadArguments {
    /// Use this outbox, or without a value SUGER_OUTBOX or `outbox` of the account, in place of the usage record groups at Suger.
    #[arg(long, value_name = "OUTBOX", num_args = 0..=1)]
    outbox: Option<Option<String>>,
}

impl InsteadArguments {
    /// Returns the outbox if one is wanted.
    pub(in super::super) fn wanted(&self) -> Option<OutboxArguments> {
        self.outbox.clone().map(|outbox| OutboxArguments { outbox })
    }
}

/// The storage of an outbox.
#[derive(Debug)]
pub(super) enum Storage {
    File(PathBuf),
    /// A URL without a password.
    Postgres(#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "it is not opened"))] String),
}

/// An outbox that is not open yet.
pub(super) struct Location {
    pub(super) storage: Storage,
    pub(super) org_id: String,
    /// Whether it is created if it does not exist.
    pub(super) may_be_new: bool,
    /// Has the password of a server, which is read when the outbox is opened.
    #[cfg(feature = "postgres")]
    pub(super) account: Option<Account>,
    /// Exists while the outbox is in use.
    pub(super) temporary: Option<TempDir>,
}

impl OutboxArguments {
    /// Returns the outbox that is named in the command line.
    pub(super) fn option(&self) -> Option<&str> {
        self.outbox.as_deref()
    }

    /// Finds the outbox of an account, or of a sandbox. No secret is read.
    pub(super) fn find(&self, accounts: &AccountArguments) -> Result<Location, Failure> {
        let account = accounts.account(Vendor::Suger)?;
        let setting = |key| account.as_ref().and_then(|account| account.text(key));
        let org_id = match setting("org_id") {
            _ if accounts.sandbox => usage_billing_sandbox::SUGER_ORG_ID.to_owned(),
            Some(org_id) => org_id.to_owned(),
            None => {
                let message =
                    "the organization of the events is not known: set SUGER_ORG_ID, or `org_id` of an account of suger";
                return Err(Failure::Usage(message.to_owned()));
            }
        };
        let (storage, temporary) = match (self.outbox.as_deref(), setting("outbox")) {
            (Some(text), _) => (Storage::parse(text, "--outbox")?, None),
            (None, Some(text)) => (Storage::parse(text, "the setting `outbox`")?, None),
            (None, None) if accounts.sandbox => {
                let folder = tempfile::tempdir()
                    .map_err(|error| Failure::Local(format!("no temporary file can be created: {error}")))?;
                (Storage::File(folder.path().join("usage.sqlite")), Some(folder))
            }
            (None, None) => {
                let message = "there is no outbox: name one with --outbox, SUGER_OUTBOX, or `outbox` of the account";
                return Err(Failure::Usage(message.to_owned()));
            }
        };
        Ok(Location {
            storage,
            org_id,
            may_be_new: true,
            #[cfg(feature = "postgres")]
            account,
            temporary,
        })
    }

    /// Finds an outbox that exists. Whether a database has one is known when it is opened.
    pub(super) fn find_existing(&self, accounts: &AccountArguments) -> Result<Location, Failure> {
        let location = self.find(accounts)?;
        match &location.storage {
            Storage::File(path) if location.temporary.is_none() && !path.exists() => Err(Failure::Usage(format!(
                "the outbox `{}` does not exist: `usage-billing meter enqueue` creates it",
                printable(&path.to_string_lossy())
            ))),
            _ => Ok(Location { may_be_new: location.temporary.is_some(), ..location }),
        }
    }
}

impl Storage {
    /// Reads the name of an outbox. `source` is the option or setting.
    fn parse(text: &str, source: &str) -> Result<Self, Failure> {
        let expected = "expected a file, or postgres://HOST/DATABASE";
        let invalid = |what: &str| Err(Failure::Usage(format!("{source} is {what}: {expected}")));
        // Either may contain a password: it is not quoted, and not the name of a file.
        let settings = ["host=", "hostaddr=", "dbname=", "user=", "password="];
        let lower = text.trim().to_ascii_lowercase();
        if lower.split_whitespace().any(|word| settings.iter().any(|setting| word.starts_with(setting))) {
            return invalid("a list of settings of PostgreSQL");
        }
        let Some((scheme, rest)) = text.trim().split_once("://") else {
            return match text.trim() {
                "" => invalid("empty"),
                _ if lower.starts_with("postgres:") || lower.starts_with("postgresql:") => invalid("not a valid URL"),
                path => Ok(Self::File(PathBuf::from(path))),
            };
        };
        if !["postgres", "postgresql"].contains(&scheme) {
            let is_name = scheme.chars().all(|one| one.is_ascii_alphanumeric());
            return match is_name {
                true => invalid(&format!("of the unknown type {}", printable(scheme))),
                false => invalid("not a valid URL"),
            };
        }
        // Other programs of the machine can read arguments, and settings are printed.
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let has_password = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
            || rest.split(['?', '&']).skip(1).any(|parameter| parameter.to_ascii_lowercase().starts_with("password"))
            // A password with a character that ends the authority.
            || authority.matches('@').count() < rest.matches('@').count();
        match has_password {
            true => Err(Failure::Usage(format!(
                "{source} contains a password: omit it, and set PGPASSWORD, use a password file (~/.pgpass), or `outbox_password_file` of the account"
            ))),
            false => Ok(Self::Postgres(text.trim().to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn outbox_is_a_file_or_a_url_without_a_password() {
        for text in ["usage.sqlite", "/var/lib/usage.sqlite", "a:b@c"] {
            assert!(matches!(Storage::parse(text, "--outbox"), Ok(Storage::File(path)) if path == Path::new(text)));
        }
        for text in ["postgres://db.internal/usage", "postgresql://me@db:5432/usage?sslmode=require"] {
            assert!(matches!(Storage::parse(text, "--outbox"), Ok(Storage::Postgres(url)) if url == text));
        }
        for (text, expected) in [
            ("", "--outbox is empty"),
            ("mysql://db/usage", "the unknown type mysql"),
            ("postgres://me:hush@db/usage", "contains a password"),
            ("postgres://me:hu/sh@db/usage", "contains a password"),
            ("postgres://me:hu?sh@db/usage", "contains a password"),
            ("postgres://me:hu#sh@db/usage", "contains a password"),
            ("postgres://db/usage?user=me&Password=hush", "contains a password"),
            ("postgres:me:hush@db/usage", "is not a valid URL"),
            ("PostgreSQL:/me:hush@db/usage", "is not a valid URL"),
            ("me:hush@postgres://db/usage", "is not a valid URL"),
            ("host=db user=me password=hush dbname=u", "is a list of settings of PostgreSQL"),
            ("password=hush://x", "is a list of settings of PostgreSQL"),
        ] {
            let message = Storage::parse(text, "--outbox").unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains("hu"), "{message}");
        }
    }
}
