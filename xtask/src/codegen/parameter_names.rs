//! Names of parameters that are distinct in Rust: the generators distinguish them by name alone, HTTP by name and location.

use std::collections::BTreeSet;

use openapi_document::Operation;
use serde_json::Value;

use super::identifiers::{setter_name, value_name};

/// Returns the parameters of an operation, each with a name that no other makes the same setter of, nor the body.
pub(crate) fn of_operation<'a>(root: &'a Value, operation: &Operation<'a>) -> Vec<(&'a Value, String)> {
    distinct(operation.parameters(root), operation.body(root).is_some())
}

/// Returns [`of_operation`] for a list of parameters.
pub(crate) fn distinct(parameters: Vec<&Value>, has_body: bool) -> Vec<(&Value, String)> {
    let mut used = BTreeSet::new();
    if has_body {
        used.insert("body".to_owned());
    }
    let mut names = parameters.into_iter().map(|parameter| (parameter, String::new())).collect::<Vec<_>>();
    // The path's keep their own first, then those that are Rust names as they are, then those without signs.
    let turn = |parameter: &Value| match wire_name(parameter) {
        _ if location(parameter) == "path" => 0,
        name if value_name(name) == name => 1,
        name => 2 + usize::from(!name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')),
    };
    for now in 0..4 {
        for (parameter, name) in names.iter_mut().filter(|(one, _)| turn(one) == now) {
            let own = with_words(wire_name(parameter));
            if used.insert(value_name(&own)) {
                *name = own;
            }
        }
    }
    for (parameter, name) in names.iter_mut().filter(|(_, name)| name.is_empty()) {
        let with_location = format!("{}_{}", with_words(wire_name(parameter)), location(parameter));
        let numbered = (2..).map(|number| format!("{with_location}_{number}"));
        let mut candidates = std::iter::once(with_location.clone()).chain(numbered);
        *name = candidates.find(|name| used.insert(value_name(name))).unwrap_or_default();
    }
    names
}

/// Returns a name with words for the operators of a comparison: filters such as `Time<` and `Time>` differ by nothing else, and the
/// setter `time` would not state which one is sent.
fn with_words(name: &str) -> String {
    const WORDS: [(&str, &str); 9] = [
        ("<=", "_le"),
        (">=", "_ge"),
        ("!=", "_ne"),
        ("<>", "_ne"),
        ("==", "_eq"),
        ("<", "_lt"),
        (">", "_gt"),
        ("=", "_eq"),
        ("!", "_not"),
    ];
    WORDS.iter().fold(name.to_owned(), |name, (sign, word)| name.replace(sign, word))
}

/// Returns whether a parameter's setter is not the one that its name in HTTP makes.
pub(crate) fn is_renamed(parameter: &Value, name: &str) -> bool {
    setter_name(name) != value_name(wire_name(parameter))
}

/// Returns the setter of the parameter that is sent by a name in one of some locations: in the first of them that has one.
pub(crate) fn setter(root: &Value, operation: &Operation<'_>, name: &str, locations: &[&str]) -> Option<String> {
    let all = of_operation(root, operation);
    let at = |wanted: &&str| {
        all.iter().find(|(parameter, _)| wire_name(parameter) == name && location(parameter) == *wanted)
    };
    locations.iter().find_map(at).map(|(_, own)| setter_name(own))
}

/// Returns a path with these names, as it is sent.
pub(super) fn path(path: &str, names: &[(&Value, String)]) -> String {
    let in_path = names.iter().filter(|(parameter, _)| location(parameter) == "path");
    encoded_path(&in_path.fold(path.to_owned(), |path, (parameter, name)| {
        path.replace(&format!("{{{}}}", wire_name(parameter)), &format!("{{{name}}}"))
    }))
}

/// Returns a path's template with the characters percent-encoded that a URL cannot have. Names of parameters stay.
pub(super) fn encoded_path(template: &str) -> String {
    let is_sent = |byte: u8| byte.is_ascii_graphic() && !b"\"<>`".contains(&byte);
    let mut encoded = String::new();
    for part in template.split_inclusive(['{', '}']) {
        if part.ends_with('}') {
            encoded.push_str(part);
            continue;
        }
        for byte in part.bytes() {
            encoded.push_str(&if is_sent(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
        }
    }
    encoded
}

/// Returns a parameter's name in HTTP.
pub(super) fn wire_name(parameter: &Value) -> &str {
    parameter.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// Returns where a parameter is sent, such as `query`.
pub(super) fn location(parameter: &Value) -> &str {
    parameter.get("in").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use openapi_document::operations;
    use serde_json::json;

    use super::*;
    use crate::test_support::changed;

    #[test]
    fn parameters_of_one_name_are_named_by_their_location() {
        let all = [
            ("id", "query"),
            ("id", "path"),
            ("Id", "header"),
            ("body", "query"),
            ("id_query", "query"),
            ("i-d", "query"),
        ];
        let all = all.map(|(name, location)| json!({"name": name, "in": location}));
        let names = distinct(all.iter().collect(), true).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names, ["id_query_2", "id", "Id_header", "body_query", "id_query", "i-d"]);
    }

    #[test]
    fn path_is_encoded_outside_of_its_parameters() {
        assert_eq!(encoded_path("/für/{größe}/a b/{`x}:\"q\""), "/f%C3%BCr/{größe}/a%20b/{`x}:%22q%22");
    }

    /// The names of query parameters.
    fn queries(wire: &[&str]) -> Vec<String> {
        let all = wire.iter().map(|name| json!({"name": name, "in": "query"})).collect::<Vec<_>>();
        distinct(all.iter().collect(), false).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn filters_are_named_by_their_comparison_in_every_order() {
        assert_eq!(queries(&["Time<", "Time", "Time>"]), ["Time_lt", "Time", "Time_gt"]);
        assert_eq!(queries(&["Time", "Time<=", "Time>="]), ["Time", "Time_le", "Time_ge"]);
        assert_eq!(queries(&["Time<", "Time>"]), ["Time_lt", "Time_gt"]);
        assert_eq!(queries(&["a!=", "a=", "a<>"]), ["a_ne", "a_eq", "a_ne_query"]);
        assert_eq!(queries(&["price>", "price_gt", "price"]), ["price_gt_query", "price_gt", "price"]);
        assert_eq!(queries(&["price[gt]", "price>", "price_gt"]), ["price[gt]_query", "price_gt_query_2", "price_gt"]);
        assert_eq!(queries(&["Time-", "Time"]), ["Time-_query", "Time"]);
    }

    #[test]
    fn setter_of_several_locations_is_that_of_the_first_one() {
        let parameters = json!([
            {"name": "orderId", "in": "header", "schema": {"type": "string"}},
            {"name": "orderId", "in": "path", "required": true, "schema": {"type": "string"}},
        ]);
        let document = changed("/paths/~1orders~1{orderId}/get/parameters", parameters);
        let all = operations(&document.root);
        let operation = all.iter().find(|one| one.path == "/orders/{orderId}").expect("the operation");
        let setter = |locations: &[&str]| setter(&document.root, operation, "orderId", locations);
        assert_eq!(setter(&["path", "query", "header"]).as_deref(), Some("order_id"));
        assert_eq!(setter(&["query", "header"]).as_deref(), Some("order_id_header"));
        assert_eq!(setter(&["query"]), None);
    }
}
