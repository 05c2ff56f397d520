//! Runs of the program against its own sandbox, on a fixed day.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

use crate::running::environment;
pub(crate) use crate::running::{RunningSandbox, TODAY, program};

/// Exit code, stdout and stderr of a run.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn new(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Self { code: output.status.code(), stdout: output.stdout, stderr }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        self
    }

    /// Checks that stderr has a text.
    #[track_caller]
    pub(crate) fn states(&self, text: &str) {
        assert!(self.stderr.contains(text), "{}", self.stderr);
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Rows of JSON lines.
    pub(crate) fn rows(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs `usage fetch` against the program's own sandbox.
pub(crate) fn fetch(arguments: &[&str]) -> Run {
    Run::new(program(&["usage", "fetch", "--sandbox", "--today", TODAY]).args(arguments))
}

pub(crate) fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

/// Writes the first billable row of a SKU in a file (JSON lines), with other values and another key.
pub(crate) fn write_changed(from: &str, to: &str, sku: &str, changes: &Value) {
    let text = std::fs::read_to_string(from).unwrap();
    let mut rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut row = rows.find(|row| row["is_billable"] == true && row["sku"] == sku).unwrap();
    let key = format!("{:032x}", to.bytes().fold(1u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())));
    row["row_key"] = key.into();
    for (column, value) in changes.as_object().unwrap() {
        row[column] = value.clone();
    }
    std::fs::write(to, format!("{row}\n")).unwrap();
}

/// Names of the files below a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

/// Starts a sandbox in which a report stays in progress for `polls` polls.
pub(crate) fn sandbox(polls: &str) -> RunningSandbox {
    RunningSandbox::start(&["--polls", polls])
}

/// Returns a command that fetches from a sandbox.
pub(crate) fn fetch_from(sandbox: &RunningSandbox, arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("usage-billing"));
    command.args(["usage", "fetch", "--today", TODAY]).args(arguments);
    command.env_clear().envs(environment()).envs(sandbox.1.clone());
    command
}

pub(crate) fn run_fetch(sandbox: &RunningSandbox, arguments: &[&str]) -> Run {
    Run::new(&mut Command::from_std(fetch_from(sandbox, arguments)))
}
