//! `usage fetch` into a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Run, RunningSandbox, TODAY, fetch, fetch_from, files, path, program, run_fetch, sandbox};

/// The account of the sandbox's Acronis client.
const TENANT: &str = "2f4c1b7e-0a55-4d1e-9b1f-6a1d3c8e7f10";

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
    let month = |month: &str| format!("vendor=acronis/period={month}/part-{TENANT}.parquet");
    let usage = folder.path().join("usage");
    assert_eq!(files(&usage), [".lock", "_manifest.json", &month("2026-10")]);
    let october = contents(&usage)[&month("2026-10")].clone();

    let run = fetch("2026-09..2026-11");
    run.states("acronis: 2026-10 is final and kept");
    assert_eq!(run.stderr.matches("fetching usage").count(), 2, "{}", run.stderr);
    assert_eq!(contents(&usage)[&month("2026-10")], october);
    let entry = &manifest(&usage)["months"]["vendor=acronis/period=2026-10"][TENANT];
    assert!(entry["is_final"] == true && entry["rows"].as_u64() > Some(10), "{entry}");
    assert_eq!(entry["operations"], serde_json::json!(["download_stored_report"]));
    assert_eq!(entry["report_ids"].as_array().unwrap().len(), 1);
    assert_eq!(manifest(&usage)["months"]["vendor=acronis/period=2026-11"][TENANT]["is_final"], false);

    // Only the open month is fetched again.
    let run = fetch("2026-09..2026-11");
    assert_eq!(run.stderr.matches("is final and kept").count(), 2, "{}", run.stderr);
    run.states("fetching usage of 2026-11");
    // A file that was changed is fetched again.
    fs::write(usage.join(month("2026-10")), "not Parquet").unwrap();
    fetch("2026-10");
    assert_eq!(contents(&usage)[&month("2026-10")], october);
    let forced = run_fetch(&sandbox, &["acronis", "--period", "2026-10", "--force", "--output", &set]).ok();
    forced.states("fetching usage of 2026-10");
}

#[test]
fn failed_and_killed_fetches_are_continued_to_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox("0");
    let [whole, killed, failed] = ["whole/", "killed/", "failed/"].map(|name| path(folder.path(), name));
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
    sandbox.fault(r#"{"kind":"status","status":403,"operation":"listUsageRecordReports","times":2}"#);
    run_fetch(&sandbox, &arguments(&failed)).exits(4);
    run_fetch(&sandbox, &arguments(&failed)).ok();
    let whole = contents(Path::new(&whole));
    for continued in [killed, failed] {
        let continued = contents(Path::new(&continued));
        assert_eq!(whole.keys().collect::<Vec<_>>(), continued.keys().collect::<Vec<_>>());
        for (name, bytes) in &whole {
            assert_eq!(bytes, &continued[name], "{name}");
        }
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
    run.states(line);
    let other = path(folder.path(), "other/");
    let run = fetch(&["genesys", "suger", "--period", "2026-10", "--clients", unknown, "--require-all", "-o", &other]);
    let line = "error: only complete months were written (suger 2026-10), as --require-all is set";
    run.states(line);
    let failures = manifest(&usage)["failures"]["vendor=genesys/period=2026-10"]["genesys"]["errors"].clone();
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

/// The accounts `us` and `eu` of Suger: one organization of the sandbox, and one that a proxy gives another id.
fn two_accounts(sandbox: &RunningSandbox, folder: &Path) -> String {
    let (url, key) = (sandbox.setting("SUGER_BASE_URL"), sandbox.setting("SUGER_API_KEY"));
    let account = |name: &str, organization: &str, url: &str| {
        format!(
            "[profiles.default.{name}]\nvendor = \"suger\"\norg_id = \"{organization}\"\nbase_url = \"{url}\"\n\
             api_key_command = [\"printf\", \"{key}\"]\n"
        )
    };
    let eu = renaming_proxy(url.strip_prefix("http://").unwrap().to_owned());
    let config = path(folder, "config.toml");
    fs::write(&config, account("us", "sgr-demo1", url) + &account("eu", "sgr-demo2", &eu)).unwrap();
    config
}

/// Starts a proxy that requests `sgr-demo1` in place of `sgr-demo2`, and returns its URL. It ends with the tests.
fn renaming_proxy(to: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let to = to.clone();
            std::thread::spawn(move || {
                let server = TcpStream::connect(to).unwrap();
                let (mut responses, mut receiver) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || io::copy(&mut responses, &mut receiver));
                // Requests for usage have no body: they consist of lines.
                for line in BufReader::new(client).lines().map_while(Result::ok) {
                    let line = line.replace("sgr-demo2", "sgr-demo1") + "\r\n";
                    (&server).write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
    url
}

#[cfg(unix)]
#[test]
fn accounts_of_a_vendor_are_parts_of_one_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox("0");
    let config = two_accounts(&sandbox, folder.path());
    let set = path(folder.path(), "usage/");
    let fetch = |arguments: &[&str]| {
        let fixed = ["usage", "fetch", "suger", "--today", TODAY, "--period", "2026-10", "--config", &config];
        Run::new(program(&fixed).args(arguments)).ok()
    };
    let run = fetch(&["--output", &set, "--account", "us"]);
    run.states("suger: fetching usage of 2026-10");
    let run = fetch(&["--output", &set]);
    let line = "suger (eu): the account sgr-demo2 is added to the data set, which has sgr-demo1";
    run.states(line);
    run.states("suger (us): fetching usage of 2026-10");
    let usage = Path::new(&set);
    let part = |account: &str| format!("vendor=suger/period=2026-10/part-{account}.parquet");
    assert_eq!(files(usage), [".lock", "_manifest.json", &part("sgr-demo1"), &part("sgr-demo2")]);
    let months = manifest(usage)["months"]["vendor=suger/period=2026-10"].clone();
    assert_eq!(months["sgr-demo1"]["rows"], months["sgr-demo2"]["rows"]);

    // Each account's month is replaced alone.
    let before = contents(usage);
    fs::write(usage.join(part("sgr-demo2")), "not Parquet").unwrap();
    fetch(&["--output", &set]);
    assert_eq!(contents(usage)[&part("sgr-demo2")], before[&part("sgr-demo2")]);
    assert_eq!(contents(usage)[&part("sgr-demo1")], before[&part("sgr-demo1")]);

    // All verbs read both.
    let show = |arguments: &[&str]| Run::new(program(&["usage", "show", &set]).args(arguments)).ok();
    let rows = |text: &str| text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    let sums = rows(show(&["--by", "month"]).text());
    let sums_of = |account: &str| -> Vec<_> { sums.iter().filter(|sum| sum["account_id"] == account).collect() };
    assert!(!sums_of("sgr-demo1").is_empty() && sums_of("sgr-demo1").len() == sums_of("sgr-demo2").len(), "{sums:?}");
    let file = path(folder.path(), "both.jsonl");
    fetch(&["--output", &file]);
    let compared = Run::new(&mut program(&["usage", "compare", &set, &file, "--exit-code"])).ok();
    assert!(compared.text().is_empty(), "{}", compared.text());
    let chart = path(folder.path(), "usage.html");
    Run::new(&mut program(&["usage", "chart", &set, "--output", &chart])).ok();
}

#[cfg(unix)]
#[test]
fn two_configurations_of_one_account_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox("0");
    let config = two_accounts(&sandbox, folder.path());
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("sgr-demo2", "sgr-demo1")).unwrap();
    let run = Run::new(&mut program(&["usage", "fetch", "--today", TODAY, "--config", &config])).exits(2);
    let line = "error: the accounts eu and us are both of suger sgr-demo1: choose one with --account";
    assert_eq!(run.stderr.trim_end(), line);
}

#[test]
fn other_vendors_are_written_if_one_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let set = path(folder.path(), "usage/");
    let usage = folder.path().join("usage");
    // A file in place of a vendor's folder cannot be written to.
    fs::create_dir(&usage).unwrap();
    fs::write(usage.join("vendor=acronis"), "").unwrap();
    let run = fetch(&["acronis", "suger", "--period", "2026-10", "--output", &set]).exits(4);
    run.states("cannot be written");
    run.states("these failed: acronis 2026-10");
    assert!(files(&usage).contains(&"vendor=suger/period=2026-10/part-sgr-demo1.parquet".to_owned()));
}

#[test]
fn missing_customers_and_parts_of_months_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let set = path(folder.path(), "usage/");
    fetch(&["genesys", "--period", "2026-09", "--output", &set]).ok();
    let run = fetch(&["genesys", "--period", "2026-10", "--clients", "none", "--output", &set]).ok();
    let line = "of the month before have no rows: ";
    run.states("warning: genesys 2026-10: ");
    run.states(line);
    let run = fetch(&["--period", "2026-10-01/2026-10-15", "--output", &set]).exits(2);
    run.states("a data set has whole calendar months, and 2026-10-01/2026-10-15 is not one");
    let run = fetch(&["--format", "csv", "--output", &set]).exits(2);
    run.states("a folder is a data set of Parquet files: omit --format");
}
