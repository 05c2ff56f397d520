//! Tests of the program as users run it.

mod running;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use assert_cmd::Command;
use running::{Run, RunningSandbox, TODAY, environment, exits, ok, program, rejects, run, states};

/// More polls than any test sends: reports stay in progress.
const NEVER: &str = "4000000000";

/// Runs `usage fetch` against the program's own sandbox of a day.
fn fetch_on(today: &str, arguments: &[&str]) -> Run {
    run(program(&["usage", "fetch", "--sandbox", "--today", today]).args(arguments))
}

fn fetch(arguments: &[&str]) -> Run {
    fetch_on(TODAY, arguments)
}

#[test]
fn main_command_prints_usage_of_all_vendors() {
    let (stdout, stderr) = ok(fetch(&["--period", "2026-10", "--format", "table"]));
    for vendor in ["acronis", "genesys", "suger"] {
        assert!(stdout.lines().any(|line| line.starts_with(vendor)), "{stdout}");
        assert!(stderr.contains(&format!("{vendor}: fetching usage of 2026-10")), "{stderr}");
    }
    assert!(stdout.starts_with("VENDOR "), "{stdout}");
    // Rows name the customers of a Genesys partner, as for the other vendors.
    for customer in ["Harbor Lane Retail, Inc.", "運輸ポータル 株式会社", "Slow Turn, Ltd."] {
        assert!(stdout.lines().any(|line| line.starts_with("genesys") && line.contains(customer)), "{stdout}");
    }
}

/// The command of the README, without a period: last finished billing periods, customers by name, no warnings.
#[test]
fn readme_command_names_customers_of_every_vendor() {
    let (stdout, stderr) = ok(fetch(&["--format", "table"]));
    for (vendor, customer) in [
        ("acronis", "株式会社さくら"),
        ("genesys", "Harbor Lane Retail, Inc."),
        ("genesys", "運輸ポータル 株式会社"),
        ("suger", "株式会社さくら"),
    ] {
        assert!(stdout.lines().any(|line| line.starts_with(vendor) && line.contains(customer)), "{customer}: {stdout}");
    }
    assert!(!stderr.contains("warning"), "{stderr}");
}

/// The sandbox's contracts are dated relative to its first day: for an old month, some organizations were added later.
#[test]
fn readme_command_for_a_month_succeeds_on_any_day() {
    for today in ["2026-11-21", "2026-12-01", "2027-01-31"] {
        let (code, stdout, stderr) = fetch_on(today, &["--period", "2026-10", "--format", "table"]);
        assert_eq!(code, Some(0), "{today}: {stderr}");
        let is_missing = today != "2026-11-21";
        let line = "genesys: Neubau GmbH: no bill, as its contract started later or ended before: ";
        assert_eq!(stderr.lines().any(|stderr| stderr.starts_with(line)), is_missing, "{today}: {stderr}");
        assert!(!stdout.contains("Neubau GmbH") || !is_missing, "{today}: {stdout}");
    }
}

#[test]
fn period_without_its_last_day_prints_a_warning() {
    let fetch = |period: &str| fetch(&["suger", "--period", period, "--format", "table"]);
    let (stdout, stderr) = ok(fetch("2026-10-01/2026-10-31"));
    let warning = "warning: 2026-10-01/2026-10-31 does not contain 2026-10-31, because its end is excluded: write 2026-10 to include it";
    assert_eq!(stderr.lines().filter(|line| *line == warning).count(), 1, "{stderr}");
    let common = stdout.lines().find(|line| line.starts_with("all rows: ")).expect("a line");
    assert!(
        common.contains("PERIOD 2026-10-01/2026-10-31") && common.contains("REASON not_a_whole_period"),
        "{stdout}"
    );
    for period in ["2026-10", "2026-10-01/2026-11-01"] {
        let (code, _, stderr) = fetch(period);
        assert!(code == Some(0) && !stderr.contains("warning"), "{stderr}");
    }
}

#[test]
fn default_day_is_that_of_the_tests() {
    let last_month = || (chrono::Utc::now() - chrono::Months::new(1)).format("%Y-%m").to_string();
    let before = last_month();
    let (_, stderr) = ok(run(&mut program(&["usage", "fetch", "suger", "--sandbox"])));
    // The month may end during the test.
    let is_fetched = |month: &str| stderr.contains(&format!("suger: fetching usage of {month}"));
    assert!(is_fetched(&before) || is_fetched(&last_month()), "{stderr}");
}

#[test]
fn json_and_csv_contain_the_same_exact_rows() {
    let fetch = |format: &str| ok(fetch(&["suger", "--format", format])).0;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&fetch("json")).unwrap();
    assert!(!rows.is_empty());
    let csv = fetch("csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let column = reader.headers().unwrap().iter().position(|column| column == "quantity").unwrap();
    let quantities: Vec<_> = reader.records().map(|record| record.unwrap()[column].to_owned()).collect();
    assert_eq!(quantities, rows.iter().map(|row| row["quantity"].as_str().unwrap()).collect::<Vec<_>>());
}

#[test]
fn true_usage_of_a_dataset_is_printed_without_a_server() {
    let expected = |seed: &str| {
        let arguments = ["sandbox", "--today", TODAY, "--seed", seed, "expected", "--period", "2026-10"];
        let (stdout, _) = ok(run(&mut program(&arguments)));
        serde_json::from_str::<Vec<serde_json::Value>>(&stdout).unwrap()
    };
    let rows = expected("3");
    for vendor in ["acronis", "genesys", "suger"] {
        assert!(rows.iter().any(|row| row["vendor"] == vendor && row["quantity"].is_string()), "{vendor}");
    }
    // Counted, and not stated to be charged.
    let own = |row: &&serde_json::Value| row["vendor"] == "genesys" && row["customer_id"].is_null();
    assert!(rows.iter().filter(own).count() > 4);
    // A device of a tenant that is charged by gigabyte.
    let is_open = |row: &serde_json::Value| own(&row) || row["sku"] == "DEMO-SRV-STD";
    for row in &rows {
        assert_eq!(row["is_billable"].as_bool(), if is_open(row) { None } else { Some(true) }, "{row}");
    }
    // The partner of the demo client is licensed by device, the one below by gigabyte.
    let accounts: BTreeSet<_> = rows
        .iter()
        .filter(|row| row["vendor"] == "acronis")
        .map(|row| &row["account_id"])
        .map(ToString::to_string)
        .collect();
    assert_eq!(accounts.len(), 2, "{accounts:?}");
    for prefix in ["pw_base_", "pg_base_"] {
        assert!(rows.iter().any(|row| row["metric"].as_str().unwrap().starts_with(prefix)), "{prefix}");
    }
    assert_eq!(rows, expected("3"));
    assert_ne!(rows, expected("4"));
}

#[cfg(unix)]
#[test]
fn secret_file_is_used_unless_others_can_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = start("0");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let settings: Vec<_> = sandbox.1.iter().filter(|(name, _)| name.starts_with("SUGER_")).cloned().collect();
    let key = settings.iter().find(|(name, _)| name == "SUGER_API_KEY").unwrap();
    std::fs::write(&path, format!("{}\n", key.1)).unwrap();
    for (mode, expected) in [(0o600, Some(0)), (0o644, Some(2))] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut command = program(&["usage", "fetch", "--today", TODAY, "--period", "2026-10"]);
        let (code, _, stderr) =
            run(command.envs(settings.clone()).env_remove("SUGER_API_KEY").env("SUGER_API_KEY_FILE", &path));
        assert_eq!(code, expected, "{stderr}");
        assert!(expected == Some(0) || stderr.contains("can be read or changed by other users (mode 644)"), "{stderr}");
        assert!(!stderr.contains(&key.1), "{stderr}");
    }
}

/// Starts a sandbox in which a report stays in progress for `polls` polls.
fn start(polls: &str) -> RunningSandbox {
    RunningSandbox::start(&["--polls", polls])
}

/// Returns a command that fetches from a sandbox.
fn fetch_from(sandbox: &RunningSandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.program(&["usage", "fetch", "--today", TODAY]);
    command.args(arguments);
    command
}

#[test]
fn settings_come_from_the_environment_and_failures_are_printed() {
    let sandbox = start("0");
    let fetch = |vendors: &[&str], wrong: &str| {
        let mut command = fetch_from(&sandbox, &["--period", "2026-10", "--format", "table"]);
        command.args(vendors);
        if !wrong.is_empty() {
            command.env(wrong, "hush");
        }
        run(&mut command)
    };
    let (stdout, _) = ok(fetch(&["suger"], ""));
    assert!(stdout.contains("VENDOR suger"), "{stdout}");

    let (code, stdout, stderr) = fetch(&["suger"], "SUGER_API_KEY");
    assert_eq!((code, stdout.as_str()), (Some(3), ""), "{stderr}");
    assert!(
        stderr.contains("-> check the API key, and that it belongs to this organization (SUGER_ORG_ID, SUGER_API_KEY,")
            && !stderr.contains("hush"),
        "{stderr}"
    );

    let (stdout, stderr) = exits(fetch(&["suger", "genesys"], "GENESYS_CLIENT_SECRET"), 4);
    assert!(stdout.contains("VENDOR suger"), "{stdout}");
    assert!(stderr.contains("genesys: issue token: 400 Bad Request: invalid_client"), "{stderr}");

    let (code, _, stderr) = fetch(&["acronis"], "ACRONIS_CLIENT_ID");
    assert_ne!(code, Some(0), "{stderr}");
}

#[test]
fn timeout_while_waiting_is_exit_code_5() {
    // Reports are never ready, so that the result does not depend on the machine's speed.
    let sandbox = start(NEVER);
    let (code, stdout, stderr) = run(&mut fetch_from(&sandbox, &["genesys", "--timeout", "0"]));
    assert_eq!((code, stdout.as_str()), (Some(5), ""), "{stderr}");
    let (_, stderr) = exits(run(&mut fetch_from(&sandbox, &["--timeout", "0"])), 5);
    for vendor in ["acronis: ", "genesys: ", "suger: "] {
        let is_hint = |line: &str| line.starts_with(vendor) && line.ends_with("increase --timeout)");
        assert!(stderr.lines().any(is_hint), "{vendor}{stderr}");
    }
    ok(run(&mut fetch_from(&sandbox, &["suger", "--timeout", &u64::MAX.to_string()])));
}

#[test]
fn month_without_data_hides_no_other_month() {
    let sandbox = start("0");
    let fetch = || run(&mut fetch_from(&sandbox, &["genesys", "--period", "2026-09-01/2026-11-01", "--format", "csv"]));
    let of_clients = |stdout: &str| stdout.lines().filter(|line| line.contains(",trustor,")).count();
    let (whole, _) = ok(fetch());
    sandbox.post(
        "/_sandbox/faults",
        r#"{"kind":"status","status":400,"operation":"getOrgauthorizationTrustors","times":1}"#,
    );
    let (stdout, stderr) = exits(fetch(), 4);
    assert!(0 < of_clients(&stdout) && of_clients(&stdout) < of_clients(&whole), "{stdout}");
    assert!(stderr.lines().any(|line| line.starts_with("genesys: ") && line.contains("400")), "{stderr}");
    // A failure of one organization in one month.
    let fault =
        r#"{"kind":"status","status":400,"operation":"getBillingTrusteebillingoverviewTrustorOrgId","times":1}"#;
    sandbox.post("/_sandbox/faults", fault);
    let (stdout, _) = exits(fetch(), 4);
    assert!(0 < of_clients(&stdout) && of_clients(&stdout) < of_clients(&whole), "{stdout}");
}

/// Starts an Acronis report, kills the program while it waits, and returns the printed id.
fn interrupt_report(sandbox: &RunningSandbox) -> String {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("usage-billing"));
    command
        .args(["usage", "fetch", "acronis", "--today", TODAY])
        .env_clear()
        .envs(environment())
        .envs(sandbox.1.clone());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut seen = Vec::new();
    let id = BufReader::new(child.stderr.take().unwrap()).lines().find_map(|line| {
        let line = line.unwrap();
        let id = line.strip_prefix("acronis: report ").and_then(|rest| rest.split(' ').next()).map(str::to_owned);
        seen.push(line);
        id
    });
    child.kill().unwrap();
    child.wait().unwrap();
    id.unwrap_or_else(|| panic!("no id: {seen:?}"))
}

#[test]
fn timeouts_have_units_and_an_invalid_one_is_one_line() {
    for time in ["90s", "10m", "2h", "600"] {
        let (code, _, stderr) = fetch(&["suger", "--timeout", time]);
        assert_eq!(code, Some(0), "{time}: {stderr}");
    }
    for time in ["soon", "-1", "10x", "1.5"] {
        let (code, _, stderr) = run(&mut program(&["usage", "fetch", "--sandbox", &format!("--timeout={time}")]));
        let expected = "'--timeout <TIME>': expected a time such as 90s, 10m or 1h30m, or a whole number of seconds";
        assert!(code == Some(2) && stderr.lines().next().unwrap().contains(expected), "{stderr}");
    }
}

#[test]
fn interrupted_report_is_resumed_by_its_id() {
    let sandbox = start(NEVER);
    let fetch = |arguments: &[&str]| run(fetch_from(&sandbox, &["--format", "csv"]).args(arguments));
    let id = &*interrupt_report(&sandbox);
    rejects(
        fetch(&["--report", id, "--timeout", "0"]),
        5,
        "(resume it with --report and its id, or increase --timeout)",
    );

    // Every report is ready after ten minutes of the sandbox's clock.
    sandbox.advance(3600);
    let (stdout, stderr) = ok(fetch(&["--report", id]));
    assert!(stdout.lines().count() > 5 && stdout.lines().skip(1).all(|line| line.contains(id)), "{stdout}");
    assert!(stderr.lines().count() == 2 && stderr.contains(&format!("acronis: fetching report {id}")), "{stderr}");

    let unknown = "41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73";
    let (_, stderr) = exits(fetch(&["--report", unknown]), 1);
    assert!(stderr.contains("404") && stderr.contains("it may have been deleted"), "{stderr}");
    for (arguments, expected) in [
        (&["suger", "--report", id][..], "error: --report works with Acronis only"),
        (&["--report", id, "--period", "2026-10"], "cannot be used with"),
        (&["--report", "october"], "invalid value 'october' for '--report <ID>'"),
    ] {
        rejects(fetch(arguments), 2, expected);
    }
}

#[test]
fn report_of_an_open_period_needs_allow_open() {
    let sandbox = start("0");
    let fetch = |arguments: &[&str]| run(fetch_from(&sandbox, &["acronis"]).args(arguments));
    let open = "2026-11-21/2026-11-22";
    exits(fetch(&["--period", open]), 2);
    let (_, stderr) = ok(fetch(&["--period", open, "--allow-open"]));
    let id = stderr.split("acronis: report ").nth(1).and_then(|stderr| stderr.split(' ').next()).unwrap();
    let (code, stdout, stderr) = fetch(&["--report", id]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
    assert!(stderr.contains("does not end before") && stderr.contains("--allow-open"), "{stderr}");
    let (code, stdout, stderr) = fetch(&["--report", id, "--allow-open"]);
    assert!(code == Some(0) && stdout.lines().count() > 2, "{stderr}");
}

#[test]
fn acronis_report_is_reused_and_own_ones_are_deleted_on_request() {
    let sandbox = start("0");
    let fetch = |arguments: &[&str]| {
        let (stdout, stderr) = ok(run(fetch_from(&sandbox, &["acronis", "--format", "csv"]).args(arguments)));
        (stdout, stderr)
    };
    let (deleted, stderr) = fetch(&["--period", "2026-10", "--delete-report"]);
    assert_eq!(stderr.matches("was created").count(), 1, "{stderr}");
    let (first, stderr) = fetch(&["--period", "2026-10"]);
    assert!(stderr.contains("was created"), "the first report was deleted: {stderr}");
    for arguments in [&["--period", "2026-10"][..], &["--period", "2026-10", "--delete-report"], &[]] {
        let (again, stderr) = fetch(arguments);
        assert!(again == first && stderr.contains("reusing report "), "{stderr}");
    }
    assert_eq!(deleted.lines().count(), first.lines().count());
    // Longer periods are fetched month by month.
    let (both, stderr) = fetch(&["--period", "2026-09-01/2026-11-01"]);
    assert!(stderr.contains("reusing report ") && stderr.contains("was created"), "{stderr}");
    let rows = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert!(rows(&first).iter().all(|row| rows(&both).contains(row)));
    assert!(both.contains(",2026-09-01T00:00:00Z,2026-10-01T00:00:00Z,"), "{both}");
    states(
        run(&mut fetch_from(&sandbox, &["--report", "41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73", "--delete-report"])),
        2,
        "cannot be used with",
    );
}

#[test]
fn month_to_date_rows_keep_their_keys_the_next_day() {
    let keys = |today: &str, until: &str| {
        let period = format!("2026-11-01/{until}");
        let (stdout, _) = ok(fetch_on(today, &["--period", &period, "--allow-open", "--format", "json"]));
        let rows: Vec<serde_json::Value> = serde_json::from_str(&stdout).unwrap();
        let month_rows = rows.into_iter().filter(|row| row["period_end"] == "2026-12-01T00:00:00Z");
        let open_key = |row: serde_json::Value| {
            assert!(row["is_final"] == false && row["is_billable"] != true && row["as_of"].is_string(), "{row}");
            (row["vendor"].as_str().unwrap().to_owned(), row["row_key"].as_str().unwrap().to_owned())
        };
        month_rows.map(open_key).collect::<std::collections::BTreeSet<_>>()
    };
    let (one, other) = (keys("2026-11-20", "2026-11-21"), keys("2026-11-21", "2026-11-22"));
    for vendor in ["acronis", "genesys", "suger"] {
        let same = one.intersection(&other).filter(|(of, _)| of == vendor).count();
        assert!(same >= 5, "{vendor}: {same} of {} and {}", one.len(), other.len());
    }
}

#[test]
fn contract_charges_are_printed_only_on_request() {
    let fetch = |arguments: &[&str]| {
        let october = ["genesys", "--format", "csv", "--period", "2026-10"];
        let (stdout, stderr) = ok(fetch(&[&october[..], arguments].concat()));
        (stdout.matches("getBillingContractBillingperiod").count(), stderr)
    };
    let (rows, stderr) = fetch(&[]);
    assert!(rows == 0 && !stderr.contains("the contract"), "{stderr}");
    let (rows, stderr) = fetch(&["--genesys-contracts"]);
    assert!(rows >= 4, "{rows}");
    // Bundles are left to the invoice here; the contract contains their charge.
    let line =
        |line: &&str| line.contains("GC-170-NV-MSG1K") && line.ends_with("by its overview; the contract is right");
    assert!(stderr.lines().any(|stderr| line(&stderr)), "{stderr}");
}
