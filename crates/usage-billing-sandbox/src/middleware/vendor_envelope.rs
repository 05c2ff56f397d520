//! What all responses of a vendor have in common: credentials are checked first, and errors and headers have its form.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{StatusCode, Uri};

use crate::http_util::response;
use crate::vendors::{RequestContext, Vendor, Vendors};

pub(crate) async fn apply(State(vendors): State<Arc<Vendors>>, request: Request, next: Next) -> Response {
    let context = request.extensions().get::<RequestContext>().copied();
    let Some((context, vendor)) = context.and_then(|context| Some((context, context.vendor?))) else {
        return next.run(request).await;
    };
    let response = match vendors.authenticate(vendor, &request) {
        Ok(()) => next.run(request).await,
        Err(response) => *response,
    };
    vendor.complete(&context, response)
}

pub(crate) async fn unknown_path(uri: Uri) -> Response {
    const PREFIXES: &str = "The sandbox has Genesys Cloud under /api/v2 and /oauth/token, for Suger under /org, \
                            and for Acronis under /api/2 and /api/price_sync.";
    Vendor::of(uri.path()).map_or_else(|| response::message(StatusCode::NOT_FOUND, PREFIXES), Vendor::unknown_path)
}

pub(crate) async fn unknown_method(uri: Uri) -> Response {
    let other = || response::message(StatusCode::METHOD_NOT_ALLOWED, "The path has no such method.");
    Vendor::of(uri.path()).map_or_else(other, Vendor::unknown_method)
}
