//! When a request is sent again, and after how long. Decisions only: no clock, no I/O, no dice.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};

/// When a failed request is sent again.
///
/// - 429: any request; the vendor has done nothing.
/// - 408, 502, 503, 504 and a connection lost after sending: only requests that may be repeated, which are GET, HEAD, OPTIONS, PUT
///   and DELETE (RFC 9110, 9.2.2) and operations that the curated document marks as idempotent.
/// - A connection that never came about: any request.
/// - 401: once and at once, with a new token, if there is a token to renew. Does not count here.
/// - Anything else: never.
///
/// The vendor's `Retry-After` (seconds or date) is waited for as it stands. Without one, the pause is random between nothing and a
/// ceiling that doubles from 0.5 s to 30 s. No pause begins that would end after the budget: the error is returned at once and tells
/// [`retry_after`](crate::Error::retry_after).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    base: Duration,
    ceiling: Duration,
    budget: Duration,
}

impl Default for RetryPolicy {
    /// 4 attempts within 2 minutes.
    fn default() -> Self {
        Self {
            max_attempts: 4,
            base: Duration::from_millis(500),
            ceiling: Duration::from_secs(30),
            budget: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// Every request is sent once.
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// At most so many copies of a request, the first included; 0 is taken as 1.
    pub fn max_attempts(self, attempts: u32) -> Self {
        Self { max_attempts: attempts, ..self }
    }

    /// First ceiling of the random pause, and the ceiling that doubling stops at.
    pub fn backoff(self, base: Duration, ceiling: Duration) -> Self {
        Self { base, ceiling, ..self }
    }

    /// Time from the first copy within which the last pause has to end.
    pub fn budget(self, total: Duration) -> Self {
        Self { budget: total, ..self }
    }

    /// The pause before the next copy; `None` if there is none. `roll` is any random number.
    pub(crate) fn pause(
        &self,
        failure: &Failure,
        repeatable: bool,
        attempts: u32,
        elapsed: Duration,
        roll: u64,
    ) -> Option<Duration> {
        if attempts >= self.max_attempts || !(failure.is_harmless() || repeatable && failure.is_passing()) {
            return None;
        }
        let pause = failure.retry_after.unwrap_or_else(|| {
            let ceiling = self.base.saturating_mul(1 << (attempts - 1).min(20)).min(self.ceiling);
            let span = u64::try_from(ceiling.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX - 1);
            Duration::from_nanos(roll % (span + 1))
        });
        (elapsed.checked_add(pause)? <= self.budget).then_some(pause)
    }
}

/// Why an attempt brought no success.
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
    Lost,
}

impl Failure {
    /// The vendor has certainly not acted on the request.
    fn is_harmless(&self) -> bool {
        matches!(self.cause, Cause::NotConnected | Cause::Status(StatusCode::TOO_MANY_REQUESTS))
    }

    /// It may go better next time.
    fn is_passing(&self) -> bool {
        match self.cause {
            Cause::Lost | Cause::NotConnected => true,
            Cause::Status(status) => matches!(status.as_u16(), 408 | 502 | 503 | 504),
        }
    }
}

/// `Retry-After` as a pause from `now`; both forms of RFC 9110, 10.2.3.
///
/// A date is held against the answer's own `Date` if there is one, so that a wrong clock on either side does not matter.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let from = date(headers).unwrap_or(now);
    Some(until.duration_since(from).unwrap_or_default())
}

/// When the answer was made, by the vendor's clock.
pub(crate) fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(http::header::DATE)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn status(code: u16) -> Failure {
        Failure { cause: Cause::Status(StatusCode::from_u16(code).unwrap()), retry_after: None }
    }

    fn resent(failure: Failure, repeatable: bool) -> bool {
        RetryPolicy::default().pause(&failure, repeatable, 1, Duration::ZERO, 7).is_some()
    }

    #[test]
    fn what_is_resent_depends_on_cause_and_repeatability() {
        assert!(resent(status(429), true) && resent(status(429), false));
        for code in [408, 502, 503, 504] {
            assert!(resent(status(code), true) && !resent(status(code), false), "{code}");
        }
        for code in [301, 400, 401, 403, 404, 409, 410, 422, 500, 501, 505] {
            assert!(!resent(status(code), true) && !resent(status(code), false), "{code}");
        }
        let lost = Failure { cause: Cause::Lost, retry_after: None };
        assert!(resent(lost, true) && !resent(lost, false));
        let unconnected = Failure { cause: Cause::NotConnected, retry_after: None };
        assert!(resent(unconnected, true) && resent(unconnected, false));
    }

    #[test]
    fn attempts_and_budget_end_it() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.pause(&status(429), true, 4, Duration::ZERO, 0), None);
        assert_eq!(RetryPolicy::none().pause(&status(429), true, 1, Duration::ZERO, 0), None);
        assert_eq!(policy.max_attempts(0).pause(&status(429), true, 1, Duration::ZERO, 0), None);
        let hinted = |seconds| Failure { retry_after: Some(Duration::from_secs(seconds)), ..status(429) };
        let spent = Duration::from_secs(60);
        assert_eq!(policy.pause(&hinted(60), false, 1, spent, 0), Some(spent));
        assert_eq!(policy.pause(&hinted(61), false, 1, spent, 0), None);
        assert_eq!(policy.pause(&hinted(u64::MAX), false, 1, spent, 0), None);
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
    fn absurd_settings_do_not_overflow() {
        let longest = Duration::from_nanos(u64::MAX);
        let policy = RetryPolicy::default().backoff(longest, longest).budget(Duration::MAX);
        assert!(policy.pause(&status(503), true, 1, Duration::ZERO, u64::MAX).is_some());
    }

    proptest! {
        #[test]
        fn a_pause_never_exceeds_its_ceiling_and_the_budget(attempts in 1u32..40, elapsed in 0u64..200, roll: u64) {
            let policy = RetryPolicy::default().max_attempts(99);
            if let Some(pause) = policy.pause(&status(503), true, attempts, Duration::from_secs(elapsed), roll) {
                prop_assert!(pause <= Duration::from_secs(30));
                prop_assert!(pause <= Duration::from_millis(500) * 2u32.saturating_pow(attempts - 1));
                prop_assert!(Duration::from_secs(elapsed) + pause <= Duration::from_secs(120));
            }
        }
    }
}
