//! `usage chart`.

use crate::support::{Run, fetch, path, program};

fn chart(arguments: &[&str]) -> Run {
    Run::of(program(&["usage", "chart"]).args(arguments))
}

#[test]
fn page_has_the_data_and_the_library() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, page) = (path(folder.path(), "rows.jsonl"), path(folder.path(), "usage.html"));
    fetch(&["--period", "2026-10", "--output", &rows]).ok();
    let run = chart(&[&rows, "--output", &page]).ok();
    assert!(run.stderr.contains(" billable rows; "), "{}", run.stderr);
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.starts_with("<!doctype html>") && text.contains("Chart.js v4"));
    assert!(text.contains(r#""customer":"Harbor Lane Retail, Inc.""#) && !text.contains("{{"));
}

#[test]
fn period_without_billable_rows_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, page) = (path(folder.path(), "rows.jsonl"), path(folder.path(), "usage.html"));
    fetch(&["suger", "--period", "2026-10", "--output", &rows]).ok();
    let run = chart(&[&rows, "--period", "2026-09", "--output", &page]).exits(2);
    assert!(run.stderr.contains("there are no billable rows of this period to show"), "{}", run.stderr);
    assert!(!std::path::Path::new(&page).exists());
}
