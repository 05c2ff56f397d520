//! Reads responses in the background and decodes them in the task that waits for them: a value that is decoded on one thread and freed on
//! another takes more processor time.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::Either;

use crate::body_permits::MEDIUM;

/// Decoding a smaller body takes less time than waking another thread.
const SMALL: usize = 32 << 10;

tokio::task_local! {
    /// Set while [`read_ahead`] polls a future: whether it has stopped before it decodes.
    static IS_STOPPED: Cell<bool>;
}

/// Runs a future until it ends (left), or until only decoding of the response remains (right).
pub async fn read_ahead<F: Future + Unpin>(mut future: F) -> Either<F::Output, F> {
    let output = poll_fn(|context| {
        IS_STOPPED.sync_scope(Cell::new(false), || match future.poll_unpin(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if IS_STOPPED.with(Cell::get) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
    });
    match output.await {
        Some(output) => Either::Left(output),
        None => Either::Right(future),
    }
}

/// Returns whether the current call stops when it has a body of this many bytes. Larger bodies are decoded in the background: they take more
/// memory than their decoded values.
pub(crate) fn should_stop_at(bytes: usize) -> bool {
    (SMALL..=MEDIUM).contains(&bytes) && IS_STOPPED.try_with(|_| ()).is_ok()
}

/// Stops the future that [`read_ahead`] polls, until it is polled elsewhere.
pub(crate) async fn stop() {
    poll_fn(|context| match IS_STOPPED.try_with(|is_stopped| is_stopped.set(true)) {
        Ok(()) => {
            // Parts of the future may be polled separately from it.
            context.waker().wake_by_ref();
            Poll::Pending
        }
        Err(_) => Poll::Ready(()),
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn future_stops_before_decoding_and_continues_elsewhere() {
        let call = async {
            tokio::task::yield_now().await;
            let stops = should_stop_at(MEDIUM);
            if stops {
                stop().await;
            }
            (stops, should_stop_at(MEDIUM))
        };
        let Either::Right(stopped) = read_ahead(call.boxed()).await else { panic!("the future did not stop") };
        assert_eq!(stopped.await, (true, false));
        let small = async { (should_stop_at(SMALL - 1), should_stop_at(MEDIUM + 1)) };
        assert!(matches!(read_ahead(small.boxed()).await, Either::Left((false, false))));
    }
}
