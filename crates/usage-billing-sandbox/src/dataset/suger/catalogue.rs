//! Buyers, products, entitlements and metrics in the vendor's types.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing_core::Decimal;
use usage_billing_suger::types;
use usage_billing_suger::types::Partner;

use super::entitlement_specs::{Buyer, EntitlementSpec};
use super::products::{Dimension, PRODUCTS, Product};
use crate::demo_credentials::SUGER_ORG_ID;

/// The billable metric of the dataset.
pub(super) const METRIC: &str = "gpu_seconds";
/// Price of a unit of the metric.
const METRIC_PRICE: Decimal = Decimal::from_parts(20, 0, 0, false, 4);

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
