//! The bill that a program should come to, from the world itself and not by way of any answer.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Serialize, Serializer};
use usage_billing_acronis::types::ReportLevel;
use usage_billing_core::Decimal;

use crate::server::Sandbox;
use crate::vendor::Vendor;
use crate::world::acronis::{Span, Tree};
use crate::world::{days_before, genesys, midnight};

/// Which bill. Those of other accounts come with later versions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bill {
    /// Of the partner that the demo client belongs to, by tenants of a level; for whole days (UTC). Levels that have a partner
    /// *and* its customers count their usage twice if added up.
    Acronis(ReportLevel),
    /// Billable usage of the organization that the demo client belongs to.
    Genesys,
}

/// How much of one thing one customer is billed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExpectedUsage {
    /// Whose world it is from.
    pub vendor: Vendor,
    /// The vendor's id of the customer; `None` if the account itself is the customer.
    pub customer_id: Option<String>,
    /// The customer's name.
    pub customer: Option<String>,
    /// The SKU; without one, service and metric (`backup/pw_base_storage`) or the name of the thing.
    pub sku: String,
    /// What is counted, by the vendor's name.
    pub metric: String,
    /// How much, in `unit`: to 28 digits, compute points rounded half up to two places. In JSON it is text.
    #[serde(serialize_with = "exact")]
    pub quantity: Decimal,
    /// `GiB`, `compute points` or `units`.
    pub unit: String,
}

impl Sandbox {
    /// The true bill of a period (its end excluded), as far as it is known by the sandbox's clock.
    ///
    /// Things of which there was no usage at all are left out for Acronis, as `hide_zero_usage` does, and are 0 for Genesys, as in
    /// its report. What a program wrote to the sandbox does not change it.
    pub fn expected_usage(&self, bill: &Bill, period: Range<DateTime<Utc>>) -> Vec<ExpectedUsage> {
        expected(self.now().date_naive(), bill, period)
    }
}

fn expected(today: NaiveDate, bill: &Bill, period: Range<DateTime<Utc>>) -> Vec<ExpectedUsage> {
    // There was no usage before, and none is known after; so no date overflows.
    let start = period.start.max(DateTime::UNIX_EPOCH);
    let end = period.end.min(midnight(today) + TimeDelta::days(1));
    if end <= start {
        return Vec::new();
    }
    let end = end - TimeDelta::milliseconds(1);
    match bill {
        Bill::Acronis(level) => acronis(&Tree::new(), level, start.date_naive(), end.date_naive(), today),
        Bill::Genesys => genesys_usage(today, start, end),
    }
}

/// The rule is that of the vendor's own billing module (acronis-cyber-cloud-whmcs, MetricsFetcher): see
/// [`Usage::billed`](crate::world::acronis::Usage::billed); components are added up before anything is rounded.
fn acronis(
    tree: &Tree,
    level: &ReportLevel,
    first: NaiveDate,
    last: NaiveDate,
    today: NaiveDate,
) -> Vec<ExpectedUsage> {
    let span = Span::summary(first, last, days_before(today, 1));
    let mut rows = Vec::new();
    let tenants = tree.at_level(Tree::OWN, level).into_iter().filter_map(|place| Some((place, tree.get(place)?)));
    for (place, tenant) in tenants {
        let usages = tree.usage(place, span);
        let billed = || usages.iter().filter(|usage| usage.item.is_billed() && !usage.is_zero());
        let mut done = Vec::new();
        for usage in billed() {
            let key = (usage.item.name, usage.item.edition, usage.sku());
            if done.contains(&key) {
                continue;
            }
            done.push(key);
            let same = billed().filter(|other| (other.item.name, other.item.edition, other.sku()) == key);
            let (quantity, unit) = usage.item.unit.billed(same.map(|other| other.billed(&tenant.kind)).sum());
            rows.push(ExpectedUsage {
                vendor: Vendor::Acronis,
                customer_id: Some(tenant.id.to_string()),
                customer: Some(tenant.name.to_owned()),
                sku: key.2.map_or_else(|| format!("{}/{}", usage.item.application.kind, key.0), str::to_owned),
                metric: usage.item.name.to_owned(),
                quantity,
                unit: unit.to_owned(),
            });
        }
    }
    rows
}

fn genesys_usage(today: NaiveDate, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<ExpectedUsage> {
    let row = |usage: usage_billing_genesys::types::BillingUsage| ExpectedUsage {
        vendor: Vendor::Genesys,
        customer_id: None,
        customer: None,
        sku: usage.name.clone(),
        metric: usage.name,
        quantity: usage.total_usage.0,
        unit: "units".to_owned(),
    };
    genesys::billable_usages(today, start, end).into_iter().map(row).collect()
}

/// As text: most readers of JSON would make a float of a number.
fn exact<S: Serializer>(quantity: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(quantity)
}
