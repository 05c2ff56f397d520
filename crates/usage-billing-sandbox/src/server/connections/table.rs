//! Which connections are open, and which one ends for a new one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// A new connection has this time to send a request before it can be evicted, and so has the body of a request, and its response to be taken:
/// of many callers at once, each gets its turn.
const TURN: Duration = Duration::from_secs(1);

/// The open connections of a sandbox, of which there are at most a given number.
pub(super) struct Table {
    max: usize,
    max_per_peer: usize,
    state: Mutex<State>,
    /// A connection began to wait for its peer, or ended.
    changed: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    open: BTreeMap<u64, Entry>,
}

struct Entry {
    peer: IpAddr,
    /// Since when it waits for its peer, as a number that grows; `None` while the sandbox works on a request.
    waiting_since: Option<u64>,
    /// Whether a request is under way: what it waits for is the rest of the request's body, or that its response is taken.
    in_request: bool,
    /// From when on it can be evicted while it waits.
    evictable: Instant,
    evict: oneshot::Sender<Eviction>,
}

/// Why a connection ends for a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eviction {
    /// No request was under way.
    Idle,
    /// Its peer did not go on with a request.
    Stalled,
}

/// What becomes of a new connection.
pub(super) enum Admission {
    Admitted(Ticket, oneshot::Receiver<Eviction>),
    /// Its peer has as many as one may have, none of which can be evicted.
    PeerFull,
    /// The sandbox works on a request of each connection, or it is the connection's turn; until the first of these can be evicted.
    Full(Option<Instant>),
}

/// The place of a connection; dropping it makes room.
pub(super) struct Ticket {
    table: Arc<Table>,
    id: u64,
}

/// A request under way; dropping it makes the connection idle.
pub(super) struct Busy(Arc<Ticket>);

impl Table {
    pub(super) fn new(max: usize, max_per_peer: usize) -> Arc<Self> {
        Arc::new(Self { max, max_per_peer, state: Mutex::default(), changed: Notify::new() })
    }

    /// Admits a connection. If there is no room, another one is [evicted](State::evict).
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr, now: Instant) -> Admission {
        let peer = peer.to_canonical();
        let mut state = self.state();
        // All programs of this machine share one address.
        if !peer.is_loopback()
            && state.open.values().filter(|entry| entry.peer == peer).count() >= self.max_per_peer
            && !state.evict(now, |entry| entry.peer == peer)
        {
            return Admission::PeerFull;
        }
        if state.open.len() >= self.max && !state.evict(now, |_| true) {
            let waiting = state.open.values().filter(|entry| entry.waiting_since.is_some());
            return Admission::Full(waiting.map(|entry| entry.evictable).min());
        }
        let (id, waiting_since) = (state.tick(), Some(state.tick()));
        let (evict, evicted) = oneshot::channel();
        state.open.insert(id, Entry { peer, waiting_since, in_request: false, evictable: now + TURN, evict });
        Admission::Admitted(Ticket { table: self.clone(), id }, evicted)
    }

    /// Evicts a connection, if any can be.
    pub(super) fn make_room(&self, now: Instant) {
        self.state().evict(now, |_| true);
    }

    /// Resolves when a connection began to wait for its peer or ended after this call.
    pub(super) fn changed(&self) -> impl Future<Output = ()> {
        self.changed.notified()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tick(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Ends a connection that waits for its peer, if any does: such ones must not lock others out. Of those without a request the one that has
    /// waited for the longest time; if there are none, of those in the middle of one.
    fn evict(&mut self, now: Instant, is_candidate: impl Fn(&Entry) -> bool) -> bool {
        let evictable = self.open.iter().filter(|(_, entry)| entry.evictable <= now && is_candidate(entry));
        let waiting = evictable.filter_map(|(id, entry)| Some((entry.in_request, entry.waiting_since?, *id)));
        let Some((in_request, _, id)) = waiting.min() else { return false };
        if let Some(entry) = self.open.remove(&id) {
            // A connection that ends by itself hears nothing.
            let _ = entry.evict.send(if in_request { Eviction::Stalled } else { Eviction::Idle });
        }
        true
    }
}

impl Ticket {
    /// Marks the start of a request.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.change(|entry, _| {
            entry.waiting_since = None;
            entry.in_request = true;
            entry.evictable = Instant::now() + TURN;
        });
        Busy(self.clone())
    }

    /// Marks that the request under way needs its peer to go on.
    pub(super) fn waits(&self) {
        self.change(|entry, now| entry.waiting_since = entry.waiting_since.or(Some(now)));
        self.table.changed.notify_one();
    }

    /// Marks that the sandbox works on the request under way.
    pub(super) fn works(&self) {
        self.change(|entry, _| entry.waiting_since = None);
    }

    fn change(&self, change: impl FnOnce(&mut Entry, u64)) {
        let mut state = self.table.state();
        let now = state.tick();
        // One that was evicted is not there.
        if let Some(entry) = state.open.get_mut(&self.id) {
            change(entry, now);
        }
    }
}

impl Busy {
    /// Marks the start of the response.
    pub(super) fn responds(&self) {
        self.0.change(|entry, _| entry.evictable = Instant::now() + TURN);
    }

    pub(super) fn ticket(&self) -> &Ticket {
        &self.0
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.change(|entry, now| {
            entry.waiting_since = Some(now);
            entry.in_request = false;
            // It had its turn.
            entry.evictable = Instant::now();
        });
        self.0.table.changed.notify_one();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.table.state().open.remove(&self.id);
        self.table.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Open = (Arc<Ticket>, oneshot::Receiver<Eviction>);

    fn admitted(table: &Arc<Table>, peer: &str) -> Open {
        match table.admit(peer.parse().unwrap(), Instant::now()) {
            Admission::Admitted(ticket, evicted) => (Arc::new(ticket), evicted),
            Admission::PeerFull => panic!("the peer has no room"),
            Admission::Full(_) => panic!("there is no room"),
        }
    }

    /// Until no connection has its turn.
    async fn later() {
        tokio::time::advance(TURN).await;
    }

    fn eviction(open: &mut Open) -> Option<Eviction> {
        open.1.try_recv().ok()
    }

    fn is_evicted(open: &mut Open) -> bool {
        eviction(open).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn full_table_evicts_the_longest_idle_connection() {
        let table = Table::new(3, 3);
        let (mut first, mut second) = (admitted(&table, "10.0.0.1"), admitted(&table, "10.0.0.2"));
        let mut third = admitted(&table, "10.0.0.3");
        // The first one had a request since, the second one has one under way.
        drop(first.0.busy());
        let busy = second.0.busy();
        later().await;
        let mut fourth = admitted(&table, "10.0.0.4");
        assert_eq!([&mut first, &mut second, &mut third, &mut fourth].map(is_evicted), [false, false, true, false]);
        // An evicted connection that ends later frees no second place.
        drop(third);
        let _fifth = admitted(&table, "10.0.0.5");
        assert_eq!([&mut first, &mut second, &mut fourth].map(is_evicted), [true, false, false]);
        drop(busy);
    }

    #[tokio::test(start_paused = true)]
    async fn connections_that_the_sandbox_works_for_are_not_evicted() {
        let table = Table::new(2, 2);
        let (first, second) = (admitted(&table, "127.0.0.1"), admitted(&table, "127.0.0.1"));
        let admit = || table.admit([127, 0, 0, 1].into(), Instant::now());
        assert!(matches!(admit(), Admission::Full(Some(at)) if at == Instant::now() + TURN), "they are new");
        let (busy, _other) = (first.0.busy(), second.0.busy());
        later().await;
        assert!(matches!(admit(), Admission::Full(None)));
        drop(busy);
        assert!(matches!(admit(), Admission::Admitted(..)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_in_the_middle_of_a_request_is_evicted_if_it_waits_for_its_peer_and_none_is_idle() {
        let table = Table::new(3, 3);
        let mut all = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|peer| admitted(&table, peer));
        let busy = [&all[0], &all[1]].map(|open| open.0.busy());
        // The second one's peer stopped first; the third one is idle.
        all[1].0.waits();
        all[0].0.waits();
        later().await;
        let mut fourth = admitted(&table, "10.0.0.4");
        assert_eq!(all.each_mut().map(eviction), [None, None, Some(Eviction::Idle)]);
        let working = fourth.0.busy();
        let mut fifth = admitted(&table, "10.0.0.5");
        assert_eq!(eviction(&mut all[1]), Some(Eviction::Stalled));
        // The first one goes on.
        all[0].0.works();
        let _working = fifth.0.busy();
        later().await;
        let admit = || table.admit([10, 0, 0, 6].into(), Instant::now());
        assert!(matches!(admit(), Admission::Full(None)));
        // A response that has just begun has its turn as well.
        working.responds();
        fourth.0.waits();
        assert!(matches!(admit(), Admission::Full(Some(at)) if at == Instant::now() + TURN));
        assert_eq!([&mut all[0], &mut fourth, &mut fifth].map(eviction), [None; 3]);
        drop(busy);
    }

    #[tokio::test(start_paused = true)]
    async fn peer_at_its_limit_loses_only_its_own_connections() {
        let table = Table::new(8, 2);
        let mut other = admitted(&table, "10.0.0.9");
        let (mut first, second) = (admitted(&table, "10.0.0.1"), admitted(&table, "::ffff:10.0.0.1"));
        assert!(matches!(table.admit([10, 0, 0, 1].into(), Instant::now()), Admission::PeerFull));
        later().await;
        let third = admitted(&table, "10.0.0.1");
        assert!(is_evicted(&mut first) && !is_evicted(&mut other));
        let _busy = (second.0.busy(), third.0.busy());
        assert!(matches!(table.admit([10, 0, 0, 1].into(), Instant::now()), Admission::PeerFull));
        assert!(matches!(table.admit([10, 0, 0, 2].into(), Instant::now()), Admission::Admitted(..)));
    }

    #[tokio::test(start_paused = true)]
    async fn loopback_peers_are_limited_by_the_total_alone() {
        let table = Table::new(4, 1);
        let mut all = ["127.0.0.1", "127.0.0.1", "::1", "::1"].map(|peer| admitted(&table, peer));
        assert!(!all.iter_mut().any(is_evicted));
    }
}
