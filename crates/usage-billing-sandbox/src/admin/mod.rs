//! `/_sandbox`: the admin API of the sandbox, for tests in any language. Its requests are not logged, and faults do not apply to them.

pub(crate) mod expected_usage;
pub(crate) mod page;
pub(crate) mod reset;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{any, delete, get};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use usage_billing_acronis::types::ReportLevel;

use crate::admin::expected_usage::{Bill, expected_usage, last_month, read_period};
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::http_util::request::{BodyError, Params, RequestBody};
use crate::http_util::response;
use crate::middleware::fault_injection::{Fault, Faults};
use crate::middleware::request_log::Log;

pub(crate) struct Admin {
    pub(crate) clock: Clock,
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) log: Arc<Log>,
}

pub(crate) fn routes(admin: Admin) -> Router {
    Router::new()
        .route("/_sandbox/clock", get(time).post(advance))
        .route("/_sandbox/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/_sandbox/faults/{id}", delete(remove_fault))
        .route("/_sandbox/expected", get(expected))
        .route("/_sandbox/log", get(log))
        .route("/_sandbox/{*other}", any(unknown_path))
        .method_not_allowed_fallback(unknown_method)
        .with_state(Arc::new(admin))
}

async fn time(State(admin): State<Arc<Admin>>) -> Response {
    response::ok(&json!({"now": admin.clock.now()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

async fn advance(State(admin): State<Arc<Admin>>, body: RequestBody) -> Response {
    match body.json::<Advance>() {
        Ok(advance) => {
            admin.clock.advance(Duration::from_secs(advance.advance_seconds));
            time(State(admin)).await
        }
        Err(error) => rejected(error),
    }
}

async fn faults(State(admin): State<Arc<Admin>>) -> Response {
    let (seed, rules) = (admin.faults.seed(), admin.faults.rules());
    response::ok(&json!({"seed": seed, "faults": rules}))
}

/// One fault or an array of them, each an object or a string in the short form.
#[derive(Deserialize)]
#[serde(untagged)]
enum FaultList {
    Many(Vec<serde_json::Value>),
    One(serde_json::Value),
}

async fn add_faults(State(admin): State<Arc<Admin>>, body: RequestBody) -> Response {
    let values = match body.json::<FaultList>() {
        Ok(FaultList::Many(many)) => many,
        Ok(FaultList::One(one)) => vec![one],
        Err(error) => return rejected(error),
    };
    let added =
        values.into_iter().map(Fault::from_value).collect::<Result<Vec<_>, _>>().and_then(|all| admin.faults.add(all));
    match added {
        Ok(()) => faults(State(admin)).await,
        Err(error) => bad_request(&error.to_string()),
    }
}

async fn clear_faults(State(admin): State<Arc<Admin>>) -> Response {
    admin.faults.clear();
    faults(State(admin)).await
}

async fn remove_fault(State(admin): State<Arc<Admin>>, Path(id): Path<String>) -> Response {
    match id.parse().is_ok_and(|id| admin.faults.remove(id)) {
        true => faults(State(admin)).await,
        false => response::message(StatusCode::NOT_FOUND, "There is no such fault."),
    }
}

/// Returns the true bills; see [`Sandbox::expected_usage`](crate::Sandbox::expected_usage).
async fn expected(State(admin): State<Arc<Admin>>, query: Params) -> Response {
    if let Some(name) = query.names().find(|name| !["period", "level"].contains(name)) {
        return bad_request(&format!("{name}: there is no such parameter, only period and level"));
    }
    let today = admin.dataset.today();
    let period = match query.get("period").map_or_else(|| Ok(last_month(today)), read_period) {
        Ok(period) => period,
        Err(reason) => return bad_request(&reason),
    };
    let level = query.get("level").map_or(ReportLevel::DirectPartners, ReportLevel::from);
    if let ReportLevel::Unknown(level) = &level {
        let known: Vec<_> = ReportLevel::KNOWN.iter().map(ReportLevel::as_str).collect();
        return bad_request(&format!("level: there is no {}, only {}", level.as_str(), known.join(", ")));
    }
    let compute = move || {
        let rows = |bill: &Bill| expected_usage(&admin.dataset, bill, period.clone());
        let body = json!({
            "start": period.start,
            "end": period.end,
            "acronis": rows(&Bill::Acronis(level.clone())),
            "acronis_per_gigabyte": rows(&Bill::AcronisPerGigabyte(level)),
            "genesys": rows(&Bill::Genesys),
            "genesys_clients": rows(&Bill::GenesysClients),
            "suger": rows(&Bill::Suger),
        });
        response::ok(&body)
    };
    response::blocking(compute).await
}

async fn log(State(admin): State<Arc<Admin>>) -> Response {
    let (now, seed) = (admin.clock.now(), admin.faults.seed());
    response::ok(&json!({"now": now, "seed": seed, "requests": admin.log.all()}))
}

/// Responds here, before requests are logged and faults are injected.
async fn unknown_path() -> Response {
    response::message(StatusCode::NOT_FOUND, "There are /_sandbox/bill, clock, expected, faults, log, reset and state.")
}

async fn unknown_method() -> Response {
    response::message(StatusCode::METHOD_NOT_ALLOWED, "The path has no such method.")
}

fn rejected(error: BodyError) -> Response {
    match error {
        BodyError::TooLarge => response::message(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large."),
        BodyError::MediaType => bad_request("The request is not JSON."),
        BodyError::Invalid(reason) => bad_request(&reason),
    }
}

fn bad_request(message: &str) -> Response {
    response::message(StatusCode::BAD_REQUEST, message)
}
