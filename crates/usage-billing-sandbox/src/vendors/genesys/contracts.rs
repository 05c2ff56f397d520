//! Contracts and their billing periods (preview).

use axum::extract::{Path, State};
use chrono::NaiveDate;
use http::Uri;
use usage_billing_genesys::types;

use super::error::Failure;
use super::pagination::{self, PageRequest, listing};
use super::{HandlerResult, MAX_LIST, Shared};
use crate::http_util::request::Params;
use crate::http_util::response::ok;

/// Default page size, which is not documented.
pub(super) const DEFAULT_LIST: usize = 50;

pub(super) async fn list(State(genesys): Shared, query: Params, uri: Uri) -> HandlerResult {
    let page_request = PageRequest::read(&query, DEFAULT_LIST, MAX_LIST)?;
    let (from, to) = days(&query)?;
    let status = query.get("status").map(types::BillingContractStatus::from);
    if let Some(types::BillingContractStatus::Unknown(status)) = &status {
        return Err(Failure::no_such_value(status.as_str()));
    }
    let number = query.get("externalNumber");
    let mut contracts = genesys.dataset.genesys.contracts(genesys.calendar());
    // Contracts that are active on any day of the span.
    contracts.retain(|contract| {
        contract.date_end >= from
            && to.is_none_or(|to| contract.date_start <= Some(to))
            && (status.is_none() || contract.status == status)
            && (number.is_none() || contract.external_number.as_deref() == number)
    });
    Ok(listing!(BillingContractListing, page_request.of(contracts), uri))
}

pub(super) async fn contract(State(genesys): Shared, Path(id): Path<String>) -> HandlerResult {
    let contract = genesys.dataset.genesys.contract(genesys.calendar(), &id);
    Ok(ok(&contract.ok_or_else(|| Failure::not_found(&id))?))
}

pub(super) async fn period(State(genesys): Shared, Path((contract, id)): Path<(String, String)>) -> HandlerResult {
    let calendar = genesys.calendar();
    if genesys.dataset.genesys.contract(calendar, &contract).is_none() {
        return Err(Failure::not_found(&contract));
    }
    let period = genesys.dataset.genesys.period(calendar, &contract, &id);
    Ok(ok(&period.ok_or_else(|| Failure::not_found(&id))?))
}

/// Parses `dateStart` and `dateEnd` of a list.
pub(super) fn days(query: &Params) -> Result<(Option<NaiveDate>, Option<NaiveDate>), Failure> {
    let day = |name: &str| {
        let read = |text: &str| {
            text.parse::<NaiveDate>()
                .map_err(|_| Failure::invalid_date(format!("{name} is not a day such as 2026-09-01: {text}")))
        };
        query.get(name).map(read).transpose()
    };
    let (from, to) = (day("dateStart")?, day("dateEnd")?);
    if to.is_some_and(|to| Some(to) < from) {
        return Err(Failure::invalid_date("dateEnd is before dateStart."));
    }
    Ok((from, to))
}
