//! Security: is every security requirement that the base accepted still accepted?

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use openapi_document::Node;
use serde_json::Value;

use super::{Comparison, Finding, ScopeId, credentials::Keys, operation_pairing::Operation};
use crate::rule::rules;

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
}

/// A security requirement: the credentials that are needed together, each with the scheme's name and its scopes. Empty: anonymous.
type SecurityRequirement<'a> = BTreeMap<Rc<str>, (&'a str, BTreeSet<&'a str>)>;

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

/// Returns a requirement in words: `apiKey and oauth (read, write)`.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirement_is_satisfied_by_its_schemes_and_scopes() {
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
