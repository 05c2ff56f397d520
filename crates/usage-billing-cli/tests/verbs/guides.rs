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

/// Runs the commands of a page in a shell, one after another. Those of other programs are left out, and `sandbox`, which runs already.
fn run_commands(sandbox: &RunningSandbox, folder: &Path, page: &str, expected: impl Fn(&str) -> i32) {
    let program = assert_cmd::cargo::cargo_bin!("usage-billing");
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let commands = lines(page, "sh").into_iter().filter(|line| line.starts_with("usage-billing "));
    let commands: Vec<_> = commands.filter(|line| !line.starts_with("usage-billing sandbox ")).collect();
    assert!(commands.len() > 3, "{commands:?}");
    for command in commands {
        // Two months in place of twelve, which take a minute.
        let mut line = command.replace("2025-11..2026-10", "2026-09..2026-10");
        if let Some((verb, arguments)) = line.strip_prefix("usage-billing meter ").and_then(|rest| rest.split_once(' '))
        {
            line = format!("usage-billing meter {verb} --today {TODAY} {arguments}");
        }
        let mut shell = assert_cmd::Command::new("sh");
        shell.args(["-c", &line]).current_dir(folder).env_clear().envs(super::running::environment());
        let (code, _, stderr) = run(shell.env("PATH", &path).envs(sandbox.1.clone()));
        assert_eq!(code, Some(expected(command)), "{command}: {stderr}");
    }
}

/// Returns an invoice for the billable usage of Acronis in October.
fn invoice(sandbox: &RunningSandbox, folder: &Path) -> String {
    for arguments in [
        &["usage", "fetch", "acronis", "--today", TODAY, "--period", "2026-10", "--output", "invoiced.jsonl"][..],
        &["usage", "show", "invoiced.jsonl", "--by", "customer,sku", "--format", "csv"],
    ] {
        let (stdout, _) = ok(run(sandbox.program(arguments).current_dir(folder)));
        if !stdout.is_empty() {
            let is_billed = |line: &&str| line.starts_with("vendor,") || line.contains(",true,");
            return stdout.lines().filter(is_billed).map(|line| format!("{line}\n")).collect();
        }
    }
    unreachable!("the sums are on stdout")
}

#[test]
fn guide_of_msps_ends_with_an_invoice_that_agrees() {
    let (sandbox, folder) = (RunningSandbox::start(&["--polls", "0"]), tempfile::tempdir().unwrap());
    file(&folder, "invoice.csv", &invoice(&sandbox, folder.path()));
    let page = include_str!("../../../../docs/msp-month-end.md");
    run_commands(&sandbox, folder.path(), page, |_| 0);
}

#[test]
fn guide_of_isvs_ends_with_the_proof_of_the_month() {
    let sandbox = RunningSandbox::start(&["--record-groups", "0"]);
    let folder = tempfile::tempdir().unwrap();
    let page = include_str!("../../../../docs/isv-metering.md");
    file(&folder, "events.csv", &(lines(page, "csv").join("\n") + "\n"));
    // The marketplace reports once an hour.
    run_commands(&sandbox, folder.path(), page, |command| if command.contains("meter reconcile") { 5 } else { 0 });
    for name in ["receipt.json", "november.json"] {
        let result: serde_json::Value = serde_json::from_slice(&fs::read(folder.path().join(name)).unwrap()).unwrap();
        assert!(result.is_object(), "{name}");
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
