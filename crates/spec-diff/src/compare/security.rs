//! Security: is every way in that the base offered still a way in?

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Comparison, Finding, ScopeId, paths::Operation};
use crate::{document::Node, report::Level, rules};

/// A way in: the schemes that are needed together, each with its scopes. Empty: anonymous.
type Way<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The ways into an operation, each once: its own or the document's. None stated means anonymous.
fn ways<'a>(root: &Node<'a>, operation: &Operation<'a>) -> (Vec<Way<'a>>, Node<'a>) {
    let stated = operation.node.get("security").or_else(|| root.get("security"));
    let scopes = |node: Node<'a>| node.value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let way = |node: Node<'a>| node.entries().map(|(name, list)| (name, scopes(list))).collect::<Way<'a>>();
    let mut ways = Vec::new();
    for way in stated.iter().flat_map(Node::items).map(way) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    if ways.is_empty() {
        ways.push(Way::new());
    }
    (ways, stated.unwrap_or_else(|| operation.node.clone()))
}

/// Whether a client that goes the old way may go on as it is: the new way asks for nothing that it lacks.
fn is_open_to(old: &Way<'_>, new: &Way<'_>) -> bool {
    new.iter().all(|(scheme, scopes)| old.get(scheme).is_some_and(|had| scopes.is_subset(had)))
}

/// `apiKey and oauth (read, write)`
fn describe(way: &Way<'_>) -> String {
    let scheme = |(name, scopes): (&&str, &BTreeSet<&str>)| match scopes.len() {
        0 => (*name).to_owned(),
        _ => format!("{name} ({})", scopes.iter().copied().collect::<Vec<_>>().join(", ")),
    };
    match way.len() {
        0 => "anonymous".to_owned(),
        _ => way.iter().map(scheme).collect::<Vec<_>>().join(" and "),
    }
}

fn describe_all(ways: &[Way<'_>]) -> Value {
    Value::from(ways.iter().map(describe).collect::<Vec<_>>().join(", or "))
}

impl<'a> Comparison<'a> {
    pub(super) fn security(&mut self, old: &Operation<'a>, new: &Operation<'a>, scope: ScopeId) {
        let (olds, old_node) = ways(&self.base.root(), old);
        let (news, new_node) = ways(&self.revision.root(), new);
        for list in [&olds, &news] {
            self.mark_schemes(list, scope);
        }
        if olds.iter().all(|way| news.contains(way)) && news.iter().all(|way| olds.contains(way)) {
            return;
        }
        let anonymous = Way::new();
        let closed: Vec<_> = olds.iter().filter(|old| !news.iter().any(|new| is_open_to(old, new))).collect();
        let rule = if closed.is_empty() {
            // Every way is open. What is new?
            let fewer_scopes =
                |new: &&Way<'a>| olds.iter().any(|old| old.keys().eq(new.keys()) && is_open_to(old, new));
            if news.contains(&anonymous) && !olds.contains(&anonymous) {
                &rules::SECURITY_REQUIREMENT_REMOVED
            } else if news.iter().filter(|new| !olds.contains(new)).all(|new| fewer_scopes(&new)) {
                &rules::SECURITY_SCOPE_REMOVED
            } else {
                &rules::SECURITY_ALTERNATIVE_ADDED
            }
        } else {
            let more_scopes = |old: &&&Way<'a>| news.iter().any(|new| new.keys().eq(old.keys()));
            if closed.iter().all(|old| old.is_empty()) {
                &rules::SECURITY_REQUIREMENT_ADDED
            } else if closed.iter().all(|old| more_scopes(&old)) {
                &rules::SECURITY_SCOPE_ADDED
            } else {
                &rules::SECURITY_REQUIREMENT_CHANGED
            }
        };
        let finding = Finding::new(rule).at(&old_node.at, &new_node.at);
        self.note(scope, finding.values(describe_all(&olds), describe_all(&news)));
    }

    /// Notes which operations use a scheme, for the schemes' own findings.
    fn mark_schemes(&mut self, ways: &[Way<'a>], scope: ScopeId) {
        for name in ways.iter().flat_map(BTreeMap::keys) {
            let users = self.scheme_users.entry(name).or_default();
            if users.last() != Some(&scope) {
                users.push(scope);
            }
        }
    }

    pub(super) fn security_schemes(&mut self) {
        let section = ["components", "securitySchemes"];
        let list = |node: Option<Node<'a>>| node.iter().flat_map(Node::entries).collect::<BTreeMap<_, _>>();
        let (olds, news) = (list(self.base.at(&section)), list(self.revision.at(&section)));
        for (name, node) in &olds {
            let Some(other) = news.get(name) else {
                self.note(0, Finding::new(&rules::SCHEME_REMOVED).removed(&node.at));
                continue;
            };
            let users = self.scheme_users.get(name).cloned().unwrap_or_default();
            let scope = self.scope(super::Scope { users, ..super::Scope::default() });
            let (old, new) = (self.base.resolve(node.clone()), self.revision.resolve(other.clone()));
            self.security_scheme(&old, &new, scope);
        }
        for (_, node) in news.iter().filter(|(name, _)| !olds.contains_key(*name)) {
            self.note(0, Finding::new(&rules::SCHEME_ADDED).added(&node.at));
        }
    }

    fn security_scheme(&mut self, old: &Node<'a>, new: &Node<'a>, scope: ScopeId) {
        self.words(scope, old, new);
        let value = |node: &Node<'a>, key: &str| node.value.get(key).cloned();
        if old.text("type") != new.text("type") {
            let finding = Finding::new(&rules::SCHEME_TYPE).at(&old.at, &new.at);
            return self.note(scope, finding.values(value(old, "type"), value(new, "type")));
        }
        for (key, ignores_case) in [("in", false), ("name", new.text("in") == Some("header")), ("scheme", true)] {
            let (before, after) = (old.text(key).unwrap_or_default(), new.text(key).unwrap_or_default());
            let same = before == after || (ignores_case && before.eq_ignore_ascii_case(after));
            if !same {
                let finding = Finding::new(&rules::SCHEME_WIRE).what(key).at(&old.at, &new.at);
                self.note(scope, finding.values(value(old, key), value(new, key)));
            }
        }
        self.unknown(scope, old, new, &["openIdConnectUrl"]);
        self.flows(old, new, scope);
    }

    fn flows(&mut self, old: &Node<'a>, new: &Node<'a>, scope: ScopeId) {
        let list = |node: &Node<'a>| node.get("flows").iter().flat_map(Node::named).collect::<BTreeMap<_, _>>();
        let (olds, news) = (list(old), list(new));
        for (name, flow) in &olds {
            let Some(other) = news.get(name) else {
                self.note(scope, Finding::new(&rules::SCHEME_FLOW_REMOVED).removed(&flow.at).named(*name));
                continue;
            };
            for (key, rule) in
                [("authorizationUrl", &rules::SCHEME_AUTHORIZATION_URL), ("tokenUrl", &rules::SCHEME_TOKEN_URL)]
            {
                let (before, after) = (flow.text(key), other.text(key));
                if before != after {
                    let mut finding = Finding::new(rule).at(&flow.at, &other.at);
                    // A URL that was not stated before cannot have been in use.
                    finding.level = before.is_none_or(str::is_empty).then_some(Level::Info);
                    self.note(scope, finding.values(before.map(Value::from), after.map(Value::from)));
                }
            }
            self.unknown(scope, flow, other, &["refreshUrl"]);
            self.scopes_of(flow, other, scope);
        }
        for (name, flow) in news.iter().filter(|(name, _)| !olds.contains_key(*name)) {
            self.note(scope, Finding::new(&rules::SCHEME_FLOW_ADDED).added(&flow.at).named(*name));
        }
    }

    fn scopes_of(&mut self, old: &Node<'a>, new: &Node<'a>, scope: ScopeId) {
        let list = |node: &Node<'a>| node.get("scopes").iter().flat_map(Node::named).collect::<BTreeMap<_, _>>();
        let (olds, news) = (list(old), list(new));
        for (name, node) in &olds {
            match news.get(name) {
                None => self.note(scope, Finding::new(&rules::SCHEME_SCOPE_REMOVED).removed(&node.at).named(*name)),
                Some(other) => self.docs_changed += usize::from(node.value != other.value),
            }
        }
        for (name, node) in news.iter().filter(|(name, _)| !olds.contains_key(*name)) {
            self.note(scope, Finding::new(&rules::SCHEME_SCOPE_ADDED).added(&node.at).named(*name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_open_to_those_who_bring_at_least_what_it_asks_for() {
        let way = |parts: &[(&'static str, &[&'static str])]| {
            parts.iter().map(|(scheme, scopes)| (*scheme, scopes.iter().copied().collect())).collect::<Way<'_>>()
        };
        let (key, both) = (way(&[("key", &[])]), way(&[("key", &[]), ("oauth", &["read"])]));
        assert!(is_open_to(&both, &key));
        assert!(!is_open_to(&key, &both));
        assert!(is_open_to(&key, &way(&[])));
        assert!(!is_open_to(&way(&[("oauth", &["read"])]), &way(&[("oauth", &["read", "write"])])));
        assert_eq!(describe(&both), "key and oauth (read)");
    }
}
