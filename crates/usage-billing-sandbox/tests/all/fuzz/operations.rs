//! Sequences of random requests, which refer to ids of earlier responses.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use usage_billing_sandbox::SandboxBuilder;

use super::call::{Call, call};
use super::found_ids::FoundIds;
use super::{REQUESTS, Target, check, excerpt, parsed, runtime};
use crate::builder;

/// Operations with a documented 500: Suger's batch validation reports each violation with it.
const DOCUMENTED_500: [&str; 1] = ["batchValidateUsageRecordGroups"];

/// A request, and how far the clock is advanced before it.
pub(super) type Step = (Call, Option<u64>);

/// The length of one long sequence: few enough that the sandbox's memory is never full.
const LONG: usize = 500;

/// Returns requests to one sandbox.
pub(super) fn steps(length: RangeInclusive<usize>) -> impl Strategy<Value = Vec<Step>> {
    vec((call(), weighted(0.02, 0..40_000_u64)), length)
}

/// Sends requests to a new sandbox, and returns the number of successful ones.
pub(super) async fn run(builder: SandboxBuilder, steps: &[Step]) -> usize {
    let (target, mut found, mut successes) = (Target::start(builder).await, FoundIds::default(), 0);
    for (call, advanced) in steps {
        if let Some(seconds) = advanced {
            target.sandbox.advance(Duration::from_secs(*seconds));
        }
        let request = call.request(&target, &found);
        let response = target.ask(&request).await;
        let Some((status, body)) = parsed(&response) else {
            panic!("no response: {response:?}: {}", excerpt(&request))
        };
        let is_documented = status < 500 || DOCUMENTED_500.contains(&call.operation);
        assert!(is_documented, "{status} {}: {}", String::from_utf8_lossy(body), excerpt(&request));
        successes += usize::from(status < 300);
        if let Ok(response) = serde_json::from_slice(body) {
            found.collect(&response);
        }
    }
    target.assert_alive().await;
    successes
}

#[test]
fn random_operations_return_no_500() {
    let (requests, successes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for (cases, length) in [(1, LONG..=LONG), (40, 1..=REQUESTS)] {
        check(&runtime(), cases, steps(length), async |steps: Vec<Step>| {
            requests.fetch_add(steps.len(), Ordering::Relaxed);
            successes.fetch_add(run(builder(), &steps).await, Ordering::Relaxed);
        });
    }
    // Otherwise all requests would be rejected early.
    let (requests, successes) = (requests.into_inner(), successes.into_inner());
    assert!(successes > requests / 12, "only {successes} of {requests} requests were successful");
}
