//! The HTML pages: the state of the sandbox and the references of the vendors. Each is one file, which loads only `/_sandbox/state` or
//! `/openapi/<vendor>.json`.

mod guide;
mod state;

use std::sync::Arc;

use crate::clock::Clock;
use crate::http_util::response::{self, with_body};
use crate::middleware::request_log::Log;
use crate::vendors::{Vendor, Vendors, document};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};

const HTML: &str = "text/html; charset=utf-8";
/// The browser prevents the pages from loading or sending anything elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The state that the pages show.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) strict: bool,
    pub(crate) clock: Clock,
    pub(crate) log: Arc<Log>,
    pub(crate) vendors: Arc<Vendors>,
}

pub(crate) fn routes(page: Page) -> Router {
    Router::new()
        .route("/", get(async || html(include_str!("../../../assets/page.html"))))
        .route("/openapi/{document}", get(openapi))
        .route("/_sandbox/state", get(current))
        .with_state(Arc::new(page))
}

fn html(text: &'static str) -> Response {
    let mut response = with_body(StatusCode::OK, HTML, text.into());
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

async fn current(State(page): State<Arc<Page>>) -> Response {
    let mut response = response::ok(&page.state());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Serves the reference page `suger`, the document `suger.yaml`, and `suger.json`, which the page loads.
async fn openapi(Path(name): Path<String>) -> Response {
    let (vendor, kind) = name.split_once('.').unwrap_or((&name, ""));
    let vendor = Vendor::from_name(vendor);
    match (vendor, kind) {
        (Some(_), "") => html(include_str!("../../../assets/reference.html")),
        (Some(vendor), "yaml") => with_body(StatusCode::OK, "application/yaml", document::yaml(vendor).into()),
        (Some(vendor), "json") => with_body(StatusCode::OK, "application/json", document::json(vendor).into()),
        _ => {
            let message =
                "There are /openapi/genesys, /openapi/suger and /openapi/acronis, each also with .yaml and .json.";
            response::message(StatusCode::NOT_FOUND, message)
        }
    }
}
