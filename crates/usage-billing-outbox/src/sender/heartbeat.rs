//! Signs of life of a sender.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use usage_billing::Result;

use crate::store::Heartbeat;
use crate::{Outbox, Store};

/// Stores a sign of life.
pub(super) async fn beat<S: Store>(outbox: &Outbox<S>, heartbeat: &mut Heartbeat) -> Result<()> {
    let beat = Heartbeat { beat_at: Some(outbox.clock.now()), ..heartbeat.clone() };
    outbox.store.beat(beat.clone()).await?;
    *heartbeat = beat;
    Ok(())
}

/// Stores signs of life while `work` is done.
pub(super) async fn beating<S: Store, T>(
    outbox: &Outbox<S>,
    heartbeat: &mut Heartbeat,
    interval: Duration,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    loop {
        if let Ok(done) = tokio::time::timeout(interval, work.as_mut()).await {
            return done;
        }
        // The work goes on: a store that hangs would leave responses unread.
        match select(work.as_mut(), pin!(beat(outbox, heartbeat))).await {
            Either::Left((done, _)) => return done,
            Either::Right((Ok(()), _)) => {}
            Either::Right((Err(error), _)) => {
                tracing::warn!(target: "usage_billing::outbox", %error, "no sign of life was stored");
            }
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_ends_does_not_wait_for_a_sign_of_life() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::SqliteStore::open(folder.path().join("usage.sqlite"), "acme").await.unwrap();
        let mut heartbeat = Heartbeat::default();
        // The first look at the work is before the sign of life.
        let work = async {
            tokio::task::yield_now().await;
            7
        };
        assert_eq!(beating(&Outbox::new(store), &mut heartbeat, Duration::ZERO, work).await, 7);
        assert_eq!(heartbeat.beat_at, None);
    }
}
