//! Demo clients, the tokens that they get, and credentials in headers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, header};
use uuid::Uuid;

use crate::bounded_map::BoundedMap;
use crate::clock::Clock;
use crate::demo_credentials;

/// Tokens that are kept, with expired ones.
const MAX_TOKENS: usize = 10_000;

/// Tokens of one vendor. Clones share them.
#[derive(Clone)]
pub(crate) struct Tokens {
    lifetime: Duration,
    clock: Clock,
    /// Differs between sandboxes, so that a sandbox rejects the tokens of another one.
    realm: Uuid,
    issued: Arc<Mutex<Issued>>,
}

struct Issued {
    count: u64,
    tokens: BoundedMap<String, Token>,
}

struct Token {
    /// By [`Clock::elapsed`].
    expires: Duration,
    grant: Grant,
}

/// What a token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) access: Access,
    /// The tenant of Acronis to which the token is bound, with the tenants below it; `None` for all tenants of its client.
    pub(crate) tenant: Option<Uuid>,
}

/// The permissions of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Full,
    /// Without billing; see [`crate::middleware::permissions`].
    Limited,
}

/// A client that can get tokens.
pub(crate) struct Client {
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) access: Access,
}

pub(crate) const GENESYS_CLIENTS: [Client; 2] = [
    Client {
        id: demo_credentials::GENESYS_CLIENT_ID,
        secret: demo_credentials::GENESYS_CLIENT_SECRET,
        access: Access::Full,
    },
    Client {
        id: demo_credentials::GENESYS_LIMITED_CLIENT_ID,
        secret: demo_credentials::GENESYS_LIMITED_CLIENT_SECRET,
        access: Access::Limited,
    },
];

pub(crate) const ACRONIS_CLIENTS: [Client; 2] = [
    Client {
        id: demo_credentials::ACRONIS_CLIENT_ID,
        secret: demo_credentials::ACRONIS_CLIENT_SECRET,
        access: Access::Full,
    },
    Client {
        id: demo_credentials::ACRONIS_LIMITED_CLIENT_ID,
        secret: demo_credentials::ACRONIS_LIMITED_CLIENT_SECRET,
        access: Access::Limited,
    },
];

pub(crate) fn client<'a>(clients: &'a [Client], id: &str) -> Option<&'a Client> {
    clients.iter().find(|client| client.id == id)
}

/// Returns the permissions of an API key in `Authorization: Key …`.
pub(crate) fn suger_access(headers: &HeaderMap) -> Option<Access> {
    match credential(headers, "Key")? {
        demo_credentials::SUGER_API_KEY => Some(Access::Full),
        demo_credentials::SUGER_LIMITED_API_KEY => Some(Access::Limited),
        _ => None,
    }
}

/// Why a token is not valid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    Expired,
    Unknown,
}

impl Tokens {
    pub(crate) fn new(lifetime: Duration, clock: Clock, realm: Uuid) -> Self {
        let issued = Issued { count: 0, tokens: BoundedMap::new(MAX_TOKENS) };
        Self { lifetime, clock, realm, issued: Arc::new(Mutex::new(issued)) }
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    pub(crate) fn issue(&self, grant: Grant) -> String {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.count += 1;
        let token = Uuid::new_v5(&self.realm, &issued.count.to_be_bytes()).simple().to_string();
        // A lifetime beyond the range of the clock never ends.
        let expires = self.clock.elapsed().saturating_add(self.lifetime);
        issued.tokens.insert(token.clone(), Token { expires, grant });
        token
    }

    /// Returns what a valid token permits.
    pub(crate) fn grant(&self, token: &str) -> Result<Grant, TokenError> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let token = issued.tokens.get(token).ok_or(TokenError::Unknown)?;
        if self.clock.elapsed() < token.expires { Ok(token.grant) } else { Err(TokenError::Expired) }
    }
}

/// Returns the credential in `Authorization: <scheme> …`; the scheme is matched without case (RFC 9110).
pub(crate) fn credential<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (given, credential) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| credential.trim())
}

/// Returns client id and secret of HTTP Basic.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(credential(headers, "Basic")?).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANT: Grant = Grant { access: Access::Limited, tenant: None };

    fn authorization(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
    }

    #[tokio::test(start_paused = true)]
    async fn token_is_valid_until_it_expires() {
        let clock = Clock::start(None);
        let tokens = Tokens::new(Duration::from_secs(60), clock.clone(), Uuid::nil());
        let token = tokens.issue(GRANT);
        tokio::time::advance(Duration::from_secs(29)).await;
        clock.advance(Duration::from_secs(30));
        assert_eq!(tokens.grant(&token), Ok(GRANT));
        clock.advance(Duration::from_secs(1));
        assert_eq!(tokens.grant(&token), Err(TokenError::Expired));
        assert_eq!(tokens.grant("made up"), Err(TokenError::Unknown));
    }

    #[tokio::test]
    async fn endless_lifetime_does_not_overflow() {
        let tokens = Tokens::new(Duration::MAX, Clock::start(None), Uuid::nil());
        assert_eq!(tokens.grant(&tokens.issue(GRANT)), Ok(GRANT));
    }

    #[test]
    fn basic_secret_may_contain_a_colon() {
        let headers = authorization("basic aWQ6c2U6Y3JldA==");
        assert_eq!(basic(&headers), Some(("id".to_owned(), "se:cret".to_owned())));
        for bad in ["Basic", "Basic !", "Basic aWQ=", "Bearer aWQ6c2VjcmV0", "Basic /w=="] {
            assert_eq!(basic(&authorization(bad)), None, "{bad}");
        }
    }
}
