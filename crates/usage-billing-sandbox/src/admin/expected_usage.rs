//! The true bill of a period, computed from the dataset and not from responses.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};
use serde::{Serialize, Serializer};
use usage_billing_acronis::types::ReportLevel;
use usage_billing_core::Decimal;

use crate::dataset::acronis::{Span, Tree, Usage, price_list};
use crate::dataset::genesys::{AmountDue, Partner, organization_id};
use crate::dataset::suger::{InitialStatus, Measure, Organization};
use crate::dataset::{Dataset, days_before, midnight, month_of, months_before};
use crate::demo_credentials::SUGER_ORG_ID;
use crate::vendors::Vendor;

/// Selects a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bill {
    /// The bill of Acronis to the partner of the demo client, by tenants of a level; for whole days (UTC). Amounts are those of a period
    /// within one month. The rows of levels that have both a partner and its customers count their usage twice if added up.
    Acronis(ReportLevel),
    /// The bill of Acronis to the partner below, which is licensed per gigabyte (`Cedar MSP` with the seed 0), by tenants of a level: all
    /// storage, and no devices. It has neither SKUs nor amounts, which partners below do not see.
    AcronisPerGigabyte(ReportLevel),
    /// Billable usage of the organization of the demo client. It is counted and not stated to be charged: `is_billable` is `None`.
    Genesys,
    /// Amounts due from the client organizations of that organization, as a partner: overage and amounts of the billing periods that begin
    /// in the period and have ended.
    GenesysClients,
    /// Usage reported to Suger in the period that is or may be billed, by entitlement and dimension or billable metric. Deleted and invalid
    /// usage is omitted; usage that a marketplace rejects is included.
    Suger,
}

/// A billed quantity of one customer, or a counted one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExpectedUsage {
    /// The vendor that bills it.
    pub vendor: Vendor,
    /// The account that the vendor bills: Acronis' tenant, the Genesys Cloud organization, Suger's organization.
    pub account_id: String,
    /// The vendor's id of the customer; `None` if the account itself is the customer.
    pub customer_id: Option<String>,
    /// The customer's name.
    pub customer: Option<String>,
    /// The SKU; without one, service and metric (`backup/pw_base_storage`), entitlement and dimension (`ent-aws01/api_calls`), or the name
    /// of the product.
    pub sku: String,
    /// The vendor's name of what is counted.
    pub metric: String,
    /// Quantity in `unit`, with up to 28 digits; compute points are rounded half up to two decimal places. A string in JSON.
    #[serde(serialize_with = "exact")]
    pub quantity: Decimal,
    /// `GiB`, `compute points`, `units` or, for client organizations, the vendor's unit.
    pub unit: String,
    /// Whether the vendor charges for it; `None` where the vendor's responses do not state that, as the rows of `usage-billing` have it.
    pub is_billable: Option<bool>,
    /// Amount due for the month before tax, if the bill has amounts. A string in JSON.
    #[serde(serialize_with = "exact_amount", skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// Currency of the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// Returns the charges of a period; see [`Sandbox::expected_usage`](crate::Sandbox::expected_usage).
pub(crate) fn expected_usage(dataset: &Dataset, bill: &Bill, period: Range<DateTime<Utc>>) -> Vec<ExpectedUsage> {
    let today = dataset.today();
    // No usage is known outside these bounds, within which no date overflows.
    let start = period.start.max(DateTime::UNIX_EPOCH);
    let end = period.end.min(midnight(today) + TimeDelta::days(1));
    if end <= start {
        return Vec::new();
    }
    let end = end - TimeDelta::milliseconds(1);
    match bill {
        Bill::Acronis(level) => {
            acronis(&dataset.acronis, (Tree::OWN, level), start.date_naive(), end.date_naive(), today)
        }
        Bill::AcronisPerGigabyte(level) => {
            acronis(&dataset.acronis, (Tree::BELOW, level), start.date_naive(), end.date_naive(), today)
        }
        Bill::Genesys => genesys(&dataset.genesys, today, start, end),
        Bill::GenesysClients => genesys_clients(dataset, start.date_naive(), end.date_naive()),
        Bill::Suger => suger(&dataset.suger, start, end + TimeDelta::milliseconds(1)),
    }
}

/// Parses a month (`2026-10`), or two days of which the second is excluded (`2026-10-01/2026-10-15`); UTC.
pub(crate) fn read_period(text: &str) -> Result<Range<DateTime<Utc>>, String> {
    let (first, end) = match text.split_once('/') {
        Some((first, end)) => (first.parse().ok(), end.parse().ok()),
        None => {
            let first = format!("{text}-01").parse::<NaiveDate>().ok();
            (first, first.and_then(|first| first.checked_add_months(Months::new(1))))
        }
    };
    match (first, end) {
        (Some(first), Some(end)) if first < end => Ok(midnight(first)..midnight(end)),
        _ => Err(format!("period: expected a month (2026-10) or two days (2026-10-01/2026-10-15), not {text}")),
    }
}

pub(crate) fn last_month(today: NaiveDate) -> Range<DateTime<Utc>> {
    let this = month_of(today);
    midnight(months_before(this, 1))..midnight(this)
}

/// Returns the charges of Acronis.
///
/// The catalogue states for each item whether it is charged ([`Usage::charged`](crate::dataset::acronis::Usage::charged)). A response
/// leaves it open for devices of an old edition of a tenant whose storage is per gigabyte. Usage in another cloud than Acronis' own is a metric
/// of its own (`pw_base_storage_google`). The components of a cloud are added up before rounding.
fn acronis(
    tree: &Tree,
    (partner, level): (usize, &ReportLevel),
    first: NaiveDate,
    last: NaiveDate,
    today: NaiveDate,
) -> Vec<ExpectedUsage> {
    let span = Span::summary(first, last, days_before(today, 1));
    let prices = (month_of(first) == month_of(last)).then(|| price_list(month_of(first)));
    let mut rows = Vec::new();
    let (Some(licensing), Some(account)) = (Tree::licensing(partner), tree.get(partner)) else { return rows };
    let sees_skus = tree.sees_skus(partner);
    let sku = |usage: &Usage| usage.sku().filter(|_| sees_skus);
    let tenants = tree.at_level(partner, level).into_iter().filter_map(|index| Some((index, tree.get(index)?)));
    for (index, tenant) in tenants {
        let usages = tree.usage(index, span);
        let billed = || usages.iter().filter(|usage| usage.charged(licensing).is_some_and(|charged| charged != 0));
        let mut done = Vec::new();
        for usage in billed() {
            let key = (metric(usage), usage.item.edition, sku(usage));
            if done.contains(&key) {
                continue;
            }
            let same = billed().filter(|other| (metric(other), other.item.edition, sku(other)) == key);
            let (quantity, unit) = usage.item.unit.billed(same.filter_map(|usage| usage.charged(licensing)).sum());
            let price = key.2.and_then(|sku| Some((prices.as_ref()?, prices.as_ref()?.of(sku)?)));
            rows.push(ExpectedUsage {
                vendor: Vendor::Acronis,
                account_id: account.id.to_string(),
                customer_id: Some(tenant.id.to_string()),
                customer: Some(tenant.name.clone()),
                sku: key.2.map_or_else(|| format!("{}/{}", usage.item.application.kind, key.0), str::to_owned),
                metric: key.0.clone(),
                quantity,
                unit: unit.to_owned(),
                is_billable: (!usages.iter().any(|other| usage.is_contradicted_by(other))).then_some(true),
                amount: price.map(|(_, price)| (quantity * price.effective).normalize()),
                currency: price.map(|(list, _)| list.currency.to_owned()),
            });
            done.push(key);
        }
    }
    rows
}

/// Returns the name of an item and of its cloud, if reports state the cloud.
fn metric(usage: &Usage) -> String {
    match usage.infra.filter(|infra| infra.is_described).map(|infra| infra.backend) {
        None | Some("acronis") => usage.item.name.to_owned(),
        Some(backend) => format!("{}_{backend}", usage.item.name),
    }
}

fn genesys(partner: &Partner, today: NaiveDate, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<ExpectedUsage> {
    let row = |usage: usage_billing_genesys::types::BillingUsage| ExpectedUsage {
        vendor: Vendor::Genesys,
        account_id: organization_id(),
        customer_id: None,
        customer: None,
        sku: usage.name.clone(),
        metric: usage.name,
        quantity: usage.total_usage.0,
        unit: "units".to_owned(),
        is_billable: None,
        amount: None,
        currency: None,
    };
    partner.billable_usages(today, start, end).into_iter().map(row).collect()
}

fn genesys_clients(dataset: &Dataset, first: NaiveDate, last: NaiveDate) -> Vec<ExpectedUsage> {
    let row = |amount_due: AmountDue<'_>| ExpectedUsage {
        vendor: Vendor::Genesys,
        account_id: organization_id(),
        customer_id: Some(amount_due.organization_id.to_owned()),
        customer: Some(amount_due.organization_name.to_owned()),
        sku: amount_due.part_number.to_owned(),
        metric: amount_due.name.to_owned(),
        quantity: amount_due.overage.normalize(),
        unit: amount_due.unit.to_owned(),
        is_billable: Some(true),
        amount: Some(amount_due.amount.normalize()),
        currency: Some(amount_due.currency.to_owned()),
    };
    dataset.genesys.amounts_due(dataset.calendar(), first, last).into_iter().map(row).collect()
}

fn suger(organization: &Organization, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<ExpectedUsage> {
    let mut sums: BTreeMap<(usize, Measure), Decimal> = BTreeMap::new();
    for outline in organization.history.between(start, end).map(|slot| organization.outline(slot)) {
        if outline.status == InitialStatus::Created {
            for (measure, quantity) in organization.usage(outline) {
                // The sum of a million of the largest quantities is in the range of a decimal.
                *sums.entry((outline.spec, measure)).or_default() += quantity;
            }
        }
    }
    // Events of all regions are one row.
    let mut rows: BTreeMap<(usize, &str), Decimal> = BTreeMap::new();
    for ((spec, measure), quantity) in sums {
        *rows.entry((spec, measure.key())).or_default() += quantity;
    }
    let row = |((spec, key), quantity): ((usize, &str), Decimal)| {
        let spec = organization.specs.get(spec)?;
        Some(ExpectedUsage {
            vendor: Vendor::Suger,
            account_id: SUGER_ORG_ID.to_owned(),
            customer_id: Some(spec.buyer.clone()),
            customer: Some(spec.buyer_name.clone()),
            sku: format!("{}/{key}", spec.id()),
            metric: key.to_owned(),
            quantity: quantity.normalize(),
            unit: "units".to_owned(),
            is_billable: Some(true),
            amount: None,
            currency: None,
        })
    };
    rows.into_iter().filter_map(row).collect()
}

fn exact_amount<S: Serializer>(amount: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => serializer.collect_str(amount),
        None => serializer.serialize_none(),
    }
}

/// Serializes decimals as strings, because most JSON parsers convert numbers to floats.
fn exact<S: Serializer>(quantity: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(quantity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn period_is_a_month_or_two_days() {
        let read = |text| read_period(text).map(|period| format!("{} {}", period.start, period.end)).ok();
        assert_eq!(read("2026-12").as_deref(), Some("2026-12-01 00:00:00 UTC 2027-01-01 00:00:00 UTC"));
        assert_eq!(read("2026-10-15/2026-11-15").as_deref(), Some("2026-10-15 00:00:00 UTC 2026-11-15 00:00:00 UTC"));
        for wrong in ["", "2026", "2026-13", "2026-10-01", "2026-10-02/2026-10-02", "2026-10/2026-11", "/", "262142-12"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
