//! `facade`: the facade does not call a paged or long-running operation.

use crate::{
    codegen::identifiers::value_name,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "facade",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "The facade does not call a paged or long-running operation.",
    why: "Its users would request pages or poll by hand.",
    instead: "Wrap the operation in the facade.",
    example: Example {
        pointer: "/paths/~1orders/post/x-long-running",
        value: r#"{"poll": "getOrder", "id": "id", "status": "status", "pending": ["OPEN"], "succeeded": ["DONE"]}"#,
        found_at: "/paths/~1orders/post",
    },
    check,
};

/// Skips deprecated and superseded operations, which are left to their present callers, and previews, which change.
fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(facade) = context.facade else { return };
    for operation in &context.operations {
        let extension = ["x-pagination", "x-long-running"].into_iter().find(|key| operation.value.contains_key(*key));
        let is_exempt = ["deprecated", "x-preview"].into_iter().any(|key| operation.flag(key))
            || operation.value.contains_key("x-superseded-by");
        let is_called = facade.contains(&format!(".{}()", value_name(operation.id())));
        if let (Some(extension), false, false) = (extension, is_exempt, is_called) {
            let message = format!("the facade does not call {}, which has `{extension}`", operation.id());
            findings.add(&operation.pointer, message, "wrap it in the facade");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        lint::lint_with_facade,
        test_support::{changed, mini},
    };

    #[test]
    fn paged_operation_must_be_called_unless_it_is_exempt() {
        let found = |document: &openapi_document::Document, facade: &str| {
            let findings = lint_with_facade(document, Some(facade)).into_iter();
            findings.map(|finding| format!("{} {}", finding.rule.id, finding.pointer)).collect::<Vec<_>>()
        };
        assert_eq!(found(&mini(), "client.list_orders()\n.send()"), Vec::<String>::new());
        assert_eq!(found(&mini(), "client.get_order()"), ["facade /paths/~1orders/get"]);
        let old = changed("/paths/~1orders/get/x-superseded-by", json!("getOrder"));
        assert_eq!(found(&old, ""), Vec::<String>::new());
        let preview = changed("/paths/~1orders/get/x-preview", json!(true));
        assert_eq!(found(&preview, ""), Vec::<String>::new());
    }
}
