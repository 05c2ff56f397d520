//! Regular expressions for paths, made of those that progenitor makes: its constants are not escaped.

use serde_json::Value;

/// Returns the path of the document's first server. A mock server has none, a client may still add it.
pub(super) fn base_path(root: &Value) -> String {
    let url = root.pointer("/servers/0/url").and_then(Value::as_str).unwrap_or_default();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map(|start| rest[start..].trim_end_matches('/').to_owned()).unwrap_or_default()
}

/// Returns a path's pattern: the template's constants are taken literally, the server's path may stand before.
pub(super) fn pattern(template: &str, base: &str) -> String {
    let inner = template.trim_start_matches('^').trim_end_matches('$');
    let constants = inner.split("[^/]*").map(escaped).collect::<Vec<_>>();
    let base = if base.is_empty() { String::new() } else { format!("(?:{})?", escaped(base)) };
    format!("^{base}{}$", constants.join("[^/]*"))
}

/// Returns the pattern before and after the one value that `{}` stands for.
pub(super) fn around_value(template: &str, base: &str) -> (String, String) {
    let template = pattern(&template.replace(".*", "[^/]*"), base);
    let marker = escaped("{}");
    let (before, after) = template.split_once(&marker).unwrap_or((&template, ""));
    (before.to_owned(), after.to_owned())
}

fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|letter| r"\.+*?()|[]{}^$".contains(letter).then_some('\\').into_iter().chain([letter]))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn constants_are_literal_and_the_servers_path_is_optional() {
        assert_eq!(pattern("^/a.b/[^/]*$", "/v2"), r"^(?:/v2)?/a\.b/[^/]*$");
        assert_eq!(pattern("^/a$", ""), "^/a$");
    }

    #[test]
    fn a_value_stands_between_two_parts() {
        let (before, after) = around_value("^/a/.*/b.c/{}/d$", "");
        assert_eq!((before.as_str(), after.as_str()), (r"^/a/[^/]*/b\.c/", "/d$"));
    }

    #[test]
    fn the_servers_path_is_found_behind_host_or_variable() {
        let of = |url: &str| base_path(&json!({"servers": [{"url": url}]}));
        assert_eq!(of("https://a.example/v2/"), "/v2");
        assert_eq!(of("{datacenter}/api/2"), "/api/2");
        assert_eq!(of("https://a.example"), "");
    }
}
