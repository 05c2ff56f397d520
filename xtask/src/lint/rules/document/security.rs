//! `security`: a security requirement names a scheme that the document does not define.

use openapi_document::pointer::{child, item};
use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "security",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "A security requirement names a scheme that the document does not define.",
    why: "Readers and tools cannot know which credentials the call needs.",
    instead: "Define the scheme under `/components/securitySchemes`.",
    example: Example { pointer: "/security", value: r#"[{"key": []}]"#, found_at: "/security/0" },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let of_operations =
        context.operations.iter().map(|operation| (operation.value.get("security"), operation.pointer.as_str()));
    for (requirements, holder) in of_operations.chain([(context.root.get("security"), "")]) {
        let requirements = requirements.and_then(Value::as_array).into_iter().flatten();
        for (index, requirement) in requirements.enumerate() {
            for (scheme, _) in requirement.as_object().into_iter().flatten() {
                if context.root.pointer(&child("/components/securitySchemes", scheme)).is_none() {
                    let at = item(&child(holder, "security"), index);
                    let help = "define it under /components/securitySchemes";
                    findings.add(&at, format!("unknown security scheme {scheme:?}"), help);
                }
            }
        }
    }
}
