//! Products and entitlements, in the vendor's types.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing_core::Decimal;
use usage_billing_suger::types;
use usage_billing_suger::types::Partner;

use super::entitlement_specs::{Buyer, EntitlementSpec};
use crate::demo_credentials::SUGER_ORG_ID;

/// The billable metric of the dataset.
pub(super) const METRIC: &str = "gpu_seconds";
/// Price of a unit of the metric.
const METRIC_PRICE: Decimal = Decimal::from_parts(20, 0, 0, false, 4);

pub(super) struct Dimension {
    pub(super) key: &'static str,
    name: &'static str,
    /// List price of a unit, in ten-thousandths.
    price: i64,
    /// Range of the quantities of groups in the dataset, and the decimal places of these numbers. `None`: only callers report it.
    pub(super) usual: Option<(u64, u64, u32)>,
}

/// The product of a marketplace.
pub(crate) struct Product {
    pub(super) id: &'static str,
    name: &'static str,
    partner: Partner,
    pub(super) dimensions: &'static [Dimension],
}

static PRODUCTS: [Product; 3] = [
    Product {
        id: "prd-aws01",
        name: "Analytics 分析, SaaS",
        partner: Partner::Aws,
        dimensions: &[
            Dimension { key: "ingest_gb", name: "Ingest, GB", price: 350, usual: Some((5, 20_000_000, 4)) },
            Dimension { key: "api_calls", name: "API calls", price: 2, usual: Some((10_000_000, 100_000_000, 2)) },
            Dimension { key: "api_calls_1k", name: "API calls, thousands", price: 2_000, usual: None },
            Dimension { key: "usd_cent", name: "US cents", price: 100, usual: None },
        ],
    },
    Product {
        id: "prd-azu01",
        name: "Analytics for Azure",
        partner: Partner::Azure,
        // Each report counts the seats of an hour or two.
        dimensions: &[Dimension { key: "seats", name: "Seats", price: 160, usual: Some((100, 400, 0)) }],
    },
    Product {
        id: "prd-gcp01",
        name: "Analytics for GCP",
        partner: Partner::Gcp,
        dimensions: &[
            Dimension { key: "node_hours", name: "Node hours", price: 9_125, usual: Some((500, 96_000, 3)) },
            Dimension { key: EXACT_DIGITS, name: "Exact digits (a test of decimals)", price: 0, usual: None },
        ],
    },
];

/// Returns the product that is sold on a marketplace.
pub(super) fn product_of(partner: &Partner) -> &'static Product {
    PRODUCTS.iter().find(|product| product.partner == *partner).unwrap_or(&PRODUCTS[0])
}

/// Used rarely, to test whether a client preserves all digits of a decimal.
pub(super) const EXACT_DIGITS: &str = "exact_digits_test";

pub(super) fn buyer(buyer: &Buyer, founded: DateTime<Utc>) -> types::IdentityBuyer {
    types::IdentityBuyer {
        id: Some(buyer.id.clone()),
        name: Some(buyer.name.clone()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        external_id: Some(format!("external-{}", buyer.id)),
        info: Some(Box::new(types::BuyerInfo {
            email_address: Some(format!("billing@{}", buyer.domain)),
            aws_buyer: match buyer.partner {
                Partner::Aws => {
                    [("customerAWSAccountId".to_owned(), buyer.aws_account.as_str().into())].into_iter().collect()
                }
                _ => serde_json::Map::new(),
            },
            ..Default::default()
        })),
        partner: Some(buyer.partner.clone()),
        creation_time: Some(founded),
        last_update_time: Some(founded),
        ..Default::default()
    }
}

pub(super) fn products(founded: DateTime<Utc>) -> Vec<types::WorkloadProduct> {
    let product = |product: &Product| types::WorkloadProduct {
        id: Some(product.id.to_owned()),
        name: Some(product.name.to_owned()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        service: Some(types::PartnerService::Marketplace),
        external_id: Some(format!("external-{}", product.id)),
        product_type: Some(match product.partner {
            Partner::Azure => types::ProductType::FlatRate,
            Partner::Gcp => types::ProductType::UsageBased,
            _ => types::ProductType::Subscription,
        }),
        partner: Some(product.partner.clone()),
        status: Some("ACTIVE".to_owned()),
        info: Some(Box::new(types::ProductInfo {
            currency: Some("USD".to_owned()),
            dimensions: priced(product.dimensions, 100),
            ..Default::default()
        })),
        creation_time: Some(founded),
        last_update_time: Some(founded),
        ..Default::default()
    };
    PRODUCTS.iter().map(product).collect()
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

pub(super) fn entitlement(spec: &EntitlementSpec, founded: DateTime<Utc>) -> types::WorkloadEntitlement {
    let billable_dimension = || types::BillableDimension {
        name: Some("GPU seconds".to_owned()),
        billable_metric_id: Some(METRIC.to_owned()),
        category: Some(types::PriceModelCategory::Basic),
        price_model_basic: Some(types::PriceModelBasic { unit_amount: Some(METRIC_PRICE.into()) }),
        ..Default::default()
    };
    types::WorkloadEntitlement {
        id: Some(spec.id()),
        name: Some(spec.name.clone()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        partner: Some(spec.partner.clone()),
        service: Some(types::PartnerService::Marketplace),
        buyer_id: Some(spec.buyer.clone()),
        product_id: Some(spec.product.id.to_owned()),
        offer_id: Some(spec.offer()),
        entitlement_term_id: Some(spec.term()),
        external_id: Some(format!("external-{}", spec.id())),
        external_buyer_id: Some(format!("external-{}", spec.buyer)),
        external_product_id: Some(format!("external-{}", spec.product.id)),
        status: Some(match spec.cancelled {
            true => types::EntitlementStatus::Cancelled,
            false => types::EntitlementStatus::Active,
        }),
        start_time: Some(founded),
        end_time: spec.cancelled.then(|| founded + TimeDelta::days(300)),
        info: Some(Box::new(types::EntitlementInfo {
            currency: Some("USD".to_owned()),
            dimensions: priced(spec.product.dimensions, spec.percent),
            billable_dimensions: spec.second_generation.then(billable_dimension).into_iter().collect(),
            ..Default::default()
        })),
        meta_info: spec
            .hubspot_deal
            .map(|id| types::WorkloadMetaInfo { hubspot_deal_id: Some(id.to_owned()), ..Default::default() })
            .map(Box::new),
        creation_time: Some(founded),
        last_update_time: Some(founded),
        ..Default::default()
    }
}

pub(super) fn metrics(founded: DateTime<Utc>) -> BTreeMap<String, types::BillableMetric> {
    let metric = types::BillableMetric {
        id: Some(METRIC.to_owned()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        name: Some("GPU seconds, all sizes".to_owned()),
        description: Some("Seconds of GPU time, by region".to_owned()),
        aggregation_type: Some(types::BillableMetricAggregationType::Sum),
        info: Some(types::BillableMetricInfo { group_bys: vec!["region".to_owned()], ..Default::default() }),
        status: Some(types::BillableMetricStatus::Active),
        creation_time: Some(founded),
        last_update_time: Some(founded),
    };
    BTreeMap::from([(METRIC.to_owned(), metric)])
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
