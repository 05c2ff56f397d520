//! The Rust names that progenitor and typify make of a document's names.

use heck::{ToPascalCase as _, ToSnakeCase as _};

/// Methods that a generated client has without any operation.
pub(crate) const CLIENT_METHODS: [&str; 9] =
    ["new", "new_with_client", "api_version", "baseurl", "client", "inner", "pre", "post", "exec"];

/// A type's name.
pub(crate) fn type_name(name: &str) -> String {
    identifier(words(name).to_pascal_case(), "X")
}

/// A method's, field's or parameter's name.
pub(crate) fn value_name(name: &str) -> String {
    identifier(words(name).to_snake_case(), "x")
}

fn words(name: &str) -> String {
    name.replace('\'', "").replace(|letter: char| !(letter.is_alphanumeric() || letter == '_'), "-")
}

fn identifier(name: String, empty: &str) -> String {
    let name = match name.chars().next() {
        None => empty.to_owned(),
        Some(first) if first.is_alphabetic() => name,
        Some(_) => format!("_{name}"),
    };
    if syn::parse_str::<syn::Ident>(&name).is_ok() { name } else { format!("{name}_") }
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
    }

    #[test]
    fn values_are_in_snake_case_and_keywords_get_an_underscore() {
        assert_eq!(value_name("getUsageReport"), "get_usage_report");
        assert_eq!(value_name("X-Request-Id"), "x_request_id");
        assert_eq!(value_name("type"), "type_");
    }
}
