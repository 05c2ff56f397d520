//! Random operations on a store, compared with a model that consists of the table of states.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use tokio::runtime::Runtime;
use usage_billing::ErrorKind;
use usage_billing::suger::UsageEvent;
use usage_billing_outbox::store::{Attempt, AttemptResult, LeaseRequest, LeasedBatch};
use usage_billing_outbox::{NewEvent, Outcome, SqliteStore, State, Store};

use super::{ORG, at};

/// Lease time in seconds.
const LEASE: i64 = 60;

#[derive(Clone, Debug)]
enum Operation {
    Enqueue {
        number: u8,
        quantity: u8,
    },
    Lease {
        limit: usize,
    },
    /// Settles an event of a lease, the n-th of all leases that were ever taken.
    Settle {
        lease: usize,
        event: usize,
        outcome: Outcome,
    },
    Requeue {
        number: u8,
    },
    Wait {
        seconds: i64,
    },
    /// The sender dies, and another one starts.
    Restart,
}

/// What is known of an event.
#[derive(Debug)]
struct Expected {
    quantity: u8,
    state: State,
    /// Position of the lease in the history.
    lease: Option<usize>,
    may_have_arrived: bool,
    /// The evidence: the lease, the outcome and the end of each attempt.
    attempts: BTreeSet<(usize, &'static str, i64)>,
}

#[derive(Debug, Default)]
struct Model {
    events: BTreeMap<u8, Expected>,
    now: i64,
    /// End of each lease.
    leases: Vec<i64>,
}

impl Model {
    /// Ends the lease of an event without a result.
    fn abandon(event: &mut Expected, now: i64) {
        let lease = event.lease.take().expect("a lease");
        (event.state, event.may_have_arrived) = (State::Unknown, true);
        event.attempts.insert((lease, Outcome::Abandoned.as_str(), now));
    }
}

/// Operations do not depend on the state: which events a lease returns depends on delays, so the test applies its results to the model.
struct Operations;

impl ReferenceStateMachine for Operations {
    type State = ();
    type Transition = Operation;

    fn init_state() -> BoxedStrategy<()> {
        Just(()).boxed()
    }

    fn transitions((): &()) -> BoxedStrategy<Operation> {
        let outcomes = prop::sample::select(Outcome::ALL.to_vec());
        prop_oneof![
            4 => (0u8..8, 1u8..3).prop_map(|(number, quantity)| Operation::Enqueue { number, quantity }),
            4 => (1usize..5).prop_map(|limit| Operation::Lease { limit }),
            6 => (0usize..6, 0usize..5, outcomes)
                .prop_map(|(lease, event, outcome)| Operation::Settle { lease, event, outcome }),
            1 => (0u8..8).prop_map(|number| Operation::Requeue { number }),
            3 => prop::sample::select(vec![1, 20, LEASE, 400, 4000]).prop_map(|seconds| Operation::Wait { seconds }),
            1 => Just(Operation::Restart),
        ]
        .boxed()
    }

    fn apply((): (), _: &Operation) {}
}

/// A store that is compared with the model.
trait ModelledStore: Store {
    /// Whether a new sender ends the leases of the one before.
    const ENDS_LEASES: bool;

    /// Returns an empty store, and what it needs until its end.
    async fn open() -> (Self, Box<dyn Any>);
}

impl ModelledStore for SqliteStore {
    const ENDS_LEASES: bool = true;

    async fn open() -> (Self, Box<dyn Any>) {
        let (store, folder) = super::sqlite::open().await;
        (store, Box::new(folder))
    }
}

#[cfg(unix)]
impl ModelledStore for usage_billing_outbox::PostgresStore {
    const ENDS_LEASES: bool = false;

    async fn open() -> (Self, Box<dyn Any>) {
        let (store, pool) = super::postgres::open().await.expect("a server");
        (store, Box::new(pool))
    }
}

struct Test<S: ModelledStore> {
    runtime: Runtime,
    store: S,
    guard: Option<S::SenderGuard>,
    _needed: Box<dyn Any>,
    model: Model,
    leases: Vec<LeasedBatch>,
}

fn event(number: u8, quantity: u8) -> NewEvent {
    // Each is of an entitlement of its own: delays of entitlements have a test of their own.
    let event = UsageEvent::new(format!("e-{number}"), at(i64::from(number))).quantity("gb", i64::from(quantity));
    NewEvent::new(&event, ORG).unwrap()
}

impl<S: ModelledStore> Test<S> {
    fn number(event: &NewEvent) -> u8 {
        event.entitlement_id[2..].parse().unwrap()
    }

    fn lease(&mut self, limit: usize) {
        let now = self.model.now;
        for expected in self.model.events.values_mut() {
            if expected.lease.is_some_and(|lease| self.model.leases[lease] <= now) {
                Model::abandon(expected, now);
            }
        }
        let request = LeaseRequest { now: at(now), until: at(now + LEASE), limit, probes: 3 };
        let leased = self.runtime.block_on(self.store.lease(request)).unwrap();
        assert!(leased.events.len() <= limit);
        for leased in &leased.events {
            let expected = self.model.events.get_mut(&Self::number(leased)).unwrap();
            assert!(matches!(expected.state, State::Pending | State::Unknown), "{expected:?} was leased");
            assert_eq!(*leased, event(Self::number(leased), expected.quantity), "the first bytes");
            (expected.state, expected.lease) = (State::Sending, Some(self.leases.len()));
        }
        self.leases.push(leased);
        self.model.leases.push(now + LEASE);
    }

    fn settle(&mut self, lease: usize, index: usize, outcome: Outcome) {
        let Some(leased) = self.leases.get(lease) else { return };
        let Some(event) = leased.events.get(index) else { return };
        let time = at(self.model.now);
        let (token, body_sha256) = (leased.token, event.body_sha256());
        let result = AttemptResult {
            token,
            started_at: time,
            ended_at: time,
            body_sha256,
            outcome,
            status: None,
            message: None,
        };
        let attempt = Attempt { key: event.key, result, retry_after: None };
        let lost = self.runtime.block_on(self.store.settle(token, vec![attempt], time)).unwrap();
        let expected = self.model.events.get_mut(&Self::number(event)).unwrap();
        // Stored once, also if it is settled again.
        let is_new = expected.attempts.insert((lease, outcome.as_str(), self.model.now));
        let has_lease = expected.lease == Some(lease);
        assert_eq!(lost, usize::from(is_new && !has_lease), "{expected:?}");
        if !has_lease {
            return;
        }
        expected.lease = None;
        let found = self.runtime.block_on(self.store.event(event.key, None)).unwrap().unwrap().0.progress;
        let allowed: &[State] = match outcome {
            Outcome::Delivered => &[State::Delivered],
            Outcome::AlreadyDelivered => &[State::AlreadyDelivered],
            Outcome::IdConsumed => &[State::Rejected],
            // While an earlier attempt may arrive, it is not final.
            Outcome::Rejected if expected.may_have_arrived => &[State::Rejected, State::Unknown],
            Outcome::Expired if expected.may_have_arrived => &[State::Expired, State::Unknown],
            Outcome::Rejected => &[State::Rejected],
            Outcome::Expired => &[State::Expired],
            Outcome::NotSent if expected.may_have_arrived => &[State::Unknown],
            Outcome::NotSent => &[State::Pending],
            Outcome::Unknown | Outcome::Abandoned => &[State::Unknown],
        };
        assert!(allowed.contains(&found.state), "{outcome:?} of {expected:?} is {found:?}");
        expected.may_have_arrived |= matches!(outcome, Outcome::Unknown | Outcome::Abandoned);
        expected.state = found.state;
    }

    fn requeue(&mut self, number: u8) {
        let Some(expected) = self.model.events.get_mut(&number) else { return };
        let key = event(number, expected.quantity).key;
        let before = self.runtime.block_on(self.store.requeue(key, None, at(self.model.now))).unwrap();
        assert_eq!(before, Some(expected.state));
        if !matches!(expected.state, State::Delivered | State::AlreadyDelivered | State::Sending) {
            expected.state = if expected.may_have_arrived { State::Unknown } else { State::Pending };
        }
    }

    fn restart(&mut self) {
        self.guard = None;
        self.guard = Some(self.runtime.block_on(self.store.start_sender(at(self.model.now))).unwrap());
        let leased = self.model.events.values_mut().filter(|event| event.lease.is_some() && S::ENDS_LEASES);
        leased.for_each(|event| Model::abandon(event, self.model.now));
    }

    fn enqueue(&mut self, number: u8, quantity: u8) {
        let now = at(self.model.now);
        let events = vec![event(number, quantity)];
        let found = self.runtime.block_on(self.store.enqueue(events, Duration::from_secs(21_600), now));
        match self.model.events.get(&number) {
            Some(known) if known.quantity == quantity => assert_eq!(found.unwrap().duplicates, 1),
            Some(_) => assert_eq!(found.unwrap_err().kind(), ErrorKind::Request),
            None => {
                assert_eq!(found.unwrap().new, 1);
                let (state, may_have_arrived) = (State::Pending, false);
                let new = Expected { quantity, state, lease: None, may_have_arrived, attempts: BTreeSet::new() };
                self.model.events.insert(number, new);
            }
        }
    }
}

impl<S: ModelledStore> StateMachineTest for Test<S> {
    type SystemUnderTest = Self;
    type Reference = Operations;

    fn init_test((): &()) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (store, needed) = runtime.block_on(S::open());
        let guard = Some(runtime.block_on(store.start_sender(at(0))).unwrap());
        Self { runtime, store, guard, _needed: needed, model: Model::default(), leases: Vec::new() }
    }

    fn apply(mut test: Self, (): &(), operation: Operation) -> Self {
        match operation {
            Operation::Enqueue { number, quantity } => test.enqueue(number, quantity),
            Operation::Lease { limit } => test.lease(limit),
            Operation::Settle { lease, event, outcome } => test.settle(lease, event, outcome),
            Operation::Requeue { number } => test.requeue(number),
            Operation::Wait { seconds } => test.model.now += seconds,
            Operation::Restart => test.restart(),
        }
        test
    }

    fn check_invariants(test: &Self, (): &()) {
        let backlog = test.runtime.block_on(test.store.backlog(at(test.model.now), 9)).unwrap();
        for state in State::ALL {
            let expected = test.model.events.values().filter(|event| event.state == state).count();
            assert_eq!(backlog.states[&state], expected as u64, "{state}");
        }
        for (number, expected) in &test.model.events {
            let key = event(*number, expected.quantity).key;
            let (stored, attempts) = test.runtime.block_on(test.store.event(key, None)).unwrap().unwrap();
            assert_eq!(
                (stored.progress.state, attempts.len()),
                (expected.state, expected.attempts.len()),
                "e-{number}"
            );
            let is_visible = stored.progress.state.is_final()
                || stored.progress.ready_at.is_some()
                || stored.progress.lease.is_some()
                || backlog.waiting_for_operator > 0;
            assert!(is_visible, "every event is final, due, leased or reported");
        }
    }
}

fn compare<S: ModelledStore>(cases: u32) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let operations = Operations::sequential_strategy(1..40);
    let compared = TestRunner::new(config.clone()).run(&operations, |(state, operations, seen)| {
        Test::<S>::test_sequential(config.clone(), state, operations, seen);
        Ok(())
    });
    compared.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn sqlite_behaves_like_the_table_of_states() {
    compare::<SqliteStore>(40);
}

#[cfg(unix)]
#[test]
fn postgres_behaves_like_the_table_of_states() {
    if super::server::shared().is_some() {
        compare::<usage_billing_outbox::PostgresStore>(8);
    }
}
