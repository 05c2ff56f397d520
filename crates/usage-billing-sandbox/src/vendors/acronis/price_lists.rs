//! Pricelist API v1: the vendor's prices for the partner by month. It has its own form of errors.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use http::StatusCode;
use usage_billing_acronis::types;
use usage_billing_core::Decimal;
use uuid::Uuid;

use super::Shared;
use crate::dataset::acronis::{PriceList, Tree, price_list};
use crate::dataset::month_of;
use crate::http_util::request::Params;
use crate::http_util::response::{json, ok};

pub(super) const PATH: &str = "/api/price_sync/v1/effective_price_lists";
/// The vendor documents no limit.
const MAX_MONTHS: usize = 120;

/// An error of this API.
pub(crate) struct PriceListFailure {
    status: StatusCode,
    message: String,
}

impl PriceListFailure {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

impl IntoResponse for PriceListFailure {
    fn into_response(self) -> Response {
        let (domain, code) = match self.status.as_u16() {
            401 => ("ACCESS", "UNAUTHORIZED_REQUEST"),
            403 => ("ACCESS", "ACCESS_DENIED_ERROR"),
            500.. => ("GENERAL", "INTERNAL_SERVER_ERROR"),
            _ => ("GENERAL", "BAD_REQUEST_ERROR"),
        };
        let body = types::PriceListError {
            domain: domain.to_owned(),
            code: code.to_owned(),
            reason: Some(code.to_owned()),
            message: Some(self.message),
            context: serde_json::Map::new(),
        };
        json(self.status, &body)
    }
}

pub(super) async fn list(State(acronis): Shared, query: Params) -> Result<Response, PriceListFailure> {
    let bad = |message| PriceListFailure::new(StatusCode::BAD_REQUEST, message);
    let tenant = query.get("tenant_id").and_then(|id| Uuid::try_parse(id).ok()).ok_or_else(|| bad("tenant_id"))?;
    let months = query.get("months").and_then(months).ok_or_else(|| bad("months: YYYY-MM, joined by commas"))?;
    let index = acronis.dataset.acronis.find(tenant);
    let index = index.ok_or_else(|| PriceListFailure::new(StatusCode::FORBIDDEN, "The tenant is out of reach."))?;
    let this_month = month_of(acronis.dataset.today());
    // The vendor sells to the partner only; future months have no price.
    let known = months.into_iter().filter(|month| index == Tree::OWN && *month <= this_month);
    let price_lists = known.map(|month| describe(price_list(month))).collect();
    Ok(ok(&types::EffectivePriceLists { price_lists }))
}

/// Returns each month once; `None` if one is not valid.
fn months(text: &str) -> Option<Vec<NaiveDate>> {
    let mut months: Vec<NaiveDate> =
        text.split(',').map(|month| format!("{}-01", month.trim()).parse().ok()).collect::<Option<_>>()?;
    months.sort_unstable();
    months.dedup();
    (months.len() <= MAX_MONTHS).then_some(months)
}

fn describe(list: PriceList) -> types::EffectivePriceList {
    let text = |number: Decimal| Some(number.into());
    let prices = list.prices.iter().map(|price| types::EffectivePrice {
        sku: price.sku.to_owned(),
        effective_price: text(price.effective),
        list_price: text(price.list),
        sku_discount: text(price.sku_discount),
        pricelist_discount: text(price.list_discount),
        category: Some("Cyber Protect Cloud".to_owned()),
        sub_category: Some("Demo".to_owned()),
        name: Some(format!("Demo - {}", price.item)),
        friendly_name: Some(price.item.to_owned()),
    });
    types::EffectivePriceList {
        month: list.month.format("%Y-%m").to_string(),
        currency: list.currency.to_owned(),
        commitment: Some(list.commitment.to_owned()),
        pricelist_code: Some(list.code.clone()),
        prices: prices.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_months_are_removed() {
        let read = |text| months(text).map(|months| months.iter().map(NaiveDate::to_string).collect::<Vec<_>>());
        assert_eq!(read("2026-10,2026-09, 2026-10").unwrap(), ["2026-09-01", "2026-10-01"]);
        for wrong in ["", "2026", "2026-13", "2026-10-01", "2026-10,", "x"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
