//! `usage show`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Run, fetch, path, program, write_changed};

fn show(arguments: &[&str]) -> Run {
    Run::new(program(&["usage", "show"]).args(arguments))
}

/// October of all vendors as JSON lines.
fn october(folder: &Path) -> String {
    let file = path(folder, "october.jsonl");
    fetch(&["--period", "2026-10", "--output", &file]).ok();
    file
}

/// Adds decimals as whole numbers of nanounits.
fn nano(text: &str) -> i128 {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let digits = format!("{}{places:0<9}", whole.trim_start_matches('-'));
    sign * digits.parse::<i128>().unwrap()
}

#[test]
fn sums_are_exact_and_separate() {
    let folder = tempfile::tempdir().unwrap();
    let file = october(folder.path());
    let rows: Vec<Value> =
        fs::read_to_string(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut expected = BTreeMap::<(String, String), i128>::new();
    for row in rows.iter().filter(|row| row["is_billable"] == true && row["amount"].is_string()) {
        let key = (row["customer_id"].to_string(), row["currency"].to_string());
        *expected.entry(key).or_default() += nano(row["amount"].as_str().unwrap());
    }
    assert!(expected.len() > 2);
    let sums = show(&[&file, "--by", "customer", "--format", "jsonl"]).ok().rows();
    let found: BTreeMap<_, _> = sums
        .iter()
        .filter(|sum| sum["amount"].is_string())
        .map(|sum| {
            ((sum["customer_id"].to_string(), sum["currency"].to_string()), nano(sum["amount"].as_str().unwrap()))
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(sums.iter().map(|sum| sum["rows"].as_u64().unwrap()).sum::<u64>(), rows.len() as u64);
    let skus = show(&[&file, "--by", "sku,month", "--format", "jsonl"]).ok().rows();
    assert!(skus.iter().any(|sum| sum["quantity"].is_string() && sum["month"] == "2026-10" && sum["unit"].is_string()));
    assert!(skus.iter().all(|sum| sum["quantity"].is_string() == (sum["is_billable"] == "true")));
}

#[test]
fn levels_of_reports_and_accounts_have_sums_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let [one, all, other] = ["one.jsonl", "all.jsonl", "other.jsonl"].map(|name| path(folder.path(), name));
    fetch(&["acronis", "--period", "2026-10", "--output", &one]).ok();
    fetch(&["acronis", "--period", "2026-10", "--acronis-level", "all_customers", "--output", &all]).ok();
    write_changed(&one, &other, "DEMO-SRV-PW", &json!({"account_id": "t-7"}));
    let sums = show(&[&one, &all, &other, "--by", "month", "--format", "jsonl"]).ok().rows();
    let billable = sums.iter().filter(|sum| sum["is_billable"] == "true");
    let kinds: BTreeSet<_> =
        billable.map(|sum| (sum["account_id"].to_string(), sum["report_level"].to_string())).collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
}

#[test]
fn table_fits_the_terminal_and_has_totals() {
    let folder = tempfile::tempdir().unwrap();
    let file = october(folder.path());
    for width in ["80", "120", "200"] {
        let run = show(&[&file, "--format", "table", "--width", width]).ok();
        let table =
            run.text().lines().take_while(|line| !line.starts_with("all rows") && !line.starts_with("not shown"));
        // Columns of East Asian characters count twice and have fewer characters.
        let widest = table.map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= width.parse().unwrap(), "{width}: {}", run.text());
        assert!(run.text().contains("\nBy customer:\n") && run.text().contains("\nBy vendor:\n"), "{}", run.text());
    }
    let of_environment = Run::new(program(&["usage", "show", &file, "--format", "table"]).env("COLUMNS", "80")).ok();
    assert_eq!(of_environment.text(), show(&[&file, "--format", "table", "--width", "80"]).ok().text());
    let piped = show(&[&file]).ok();
    assert_eq!(piped.rows().len(), fs::read_to_string(&file).unwrap().lines().count());
}

#[test]
fn every_format_of_the_same_rows_shows_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let shown: Vec<_> = ["a.csv", "a.json", "a.jsonl", "a.parquet", "set/"]
        .into_iter()
        .map(|name| {
            let file = path(folder.path(), name);
            fetch(&["suger", "--period", "2026-10", "--output", &file]).ok();
            show(&[&file, "--columns", "vendor,row_key,quantity,sku", "--format", "csv"]).ok().text().to_owned()
        })
        .collect();
    assert!(shown[0].starts_with("vendor,row_key,quantity,sku\nsuger,"), "{}", shown[0]);
    assert!(shown.iter().all(|text| *text == shown[0]), "{shown:?}");
}

#[test]
fn file_of_a_data_set_is_read_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let set = path(folder.path(), "set/");
    fetch(&["suger", "--period", "2026-10", "--output", &set]).ok();
    let part = "vendor=suger/period=2026-10/part-sgr-demo1.parquet";
    let named = show(&[&path(folder.path(), &format!("set/{part}")), "--format", "csv"]).ok();
    assert_eq!(named.text(), show(&[&set, "--format", "csv"]).ok().text());
    let within = program(&["usage", "show", "part-sgr-demo1.parquet", "--format", "csv"])
        .current_dir(folder.path().join("set/vendor=suger/period=2026-10"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(within.stdout).unwrap(), named.text());
}

#[test]
fn file_without_rows_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "other.json");
    fs::write(&file, "[]").unwrap();
    let empty = show(&[&file, "--format", "table"]).ok();
    assert!(empty.text().contains("0 rows;"), "{}", empty.text());
    empty.states("other.json` has no rows");
}
