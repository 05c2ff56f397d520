//! Random requests while faults change responses, and random faults in headers.

use fastrand::Rng;
use reqwest::Method;
use usage_billing_sandbox::{Fault, FaultKind};

use super::operations::run;
use super::seeds;
use super::values::pick;
use crate::{builder, start_suger};

#[tokio::test]
async fn random_requests_under_faults_return_no_500() {
    for seed in seeds(4) {
        let builder = builder()
            .fault(Fault::new(FaultKind::ExtraFields {}).percent(10))
            .fault(Fault::new(FaultKind::UnknownEnum { pointer: None, value: "Q".to_owned() }).percent(10))
            .fault_seed(seed);
        run(builder, seed).await;
    }
}

#[tokio::test]
async fn random_faults_are_parsed_or_rejected() {
    let (_sandbox, caller) = start_suger(builder()).await;
    let mut random = Rng::with_seed(3);
    let words: Vec<&str> =
        "503 latency reset_before slow_body unknown_enum ; = times=1 percent=50 { } \"kind\" : status , null - \
                            pointer=/a as_date retry_after=4294967295 clock_skew;seconds=2147483647 \
                            clock_skew;seconds=-2147483648 429 null_lists"
            .split_ascii_whitespace()
            .collect();
    for _ in 0..500 {
        let text: String = (0..random.usize(1..6)).map(|_| pick(&mut random, &words).to_owned() + ";").collect();
        let request = caller.request(Method::GET, "/org/sgr-demo1/buyer").header("x-sandbox-fault", &text);
        if let Ok(response) = request.send().await {
            let status = response.status().as_u16();
            assert!([200, 400, 429, 503].contains(&status), "{text}: {status}");
        }
    }
    assert_eq!(caller.get("/org/sgr-demo1/buyer").await.0, 200);
}
