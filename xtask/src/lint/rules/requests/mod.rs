//! Rules about request bodies.

pub(in crate::lint) mod body;
pub(in crate::lint) mod optional_body;

use openapi_document::{pointer::child, resolve_at};
use serde_json::Value;

use crate::lint::Context;

/// Returns the resolved request bodies of the operations that are generated, with their pointers.
fn bodies<'a>(context: &Context<'a>) -> impl Iterator<Item = (String, &'a Value)> {
    let root = context.root;
    context.generated_operations().filter_map(move |operation| {
        let body = operation.value.get("requestBody")?;
        Some(resolve_at(root, child(&operation.pointer, "requestBody"), body))
    })
}
