//! Reports that are stored at Acronis.

use serde_json::Value;

use super::support::{RunningSandbox, TODAY, ok, run, states};

#[test]
fn report_is_listed_resumed_and_deleted() {
    let sandbox = RunningSandbox::start(&[]);
    let program = |arguments: &[&str]| run(&mut sandbox.program(arguments));
    let (rows, _) =
        ok(program(&["usage", "fetch", "acronis", "--today", TODAY, "--period", "2026-10", "--format", "csv"]));
    let list = || {
        let (stdout, _) = ok(program(&["report", "list"]));
        serde_json::from_str::<Vec<Value>>(&stdout).unwrap()
    };
    let reports = list();
    assert_eq!(reports.len(), 1, "{reports:?}");
    let id = reports[0]["id"].as_str().unwrap();
    let (resumed, _) = ok(program(&["report", "resume", id, "--today", TODAY, "--format", "csv"]));
    assert_eq!(resumed.lines().count(), rows.lines().count());
    let (code, stdout, _) = program(&["report", "list", "--format", "table"]);
    assert!(code == Some(0) && stdout.lines().any(|line| line.starts_with(id)), "{stdout}");

    states(program(&["report", "delete", id]), 2, "use --yes to delete 1 report at Acronis");
    let (code, stdout, stderr) = program(&["report", "delete", id, "--dry-run"]);
    assert!(
        code == Some(0) && stdout.contains(&format!("{}/api/2/reports/{id}\"", sandbox.setting("SUGER_BASE_URL"))),
        "{stdout}{stderr}"
    );
    assert_eq!(list().len(), 1);
    ok(program(&["report", "delete", id, "--yes"]));
    assert_eq!(list().len(), 0);
    states(program(&["report", "delete", id, "--yes"]), 0, &format!("report {id} does not exist"));
}
