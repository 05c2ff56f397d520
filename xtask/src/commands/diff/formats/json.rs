//! For programs: the library's form, with why each crate needs its step, and what failed.

use std::io::{Result, Write};

use serde_json::{Value, json};
use spec_diff::to_json;

use crate::commands::diff::api_diff::Comparison;

pub(super) fn write(comparison: &Comparison, out: &mut impl Write) -> Result<()> {
    let reports = comparison.apis.iter().map(|api| api.report.clone()).collect::<Vec<_>>();
    let mut root = to_json(&reports);
    if let Some(entries) = root.get_mut("apis").and_then(Value::as_array_mut) {
        for (entry, api) in entries.iter_mut().zip(&comparison.apis) {
            let needed = api.generated.as_ref().map(|generated| generated.needed.as_ref());
            let items = needed
                .and_then(|needed| needed.ok())
                .map(|change| change.items.iter().map(ToString::to_string).collect::<Vec<_>>());
            entry["files"] = json!({"base": api.base.name, "revision": api.revision.name});
            entry["crate_changes"] = json!(items.unwrap_or_default());
            entry["crate_unknown"] = json!(needed.and_then(|needed| needed.err()));
            let notice = |notice: &crate::commands::diff::accepted_changes::Notice| json!({"level": notice.level, "file": notice.file, "line": notice.line, "message": notice.message});
            entry["accept_notices"] = json!(api.notices.iter().map(notice).collect::<Vec<_>>());
        }
    }
    root["compared_with"] = json!(comparison.base);
    root["problems"] = json!(comparison.problems);
    root["failures"] = json!(comparison.failures);
    writeln!(out, "{root:#}")
}
