//! The reset, which returns a sandbox to its start.

use std::time::Duration;

use serde_json::{Value, json};
use usage_billing_sandbox::{ACRONIS_TENANT_ID, Bill, Sandbox};

use crate::{Caller, builder, http, read};

async fn get(sandbox: &Sandbox, path: &str) -> Value {
    read(http().get(format!("{}{path}", sandbox.url())).send().await.unwrap()).await.1
}

/// Returns all that the pages show, but the time.
async fn state(sandbox: &Sandbox) -> Value {
    let mut state = get(sandbox, "/_sandbox/state").await;
    state.as_object_mut().unwrap().remove("now");
    state
}

/// Changes all that can be changed; returns a caller with a token.
async fn change(sandbox: &Sandbox) -> Caller {
    sandbox.advance(Duration::from_secs(40 * 86_400));
    sandbox.inject("429; operation=reportUsageRecordGroup; times=1".parse().unwrap()).unwrap();
    let (acronis, suger) = (Caller::acronis(sandbox).await, Caller::suger(sandbox));
    let order = json!({
        "parameters": {
            "kind": "usage_summary", "level": "direct_partners", "tenant_id": ACRONIS_TENANT_ID,
            "period": {"start": "2026-10-01", "end": "2026-10-31"}, "formats": ["csv_v2_0"],
        },
        "schedule": {"type": "once"}, "result_action": "save",
    });
    assert!(acronis.post("/api/2/reports", &order).await.0.is_success());
    assert_eq!(suger.get("/org/sgr-demo1/buyer").await.0, 503);
    let group =
        json!({"id": "new", "organizationID": "sgr-demo1", "entitlementID": "ent-aws01", "records": {"api_calls": 1}});
    let path = "/org/sgr-demo1/entitlement/ent-aws01/usageRecordGroup";
    assert_eq!(suger.post(path, &group).await.0, 429);
    assert!(suger.post(path, &group).await.0.is_success());
    acronis
}

#[tokio::test]
async fn reset_returns_to_the_start() {
    let sandbox = builder().fault("503; operation=listBuyers; times=1".parse().unwrap()).start().await.unwrap();
    let (start, expected, bill) = (sandbox.now(), get(&sandbox, "/_sandbox/expected").await, state(&sandbox).await);
    for _ in 0..2 {
        let acronis = change(&sandbox).await;
        assert_ne!(state(&sandbox).await, bill);
        let reset = http().post(format!("{}/_sandbox/reset", sandbox.url()));
        let (status, body) = read(reset.send().await.unwrap()).await;
        assert_eq!(status, 200);
        assert!(body["now"].as_str().unwrap().starts_with("2026-11-21T12:0"), "{body}");
        assert_eq!(state(&sandbox).await, bill);
        assert_eq!(get(&sandbox, "/_sandbox/expected").await, expected);
        assert!(sandbox.requests().is_empty() && (sandbox.now() - start).num_days() == 0);
        // Its token is unknown, and its request is the first one of the log.
        assert_eq!(acronis.get("/api/2/clients/x").await.0, 401);
        assert_eq!(sandbox.requests()[0].number, 1);
        // The faults of the start are there again, also those that had been injected.
        assert_eq!(Caller::suger(&sandbox).get("/org/sgr-demo1/buyer").await.0, 503);
        sandbox.reset();
    }
}

#[tokio::test]
async fn sandbox_refers_to_the_state_after_a_reset() {
    let sandbox = builder().start().await.unwrap();
    change_and_reset(&sandbox).await;
    sandbox.advance(Duration::from_secs(86_400));
    let now = get(&sandbox, "/_sandbox/clock").await;
    assert!(now["now"].as_str().unwrap().starts_with("2026-11-22T12:"), "{now}");
    sandbox.inject("503; operation=listBuyers".parse().unwrap()).unwrap();
    assert_eq!(Caller::suger(&sandbox).get("/org/sgr-demo1/buyer").await.0, 503);
    sandbox.clear_faults();
    assert_eq!(Caller::suger(&sandbox).get("/org/sgr-demo1/buyer").await.0, 200);
    assert_eq!(sandbox.requests().len(), 2);
    let october = "2026-10-01T00:00:00Z".parse().unwrap().."2026-11-01T00:00:00Z".parse().unwrap();
    assert!(!sandbox.expected_usage(&Bill::Suger, october).is_empty());
}

async fn change_and_reset(sandbox: &Sandbox) {
    sandbox.advance(Duration::from_secs(3));
    Caller::suger(sandbox).get("/org/sgr-demo1/buyer").await;
    sandbox.reset();
}

#[tokio::test]
async fn reset_is_a_post() {
    let sandbox = builder().start().await.unwrap();
    Caller::suger(&sandbox).get("/org/sgr-demo1/buyer").await;
    let response = http().get(format!("{}/_sandbox/reset", sandbox.url())).send().await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(sandbox.requests().len(), 1);
}
