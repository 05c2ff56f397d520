//! Suger: an organization that sells on three marketplaces, its buyers and entitlements, and months of usage.
//!
//! The hourly runs of the sandbox determine the later status of the usage.

mod catalogue;
mod entitlement_specs;
mod history;
mod products;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use usage_billing_suger::types;

use self::entitlement_specs::EntitlementSpec;
use self::history::History;
pub(crate) use self::history::{GroupOutline, InitialStatus, Measure};
use super::seed::Seed;
use super::size::Size;
use super::{days_before, midnight};

/// Minimum number of days since the first entitlement.
const AGE: u64 = 400;

pub(crate) struct Organization {
    pub(crate) buyers: Vec<types::IdentityBuyer>,
    pub(crate) products: Vec<types::WorkloadProduct>,
    pub(crate) entitlements: Vec<types::WorkloadEntitlement>,
    pub(crate) metrics: BTreeMap<String, types::BillableMetric>,
    pub(crate) config: types::UsageMeteringConfigInfo,
    /// In the order of the entitlements.
    pub(crate) specs: Vec<EntitlementSpec>,
    pub(crate) history: History,
    /// Indexes of entitlements, by id.
    indexes: HashMap<String, usize>,
}

impl Organization {
    pub(crate) fn new(seed: Seed, size: &Size, now: DateTime<Utc>) -> Self {
        let founded = midnight(days_before(now.date_naive(), AGE.max(u64::from(size.months) * 31 + AGE / 10)));
        let (buyers, specs) = entitlement_specs::all(seed, size.entitlements);
        Self {
            buyers: buyers.iter().map(|buyer| catalogue::buyer(buyer, founded)).collect(),
            products: catalogue::products(founded),
            entitlements: specs.iter().map(|spec| catalogue::entitlement(spec, founded)).collect(),
            metrics: catalogue::metrics(founded),
            config: catalogue::config(),
            history: History::new(seed, size, &specs, now),
            indexes: specs.iter().map(EntitlementSpec::id).zip(0..).collect(),
            specs,
        }
    }

    /// Returns the index of an entitlement and of its spec.
    pub(crate) fn index(&self, id: &str) -> Option<usize> {
        self.indexes.get(id).copied()
    }

    pub(crate) fn entitlement(&self, id: &str) -> Option<&types::WorkloadEntitlement> {
        self.entitlements.get(self.index(id)?)
    }

    pub(crate) fn buyer(&self, id: &str) -> Option<&types::IdentityBuyer> {
        self.buyers.iter().find(|buyer| buyer.id.as_deref() == Some(id))
    }

    /// Returns the reason for which the marketplace rejects every report of an entitlement.
    pub(crate) fn rejection(&self, id: &str) -> Option<&'static str> {
        self.specs.get(self.index(id)?)?.rejection
    }

    pub(crate) fn product(&self, id: &str) -> Option<&types::WorkloadProduct> {
        self.products.iter().find(|product| product.id.as_deref() == Some(id))
    }
}

#[cfg(test)]
impl Organization {
    /// Creates the default organization, on a day in the middle of a month.
    pub(crate) fn of_tests() -> Self {
        Self::of_size(&Size::default(), 0)
    }

    pub(crate) fn of_size(size: &Size, seed: u64) -> Self {
        Self::new(Seed::new(seed), size, "2026-11-21T12:00:00Z".parse().unwrap())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::demo_credentials::SUGER_ORG_ID;

    #[test]
    fn catalogue_references_exist() {
        for (size, seed) in [(Size::default(), 0), (Size::default().entitlements(200), 7)] {
            let org = Organization::of_size(&size, seed);
            for entitlement in &org.entitlements {
                let of = |id: &Option<String>| id.clone().unwrap_or_default();
                assert!(org.buyer(&of(&entitlement.buyer_id)).is_some());
                let product = org.product(&of(&entitlement.product_id)).unwrap();
                assert_eq!(product.partner, entitlement.partner);
                let keys = |dimensions: &[types::MeteringDimension]| -> Vec<_> {
                    dimensions.iter().map(|dimension| dimension.key.clone()).collect()
                };
                let sold = keys(&entitlement.info.as_ref().unwrap().dimensions);
                assert_eq!(sold, keys(&product.info.as_ref().unwrap().dimensions));
                assert_eq!(org.entitlement(&of(&entitlement.id)).unwrap().id, entitlement.id);
            }
            let ids = org.entitlements.iter().map(|it| &it.id).chain(org.buyers.iter().map(|it| &it.id));
            assert!(ids.clone().all(|id| id.as_ref().unwrap().len() == 9));
            assert_eq!(ids.clone().collect::<HashSet<_>>().len(), ids.count());
            assert!(org.rejection("ent-azu02").is_some() && org.rejection("ent-azu01").is_none());
        }
        assert_eq!(SUGER_ORG_ID.len(), 9);
    }

    #[test]
    fn another_seed_has_other_names_and_the_same_ids() {
        let names = |seed| -> Vec<_> {
            Organization::of_size(&Size::default(), seed)
                .buyers
                .iter()
                .map(|it| (it.id.clone(), it.name.clone()))
                .collect()
        };
        let (default, other): (Vec<_>, Vec<_>) = (names(0), names(1));
        assert!(default.iter().zip(&other).all(|(one, other)| one.0 == other.0 && one.1 != other.1));
    }
}
