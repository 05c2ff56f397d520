//! `usage export`.

use std::fs;

use crate::support::{Run, fetch, path, program};

fn export(arguments: &[&str]) -> Run {
    Run::new(program(&["usage", "export", "--focus", "1.4"]).args(arguments))
}

#[test]
fn charges_go_to_a_csv_file_or_to_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, focus) = (path(folder.path(), "rows.jsonl"), path(folder.path(), "focus.csv"));
    let october = ["genesys", "--period", "2026-10", "--output", &rows];
    fetch(&[&october[..], &["--clients", "b7a0c2d4-19e6-4f3b-8d51-6c2e9f0a7713"]].concat()).ok();
    export(&[&rows, "--output", &focus]).exits(4);
    let to_stdout = export(&[&rows]).exits(4);
    assert_eq!(to_stdout.text(), fs::read_to_string(&focus).unwrap());
    assert_eq!(export(&[&rows, "-o", "-"]).exits(4).text(), to_stdout.text());
    assert!(to_stdout.text().starts_with("BilledCost,") && to_stdout.text().lines().count() > 3);
}
