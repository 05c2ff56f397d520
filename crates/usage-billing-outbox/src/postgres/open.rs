//! Opening a database: its format, and the changes of earlier versions.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor as _, PgConnection, PgPool};
use usage_billing::{Error, ErrorKind, Result, printable};

use super::PostgresStore;
use super::columns::failed;
use crate::store::columns::Columns;

/// The changes of the format: the n-th leads to `format` n.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// The advisory lock of the format: one process changes it.
const FORMAT_LOCK: i64 = 0x7562_6f78_0000_0001;

/// How long a method waits for the database.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// A sender uses one or two connections at a time.
const CONNECTIONS: u32 = 5;

impl PostgresStore {
    /// Opens the store of a database, or creates it, with a pool of the caller. A database has the events of one organization.
    ///
    /// # Errors
    /// - [`ErrorKind::Config`] if the store is of a later version, or of another organization.
    /// - [`ErrorKind::File`] if the database fails.
    pub async fn open(pool: PgPool, org_id: impl Into<String>) -> Result<Self> {
        let options = pool.connect_options();
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        let location = format!("{}/{}", printable(options.get_host()), printable(database)).into();
        let org_id: Arc<str> = org_id.into().into();
        let store = Self { pool, org_id, location, time_limit: TIME_LIMIT };
        store
            .write("enqueue.committed", |connection| {
                let org_id = store.org_id.clone();
                async move { prepare(connection, &org_id).await }.boxed()
            })
            .await?;
        Ok(store)
    }

    /// Connects to a database with a pool of its own, and opens its store. `PgConnectOptions::new()` are those of the environment
    /// (`PGHOST`, `PGPASSWORD`, `~/.pgpass`); a URL of the form `postgres://USER@HOST/DATABASE` is another way to create them.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub async fn connect(options: PgConnectOptions, org_id: impl Into<String>) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(TIME_LIMIT);
        Self::open(pool.connect_lazy_with(options), org_id).await
    }

    /// Sets how long a method waits for a connection, for its statements, and for a lock. The default is 30 seconds; locks have a quarter.
    #[must_use]
    pub fn time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }
}

/// Brings the format up to date, and checks the organization.
async fn prepare(connection: &mut PgConnection, org_id: &str) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(FORMAT_LOCK)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    let exists = sqlx::query_scalar::<_, bool>("SELECT to_regclass('usage_billing.meta') IS NOT NULL");
    let known = match exists.fetch_one(&mut *connection).await.map_err(failed)? {
        true => {
            let known = sqlx::query("SELECT format::bigint, org_id FROM usage_billing.meta");
            known.fetch_optional(&mut *connection).await.map_err(failed)?
        }
        false => None,
    };
    let known = match &known {
        Some(row) => {
            let row: &dyn Columns = row;
            Some((row.required::<usize>(0)?, row.required_text(1)?))
        }
        None => None,
    };
    let version = known.as_ref().map_or(0, |(version, _)| *version);
    if version > MIGRATIONS.len() {
        let message =
            format!("the store has format {version}, and this version reads formats up to {}", MIGRATIONS.len());
        return Err(Error::new(ErrorKind::Config, message).with_hint("use the version that wrote it, or a later one"));
    }
    if let Some((_, known)) = &known
        && known != org_id
    {
        let message =
            format!("the store has events of organization {}, not of {}", printable(known), printable(org_id));
        return Err(Error::new(ErrorKind::Config, message).with_hint("use a database for each organization"));
    }
    if version == MIGRATIONS.len() {
        // A role without the right to change tables can use them.
        return Ok(());
    }
    for migration in &MIGRATIONS[version..] {
        (&mut *connection).execute(*migration).await.map_err(failed)?;
    }
    let meta = "INSERT INTO usage_billing.meta (id, format, org_id) VALUES (1, $1, $2)
        ON CONFLICT (id) DO UPDATE SET format = excluded.format";
    let format = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    sqlx::query(meta).bind(format).bind(org_id).execute(connection).await.map_err(failed)?;
    Ok(())
}
