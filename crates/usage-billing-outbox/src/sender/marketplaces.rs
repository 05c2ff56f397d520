//! The marketplaces of entitlements, which determine the deadlines of their events.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::watch;
use usage_billing::Result;
use usage_billing::suger::{Client, types::Partner};

use crate::store::{EntitlementWindow, WindowPage};
use crate::windows::window;
use crate::{Outbox, Store};

/// How long an entitlement whose marketplace the vendor does not state is not looked up again.
const RETRY: TimeDelta = TimeDelta::hours(1);
/// How long an entitlement is not looked up again whose lookup did not end in time, or whose marketplace was not stored.
const RETRY_SOON: TimeDelta = TimeDelta::minutes(1);
/// Number of entitlements that are remembered.
const REMEMBERED: usize = 10_000;
/// Number of pages of deadlines that are set before each batch, so that an entitlement with millions of events does not delay others. Also the number of
/// entitlements that are looked up and not stored yet.
const PAGES: usize = 8;
/// Maximum length of the name of a marketplace.
const MAX_NAME: usize = 100;

/// The marketplaces that are being looked up and stored.
#[derive(Debug, Default)]
pub(super) struct Marketplaces {
    /// Entitlements without a marketplace, until when they are not looked up again.
    unknown: HashMap<String, DateTime<Utc>>,
    /// Windows that were found and are not stored yet, with the next page: at most [`PAGES`].
    found: VecDeque<(EntitlementWindow, Option<WindowPage>)>,
    /// Whether windows of another configuration were looked for.
    are_current: bool,
    /// Until when nothing is looked up, because lookups did not end in time.
    paused_until: Option<DateTime<Utc>>,
}

impl Marketplaces {
    /// Looks up some of the marketplaces that are not known. A failed lookup leaves the shortest window.
    pub(super) async fn look_up<S: Store>(&mut self, outbox: &Outbox<S>, client: &Client) -> Result<()> {
        if !self.are_current {
            outbox.store.forget_windows(outbox.windows.clone()).await?;
            self.are_current = true;
        }
        let now = outbox.clock.now();
        self.unknown.retain(|_, until| now < *until);
        let room = PAGES.saturating_sub(self.found.len());
        if room == 0 || self.unknown.len() >= REMEMBERED || self.paused_until.is_some_and(|until| now < until) {
            return Ok(());
        }
        let unknown = outbox.store.unknown_marketplaces(self.unknown.len() + PAGES).await?;
        let is_found = |id: &String| self.found.iter().any(|(window, _)| window.entitlement_id == *id);
        let wanted = unknown.into_iter().filter(|id| !self.unknown.contains_key(id) && !is_found(id)).take(room);
        let wanted: Vec<_> = wanted.collect();
        // A lookup that does not end in time delays no other, and not each batch, however many entitlements there are.
        self.paused_until = Some(now + RETRY_SOON);
        self.unknown.extend(wanted.iter().map(|id| (id.clone(), now + RETRY_SOON)));
        let lookups = wanted.into_iter().map(|id| async move { (client.marketplace_of(&id).await, id) });
        let mut lookups = stream::iter(lookups).buffer_unordered(PAGES);
        while let Some((marketplace, entitlement_id)) = lookups.next().await {
            match marketplace {
                Ok(Some(marketplace)) if is_name(&marketplace) => {
                    self.unknown.remove(&entitlement_id);
                    let window = window(&outbox.windows, Some(&marketplace));
                    let marketplace = marketplace.as_str().to_owned();
                    self.found.push_back((EntitlementWindow { entitlement_id, marketplace, window }, None));
                }
                _ => _ = self.unknown.insert(entitlement_id, now + RETRY),
            }
        }
        self.paused_until = None;
        Ok(())
    }

    /// Stores some of what was found, page by page. The next call continues, and after an error or the end of the sender, a later lookup.
    pub(super) async fn store<S: Store>(&mut self, outbox: &Outbox<S>, interrupted: &watch::Receiver<bool>) {
        for _ in 0..PAGES {
            let Some((window, page)) = self.found.pop_front().filter(|_| !*interrupted.borrow()) else { return };
            match outbox.store.set_window(window.clone(), page).await {
                Ok(None) => {}
                // After the others: those of one with millions of events do not wait for its end.
                Ok(next) => self.found.push_back((window, next)),
                // Events are sent also with the deadlines of the shortest window.
                Err(error) => {
                    let EntitlementWindow { entitlement_id, .. } = window;
                    tracing::warn!(target: "usage_billing::outbox", %error, entitlement_id, "its marketplace was not stored");
                    self.unknown.insert(entitlement_id, outbox.clock.now() + RETRY_SOON);
                }
            }
        }
    }
}

/// Returns whether the vendor states the name of a marketplace, and nothing that a database rejects.
fn is_name(marketplace: &Partner) -> bool {
    let name = marketplace.as_str();
    name.len() <= MAX_NAME && !name.chars().any(char::is_control)
}
