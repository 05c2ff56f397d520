//! A time limit over several calls.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::{Error, ErrorKind};

/// A limit that starts when it is created.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimit {
    /// `None` if the limit exceeds the range of the clock.
    end: Option<Instant>,
    limit: Duration,
}

impl TimeLimit {
    /// Creates a limit that starts now.
    pub fn new(limit: Duration) -> Self {
        Self { end: Instant::now().checked_add(limit), limit }
    }

    /// Runs `work` until the limit; `None` if the limit ended it. A limit of 0 starts nothing, so that the result of work that needs no waiting
    /// does not depend on the speed of the machine.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self.end {
            Some(_) if self.limit.is_zero() => None,
            Some(end) => tokio::time::timeout_at(end, work).await.ok(),
            None => Some(work.await),
        }
    }

    /// Returns whether the limit has expired.
    pub fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= Instant::now())
    }

    /// Returns the limit in whole seconds, rounded up.
    pub fn seconds(&self) -> u128 {
        self.limit.as_millis().div_ceil(1000)
    }

    /// Returns the error of unfinished work; `what` states it, such as "the lists were not read to their end".
    pub fn exceeded(&self, what: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::WaitTimeout, format!("{what} within {} s", self.seconds()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_in_parts_ends_at_the_limit() {
        let start = Instant::now();
        let limit = TimeLimit::new(Duration::from_millis(2500));
        assert_eq!(limit.run(tokio::time::sleep(Duration::from_secs(2))).await, Some(()));
        assert_eq!(limit.run(std::future::pending::<()>()).await, None);
        assert_eq!(start.elapsed().as_millis() / 100, 25);
        let error = limit.exceeded("the lists were not read");
        assert_eq!((error.kind(), error.message()), (ErrorKind::WaitTimeout, "the lists were not read within 3 s"));
    }

    #[tokio::test(start_paused = true)]
    async fn limit_of_zero_begins_nothing() {
        assert_eq!(TimeLimit::new(Duration::ZERO).run(async { panic!("started") }).await, None::<()>);
    }

    #[tokio::test(start_paused = true)]
    async fn limit_beyond_the_clock_is_unlimited() {
        let work = async { tokio::time::sleep(Duration::from_secs(1 << 32)).await };
        assert_eq!(TimeLimit::new(Duration::MAX).run(work).await, Some(()));
    }
}
