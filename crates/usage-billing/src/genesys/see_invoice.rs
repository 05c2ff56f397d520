//! Reasons for which a number of a bill is unknown before the invoice.

use std::fmt;

use usage_billing_core::{Decimal, printable};

/// Reason for which a quantity or an amount is unknown here: the vendor's sources do not define it, and the invoice decides.
///
/// `Display` writes one human-readable line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeeInvoice {
    /// The grouping is not listed.
    UnknownGrouping {
        /// The vendor's grouping, or empty.
        grouping: String,
    },
    /// The overview has a charge that may contain this one, and no source states whether it does: `storage` beside `storage-category`, `messaging` of
    /// the same product beside `messaging-usage`.
    MayBeContained {
        /// The grouping of the charge that may contain it.
        grouping: &'static str,
    },
    /// A part of a total (`rollup-usage`) without the total (`rollup`), or with totals that are not the sum of the parts.
    TotalUnknown,
    /// Sold in bundles of more or less than one: the effect of a bundle on the overage is not documented.
    Bundle {
        /// Units in a bundle.
        quantity: Decimal,
    },
    /// An allowance may apply that the overview does not contain (BYOC Cloud minutes, AI tokens).
    AllowanceMayApply,
    /// The licence may be free of charge beyond the committed quantity (`Call`, `Collaborate User`).
    LicenceMayBeFree,
    /// The allowance is in another unit than the usage.
    AllowanceUnit {
        /// Unit of the allowance.
        unit: String,
    },
    /// An allowance may belong to several charges.
    AllowanceShared,
    /// The quantity of the allowance cannot be read, or is negative.
    AllowanceUnreadable,
    /// A negative quantity or price: no source explains corrections.
    NegativeNumber,
    /// The vendor does not document the charges of this subscription type.
    SubscriptionType {
        /// The vendor's subscription type, or empty.
        subscription_type: String,
    },
    /// The prepaid quantity is paid once a year, in a month that no response contains.
    PrepaidAnnually,
    /// A prepaid quantity under a subscription without commitment.
    PrepaidWithoutCommitment,
    /// The billing period is not a whole month, because the day on which billing months begin has moved: no source states which part of a month's
    /// commitment or price of a licence is due.
    NotAWholeMonth,
    /// In the ramp period software is free of charge, but messaging, third-party applications and a few unnamed services are not.
    RampPeriod,
    /// The overview contradicts itself on whether this is the ramp period, or the ramp period ends within the billing period.
    RampPeriodUnclear,
    /// The overview contains no price for the quantity.
    PriceMissing,
    /// The overview contains no currency.
    CurrencyMissing,
    /// The amount has more digits than fit.
    TooManyDigits,
    /// The overview contains the same charge several times.
    ListedTwice,
}

impl SeeInvoice {
    /// Returns whether it is unknown if the vendor charges for the quantity at all, and not only how much.
    pub(super) fn leaves_charging_unknown(&self) -> bool {
        !matches!(
            self,
            Self::PrepaidAnnually
                | Self::PrepaidWithoutCommitment
                | Self::NotAWholeMonth
                | Self::PriceMissing
                | Self::CurrencyMissing
                | Self::TooManyDigits
        )
    }
}

impl fmt::Display for SeeInvoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownGrouping { grouping } => {
                write!(f, "the meaning of the grouping {:?} is not documented: see the invoice", printable(grouping))
            }
            Self::MayBeContained { grouping } => {
                write!(
                    f,
                    "whether the charge of the grouping {grouping:?} contains it is not documented: see the invoice"
                )
            }
            Self::TotalUnknown => f.write_str("the total that contains this part is unknown: see the invoice"),
            Self::Bundle { quantity } => {
                write!(f, "sold in bundles of {quantity}, whose overage is not documented: see the invoice")
            }
            Self::AllowanceMayApply => {
                f.write_str("an allowance may apply that the overview does not contain: see the invoice")
            }
            Self::LicenceMayBeFree => {
                f.write_str("this licence may be free beyond the committed quantity: see the invoice")
            }
            Self::AllowanceUnit { unit } => {
                write!(f, "the allowance is in {:?}, the usage is not: see the invoice", printable(unit))
            }
            Self::AllowanceShared => f.write_str(
                "the overview does not state to which of several charges an allowance belongs: see the invoice",
            ),
            Self::AllowanceUnreadable => f.write_str("the allowance cannot be read: see the invoice"),
            Self::NegativeNumber => f.write_str("a negative quantity or price is not documented: see the invoice"),
            Self::SubscriptionType { subscription_type } => {
                write!(
                    f,
                    "the charges of the subscription type {:?} are not documented: see the invoice",
                    printable(subscription_type)
                )
            }
            Self::PrepaidAnnually => {
                f.write_str("the prepaid quantity is paid once a year and not in this amount: see the invoice")
            }
            Self::PrepaidWithoutCommitment => {
                f.write_str("the subscription has a prepaid quantity but no commitment: see the invoice")
            }
            Self::NotAWholeMonth => f.write_str(
                "the billing period is not a whole month, and it is unknown which part of the month's price is due: see the invoice",
            ),
            Self::RampPeriod => {
                f.write_str("it is unknown whether this is charged in the ramp period: see the invoice")
            }
            Self::RampPeriodUnclear => f.write_str("it is unclear whether this is the ramp period: see the invoice"),
            Self::PriceMissing => f.write_str("the overview contains no price for it: see the invoice"),
            Self::CurrencyMissing => f.write_str("the overview contains no currency: see the invoice"),
            Self::ListedTwice => {
                f.write_str("the overview lists it several times, which may be one charge or more: see the invoice")
            }
            Self::TooManyDigits => f.write_str("the amount has too many digits: see the invoice"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_a_distinct_line_that_refers_to_the_invoice() {
        let reasons = [
            SeeInvoice::UnknownGrouping { grouping: "credits".to_owned() },
            SeeInvoice::MayBeContained { grouping: "storage" },
            SeeInvoice::TotalUnknown,
            SeeInvoice::Bundle { quantity: Decimal::ONE_THOUSAND },
            SeeInvoice::AllowanceMayApply,
            SeeInvoice::LicenceMayBeFree,
            SeeInvoice::AllowanceUnit { unit: "GB\n".to_owned() },
            SeeInvoice::AllowanceShared,
            SeeInvoice::AllowanceUnreadable,
            SeeInvoice::NegativeNumber,
            SeeInvoice::SubscriptionType { subscription_type: "ININ".to_owned() },
            SeeInvoice::PrepaidAnnually,
            SeeInvoice::PrepaidWithoutCommitment,
            SeeInvoice::NotAWholeMonth,
            SeeInvoice::RampPeriod,
            SeeInvoice::RampPeriodUnclear,
            SeeInvoice::PriceMissing,
            SeeInvoice::CurrencyMissing,
            SeeInvoice::TooManyDigits,
            SeeInvoice::ListedTwice,
        ];
        let lines: std::collections::BTreeSet<_> = reasons.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), reasons.len());
        assert!(lines.iter().all(|line| line.ends_with("see the invoice") && !line.contains('\n')), "{lines:#?}");
        let about_amounts: Vec<_> = reasons.iter().filter(|reason| !reason.leaves_charging_unknown()).collect();
        assert_eq!(about_amounts, reasons[11..14].iter().chain(&reasons[16..19]).collect::<Vec<_>>());
    }
}
