//! Suger: usage record groups and their reports, billable metrics, and the reads of a metering job.

mod aggregates;
mod catalogue;
mod dimension_mapping;
mod events;
mod groups;
mod historical_groups;
mod hourly_reporting;
mod marketplace_reporting;
mod metrics;
mod page_summary;
mod pagination;
mod report_usage;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::StatusCode;
use percent_encoding::percent_decode_str;
use usage_billing_core::Decimal;
use uuid::Uuid;

pub(crate) use self::page_summary::summary;

use self::state::UsageState;
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::demo_credentials::SUGER_ORG_ID;
use crate::http_util::oauth;
use crate::http_util::request::BodyError;
use crate::http_util::response::json;

/// The vendor documents no limit.
pub(crate) const MAX_BODY_BYTES: usize = 1 << 20;

/// The extractor of handlers.
type Shared = State<Arc<Suger>>;
type HandlerResult = Result<Response, Failure>;

pub(crate) struct Suger {
    dataset: Arc<Dataset>,
    clock: Clock,
    realm: Uuid,
    state: Mutex<UsageState>,
}

impl Suger {
    pub(crate) fn new(dataset: Arc<Dataset>, clock: Clock, realm: Uuid) -> Arc<Self> {
        let state = UsageState::new(&dataset.suger, clock.now());
        Arc::new(Self { dataset, clock, realm, state: Mutex::new(state) })
    }

    pub(crate) fn owns(path: &str) -> bool {
        path.starts_with("/org/")
    }

    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        let metrics = get(metrics::list).post(metrics::create);
        let metric = get(metrics::read).patch(metrics::update);
        let config = get(metrics::config).patch(metrics::update_config);
        Router::new()
            .route("/org/{org}/entitlement/{entitlement_id}/usageRecordGroup", post(report_usage::report))
            .route("/org/{org}/batchCreateUsageRecordGroups", post(report_usage::batch))
            .route("/org/{org}/batchValidateUsageRecordGroups", post(report_usage::validate))
            .route("/org/{org}/usageRecordGroup", get(groups::list))
            .route("/org/{org}/usageRecordGroup/aggregate", get(aggregates::of_groups))
            .route("/org/{org}/usageRecordGroup/{group_id}", delete(groups::delete))
            .route("/org/{org}/usageRecordGroup/{group_id}/retry", post(groups::retry))
            .route("/org/{org}/usageRecordReport", get(groups::list_reports))
            .route("/org/{org}/usageRecordReport/aggregate", get(aggregates::of_reports))
            .route("/org/{org}/partner/{partner}/usageMeteringDailyRecord", get(aggregates::daily))
            .route("/org/{org}/billableMetric", metrics)
            .route("/org/{org}/billableMetric/{metric_id}", metric)
            .route("/org/{org}/usageMeteringConfigInfo", config)
            .route("/org/{org}/entitlement", get(catalogue::entitlements))
            .route("/org/{org}/entitlement/{entitlement_id}", get(catalogue::entitlement))
            .route("/org/{org}/buyer", get(catalogue::buyers))
            .route("/org/{org}/buyer/{buyer_id}", get(catalogue::buyer))
            .route("/org/{org}/product", get(catalogue::products))
            .route("/org/{org}/product/{product_id}", get(catalogue::product))
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(self.clone())
    }

    /// Returns the state as of now.
    fn state(&self) -> MutexGuard<'_, UsageState> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.advance(self.clock.now(), &self.dataset.suger);
        state
    }
}

pub(crate) fn authenticate(request: &Request) -> Result<(), Failure> {
    if oauth::suger_access(request.headers()).is_none() {
        return Err(Failure(StatusCode::UNAUTHORIZED, "unauthorized".to_owned()));
    }
    let organization = request.uri().path().split('/').nth(2).unwrap_or_default();
    match percent_decode_str(organization).decode_utf8_lossy() == SUGER_ORG_ID {
        true => Ok(()),
        false => Err(Failure::not_found("organization not found")),
    }
}

/// Adds two numbers; a sum out of range stays at the first one.
fn sum(one: Decimal, other: Decimal) -> Decimal {
    one.checked_add(other).unwrap_or(one)
}

/// An error, which is a bare JSON string.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) StatusCode, pub(crate) String);

impl Failure {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, message.into())
    }

    pub(crate) fn not_found(message: &str) -> Self {
        Self(StatusCode::NOT_FOUND, message.to_owned())
    }

    fn full() -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, "the sandbox is full: start a new one".to_owned())
    }
}

impl From<BodyError> for Failure {
    fn from(bad: BodyError) -> Self {
        match bad {
            BodyError::TooLarge => Self(StatusCode::PAYLOAD_TOO_LARGE, "request body too large".to_owned()),
            BodyError::MediaType => Self(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not application/json".to_owned()),
            BodyError::Invalid(reason) => Self::bad_request(format!("invalid request body: {reason}")),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        json(self.0, &self.1)
    }
}
