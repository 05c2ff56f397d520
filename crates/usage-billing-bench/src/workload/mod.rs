//! The measured workloads, each with our clients and by hand.

mod download;
mod list;
mod poll;
mod report;
mod single;
mod small;
mod tasks;

use tokio::runtime::{Builder, Runtime};

/// Any error ends the run.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Implementation that makes the calls.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    /// The clients of this workspace.
    Ours,
    /// reqwest and serde, hand-written for the one call, with the same types.
    ByHand,
}

/// Builds a runtime of one thread, or a multi-thread one with `threads` workers.
pub(crate) fn runtime(threads: usize) -> std::io::Result<Runtime> {
    let mut builder = if threads == 0 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.worker_threads(threads.max(1)).enable_all().build()
}

/// Runs a workload and returns the checksum of the decoded data.
pub(crate) async fn run(side: Side, workload: &str, base: &str, count: u64) -> Result<String> {
    let (name, parameters) = workload.split_once('-').unwrap_or((workload, ""));
    // `b100-c8`: batches of 100, 8 at a time.
    let number = |letter| {
        let value = parameters.split('-').find_map(|part| part.strip_prefix(letter)).map(str::parse::<usize>);
        value.transpose().map(|number| number.filter(|number| *number > 0).unwrap_or(1))
    };
    let (batch, concurrency) = (number('b')?, number('c')?);
    match name {
        "list" => list::run(side, base, count).await,
        "report" => report::batches(side, base, count, batch, concurrency).await,
        "download" => download::run(side, base, count).await,
        "single" => single::run(side, base, count, concurrency).await,
        "poll" => poll::run(side, base, count).await,
        "small" => small::run(side, base, count, concurrency).await,
        _ => Err("unknown workload: expected list, report-bB-cC, poll, download, small-cC, single-cC".into()),
    }
}
