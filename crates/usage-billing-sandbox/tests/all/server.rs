use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;

use crate::{Caller, builder, start_suger};

const TENANTS: &str = "/api/2/clients/x";
const QUERIES: &str = "/api/v2/usage/query/x/results";

#[tokio::test]
async fn tokens_expire() {
    let sandbox = builder().token_lifetime(Duration::from_secs(3600)).start().await.unwrap();
    let acronis = Caller::acronis(&sandbox).await;
    let genesys = Caller::genesys(&sandbox).await;
    assert_eq!((acronis.get(TENANTS).await.0.as_u16(), genesys.get(QUERIES).await.0.as_u16()), (404, 404));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3600)).await;
    tokio::time::resume();
    let (status, error) = genesys.get(QUERIES).await;
    assert_eq!((status.as_u16(), &error["code"]), (401, &json!("credentials.expired")));
    let (status, error) = acronis.get(TENANTS).await;
    assert_eq!((status.as_u16(), &error["error"]["code"]), (401, &json!("401")));
    assert_eq!(Caller::acronis(&sandbox).await.get(TENANTS).await.0, 404);
}

#[tokio::test]
async fn two_sandboxes_at_once_share_nothing() {
    let (one, two) = (builder().start().await.unwrap(), builder().start().await.unwrap());
    assert_ne!(one.url(), two.url());
    let mut caller = Caller::genesys(&one).await;
    let query = json!({"interval": "2026-10/2026-10"});
    let (_, execution) = caller.post("/api/v2/usage/query", &query).await;
    let results = execution["resultsUri"].as_str().unwrap();
    assert_eq!(caller.get(results).await.0, 200);
    caller.url = two.url().to_owned();
    assert_eq!(caller.get(results).await.1["code"], "bad.credentials");
    assert_eq!(Caller::genesys(&two).await.get(results).await.0, 404);

    let group =
        json!({"id": "g", "organizationID": "sgr-demo1", "entitlementID": "ent-azu01", "records": {"seats": 2}});
    let path = "/org/sgr-demo1/entitlement/ent-azu01/usageRecordGroup";
    for sandbox in [&one, &two] {
        assert_eq!(Caller::suger(sandbox).post(path, &group).await.0, 200);
    }
}

#[tokio::test]
async fn last_thousand_requests_are_logged() {
    let (sandbox, caller) = start_suger(builder()).await;
    caller.get("/org/sgr-demo1/buyer?limit=1").await;
    let log = sandbox.requests();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].to_string(), "GET /org/sgr-demo1/buyer?limit=1");
    assert_eq!(
        (&*log[0].method, &*log[0].path, log[0].query.as_deref()),
        ("GET", "/org/sgr-demo1/buyer", Some("limit=1"))
    );
    for _ in 0..1000 {
        caller.get("/org/sgr-demo1/product").await;
    }
    assert!(
        sandbox.requests().len() == 1000 && sandbox.requests().iter().all(|request| request.path.ends_with("product"))
    );
}

#[tokio::test]
async fn unknown_path_error_names_the_vendors_paths() {
    let (_sandbox, caller) = start_suger(builder()).await;
    for path in ["/api", "/api/v1/x", "/%FF"] {
        let (status, body) = caller.get(path).await;
        assert_eq!(status, 404);
        let message = body["message"].as_str().unwrap();
        assert!(["/api/v2", "/org", "/api/2"].iter().all(|prefix| message.contains(prefix)), "{message}");
    }
}

#[tokio::test]
async fn sandbox_stops_on_shutdown_and_drop() {
    for is_set in [true, false] {
        let sandbox = builder().start().await.unwrap();
        let address = sandbox.url().trim_start_matches("http://").to_owned();
        assert!(TcpStream::connect(&address).await.is_ok());
        if is_set {
            sandbox.shut_down().await;
        } else {
            drop(sandbox);
        }
        let mut tries = 0;
        while TcpStream::connect(&address).await.is_ok() {
            tries += 1;
            assert!(tries < 1000, "still there");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn port_in_use_is_an_error() {
    let sandbox = builder().start().await.unwrap();
    let port = sandbox.url().rsplit(':').next().unwrap().parse().unwrap();
    assert!(builder().port(port).start().await.is_err());
}
