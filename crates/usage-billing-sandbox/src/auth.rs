//! Tokens, and how callers show them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, header};
use tokio::time::Instant;
use uuid::Uuid;

use crate::bounded::Bounded;

/// Tokens that are remembered, the expired ones among them.
const MOST_TOKENS: usize = 10_000;

/// Tokens of one vendor.
pub(crate) struct Tokens {
    lifetime: Duration,
    /// Differs between sandboxes, so that a token of one is unknown to the other.
    realm: Uuid,
    issued: Mutex<Issued>,
}

struct Issued {
    count: u64,
    ends: Bounded<String, Instant>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    Expired,
    Unknown,
}

impl Tokens {
    pub(crate) fn new(lifetime: Duration, realm: Uuid) -> Self {
        Self { lifetime, realm, issued: Mutex::new(Issued { count: 0, ends: Bounded::new(MOST_TOKENS) }) }
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    pub(crate) fn issue(&self) -> String {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.count += 1;
        let token = Uuid::new_v5(&self.realm, &issued.count.to_be_bytes()).simple().to_string();
        let now = Instant::now();
        // A life beyond what the clock can count is one without an end, as far as anyone can tell.
        let ends = now.checked_add(self.lifetime).unwrap_or_else(|| now + Duration::from_secs(100 * 365 * 86_400));
        issued.ends.insert(token.clone(), ends);
        token
    }

    pub(crate) fn standing(&self, token: &str) -> Standing {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        match issued.ends.get(&token.to_owned()) {
            None => Standing::Unknown,
            Some(ends) if Instant::now() < *ends => Standing::Good,
            Some(_) => Standing::Expired,
        }
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

    fn authorization(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_good_until_its_life_is_over() {
        let tokens = Tokens::new(Duration::from_secs(60), Uuid::nil());
        let token = tokens.issue();
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(tokens.standing(&token), Standing::Good);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(tokens.standing(&token), Standing::Expired);
        assert_eq!(tokens.standing("made up"), Standing::Unknown);
    }

    #[tokio::test]
    async fn a_life_without_end_is_no_reason_to_panic() {
        let tokens = Tokens::new(Duration::MAX, Uuid::nil());
        assert_eq!(tokens.standing(&tokens.issue()), Standing::Good);
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
