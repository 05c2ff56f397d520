//! Operations that change what exists: absent, null and a value are three different things in their bodies.

use openapi_document::{operations, reachable};
use serde_json::Value;

use super::{identifiers::value_name, parts::schema_names};

/// The keyword of a component that bodies of updates have.
const UPDATED: &str = "x-updated";

/// Marks the components that bodies of updates have. The document has to be whole: a part of it may have other bodies of a component only.
pub(super) fn mark(root: &mut Value) {
    let names = {
        let root = &*root;
        let all = operations(root);
        let updates = all.iter().filter(|operation| is_update(operation.method, operation.id()));
        let bodies = updates.filter_map(|operation| operation.value.get("requestBody"));
        schema_names(reachable(root, bodies, |_| true)).collect::<Vec<_>>()
    };
    let Some(schemas) = root.pointer_mut("/components/schemas") else { return };
    for name in names {
        if let Some(schema) = schemas.get_mut(name).and_then(Value::as_object_mut) {
            schema.insert(UPDATED.to_owned(), Value::Bool(true));
        }
    }
}

/// Returns whether bodies of updates have a component.
pub(super) fn is_updated(schema: &Value) -> bool {
    schema.get(UPDATED).is_some()
}

/// Returns whether an operation changes what exists: by its method, or by the first word of its name.
pub(crate) fn is_update(method: &str, id: &str) -> bool {
    const VERBS: [&str; 5] = ["update", "patch", "modify", "edit", "change"];
    let name = value_name(id);
    let verb = name.split('_').next().unwrap_or_default();
    ["patch", "put"].contains(&method) || method == "post" && VERBS.contains(&verb)
}

/// Returns whether a field is a list or a map, whose empty value typify leaves out.
pub(crate) fn is_collection(field: &Value) -> bool {
    match field.get("type").and_then(Value::as_str) {
        Some("array") => true,
        Some("object") => field.get("properties").is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operation_that_changes_what_exists_is_an_update() {
        for (method, id) in [("put", "a"), ("patch", "b"), ("post", "UpdateCustomer"), ("post", "modify-plan")] {
            assert!(is_update(method, id), "{method} {id}");
        }
        for (method, id) in [("post", "createUpdate"), ("post", "updated"), ("delete", "changeAll"), ("get", "patch")] {
            assert!(!is_update(method, id), "{method} {id}");
        }
    }
}
