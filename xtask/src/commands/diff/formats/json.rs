//! For programs: the library's form, with why each crate needs its step, and what failed.

use std::io::{Result, Write};

use serde_json::{Value, json};
use spec_diff::{Report, to_json};

use crate::commands::diff::api_diff::{ApiDiff, DiffRun};

pub(super) fn write(comparison: &DiffRun, out: &mut impl Write) -> Result<()> {
    let report = |api: &ApiDiff| {
        let changes = api.findings.iter().map(|finding| finding.change.clone()).collect();
        Report { changes, ..api.report.clone() }
    };
    let mut root = to_json(&comparison.apis.iter().map(report).collect::<Vec<_>>());
    if let Some(changes) = root.get_mut("changes").and_then(Value::as_array_mut) {
        for (change, finding) in changes.iter_mut().zip(comparison.apis.iter().flat_map(|api| &api.findings)) {
            change["accepted"] = json!(finding.accepted);
        }
    }
    if let Some(entries) = root.get_mut("apis").and_then(Value::as_array_mut) {
        for (entry, api) in entries.iter_mut().zip(&comparison.apis) {
            let needed = api.generated.as_ref().map(|generated| generated.needed.as_ref());
            let items = needed
                .and_then(|needed| needed.ok())
                .map(|change| change.items.iter().map(ToString::to_string).collect::<Vec<_>>());
            entry["crate_needed"] = json!(api.crate_needed());
            entry["crate_declared"] = json!(api.crate_declared());
            entry["files"] = json!({"base": api.base.name, "revision": api.revision.name});
            entry["crate_changes"] = json!(items.unwrap_or_default());
            entry["crate_unknown"] = json!(needed.and_then(|needed| needed.err()));
            entry["accept_notices"] = json!(api.notices);
        }
    }
    root["compared_with"] = json!(comparison.base);
    root["problems"] = json!(comparison.problems);
    root["failures"] = json!(comparison.failures);
    writeln!(out, "{root:#}")
}
