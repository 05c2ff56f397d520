//! `server`: a server is missing, or is not an absolute `https` URL.

use openapi_document::pointer::item;
use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "server",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "A server is missing, or is not an absolute `https` URL.",
    why: "It is the client's default base URL.",
    instead: "Write the absolute URL, with a default for each variable.",
    example: Example { pointer: "/servers/0/url", value: r#""/v2""#, found_at: "/servers/0" },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let servers = context.root.get("servers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if servers.is_empty() {
        findings.add("", "no `servers`", "write the vendor's base URL: it is the client's default");
    }
    for (index, server) in servers.iter().enumerate() {
        let url = with_defaults(server);
        if !url.starts_with("https://") || url.contains('{') {
            let help = "write an absolute https URL, with a default for each variable";
            findings.add(&item("/servers", index), format!("invalid base URL {url:?}"), help);
        }
    }
}

/// Returns a server's URL with the defaults of its variables.
fn with_defaults(server: &Value) -> String {
    let text = |node: &Value, key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let variables = server.get("variables").and_then(Value::as_object).into_iter().flatten();
    variables.fold(text(server, "url"), |url, (name, variable)| {
        url.replace(&format!("{{{name}}}"), &text(variable, "default"))
    })
}
