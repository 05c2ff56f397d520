//! A row of a report, whichever file it was read from.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use usage_billing_core::Decimal;

/// Usage of one thing by one tenant, in the vendor's terms and raw units. The default is empty, to be filled by
/// [`Rows::next_into`](crate::acronis::Rows::next_into).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportRow {
    /// Its place in the file, from 1.
    pub number: u64,
    /// The tenant.
    pub tenant_id: String,
    /// Its present name, also for the past.
    pub tenant_name: String,
    /// `customer`, `partner`, `folder` or `unit`; may be empty in reports of the level `accounts`.
    pub tenant_kind: String,
    /// The partner's own id of it.
    pub customer_id: Option<String>,
    /// The service: `backup`, `files_cloud`, `platform` and others; its id in files without names.
    pub application: String,
    /// Id of the service.
    pub application_id: Option<String>,
    /// The thing that is counted, with its edition's prefix: `pw_base_storage`.
    pub name: String,
    /// Edition, where the service has editions and the file is not older than they.
    pub edition: Option<String>,
    /// SKU, if asked for and the partner is entitled to them.
    pub sku: Option<String>,
    /// Storage or recovery component.
    pub infra_id: Option<String>,
    /// Name of the component.
    pub infra_name: Option<String>,
    /// Tenant to whom the component belongs.
    pub infra_owner_id: Option<String>,
    /// Cloud of the component: `acronis`, `google`, `azure`.
    pub infra_backend: Option<String>,
    /// Last day of the period in summaries, else the day. The vendor's own billing module (acronis-cyber-cloud-whmcs) does without it.
    pub date: Option<NaiveDate>,
    /// Whether usage is a sum over the period; else it is a level, as in files that do not say.
    pub is_range: bool,
    /// `bytes`, `seconds`, or nothing for counts.
    pub measurement_unit: Option<String>,
    /// Level at the period's end.
    pub absolute: Amounts,
    /// Change over the period; may be negative.
    pub delta: Amounts,
    /// What is billed: absolute or delta, as fits. Files of 2020 and before lack it.
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

/// The same usage by mode of the tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Amounts {
    /// Of paying use.
    pub production: Decimal,
    /// Of trial use.
    pub trial: Decimal,
    /// Both.
    pub total: Decimal,
}

/// What the platform says a row costs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Price {
    /// ISO 4217.
    pub currency: String,
    /// Per unit.
    pub unit: Option<Decimal>,
    /// Inferred: unit price times usage.
    pub total: Option<Decimal>,
}
