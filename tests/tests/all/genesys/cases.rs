//! Billing overviews as they are in the field, each with its right value; names and numbers are invented.

use chrono::Utc;
use rust_decimal::Decimal;
use usage_billing::UsageRow;
use usage_billing::genesys::overview_rows;
use usage_billing_tests::now;

fn rows(overview: &str) -> Vec<UsageRow> {
    let overview = serde_json::from_str(overview).unwrap();
    overview_rows(&overview, "org-1", 1, now()).unwrap()
}

/// Of each row: its metric, what goes beyond the free and prepaid quantity, and whether it is charged.
fn charges(rows: &[UsageRow]) -> Vec<(&str, Option<Decimal>, Option<bool>)> {
    rows.iter()
        .map(|row| (row.metric.as_str(), row.overage_quantity.map(|it| it.normalize()), row.is_billable))
        .collect()
}

fn number(text: &str) -> Option<Decimal> {
    text.parse().ok()
}

#[test]
fn a_fair_use_row_is_the_free_quantity_of_another_row() {
    let rows = rows(include_str!("../../../fixtures/genesys/fair-use.json"));
    let metric = "Genesys Cloud Voice Transcription";
    assert_eq!(charges(&rows), [(metric, number("11500"), Some(true)), (metric, None, Some(false))]);
    assert_eq!((rows[0].included_quantity, rows[0].unit_price), (number("50000"), number("0.01")));
}

#[test]
fn parts_of_a_rollup_are_not_charged_again() {
    let rows = rows(include_str!("../../../fixtures/genesys/ai-tokens.json"));
    let charged: Vec<_> = charges(&rows).into_iter().filter(|(.., is_billable)| *is_billable == Some(true)).collect();
    assert_eq!(charged, [("AI Experience Tokens", number("6250.5"), Some(true))]);
    assert!(rows.iter().all(|row| row.is_billable.is_some()));
}

#[test]
fn a_bundle_of_zero_is_no_bundle() {
    let rows = rows(include_str!("../../../fixtures/genesys/bundle-zero.json"));
    assert_eq!(charges(&rows), [("SMS", number("2500"), Some(true))]);
    assert_eq!(rows[0].bundle_quantity, None);
}

#[test]
fn rows_name_the_subscription_type() {
    let rows = rows(include_str!("../../../fixtures/genesys/prepay-annual.json"));
    assert_eq!(rows[0].subscription_type.as_deref(), Some("PREPAY"));
    assert_eq!(rows[0].overage_quantity, number("250"));
}
