//! `/_sandbox`: the sandbox's own switches, for tests in any language. Not logged, and never at fault.

pub(crate) mod expected_usage;
pub(crate) mod page;

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
use crate::dataset::World;
use crate::http_util::response::{self, BadBody, Sent, Values};
use crate::middleware::fault_injection::{Fault, Faults};
use crate::middleware::request_log::Log;

pub(crate) struct Admin {
    pub(crate) clock: Clock,
    pub(crate) world: Arc<World>,
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
        .route("/_sandbox/{*other}", any(no_such_switch))
        .method_not_allowed_fallback(no_such_method)
        .with_state(Arc::new(admin))
}

async fn time(State(admin): State<Arc<Admin>>) -> Response {
    response::json(StatusCode::OK, &json!({"now": admin.clock.now()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

async fn advance(State(admin): State<Arc<Admin>>, sent: Sent) -> Response {
    match sent.json::<Advance>() {
        Ok(advance) => {
            admin.clock.advance(Duration::from_secs(advance.advance_seconds));
            time(State(admin)).await
        }
        Err(bad) => refused(bad),
    }
}

async fn faults(State(admin): State<Arc<Admin>>) -> Response {
    let (seed, rules) = (admin.faults.seed(), admin.faults.rules());
    response::json(StatusCode::OK, &json!({"seed": seed, "faults": rules}))
}

/// One fault or a list of them, each an object or a text in the compact form.
#[derive(Deserialize)]
#[serde(untagged)]
enum Asked {
    Many(Vec<serde_json::Value>),
    One(serde_json::Value),
}

async fn add_faults(State(admin): State<Arc<Admin>>, sent: Sent) -> Response {
    let asked = match sent.json::<Asked>() {
        Ok(Asked::Many(many)) => many,
        Ok(Asked::One(one)) => vec![one],
        Err(bad) => return refused(bad),
    };
    // All or none.
    let added = asked.into_iter().map(Fault::read).collect::<Result<Vec<_>, _>>().and_then(|all| admin.faults.add(all));
    match added {
        Ok(()) => faults(State(admin)).await,
        Err(reason) => bad_request(&reason),
    }
}

async fn clear_faults(State(admin): State<Arc<Admin>>) -> Response {
    admin.faults.clear();
    faults(State(admin)).await
}

async fn remove_fault(State(admin): State<Arc<Admin>>, Path(id): Path<String>) -> Response {
    match id.parse().is_ok_and(|id| admin.faults.remove(id)) {
        true => faults(State(admin)).await,
        false => response::json(StatusCode::NOT_FOUND, &json!({"message": "There is no such fault."})),
    }
}

/// The true bills, as [`Sandbox::expected_usage`](crate::Sandbox::expected_usage) has them.
async fn expected(State(admin): State<Arc<Admin>>, query: Values) -> Response {
    if let Some(name) = query.names().find(|name| !["period", "level"].contains(name)) {
        return bad_request(&format!("{name}: there is no such parameter, only period and level"));
    }
    let today = admin.world.today();
    let period = match query.get("period").map_or_else(|| Ok(last_month(today)), read_period) {
        Ok(period) => period,
        Err(reason) => return bad_request(&reason),
    };
    let level = query.get("level").map_or(ReportLevel::DirectPartners, ReportLevel::from);
    if let ReportLevel::Unknown(level) = &level {
        let known: Vec<_> = ReportLevel::KNOWN.iter().map(ReportLevel::as_str).collect();
        return bad_request(&format!("level: there is no {}, only {}", level.as_str(), known.join(", ")));
    }
    let told = move || {
        let rows = |bill: &Bill| expected_usage(&admin.world, bill, period.clone());
        let body = json!({
            "start": period.start,
            "end": period.end,
            "acronis": rows(&Bill::Acronis(level.clone())),
            "acronis_per_gigabyte": rows(&Bill::AcronisPerGigabyte(level)),
            "genesys": rows(&Bill::Genesys),
            "genesys_clients": rows(&Bill::GenesysClients),
            "suger": rows(&Bill::Suger),
        });
        response::json(StatusCode::OK, &body)
    };
    response::off_thread(told).await
}

async fn log(State(admin): State<Arc<Admin>>) -> Response {
    let (now, seed) = (admin.clock.now(), admin.faults.seed());
    response::json(StatusCode::OK, &json!({"now": now, "seed": seed, "requests": admin.log.all()}))
}

/// Said here: further in, it would be logged, and faults would meet it.
async fn no_such_switch() -> Response {
    response::json(
        StatusCode::NOT_FOUND,
        &json!({"message": "There are /_sandbox/clock, expected, faults, log and state."}),
    )
}

async fn no_such_method() -> Response {
    response::json(StatusCode::METHOD_NOT_ALLOWED, &json!({"message": "The switch has no such method."}))
}

fn refused(bad: BadBody) -> Response {
    match bad {
        BadBody::TooLarge => {
            response::json(StatusCode::PAYLOAD_TOO_LARGE, &json!({"message": "The request is too large."}))
        }
        BadBody::MediaType => bad_request("The request is not JSON."),
        BadBody::Unreadable(reason) => bad_request(&reason),
    }
}

fn bad_request(message: &str) -> Response {
    response::json(StatusCode::BAD_REQUEST, &json!({"message": message}))
}
