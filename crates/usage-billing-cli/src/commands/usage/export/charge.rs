//! The charges of a row: quantity, price and cost, exactly.

use bigdecimal::{BigDecimal, RoundingMode, Zero as _};
use usage_billing::{Decimal, UsageRow, Vendor};

use super::price_book::{Price, PriceBook};

/// Why something is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A quantity that is paid for whether it is used or not.
    Purchase,
    Usage,
}

/// One line of a bill. A product of two decimals has more digits than a `Decimal` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Charge {
    pub(super) kind: Kind,
    pub(super) quantity: Decimal,
    /// The price whose product with the quantity is exactly `cost`; `None` if the vendor states the cost alone, or rounds it.
    pub(super) unit_price: Option<Decimal>,
    pub(super) list_unit_price: Option<Decimal>,
    pub(super) cost: BigDecimal,
    pub(super) list_cost: BigDecimal,
    /// Of usage, with what was paid for it beforehand; of the purchase, nothing. Their sum is that of the costs.
    pub(super) effective_cost: BigDecimal,
    pub(super) currency: String,
    /// The vendor's operation, or `price book`.
    pub(super) price_source: String,
}

impl Charge {
    /// Returns a quantity at a price.
    fn at_price(kind: Kind, quantity: Decimal, price: Decimal, currency: &str, source: &str) -> Self {
        let charge = Self::of_cost(kind, quantity, product(quantity, price), currency, source);
        Self { unit_price: Some(price), ..charge }
    }

    /// Returns a quantity whose cost alone is known.
    fn of_cost(kind: Kind, quantity: Decimal, cost: BigDecimal, currency: &str, source: &str) -> Self {
        Self {
            kind,
            quantity,
            unit_price: None,
            list_unit_price: None,
            list_cost: cost.clone(),
            cost,
            effective_cost: BigDecimal::zero(),
            currency: currency.to_owned(),
            price_source: source.to_owned(),
        }
    }
}

/// Why the charges of a row are not known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// There is no price, for this reason.
    Price(String),
    /// A part is free or prepaid, and no source states how much of the quantity is charged.
    Quantity,
}

/// Returns the charges of a billable row.
///
/// # Errors
/// What is not known of them.
pub(super) fn of_row(row: &UsageRow, book: &PriceBook) -> Result<Vec<Charge>, Unknown> {
    let stated = stated(row);
    if stated.is_none() && !is_quantity_known(row) {
        return Err(Unknown::Quantity);
    }
    let charges = match (stated, &row.currency) {
        (Some((amount, source)), Some(currency)) => Ok(of_vendor(row, amount, currency, source)),
        _ => match (book.price(row), stated) {
            (Ok(price), Some((amount, source))) => Ok(of_vendor(row, amount, &price.currency, source)),
            (Ok(price), None) => of_book(row, price),
            (Err(Some(line)), _) => Err(line),
            (Err(None), _) if prepaid_quantity(row).is_some() => {
                Err("no line; it needs a prepaid_unit_price".to_owned())
            }
            (Err(None), _) => Err("no line".to_owned()),
        },
    };
    let mut charges = charges.map_err(Unknown::Price)?;
    // The usage is the last one.
    if let Some((usage, purchases)) = charges.split_last_mut() {
        usage.effective_cost = purchases.iter().fold(usage.cost.clone(), |sum, purchase| sum + &purchase.cost);
    }
    Ok(charges)
}

/// Returns whether the vendor states the charge of a row, or how much of its quantity is charged.
fn is_quantity_known(row: &UsageRow) -> bool {
    let has_free_part = prepaid_quantity(row).is_some() || row.included_quantity.is_some_and(|free| !free.is_zero());
    charge(row).is_some() || row.overage_quantity.is_some() || !has_free_part
}

/// Returns what the vendor charges for the row, if that is known, and the operation that states it.
fn stated(row: &UsageRow) -> Option<(Decimal, &str)> {
    let operation = &row.source_operation;
    if let Some(amount) = row.amount {
        return Some((amount, row.price_source.as_ref().or(row.cost_source.as_ref()).unwrap_or(operation)));
    }
    let cost = charge(row).filter(|_| prepaid_quantity(row).is_none())?;
    let amount = cost.checked_add(row.prepaid_amount.unwrap_or_default())?;
    Some((amount, row.cost_source.as_ref().unwrap_or(operation)))
}

/// Returns the vendor's own charge for what is not prepaid: Genesys states it as `cost`. (Acronis' `cost` is what the partner charges its customer.)
fn charge(row: &UsageRow) -> Option<Decimal> {
    row.cost.filter(|_| row.vendor == Vendor::Genesys)
}

/// Returns the charge at the vendor's prices: what is paid for beforehand, and the rest.
fn of_vendor(row: &UsageRow, amount: Decimal, currency: &str, source: &str) -> Vec<Charge> {
    let prepaid = row.prepaid_amount.unwrap_or_default();
    let charge = |kind, quantity, price: Option<Decimal>, cost: BigDecimal| {
        // A price is stated only if it explains the cost.
        let at_price = price.map(|price| Charge::at_price(kind, quantity, price, currency, source));
        let explains = |charge: &Charge| charge.cost.with_scale_round(COST_PLACES, RoundingMode::HalfEven) == cost;
        at_price.filter(explains).unwrap_or_else(|| Charge::of_cost(kind, quantity, cost, currency, source))
    };
    let mut charges = Vec::new();
    if !prepaid.is_zero() {
        let quantity = row.prepaid_quantity.unwrap_or(Decimal::ONE);
        charges.push(charge(Kind::Purchase, quantity, row.prepaid_price, big(prepaid)));
    }
    let quantity = row.overage_quantity.unwrap_or(row.quantity);
    let mut usage = charge(Kind::Usage, quantity, row.unit_price, big(amount) - big(prepaid));
    if let Some(price) = row.list_price {
        (usage.list_unit_price, usage.list_cost) = (Some(price), product(quantity, price));
    }
    charges.push(usage);
    charges
}

/// Returns the charges at the prices of the user's book. What is paid for beforehand has a price of its own there. The vendor's own charge for the rest takes
/// precedence over the book.
fn of_book(row: &UsageRow, price: &Price) -> Result<Vec<Charge>, String> {
    let at_price =
        |kind, quantity, unit_price| Charge::at_price(kind, quantity, unit_price, &price.currency, "price book");
    let mut charges = Vec::new();
    if let Some(prepaid) = prepaid_quantity(row) {
        let unit_price =
            price.prepaid_unit_price.ok_or_else(|| format!("line {} has no prepaid_unit_price", price.line))?;
        charges.push(at_price(Kind::Purchase, prepaid, unit_price));
    }
    let quantity = row.overage_quantity.unwrap_or(row.quantity);
    charges.push(match charge(row) {
        Some(cost) => {
            let source = row.cost_source.as_ref().unwrap_or(&row.source_operation);
            Charge::of_cost(Kind::Usage, quantity, big(cost), &price.currency, source)
        }
        None => at_price(Kind::Usage, quantity, price.unit_price),
    });
    Ok(charges)
}

/// Returns whether the vendor states the charge of a row, and not what is prepaid. A prepaid quantity of 0 does not state it: contracts without a
/// commitment have it too, and the amount is known wherever the bill agrees.
pub(super) fn lacks_prepaid_amount(row: &UsageRow) -> bool {
    let is_of_charge_alone = row.amount.is_none() && charge(row).is_some();
    is_of_charge_alone && row.prepaid_amount.is_none() && prepaid_quantity(row).is_none()
}

/// Returns what is paid for beforehand, if anything is.
fn prepaid_quantity(row: &UsageRow) -> Option<Decimal> {
    row.prepaid_quantity.filter(|quantity| !quantity.is_zero())
}

/// Places of amounts of rows.
const COST_PLACES: i64 = 9;

/// Returns the same number as one of any length.
fn big(decimal: Decimal) -> BigDecimal {
    BigDecimal::new(decimal.mantissa().into(), decimal.scale().into())
}

/// Returns the exact product. `Decimal` rounds what does not fit.
fn product(quantity: Decimal, price: Decimal) -> BigDecimal {
    big(quantity) * big(price)
}

#[cfg(test)]
mod tests {
    use super::super::price_book::tests::book;
    use super::*;
    use crate::formats::tests::row;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn some(text: &str) -> Option<Decimal> {
        Some(decimal(text))
    }

    fn genesys() -> UsageRow {
        let mut row = row("120");
        row.vendor = usage_billing::Vendor::Genesys;
        row.prepaid_quantity = some("100");
        row.prepaid_price = some("110");
        row.prepaid_amount = some("11000");
        row.overage_quantity = some("20");
        row.unit_price = some("132");
        row.amount = some("13640");
        row.price_source = Some("get_overview".to_owned());
        row
    }

    fn charges(row: &UsageRow, book: &PriceBook) -> Vec<(Kind, String, Option<String>, String)> {
        let charges = of_row(row, book).unwrap().into_iter();
        let text = |decimal: Decimal| decimal.to_string();
        let cost = |charge: &Charge| charge.cost.normalized().to_plain_string();
        charges.map(|it| (it.kind, text(it.quantity), it.unit_price.map(text), cost(&it))).collect()
    }

    fn unpriced(row: &UsageRow, book: &PriceBook) -> String {
        match of_row(row, book).unwrap_err() {
            Unknown::Price(reason) => reason,
            Unknown::Quantity => "quantity".to_owned(),
        }
    }

    fn line(kind: Kind, quantity: &str, price: Option<&str>, cost: &str) -> (Kind, String, Option<String>, String) {
        (kind, quantity.to_owned(), price.map(str::to_owned), cost.to_owned())
    }

    #[test]
    fn prepaid_quantity_is_a_purchase_and_overage_is_usage() {
        let expected =
            [line(Kind::Purchase, "100", Some("110"), "11000"), line(Kind::Usage, "20", Some("132"), "2640")];
        assert_eq!(charges(&genesys(), &PriceBook::default()), expected);
    }

    #[test]
    fn effective_cost_of_usage_contains_the_prepayment() {
        let charges = of_row(&genesys(), &PriceBook::default()).unwrap();
        let costs: Vec<_> = charges.iter().map(|charge| charge.effective_cost.to_string()).collect();
        assert_eq!(costs, ["0", "13640"]);
    }

    #[test]
    fn price_that_does_not_explain_the_vendors_amount_is_not_stated() {
        let mut row = genesys();
        row.amount = some("13640.01");
        let expected = [line(Kind::Purchase, "100", Some("110"), "11000"), line(Kind::Usage, "20", None, "2640.01")];
        assert_eq!(charges(&row, &PriceBook::default()), expected);
    }

    #[test]
    fn rounded_amount_of_a_row_becomes_the_exact_product() {
        let mut row = row("62742.674123456");
        row.unit_price = some("0.0012345678");
        row.amount = some("77.460085159");
        row.price_source = Some("get".to_owned());
        let expected = [line(Kind::Usage, "62742.674123456", Some("0.0012345678"), "77.4600851587120023168")];
        assert_eq!(charges(&row, &PriceBook::default()), expected);
    }

    #[test]
    fn row_without_amount_needs_a_line_of_the_price_book() {
        let row = row("984.309221111");
        assert_eq!(unpriced(&row, &PriceBook::default()), "no line");
        let book = book("vendor,sku,unit,currency,unit_price\nacronis,STO,GiB,EUR,0.05\n").unwrap();
        assert_eq!(charges(&row, &book), [line(Kind::Usage, "984.309221111", Some("0.05"), "49.21546105555")]);
    }

    #[test]
    fn price_book_without_a_prepaid_price_is_rejected() {
        let mut row = genesys();
        row.amount = None;
        let book = |prices: &str| {
            let header = "vendor,sku,unit,currency,unit_price,prepaid_unit_price";
            book(&format!("{header}\ngenesys,STO,GiB,EUR,{prices}\n")).unwrap()
        };
        assert_eq!(unpriced(&row, &PriceBook::default()), "no line; it needs a prepaid_unit_price");
        assert_eq!(unpriced(&row, &book("90,")), "line 2 has no prepaid_unit_price");
        let expected = [line(Kind::Purchase, "100", Some("75"), "7500"), line(Kind::Usage, "20", Some("90"), "1800")];
        assert_eq!(charges(&row, &book("90,75")), expected);
    }

    #[test]
    fn charge_of_the_vendor_precedes_the_price_book() {
        let mut row = genesys();
        (row.amount, row.prepaid_amount, row.cost) = (None, None, some("1188"));
        let book = |currency: &str| {
            let header = "vendor,sku,unit,currency,unit_price,prepaid_unit_price";
            book(&format!("{header}\ngenesys,STO,GiB,{currency},90,75\n")).unwrap()
        };
        let expected = [line(Kind::Purchase, "100", Some("75"), "7500"), line(Kind::Usage, "20", None, "1188")];
        assert_eq!(charges(&row, &book("EUR")), expected);
        assert_eq!(unpriced(&row, &book("USD")), "line 2 is in USD and the row in EUR");
        // Without it, how much of the quantity is charged is not known, whatever the price.
        (row.cost, row.overage_quantity) = (None, None);
        for book in [book("EUR"), book("USD"), PriceBook::default()] {
            assert_eq!(of_row(&row, &book), Err(Unknown::Quantity));
        }
        (row.prepaid_quantity, row.included_quantity) = (None, some("7"));
        assert_eq!(of_row(&row, &book("EUR")), Err(Unknown::Quantity));
    }

    #[test]
    fn charge_that_the_vendor_states_needs_no_price_if_nothing_is_prepaid() {
        for prepaid in [some("0"), None] {
            let mut row = genesys();
            (row.prepaid_quantity, row.prepaid_price, row.prepaid_amount) = (prepaid, None, None);
            (row.amount, row.cost, row.cost_source) = (None, some("2640"), Some("get_period".to_owned()));
            let of_row = |row: &UsageRow| of_row(row, &PriceBook::default());
            assert_eq!(charges(&row, &PriceBook::default()), [line(Kind::Usage, "20", Some("132"), "2640")]);
            assert_eq!(of_row(&row).unwrap()[0].price_source, "get_period");
            // Without an operation of prices, and with one charge of another price.
            (row.amount, row.price_source, row.unit_price) = (some("7"), None, None);
            assert_eq!(charges(&row, &PriceBook::default()), [line(Kind::Usage, "20", None, "7")]);
            assert_eq!(of_row(&row).unwrap()[0].price_source, "get_period");
            // What the partner charges its customer.
            (row.vendor, row.amount) = (usage_billing::Vendor::Acronis, None);
            assert_eq!(unpriced(&row, &PriceBook::default()), "no line");
        }
    }

    #[test]
    fn charge_alone_lacks_what_is_prepaid_unless_a_source_states_its_amount() {
        let mut row = genesys();
        (row.amount, row.prepaid_amount, row.cost) = (None, None, some("19.62"));
        for (quantity, amount, expected) in [
            (None, None, true),
            (some("0"), None, true),
            (some("100"), None, false),
            (some("0"), some("0"), false),
            (None, some("500"), false),
        ] {
            (row.prepaid_quantity, row.prepaid_amount) = (quantity, amount);
            assert_eq!(lacks_prepaid_amount(&row), expected, "{quantity:?} {amount:?}");
        }
        // What is prepaid is added to the charge.
        let expected = [line(Kind::Purchase, "1", None, "500"), line(Kind::Usage, "20", None, "19.62")];
        assert_eq!(charges(&row, &PriceBook::default()), expected);
        row.amount = some("519.62");
        assert!(!lacks_prepaid_amount(&row));
    }

    #[test]
    fn amount_without_currency_is_in_that_of_the_price_book() {
        let mut row = genesys();
        row.currency = None;
        assert_eq!(unpriced(&row, &PriceBook::default()), "no line; it needs a prepaid_unit_price");
        let header = "vendor,sku,unit,currency,unit_price,prepaid_unit_price";
        let book = book(&format!("{header}\ngenesys,STO,GiB,CHF,1,1\n")).unwrap();
        let expected =
            [line(Kind::Purchase, "100", Some("110"), "11000"), line(Kind::Usage, "20", Some("132"), "2640")];
        assert_eq!(charges(&row, &book), expected);
        assert!(of_row(&row, &book).unwrap().iter().all(|charge| charge.currency == "CHF"));
    }

    #[test]
    fn product_of_more_than_28_digits_is_exact() {
        let mut row = row("12345678901234567.123456789");
        let book = book("vendor,sku,unit,currency,unit_price\nacronis,STO,GiB,EUR,0.123456789012\n").unwrap();
        let cost = "1524157875319615.939681756555672002468";
        assert_eq!(
            charges(&row, &book),
            [line(Kind::Usage, "12345678901234567.123456789", Some("0.123456789012"), cost)]
        );
        row.unit_price = some("0.123456789012");
        row.amount = some("1524157875319615.939681757");
        row.price_source = Some("get".to_owned());
        assert_eq!(charges(&row, &book)[0].3, cost);
    }
}
