//! Prices that the user states.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::ValueEnum;
use usage_billing::{Decimal, UsageRow, printable};

use crate::accounts::Vendor;
use crate::commands::usage::names::normalized;
use crate::commands::usage::sheet::Sheet;
use crate::exit::Failure;
use crate::suggestion::did_you_mean;

/// By how much a period may exceed the days of its price: vendors' periods begin at midnight of other time zones.
const OVERHANG: TimeDelta = TimeDelta::days(1);

/// With the point.
const MAX_DIGITS: usize = 29;

const COLUMNS: [&str; 9] =
    ["vendor", "sku", "metric", "unit", "currency", "unit_price", "prepaid_unit_price", "valid_from", "valid_to"];
const REQUIRED: [&str; 4] = ["vendor", "unit", "currency", "unit_price"];

/// A price for the charges of some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Price {
    /// SKU or metric.
    name: String,
    unit: String,
    pub(super) currency: String,
    pub(super) unit_price: Decimal,
    /// Of a unit that is paid for whether it is used or not.
    pub(super) prepaid_unit_price: Option<Decimal>,
    first_day: NaiveDate,
    last_day: NaiveDate,
    pub(super) line: usize,
}

/// Prices by vendor and SKU or metric.
#[derive(Debug, Default)]
pub(super) struct PriceBook(HashMap<(String, Item), Vec<Price>>);

/// The subject of a price in [`plain`] spelling: a line in another spelling is not used, but named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Item {
    Sku(String),
    Metric(String),
}

/// The cells of a line by column.
struct Line<'a> {
    headers: &'a [String],
    cells: &'a [String],
}

impl Line<'_> {
    /// Returns a cell; an empty one if there is no such column.
    fn cell(&self, column: &str) -> &str {
        self.headers.iter().position(|header| header == column).map_or("", |index| &self.cells[index])
    }

    /// Reads a cell unless it is empty.
    fn optional<T>(&self, column: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
        Some(self.cell(column)).filter(|cell| !cell.is_empty()).map(read).transpose()
    }
}

fn price(text: &str) -> Result<Decimal, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && text.len() <= MAX_DIGITS;
    let parsed = is_plain.then(|| text.parse().ok()).flatten();
    parsed.ok_or_else(|| format!("`{text}` is not a price: expected at most 28 digits with a point, such as 0.05"))
}

fn day(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| format!("`{text}` is not a day: expected one such as 2026-10-01"))
}

impl PriceBook {
    /// Reads a book.
    ///
    /// # Errors
    /// One line that names the file, the line of it and the reason.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let sheet = Sheet::read("the price book", path, None)?;
        Self::parse(&sheet)
            .map_err(|reason| Failure::Usage(format!("the price book `{}`, {}", sheet.name, printable(&reason))))
    }

    fn parse(sheet: &Sheet) -> Result<Self, String> {
        let headers: Vec<_> = sheet.headers.iter().map(|header| header.to_lowercase()).collect();
        for (header, index) in headers.iter().zip(0..) {
            if !COLUMNS.contains(&&**header) {
                return Err(format!("header: unknown column `{header}`: {}", did_you_mean(header, COLUMNS)));
            }
            if headers[..index].contains(header) {
                return Err(format!("header: the column `{header}` is there twice"));
            }
        }
        if let Some(missing) = REQUIRED.iter().find(|column| !headers.iter().any(|header| header == *column)) {
            return Err(format!("header: the column `{missing}` is missing"));
        }
        let mut book = Self::default();
        for (number, cells) in &sheet.lines {
            let line = Line { headers: &headers, cells };
            book.add(&line, *number).map_err(|reason| format!("line {number}: {reason}"))?;
        }
        Ok(book)
    }

    fn add(&mut self, line: &Line<'_>, number: usize) -> Result<(), String> {
        let (cells, headers) = (line.cells.len(), line.headers.len());
        if cells != headers {
            return Err(format!(
                "it has {cells} cells and the header {headers}: put a cell that contains the separator in quotation marks"
            ));
        }
        let (name, item) = match (line.cell("sku"), line.cell("metric")) {
            ("", "") => return Err("expected a sku or a metric".to_owned()),
            (sku, "") => (sku, Item::Sku(plain(sku))),
            ("", metric) => (metric, Item::Metric(plain(metric))),
            _ => return Err("expected a sku or a metric, not both".to_owned()),
        };
        let vendor = Vendor::from_str(line.cell("vendor"), true).map_err(|_| {
            let names = Vendor::value_variants().iter().map(|vendor| vendor.name());
            format!("`{}` is not a vendor: {}", line.cell("vendor"), did_you_mean(line.cell("vendor"), names))
        })?;
        let currency = line.cell("currency");
        if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
            return Err(format!("`{currency}` is not a currency: expected three letters of ISO 4217, such as EUR"));
        }
        if line.cell("unit").is_empty() {
            return Err("expected a unit, as rows have it".to_owned());
        }
        let unit_price = line.optional("unit_price", price)?;
        let price = Price {
            name: name.to_owned(),
            unit: line.cell("unit").to_owned(),
            currency: currency.to_owned(),
            unit_price: unit_price.ok_or("expected a unit_price; 0 if the item is free of charge")?,
            prepaid_unit_price: line.optional("prepaid_unit_price", price)?,
            first_day: line.optional("valid_from", day)?.unwrap_or(NaiveDate::MIN),
            last_day: line.optional("valid_to", day)?.unwrap_or(NaiveDate::MAX),
            line: number,
        };
        if price.first_day > price.last_day {
            return Err("valid_to is before valid_from".to_owned());
        }
        let prices = self.0.entry((vendor.name().to_owned(), item)).or_default();
        let overlaps = |other: &&Price| {
            (&other.name, &other.unit, &other.currency) == (&price.name, &price.unit, &price.currency)
                && other.first_day <= price.last_day
                && price.first_day <= other.last_day
        };
        if let Some(other) = prices.iter().find(overlaps) {
            return Err(format!("another price of the same days is in line {}", other.line));
        }
        prices.push(price);
        Ok(())
    }

    /// Returns the price of a row: that of its SKU, or else that of its metric. If a line of the SKU does not apply, the metric's price is not
    /// that of the SKU.
    ///
    /// # Errors
    /// If there is none, the nearest line with the reason why it does not apply, if there is one. If there are several, which ones.
    pub(super) fn price(&self, row: &UsageRow) -> Result<&Price, Option<String>> {
        let item = |item: fn(String) -> Item, name: &str| (row.vendor.to_string(), item(plain(name)));
        let of_sku = self.0.get(&item(Item::Sku, &row.sku)).map(|prices| (prices, &row.sku));
        let of_item = of_sku.or_else(|| Some((self.0.get(&item(Item::Metric, &row.metric))?, &row.metric)));
        let (prices, name) = of_item.ok_or(None)?;
        // The days of lines in one currency are distinct, so that most of a period is in those of one line.
        let mut matching = prices.iter().filter(|price| price.mismatches(row, name) == [false; 4]);
        match (matching.next(), matching.next()) {
            (Some(price), None) => Ok(price),
            (Some(price), Some(other)) => Err(Some(format!(
                "line {} is in {} and line {} in {}, and the row states no currency",
                price.line, price.currency, other.line, other.currency
            ))),
            (None, _) => {
                let nearest = prices.iter().min_by_key(|price| price.mismatches(row, name));
                Err(nearest.map(|price| price.difference(row, name)))
            }
        }
    }
}

/// Returns a name without the differences of spellings: in case, blanks and the kinds of dashes.
fn plain(name: &str) -> String {
    let is_dash = |sign| matches!(sign, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}');
    normalized(name).replace(is_dash, "-")
}

impl Price {
    /// Returns whether the price is of another name, unit or currency, and not of the days of a row: the row cannot be divided.
    fn mismatches(&self, row: &UsageRow, name: &str) -> [bool; 4] {
        let is_of_other_currency = row.currency.as_ref().is_some_and(|currency| *currency != self.currency);
        let overhang = self.overhang(row);
        let has_days = overhang < OVERHANG && overhang * 2 < row.period_end - row.period_start;
        [self.name != name, self.unit != row.unit, is_of_other_currency, !has_days]
    }

    /// Returns how much of the period of a row is not in the days of the price.
    fn overhang(&self, row: &UsageRow) -> TimeDelta {
        let before = midnight(self.first_day) - row.period_start;
        let after = self.last_day.succ_opt().map_or(TimeDelta::zero(), |day| row.period_end - midnight(day));
        [before, after].into_iter().map(|overhang| overhang.max(TimeDelta::zero())).sum()
    }

    /// Returns why the price is not that of a row.
    fn difference(&self, row: &UsageRow, name: &str) -> String {
        let [is_of_other_name, is_of_other_unit, is_of_other_currency, is_of_other_days] = self.mismatches(row, name);
        let mut line = format!("line {} is", self.line);
        let mut add = |condition: bool, part: String| {
            if condition {
                _ = write!(line, "{} {part}", if line.ends_with(" is") { "" } else { "," });
            }
        };
        add(is_of_other_name, format!("of {} (other spelling)", printable(&self.name)));
        add(is_of_other_unit, format!("in the unit {}", printable(&self.unit)));
        let of_row = row.currency.as_deref().unwrap_or_default();
        add(is_of_other_currency, format!("in {} and the row in {}", self.currency, printable(of_row)));
        let limit = |word: &str, day: NaiveDate, none: NaiveDate| match day == none {
            true => String::new(),
            false => format!(" {word} {day}"),
        };
        let days = [limit("from", self.first_day, NaiveDate::MIN), limit("to", self.last_day, NaiveDate::MAX)].concat();
        add(is_of_other_days, format!("valid only{days}"));
        line
    }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::formats::tests::row;

    const HEADER: &str = "vendor,sku,metric,unit,currency,unit_price,valid_from,valid_to\n";

    fn parse(lines: &str) -> Result<PriceBook, String> {
        book(&format!("{HEADER}{lines}"))
    }

    pub(in super::super) fn book(text: &str) -> Result<PriceBook, String> {
        let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        PriceBook::read(file.path()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn separator_is_that_of_the_file() {
        let book = book("\u{feff}Vendor;SKU;Unit;Currency;Unit_Price\r\nacronis;STO;GiB;EUR;0.05\r\n").unwrap();
        assert_eq!(book.price(&row("1")).unwrap().unit_price.to_string(), "0.05");
    }

    #[test]
    fn price_of_the_sku_comes_before_that_of_the_metric() {
        let book = parse("acronis,,pw_base_storage,GiB,EUR,0.07,,\nAcronis,STO,,GiB,EUR,0.05,,\n").unwrap();
        let mut row = row("1");
        assert_eq!(book.price(&row).unwrap().unit_price.to_string(), "0.05");
        row.sku = "other".to_owned();
        assert_eq!(book.price(&row).unwrap().unit_price.to_string(), "0.07");
        row.metric = "other".to_owned();
        assert_eq!(book.price(&row), Err(None));
    }

    #[test]
    fn price_is_the_one_that_is_valid_in_the_whole_period() {
        let book = parse("acronis,STO,,GiB,EUR,0.05,,2026-09-30\nacronis,STO,,GiB,EUR,0.06,2026-10-01,\n").unwrap();
        assert_eq!(book.price(&row("1")).unwrap().unit_price.to_string(), "0.06");
        let book =
            parse("acronis,STO,,GiB,EUR,0.05,,\nacronis,STO,,units,EUR,3,,\nacronis,sto,,GiB,EUR,7,,\n").unwrap();
        assert_eq!(book.price(&row("1")).unwrap().unit_price.to_string(), "0.05");
    }

    #[test]
    fn line_of_the_sku_that_does_not_apply_is_named_and_the_metric_has_no_price() {
        for (line, expected) in [
            ("STO,,GiB,EUR,1,2025-01-01,2025-12-31", "line 3 is valid only from 2025-01-01 to 2025-12-31"),
            ("STO,,GiB,EUR,1,,2026-10-30", "line 3 is valid only to 2026-10-30"),
            ("STO,,GiB,EUR,1,2026-10-02,", "line 3 is valid only from 2026-10-02"),
            ("STO,,gib,EUR,1,,", "line 3 is in the unit gib"),
            ("sto,,GiB,EUR,1,,", "line 3 is of sto (other spelling)"),
            ("STO,,GiB,USD,1,,", "line 3 is in USD and the row in EUR"),
            (
                "sto,,units,EUR,1,,2026-10-30",
                "line 3 is of sto (other spelling), in the unit units, valid only to 2026-10-30",
            ),
            // The nearest of several.
            ("sto,,units,EUR,1,,\nacronis,STO,,TiB,EUR,1,,", "line 4 is in the unit TiB"),
        ] {
            let book = parse(&format!("acronis,,pw_base_storage,GiB,EUR,0.07,,\nacronis,{line}\n")).unwrap();
            assert_eq!(book.price(&row("1")), Err(Some(expected.to_owned())));
        }
        for (line, expected) in [
            (",Pw_Base_Storage,GiB,EUR,1,,", "line 2 is of Pw_Base_Storage (other spelling)"),
            (",pw_base_storage,units,EUR,1,,", "line 2 is in the unit units"),
        ] {
            assert_eq!(parse(&format!("acronis,{line}\n")).unwrap().price(&row("1")), Err(Some(expected.to_owned())));
        }
    }

    #[test]
    fn sku_with_the_same_letters_is_another_one_and_a_kind_of_dash_is_a_spelling() {
        let metric = "acronis,,pw_base_storage,GiB,EUR,0.07,,\n";
        let mut row = row("1");
        row.sku = "GC-1-11".to_owned();
        for other in ["GC-11-1", "GC111", "GC-1 11"] {
            let book = parse(&format!("{metric}acronis,{other},,GiB,EUR,5,,\n")).unwrap();
            assert_eq!(book.price(&row).unwrap().unit_price.to_string(), "0.07", "{other}");
        }
        for spelling in ["gc-1-11", "GC\u{2011}1\u{2013}11", "GC\u{2212}1-11"] {
            let book = parse(&format!("{metric}acronis,{spelling},,GiB,EUR,5,,\n")).unwrap();
            let reason = book.price(&row).unwrap_err().unwrap();
            assert!(reason.ends_with("(other spelling)"), "{spelling}: {reason}");
        }
        row.sku = "GC 1".to_owned();
        let book = parse(&format!("{metric}acronis,gc  1,,GiB,EUR,5,,\n")).unwrap();
        assert!(book.price(&row).unwrap_err().unwrap().ends_with("(other spelling)"));
    }

    #[test]
    fn price_is_that_of_the_days_that_contain_the_period_but_for_hours() {
        let mut row = row("1");
        let book = parse("acronis,STO,,GiB,EUR,1,,2026-10-31\nacronis,STO,,GiB,EUR,2,2026-11-01,\n").unwrap();
        for (start, end, expected) in [
            ("2026-10-01T04:00:00Z", "2026-11-01T04:00:00Z", Some("1")),
            ("2026-10-31T14:00:00Z", "2026-11-30T14:00:00Z", Some("2")),
            ("2026-10-02T00:00:00Z", "2026-11-02T00:00:00Z", None),
            ("2026-10-31T00:00:00Z", "2026-12-01T00:00:00Z", None),
            // Days of another time zone.
            ("2026-10-31T04:00:00Z", "2026-11-01T04:00:00Z", Some("1")),
            ("2026-10-31T20:00:00Z", "2026-11-01T20:00:00Z", Some("2")),
            ("2026-10-31T12:00:00Z", "2026-11-01T12:00:00Z", None),
        ] {
            (row.period_start, row.period_end) = (start.parse().unwrap(), end.parse().unwrap());
            let price = book.price(&row).ok().map(|price| price.unit_price.to_string());
            assert_eq!(price.as_deref(), expected, "{start}");
        }
        let between = parse("acronis,STO,,GiB,EUR,1,2026-10-02,2026-10-30\n").unwrap();
        (row.period_start, row.period_end) =
            ("2026-10-01T14:00:00Z".parse().unwrap(), "2026-10-31T14:00:00Z".parse().unwrap());
        let reason = between.price(&row).unwrap_err().unwrap();
        assert_eq!(reason, "line 2 is valid only from 2026-10-02 to 2026-10-30", "24 hours in all");
    }

    #[test]
    fn price_is_in_the_currency_of_the_row_or_the_only_one() {
        let book =
            parse("acronis,STO,,GiB,EUR,1,,\nacronis,STO,,GiB,USD,2,,\nacronis,STO,,GiB,CHF,3,,2026-09-30\n").unwrap();
        let mut row = row("1");
        let mut price = |currency: Option<&str>| {
            row.currency = currency.map(str::to_owned);
            book.price(&row).map(|price| price.unit_price.to_string())
        };
        assert_eq!(price(Some("EUR")), Ok("1".to_owned()));
        assert_eq!(price(Some("USD")), Ok("2".to_owned()));
        assert_eq!(price(Some("CHF")), Err(Some("line 4 is valid only to 2026-09-30".to_owned())));
        let reason = "line 2 is in EUR and line 3 in USD, and the row states no currency";
        assert_eq!(price(None), Err(Some(reason.to_owned())));
        let book = parse("acronis,STO,,GiB,USD,2,,\nacronis,STO,,GiB,CHF,3,,2026-09-30\n").unwrap();
        row.currency = None;
        assert_eq!(book.price(&row).unwrap().unit_price.to_string(), "2");
    }

    #[test]
    fn invalid_lines_are_named_with_the_reason() {
        for (lines, expected) in [
            ("acronis,STO,m,GiB,EUR,1,,\n", "line 2: expected a sku or a metric, not both"),
            ("acronis,,,GiB,EUR,1,,\n", "line 2: expected a sku or a metric"),
            (
                "acronis,STO,,GiB,EUR,1,,\nacronis,STO,,GiB,EUR,\"1,5\",,\n",
                "line 3: `1,5` is not a price: expected at most 28 digits with a point, such as 0.05",
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
                "acronis,STO,,GiB,EUR,1,,\nacronis,STO,,GiB,EUR,1,2026-10-01,\n",
                "line 3: another price of the same days is in line 2",
            ),
            ("acronis,STO,,GiB,EUR,1,October,\n", "line 2: `October` is not a day: expected one such as 2026-10-01"),
            ("acronis,STO\n", "line 2: it has 2 cells and the header 8"),
            ("acronis,STO,,GiB,EUR,1,5,,\n", "line 2: it has 9 cells and the header 8: put a cell"),
            ("acronis,STO,,GiB,EUR,,,\n", "line 2: expected a unit_price; 0 if the item is free of charge"),
            ("acronsi,STO,,GiB,EUR,1,,\n", "line 2: `acronsi` is not a vendor: did you mean `acronis`?"),
            (",STO,,GiB,EUR,1,,\n", "line 2: `` is not a vendor: expected one of acronis, genesys, suger"),
        ] {
            let error = parse(lines).unwrap_err();
            assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
        }
        for (header, expected) in [
            ("vendor,sku,unit,currency,unitprise", "header: unknown column `unitprise`: did you mean `unit_price`?"),
            ("vendor,sku,unit,currency", "header: the column `unit_price` is missing"),
            ("vendor,sku,unit,SKU", "header: the column `sku` is there twice"),
        ] {
            let error = book(&format!("{header}\n")).unwrap_err();
            assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
        }
    }
}
