//! The program without the user's settings, and a sandbox that runs beside it. Each test program uses a part of it.
#![allow(dead_code)]

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use assert_cmd::Command;

/// Date for the program and its sandbox, so that no test depends on the current day.
pub(crate) const TODAY: &str = "2026-11-21";

/// Returns the variables of the program: those of `faketime` that it inherits, and no settings of the user who runs the tests, also not those in
/// the configuration folder.
pub(crate) fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    let inherited = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name == "LD_PRELOAD"
            || name == "PATH"
            || name == "TZ"
            || name.starts_with("FAKETIME")
            || name.starts_with("DYLD_")
    });
    inherited.chain(["HOME", "XDG_CONFIG_HOME"].map(|folder| (folder.into(), "/absent".into())))
}

/// Returns the program without any settings.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("usage-billing").unwrap();
    command.args(arguments).env_clear().envs(environment());
    command
}

/// The exit code, stdout and stderr of a run.
pub(crate) type Run = (Option<i32>, String, String);

pub(crate) fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Returns stdout and stderr of a run with an exit code.
#[track_caller]
pub(crate) fn exits((code, stdout, stderr): Run, expected: i32) -> (String, String) {
    assert_eq!(code, Some(expected), "{stderr}");
    (stdout, stderr)
}

/// Returns stdout and stderr of a run that succeeds.
#[track_caller]
pub(crate) fn ok(run: Run) -> (String, String) {
    exits(run, 0)
}

/// Checks the exit code of a run, and that stderr has a text.
#[track_caller]
pub(crate) fn states(run: Run, expected: i32, text: &str) {
    let (_, stderr) = exits(run, expected);
    assert!(stderr.contains(text), "{stderr}");
}

/// Checks that a run [states](states), and prints nothing on stdout.
#[track_caller]
pub(crate) fn rejects(run: Run, expected: i32, text: &str) {
    assert_eq!(run.1, "", "{}", run.2);
    states(run, expected, text);
}

/// A running `sandbox` command of the program, and the settings that it prints.
pub(crate) struct RunningSandbox(std::process::Child, pub(crate) Vec<(String, String)>);

impl RunningSandbox {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("usage-billing"));
        command.args(["sandbox", "--today", TODAY]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(9);
        let setting = |line: String| {
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        };
        let settings = lines.map(|line| setting(line.unwrap())).collect();
        Self(child, settings)
    }

    pub(crate) fn setting(&self, name: &str) -> &str {
        &self.1.iter().find(|(setting, _)| setting == name).unwrap().1
    }

    /// Advances the sandbox's clock.
    pub(crate) fn advance(&self, seconds: u64) {
        self.post("/_sandbox/clock", &format!(r#"{{"advance_seconds":{seconds}}}"#));
    }

    pub(crate) fn fault(&self, fault: &str) {
        self.post("/_sandbox/faults", fault);
    }

    pub(crate) fn post(&self, path: &str, body: &str) {
        self.request("POST", path, body);
    }

    /// Returns the number of requests of an operation so far.
    pub(crate) fn requests_of(&self, operation: &str) -> usize {
        self.request("GET", "/_sandbox/log", "").matches(&format!(r#""{operation}""#)).count()
    }

    /// Sends a request to the sandbox's own paths, and returns the response.
    fn request(&self, method: &str, path: &str, body: &str) -> String {
        let host = self.setting("SUGER_BASE_URL").strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        assert!(response.starts_with("HTTP/1.1 2"), "{response}");
        response
    }

    /// Returns the program with the settings of this sandbox.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        command.envs(self.1.clone());
        command
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
