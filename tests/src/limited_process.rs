//! Runs the client half of a test in a child process whose memory is limited and measured.

use std::env;
use std::fs;
use std::process::Command;

/// Set in the child to the name of the test whose client half it runs.
const TEST: &str = "USAGE_BILLING_LIMITED_TEST";
/// Set in the child to the parent's input, such as the URL of its server.
const INPUT: &str = "USAGE_BILLING_LIMITED_INPUT";
/// Address space beyond the memory in use: the program itself, stacks of threads, an allocator's reserve.
const MAPPED_MIB: u64 = 1024;

/// Runs `client(input)` in a child process and checks the peak of its resident memory; prints the peak.
///
/// `test` is the full name of the calling test as `cargo test -- --list` prints it; the child is this test program with that test alone.
/// The child's address space is limited to `peak_mib` plus 1 GiB of mapped but unused memory, so that unbounded growth ends the child and not
/// the machine. Everything outside `client` runs in both processes. `input` runs in the parent only: start servers there. Its second value is
/// kept until the child has ended.
///
/// # Panics
/// If the child fails or its resident memory exceeds `peak_mib`.
pub fn limited_process<S>(test: &str, peak_mib: u64, input: impl FnOnce() -> (String, S), client: impl FnOnce(String)) {
    if env::var(TEST).is_ok_and(|running| running == test) {
        client(env::var(INPUT).unwrap_or_default());
        println!("peak_kib={}", peak_kib());
        return;
    }
    let (input, _kept) = input();
    let program = env::current_exe().expect("the path of this test program");
    let limit_kib = (peak_mib + MAPPED_MIB) * 1024;
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v {limit_kib} && exec \"$0\" \"$@\"")])
        .arg(program)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(TEST, test)
        .env(INPUT, input)
        // One arena: each additional one reserves 64 MiB of addresses.
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .expect("a shell");
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{test} failed in a limited process: {printed}{errors}");
    let peak = printed.lines().find_map(|line| line.split("peak_kib=").nth(1)).expect("the peak that the child prints");
    let peak_kib: u64 = peak.trim().parse().expect("a number of KiB");
    println!("{test}: peak {} MiB", peak_kib / 1024);
    assert!(peak_kib <= peak_mib * 1024, "{test} used {} MiB, more than {peak_mib}", peak_kib / 1024);
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux's /proc");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    peak.trim().trim_end_matches("kB").trim().parse().expect("a number of kB")
}
