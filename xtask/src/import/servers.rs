//! The base URL of requests.

use openapi_document::pointer::{child, item};
use serde_json::Value;

use super::parse::{Edition, Published};

/// Returns the address of a document, path item or operation, from its `servers`; with variables at their defaults. Nothing
/// if it has none, or one that is not a valid URL.
pub(crate) fn address(holder: &Value) -> Option<String> {
    holder.get("servers")?.as_array()?.iter().find_map(usable_server)
}

/// Returns the URL of a server with its variables at their defaults, if it is one that the world can reach.
fn usable_server(server: &Value) -> Option<String> {
    let mut url = server.get("url")?.as_str()?.trim().to_owned();
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        if let Some(default) = variable.get("default").and_then(Value::as_str) {
            url = url.replace(&format!("{{{name}}}"), default);
        }
    }
    usable(&url)
}

/// Returns the losses of a document's addresses other than the one that is used, each with its location.
pub(super) fn others(root: &Value) -> Vec<(String, String)> {
    let servers = root.get("servers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let used = servers.iter().position(|server| usable_server(server).is_some()).unwrap_or_default();
    let variables = servers.get(used).and_then(|server| server.get("variables")?.as_object()).into_iter().flatten();
    let variables = variables.filter_map(|(name, variable)| {
        let default = variable.get("default")?.as_str()?;
        let text = format!("{name:?} in the base URL is assumed to be {default:?}");
        Some((child(&child(&item("/servers", used), "variables"), name), text))
    });
    let of_this_machine = |server: &Value| {
        let url = server.get("url").and_then(Value::as_str).unwrap_or_default();
        is_local(url.split_once("://").map_or(url, |(_, rest)| rest))
    };
    let more = servers.iter().enumerate().filter(|(index, server)| *index != used && !of_this_machine(server));
    let more = more.filter_map(|(index, server)| {
        let text = format!("the address {} is not used: another is", server.get("url")?.as_str()?);
        Some((item("/servers", index), text))
    });
    variables.chain(more).collect()
}

/// Returns the common beginning of addresses: the host of most of them (of the first, if several hosts have as many) and the path
/// below it as far as it is the same.
pub(super) fn common(addresses: &[String]) -> Option<String> {
    let host = |address: &str| address.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let count = |wanted: &str| addresses.iter().filter(|address| host(address) == wanted).count();
    let most = addresses.iter().rev().map(|address| host(address)).max_by_key(|host| count(host))?;
    let parts = addresses.iter().filter(|address| host(address) == most).map(|address| address.split('/').collect());
    let same = parts.reduce(|one: Vec<_>, other: Vec<_>| {
        one.into_iter().zip(other).take_while(|(one, other)| one == other).map(|(part, _)| part).collect()
    })?;
    Some(same.join("/"))
}

/// Returns the address of a whole document.
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

/// Returns the path below the host that a document without an address of its own still states.
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

/// Returns the paths below the host that our document and the vendor's put before those of operations.
pub(crate) fn base_paths(ours: &Value, theirs: &Published) -> (String, String) {
    let below_host = |url: &str| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.find('/').map(|start| rest[start..].trim_end_matches('/').to_owned()).unwrap_or_default()
    };
    let own = ours.pointer("/servers/0/url").and_then(Value::as_str).map(below_host).unwrap_or_default();
    let other = of_document(&theirs.root, theirs.edition).map(|url| below_host(&url));
    (own, other.unwrap_or_else(|| base_path(&theirs.root, theirs.edition)))
}

/// Returns whether what follows a URL's scheme is on this machine.
fn is_local(rest: &str) -> bool {
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    host == "localhost" || host.starts_with("127.") || host == "0.0.0.0"
}

/// Returns a URL of a host that the world can reach. This machine's own is an example, not an address.
fn usable(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let local = is_local(rest);
    let plain = !url.contains(['{', '}', '?', '#', '@', ' ']) && !url.contains(char::is_control);
    let good = ["https", "http"].contains(&scheme) && host.contains('.') && !local && plain;
    good.then(|| url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_local_server_does_not_hide_the_vendors() {
        let root = json!({"servers": [
            {"url": "http://localhost:{port}/v3", "variables": {"port": {"default": "8888"}}},
            {"url": "https://meter.x.example/v3"},
        ]});
        assert_eq!(address(&root).as_deref(), Some("https://meter.x.example/v3"));
        assert_eq!(others(&root), []);
    }

    #[test]
    fn an_address_is_a_url_with_defaults_in_it() {
        let of = |server: Value| address(&json!({"servers": [server]}));
        assert_eq!(of(json!({"url": "https://api.x.example/v1/"})).as_deref(), Some("https://api.x.example/v1"));
        let variable = json!({"url": "https://{site}.x.example", "variables": {"site": {"default": "eu"}}});
        assert_eq!(of(variable.clone()).as_deref(), Some("https://eu.x.example"));
        let both = json!({"servers": [variable, {"url": "https://us.x.example"}]});
        let reported = others(&both).into_iter().map(|(at, text)| format!("{at}: {text}")).collect::<Vec<_>>();
        assert_eq!(
            reported,
            [
                "/servers/0/variables/site: \"site\" in the base URL is assumed to be \"eu\"",
                "/servers/1: the address https://us.x.example is not used: another is",
            ]
        );
        for none in
            ["/v1", "https://{site}.x.example", "http://localhost:8080", "https://127.0.0.1", "https://a.b/?c=d"]
        {
            assert_eq!(of(json!({"url": none})), None, "{none}");
        }
    }

    #[test]
    fn addresses_have_a_host_and_the_beginning_of_a_path_in_common() {
        for (addresses, expected) in [
            (&["https://a.example/v1"][..], "https://a.example/v1"),
            (&["https://a.example/v1", "https://a.example/v10"], "https://a.example"),
            (&["https://a.example/x/v1", "https://a.example/x"], "https://a.example/x"),
            (&["https://b.example", "https://a.example/v1", "https://a.example/v2"], "https://a.example"),
            (&["https://b.example/v1", "https://a.example/v1"], "https://b.example/v1"),
        ] {
            let addresses = addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(common(&addresses).as_deref(), Some(expected), "{addresses:?}");
        }
        assert_eq!(common(&[]), None);
    }

    #[test]
    fn swagger_2_states_it_in_parts() {
        let root = json!({"host": "api.x.example", "basePath": "/v2", "schemes": ["http", "https"]});
        assert_eq!(of_document(&root, Edition::Swagger2).as_deref(), Some("https://api.x.example/v2"));
        assert_eq!(of_document(&json!({"basePath": "/v2"}), Edition::Swagger2), None);
        assert_eq!(base_path(&json!({"basePath": "/v2"}), Edition::Swagger2), "/v2");
    }
}
