//! A comparison: its queue of pairs of schemas, and the scopes of what it finds.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    rc::Rc,
};

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::{
    Finding, Operation, Scope, ScopeId,
    compared::Compared,
    context::{Context, Raw},
    credentials::{self, Keys},
    finding::Circumstance,
    identity_cache::Unchanged,
    union::subtypes::{Subtypes, subtypes},
};
use crate::{
    classification::{Direction, MessagePart},
    options::Options,
    rule::rules,
    schema::{DOCS, Effort, Usage},
};

rules! {
    EXTENSION_CHANGED = Rule::api("extension-changed", Unknown, Level::None, Patch, "extension-changed",
        "an x- field differs; generators may read it");
}

/// The number of pairs of schemas, beyond the number of objects of both documents, that are compared before the comparison stops with an `unknown-change`.
const BUDGET: usize = 100_000;

/// The number of pairs of schemas, beyond the number of objects of both documents, for which a proof is attempted that one fits the other.
const PROOFS: usize = 20_000;

/// The depth of a walk beyond which it continues from the queue.
pub(super) const DEPTH: u8 = 40;

/// A pair of schemas, each of one or several parts.
#[derive(Debug)]
pub(super) struct Task<'a> {
    pub(super) base: Vec<Node<'a>>,
    pub(super) revision: Vec<Node<'a>>,
    pub(super) context: Context,
}

/// The pair's parts, and what of the context decides the outcome.
type Key = (Vec<usize>, Vec<usize>, Direction, MessagePart, [bool; 3], Raw);

/// The state of a comparison; afterwards its result.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    pub(crate) base: DocumentTree<'a>,
    pub(crate) revision: DocumentTree<'a>,
    pub(crate) options: &'a Options,
    pub(crate) operations: Vec<Operation<'a>>,
    /// The first is the document's.
    pub(crate) scopes: Vec<Scope>,
    pub(crate) findings: Vec<Finding<'a>>,
    pub(crate) docs_changed: usize,
    pub(super) queue: VecDeque<Task<'a>>,
    pub(super) known: HashMap<Key, ScopeId>,
    pub(super) unchanged: Unchanged<'a>,
    /// Of the base and of the revision.
    pub(super) subtypes: Rc<[Subtypes<'a>; 2]>,
    /// Components that correspond to each other: names in the base and in the revision.
    pub(super) pairs: HashMap<&'a str, &'a str>,
    /// The operations of each security scheme.
    pub(super) scheme_users: BTreeMap<&'a str, Vec<ScopeId>>,
    pub(super) left: usize,
    pub(super) effort: Effort,
    /// For the question whether schemas are equivalent.
    pub(super) equivalence: Effort,
    /// No operation uses the components.
    pub(crate) is_alone: bool,
    pub(super) compared: Compared,
    /// The keys of the same credential on both sides.
    pub(super) scheme_keys: Rc<[Keys<'a>; 2]>,
}

impl<'a> Comparison<'a> {
    /// Returns a comparison that has not begun.
    pub(super) fn new(base: DocumentTree<'a>, revision: DocumentTree<'a>, options: &'a Options) -> Self {
        let left = BUDGET + base.objects() + revision.objects();
        let unchanged = Unchanged::of(&base, &revision);
        let effort = Effort::new(PROOFS + base.objects() + revision.objects());
        let scheme_keys = Rc::new(credentials::keys(&base, &revision));
        let subtypes = Rc::new([&base, &revision].map(subtypes));
        Self {
            base,
            revision,
            options,
            operations: Vec::new(),
            scopes: vec![Scope::default()],
            findings: Vec::new(),
            docs_changed: 0,
            queue: VecDeque::new(),
            known: HashMap::new(),
            unchanged,
            subtypes,
            pairs: HashMap::new(),
            scheme_users: BTreeMap::new(),
            left,
            effort,
            equivalence: Effort::new(PROOFS),
            is_alone: false,
            compared: Compared::default(),
            scheme_keys,
        }
    }

    pub(super) fn scope(&mut self, scope: Scope) -> ScopeId {
        self.scopes.push(scope);
        self.scopes.len() - 1
    }

    /// Notes a finding about an operation or the document.
    pub(super) fn note(&mut self, scope: ScopeId, finding: Finding<'a>) {
        self.compared.note(&self.base, &self.revision, &finding);
        let incoming = self.scopes[scope].incoming && finding.rule.is_about_messages();
        self.findings.push(Finding { scope, incoming, ..finding });
    }

    /// Notes a finding about data.
    pub(super) fn note_data(&mut self, context: Context, finding: Finding<'a>) {
        self.compared.note(&self.base, &self.revision, &finding);
        let Context { scope, direction, location, absent, settled, .. } = context;
        if settled && finding.rule.is_about_values() {
            return;
        }
        let circumstance = if absent { Circumstance::Absent } else { finding.circumstance };
        self.findings.push(Finding { scope, direction, location: Some(location), circumstance, ..finding });
    }

    /// Compares documentation, which is counted, and extensions, which are listed.
    pub(super) fn compare_docs_and_extensions(&mut self, scope: ScopeId, old: &Node<'a>, new: &Node<'a>) {
        let is_operation = old.value.get("responses").is_some();
        let is_word = |(key, _): &(&'a str, &'a Value)| key.starts_with("x-") || DOCS.contains(key);
        let removed = old.members().filter(is_word).map(|(key, value)| (key, Some(value), new.value.get(key)));
        let added = new.members().filter(is_word).filter(|(key, _)| old.value.get(key).is_none());
        let added = added.map(|(key, value)| (key, None, Some(value)));
        for (key, before, after) in removed.chain(added).filter(|(_, before, after)| before != after) {
            if DOCS.contains(&key) {
                self.docs_changed += 1;
            } else if !self.reads_extension(key, is_operation) {
                let mut finding = Finding::new(&EXTENSION_CHANGED).with_name(key);
                finding.base = before.map(|_| old.at.key(key));
                finding.revision = after.map(|_| new.at.key(key));
                self.note(scope, finding);
            }
        }
    }

    /// Returns whether a rule of its own reads the extension, or it is ignored.
    fn reads_extension(&self, key: &str, is_operation: bool) -> bool {
        match key {
            "x-sunset" | "x-extensible-enum" => true,
            "x-stability-level" => is_operation,
            key => self.ignores_extension(key),
        }
    }

    fn ignores_extension(&self, key: &str) -> bool {
        self.options.ignored_extensions.iter().any(|ignored| match ignored.strip_suffix('*') {
            Some(start) => key.starts_with(start),
            None => key == ignored,
        })
    }

    /// Compares two uses of schemas.
    pub(super) fn usages(&mut self, old: &[Node<'a>], new: &[Node<'a>], context: Context) {
        if self.is_unchanged(old, new) {
            return;
        }
        let old = Usage::of(&self.base, old);
        let new = Usage::of(&self.revision, new);
        self.attributes(&old, &new, context);
        self.cores(old, new, context);
    }

    /// Compares two alternatives.
    pub(super) fn variants(&mut self, old: &Node<'a>, new: &Node<'a>, context: Context) {
        let (olds, news) = (std::slice::from_ref(old), std::slice::from_ref(new));
        if !self.is_unchanged(olds, news) {
            let (old, new) = (Usage::of(&self.base, olds), Usage::of(&self.revision, news));
            self.attributes_but_null(&old, &new, context);
            self.cores(old, new, context);
        }
    }

    /// Returns whether both are the same small schema and reach the same schemas only: most are.
    pub(super) fn is_unchanged(&self, old: &[Node<'a>], new: &[Node<'a>]) -> bool {
        matches!((old, new), ([old], [new]) if self.unchanged.holds(old, new))
    }

    /// Compares the schemas that two uses resolve to: now, or from the queue if a reference is resolved.
    pub(super) fn cores(&mut self, old: Usage<'a>, new: Usage<'a>, context: Context) {
        let single = old.core.len() == 1 && new.core.len() == 1;
        if !old.shared && !new.shared && single && context.depth < DEPTH {
            return self.schemas(&old.core, &new.core, context);
        }
        self.later(old.core, new.core, context);
    }

    /// Adds a pair to the queue, unless it was added before.
    pub(super) fn later(&mut self, old: Vec<Node<'a>>, new: Vec<Node<'a>>, context: Context) {
        self.pair_up(&old, &new);
        let addresses = |nodes: &[Node<'a>]| nodes.iter().map(Node::address).collect::<Vec<_>>();
        let key = (
            addresses(&old),
            addresses(&new),
            context.direction,
            context.location,
            [context.text, context.absent, context.settled],
            context.raw,
        );
        let scope = match self.known.get(&key) {
            Some(scope) => *scope,
            None => {
                let scope = self.scope(Scope::default());
                self.known.insert(key, scope);
                let context = Context { scope, depth: 0, ..context };
                self.queue.push_back(Task { base: old, revision: new, context });
                scope
            }
        };
        let users = &mut self.scopes[scope].users;
        if users.last() != Some(&context.scope) {
            users.push(context.scope);
        }
    }
}

/// Returns a value for a report, unless it is so large that the location states more.
pub(super) fn excerpt(value: &Value) -> Option<Value> {
    let small = match value {
        Value::Array(items) => items.len() <= 8 && items.iter().all(|item| !item.is_object() && !item.is_array()),
        Value::Object(map) => map.len() <= 4 && map.values().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    };
    small.then(|| value.clone())
}
