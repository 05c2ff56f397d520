//! One batch: its events go through a queue of the facade, which resolves duplicates, lost responses and late usage.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use usage_billing::suger::{Client, UsageQueue};
use usage_billing::uuid::Uuid;

use super::builder::Options;
use super::outcome::{EventResult, from_receipt, unsendable};
use crate::store::{Attempt, AttemptResult, LeasedBatch};
use crate::{NewEvent, Outbox, Outcome, Store};

/// Sends the events of a lease and returns the result of each. If it is interrupted, the rest is not confirmed.
pub(super) async fn deliver<S: Store>(
    outbox: &Outbox<S>,
    client: &Client,
    options: &Options,
    leased: &LeasedBatch,
    now: DateTime<Utc>,
    interrupted: &mut watch::Receiver<bool>,
) -> Vec<Attempt> {
    let mut queue = queue(outbox, client, options, now);
    let mut results: HashMap<Uuid, EventResult> = HashMap::new();
    for event in &leased.events {
        if let Err(error) = event.usage(outbox.store.org_id()).and_then(|usage| queue.push(usage)) {
            results.insert(event.key, unsendable(&error));
        }
    }
    let finished = tokio::select! {
        biased;
        receipt = queue.flush() => Some(receipt),
        _ = interrupted.wait_for(|is_interrupted| *is_interrupted) => None,
    };
    let receipt = match finished {
        Some(receipt) => receipt,
        None => {
            // Sends nothing, and returns the results so far.
            queue = queue.flush_timeout(Duration::ZERO);
            queue.flush().await
        }
    };
    results.extend(from_receipt(&receipt, &queue));
    let ended_at = outbox.clock.now();
    let attempt = |event: &NewEvent| {
        let result = results.remove(&event.key).unwrap_or_default();
        let EventResult { outcome, status, message, retry_after } = result;
        let (token, body_sha256) = (leased.token, event.body_sha256());
        let result = AttemptResult { token, started_at: now, ended_at, body_sha256, outcome, status, message };
        Attempt { key: event.key, result, retry_after }
    };
    leased.events.iter().map(attempt).collect()
}

fn queue<S: Store>(outbox: &Outbox<S>, client: &Client, options: &Options, now: DateTime<Utc>) -> UsageQueue {
    let queue = client.clone().with_now(now).usage_queue();
    let queue = queue.concurrency(options.concurrency).flush_timeout(options.flush_timeout);
    let queue = queue.marketplace_windows(outbox.windows.clone()).reject_late_usage();
    if options.validates { queue.validate_first() } else { queue }
}

/// Returns whether a batch reached no vendor: no event has a result, of more than one entitlement. One entitlement has a delay of its own.
pub(super) fn is_failure(attempts: &[Attempt], leased: &LeasedBatch) -> bool {
    let entitlements: HashSet<_> = leased.events.iter().map(|event| &event.entitlement_id).collect();
    let is_open = |attempt: &Attempt| matches!(attempt.result.outcome, Outcome::NotSent | Outcome::Unknown);
    entitlements.len() > 1 && attempts.iter().all(is_open)
}
