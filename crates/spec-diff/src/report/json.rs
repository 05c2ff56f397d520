//! The report as JSON. Changes are one flat array, each with its API, so that a reader needs no second loop.

use serde::Serialize;
use serde_json::Value;

use super::{Change, Report};

/// The JSON Schema (draft 2020-12) of what [`to_json`] writes.
pub const JSON_SCHEMA: &str = include_str!("../report.schema.json");

/// The version of the form; it grows when a field is removed or changes its meaning, not when one is added.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    apis: &'a [Report],
    changes: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    api: &'a str,
    #[serde(flatten)]
    change: &'a Change,
}

/// Returns the report as `{"schema": 1, "apis": […], "changes": […]}`: the verdict of each API, and all findings.
#[must_use]
pub fn to_json(reports: &[Report]) -> Value {
    let entry = |report| move |change| Entry { api: report, change };
    let changes = reports.iter().flat_map(|report| report.changes.iter().map(entry(report.api.as_str()))).collect();
    // Strings, numbers and maps with string keys always serialise.
    serde_json::to_value(Document { schema: VERSION, apis: reports, changes }).unwrap_or_default()
}
