//! The commands of the guides lead from nothing to their results, against the sandbox.

use std::fs;
use std::path::Path;

use super::running::Run;
use super::support::{RunningSandbox, TODAY, file, ok, run};

/// Returns the lines of the blocks of a language.
fn lines<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("{language}\n");
    let blocks = page.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix(&*fence));
    blocks.flat_map(str::lines).collect()
}

/// Checks that the output that a page shows is printed.
fn check_sample(page: &str, printed: &str) {
    let sample = lines(page, "text");
    assert!(sample.len() > 3, "{sample:?}");
    let missing: Vec<_> = sample.into_iter().filter(|line| !printed.lines().any(|it| it == *line)).collect();
    assert_eq!(missing, [""; 0], "{printed}");
}

/// Runs the commands of a page in one shell, one after another, and returns each with its exit code, stdout and stderr. Commands of other
/// programs than curl are left out. A line that is not run as it is written is `(written, run)`.
fn run_guide(folder: &Path, page: &str, changed: &[(&str, &str)]) -> Vec<(String, Run)> {
    let is_run = |line: &&str| ["usage-billing ", "curl ", ". "].iter().any(|start| line.starts_with(start));
    let commands: Vec<_> = lines(page, "sh").into_iter().filter(is_run).collect();
    assert!(commands.len() > 3, "{commands:?}");
    assert!(changed.iter().all(|(written, _)| commands.contains(written)), "{changed:?}");
    let mut script = String::new();
    for (number, written) in commands.iter().enumerate() {
        let line = changed.iter().find_map(|(from, to)| (from == written).then_some(to)).unwrap_or(written);
        let line = if line.starts_with("usage-billing sandbox ") {
            // It runs until the end, and the next command is for another shell.
            let wait = "while kill -0 $sandbox && ! [ -e sandbox.env ]; do sleep 0.1; done";
            format!("{line} &\nsandbox=$!; trap 'kill $sandbox' EXIT\n{wait}")
        } else {
            (*line).to_owned()
        };
        script += &format!("{{ {line}\n}} > {number}.stdout 2> {number}.stderr; echo $? > {number}.code\n");
    }
    let program = assert_cmd::cargo::cargo_bin!("usage-billing");
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut shell = assert_cmd::Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder).env_clear().envs(super::running::environment()).env("PATH", path);
    ok(run(&mut shell));
    let read = |number: usize, name| fs::read_to_string(folder.join(format!("{number}.{name}"))).unwrap();
    let outcome = |number| (read(number, "code").trim().parse().ok(), read(number, "stdout"), read(number, "stderr"));
    commands.iter().enumerate().map(|(number, line)| ((*line).to_owned(), outcome(number))).collect()
}

/// Checks the exit code of each command.
fn check_codes(runs: &[(String, Run)], expected: impl Fn(&str) -> i32) {
    for (command, (code, _, stderr)) in runs {
        assert_eq!(*code, Some(expected(command)), "{command}: {stderr}");
    }
}

#[test]
fn guide_of_msps_ends_with_the_error_of_an_invoice() {
    let folder = tempfile::tempdir().unwrap();
    let page = include_str!("../../../../docs/msp-month-end.md");
    file(&folder, "invoice.csv", &(lines(page, "csv").join("\n") + "\n"));
    // The table of a terminal.
    let reconcile =
        lines(page, "sh").into_iter().find(|line| line.starts_with("usage-billing usage reconcile ")).unwrap();
    let runs = run_guide(folder.path(), page, &[(reconcile, &format!("{reconcile} --format table --width 120"))]);
    check_codes(&runs, |command| if command == reconcile { 6 } else { 0 });
    check_sample(page, &runs.iter().find(|(command, _)| command == reconcile).unwrap().1.1);
}

#[test]
fn guide_of_isvs_ends_with_the_proof_of_the_month() {
    let folder = tempfile::tempdir().unwrap();
    let page = include_str!("../../../../docs/isv-metering.md");
    file(&folder, "events.csv", &(lines(page, "csv").join("\n") + "\n"));
    check_codes(&run_guide(folder.path(), page, &[]), |_| 0);
    for (name, pointer) in [("receipt.json", "/is_complete"), ("november.json", "/reconciliation/is_clean")] {
        let result: serde_json::Value = serde_json::from_slice(&fs::read(folder.path().join(name)).unwrap()).unwrap();
        assert_eq!(result.pointer(pointer), Some(&true.into()), "{name}");
    }
}

#[test]
fn guide_of_finops_ends_with_charges_and_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let page = include_str!("../../../../docs/finops-warehouse.md");
    file(&folder, "prices.csv", &(lines(page, "csv").join("\n") + "\n"));
    // Twelve months take a minute: tests/warehouse fetches them.
    let fetch = lines(page, "sh").into_iter().find(|line| line.starts_with("usage-billing usage fetch ")).unwrap();
    let runs = run_guide(folder.path(), page, &[(fetch, &fetch.replace("2025-11..2026-10", "2026-09..2026-10"))]);
    // Of some rows no source states whether they are billed.
    check_codes(&runs, |command| if command.contains("usage export") { 4 } else { 0 });
    for name in ["focus.csv", "acronis.csv", "usage.ddl", "usage.json"] {
        assert!(fs::metadata(folder.path().join(name)).unwrap().len() > 1000, "{name}");
    }
}

#[test]
fn sample_of_the_readme_is_printed_for_the_sandbox() {
    let (sandbox, folder) = (RunningSandbox::start(&["--polls", "0"]), tempfile::tempdir().unwrap());
    let fetch = ["usage", "fetch", "--today", TODAY, "--period", "2026-10", "--output", "rows.jsonl"];
    let columns = "customer_name,sku,quantity,unit,amount,currency,is_billable,billing_reason";
    let show = ["usage", "show", "rows.jsonl", "--columns", columns, "--format", "table", "--width", "122"];
    let [_, printed] =
        [&fetch[..], &show].map(|arguments| ok(run(sandbox.program(arguments).current_dir(folder.path()))).0);
    check_sample(include_str!("../../../../README.md"), &printed);
}
