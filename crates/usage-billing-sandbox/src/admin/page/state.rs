//! The state that the page shows, as JSON.

use serde_json::{Value, json};

use super::{Page, guide};
use crate::middleware::request_log::LoggedRequest;
use crate::vendors::Vendor;

/// Requests that the page shows; the log has more.
const MAX_REQUESTS: usize = 100;

impl Page {
    pub(super) fn state(&self) -> Value {
        json!({
            "url": self.url,
            "now": self.clock.now(),
            "strict": self.strict,
            "environment": guide::environment(&self.url),
            "faults": self.faults.rules(),
            "vendors": Vendor::ALL.map(|vendor| guide::vendor(vendor, &self.url)),
            "requests": newest(self.log.all()),
            "genesys": crate::vendors::genesys::summary(&self.vendors.genesys),
            "suger": crate::vendors::suger::summary(&self.vendors.suger),
            "acronis": crate::vendors::acronis::summary(&self.vendors.acronis),
        })
    }
}

/// Returns the last requests to the vendors, newest first.
fn newest(log: Vec<LoggedRequest>) -> Vec<Value> {
    let of_vendors = log.into_iter().rev().filter(|request| request.vendor.is_some());
    of_vendors
        .take(MAX_REQUESTS)
        .map(|request| {
            json!({
                "number": request.number,
                "vendor": request.vendor,
                "operation": request.operation,
                "at": request.at,
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "status": request.status,
                "faults": request.faults,
                "violations": request.violations,
            })
        })
        .collect()
}
