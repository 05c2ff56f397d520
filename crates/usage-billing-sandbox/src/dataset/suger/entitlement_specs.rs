//! Buyers and their entitlements: a table of special cases, and as many more as the size needs.

use usage_billing_suger::types::Partner;

use super::products::{Product, product_of};
use crate::dataset::names::company;
use crate::dataset::seed::Seed;

pub(crate) struct Buyer {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) partner: Partner,
    /// Domain of its email addresses.
    pub(super) domain: String,
    pub(super) aws_account: String,
}

pub(crate) struct EntitlementSpec {
    /// Suffix of its ids.
    key: String,
    pub(super) name: String,
    pub(crate) partner: Partner,
    /// The buyer's id.
    pub(crate) buyer: String,
    pub(crate) buyer_name: String,
    pub(super) product: &'static Product,
    /// Percentage of the list price.
    pub(super) percent: i64,
    pub(super) cancelled: bool,
    /// Whether Suger bills it from billable metrics.
    pub(super) second_generation: bool,
    /// The reason for which the marketplace rejects every report, if it does.
    pub(crate) rejection: Option<&'static str>,
    pub(super) hubspot_deal: Option<&'static str>,
}

/// One in this number of generated entitlements is cancelled or rejected.
const ONE_IN: usize = 20;

impl EntitlementSpec {
    /// Returns the id of the entitlement.
    pub(crate) fn id(&self) -> String {
        format!("ent-{}", self.key)
    }

    pub(super) fn offer(&self) -> String {
        format!("off-{}", self.key)
    }

    pub(super) fn term(&self) -> String {
        format!("trm-{}", self.key)
    }

    /// Returns the weight with which reports of the entitlement are drawn. A cancelled one has few reports.
    pub(super) fn weight(&self) -> usize {
        match (self.cancelled, self.rejection) {
            (true, _) => 1,
            (_, Some(_)) => 6,
            _ => 60,
        }
    }
}

fn buyer(seed: Seed, at: u64, key: &str, name: &str, partner: Partner, domain: &str) -> Buyer {
    Buyer {
        id: format!("buy-{key}"),
        name: if seed.is_default() && !name.is_empty() { name.to_owned() } else { company(seed, 3, at) },
        partner,
        domain: domain.to_owned(),
        aws_account: format!("{}", 100_000_000_003 + at * 7_919),
    }
}

/// Returns the buyers, and a number of entitlements.
pub(super) fn all(seed: Seed, count: u32) -> (Vec<Buyer>, Vec<EntitlementSpec>) {
    let mut buyers = vec![
        buyer(seed, 0, "aws01", "Nordwind & Søn, ApS", Partner::Aws, "nordwind.example"),
        buyer(seed, 1, "azu01", "Harbor Lane Retail, \"HLR\"", Partner::Azure, "harborlane.example"),
        buyer(seed, 2, "gcp01", "株式会社さくら", Partner::Gcp, "sakura.example"),
    ];
    let spec = |key: &str, name: &str, percent: i64, buyer: &Buyer| EntitlementSpec {
        key: key.to_owned(),
        name: if seed.is_default() { name.to_owned() } else { format!("{}, {}", buyer.name, key) },
        partner: buyer.partner.clone(),
        buyer: buyer.id.clone(),
        buyer_name: buyer.name.clone(),
        product: product_of(&buyer.partner),
        percent,
        cancelled: false,
        second_generation: buyer.partner == Partner::Gcp,
        rejection: None,
        hubspot_deal: None,
    };
    const REJECTED: Option<&str> = Some("dimension is not in the plan");
    let mut specs = vec![
        EntitlementSpec {
            hubspot_deal: Some("900000001"),
            ..spec("aws01", "Nordwind & Søn, Analytics 分析", 90, &buyers[0])
        },
        spec("azu01", "Harbor Lane, seats by the hour", 100, &buyers[1]),
        spec("gcp01", "さくら, GPU", 100, &buyers[2]),
        EntitlementSpec { cancelled: true, ..spec("aws02", "Nordwind & Søn, trial of 2024", 100, &buyers[0]) },
        EntitlementSpec { rejection: REJECTED, ..spec("azu02", "Harbor Lane, plan without seats", 100, &buyers[1]) },
    ];
    for at in specs.len()..usize::try_from(count).unwrap_or_default() {
        let key = format!("{at:05}");
        // Each buyer has two entitlements.
        if at % 2 == 1 {
            let partner = [Partner::Aws, Partner::Azure, Partner::Gcp][at / 2 % 3].clone();
            buyers.push(buyer(seed, at as u64, &key, "", partner, &format!("customer-{at}.example")));
        }
        let Some(buyer) = buyers.last() else { break };
        let percent = 80 + seed.chance(&[72, at as u64], 21);
        let mut more = spec(&key, &format!("{}, deal {at}", buyer.name), percent, buyer);
        more.cancelled = at % ONE_IN == 0;
        more.rejection = REJECTED.filter(|_| more.partner == Partner::Azure && at % ONE_IN == 9);
        specs.push(more);
    }
    (buyers, specs)
}
