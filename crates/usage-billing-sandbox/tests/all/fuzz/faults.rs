//! Random requests while faults change responses, and random faults in headers.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use reqwest::Method;
use usage_billing_sandbox::{Fault, FaultKind};

use super::operations::{Step, run, steps};
use super::{REQUESTS, check, runtime};
use crate::{builder, start_suger};

/// Parts of faults.
const PARTS: &str = "503 latency reset_before slow_body unknown_enum ; = times=1 percent=50 { } \"kind\" : status , null - pointer=/a \
    as_date retry_after=4294967295 clock_skew;seconds=2147483647 clock_skew;seconds=-2147483648 429 null_lists";

#[test]
fn random_requests_under_faults_return_no_500() {
    check(&runtime(), 20, (any::<u64>(), steps(1..=REQUESTS)), async |(seed, steps): (u64, Vec<Step>)| {
        let builder = builder()
            .fault(Fault::new(FaultKind::ExtraFields {}).percent(10))
            .fault(Fault::new(FaultKind::UnknownEnum { pointer: None, value: "Q".to_owned() }).percent(10))
            .fault_seed(seed);
        run(builder, &steps).await;
    });
}

#[test]
fn random_faults_are_parsed_or_rejected() {
    let runtime = runtime();
    let (_sandbox, caller) = runtime.block_on(start_suger(builder()));
    let parts = PARTS.split_ascii_whitespace().collect::<Vec<_>>();
    let fault = vec(select(parts).prop_map(|part| format!("{part};")), 1..6).prop_map(|parts| parts.concat());
    check(&runtime, 300, fault, async |text: String| {
        let request = caller.request(Method::GET, "/org/sgr-demo1/buyer").header("x-sandbox-fault", &text);
        if let Ok(response) = request.send().await {
            let status = response.status().as_u16();
            assert!([200, 400, 429, 503].contains(&status), "{text}: {status}");
        }
    });
    assert_eq!(runtime.block_on(caller.get("/org/sgr-demo1/buyer")).0, 200);
}
