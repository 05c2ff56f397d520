//! The open connections, and the choice of the one that is closed for a new one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// Minimum time before a waiting connection can be evicted: for a new connection, the body of a request, and the response, so that each of
/// many callers is served.
const TURN: Duration = Duration::from_secs(1);

/// The open connections of a sandbox, up to a maximum.
pub(super) struct Table {
    max: usize,
    max_per_peer: usize,
    state: Mutex<State>,
    /// Notified when a connection begins to wait for its peer, or ends.
    changed: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    open: BTreeMap<u64, Entry>,
}

struct Entry {
    peer: IpAddr,
    /// Tick since which it waits for its peer; `None` while the sandbox processes a request.
    waiting_since: Option<u64>,
    /// Whether a request is in progress: the connection waits for the rest of its body, or until the response is read.
    in_request: bool,
    /// Time from which it can be evicted while it waits.
    evictable: Instant,
    evict: oneshot::Sender<Eviction>,
}

/// Why a connection is evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eviction {
    /// No request is in progress.
    Idle,
    /// Its peer does not continue a request.
    Stalled,
}

/// The result of admitting a connection.
pub(super) enum Admission {
    Admitted(Ticket, oneshot::Receiver<Eviction>),
    /// The peer has the maximum number of connections, none of which can be evicted.
    PeerFull,
    /// No connection can be evicted; the time at which the first one can be, if any.
    Full(Option<Instant>),
}

/// The entry of a connection; dropping it makes room.
pub(super) struct Ticket {
    table: Arc<Table>,
    id: u64,
}

/// A request in progress; dropping it makes the connection idle.
pub(super) struct Busy(Arc<Ticket>);

impl Table {
    pub(super) fn new(max: usize, max_per_peer: usize) -> Arc<Self> {
        Arc::new(Self { max, max_per_peer, state: Mutex::default(), changed: Notify::new() })
    }

    /// Admits a connection. If there is no room, another one is [evicted](State::evict).
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr, now: Instant) -> Admission {
        let peer = peer.to_canonical();
        let mut state = self.state();
        // All programs of this machine share the address.
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

    /// Resolves when a connection begins to wait for its peer, or ends, after this call.
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

    /// Evicts a connection that waits for its peer, because such connections must not block others: first the one without a request that
    /// has waited for the longest time, then one with a request.
    fn evict(&mut self, now: Instant, is_candidate: impl Fn(&Entry) -> bool) -> bool {
        let evictable = self.open.iter().filter(|(_, entry)| entry.evictable <= now && is_candidate(entry));
        let waiting = evictable.filter_map(|(id, entry)| Some((entry.in_request, entry.waiting_since?, *id)));
        let Some((in_request, _, id)) = waiting.min() else { return false };
        if let Some(entry) = self.open.remove(&id) {
            // A connection that has ended does not receive it.
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

    /// Marks that the request waits for the peer.
    pub(super) fn waits(&self) {
        self.change(|entry, now| entry.waiting_since = entry.waiting_since.or(Some(now)));
        self.table.changed.notify_one();
    }

    /// Marks that the sandbox processes the request.
    pub(super) fn works(&self) {
        self.change(|entry, _| entry.waiting_since = None);
    }

    fn change(&self, change: impl FnOnce(&mut Entry, u64)) {
        let mut state = self.table.state();
        let now = state.tick();
        // An evicted connection has no entry.
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
            // The connection may be evicted at once.
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

    /// Waits until all connections can be evicted.
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
        // The first one had a request later; the second one has one in progress.
        drop(first.0.busy());
        let busy = second.0.busy();
        later().await;
        let mut fourth = admitted(&table, "10.0.0.4");
        assert_eq!([&mut first, &mut second, &mut third, &mut fourth].map(is_evicted), [false, false, true, false]);
        // An evicted connection that ends later frees no second entry.
        drop(third);
        let _fifth = admitted(&table, "10.0.0.5");
        assert_eq!([&mut first, &mut second, &mut fourth].map(is_evicted), [true, false, false]);
        drop(busy);
    }

    #[tokio::test(start_paused = true)]
    async fn busy_connections_are_not_evicted() {
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
    async fn stalled_request_is_evicted_if_no_connection_is_idle() {
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
        // The first one continues.
        all[0].0.works();
        let _working = fifth.0.busy();
        later().await;
        let admit = || table.admit([10, 0, 0, 6].into(), Instant::now());
        assert!(matches!(admit(), Admission::Full(None)));
        // A response that has just begun cannot be evicted either.
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
    async fn loopback_peers_are_limited_by_the_total_only() {
        let table = Table::new(4, 1);
        let mut all = ["127.0.0.1", "127.0.0.1", "::1", "::1"].map(|peer| admitted(&table, peer));
        assert!(!all.iter_mut().any(is_evicted));
    }
}
