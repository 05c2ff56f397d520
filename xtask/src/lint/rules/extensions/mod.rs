//! Rules about extensions (`x-…`), by which the runtime and the facade act.

pub(in crate::lint) mod extension;
pub(in crate::lint) mod idempotency;
pub(in crate::lint) mod long_running;
pub(in crate::lint) mod missing_extension;
pub(in crate::lint) mod pagination;

use openapi_document::pointer::child;
use serde_json::{Map, Value};

use crate::lint::Findings;

/// Finds the fields of an extension that nothing reads.
fn unknown_fields(extension: &Map<String, Value>, known: &[&str], pointer: &str, findings: &mut Findings) {
    for key in extension.keys().filter(|key| !known.contains(&key.as_str())) {
        findings.add(&child(pointer, key), format!("unknown field {key:?}"), format!("known are {}", known.join(", ")));
    }
}
