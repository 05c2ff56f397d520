//! Where requests go.

use serde_json::Value;

use super::read::{Edition, Published};

/// The address of a document, path item or operation, from its `servers`; with variables at their defaults. Nothing if it has
/// none, or one that is no URL.
pub(crate) fn address(holder: &Value) -> Option<String> {
    let server = holder.get("servers")?.get(0)?;
    let mut url = server.get("url")?.as_str()?.trim().to_owned();
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        if let Some(default) = variable.get("default").and_then(Value::as_str) {
            url = url.replace(&format!("{{{name}}}"), default);
        }
    }
    usable(&url)
}

/// The address of a whole document.
pub(super) fn of_document(root: &Value, edition: Edition) -> Option<String> {
    if edition != Edition::Swagger2 {
        return address(root);
    }
    let text = |key: &str| root.get(key).and_then(Value::as_str).unwrap_or_default();
    let schemes = root.get("schemes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let scheme =
        if schemes.clone().count() > 0 && schemes.clone().all(|scheme| scheme == "http") { "http" } else { "https" };
    usable(&format!("{scheme}://{}{}", text("host"), text("basePath")))
}

/// The path below the host that a document without an address of its own still states.
pub(super) fn base_path(root: &Value, edition: Edition) -> String {
    let stated = match edition {
        Edition::Swagger2 => root.get("basePath"),
        _ => root.pointer("/servers/0/url"),
    };
    let path = stated.and_then(Value::as_str).unwrap_or_default();
    if path.starts_with('/') && !path.contains(['{', '?', '#']) {
        path.trim_end_matches('/').to_owned()
    } else {
        String::new()
    }
}

/// The paths below the host that our document and the vendor's put before those of operations.
pub(crate) fn base_paths(ours: &Value, theirs: &Published) -> (String, String) {
    let below_host = |url: &str| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.find('/').map(|start| rest[start..].trim_end_matches('/').to_owned()).unwrap_or_default()
    };
    let own = ours.pointer("/servers/0/url").and_then(Value::as_str).map(below_host).unwrap_or_default();
    let other = of_document(&theirs.root, theirs.edition).map(|url| below_host(&url));
    (own, other.unwrap_or_else(|| base_path(&theirs.root, theirs.edition)))
}

/// A URL of a host that the world can reach. This machine's own is an example, not an address.
fn usable(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let local = host == "localhost" || host.starts_with("127.") || host == "0.0.0.0";
    let plain = !url.contains(['{', '}', '?', '#', '@', ' ']) && !url.contains(char::is_control);
    let good = ["https", "http"].contains(&scheme) && host.contains('.') && !local && plain;
    good.then(|| url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_a_url_with_defaults_in_it() {
        let of = |server: Value| address(&json!({"servers": [server]}));
        assert_eq!(of(json!({"url": "https://api.x.example/v1/"})).as_deref(), Some("https://api.x.example/v1"));
        let variable = json!({"url": "https://{site}.x.example", "variables": {"site": {"default": "eu"}}});
        assert_eq!(of(variable).as_deref(), Some("https://eu.x.example"));
        for none in
            ["/v1", "https://{site}.x.example", "http://localhost:8080", "https://127.0.0.1", "https://a.b/?c=d"]
        {
            assert_eq!(of(json!({"url": none})), None, "{none}");
        }
    }

    #[test]
    fn swagger_2_states_it_in_parts() {
        let root = json!({"host": "api.x.example", "basePath": "/v2", "schemes": ["http", "https"]});
        assert_eq!(of_document(&root, Edition::Swagger2).as_deref(), Some("https://api.x.example/v2"));
        assert_eq!(of_document(&json!({"basePath": "/v2"}), Edition::Swagger2), None);
        assert_eq!(base_path(&json!({"basePath": "/v2"}), Edition::Swagger2), "/v2");
    }
}
