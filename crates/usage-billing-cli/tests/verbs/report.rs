//! Reports that are stored at Acronis.

use serde_json::Value;

use super::support::{RunningSandbox, TODAY, run};

#[test]
fn report_is_listed_resumed_and_deleted() {
    let sandbox = RunningSandbox::start(&[]);
    let program = |arguments: &[&str]| run(&mut sandbox.program(arguments));
    let (code, rows, stderr) =
        program(&["usage", "fetch", "acronis", "--today", TODAY, "--period", "2026-10", "--format", "csv"]);
    assert_eq!(code, Some(0), "{stderr}");
    let list = || {
        let (code, stdout, stderr) = program(&["report", "list"]);
        assert_eq!(code, Some(0), "{stderr}");
        serde_json::from_str::<Vec<Value>>(&stdout).unwrap()
    };
    let reports = list();
    assert_eq!(reports.len(), 1, "{reports:?}");
    let id = reports[0]["id"].as_str().unwrap();
    let (code, resumed, stderr) = program(&["report", "resume", id, "--today", TODAY, "--format", "csv"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(resumed.lines().count(), rows.lines().count());
    let (code, stdout, _) = program(&["report", "list", "--format", "table"]);
    assert!(code == Some(0) && stdout.lines().any(|line| line.starts_with(id)), "{stdout}");

    let (code, _, stderr) = program(&["report", "delete", id]);
    assert!(code == Some(2) && stderr.contains("use --yes to delete 1 report at Acronis"), "{stderr}");
    let (code, stdout, stderr) = program(&["report", "delete", id, "--dry-run"]);
    assert!(
        code == Some(0) && stdout.contains(&format!("{}/api/2/reports/{id}\"", sandbox.setting("SUGER_BASE_URL"))),
        "{stdout}{stderr}"
    );
    assert_eq!(list().len(), 1);
    let (code, _, stderr) = program(&["report", "delete", id, "--yes"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(list().len(), 0);
    let (code, _, stderr) = program(&["report", "delete", id, "--yes"]);
    assert!(code == Some(0) && stderr.contains(&format!("report {id} does not exist")), "{stderr}");
}
