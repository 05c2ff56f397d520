//! The base URL of requests.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr},
};

use openapi_document::pointer::{child, item};
use serde_json::Value;

use super::parse::{Edition, Published};

/// Returns the address of a document, path item or operation, from its `servers`; with variables at their defaults. Nothing
/// if it has none, or one that is not a valid URL.
pub(crate) fn address(holder: &Value) -> Option<String> {
    used_server(holder).map(|(_, url)| url)
}

/// Returns the index and the URL of the server that is used: the first one by HTTPS, else the first one.
fn used_server(holder: &Value) -> Option<(usize, String)> {
    let servers = holder.get("servers")?.as_array()?.iter().enumerate();
    let usable = servers.filter_map(|(index, server)| Some((index, usable_server(server)?))).collect::<Vec<_>>();
    let is_secure = |(_, url): &&(usize, String)| url.starts_with("https:");
    usable.iter().find(is_secure).or(usable.first()).cloned()
}

/// Returns the URL of a server with its variables at their defaults, if it is one that the world can reach.
fn usable_server(server: &Value) -> Option<String> {
    usable(&with_defaults(server)?)
}

fn with_defaults(server: &Value) -> Option<String> {
    let mut url = server.get("url")?.as_str()?.trim().to_owned();
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        if let Some(default) = variable.get("default").and_then(Value::as_str) {
            url = url.replace(&format!("{{{name}}}"), default);
        }
    }
    Some(url)
}

/// Returns the losses of a document's addresses other than the one that is used, each with its location.
pub(super) fn others(root: &Value) -> Vec<(String, String)> {
    let servers = root.get("servers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let used = used_server(root).map(|(index, _)| index).unwrap_or_default();
    let variables = servers.get(used).and_then(|server| server.get("variables")?.as_object()).into_iter().flatten();
    let variables = variables.filter_map(|(name, variable)| {
        let default = variable.get("default")?.as_str()?;
        let text = format!("{name:?} in the base URL is assumed to be {default:?}");
        Some((child(&child(&item("/servers", used), "variables"), name), text))
    });
    let of_this_machine = |server: &Value| with_defaults(server).is_some_and(|url| is_local(after_scheme(&url)));
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
    let mut counts = BTreeMap::<_, usize>::new();
    addresses.iter().for_each(|address| *counts.entry(host(address)).or_default() += 1);
    let most = addresses.iter().rev().map(|address| host(address)).max_by_key(|host| counts.get(host).copied())?;
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
        Edition::Swagger2 => root.get("basePath").and_then(Value::as_str).map(str::to_owned),
        _ => root.pointer("/servers/0").and_then(with_defaults),
    };
    let stated = stated.unwrap_or_default();
    let path = if is_local(after_scheme(&stated)) { below_host(&stated) } else { &stated };
    if path.starts_with('/') && !path.contains(['{', '?', '#']) {
        path.trim_end_matches('/').to_owned()
    } else {
        String::new()
    }
}

/// Returns the paths below the host that our document and the vendor's put before those of operations.
pub(crate) fn base_paths(ours: &Value, theirs: &Published) -> (String, String) {
    let path = |url: &str| below_host(url).trim_end_matches('/').to_owned();
    let own = ours.pointer("/servers/0/url").and_then(Value::as_str).map(path).unwrap_or_default();
    let other = of_document(&theirs.root, theirs.edition).map(|url| path(&url));
    (own, other.unwrap_or_else(|| base_path(&theirs.root, theirs.edition)))
}

fn after_scheme(url: &str) -> &str {
    url.split_once("//").map_or(url, |(_, rest)| rest)
}

/// Returns the path of a URL.
fn below_host(url: &str) -> &str {
    let rest = after_scheme(url);
    rest.find('/').map_or("", |start| &rest[start..])
}

/// Returns whether what follows a URL's scheme is on this machine or in a network of its own, as it is where a service is developed.
fn is_local(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_lowercase();
    if authority.starts_with('[') {
        let address = authority.trim_start_matches('[').split(']').next().unwrap_or_default().parse::<Ipv6Addr>();
        return address.is_ok_and(|address| {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        });
    }
    let host = authority.split(':').next().unwrap_or_default().trim_end_matches('.');
    match host.parse::<Ipv4Addr>() {
        Ok(address) => {
            address.is_loopback() || address.is_unspecified() || address.is_private() || address.is_link_local()
        }
        Err(_) => {
            let names = ["localhost", "localdomain", "local", "internal", "lan"];
            names.iter().any(|name| host == *name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
        }
    }
}

/// Returns a URL of a host that the world can reach. This machine's own is an example, not an address.
pub(super) fn usable(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("//")?;
    let scheme = match scheme.to_lowercase().as_str() {
        "https:" | "" => "https",
        "http:" => "http",
        _ => return None,
    };
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let is_plain = !rest.contains(['{', '}', '?', '#', '@', ' ', '"', '\\']) && !rest.contains(char::is_control);
    (host.contains('.') && !is_local(rest) && is_plain).then(|| format!("{scheme}://{}", rest.trim_end_matches('/')))
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
    fn servers_of_a_developer_are_no_address_in_any_spelling() {
        for url in [
            "http://localhost:8080/v1",
            "https://LOCALHOST",
            "http://127.0.0.1:3000",
            "http://127.1.2.3/",
            "http://0.0.0.0:80",
            "http://[::1]:8080",
            "http://[::]/v1",
            "http://[fd00::1]",
            "http://host.docker.internal:8080",
            "http://api.localhost/v1",
            "http://localhost.localdomain",
            "http://printer.local",
            "https://10.1.2.3",
            "https://192.168.0.7/v1",
            "https://172.16.0.1",
            "//localhost/v1",
        ] {
            let root = json!({"servers": [{"url": url}, {"url": "https://api.x.example/v1"}]});
            assert_eq!(address(&root).as_deref(), Some("https://api.x.example/v1"), "{url}");
            assert_eq!(others(&root), [], "{url}");
        }
        let host = json!({"url": "http://{host}/v1", "variables": {"host": {"default": "localhost:8080"}}});
        let root = json!({"servers": [host, {"url": "//api.x.example/v1"}]});
        assert_eq!(address(&root).as_deref(), Some("https://api.x.example/v1"));
        assert_eq!(others(&root), []);
        let alone = json!({"servers": [{"url": "http://localhost:8080/v1"}]});
        assert_eq!((address(&alone), base_path(&alone, Edition::OpenApi30)), (None, "/v1".to_owned()));
    }

    #[test]
    fn of_servers_the_first_by_https_is_used() {
        let root = json!({"servers": [{"url": "http://api.x.example"}, {"url": "HTTPS://api.x.example"}]});
        assert_eq!(address(&root).as_deref(), Some("https://api.x.example"));
        let reported = others(&root).into_iter().map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(reported, ["/servers/0"]);
        let plain = json!({"servers": [{"url": "http://api.x.example"}]});
        assert_eq!(address(&plain).as_deref(), Some("http://api.x.example"));
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
