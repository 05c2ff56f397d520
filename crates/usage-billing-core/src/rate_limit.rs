//! Limits the rate of requests, so that the vendor rejects fewer of them.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::{Error, ErrorKind, Result};

/// The maximum rate of a client's requests. All clones of the client share it; a request over the limit waits.
///
/// ```
/// use usage_billing_core::{ClientBuilder, RateLimit};
///
/// // Half of what the vendor allows, because another program uses the same credential.
/// fn half_rate<C>(builder: ClientBuilder<C>) -> ClientBuilder<C> {
///     builder.rate_limit(RateLimit::per_minute(150).burst(10))
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    per_minute: u32,
    burst: u32,
}

impl RateLimit {
    /// Returns a limit of `requests` a minute, evenly spread, after a burst of a tenth of them. 0 is rejected by `build`.
    pub const fn per_minute(requests: u32) -> Self {
        Self { per_minute: requests, burst: if requests < 10 { 1 } else { requests / 10 } }
    }

    /// Sets the number of requests that may be sent at once after an idle period. 0 is rejected by `build`.
    pub const fn burst(self, requests: u32) -> Self {
        Self { burst: requests, ..self }
    }
}

/// The limiter of a client.
#[derive(Debug)]
pub(crate) struct Limiter(RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Moment>>);

impl Limiter {
    /// Creates a limiter.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a rate or a burst of 0.
    pub(crate) fn new(limit: RateLimit) -> Result<Self> {
        let (Some(rate), Some(burst)) = (NonZeroU32::new(limit.per_minute), NonZeroU32::new(limit.burst)) else {
            return Err(Error::new(
                ErrorKind::Config,
                "invalid rate limit: expected a rate and a burst of at least 1; `None` turns the limit off",
            ));
        };
        let quota = Quota::per_minute(rate).allow_burst(burst);
        Ok(Self(RateLimiter::direct_with_clock(quota, TokioClock)))
    }

    /// Waits until the next request may be sent.
    pub(crate) async fn until_ready(&self) {
        while let Err(early) = self.0.check() {
            tokio::time::sleep(early.wait_time_from(TokioClock.now())).await;
        }
    }
}

/// The clock of tokio, which the limiter waits by and which tests can pause.
#[derive(Clone, Copy, Debug)]
struct TokioClock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(tokio::time::Instant);

impl Clock for TokioClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(tokio::time::Instant::now())
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.into()).unwrap_or(self.0))
    }
}

impl std::ops::Add<Nanos> for Moment {
    type Output = Self;

    fn add(self, duration: Nanos) -> Self {
        Self(self.0 + Duration::from(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_after_the_burst_are_spread_evenly() {
        let limiter = Limiter::new(RateLimit::per_minute(60).burst(3)).unwrap();
        let start = tokio::time::Instant::now();
        let mut seconds = Vec::new();
        for _ in 0..6 {
            limiter.until_ready().await;
            seconds.push(start.elapsed().as_millis().div_ceil(1000));
        }
        assert_eq!(seconds[..3], [0, 0, 0]);
        assert_eq!(seconds[3..], [1, 2, 3]);
    }

    #[test]
    fn limit_of_zero_is_rejected() {
        assert!(Limiter::new(RateLimit::per_minute(0)).is_err());
        assert!(Limiter::new(RateLimit::per_minute(9).burst(0)).is_err());
        assert!(Limiter::new(RateLimit::per_minute(1)).is_ok());
    }
}
