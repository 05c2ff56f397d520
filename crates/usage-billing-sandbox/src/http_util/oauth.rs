//! Tokens, and how callers show them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, header};
use uuid::Uuid;

use crate::bounded_map::Bounded;
use crate::clock::Clock;
use crate::demo_credentials;

/// Tokens that are remembered, the expired ones among them.
const MOST_TOKENS: usize = 10_000;

/// Tokens of one vendor. Clones share them.
#[derive(Clone)]
pub(crate) struct Tokens {
    lifetime: Duration,
    clock: Clock,
    /// Differs between sandboxes, so that a token of one is unknown to the other.
    realm: Uuid,
    issued: Arc<Mutex<Issued>>,
}

struct Issued {
    count: u64,
    tokens: Bounded<String, Token>,
}

struct Token {
    /// On the clock that only grows.
    ends: Duration,
    grant: Grant,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) rights: Rights,
    /// It reaches this tenant of Acronis and those below it; without one, all that its client reaches.
    pub(crate) tenant: Option<Uuid>,
}

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    Full,
    /// All but billing. See [`crate::middleware::permissions`].
    Limited,
}

/// One that may ask for tokens.
pub(crate) struct Client {
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) rights: Rights,
}

pub(crate) const GENESYS_CLIENTS: [Client; 2] = [
    Client {
        id: demo_credentials::GENESYS_CLIENT_ID,
        secret: demo_credentials::GENESYS_CLIENT_SECRET,
        rights: Rights::Full,
    },
    Client {
        id: demo_credentials::GENESYS_LIMITED_CLIENT_ID,
        secret: demo_credentials::GENESYS_LIMITED_CLIENT_SECRET,
        rights: Rights::Limited,
    },
];

pub(crate) const ACRONIS_CLIENTS: [Client; 2] = [
    Client {
        id: demo_credentials::ACRONIS_CLIENT_ID,
        secret: demo_credentials::ACRONIS_CLIENT_SECRET,
        rights: Rights::Full,
    },
    Client {
        id: demo_credentials::ACRONIS_LIMITED_CLIENT_ID,
        secret: demo_credentials::ACRONIS_LIMITED_CLIENT_SECRET,
        rights: Rights::Limited,
    },
];

pub(crate) fn client<'a>(clients: &'a [Client], id: &str) -> Option<&'a Client> {
    clients.iter().find(|client| client.id == id)
}

/// What the caller may do by its `Authorization: Key …`.
pub(crate) fn suger_rights(headers: &HeaderMap) -> Option<Rights> {
    match credential(headers, "Key")? {
        demo_credentials::SUGER_API_KEY => Some(Rights::Full),
        demo_credentials::SUGER_LIMITED_API_KEY => Some(Rights::Limited),
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    Expired,
    Unknown,
}

impl Tokens {
    pub(crate) fn new(lifetime: Duration, clock: Clock, realm: Uuid) -> Self {
        let issued = Issued { count: 0, tokens: Bounded::new(MOST_TOKENS) };
        Self { lifetime, clock, realm, issued: Arc::new(Mutex::new(issued)) }
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    pub(crate) fn issue(&self, grant: Grant) -> String {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.count += 1;
        let token = Uuid::new_v5(&self.realm, &issued.count.to_be_bytes()).simple().to_string();
        // A life beyond what the clock can count is one without an end.
        let ends = self.clock.elapsed().saturating_add(self.lifetime);
        issued.tokens.insert(token.clone(), Token { ends, grant });
        token
    }

    pub(crate) fn standing(&self, token: &str) -> Standing {
        match self.grant(token) {
            Ok(_) => Standing::Good,
            Err(standing) => standing,
        }
    }

    /// What a good token is good for.
    pub(crate) fn grant(&self, token: &str) -> Result<Grant, Standing> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let token = issued.tokens.get(token).ok_or(Standing::Unknown)?;
        if self.clock.elapsed() < token.ends { Ok(token.grant) } else { Err(Standing::Expired) }
    }
}

/// The credential behind `Authorization: <scheme> …`; schemes are compared without regard to case (RFC 9110).
pub(crate) fn credential<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (given, credential) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| credential.trim())
}

/// Client id and secret from HTTP Basic.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(credential(headers, "Basic")?).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANT: Grant = Grant { rights: Rights::Limited, tenant: None };

    fn authorization(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_good_until_its_life_is_over() {
        let clock = Clock::start(None);
        let tokens = Tokens::new(Duration::from_secs(60), clock.clone(), Uuid::nil());
        let token = tokens.issue(GRANT);
        tokio::time::advance(Duration::from_secs(29)).await;
        clock.advance(Duration::from_secs(30));
        assert_eq!(tokens.grant(&token), Ok(GRANT));
        clock.advance(Duration::from_secs(1));
        assert_eq!(tokens.standing(&token), Standing::Expired);
        assert_eq!(tokens.standing("made up"), Standing::Unknown);
    }

    #[tokio::test]
    async fn a_life_without_end_is_no_reason_to_panic() {
        let tokens = Tokens::new(Duration::MAX, Clock::start(None), Uuid::nil());
        assert_eq!(tokens.standing(&tokens.issue(GRANT)), Standing::Good);
    }

    #[test]
    fn basic_credentials_may_have_a_colon_in_the_secret() {
        let headers = authorization("basic aWQ6c2U6Y3JldA==");
        assert_eq!(basic(&headers), Some(("id".to_owned(), "se:cret".to_owned())));
        for bad in ["Basic", "Basic !", "Basic aWQ=", "Bearer aWQ6c2VjcmV0", "Basic /w=="] {
            assert_eq!(basic(&authorization(bad)), None, "{bad}");
        }
    }
}
