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

/// Returns the patterns before and after each place of the value that `{}` stands for.
pub(super) fn around_value(template: &str, base: &str) -> Vec<(String, String)> {
    let template = pattern(&template.replace(".*", "[^/]*"), base);
    let marker = escaped("{}");
    let any = |part: &str| part.replace(&marker, "[^/]*");
    let places = template.match_indices(&marker).map(|(at, _)| template.split_at(at));
    places.map(|(before, rest)| (any(before), any(&rest[marker.len()..]))).collect()
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
        let around = |template| around_value(template, "");
        let owned = |before: &str, after: &str| (before.to_owned(), after.to_owned());
        assert_eq!(around("^/a/.*/b.c/{}/d$"), [owned(r"^/a/[^/]*/b\.c/", "/d$")]);
        let twice = [owned("^/", "/to/[^/]*$"), owned("^/[^/]*/to/", "$")];
        assert_eq!(around("^/{}/to/{}$"), twice);
    }

    #[test]
    fn the_servers_path_is_found_behind_host_or_variable() {
        let of = |url: &str| base_path(&json!({"servers": [{"url": url}]}));
        assert_eq!(of("https://a.example/v2/"), "/v2");
        assert_eq!(of("{datacenter}/api/2"), "/api/2");
        assert_eq!(of("https://a.example"), "");
    }
}
