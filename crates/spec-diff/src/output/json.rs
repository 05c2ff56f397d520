//! For programs: the library's form, with files, decisions and what fails. Described by [`JSON_SCHEMA`](crate::JSON_SCHEMA).

use std::io::{Result, Write};

use serde_json::{Value, json};

use crate::{
    Report,
    review::{ApiDiff, Review},
    to_json,
};

pub(super) fn write(review: &Review, out: &mut dyn Write) -> Result<()> {
    let report = |api: &ApiDiff| {
        let changes = api.findings.iter().map(|finding| finding.change.clone()).collect();
        Report { changes, ..api.report.clone() }
    };
    let mut root = to_json(&review.apis.iter().map(report).collect::<Vec<_>>());
    if let Some(changes) = root.get_mut("changes").and_then(Value::as_array_mut) {
        for (change, finding) in changes.iter_mut().zip(review.apis.iter().flat_map(|api| &api.findings)) {
            change["accepted"] = json!(finding.accepted);
        }
    }
    if let Some(entries) = root.get_mut("apis").and_then(Value::as_array_mut) {
        for (entry, api) in entries.iter_mut().zip(&review.apis) {
            entry["files"] = json!({"base": api.base.source.name, "revision": api.revision.source.name});
            entry["accept_notices"] = json!(api.notices);
            entry["supplement"] = json!(api.supplement.as_ref().map(|supplement| &supplement.json));
        }
    }
    root["compared_with"] = json!(review.base);
    root["problems"] = json!(review.problems);
    root["failures"] = json!(review.failures);
    serde_json::to_writer_pretty(&mut *out, &root)?;
    writeln!(out)
}
