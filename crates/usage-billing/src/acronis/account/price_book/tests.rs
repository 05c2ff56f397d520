use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;
use crate::rows::identity::RowIdentity;
use crate::{BillingReason, Vendor};
use serde_json::{Value, json};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn book(lists: Value) -> PriceBook {
    PriceBook::new(serde_json::from_value(json!({"price_lists": lists})).unwrap())
}

fn list(month: &str, currency: &str, prices: Value) -> Value {
    json!({"month": month, "currency": currency, "commitment": "0", "pricelist_code": "EU-1", "prices": prices})
}

fn price(sku: &str, effective: &str) -> Value {
    json!({"sku": sku, "effective_price": effective, "list_price": "4", "sku_discount": "10", "pricelist_discount": "2.5"})
}

fn row(sku: &str, period: &str, quantity: &str, reason: BillingReason) -> UsageRow {
    let identity = RowIdentity {
        sku,
        ..RowIdentity::new(Vendor::Acronis, "download_stored_report", "t-0", period.parse().unwrap())
    };
    identity.row(decimal(quantity), reason)
}

#[test]
fn row_has_price_of_its_sku_and_month_with_source() {
    let book = book(json!([
        list("2026-09", "EUR", json!([price("S-1", "9.99")])),
        list("2026-10", "EUR", json!([price("S-1", "3.51"), price("S-2", "1")])),
    ]));
    let mut row = row("S-1", "2026-10", "2.000000001", BillingReason::Usage);
    book.apply(&mut row).unwrap();
    assert_eq!((row.unit_price, row.amount), (Some(decimal("3.51")), None));
    assert_eq!((row.currency.as_deref(), row.list_price), (Some("EUR"), Some(4.into())));
    assert_eq!((row.sku_discount_percent, row.price_list_discount_percent), (Some(10.into()), Some(decimal("2.5"))));
    assert_eq!((row.price_source.as_deref(), row.price_list_code.as_deref()), (Some(OPERATION), Some("EU-1")));
}

#[test]
fn another_sku_another_month_and_two_months_have_no_price() {
    let book = book(json!([list("2026-10", "EUR", json!([price("S-1", "3.51")]))]));
    for (sku, period) in [("S-9", "2026-10"), ("S-1", "2026-09"), ("S-1", "2026-10-01/2026-12-01")] {
        let mut row = row(sku, period, "2", BillingReason::Usage);
        let before = row.clone();
        book.apply(&mut row).unwrap();
        assert_eq!(row, before, "{sku} {period}");
    }
}

#[test]
fn contradicting_price_lists_give_no_price_and_equal_ones_do() {
    let lists = |other: Value| json!([list("2026-10", "EUR", json!([price("S-1", "3.51")])), other]);
    for (other, expected) in [
        (list("2026-10", "EUR", json!([price("S-1", "3.510")])), Some(decimal("3.51"))),
        (list("2026-10", "EUR", json!([price("S-1", "3.52")])), None),
        (list("2026-10", "USD", json!([price("S-1", "3.51")])), None),
    ] {
        let mut row = row("S-1", "2026-10", "2", BillingReason::Usage);
        book(lists(other.clone())).apply(&mut row).unwrap();
        assert_eq!(row.unit_price, expected, "{other}");
    }
    for (first, second) in [("3.51", "on request"), ("on request", "3.51")] {
        let mut row = row("S-1", "2026-10", "2", BillingReason::Usage);
        let prices = json!([price("S-1", first), price("S-1", second)]);
        book(json!([list("2026-10", "EUR", prices)])).apply(&mut row).unwrap();
        assert_eq!(row.unit_price, None, "which of the two is charged, nothing states: {first}");
    }
    // A third list does not restore the price.
    let third = json!([list("2026-10", "EUR", json!([price("S-1", "1"), price("S-1", "2"), price("S-1", "2")]))]);
    let mut row = row("S-1", "2026-10", "2", BillingReason::Usage);
    book(third).apply(&mut row).unwrap();
    assert_eq!(row.unit_price, None);
}

#[test]
fn unreadable_prices_hide_no_others() {
    for unreadable in [json!(""), json!("on request"), json!({}), Value::Null] {
        let odd = json!({"sku": "S-1", "effective_price": unreadable, "list_price": "4"});
        let book = book(json!([list("2026-10", "EUR", json!([odd, price("S-2", "1")]))]));
        let priced = |sku| {
            let mut row = row(sku, "2026-10", "2", BillingReason::Usage);
            book.apply(&mut row).unwrap();
            row.unit_price
        };
        assert_eq!((priced("S-1"), priced("S-2")), (None, Some(1.into())), "{unreadable}");
    }
}

#[test]
fn a_cost_in_another_currency_is_dropped_with_it() {
    let book = book(json!([list("2026-10", "EUR", json!([price("S-1", "3.51")]))]));
    for (currency, cost) in [("EUR", Some(6.into())), ("USD", None)] {
        let mut row = row("S-1", "2026-10", "2", BillingReason::Usage);
        let source = Some("download_stored_report".to_owned());
        (row.currency, row.cost, row.cost_source) = (Some(currency.to_owned()), Some(6.into()), source.clone());
        book.apply(&mut row).unwrap();
        assert_eq!((row.currency.as_deref(), row.cost), (Some("EUR"), cost), "{currency}");
        assert_eq!((row.price_source.as_deref(), row.cost_source), (Some(OPERATION), cost.and(source)), "{currency}");
    }
}

#[test]
fn price_that_does_not_fit_is_an_error_that_names_its_row() {
    const TOO_LARGE: &str = "100000000000000000000000000";
    let largest = "99999999999999999999999999";
    let with = |sku, field: &str, value: &str| {
        let mut price = price(sku, "1");
        price[field] = json!(value);
        price
    };
    let book_with = |prices: Value| book(json!([list("2026-10", "EUR", prices)]));
    let apply = |book: &PriceBook, sku| {
        let mut row = UsageRow { source_row: Some(7), ..row(sku, "2026-10", "1", BillingReason::Usage) };
        book.apply(&mut row).map(|()| (row.unit_price, row.list_price, row.sku_discount_percent))
    };
    let others = book_with(json!([
        with("S-1", "effective_price", TOO_LARGE),
        with("S-2", "effective_price", largest),
        with("S-4", "effective_price", "-3.5"),
        with("S-5", "sku_discount", TOO_LARGE),
    ]));
    let ten = Some(10.into());
    assert_eq!(apply(&others, "S-2").unwrap(), (Some(decimal(largest)), Some(4.into()), ten));
    assert_eq!(apply(&others, "S-4").unwrap(), (Some(decimal("-3.5")), Some(4.into()), ten));
    assert_eq!(apply(&others, "S-5").unwrap().2, Some(decimal(TOO_LARGE)), "DECIMAL(38,9) has more digits");
    assert_eq!(apply(&others, "S-9").unwrap(), (None, None, None));
    let error = apply(&others, "S-1").unwrap_err();
    let expected = format!(
        "row 7 of the report: the effective_price {TOO_LARGE} of S-1 in the price list EU-1 of 2026-10 does not fit DECIMAL(38,12)"
    );
    assert_eq!((error.kind(), error.message()), (ErrorKind::Decode, expected.as_str()));
    let error = apply(&book_with(json!([with("S-3", "list_price", "-1e26")])), "S-3").unwrap_err();
    assert!(error.message().starts_with("row 7 of the report: the list_price -1"), "{error}");
    // Whatever other lists have, in any order.
    for other in [price("S-1", "2"), with("S-1", "effective_price", "on request"), with("S-1", "list_price", TOO_LARGE)]
    {
        let one = with("S-1", "effective_price", TOO_LARGE);
        for prices in [json!([one, other]), json!([other, one])] {
            assert!(apply(&book_with(prices.clone()), "S-1").is_err(), "{prices}");
        }
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn unusable_price_logs_a_warning_that_names_it() {
    // Whether an event is recorded is cached for the whole process: without a global subscriber, a test on another thread can switch it off.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    let warned = |prices: Value| {
        let lines = Lines::default();
        let sink = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || sink.clone()).with_ansi(false).finish();
        tracing::subscriber::with_default(subscriber, || book(json!([list("2026-10", "EUR", prices)])));
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    };
    let lines = warned(json!([price("S-1", "on request")]));
    for named in ["WARN", "EU-1", "S-1", "2026-10", "effective_price is not a decimal number: on request"] {
        assert!(lines.contains(named), "{named}: {lines}");
    }
    let lines = warned(json!([price("S-1", "1"), price("S-1", "2")]));
    assert!(lines.contains("another price list has another price"), "{lines}");
    assert_eq!(warned(json!([price("S-1", "1"), price("S-2", "2")])), "");
}

#[test]
fn unusable_price_error_states_the_reason() {
    let reason = |change: &dyn Fn(&mut Value)| {
        let mut list = list("2026-10", "EUR", json!([price("S-1", "3.51")]));
        change(&mut list);
        let list = serde_json::from_value(list).unwrap();
        match SkuPrice::new(&list, &list.prices[0]).unwrap_err() {
            PriceProblem::Unknown(reason) => reason,
            fits => panic!("{fits:?}"),
        }
    };
    for (value, expected) in [
        (Value::Null, "effective_price is missing"),
        (json!(" "), "effective_price is missing"),
        (json!("on request"), "effective_price is not a decimal number: on request"),
    ] {
        assert_eq!(reason(&|list| list["prices"][0]["effective_price"] = value.clone()), expected, "{value}");
    }
    assert_eq!(reason(&|list| list["currency"] = json!(" ")), "the price list has no currency");
}
