//! The result of a reconciliation as records and lines.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usage_billing::{Decimal, printable};

use super::invoice::Invoice;
use super::reconciliation::{Entry, Kind, Reconciliation};
use super::usage_items::UsageItems;
use crate::formats::Records;
use crate::terminal::count;

const COLUMNS: [&str; 14] = [
    "exception",
    "customer",
    "sku",
    "quantity_used",
    "quantity_billed",
    "unit",
    "amount_too_much",
    "currency",
    "lines",
    "suggestion",
    "price_expected",
    "price_billed",
    "quantity_difference",
    "vendor",
];
const ESSENTIAL: [&str; 6] = ["exception", "customer", "sku", "quantity_used", "quantity_billed", "amount_too_much"];
const NUMBERS: [&str; 6] =
    ["quantity_used", "quantity_billed", "amount_too_much", "price_expected", "price_billed", "quantity_difference"];

/// Returns the exceptions, and what agrees after them if it is wanted.
pub(super) fn records(result: &Reconciliation, all: bool) -> Records {
    let agreements: &[Entry] = if all { &result.agreements } else { &[] };
    let rows = result.exceptions.iter().chain(agreements).map(record).collect();
    Records { columns: COLUMNS.into(), numbers: &NUMBERS, essential: &ESSENTIAL, rows }
}

fn record(entry: &Entry) -> Vec<Value> {
    let decimal = |value: Option<Decimal>| json!(value.map(|value| value.normalize().to_string()));
    let lines: Vec<_> = entry.lines.iter().map(usize::to_string).collect();
    let difference = entry.billed.zip(entry.used).and_then(|(billed, used)| billed.checked_sub(used));
    vec![
        json!(name(entry.kind)),
        json!(entry.customer),
        json!(Some(&entry.sku).filter(|sku| !sku.is_empty())),
        decimal(entry.used),
        decimal(entry.billed),
        json!(entry.unit),
        decimal(entry.amount),
        json!(entry.currency),
        json!(Some(lines.join(", ")).filter(|lines| !lines.is_empty())),
        json!(entry.suggestion),
        decimal(entry.price_expected),
        decimal(entry.price_billed),
        decimal(difference),
        json!(entry.vendor),
    ]
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::NotBilled => "not billed",
        Kind::NotUsed => "not used",
        Kind::Quantity => "quantity",
        Kind::Price => "price",
        Kind::Amount => "amount",
        Kind::Currency => "currency",
        Kind::UnknownCustomer => "unknown customer",
        Kind::UnknownSku => "unknown sku",
        Kind::Ambiguous => "ambiguous",
        Kind::Agrees => "agrees",
    }
}

/// Returns lines that state how much was compared and how much money the exceptions are about.
pub(super) fn summary(result: &Reconciliation, usage: &UsageItems, invoice: &Invoice) -> Vec<String> {
    let mut lines = vec![format!(
        "compared {} of {} invoice lines with {} of {} billable items (customer, SKU and unit): {} agree, {}",
        result.compared_lines,
        invoice.lines.len(),
        result.compared,
        usage.items.len(),
        result.agreements.len(),
        count(result.exceptions.len(), "exception"),
    )];
    let (mut too_much, mut too_little) = (BTreeMap::new(), BTreeMap::new());
    for entry in &result.exceptions {
        if let Some(amount) = entry.amount {
            let sums = if amount.is_sign_negative() { &mut too_little } else { &mut too_much };
            let sum: &mut Option<Decimal> =
                sums.entry(entry.currency.clone().unwrap_or_default()).or_insert(Some(Decimal::ZERO));
            *sum = sum.and_then(|sum| sum.checked_add(amount));
        }
    }
    for (sums, what) in [(&too_much, "too much"), (&too_little, "too little")] {
        let sums = sums
            .iter()
            .filter_map(|(currency, sum)| Some(format!("{} {}", (*sum)?.abs().normalize(), printable(currency))));
        let sums: Vec<_> = sums.map(|sum| sum.trim_end().to_owned()).collect();
        if !sums.is_empty() {
            lines.push(format!("billed {what}: {}", sums.join(", ")));
        }
    }
    let unknown_amounts = result.exceptions.iter().filter(|entry| entry.amount.is_none()).count();
    if unknown_amounts > 0 {
        lines.push(format!("{} without a known amount", count(unknown_amounts, "exception")));
    }
    for (number, what) in [
        (
            result.withheld as u64,
            "billable items were not compared, as the invoice probably has them under another name (see suggestions)",
        ),
        (usage.unknown_rows, "rows of the usage were not compared, as no source states whether they are billable"),
        (result.ignored_lines as u64, "lines of the invoice are ignored by the map"),
    ] {
        if number > 0 {
            lines.push(format!("{number} {what}"));
        }
    }
    if !invoice.skipped.is_empty() {
        let numbers: Vec<_> = invoice.skipped.iter().take(10).map(usize::to_string).collect();
        lines.push(format!("lines without customer and SKU were skipped: {}", numbers.join(", ")));
    }
    lines
}
