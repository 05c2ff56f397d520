//! Security schemes: how credentials are sent, and where tokens come from.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::Node;
use serde_json::Value;

use super::{Circumstance, Comparison, Finding, ScopeId};
use crate::rule::rules;

rules! {
    SCHEME_ADDED = Rule::api("api-security-component-added", Security, Info, Patch, "api-security-component-removed",
        "a new security scheme");
    SCHEME_REMOVED = Rule::api("api-security-component-removed", Security, Info, Patch, "api-security-component-added",
        "a security scheme was removed; operations that used it are reported separately");
    SCHEME_RENAMED = Rule::api("api-security-component-renamed", Security, Level::None, Patch,
        "api-security-component-renamed", "the same scheme has another name in the document");
    SCHEME_DEPRECATED = Rule::api("api-security-component-deprecated", Security, Info, Patch,
        "api-security-component-reactivated", "the scheme is now deprecated");
    SCHEME_REACTIVATED = Rule::api("api-security-component-reactivated", Security, Info, Patch,
        "api-security-component-deprecated", "the scheme is no longer deprecated");
    SCHEME_TYPE = Rule::api("api-security-component-type-changed", Security, Breaking, Patch,
        "api-security-component-type-changed", "the scheme is of another type");
    SCHEME_WIRE = Rule::api("api-security-component-wire-changed", Security, Breaking, Patch,
        "api-security-component-wire-changed", "the credential is sent elsewhere: another header, location or HTTP scheme")
        .written("api-security-component-{what}-changed");
    SCHEME_AUTHORIZATION_URL = Rule::api("api-security-component-oauth-url-changed", Security, Warning, Patch,
        "api-security-component-oauth-url-changed", "users are sent to another page to log in");
    SCHEME_TOKEN_URL = Rule::api("api-security-component-oauth-token-url-changed", Security, Breaking, Patch,
        "api-security-component-oauth-token-url-changed", "tokens come from another URL");
    SCHEME_FLOW_ADDED = Rule::api("api-security-component-oauth-flow-added", Security, Info, Patch,
        "api-security-component-oauth-flow-removed", "one more way to get a token");
    SCHEME_FLOW_REMOVED = Rule::api("api-security-component-oauth-flow-removed", Security, Breaking, Patch,
        "api-security-component-oauth-flow-added", "a way to get a token was removed");
    SCHEME_SCOPE_ADDED = Rule::api("api-security-component-oauth-scope-added", Security, Info, Patch,
        "api-security-component-oauth-scope-removed", "the scheme has a new scope");
    SCHEME_SCOPE_REMOVED = Rule::api("api-security-component-oauth-scope-removed", Security, Warning, Patch,
        "api-security-component-oauth-scope-added", "a scope that clients may request was removed");
}

/// The members of a scheme that are compared, or that do not concern what is sent.
const SCHEME: &[&str] =
    &["$ref", "bearerFormat", "deprecated", "flows", "in", "name", "openIdConnectUrl", "scheme", "type"];

/// Returns whether `Authorization: Bearer` is what clients send.
fn is_bearer(scheme: &Node<'_>) -> bool {
    match scheme.text("type") {
        Some("oauth2" | "openIdConnect") => true,
        Some("http") => scheme.text("scheme").is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer")),
        _ => false,
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn security_schemes(&mut self) {
        let section = ["components", "securitySchemes"];
        let list = |node: Option<Node<'a>>| node.iter().flat_map(Node::entries).collect::<BTreeMap<_, _>>();
        let (olds, news) = (list(self.base.at(&section)), list(self.revision.at(&section)));
        let keys = self.scheme_keys.clone();
        let mut renamed = BTreeSet::new();
        for (name, node) in &olds {
            let Some(other) = news.get(name) else {
                let is_it = |(new, _): &(&&'a str, &Node<'a>)| {
                    !olds.contains_key(*new) && !renamed.contains(*new) && keys[1].get(*new) == keys[0].get(name)
                };
                match news.iter().find(is_it) {
                    Some((new, other)) => {
                        renamed.insert(*new);
                        let finding = Finding::new(&SCHEME_RENAMED).at(&node.at, &other.at);
                        self.note(0, finding.values(Value::from(*name), Value::from(*new)));
                    }
                    None => self.note(0, Finding::new(&SCHEME_REMOVED).removed(&node.at)),
                }
                continue;
            };
            let users = self.scheme_users.get(name).cloned().unwrap_or_default();
            let scope = self.scope(super::Scope { users, ..super::Scope::default() });
            let (old, new) = (self.base.resolve(node.clone()), self.revision.resolve(other.clone()));
            let first = self.findings.len();
            self.security_scheme(&old, &new, scope);
            if !self.scheme_users.contains_key(name) {
                self.findings.iter_mut().skip(first).for_each(|finding| finding.circumstance = Circumstance::Unused);
            }
        }
        for (_, node) in news.iter().filter(|(name, _)| !olds.contains_key(*name) && !renamed.contains(*name)) {
            self.note(0, Finding::new(&SCHEME_ADDED).added(&node.at));
        }
    }

    fn security_scheme(&mut self, old: &Node<'a>, new: &Node<'a>, scope: ScopeId) {
        self.compare_docs_and_extensions(scope, old, new);
        self.others(scope, old, new, SCHEME);
        let deprecated = match (old.flag("deprecated"), new.flag("deprecated")) {
            (false, true) => Some(&SCHEME_DEPRECATED),
            (true, false) => Some(&SCHEME_REACTIVATED),
            _ => None,
        };
        if let Some(rule) = deprecated {
            self.note(scope, Finding::new(rule).at(&old.at, &new.at));
        }
        let value = |node: &Node<'a>, key: &str| node.value.get(key).cloned();
        if old.text("type") != new.text("type") {
            let finding = Finding::new(&SCHEME_TYPE).at(&old.at, &new.at);
            let finding = finding.when(is_bearer(old) && is_bearer(new), Circumstance::SameHeader);
            return self.note(scope, finding.values(value(old, "type"), value(new, "type")));
        }
        for (key, ignores_case) in [("in", false), ("name", new.text("in") == Some("header")), ("scheme", true)] {
            let (before, after) = (old.text(key).unwrap_or_default(), new.text(key).unwrap_or_default());
            let same = before == after || (ignores_case && before.eq_ignore_ascii_case(after));
            if !same {
                let finding = Finding::new(&SCHEME_WIRE).what(key).at(&old.at, &new.at);
                self.note(scope, finding.values(value(old, key), value(new, key)));
            }
        }
        self.unknown(scope, old, new, &["openIdConnectUrl"]);
        self.flows(old, new, scope);
    }

    fn flows(&mut self, old: &Node<'a>, new: &Node<'a>, scope: ScopeId) {
        let list =
            |node: &Node<'a>| node.get("flows").iter().flat_map(Node::without_extensions).collect::<BTreeMap<_, _>>();
        let (olds, news) = (list(old), list(new));
        old.get("flows").iter().chain(&new.get("flows")).for_each(|node| self.compared.whole(node));
        for (name, flow) in &olds {
            let Some(other) = news.get(name) else {
                self.note(scope, Finding::new(&SCHEME_FLOW_REMOVED).removed(&flow.at).with_name(*name));
                continue;
            };
            for (key, rule) in [("authorizationUrl", &SCHEME_AUTHORIZATION_URL), ("tokenUrl", &SCHEME_TOKEN_URL)] {
                let (before, after) = (flow.text(key), other.text(key));
                if before != after {
                    let is_new = before.is_none_or(str::is_empty);
                    let finding =
                        Finding::new(rule).at(&flow.at, &other.at).when(is_new, Circumstance::NotStatedBefore);
                    self.note(scope, finding.values(before.map(Value::from), after.map(Value::from)));
                }
            }
            self.others(scope, flow, other, &["authorizationUrl", "tokenUrl", "scopes"]);
            self.scopes_of(flow, other, scope);
        }
        for (name, flow) in news.iter().filter(|(name, _)| !olds.contains_key(*name)) {
            self.note(scope, Finding::new(&SCHEME_FLOW_ADDED).added(&flow.at).with_name(*name));
        }
    }

    fn scopes_of(&mut self, old: &Node<'a>, new: &Node<'a>, scope: ScopeId) {
        let list =
            |node: &Node<'a>| node.get("scopes").iter().flat_map(Node::without_extensions).collect::<BTreeMap<_, _>>();
        let (olds, news) = (list(old), list(new));
        for (name, node) in &olds {
            match news.get(name) {
                None => self.note(scope, Finding::new(&SCHEME_SCOPE_REMOVED).removed(&node.at).with_name(*name)),
                Some(other) => self.docs_changed += usize::from(node.value != other.value),
            }
        }
        for (name, node) in news.iter().filter(|(name, _)| !olds.contains_key(*name)) {
            self.note(scope, Finding::new(&SCHEME_SCOPE_ADDED).added(&node.at).with_name(*name));
        }
    }
}
