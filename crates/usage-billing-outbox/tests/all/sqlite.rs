//! SQLite: the suite, and what only a file has.

use std::time::Duration;

use rusqlite::Connection;
use usage_billing::ErrorKind;
use usage_billing_outbox::{SqliteStore, State, Store as _};

use super::suite::store_suite;
use super::{ORG, at, new_event};

pub(crate) async fn open() -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (SqliteStore::open(folder.path().join("usage.sqlite"), ORG).await.unwrap(), folder)
}

store_suite!(open);

const WINDOW: Duration = Duration::from_secs(6 * 3600);

#[tokio::test]
async fn file_is_durable_and_readable_with_other_tools() {
    let (store, folder) = open().await;
    store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap();
    // A reader beside the open store.
    let other = Connection::open(folder.path().join("usage.sqlite")).unwrap();
    let row: (String, String, String, String) = other
        .query_row("SELECT key, timestamp, quantities, state FROM events", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    let key = new_event("e-1", 0).key.to_string();
    assert_eq!(row, (key, "2026-09-21T14:13:20Z".into(), r#"{"gb":10.0001}"#.into(), "pending".into()));
    let pragma = |name: &str| other.pragma_query_value(None, name, |row| row.get::<_, String>(0)).unwrap();
    assert_eq!((pragma("journal_mode"), pragma("integrity_check")), ("wal".into(), "ok".into()));
    let change = "INSERT INTO attempt VALUES (1, 1, 1, 0, 0, zeroblob(32), 'unknown', NULL, NULL); UPDATE attempt SET outcome = 'delivered'";
    assert!(other.execute_batch(change).unwrap_err().to_string().contains("attempts are evidence"));
}

#[tokio::test]
async fn another_process_can_enqueue_while_one_sends() {
    let (store, folder) = open().await;
    let _sender = store.start_sender(at(0)).await.unwrap();
    let other = SqliteStore::open(folder.path().join("usage.sqlite"), ORG).await.unwrap();
    other.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap();
    let error = other.start_sender(at(0)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("another sender has the lock"), "{error}");
    assert_eq!(store.backlog(at(0), 1).await.unwrap().states[&State::Pending], 1);
}

#[tokio::test]
async fn open_of_a_file_that_is_up_to_date_writes_nothing() {
    let (_store, folder) = open().await;
    let path = folder.path().join("usage.sqlite");
    // A writer would wait for this one, and fail.
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let opened = SqliteStore::open(&path, ORG).await.unwrap();
    assert!(opened.backlog(at(0), 1).await.is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn link_to_the_file_has_the_same_lock() {
    let (store, folder) = open().await;
    let _sender = store.start_sender(at(0)).await.unwrap();
    let link = folder.path().join("link.sqlite");
    std::os::unix::fs::symlink(folder.path().join("usage.sqlite"), &link).unwrap();
    let linked = SqliteStore::open(link, ORG).await.unwrap();
    assert_eq!(linked.start_sender(at(0)).await.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn lock_is_free_after_the_sender() {
    let (store, _folder) = open().await;
    drop(store.start_sender(at(0)).await.unwrap());
    drop(store.start_sender(at(0)).await.unwrap());
}

#[tokio::test]
async fn new_sender_abandons_the_leases_of_a_dead_one() {
    let (store, _folder) = open().await;
    store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap();
    let request = usage_billing_outbox::store::LeaseRequest { now: at(1), until: at(9999), limit: 9, probes: 3 };
    assert_eq!(store.lease(request).await.unwrap().events.len(), 1);
    let _sender = store.start_sender(at(2)).await.unwrap();
    let (stored, attempts) = store.event(new_event("e-1", 0).key, None).await.unwrap().unwrap();
    assert_eq!((stored.progress.state, attempts.len()), (State::Unknown, 1));
    assert_eq!(stored.progress.ready_at, Some(at(2)), "it is sent again at once");
}

/// A log with a torn end is read up to the last transaction that is complete. That the disk has the log when `enqueue` returns is up to `synchronous`, which
/// a test of the connection checks.
#[tokio::test]
async fn power_loss_takes_nothing_that_was_stored() {
    let (store, folder) = open().await;
    let log = || std::fs::read(folder.path().join("usage.sqlite-wal")).unwrap();
    store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap();
    let (stored, database) = (log().len(), std::fs::read(folder.path().join("usage.sqlite")).unwrap());
    store.enqueue((1..40).map(|number| new_event("e-1", number)).collect(), WINDOW, at(0)).await.unwrap();
    let log = log();
    let mut found = std::collections::BTreeSet::new();
    for kept in (stored..log.len()).step_by(5000).chain([log.len() - 1, log.len()]) {
        for tail in [vec![], vec![0; log.len() - kept], vec![0xa5; log.len() - kept]] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("usage.sqlite"), &database).unwrap();
            std::fs::write(folder.path().join("usage.sqlite-wal"), [&log[..kept], &tail].concat()).unwrap();
            let restarted = SqliteStore::open(folder.path().join("usage.sqlite"), ORG).await.unwrap();
            assert!(restarted.event(new_event("e-1", 0).key, None).await.unwrap().is_some(), "{kept}");
            found.insert(restarted.backlog(at(0), 1).await.unwrap().states[&State::Pending]);
        }
    }
    assert_eq!(Vec::from_iter(found), [1, 40], "all or none");
}

#[tokio::test]
async fn full_disk_loses_nothing() {
    let (store, _folder) = open().await;
    store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap();
    store.limit_pages(40);
    let many: Vec<_> = (1..2000).map(|number| new_event("e-1", number)).collect();
    let error = store.enqueue(many.clone(), WINDOW, at(0)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::File && error.to_string().contains("full"), "{error}");
    assert_eq!(store.backlog(at(0), 1).await.unwrap().states[&State::Pending], 1, "all or none");
    store.limit_pages(100_000);
    assert_eq!(store.enqueue(many, WINDOW, at(0)).await.unwrap().new, 1999);
}

#[tokio::test]
async fn file_of_another_program_or_organization_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usage.sqlite");
    let not_opened = async |expected: &str| {
        let error = SqliteStore::open(&path, ORG).await.unwrap_err();
        assert!(error.to_string().contains(expected) && error.to_string().contains("usage.sqlite"), "{error}");
        error.kind()
    };
    drop(SqliteStore::open(&path, "other").await.unwrap());
    assert_eq!(not_opened("has events of organization other, not of acme").await, ErrorKind::Config);
    let change = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    change("PRAGMA user_version = 99");
    assert_eq!(not_opened("the file has format 99").await, ErrorKind::Config);
    std::fs::remove_file(&path).unwrap();
    change("CREATE TABLE t (a)");
    assert_eq!(not_opened("is a database of another program").await, ErrorKind::Config);
    let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    let mode = Connection::open(&path).unwrap().query_row("PRAGMA journal_mode", [], mode).unwrap();
    assert_eq!(mode, "delete", "it is not changed");
    std::fs::write(&path, "no database, but long enough to have a header: ".repeat(9)).unwrap();
    assert_eq!(not_opened("not a database").await, ErrorKind::File);
}
