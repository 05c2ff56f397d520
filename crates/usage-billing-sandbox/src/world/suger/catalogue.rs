//! Buyers, products, what was sold, and how it is metered.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing_core::Decimal;
use usage_billing_suger::types;
use usage_billing_suger::types::Partner;

use crate::SUGER_ORG_ID;

/// The billable metric of the world.
pub(super) const METRIC: &str = "gpu_seconds";
/// What a unit of it costs. A price model is free-form JSON, so the name of its one field is the sandbox's own.
const METRIC_PRICE: &str = "0.0020";

pub(super) struct Deal {
    pub(super) id: &'static str,
    name: &'static str,
    pub(super) partner: Partner,
    pub(super) buyer: &'static str,
    pub(super) product: &'static str,
    offer: &'static str,
    term: &'static str,
    /// What is paid of the list price.
    percent: i64,
    cancelled: bool,
    /// Billed by Suger itself, from billable metrics.
    pub(super) second_generation: bool,
    /// What the marketplace says to every report, if it takes none.
    refused: Option<&'static str>,
    deal_in_hubspot: Option<&'static str>,
}

/// Id, name, partner, mail domain.
const BUYERS: [(&str, &str, Partner, &str); 3] = [
    ("buy-aws01", "Nordwind & Søn, ApS", Partner::Aws, "nordwind.example"),
    ("buy-azu01", "Harbor Lane Retail, \"HLR\"", Partner::Azure, "harborlane.example"),
    ("buy-gcp01", "株式会社さくら", Partner::Gcp, "sakura.example"),
];

pub(super) struct Dimension {
    pub(super) key: &'static str,
    name: &'static str,
    /// List price of a unit, in ten-thousandths.
    price: i64,
    /// Least and most that a group of the world reports, and the places that stand behind the point in these numbers.
    /// `None`: there for those who report themselves.
    pub(super) usual: Option<(u64, u64, u32)>,
}

/// Id, name, partner, dimensions.
const PRODUCTS: [(&str, &str, Partner, &[Dimension]); 3] = [
    (
        "prd-aws01",
        "Analytics 分析, SaaS",
        Partner::Aws,
        &[
            Dimension { key: "ingest_gb", name: "Ingest, GB", price: 350, usual: Some((5, 20_000_000, 4)) },
            Dimension { key: "api_calls", name: "API calls", price: 2, usual: Some((10_000_000, 100_000_000, 2)) },
            Dimension { key: "api_calls_1k", name: "API calls, thousands", price: 2_000, usual: None },
            Dimension { key: "usd_cent", name: "US cents", price: 100, usual: None },
        ],
    ),
    (
        "prd-azu01",
        "Analytics for Azure",
        Partner::Azure,
        // Each report counts the seats of an hour or two.
        &[Dimension { key: "seats", name: "Seats", price: 160, usual: Some((100, 400, 0)) }],
    ),
    (
        "prd-gcp01",
        "Analytics for GCP",
        Partner::Gcp,
        &[
            Dimension { key: "node_hours", name: "Node hours", price: 9_125, usual: Some((500, 96_000, 3)) },
            Dimension { key: EXACT_DIGITS, name: "Exact digits (a test of decimals)", price: 0, usual: None },
        ],
    ),
];

/// Used now and then, and only to see whether a client keeps all digits of a decimal.
pub(super) const EXACT_DIGITS: &str = "exact_digits_test";

pub(super) const AWS: Deal = Deal {
    id: "ent-aws01",
    name: "Nordwind & Søn, Analytics 分析",
    partner: Partner::Aws,
    buyer: "buy-aws01",
    product: "prd-aws01",
    offer: "off-aws01",
    term: "trm-aws01",
    percent: 90,
    cancelled: false,
    second_generation: false,
    refused: None,
    deal_in_hubspot: Some("900000001"),
};

pub(super) const AZURE: Deal = Deal {
    id: "ent-azu01",
    name: "Harbor Lane, seats by the hour",
    partner: Partner::Azure,
    buyer: "buy-azu01",
    product: "prd-azu01",
    offer: "off-azu01",
    term: "trm-azu01",
    percent: 100,
    deal_in_hubspot: None,
    ..AWS
};

pub(super) const GCP: Deal = Deal {
    id: "ent-gcp01",
    name: "さくら, GPU",
    partner: Partner::Gcp,
    buyer: "buy-gcp01",
    product: "prd-gcp01",
    offer: "off-gcp01",
    term: "trm-gcp01",
    percent: 100,
    second_generation: true,
    deal_in_hubspot: None,
    ..AWS
};

pub(super) const CANCELLED: Deal = Deal {
    id: "ent-aws02",
    name: "Nordwind & Søn, trial of 2024",
    offer: "off-aws02",
    term: "trm-aws02",
    percent: 100,
    cancelled: true,
    deal_in_hubspot: None,
    ..AWS
};

pub(super) const REFUSED: Deal = Deal {
    id: "ent-azu02",
    name: "Harbor Lane, plan without seats",
    offer: "off-azu02",
    term: "trm-azu02",
    refused: Some("dimension is not in the plan"),
    ..AZURE
};

const DEALS: [Deal; 5] = [AWS, AZURE, GCP, CANCELLED, REFUSED];

pub(super) fn refused() -> BTreeMap<&'static str, &'static str> {
    DEALS.into_iter().filter_map(|deal| Some((deal.id, deal.refused?))).collect()
}

pub(super) fn buyers(founded: DateTime<Utc>) -> Vec<types::IdentityBuyer> {
    let buyer = |(id, name, partner, domain): (&str, &str, Partner, &str)| types::IdentityBuyer {
        id: Some(id.to_owned()),
        name: Some(name.to_owned()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        external_id: Some(format!("external-{id}")),
        info: Some(types::BuyerInfo {
            email_address: Some(format!("billing@{domain}")),
            aws_buyer: match partner {
                Partner::Aws => [("customerAWSAccountId".to_owned(), "100000000003".into())].into_iter().collect(),
                _ => serde_json::Map::new(),
            },
            ..Default::default()
        }),
        partner: Some(partner),
        creation_time: Some(founded),
        last_update_time: Some(founded),
        ..Default::default()
    };
    BUYERS.map(buyer).into()
}

pub(super) fn products(founded: DateTime<Utc>) -> Vec<types::WorkloadProduct> {
    let product = |(id, name, partner, listed): (&str, &str, Partner, &[Dimension])| types::WorkloadProduct {
        id: Some(id.to_owned()),
        name: Some(name.to_owned()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        service: Some(types::PartnerService::Marketplace),
        external_id: Some(format!("external-{id}")),
        product_type: Some(match partner {
            Partner::Azure => types::ProductType::FlatRate,
            Partner::Gcp => types::ProductType::UsageBased,
            _ => types::ProductType::Subscription,
        }),
        partner: Some(partner),
        status: Some("ACTIVE".to_owned()),
        info: Some(types::ProductInfo {
            currency: Some("USD".to_owned()),
            dimensions: priced(listed, 100),
            ..Default::default()
        }),
        creation_time: Some(founded),
        last_update_time: Some(founded),
        ..Default::default()
    };
    PRODUCTS.map(product).into()
}

fn priced(dimensions: &[Dimension], percent: i64) -> Vec<types::MeteringDimension> {
    let priced = |dimension: &Dimension| types::MeteringDimension {
        key: Some(dimension.key.to_owned()),
        name: Some(dimension.name.to_owned()),
        rate: Some(Decimal::new(dimension.price * percent, 6).normalize().into()),
        types: vec!["Metered".to_owned()],
        ..Default::default()
    };
    dimensions.iter().map(priced).collect()
}

pub(super) fn dimensions(product: &str) -> &'static [Dimension] {
    PRODUCTS.iter().find(|(id, ..)| *id == product).map_or(&[], |(.., dimensions)| dimensions)
}

pub(super) fn entitlements(founded: DateTime<Utc>) -> Vec<types::WorkloadEntitlement> {
    DEALS.map(|deal| entitlement(deal, founded)).into()
}

fn entitlement(deal: Deal, founded: DateTime<Utc>) -> types::WorkloadEntitlement {
    let billable_dimension = || types::BillableDimension {
        name: Some("GPU seconds".to_owned()),
        billable_metric_id: Some(METRIC.to_owned()),
        category: Some(types::PriceModelCategory::Basic),
        price_model_basic: [("unitPrice".to_owned(), METRIC_PRICE.into())].into_iter().collect(),
        ..Default::default()
    };
    types::WorkloadEntitlement {
        id: Some(deal.id.to_owned()),
        name: Some(deal.name.to_owned()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        partner: Some(deal.partner),
        service: Some(types::PartnerService::Marketplace),
        buyer_id: Some(deal.buyer.to_owned()),
        product_id: Some(deal.product.to_owned()),
        offer_id: Some(deal.offer.to_owned()),
        entitlement_term_id: Some(deal.term.to_owned()),
        external_id: Some(format!("external-{}", deal.id)),
        external_buyer_id: Some(format!("external-{}", deal.buyer)),
        external_product_id: Some(format!("external-{}", deal.product)),
        status: Some(match deal.cancelled {
            true => types::EntitlementStatus::Cancelled,
            false => types::EntitlementStatus::Active,
        }),
        start_time: Some(founded),
        end_time: deal.cancelled.then(|| founded + TimeDelta::days(300)),
        info: Some(types::EntitlementInfo {
            currency: Some("USD".to_owned()),
            dimensions: priced(dimensions(deal.product), deal.percent),
            billable_dimensions: deal.second_generation.then(billable_dimension).into_iter().collect(),
            ..Default::default()
        }),
        meta_info: deal
            .deal_in_hubspot
            .map(|id| types::WorkloadMetaInfo { hubspot_deal_id: Some(id.to_owned()), ..Default::default() }),
        creation_time: Some(founded),
        last_update_time: Some(founded),
        ..Default::default()
    }
}

pub(super) fn metrics(founded: DateTime<Utc>) -> Vec<types::BillableMetric> {
    vec![types::BillableMetric {
        id: Some(METRIC.to_owned()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        name: Some("GPU seconds, all sizes".to_owned()),
        description: Some("Seconds of GPU time, by region".to_owned()),
        aggregation_type: Some(types::BillableMetricAggregationType::Sum),
        info: Some(types::BillableMetricInfo { group_bys: vec!["region".to_owned()], ..Default::default() }),
        status: Some(types::BillableMetricStatus::Active),
        creation_time: Some(founded),
        last_update_time: Some(founded),
    }]
}

pub(super) fn config() -> types::UsageMeteringConfigInfo {
    let of = |partner| types::PartnerUsageMeteringConfig {
        partner: Some(partner),
        enable_dimension_mapping: Some(false),
        enable_billable_dimension: Some(true),
        enable_commit_with_additional_usage_metering: Some(false),
        enable_commit_with_additional_usage_at_list_price: Some(false),
        ..Default::default()
    };
    types::UsageMeteringConfigInfo {
        partner_usage_metering_configs: [Partner::Aws, Partner::Azure, Partner::Gcp].map(of).into(),
    }
}
