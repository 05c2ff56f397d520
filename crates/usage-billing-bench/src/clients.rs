//! Clients with a user's configuration, without rate limits: the server has none.

use usage_billing::{Credentials, suger};

use crate::workload::Result;

/// Key and token that the server of the protocol accepts.
const SECRET: &str = "bench";

/// Returns Suger's organization: the one that the environment names, as the settings of a sandbox do, or else the given one.
pub(crate) fn org(given: &str) -> String {
    std::env::var("SUGER_ORG_ID").unwrap_or_else(|_| given.to_owned())
}

fn suger_key() -> String {
    std::env::var("SUGER_API_KEY").unwrap_or_else(|_| SECRET.to_owned())
}

/// Returns a client of Suger for the organization `org`.
pub(crate) fn suger(base: &str, org: &str) -> Result<suger::Client> {
    Ok(suger::Client::builder(org, suger_key()).base_url(base).rate_limit(None).build()?)
}

/// Returns a client of Genesys, with a token endpoint of our own that issues [`SECRET`].
pub(crate) async fn genesys(base: &str) -> Result<usage_billing::genesys::Client> {
    let login: usage_billing::genesys::Region = token_host().await?.parse()?;
    let client = usage_billing::genesys::Client::builder(&login, Credentials::new("bench", SECRET));
    Ok(client.base_url(base).rate_limit(None).build()?)
}

/// Starts a token endpoint, which the servers of the protocol lack.
async fn token_host() -> Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let body = format!(r#"{{"access_token":"{SECRET}","token_type":"bearer","expires_in":86400}}"#);
        let response = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = connection.read(&mut request).await;
            let _ = connection.write_all(response.as_bytes()).await;
        }
    });
    Ok(format!("http://{address}"))
}

/// A reqwest client with the value of `Authorization`.
pub(crate) struct ByHand {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) authorization: String,
}

impl ByHand {
    /// Creates a client of Suger.
    pub(crate) fn key(base: &str) -> Result<Self> {
        Self::new(base, format!("Key {}", suger_key()))
    }

    /// Creates a client of Genesys and Acronis.
    pub(crate) fn bearer(base: &str) -> Result<Self> {
        Self::new(base, format!("Bearer {SECRET}"))
    }

    fn new(base: &str, authorization: String) -> Result<Self> {
        let http = usage_billing::http_client()?.build()?;
        Ok(Self { http, base: base.to_owned(), authorization })
    }

    /// Returns the decoded response of a GET.
    pub(crate) async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T> {
        let request = self.http.get(format!("{}{path}", self.base)).header("authorization", &self.authorization);
        let body = request.send().await?.error_for_status()?.bytes().await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Returns the decoded response of a POST.
    pub(crate) async fn post<B: serde::Serialize, T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T> {
        let request = self.http.post(format!("{}{path}", self.base)).header("authorization", &self.authorization);
        let body = request.json(body).send().await?.error_for_status()?.bytes().await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Returns the bytes of a file as they arrive.
    pub(crate) async fn download(
        &self,
        path: &str,
    ) -> Result<impl futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send + Unpin + use<>> {
        let request = self.http.get(format!("{}{path}", self.base)).header("authorization", &self.authorization);
        Ok(request.send().await?.error_for_status()?.bytes_stream())
    }
}
