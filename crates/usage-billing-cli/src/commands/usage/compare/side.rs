//! One side of a comparison: rows by their identity.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use usage_billing::{Decimal, Period, UsageRow};

use crate::commands::usage::fetch::PeriodArgument;
use crate::commands::usage::show::read_distinct;
use crate::exit::Failure;

/// The identity of a row across periods: its identity columns without the period, and whether it is billable, as billable rows are never
/// added to others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) vendor: String,
    pub(super) account: String,
    pub(super) customer: Option<String>,
    pub(super) sku: String,
    pub(super) metric: String,
    pub(super) unit: String,
    pub(super) is_billable: Option<bool>,
    /// Service, edition, grouping, mode, host, report kind and level, operation.
    others: [Option<String>; 8],
}

impl Identity {
    fn from_row(row: &UsageRow) -> Self {
        let text = |value: &dyn std::fmt::Display| value.to_string();
        Self {
            vendor: row.vendor.to_string(),
            account: row.account_id.clone(),
            customer: row.customer_id.clone(),
            sku: row.sku.clone(),
            metric: row.metric.clone(),
            unit: row.unit.clone(),
            is_billable: row.is_billable,
            others: [
                row.service.clone(),
                row.edition.clone(),
                row.vendor_grouping.clone(),
                row.usage_mode.as_ref().map(|mode| text(mode)),
                row.storage_host.as_ref().map(|host| text(host)),
                row.report_kind.clone(),
                row.report_level.clone(),
                Some(row.source_operation.clone()),
            ],
        }
    }
}

/// Sums of the rows of one identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) customer_name: Option<String>,
    pub(super) quantity: Decimal,
    /// By currency; `None` if a row has no amount.
    pub(super) amounts: BTreeMap<String, Option<Decimal>>,
}

impl Values {
    fn add(&mut self, row: &UsageRow) -> Option<()> {
        self.customer_name = row.customer_name.clone().or(self.customer_name.take());
        self.quantity = self.quantity.checked_add(row.quantity)?;
        if let Some(currency) = &row.currency {
            let sum = self.amounts.entry(currency.clone()).or_insert(Some(Decimal::ZERO));
            *sum = match (*sum, row.amount) {
                (Some(sum), Some(amount)) => Some(sum.checked_add(amount)?),
                _ => None,
            };
        }
        Some(())
    }

    /// Returns the currency and the amount, if there is one currency and the amount of every row is known.
    pub(super) fn money(&self) -> Option<(&str, Decimal)> {
        let mut amounts = self.amounts.iter();
        match (amounts.next(), amounts.next()) {
            (Some((currency, Some(amount))), None) => Some((currency, *amount)),
            _ => None,
        }
    }
}

/// The rows of one side.
#[derive(Debug, Default)]
pub(super) struct Side(pub(super) BTreeMap<Identity, Values>);

impl Side {
    /// Reads the rows of a file or data set that begin within a period, or all of them.
    ///
    /// # Errors
    /// If there are none.
    pub(super) fn read(path: &Path, period: Option<PeriodArgument>) -> Result<Self, Failure> {
        let period = period.map(PeriodArgument::fixed).transpose()?;
        let mut side = Self::default();
        read_distinct(&[PathBuf::from(path)], |row| {
            if period.is_none_or(|period: Period| period.contains(row.period_start)) { side.add(&row) } else { Ok(()) }
        })?;
        if side.0.is_empty() {
            let suffix = period.map(|period| format!(" of {period}")).unwrap_or_default();
            return Err(Failure::Usage(format!(
                "`{}` has no rows{suffix}: there is nothing to compare",
                path.display()
            )));
        }
        Ok(side)
    }

    pub(super) fn add(&mut self, row: &UsageRow) -> Result<(), Failure> {
        let added = self.0.entry(Identity::from_row(row)).or_default().add(row);
        added.ok_or_else(|| Failure::Local("a sum of the rows has more than 28 digits".to_owned()))
    }
}
