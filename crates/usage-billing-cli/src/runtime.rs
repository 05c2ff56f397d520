//! The runtime of the program's work.

use std::io;

/// Returns when the work is done, whatever else still runs: a name that is being resolved on another thread cannot be cancelled, and
/// waiting for it would outlast `--timeout`.
///
/// # Errors
/// If the runtime cannot start its threads.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(outcome)
}

/// Catches Ctrl-C and SIGTERM from now on; the future is ready when one arrives.
pub(crate) fn interrupted() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let (mut interrupt, mut terminate) = {
        use tokio::signal::unix::{SignalKind, signal};
        (signal(SignalKind::interrupt()).ok(), signal(SignalKind::terminate()).ok())
    };
    async move {
        #[cfg(unix)]
        tokio::select! {
            Some(()) = async { interrupt.as_mut()?.recv().await } => {}
            Some(()) = async { terminate.as_mut()?.recv().await } => {}
            else => std::future::pending().await,
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn work_that_is_done_does_not_wait_for_a_thread_that_is_not() {
        let (sender, receiver) = mpsc::channel::<()>();
        let outcome = run(async {
            // The thread ends with the sender, after `run`.
            drop(tokio::task::spawn_blocking(move || receiver.recv()));
            7
        });
        assert_eq!(outcome.unwrap(), 7);
        drop(sender);
    }
}
