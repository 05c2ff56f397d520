//! Opening a database: its format, and the changes of earlier versions.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor as _, PgConnection, PgPool};
use usage_billing::{Error, ErrorKind, Result, printable};

use super::columns::failed;
use super::pages::all;
use super::{PostgresStore, located};

/// The changes of the format: the n-th leads to `format` n. Others wait for the locks of a change, and fail after a quarter of their time: one that builds
/// an index of `event` must not be made in this transaction, but with `CREATE INDEX CONCURRENTLY`.
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
        let (store, version) = Self::find(pool, org_id).await?;
        store.update(version).await
    }

    /// Opens the store of a database that has one: a database whose name is a mistake is not changed.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`ErrorKind::Config`] if the database has no store.
    pub async fn open_existing(pool: PgPool, org_id: impl Into<String>) -> Result<Self> {
        let (store, version) = Self::find(pool, org_id).await?;
        if version == 0 {
            let error = Error::new(ErrorKind::Config, "the database has no outbox");
            let error = error.with_hint("check its name: the first program that enqueues creates the outbox");
            return Err(located(&store.location, error));
        }
        store.update(version).await
    }

    /// Returns a pool with as many connections as a store needs. `PgConnectOptions::new()` are those of the environment (`PGHOST`, `PGPASSWORD`,
    /// `~/.pgpass`); a URL of the form `postgres://USER@HOST/DATABASE` is another way to create them.
    pub fn pool(options: PgConnectOptions) -> PgPool {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(TIME_LIMIT);
        pool.connect_lazy_with(options)
    }

    /// Returns the store of a database, with the version of its format: 0 if it is new.
    async fn find(pool: PgPool, org_id: impl Into<String>) -> Result<(Self, usize)> {
        let options = pool.connect_options();
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        let location = format!("{}/{}", printable(options.get_host()), printable(database)).into();
        let org_id: Arc<str> = org_id.into().into();
        let store = Self { pool, org_id, location, time_limit: TIME_LIMIT };
        let version = store.read(|connection| version(connection, store.org_id.clone()).boxed()).await?;
        Ok((store, version))
    }

    /// Brings the format up to date.
    async fn update(self, version: usize) -> Result<Self> {
        // A role without the right to change tables can use them.
        if version < MIGRATIONS.len() {
            self.write("enqueue.committed", |connection| migrate(connection, self.org_id.clone()).boxed()).await?;
        }
        Ok(self)
    }

    /// Sets how long a method waits for a connection, for its statements, and for a lock. The default is 30 seconds; locks have a quarter.
    #[must_use]
    pub fn time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }
}

/// Returns the version of the format, and checks the organization. A database without a store has version 0.
async fn version(connection: &mut PgConnection, org_id: Arc<str>) -> Result<usize> {
    let exists = sqlx::query_scalar::<_, bool>("SELECT to_regclass('usage_billing.meta') IS NOT NULL");
    if !exists.fetch_one(&mut *connection).await.map_err(failed)? {
        return Ok(0);
    }
    let known = sqlx::query("SELECT format::bigint, org_id FROM usage_billing.meta");
    let known = all(connection, known, |row| Ok((row.required(0)?, row.required_text(1)?))).await?.pop();
    let Some((version, known)) = known else { return Ok(0) };
    if version > MIGRATIONS.len() {
        let message =
            format!("the store has format {version}, and this version reads formats up to {}", MIGRATIONS.len());
        return Err(Error::new(ErrorKind::Config, message).with_hint("use the version that wrote it, or a later one"));
    }
    if known != *org_id {
        let message =
            format!("the store has events of organization {}, not of {}", printable(&known), printable(&org_id));
        return Err(Error::new(ErrorKind::Config, message).with_hint("use a database for each organization"));
    }
    Ok(version)
}

async fn migrate(connection: &mut PgConnection, org_id: Arc<str>) -> Result<()> {
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(FORMAT_LOCK);
    lock.execute(&mut *connection).await.map_err(failed)?;
    // Another process may have changed the format since.
    for migration in &MIGRATIONS[version(connection, org_id.clone()).await?..] {
        (&mut *connection).execute(*migration).await.map_err(failed)?;
    }
    let meta = "INSERT INTO usage_billing.meta (id, format, org_id) VALUES (1, $1, $2)
        ON CONFLICT (id) DO UPDATE SET format = excluded.format";
    let format = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    sqlx::query(meta).bind(format).bind(&*org_id).execute(connection).await.map_err(failed)?;
    Ok(())
}
