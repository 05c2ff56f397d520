//! The output of every verb: on a terminal of 80 and of 200 columns, and in a pipe. `INSTA_UPDATE=always` writes the files again.

use std::path::Path;

use super::support::{RunningSandbox, TODAY, file, program};

/// Longer output of a pipe is cut: the rest is more of the same.
const MAX_LINES: usize = 12;

/// A verb: the name of its file, its arguments, and whether it has a table.
type Case = (&'static str, &'static [&'static str], bool);

const USAGE: &[Case] = &[
    ("usage_fetch", &["usage", "fetch", "suger", "--today", TODAY, "--period", "2026-10"], true),
    ("usage_show", &["usage", "show", "usage/"], true),
    ("usage_show_by", &["usage", "show", "usage/", "--by", "customer,month"], true),
    (
        "usage_show_columns",
        &["usage", "show", "usage/", "--columns", "customer_name,sku,quantity,unit,amount,cost,currency"],
        true,
    ),
    ("usage_compare", &["usage", "compare", "usage/", "--before", "2026-09", "--after", "2026-10"], true),
    (
        "usage_reconcile",
        &["usage", "reconcile", "usage/", "--period", "2026-10", "--vendor", "acronis", "--against", "invoice.csv"],
        true,
    ),
    ("usage_chart", &["usage", "chart", "usage/", "--output", "usage.html"], false),
];

/// The event of ent-gone.
const KEY: &str = "a438fcf6-9402-5337-b15d-01ad5c948341";

const METER: &[Case] = &[
    ("meter_validate", &["meter", "validate", "events.csv", "--today", TODAY], false),
    ("meter_send_dry_run", &["meter", "send", "events.csv", "--today", TODAY, "--dry-run"], false),
    ("meter_send", &["meter", "send", "events.csv", "--today", TODAY, "--yes"], true),
    (
        "meter_status",
        &["meter", "status", "--today", TODAY, "--entitlement", "ent-aws01", "--period", "2026-11-20/2026-11-21"],
        true,
    ),
    ("meter_retry", &["meter", "retry", "--today", TODAY, "--dry-run", "--period", "2026-10"], false),
    ("meter_enqueue", &["meter", "enqueue", "events.csv", "--outbox", "usage.sqlite", "--today", TODAY], false),
    ("meter_run", &["meter", "run", "--outbox", "usage.sqlite", "--today", TODAY, "--once", "--yes"], true),
    ("meter_status_outbox", &["meter", "status", "--outbox", "usage.sqlite", "--today", TODAY], true),
    ("meter_show", &["meter", "show", "--outbox", "usage.sqlite", "--today", TODAY], true),
    ("meter_show_event", &["meter", "show", KEY, "--outbox", "usage.sqlite", "--today", TODAY], true),
    ("meter_retry_outbox", &["meter", "retry", KEY, "--outbox", "usage.sqlite", "--today", TODAY, "--dry-run"], true),
    (
        "meter_resolve",
        &["meter", "resolve", KEY, "--reason", "gone", "--outbox", "usage.sqlite", "--today", TODAY, "--dry-run"],
        true,
    ),
    (
        "meter_reconcile_outbox",
        &["meter", "reconcile", "--outbox", "usage.sqlite", "--today", TODAY, "--period", "2026-11-20/2026-11-21"],
        true,
    ),
    (
        "meter_reconcile",
        &["meter", "reconcile", "events.csv", "--today", TODAY, "--period", "2026-11-20/2026-11-21"],
        true,
    ),
];

const OTHERS: &[Case] = &[
    ("vendors", &["vendors"], true),
    ("auth_check", &["auth", "check", "suger"], true),
    ("auth_check_of_all", &["auth", "check"], true),
    ("clients_list", &["clients", "list"], true),
    ("api", &["api", "suger"], true),
    ("api_dry_run", &["api", "suger", "getBuyer", "--param", "buyerId=a/b", "--param", "x=1 2", "--dry-run"], false),
    ("schema_duckdb", &["schema", "--format", "duckdb"], false),
    ("schema_spark", &["schema", "--format", "spark"], false),
];

/// Verbs whose output is not a list, or depends on the machine; `every_verb_has_a_snapshot_or_a_test_of_its_own` has the tests.
const WITHOUT_SNAPSHOT: &[(&str, &str)] = &[
    ("usage export", "writes the CSV of a specification: usage/export.rs"),
    ("doctor", "states times and addresses: doctor_and_reports_fit_the_terminal"),
    ("report list", "has the ids of other runs: doctor_and_reports_fit_the_terminal"),
    ("report resume", "is usage fetch"),
    ("report delete", "prints ids: report.rs"),
    ("completions", "prints a script: manual.rs"),
    ("man", "prints roff: manual.rs"),
    ("sandbox", "runs until Ctrl-C"),
];

/// Returns all verbs that do something, as their groups' help lists them.
pub(super) fn verbs() -> Vec<Vec<String>> {
    let (mut groups, mut verbs) = (vec![Vec::new()], Vec::new());
    while let Some(group) = groups.pop() {
        let help = help(&group, "200");
        let Some((_, commands)) = help.split_once("\nCommands:\n") else {
            verbs.push(group);
            continue;
        };
        // Descriptions of several lines are indented further.
        let lines = commands.lines().take_while(|line| !line.is_empty());
        let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|name| !name.is_empty());
        let inner = names.filter(|name| *name != "help").map(|name| [&*group, &[name.to_owned()]].concat());
        // The sandbox has verbs of its own, and is one.
        let (own, inner): (Vec<_>, Vec<_>) = inner.partition(|verb| verb[0] == "sandbox");
        verbs.extend(own.into_iter().filter(|verb| verb.len() == 1));
        groups.extend(inner);
    }
    verbs.sort_unstable();
    verbs
}

/// Returns the help of a verb or a group on a terminal of some columns.
fn help(verb: &[String], columns: &str) -> String {
    let mut command = program(&[]);
    let output = command.args(verb).arg("--help").env("COLUMNS", columns).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{verb:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Checks the width of each line.
fn check_width(text: &str, columns: &str) {
    // Of CJK characters, two columns each.
    let width =
        |line: &str| line.chars().map(|one| 1 + usize::from(('\u{2e80}'..'\u{ffe0}').contains(&one))).sum::<usize>();
    for line in text.lines() {
        assert!(width(line) <= columns.parse().unwrap(), "{columns} columns: {line}\n{text}");
    }
}

/// Returns a run as text: exit code, stdout, and the lines of stderr, which concurrent work prints in any order.
fn output_of(sandbox: &RunningSandbox, folder: &Path, arguments: &[&str], columns: Option<&str>) -> String {
    let mut command = sandbox.program(arguments);
    command.current_dir(folder);
    if let Some(columns) = columns {
        command.args(["--format", "table"]).env("COLUMNS", columns);
    }
    let run = |command: &mut assert_cmd::Command| {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let (code, stdout, stderr) = run(&mut command);
    assert!(
        !stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'),
        "{arguments:?} has escape sequences: NO_COLOR changes nothing"
    );
    if let Some(columns) = columns {
        check_width(&stdout, columns);
    }
    let lines: Vec<_> = stdout.lines().collect();
    let (first, more) = lines.split_at(if columns.is_some() { lines.len() } else { lines.len().min(MAX_LINES) });
    let more = if more.is_empty() { String::new() } else { format!("({} more lines)\n", more.len()) };
    let mut errors: Vec<_> = stderr.lines().collect();
    errors.sort_unstable();
    format!("exit code {code}\n--- stdout\n{}\n{more}--- stderr\n{}\n", first.join("\n"), errors.join("\n"))
}

fn check(sandbox: &RunningSandbox, folder: &Path, cases: &[Case]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // The padding depends on the length of the number.
    settings.add_filter(r"127\.0\.0\.1:\d+ +", "127.0.0.1:PORT  ");
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT");
    // They depend on the number of requests before, which concurrent calls change.
    settings.add_filter(r"request\s+id\s+[0-9a-f-]{4}[0-9a-f\s-]*\)", "request id ID)");
    settings.add_filter(r#""source_report_id":"[^"]*""#, r#""source_report_id":"ID""#);
    // The clock of an outbox continues from noon.
    settings.add_filter(r"2026-11-21T12:0\d:\d\d(\.\d+)?Z", "2026-11-21T12:00:00Z");
    settings.bind(|| {
        for (name, arguments, has_table) in cases {
            insta::assert_snapshot!(format!("{name}.pipe"), output_of(sandbox, folder, arguments, None));
            for columns in ["80", "200"].into_iter().filter(|_| *has_table) {
                let text = output_of(sandbox, folder, arguments, Some(columns));
                insta::assert_snapshot!(format!("{name}.{columns}"), text);
            }
        }
    });
}

fn start() -> (RunningSandbox, tempfile::TempDir) {
    (RunningSandbox::start(&["--polls", "0"]), tempfile::tempdir().unwrap())
}

#[test]
fn output_of_usage_verbs_is_that_of_the_snapshots() {
    let (sandbox, folder) = start();
    let fetch =
        ["usage", "fetch", "--today", TODAY, "--period", "2026-09..2026-10", "--clients", "none", "-q", "-o", "usage/"];
    assert_eq!(sandbox.program(&fetch).current_dir(folder.path()).output().unwrap().status.code(), Some(0));
    let invoice = "Customer,SKU,Quantity,Price\nAlder Dental Group,DEMO-SRV-PW,4,30\nAlder Dental Grp,DEMO-STO-PW,984.31,0.1\nBirch,X,1,1\n";
    file(&folder, "invoice.csv", invoice);
    check(&sandbox, folder.path(), USAGE);
    #[cfg(target_os = "linux")]
    terminal_shows_the_table_without_colors(&sandbox, folder.path());
}

/// Runs the program on a pseudo-terminal, if `script` of util-linux is here.
#[cfg(target_os = "linux")]
fn terminal_shows_the_table_without_colors(sandbox: &RunningSandbox, folder: &Path) {
    let show = ["usage", "show", "usage/", "--by", "customer,month"];
    let table =
        sandbox.program(&show).args(["--format", "table"]).env("COLUMNS", "80").current_dir(folder).output().unwrap();
    for no_color in ["", "1"] {
        let program = assert_cmd::cargo::cargo_bin!("usage-billing");
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &format!("'{}' {}", program.display(), show.join(" ")), "/dev/null"]).current_dir(folder);
        script.env("COLUMNS", "80").env("NO_COLOR", no_color).stdin(std::process::Stdio::null());
        let Ok(output) = script.output() else { return };
        let shown = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
        assert_eq!(shown, String::from_utf8_lossy(&table.stdout));
    }
}

#[test]
fn output_of_meter_verbs_is_that_of_the_snapshots() {
    let (sandbox, folder) = start();
    let events = "entitlement_id,timestamp,dimension,quantity\nent-aws01,2026-11-20T07:00:00Z,ingest_gb,5\n\
                  ent-gone,2026-11-20T07:00:00Z,ingest_gb,0.5\n";
    file(&folder, "events.csv", events);
    check(&sandbox, folder.path(), METER);
}

#[test]
fn output_of_other_verbs_is_that_of_the_snapshots() {
    let (sandbox, folder) = start();
    check(&sandbox, folder.path(), OTHERS);
}

#[test]
fn doctor_and_reports_fit_the_terminal() {
    let (sandbox, folder) = start();
    let fetch = ["usage", "fetch", "acronis", "--today", TODAY, "--period", "2026-10", "-q"];
    assert_eq!(sandbox.program(&fetch).output().unwrap().status.code(), Some(0));
    for arguments in [&["doctor"][..], &["report", "list"]] {
        for columns in ["80", "200"] {
            let text = output_of(&sandbox, folder.path(), arguments, Some(columns));
            assert!(text.lines().count() > 5, "{text}");
        }
    }
}

#[test]
fn every_verb_has_a_snapshot_or_a_test_of_its_own() {
    let has_snapshot = |verb: &[String]| {
        [USAGE, METER, OTHERS]
            .into_iter()
            .flatten()
            .any(|(_, arguments, _)| arguments.starts_with(&verb.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let without: Vec<_> = verbs().into_iter().filter(|verb| !has_snapshot(verb)).map(|verb| verb.join(" ")).collect();
    let mut expected: Vec<_> = WITHOUT_SNAPSHOT.iter().map(|(verb, _)| (*verb).to_owned()).collect();
    expected.sort_unstable();
    assert_eq!(without, expected);
}

#[test]
fn help_of_every_verb_fits_80_columns_and_its_snapshot() {
    let mut text = String::new();
    for verb in [vec![Vec::new()], verbs()].concat() {
        check_width(&help(&verb, "200"), "200");
        let narrow = help(&verb, "80");
        check_width(&narrow, "80");
        text += &format!("$ usage-billing {} --help\n{narrow}\n", verb.join(" "));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("help", text));
}
