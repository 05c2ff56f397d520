//! The commands of the guides lead from nothing to their results, against the sandbox.

use std::fs;
use std::path::Path;

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

/// Runs the commands of a page in a shell, one after another, and returns the tables of `reconcile`, as on a terminal of 120 columns. Commands of other
/// programs than curl are left out, and `sandbox`, which runs already.
fn run_commands(sandbox: &RunningSandbox, folder: &Path, page: &str, expected: impl Fn(&str) -> i32) -> String {
    let program = assert_cmd::cargo::cargo_bin!("usage-billing");
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let is_run = |line: &&str| line.starts_with("usage-billing ") || line.starts_with("curl ");
    let commands = lines(page, "sh").into_iter().filter(is_run);
    let commands: Vec<_> = commands.filter(|line| !line.starts_with("usage-billing sandbox ")).collect();
    assert!(commands.len() > 3, "{commands:?}");
    let mut tables = String::new();
    for command in commands {
        // Two months in place of twelve, which take a minute.
        let mut line = command.replace("2025-11..2026-10", "2026-09..2026-10");
        if let Some((verb, arguments)) = line.strip_prefix("usage-billing meter ").and_then(|rest| rest.split_once(' '))
        {
            line = format!("usage-billing meter {verb} --today {TODAY} {arguments}");
        }
        if line.starts_with("usage-billing usage reconcile ") {
            line += " --format table --width 120";
        }
        let mut shell = assert_cmd::Command::new("sh");
        shell.args(["-c", &line]).current_dir(folder).env_clear().envs(super::running::environment());
        let (code, stdout, stderr) = run(shell.env("PATH", &path).envs(sandbox.1.clone()));
        assert_eq!(code, Some(expected(command)), "{command}: {stderr}");
        if line.ends_with("--format table --width 120") {
            tables += &stdout;
        }
    }
    tables
}

#[test]
fn guide_of_msps_ends_with_the_error_of_an_invoice() {
    let (sandbox, folder) = (RunningSandbox::start(&["--polls", "0"]), tempfile::tempdir().unwrap());
    let page = include_str!("../../../../docs/msp-month-end.md");
    file(&folder, "invoice.csv", &(lines(page, "csv").join("\n") + "\n"));
    let printed =
        run_commands(&sandbox, folder.path(), page, |command| if command.contains("reconcile") { 6 } else { 0 });
    check_sample(page, &printed);
}

#[test]
fn guide_of_isvs_ends_with_the_proof_of_the_month() {
    let sandbox = RunningSandbox::start(&["--record-groups", "0"]);
    let folder = tempfile::tempdir().unwrap();
    let page = include_str!("../../../../docs/isv-metering.md");
    file(&folder, "events.csv", &(lines(page, "csv").join("\n") + "\n"));
    run_commands(&sandbox, folder.path(), page, |_| 0);
    for (name, pointer) in [("receipt.json", "/is_complete"), ("november.json", "/reconciliation/is_clean")] {
        let result: serde_json::Value = serde_json::from_slice(&fs::read(folder.path().join(name)).unwrap()).unwrap();
        assert_eq!(result.pointer(pointer), Some(&true.into()), "{name}");
    }
}

#[test]
fn guide_of_finops_ends_with_charges_and_schemas() {
    let (sandbox, folder) = (RunningSandbox::start(&["--polls", "0"]), tempfile::tempdir().unwrap());
    let page = include_str!("../../../../docs/finops-warehouse.md");
    file(&folder, "prices.csv", &(lines(page, "csv").join("\n") + "\n"));
    // Of some rows no source states whether they are billed.
    run_commands(&sandbox, folder.path(), page, |command| if command.contains("usage export") { 4 } else { 0 });
    for name in ["focus.csv", "usage.ddl", "usage.json"] {
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
