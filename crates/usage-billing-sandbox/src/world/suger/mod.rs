//! Suger: an organization that sells through three marketplaces, what its buyers bought, and two months of usage.
//!
//! What became of the usage is not told here: the hourly runs of the sandbox work that out, for the past as for the
//! present.

mod catalogue;
mod usage;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use usage_billing_suger::types;

use super::{days_before, midnight};
pub(crate) use usage::history;

/// Days between the first deal and today.
const AGE: u64 = 400;

pub(crate) struct Organization {
    pub(crate) buyers: Vec<types::IdentityBuyer>,
    pub(crate) products: Vec<types::WorkloadProduct>,
    pub(crate) entitlements: Vec<types::WorkloadEntitlement>,
    pub(crate) metrics: Vec<types::BillableMetric>,
    pub(crate) config: types::UsageMeteringConfigInfo,
    /// What the marketplace says to every report of an entitlement that it refuses, by the entitlement's id.
    pub(crate) refused: BTreeMap<&'static str, &'static str>,
}

impl Organization {
    pub(crate) fn new(today: NaiveDate) -> Self {
        let founded = midnight(days_before(today, AGE));
        Self {
            buyers: catalogue::buyers(founded),
            products: catalogue::products(founded),
            entitlements: catalogue::entitlements(founded),
            metrics: catalogue::metrics(founded),
            config: catalogue::config(),
            refused: catalogue::refused(),
        }
    }

    pub(crate) fn entitlement(&self, id: &str) -> Option<&types::WorkloadEntitlement> {
        self.entitlements.iter().find(|entitlement| entitlement.id.as_deref() == Some(id))
    }

    pub(crate) fn buyer(&self, id: &str) -> Option<&types::IdentityBuyer> {
        self.buyers.iter().find(|buyer| buyer.id.as_deref() == Some(id))
    }

    pub(crate) fn product(&self, id: &str) -> Option<&types::WorkloadProduct> {
        self.products.iter().find(|product| product.id.as_deref() == Some(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SUGER_ORG_ID;

    #[test]
    fn whatever_is_named_in_the_catalogue_is_there() {
        let org = Organization::new("2026-11-21".parse().unwrap());
        for entitlement in &org.entitlements {
            let of = |id: &Option<String>| id.clone().unwrap_or_default();
            assert!(org.buyer(&of(&entitlement.buyer_id)).is_some());
            let product = org.product(&of(&entitlement.product_id)).unwrap();
            let keys = |dimensions: &[types::MeteringDimension]| -> Vec<_> {
                dimensions.iter().map(|dimension| dimension.key.clone()).collect()
            };
            let sold = keys(&entitlement.info.as_ref().unwrap().dimensions);
            assert_eq!(sold, keys(&product.info.as_ref().unwrap().dimensions));
        }
        assert!(org.refused.keys().all(|id| org.entitlement(id).is_some()));
        assert!([SUGER_ORG_ID, "ent-aws01", "buy-gcp01", "prd-azu01"].iter().all(|id| id.len() == 9));
    }
}
