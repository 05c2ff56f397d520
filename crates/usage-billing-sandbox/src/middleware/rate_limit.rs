//! Limits the requests of each caller per minute, by the sandbox's clock.
//!
//! Genesys Cloud: 300 per token, reported in headers of each response. Suger and Acronis publish no limit and have none by default; a limit that
//! was set is enforced with status 429 and `Retry-After` in seconds.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::bounded_map::BoundedMap;
use crate::clock::Clock;
use crate::vendors::{RequestContext, Vendor};

/// The vendor's `client.credentials.token.rate.per.minute`.
const GENESYS_REQUESTS: u32 = 300;
const WINDOW: Duration = Duration::from_secs(60);
/// Callers whose requests are counted; the oldest one is dropped first.
const MAX_CALLERS: usize = 10_000;

/// Requests per minute; `None` for no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateLimits {
    pub(crate) genesys: Option<u32>,
    pub(crate) suger: Option<u32>,
    pub(crate) acronis: Option<u32>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { genesys: Some(GENESYS_REQUESTS), suger: None, acronis: None }
    }
}

impl RateLimits {
    pub(crate) fn of(&mut self, vendor: Vendor) -> &mut Option<u32> {
        match vendor {
            Vendor::Genesys => &mut self.genesys,
            Vendor::Suger => &mut self.suger,
            Vendor::Acronis => &mut self.acronis,
        }
    }
}

pub(crate) struct RateLimiter {
    allowed: RateLimits,
    clock: Clock,
    windows: Mutex<BoundedMap<(Vendor, u64), Window>>,
}

#[derive(Clone, Copy)]
struct Window {
    began: Duration,
    count: u32,
}

/// The requests of a caller in the current window.
#[derive(Debug, PartialEq, Eq)]
struct Usage {
    count: u32,
    allowed: u32,
    /// Seconds until the window ends; at least one.
    reset: u64,
}

impl RateLimiter {
    pub(crate) fn new(allowed: RateLimits, clock: Clock) -> Self {
        Self { allowed, clock, windows: Mutex::new(BoundedMap::new(MAX_CALLERS)) }
    }

    fn count(&self, vendor: Vendor, headers: &HeaderMap) -> Option<Usage> {
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
        Some(Usage { count: window.count, allowed, reset: left.as_millis().div_ceil(1000).max(1) as u64 })
    }
}

/// Counts a request, and rejects it if it exceeds the limit.
pub(crate) async fn limit(State(limiter): State<Arc<RateLimiter>>, request: Request, next: Next) -> Response {
    let context = request.extensions().get::<RequestContext>().copied();
    let Some((context, vendor)) = context.and_then(|context| Some((context, context.vendor?))) else {
        return next.run(request).await;
    };
    let Some(usage) = limiter.count(vendor, request.headers()) else {
        return next.run(request).await;
    };
    let mut response = if usage.count <= usage.allowed {
        next.run(request).await
    } else {
        let mut rejection = too_many_requests(vendor, &context, usage.reset);
        rejection.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(usage.reset));
        rejection
    };
    if vendor == Vendor::Genesys {
        let headers = response.headers_mut();
        headers.insert("inin-ratelimit-count", HeaderValue::from(usage.count));
        headers.insert("inin-ratelimit-allowed", HeaderValue::from(usage.allowed));
        headers.insert("inin-ratelimit-reset", HeaderValue::from(usage.reset));
    }
    response
}

/// Returns the vendor's 429. Genesys Cloud names the seconds (announcement "Normalized Platform API 429 responses", 2021-11-10).
pub(crate) fn too_many_requests(vendor: Vendor, context: &RequestContext, seconds: u64) -> Response {
    let message = match vendor {
        Vendor::Genesys => format!("Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds"),
        Vendor::Suger => "too many requests".to_owned(),
        Vendor::Acronis => "Too many requests.".to_owned(),
    };
    vendor.error_response(context, StatusCode::TOO_MANY_REQUESTS, &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn window_lasts_a_minute_per_caller() {
        let clock = Clock::start(None);
        let allowed = RateLimits { genesys: Some(2), ..RateLimits::default() };
        let limiter = RateLimiter::new(allowed, clock.clone());
        let caller = |name: &str| HeaderMap::from_iter([(header::AUTHORIZATION, name.parse().unwrap())]);
        let count = |name| limiter.count(Vendor::Genesys, &caller(name)).map(|it| (it.count, it.reset));
        assert_eq!(count("a"), Some((1, 60)));
        clock.advance(Duration::from_millis(18_500));
        assert_eq!(count("a"), Some((2, 42)));
        assert_eq!(count("b"), Some((1, 60)));
        clock.advance(Duration::from_millis(41_499));
        assert_eq!(count("a"), Some((3, 1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(count("a"), Some((1, 60)));
        assert_eq!(limiter.count(Vendor::Suger, &caller("a")), None);
    }
}
