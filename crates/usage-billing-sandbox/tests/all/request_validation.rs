use serde_json::{Value, json};

use crate::{Caller, builder, read};

#[tokio::test]
async fn violations_get_the_vendor_s_400() {
    let sandbox = builder().start().await.unwrap();
    let (genesys, acronis) = (Caller::genesys(&sandbox).await, Caller::acronis(&sandbox).await);
    let suger = Caller::suger(&sandbox);

    let (status, error) = genesys.get("/api/v2/billing/trusteebillingoverview/x?billingPeriodIndex=3000000000").await;
    assert_eq!((status.as_u16(), &error["code"], &error["status"]), (400, &json!("invalid.value"), &json!(400)));
    assert!(error["contextId"].is_string());

    let (status, error) = suger.get("/org/sgr-demo1/buyer?limit=1001").await;
    assert_eq!(status, 400);
    assert!(error.as_str().unwrap().contains("limit"), "{error}");

    let (status, error) = acronis.get("/api/2/tenants/x/children?allow_deleted=perhaps").await;
    assert_eq!((status.as_u16(), &error["error"]["code"]), (400, &json!(400)));
    assert!(error["error"]["details"]["info"].as_str().unwrap().contains("allow_deleted"), "{error}");
}

#[tokio::test]
async fn invalid_credentials_are_rejected_before_violations() {
    let sandbox = builder().start().await.unwrap();
    let stranger = Caller::new(&sandbox, "Key wrong".to_owned());
    for path in ["/org/sgr-demo1/buyer?limit=x", "/api/2/tenants?limit=x", "/api/v2/license/users?pageSize=x"] {
        assert_eq!(stranger.get(path).await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn body_is_validated_at_all_levels() {
    let sandbox = builder().start().await.unwrap();
    let suger = Caller::suger(&sandbox);
    let path = "/org/sgr-demo1/entitlement/ent-aws01/usageRecordGroup";
    let group = |more: Value| {
        let mut group =
            json!({"organizationID": "sgr-demo1", "entitlementID": "ent-aws01", "records": {"ingest_gb": 1}});
        group.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        group
    };
    for (more, word) in [
        (json!({"records": {"ingest_gb": "1"}}), "records.ingest_gb"),
        (json!({"records": []}), "records"),
        (json!({"timestamp": "noon"}), "timestamp"),
        (json!({"id": 7}), "id"),
        (json!({"entitlementID": null}), "entitlementID"),
    ] {
        let (status, error) = suger.post(path, &group(more)).await;
        assert_eq!(status, 400, "{error}");
        assert!(error.as_str().unwrap().contains(word), "{error}");
    }
    assert_eq!(suger.post(path, &group(json!({"timestamp": null, "later": 1}))).await.0, 200);
}

#[tokio::test]
async fn strictness_applies_to_sandbox_or_request() {
    let lenient = builder().start().await.unwrap();
    let strict = builder().strict(true).start().await.unwrap();
    for (path, header, strictly) in [
        ("/org/sgr-demo1/buyer?limit=1", "x-sandbox-a", 200),
        ("/org/sgr-demo1/buyer?limit=1&cursor=1", "x-sandbox-a", 400),
        ("/org/sgr-demo1/buyer?limit=1", "x-api-key", 400),
    ] {
        for (sandbox, switch, wanted) in [
            (&lenient, None, 200),
            (&lenient, Some("true"), strictly),
            (&strict, None, strictly),
            (&strict, Some("false"), 200),
        ] {
            let request = Caller::suger(sandbox).request(reqwest::Method::GET, path).header(header, "1");
            let request = switch.into_iter().fold(request, |request, on| request.header("x-sandbox-strict", on));
            assert_eq!(request.send().await.unwrap().status().as_u16(), wanted, "{path} {header} {switch:?}");
        }
    }
    let odd = Caller::suger(&lenient).request(reqwest::Method::GET, "/org/sgr-demo1/buyer");
    let (status, error) = read(odd.header("x-sandbox-strict", "yes").send().await.unwrap()).await;
    assert_eq!(
        (status.as_u16(), &error),
        (400, &json!({"message": "Invalid X-Sandbox-Strict: expected true or false."}))
    );
    let (status, error) = Caller::genesys(&strict)
        .await
        .post("/api/v2/usage/query", &json!({"interval": "2026-09/2026-10", "interwal": 1}))
        .await;
    assert_eq!(status, 400);
    assert!(error["message"].as_str().unwrap().contains("interwal"), "{error}");
}
