//! Servers: the first one is a client's default. They are compared by the URLs that they resolve to.

use std::collections::BTreeSet;

use openapi_document::Node;
use serde_json::Value;

use super::{Circumstance, Comparison, Finding, ScopeId, operation_pairing::Operation};
use crate::rule::rules;

rules! {
    SERVER_DEFAULT = Rule::api("server-default-changed", Servers, Breaking, Patch, "server-default-changed",
        "the first server, a client's default, is another one");
    SERVER_ADDED = Rule::api("server-added", Servers, Info, Patch, "server-removed", "one more server");
    SERVER_REMOVED = Rule::api("server-removed", Servers, Warning, Patch, "server-added",
        "a server is no longer listed");
    SERVER_VARIABLE = Rule::api("server-variable-changed", Servers, Warning, Patch, "server-variable-changed",
        "a variable of a server's URL has other values or another default");
}

/// Returns a server's URL without the slash at its end, which changes no request.
fn url<'a>(server: &Node<'a>) -> &'a str {
    server.text("url").unwrap_or("/").trim_end_matches('/')
}

/// Returns the URL that a client calls unless it sets variables: each at its default, scheme and host in lower case, without a port
/// that the scheme implies.
fn resolved(server: &Node<'_>) -> String {
    let mut text = url(server).to_owned();
    for (name, variable) in server.get("variables").iter().flat_map(Node::entries) {
        if let Some(default) = variable.text("default") {
            text = text.replace(&format!("{{{name}}}"), default);
        }
    }
    let text = text.trim_end_matches('/');
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (scheme, host) = (scheme.to_lowercase(), host.to_lowercase());
    let port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    format!("{scheme}://{}{}", host.strip_suffix(port).unwrap_or(&host), without_dots(path))
}

/// Returns a path without segments that lead upwards or nowhere.
fn without_dots(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." if segments.len() > 1 => drop(segments.pop()),
            ".." => {}
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

/// Returns scheme with host, and path. A URL without them is relative to where the document is from.
fn parts(resolved: &str) -> (&str, &str) {
    let start = resolved.find("://").map_or(0, |at| at + 3);
    let rest = resolved.get(start..).unwrap_or_default();
    resolved.split_at(start + rest.find('/').unwrap_or(if start == 0 { 0 } else { rest.len() }))
}

fn is_same(one: &Node<'_>, other: &Node<'_>) -> bool {
    url(one) == url(other) || resolved(one) == resolved(other)
}

/// Returns the operation or the path that has servers of its own.
fn own_servers<'a>(operation: &Operation<'a>) -> Option<Node<'a>> {
    [&operation.node, &operation.item].into_iter().find(|holder| holder.get("servers").is_some()).cloned()
}

/// A variable of a server: its name, its default, and its values if they are listed.
type Setting<'a> = (&'a str, Option<&'a Value>, BTreeSet<String>);

impl<'a> Comparison<'a> {
    /// Returns what the first servers put before the paths, if they are on one host and differ in that only.
    pub(super) fn server_prefixes(&self) -> Option<[String; 2]> {
        let first = |root: Node<'a>| {
            let server = root.get("servers").and_then(|list| list.items().next());
            server.map_or_else(String::new, |server| resolved(&server))
        };
        let (old, new) = (first(self.base.root()), first(self.revision.root()));
        let ((old_host, old_path), (new_host, new_path)) = (parts(&old), parts(&new));
        (old_host == new_host && old_path != new_path).then(|| [old_path.to_owned(), new_path.to_owned()])
    }

    /// Compares the document's servers. `kept`: calls still go to the same URLs.
    pub(super) fn default_server(&mut self, pairs: &[(Operation<'a>, Operation<'a>)], kept: bool) {
        let (old, new) = (self.base.root(), self.revision.root());
        let was_used = pairs.iter().any(|(old, _)| own_servers(old).is_none());
        let is_used = pairs.iter().any(|(_, new)| own_servers(new).is_none());
        let is_default = pairs.iter().any(|(old, new)| own_servers(old).is_none() && own_servers(new).is_none());
        if is_default || pairs.is_empty() {
            return self.server_lists(&old, &new, kept, 0);
        }
        // The operations have servers of their own, where these are compared: the document's moved to them or from them, or apply to none.
        let has_moved = (was_used && new.get("servers").is_none()) || (is_used && old.get("servers").is_none());
        if !has_moved {
            self.server_lists(&old, &new, true, 0);
        }
    }

    /// Compares the servers of an operation or of its path, where it has its own.
    pub(super) fn servers(&mut self, old: &Operation<'a>, new: &Operation<'a>, scope: ScopeId) {
        let (old, new) = (own_servers(old), own_servers(new));
        if old.is_some() || new.is_some() {
            let (base, revision) = (self.base.root(), self.revision.root());
            self.server_lists(&old.unwrap_or(base), &new.unwrap_or(revision), false, scope);
        }
    }

    /// Compares two lists of servers. `kept`: no call goes to another URL.
    fn server_lists(&mut self, old: &Node<'a>, new: &Node<'a>, kept: bool, scope: ScopeId) {
        let list = |node: &Node<'a>| node.get("servers").iter().flat_map(Node::items).collect::<Vec<_>>();
        let (olds, news) = (list(old), list(new));
        // Without servers there is one, where the document is from.
        let listed = |list: &[Node<'a>], server: &Node<'a>| {
            list.iter().any(|other| is_same(other, server)) || (list.is_empty() && resolved(server).is_empty())
        };
        let (first, second) = (olds.first(), news.first());
        let urls = (first.map_or("", url), second.map_or("", url));
        let replaced = match (first, second) {
            (Some(first), Some(second)) => !is_same(first, second),
            _ => urls.0 != urls.1,
        };
        // Without servers the URL is `/`, where the document itself is from.
        let display_url = |url: &'a str| Value::from(if url.is_empty() { "/" } else { url });
        if replaced {
            let at = |server: Option<&Node<'a>>, holder: &Node<'a>| {
                server.map_or_else(|| holder.at.clone(), |node| node.at.clone())
            };
            let finding = Finding::new(&SERVER_DEFAULT).at(&at(first, old), &at(second, new));
            let is_left = first.is_none_or(|first| listed(&news, first));
            let finding = finding.when(is_left, Circumstance::StillListed).when(kept, Circumstance::Met);
            self.note(scope, finding.values(display_url(urls.0), display_url(urls.1)));
        }
        for (index, server) in olds.iter().enumerate() {
            if listed(&news, server) {
                self.server_variables(server, &news, scope);
            } else if index > 0 || !replaced {
                let finding = Finding::new(&SERVER_REMOVED).removed(&server.at).when(kept, Circumstance::Met);
                self.note(scope, finding.values(Value::from(url(server)), None));
            }
        }
        for (index, server) in news.iter().enumerate().filter(|(_, server)| !listed(&olds, server)) {
            if index > 0 || !replaced {
                let finding = Finding::new(&SERVER_ADDED).added(&server.at);
                self.note(scope, finding.values(None, Value::from(url(server))));
            }
        }
    }

    /// Compares the variables of servers with one URL; a list may have several.
    fn server_variables(&mut self, old: &Node<'a>, news: &[Node<'a>], scope: ScopeId) {
        let settings = |server: &Node<'a>| {
            let setting = |(name, node): (&'a str, Node<'a>)| -> Setting<'a> {
                let values = node.get("enum");
                let values: BTreeSet<_> =
                    values.iter().flat_map(Node::items).map(|item| item.value.to_string()).collect();
                (name, node.value.get("default"), values)
            };
            server.get("variables").iter().flat_map(Node::entries).map(setting).collect::<Vec<_>>()
        };
        // A variable of one value is not a choice.
        let choices = |server: &Node<'a>| {
            settings(server).into_iter().filter(|(.., values)| values.len() != 1).collect::<Vec<_>>()
        };
        let is_like = |new: &Node<'a>| {
            settings(new) == settings(old) || (resolved(new) == resolved(old) && choices(new) == choices(old))
        };
        let mut same_url = news.iter().filter(|new| is_same(new, old));
        if let Some(new) = same_url.clone().next()
            && !same_url.any(is_like)
        {
            let finding = Finding::new(&SERVER_VARIABLE).at(&old.at, &new.at);
            // The same URL by default, and each variable has the values that it had, or any.
            let has_more = |(old, new): (&Setting<'a>, &Setting<'a>)| {
                (old.0, old.1) == (new.0, new.1) && (new.2.is_empty() || (!old.2.is_empty() && old.2.is_subset(&new.2)))
            };
            let (before, after) = (settings(old), settings(new));
            let is_wider = before.len() == after.len() && before.iter().zip(&after).all(has_more);
            self.note(scope, finding.when(is_wider, Circumstance::MoreAllowed));
        }
    }
}

#[cfg(test)]
mod tests {
    use openapi_document::pointer::Pointer;
    use serde_json::json;

    use super::*;

    #[test]
    fn servers_are_compared_by_their_resolved_urls() {
        for (server, expected) in [
            (json!({"url": "HTTPS://Example.com:443/V1/"}), "https://example.com/V1"),
            (
                json!({"url": "https://{r}.example.com", "variables": {"r": {"default": "eu"}}}),
                "https://eu.example.com",
            ),
            (json!({"url": "https://a.example/b/../v1/./x"}), "https://a.example/v1/x"),
            (json!({"url": "https://a.example/../v1"}), "https://a.example/v1"),
            (json!({"url": "/v1"}), "/v1"),
            (json!({}), ""),
        ] {
            assert_eq!(resolved(&Node { value: &server, at: Pointer::default() }), expected);
        }
        assert_eq!(parts("https://a.example/v1"), ("https://a.example", "/v1"));
        assert_eq!(parts("https://a.example"), ("https://a.example", ""));
        assert_eq!(parts("/v1"), ("", "/v1"));
    }
}
