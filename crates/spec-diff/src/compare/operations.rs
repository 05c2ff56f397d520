//! Operations: added and removed ones, and their fields beside messages.

use std::collections::BTreeSet;

use openapi_document::Node;
use serde_json::Value;

use super::{
    Circumstance, Comparison, Finding, Scope, ScopeId,
    lifecycle::Sunset,
    operation_pairing::{ITEM, Operation, Pairing, is_method},
};
use crate::{classification::Role, rule::rules};

rules! {
    ENDPOINT_ADDED = Rule::api("endpoint-added", Operations, Info, Minor, "api-removed",
        "a new operation");
    API_REMOVED = Rule::api("api-removed", Operations, Breaking, Major, "endpoint-added",
        "an operation was removed without announcement")
        .written("api-{what}-without-deprecation");
    API_REMOVED_DEPRECATED = Rule::api("api-removed-with-deprecation", Operations, Breaking, Major, "endpoint-added",
        "a deprecated operation was removed: announced, but calls fail")
        .written("api-{what}-with-deprecation");
    API_REMOVED_BEFORE_SUNSET = Rule::api("api-removed-before-sunset", Operations, Breaking, Major, "endpoint-added",
        "an operation was removed before its sunset")
        .written("api-{what}-before-sunset");
    API_REMOVED_AFTER_SUNSET = Rule::api("api-removed-after-sunset", Operations, Level::None, Major, "endpoint-added",
        "an operation was removed as announced: its sunset has passed")
        .written("api-{what}-after-sunset");
    ENDPOINT_MOVED = Rule::api("endpoint-moved", Operations, Breaking, Patch, "endpoint-moved",
        "an operation of the same operationId is now at another path or method");
    OPERATION_ID_CHANGED = Rule::api("api-operation-id-changed", Operations, Level::None, Major,
        "api-operation-id-changed", "the generated method has another name; calls on the wire are the same");
    STABILITY_DECREASED = Rule::api("api-stability-decreased", Operations, Info, Patch, "api-stability-increased",
        "the vendor promises less for this operation");
    STABILITY_INCREASED = Rule::api("api-stability-increased", Operations, Info, Patch, "api-stability-decreased",
        "the vendor promises more for this operation");
}

/// The members of an operation that are compared.
const OPERATION: &[&str] =
    &["callbacks", "deprecated", "operationId", "parameters", "requestBody", "responses", "security", "servers"];

impl<'a> Comparison<'a> {
    /// Compares all operations.
    pub(super) fn operations(&mut self) {
        let (olds, news) = (Operation::all(&self.base), Operation::all(&self.revision));
        let paths_left: BTreeSet<_> =
            news.iter().map(|operation| super::operation_pairing::template(operation.path)).collect();
        let prefixes = self.server_prefixes();
        let paths = prefixes.as_ref().map(|[before, after]| [before.as_str(), after.as_str()]);
        let pairing = Pairing::of(olds, news, paths);
        let mut items = BTreeSet::new();
        for (old, new) in &pairing.kept {
            if items.insert(old.item.address()) {
                self.others_of_item(&old.item, &new.item);
            }
            self.operation(old, &new.known_as(old));
        }
        for (old, new) in &pairing.moved {
            if items.insert(old.item.address()) {
                self.others_of_item(&old.item, &new.item);
            }
            let scope = self.operation(old, &new.known_as(old));
            let value = |operation: &Operation<'a>| Value::from(operation.reference().to_string());
            let finding = Finding::new(&ENDPOINT_MOVED).at(&old.node.at, &new.node.at);
            self.note(scope, finding.values(value(old), value(new)));
        }
        pairing.removed.iter().chain(&pairing.added).for_each(|call| self.compared.members(&call.item, &call.item));
        for operation in &pairing.removed {
            self.operation_removed(
                &operation.known_as(operation),
                paths_left.contains(&super::operation_pairing::template(operation.path)),
            );
        }
        for operation in &pairing.added {
            let scope = self.operation_scope(operation, Role::Operation);
            self.note(scope, Finding::new(&ENDPOINT_ADDED).added(&operation.node.at).with_name(""));
        }
        self.webhooks();
        // All calls go to the URLs that they went to: only the cut between server and path is another.
        let is_same_url = |(old, new): &(Operation<'a>, Operation<'a>)| {
            paths.is_some_and(|[before, after]| {
                let url = |prefix: &str, path: &str| super::operation_pairing::template(&format!("{prefix}{path}"));
                url(before, old.path) == url(after, new.path)
            })
        };
        let kept = !pairing.kept.is_empty() && pairing.kept.iter().all(is_same_url);
        self.default_server(&pairing.kept, kept);
    }

    pub(super) fn others_of_item(&mut self, old: &Node<'a>, new: &Node<'a>) {
        let keys: Vec<_> = ITEM
            .iter()
            .copied()
            .chain(old.members().chain(new.members()).map(|(key, _)| key).filter(|key| is_method(key)))
            .collect();
        self.others(0, old, new, &keys);
    }

    /// Returns a scope of its own for an operation in one role.
    pub(super) fn operation_scope(&mut self, operation: &Operation<'a>, role: Role) -> ScopeId {
        let known = self.operations.last().is_some_and(|last| last.node.address() == operation.node.address());
        let number = operation.within.unwrap_or_else(|| {
            if !known {
                self.operations.push(operation.clone());
            }
            self.operations.len() - 1
        });
        self.scope(Scope { operation: Some((number, role)), users: Vec::new(), incoming: operation.incoming })
    }

    fn operation_removed(&mut self, operation: &Operation<'a>, path_is_left: bool) {
        let sunset = Sunset::of(&operation.node);
        let rule = match (operation.node.flag("deprecated"), sunset) {
            (false, _) => &API_REMOVED,
            (true, sunset) if sunset.has_passed(self.options.today.as_deref()) => &API_REMOVED_AFTER_SUNSET,
            (true, Sunset::Day(_)) => &API_REMOVED_BEFORE_SUNSET,
            (true, _) => &API_REMOVED_DEPRECATED,
        };
        let is_unreadable = sunset == Sunset::Unreadable && operation.node.flag("deprecated");
        let scope = self.operation_scope(operation, Role::Operation);
        let finding = Finding::new(rule).what(if path_is_left { "removed" } else { "path-removed" });
        let finding = finding.when(is_unreadable, Circumstance::UnreadableSunset);
        self.note(scope, finding.removed(&operation.node.at).with_name(""));
    }

    /// Compares two operations that stand for each other.
    fn operation(&mut self, old: &Operation<'a>, new: &Operation<'a>) -> ScopeId {
        let scope = self.operation_scope(new, Role::Operation);
        self.compare_docs_and_extensions(scope, &old.node, &new.node);
        self.others(scope, &old.node, &new.node, OPERATION);
        if old.id() != new.id() {
            let finding = Finding::new(&OPERATION_ID_CHANGED).at(&old.node.at, &new.node.at);
            self.note(scope, finding.values(old.id().map(Value::from), new.id().map(Value::from)));
        }
        self.operation_lifecycle(old, new, scope);
        self.stability(old, new, scope);
        self.security(old, new, scope);
        self.servers(old, new, scope);
        self.exchange(old, new);
        self.callbacks(old, new, scope);
        scope
    }

    /// Compares the request and the responses.
    pub(super) fn exchange(&mut self, old: &Operation<'a>, new: &Operation<'a>) {
        self.parameters(old, new);
        self.request_body(old, new);
        self.responses(old, new);
    }

    fn stability(&mut self, old: &Operation<'a>, new: &Operation<'a>, scope: ScopeId) {
        const LEVELS: [&str; 4] = ["draft", "alpha", "beta", "stable"];
        let level = |node: &Node<'a>| match node.value.get("x-stability-level") {
            None => Some(LEVELS.len() - 1),
            Some(level) => LEVELS.iter().position(|known| level == known),
        };
        let value = |node: &Node<'a>| node.value.get("x-stability-level").cloned();
        let rule = match (level(&old.node), level(&new.node)) {
            (Some(old), Some(new)) if new < old => &STABILITY_DECREASED,
            (Some(old), Some(new)) if new > old => &STABILITY_INCREASED,
            _ => return,
        };
        let finding = Finding::new(rule).at(&old.node.at, &new.node.at);
        self.note(scope, finding.values(value(&old.node), value(&new.node)));
    }
}
