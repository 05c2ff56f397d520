//! Security: is every security requirement that the base accepted still accepted?

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::{Circumstance, Comparison, Finding, ScopeId, operation_pairing::Operation};
use crate::rules::rules;

rules! {
    SECURITY_REQUIREMENT_ADDED = Rule::api("security-requirement-added", Security, Breaking, Patch,
        "security-requirement-removed", "anonymous calls are no longer allowed");
    SECURITY_REQUIREMENT_REMOVED = Rule::api("security-requirement-removed", Security, Info, Patch,
        "security-requirement-added", "anonymous calls are now allowed");
    SECURITY_REQUIREMENT_CHANGED = Rule::api("security-requirement-changed", Security, Breaking, Patch,
        "security-alternative-added", "a security requirement that clients may use was removed");
    SECURITY_ALTERNATIVE_ADDED = Rule::api("security-alternative-added", Security, Info, Patch,
        "security-requirement-changed", "one more security requirement is enough");
    SECURITY_SCOPE_ADDED = Rule::api("security-scope-added", Security, Breaking, Patch, "security-scope-removed",
        "tokens need a scope that they may lack");
    SECURITY_SCOPE_REMOVED = Rule::api("security-scope-removed", Security, Info, Patch, "security-scope-added",
        "tokens need one scope less");
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
        "api-security-component-oauth-scope-removed", "the scheme knows a new scope");
    SCHEME_SCOPE_REMOVED = Rule::api("api-security-component-oauth-scope-removed", Security, Warning, Patch,
        "api-security-component-oauth-scope-added", "a scope that clients may request was removed");
}

/// A security requirement: the credentials that are needed together, each with the scheme's name and its scopes. Empty: anonymous.
type SecurityRequirement<'a> = BTreeMap<Rc<str>, (&'a str, BTreeSet<&'a str>)>;

/// What stands for a scheme's credential on both sides, by the scheme's name.
pub(super) type Keys<'a> = HashMap<&'a str, Rc<str>>;

/// What a client sends for a scheme, and where it gets that.
fn credential(scheme: &Node<'_>) -> String {
    let text = |key| scheme.text(key).unwrap_or_default();
    match text("type") {
        "apiKey" if text("in") == "header" => format!("header {}", text("name").to_lowercase()),
        "apiKey" => format!("{} {}", text("in"), text("name")),
        "http" => format!("http {}", text("scheme").to_lowercase()),
        "oauth2" => {
            let url = |(name, flow): (&str, Node<'_>)| {
                let urls = ["authorizationUrl", "deviceAuthorizationUrl", "tokenUrl"]
                    .map(|key| flow.text(key).unwrap_or_default());
                format!("{name} {}", urls.join(" "))
            };
            let flows: BTreeSet<_> = scheme.get("flows").iter().flat_map(Node::named).map(url).collect();
            format!("oauth2 {}", flows.into_iter().collect::<Vec<_>>().join(", "))
        }
        kind => format!("{kind} {}", text("openIdConnectUrl")),
    }
}

/// The keys of both sides' schemes. A scheme keeps its key under another name as long as clients send the same; one that both sides
/// have under one name keeps it whatever else changed, which is a finding of its own.
pub(super) fn keys<'a>(base: &DocumentTree<'a>, revision: &DocumentTree<'a>) -> [Keys<'a>; 2] {
    let credentials = |document: &DocumentTree<'a>| {
        let schemes = document.at(&["components", "securitySchemes"]);
        let schemes = schemes.iter().flat_map(Node::entries);
        schemes.map(|(name, scheme)| (name, credential(&document.resolve(scheme)))).collect::<HashMap<_, _>>()
    };
    let (olds, news) = (credentials(base), credentials(revision));
    let key = |old: &str, new: &str| Rc::from(format!("{old} → {new}"));
    let old_key = |(name, own): (&&'a str, &String)| (*name, key(own, news.get(name).unwrap_or(own)));
    let new_key = |(name, own): (&&'a str, &String)| (*name, key(olds.get(name).unwrap_or(own), own));
    [olds.iter().map(old_key).collect(), news.iter().map(new_key).collect()]
}

/// Returns the security requirements of an operation, each once: its own or the document's. None means anonymous.
fn requirements<'a>(
    root: &Node<'a>,
    operation: &Operation<'a>,
    keys: &Keys<'a>,
) -> (Vec<SecurityRequirement<'a>>, Node<'a>) {
    let stated = operation.node.get("security").or_else(|| root.get("security"));
    let scopes = |node: Node<'a>| node.value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let key = |name: &'a str| keys.get(name).cloned().unwrap_or_else(|| Rc::from(name));
    let requirement = |node: Node<'a>| {
        node.entries().map(|(name, list)| (key(name), (name, scopes(list)))).collect::<SecurityRequirement<'a>>()
    };
    let mut requirements: Vec<SecurityRequirement<'a>> = Vec::new();
    for requirement in stated.iter().flat_map(Node::items).map(requirement) {
        if !requirements.iter().any(|known| is_same(known, &requirement)) {
            requirements.push(requirement);
        }
    }
    if requirements.is_empty() {
        requirements.push(SecurityRequirement::new());
    }
    (requirements, stated.unwrap_or_else(|| operation.node.clone()))
}

/// Returns whether both require the same, whatever the schemes are called.
fn is_same(one: &SecurityRequirement<'_>, other: &SecurityRequirement<'_>) -> bool {
    is_satisfied_by(one, other) && is_satisfied_by(other, one)
}

fn has(requirements: &[SecurityRequirement<'_>], requirement: &SecurityRequirement<'_>) -> bool {
    requirements.iter().any(|other| is_same(other, requirement))
}

/// Returns whether a client with the credentials of the old requirement satisfies the new one.
fn is_satisfied_by(old: &SecurityRequirement<'_>, new: &SecurityRequirement<'_>) -> bool {
    new.iter().all(|(scheme, (_, scopes))| old.get(scheme).is_some_and(|(_, had)| scopes.is_subset(had)))
}

/// `apiKey and oauth (read, write)`
fn describe(requirement: &SecurityRequirement<'_>) -> String {
    let scheme = |(name, scopes): &(&str, BTreeSet<&str>)| match scopes.len() {
        0 => (*name).to_owned(),
        _ => format!("{name} ({})", scopes.iter().copied().collect::<Vec<_>>().join(", ")),
    };
    match requirement.len() {
        0 => "anonymous".to_owned(),
        _ => requirement.values().map(scheme).collect::<Vec<_>>().join(" and "),
    }
}

fn describe_all(requirements: &[SecurityRequirement<'_>]) -> Value {
    Value::from(requirements.iter().map(describe).collect::<Vec<_>>().join(", or "))
}

/// The members of a scheme that are compared, or that say nothing of what is sent.
const SCHEME: &[&str] =
    &["$ref", "bearerFormat", "deprecated", "flows", "in", "name", "openIdConnectUrl", "scheme", "type"];

/// Whether `Authorization: Bearer` is what clients send.
fn is_bearer(scheme: &Node<'_>) -> bool {
    match scheme.text("type") {
        Some("oauth2" | "openIdConnect") => true,
        Some("http") => scheme.text("scheme").is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer")),
        _ => false,
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn security(&mut self, old: &Operation<'a>, new: &Operation<'a>, scope: ScopeId) {
        let keys = self.scheme_keys.clone();
        let (olds, old_node) = requirements(&self.base.root(), old, &keys[0]);
        let (news, new_node) = requirements(&self.revision.root(), new, &keys[1]);
        for list in [&olds, &news] {
            self.mark_schemes(list, scope);
        }
        if olds.iter().all(|requirement| has(&news, requirement))
            && news.iter().all(|requirement| has(&olds, requirement))
        {
            return;
        }
        let anonymous = SecurityRequirement::new();
        let closed: Vec<_> = olds.iter().filter(|old| !news.iter().any(|new| is_satisfied_by(old, new))).collect();
        let rule = if closed.is_empty() {
            // Clients satisfy all requirements. What is new?
            let fewer_scopes = |new: &&SecurityRequirement<'a>| {
                olds.iter().any(|old| old.keys().eq(new.keys()) && is_satisfied_by(old, new))
            };
            if has(&news, &anonymous) && !has(&olds, &anonymous) {
                &SECURITY_REQUIREMENT_REMOVED
            } else if news.iter().filter(|new| !has(&olds, new)).all(|new| fewer_scopes(&new)) {
                &SECURITY_SCOPE_REMOVED
            } else {
                &SECURITY_ALTERNATIVE_ADDED
            }
        } else {
            let more_scopes = |old: &&&SecurityRequirement<'a>| news.iter().any(|new| new.keys().eq(old.keys()));
            if closed.iter().all(|old| old.is_empty()) {
                &SECURITY_REQUIREMENT_ADDED
            } else if closed.iter().all(|old| more_scopes(&old)) {
                &SECURITY_SCOPE_ADDED
            } else {
                &SECURITY_REQUIREMENT_CHANGED
            }
        };
        let finding = Finding::new(rule).at(&old_node.at, &new_node.at);
        self.note(scope, finding.values(describe_all(&olds), describe_all(&news)));
    }

    /// Notes which operations use a scheme, for the schemes' own findings.
    fn mark_schemes(&mut self, requirements: &[SecurityRequirement<'a>], scope: ScopeId) {
        for (name, _) in requirements.iter().flat_map(BTreeMap::values) {
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
        let list = |node: &Node<'a>| node.get("flows").iter().flat_map(Node::named).collect::<BTreeMap<_, _>>();
        let (olds, news) = (list(old), list(new));
        old.get("flows").iter().chain(&new.get("flows")).for_each(|node| self.compared.whole(node));
        for (name, flow) in &olds {
            let Some(other) = news.get(name) else {
                self.note(scope, Finding::new(&SCHEME_FLOW_REMOVED).removed(&flow.at).named(*name));
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
            self.note(scope, Finding::new(&SCHEME_FLOW_ADDED).added(&flow.at).named(*name));
        }
    }

    fn scopes_of(&mut self, old: &Node<'a>, new: &Node<'a>, scope: ScopeId) {
        let list = |node: &Node<'a>| node.get("scopes").iter().flat_map(Node::named).collect::<BTreeMap<_, _>>();
        let (olds, news) = (list(old), list(new));
        for (name, node) in &olds {
            match news.get(name) {
                None => self.note(scope, Finding::new(&SCHEME_SCOPE_REMOVED).removed(&node.at).named(*name)),
                Some(other) => self.docs_changed += usize::from(node.value != other.value),
            }
        }
        for (name, node) in news.iter().filter(|(name, _)| !olds.contains_key(*name)) {
            self.note(scope, Finding::new(&SCHEME_SCOPE_ADDED).added(&node.at).named(*name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_open_to_those_who_bring_at_least_what_it_asks_for() {
        let requirement = |parts: &[(&'static str, &[&'static str])]| {
            let part = |(scheme, scopes): &(&'static str, &[&'static str])| {
                (Rc::from(*scheme), (*scheme, scopes.iter().copied().collect()))
            };
            parts.iter().map(part).collect::<SecurityRequirement<'_>>()
        };
        let (key, both) = (requirement(&[("key", &[])]), requirement(&[("key", &[]), ("oauth", &["read"])]));
        assert!(is_satisfied_by(&both, &key));
        assert!(!is_satisfied_by(&key, &both));
        assert!(is_satisfied_by(&key, &requirement(&[])));
        assert!(!is_satisfied_by(
            &requirement(&[("oauth", &["read"])]),
            &requirement(&[("oauth", &["read", "write"])])
        ));
        assert_eq!(describe(&both), "key and oauth (read)");
    }
}
