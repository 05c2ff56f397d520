//! The HTML pages: the bill and the state of the sandbox, and the references of the vendors. They load only files and data of the sandbox.

mod amount;
mod bill;
mod chart;
mod guide;
mod state;

use std::sync::Arc;

use self::bill::PageBill;
use crate::admin::expected_usage::{last_month, read_period};
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::http_util::request::Params;
use crate::http_util::response::{self, with_body};
use crate::middleware::fault_injection::Faults;
use crate::middleware::request_log::Log;
use crate::vendors::{Vendor, Vendors, document};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// The browser runs no script but ours, and prevents the pages from loading or sending anything elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The state that the pages show.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) strict: bool,
    pub(crate) clock: Clock,
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) log: Arc<Log>,
    pub(crate) vendors: Arc<Vendors>,
}

pub(crate) fn routes(page: Page) -> Router {
    Router::new()
        .route("/", get(async || asset(HTML, include_str!("../../../assets/page.html"))))
        .route("/_sandbox/assets/{name}", get(named_asset))
        .route("/openapi/{document}", get(openapi))
        .route("/_sandbox/bill", get(bill))
        .route("/_sandbox/state", get(current))
        .with_state(Arc::new(page))
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    let mut response = with_body(StatusCode::OK, content_type, text.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Another version of the sandbox may run at the same address.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

async fn named_asset(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "style.css" => asset(CSS, include_str!("../../../assets/style.css")),
        "bill.js" => asset(JAVASCRIPT, include_str!("../../../assets/bill.js")),
        "elements.js" => asset(JAVASCRIPT, include_str!("../../../assets/elements.js")),
        "page.js" => asset(JAVASCRIPT, include_str!("../../../assets/page.js")),
        "reference.js" => asset(JAVASCRIPT, include_str!("../../../assets/reference.js")),
        "sandbox.js" => asset(JAVASCRIPT, include_str!("../../../assets/sandbox.js")),
        "vendors.js" => asset(JAVASCRIPT, include_str!("../../../assets/vendors.js")),
        _ => response::message(StatusCode::NOT_FOUND, "The pages have no such file."),
    }
}

/// Returns the true bill of a month, which takes seconds in a large dataset.
async fn bill(State(page): State<Arc<Page>>, query: Params) -> Response {
    let period = match query.get("period").map_or_else(|| Ok(last_month(page.dataset.today())), read_period) {
        Ok(period) => period,
        Err(reason) => return response::message(StatusCode::BAD_REQUEST, &reason),
    };
    response::blocking(move || response::ok(&PageBill::new(&page.dataset, &period))).await
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
        (Some(_), "") => asset(HTML, include_str!("../../../assets/reference.html")),
        (Some(vendor), "yaml") => with_body(StatusCode::OK, "application/yaml", document::yaml(vendor).into()),
        (Some(vendor), "json") => with_body(StatusCode::OK, "application/json", document::json(vendor).into()),
        _ => {
            let message =
                "There are /openapi/genesys, /openapi/suger and /openapi/acronis, each also with .yaml and .json.";
            response::message(StatusCode::NOT_FOUND, message)
        }
    }
}
