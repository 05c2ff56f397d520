//! Runs of the program against its own sandbox, on a fixed day.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use assert_cmd::Command;
use serde_json::Value;

pub(crate) const TODAY: &str = "2026-11-21";

/// Exit code, stdout and stderr of a run.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
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

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Rows of JSON lines.
    pub(crate) fn rows(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Returns the variables that the program inherits: those of `faketime`, but no settings of the user who runs the tests.
pub(crate) fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name == "LD_PRELOAD" || name == "TZ" || name.starts_with("FAKETIME") || name.starts_with("DYLD_")
    })
}

pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("usage-billing").unwrap();
    command.args(arguments).env_clear().envs(environment());
    command
}

/// Runs `usage fetch` against the program's own sandbox.
pub(crate) fn fetch(arguments: &[&str]) -> Run {
    Run::of(program(&["usage", "fetch", "--sandbox", "--today", TODAY]).args(arguments))
}

pub(crate) fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
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

/// A running `sandbox` command of the program, and the settings that it prints.
pub(crate) struct RunningSandbox(Child, Vec<(String, String)>);

impl RunningSandbox {
    /// Starts a sandbox in which a report stays in progress for `polls` polls.
    pub(crate) fn start(polls: &str) -> Self {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("usage-billing"));
        command.args(["sandbox", "--today", TODAY, "--polls", polls]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(9).map(Result::unwrap);
        let setting = |line: String| {
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        };
        let settings = lines.map(setting).collect();
        Self(child, settings)
    }

    /// Returns a command that fetches from this sandbox.
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("usage-billing"));
        command.args(["usage", "fetch", "--today", TODAY]).args(arguments);
        command.env_clear().envs(environment()).envs(self.1.clone());
        command
    }

    pub(crate) fn fetch(&self, arguments: &[&str]) -> Run {
        Run::of(&mut Command::from_std(self.command(arguments)))
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}
