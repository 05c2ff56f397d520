//! Servers: the first one is a client's default.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Comparison, Finding, ScopeId, paths::Operation};
use crate::{document::Node, report::Level, rules};

/// A server's URL without the slash at its end, which changes no request.
fn url<'a>(server: &Node<'a>) -> &'a str {
    server.text("url").unwrap_or("/").trim_end_matches('/')
}

impl<'a> Comparison<'a> {
    /// The document's servers.
    pub(super) fn default_server(&mut self) {
        let (old, new) = (self.base.root(), self.revision.root());
        self.server_lists(&old, &new, 0);
    }

    /// The servers of an operation or of its path, where it has its own.
    pub(super) fn servers(&mut self, old: &Operation<'a>, new: &Operation<'a>, scope: ScopeId) {
        let own = |operation: &Operation<'a>, root: Node<'a>| {
            let holders = [operation.node.clone(), operation.item.clone()];
            let own = holders.into_iter().find(|holder| holder.get("servers").is_some());
            (own.is_some(), own.unwrap_or(root))
        };
        let (old_own, old) = own(old, self.base.root());
        let (new_own, new) = own(new, self.revision.root());
        if old_own || new_own {
            self.server_lists(&old, &new, scope);
        }
    }

    fn server_lists(&mut self, old: &Node<'a>, new: &Node<'a>, scope: ScopeId) {
        let list = |node: &Node<'a>| node.get("servers").iter().flat_map(Node::items).collect::<Vec<_>>();
        let (olds, news) = (list(old), list(new));
        let listed = |list: &[Node<'a>], server: &Node<'a>| list.iter().any(|other| url(other) == url(server));
        let (first, second) = (olds.first(), news.first());
        let urls = (first.map_or("", url), second.map_or("", url));
        let replaced = urls.0 != urls.1;
        // Without servers the URL is `/`, where the document itself is from.
        let told = |url: &'a str| Value::from(if url.is_empty() { "/" } else { url });
        if replaced {
            let at = |server: Option<&Node<'a>>, holder: &Node<'a>| {
                server.map_or_else(|| holder.at.clone(), |node| node.at.clone())
            };
            let mut finding = Finding::new(&rules::SERVER_DEFAULT).at(&at(first, old), &at(second, new));
            // The old one is still there for those who name it, or there was none to rely on.
            let is_left = first.is_none_or(|first| listed(&news, first));
            finding.level = is_left.then_some(Level::Warning);
            self.note(scope, finding.values(told(urls.0), told(urls.1)));
        }
        for (index, server) in olds.iter().enumerate() {
            if listed(&news, server) {
                self.server_variables(server, &news, scope);
            } else if index > 0 || !replaced {
                let finding = Finding::new(&rules::SERVER_REMOVED).removed(&server.at);
                self.note(scope, finding.values(Value::from(url(server)), None));
            }
        }
        for (index, server) in news.iter().enumerate().filter(|(_, server)| !listed(&olds, server)) {
            if index > 0 || !replaced {
                let finding = Finding::new(&rules::SERVER_ADDED).added(&server.at);
                self.note(scope, finding.values(None, Value::from(url(server))));
            }
        }
    }

    /// The variables of servers with one URL; a list may have several.
    fn server_variables(&mut self, old: &Node<'a>, news: &[Node<'a>], scope: ScopeId) {
        let settings = |server: &Node<'a>| {
            let setting = |(name, node): (&'a str, Node<'a>)| {
                let values = node.get("enum");
                let values = values.iter().flat_map(Node::items).map(|item| item.value.to_string());
                (name, node.value.get("default"), values.collect::<BTreeSet<_>>())
            };
            server.get("variables").iter().flat_map(Node::entries).map(setting).collect::<Vec<_>>()
        };
        let mut same_url = news.iter().filter(|new| url(new) == url(old));
        if let Some(new) = same_url.clone().next()
            && !same_url.any(|new| settings(new) == settings(old))
        {
            self.note(scope, Finding::new(&rules::SERVER_VARIABLE).at(&old.at, &new.at));
        }
    }
}
