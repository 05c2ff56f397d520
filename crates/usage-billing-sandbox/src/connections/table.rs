//! Which connections are open, and which one ends for a new one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// A new connection has this time to send a request before it can be evicted: of many callers at once, each gets its turn.
const NEW_FOR: Duration = Duration::from_secs(1);

/// The open connections of a sandbox, of which there are at most a given number.
pub(super) struct Table {
    max: usize,
    max_per_peer: usize,
    state: Mutex<State>,
    /// A connection became idle or ended.
    changed: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    open: BTreeMap<u64, Entry>,
}

struct Entry {
    peer: IpAddr,
    /// Since when no request is under way, as a number that grows; `None` during a request.
    idle_since: Option<u64>,
    /// From when on it can be evicted while it is idle.
    evictable: Instant,
    /// Dropping it is the signal.
    _evict: oneshot::Sender<()>,
}

/// What becomes of a new connection.
pub(super) enum Admission {
    Admitted(Ticket, oneshot::Receiver<()>),
    /// Its peer has as many as one may have, all with a request under way.
    PeerFull,
    /// All connections have a request under way, or are new; until the first of these can be evicted.
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

    /// Admits a connection. If there is no room, the connection that has been idle for the longest time is evicted: one that never sent a
    /// request, or that waits for another one, must not lock others out.
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
            let idle = state.open.values().filter(|entry| entry.idle_since.is_some());
            return Admission::Full(idle.map(|entry| entry.evictable).min());
        }
        let (id, idle_since) = (state.tick(), state.tick());
        let (evict, evicted) = oneshot::channel();
        state.open.insert(id, Entry { peer, idle_since: Some(idle_since), evictable: now + NEW_FOR, _evict: evict });
        Admission::Admitted(Ticket { table: self.clone(), id }, evicted)
    }

    /// Resolves when a connection became idle or ended after this call.
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

    /// Ends the connection that has been idle for the longest time, if any is.
    fn evict(&mut self, now: Instant, is_candidate: impl Fn(&Entry) -> bool) -> bool {
        let idle = self.open.iter().filter(|(_, entry)| entry.evictable <= now && is_candidate(entry));
        let oldest = idle.filter_map(|(id, entry)| Some((entry.idle_since?, *id))).min();
        oldest.and_then(|(_, id)| self.open.remove(&id)).is_some()
    }
}

impl Ticket {
    /// Marks the start of a request.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        if let Some(entry) = self.table.state().open.get_mut(&self.id) {
            entry.idle_since = None;
        }
        Busy(self.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let ticket = &self.0;
        let mut state = ticket.table.state();
        let now = state.tick();
        if let Some(entry) = state.open.get_mut(&ticket.id) {
            entry.idle_since = Some(now);
            // It had its turn.
            entry.evictable = Instant::now();
        }
        drop(state);
        ticket.table.changed.notify_one();
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

    type Open = (Arc<Ticket>, oneshot::Receiver<()>);

    fn admitted(table: &Arc<Table>, peer: &str) -> Open {
        match table.admit(peer.parse().unwrap(), Instant::now()) {
            Admission::Admitted(ticket, evicted) => (Arc::new(ticket), evicted),
            Admission::PeerFull => panic!("the peer has no room"),
            Admission::Full(_) => panic!("there is no room"),
        }
    }

    /// Until no connection is new.
    async fn later() {
        tokio::time::advance(NEW_FOR).await;
    }

    fn is_evicted(open: &mut Open) -> bool {
        open.1.try_recv() == Err(oneshot::error::TryRecvError::Closed)
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
    async fn busy_connections_are_not_evicted() {
        let table = Table::new(2, 2);
        let (first, second) = (admitted(&table, "127.0.0.1"), admitted(&table, "127.0.0.1"));
        let admit = || table.admit([127, 0, 0, 1].into(), Instant::now());
        assert!(matches!(admit(), Admission::Full(Some(at)) if at == Instant::now() + NEW_FOR), "they are new");
        let (busy, _other) = (first.0.busy(), second.0.busy());
        later().await;
        assert!(matches!(admit(), Admission::Full(None)));
        drop(busy);
        assert!(matches!(admit(), Admission::Admitted(..)));
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
