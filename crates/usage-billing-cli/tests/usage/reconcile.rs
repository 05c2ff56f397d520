//! `usage reconcile`: a month end with an invoice that has errors.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rust_xlsxwriter::Workbook;
use serde_json::Value;

use crate::support::{Run, fetch, path, program};

/// An invoice line: customer, SKU, quantity, price.
type Line = (String, String, f64, f64);

const PRICE: f64 = 0.5;

fn reconcile(arguments: &[&str]) -> Run {
    Run::new(program(&["usage", "reconcile"]).args(arguments))
}

/// Returns an invoice that agrees with the billable rows of a file: one line for each customer and SKU, rounded to two places.
fn invoice(rows: &str) -> Vec<Line> {
    let mut lines = BTreeMap::<(String, String), f64>::new();
    for line in fs::read_to_string(rows).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        if row["is_billable"] == true {
            let key = (row["customer_name"].as_str().unwrap().to_owned(), row["sku"].as_str().unwrap().to_owned());
            *lines.entry(key).or_default() += row["quantity"].as_str().unwrap().parse::<f64>().unwrap();
        }
    }
    lines
        .into_iter()
        .map(|((customer, sku), quantity)| (customer, sku, (quantity * 100.0).round() / 100.0, PRICE))
        .collect()
}

fn write_xlsx(folder: &Path, name: &str, lines: &[Line]) -> String {
    let file = path(folder, name);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (header, column) in ["Client", "Product", "Qty", "Rate", "Total"].into_iter().zip(0..) {
        sheet.write_string(0, column, header).unwrap();
    }
    for ((customer, sku, quantity, price), row) in lines.iter().zip(1..) {
        sheet.write_string(row, 0, customer).unwrap().write_string(row, 1, sku).unwrap();
        sheet.write_number(row, 2, *quantity).unwrap().write_number(row, 3, *price).unwrap();
        sheet.write_number(row, 4, (quantity * price * 100.0).round() / 100.0).unwrap();
    }
    sheet.write_string(lines.len() as u32 + 2, 3, "Sum").unwrap();
    book.save(&file).unwrap();
    file
}

#[test]
fn five_planted_errors_are_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let usage = path(folder.path(), "october.jsonl");
    fetch(&["acronis", "--period", "2026-10", "--output", &usage]).ok();
    let correct = invoice(&usage);
    assert!(correct.len() > 8, "{correct:?}");
    let arguments = |against: &str| -> Vec<String> {
        let fixed =
            ["--sku-column", "Product", "--customer-column", "client", "--format", "jsonl", "--against", against];
        [&[&*usage][..], &fixed].concat().into_iter().map(str::to_owned).collect()
    };
    let run = |against: &str, more: &[&str]| {
        let arguments = arguments(against);
        reconcile(&[arguments.iter().map(String::as_str).collect::<Vec<_>>(), more.to_vec()].concat())
    };
    let clean = run(&write_xlsx(folder.path(), "clean.xlsx", &correct), &[]).ok();
    assert_eq!(clean.text(), "");
    let compared = format!("compared {0} of {0} invoice lines with {0} of {0} billable items", correct.len());
    clean.states(&compared);
    clean.states("lines without customer and SKU were skipped");

    // Another quantity, a line that is missing, one without usage, a wrong price, and a misspelt SKU.
    let mut wrong = correct.clone();
    wrong[1].2 += 25.0;
    let not_billed = wrong.remove(5);
    let skus: Vec<_> = correct.iter().filter(|line| line.0 == correct[0].0).map(|line| line.1.clone()).collect();
    let other_sku = correct.iter().map(|line| &line.1).find(|sku| !skus.contains(sku));
    let not_used = other_sku.map(|sku| (correct[0].0.clone(), sku.clone(), 3.0, PRICE));
    let not_used = not_used.unwrap_or_else(|| (correct[0].0.clone(), "backup/imaginary".to_owned(), 3.0, PRICE));
    wrong[3].3 = 0.75;
    let misspelt = wrong.len() - 1;
    wrong[misspelt].1.push('X');
    wrong.push(not_used.clone());
    let prices: String = correct
        .iter()
        .map(|line| format!("\"{}\" = \"{PRICE}\"\n", line.1))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    let map = path(folder.path(), "map.toml");
    fs::write(&map, format!("[prices]\n{prices}")).unwrap();
    let file = write_xlsx(folder.path(), "wrong.xlsx", &wrong);
    let found = run(&file, &["--map", &map]).exits(6);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut exceptions: Vec<_> =
        found.rows().iter().map(|row| (text(&row["exception"]), text(&row["customer"]), text(&row["sku"]))).collect();
    exceptions.sort();
    let kind = |kind: &str, line: &Line| (kind.to_owned(), line.0.clone(), line.1.clone());
    let mut expected = vec![
        kind("quantity", &wrong[1]),
        kind("not billed", &not_billed),
        kind("price", &wrong[3]),
        kind("unknown sku", &wrong[misspelt]),
        kind("not used", &not_used),
    ];
    expected.sort();
    assert_eq!(exceptions, expected, "{}", found.stderr);
    let exception = |kind: &str| found.rows().into_iter().find(|row| row["exception"] == kind).unwrap();
    assert_eq!(exception("not used")["amount_too_much"], "1.5");
    assert_eq!(text(&exception("unknown sku")["suggestion"]), correct.last().unwrap().1);
    found.states("5 exceptions");
    found.states("billed too much: ");

    let table = run(&file, &["--map", &map, "--all", "--width", "160"]).exits(6);
    assert_eq!(table.rows().len(), 5 + correct.len() - 4, "exceptions first, then what agrees");
}

#[test]
fn map_that_was_saved_gives_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let usage = path(folder.path(), "october.jsonl");
    fetch(&["suger", "--period", "2026-10", "--output", &usage]).ok();
    let lines: String = invoice(&usage)
        .iter()
        .map(|(customer, sku, quantity, _)| {
            format!("\"{}\";{sku};{}\n", customer.replace('"', "\"\""), quantity.to_string().replace('.', ","))
        })
        .collect();
    let against = path(folder.path(), "psa.csv");
    fs::write(&against, format!("\u{feff}Kunde;Artikel;Menge\n{lines}")).unwrap();
    let map = path(folder.path(), "map.toml");
    let base = [&*usage, "--against", &against, "--decimal-comma", "--tolerance", "0.01"];
    let flags =
        ["--customer-column", "Kunde", "--sku-column", "Artikel", "--quantity-column", "Menge", "--save-map", &map];
    let first = reconcile(&[&base[..], &flags].concat()).ok();
    let again = reconcile(&[&base[..], &["--map", &map]].concat()).ok();
    assert_eq!(first.stderr, again.stderr);
}
