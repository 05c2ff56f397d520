//! The layers between the connections and the handlers of the vendors.
//!
//! | order | layer | what it does |
//! |---|---|---|
//! | 1 | [`same_origin::check`] | rejects requests of other web pages and for foreign host names; also before the admin API |
//! | 2 | [`request_log::record`] | logs the request, adds its [`RequestContext`](crate::vendors::RequestContext) and `Date` |
//! | 3 | [`fault_injection::inject`] | delays, replaces or changes what the layers below respond |
//! | 4 | [`rate_limit::limit`] | rejects requests above the limit of the caller |
//! | 5 | [`permissions::check`] | rejects requests of a limited client without the permission |
//! | 6 | [`vendor_envelope::apply`] | checks credentials; gives errors and headers the form of the vendor |
//! | 7 | [`request_validation::check`] | rejects requests that violate the vendor's document |

pub(crate) mod fault_injection;
pub(crate) mod permissions;
pub(crate) mod rate_limit;
pub(crate) mod request_log;
pub(crate) mod request_validation;
pub(crate) mod same_origin;
pub(crate) mod vendor_envelope;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;

use self::fault_injection::FaultInjection;
use self::permissions::Permissions;
use self::rate_limit::RateLimiter;
use self::request_log::RequestLog;
use self::request_validation::RequestValidation;
use crate::vendors::Vendors;

/// The states of layers 2 to 7.
pub(crate) struct Layers {
    pub(crate) request_log: RequestLog,
    pub(crate) fault_injection: FaultInjection,
    pub(crate) rate_limiter: RateLimiter,
    pub(crate) permissions: Permissions,
    pub(crate) vendors: Arc<Vendors>,
    pub(crate) request_validation: RequestValidation,
}

impl Layers {
    /// Wraps the routes of the vendors in layers 2 to 7.
    pub(crate) fn wrap(self) -> Router {
        let routes = self.vendors.routes();
        let routes =
            routes.fallback(vendor_envelope::unknown_path).method_not_allowed_fallback(vendor_envelope::unknown_method);
        // A layer of the router that has the routes would run only for known paths. The last layer is the outermost.
        Router::new()
            .fallback_service(routes)
            .layer(from_fn_with_state(Arc::new(self.request_validation), request_validation::check))
            .layer(from_fn_with_state(self.vendors, vendor_envelope::apply))
            .layer(from_fn_with_state(Arc::new(self.permissions), permissions::check))
            .layer(from_fn_with_state(Arc::new(self.rate_limiter), rate_limit::limit))
            .layer(from_fn_with_state(Arc::new(self.fault_injection), fault_injection::inject))
            .layer(from_fn_with_state(Arc::new(self.request_log), request_log::record))
    }
}
