//! Metered usage and its hourly reports.

use chrono::TimeDelta;
use usage_billing::chrono;
use usage_billing::suger::UsageEvent;
use usage_billing::{Decimal, ErrorKind, Period};
use usage_billing_outbox::store::Selection;
use usage_billing_outbox::{HourlyReports, MeteredUsage, NewEvent, Store, hour_of};

use super::{WINDOW, enqueue};
use crate::{ORG, at, new_event};

/// Returns a record of the hour with a number.
fn record(id: &str, hour: i64, quantity: i64) -> MeteredUsage {
    let timestamp = hour_of(at(0)) + TimeDelta::hours(hour) + TimeDelta::minutes(7);
    let (id, entitlement_id, dimension) = (id.to_owned(), "e-1".to_owned(), "gb".to_owned());
    MeteredUsage { id, entitlement_id, dimension, timestamp, quantity: Decimal::new(quantity, 2) }
}

/// Rolls up at the end of the hour with a number, and returns the numbers of events and records.
async fn roll_up<S: Store>(store: &S, hour: i64, whole_units: bool) -> (usize, usize) {
    let rule = HourlyReports { whole_units, ..HourlyReports::default() };
    let now = hour_of(at(0)) + TimeDelta::hours(hour + 1) + TimeDelta::minutes(5);
    let rolled_up = store.roll_up(rule, WINDOW, now).await.unwrap();
    (rolled_up.events, rolled_up.records)
}

/// Returns sequence, hour and quantity of all events.
async fn reports<S: Store>(store: &S) -> Vec<(u32, i64, Decimal)> {
    let period = Period::new(hour_of(at(0)), at(100 * 3600)).unwrap();
    let selection = Selection { period, state: None, entitlement_id: None, after: None, limit: 99 };
    let events = store.events(selection).await.unwrap();
    let report = |event: &NewEvent| {
        let hour = (event.timestamp - hour_of(at(0))).num_hours();
        (event.sequence, hour, event.usage(ORG).unwrap().quantities()["gb"])
    };
    let mut reports: Vec<_> = events.iter().map(|stored| report(&stored.event)).collect();
    reports.sort_by_key(|(sequence, hour, _)| (*hour, *sequence));
    reports
}

pub(crate) async fn record_is_stored_once<S: Store>(store: S) {
    let recorded = store.record(vec![record("r-1", 0, 5), record("r-2", 0, 5)], at(0)).await.unwrap();
    assert_eq!((recorded.new, recorded.duplicates), (2, 0));
    let again = store.record(vec![record("r-1", 0, 5), record("r-3", 0, 5)], at(0)).await.unwrap();
    assert_eq!((again.new, again.duplicates), (1, 1));
    for other in [record("r-1", 0, 6), record("r-1", 1, 5), record("r-4", 0, -1)] {
        let error = store.record(vec![record("r-5", 0, 1), other], at(0)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request, "{error}");
    }
    let backlog = store.backlog(at(0), 1).await.unwrap();
    assert_eq!((backlog.open_records, backlog.oldest_open_hour), (3, Some(hour_of(at(0)))));
}

pub(crate) async fn ended_hours_are_reported_once_and_late_records_again<S: Store>(store: S) {
    // An event of the same hour that was enqueued by itself.
    let own = UsageEvent::new("e-1", hour_of(at(0))).quantity("gb", 9);
    enqueue(&store, &[NewEvent::new(&own, ORG).unwrap()]).await;
    let records = vec![record("a", 0, 10), record("b", 0, 25), record("c", 1, 7), record("d", 2, 1)];
    store.record(records, at(0)).await.unwrap();
    assert_eq!(roll_up(&store, -1, false).await, (0, 0), "the hour has not ended");
    assert_eq!(roll_up(&store, 1, false).await, (2, 3));
    assert_eq!(roll_up(&store, 1, false).await, (0, 0));
    store.record(vec![record("late", 0, 3)], at(0)).await.unwrap();
    assert_eq!(roll_up(&store, 1, false).await, (1, 1));
    let quantity = |hundredths| Decimal::new(hundredths, 2);
    let expected = [(0, 0, Decimal::from(9)), (1, 0, quantity(35)), (2, 0, quantity(3)), (0, 1, quantity(7))];
    assert_eq!(reports(&store).await, expected);
    assert_eq!(store.backlog(at(0), 1).await.unwrap().open_records, 1);
}

pub(crate) async fn fractions_are_carried_over_in_the_store<S: Store>(store: S) {
    store.record(vec![record("a", 0, 60), record("b", 1, 60), record("c", 2, 190)], at(0)).await.unwrap();
    assert_eq!(roll_up(&store, 2, true).await, (2, 3), "the first hour has no whole unit");
    assert_eq!(reports(&store).await, [(0, 1, Decimal::ONE), (0, 2, Decimal::from(2))]);
    store.record(vec![record("d", 3, 90)], at(0)).await.unwrap();
    roll_up(&store, 3, true).await;
    assert_eq!(reports(&store).await.last(), Some(&(0, 3, Decimal::ONE)), "0.1 was left");
}

pub(crate) async fn removal_keeps_the_hours_of_open_records<S: Store>(store: S) {
    store.record(vec![record("a", 0, 1), record("b", 3, 1)], at(0)).await.unwrap();
    assert_eq!(roll_up(&store, 0, false).await, (1, 1));
    let removed = store.remove_before(hour_of(at(0)) + TimeDelta::hours(9), 9).await.unwrap();
    assert_eq!((removed.events, removed.records), (0, 1), "the report is open");
    assert!(store.record(vec![record("c", 2, 1)], at(0)).await.is_err(), "removed");
    store.record(vec![record("d", 3, 1)], at(0)).await.unwrap();
    assert_eq!(roll_up(&store, 3, false).await, (1, 2));
}

pub(crate) async fn roll_up_ends_after_some_thousand_records<S: Store>(store: S) {
    let of_hour = |hour| (0..10_000).map(move |number| record(&format!("{hour}-{number}"), hour, 1));
    store.record((0..2).flat_map(of_hour).collect(), at(0)).await.unwrap();
    assert_eq!(roll_up(&store, 2, false).await, (1, 10_000));
    assert_eq!(roll_up(&store, 2, false).await, (1, 10_000));
}

pub(crate) async fn only_new_usage_is_a_sign_of_producers<S: Store>(store: S) {
    store.record(vec![record("a", 0, 1)], at(1)).await.unwrap();
    enqueue(&store, &[new_event("e-1", 0)]).await;
    store.record(vec![record("a", 0, 1)], at(2)).await.unwrap();
    store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(2)).await.unwrap();
    store.enqueue(vec![], WINDOW, at(2)).await.unwrap();
    assert_eq!(roll_up(&store, 0, false).await, (1, 1));
    assert_eq!(store.backlog(at(2), 1).await.unwrap().enqueued_at, Some(at(0)), "when the last new one was stored");
}
