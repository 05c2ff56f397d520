#![doc = include_str!("../README.md")]

mod clients;
mod workload;

use std::process::ExitCode;
use std::time::Instant;

use cpu_time::ProcessTime;

use crate::workload::{Result, Side};

const USAGE: &str = "usage-billing-bench [--by-hand] WORKLOAD BASE_URL N
workloads: list, list-t1, report-bB-cC, poll, download, small-cC, single-cC (batches of B, C at a time)";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let by_hand = arguments.first().is_some_and(|first| first == "--by-hand");
    if by_hand {
        arguments.remove(0);
    }
    let side = if by_hand { Side::ByHand } else { Side::Ours };
    match &arguments[..] {
        [workload, base, count] => match count.parse() {
            Ok(count) => measure(side, workload, base, count),
            Err(_) => wrong(&format!("`{count}` is no count")),
        },
        _ => wrong(USAGE),
    }
}

fn measure(side: Side, workload: &str, base: &str, count: u64) -> ExitCode {
    let runtime = match workload::runtime(side, workload) {
        Ok(runtime) => runtime,
        Err(error) => return wrong(&format!("no runtime: {error}")),
    };
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    let run: Result<String> = runtime.block_on(workload::run(side, workload, base, count));
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

fn wrong(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(2)
}
