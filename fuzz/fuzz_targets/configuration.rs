//! Configuration files: no panic, and one line that begins with a place in the file.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Err(problem) = usage_billing_cli::check_configuration(text) else { return };
    let line = problem.strip_prefix("config.toml:").and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
    let lines = text.lines().count().max(1) + 1;
    assert!(line.is_some_and(|line| (1..=lines).contains(&line)), "{problem:?}");
    assert!(!problem.contains(char::is_control), "{problem:?}");
});
