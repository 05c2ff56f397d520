//! The reset of the sandbox. Its route is outside the state that it replaces.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use serde_json::json;

use super::unknown_method;
use crate::http_util::response;
use crate::server::state::Current;

/// Returns the routes of a sandbox: the reset, and those of its current state.
pub(crate) fn routes(current: Arc<Current>) -> Router {
    Router::new()
        .route("/_sandbox/reset", post(reset))
        .method_not_allowed_fallback(unknown_method)
        .fallback(async |State(current): State<Arc<Current>>, request: Request| current.respond(request).await)
        .with_state(current)
}

async fn reset(State(current): State<Arc<Current>>) -> Response {
    response::blocking(move || {
        current.reset();
        response::ok(&json!({"now": current.now()}))
    })
    .await
}
