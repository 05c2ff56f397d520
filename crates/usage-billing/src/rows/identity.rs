//! The identity of a row, and the key that follows from it.

use usage_billing_core::Decimal;
use uuid::Uuid;

use crate::period::instant;
use crate::rows::loadable;
use crate::{BillingReason, Period, StorageHost, UsageMode, UsageRow, Vendor};

/// Namespace of the keys below. It must never change, so that a row that is fetched again has the same key.
const NAMESPACE: Uuid = Uuid::from_u128(0xe18f_1ce0_5c2d_454b_9b95_22de_ae34_4997);

/// The unit of counts for which a vendor names none.
pub(crate) const UNITS: &str = "units";

/// The columns of a row's key. Columns that may change from one fetch to the next (quantity, prices, names, whether it is final) are excluded.
#[derive(Clone, Copy)]
pub(crate) struct RowIdentity<'a> {
    pub(crate) vendor: Vendor,
    /// `operationId` of the call whose response contains the row.
    pub(crate) operation: &'static str,
    pub(crate) account: &'a str,
    pub(crate) customer_id: Option<&'a str>,
    pub(crate) service: Option<&'a str>,
    pub(crate) edition: Option<&'a str>,
    pub(crate) sku: &'a str,
    pub(crate) metric: &'a str,
    pub(crate) vendor_grouping: Option<&'a str>,
    pub(crate) usage_mode: Option<UsageMode>,
    pub(crate) storage_host: Option<StorageHost>,
    pub(crate) report_kind: Option<&'a str>,
    pub(crate) report_level: Option<&'a str>,
    pub(crate) unit: &'a str,
    pub(crate) period: Period,
}

impl<'a> RowIdentity<'a> {
    /// Creates an identity without the columns that most vendors lack; the caller sets those that its vendor has.
    pub(crate) fn new(vendor: Vendor, operation: &'static str, account: &'a str, period: Period) -> Self {
        Self {
            vendor,
            operation,
            account,
            customer_id: None,
            service: None,
            edition: None,
            sku: "",
            metric: "",
            vendor_grouping: None,
            usage_mode: None,
            storage_host: None,
            report_kind: None,
            report_level: None,
            unit: UNITS,
            period,
        }
    }

    /// Returns the UUID version 5 over the JSON array `["usage-billing/row/3", …]` of all identity columns but `occurrence` in their order, without blanks,
    /// times as `2026-10-01T00:00:00Z` (with a fraction only if there is one).
    fn key(&self) -> Uuid {
        let (start, end) = (instant(self.period.start()), instant(self.period.end()));
        let name = serde_json::json!([
            "usage-billing/row/3",
            self.vendor,
            self.account,
            self.customer_id,
            self.service,
            self.edition,
            self.sku,
            self.metric,
            self.vendor_grouping,
            self.usage_mode,
            self.storage_host,
            self.report_kind,
            self.report_level,
            self.unit,
            start,
            end,
            self.operation,
        ]);
        Uuid::new_v5(&NAMESPACE, name.to_string().as_bytes())
    }

    /// Creates a row of this identity, not final and without prices; the caller sets the columns that the vendor states.
    pub(crate) fn row(&self, quantity: Decimal, reason: BillingReason) -> UsageRow {
        UsageRow {
            row_key: self.key(),
            vendor: self.vendor,
            account_id: self.account.to_owned(),
            account_name: None,
            customer_id: self.customer_id.map(str::to_owned),
            customer_name: None,
            customer_kind: None,
            customer_reference: None,
            service: self.service.map(str::to_owned),
            edition: self.edition.map(str::to_owned),
            sku: self.sku.to_owned(),
            metric: self.metric.to_owned(),
            vendor_grouping: self.vendor_grouping.map(str::to_owned),
            subscription_type: None,
            usage_mode: self.usage_mode,
            storage_host: self.storage_host,
            report_kind: self.report_kind.map(str::to_owned),
            report_level: self.report_level.map(str::to_owned),
            unit: self.unit.to_owned(),
            period_start: self.period.start(),
            period_end: self.period.end(),
            occurrence: 1,
            as_of: None,
            is_final: false,
            is_billable: reason.is_billable(),
            billing_reason: reason,
            quantity: loadable::quantity(quantity),
            raw_quantity: quantity,
            raw_unit: Some(self.unit.to_owned()).filter(|unit| unit != UNITS),
            quota_quantity: None,
            included_quantity: None,
            prepaid_quantity: None,
            bundle_quantity: None,
            overage_quantity: None,
            currency: None,
            unit_price: None,
            list_price: None,
            prepaid_price: None,
            prepaid_amount: None,
            amount: None,
            cost: None,
            source_operation: self.operation.to_owned(),
            source_report_id: None,
            source_row: None,
            price_source: None,
            cost_source: None,
            price_list_code: None,
            sku_discount_percent: None,
            price_list_discount_percent: None,
        }
    }
}

/// Numbers rows of one response that are equal in all other identity columns, and gives them different keys. The second row has the occurrence 2
/// and the UUID version 5 of `2` in the namespace of the first key, and so on.
pub(crate) fn disambiguate_keys(mut rows: Vec<UsageRow>) -> Vec<UsageRow> {
    let mut places: Vec<_> = rows.iter().zip(0..).map(|(row, place)| (row.row_key, place)).collect();
    places.sort_unstable();
    for alike in places.chunk_by(|(one, _), (other, _)| one == other) {
        for ((key, place), occurrence) in alike.iter().zip(1..).skip(1) {
            let row: &mut UsageRow = &mut rows[*place];
            row.occurrence = occurrence;
            row.row_key = Uuid::new_v5(key, occurrence.to_string().as_bytes());
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> RowIdentity<'static> {
        RowIdentity {
            customer_id: Some("t-1"),
            service: Some("backup"),
            edition: Some("standard"),
            sku: "backup/seats",
            metric: "seats",
            ..RowIdentity::new(Vendor::Acronis, "download_stored_report", "t-0", "2026-10".parse().unwrap())
        }
    }

    fn row(identity: &RowIdentity<'_>, quantity: Decimal) -> UsageRow {
        identity.row(quantity, BillingReason::Usage)
    }

    #[test]
    fn the_key_of_a_row_stays_the_same() {
        assert_eq!(identity().key().to_string(), "8b353e03-5e1a-578d-9647-50f0745c49f8");
    }

    #[test]
    fn key_depends_on_every_identity_column_only() {
        let others = [
            RowIdentity { vendor: Vendor::Suger, ..identity() },
            RowIdentity { operation: "list", ..identity() },
            RowIdentity { account: "t-9", ..identity() },
            RowIdentity { customer_id: None, ..identity() },
            RowIdentity { customer_id: Some(""), ..identity() },
            RowIdentity { service: None, ..identity() },
            RowIdentity { edition: Some("advanced"), ..identity() },
            RowIdentity { sku: "S-1", ..identity() },
            RowIdentity { metric: "seats_google", ..identity() },
            RowIdentity { vendor_grouping: Some("standard"), ..identity() },
            RowIdentity { usage_mode: Some(UsageMode::Production), ..identity() },
            RowIdentity { usage_mode: Some(UsageMode::Trial), ..identity() },
            RowIdentity { storage_host: Some(StorageHost::Vendor), ..identity() },
            RowIdentity { storage_host: Some(StorageHost::Partner), ..identity() },
            RowIdentity { storage_host: Some(StorageHost::Unknown), ..identity() },
            RowIdentity { report_kind: Some("usage_daily"), ..identity() },
            RowIdentity { report_level: Some("usage_daily"), ..identity() },
            RowIdentity { unit: "GiB", ..identity() },
            RowIdentity { period: "2026-10-01/2026-10-31".parse().unwrap(), ..identity() },
            RowIdentity { period: "2026-10-02/2026-11-01".parse().unwrap(), ..identity() },
        ];
        let keys: std::collections::BTreeSet<_> =
            others.iter().map(RowIdentity::key).chain([identity().key()]).collect();
        assert_eq!(keys.len(), others.len() + 1);
        assert_eq!(row(&identity(), Decimal::ONE).row_key, row(&identity(), Decimal::TWO).row_key);
    }

    #[test]
    fn identical_rows_get_occurrences_and_keys_by_their_order() {
        let keys = |count| {
            let rows = disambiguate_keys(vec![row(&identity(), Decimal::ONE); count]);
            assert!(rows.iter().map(|row| row.occurrence).eq(1..=count as u32));
            rows.iter().map(|row| row.row_key).collect::<Vec<_>>()
        };
        let three = keys(3);
        assert_eq!((three[0], &three[..2]), (identity().key(), &keys(2)[..]));
        assert_eq!(std::collections::BTreeSet::from_iter(three).len(), 3);
    }

    #[test]
    fn reason_decides_is_billable_and_raw_quantity_is_kept() {
        let third = Decimal::ONE / Decimal::from(3);
        let row = identity().row(third, BillingReason::UnknownItem);
        assert_eq!((row.is_billable, row.quantity.to_string().as_str()), (None, "0.333333333"));
        assert_eq!((row.raw_quantity, row.raw_unit), (third, None));
    }
}
