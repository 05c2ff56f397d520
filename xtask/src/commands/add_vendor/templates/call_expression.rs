//! One operation as a call in Rust.

use openapi_document::component_of;
use serde_json::Value;

use super::client;
use crate::{
    codegen::{
        identifiers::{component_name, schema_field_names, setter_name, value_name},
        open_enum, parameter_names,
    },
    commands::add_vendor::{Plan, names},
    import::ConvertedOperation,
};

/// A required parameter: its setter and a value in Rust.
pub(super) struct Given {
    pub(super) setter: String,
    pub(super) value: String,
    /// The value as the mock's helper takes it.
    pub(super) expected: String,
}

/// Returns the operation's method.
pub(super) fn method(operation: &ConvertedOperation) -> String {
    value_name(&operation.id)
}

/// Returns the parameters without which the operation cannot be sent.
pub(super) fn given(plan: &Plan<'_>, operation: &ConvertedOperation) -> Result<Vec<Given>, String> {
    let described = operation.value();
    let parameters = described["parameters"].as_array().into_iter().flatten().collect();
    let parameters = parameter_names::distinct(parameters, described.get("requestBody").is_some()).into_iter();
    let required = parameters.filter(|(parameter, _)| parameter["required"] == true);
    required
        .map(|(parameter, name)| {
            let schema = &parameter["schema"];
            let stated = parameter.get("example").map(Value::to_string);
            let value = stated
                .or_else(|| value(plan, schema))
                .ok_or_else(|| format!("no value for the parameter {name:?} of {}", operation.id))?;
            let plain = parameter.get("example").is_some() || ["\"text\"", "true", "1"].contains(&value.as_str());
            let expected = if plain { value.clone() } else { format!("&{value}") };
            Ok(Given { setter: setter_name(&name), value, expected })
        })
        .collect()
}

fn component(plan: &Plan<'_>, name: &str) -> Option<Value> {
    plan.draft.schemas.iter().find(|(known, _)| known == name).map(|(_, schema)| schema.value())
}

fn value(plan: &Plan<'_>, schema: &Value) -> Option<String> {
    if let Some(name) = component_of(schema) {
        let first = open_enum::values(&component(plan, name)?).first()?.to_string();
        return Some(format!("types::{}::from({first:?})", component_name(name)));
    }
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(match (text("type"), text("format")) {
        ("string", "date") => "\"2026-10-01\".parse::<chrono::NaiveDate>().unwrap()".to_owned(),
        ("string", "date-time") => {
            "\"2026-10-01T00:00:00Z\".parse::<chrono::DateTime<chrono::Utc>>().unwrap()".to_owned()
        }
        ("string", "uuid") => "\"7b0e6b6e-91f5-4f5e-9a0a-3f1c2d4b5a69\".parse::<uuid::Uuid>().unwrap()".to_owned(),
        ("string" | "number", "decimal") => "12_i64".to_owned(),
        ("string", "lenient-decimal" | "lenient-date-time") => return None,
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

/// The example of the crate's README.
pub(super) struct Example<'a> {
    /// The imports, a function that creates a client, and one that sends the call.
    pub(super) code: String,
    /// The operation of the call, unless none can be sent without values of the caller.
    pub(super) operation: Option<&'a ConvertedOperation>,
}

/// Returns a client, and the operation that only reads and needs the fewest values; or else one whose body can be written. Deprecated
/// ones are last.
pub(super) fn example<'a>(plan: &Plan<'a>) -> Example<'a> {
    let library = names::library(plan.name);
    let calls = plan.draft.operations.iter().filter_map(|operation| Some((operation, call(plan, operation)?)));
    let rank = |(operation, call): &(&ConvertedOperation, String)| {
        let is_typed = call.contains("::");
        let value = operation.value();
        let sends = operation.method != "get" || value.get("x-download").is_some();
        // An id has to be known before the call; other values may be made up.
        let parameters = value["parameters"].as_array().into_iter().flatten();
        let required = parameters.filter(|parameter| parameter["required"] == true);
        let ids = required.clone().filter(|parameter| parameter["in"] == "path").count();
        (value.get("deprecated").is_some(), sends, ids, is_typed, required.count())
    };
    let call = calls.min_by_key(rank);
    let arguments = client::arguments(plan).into_iter().map(|argument| argument.name).collect::<Vec<_>>();
    let parameters = arguments.iter().map(|name| {
        let kind = match name.as_str() {
            "credentials" => format!("{library}::Credentials"),
            "user" => "&str".to_owned(),
            _ => "String".to_owned(),
        };
        format!("{name}: {kind}")
    });
    let (parameters, arguments) = (parameters.collect::<Vec<_>>().join(", "), arguments.join(", "));
    let (operation, sent) = call.unzip();
    let sent = sent.map_or_else(String::new, |call| {
        let allowed = operation.is_some_and(|operation| operation.value().get("deprecated").is_some());
        let allowed = if allowed { "#[allow(deprecated)]\n" } else { "" };
        format!(
            "\n{allowed}async fn first_call(client: &Client) -> Result<(), Error> {{\n    let response = {call}.send().await?;\n    \
             println!(\"{{}}\", response.status());\n    Ok(())\n}}\n"
        )
    });
    let types = if ["(types::", "[types::"].iter().any(|value| sent.contains(value)) { ", types" } else { "" };
    let source = format!(
        "use {library}::{{Client, Error{types}}};\n\nfn client({parameters}) -> Result<Client, Error> {{\n    \
         Client::builder({arguments}).build()\n}}\n{sent}"
    );
    Example { code: client::formatted(source).trim_end().to_owned(), operation }
}

/// Returns the call of an operation, if all values that it needs can be written.
fn call(plan: &Plan<'_>, operation: &ConvertedOperation) -> Option<String> {
    let library = names::library(plan.name);
    let given = given(plan, operation).ok()?;
    let mut code = format!("client.{}()", method(operation));
    for given in given {
        code.push_str(&format!(".{}({})", given.setter, given.value));
    }
    if let Some(body) = operation.value().get("requestBody") {
        let media = body["content"].as_object()?.values().next()?;
        code.push_str(&format!(".body({})", body_value(plan, &media["schema"], 0)?));
    }
    // The crate exports these, so that a program needs no dependency of its own.
    Some(code.replace("<chrono::", &format!("<{library}::chrono::")).replace("<uuid::", &format!("<{library}::uuid::")))
}

/// Returns a value of a body: an object has its required fields.
fn body_value(plan: &Plan<'_>, schema: &Value, depth: usize) -> Option<String> {
    let component = component_of(schema).and_then(|name| Some((name, component(plan, name)?)));
    let Some((name, object)) = component.filter(|(_, schema)| schema["type"] == "object" && depth < 4) else {
        return value(plan, schema);
    };
    let required = object["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let fields = schema_field_names(&object);
    let mut code = format!("types::{}::builder()", component_name(name));
    for field in required {
        let value = body_value(plan, &object["properties"][field], depth + 1)?;
        code.push_str(&format!(".{}({value})", fields.get(field)?));
    }
    Some(code)
}
