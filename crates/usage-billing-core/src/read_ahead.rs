//! Calls whose responses are read in the background and decoded by whoever waits for them: what is decoded on one thread, and used and freed on
//! another, costs more processor time.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::Either;

use crate::body_permits::MEDIUM;

/// Bodies up to this size take less time to decode than it takes to wake another thread.
const SMALL: usize = 32 << 10;

tokio::task_local! {
    /// Of a future that is polled by [`read_ahead`]: whether it has stopped before it decodes.
    static IS_STOPPED: Cell<bool>;
}

/// Runs a future until it ends (left), or until it only has to be polled again to decode the response of a call (right).
#[doc(hidden)]
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

/// Whether the call that is polled stops when it has a body of so many bytes. Larger ones are decoded in the background: they would take
/// more memory than what they are decoded to.
pub(crate) fn should_stop_at(bytes: usize) -> bool {
    (SMALL..=MEDIUM).contains(&bytes) && IS_STOPPED.try_with(|_| ()).is_ok()
}

/// Stops the future that [`read_ahead`] polls; goes on when another polls it.
pub(crate) async fn stop() {
    poll_fn(|context| match IS_STOPPED.try_with(|is_stopped| is_stopped.set(true)) {
        Ok(()) => {
            // For the future's own parts that may be polled apart from it.
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
    async fn future_stops_where_it_would_decode_and_goes_on_elsewhere() {
        let call = async {
            tokio::task::yield_now().await;
            let stops = should_stop_at(MEDIUM);
            if stops {
                stop().await;
            }
            (stops, should_stop_at(MEDIUM))
        };
        let Either::Right(stopped) = read_ahead(call.boxed()).await else { panic!("it ran to its end") };
        assert_eq!(stopped.await, (true, false));
        let small = async { (should_stop_at(SMALL - 1), should_stop_at(MEDIUM + 1)) };
        assert!(matches!(read_ahead(small.boxed()).await, Either::Left((false, false))));
    }
}
