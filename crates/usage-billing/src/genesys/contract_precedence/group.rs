//! Groups of charges and rows of bills that count the same usage.

use std::collections::{BTreeSet, HashMap, HashSet};

use usage_billing_core::Decimal;

use super::EndedCharge;
use crate::genesys::ContractCharge;
use crate::genesys::billing_period::is_same_period;
use crate::genesys::charge::{self, is_same};
use crate::{BillingReason, Period, UsageRow};

/// Charges that cover usage of the same organizations, directly or through other charges, and the rows of their bills.
pub(super) struct Group<'a> {
    /// In their order.
    pub(super) charges: Vec<&'a EndedCharge<'a>>,
    /// Rows that are charged, with their positions.
    pub(super) rows: Vec<(usize, &'a UsageRow)>,
    /// Ids of the organizations of the charges.
    pub(super) organizations: BTreeSet<&'a str>,
    /// Whether each organization of the charges has rows, with all that may contain them.
    pub(super) has_all_rows: bool,
    /// Whether no charge covers the own organization.
    pub(super) is_of_clients: bool,
    /// Whether all charges cover the same organizations.
    pub(super) is_of_same_organizations: bool,
    /// Whether all charges and rows have the same part number.
    pub(super) is_of_same_product: bool,
    /// Whether a wallet of one of the organizations pays for the usage.
    pub(super) has_wallet: bool,
    /// Whether such a wallet states an overage.
    pub(super) has_wallet_overage: bool,
}

/// The groups, and the rows of bills that charges and wallets leave unknown.
pub(super) struct Groups<'a> {
    /// Groups that have rows of bills, without charges for the own organization alone.
    pub(super) groups: Vec<Group<'a>>,
    /// Positions of rows with an overage that have no charge, in bills of organizations with other charges.
    pub(super) without_charge: Vec<usize>,
    /// Positions of rows of products and organizations for which a wallet states an overage.
    pub(super) of_wallets: Vec<usize>,
}

/// A product of an organization in a billing period of contracts: its id, the part number in lower case, and the period.
type Product<'a> = (&'a str, String, Period);

/// Id of organizations that the vendor does not state.
const UNSTATED: &str = "";

/// Groups charges and rows of bills. `account` is the own organization.
pub(super) fn groups<'a>(charges: &'a [EndedCharge<'a>], account: &str, bill_rows: &'a [UsageRow]) -> Groups<'a> {
    let bills = BillRows::new(charges, bill_rows);
    let (with_wallet, with_overage) = bills.products_of_wallets(charges, account);
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
        let has_wallet = of_group.iter().any(|product| with_wallet.contains(*product));
        let has_wallet_overage = of_group.iter().any(|product| with_overage.contains(*product));
        groups.push(Group { is_of_clients, has_wallet, has_wallet_overage, ..group });
    }
    groups.retain(|group| !group.rows.is_empty());
    let grouped: HashSet<usize> = groups.iter().flat_map(|group| &group.rows).map(|(position, _)| *position).collect();
    let bills_with_charges: BTreeSet<_> = charges
        .iter()
        .flat_map(|of| of.charge.organizations.iter().map(|organization| (organization.id.as_str(), of.charge.period)))
        .collect();
    let with_charges =
        bills_with_charges.iter().flat_map(|(organization, period)| bills.rows_of(organization, *period));
    let is_without_charge =
        |of: &&BillRow<'_>| !grouped.contains(&of.position) && of.row.overage_quantity != Some(Decimal::ZERO);
    let without_charge = with_charges.filter(is_without_charge).map(|of| of.position).collect();
    let of_wallets = with_overage.iter().flat_map(|product| bills.of_product(product)).map(|of| of.position).collect();
    Groups { groups, without_charge, of_wallets }
}

/// Rows of the bill of each organization in a billing period of contracts.
struct BillRows<'a> {
    by_bill: HashMap<(&'a str, Period), Vec<BillRow<'a>>>,
}

#[derive(Clone, Copy)]
struct BillRow<'a> {
    position: usize,
    row: &'a UsageRow,
}

impl<'a> BillRows<'a> {
    fn new(charges: &[EndedCharge<'_>], bill_rows: &'a [UsageRow]) -> Self {
        let mut periods: Vec<_> = charges.iter().map(|of| of.charge.period).collect();
        periods.sort_unstable_by_key(|period| (period.start(), period.end()));
        periods.dedup();
        let mut by_bill: HashMap<_, Vec<_>> = HashMap::new();
        for (position, row) in bill_rows.iter().enumerate() {
            let counts = row.source_operation == charge::OPERATION && row.billing_reason != BillingReason::Allowance;
            let Some(customer) = row.customer_id.as_deref().filter(|_| counts) else { continue };
            let Ok(period) = Period::new(row.period_start, row.period_end) else { continue };
            let near = periods.iter().filter(|other| is_same_period(**other, period));
            let Some(period) = near.min_by_key(|other| (other.start() - period.start()).abs()) else { continue };
            by_bill.entry((customer, *period)).or_default().push(BillRow { position, row });
        }
        Self { by_bill }
    }

    /// Returns the rows of the bill of an organization.
    fn rows_of(&self, organization: &'a str, period: Period) -> &[BillRow<'a>] {
        self.by_bill.get(&(organization, period)).map_or(&[], Vec::as_slice)
    }

    /// Returns the rows of a product.
    fn of_product<'b>(&'b self, (organization, sku, period): &'b Product<'a>) -> impl Iterator<Item = BillRow<'a>> {
        self.rows_of(organization, *period).iter().copied().filter(move |of| is_same(&of.row.sku, sku))
    }

    /// Returns the products of clients for which wallets pay, and those for which wallets state an overage. A wallet that states no organization pays
    /// for none that is known.
    fn products_of_wallets(
        &self,
        charges: &'a [EndedCharge<'a>],
        account: &str,
    ) -> (HashSet<Product<'a>>, HashSet<Product<'a>>) {
        let (mut with_wallet, mut with_overage) = (HashSet::new(), HashSet::new());
        for charge in charges.iter().map(|of| of.charge).filter(|charge| charge.is_wallet) {
            let organizations = charge.organizations.iter().map(|organization| organization.id.as_str());
            for organization in organizations.filter(|id| ![UNSTATED, account].contains(id)) {
                let products = self.products_of(charge, organization);
                if charge.has_overage() {
                    with_overage.extend(products.iter().cloned());
                }
                with_wallet.extend(products);
            }
        }
        (with_wallet, with_overage)
    }

    /// Returns the products whose usage a charge may count; none for a wallet.
    fn products(&self, of: &EndedCharge<'a>) -> Vec<Product<'a>> {
        let Some(sku) = of.charge.sku().filter(|_| !of.charge.is_wallet).map(lower_case) else { return Vec::new() };
        let period = of.charge.period;
        let mut products = Vec::new();
        let organizations: Vec<_> = match of.charge.organizations.as_slice() {
            [] => vec![UNSTATED],
            stated => stated.iter().map(|organization| organization.id.as_str()).collect(),
        };
        for organization in organizations {
            let found = self.products_of(of.charge, organization);
            if found.is_empty() {
                products.push((organization, sku.clone(), period));
            }
            products.extend(found);
            if organization == UNSTATED {
                let bills = self.by_bill.keys().filter(|(_, other)| *other == period);
                products.extend(bills.flat_map(|(organization, _)| self.products_of(of.charge, organization)));
            }
        }
        products
    }

    /// Returns the products of an organization's bill whose usage a charge may count, and those that may contain these. A charge of 0 for storage by
    /// category adds nothing to what is charged for `storage`.
    fn products_of(&self, charge: &ContractCharge, organization: &'a str) -> Vec<Product<'a>> {
        let bill = self.rows_of(organization, charge.period);
        let mut found = charge.counted_by(bill.iter().copied(), |of| (&of.row.sku, &of.row.metric));
        let is_nothing = charge.states_overage() && !charge.has_overage();
        if !is_nothing || found.iter().any(|of| is_part(of.row)) {
            found.extend(containers(&found, bill));
        }
        found.iter().map(|of| (organization, lower_case(&of.row.sku), charge.period)).collect()
    }

    fn group(&self, mut charges: Vec<&'a EndedCharge<'a>>, products: &BTreeSet<&Product<'a>>) -> Group<'a> {
        charges.sort_by_key(|of| (&of.charge.contract, of.charge.position));
        let organizations = |of: &EndedCharge<'a>| -> BTreeSet<&'a str> {
            of.charge.organizations.iter().map(|organization| organization.id.as_str()).collect()
        };
        let is_of_same_organizations = charges.windows(2).all(|pair| organizations(pair[0]) == organizations(pair[1]));
        let (mut rows, mut has_all_rows) = (Vec::new(), true);
        for product in products {
            let (organization, _, period) = product;
            let bill = self.rows_of(organization, *period);
            let (parts, others): (Vec<_>, Vec<_>) = self.of_product(product).partition(|of| is_part(of.row));
            if others.is_empty() {
                let are_known = parts.iter().all(|of| of.row.billing_reason == BillingReason::PartOfRow);
                has_all_rows &= are_known && !containers(&parts, bill).is_empty();
            }
            let is_in_group =
                |whole: &BillRow<'a>| products.contains(&(*organization, lower_case(&whole.row.sku), *period));
            has_all_rows &= others.iter().all(|of| containers(&[*of], bill).iter().all(is_in_group));
            rows.extend(others.into_iter().map(|of| (of.position, of.row)));
        }
        let skus = charges.iter().filter_map(|of| of.charge.sku());
        let mut skus = skus.chain(rows.iter().map(|(_, row)| row.sku.as_str()));
        let first = skus.next();
        let is_of_same_product = skus.all(|other| first.is_some_and(|first| is_same(first, other)));
        Group {
            charges,
            rows,
            organizations: products.iter().map(|(organization, ..)| *organization).collect(),
            has_all_rows,
            is_of_clients: true,
            is_of_same_organizations,
            is_of_same_product,
            has_wallet: false,
            has_wallet_overage: false,
        }
    }
}

/// Returns the rows of a bill that may contain these: of parts, the totals of their unit, or else all totals; of storage by category, storage of any unit.
fn containers<'a>(rows: &[BillRow<'a>], bill: &[BillRow<'a>]) -> Vec<BillRow<'a>> {
    let is_total = |whole: &UsageRow, row: &UsageRow| has_grouping(whole, "rollup") && is_same(&whole.unit, &row.unit);
    let contains = |whole: &UsageRow, row: &UsageRow| match is_part(row) {
        true if bill.iter().any(|of| is_total(of.row, row)) => is_total(whole, row),
        true => has_grouping(whole, "rollup"),
        false => has_grouping(whole, "storage"),
    };
    let is_contained = |row: &UsageRow| is_part(row) || has_grouping(row, "storage-category");
    if !rows.iter().all(|of| is_contained(of.row)) {
        return Vec::new();
    }
    bill.iter().copied().filter(|whole| rows.iter().any(|of| contains(whole.row, of.row))).collect()
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
