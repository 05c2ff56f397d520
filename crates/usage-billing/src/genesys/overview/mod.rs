//! The partner's view of a client organization's bill.

mod fetch;

use chrono::{DateTime, Utc};
use usage_billing_core::{Decimal, Error, ErrorKind, LenientDecimal, Result, printable};

use super::billing_period::{end_of_next, is_whole_month};
use super::charge::OPERATION;
use super::exact::exact_total;
use super::{BillLine, LAG, Organization, RampPeriod, SeeInvoice, UnreadableCharge, bill, charge, types};
use crate::rows::canonical_id::canonical_id;
use crate::rows::identity::{RowIdentity, UNITS, disambiguate_keys};
use crate::rows::loadable;
use crate::{BillingReason, Period, UsageRow, Vendor};

pub(super) use fetch::FoundBill;

/// The bill of one client organization for one of its billing periods.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientBill {
    /// The billed organization.
    pub organization: Organization,
    /// The billing period.
    pub period: Period,
    /// When the overview was requested.
    pub as_of: DateTime<Utc>,
    /// Whether the vendor will no longer change it.
    pub is_final: bool,
    /// Currency of all prices and amounts.
    pub currency: Option<String>,
    /// The commercial type of the subscription.
    pub subscription_type: Option<types::SubscriptionType>,
    /// Whether the billing period lies in the ramp period of the contract.
    pub ramp_period: RampPeriod,
    /// The minimum amount charged per month.
    pub minimum_monthly_amount: Option<Decimal>,
    /// The charges, in the vendor's order.
    pub lines: Vec<BillLine>,
    /// Charges that cannot be read. The bill is incomplete without them.
    pub unreadable: Vec<UnreadableCharge>,
}

/// Total of a bill before tax.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BillTotal {
    /// The sum of the known amounts.
    pub known_amount: Decimal,
    /// The amount due for the month. `None` if the month has not ended, if any amount is unknown or any charge unreadable, or if the minimum monthly amount is not reached
    /// under terms for which its effect is not documented.
    pub amount: Option<Decimal>,
}

impl ClientBill {
    /// Creates the bill from an overview of `organization` that was requested at `index`, at `now`. It is final only if the index is not 0, or the next
    /// period has ended too, and the period ended a day before `now`, because the figures lag.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] for an overview of another organization, without a billing period or without the list of charges.
    pub fn new(
        overview: &types::TrusteeBillingOverview,
        organization: &str,
        index: u16,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        check_organization(overview, organization)?;
        let period = billing_period(overview)?;
        let Some(usages) = &overview.usages else {
            return Err(decode_error("the overview has no list `usages`: it is not an empty bill"));
        };
        let minimum = overview.minimum_monthly_amount.as_ref().map_or(Ok(None), LenientDecimal::value);
        let minimum_monthly_amount = minimum.map_err(|reason| {
            decode_error(format!("minimumMonthlyAmount of organization {} is {reason}", printable(organization)))
        })?;
        let currency = overview.currency.clone().filter(|currency| !currency.trim().is_empty());
        let subscription_type = overview.subscription_type.clone();
        let ramp_period = ramp_period(overview, period);
        let (mut charges, mut unreadable) = (Vec::new(), Vec::new());
        for (usage, position) in usages.iter().zip(1..) {
            match charge::read(usage, position, organization) {
                Ok(charge) => charges.push(charge),
                Err(reason) => unreadable.push(*reason),
            }
        }
        let terms = bill::Terms {
            has_currency: currency.is_some(),
            is_whole_month: is_whole_month(period),
            subscription: subscription_type.clone(),
            ramp: ramp_period,
        };
        let unreadable_items: Vec<_> = unreadable.iter().map(|charge| &charge.item).collect();
        let lines = bill::lines(charges, &unreadable_items, &terms);
        let name = overview.organization.as_ref().and_then(|organization| organization.name.clone());
        Ok(Self {
            organization: Organization::new(organization, name),
            as_of: now,
            // The index of a contract that has ended does not move.
            is_final: (index > 0 || now >= end_of_next(period)) && period.has_ended(now - LAG),
            period,
            currency,
            subscription_type,
            ramp_period,
            minimum_monthly_amount,
            lines,
            unreadable,
        })
    }

    /// Adds up the bill.
    pub fn total(&self) -> BillTotal {
        let counted = || self.lines.iter().filter(|line| line.role.is_charged());
        let known = counted().filter_map(|line| line.amount);
        let known_amount = known.fold(Decimal::ZERO, |sum, amount| sum.saturating_add(amount));
        let sum = exact_total(counted().map(|line| line.amount)).filter(|_| self.unreadable.is_empty());
        let minimum = self.minimum_monthly_amount.unwrap_or_default();
        // "Least amount charged a month": the effect of an annual payment, the ramp period or a part of a month on it is not documented.
        let is_monthly = matches!(
            self.subscription_type,
            Some(types::SubscriptionType::MonthToMonth | types::SubscriptionType::PrepayMonthlyCommitment)
        );
        let sum = sum.filter(|_| self.period.has_ended(self.as_of));
        let is_due = is_monthly && self.ramp_period == RampPeriod::Outside && is_whole_month(self.period);
        let amount = match sum {
            Some(sum) if sum < minimum => is_due.then_some(minimum),
            sum => sum,
        };
        BillTotal { known_amount, amount }
    }

    /// Returns one row per readable charge; `account` is the partner's organization. The minimum monthly amount is in no row. Rows of a running
    /// billing period are not billable yet. In a bill of `account` itself no row is known to be billable: the charges of its contract
    /// ([`ContractCharges::rows`](super::ContractCharges::rows)) are billable, and count the same usage.
    pub fn rows(&self, account: &Organization) -> Vec<UsageRow> {
        disambiguate_keys(self.lines.iter().map(|line| self.row(line, account)).collect())
    }

    fn row(&self, line: &BillLine, account: &Organization) -> UsageRow {
        let (charge, item) = (&line.charge, &line.charge.item);
        let identity = RowIdentity {
            customer_id: Some(&self.organization.id),
            sku: &item.part_number,
            metric: &item.name,
            vendor_grouping: Some(item.grouping.as_str()).filter(|grouping| !grouping.is_empty()),
            unit: if item.unit.is_empty() { UNITS } else { &item.unit },
            ..RowIdentity::new(Vendor::Genesys, OPERATION, &account.id, self.period)
        };
        let reason = match line.billing_reason() {
            reason if reason.is_billable() != Some(false) && !self.period.has_ended(self.as_of) => {
                BillingReason::NotAWholePeriod
            }
            // The own organization is not a client: its contract states its charges.
            BillingReason::Usage if self.organization.id == account.id => BillingReason::SeeInvoice,
            reason => reason,
        };
        UsageRow {
            account_name: account.name.clone(),
            customer_name: self.organization.name.clone(),
            customer_kind: Some("trustor".to_owned()),
            subscription_type: self.subscription_type.as_ref().map(ToString::to_string),
            as_of: Some(self.as_of).filter(|_| !self.is_final),
            is_final: self.is_final,
            raw_unit: Some(item.unit.clone()).filter(|unit| !unit.is_empty()),
            included_quantity: Some(line.included_quantity)
                .filter(|included| !included.is_zero())
                .map(loadable::quantity),
            prepaid_quantity: Some(loadable::quantity(charge.prepaid_quantity)),
            bundle_quantity: charge.bundle_quantity.filter(|bundle| !bundle.is_zero()).map(loadable::quantity),
            overage_quantity: line.overage_quantity.map(loadable::quantity),
            currency: self.currency.clone(),
            unit_price: charge.overage_price.map(loadable::rounded_unit_price),
            prepaid_price: charge.prepaid_price.map(loadable::rounded_unit_price),
            prepaid_amount: line.prepaid_amount.map(loadable::quantity),
            amount: line.amount.map(loadable::quantity),
            source_row: Some(item.position),
            ..identity.row(charge.usage_quantity, reason)
        }
        .with_price_source()
    }

    /// Returns why parts of the bill are unknown, charge by charge.
    pub fn see_invoice(&self) -> impl Iterator<Item = (&BillLine, &SeeInvoice)> {
        self.lines.iter().flat_map(|line| line.see_invoice.iter().map(move |reason| (line, reason)))
    }
}

fn decode_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Decode, message).with_operation(OPERATION)
}

/// Rejects the overview of another organization: its rows would be on the wrong bill.
fn check_organization(overview: &types::TrusteeBillingOverview, requested: &str) -> Result<()> {
    let returned = overview.organization.as_ref().and_then(|organization| organization.id.as_deref());
    match returned.map(|id| canonical_id(id.to_owned())).filter(|id| !id.is_empty()) {
        Some(returned) if returned != canonical_id(requested.to_owned()) => Err(decode_error(format!(
            "requested the bill of organization {}, Genesys returned that of {}",
            printable(requested),
            printable(&returned)
        ))),
        _ => Ok(()),
    }
}

fn billing_period(overview: &types::TrusteeBillingOverview) -> Result<Period> {
    let (Some(start), Some(last)) = (overview.billing_period_start_date, overview.billing_period_end_date) else {
        return Err(decode_error("the overview does not state its billing period"));
    };
    Period::through(start, last).map_err(|error| decode_error(error.message().to_owned()))
}

/// Returns the ramp period by its dates and by `inRampPeriod`, if they agree.
fn ramp_period(overview: &types::TrusteeBillingOverview, period: Period) -> RampPeriod {
    let ramp_end = overview.ramp_period_end_date.and_then(|last| Period::through(DateTime::UNIX_EPOCH, last).ok());
    let by_dates = match (overview.ramp_period_start_date, ramp_end.map(|ramp| ramp.end())) {
        (Some(start), _) if start >= period.end() => Some(RampPeriod::Outside),
        (_, Some(end)) if end <= period.start() => Some(RampPeriod::Outside),
        (Some(start), Some(end)) if start <= period.start() && end >= period.end() => Some(RampPeriod::Inside),
        (Some(start), _) if start > period.start() => Some(RampPeriod::Unclear),
        (_, Some(end)) if end < period.end() => Some(RampPeriod::Unclear),
        _ => None,
    };
    match (by_dates, overview.in_ramp_period) {
        (None, Some(true)) => RampPeriod::Inside,
        (None, Some(false) | None) => RampPeriod::Outside,
        (Some(by_dates), None) => by_dates,
        (Some(by_dates), Some(flag)) if (by_dates == RampPeriod::Inside) == flag => by_dates,
        _ => RampPeriod::Unclear,
    }
}

#[cfg(test)]
mod tests;
