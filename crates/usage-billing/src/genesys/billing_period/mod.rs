//! Search for a billing period by its dates. The vendor addresses billing periods by an index that moves days after a period has ended.

mod month_bounds;
mod search;

use chrono::{DateTime, Utc};
use usage_billing_core::{Error, ErrorKind, Result};

use crate::Period;
use crate::period::instant;
use crate::rows::period::RowPeriod;
pub(super) use month_bounds::{end_of_next, is_same_period, is_whole_month};
pub use search::NoBill;
pub(super) use search::{ContractDates, Search, Step};

/// Selects a billing period of a client organization.
///
/// ```
/// use usage_billing::{Period, chrono::Utc, genesys::BillingPeriod};
///
/// let october: Period = "2026-10".parse()?;
/// // For organizations whose billing months begin on different days, the period that begins in October.
/// let of_month = BillingPeriod::StartingIn(october);
/// // The period from the 15th to the 14th.
/// let exactly: BillingPeriod = "2026-10-15/2026-11-15".parse::<Period>()?.into();
/// let last = BillingPeriod::LastFinished { at: Utc::now() };
/// # let _ = (of_month, exactly, last);
/// # Ok::<(), usage_billing::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BillingPeriod {
    /// The period that ended last before an instant.
    LastFinished {
        /// The instant, usually now; not in the future.
        at: DateTime<Utc>,
    },
    /// The period with these dates. Billing months begin on the day of the month on which the organization was activated.
    Matching(Period),
    /// The period that begins within a calendar month. Billing months begin on a fixed day; if that day changes, two can begin in one month, which is an
    /// error that names both.
    StartingIn(Period),
}

impl BillingPeriod {
    /// Returns the billing periods of client organizations that correspond to a period at `now`. For calendar months, and the month to date, these
    /// begin within each month. For any other period they are its months from the day on which it begins. None of them is in the future.
    pub fn within(period: Period, now: DateTime<Utc>) -> Vec<Self> {
        let period = RowPeriod::new(period, now).period;
        let is_whole = period.months().all(|part| part == Period::month_of(part.start().date_naive()));
        let parts: Vec<_> = if is_whole { period.months().collect() } else { period.billing_months().collect() };
        let started = parts.into_iter().filter(|part| part.start() <= now);
        started.map(|part| if is_whole { Self::StartingIn(part) } else { Self::Matching(part) }).collect()
    }

    /// Rejects a period or an instant in the future.
    ///
    /// # Errors
    /// [`ErrorKind::Request`].
    pub(super) fn require_started(&self, now: DateTime<Utc>) -> Result<()> {
        match self {
            Self::LastFinished { at } if *at > now => {
                let message = format!("the billing period that ends last before {} is not known yet", instant(*at));
                Err(Error::new(ErrorKind::Request, format!("{message}: this instant is in the future")))
            }
            Self::LastFinished { .. } => Ok(()),
            Self::Matching(period) | Self::StartingIn(period) => period.require_started(now),
        }
    }
}

impl From<Period> for BillingPeriod {
    fn from(period: Period) -> Self {
        Self::Matching(period)
    }
}

#[cfg(test)]
mod tests;
