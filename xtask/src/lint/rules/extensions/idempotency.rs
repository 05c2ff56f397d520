//! `idempotency`: an extension about repeating is not on POST or PATCH, has no reason, or names no field of the body.

use openapi_document::{Operation, pointer::child, resolve};
use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "idempotency",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "An extension about repeating is not on POST or PATCH, has no reason, or names no field of the body.",
    why: "Without a true guarantee the client would send a request twice that has an effect each time.",
    instead: "State in the description what the vendor guarantees, or leave the extension out.",
    example: Example {
        pointer: "/paths/~1orders/post/x-idempotent-with",
        value: r#""key""#,
        found_at: "/paths/~1orders/post/x-idempotent-with",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in &context.operations {
        check_operation(operation, context, findings);
    }
}

fn check_operation(operation: &Operation<'_>, context: &Context<'_>, findings: &mut Findings) {
    let mut found = |key: &str, message: String, help: &str| {
        findings.add(&child(&operation.pointer, key), message, help);
    };
    let marks = ["x-idempotent", "x-idempotent-with"].map(|mark| operation.value.contains_key(mark).then_some(mark));
    if marks == [Some("x-idempotent"), Some("x-idempotent-with")] {
        found("x-idempotent", "beside `x-idempotent-with`".to_owned(), "keep the one that the vendor guarantees");
    }
    for mark in marks.into_iter().flatten().filter(|_| !["post", "patch"].contains(&operation.method)) {
        let message = format!("{} is repeatable by HTTP", operation.method.to_uppercase());
        found(mark, message, "leave it out: the extension is for POST and PATCH");
    }
    if operation.flag("x-idempotent") && operation.text("description").is_empty() {
        found("x-idempotent", "no reason for it".to_owned(), "state in the description what the vendor guarantees");
    }
    let Some(field) = operation.value.get("x-idempotent-with") else { return };
    let content = operation.body(context.root).and_then(|body| body.get("content")).and_then(Value::as_object);
    let schema = content.and_then(|content| content.values().next()).and_then(|media| media.get("schema"));
    let body = schema.map(|schema| resolve(context.root, schema));
    let named = field.as_str().zip(body).and_then(|(field, body)| body.get("properties")?.get(field));
    if named.is_none() {
        found("x-idempotent-with", format!("the body has no field {field}"), "name a field of the request's body");
    }
}
