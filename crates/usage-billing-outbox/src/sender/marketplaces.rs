//! The marketplaces of entitlements, which determine the deadlines of their events.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use futures_util::stream;
use usage_billing::Result;
use usage_billing::suger::Client;

use crate::store::EntitlementWindow;
use crate::windows::window;
use crate::{Outbox, Store};

/// Number of lookups before each batch, so that new entitlements do not delay the events of others.
const LOOKUPS: usize = 16;
/// How long an entitlement whose marketplace the vendor does not state is not looked up again.
const RETRY: TimeDelta = TimeDelta::hours(1);
/// How long an entitlement whose marketplace was not stored is not looked up again.
const RETRY_STORE: TimeDelta = TimeDelta::minutes(1);
/// Number of entitlements that are remembered.
const REMEMBERED: usize = 10_000;

/// Entitlements whose lookup found nothing, or was not stored, until when they are not looked up again.
#[derive(Debug, Default)]
pub(super) struct Marketplaces(HashMap<String, DateTime<Utc>>);

impl Marketplaces {
    /// Looks up some of the marketplaces that are not known. A failed lookup leaves the shortest window.
    pub(super) async fn look_up<S: Store>(&mut self, outbox: &Outbox<S>, client: &Client) -> Result<()> {
        let now = outbox.clock.now();
        self.0.retain(|_, until| now < *until);
        if self.0.len() >= REMEMBERED {
            return Ok(());
        }
        let unknown = outbox.store.unknown_marketplaces(self.0.len() + LOOKUPS).await?;
        let wanted = unknown.into_iter().filter(|id| !self.0.contains_key(id)).take(LOOKUPS);
        let lookups = wanted.map(|id| async move { (client.marketplace_of(&id).await, id) });
        let found: Vec<_> = stream::iter(lookups).buffer_unordered(LOOKUPS).collect().await;
        for (marketplace, entitlement_id) in found {
            match marketplace {
                Ok(Some(marketplace)) => {
                    let window = window(&outbox.windows, Some(&marketplace));
                    let marketplace = marketplace.as_str().to_owned();
                    let window = EntitlementWindow { entitlement_id: entitlement_id.clone(), marketplace, window };
                    // Events are sent also with the deadlines of the shortest window.
                    if let Err(error) = outbox.store.set_window(window).await {
                        tracing::warn!(target: "usage_billing::outbox", %error, entitlement_id, "its marketplace was not stored");
                        self.0.insert(entitlement_id, now + RETRY_STORE);
                    }
                }
                Ok(None) | Err(_) => _ = self.0.insert(entitlement_id, now + RETRY),
            }
        }
        Ok(())
    }
}
