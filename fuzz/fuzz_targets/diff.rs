//! Two documents as the test cases of spec-diff have them (`both`, `base` and `revision`): no panic, and a document equals itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use spec_diff::{Options, diff};

fuzz_target!(|data: &[u8]| {
    let Ok(Value::Object(case)) = serde_json::from_slice(data) else { return };
    let [base, revision] = ["base", "revision"].map(|side| {
        let members = ["both", side].into_iter().filter_map(|part| case.get(part)?.as_object());
        Value::Object(members.flatten().map(|(key, value)| (key.clone(), value.clone())).collect())
    });
    for document in [&base, &revision] {
        if let Ok(report) = diff(document, document, &Options::default()) {
            // What is not followed cannot be judged, also in the same document.
            let changes: Vec<_> = report.changes.iter().filter(|change| change.rule != "unknown-change").collect();
            assert!(changes.is_empty(), "{changes:?}");
        }
    }
    if let Ok(report) = diff(&base, &revision, &Options::default()) {
        let json = spec_diff::to_json(&[report]);
        assert!(serde_json::to_string(&json).is_ok());
    }
});
