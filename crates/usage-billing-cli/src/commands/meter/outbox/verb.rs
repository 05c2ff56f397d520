//! The databases of outboxes: the only place that knows which there are.

use std::process::ExitCode;

#[cfg(feature = "sqlite")]
use usage_billing_outbox::SqliteStore;
use usage_billing_outbox::{Clock, Outbox, Store};

use super::location::{Location, Place};
use crate::accounts::AccountArguments;
use crate::exit::Failure;

/// What a verb does with an outbox, whatever its database is.
pub(super) trait Verb {
    async fn run<S: Store>(self, outbox: Outbox<S>) -> Result<ExitCode, Failure>;
}

/// Opens an outbox, and runs a verb on it.
pub(super) async fn run(location: Location, accounts: &AccountArguments, verb: impl Verb) -> Result<ExitCode, Failure> {
    let Location { place, org_id, temporary: _in_use } = location;
    let clock = Clock::new(accounts.clock());
    match place {
        #[cfg(feature = "sqlite")]
        Place::File(path) => verb.run(Outbox::new(SqliteStore::open(path, org_id).await?).clock(clock)).await,
        #[cfg(not(feature = "sqlite"))]
        Place::File(_) => Err(not_built("SQLite", "sqlite")),
        Place::Postgres(_) => Err(not_built("PostgreSQL", "postgres")),
    }
}

fn not_built(database: &str, feature: &str) -> Failure {
    Failure::Usage(format!("this program is built without {database}: build it with --features {feature}"))
}
