//! Groups of charges and rows of bills that count the same usage.

use std::collections::{BTreeSet, HashMap};

use super::EndedCharge;
use crate::genesys::billing_period::is_same_period;
use crate::genesys::charge::is_same;
use crate::genesys::overview;
use crate::{BillingReason, Period, UsageRow};

/// Charges that cover usage of the same organizations, directly or through other charges, and the rows of their bills.
pub(super) struct Group<'a> {
    /// In their order.
    pub(super) charges: Vec<&'a EndedCharge<'a>>,
    /// Rows that are charged, with their positions.
    pub(super) rows: Vec<(usize, &'a UsageRow)>,
    /// Whether each organization of the charges has rows.
    pub(super) has_all_rows: bool,
    /// Whether no charge covers the own organization.
    pub(super) is_of_clients: bool,
    /// Whether all charges cover the same organizations.
    pub(super) is_of_same_organizations: bool,
    /// Whether a charge is for a part of a total.
    pub(super) has_parts: bool,
}

/// A product of an organization in a billing period of contracts: its id, the part number in lower case, and the period.
type Product<'a> = (&'a str, String, Period);

/// Id of organizations that the vendor does not state.
const UNSTATED: &str = "";

/// Returns the groups that have rows of bills, without charges for the organization `account` alone.
pub(super) fn groups<'a>(charges: &'a [EndedCharge<'a>], account: &str, bill_rows: &'a [UsageRow]) -> Vec<Group<'a>> {
    let bills = BillRows::new(charges, bill_rows);
    let products: Vec<_> = charges.iter().map(|charge| bills.products(charge)).collect();
    let mut by_product: HashMap<&Product<'a>, Vec<usize>> = HashMap::new();
    for (number, products) in products.iter().enumerate() {
        products.iter().for_each(|product| by_product.entry(product).or_default().push(number));
    }
    let mut is_grouped = vec![false; charges.len()];
    let mut groups = Vec::new();
    for start in 0..charges.len() {
        if std::mem::replace(&mut is_grouped[start], true) {
            continue;
        }
        let (mut members, mut waiting) = (BTreeSet::from([start]), vec![start]);
        while let Some(number) = waiting.pop() {
            let neighbours = products[number].iter().filter_map(|product| by_product.get(product)).flatten();
            for neighbour in neighbours {
                if !std::mem::replace(&mut is_grouped[*neighbour], true) {
                    members.insert(*neighbour);
                    waiting.push(*neighbour);
                }
            }
        }
        let of_group: BTreeSet<&Product<'a>> = members.iter().flat_map(|number| &products[*number]).collect();
        if of_group.iter().all(|(organization, ..)| *organization == account) {
            continue;
        }
        let group = bills.group(members.iter().map(|number| &charges[*number]).collect(), &of_group);
        let is_of_clients = of_group.iter().all(|(organization, ..)| *organization != account);
        groups.push(Group { is_of_clients, ..group });
    }
    groups.retain(|group| !group.rows.is_empty());
    groups
}

/// Rows of bills by product.
struct BillRows<'a> {
    by_product: HashMap<Product<'a>, Vec<(usize, &'a UsageRow)>>,
    /// Products of totals, by organization, period, and unit in lower case.
    totals: HashMap<Product<'a>, Vec<Product<'a>>>,
    /// Products of all organizations, by part number and period.
    of_all: HashMap<(String, Period), Vec<Product<'a>>>,
}

impl<'a> BillRows<'a> {
    fn new(charges: &[EndedCharge<'_>], bill_rows: &'a [UsageRow]) -> Self {
        let mut periods: Vec<_> = charges.iter().map(|of| of.charge.period).collect();
        periods.sort_unstable_by_key(|period| (period.start(), period.end()));
        periods.dedup();
        let mut rows = Self { by_product: HashMap::new(), totals: HashMap::new(), of_all: HashMap::new() };
        for (position, row) in bill_rows.iter().enumerate() {
            let counts = row.source_operation == overview::OPERATION && row.billing_reason != BillingReason::Allowance;
            let Some(customer) = row.customer_id.as_deref().filter(|_| counts) else { continue };
            let Ok(period) = Period::new(row.period_start, row.period_end) else { continue };
            let near = periods.iter().filter(|other| is_same_period(**other, period));
            let Some(period) = near.min_by_key(|other| (other.start() - period.start()).abs()) else { continue };
            let product = (customer, lower_case(&row.sku), *period);
            if has_grouping(row, "rollup") {
                let of_unit = (customer, lower_case(&row.unit), *period);
                rows.totals.entry(of_unit).or_default().push(product.clone());
            }
            rows.of_all.entry((product.1.clone(), *period)).or_default().push(product.clone());
            rows.by_product.entry(product).or_default().push((position, row));
        }
        rows
    }

    /// Returns the products whose usage a charge may count: for a part of a total, also the totals of its unit.
    fn products(&self, of: &EndedCharge<'a>) -> Vec<Product<'a>> {
        let Some(sku) = of.charge.sku().map(lower_case) else { return Vec::new() };
        let period = of.charge.period;
        let mut products = Vec::new();
        let organizations: Vec<_> = match of.charge.organizations.as_slice() {
            [] => vec![UNSTATED],
            stated => stated.iter().map(|organization| organization.id.as_str()).collect(),
        };
        for organization in organizations {
            let product = (organization, sku.clone(), period);
            products.extend(self.totals_of_part(&product).iter().cloned());
            products.push(product);
            if organization == UNSTATED {
                products.extend(self.of_all.get(&(sku.clone(), period)).into_iter().flatten().cloned());
            }
        }
        products
    }

    /// Returns the totals that may contain a product whose rows are all of parts.
    fn totals_of_part(&self, product: &Product<'a>) -> &[Product<'a>] {
        let rows = self.by_product.get(product).map_or(&[][..], Vec::as_slice);
        let unit = rows.first().filter(|_| rows.iter().all(|(_, row)| is_part(row))).map(|(_, row)| &row.unit);
        let totals = unit.and_then(|unit| self.totals.get(&(product.0, lower_case(unit), product.2)));
        totals.map_or(&[], Vec::as_slice)
    }

    fn group(&self, mut charges: Vec<&'a EndedCharge<'a>>, products: &BTreeSet<&Product<'a>>) -> Group<'a> {
        charges.sort_by_key(|of| (&of.charge.contract, of.charge.position));
        let organizations = |of: &EndedCharge<'a>| -> BTreeSet<&'a str> {
            of.charge.organizations.iter().map(|organization| organization.id.as_str()).collect()
        };
        let is_of_same_organizations = charges.windows(2).all(|pair| organizations(pair[0]) == organizations(pair[1]));
        let (mut rows, mut has_all_rows, mut has_parts) = (Vec::new(), true, false);
        for product in products {
            let of_product = self.by_product.get(product).into_iter().flatten().copied();
            let (parts, others): (Vec<_>, Vec<_>) = of_product.partition(|(_, row)| is_part(row));
            if others.is_empty() {
                has_parts |= !parts.is_empty();
                let are_known = parts.iter().all(|(_, row)| row.billing_reason == BillingReason::PartOfRow);
                has_all_rows &= are_known && !self.totals_of_part(product).is_empty();
            }
            rows.extend(others);
        }
        Group { charges, rows, has_all_rows, is_of_clients: true, is_of_same_organizations, has_parts }
    }
}

fn lower_case(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}

/// Returns whether the row is of a part of a total, which is never charged: the total is.
fn is_part(row: &UsageRow) -> bool {
    has_grouping(row, "rollup-usage")
}

fn has_grouping(row: &UsageRow, wanted: &str) -> bool {
    row.vendor_grouping.as_deref().is_some_and(|grouping| is_same(grouping, wanted))
}
