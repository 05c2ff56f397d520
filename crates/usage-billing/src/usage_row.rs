//! Usage of any vendor in one shape.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use usage_billing_core::{Decimal, DecimalString};

/// How much of one thing one customer used in one period. No cost: no vendor's usage says what it costs.
///
/// The order of the fields is the order of columns in files, and stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UsageRow {
    /// Whose API it comes from.
    pub vendor: Vendor,
    /// The account that was asked: Genesys Cloud's OAuth client (which is of one organization), Suger's organization, Acronis' tenant.
    pub account: String,
    /// The vendor's id of the customer; `None` if the account itself is the customer.
    pub customer_id: Option<String>,
    /// The customer's present name, if the vendor knows one.
    pub customer: Option<String>,
    /// What is sold: the vendor's SKU, or its name of the thing where it has no SKUs.
    pub sku: String,
    /// What is counted, by the vendor's name.
    pub metric: String,
    /// How much, in `unit`; exact. May be negative where the vendor corrects itself.
    #[serde(serialize_with = "write_exact", deserialize_with = "read_exact")]
    pub quantity: Decimal,
    /// `GiB`, `compute points`, or `units` where the vendor says no more.
    pub unit: String,
    /// First instant of the period.
    pub start: DateTime<Utc>,
    /// First instant after the period.
    pub end: DateTime<Utc>,
    /// Whether the vendor will not change it any more.
    #[serde(rename = "final")]
    pub is_final: bool,
}

/// A vendor that rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Vendor {
    /// Acronis Cyber Protect Cloud.
    Acronis,
    /// Genesys Cloud.
    Genesys,
    /// Suger.
    Suger,
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Acronis => "acronis",
            Self::Genesys => "genesys",
            Self::Suger => "suger",
        })
    }
}

/// As text: most readers of JSON would make a float of a number.
fn write_exact<S: Serializer>(quantity: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(quantity)
}

fn read_exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    DecimalString::deserialize(deserializer).map(Decimal::from)
}
