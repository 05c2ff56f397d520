//! Parameters: what the generator panics on, sends otherwise than the document says, or does not compile.

use std::collections::BTreeMap;

use openapi_document::{Operation, operations, resolve};
use serde_json::Value;

use super::{Findings, Rule};
use crate::codegen::identifiers::value_name;

pub(super) fn check(root: &Value, findings: &mut Findings) {
    for operation in operations(root) {
        let mut names = BTreeMap::<String, &str>::new();
        for (at, parameter) in operation.parameters_at(root) {
            let name = text(parameter, "name");
            one(root, &at, parameter, findings);
            if let Some(other) = names.insert(value_name(name), name) {
                let message = format!("parameters {other:?} and {name:?} make the same setter");
                findings.add(
                    Rule::ParameterName,
                    &at,
                    message,
                    "the generator has no way to tell them apart: leave one out",
                );
            }
            if ["new", "send"].contains(&value_name(name).as_str()) {
                let message = format!("{name:?} is a method that every request has");
                findings.add(Rule::ParameterName, &at, message, "leave the parameter out");
            }
            if value_name(name) == "body" && operation.value.contains_key("requestBody") {
                findings.add(
                    Rule::ParameterName,
                    &at,
                    "a parameter `body` beside a request body",
                    "the generator has one setter for both: leave one out",
                );
            }
        }
        template(root, &operation, findings);
    }
}

fn one(root: &Value, at: &str, parameter: &Value, findings: &mut Findings) {
    let (name, place) = (text(parameter, "name"), text(parameter, "in"));
    if name.is_empty() {
        findings.add(Rule::ParameterName, at, "a parameter without a name", "write its `name`");
    }
    let schema = parameter.get("schema").map(|schema| resolve(root, schema));
    let Some(schema) = schema else {
        return findings.add(
            Rule::ParameterSchema,
            at,
            format!("parameter {name:?} has no schema"),
            "give it one; `content` is not supported",
        );
    };
    let of = |key: &str| text(schema, key);
    let default_style = if place == "query" { "form" } else { "simple" };
    let style = parameter.get("style").and_then(Value::as_str).unwrap_or(default_style);
    if !["query", "path", "header"].contains(&place) {
        findings.add(
            Rule::ParameterPlace,
            at,
            format!("parameter {name:?} is in {place:?}"),
            "only query, path and header are supported",
        );
    } else if style != default_style {
        findings.add(
            Rule::ParameterStyle,
            at,
            format!("parameter {name:?} has the style {style:?}"),
            format!("only {default_style:?} is supported"),
        );
    }
    let list = of("type") == "array";
    if place == "query" && list && parameter.get("explode").and_then(Value::as_bool) == Some(false) {
        let help = "declare a plain string and say that it is comma-joined";
        findings.add(Rule::ParameterStyle, at, format!("list {name:?} is not exploded, but would be sent so"), help);
    }
    if of("type") == "object" || (list && place != "query") {
        findings.add(
            Rule::ParameterType,
            at,
            format!("parameter {name:?} is of type {} in {place}", of("type")),
            "declare its text form",
        );
    }
    if [Some(schema), schema.get("items").map(|items| resolve(root, items))]
        .into_iter()
        .flatten()
        .any(|schema| ["decimal", "lenient-decimal"].contains(&text(schema, "format")))
    {
        findings.add(
            Rule::ParameterType,
            at,
            format!("decimal {name:?} in {place} would be sent by way of a float"),
            "declare a plain string",
        );
    }
    let written_otherwise = ["date-time", "lenient-date-time"].contains(&of("format"));
    if ["path", "header"].contains(&place) && written_otherwise {
        findings.add(
            Rule::ParameterType,
            at,
            format!("date-time {name:?} in {place} would not be sent as RFC 3339"),
            "declare a plain string",
        );
    }
    if ["path", "header"].contains(&place) {
        for (found, what) in [
            (of("format") == "password", "a `password` is never printed, so it"),
            (schema.get("nullable") == Some(&Value::Bool(true)), "what may be null has no text form, so it"),
        ] {
            if found {
                let message = format!("{what} cannot be sent in {place}: parameter {name:?}");
                findings.add(Rule::ParameterType, at, message, "declare a plain string");
            }
        }
    }
    if place == "path" && parameter.get("required").and_then(Value::as_bool) != Some(true) {
        findings.add(
            Rule::ParameterRequired,
            at,
            format!("path parameter {name:?} is not required"),
            "write `required: true`",
        );
    }
    if text(parameter, "description").is_empty() {
        findings.add(
            Rule::Description,
            at,
            format!("parameter {name:?} has no description"),
            "say what it is, with unit and limits",
        );
    }
}

/// The path's template and its parameters have to name the same.
fn template(root: &Value, operation: &Operation<'_>, findings: &mut Findings) {
    let in_template = operation.path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect::<Vec<_>>();
    let parameters = operation.parameters(root);
    let declared =
        parameters.iter().filter(|parameter| text(parameter, "in") == "path").map(|parameter| text(parameter, "name"));
    let declared = declared.collect::<Vec<_>>();
    for name in in_template.iter().filter(|name| !declared.contains(name)) {
        findings.add(
            Rule::PathParameter,
            &operation.pointer,
            format!("{{{name}}} is not declared"),
            "add the parameter with `in: path`",
        );
    }
    for name in declared.iter().filter(|name| !in_template.contains(name)) {
        findings.add(
            Rule::PathParameter,
            &operation.pointer,
            format!("{name:?} is not in the path"),
            "write it into the path or declare it `in: query`",
        );
    }
}

fn text<'a>(node: &'a Value, key: &str) -> &'a str {
    node.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::broken;

    const SINCE: &str = "/paths/~1orders/get/parameters/2";
    const PATH: &str = "/paths/~1orders~1{orderId}/get/parameters/0";

    #[test]
    fn parameters_are_in_query_path_or_header_with_a_schema() {
        assert_eq!(broken(&format!("{SINCE}/in"), json!("cookie")), ["parameter-place"]);
        assert_eq!(broken(&format!("{SINCE}/schema"), Value::Null), ["parameter-schema"]);
    }

    #[test]
    fn styles_that_the_generator_does_not_write_are_refused() {
        assert_eq!(broken(&format!("{SINCE}/style"), json!("deepObject")), ["parameter-style"]);
        let list = json!({"name": "state", "in": "query", "description": "d", "explode": false,
            "schema": {"type": "array", "items": {"type": "string"}}});
        assert_eq!(broken(SINCE, list), ["parameter-style"]);
    }

    #[test]
    fn types_that_have_no_one_text_form_are_refused() {
        assert_eq!(
            broken(&format!("{SINCE}/schema"), json!({"type": "object", "additionalProperties": true})),
            ["parameter-type"]
        );
        assert_eq!(
            broken(&format!("{PATH}/schema"), json!({"type": "string", "format": "date-time"})),
            ["parameter-type"]
        );
    }

    #[test]
    fn what_is_not_printed_is_neither_in_path_nor_header() {
        for schema in [json!({"type": "string", "format": "password"}), json!({"type": "string", "nullable": true})] {
            assert_eq!(broken(&format!("{PATH}/schema"), schema.clone()), ["parameter-type"]);
            let header = json!({"name": "X-Since", "in": "header", "description": "d", "schema": schema});
            assert_eq!(broken(SINCE, header), ["parameter-type"]);
        }
    }

    #[test]
    fn parameters_are_not_named_as_the_requests_own_methods() {
        for name in ["new", "Send"] {
            assert_eq!(broken(&format!("{SINCE}/name"), json!(name)), ["parameter-name"], "{name}");
        }
    }

    #[test]
    fn decimals_are_declared_as_text() {
        let decimal = json!({"type": "number", "format": "decimal"});
        assert_eq!(broken(&format!("{SINCE}/schema"), decimal.clone()), ["parameter-type"]);
        assert_eq!(broken(&format!("{SINCE}/schema"), json!({"type": "array", "items": decimal})), ["parameter-type"]);
        assert_eq!(
            broken(&format!("{PATH}/schema"), json!({"type": "string", "format": "decimal"})),
            ["parameter-type"]
        );
    }

    #[test]
    fn path_parameters_are_required_and_match_the_path() {
        assert_eq!(broken(&format!("{PATH}/required"), json!(false)), ["parameter-required"]);
        assert_eq!(broken(&format!("{PATH}/name"), json!("order")), ["path-parameter"]);
    }

    #[test]
    fn two_parameters_need_two_setters() {
        let twin = json!({"name": "Limit", "in": "query", "description": "d", "schema": {"type": "string"}});
        assert_eq!(broken(SINCE, twin), ["parameter-name"]);
    }
}
