//! `usage compare`.

use crate::support::{Run, fetch, path, program};

fn compare(arguments: &[&str]) -> Run {
    Run::new(program(&["usage", "compare"]).args(arguments))
}

#[test]
fn months_of_a_data_set_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let set = path(folder.path(), "usage/");
    fetch(&["acronis", "--period", "2026-09..2026-10", "--output", &set]).ok();
    let months = [&*set, "--before", "2026-09", "--after", "2026-10"];
    let run = compare(&months).ok();
    let differences = run.rows();
    let changed = differences.iter().filter(|row| row["change"] == "changed").collect::<Vec<_>>();
    assert!(
        changed.len() > 3 && changed.iter().all(|row| row["quantity_before"] != row["quantity_after"]),
        "{}",
        run.text()
    );
    run.states(&format!(", {} changed, ", changed.len()));
    let large = compare(&[&months[..], &["--min-percent", "30"]].concat()).ok();
    assert!(
        large.rows().len() < differences.len() && large.stderr.contains("with smaller differences"),
        "{}",
        large.stderr
    );
    let table = compare(&[&months[..], &["--format", "table", "--width", "150"]].concat()).ok();
    assert!(table.text().starts_with("CHANGE "), "{}", table.text());
    compare(&[&months[..], &["--exit-code"]].concat()).exits(6);
    let csv = compare(&[&months[..], &["--format", "csv"]].concat()).ok();
    assert_eq!(csv.text().lines().count(), differences.len() + 1);
}

#[test]
fn same_rows_have_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "rows.csv");
    fetch(&["suger", "--period", "2026-10", "--output", &file]).ok();
    let run = compare(&[&file, &file, "--exit-code", "--format", "table"]).ok();
    assert_eq!((run.text(), &*run.stderr), ("", "0 added, 0 removed, 0 changed, 7 the same\n"));
}
