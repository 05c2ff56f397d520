//! Query parameters that are arrays and not exploded: the client joins their items by commas.

use std::collections::BTreeMap;

use openapi_document::operations;
use serde_json::Value;

/// Returns the names of these parameters in JSON, by the item that `item_name` calls an operation's.
pub(crate) fn joined_parameters(root: &Value, item_name: fn(&str) -> String) -> BTreeMap<String, Vec<String>> {
    let is_joined = |parameter: &&Value| {
        let schema = parameter.get("schema").map(|schema| openapi_document::resolve(root, schema));
        parameter.get("in").and_then(Value::as_str) == Some("query")
            && parameter.get("explode") == Some(&Value::Bool(false))
            && schema.is_some_and(|schema| schema.get("type").and_then(Value::as_str) == Some("array"))
    };
    let all = operations(root).into_iter().map(|operation| {
        let parameters = operation.parameters(root);
        let names =
            parameters.iter().copied().filter(is_joined).filter_map(|parameter| parameter.get("name")?.as_str());
        (item_name(operation.id()), names.map(str::to_owned).collect::<Vec<_>>())
    });
    all.filter(|(_, names)| !names.is_empty()).collect()
}
