//! What every store has to do. A store runs the tests with `store_suite!(open)`, where `open` returns an empty store and its
//! guard, or `None` where there is none.

mod metered;

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use usage_billing::chrono;
use usage_billing::suger::{MarketplaceWindows, UsageEvent};
use usage_billing::{ErrorKind, Period};
use usage_billing_outbox::store::{
    Attempt, AttemptResult, EntitlementWindow, Heartbeat, LeaseRequest, LeasedBatch, Selection,
};
use usage_billing_outbox::{NewEvent, Outcome, State, Store};

use crate::{ORG, at, new_event};

/// Declares a test for each function of the suite.
macro_rules! store_suite {
    ($open:path) => {
        $crate::suite::store_suite!($open:
            enqueued_event_is_pending_and_a_duplicate_is_a_no_op,
            other_body_with_the_same_key_enqueues_nothing,
            quantity_is_not_stored_again_with_other_dimensions,
            lease_returns_the_earliest_deadline_first,
            leased_event_is_leased_again_only_after_the_lease,
            result_after_the_lease_is_evidence_and_changes_nothing,
            result_that_is_stored_again_leaves_one_row_of_evidence,
            every_outcome_is_stored_with_its_evidence,
            failing_entitlement_delays_only_its_own_events,
            stuck_events_of_a_failing_entitlement_do_not_block_a_new_one,
            large_backlog_of_a_failing_entitlement_delays_no_other,
            requeued_event_is_due_at_once,
            failing_entitlements_take_at_most_half_of_a_lease,
            events_that_wait_for_an_operator_are_not_waited_for,
            clock_that_moves_back_delays_nothing,
            window_of_the_marketplace_sets_deadlines,
            windows_of_another_configuration_are_set_again,
            pages_contain_each_event_once,
            removed_events_are_not_enqueued_again,
            heartbeat_is_kept,
            record_is_stored_once,
            ended_hours_are_reported_once_and_late_records_again,
            fractions_are_carried_over_in_the_store,
            removal_keeps_the_hours_of_open_records,
            roll_up_ends_after_some_thousand_records,
            only_new_usage_is_a_sign_of_producers,
        );
    };
    ($open:path: $($test:ident,)+) => {
        $(
            #[tokio::test]
            async fn $test() {
                let Some((store, _guard)) = Option::from($open().await) else { return };
                $crate::suite::$test(store).await;
            }
        )+
    };
}
pub(crate) use metered::*;
pub(crate) use store_suite;

const WINDOW: Duration = Duration::from_secs(6 * 3600);

fn request(seconds: i64, limit: usize) -> LeaseRequest {
    LeaseRequest { now: at(seconds), until: at(seconds + 60), limit, probes: 3 }
}

async fn enqueue<S: Store>(store: &S, events: &[NewEvent]) {
    let enqueued = store.enqueue(events.to_vec(), WINDOW, at(0)).await.unwrap();
    assert_eq!((enqueued.new, enqueued.duplicates), (events.len(), 0));
}

fn attempt(leased: &LeasedBatch, index: usize, outcome: Outcome) -> Attempt {
    let event = &leased.events[index];
    let result = AttemptResult {
        token: leased.token,
        started_at: at(1),
        ended_at: at(2),
        body_sha256: event.body_sha256(),
        outcome,
        status: Some(400),
        message: Some("the reason".to_owned()),
    };
    Attempt { key: event.key, result, retry_after: None }
}

async fn state<S: Store>(store: &S, event: &NewEvent) -> State {
    store.event(event.key, None).await.unwrap().expect("the event is stored").0.progress.state
}

/// Returns the number of events in a state.
async fn count<S: Store>(store: &S, state: State) -> u64 {
    store.backlog(at(0), 10).await.unwrap().states[&state]
}

pub(crate) async fn enqueued_event_is_pending_and_a_duplicate_is_a_no_op<S: Store>(store: S) {
    let event = new_event("e-1", 0);
    enqueue(&store, std::slice::from_ref(&event)).await;
    let (new, stored) = (new_event("e-1", 1), event.clone());
    let again = store.enqueue(vec![stored.clone(), new.clone(), stored, new], WINDOW, at(9)).await.unwrap();
    assert_eq!((again.new, again.duplicates), (1, 3));
    let (stored, attempts) = store.event(event.key, None).await.unwrap().unwrap();
    assert_eq!((stored.event, stored.enqueued_at, attempts), (event, at(0), vec![]));
    assert_eq!((stored.progress.state, stored.deadline), (State::Pending, at(6 * 3600)));
    assert_eq!(count(&store, State::Pending).await, 2);
    assert!(store.event(new_event("e-1", 2).key, None).await.unwrap().is_none());
}

pub(crate) async fn other_body_with_the_same_key_enqueues_nothing<S: Store>(store: S) {
    let event = new_event("e-1", 0);
    enqueue(&store, std::slice::from_ref(&event)).await;
    let other = NewEvent::new(&UsageEvent::new("e-1", at(0)).quantity("gb", 7), ORG).unwrap();
    assert_eq!(other.key, event.key);
    let error = store.enqueue(vec![new_event("e-1", 1), other], WINDOW, at(9)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Request && error.to_string().contains("other quantities"), "{error}");
    assert!(error.to_string().contains(&event.key.to_string()), "{error}");
    assert_eq!(count(&store, State::Pending).await, 1, "all or none");
    let (stored, _) = store.event(event.key, None).await.unwrap().unwrap();
    assert_eq!(stored.event, event, "the first one stays");
}

pub(crate) async fn quantity_is_not_stored_again_with_other_dimensions<S: Store>(store: S) {
    let event = |sequence: u32, dimensions: &[&str]| {
        let event = UsageEvent::new("e-1", at(0)).sequence(sequence);
        NewEvent::new(&dimensions.iter().fold(event, |event, dimension| event.quantity(*dimension, 5)), ORG).unwrap()
    };
    let stored = event(0, &["gb"]);
    enqueue(&store, std::slice::from_ref(&stored)).await;
    for rejected in [
        vec![event(0, &["calls", "gb"])],
        vec![new_event("e-1", 1), event(1, &["gb"]), event(1, &["calls", "gb"])],
        vec![event(1, &["calls", "gb"]), event(1, &["gb"])],
    ] {
        let error = store.enqueue(rejected, WINDOW, at(9)).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Request && error.to_string().contains("has the dimension gb"), "{error}");
        assert_eq!(count(&store, State::Pending).await, 1, "all or none");
    }
    // Other usage: other dimensions, another sequence, another time.
    enqueue(&store, &[event(0, &["calls"]), event(1, &["calls", "gb"]), new_event("e-1", 1)]).await;
    assert_eq!(store.enqueue(vec![stored.clone()], WINDOW, at(9)).await.unwrap().duplicates, 1);
    // A rejected event may be requeued until it is resolved.
    let leased = store.lease(request(1, 9)).await.unwrap();
    let index = leased.events.iter().position(|event| *event == stored).unwrap();
    store.settle(leased.token, vec![attempt(&leased, index, Outcome::Rejected)], at(1)).await.unwrap();
    let replacement = event(0, &["gb", "seats"]);
    store.enqueue(vec![replacement.clone()], WINDOW, at(9)).await.unwrap_err();
    store.resolve(stored.key, None, "unknown dimension".to_owned()).await.unwrap();
    enqueue(&store, &[replacement]).await;
}

pub(crate) async fn lease_returns_the_earliest_deadline_first<S: Store>(store: S) {
    let events: Vec<_> = [4, 1, 3, 0, 2].map(|number| new_event("e-1", number)).to_vec();
    enqueue(&store, &events).await;
    let first = store.lease(request(1, 2)).await.unwrap();
    let second = store.lease(request(1, 9)).await.unwrap();
    let times = |leased: &LeasedBatch| leased.events.iter().map(|event| event.timestamp).collect::<Vec<_>>();
    assert_eq!(times(&first), [at(0), at(3600)]);
    assert_eq!(times(&second), [at(7200), at(3 * 3600), at(4 * 3600)]);
    assert!(first.token < second.token, "tokens grow");
    assert_eq!(count(&store, State::Sending).await, 5);
}

pub(crate) async fn leased_event_is_leased_again_only_after_the_lease<S: Store>(store: S) {
    let event = new_event("e-1", 0);
    enqueue(&store, std::slice::from_ref(&event)).await;
    assert_eq!(store.lease(request(1, 9)).await.unwrap().events.len(), 1);
    let none = store.lease(request(60, 9)).await.unwrap();
    assert_eq!((none.events.len(), none.next_at), (0, Some(at(61))), "it is due when the lease has ended");
    let again = store.lease(request(61, 9)).await.unwrap();
    assert_eq!(again.events, std::slice::from_ref(&event), "the same bytes");
    let (stored, attempts) = store.event(event.key, None).await.unwrap().unwrap();
    assert_eq!((stored.progress.state, stored.progress.may_have_arrived), (State::Sending, true));
    assert_eq!((attempts.len(), attempts[0].outcome, attempts[0].started_at), (1, Outcome::Abandoned, at(1)));
}

pub(crate) async fn result_after_the_lease_is_evidence_and_changes_nothing<S: Store>(store: S) {
    let event = new_event("e-1", 0);
    enqueue(&store, std::slice::from_ref(&event)).await;
    let late = store.lease(request(1, 9)).await.unwrap();
    let current = store.lease(request(61, 9)).await.unwrap();
    assert_eq!(store.settle(late.token, vec![attempt(&late, 0, Outcome::Rejected)], at(62)).await.unwrap(), 1);
    assert_eq!(state(&store, &event).await, State::Sending);
    assert_eq!(store.settle(current.token, vec![attempt(&current, 0, Outcome::Delivered)], at(63)).await.unwrap(), 0);
    assert_eq!(store.settle(current.token, vec![attempt(&current, 0, Outcome::Rejected)], at(64)).await.unwrap(), 1);
    let (stored, attempts) = store.event(event.key, None).await.unwrap().unwrap();
    assert_eq!(stored.progress.state, State::Delivered);
    let outcomes: Vec<_> = attempts.iter().map(|attempt| (attempt.outcome, attempt.token)).collect();
    let (late, current) = (late.token, current.token);
    let expected = [
        (Outcome::Abandoned, late),
        (Outcome::Rejected, late),
        (Outcome::Delivered, current),
        (Outcome::Rejected, current),
    ];
    assert_eq!(outcomes, expected);
}

/// As after a commit whose confirmation was lost.
pub(crate) async fn result_that_is_stored_again_leaves_one_row_of_evidence<S: Store>(store: S) {
    let event = new_event("e-1", 0);
    enqueue(&store, std::slice::from_ref(&event)).await;
    let leased = store.lease(request(1, 9)).await.unwrap();
    let (delivered, late) = (Outcome::Delivered, Outcome::Rejected);
    for (outcome, expected) in [(delivered, 0), (delivered, 0), (late, 1), (late, 0)] {
        let lost = store.settle(leased.token, vec![attempt(&leased, 0, outcome)], at(2)).await.unwrap();
        assert_eq!(lost, expected, "{outcome:?}");
    }
    assert_eq!(store.event(event.key, None).await.unwrap().unwrap().1.len(), 2);
}

pub(crate) async fn every_outcome_is_stored_with_its_evidence<S: Store>(store: S) {
    for (number, outcome) in Outcome::ALL.into_iter().enumerate() {
        let event = new_event(&format!("e-{number}"), 0);
        enqueue(&store, std::slice::from_ref(&event)).await;
        let leased = store.lease(request(1, 1)).await.unwrap();
        assert_eq!(leased.events, std::slice::from_ref(&event), "{outcome:?}");
        let attempt = attempt(&leased, 0, outcome);
        assert_eq!(store.settle(leased.token, vec![attempt.clone()], at(2)).await.unwrap(), 0);
        let (stored, attempts) = store.event(event.key, None).await.unwrap().unwrap();
        assert_eq!(attempts, [attempt.result], "{outcome:?}");
        assert_eq!(stored.message.as_deref(), Some("the reason"));
        assert_eq!(stored.settled_at, stored.progress.state.is_final().then_some(at(2)));
        assert_eq!(stored.progress.attempts, 1);
    }
    let backlog = store.backlog(at(3), 3).await.unwrap();
    let states = State::ALL.map(|state| backlog.states[&state]);
    assert_eq!(states, [1, 0, 1, 1, 2, 1, 2, 0], "{backlog:?}");
    assert_eq!((backlog.entitlements.len(), backlog.failed_attempts.len()), (3, 3));
    assert_eq!(backlog.failed_attempts[0].status, Some(400));
    assert_eq!((backlog.alarmed, backlog.overdue, backlog.oldest_timestamp), (0, 0, Some(at(0))));
    let later = store.backlog(at(6 * 3600), 3).await.unwrap();
    assert_eq!((later.alarmed, later.overdue, later.waiting_for_operator), (3, 3, 0));
    assert_eq!(store.backlog(at(3 * 3600), 3).await.unwrap().alarmed, 3, "half of the window");
}

pub(crate) async fn failing_entitlement_delays_only_its_own_events<S: Store>(store: S) {
    let events: Vec<_> = (0..20).map(|number| new_event("bad", number)).collect();
    enqueue(&store, &events).await;
    let leased = store.lease(request(1, 9)).await.unwrap();
    assert_eq!(leased.events.len(), 9);
    let attempts = (0..9).map(|index| attempt(&leased, index, Outcome::NotSent)).collect();
    store.settle(leased.token, attempts, at(2)).await.unwrap();
    enqueue(&store, &[new_event("good", 30)]).await;
    let next = store.lease(request(3, 9)).await.unwrap();
    assert_eq!(next.events, [new_event("good", 30)], "later, and not delayed");
    let none = store.lease(request(4, 9)).await.unwrap();
    assert_eq!(none.next_at, Some(at(2 + 15)));
    let probes = store.lease(request(17, 9)).await.unwrap();
    assert_eq!(probes.events.len(), 3, "some events show whether it works again");
    store.settle(probes.token, vec![attempt(&probes, 0, Outcome::Delivered)], at(18)).await.unwrap();
    let rest = store.lease(request(18, 99)).await.unwrap();
    assert_eq!(rest.events.len(), 17, "all but the delivered one and the two that are leased");
}

pub(crate) async fn stuck_events_of_a_failing_entitlement_do_not_block_a_new_one<S: Store>(store: S) {
    let stuck: Vec<_> = (0..3).map(|number| new_event("e-1", number)).collect();
    enqueue(&store, &stuck).await;
    for now in [0, 100] {
        let leased = store.lease(request(now, 9)).await.unwrap();
        assert_eq!(leased.events, stuck);
        let attempts = (0..3).map(|index| attempt(&leased, index, Outcome::NotSent)).collect();
        store.settle(leased.token, attempts, at(now)).await.unwrap();
    }
    enqueue(&store, &[new_event("e-1", 9)]).await;
    let leased = store.lease(request(200, 9)).await.unwrap();
    assert_eq!(leased.events, [new_event("e-1", 0), new_event("e-1", 1), new_event("e-1", 9)]);
}

/// More than a lease reads in the order of the deadlines.
pub(crate) async fn large_backlog_of_a_failing_entitlement_delays_no_other<S: Store>(store: S) {
    let events = |entitlement: &str, hour: i64, numbers: std::ops::Range<u32>| -> Vec<_> {
        let event = |number| UsageEvent::new(entitlement, at(3600 * hour)).quantity("gb", 1).sequence(number);
        numbers.map(|number| NewEvent::new(&event(number), ORG).unwrap()).collect()
    };
    enqueue(&store, &events("bad", 0, 0..6000)).await;
    let leased = store.lease(request(1, 9)).await.unwrap();
    let attempts = (0..9).map(|index| attempt(&leased, index, Outcome::NotSent)).collect();
    store.settle(leased.token, attempts, at(2)).await.unwrap();
    assert_eq!(store.lease(request(3, 9)).await.unwrap().next_at, Some(at(2 + 15)), "soon");
    let (tried, other, new) = (events("good", 1, 0..2), events("other", 2, 0..3), events("good", 3, 0..4));
    enqueue(&store, &tried).await;
    let leased = store.lease(request(3, 9)).await.unwrap();
    let attempts = vec![attempt(&leased, 0, Outcome::Delivered), attempt(&leased, 1, Outcome::NotSent)];
    store.settle(leased.token, attempts, at(-20)).await.unwrap();
    enqueue(&store, &[new, other].concat()).await;
    let hours = |leased: &LeasedBatch| -> Vec<_> {
        leased.events.iter().map(|event| (event.timestamp - at(0)).num_hours()).collect()
    };
    assert_eq!(hours(&store.lease(request(3, 5)).await.unwrap()), [1, 2, 2, 2, 3], "the earliest deadlines");
    let with_probes = store.lease(request(17, 9)).await.unwrap();
    assert_eq!(hours(&with_probes), [0, 0, 0, 3, 3, 3]);
    assert_eq!(hours(&store.lease(request(17, 9)).await.unwrap()), [0, 0, 0]);
}

pub(crate) async fn failing_entitlements_take_at_most_half_of_a_lease<S: Store>(store: S) {
    let failing: Vec<_> = (0..6).map(|number| new_event(&format!("bad-{number}"), 0)).collect();
    enqueue(&store, &failing).await;
    let leased = store.lease(request(1, 9)).await.unwrap();
    let attempts = (0..6).map(|index| attempt(&leased, index, Outcome::Unknown)).collect();
    store.settle(leased.token, attempts, at(1)).await.unwrap();
    enqueue(&store, &(1..5).map(|number| new_event("good", number)).collect::<Vec<_>>()).await;
    let leased = store.lease(request(4 * 3600 + 1, 4)).await.unwrap().events;
    let of_working = leased.iter().filter(|event| event.entitlement_id == "good").count();
    assert_eq!((of_working, leased.len()), (2, 4), "the deadlines of the others are earlier");
}

pub(crate) async fn events_that_wait_for_an_operator_are_not_waited_for<S: Store>(store: S) {
    let events: Vec<_> = (0..5000).map(|number| new_event("e-1", number)).collect();
    enqueue(&store, &events).await;
    let much_later = 5000 * 3600 + 14 * 86_400;
    let leased = store.lease(request(much_later, 5000)).await.unwrap();
    let attempts = (0..5000).map(|index| attempt(&leased, index, Outcome::Unknown)).collect();
    store.settle(leased.token, attempts, at(much_later)).await.unwrap();
    assert_eq!(store.backlog(at(much_later), 1).await.unwrap().waiting_for_operator, 5000);
    assert_eq!(store.lease(request(much_later + 9999, 9)).await.unwrap(), LeasedBatch::default());
}

pub(crate) async fn requeued_event_is_due_at_once<S: Store>(store: S) {
    let event = new_event("e-1", 0);
    enqueue(&store, std::slice::from_ref(&event)).await;
    assert_eq!(store.requeue(new_event("e-1", 1).key, None, at(1)).await.unwrap(), None);
    for (timestamp, found) in [(None, true), (Some(at(0)), true), (Some(at(1)), false)] {
        assert_eq!(store.event(event.key, timestamp).await.unwrap().is_some(), found, "{timestamp:?}");
        let state = found.then_some(State::Pending);
        assert_eq!(store.requeue(event.key, timestamp, at(0)).await.unwrap(), state);
        assert_eq!(store.resolve(event.key, timestamp, "a mistake".to_owned()).await.unwrap(), state);
    }
    for (outcome, before) in [
        (Outcome::Rejected, State::Rejected),
        (Outcome::Expired, State::Expired),
        (Outcome::Unknown, State::Unknown),
        (Outcome::Delivered, State::Delivered),
    ] {
        let leased = store.lease(request(1, 9)).await.unwrap();
        assert_eq!(leased.events.len(), 1, "{outcome:?}");
        assert_eq!(store.requeue(event.key, None, at(1)).await.unwrap(), Some(State::Sending));
        store.settle(leased.token, vec![attempt(&leased, 0, outcome)], at(1)).await.unwrap();
        assert_eq!(store.requeue(event.key, None, at(1)).await.unwrap(), Some(before));
    }
    assert_eq!(state(&store, &event).await, State::Delivered);
    assert!(store.lease(request(9999, 9)).await.unwrap().events.is_empty());
}

pub(crate) async fn clock_that_moves_back_delays_nothing<S: Store>(store: S) {
    let day = 24 * 3600;
    store.enqueue(vec![new_event("e-1", 0), new_event("e-2", 0)], WINDOW, at(day)).await.unwrap();
    let leased = store.lease(request(day, 1)).await.unwrap();
    store.settle(leased.token, vec![attempt(&leased, 0, Outcome::NotSent)], at(day)).await.unwrap();
    assert_eq!(store.lease(request(day, 9)).await.unwrap().events.len(), 1, "the other one");
    let again = store.lease(request(1, 9)).await.unwrap();
    assert_eq!(again.events, leased.events, "no delay takes a day");
}

/// Sets a window, and returns the number of pages.
async fn set_window<S: Store>(store: &S, window: EntitlementWindow) -> usize {
    let (mut page, mut pages) = (None, 1);
    while let Some(next) = store.set_window(window.clone(), page).await.unwrap() {
        (page, pages) = (Some(next), pages + 1);
    }
    pages
}

pub(crate) async fn windows_of_another_configuration_are_set_again<S: Store>(store: S) {
    let hours = |hours: u64| Duration::from_secs(3600 * hours);
    for (entitlement, marketplace, window) in [("e-1", "AWS", 6), ("e-2", "AZURE", 24), ("e-3", "AZURE", 20)] {
        enqueue(&store, &[new_event(entitlement, 0)]).await;
        let (entitlement_id, marketplace) = (entitlement.to_owned(), marketplace.to_owned());
        set_window(&store, EntitlementWindow { entitlement_id, marketplace, window: hours(window) }).await;
    }
    let unknown = async |windows: MarketplaceWindows| {
        store.forget_windows(windows).await.unwrap();
        BTreeSet::from_iter(store.unknown_marketplaces(9).await.unwrap())
    };
    let (windows, set) =
        (MarketplaceWindows::default(), |names: &[&str]| names.iter().map(ToString::to_string).collect());
    assert_eq!(unknown(windows.clone()).await, set(&["e-3"]), "of another window than the others");
    assert_eq!(unknown(windows.with("AWS", hours(5))).await, set(&["e-1", "e-3"]));
}

pub(crate) async fn window_of_the_marketplace_sets_deadlines<S: Store>(store: S) {
    enqueue(&store, &[new_event("e-1", 0), new_event("e-2", 1)]).await;
    assert_eq!(
        BTreeSet::from_iter(store.unknown_marketplaces(9).await.unwrap()),
        BTreeSet::from(["e-1".into(), "e-2".into()])
    );
    let window = Duration::from_secs(24 * 3600);
    let azure = EntitlementWindow { entitlement_id: "e-1".to_owned(), marketplace: "AZURE".to_owned(), window };
    set_window(&store, azure).await;
    assert_eq!(store.unknown_marketplaces(9).await.unwrap(), ["e-2"]);
    enqueue(&store, &[new_event("e-1", 2)]).await;
    let many = EntitlementWindow { entitlement_id: "e-3".to_owned(), marketplace: "AZURE".to_owned(), window };
    enqueue(&store, &(0..2300).map(|number| new_event("e-3", number)).collect::<Vec<_>>()).await;
    assert_eq!(set_window(&store, many.clone()).await, 3, "pages");
    assert_eq!(set_window(&store, many).await, 3, "a page of events that have the deadline is read, and no more");
    let leased = store.lease(request(1, 3000)).await.unwrap();
    let times: Vec<_> = leased.events.iter().map(|event| (event.timestamp, event.entitlement_id.as_str())).collect();
    assert_eq!(times[..3], [(at(3600), "e-2"), (at(0), "e-1"), (at(0), "e-3")], "the earliest deadline");
    assert!(times[1..].is_sorted() && times.len() == 2303);
    let deadline = |number| {
        let store = store.clone();
        async move { store.event(new_event("e-1", number).key, None).await.unwrap().unwrap().0.deadline }
    };
    assert_eq!((deadline(0).await, deadline(2).await), (at(24 * 3600), at(26 * 3600)));
    // A final event has the deadline of the earlier window until it is requeued.
    let key = new_event("e-1", 0).key;
    let number = leased.events.iter().position(|event| event.key == key).unwrap();
    store.settle(leased.token, vec![attempt(&leased, number, Outcome::Rejected)], at(2)).await.unwrap();
    let (entitlement_id, marketplace) = ("e-1".to_owned(), "AWS".to_owned());
    set_window(&store, EntitlementWindow { entitlement_id, marketplace, window: window / 4 }).await;
    assert_eq!(deadline(0).await, at(24 * 3600));
    assert_eq!(store.requeue(key, None, at(3)).await.unwrap(), Some(State::Rejected));
    assert_eq!(deadline(0).await, at(6 * 3600));
}

pub(crate) async fn pages_contain_each_event_once<S: Store>(store: S) {
    let events: Vec<_> = (0..7).flat_map(|hour| ["a", "b", "c"].map(|id| new_event(id, hour / 2))).collect();
    let unique: BTreeSet<_> = events.iter().map(|event| (event.timestamp, event.key)).collect();
    store.enqueue(events, WINDOW, at(0)).await.unwrap();
    let period = Period::new(at(0), at(3 * 3600)).unwrap();
    let mut selection = Selection { period, state: None, entitlement_id: None, after: None, limit: 4 };
    let mut found = Vec::new();
    loop {
        let page = store.events(selection.clone()).await.unwrap();
        found.extend(page.iter().map(|stored| (stored.event.timestamp, stored.event.key)));
        selection.after = found.last().copied();
        if page.len() < 4 {
            break;
        }
    }
    let expected: Vec<_> = unique.into_iter().filter(|(timestamp, _)| *timestamp < at(3 * 3600)).collect();
    assert_eq!(found, expected);
    let select = |state, entitlement_id| Selection { period, state, entitlement_id, after: None, limit: 99 };
    let count = async |selection| store.events(selection).await.unwrap().len();
    assert_eq!(count(select(Some(State::Pending), Some("a".to_owned()))).await, 3);
    assert_eq!(count(select(Some(State::Delivered), None)).await, 0);
}

pub(crate) async fn removed_events_are_not_enqueued_again<S: Store>(store: S) {
    let events: Vec<_> = (0..4).map(|number| new_event("e-1", number)).collect();
    enqueue(&store, &events).await;
    let leased = store.lease(request(1, 3)).await.unwrap();
    let attempts = (0..2).map(|index| attempt(&leased, index, Outcome::Delivered)).collect();
    store.settle(leased.token, attempts, at(2)).await.unwrap();
    assert_eq!(store.remove_before(at(3600), 9).await.unwrap().events, 1, "half-open");
    assert_eq!(store.remove_before(at(9 * 3600), 9).await.unwrap().events, 1, "open events stay");
    assert!(store.event(events[0].key, None).await.unwrap().is_none());
    assert_eq!((count(&store, State::Delivered).await, count(&store, State::Sending).await), (0, 1));
    let error = store.enqueue(vec![events[0].clone()], WINDOW, at(3)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Request && error.to_string().contains("were removed"), "{error}");
    store.enqueue(vec![new_event("e-1", 9)], WINDOW, at(3)).await.unwrap();
}

pub(crate) async fn heartbeat_is_kept<S: Store>(store: S) {
    let read = async || store.backlog(at(0), 1).await.unwrap();
    assert_eq!((read().await.heartbeat, read().await.enqueued_at), (Heartbeat::default(), None));
    let first = Heartbeat {
        started_at: Some(at(1)),
        beat_at: Some(at(2)),
        contact_at: Some(at(3)),
        stopped_at: Some(at(4) + TimeDelta::milliseconds(5)),
    };
    store.beat(first.clone()).await.unwrap();
    assert_eq!(read().await.heartbeat, first);
    let restarted = Heartbeat { started_at: Some(at(9)), ..Heartbeat::default() };
    store.beat(restarted.clone()).await.unwrap();
    assert_eq!(read().await.heartbeat, Heartbeat { contact_at: first.contact_at, ..restarted });
    enqueue(&store, &[new_event("e-1", 0)]).await;
    assert_eq!(read().await.enqueued_at, Some(at(0)));
}
