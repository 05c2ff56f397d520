//! `usage compare`.

use crate::support::{Run, fetch, path, program};

fn compare(arguments: &[&str]) -> Run {
    Run::of(program(&["usage", "compare"]).args(arguments))
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
    assert!(run.stderr.contains(&format!(", {} changed, ", changed.len())), "{}", run.stderr);
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
fn same_rows_are_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "rows.csv");
    fetch(&["suger", "--period", "2026-10", "--output", &file]).ok();
    let run = compare(&[&file, &file, "--exit-code", "--format", "table"]).ok();
    assert_eq!((run.text(), &*run.stderr), ("", "0 new, 0 gone, 0 changed, 7 the same\n"));
    let run = compare(&[&file, "--before", "2026-09", "--after", "2026-10"]).exits(2);
    assert!(run.stderr.contains("has no rows of 2026-09: there is nothing to compare"), "{}", run.stderr);
    let run = compare(&[&file, "--before", "2026-10", "--after", "last-month"]).exits(2);
    assert!(run.stderr.contains("name the month, such as 2026-10"), "{}", run.stderr);
    compare(&[&file]).exits(2);
    compare(&[&file, &file, "--min-change", "much"]).exits(2);
}
