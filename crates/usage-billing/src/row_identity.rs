//! What makes a row the row that it is, and the key that follows from it.

use usage_billing_core::Decimal;
use uuid::Uuid;

use crate::period::instant;
use crate::{Period, UsageRow, Vendor};

/// Namespace of the keys below; made once for this purpose. Must never change: a row fetched again has to get the same key.
const NAMESPACE: Uuid = Uuid::from_u128(0xe18f_1ce0_5c2d_454b_9b95_22de_ae34_4997);

/// The unit of what a vendor counts without naming one.
pub(crate) const UNITS: &str = "units";

/// The columns that a row's key is made of. What may change from one fetch to the next (quantity, prices, names, whether it is
/// final) is no part of it.
pub(crate) struct RowIdentity<'a> {
    pub(crate) vendor: Vendor,
    /// `operationId` of the call whose answer holds the row.
    pub(crate) operation: &'static str,
    pub(crate) account: &'a str,
    pub(crate) customer_id: Option<&'a str>,
    pub(crate) sku: &'a str,
    pub(crate) metric: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) period: Period,
    /// What else tells apart rows of one answer that are alike in all of the above: an edition, a term, an HTTP method.
    pub(crate) apart: &'a [&'a str],
}

impl RowIdentity<'_> {
    /// UUID version 5 over the JSON array `["usage-billing/row/1", vendor, operation, account, customer_id or null, sku, metric, unit,
    /// start, end, [apart…]]` without blanks, times as `2026-10-01T00:00:00Z` (with a fraction only if there is one).
    fn key(&self) -> Uuid {
        let (start, end) = (instant(self.period.start()), instant(self.period.end()));
        let name = serde_json::json!([
            "usage-billing/row/1",
            self.vendor.to_string(),
            self.operation,
            self.account,
            self.customer_id,
            self.sku,
            self.metric,
            self.unit,
            start,
            end,
            self.apart,
        ]);
        Uuid::new_v5(&NAMESPACE, name.to_string().as_bytes())
    }

    /// The row of this identity, so far open, not billable and without prices; the caller fills in what the vendor says.
    pub(crate) fn row(&self, quantity: Decimal) -> UsageRow {
        UsageRow {
            key: self.key(),
            vendor: self.vendor,
            account: self.account.to_owned(),
            customer_id: self.customer_id.map(str::to_owned),
            customer_name: None,
            customer_kind: None,
            sku: self.sku.to_owned(),
            metric: self.metric.to_owned(),
            quantity,
            unit: self.unit.to_owned(),
            start: self.period.start(),
            end: self.period.end(),
            is_final: false,
            billable: false,
            included_quantity: None,
            prepaid_quantity: None,
            bundle_quantity: None,
            overage_quantity: None,
            currency: None,
            unit_price: None,
            list_price: None,
            prepaid_price: None,
            cost: None,
            operation: self.operation.to_owned(),
            report_id: None,
            report_row: None,
        }
    }
}

/// Gives rows of one answer that are alike in their whole identity keys of their own: the second has UUID version 5 of `2` in the
/// namespace of the first one's key, and so on.
#[cfg(any(feature = "genesys", feature = "suger", test))]
pub(crate) fn tell_apart(mut rows: Vec<UsageRow>) -> Vec<UsageRow> {
    let mut seen: std::collections::HashMap<Uuid, u32> = std::collections::HashMap::new();
    for row in &mut rows {
        let times = seen.entry(row.key).or_default();
        *times += 1;
        if *times > 1 {
            row.key = Uuid::new_v5(&row.key, times.to_string().as_bytes());
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> RowIdentity<'static> {
        RowIdentity {
            vendor: Vendor::Acronis,
            operation: "download_stored_report",
            account: "t-0",
            customer_id: Some("t-1"),
            sku: "backup/seats",
            metric: "seats",
            unit: "units",
            period: "2026-10".parse().unwrap(),
            apart: &["standard"],
        }
    }

    #[test]
    fn the_key_of_a_row_stays_for_ever() {
        assert_eq!(identity().key().to_string(), "a6cf57b2-dea1-557d-9e49-3c0d2a036952");
    }

    #[test]
    fn every_part_of_the_identity_makes_another_key_and_nothing_else_does() {
        let others = [
            RowIdentity { vendor: Vendor::Suger, ..identity() },
            RowIdentity { operation: "list", ..identity() },
            RowIdentity { account: "t-9", ..identity() },
            RowIdentity { customer_id: None, ..identity() },
            RowIdentity { customer_id: Some(""), ..identity() },
            RowIdentity { sku: "S-1", ..identity() },
            RowIdentity { metric: "seats_google", ..identity() },
            RowIdentity { unit: "GiB", ..identity() },
            RowIdentity { period: "2026-10-01/2026-10-31".parse().unwrap(), ..identity() },
            RowIdentity { period: "2026-10-02/2026-11-01".parse().unwrap(), ..identity() },
            RowIdentity { apart: &[], ..identity() },
            RowIdentity { apart: &["stand", "ard"], ..identity() },
        ];
        let keys: std::collections::BTreeSet<_> =
            others.iter().map(RowIdentity::key).chain([identity().key()]).collect();
        assert_eq!(keys.len(), others.len() + 1);
        assert_eq!(identity().row(Decimal::ONE).key, identity().row(Decimal::TWO).key);
    }

    #[test]
    fn rows_that_are_alike_are_told_apart_by_their_order() {
        let keys =
            |count| tell_apart(vec![identity().row(Decimal::ONE); count]).iter().map(|row| row.key).collect::<Vec<_>>();
        let three = keys(3);
        assert_eq!((three[0], &three[..2]), (identity().key(), &keys(2)[..]));
        assert_eq!(std::collections::BTreeSet::from_iter(three).len(), 3);
    }
}
