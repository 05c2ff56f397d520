//! The three vendors, as far as one harness has to know what differs.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use usage_billing_core::{ClientBuilder, RetryPolicy};

use crate::{Call, Document, Reply, Request, ScriptedServer, calls};

/// A vendor's client and habits.
pub trait Vendor {
    /// The client.
    type Client: Clone + Send + 'static;

    /// Header that names a request in the vendor's logs, if there is one.
    const REQUEST_ID: Option<&str>;

    /// `Authorization` of a client of [`client`](Self::client).
    const AUTHORIZATION: &str;

    /// The curated document.
    fn document() -> &'static Document;

    /// A client of a server on loopback.
    fn client(url: &str) -> ClientBuilder<Self::Client>;

    /// All operations.
    fn calls() -> Vec<Call<Self::Client>>;

    /// What an error body of this vendor says for a status, when the document has no example.
    fn error(status: u16) -> Said;
}

/// An error body and what is to be read from it.
pub struct Said {
    /// JSON text.
    pub body: String,
    /// The vendor's code.
    pub code: Option<String>,
    /// The vendor's words.
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

    fn error(status: u16) -> Said {
        Said {
            body: format!(
                r#"{{"message":"said {status}","code":"code.{status}","status":{status},"contextId":"c-7"}}"#
            ),
            code: Some(format!("code.{status}")),
            message: format!("said {status}"),
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

    fn error(status: u16) -> Said {
        Said { body: format!(r#""said {status}""#), code: None, message: format!("said {status}") }
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

    fn error(status: u16) -> Said {
        Said {
            body: format!(
                r#"{{"error":{{"code":{status},"domain":"PlatformAccountServer","message":"said {status}"}}}}"#
            ),
            code: Some(status.to_string()),
            message: format!("said {status}"),
        }
    }
}

/// A server that answers operations as it was last told to, and issues tokens; with a client of it.
pub struct Stage<V: Vendor> {
    /// Clone it for each call.
    pub client: V::Client,
    server: ScriptedServer,
    reply: Arc<Mutex<Reply>>,
}

impl<V: Vendor> Stage<V> {
    /// With a client that sends again as `retry` says.
    pub fn new(retry: RetryPolicy) -> Self {
        let reply = Arc::new(Mutex::new(Reply::dropped()));
        let current = reply.clone();
        let server = ScriptedServer::start(move |request| {
            if is_login(request) {
                Reply::json(200, r#"{"access_token":"t","expires_in":3600}"#)
            } else {
                current.lock().expect("no test panics under the lock").clone()
            }
        });
        let client = V::client(server.url()).retry(retry).build().expect("a client of loopback");
        Self { client, server, reply }
    }

    /// What operations are answered from now on.
    pub fn answer(&self, reply: Reply) {
        *self.reply.lock().expect("no test panics under the lock") = reply;
    }

    /// The requests of operations so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests().into_iter().filter(|request| !is_login(request)).collect()
    }

    /// Makes a call and decodes what it gives back.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn call(&self, call: &Call<V::Client>) -> Result<Value, usage_billing_core::Error> {
        let text = (call.send)(self.client.clone()).await?;
        Ok(serde_json::from_str(&text).expect("calls answer JSON"))
    }
}

fn is_login(request: &Request) -> bool {
    request.target.ends_with("/oauth/token") || request.target.ends_with("/idp/token")
}
