//! Reasons why a row's number is charged or not.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The reason why the vendor charges the account for a row's number, why it does not, or why no source states it. The list is closed, and
/// `is_billable` follows from it, so that the two columns never contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillingReason {
    /// Charged: usage that the vendor bills by.
    Usage,
    /// Not charged: use on trial.
    Trial,
    /// Not charged: a free quantity that is taken off the usage of another row.
    Allowance,
    /// Not charged: free in the ramp period of the contract.
    RampPeriod,
    /// Not charged: the total of other rows.
    TotalOfRows,
    /// Not charged: a part of what another row counts.
    PartOfRow,
    /// Not charged: a counter of the platform that is not sold.
    Counter,
    /// Not charged: whether something is switched on, which is not a quantity.
    FeatureSwitch,
    /// Not charged: storage that the vendor does not host, which the fee for devices includes.
    PartnerHosted,
    /// Not charged: included in the fee for something else, such as local storage where devices are charged.
    Included,
    /// Not charged: without a SKU in a report that has SKUs, or of an item that is switched off.
    NotSold,
    /// Not charged as it is: not of one whole calendar month or billing period.
    NotAWholePeriod,
    /// Not charged by this number: the same usage in another view (by the day, by users, as of today).
    NotABillingBasis,
    /// Not known: an item that no source names.
    UnknownItem,
    /// Not known: who hosts the storage.
    UnknownHosting,
    /// Not known: whether the account is charged by devices or by storage.
    UnknownLicensing,
    /// Not known: whether the tenant is a customer, or a partner whose number contains those of its customers in the same report.
    UnknownTenantKind,
    /// Not known: whether the month had ended when the report was built.
    UnknownReportDate,
    /// Not known: columns of the report contradict each other about what is on trial, or the unit is not the one in which the vendor counts the item.
    ContradictoryColumns,
    /// Not known: the vendor takes off what its response does not show, or states no rule; the invoice decides.
    SeeInvoice,
}

impl BillingReason {
    /// All reasons: charged ones first, unknown ones last.
    pub const ALL: [Self; 20] = [
        Self::Usage,
        Self::Trial,
        Self::Allowance,
        Self::RampPeriod,
        Self::TotalOfRows,
        Self::PartOfRow,
        Self::Counter,
        Self::FeatureSwitch,
        Self::PartnerHosted,
        Self::Included,
        Self::NotSold,
        Self::NotAWholePeriod,
        Self::NotABillingBasis,
        Self::UnknownItem,
        Self::UnknownHosting,
        Self::UnknownLicensing,
        Self::UnknownTenantKind,
        Self::UnknownReportDate,
        Self::ContradictoryColumns,
        Self::SeeInvoice,
    ];

    /// Returns whether the vendor charges the account for the number; `None` if no source states it.
    pub fn is_billable(self) -> Option<bool> {
        match self {
            Self::Usage => Some(true),
            Self::UnknownItem
            | Self::UnknownHosting
            | Self::UnknownLicensing
            | Self::UnknownTenantKind
            | Self::UnknownReportDate
            | Self::ContradictoryColumns
            | Self::SeeInvoice => None,
            _ => Some(false),
        }
    }
}

impl fmt::Display for BillingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_json_and_is_documented() {
        let table = include_str!("../../docs/usage-rows.md");
        for reason in BillingReason::ALL {
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(json, format!("\"{reason}\""));
            assert_eq!(serde_json::from_str::<BillingReason>(&json).unwrap(), reason);
            let verdict = reason.is_billable().map_or("null", |is_billable| if is_billable { "true" } else { "false" });
            let line = format!("| `{reason}` | {verdict} |");
            assert_eq!(table.matches(&line).count(), 1, "{line}");
        }
    }
}
