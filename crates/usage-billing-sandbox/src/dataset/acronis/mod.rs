//! Acronis: the partner "Northwind Cloud Services", the tenants below it, and what they use.

mod billing;
mod catalogue;
mod components;
mod derived_counters;
mod prices;
mod tenant_table;
mod usage;
mod usage_series;

use std::collections::HashMap;

use chrono::NaiveDate;
use usage_billing_acronis::types::{ReportLevel, TenantKind};
use uuid::Uuid;

pub(crate) use billing::{Licensing, TIER_LEVEL};
pub(crate) use catalogue::{APPLICATIONS, Application, Charge, Item, PLATFORM, Unit};
pub(crate) use components::{INFRA, Infra};
pub(crate) use prices::{PriceList, SkuPrice, price_list};
pub(crate) use usage::{Holding, Usage};
pub(crate) use usage_series::Span;

use self::tenant_table::{Trial, UsageLine, tenant_specs};
use super::seed::Seed;
use super::size::Size;
use super::{EPOCH, days_after, id, month_of, months_after, months_before};
use crate::demo_credentials::ACRONIS_TENANT_ID;

pub(crate) struct Tenant {
    pub(crate) id: Uuid,
    /// Id of API v1, in reports and usages only.
    pub(crate) numeric_id: i64,
    /// Index of the parent; `None` for the partner of the demo client.
    pub(crate) parent: Option<usize>,
    pub(crate) kind: TenantKind,
    pub(crate) name: String,
    pub(crate) customer_id: Option<String>,
    /// The first day that is billed; `None` during a trial without an end.
    pub(crate) billed_since: Option<NaiveDate>,
    pub(crate) deleted: bool,
    /// Currency of its prices, if its parent has set prices in the platform.
    pub(crate) currency: Option<&'static str>,
    lines: Vec<UsageLine>,
}

impl Tenant {
    /// Returns the creation date of tenants and items: the day before the first usage.
    pub(crate) fn founded() -> NaiveDate {
        EPOCH.pred_opt().unwrap_or(EPOCH)
    }

    pub(crate) fn is_trial(&self, day: NaiveDate) -> bool {
        self.billed_since.is_none_or(|first| day < first)
    }

    pub(crate) fn deleted_on(&self) -> Option<NaiveDate> {
        self.deleted.then(|| months_after(EPOCH, 5))
    }

    /// Returns the day of the last change: the first of this month for some tenants, the creation date for the others.
    pub(crate) fn updated_on(&self, today: NaiveDate) -> NaiveDate {
        match self.deleted_on() {
            Some(day) => day,
            None if self.numeric_id % 3 == 0 => month_of(today),
            None => Self::founded(),
        }
    }
}

pub(crate) struct Tree {
    seed: Seed,
    tenants: Vec<Tenant>,
    /// Indexes of the children of each tenant.
    children: Vec<Vec<usize>>,
    indexes: HashMap<Uuid, usize>,
}

impl Tree {
    /// Index of the partner of the demo client.
    pub(crate) const OWN: usize = 0;
    /// Index of a partner below it.
    pub(crate) const BELOW: usize = 5;
    /// Days of trial in the month in which a customer leaves its trial.
    const TRIAL_DAYS: u64 = 10;

    /// Creates the tree of a sandbox that starts on a day: one customer leaves its trial in the month before.
    pub(crate) fn new(seed: Seed, size: &Size, today: NaiveDate) -> Self {
        let leaves = days_after(months_before(month_of(today), 1), Self::TRIAL_DAYS);
        let own = Uuid::parse_str(ACRONIS_TENANT_ID).unwrap_or_default();
        let tenants = tenant_specs(seed, size.tenants).into_iter().zip(0i64..).map(|(entry, index)| Tenant {
            id: if entry.parent.is_none() { own } else { id(&format!("acronis/tenant/{}", entry.name)) },
            numeric_id: 7_300_018 + index * 131,
            parent: entry.parent,
            kind: entry.kind,
            name: entry.name,
            customer_id: entry.customer_id,
            billed_since: match entry.trial {
                Trial::No => Some(EPOCH),
                Trial::Leaves => Some(leaves),
                Trial::Stays => None,
            },
            deleted: entry.deleted,
            currency: entry.currency,
            lines: entry.lines,
        });
        let tenants: Vec<_> = tenants.collect();
        let mut children = vec![Vec::new(); tenants.len()];
        for (tenant, index) in tenants.iter().zip(0..) {
            if let Some(siblings) = tenant.parent.and_then(|parent| children.get_mut(parent)) {
                siblings.push(index);
            }
        }
        let indexes = tenants.iter().map(|tenant| tenant.id).zip(0..).collect();
        Self { seed, tenants, children, indexes }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Tenant> {
        self.tenants.get(index)
    }

    /// Returns the index of a tenant, even if it is deleted.
    pub(crate) fn find_any(&self, id: Uuid) -> Option<usize> {
        self.indexes.get(&id).copied()
    }

    pub(crate) fn find(&self, id: Uuid) -> Option<usize> {
        self.find_any(id).filter(|index| self.is_live(*index))
    }

    pub(crate) fn is_live(&self, index: usize) -> bool {
        self.get(index).is_some_and(|tenant| !tenant.deleted)
    }

    /// Returns the vendor's own tenant, above the partner.
    pub(crate) fn root_id() -> Uuid {
        Uuid::parse_str(components::VENDOR).unwrap_or_default()
    }

    /// Iterates over direct children, with deleted ones.
    pub(crate) fn children(&self, index: usize) -> impl Iterator<Item = usize> {
        self.children.get(index).into_iter().flatten().copied()
    }

    /// Iterates over ancestors within the tree, the nearest first.
    pub(crate) fn ancestors(&self, index: usize) -> impl Iterator<Item = usize> {
        let parent = |index: usize| self.get(index).and_then(|tenant| tenant.parent);
        std::iter::successors(parent(index), move |index| parent(*index))
    }

    /// Returns a tenant and all tenants below it, with deleted ones, level by level.
    pub(crate) fn subtree(&self, index: usize) -> Vec<usize> {
        let mut indexes = vec![index];
        let mut next = 0;
        while let Some(parent) = indexes.get(next).copied() {
            indexes.extend(self.children(parent));
            next += 1;
        }
        indexes
    }

    /// Iterates over tenants below a tenant that are not deleted.
    pub(crate) fn descendants(&self, index: usize) -> impl Iterator<Item = usize> {
        self.subtree(index).into_iter().skip(1).filter(|below| self.is_live(*below))
    }

    /// Returns the tenants with rows of their own in a report about `subject`.
    pub(crate) fn at_level(&self, subject: usize, level: &ReportLevel) -> Vec<usize> {
        let of_kinds = |kinds: &[TenantKind]| {
            let is = |index: &usize| self.get(*index).is_some_and(|tenant| kinds.contains(&tenant.kind));
            self.descendants(subject).filter(is).collect()
        };
        match level {
            ReportLevel::Itself => vec![subject],
            // The row of a folder contains the customers in it, whose usage would be missing otherwise.
            ReportLevel::DirectPartners => self.children(subject).filter(|child| self.is_live(*child)).collect(),
            ReportLevel::AllPartners => of_kinds(&[TenantKind::Partner]),
            ReportLevel::AllCustomers => of_kinds(&[TenantKind::Partner, TenantKind::Customer]),
            // Accounts of users are units, inferred from "unit: also personal tenants". The tenant itself has a row, too.
            _ => {
                let below: Vec<_> = of_kinds(&[TenantKind::Partner, TenantKind::Customer, TenantKind::Unit]);
                std::iter::once(subject).chain(below).collect()
            }
        }
    }

    /// Returns whether reports about a tenant may contain SKUs: those of the partner that buys from the vendor do, those of partners below
    /// do not.
    pub(crate) fn sees_skus(&self, subject: usize) -> bool {
        let seller = std::iter::once(subject)
            .chain(self.ancestors(subject))
            .find(|index| self.get(*index).is_some_and(|tenant| tenant.kind == TenantKind::Partner));
        seller.and_then(|index| self.get(index)).is_some_and(|seller| seller.parent.is_none())
    }
}

#[cfg(test)]
impl Tree {
    pub(super) fn of_tests() -> Self {
        Self::new(Seed::new(0), &Size::default(), crate::dataset::day("2026-11-21"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::day;

    pub(super) fn index(tree: &Tree, name: &str) -> usize {
        tree.tenants.iter().position(|tenant| tenant.name == name).unwrap()
    }

    #[test]
    fn each_level_selects_its_tenants() {
        let tree = Tree::of_tests();
        let names = |subject: &str, level| -> Vec<&str> {
            let indexes = tree.at_level(index(&tree, subject), &level);
            indexes.into_iter().filter_map(|index| tree.get(index)).map(|tenant| tenant.name.as_str()).collect()
        };
        let northwind = "Northwind Cloud Services";
        assert_eq!(names(northwind, ReportLevel::Itself), [northwind]);
        let direct = names(northwind, ReportLevel::DirectPartners);
        assert_eq!(direct.len(), 6);
        assert!(direct.contains(&"Cedar MSP") && !direct.contains(&"Gull Optics"));
        assert_eq!(names(northwind, ReportLevel::AllPartners), ["Cedar MSP"]);
        let customers = names(northwind, ReportLevel::AllCustomers);
        assert_eq!(customers.len(), 9);
        assert!(customers.contains(&"Dune Bakery") && customers.contains(&"Cedar MSP"));
        let accounts = names(northwind, ReportLevel::Accounts);
        assert_eq!((accounts.len(), accounts[0], accounts.contains(&"Birch, Warehouse 2")), (11, northwind, true));
        assert_eq!(names("Cedar MSP", ReportLevel::DirectPartners).len(), 2);
        assert_eq!(names("Dune Bakery", ReportLevel::AllCustomers), [""; 0]);
    }

    #[test]
    fn only_the_partner_of_the_vendor_sees_skus() {
        let tree = Tree::of_tests();
        let sees = |name| tree.sees_skus(index(&tree, name));
        assert!(sees("Northwind Cloud Services") && sees("Alder Dental Group"));
        assert!(!sees("Cedar MSP") && !sees("Dune Bakery"));
    }

    #[test]
    fn large_tree_is_consistent_and_has_all_kinds() {
        let tree = Tree::new(Seed::new(5), &Size::default().tenants(1_000), day("2026-11-21"));
        assert_eq!((tree.tenants.len(), tree.indexes.len(), tree.subtree(0).len()), (1_000, 1_000, 1_000));
        assert!(tree.tenants.iter().zip(0..).all(|(tenant, index)| tenant.parent.is_none_or(|parent| parent < index)));
        let count = |is: fn(&Tenant) -> bool| tree.tenants.iter().filter(|tenant| is(tenant)).count();
        assert!(
            count(|tenant| tenant.billed_since.is_none()) > 50
                && count(|tenant| tenant.kind == TenantKind::Partner) > 20
        );
        let names = |seed| -> Vec<String> {
            let tree = Tree::new(Seed::new(seed), &Size::default(), day("2026-11-21"));
            tree.tenants.into_iter().skip(1).map(|tenant| tenant.name).collect()
        };
        assert!(names(0).iter().all(|name| !names(1).contains(name)));
    }

    #[test]
    fn subtree_is_ordered_by_level() {
        let tree = Tree::of_tests();
        let depths: Vec<_> = tree.subtree(0).into_iter().map(|index| tree.ancestors(index).count()).collect();
        assert!(depths.is_sorted());
        assert_eq!((depths.len(), depths.last()), (tree.tenants.len(), Some(&3)));
    }
}
