//! The Rust names that progenitor and typify make of a document's names.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToPascalCase as _, ToSnakeCase as _};
use serde_json::Value;

/// Methods that a generated client has without any operation.
pub(crate) const CLIENT_METHODS: [&str; 11] = [
    "new",
    "new_with_client",
    "with_call_options",
    "request",
    "api_version",
    "baseurl",
    "client",
    "inner",
    "pre",
    "post",
    "exec",
];

/// Methods that every generated call, or every expectation of a mock, has without any parameter.
pub(crate) const TAKEN_SETTERS: [&str; 4] = ["new", "send", "into_inner", "body_map"];

/// Returns the name of a parameter's setter.
pub(crate) fn setter_name(name: &str) -> String {
    let setter = value_name(name);
    if TAKEN_SETTERS.contains(&setter.as_str()) { format!("{setter}_") } else { setter }
}

/// Returns a type's name.
pub(crate) fn type_name(name: &str) -> String {
    identifier(words(name).to_pascal_case(), "X")
}

/// Returns the name of the type by which a mock expects an operation.
pub(crate) fn expectation_name(id: &str) -> String {
    type_name(&format!("{}-when", value_name(id)))
}

/// Returns the name of a component's type. typify puts an X before a digit where progenitor puts an underscore.
pub(crate) fn component_name(name: &str) -> String {
    let name = type_name(name);
    match name.strip_prefix('_') {
        Some(rest) if rest.starts_with(|first: char| first.is_ascii_digit()) => format!("X{rest}"),
        _ => name,
    }
}

/// Returns a field's name. typify puts an x before a digit where progenitor puts an underscore.
pub(crate) fn field_name(name: &str) -> String {
    let name = value_name(name);
    match name.strip_prefix('_') {
        Some(rest) if rest.starts_with(|first: char| first.is_ascii_digit()) => format!("x{rest}"),
        _ => name,
    }
}

/// Returns a method's or parameter's name.
pub(crate) fn value_name(name: &str) -> String {
    identifier(words(name).to_snake_case(), "x")
}

/// The field of the fields that a schema does not list.
pub(crate) const OTHER_FIELDS: &str = "extra";

/// Returns the Rust names of an object's fields, by their names in JSON. Of several that make the same name, one keeps it and the others get
/// numbers. In an object with other fields than those listed, their name is taken.
pub(crate) fn field_names<'a>(names: impl IntoIterator<Item = &'a str>, is_open: bool) -> BTreeMap<&'a str, String> {
    // By name: the order must not depend on that of the document's parser.
    let (exact, others) = names.into_iter().partition::<BTreeSet<_>, _>(|name| field_name(name) == *name);
    let (mut fields, mut used) = (BTreeMap::new(), BTreeSet::new());
    used.extend(is_open.then(|| OTHER_FIELDS.to_owned()));
    for name in exact.into_iter().chain(others) {
        let wanted = field_name(name);
        // `self_` and a number: two underscores would be one in Rust.
        let stem = wanted.trim_end_matches('_');
        let mut candidates = std::iter::once(wanted.clone()).chain((2..).map(|number| format!("{stem}_{number}")));
        if let Some(free) = candidates.find(|candidate| used.insert(candidate.clone())) {
            fields.insert(name, free);
        }
    }
    fields
}

/// Returns the Rust names of the fields of a schema.
pub(crate) fn schema_field_names(schema: &Value) -> BTreeMap<&str, String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_open = schema.get("additionalProperties").is_some_and(|others| *others != Value::Bool(false));
    field_names(properties.into_iter().flatten().map(|(name, _)| name.as_str()), is_open)
}

fn words(name: &str) -> String {
    // Of signs alone nothing would be left; both generators have these two names for them.
    match name {
        "+1" => return "plus1".to_owned(),
        "-1" => return "minus1".to_owned(),
        _ => {}
    }
    name.replace('\'', "").replace(|letter: char| !(letter.is_alphanumeric() || letter == '_'), "-")
}

fn identifier(name: String, empty: &str) -> String {
    let name = match name.chars().next() {
        None => empty.to_owned(),
        Some(first) if first.is_alphabetic() => name,
        Some(_) => format!("_{name}"),
    };
    // A keyword since edition 2024, which syn does not treat as one.
    let keyword = name == "gen" || syn::parse_str::<syn::Ident>(&name).is_err();
    if !keyword { name } else { format!("{name}_") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_in_pascal_case() {
        assert_eq!(type_name("billing.usage-record"), "BillingUsageRecord");
        assert_eq!(type_name("APIUsage"), "ApiUsage");
        assert_eq!(type_name("2xx"), "_2xx");
        assert_eq!(type_name("self"), "Self_");
        assert_eq!(
            (expectation_name("self").as_str(), expectation_name("getOrder").as_str()),
            ("SelfWhen", "GetOrderWhen")
        );
    }

    #[test]
    fn fields_of_one_name_are_numbered() {
        let names = field_names(["_id", "Id", "id", "id_2", "note"], false);
        let names = names.iter().map(|(name, field)| (*name, field.as_str())).collect::<Vec<_>>();
        assert_eq!(names, [("Id", "id_3"), ("_id", "id_4"), ("id", "id"), ("id_2", "id_2"), ("note", "note")]);
        let names = field_names(["Self", "self", "1st", "_1st", "x1st"], false);
        let names = names.iter().map(|(name, field)| (*name, field.as_str())).collect::<Vec<_>>();
        assert_eq!(
            names,
            [("1st", "x1st_2"), ("Self", "self_"), ("_1st", "x1st_3"), ("self", "self_2"), ("x1st", "x1st")]
        );
        // The generators make the same of a numbered name.
        assert!(names.iter().all(|(_, field)| field_name(field) == *field));
    }

    #[test]
    fn a_components_type_begins_with_a_letter() {
        assert_eq!(component_name("2fa"), "X2fa");
        assert_eq!(component_name("order"), "Order");
        assert_eq!(component_name("self"), "Self_");
    }

    #[test]
    fn values_are_in_snake_case_and_keywords_get_an_underscore() {
        assert_eq!(value_name("getUsageReport"), "get_usage_report");
        assert_eq!(value_name("X-Request-Id"), "x_request_id");
        assert_eq!(value_name("type"), "type_");
        assert_eq!(value_name("gen"), "gen_");
        assert_eq!((value_name("+1").as_str(), value_name("-1").as_str()), ("plus1", "minus1"));
    }
}
