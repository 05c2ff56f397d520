//! `usage fetch`: periods, formats and files.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Run, TODAY, fetch, fetch_from, files, path, run_fetch, sandbox};

#[test]
fn pipe_gets_json_lines_of_every_month() {
    let fetched = fetch(&["acronis", "--period", "2026-Q3"]).ok();
    let months: BTreeSet<_> =
        fetched.rows().iter().map(|row| row["period_start"].as_str().unwrap()[..7].to_owned()).collect();
    assert_eq!(months.into_iter().collect::<Vec<_>>(), ["2026-07", "2026-08", "2026-09"]);
    for month in ["2026-07", "2026-08", "2026-09"] {
        fetched.states(&format!("acronis: fetching usage of {month} …"));
    }
    let keys = |run: &Run| run.rows().iter().map(|row| row["row_key"].to_string()).collect::<Vec<_>>();
    for same in [
        &["--period", "2026-07..2026-09"][..],
        &["--since", "2026-07-01", "--until", "2026-10-01"],
        &["--period", "2026-07-01/2026-10-01"],
    ] {
        let other = fetch(&[&["acronis"], same].concat()).ok();
        assert_eq!(keys(&fetched), keys(&other), "{same:?}");
    }
}

#[test]
fn year_without_its_open_months_is_suggested() {
    let run = fetch(&["suger", "--period", "2026"]).exits(2);
    let hint = "its quantities will still change -> use --allow-open to fetch it, or --period 2026-01..2026-10";
    run.states(hint);
    let run = fetch(&["suger", "--period", "2026-Q4", "--allow-open"]).ok();
    run.states("2026-12 and later months are in the future and not fetched");
    assert!(run.rows().iter().any(|row| row["is_final"] == false));
}

/// The bills of later months are in the overviews that are read for the first.
#[test]
fn months_of_a_genesys_account_are_read_in_one_pass() {
    let sandbox = sandbox("0");
    let counts = || {
        let operations =
            ["getOrgauthorizationTrustors", "getBillingTrusteebillingoverviewTrustorOrgId", "getBillingContract"];
        operations.map(|operation| sandbox.requests_of(operation))
    };
    // The rows, and the requests of each operation.
    let run = |period: &str| {
        // A new minute of the rate limit.
        sandbox.advance(60);
        let before = counts();
        let run = run_fetch(&sandbox, &["genesys", "--genesys-contracts", "--period", period]).ok();
        let mut requests = counts();
        requests.iter_mut().zip(before).for_each(|(after, before)| *after -= before);
        (run.rows(), requests)
    };
    let (both, in_one_pass) = run("2026-08..2026-09");
    let months = ["2026-08", "2026-09"].map(run);
    assert_eq!(in_one_pass, months[0].1, "those of the first month alone");
    let months: Vec<_> = months.into_iter().flat_map(|(rows, _)| rows).collect();
    assert!(both == months && !both.is_empty(), "the rows of each month, in order");
}

#[test]
fn more_than_a_year_is_fetched_month_by_month() {
    let run = fetch(&["suger", "--period", "2025-09..2026-10"]).ok();
    let months =
        run.stderr.lines().filter_map(|line| line.strip_prefix("suger: fetching usage of ")?.split(' ').next());
    let fetched: Vec<_> = months.collect();
    assert_eq!((fetched.len(), fetched.first(), fetched.last()), (14, Some(&"2025-09"), Some(&"2026-10")));
    let of_rows: Vec<_> = run.rows().iter().map(|row| row["period_start"].to_string()).collect();
    assert!(of_rows.is_sorted() && of_rows.last().is_some_and(|last| last.contains("2026-10")), "{of_rows:?}");
}

#[test]
fn month_without_rows_is_mentioned() {
    let run = fetch(&["suger", "--period", "2020-01"]).ok();
    run.states("warning: suger 2020-01: the vendor has no rows");
    assert_eq!(run.text(), "");
}

#[test]
fn client_organizations_are_selected() {
    let customers = |clients: &str| -> BTreeSet<String> {
        let run = fetch(&["genesys", "--period", "2026-10", "--clients", clients]).ok();
        run.rows().iter().filter_map(|row| row["customer_id"].as_str().map(str::to_owned)).collect()
    };
    let all = customers("all");
    assert!(all.len() > 2 && customers("none").is_empty());
    let two: Vec<_> = all.iter().take(2).cloned().collect();
    assert_eq!(customers(&two.join(",")), two.into_iter().collect());
    let unknown = "0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11";
    let run = fetch(&["genesys", "--period", "2026-10", "--clients", unknown]).exits(4);
    run.states("partial: the rows are not complete; these failed: genesys 2026-10");
}

#[test]
fn file_has_the_format_of_its_extension_and_the_rows_of_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let lines = fetch(&["--period", "2026-10"]).ok();
    for name in ["rows.json", "rows.jsonl", "rows.csv", "rows.xlsx", "rows.parquet", "rows.txt"] {
        let run = fetch(&["--period", "2026-10", "-o", &path(folder.path(), name)]).ok();
        assert_eq!(run.text(), "", "{name}");
    }
    assert_eq!(files(folder.path()).len(), 6, "no temporary file is left: {:?}", files(folder.path()));
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let sorted = |lines: Vec<serde_json::Value>| {
        // Ids of reports and times of requests differ from run to run.
        let mut keys: Vec<_> =
            lines.iter().map(|row| (row["row_key"].to_string(), row["quantity"].to_string())).collect();
        keys.sort();
        keys
    };
    let rows = sorted(lines.rows());
    assert_eq!(sorted(serde_json::from_slice(&read("rows.json")).unwrap()), rows);
    let csv = String::from_utf8(read("rows.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let quantity = reader.headers().unwrap().iter().position(|name| name == "quantity").unwrap();
    let mut of_csv: Vec<_> = reader
        .records()
        .map(|record| record.unwrap())
        .map(|record| (format!("\"{}\"", &record[0]), format!("\"{}\"", &record[quantity])))
        .collect();
    of_csv.sort();
    assert_eq!(of_csv, rows);
    assert!(read("rows.parquet").starts_with(b"PAR1") && read("rows.xlsx").starts_with(b"PK"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        std::fs::write(folder.path().join("other"), "").unwrap();
        assert_eq!(mode("rows.csv"), mode("other"), "as other programs create files");
    }
}

#[test]
fn excel_csv_begins_with_a_byte_order_mark() {
    let run = fetch(&["suger", "--period", "2026-10", "--format", "csv", "--excel"]).ok();
    assert!(run.text().starts_with("\u{feff}row_key,"), "{}", run.text());
}

#[test]
fn existing_file_is_kept_if_a_required_vendor_fails() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "rows.csv");
    std::fs::write(&file, "before").unwrap();
    let unknown = "0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11";
    let arguments = ["genesys", "suger", "--period", "2026-10", "--clients", unknown, "--output", &file];
    let run = fetch(&[&arguments[..], &["--require-all"]].concat()).exits(1);
    let line = "error: nothing was written, as --require-all is set and these failed: genesys 2026-10";
    assert!(run.stderr.ends_with(&format!("{line}\n")), "{}", run.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
    fetch(&arguments).exits(4);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("row_key,"));
    assert_eq!(files(folder.path()), ["rows.csv"]);
}

/// `/dev/full` is a full disk.
#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_one_line() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let arguments = ["usage", "fetch", "suger", "--sandbox", "--today", TODAY, "--period", "2026-10"];
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("usage-billing"));
    let output = command.args(arguments).env_clear().envs(crate::running::environment()).stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("error: the output cannot be written: No space left on device"), "{stderr}");
}

/// A terminal's stop key, while the vendor is at work.
#[cfg(unix)]
#[test]
fn interrupted_fetch_states_how_to_continue() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox("4000000000");
    let mut command = fetch_from(&sandbox, &["acronis", "--output", &path(folder.path(), "rows.csv")]);
    command.stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("was created")));
    let stopped = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    let last = lines.last().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        last.starts_with("error: interrupted: nothing was written; to continue, run the same command again"),
        "{last}"
    );
    assert!(files(folder.path()).is_empty(), "no temporary file is left");
}

#[test]
fn acronis_level_and_kind_have_the_rows_of_that_report() {
    let rows = |arguments: &[&str]| fetch(&[&["acronis", "--period", "2026-10"], arguments].concat()).ok().rows();
    let (direct, all) = (rows(&[]), rows(&["--acronis-level", "all_customers"]));
    assert!(direct.iter().all(|row| row["report_level"] == "direct_partners"));
    assert!(!all.is_empty() && all.iter().all(|row| row["report_level"] == "all_customers"));
    let customers = |rows: &[Value]| rows.iter().map(|row| row["customer_id"].to_string()).collect::<BTreeSet<_>>();
    assert!(customers(&all).len() > customers(&direct).len(), "also those of partners below");
    let days = rows(&["--acronis-kind", "usage_daily"]);
    assert!(
        days.len() > direct.len() && days.iter().all(|row| row["is_billable"] == false || row["is_billable"].is_null())
    );
    assert!(days.iter().all(|row| row["report_kind"] == "usage_daily"));
    let run = fetch(&["acronis", "--acronis-level", "everything"]).exits(2);
    run.states("[possible values: itself, direct_partners, ");
}
