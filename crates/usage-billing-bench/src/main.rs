#![doc = include_str!("../README.md")]

mod clients;
mod latency;
mod workload;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

use crate::workload::{Result, Side};

const USAGE: &str = "usage-billing-bench [--by-hand] [--threads T] [--latency MILLIS] WORKLOAD BASE_URL N
workloads: list, report-bB-cC, poll, download, small-cC, single-cC (batches of B, C at a time)";

/// Arguments of a run.
struct Run {
    side: Side,
    /// Threads of a multi-thread runtime; 0 selects the runtime of one thread.
    threads: usize,
    /// Additional latency of each request.
    latency: Duration,
    workload: String,
    base: String,
    count: u64,
}

impl Run {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let (mut side, mut threads, mut latency) = (Side::Ours, 0, Duration::ZERO);
        let workload = loop {
            let argument = arguments.next()?;
            match argument.as_str() {
                "--by-hand" => side = Side::ByHand,
                "--threads" => threads = arguments.next()?.parse().ok()?,
                "--latency" => latency = Duration::from_millis(arguments.next()?.parse().ok()?),
                _ => break argument,
            }
        };
        let (base, count) = (arguments.next()?, arguments.next()?.parse().ok()?);
        arguments.next().is_none().then_some(Self { side, threads, latency, workload, base, count })
    }
}

fn main() -> ExitCode {
    match Run::parse(std::env::args().skip(1)) {
        Some(run) => measure(&run),
        None => usage_error(USAGE),
    }
}

fn measure(run: &Run) -> ExitCode {
    let Run { side, threads, latency, workload, base, count } = run;
    let target = if latency.is_zero() { Ok(base.clone()) } else { latency::relay(base, *latency) };
    let (base, runtime) = match (target, workload::runtime(*threads)) {
        (Ok(base), Ok(runtime)) => (base, runtime),
        (Err(error), _) | (_, Err(error)) => return usage_error(&format!("no relay or runtime: {error}")),
    };
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    let run: Result<String> = runtime.block_on(workload::run(*side, workload, &base, *count));
    match run {
        Ok(checksum) => {
            println!("TIMING wall_s={:.6} cpu_s={:.6}", wall.elapsed().as_secs_f64(), cpu.elapsed().as_secs_f64());
            println!("{checksum}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{workload}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage_error(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(2)
}
