//! Transactions: their isolation and time limits, and when they are tried again.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Executor as _, PgConnection, Postgres, Transaction};
use usage_billing::{Error, ErrorKind, Result};

use super::columns::{failed, has_code};
use super::{PostgresStore, located};
use crate::fail_points;

/// How often a transaction is run that the database has rolled back by itself: for a deadlock with a transaction of the caller, for example.
const ATTEMPTS: u32 = 3;

/// Settings that a server or role may have switched off: a transaction is on the disk when it is committed.
const DURABLE: &str =
    "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'";

/// The savepoint of a call within a transaction of the caller.
const SAVEPOINT: &str = "usage_billing_outbox";

impl PostgresStore {
    /// Runs work in a transaction that is committed if it succeeds. It is run again if it was certainly rolled back.
    pub(super) async fn write<T: Send>(
        &self,
        committed: &'static str,
        work: impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T>> + Send + Sync,
    ) -> Result<T> {
        let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED; {}; {DURABLE}", self.limits());
        let mut attempt = 1;
        loop {
            match self.transaction(&begin, &work).await {
                Ok(found) => {
                    fail_points::reached(committed);
                    return Ok(found);
                }
                Err(error) if attempt < ATTEMPTS && is_rolled_back(&error) => attempt += 1,
                Err(error) => return Err(located(&self.location, error)),
            }
        }
    }

    /// Runs work on one state of the database.
    pub(super) async fn read<T: Send>(
        &self,
        work: impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T>> + Send + Sync,
    ) -> Result<T> {
        let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}", self.limits());
        self.transaction(&begin, &work).await.map_err(|error| located(&self.location, error))
    }

    /// Runs work within a transaction of the caller: in a savepoint, so that its error leaves nothing. The savepoint is not one of sqlx, which ends the
    /// whole transaction if its begin is dropped, and then commits nothing without an error.
    pub(super) async fn within<T: Send>(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T>> + Send,
    ) -> Result<T> {
        let located = |error| located(&self.location, error);
        execute(transaction, &format!("SAVEPOINT {SAVEPOINT}; {DURABLE}")).await.map_err(located)?;
        let worked = work(transaction).await;
        let undo = if worked.is_ok() { String::new() } else { format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}; ") };
        execute(transaction, &format!("{undo}RELEASE SAVEPOINT {SAVEPOINT}")).await.map_err(located)?;
        worked.map_err(located)
    }

    async fn transaction<T>(
        &self,
        begin: &str,
        work: impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T>>,
    ) -> Result<T> {
        let acquired = tokio::time::timeout(self.time_limit, self.pool.acquire()).await;
        let mut connection = acquired.map_err(|_| self.late("connect"))?.map_err(failed)?;
        let mut connection = CloseUnlessKept { connection: &mut connection, is_kept: false };
        let (mut has_begun, mut is_committing) = (false, false);
        let worked = tokio::time::timeout(self.time_limit, async {
            let connection: &mut PgConnection = connection.connection;
            let mut transaction = connection.begin_with(begin.to_owned()).await.map_err(failed)?;
            has_begun = true;
            let found = work(&mut transaction).await?;
            is_committing = true;
            transaction.commit().await.map_err(failed)?;
            Ok(found)
        })
        .await;
        connection.is_kept = has_begun && worked.is_ok();
        worked.unwrap_or_else(|_| Err(self.late("respond"))).map_err(|error: Error| match is_committing {
            true => error.with_hint("whether the transaction was committed is unknown: the same call again is safe"),
            false => error,
        })
    }

    fn late(&self, what: &str) -> Error {
        Error::new(ErrorKind::File, format!("the database did not {what} within {:?}", self.time_limit))
    }

    /// Returns how long a lock is waited for.
    pub(super) fn lock_limit(&self) -> Duration {
        self.time_limit / 4
    }

    /// Returns the limits on the server, which also end what a vanished client has begun.
    fn limits(&self) -> String {
        let millis = |limit: Duration| limit.as_millis().clamp(1, 86_400_000);
        let (limit, lock) = (millis(self.time_limit), millis(self.lock_limit()));
        format!(
            "SET LOCAL statement_timeout = {limit}; SET LOCAL lock_timeout = {lock}; \
             SET LOCAL idle_in_transaction_session_timeout = {limit}"
        )
    }
}

async fn execute(connection: &mut PgConnection, statements: &str) -> Result<()> {
    connection.execute(statements).await.map_err(failed)?;
    Ok(())
}

/// Closes a connection after a call that did not end: it was dropped or late, or could not begin. In the pool, the connection would wait for a server that
/// may not respond, or have a transaction open: sqlx rolls back only what it has seen begin.
struct CloseUnlessKept<'c> {
    connection: &'c mut PoolConnection<Postgres>,
    is_kept: bool,
}

impl Drop for CloseUnlessKept<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.connection.close_on_drop();
        }
    }
}

/// Returns whether the database reports that it has rolled back a transaction which may succeed when it is run again: 40001 is a
/// serialization failure, and 40P01 a deadlock.
fn is_rolled_back(error: &Error) -> bool {
    has_code(error, &["40001", "40P01"])
}

/// Returns whether the database reports that a lock was not free in time.
pub(super) fn is_lock_timeout(error: &Error) -> bool {
    has_code(error, &["55P03"])
}
