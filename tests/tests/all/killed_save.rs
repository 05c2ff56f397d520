//! Cleanup after a process that was killed while it saved a file.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use usage_billing_tests::ScriptedResponse;

use super::memory_files::{CSV_HEADER, CSV_ROW, Endless, run, server};

const TEST: &str = "killed_save::next_save_removes_the_partial_file_of_a_killed_process";
/// Set in the child: the URL of its server and the path that it saves to.
const URL: &str = "USAGE_BILLING_KILLED_URL";
const PATH: &str = "USAGE_BILLING_KILLED_PATH";

#[test]
fn next_save_removes_the_partial_file_of_a_killed_process() {
    if let (Ok(url), Ok(path)) = (env::var(URL), env::var(PATH)) {
        let error = run(&url, async |client, file| client.save_to(&file, path).await.unwrap_err());
        unreachable!("the process is killed first: {error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.csv");
    let endless = Endless::csv(CSV_HEADER, CSV_ROW).server();
    let child = || {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", TEST]).env(URL, endless.url()).env(PATH, &path);
        command.spawn().unwrap()
    };
    let mut killed = child();
    let left = wait_for_part(folder.path(), None);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(left.exists(), "the partial file of the killed process");

    let mut live = child();
    let lives = wait_for_part(folder.path(), Some(&left));
    assert!(!left.exists(), "the next save removed it");
    let empty = server("csv_v2_0", ScriptedResponse::new(200, &[], ""));
    let save = || run(empty.url(), async |client, file| client.save_to(&file, &path).await.unwrap_err());
    assert_eq!(save().message(), "the report's file is empty");
    assert!(lives.exists(), "the partial file of a running process");
    live.kill().unwrap();
    live.wait().unwrap();
    save();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Waits for a partial file with content other than `left`.
fn wait_for_part(folder: &Path, left: Option<&Path>) -> PathBuf {
    loop {
        let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
        let mut parts = entries.filter(|path| Some(path.as_path()) != left);
        if let Some(part) = parts.find(|path| fs::metadata(path).is_ok_and(|part| part.len() > 0)) {
            return part;
        }
        std::thread::yield_now();
    }
}
