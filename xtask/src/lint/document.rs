//! The document itself: its version, where the vendor is, and how it is entered.

use openapi_document::{
    operations,
    pointer::{child, item},
};
use serde_json::Value;

use super::{Findings, Rule};

/// Whether it is of the version that the other rules judge.
pub(super) fn check(root: &Value, findings: &mut Findings) -> bool {
    let version = text(root, "/openapi");
    if !version.starts_with("3.0.") {
        let convert = "`cargo xtask add-vendor NAME --from FILE` converts what you choose of it to 3.0";
        let (message, help) = match root.get("swagger").and_then(Value::as_str) {
            Some(swagger) => (format!("Swagger {swagger} is not judged here"), convert),
            None if version.starts_with("3.") => (format!("OpenAPI {version} is not judged here"), convert),
            None => ("not OpenAPI 3.0".to_owned(), "write `openapi: 3.0.3`, if it is a document of that kind"),
        };
        findings.add(Rule::OpenapiVersion, "/openapi", message, help);
        return false;
    }
    info(root, findings);
    servers(root, findings);
    security(root, findings);
    true
}

fn info(root: &Value, findings: &mut Findings) {
    if text(root, "/info/title").is_empty() {
        findings.add(Rule::InfoTitle, "/info", "no title", "write the name of the vendor's API");
    }
    let version = text(root, "/info/version");
    if !super::is_date(version) {
        findings.add(
            Rule::InfoVersion,
            "/info/version",
            format!("{version:?} is no date"),
            "write the date of the last check against the sources, YYYY-MM-DD, as text",
        );
    }
}

fn servers(root: &Value, findings: &mut Findings) {
    let servers = root.get("servers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if servers.is_empty() {
        findings.add(Rule::Server, "", "no `servers`", "write where the vendor is: it is the client's default");
    }
    for (index, server) in servers.iter().enumerate() {
        let at = item("/servers", index);
        let url = with_defaults(server);
        if !url.starts_with("https://") || url.contains('{') {
            let help = "write an absolute https URL, with a default for each variable";
            findings.add(Rule::Server, &at, format!("{url:?} is no place to send to"), help);
        }
    }
}

/// A server's URL with its variables' defaults.
fn with_defaults(server: &Value) -> String {
    let variables = server.get("variables").and_then(Value::as_object).into_iter().flatten();
    variables.fold(text(server, "/url").to_owned(), |url, (name, variable)| {
        url.replace(&format!("{{{name}}}"), text(variable, "/default"))
    })
}

fn security(root: &Value, findings: &mut Findings) {
    let of_operations =
        operations(root).into_iter().map(|operation| (operation.value.get("security"), operation.pointer));
    for (requirements, holder) in of_operations.chain([(root.get("security"), String::new())]) {
        let requirements = requirements.and_then(Value::as_array).into_iter().flatten();
        for (index, requirement) in requirements.enumerate() {
            let at = item(&child(&holder, "security"), index);
            for (scheme, _) in requirement.as_object().into_iter().flatten() {
                if root.pointer(&child("/components/securitySchemes", scheme)).is_none() {
                    let help = "describe it under /components/securitySchemes";
                    findings.add(Rule::Security, &at, format!("there is no scheme {scheme:?}"), help);
                }
            }
        }
    }
}

fn text<'a>(root: &'a Value, pointer: &str) -> &'a str {
    root.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use openapi_document::Document;
    use serde_json::{Value, json};

    use crate::{
        lint::{
            Rule, lint,
            tests::{NONE, broken},
        },
        test_support::{changed, mini},
    };

    #[test]
    fn only_openapi_3_0_is_judged_and_the_line_says_what_converts_the_others() {
        for version in ["3.1.0", "3.2.0"] {
            let findings =
                lint(&changed("/openapi", json!(version))).iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(
                findings,
                [format!(
                    "error[openapi-version] at /openapi: OpenAPI {version} is not judged here; `cargo xtask add-vendor NAME --from FILE` converts what you choose of it to 3.0"
                )]
            );
        }
        let swagger = Document { root: json!({"swagger": "2.0", "info": {}}), ..mini() };
        let said = lint(&swagger).iter().map(ToString::to_string).collect::<String>();
        assert!(said.contains(": Swagger 2.0 is not judged here; `cargo xtask add-vendor "), "{said}");
        for other in [json!({"verdict": 1}), json!([]), json!(null)] {
            let findings = lint(&Document { root: other, ..mini() });
            assert_eq!(findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [Rule::OpenapiVersion]);
        }
        assert_eq!(broken("/openapi", json!("4")), ["openapi-version"]);
        assert_eq!(broken("/openapi", json!(3)), ["openapi-version"]);
    }

    #[test]
    fn the_version_is_a_date() {
        assert_eq!(broken("/info/version", json!("v2")), ["info-version"]);
        assert_eq!(broken("/info/version", json!("2026-13-01")), ["info-version"]);
        assert_eq!(broken("/info/version", json!(2)), ["info-version"]);
    }

    #[test]
    fn a_document_has_a_title() {
        assert_eq!(broken("/info/title", Value::Null), ["info-title"]);
    }

    #[test]
    fn a_server_is_an_absolute_url_once_its_variables_have_their_defaults() {
        let server = |url: &str, default: &str| json!([{"url": url, "variables": {"region": {"default": default}}}]);
        assert_eq!(broken("/servers", server("https://{region}.example", "eu")), NONE);
        assert_eq!(broken("/servers", server("{region}/v1", "https://eu.example")), NONE);
        for url in ["/v1", "http://shop.example", "https://{place}.example"] {
            assert_eq!(broken("/servers", server(url, "eu")), ["server"], "{url}");
        }
        assert_eq!(broken("/servers", json!([])), ["server"]);
    }

    #[test]
    fn a_requirement_names_a_scheme_of_the_document() {
        assert_eq!(broken("/security", json!([{"key": []}])), ["security"]);
        assert_eq!(broken("/paths/~1orders/get/security", json!([{}, {"key": []}])), ["security"]);
        assert_eq!(broken("/paths/~1orders/get/security", json!([])), NONE);
    }
}
