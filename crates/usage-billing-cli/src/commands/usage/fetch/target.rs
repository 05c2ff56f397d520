//! The target of one call to a vendor.

use std::fmt;

use usage_billing::chrono::{DateTime, Utc};
use usage_billing::uuid::Uuid;
use usage_billing::{Error, Period};

use super::FetchArguments;
use super::period_argument::{PeriodArgument, calendar_months, since_until};
use crate::accounts::Vendor;
use crate::exit::Failure;
use crate::terminal;

/// A period or a report to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchTarget {
    Period(Period),
    /// No period was set: the last month, or the vendor's last finished billing periods.
    LastMonth(Period),
    /// An existing report.
    Report(Uuid),
}

impl fmt::Display for FetchTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Period(period) | Self::LastMonth(period) => period.fmt(f),
            Self::Report(id) => write!(f, "report {id}"),
        }
    }
}

impl FetchArguments {
    /// Returns the targets in the order of their rows: one for each month. A data set has calendar months only.
    pub(crate) fn targets(&self, now: DateTime<Utc>, is_for_data_set: bool) -> Result<Vec<FetchTarget>, Failure> {
        if let Some(id) = self.report {
            if is_for_data_set {
                return Err(Failure::Usage("a report is written to a file: --output is a folder".to_owned()));
            }
            if self.vendors.iter().any(|vendor| *vendor != Vendor::Acronis) {
                let message = "--report works with Acronis only: fetch other vendors in a separate call";
                return Err(Failure::Usage(message.to_owned()));
            }
            return Ok(vec![FetchTarget::Report(id)]);
        }
        let usage = |error: Error| Failure::Usage(error.to_string());
        let period = match (&self.since, self.period) {
            (Some(since), _) => since_until(since, self.until.as_deref(), now).map_err(usage)?,
            (None, None) if is_for_data_set => PeriodArgument::LastMonth.at(now),
            (None, None) => return Ok(vec![FetchTarget::LastMonth(PeriodArgument::LastMonth.at(now))]),
            (None, Some(period)) => period.at(now),
        };
        period.require_started(now).map_err(usage)?;
        if let Some(warning) = period.inclusive_end_warning() {
            terminal::eprint_line(&format!("warning: {warning}"));
        }
        if is_for_data_set && calendar_months(period).is_none() {
            let line = format!("a data set has whole calendar months, and {period} is not one: write it to a file");
            return Err(Failure::Usage(line));
        }
        let (started, future): (Vec<_>, Vec<_>) =
            calendar_months(period).unwrap_or_else(|| vec![period]).into_iter().partition(|part| part.start() <= now);
        if let Some(open) = started.iter().chain(&future).find(|part| !part.has_ended(now)) {
            let ended: Vec<_> = started.iter().filter(|part| part.has_ended(now)).collect();
            self.check_closed(*open, &ended, now)?;
        }
        if let Some(first) = future.first() {
            terminal::eprint_line(&format!("{first} and later months are in the future and not fetched"));
        }
        Ok(started.into_iter().map(FetchTarget::Period).collect())
    }

    /// Rejects a period that has not ended, unless `--allow-open` is set. `ended` are months that can be fetched without it.
    pub(crate) fn check_closed(&self, period: Period, ended: &[&Period], now: DateTime<Utc>) -> Result<(), Failure> {
        if self.allow_open {
            return Ok(());
        }
        let others = match ended {
            [] => String::new(),
            [only] => format!(", or --period {only}"),
            [first, .., last] => format!(", or --period {first}..{last}"),
        };
        let advice = format!("use --allow-open to fetch it{others}");
        period.require_ended(now).map_err(|error| Failure::Usage(error.with_hint(advice).to_string()))
    }
}
