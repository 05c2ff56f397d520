//! Opening a file: its format, and the changes of earlier versions.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use usage_billing::{Error, ErrorKind, Result, printable};

use super::columns::failed;
use super::{File, SqliteStore};

/// Marks a file as an outbox, so that another program's database is not changed.
const APPLICATION_ID: i32 = 0x7562_6f78;

/// The changes of the format: the n-th leads to `user_version` n. A change that takes longer than [`BUSY_TIMEOUT`], such as an index of a large table,
/// makes other processes fail meanwhile: it must not be made by `open`.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// How long a transaction waits for one of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

impl SqliteStore {
    /// Opens a file, or creates it. A file has the events of one organization.
    ///
    /// # Errors
    /// - [`ErrorKind::Config`] if the file is not an outbox, is of a later version, or is of another organization.
    /// - [`ErrorKind::File`] if it cannot be opened or created.
    pub async fn open(path: impl Into<PathBuf>, org_id: impl Into<String>) -> Result<Self> {
        let (path, org_id) = (path.into(), org_id.into());
        let opened = tokio::task::spawn_blocking(move || {
            let mut writer = connect(&path).map_err(|error| located(&path, &error))?;
            prepare(&mut writer, &org_id).map_err(|error| located(&path, &error))?;
            let reader = connect(&path).map_err(|error| located(&path, &error))?;
            // The lock of the sender is beside the file, not beside a link to it.
            let path = path.canonicalize().map_err(|error| {
                Error::new(ErrorKind::File, format!("{}: {error}", path.display())).with_source(error)
            })?;
            let (writer, reader, max_pages) = (Mutex::new(writer), Mutex::new(reader), AtomicU32::new(u32::MAX));
            Ok(Self(Arc::new(File { path, org_id, writer, reader, max_pages })))
        });
        opened
            .await
            .unwrap_or_else(|error| Err(Error::new(ErrorKind::File, "the outbox was not opened").with_source(error)))
    }

    /// Limits the used size of the file in pages of 4 KiB, so that a backlog does not fill the disk of other programs. Further events are
    /// then not accepted, with an error of the kind [`ErrorKind::File`]; stored ones are delivered as before. The limit applies to this
    /// handle and its clones.
    pub fn limit_pages(&self, pages: u32) {
        self.0.max_pages.store(pages, Ordering::Relaxed);
    }
}

fn located(path: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("{}: {}", path.display(), error.message())).with_source(error.clone())
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    // Before the first change: the mode is stored in the file.
    let number = |query: &str| connection.query_row(query, [], |row| row.get::<_, i64>(0)).map_err(failed);
    if number("SELECT count(*) FROM sqlite_schema")? > 0
        && number("PRAGMA application_id")? != i64::from(APPLICATION_ID)
    {
        return Err(Error::new(ErrorKind::Config, "the file is a database of another program"));
    }
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        let message = format!("the file cannot be used in WAL mode, only in the mode {mode}");
        return Err(Error::new(ErrorKind::Config, message).with_hint("use a file on a local disk"));
    }
    // A transaction is on the disk when it is committed.
    connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    // 64 MiB in place of 2: the index of a large file.
    connection.pragma_update(None, "cache_size", -65_536).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Brings the format up to date, and checks the organization. Nothing is written into a file that is up to date: a full disk can be examined.
fn prepare(connection: &mut Connection, org_id: &str) -> Result<()> {
    if version(connection)? == MIGRATIONS.len() {
        return check_organization(connection, org_id);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have changed the format since.
    let version = version(&transaction)?;
    if version > MIGRATIONS.len() {
        let message =
            format!("the file has format {version}, and this version reads formats up to {}", MIGRATIONS.len());
        return Err(Error::new(ErrorKind::Config, message).with_hint("use the version that wrote it, or a later one"));
    }
    for migration in &MIGRATIONS[version..] {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len()).map_err(failed)?;
    transaction
        .execute("INSERT INTO meta (id, org_id) VALUES (1, ?1) ON CONFLICT DO NOTHING", [org_id])
        .map_err(failed)?;
    check_organization(&transaction, org_id)?;
    transaction.commit().map_err(failed)
}

fn version(connection: &Connection) -> Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn check_organization(connection: &Connection, org_id: &str) -> Result<()> {
    let known: String = connection.query_row("SELECT org_id FROM meta", [], |row| row.get(0)).map_err(failed)?;
    if known == org_id {
        return Ok(());
    }
    let message = format!("the file has events of organization {}, not of {}", printable(&known), printable(org_id));
    Err(Error::new(ErrorKind::Config, message).with_hint("use a file for each organization"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_commits_to_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let connection = connect(&folder.path().join("usage.sqlite")).unwrap();
        let pragma = |name: &str| -> rusqlite::types::Value {
            connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
        };
        // 2 is FULL.
        assert_eq!((pragma("synchronous"), pragma("journal_mode")), (2.into(), "wal".to_owned().into()));
    }
}
