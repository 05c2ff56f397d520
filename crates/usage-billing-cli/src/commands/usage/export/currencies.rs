//! The currencies of the charges of accounts.

use std::collections::BTreeMap;

use usage_billing::{UsageRow, Vendor, printable};

use crate::exit::Failure;

/// Currencies of the charges of an account and month: for each one, whether a row states it. The others are those of a price book.
#[derive(Debug, Default)]
pub(super) struct Currencies(BTreeMap<(Vendor, String, String), BTreeMap<String, bool>>);

impl Currencies {
    /// Adds the currency of a charge.
    pub(super) fn add(&mut self, row: &UsageRow, currency: &str) {
        let month = row.period_start.format("%Y-%m").to_string();
        let currencies = self.0.entry((row.vendor, row.account_id.clone(), month)).or_default();
        *currencies.entry(currency.to_owned()).or_default() |= row.currency.is_some();
    }

    /// # Errors
    /// If a price book adds a currency to those of an account and month. The vendor may charge an account in several ones.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let is_mixed = |currencies: &BTreeMap<String, bool>| {
            currencies.len() > 1 && currencies.values().any(|is_stated| !is_stated)
        };
        let Some(((vendor, account, month), currencies)) = self.0.iter().find(|(_, currencies)| is_mixed(currencies))
        else {
            return Ok(());
        };
        let all: Vec<_> = currencies.keys().map(|currency| printable(currency).to_string()).collect();
        Err(Failure::Check(format!(
            "{vendor}: the charges of account {} in {month} are in {}, and rows without a currency have that of the price book: use one currency there",
            printable(account),
            all.join(" and ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::row;

    #[test]
    fn first_account_of_several_is_named() {
        let mut currencies = Currencies::default();
        for account in (0..20).rev() {
            let mut row = row("1");
            (row.currency, row.account_id) = (None, format!("t-{account:02}"));
            ["EUR", "USD"].into_iter().for_each(|currency| currencies.add(&row, currency));
        }
        let line = currencies.check().unwrap_err().to_string();
        assert!(line.starts_with("acronis: the charges of account t-00 in 2026-10 are in EUR and USD"), "{line}");
    }

    fn check(rows: &[(Option<&str>, &str)]) -> Result<(), String> {
        let mut currencies = Currencies::default();
        for (of_row, currency) in rows {
            let mut row = row("1");
            row.currency = of_row.map(str::to_owned);
            currencies.add(&row, currency);
        }
        currencies.check().map_err(|failure| failure.to_string())
    }

    #[test]
    fn price_book_adds_no_currency_to_those_of_an_account_and_month() {
        let (eur, usd) = ((Some("EUR"), "EUR"), (Some("USD"), "USD"));
        for accepted in
            [&[eur, eur, (None, "EUR")][..], &[eur, usd], &[(None, "EUR"), (None, "EUR")], &[(None, "EUR"), eur, usd]]
        {
            assert_eq!(check(accepted), Ok(()), "{accepted:?}");
        }
        for rejected in [&[eur, (None, "USD")][..], &[(None, "USD"), eur], &[(None, "EUR"), (None, "USD")]] {
            let line = check(rejected).unwrap_err();
            assert!(
                line.starts_with("acronis: the charges of account t-0 in 2026-10 are in EUR and USD, and rows"),
                "{line}"
            );
        }
    }
}
