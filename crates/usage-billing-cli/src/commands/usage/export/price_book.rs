//! Prices that the user states.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use chrono::NaiveDate;
use serde::Deserialize;
use usage_billing::{Decimal, UsageRow, printable};

use crate::exit::Failure;

/// Larger files are not price books.
const MAX_BYTES: u64 = 64 << 20;

/// With the point.
const MAX_DIGITS: usize = 29;

/// A line of the book.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    vendor: String,
    #[serde(default)]
    sku: String,
    #[serde(default)]
    metric: String,
    unit: String,
    currency: String,
    unit_price: String,
    #[serde(default)]
    prepaid_unit_price: String,
    #[serde(default)]
    valid_from: Option<NaiveDate>,
    #[serde(default)]
    valid_to: Option<NaiveDate>,
}

/// A price for the charges of some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Price {
    pub(super) currency: String,
    pub(super) unit_price: Decimal,
    /// Of a unit that is paid for whether it is used or not.
    pub(super) prepaid_unit_price: Option<Decimal>,
    first_day: NaiveDate,
    last_day: NaiveDate,
    pub(super) line: u64,
}

/// Prices by vendor, SKU or metric, and unit.
#[derive(Debug, Default)]
pub(super) struct PriceBook(HashMap<(String, Item, String), Vec<Price>>);

/// What a price is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Item {
    Sku(String),
    Metric(String),
}

impl PriceBook {
    /// Reads a book.
    ///
    /// # Errors
    /// One line that names the file, the line of it and the reason.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let failure = |reason: String| {
            let name = path.to_string_lossy();
            Failure::Usage(format!("the price book `{}` cannot be read: {}", printable(&name), printable(&reason)))
        };
        let mut text = Vec::new();
        let file = File::open(path).map_err(|error| failure(error.to_string()))?;
        file.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(|error| failure(error.to_string()))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(failure(format!("it is larger than {} MiB", MAX_BYTES >> 20)));
        }
        Self::parse(text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text)).map_err(failure)
    }

    /// Parses a book.
    ///
    /// # Errors
    /// The line and the reason.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut book = Self::default();
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
        let headers = reader.headers().map_err(|error| error.to_string())?.clone();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| error.to_string())? {
            let number = record.position().map_or(0, csv::Position::line);
            let line = record.deserialize(Some(&headers)).map_err(|error| match error.kind() {
                csv::ErrorKind::Deserialize { err, .. } => format!("line {number}: {}", err.kind()),
                _ => format!("line {number}: {error}"),
            })?;
            book.add(line, number).map_err(|reason| format!("line {number}: {reason}"))?;
        }
        Ok(book)
    }

    fn add(&mut self, line: Line, number: u64) -> Result<(), String> {
        let item = match (line.sku.is_empty(), line.metric.is_empty()) {
            (false, true) => Item::Sku(line.sku),
            (true, false) => Item::Metric(line.metric),
            (true, true) => return Err("expected a sku or a metric".to_owned()),
            (false, false) => return Err("expected a sku or a metric, not both".to_owned()),
        };
        if line.currency.len() != 3 || !line.currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
            return Err(format!(
                "`{}` is not a currency: expected three letters of ISO 4217, such as EUR",
                line.currency
            ));
        }
        if line.unit.is_empty() {
            return Err("expected a unit, as rows have it".to_owned());
        }
        let price = |text: &str| {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && text.len() <= MAX_DIGITS;
            let parsed = is_plain.then(|| text.parse::<Decimal>().ok()).flatten();
            parsed.ok_or_else(|| format!("`{text}` is not a price: expected at most 28 digits such as 0.05"))
        };
        let prepaid = Some(&line.prepaid_unit_price).filter(|text| !text.is_empty());
        let price = Price {
            currency: line.currency,
            unit_price: price(&line.unit_price)?,
            prepaid_unit_price: prepaid.map(|text| price(text)).transpose()?,
            first_day: line.valid_from.unwrap_or(NaiveDate::MIN),
            last_day: line.valid_to.unwrap_or(NaiveDate::MAX),
            line: number,
        };
        if price.first_day > price.last_day {
            return Err("valid_to is before valid_from".to_owned());
        }
        let prices = self.0.entry((line.vendor.to_lowercase(), item, line.unit)).or_default();
        let overlaps = |other: &&Price| other.first_day <= price.last_day && price.first_day <= other.last_day;
        if let Some(other) = prices.iter().find(overlaps) {
            return Err(format!("another price of the same days is in line {}", other.line));
        }
        prices.push(price);
        Ok(())
    }

    /// Returns the price of a row: that of its SKU, or else that of its metric.
    ///
    /// # Errors
    /// If the price changes within the period of the row.
    pub(super) fn price(&self, row: &UsageRow) -> Result<Option<&Price>, Failure> {
        let last = (row.period_end - chrono::TimeDelta::nanoseconds(1)).date_naive();
        let first = row.period_start.date_naive();
        for item in [Item::Sku(row.sku.clone()), Item::Metric(row.metric.clone())] {
            let prices = self.0.get(&(row.vendor.to_string(), item, row.unit.clone()));
            let Some(price) = prices.into_iter().flatten().find(|it| it.first_day <= last && first <= it.last_day)
            else {
                continue;
            };
            if first < price.first_day || price.last_day < last {
                return Err(Failure::Check(format!(
                    "the price of `{}` in line {} of the price book is not valid on every day from {first} to {last}: the row {} cannot be divided",
                    printable(&row.sku),
                    price.line,
                    row.row_key
                )));
            }
            return Ok(Some(price));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::row;

    const HEADER: &str = "vendor,sku,metric,unit,currency,unit_price,valid_from,valid_to\n";

    fn parse(lines: &str) -> Result<PriceBook, String> {
        PriceBook::parse(format!("{HEADER}{lines}").as_bytes())
    }

    #[test]
    fn price_of_the_sku_comes_before_that_of_the_metric() {
        let book = parse("acronis,,pw_base_storage,GiB,EUR,0.07,,\nAcronis,STO,,GiB,EUR,0.05,,\n").unwrap();
        let mut row = row("1");
        assert_eq!(book.price(&row).unwrap().unwrap().unit_price.to_string(), "0.05");
        row.sku = "other".to_owned();
        assert_eq!(book.price(&row).unwrap().unwrap().unit_price.to_string(), "0.07");
        row.unit = "TiB".to_owned();
        assert_eq!(book.price(&row).unwrap(), None);
    }

    #[test]
    fn price_is_the_one_that_is_valid_in_the_whole_period() {
        let book = parse("acronis,STO,,GiB,EUR,0.05,,2026-09-30\nacronis,STO,,GiB,EUR,0.06,2026-10-01,\n").unwrap();
        assert_eq!(book.price(&row("1")).unwrap().unwrap().unit_price.to_string(), "0.06");
        let book = parse("acronis,STO,,GiB,EUR,0.05,,2026-10-15\n").unwrap();
        let error = book.price(&row("1")).unwrap_err().to_string();
        assert!(
            error.contains("line 2 of the price book is not valid on every day from 2026-10-01 to 2026-10-31"),
            "{error}"
        );
    }

    #[test]
    fn invalid_lines_are_named_with_the_reason() {
        for (lines, expected) in [
            ("acronis,STO,m,GiB,EUR,1,,\n", "line 2: expected a sku or a metric, not both"),
            ("acronis,,,GiB,EUR,1,,\n", "line 2: expected a sku or a metric"),
            (
                "acronis,STO,,GiB,EUR,1,,\nacronis,STO,,GiB,EUR,\"1,5\",,\n",
                "line 3: `1,5` is not a price: expected at most 28 digits such as 0.05",
            ),
            (
                "acronis,STO,,GiB,eur,1,,\n",
                "line 2: `eur` is not a currency: expected three letters of ISO 4217, such as EUR",
            ),
            ("acronis,STO,,GiB,EUR,-1,,\n", "line 2: `-1` is not a price"),
            ("acronis,STO,,GiB,EUR,1_000,,\n", "line 2: `1_000` is not a price"),
            ("acronis,STO,,,EUR,1,,\n", "line 2: expected a unit, as rows have it"),
            ("acronis,STO,,GiB,EUR,1,2026-10-02,2026-10-01\n", "line 2: valid_to is before valid_from"),
            (
                "acronis,STO,,GiB,EUR,1,,\nacronis,STO,,GiB,USD,1,2026-10-01,\n",
                "line 3: another price of the same days is in line 2",
            ),
            ("acronis,STO,,GiB,EUR,1,October,\n", "line 2: "),
            ("acronis,STO\n", "record 1"),
        ] {
            let error = parse(lines).unwrap_err();
            assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
        }
        let error = PriceBook::parse(b"vendor,sku,unit,currency,price\nacronis,STO,GiB,EUR,1\n").unwrap_err();
        assert!(error.contains("unknown field `price`"), "{error}");
    }
}
