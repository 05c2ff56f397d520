//! What the facade treats: whoever uses it should neither turn pages nor poll by hand.

use std::{fs, io, path::Path};

use openapi_document::operations;
use serde_json::Value;

use super::{Findings, Rule};
use crate::codegen::identifiers::value_name;

/// `source` is all of the facade's code for this vendor.
pub(crate) fn check(root: &Value, source: &str, findings: &mut Findings) {
    for operation in operations(root) {
        let marked = ["x-pagination", "x-long-running"].into_iter().find(|mark| operation.value.contains_key(*mark));
        // What has a better way is left to those who call it already, and previews to those who can bear their changes.
        let left_out = ["deprecated", "x-preview"].into_iter().any(|mark| operation.flag(mark))
            || operation.value.contains_key("x-superseded-by");
        let called = source.contains(&format!(".{}()", value_name(operation.id())));
        if let (Some(mark), false, false) = (marked, left_out, called) {
            let message = format!("the facade does not call {}, which has `{mark}`", operation.id());
            findings.add(
                Rule::Facade,
                &operation.pointer,
                message,
                "wrap it, so that nobody does by hand what the mark says",
            );
        }
    }
}

/// The facade's code for a vendor.
pub(crate) fn source(root: &Path, vendor: &str) -> io::Result<String> {
    let mut source = String::new();
    let mut folders = vec![root.join("crates/usage-billing/src").join(vendor)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                source.push_str(&fs::read_to_string(path)?);
            }
        }
    }
    Ok(source)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_support::{changed, mini};

    fn found(root: &Value, source: &str) -> Vec<String> {
        let mut findings = Findings::default();
        check(root, source, &mut findings);
        findings.0.into_iter().map(|finding| format!("{} {}", finding.rule.id(), finding.pointer)).collect()
    }

    #[test]
    fn what_is_paged_is_called_unless_there_is_a_better_way_or_it_is_a_preview() {
        assert_eq!(found(&mini().root, "client.list_orders()\n.send()"), Vec::<String>::new());
        assert_eq!(found(&mini().root, "client.get_order()"), ["facade /paths/~1orders/get"]);
        let old = changed("/paths/~1orders/get/x-superseded-by", json!("getOrder"));
        assert_eq!(found(&old.root, ""), Vec::<String>::new());
        let preview = changed("/paths/~1orders/get/x-preview", json!(true));
        assert_eq!(found(&preview.root, ""), Vec::<String>::new());
    }
}
