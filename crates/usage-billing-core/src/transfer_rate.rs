//! The minimum transfer rate of downloads.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::time::{Instant, Sleep};

/// The minimum transfer rate of a download. Only the time in which the reader waits for the vendor counts, so a slow reader is not mistaken
/// for a slow vendor.
///
/// ```
/// use std::time::Duration;
/// use usage_billing_core::{ClientBuilder, MinTransferRate};
///
/// // A download that is slower than 1 MiB in 10 s fails, and can be repeated.
/// fn fast_line<C>(builder: ClientBuilder<C>) -> ClientBuilder<C> {
///     builder.min_transfer_rate(MinTransferRate::new(1024 * 1024, Duration::from_secs(10)))
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinTransferRate {
    bytes: u64,
    window: Duration,
}

impl MinTransferRate {
    /// Returns a minimum of `bytes` in every `window` of waiting. A window of 0 means 1 ms.
    pub const fn new(bytes: u64, window: Duration) -> Self {
        Self { bytes, window: if window.is_zero() { Duration::from_millis(1) } else { window } }
    }

    /// Returns whether a window has ended with too few bytes.
    fn is_missed_in(&self, window: &Window) -> bool {
        window.waited >= self.window && window.bytes < self.bytes
    }

    /// Returns the time until the window ends.
    fn remaining(&self, window: &Window) -> Duration {
        self.window.saturating_sub(window.waited)
    }
}

impl Default for MinTransferRate {
    /// Returns 64 KiB a minute, about 9 kbit/s.
    fn default() -> Self {
        Self::new(64 * 1024, Duration::from_secs(60))
    }
}

/// The bytes and the waiting time of the current window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Window {
    bytes: u64,
    waited: Duration,
}

impl Window {
    /// Adds time and bytes. The next window replaces one that has ended with enough bytes.
    fn add(&mut self, rate: &MinTransferRate, waited: Duration, bytes: usize) {
        self.waited += waited;
        self.bytes += bytes as u64;
        if self.waited >= rate.window && !rate.is_missed_in(self) {
            *self = Self::default();
        }
    }
}

/// The error of a download that was slower than the minimum rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooSlow {
    pub(crate) bytes: u64,
    pub(crate) rate: MinTransferRate,
}

impl std::fmt::Display for TooSlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let MinTransferRate { bytes, window } = self.rate;
        let received = if self.bytes == 1 { "1 byte".to_owned() } else { format!("{} bytes", self.bytes) };
        write!(f, "the download is too slow: {received} in {window:?} of waiting, the minimum is {bytes}")
    }
}

/// A stream of chunks with a minimum transfer rate.
pub(crate) struct MinRateStream<S> {
    chunks: S,
    rate: MinTransferRate,
    window: Window,
    waiting: Option<Waiting>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// The reader has been waiting for the vendor since `since`.
struct Waiting {
    since: Instant,
    arrival: Arc<Arrival>,
}

impl<S> MinRateStream<S> {
    pub(crate) fn new(chunks: S, rate: MinTransferRate) -> Self {
        Self { chunks, rate, window: Window::default(), waiting: None, timer: None }
    }
}

impl<S: Stream<Item = reqwest::Result<Bytes>> + Unpin> MinRateStream<S> {
    /// Returns the next chunk, or the error of a transfer that is too slow.
    pub(crate) fn poll_chunk(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<reqwest::Result<Bytes>, TooSlow>>> {
        let arrival = Arc::new(Arrival { reader: context.waker().clone(), at: Mutex::new(None) });
        let polled = Pin::new(&mut self.chunks).poll_next(&mut Context::from_waker(&Waker::from(arrival.clone())));
        let now = Instant::now();
        let waited = self.waiting.take().map_or(Duration::ZERO, |waiting| {
            // After data has arrived, the vendor waits for the reader.
            let until = waiting.arrival.at().unwrap_or(now);
            until.saturating_duration_since(waiting.since)
        });
        let chunk = match polled {
            Poll::Ready(Some(Ok(chunk))) => chunk,
            Poll::Ready(other) => return Poll::Ready(other.map(Ok)),
            Poll::Pending => {
                self.window.add(&self.rate, waited, 0);
                if self.rate.is_missed_in(&self.window) {
                    return Poll::Ready(Some(Err(self.too_slow())));
                }
                self.waiting = Some(Waiting { since: now, arrival });
                return self.poll_timer(now, context);
            }
        };
        self.window.add(&self.rate, waited, chunk.len());
        if self.rate.is_missed_in(&self.window) {
            return Poll::Ready(Some(Err(self.too_slow())));
        }
        Poll::Ready(Some(Ok(Ok(chunk))))
    }

    /// Wakes the reader at the end of the window, if nothing arrives before.
    fn poll_timer(
        &mut self,
        now: Instant,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<reqwest::Result<Bytes>, TooSlow>>> {
        let Some(end) = now.checked_add(self.rate.remaining(&self.window)) else { return Poll::Pending };
        let timer = match &mut self.timer {
            Some(timer) => {
                timer.as_mut().reset(end);
                timer
            }
            None => self.timer.insert(Box::pin(tokio::time::sleep_until(end))),
        };
        match std::future::Future::poll(timer.as_mut(), context) {
            // The window ends with the next tick of the clock: poll again then.
            Poll::Ready(()) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn too_slow(&self) -> TooSlow {
        TooSlow { bytes: self.window.bytes, rate: self.rate }
    }
}

/// Records the time at which data arrived for a reader that may be busy.
struct Arrival {
    reader: Waker,
    at: Mutex<Option<Instant>>,
}

impl Arrival {
    fn at(&self) -> Option<Instant> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Arrival {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        self.reader.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::poll_fn;
    use futures_util::{FutureExt, StreamExt};
    use tokio::sync::mpsc;

    use super::*;

    const RATE: MinTransferRate = MinTransferRate::new(100, Duration::from_secs(10));

    #[test]
    fn window_is_missed_only_after_its_end() {
        for (waited, bytes, missed) in [
            (0, 0, false),
            (9, 0, false),
            (10, 0, true),
            (10, 99, true),
            (10, 100, false),
            (11, 100, false),
            (u64::MAX, 99, true),
        ] {
            let window = Window { bytes, waited: Duration::from_secs(waited) };
            assert_eq!(RATE.is_missed_in(&window), missed, "{waited} s, {bytes} bytes");
        }
    }

    type Chunks = futures_util::stream::BoxStream<'static, reqwest::Result<Bytes>>;

    fn stream() -> (mpsc::UnboundedSender<usize>, MinRateStream<Chunks>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let chunks = futures_util::stream::unfold(receiver, |mut receiver| async {
            let size: usize = receiver.recv().await?;
            Some((Ok(Bytes::from(vec![0; size])), receiver))
        });
        (sender, MinRateStream::new(chunks.boxed(), RATE))
    }

    async fn next(stream: &mut MinRateStream<Chunks>) -> Option<Result<usize, TooSlow>> {
        let chunk = poll_fn(|context| stream.poll_chunk(context)).await?;
        Some(chunk.map(|chunk| chunk.expect("chunks without errors").len()))
    }

    #[tokio::test(start_paused = true)]
    async fn trickled_download_ends_after_one_window() {
        let (sender, mut stream) = stream();
        tokio::spawn(async move {
            while sender.send(1).is_ok() {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
        let start = Instant::now();
        let error = loop {
            if let Err(error) = next(&mut stream).await.expect("the stream does not end") {
                break error;
            }
        };
        assert_eq!(start.elapsed().as_millis() / 100, 100);
        let expected = "the download is too slow: 20 bytes in 10s of waiting, the minimum is 100";
        assert!((19..=21).contains(&error.bytes), "{error}");
        assert_eq!(TooSlow { bytes: 20, ..error }.to_string(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn silent_download_ends_after_one_window() {
        let (_sender, mut stream) = stream();
        let start = Instant::now();
        assert_eq!(next(&mut stream).await, Some(Err(TooSlow { bytes: 0, rate: RATE })));
        assert_eq!(start.elapsed().as_millis() / 100, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn download_at_the_minimum_rate_continues() {
        let (sender, mut stream) = stream();
        tokio::spawn(async move {
            for _ in 0..100 {
                tokio::time::sleep(Duration::from_secs(4)).await;
                let _ = sender.send(50);
            }
        });
        while let Some(chunk) = next(&mut stream).await {
            assert_eq!(chunk, Ok(50));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn slow_reader_is_not_mistaken_for_a_slow_vendor() {
        let (sender, mut stream) = stream();
        for _ in 0..20 {
            // The reader has polled once, and is busy while data arrives.
            assert!(next(&mut stream).now_or_never().is_none());
            sender.send(1).unwrap();
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(next(&mut stream).await, Some(Ok(1)));
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    }
}
