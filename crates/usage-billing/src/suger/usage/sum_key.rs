//! The identity of a sum of usage.

use usage_billing_core::Decimal;

use crate::rows::identity::RowIdentity;
use crate::suger::Lookups;
use crate::{BillingReason, Period, UsageRow, Vendor};

/// Identity of a sum.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SumKey {
    pub(super) buyer: Option<String>,
    pub(super) entitlement: String,
    pub(super) metric: String,
    pub(super) unit: &'static str,
}

impl SumKey {
    /// Returns an open row.
    pub(super) fn row(
        &self,
        operation: &'static str,
        period: Period,
        quantity: Decimal,
        reason: BillingReason,
        lookups: &Lookups,
        org_id: &str,
    ) -> UsageRow {
        let sku = format!("{}/{}", self.entitlement, self.metric);
        let identity = RowIdentity {
            customer_id: self.buyer.as_deref(),
            sku: &sku,
            metric: &self.metric,
            unit: self.unit,
            ..RowIdentity::new(Vendor::Suger, operation, org_id, period)
        };
        UsageRow {
            customer_name: self.buyer.as_ref().and_then(|id| lookups.buyers.get(id).cloned()),
            customer_kind: self.buyer.as_ref().map(|_| "buyer".to_owned()),
            ..identity.row(quantity, reason)
        }
    }
}
