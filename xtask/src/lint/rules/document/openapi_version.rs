//! `openapi-version`: the document is not OpenAPI 3.0.

use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "openapi-version",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "The document is not OpenAPI 3.0.",
    why: "The generator reads nothing else, and the other rules are those of 3.0.",
    instead: "Convert it: `cargo xtask add-vendor NAME --from FILE` writes the operations that you choose as 3.0.",
    example: Example { pointer: "/openapi", value: r#""3.1.0""#, found_at: "/openapi" },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // YAML reads a version without quotes, of two parts, as a number.
    let text = |key: &str| match context.root.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let version = text("openapi").unwrap_or_default();
    if version.starts_with("3.0.") {
        return;
    }
    let convert = "`cargo xtask add-vendor NAME --from FILE` converts the operations that you choose to 3.0";
    let (message, help) = match text("swagger") {
        Some(swagger) => (format!("Swagger {swagger} is not checked here"), convert),
        None if version == "3.0" => ("the version has no patch level".to_owned(), "write `openapi: 3.0.3`"),
        None if version.starts_with("3.2") => (
            format!("OpenAPI {version} is not supported"),
            "ask the vendor for OpenAPI 3.1 or 3.0, which `cargo xtask add-vendor` converts",
        ),
        None if version.starts_with("3.") => (format!("OpenAPI {version} is not checked here"), convert),
        None => ("not OpenAPI 3.0".to_owned(), "write `openapi: 3.0.3`, if it is an OpenAPI document"),
    };
    findings.add("/openapi", message, help);
}

#[cfg(test)]
mod tests {
    use openapi_document::Document;
    use serde_json::json;

    use crate::{
        lint::lint,
        test_support::{changed, mini},
    };

    #[test]
    fn other_versions_are_rejected_with_the_converting_command() {
        for (version, text) in [
            (
                "3.1.0",
                "is not checked here; `cargo xtask add-vendor NAME --from FILE` converts the operations that you choose to 3.0",
            ),
            (
                "3.2.0",
                "is not supported; ask the vendor for OpenAPI 3.1 or 3.0, which `cargo xtask add-vendor` converts",
            ),
        ] {
            let findings =
                lint(&changed("/openapi", json!(version))).iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(findings, [format!("error[openapi-version] at /openapi: OpenAPI {version} {text}")]);
        }
        for (version, expected) in
            [(json!(3.1), "OpenAPI 3.1 is not checked here"), (json!(3.0), "no patch level; write `openapi: 3.0.3`")]
        {
            let findings = lint(&changed("/openapi", version)).iter().map(ToString::to_string).collect::<String>();
            assert!(findings.contains(expected), "{findings}");
        }
        let swagger = Document { root: json!({"swagger": "2.0", "info": {}}), ..mini() };
        let message = lint(&swagger).iter().map(ToString::to_string).collect::<String>();
        assert!(message.contains(": Swagger 2.0 is not checked here; `cargo xtask add-vendor "), "{message}");
    }

    #[test]
    fn value_that_is_not_openapi_has_this_finding_only() {
        for other in [json!({"verdict": 1}), json!([]), json!(null)] {
            let findings = lint(&Document { root: other, ..mini() });
            assert_eq!(findings.iter().map(|finding| finding.rule.id).collect::<Vec<_>>(), ["openapi-version"]);
        }
    }
}
