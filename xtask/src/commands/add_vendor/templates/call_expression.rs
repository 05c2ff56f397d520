//! One operation as a call in Rust.

use serde_json::Value;

use super::client;
use crate::{
    codegen::{
        identifiers::{component_name, setter_name, value_name},
        open_enum,
    },
    commands::add_vendor::{Plan, templates},
    import::ConvertedOperation,
};

/// A required parameter: its setter and a value in Rust.
pub(super) struct Given {
    pub(super) setter: String,
    pub(super) value: String,
    /// The value as the mock's helper takes it.
    pub(super) expected: String,
}

/// The operation's method.
pub(super) fn method(operation: &ConvertedOperation) -> String {
    value_name(&operation.id)
}

/// The parameters without which the operation cannot be sent.
pub(super) fn given(plan: &Plan<'_>, operation: &ConvertedOperation) -> Result<Vec<Given>, String> {
    let parameters = operation.value["parameters"].as_array().into_iter().flatten();
    let required = parameters.filter(|parameter| parameter["required"] == true);
    required
        .map(|parameter| {
            let name = parameter["name"].as_str().unwrap_or_default();
            let schema = &parameter["schema"];
            let value = value(plan, schema)
                .ok_or_else(|| format!("no value for the parameter {name:?} of {}", operation.id))?;
            let plain = value == "\"text\"" || value == "true" || value == "1";
            let expected = if plain { value.clone() } else { format!("&{value}") };
            Ok(Given { setter: setter_name(name), value, expected })
        })
        .collect()
}

fn value(plan: &Plan<'_>, schema: &Value) -> Option<String> {
    let target = schema.get("$ref").or_else(|| schema["allOf"][0].get("$ref")).and_then(Value::as_str);
    if let Some(name) = target.and_then(|target| target.strip_prefix(openapi_document::SCHEMAS)) {
        let (_, schema) = plan.draft.schemas.iter().find(|(known, _)| known == name)?;
        let first = open_enum::values(schema).first().copied()?;
        return Some(format!("types::{}::from({first:?})", component_name(name)));
    }
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(match (text("type"), text("format")) {
        ("string", "date") => "\"2026-10-01\".parse::<chrono::NaiveDate>().unwrap()".to_owned(),
        ("string", "date-time") => {
            "\"2026-10-01T00:00:00Z\".parse::<chrono::DateTime<chrono::Utc>>().unwrap()".to_owned()
        }
        ("string", "uuid") => "\"7b0e6b6e-91f5-4f5e-9a0a-3f1c2d4b5a69\".parse::<uuid::Uuid>().unwrap()".to_owned(),
        ("string", _) => "\"text\"".to_owned(),
        ("integer", _) => "1".to_owned(),
        ("boolean", _) => "true".to_owned(),
        ("array", _) => {
            let entry = value(plan, &schema["items"])?;
            let owned = if entry == "\"text\"" { "\"text\".to_owned()".to_owned() } else { entry };
            format!("vec![{owned}]")
        }
        _ => return None,
    })
}

/// An example for the crate's README: a client, and the first operation that only reads, or else the first.
pub(super) fn example(plan: &Plan<'_>) -> String {
    let operations = &plan.draft.operations;
    let reads = |operation: &&ConvertedOperation| {
        operation.method == "get" && given(plan, operation).is_ok() && operation.value.get("x-download").is_none()
    };
    let is_plain = |operation: &ConvertedOperation| {
        // Values of other crates' types are not for a first example.
        given(plan, operation).is_ok_and(|given| given.iter().all(|given| given.value == given.expected))
    };
    let current = |operation: &&ConvertedOperation| operation.value.get("deprecated").is_none();
    let operation = operations
        .iter()
        .filter(reads)
        .filter(|operation| is_plain(operation))
        .max_by_key(|operation| current(operation))
        .filter(|operation| current(operation) || !operations.iter().any(|operation| current(&operation)));
    let arguments = client::arguments(plan).into_iter().map(|argument| argument.name).collect::<Vec<_>>();
    let parameters = arguments.iter().map(|name| {
        let kind = match name.as_str() {
            "credentials" => format!("{}::Credentials", templates::library(plan.name)),
            "user" => "&str".to_owned(),
            _ => "String".to_owned(),
        };
        format!("{name}: {kind}")
    });
    let parameters = parameters.collect::<Vec<_>>().join(", ");
    let arguments = arguments.join(", ");
    let body = match operation {
        Some(operation) => {
            let given = given(plan, operation).unwrap_or_default();
            let setters = given.iter().map(|given| format!(".{}({})", given.setter, given.value)).collect::<String>();
            format!(
                "    let answer = client.{}(){setters}.send().await?;\n    println!(\"{{}}\", answer.status());\n",
                method(operation)
            )
        }
        None => "    println!(\"{client:?}\");\n".to_owned(),
    };
    let source = format!(
        "async fn call({parameters}) -> Result<(), Error> {{\n    let client = Client::builder({arguments}).build()?;\n{body}    Ok(())\n}}\n"
    );
    client::formatted(source).trim_end().to_owned()
}
