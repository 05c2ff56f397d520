//! `usage export`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Run, fetch, path, program, write_changed};

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
    run.states(&format!("; {sum} rows left out, as no source states what is billed"));
}

#[test]
fn charges_of_contracts_whose_amount_is_known_need_no_price() {
    let folder = tempfile::tempdir().unwrap();
    let [rows, prices] = ["rows.jsonl", "prices.csv"].map(|name| path(folder.path(), name));
    fetch(&["genesys", "--period", "2026-10", "--genesys-contracts", "--output", &rows]).ok();
    let header = "vendor,sku,unit,currency,unit_price,prepaid_unit_price";
    fs::write(&prices, format!("{header}\ngenesys,GC-170-NV-CX1NAM,seat,EUR,99,75\n")).unwrap();
    let focus = export(&[&rows, "--prices", &prices]).exits(4);
    let is_charge = |line: &&str| line.contains(",getBillingContractBillingperiod,");
    assert!(focus.text().lines().filter(is_charge).count() > 2, "{}", focus.text());
}

/// Bills of a client of Genesys, and a file with a changed row of them.
fn genesys(folder: &Path, changes: &Value) -> [String; 2] {
    let [rows, changed] = ["rows.jsonl", "changed.jsonl"].map(|name| path(folder, name));
    fetch(&["genesys", "--period", "2026-10", "--clients", "b7a0c2d4-19e6-4f3b-8d51-6c2e9f0a7713", "--output", &rows])
        .ok();
    write_changed(&rows, &changed, "GC-170-NV-IVRMIN", changes);
    [rows, changed]
}

#[test]
fn charge_without_what_is_prepaid_is_incomplete() {
    for prepaid in [Value::Null, json!("0")] {
        let folder = tempfile::tempdir().unwrap();
        let charge = json!({"amount": null, "prepaid_amount": null, "prepaid_quantity": prepaid, "cost": "19.62", "unit_price": null});
        let [_, changed] = genesys(folder.path(), &charge);
        let run = export(&[&changed]).exits(4);
        run.states("-: 1 charge; 1 row without what is prepaid, as no source states it\n");
        let item = "genesys GC-170-NV-IVRMIN (metric IVR Minutes, unit minute, 1 row: what is prepaid is not stated)";
        run.states(&format!("incomplete: {item}\n"));
        assert!(run.text().contains(",19.62,"), "{}", run.text());
    }
}

#[test]
fn row_whose_charged_quantity_is_not_stated_is_left_out_without_a_price() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = json!({"amount": null, "prepaid_amount": null, "overage_quantity": null, "included_quantity": "10", "sku": "NEW"});
    let [rows, changed] = genesys(folder.path(), &unknown);
    let run = export(&[&rows, &changed]).exits(4);
    run.states(
        "left out: genesys NEW (metric IVR Minutes, unit minute, 1 row: how much of it is charged is not stated)",
    );
}

#[test]
fn price_book_that_adds_a_currency_to_an_account_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let without =
        json!({"amount": null, "currency": null, "sku": "NEW", "overage_quantity": "7", "prepaid_quantity": null});
    let [rows, changed] = genesys(folder.path(), &without);
    let prices = path(folder.path(), "prices.csv");
    let export_in = |currency: &str| {
        fs::write(&prices, format!("vendor,sku,unit,currency,unit_price\ngenesys,NEW,minute,{currency},2\n")).unwrap();
        export(&[&rows, &changed, "--prices", &prices])
    };
    export_in("EUR").exits(4);
    let run = export_in("USD").exits(6);
    run.states("in 2026-10 are in EUR and USD, and rows without a currency have that of the price book: use one currency there");
    assert_eq!(run.text(), "");
}

#[test]
fn accounts_in_two_currencies_have_lines_of_the_same_days() {
    let folder = tempfile::tempdir().unwrap();
    let new = json!({"amount": null, "sku": "NEW", "overage_quantity": "7", "prepaid_quantity": null});
    let [rows, changed] = genesys(folder.path(), &new);
    let [usd, prices] = ["usd.jsonl", "prices.csv"].map(|name| path(folder.path(), name));
    let other = [("currency", json!("USD")), ("account_id", json!("o-2")), ("customer_id", json!("c-2"))];
    let other: Value =
        new.as_object().unwrap().clone().into_iter().chain(other.map(|(key, value)| (key.to_owned(), value))).collect();
    write_changed(&rows, &usd, "GC-170-NV-IVRMIN", &other);
    let lines = "genesys,NEW,minute,EUR,2\ngenesys,NEW,minute,USD,3\n";
    fs::write(&prices, format!("vendor,sku,unit,currency,unit_price\n{lines}")).unwrap();
    let run = export(&[&changed, &usd, "--prices", &prices]).ok();
    run.states("-: 2 charges\n");
    for (cost, currency) in [("14.0,", ",EUR,"), ("21.0,", ",USD,")] {
        assert!(run.text().lines().any(|line| line.starts_with(cost) && line.contains(currency)), "{}", run.text());
    }
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
