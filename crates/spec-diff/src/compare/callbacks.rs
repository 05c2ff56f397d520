//! Callbacks and webhooks: the vendor calls and the client responds, so directions are reversed.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{DocumentTree, Node};

use super::{
    Comparison, Finding, ScopeId,
    operation_pairing::{Operation, calls},
};
use crate::{
    classification::{Direction, Role},
    rule::{Rule, rules},
};

rules! {
    WEBHOOK_ADDED = Rule::api("webhook-added", Operations, Info, Minor, "webhook-removed", "a new webhook");
    WEBHOOK_REMOVED = Rule::api("webhook-removed", Operations, Breaking, Major, "webhook-added",
        "the vendor no longer sends this webhook");
    CALLBACK_ADDED = Rule::api("callback-added", Operations, Info, Minor, "callback-removed", "the vendor may call back");
    CALLBACK_REMOVED = Rule::api("callback-removed", Operations, Breaking, Major, "callback-added",
        "the vendor no longer calls back in this way");
}

/// Calls that the vendor makes, by what they are called.
type Calls<'a, K> = BTreeMap<K, Operation<'a>>;

impl<'a> Comparison<'a> {
    /// Compares the callbacks of an operation.
    pub(super) fn callbacks(&mut self, old: &Operation<'a>, new: &Operation<'a>, scope: ScopeId) {
        if new.incoming {
            // Callbacks of callbacks.
            return self.unknown(scope, &old.node, &new.node, &["callbacks"]);
        }
        let within = self.scopes[scope].operation.map(|(number, _)| number);
        let list = |document: &DocumentTree<'a>, operation: &Operation<'a>| {
            let mut all = Calls::new();
            for (name, callback) in operation.node.get("callbacks").iter().flat_map(Node::without_extensions) {
                for (expression, item) in document.resolve(callback).without_extensions() {
                    for (method, call) in calls(&item) {
                        all.insert(
                            (name, expression, method),
                            Operation::incoming((method, new.path), &item, call, within),
                        );
                    }
                }
            }
            all
        };
        let (olds, news) = (list(&self.base, old), list(&self.revision, new));
        self.calls(&olds, &news, scope, [&CALLBACK_ADDED, &CALLBACK_REMOVED], |(name, ..)| name);
    }

    /// Compares the webhooks of the document.
    pub(super) fn webhooks(&mut self) {
        let list = |document: &DocumentTree<'a>| {
            let mut all = Calls::new();
            for (name, hook) in document.at(&["webhooks"]).iter().flat_map(Node::without_extensions) {
                let item = document.resolve(hook);
                for (method, call) in calls(&item) {
                    all.insert((name, method), Operation::incoming((method, name), &item, call, None));
                }
            }
            all
        };
        let (olds, news) = (list(&self.base), list(&self.revision));
        self.calls(&olds, &news, 0, [&WEBHOOK_ADDED, &WEBHOOK_REMOVED], |(name, _)| name);
    }

    fn calls<K: Ord + Copy>(
        &mut self,
        olds: &Calls<'a, K>,
        news: &Calls<'a, K>,
        scope: ScopeId,
        [added, removed]: [&'static Rule; 2],
        name: impl Fn(K) -> &'a str,
    ) {
        let mut items = BTreeSet::new();
        for (key, old) in olds {
            match news.get(key) {
                Some(new) => {
                    if items.insert(old.item.address()) {
                        self.others_of_item(&old.item, &new.item);
                    }
                    let scope = self.operation_scope(new, Role::Operation);
                    self.compare_docs_and_extensions(scope, &old.node, &new.node);
                    self.operation_lifecycle(old, new, scope);
                    self.exchange(old, new);
                    self.callbacks(old, new, scope);
                }
                None => self.note(scope, Finding::new(removed).removed(&old.node.at).with_name(name(*key))),
            }
        }
        olds.values().chain(news.values()).for_each(|call| self.compared.members(&call.item, &call.item));
        for (key, new) in news.iter().filter(|(key, _)| !olds.contains_key(key)) {
            self.note(scope, Finding::new(added).added(&new.node.at).with_name(name(*key)));
        }
    }

    /// Returns the direction for the client of data that has this direction where the client calls.
    pub(super) fn direction(&self, scope: ScopeId, direction: Direction) -> Direction {
        match direction {
            Direction::Request if self.scopes[scope].incoming => Direction::Response,
            Direction::Response if self.scopes[scope].incoming => Direction::Request,
            direction => direction,
        }
    }
}
