//! The program as a person runs it.

use assert_cmd::Command;

/// Without the settings of whoever runs the tests.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("usage-billing").unwrap();
    command.args(arguments).env_clear();
    command
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_main_command_prints_usage_of_all_vendors() {
    let (code, stdout, stderr) =
        run(&mut program(&["usage", "fetch", "--sandbox", "--period", "2026-10", "--allow-open"]));
    assert_eq!(code, Some(0), "{stderr}");
    for vendor in ["acronis", "genesys", "suger"] {
        assert!(stdout.lines().any(|line| line.starts_with(vendor)), "{stdout}");
        assert!(stderr.contains(&format!("{vendor}: fetching usage of 2026-10")), "{stderr}");
    }
    assert!(stdout.starts_with("VENDOR "), "{stdout}");
}

#[test]
fn json_and_csv_hold_the_same_exact_rows() {
    let fetch = |format: &str| {
        let (code, stdout, stderr) = run(&mut program(&["usage", "fetch", "suger", "--sandbox", "--format", format]));
        assert_eq!(code, Some(0), "{stderr}");
        stdout
    };
    let rows: Vec<serde_json::Value> = serde_json::from_str(&fetch("json")).unwrap();
    assert!(!rows.is_empty());
    let csv = fetch("csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let quantities: Vec<_> = reader.records().map(|record| record.unwrap()[6].to_owned()).collect();
    assert_eq!(quantities, rows.iter().map(|row| row["quantity"].as_str().unwrap()).collect::<Vec<_>>());
}

#[test]
fn wrong_input_is_one_line_and_code_2() {
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case; 6] = [
        (&["usage", "fetch"], &[], "error: no vendor is set up: try --sandbox"),
        (
            &["usage", "fetch", "--sandbox", "--period", "2026-13"],
            &[],
            "`2026-13` is no period: write a month (2026-10)",
        ),
        (&["usage", "fetch", "--sandbox", "--period", "9999-01"], &[], "error: 9999-01 is not over"),
        (&["usage", "fetch", "oracle"], &[], "[possible values: acronis, genesys, suger]"),
        (
            &["usage", "fetch"],
            &[("GENESYS_REGION", "eu-central-1")],
            "error: not set in the environment: GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET",
        ),
        (
            &["usage", "fetch"],
            &[("GENESYS_REGION", "mars"), ("GENESYS_CLIENT_ID", "i"), ("GENESYS_CLIENT_SECRET", "hush")],
            "error: `mars` is no Genesys Cloud region",
        ),
    ];
    for (arguments, environment, expected) in cases {
        let (code, stdout, stderr) = run(program(arguments).envs(environment.iter().copied()));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected) && !stderr.contains("hush") && !stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
fn a_vendor_that_fails_is_told_and_the_others_are_printed() {
    // Port 1 of loopback: nothing listens there.
    let nowhere = [("SUGER_ORG_ID", "o"), ("SUGER_API_KEY", "hush"), ("SUGER_BASE_URL", "http://127.0.0.1:1")];
    let (code, stdout, stderr) = run(program(&["usage", "fetch", "--period", "2026-10", "--allow-open"]).envs(nowhere));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("suger: listUsageRecordGroups: no connection to 127.0.0.1:1"), "{stderr}");
    assert!(!stderr.contains("hush"), "{stderr}");

    let (code, stdout, stderr) =
        run(&mut program(&["usage", "fetch", "suger", "genesys", "--sandbox", "--timeout", "0"]));
    assert_eq!(code, Some(4), "{stderr}");
    assert!(stdout.lines().any(|line| line.starts_with("suger")), "{stdout}");
    assert!(stderr.contains("genesys: billable usage of"), "{stderr}");
}
