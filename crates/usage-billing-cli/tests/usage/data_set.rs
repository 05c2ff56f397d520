//! `usage fetch` into a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{fetch, fetch_from, files, path, run_fetch, sandbox};

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("_manifest.json")).unwrap()).unwrap()
}

/// The contents of all files of a data set.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    files(folder).into_iter().map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
}

#[test]
fn repeated_fetch_adds_missing_months_and_keeps_final_ones() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox("0");
    let set = path(folder.path(), "usage/");
    let fetch =
        |period: &str| run_fetch(&sandbox, &["acronis", "--period", period, "--allow-open", "--output", &set]).ok();
    fetch("2026-10");
    let month = |month: &str| format!("vendor=acronis/period={month}/part-0.parquet");
    let usage = folder.path().join("usage");
    assert_eq!(files(&usage), [".lock", "_manifest.json", &month("2026-10")]);
    let october = contents(&usage)[&month("2026-10")].clone();

    let run = fetch("2026-09..2026-11");
    assert!(run.stderr.contains("acronis: 2026-10 is final and kept"), "{}", run.stderr);
    assert_eq!(run.stderr.matches("fetching usage").count(), 2, "{}", run.stderr);
    assert_eq!(contents(&usage)[&month("2026-10")], october);
    let entry = &manifest(&usage)["months"]["vendor=acronis/period=2026-10"];
    assert!(entry["is_final"] == true && entry["rows"].as_u64() > Some(10), "{entry}");
    assert_eq!(entry["operations"], serde_json::json!(["download_stored_report"]));
    assert_eq!(entry["report_ids"].as_array().unwrap().len(), 1);
    assert_eq!(manifest(&usage)["months"]["vendor=acronis/period=2026-11"]["is_final"], false);

    // Only the open month is fetched again.
    let run = fetch("2026-09..2026-11");
    assert_eq!(run.stderr.matches("is final and kept").count(), 2, "{}", run.stderr);
    assert!(run.stderr.contains("fetching usage of 2026-11"), "{}", run.stderr);
    // A file that was changed is fetched again.
    fs::write(usage.join(month("2026-10")), "not Parquet").unwrap();
    fetch("2026-10");
    assert_eq!(contents(&usage)[&month("2026-10")], october);
    let forced = run_fetch(&sandbox, &["acronis", "--period", "2026-10", "--force", "--output", &set]).ok();
    assert!(forced.stderr.contains("fetching usage of 2026-10"), "{}", forced.stderr);
}

#[test]
fn killed_fetch_is_continued_to_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox("0");
    let (whole, killed) = (path(folder.path(), "whole/"), path(folder.path(), "killed/"));
    let arguments = |set| ["acronis", "suger", "--period", "2026-05..2026-10", "--output", set];
    run_fetch(&sandbox, &arguments(&whole)).ok();
    for months in [1, 4] {
        let mut command = fetch_from(&sandbox, &arguments(&killed));
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let read: Vec<_> = lines.filter(|line| line.ends_with(" rows")).take(months).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(read.len(), months);
        for (name, bytes) in contents(Path::new(&killed)) {
            assert!(!name.ends_with(".parquet") || bytes.ends_with(b"PAR1"), "{name} is not complete");
        }
    }
    run_fetch(&sandbox, &arguments(&killed)).ok();
    let (whole, killed) = (contents(Path::new(&whole)), contents(Path::new(&killed)));
    assert_eq!(whole.keys().collect::<Vec<_>>(), killed.keys().collect::<Vec<_>>());
    for (name, bytes) in whole {
        assert_eq!(bytes, killed[&name], "{name}");
    }
}

/// A file size limit of the process is a full disk of its own.
#[cfg(target_os = "linux")]
#[test]
fn full_disk_leaves_complete_months() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox("0");
    let set = path(folder.path(), "usage/");
    run_fetch(&sandbox, &["acronis", "--period", "2026-09", "--output", &set]).ok();
    let before = contents(Path::new(&set));
    let fetch = fetch_from(&sandbox, &["acronis", "--period", "2026-10", "--output", &set]);
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(fetch.get_program())
        .args(fetch.get_args());
    limited.env_clear().envs(fetch.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = limited.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let line = "cannot be written: File too large (os error 27); months that are complete are kept: to continue, run the same command again";
    assert!(stderr.trim_end().ends_with(line), "{stderr}");
    assert_eq!(contents(Path::new(&set)), before);
}

#[test]
fn failed_months_are_in_the_manifest_until_they_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let set = path(folder.path(), "usage/");
    let usage = folder.path().join("usage");
    let unknown = "0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11";
    let arguments = ["genesys", "--period", "2026-10", "--output", &set, "--clients"];
    let run = fetch(&[&arguments[..], &[unknown, "--require-all"]].concat()).exits(1);
    let line = "error: nothing was written, as --require-all is set and these failed: genesys 2026-10";
    assert!(run.stderr.contains(line), "{}", run.stderr);
    let other = path(folder.path(), "other/");
    let run = fetch(&["genesys", "suger", "--period", "2026-10", "--clients", unknown, "--require-all", "-o", &other]);
    let line = "error: only complete months were written (suger 2026-10), as --require-all is set";
    assert!(run.stderr.contains(line), "{}", run.stderr);
    let failures = manifest(&usage)["failures"]["vendor=genesys/period=2026-10"]["errors"].clone();
    assert!(failures[0].as_str().unwrap().contains(unknown), "{failures}");
    assert_eq!(files(&usage), [".lock", "_manifest.json"]);
    fetch(&[&arguments[..], &["all"]].concat()).ok();
    assert_eq!(manifest(&usage)["failures"], serde_json::json!({}));
    // Other options have other rows.
    let before = contents(&usage);
    let run = fetch(&[&arguments[..], &["none"]].concat()).exits(2);
    assert!(run.stderr.contains("was fetched with other options (clients=all, genesys_contracts=false): add --force"));
    assert_eq!(contents(&usage), before);
    let run = fetch(&[&arguments[..], &["none", "--force"]].concat()).ok();
    assert!(run.stderr.contains("genesys: fetching") && !run.stderr.contains("of the month before"));
}

#[test]
fn folder_of_another_account_is_rejected_before_anything_is_fetched_and_other_vendors_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let set = path(folder.path(), "usage/");
    let usage = folder.path().join("usage");
    let fetch = |vendors: &[&str]| fetch(&[vendors, &["--period", "2026-10", "--output", &set]].concat());
    fetch(&["acronis", "genesys", "suger"]).ok();
    let months = manifest(&usage)["months"].clone();
    for (month, entry) in months.as_object().unwrap() {
        assert_eq!(entry["accounts"].as_array().unwrap().len(), 1, "{month}: {entry}");
    }
    assert!(fetch(&["acronis", "genesys", "suger"]).ok().stderr.contains("acronis: 2026-10 is final and kept"));
    for vendor in ["acronis", "genesys", "suger"] {
        let mut other = manifest(&usage);
        other["months"][format!("vendor={vendor}/period=2026-10")]["accounts"] = serde_json::json!(["other"]);
        fs::write(usage.join("_manifest.json"), other.to_string()).unwrap();
        let run = fetch(&[vendor]).exits(2);
        let line = format!("has usage of another account of {vendor} (other): use another folder for this account");
        assert!(run.stderr.contains(&line) && !run.stderr.contains("fetching"), "{}", run.stderr);
    }
    fs::remove_dir_all(&usage).unwrap();
    // A file in place of a vendor's folder cannot be written to.
    fs::create_dir(&usage).unwrap();
    fs::write(usage.join("vendor=acronis"), "").unwrap();
    let run = fetch(&["acronis", "suger"]).exits(4);
    assert!(
        run.stderr.contains("cannot be written") && run.stderr.contains("these failed: acronis 2026-10"),
        "{}",
        run.stderr
    );
    assert!(files(&usage).contains(&"vendor=suger/period=2026-10/part-0.parquet".to_owned()));
}

#[test]
fn missing_customers_and_parts_of_months_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let set = path(folder.path(), "usage/");
    fetch(&["genesys", "--period", "2026-09", "--output", &set]).ok();
    let run = fetch(&["genesys", "--period", "2026-10", "--clients", "none", "--output", &set]).ok();
    let line = "of the month before have no rows: ";
    assert!(run.stderr.contains("warning: genesys 2026-10: ") && run.stderr.contains(line), "{}", run.stderr);
    let run = fetch(&["--period", "2026-10-01/2026-10-15", "--output", &set]).exits(2);
    assert!(
        run.stderr.contains("a data set has whole calendar months, and 2026-10-01/2026-10-15 is not one"),
        "{}",
        run.stderr
    );
    let run = fetch(&["--format", "csv", "--output", &set]).exits(2);
    assert!(run.stderr.contains("a folder is a data set of Parquet files: omit --format"), "{}", run.stderr);
}
