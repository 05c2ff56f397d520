//! `secret`: a property is named like a secret, and is not `format: password`.

use openapi_document::{SchemaLocation, pointer::last_token};

use crate::{
    codegen::identifiers::value_name,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "secret",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "A property is named like a secret, and is not `format: password`.",
    why: "It would be shown in logs.",
    instead: "Write `format: password`.",
    example: Example {
        pointer: "/components/schemas/Order/properties/apiKey",
        value: r#"{"type": "string", "description": "d"}"#,
        found_at: "/components/schemas/Order/properties/apiKey",
    },
    check,
};

const SECRETS: [&str; 9] = [
    "password",
    "secret",
    "client_secret",
    "api_key",
    "private_key",
    "access_token",
    "refresh_token",
    "id_token",
    "token",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.schemas.iter().filter(|node| node.location == SchemaLocation::Property) {
        let name = last_token(&node.pointer);
        let is_string = node.text("type") == "string" && node.text("format").is_empty();
        if is_string && SECRETS.contains(&value_name(name).as_str()) {
            let message = format!("{name:?} looks like a secret, and would be shown in logs");
            findings.add(&node.pointer, message, "write `format: password`");
        }
    }
}
