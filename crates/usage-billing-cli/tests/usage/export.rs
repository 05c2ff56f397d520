//! `usage export`.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

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

#[test]
fn rows_that_are_left_out_are_listed_by_item() {
    let folder = tempfile::tempdir().unwrap();
    let rows = path(folder.path(), "rows.jsonl");
    let clients = ["--clients", "b7a0c2d4-19e6-4f3b-8d51-6c2e9f0a7713"];
    fetch(&[&["genesys", "--period", "2026-10", "--output", &rows][..], &clients].concat()).ok();
    let run = export(&[&rows]).exits(4);
    let listed: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("left out: genesys ")).collect();
    assert!(listed.iter().any(|line| line.ends_with(": see_invoice)")), "{}", run.stderr);
    let number = |line: &&str| line.rsplit_once(" row")?.0.rsplit(' ').next()?.parse::<usize>().ok();
    let sum: usize = listed.iter().filter_map(number).sum();
    run.states(&format!("; {sum} rows are left out because no source states whether they are billed"));
}

#[test]
fn charges_of_contracts_without_a_prepaid_quantity_need_no_price() {
    let folder = tempfile::tempdir().unwrap();
    let [rows, prices] = ["rows.jsonl", "prices.csv"].map(|name| path(folder.path(), name));
    fetch(&["genesys", "--period", "2026-10", "--genesys-contracts", "--output", &rows]).ok();
    let header = "vendor,sku,unit,currency,unit_price,prepaid_unit_price";
    fs::write(&prices, format!("{header}\ngenesys,GC-170-NV-CX1NAM,seat,EUR,99,75\n")).unwrap();
    let focus = export(&[&rows, "--prices", &prices]).exits(4);
    let is_charge = |line: &&str| line.contains(",getBillingContractBillingperiod,");
    assert!(focus.text().lines().filter(is_charge).count() > 2, "{}", focus.text());
}

#[test]
fn sku_whose_line_does_not_apply_is_not_priced_by_its_metric() {
    let folder = tempfile::tempdir().unwrap();
    let [rows, all] = ["rows.jsonl", "all.csv"].map(|name| path(folder.path(), name));
    fetch(&["acronis", "--period", "2026-10", "--output", &rows]).ok();
    let mut items: Vec<_> =
        fs::read_to_string(&rows).unwrap().lines().map(|row| serde_json::from_str::<Value>(row).unwrap()).collect();
    items.retain(|row| row["is_billable"] == true);
    let text = |row: &Value, column: &str| row[column].as_str().unwrap().to_owned();
    let metrics: BTreeSet<_> = items.iter().map(|row| (text(row, "metric"), text(row, "unit"))).collect();
    let header = "vendor,sku,metric,unit,currency,unit_price,valid_from,valid_to\n";
    let lines: String = metrics.iter().map(|(metric, unit)| format!("acronis,,{metric},{unit},EUR,1,,\n")).collect();
    fs::write(&all, format!("{header}{lines}")).unwrap();
    export(&[&rows, "--prices", &all]).exits(4);
    let (sku, unit) = (text(&items[0], "sku"), text(&items[0], "unit"));
    for (line, reason) in [
        (format!("{sku},,{unit},EUR,2,,2025-12-31"), "valid only to 2025-12-31".to_owned()),
        (format!("{sku},,{unit}x,EUR,2,,"), format!("in the unit {unit}x")),
        (format!("{},,{unit},EUR,2,,", sku.to_lowercase()), format!("of {} (other spelling)", sku.to_lowercase())),
    ] {
        fs::write(&all, format!("{header}{lines}acronis,{line}\n")).unwrap();
        let run = export(&[&rows, "--prices", &all]).exits(6);
        let number = metrics.len() + 2;
        run.states(&format!(": line {number} is {reason})"));
        assert_eq!(run.text(), "");
    }
}
