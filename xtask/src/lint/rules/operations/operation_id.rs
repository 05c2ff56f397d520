//! `operation-id`: an operation has no `operationId`, or one that makes the same method as another.

use std::collections::BTreeMap;

use openapi_document::pointer::child;

use crate::{
    codegen::identifiers::{CLIENT_METHODS, value_name},
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "operation-id",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "An operation has no `operationId`, or one that makes the same method as another.",
    why: "It becomes the name of the client's method.",
    instead: "Write the name that the vendor's SDK uses.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/operationId",
        value: r#""exec""#,
        found_at: "/paths/~1orders~1{orderId}/get/operationId",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut seen = BTreeMap::<String, &str>::new();
    for operation in &context.operations {
        let (at, id) = (operation.pointer.as_str(), operation.id());
        if id.is_empty() {
            findings.add(at, "no operationId", "give it the name that the vendor's SDK uses");
            continue;
        }
        let (name, at_id) = (value_name(id), child(at, "operationId"));
        if CLIENT_METHODS.contains(&name.as_str()) {
            findings.add(&at_id, format!("{id:?} is a method that every client has"), "choose another name");
        }
        if let Some(other) = seen.insert(name.clone(), at) {
            let message = format!("{id:?} makes the method {name}, as {other} does");
            findings.add(&at_id, message, "rename one of them");
        }
    }
}
