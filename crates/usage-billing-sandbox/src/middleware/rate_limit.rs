//! How many requests a minute each caller has, by the sandbox's clock, and what the vendors say about it.
//!
//! Genesys Cloud: 300 for a token, told with every answer. Suger and Acronis publish no number and are not limited
//! unless the sandbox is told so; then they answer 429 with `Retry-After` in seconds.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::bounded_map::Bounded;
use crate::clock::Clock;
use crate::vendors::{Call, Vendor};

/// The vendor's `client.credentials.token.rate.per.minute`.
const GENESYS_REQUESTS: u32 = 300;
const WINDOW: Duration = Duration::from_secs(60);
/// Callers whose requests are counted; the one first seen is forgotten first.
const MOST_CALLERS: usize = 10_000;

/// Requests a minute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    pub(crate) genesys: Option<u32>,
    pub(crate) suger: Option<u32>,
    pub(crate) acronis: Option<u32>,
}

impl Default for Allowed {
    fn default() -> Self {
        Self { genesys: Some(GENESYS_REQUESTS), suger: None, acronis: None }
    }
}

impl Allowed {
    pub(crate) fn of(&mut self, vendor: Vendor) -> &mut Option<u32> {
        match vendor {
            Vendor::Genesys => &mut self.genesys,
            Vendor::Suger => &mut self.suger,
            Vendor::Acronis => &mut self.acronis,
        }
    }
}

pub(crate) struct Limits {
    allowed: Allowed,
    clock: Clock,
    windows: Mutex<Bounded<(Vendor, u64), Window>>,
}

#[derive(Clone, Copy)]
struct Window {
    began: Duration,
    count: u32,
}

/// Where a caller stands after this request.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    count: u32,
    allowed: u32,
    /// Seconds until the window ends; at least one.
    reset: u64,
}

impl Limits {
    pub(crate) fn new(allowed: Allowed, clock: Clock) -> Self {
        Self { allowed, clock, windows: Mutex::new(Bounded::new(MOST_CALLERS)) }
    }

    fn count(&self, vendor: Vendor, headers: &HeaderMap) -> Option<Standing> {
        let mut allowed = self.allowed;
        let allowed = (*allowed.of(vendor))?;
        let mut caller = DefaultHasher::new();
        headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).hash(&mut caller);
        let key = (vendor, caller.finish());
        let now = self.clock.elapsed();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let open = windows.get(&key).copied().filter(|window| now.saturating_sub(window.began) < WINDOW);
        let mut window = open.unwrap_or(Window { began: now, count: 0 });
        window.count = window.count.saturating_add(1);
        windows.insert(key, window);
        let left = window.began.saturating_add(WINDOW).saturating_sub(now);
        Some(Standing { count: window.count, allowed, reset: left.as_millis().div_ceil(1000).max(1) as u64 })
    }
}

/// Counts a request, and refuses it if it is one too many.
pub(crate) async fn limit(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let call = request.extensions().get::<Call>().copied();
    let Some((call, vendor)) = call.and_then(|call| Some((call, call.vendor?))) else {
        return next.run(request).await;
    };
    let Some(standing) = limits.count(vendor, request.headers()) else {
        return next.run(request).await;
    };
    let mut response = if standing.count <= standing.allowed {
        next.run(request).await
    } else {
        let mut refusal = too_many(vendor, &call, standing.reset);
        refusal.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(standing.reset));
        refusal
    };
    if vendor == Vendor::Genesys {
        let headers = response.headers_mut();
        headers.insert("inin-ratelimit-count", HeaderValue::from(standing.count));
        headers.insert("inin-ratelimit-allowed", HeaderValue::from(standing.allowed));
        headers.insert("inin-ratelimit-reset", HeaderValue::from(standing.reset));
    }
    response
}

/// The body of a 429. Genesys Cloud names the seconds (announcement "Normalized Platform API 429 responses", 2021-11-10).
pub(crate) fn too_many(vendor: Vendor, call: &Call, seconds: u64) -> Response {
    let message = match vendor {
        Vendor::Genesys => format!("Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds"),
        Vendor::Suger => "too many requests".to_owned(),
        Vendor::Acronis => "Too many requests.".to_owned(),
    };
    vendor.refuse(call, StatusCode::TOO_MANY_REQUESTS, &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_window_is_a_minute_of_one_caller() {
        let clock = Clock::start(None);
        let allowed = Allowed { genesys: Some(2), ..Allowed::default() };
        let limits = Limits::new(allowed, clock.clone());
        let caller = |name: &str| HeaderMap::from_iter([(header::AUTHORIZATION, name.parse().unwrap())]);
        let count = |name| limits.count(Vendor::Genesys, &caller(name)).map(|it| (it.count, it.reset));
        assert_eq!(count("a"), Some((1, 60)));
        clock.advance(Duration::from_millis(18_500));
        assert_eq!(count("a"), Some((2, 42)));
        assert_eq!(count("b"), Some((1, 60)));
        clock.advance(Duration::from_millis(41_499));
        assert_eq!(count("a"), Some((3, 1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(count("a"), Some((1, 60)));
        assert_eq!(limits.count(Vendor::Suger, &caller("a")), None);
    }
}
