//! A row of a `csv_v2_0` report, read by column names.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::NaiveDate;
use csv_async::StringRecord;
use usage_billing_core::{Decimal, DecimalNumber, Error, ErrorKind, Result};

/// Usage of one thing by one tenant, in the vendor's terms and raw units.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportRow {
    /// The tenant.
    pub tenant_id: String,
    /// Its present name, also for the past.
    pub tenant_name: String,
    /// `customer`, `partner`, `folder` or `unit`.
    pub tenant_kind: String,
    /// The partner's own id of it.
    pub customer_id: Option<String>,
    /// The service: `backup`, `files_cloud`, `platform` and others.
    pub application: String,
    /// The thing that is counted, with its edition's prefix: `pw_base_storage`.
    pub name: String,
    /// Edition, where the service has editions and the file is not older than they.
    pub edition: Option<String>,
    /// SKU, if asked for and the partner is entitled to them.
    pub sku: Option<String>,
    /// Storage or recovery component.
    pub infra_id: Option<String>,
    /// Cloud of the component: `acronis`, `google`, `azure`.
    pub infra_backend: Option<String>,
    /// Last day of the period in summaries, else the day.
    pub date: NaiveDate,
    /// Whether usage is a sum over the period; else it is a level.
    pub is_range: bool,
    /// `bytes`, `seconds`, or nothing for counts.
    pub measurement_unit: Option<String>,
    /// Level at the period's end.
    pub absolute: Amounts,
    /// Change over the period; may be negative.
    pub delta: Amounts,
    /// What is billed: absolute or delta, as fits. Files of 2020 and before lack it.
    pub effective: Option<Amounts>,
    /// Soft quota in the measurement unit; `None` for unlimited.
    pub quota: Option<Decimal>,
    /// The price, where the partner keeps prices in the platform.
    pub price: Option<Price>,
    /// Columns that are not listed here, by name.
    pub other: BTreeMap<String, String>,
}

/// The same usage by mode of the tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Amounts {
    /// Of paying use.
    pub production: Decimal,
    /// Of trial use.
    pub trial: Decimal,
    /// Both.
    pub total: Decimal,
}

/// What the platform says a row costs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Price {
    /// ISO 4217.
    pub currency: String,
    /// Per unit.
    pub unit: Option<Decimal>,
    /// Inferred: unit price times usage.
    pub total: Option<Decimal>,
}

/// Names of the columns of a file. Their order and number differ between files; only names say what they are.
#[derive(Debug)]
pub(super) struct Columns(Vec<String>);

/// Columns without which usage cannot be billed.
const NEEDED: [&str; 13] = [
    "tenant.id",
    "tenant.kind",
    "application.name",
    "name",
    "date",
    "is_range",
    "measurement_unit",
    "usage.absolute.production",
    "usage.absolute.trial",
    "usage.absolute.total",
    "usage.delta.production",
    "usage.delta.trial",
    "usage.delta.total",
];

impl Columns {
    /// # Errors
    /// [`ErrorKind::Decode`], naming all columns that are missing.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let names: Vec<_> = names.into_iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        let missing: Vec<_> = NEEDED.into_iter().filter(|needed| !names.iter().any(|name| name == needed)).collect();
        if missing.is_empty() {
            return Ok(Self(names));
        }
        Err(Error::new(
            ErrorKind::Decode,
            format!("the report lacks the columns {}: is it csv_v2_0?", missing.join(", ")),
        ))
    }

    /// # Errors
    /// [`ErrorKind::Decode`] with line and column.
    pub(super) fn row(&self, record: &StringRecord) -> Result<ReportRow> {
        let mut cells = Cells {
            line: record.position().map_or(0, csv_async::Position::line),
            left: self.0.iter().map(String::as_str).zip(record).collect(),
        };
        let has_effective = cells.left.contains_key("usage.effective.total");
        let (unit, total) = (cells.decimal("pricing.price")?, cells.decimal("pricing.total_cost")?);
        Ok(ReportRow {
            tenant_id: cells.text("tenant.id"),
            tenant_name: cells.text("tenant.name"),
            tenant_kind: cells.text("tenant.kind"),
            customer_id: cells.filled("tenant.customer_id"),
            application: cells.text("application.name"),
            name: cells.text("name"),
            edition: cells.filled("edition"),
            sku: cells.filled("sku"),
            infra_id: cells.filled("infra.id"),
            infra_backend: cells.filled("infra.backend_type"),
            date: cells.read("date")?,
            is_range: cells.flag("is_range")?,
            measurement_unit: cells.filled("measurement_unit"),
            absolute: cells.amounts("absolute")?,
            delta: cells.amounts("delta")?,
            effective: if has_effective { Some(cells.amounts("effective")?) } else { None },
            quota: cells.decimal("quota.value")?,
            price: cells.filled("pricing.currency").map(|currency| Price { currency, unit, total }),
            other: cells.left.into_iter().map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect(),
        })
    }
}

/// The cells of a row that are not read yet.
struct Cells<'a> {
    line: u64,
    left: BTreeMap<&'a str, &'a str>,
}

impl Cells<'_> {
    fn text(&mut self, column: &str) -> String {
        self.left.remove(column).unwrap_or_default().to_owned()
    }

    fn filled(&mut self, column: &str) -> Option<String> {
        Some(self.text(column)).filter(|cell| !cell.is_empty())
    }

    fn read<T: FromStr>(&mut self, column: &str) -> Result<T> {
        let cell = self.text(column);
        cell.parse().map_err(|_| self.unreadable(column, &cell))
    }

    fn decimal(&mut self, column: &str) -> Result<Option<Decimal>> {
        match self.filled(column) {
            Some(cell) => match cell.parse::<DecimalNumber>() {
                Ok(number) => Ok(Some(number.into())),
                Err(_) => Err(self.unreadable(column, &cell)),
            },
            None => Ok(None),
        }
    }

    /// As Python prints it.
    fn flag(&mut self, column: &str) -> Result<bool> {
        match self.text(column).as_str() {
            "True" | "true" => Ok(true),
            "False" | "false" => Ok(false),
            other => Err(self.unreadable(column, other)),
        }
    }

    fn amounts(&mut self, family: &str) -> Result<Amounts> {
        let mut amount = |mode: &str| self.read::<DecimalNumber>(&format!("usage.{family}.{mode}")).map(Decimal::from);
        Ok(Amounts { production: amount("production")?, trial: amount("trial")?, total: amount("total")? })
    }

    fn unreadable(&self, column: &str, cell: &str) -> Error {
        let message = format!("line {} of the report: {column} is `{cell}`, which cannot be read", self.line);
        Error::new(ErrorKind::Decode, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cells: &[(&str, &str)]) -> Result<ReportRow> {
        let columns = Columns::new(cells.iter().map(|(name, _)| *name))?;
        columns.row(&StringRecord::from(cells.iter().map(|(_, cell)| *cell).collect::<Vec<_>>()))
    }

    fn cells() -> Vec<(&'static str, &'static str)> {
        let mut cells: Vec<_> = NEEDED.into_iter().map(|name| (name, "7")).collect();
        cells.retain(|(name, _)| !matches!(*name, "date" | "is_range" | "measurement_unit"));
        cells.extend([("is_range", "False"), ("date", "2026-10-31"), ("measurement_unit", "")]);
        cells
    }

    #[test]
    fn columns_are_found_by_name_in_any_order_and_unknown_ones_are_kept() {
        let mut cells = cells();
        cells.reverse();
        cells.extend([("tenant.name", "Birch, \"Inc.\""), ("sku.family", "STO")]);
        let row = record(&cells).unwrap();
        assert_eq!((row.tenant_name.as_str(), row.absolute.total), ("Birch, \"Inc.\"", Decimal::from(7)));
        assert_eq!(row.other, BTreeMap::from([("sku.family".to_owned(), "STO".to_owned())]));
        assert_eq!((row.effective, row.sku, row.measurement_unit), (None, None, None));
    }

    #[test]
    fn all_missing_columns_are_named_at_once() {
        let mut cells = cells();
        cells.retain(|(name, _)| !matches!(*name, "tenant.id" | "usage.delta.total"));
        let error = record(&cells).unwrap_err().to_string();
        assert_eq!(error, "the report lacks the columns tenant.id, usage.delta.total: is it csv_v2_0?");
    }

    #[test]
    fn a_cell_that_cannot_be_read_is_told_with_its_place() {
        let mut cells = cells();
        for wrong in ["many", ""] {
            cells[5].1 = wrong;
            let error = record(&cells).unwrap_err().to_string();
            assert!(error.ends_with(&format!("usage.absolute.trial is `{wrong}`, which cannot be read")), "{error}");
        }
    }
}
