//! `usage chart`.

use crate::support::{Run, fetch, path, program};

fn chart(arguments: &[&str]) -> Run {
    Run::new(program(&["usage", "chart"]).args(arguments))
}

#[test]
fn page_has_the_data_and_the_library() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, page) = (path(folder.path(), "rows.jsonl"), path(folder.path(), "usage.html"));
    fetch(&["--period", "2026-10", "--output", &rows]).ok();
    let run = chart(&[&rows, "--output", &page]).ok();
    run.states(" billable rows; ");
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.starts_with("<!doctype html>") && text.contains("Chart.js v4"));
    assert!(text.contains(r#""customer":"Harbor Lane Retail, Inc.""#) && !text.contains("{{"));
}
