//! The three vendors: the differences that a shared harness needs.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use usage_billing_core::{ClientBuilder, RetryPolicy};

use crate::{Call, Document, Request, ScriptedResponse, ScriptedServer, calls};

/// A vendor's client and conventions.
pub trait Vendor {
    /// The client.
    type Client: Clone + Send + 'static;

    /// Header with the id of a request in the vendor's logs, if there is one.
    const REQUEST_ID: Option<&str>;

    /// `Authorization` header that a client of [`client`](Self::client) sends.
    const AUTHORIZATION: &str;

    /// Returns the vendor's OpenAPI document.
    fn document() -> &'static Document;

    /// Returns a builder of a client of a server on loopback.
    fn client(url: &str) -> ClientBuilder<Self::Client>;

    /// Returns a call of each operation.
    fn calls() -> Vec<Call<Self::Client>>;

    /// Returns an error body for a status of which the document has no example.
    fn error(status: u16) -> ErrorExample;
}

/// An error body, and the code and message that the client reads from it.
pub struct ErrorExample {
    /// The body, JSON.
    pub body: String,
    /// The vendor's code.
    pub code: Option<String>,
    /// The vendor's message.
    pub message: String,
}

/// Genesys Cloud.
pub struct Genesys;

impl Vendor for Genesys {
    type Client = usage_billing_genesys::Client;
    const REQUEST_ID: Option<&str> = Some("inin-correlation-id");
    const AUTHORIZATION: &str = "Bearer t";

    fn document() -> &'static Document {
        Document::genesys()
    }

    fn client(url: &str) -> ClientBuilder<Self::Client> {
        crate::genesys(url).rate_limit(None)
    }

    fn calls() -> Vec<Call<Self::Client>> {
        calls::genesys()
    }

    fn error(status: u16) -> ErrorExample {
        ErrorExample {
            body: format!(
                r#"{{"message":"message {status}","code":"code.{status}","status":{status},"contextId":"c-7"}}"#
            ),
            code: Some(format!("code.{status}")),
            message: format!("message {status}"),
        }
    }
}

/// Suger.
pub struct Suger;

impl Vendor for Suger {
    type Client = usage_billing_suger::Client;
    const REQUEST_ID: Option<&str> = Some("x-correlation-id");
    const AUTHORIZATION: &str = "Key hush-key";

    fn document() -> &'static Document {
        Document::suger()
    }

    fn client(url: &str) -> ClientBuilder<Self::Client> {
        crate::suger(url)
    }

    fn calls() -> Vec<Call<Self::Client>> {
        calls::suger()
    }

    fn error(status: u16) -> ErrorExample {
        ErrorExample { body: format!(r#""message {status}""#), code: None, message: format!("message {status}") }
    }
}

/// Acronis.
pub struct Acronis;

impl Vendor for Acronis {
    type Client = usage_billing_acronis::Client;
    const REQUEST_ID: Option<&str> = None;
    const AUTHORIZATION: &str = "Bearer t";

    fn document() -> &'static Document {
        Document::acronis()
    }

    fn client(url: &str) -> ClientBuilder<Self::Client> {
        crate::acronis(url)
    }

    fn calls() -> Vec<Call<Self::Client>> {
        calls::acronis()
    }

    fn error(status: u16) -> ErrorExample {
        ErrorExample {
            body: format!(
                r#"{{"error":{{"code":{status},"domain":"PlatformAccountServer","message":"message {status}"}}}}"#
            ),
            code: Some(status.to_string()),
            message: format!("message {status}"),
        }
    }
}

/// A server that issues tokens and sends the current response to every operation, with a client of it.
pub struct MockVendor<V: Vendor> {
    /// The client; clone it for each call.
    pub client: V::Client,
    server: ScriptedServer,
    response: Arc<Mutex<ScriptedResponse>>,
}

impl<V: Vendor> MockVendor<V> {
    /// Starts the server, with a client that retries by `retry`.
    pub fn new(retry: RetryPolicy) -> Self {
        let response = Arc::new(Mutex::new(ScriptedResponse::dropped()));
        let current = response.clone();
        let server = ScriptedServer::start(move |request| {
            if is_login(request) {
                ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#)
            } else {
                current.lock().expect("no test panics under the lock").clone()
            }
        });
        let client = V::client(server.url()).retry(retry).build().expect("a client of loopback");
        Self { client, server, response }
    }

    /// Sets the response to operations.
    pub fn respond(&self, response: ScriptedResponse) {
        *self.response.lock().expect("no test panics under the lock") = response;
    }

    /// Returns the requests of operations so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests().into_iter().filter(|request| !is_login(request)).collect()
    }

    /// Makes a call and parses the JSON that it returns.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn call(&self, call: &Call<V::Client>) -> Result<Value, usage_billing_core::Error> {
        let text = (call.send)(self.client.clone()).await?;
        Ok(serde_json::from_str(&text).expect("calls return JSON"))
    }
}

fn is_login(request: &Request) -> bool {
    request.target.ends_with("/oauth/token") || request.target.ends_with("/idp/token")
}
