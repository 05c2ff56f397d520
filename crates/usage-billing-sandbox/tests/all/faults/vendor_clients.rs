//! Retries of the vendor crates' clients after faults.

use std::time::Duration;

use tokio::time::Instant;
use usage_billing_sandbox as demo;
use usage_billing_sandbox::{Fault, Sandbox};

use crate::builder;
use crate::vendor_clients::{acronis_client, genesys_client, send, suger_client};

fn fault(text: &str) -> Fault {
    text.parse().unwrap()
}

fn statuses(sandbox: &Sandbox) -> Vec<Option<u16>> {
    sandbox.requests().iter().map(|request| request.status).collect()
}

#[tokio::test]
async fn usage_with_id_is_resent_after_lost_response() {
    let sandbox =
        builder().fault(fault("reset_after; times=1; operation=reportUsageRecordGroup")).start().await.unwrap();
    let client = suger_client(&sandbox);
    let sent = send(&client, Some("mine")).await;
    assert_eq!(statuses(&sandbox), [None, Some(409)]);
    // The client may return success or the conflict: the group exists once.
    if let Err(error) = sent {
        assert!(error.to_string().contains("exists already"), "{error}");
    }
    let mine = client.list_usage_record_groups().org_id(demo::SUGER_ORG_ID).offset(0).send().await.unwrap();
    assert!(!mine.usage_record_groups.is_empty());
}

#[tokio::test]
async fn usage_without_id_is_not_resent_after_lost_response() {
    let sandbox =
        builder().fault(fault("reset_after; times=1; operation=reportUsageRecordGroup")).start().await.unwrap();
    assert!(send(&suger_client(&sandbox), None).await.is_err());
    assert_eq!(statuses(&sandbox), [None]);
}

#[tokio::test]
async fn client_waits_for_both_forms_of_retry_after() {
    for text in ["429; retry_after=40; times=1", "429; retry_after=40; as_date; times=1"] {
        let sandbox = builder().fault(fault(text)).start().await.unwrap();
        let client = suger_client(&sandbox);
        tokio::time::pause();
        let since = Instant::now();
        send(&client, None).await.unwrap();
        let waited = since.elapsed();
        tokio::time::resume();
        assert!((Duration::from_secs(39)..Duration::from_secs(42)).contains(&waited), "{text}: {waited:?}");
        assert_eq!(statuses(&sandbox), [Some(429), Some(200)], "{text}");
    }
}

#[tokio::test]
async fn genesys_client_waits_for_the_rate_limit() {
    use usage_billing_sandbox::Vendor;
    let sandbox = builder().requests_per_minute(Vendor::Genesys, Some(2)).start().await.unwrap();
    let client = genesys_client(&sandbox);
    let overview = || {
        let request = client.get_billing_trusteebillingoverview_trustor_org_id();
        request.trustor_org_id(demo::GENESYS_TRUSTOR_ORG_ID).send()
    };
    overview().await.unwrap();
    overview().await.unwrap();
    tokio::time::pause();
    let since = Instant::now();
    overview().await.unwrap();
    assert!(since.elapsed() >= Duration::from_secs(55), "{:?}", since.elapsed());
}

#[tokio::test]
async fn expired_token_is_renewed_and_request_resent() {
    let sandbox = builder().start().await.unwrap();
    let client = acronis_client(&sandbox);
    let own: uuid::Uuid = demo::ACRONIS_CLIENT_ID.parse().unwrap();
    client.get_client().client_id(own).send().await.unwrap();
    sandbox.advance(Duration::from_secs(8_000));
    client.get_client().client_id(own).send().await.unwrap();
    assert_eq!(statuses(&sandbox), [200, 200, 401, 200, 200].map(Some));
}

#[tokio::test]
async fn client_accepts_unknown_values_extra_fields_and_null_lists() {
    let sandbox = builder().start().await.unwrap();
    let client = suger_client(&sandbox);
    for text in ["unknown_enum", "extra_fields", "null_lists"] {
        sandbox.inject(fault(text).times(1)).unwrap();
        let page = client.list_usage_record_groups().org_id(demo::SUGER_ORG_ID).send().await;
        assert!(page.is_ok(), "{text}: {page:?}");
        assert_eq!(sandbox.requests().last().unwrap().faults.len(), 1, "{text}");
    }
}
