//! The columns of a report's file, found by their names.

use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use usage_billing_core::{Decimal, DecimalNumber, Error, ErrorKind, Result, printable};

use crate::acronis::report_file::record::Record;
use crate::acronis::report_file::row::{Amounts, Price, ReportRow};

/// The index of each column in a record. Order and number of columns differ between files, so columns are identified by name.
#[derive(Debug)]
pub(crate) struct Columns {
    tenant_id: usize,
    tenant_name: Option<usize>,
    tenant_kind: usize,
    customer_id: Option<usize>,
    application: usize,
    application_id: Option<usize>,
    name: usize,
    edition: Option<usize>,
    sku: Option<usize>,
    infra_id: Option<usize>,
    infra_name: Option<usize>,
    infra_owner_id: Option<usize>,
    infra_backend: Option<usize>,
    date: Option<usize>,
    is_range: Option<usize>,
    measurement_unit: usize,
    absolute: [usize; 3],
    delta: [usize; 3],
    effective: Option<[usize; 3]>,
    quota: Option<usize>,
    pricing_mode: Option<usize>,
    currency: Option<usize>,
    unit_price: Option<usize>,
    total_cost: Option<usize>,
    other: Vec<usize>,
    /// Shared with the rows.
    names: Vec<Arc<str>>,
}

/// The rows for which columns are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// All rows of a file: each has all columns.
    Table,
    /// One object: it may omit what it does not have.
    Object,
}

impl Columns {
    /// Finds the columns in a header.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`], with all missing columns that billing requires, or with a duplicate column.
    pub(crate) fn new(header: Record<'_>, shape: Shape) -> Result<Self> {
        let names: Vec<Arc<str>> =
            header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().into()).collect();
        let mut resolver = ColumnResolver { left: (0..names.len()).collect(), names: &names, missing: Vec::new() };
        let mut columns = Self {
            tenant_id: resolver.required("tenant.id"),
            tenant_name: resolver.find("tenant.name"),
            tenant_kind: resolver.required("tenant.kind"),
            customer_id: resolver.find("tenant.customer_id"),
            application: resolver.required_or_id("application.name", "application.id"),
            application_id: resolver.find("application.id"),
            name: resolver.required("name"),
            edition: resolver.find("edition"),
            sku: resolver.find("sku"),
            infra_id: resolver.find("infra.id"),
            infra_name: resolver.find("infra.name"),
            infra_owner_id: resolver.find("infra.owner_id"),
            infra_backend: resolver.find("infra.backend_type"),
            date: resolver.find("date"),
            is_range: resolver.find("is_range"),
            // Without it, bytes would be billed as units.
            measurement_unit: resolver.required("measurement_unit"),
            absolute: MODES.map(|mode| resolver.required(&format!("usage.absolute.{mode}"))),
            delta: MODES.map(|mode| resolver.required(&format!("usage.delta.{mode}"))),
            effective: None,
            quota: resolver.find("quota.value"),
            pricing_mode: resolver.find("pricing.mode"),
            currency: resolver.find("pricing.currency"),
            unit_price: resolver.find("pricing.price"),
            total_cost: resolver.find("pricing.total_cost"),
            other: Vec::new(),
            names: Vec::new(),
        };
        // All of them or none.
        if names.iter().any(|name| name.starts_with("usage.effective.")) {
            columns.effective = Some(MODES.map(|mode| resolver.required(&format!("usage.effective.{mode}"))));
        } else if columns.is_range.is_none() {
            // Without both, the change of a period would be billed by the level.
            columns.is_range = Some(resolver.required("is_range"));
        }
        // Without them, storage of the partner would be billed as the vendor's. A row of JSON has them only if it is of a component.
        if shape == Shape::Table {
            columns.infra_id = columns.infra_id.or_else(|| Some(resolver.required("infra.id")));
            columns.infra_owner_id = columns.infra_owner_id.or_else(|| Some(resolver.required("infra.owner_id")));
        }
        let ColumnResolver { left, missing, .. } = resolver;
        let mut seen = HashSet::new();
        let twice = names.iter().find(|name| !seen.insert(&***name));
        let wrong = match (missing.is_empty(), twice) {
            (true, None) => return Ok(Self { other: left, names, ..columns }),
            (false, _) => format!("the report lacks {}: is it csv_v2_0 or json_v2_0?", missing.join(", ")),
            (true, Some(name)) => {
                format!("the report has the column {} twice: no source states which one counts", printable(name))
            }
        };
        Err(Error::new(ErrorKind::Decode, wrong))
    }

    /// Returns whether a row states its component or that it has none: a null or empty `infra`.
    pub(crate) fn state_component(&self, row: &ReportRow) -> bool {
        let is_none = || row.other.get("infra").is_some_and(String::is_empty);
        self.infra_id.is_some() || self.infra_owner_id.is_some() || is_none()
    }

    /// Returns the number of columns, including unknown ones.
    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    /// Reads a row.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] with row and column.
    pub(crate) fn row(&self, number: u64, record: Record<'_>) -> Result<ReportRow> {
        let mut row = ReportRow::default();
        self.fill(&mut row, number, record)?;
        Ok(row)
    }

    /// Overwrites `row` and reuses the memory of its strings. After an error, the row is a mixture of both.
    ///
    /// # Errors
    /// As [`row`](Self::row).
    pub(crate) fn fill(&self, row: &mut ReportRow, number: u64, record: Record<'_>) -> Result<()> {
        let cells = Cells { columns: self, number, record };
        let (unit, total) = (cells.decimal(self.unit_price)?, cells.decimal(self.total_cost)?);
        row.number = number;
        set(&mut row.tenant_id, cells.required(self.tenant_id)?);
        set(&mut row.tenant_name, cells.optional(self.tenant_name).unwrap_or_default());
        set(&mut row.tenant_kind, cells.cell(self.tenant_kind));
        set_option(&mut row.customer_id, cells.optional(self.customer_id));
        let application_id = cells.optional(self.application_id);
        match cells.optional(Some(self.application)).or(application_id) {
            Some(application) => set(&mut row.application, application),
            None => set(&mut row.application, cells.required(self.application)?),
        }
        set_option(&mut row.application_id, application_id);
        set(&mut row.name, cells.required(self.name)?);
        set_option(&mut row.edition, cells.optional(self.edition));
        set_option(&mut row.sku, cells.optional(self.sku));
        set_option(&mut row.infra_id, cells.optional(self.infra_id));
        set_option(&mut row.infra_name, cells.optional(self.infra_name));
        set_option(&mut row.infra_owner_id, cells.optional(self.infra_owner_id));
        set_option(&mut row.infra_backend, cells.optional(self.infra_backend));
        row.date = self.date.map(|at| cells.read(at)).transpose()?;
        row.is_range = self.is_range.map(|at| cells.boolean(at)).transpose()?.unwrap_or_default();
        set_option(&mut row.measurement_unit, cells.optional(Some(self.measurement_unit)));
        row.absolute = cells.amounts(self.absolute)?;
        row.delta = cells.amounts(self.delta)?;
        row.effective = self.effective.map(|places| cells.amounts(places)).transpose()?;
        row.quota = cells.decimal(self.quota)?;
        set_option(&mut row.pricing_mode, cells.optional(self.pricing_mode));
        row.price = cells.optional(self.currency).map(|currency| Price { currency: currency.to_owned(), unit, total });
        self.fill_other(&mut row.other, &cells);
        Ok(())
    }

    fn fill_other(&self, other: &mut BTreeMap<Arc<str>, String>, cells: &Cells<'_>) {
        for at in &self.other {
            let (name, cell) = (&self.names[*at], cells.cell(*at));
            match other.get_mut(name) {
                Some(text) => set(text, cell),
                None => _ = other.insert(name.clone(), cell.to_owned()),
            }
        }
        // Columns of another file.
        if other.len() > self.other.len() {
            other.retain(|name, _| self.other.iter().any(|at| self.names[*at] == *name));
        }
    }
}

fn set(text: &mut String, cell: &str) {
    text.clear();
    text.push_str(cell);
}

fn set_option(text: &mut Option<String>, cell: Option<&str>) {
    match (text, cell) {
        (Some(text), Some(cell)) => set(text, cell),
        (text, cell) => *text = cell.map(str::to_owned),
    }
}

/// In the order of the fields of [`Amounts`].
const MODES: [&str; 3] = ["production", "trial", "total"];

/// The columns that are not resolved yet, and the names of missing ones.
struct ColumnResolver<'a> {
    names: &'a [Arc<str>],
    left: Vec<usize>,
    missing: Vec<String>,
}

impl ColumnResolver<'_> {
    fn find(&mut self, name: &str) -> Option<usize> {
        let found = self.left.iter().position(|at| &*self.names[*at] == name)?;
        Some(self.left.remove(found))
    }

    /// Returns a required column, or that of an id in its place, which stays unresolved: it is also a column of its own.
    fn required_or_id(&mut self, name: &str, id: &str) -> usize {
        self.find(name)
            .or_else(|| self.names.iter().position(|other| &**other == id))
            .unwrap_or_else(|| self.required(name))
    }

    /// Returns index 0 for a missing column, which is reported before a row is read.
    fn required(&mut self, name: &str) -> usize {
        self.find(name).unwrap_or_else(|| {
            self.missing.push(name.to_owned());
            0
        })
    }
}

/// The cells of a row.
struct Cells<'a> {
    columns: &'a Columns,
    number: u64,
    record: Record<'a>,
}

impl<'a> Cells<'a> {
    fn cell(&self, at: usize) -> &'a str {
        let cell = self.record.get(at).unwrap_or_default();
        // `trim` is slow for cells without whitespace, which are the rule.
        let is_text = |end: Option<&u8>| end.is_none_or(u8::is_ascii_graphic);
        let (first, last) = (cell.as_bytes().first(), cell.as_bytes().last());
        if is_text(first) && is_text(last) { cell } else { cell.trim() }
    }

    fn optional(&self, at: Option<usize>) -> Option<&'a str> {
        at.map(|at| self.cell(at)).filter(|cell| !cell.is_empty())
    }

    /// Reads a cell that identifies the usage, and rejects an empty one.
    fn required(&self, at: usize) -> Result<&'a str> {
        self.optional(Some(at)).ok_or_else(|| self.unreadable(at))
    }

    fn read<T: FromStr>(&self, at: usize) -> Result<T> {
        self.cell(at).parse().map_err(|_| self.unreadable(at))
    }

    fn decimal(&self, at: Option<usize>) -> Result<Option<Decimal>> {
        let filled = at.filter(|at| !self.cell(*at).is_empty());
        filled.map(|at| self.read::<DecimalNumber>(at).map(Decimal::from)).transpose()
    }

    /// Reads a boolean in the spelling of Python or JSON.
    fn boolean(&self, at: usize) -> Result<bool> {
        match self.cell(at) {
            "True" | "true" => Ok(true),
            "False" | "false" => Ok(false),
            _ => Err(self.unreadable(at)),
        }
    }

    fn amounts(&self, [production, trial, total]: [usize; 3]) -> Result<Amounts> {
        let amount = |at| self.read::<DecimalNumber>(at).map(Decimal::from);
        Ok(Amounts { production: amount(production)?, trial: amount(trial)?, total: amount(total)? })
    }

    fn unreadable(&self, at: usize) -> Error {
        let column = self.columns.names.get(at).map_or("?", |name| name);
        let message = match self.cell(at) {
            "" => format!("row {} of the report: {} is empty", self.number, printable(column)),
            cell => format!(
                "row {} of the report: {} is `{}`, which cannot be read",
                self.number,
                printable(column),
                printable(cell)
            ),
        };
        Error::new(ErrorKind::Decode, message)
    }
}

#[cfg(test)]
mod tests;
