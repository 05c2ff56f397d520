//! A row of a report in any file format.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use usage_billing_core::Decimal;

/// Usage of one item by one tenant, in the vendor's terms and raw units. The default is empty and serves as a buffer for
/// [`Rows::next_into`](crate::acronis::Rows::next_into).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportRow {
    /// Number of the row in the file, from 1.
    pub number: u64,
    /// Id of the tenant.
    pub tenant_id: String,
    /// Current name of the tenant, also in reports of the past.
    pub tenant_name: String,
    /// `customer`, `partner`, `folder` or `unit`; may be empty in reports of the level `accounts`.
    pub tenant_kind: String,
    /// The partner's own id of the tenant.
    pub customer_id: Option<String>,
    /// Service: `backup`, `files_cloud`, `platform` and others; the id in files without names.
    pub application: String,
    /// Id of the service.
    pub application_id: Option<String>,
    /// Metric, with the prefix of its edition: `pw_base_storage`.
    pub name: String,
    /// Edition, if the service has editions and the file is not older than they are.
    pub edition: Option<String>,
    /// SKU, if requested and the partner is entitled to SKUs.
    pub sku: Option<String>,
    /// Id of the storage or recovery component.
    pub infra_id: Option<String>,
    /// Name of the component.
    pub infra_name: Option<String>,
    /// Id of the tenant that owns the component.
    pub infra_owner_id: Option<String>,
    /// Cloud of the component: `acronis`, `google`, `azure`.
    pub infra_backend: Option<String>,
    /// Last day of the period in summaries, otherwise the day. The vendor's billing module (acronis-cyber-cloud-whmcs) does not read it.
    pub date: Option<NaiveDate>,
    /// Whether usage is a sum over the period; otherwise, and if the file does not state it, usage is a level.
    pub is_range: bool,
    /// `bytes`, `seconds`, or nothing for counts.
    pub measurement_unit: Option<String>,
    /// Level at the period's end.
    pub absolute: Amounts,
    /// Change over the period; may be negative.
    pub delta: Amounts,
    /// The billed numbers: absolute or delta, depending on the item. Files of 2020 and earlier lack them.
    pub effective: Option<Amounts>,
    /// Soft quota in the measurement unit; `None` for unlimited.
    pub quota: Option<Decimal>,
    /// Inferred: `trial` or `production`, where the partner keeps prices in the platform.
    pub pricing_mode: Option<String>,
    /// The price, where the partner keeps prices in the platform.
    pub price: Option<Price>,
    /// Columns that are not listed here, by name.
    pub other: BTreeMap<Arc<str>, String>,
}

/// Usage by mode of the tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Amounts {
    /// Paid use.
    pub production: Decimal,
    /// Trial use.
    pub trial: Decimal,
    /// Total of both.
    pub total: Decimal,
}

/// The cost of a row, as the platform states it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Price {
    /// ISO 4217.
    pub currency: String,
    /// Price per unit.
    pub unit: Option<Decimal>,
    /// Inferred: unit price times usage.
    pub total: Option<Decimal>,
}
