use usage_billing::UsageRow;

use super::*;
use crate::formats::tests::row;

fn usage(rows: &[UsageRow]) -> UsageItems {
    let mut usage = UsageItems::default();
    rows.iter().for_each(|row| usage.add(row).unwrap());
    usage
}

fn used(customer: &str, sku: &str, quantity: &str) -> UsageRow {
    let mut row = row(quantity);
    (row.customer_id, row.customer_name) = (Some(format!("id-{customer}")), Some(customer.to_owned()));
    (row.sku, row.metric) = (sku.to_owned(), format!("metric of {sku}"));
    row
}

fn line(number: usize, customer: &str, sku: &str, quantity: &str) -> InvoiceLine {
    InvoiceLine {
        number,
        customer: customer.to_owned(),
        sku: sku.to_owned(),
        quantity: quantity.parse().unwrap(),
        ..InvoiceLine::default()
    }
}

fn priced(line: InvoiceLine, price: &str, amount: &str) -> InvoiceLine {
    InvoiceLine { price: price.parse().ok(), amount: amount.parse().ok(), ..line }
}

fn options() -> Options {
    Options {
        tolerance: "0.01".parse().unwrap(),
        amount_tolerance: "0.01".parse().unwrap(),
        compares_vendor_prices: false,
    }
}

fn reconcile(rows: &[UsageRow], lines: &[InvoiceLine], map: &str) -> Reconciliation {
    let invoice = Invoice { columns: Default::default(), lines: lines.to_vec(), skipped: Vec::new() };
    Reconciliation::new(&usage(rows), &invoice, &toml::from_str(map).unwrap(), &options()).unwrap()
}

/// Kind, customer, SKU and amount of the exceptions.
fn found(result: &Reconciliation) -> Vec<(Kind, String, String, Option<String>)> {
    let text = |entry: &Entry| entry.amount.map(|amount| amount.normalize().to_string());
    result.exceptions.iter().map(|entry| (entry.kind, entry.customer.clone(), entry.sku.clone(), text(entry))).collect()
}

#[test]
fn lines_that_agree_are_not_exceptions() {
    let rows = [used("A", "S", "10"), used("A", "S", "0.5"), used("B", "T", "3"), used("C", "U", "0")];
    // By name, by id, by metric, and in two lines.
    let lines = [line(2, " a ", "s", "10"), line(3, "id-A", "S", "0.495"), line(4, "B", "Metric of T", "3")];
    let result = reconcile(&rows, &lines, "");
    assert_eq!((found(&result), result.compared, result.compared_lines, result.agreements.len()), (vec![], 2, 3, 2));
}

#[test]
fn every_kind_of_exception_is_found_with_its_amount() {
    let rows =
        [used("A", "S", "10"), used("A", "T", "4"), used("B", "S", "3"), used("B", "T", "1"), used("C", "S", "7")];
    let lines = [
        priced(line(2, "A", "S", "12"), "2", "24"),
        priced(line(3, "A", "T", "4"), "1.5", "6"),
        priced(line(4, "B", "S", "3"), "2", "7"),
        priced(line(5, "B", "T", "1"), "1", "1"),
        priced(line(6, "C", "T", "5"), "1", "5"),
    ];
    let result = reconcile(&rows, &lines, "[prices]\nT = '1'\nS = '2'");
    assert_eq!(
        found(&result),
        [
            (Kind::NotBilled, "C".to_owned(), "S".to_owned(), Some("-14".to_owned())),
            (Kind::NotUsed, "C".to_owned(), "T".to_owned(), Some("5".to_owned())),
            (Kind::Quantity, "A".to_owned(), "S".to_owned(), Some("4".to_owned())),
            (Kind::Price, "A".to_owned(), "T".to_owned(), Some("2".to_owned())),
            (Kind::Amount, "B".to_owned(), "S".to_owned(), Some("1".to_owned())),
        ]
    );
    assert_eq!((result.compared, result.agreements.len()), (4, 1));
}

#[test]
fn similar_names_are_suggested_and_mapped_names_agree() {
    let rows = [used("Birch, Inc.", "STO-PG", "10"), used("Birch, Inc.", "WKS", "2"), used("Alder", "STO-PG", "1")];
    let lines =
        [line(2, "Birch Inc", "STO-PG", "10"), line(3, "Birch Inc", "WKS", "2"), line(4, "Alder", "STO-PGG", "1")];
    let result = reconcile(&rows, &lines, "");
    let suggestions: Vec<_> =
        result.exceptions.iter().map(|entry| (entry.kind, entry.suggestion.as_deref(), &*entry.lines)).collect();
    assert_eq!(
        suggestions,
        [(Kind::UnknownCustomer, Some("Birch, Inc."), &[2, 3][..]), (Kind::UnknownSku, Some("STO-PG"), &[4]),]
    );
    assert_eq!(
        (result.compared, result.withheld),
        (0, 3),
        "usage that is probably billed is not reported as not billed"
    );
    let map = "[customers]\n'birch inc' = 'Birch, Inc.'\n[skus]\nSTO-PGG = 'STO-PG'";
    assert!(found(&reconcile(&rows, &lines, map)).is_empty());
}

#[test]
fn units_are_never_mixed() {
    let mut rows = [used("A", "S", "10"), used("A", "S", "3")];
    rows[1].unit = "seat".to_owned();
    let result = reconcile(&rows, &[line(2, "A", "S", "13")], "");
    assert_eq!(result.exceptions.iter().map(|entry| entry.kind).collect::<Vec<_>>(), [Kind::Ambiguous]);
    let of_unit =
        |number, quantity, unit: &str| InvoiceLine { unit: Some(unit.to_owned()), ..line(number, "A", "S", quantity) };
    assert!(found(&reconcile(&rows, &[of_unit(2, "10", "gib"), of_unit(3, "3", "Seat")], "")).is_empty());
}

#[test]
fn only_billable_usage_is_expected_on_the_invoice() {
    let mut rows = [used("A", "S", "10"), used("A", "T", "5"), used("A", "U", "5")];
    (rows[1].is_billable, rows[2].is_billable) = (Some(false), None);
    let result = reconcile(&rows, &[line(2, "A", "S", "10"), line(3, "A", "T", "5")], "");
    assert_eq!(
        result.exceptions.iter().map(|entry| (entry.kind, &*entry.sku)).collect::<Vec<_>>(),
        [(Kind::NotUsed, "T")]
    );
}

#[test]
fn tolerance_is_a_number_or_a_percentage() {
    let covers = |tolerance: &str, used: &str, difference: &str| {
        tolerance.parse::<Tolerance>().unwrap().covers(used.parse().unwrap(), difference.parse().unwrap())
    };
    assert!(covers("0.01", "5", "-0.01") && !covers("0.01", "5", "0.011"));
    assert!(covers("1%", "200", "2") && !covers("1%", "200", "2.01") && !covers("1%", "0", "0.001"));
    for text in ["", "%", "-1", "one", "1%%"] {
        assert!(text.parse::<Tolerance>().is_err(), "{text}");
    }
}

/// A prepaid quantity: 110 units, of which 100 are prepaid at 90 and 10 cost 132 each.
fn prepaid() -> UsageRow {
    let mut row = used("A", "S", "110");
    (row.unit_price, row.amount) = ("132".parse().ok(), "10320".parse().ok());
    row
}

fn billed(amount: &str, currency: &str) -> InvoiceLine {
    InvoiceLine { currency: Some(currency.to_owned()), amount: amount.parse().ok(), ..line(2, "A", "S", "110") }
}

#[test]
fn amount_is_compared_with_that_of_the_usage() {
    let with_price = |price: &str, amount: &str| priced(line(2, "A", "S", "110"), price, amount);
    for (line, expected) in [
        (billed("10320.01", "EUR"), None),
        (billed("99999", "EUR"), Some((Kind::Amount, Some("89679")))),
        (billed("10320", "USD"), Some((Kind::Currency, None))),
        // As in the usage: not the product.
        (with_price("132", "10320"), None),
        (with_price("132", "14520"), Some((Kind::Amount, Some("4200")))),
        // At prices of the invoice's own.
        (with_price("150", "16500"), None),
        (with_price("150", "16600"), Some((Kind::Amount, Some("6280")))),
        (
            InvoiceLine { quantity: "120".parse().unwrap(), ..billed("11640", "EUR") },
            Some((Kind::Quantity, Some("1320"))),
        ),
    ] {
        let result = reconcile(&[prepaid()], std::slice::from_ref(&line), "");
        let found: Vec<_> = found(&result).into_iter().map(|(kind, _, _, amount)| (kind, amount)).collect();
        let expected = expected.map(|(kind, amount)| (kind, amount.map(str::to_owned)));
        assert_eq!(found, Vec::from_iter(expected), "{line:?}");
    }
    // A price of the map, without one on the invoice.
    let result = reconcile(&[prepaid()], &[billed("16600", "EUR")], "[prices]\nS = '150'");
    assert_eq!(found(&result), [(Kind::Amount, "A".to_owned(), "S".to_owned(), Some("100".to_owned()))]);
}

#[test]
fn wrong_price_explains_only_its_part_of_a_wrong_amount() {
    let mut row = used("A", "S", "10");
    (row.unit_price, row.amount) = ("2".parse().ok(), "20".parse().ok());
    let options = Options { compares_vendor_prices: true, ..options() };
    for (amount, expected) in [("30", &[(Kind::Price, "10")][..]), ("37", &[(Kind::Price, "10"), (Kind::Amount, "7")])]
    {
        let lines = vec![priced(line(2, "A", "S", "10"), "3", amount)];
        let invoice = Invoice { columns: Default::default(), lines, skipped: Vec::new() };
        let result = Reconciliation::new(&usage(&[row.clone()]), &invoice, &MapFile::default(), &options).unwrap();
        let found: Vec<_> = found(&result).into_iter().map(|(kind, _, _, amount)| (kind, amount.unwrap())).collect();
        let expected: Vec<_> = expected.iter().map(|(kind, amount)| (*kind, (*amount).to_owned())).collect();
        assert_eq!(found, expected, "{amount}");
    }
}

#[test]
fn vendor_price_is_expected_only_if_the_amount_is_its_product() {
    let mut rows = [prepaid(), used("A", "T", "3")];
    (rows[1].unit_price, rows[1].amount) = ("0.335".parse().ok(), "1.01".parse().ok());
    let usage = usage(&rows);
    let prices: Vec<_> = usage.items.values().map(|item| item.price).collect();
    assert_eq!(prices, [None, "0.335".parse().ok()]);
}
