//! Buyers, products, entitlements. Lists are bare arrays.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use usage_billing_core::Decimal;
use usage_billing_suger::types;

use super::pagination::{self, Page};
use super::{Failure, HandlerResult, Shared, aggregates, sum};
use crate::http_util::request::Params;
use crate::http_util::response::ok;

pub(super) async fn buyers(State(suger): Shared, query: Params) -> HandlerResult {
    let page = Page::from_query(&query, 1000)?;
    let partner = pagination::partner(&query)?;
    let expected = suger.dataset.suger.buyers.iter().filter(|buyer| {
        let info = buyer.info.as_ref();
        let email = info.and_then(|info| info.email_address.as_deref()).unwrap_or_default();
        (partner.is_none() || buyer.partner == partner)
            && query.get("emailDomain").is_none_or(|domain| email.rsplit('@').next() == Some(domain))
            && query.get("awsAccountId").is_none_or(|account| aws_account(buyer) == Some(account))
    });
    Ok(ok(&page.of(expected).0))
}

fn aws_account(buyer: &types::IdentityBuyer) -> Option<&str> {
    buyer.info.as_ref()?.aws_buyer.get("customerAWSAccountId")?.as_str()
}

pub(super) async fn buyer(State(suger): Shared, Path((_, id)): Path<(String, String)>) -> HandlerResult {
    let buyer = suger.dataset.suger.buyer(&id).ok_or_else(|| Failure::not_found("buyer not found"))?;
    Ok(ok(buyer))
}

pub(super) async fn products(State(suger): Shared, query: Params) -> HandlerResult {
    let page = Page::from_query(&query, 100)?;
    let partner = pagination::partner(&query)?;
    let products = suger.dataset.suger.products.iter();
    let expected = products.filter(|product| partner.is_none() || product.partner == partner);
    Ok(ok(&page.of(expected).0))
}

pub(super) async fn product(State(suger): Shared, Path((_, id)): Path<(String, String)>) -> HandlerResult {
    let product = suger.dataset.suger.product(&id).ok_or_else(|| Failure::not_found("product not found"))?;
    Ok(ok(product))
}

pub(super) async fn entitlements(State(suger): Shared, query: Params) -> HandlerResult {
    let page = Page::from_query(&query, 1000)?;
    let partner = pagination::partner(&query)?;
    let expected = suger.dataset.suger.entitlements.iter().filter(|entitlement| {
        let buyer = entitlement.buyer_id.as_deref().and_then(|id| suger.dataset.suger.buyer(id));
        let meta = entitlement.meta_info.clone().unwrap_or_default();
        let is = |name: &str, value: &Option<String>| {
            query.get(name).is_none_or(|expected| value.as_deref() == Some(expected))
        };
        (partner.is_none() || entitlement.partner == partner)
            && is("productId", &entitlement.product_id)
            && is("offerId", &entitlement.offer_id)
            && is("buyerId", &entitlement.buyer_id)
            && is("externalId", &entitlement.external_id)
            && query.get("awsAccountId").is_none_or(|account| buyer.and_then(aws_account) == Some(account))
            && is("hubspotDealId", &meta.hubspot_deal_id)
            && is("salesforceOpportunityId", &meta.salesforce_opportunity_id)
    });
    Ok(ok(&page.of(expected).0))
}

/// Returns an entitlement with the running totals of its dimensions, which lists do not have.
pub(super) async fn entitlement(State(suger): Shared, Path((_, id)): Path<(String, String)>) -> HandlerResult {
    let entitlement =
        suger.dataset.suger.entitlement(&id).ok_or_else(|| Failure::not_found("entitlement not found"))?;
    let state = suger.state();
    let mut counts: BTreeMap<&str, Decimal> =
        suger.dataset.suger.index(&id).map_or_else(BTreeMap::new, |index| state.past.taken(index).collect());
    let reports = state.reports.iter().filter(|report| report.entitlement_id.as_ref() == Some(&id));
    for (key, quantity) in reports.filter_map(aggregates::taken).flat_map(|info| &info.reported_records) {
        let count = counts.entry(key).or_default();
        *count = sum(*count, quantity.0);
    }
    let mut entitlement = entitlement.clone();
    for dimension in entitlement.info.iter_mut().flat_map(|info| &mut info.dimensions) {
        let count = counts.get(dimension.key.as_deref().unwrap_or_default()).copied().unwrap_or_default();
        dimension.usage_count = Some(types::UsageCount {
            reported_count: Some(count.normalize().into()),
            included_count: Some(Decimal::ZERO.into()),
            credit_count: Some(Decimal::ZERO.into()),
        });
    }
    Ok(ok(&entitlement))
}
