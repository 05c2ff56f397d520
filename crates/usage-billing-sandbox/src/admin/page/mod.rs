//! Pages to look at: what the sandbox holds, live, and the vendors' references. One HTML file each, with nothing from
//! elsewhere; all that they show comes from `/_sandbox/state` and `/openapi/<vendor>.json`.

mod guide;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::clock::Clock;
use crate::http_util::response::{self, with_body};
use crate::middleware::request_log::Log;
use crate::middleware::request_validation;
use crate::vendors::acronis::Acronis;
use crate::vendors::genesys::Genesys;
use crate::vendors::suger::Suger;

const HTML: &str = "text/html; charset=utf-8";
/// The browser itself keeps the pages from loading or sending anything elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the pages are about.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) strict: bool,
    pub(crate) clock: Clock,
    pub(crate) log: Arc<Log>,
    pub(crate) genesys: Arc<Genesys>,
    pub(crate) suger: Arc<Suger>,
    pub(crate) acronis: Arc<Acronis>,
}

pub(crate) fn routes(page: Page) -> Router {
    Router::new()
        .route("/", get(async || html(include_str!("../../../assets/page.html"))))
        .route("/openapi/{document}", get(document))
        .route("/_sandbox/state", get(current))
        .with_state(Arc::new(page))
}

fn html(text: &'static str) -> Response {
    let mut response = with_body(StatusCode::OK, HTML, text.into());
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

async fn current(State(page): State<Arc<Page>>) -> Response {
    let mut response = response::json(StatusCode::OK, &page.state());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `suger` is the reference page, `suger.yaml` the document, and `suger.json` the same for the page.
async fn document(Path(name): Path<String>) -> Response {
    let (vendor, kind) = name.split_once('.').unwrap_or((&name, ""));
    let vendor = guide::VENDORS.into_iter().find(|known| known.name() == vendor);
    match (vendor, kind) {
        (Some(_), "") => html(include_str!("../../../assets/reference.html")),
        (Some(vendor), "yaml") => {
            with_body(StatusCode::OK, "application/yaml", request_validation::yaml(vendor).into())
        }
        (Some(vendor), "json") => {
            with_body(StatusCode::OK, "application/json", request_validation::json(vendor).into())
        }
        _ => {
            let message =
                "There are /openapi/genesys, /openapi/suger and /openapi/acronis, each also with .yaml and .json.";
            response::json(StatusCode::NOT_FOUND, &json!({"message": message}))
        }
    }
}
