//! Decides when a request is retried, and after which delay. Pure functions: time and randomness are parameters.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};

/// Decides when a failed request is retried.
///
/// - 429: any request, because the vendor has not acted on it. If the response states the end of the rate limit (`Retry-After`, or a header
///   that the vendor's crate declares), all calls of the client and its clones wait until then.
/// - 408, 500, 502, 503, 504 and a connection lost after sending: only idempotent requests, which are GET, HEAD, OPTIONS, PUT and DELETE
///   (RFC 9110, 9.2.2) and operations that the OpenAPI document marks as idempotent. Statuses that the document marks as final responses
///   of an operation are not retried.
/// - No connection: any request, unless the reason is permanent, such as a certificate that is not trusted or a proxy that requires a
///   password.
/// - 401: once, immediately, with a new token, if the client uses tokens. This attempt is not counted.
/// - Other failures: never.
///
/// The delay is the vendor's `Retry-After` (seconds or date). Without one, it is a random value between 0 and a ceiling that doubles from
/// 0.5 s to 30 s. A delay that would end after the policy's time limit or the call's deadline is not started: the error is returned
/// immediately, with [`retry_after`](crate::Error::retry_after).
///
/// ```
/// use std::time::Duration;
/// use usage_billing_core::{ClientBuilder, RetryPolicy};
///
/// // A nightly job: up to 8 attempts in half an hour, at most a minute apart.
/// fn nightly<C>(builder: ClientBuilder<C>) -> ClientBuilder<C> {
///     let policy = RetryPolicy::default()
///         .max_attempts(8)
///         .backoff(Duration::from_secs(1), Duration::from_secs(60))
///         .time_limit(Duration::from_secs(1800));
///     // The deadline of a call includes its retries.
///     builder.retry(policy).deadline(Duration::from_secs(2400))
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    base: Duration,
    ceiling: Duration,
    time_limit: Duration,
}

impl Default for RetryPolicy {
    /// Returns a policy of 4 attempts within 2 minutes.
    fn default() -> Self {
        Self {
            max_attempts: 4,
            base: Duration::from_millis(500),
            ceiling: Duration::from_secs(30),
            time_limit: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// Returns a policy without retries.
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// Sets the maximum number of attempts, including the first; 0 means 1.
    pub fn max_attempts(self, attempts: u32) -> Self {
        Self { max_attempts: attempts, ..self }
    }

    /// Sets the first and the largest ceiling of the random delay.
    pub fn backoff(self, base: Duration, ceiling: Duration) -> Self {
        Self { base, ceiling, ..self }
    }

    /// Sets the time limit of all delays, counted from the first attempt. An attempt may end after it.
    pub fn time_limit(self, limit: Duration) -> Self {
        Self { time_limit: limit, ..self }
    }

    /// Returns the longest pause of the client that a call without a deadline waits for.
    pub(crate) fn max_pause(&self) -> Duration {
        self.time_limit
    }

    /// Returns the delay before the next attempt, or `None` if there is none. `elapsed` counts from the first attempt, `remaining` to the
    /// call's deadline; `random` is a random value.
    pub(crate) fn delay(
        &self,
        failure: &Failure,
        is_idempotent: bool,
        attempts: u32,
        elapsed: Duration,
        remaining: Option<Duration>,
        random: u64,
    ) -> Option<Duration> {
        if attempts >= self.max_attempts || !(failure.is_safe_to_retry() || is_idempotent && failure.is_transient()) {
            return None;
        }
        let delay = failure.retry_after.unwrap_or_else(|| {
            let ceiling = self.base.saturating_mul(1 << (attempts - 1).min(20)).min(self.ceiling);
            let span = u64::try_from(ceiling.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX - 1);
            Duration::from_nanos(random % (span + 1))
        });
        let is_in_time = remaining.is_none_or(|remaining| delay < remaining);
        (is_in_time && elapsed.checked_add(delay)? <= self.time_limit).then_some(delay)
    }
}

/// A failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    pub(crate) retry_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// An error status.
    Status(StatusCode),
    /// No connection: nothing was sent.
    NotConnected,
    /// The connection ended after (part of) the request was sent.
    ConnectionLost,
    /// Each attempt fails until the configuration changes: a certificate that is not trusted, a proxy that requires a password.
    Permanent,
}

impl Failure {
    /// Returns whether the vendor has certainly not acted on the request.
    fn is_safe_to_retry(&self) -> bool {
        matches!(self.cause, Cause::NotConnected | Cause::Status(StatusCode::TOO_MANY_REQUESTS))
    }

    /// Returns whether the vendor may have acted on the request, or may still do so. `status` is that of its response, if there was one.
    pub(crate) fn may_have_arrived(&self, status: Option<StatusCode>) -> bool {
        match status {
            Some(status) => !status.is_client_error() || status == StatusCode::REQUEST_TIMEOUT,
            None => self.cause != Cause::NotConnected,
        }
    }

    /// Returns whether another attempt may succeed.
    fn is_transient(&self) -> bool {
        match self.cause {
            Cause::ConnectionLost | Cause::NotConnected => true,
            Cause::Permanent => false,
            Cause::Status(status) => matches!(status.as_u16(), 408 | 500 | 502 | 503 | 504),
        }
    }
}

/// Returns `Retry-After` as a delay from `now`; both forms of RFC 9110, 10.2.3.
///
/// A date is compared with the response's own `Date` if there is one, so that a wrong clock on either side does not matter.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let from = response_date(headers).unwrap_or(now);
    Some(until.duration_since(from).unwrap_or_default())
}

/// Returns when a vendor's rate limit is reset, as a delay: the first of `names` that is a whole number of seconds.
pub(crate) fn limit_reset(headers: &HeaderMap, names: &[&str]) -> Option<Duration> {
    let seconds = |name: &&str| headers.get(*name)?.to_str().ok()?.trim().parse().ok();
    names.iter().find_map(seconds).map(Duration::from_secs)
}

/// Returns the time of the response by the vendor's clock.
pub(crate) fn response_date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(http::header::DATE)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn status(code: u16) -> Failure {
        Failure { cause: Cause::Status(StatusCode::from_u16(code).unwrap()), retry_after: None }
    }

    fn is_retried(failure: Failure, is_idempotent: bool) -> bool {
        RetryPolicy::default().delay(&failure, is_idempotent, 1, Duration::ZERO, None, 7).is_some()
    }

    #[test]
    fn retry_depends_on_cause_and_idempotency() {
        assert!(is_retried(status(429), true) && is_retried(status(429), false));
        for code in [408, 500, 502, 503, 504] {
            assert!(is_retried(status(code), true) && !is_retried(status(code), false), "{code}");
        }
        for code in [301, 400, 401, 403, 404, 407, 409, 410, 422, 501, 505, 507, 599] {
            assert!(!is_retried(status(code), true) && !is_retried(status(code), false), "{code}");
        }
        let lost = Failure { cause: Cause::ConnectionLost, retry_after: None };
        assert!(is_retried(lost, true) && !is_retried(lost, false));
        let unconnected = Failure { cause: Cause::NotConnected, retry_after: None };
        assert!(is_retried(unconnected, true) && is_retried(unconnected, false));
        let permanent = Failure { cause: Cause::Permanent, retry_after: None };
        assert!(!is_retried(permanent, true) && !is_retried(permanent, false));
    }

    #[test]
    fn request_that_was_sent_and_not_rejected_may_have_arrived() {
        let may_have_arrived = |cause, status: Option<u16>| {
            let status = status.map(|code| StatusCode::from_u16(code).unwrap());
            Failure { cause, retry_after: None }.may_have_arrived(status)
        };
        for cause in [Cause::Permanent, Cause::Status(StatusCode::OK)] {
            for status in [200, 302, 408, 500, 502, 503, 504] {
                assert!(may_have_arrived(cause, Some(status)), "{status}");
            }
            for status in [400, 401, 403, 404, 409, 425, 429] {
                assert!(!may_have_arrived(cause, Some(status)), "{status}");
            }
        }
        assert!(may_have_arrived(Cause::ConnectionLost, None) && may_have_arrived(Cause::Permanent, None));
        assert!(!may_have_arrived(Cause::NotConnected, None));
    }

    #[test]
    fn attempts_time_limit_and_deadline_end_the_retries() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.delay(&status(429), true, 4, Duration::ZERO, None, 0), None);
        assert_eq!(RetryPolicy::none().delay(&status(429), true, 1, Duration::ZERO, None, 0), None);
        assert_eq!(policy.max_attempts(0).delay(&status(429), true, 1, Duration::ZERO, None, 0), None);
        let rate_limited = |seconds| Failure { retry_after: Some(Duration::from_secs(seconds)), ..status(429) };
        let elapsed = Duration::from_secs(60);
        assert_eq!(policy.delay(&rate_limited(60), false, 1, elapsed, None, 0), Some(elapsed));
        assert_eq!(policy.delay(&rate_limited(61), false, 1, elapsed, None, 0), None);
        assert_eq!(policy.delay(&rate_limited(u64::MAX), false, 1, elapsed, None, 0), None);
        // A delay up to the deadline would leave no time for the attempt.
        for (remaining, expected) in [(61, Some(elapsed)), (60, None), (0, None)] {
            let remaining = Some(Duration::from_secs(remaining));
            assert_eq!(policy.delay(&rate_limited(60), false, 1, elapsed, remaining, 0), expected, "{remaining:?}");
        }
    }

    #[test]
    fn random_delay_grows_from_the_first_ceiling_to_the_largest() {
        let second = Duration::from_secs(1);
        let policy = RetryPolicy::default().backoff(second, second * 5).max_attempts(99).time_limit(second * 20);
        assert_eq!(policy.max_pause(), second * 20);
        let delay = |attempts, elapsed, random: Duration| {
            policy.delay(&status(503), true, attempts, elapsed, None, random.as_nanos().try_into().unwrap())
        };
        for (attempts, ceiling) in [(1, 1), (2, 2), (3, 4), (4, 5), (5, 5), (90, 5)] {
            let ceiling = second * ceiling;
            assert_eq!(delay(attempts, Duration::ZERO, ceiling), Some(ceiling), "{attempts}");
            assert_eq!(delay(attempts, Duration::ZERO, ceiling + Duration::from_nanos(1)), Some(Duration::ZERO));
        }
        assert_eq!((delay(1, second * 19, second), delay(1, second * 20, second)), (Some(second), None));
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let read = |value: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            if let Some(date) = date {
                headers.insert(http::header::DATE, date.parse().unwrap());
            }
            retry_after(&headers, now)
        };
        assert_eq!(read("7", None), Some(Duration::from_secs(7)));
        assert_eq!(read(" 0 ", None), Some(Duration::ZERO));
        assert_eq!(read("Sun, 09 Sep 2001 01:46:50 GMT", None), Some(Duration::from_secs(10)));
        assert_eq!(
            read("Sun, 09 Sep 2001 01:46:50 GMT", Some("Sun, 09 Sep 2001 01:46:45 GMT")),
            Some(Duration::from_secs(5))
        );
        assert_eq!(read("Sun, 09 Sep 2001 01:46:30 GMT", None), Some(Duration::ZERO));
        for garbage in ["", "soon", "-1", "1.5"] {
            assert_eq!(read(garbage, None), None, "{garbage}");
        }
    }

    #[test]
    fn limit_reset_is_read_in_whole_seconds() {
        let read = |value: &'static str| {
            let headers = HeaderMap::from_iter([("x-reset".parse().unwrap(), value.parse().unwrap())]);
            limit_reset(&headers, &["x-missing", "x-reset"]).map(|delay| delay.as_secs())
        };
        assert_eq!(
            [read("13"), read(" 0 "), read("soon"), read("-1"), read("")],
            [Some(13), Some(0), None, None, None]
        );
        assert_eq!(limit_reset(&HeaderMap::new(), &["x-reset"]), None);
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let longest = Duration::from_nanos(u64::MAX);
        let policy = RetryPolicy::default().backoff(longest, longest).time_limit(Duration::MAX);
        assert!(policy.delay(&status(503), true, 1, Duration::ZERO, None, u64::MAX).is_some());
    }

    proptest! {
        #[test]
        fn delay_is_within_its_ceiling_and_the_time_limit(attempts in 1u32..40, elapsed in 0u64..200, random: u64) {
            let policy = RetryPolicy::default().max_attempts(99);
            if let Some(delay) = policy.delay(&status(503), true, attempts, Duration::from_secs(elapsed), None, random) {
                prop_assert!(delay <= Duration::from_secs(30));
                prop_assert!(delay <= Duration::from_millis(500) * 2u32.saturating_pow(attempts - 1));
                prop_assert!(Duration::from_secs(elapsed) + delay <= Duration::from_secs(120));
            }
        }
    }
}
