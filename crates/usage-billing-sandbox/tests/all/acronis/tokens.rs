//! Tokens that are bound to a tenant, and both paths of the endpoint.

use reqwest::StatusCode;
use serde_json::{Value, json};
use usage_billing_sandbox as demo;
use usage_billing_sandbox::Sandbox;

use crate::{Caller, ask_token, builder, http, read};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

async fn exchange(sandbox: &Sandbox, assertion: &str, scope: &str) -> (StatusCode, Value) {
    let form = [("grant_type", EXCHANGE), ("assertion", assertion), ("scope", scope)];
    let request = http().post(format!("{}/bc/idp/token", sandbox.url())).bearer_auth(assertion).form(&form);
    read(request.send().await.unwrap()).await
}

fn scope(tenant: &str) -> String {
    format!("openid urn:acronis.com:tenant-id:{tenant}")
}

#[tokio::test]
async fn token_is_exchanged_for_a_tenant_and_its_subtree() {
    let sandbox = builder().start().await.unwrap();
    let partner = Caller::acronis(&sandbox).await;
    let token = partner.authorization.trim_start_matches("Bearer ").to_owned();
    let (_, children) = partner.get(&format!("/api/2/tenants/{}/children", demo::ACRONIS_TENANT_ID)).await;
    let children: Vec<&str> = children["items"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let (child, other) = (children[0], children[1]);

    let (status, bound) = exchange(&sandbox, &token, &scope(child)).await;
    assert_eq!((status.as_u16(), &bound["token_type"]), (200, &json!("bearer")));
    let bound = bound["access_token"].as_str().unwrap();
    let caller = Caller::new(&sandbox, format!("Bearer {bound}"));
    assert_eq!(caller.get(&format!("/api/2/tenants/{child}")).await.0, 200);
    for path in [format!("/api/2/tenants/{other}"), format!("/api/2/tenants/{}/usages", demo::ACRONIS_TENANT_ID)] {
        let (status, body) = caller.get(&path).await;
        assert_eq!((status.as_u16(), &body["error"]["code"]), (403, &json!(1002)), "{path}");
    }
    // A bound token cannot be exchanged for a wider one.
    assert_eq!(exchange(&sandbox, bound, &scope(child)).await.0, 200);
    assert_eq!(exchange(&sandbox, bound, &scope(other)).await.1["error"], "access_denied");
}

#[tokio::test]
async fn form_boolean_is_validated() {
    let sandbox = builder().start().await.unwrap();
    for (flag, status) in [("true", 200), ("false", 200), ("perhaps", 400)] {
        let form = [("grant_type", "client_credentials"), ("not_required_introspection", flag)];
        let request = http().post(format!("{}/api/2/idp/token", sandbox.url())).form(&form);
        let request = request.basic_auth(demo::ACRONIS_CLIENT_ID, Some(demo::ACRONIS_CLIENT_SECRET));
        let (returned, body) = read(request.send().await.unwrap()).await;
        assert_eq!(returned, status, "{flag}");
        assert_eq!(body["error"] == "invalid_request", status == 400, "{body}");
    }
}

#[tokio::test]
async fn invalid_exchange_is_rejected_with_the_code_of_the_rfc() {
    let sandbox = builder().start().await.unwrap();
    let token = Caller::acronis(&sandbox).await.authorization.trim_start_matches("Bearer ").to_owned();
    let unknown = scope("00000000-0000-4000-8000-000000000000");
    for (assertion, scope, status, error) in [
        ("", &*scope(demo::ACRONIS_TENANT_ID), 400, "invalid_request"),
        ("made-up", &*scope(demo::ACRONIS_TENANT_ID), 400, "invalid_grant"),
        (&*token, "openid", 400, "invalid_scope"),
        (&*token, &*unknown, 403, "access_denied"),
    ] {
        let (given, body) = exchange(&sandbox, assertion, scope).await;
        assert_eq!((given.as_u16(), &body["error"]), (status, &json!(error)), "{body}");
    }
}

#[tokio::test]
async fn both_paths_issue_tokens() {
    let sandbox = builder().start().await.unwrap();
    let (id, secret) = (demo::ACRONIS_CLIENT_ID, demo::ACRONIS_CLIENT_SECRET);
    for path in ["/api/2/idp/token", "/bc/idp/token"] {
        assert_eq!(ask_token(&sandbox, path, id, secret, "client_credentials").await.0, 200, "{path}");
        assert_eq!(sandbox.requests().last().unwrap().operation, Some("issue_token"));
    }
}
