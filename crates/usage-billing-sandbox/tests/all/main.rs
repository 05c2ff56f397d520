//! Tests of the sandbox over HTTP.

mod acronis;
#[cfg(feature = "cli")]
mod cli;
mod connections;
mod dataset;
mod faults;
mod fuzz;
mod genesys;
mod limits;
mod page;
mod request_validation;
mod reset;
mod same_origin;
mod server;
mod suger;
mod vendor_clients;

use chrono::NaiveDate;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use usage_billing_sandbox::{Sandbox, SandboxBuilder};

/// Returns a builder on a day in the middle of a month, after a month of 31 days.
fn builder() -> SandboxBuilder {
    Sandbox::builder().today(NaiveDate::from_ymd_opt(2026, 11, 21).unwrap())
}

/// Creates a client. `reqwest::Client::new()` needs a TLS provider as soon as any crate of the build enables TLS.
fn http() -> reqwest::Client {
    usage_billing_core::http_client().unwrap().no_proxy().build().unwrap()
}

async fn start_acronis(builder: SandboxBuilder) -> (Sandbox, Caller) {
    let sandbox = builder.start().await.unwrap();
    let caller = Caller::acronis(&sandbox).await;
    (sandbox, caller)
}

async fn start_genesys(builder: SandboxBuilder) -> (Sandbox, Caller) {
    let sandbox = builder.start().await.unwrap();
    let caller = Caller::genesys(&sandbox).await;
    (sandbox, caller)
}

async fn start_suger(builder: SandboxBuilder) -> (Sandbox, Caller) {
    let sandbox = builder.start().await.unwrap();
    let caller = Caller::suger(&sandbox);
    (sandbox, caller)
}

struct Caller {
    http: reqwest::Client,
    url: String,
    authorization: String,
}

impl Caller {
    fn new(sandbox: &Sandbox, authorization: String) -> Self {
        Self { http: http(), url: sandbox.url().to_owned(), authorization }
    }

    async fn genesys(sandbox: &Sandbox) -> Self {
        use usage_billing_sandbox::{GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET};
        Self::with_token(sandbox, "/oauth/token", GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET).await
    }

    async fn acronis(sandbox: &Sandbox) -> Self {
        use usage_billing_sandbox::{ACRONIS_CLIENT_ID, ACRONIS_CLIENT_SECRET};
        Self::with_token(sandbox, "/api/2/idp/token", ACRONIS_CLIENT_ID, ACRONIS_CLIENT_SECRET).await
    }

    fn suger(sandbox: &Sandbox) -> Self {
        Self::new(sandbox, format!("Key {}", usage_billing_sandbox::SUGER_API_KEY))
    }

    async fn with_token(sandbox: &Sandbox, path: &str, id: &str, secret: &str) -> Self {
        let (status, token) = ask_token(sandbox, path, id, secret, "client_credentials").await;
        assert_eq!(status, 200, "{token}");
        Self::new(sandbox, format!("Bearer {}", token["access_token"].as_str().unwrap()))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).header("authorization", &self.authorization)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        read(self.request(method, path).json(body).send().await.unwrap()).await
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, body).await
    }
}

async fn ask_token(sandbox: &Sandbox, path: &str, id: &str, secret: &str, grant: &str) -> (StatusCode, Value) {
    let request = http().post(format!("{}{path}", sandbox.url()));
    read(request.basic_auth(id, Some(secret)).form(&[("grant_type", grant)]).send().await.unwrap()).await
}

async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {bytes:?}")))
}
