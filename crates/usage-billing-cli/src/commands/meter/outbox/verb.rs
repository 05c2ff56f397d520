//! Opens the database of an outbox: the only file that names all of them.

use std::process::ExitCode;

#[cfg(feature = "postgres")]
use secrecy::ExposeSecret as _;
#[cfg(feature = "postgres")]
use usage_billing::SecretString;
#[cfg(feature = "sqlite")]
use usage_billing_outbox::SqliteStore;
use usage_billing_outbox::{Clock, Outbox, Store};
#[cfg(feature = "postgres")]
use usage_billing_outbox::{PostgresStore, sqlx::postgres::PgConnectOptions};

use super::location::{Location, Storage};
#[cfg(feature = "postgres")]
use crate::accounts::Account;
use crate::accounts::AccountArguments;
use crate::exit::Failure;

/// The work of a verb on an outbox in any database.
pub(super) trait Verb {
    async fn run<S: Store>(self, outbox: Outbox<S>) -> Result<ExitCode, Failure>;
}

/// Opens an outbox, and runs a verb on it.
pub(super) async fn run(location: Location, accounts: &AccountArguments, verb: impl Verb) -> Result<ExitCode, Failure> {
    let Location {
        storage,
        org_id,
        #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "a file is looked for before"))]
        may_be_new,
        temporary: _in_use,
        #[cfg(feature = "postgres")]
        account,
    } = location;
    let clock = Clock::new(accounts.clock());
    match storage {
        #[cfg(feature = "sqlite")]
        Storage::File(path) => verb.run(Outbox::new(SqliteStore::open(path, org_id).await?).clock(clock)).await,
        #[cfg(not(feature = "sqlite"))]
        Storage::File(_) => Err(not_built("SQLite", "sqlite")),
        #[cfg(feature = "postgres")]
        Storage::Postgres(url) => {
            let pool = PostgresStore::pool(connect_options(&url, password(account)?)?);
            let store = match may_be_new {
                true => PostgresStore::open(pool, org_id).await?,
                false => PostgresStore::open_existing(pool, org_id).await?,
            };
            verb.run(Outbox::new(store).clock(clock)).await
        }
        #[cfg(not(feature = "postgres"))]
        Storage::Postgres(..) => Err(not_built("PostgreSQL", "postgres")),
    }
}

/// Reads the password of the account, if it has one.
#[cfg(feature = "postgres")]
fn password(account: Option<Account>) -> Result<Option<SecretString>, Failure> {
    let account = account.filter(|account| account.settings.contains_key("outbox_password"));
    account.map(|account| account.secret("outbox_password")).transpose()
}

/// Returns the options of a URL; those that it lacks are of the environment, as for other programs (`PGPASSWORD`, `~/.pgpass`).
#[cfg(feature = "postgres")]
fn connect_options(url: &str, password: Option<SecretString>) -> Result<PgConnectOptions, Failure> {
    let options: PgConnectOptions = url.parse().map_err(|error| {
        let message = format!("the outbox is not a valid URL: {error}: expected postgres://USER@HOST/DATABASE");
        Failure::Usage(message)
    })?;
    Ok(match password {
        Some(password) => options.password(password.expose_secret()),
        None => options,
    })
}

#[cfg(not(all(feature = "sqlite", feature = "postgres")))]
fn not_built(database: &str, feature: &str) -> Failure {
    Failure::Usage(format!("this program is built without {database}: build it with --features {feature}"))
}
