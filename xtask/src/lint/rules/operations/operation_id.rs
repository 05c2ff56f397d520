//! `operation-id`: an operation has no `operationId`, or one that makes the same method or type as another.

use std::collections::BTreeMap;

use openapi_document::pointer::child;

use crate::{
    codegen::identifiers::{CLIENT_METHODS, type_name, value_name},
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "operation-id",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "An operation has no `operationId`, or one that makes the same method or type as another.",
    why: "It becomes the name of the client's method and of the call's type.",
    instead: "Write the name that the vendor's SDK uses.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/operationId",
        value: r#""exec""#,
        found_at: "/paths/~1orders~1{orderId}/get/operationId",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut seen = BTreeMap::<(&str, String), &str>::new();
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
        let items = [("method", name), ("type", type_name(id))];
        let others = items.map(|item| (item.clone(), seen.insert(item, at)));
        if let Some(((kind, name), Some(other))) = others.into_iter().find(|(_, other)| other.is_some()) {
            let message = format!("{id:?} makes the {kind} {name}, as {other} does");
            findings.add(&at_id, message, "rename one of them");
        }
    }
}
