//! A comparison: its queue of pairs of schemas, and the scopes of what it finds.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    rc::Rc,
};

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::{
    Circumstance, Finding, Operation,
    context::{Context, Raw},
    identity_cache::Unchanged,
    security,
    uncompared::{Compared, UNKNOWN_CHANGE},
    union::{self, Subtypes},
    unused_components::Reached,
};
use crate::{
    classification::{Direction, Role, SchemaLocation},
    options::Options,
    rule::rules,
    schema::{DOCS, Effort, Usage, same},
};

rules! {
    EXTENSION_CHANGED = Rule::api("extension-changed", Unknown, Level::None, Patch, "extension-changed",
        "an x- field differs; generators may read it");
}

/// The number of pairs of schemas, beyond the number of objects of both documents, that are compared before the comparison stops with an `unknown-change`.
const BUDGET: usize = 100_000;

/// The number of pairs of schemas, beyond the number of objects of both documents, for which a proof is attempted that one fits the other.
const PROOFS: usize = 20_000;

/// How deep a walk goes before it goes on from the queue.
pub(super) const DEPTH: u8 = 40;

/// The members of a document that are compared, or that do not concern calls.
const ROOT: &[&str] = &["$self", "components", "info", "openapi", "paths", "security", "servers", "tags", "webhooks"];

/// The number of a scope.
pub(crate) type ScopeId = usize;

/// Something that findings belong to: an operation in one role, or a pair of schemas.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// The operation, by its number among [`Comparison::operations`], and how it uses what is found.
    pub(crate) operation: Option<(usize, Role)>,
    /// The scopes that lead here.
    pub(crate) users: Vec<ScopeId>,
    /// The vendor calls, and the client responds.
    pub(crate) incoming: bool,
}

/// A pair of schemas, each of one or several parts.
#[derive(Debug)]
struct Task<'a> {
    base: Vec<Node<'a>>,
    revision: Vec<Node<'a>>,
    context: Context,
}

/// The pair's parts, and what of the context decides the outcome.
type Key = (Vec<usize>, Vec<usize>, Direction, SchemaLocation, [bool; 3], Raw);

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
    queue: VecDeque<Task<'a>>,
    known: HashMap<Key, ScopeId>,
    pub(super) unchanged: Unchanged<'a>,
    /// Of the base and of the revision.
    pub(super) subtypes: Rc<[Subtypes<'a>; 2]>,
    /// Components that correspond to each other: names in the base and in the revision.
    pub(super) pairs: HashMap<&'a str, &'a str>,
    /// Which operations a security scheme lets in.
    pub(super) scheme_users: BTreeMap<&'a str, Vec<ScopeId>>,
    pub(super) left: usize,
    pub(super) effort: Effort,
    /// For the question whether schemas are equivalent.
    pub(super) equivalence: Effort,
    /// No operation uses the components.
    pub(crate) is_alone: bool,
    pub(super) compared: Compared,
    /// The keys of the same credential on both sides.
    pub(super) scheme_keys: Rc<[security::Keys<'a>; 2]>,
}

impl<'a> Comparison<'a> {
    /// Compares two documents.
    pub(crate) fn run(base: DocumentTree<'a>, revision: DocumentTree<'a>, options: &'a Options) -> Self {
        let left = BUDGET + base.objects() + revision.objects();
        let unchanged = Unchanged::of(&base, &revision);
        let effort = Effort::new(PROOFS + base.objects() + revision.objects());
        let scheme_keys = Rc::new(security::keys(&base, &revision));
        let subtypes = Rc::new([&base, &revision].map(union::subtypes));
        let mut comparison = Self {
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
        };
        let (old, new) = (comparison.base.root(), comparison.revision.root());
        comparison.compare_docs_and_extensions(0, &old, &new);
        comparison.others(0, &old, &new, ROOT);
        comparison.operations();
        comparison.elsewhere();
        comparison.malformed();
        comparison.security_schemes();
        comparison.is_alone = comparison.operations.is_empty();
        let mut reached = comparison.reached();
        comparison.unused_components(&reached);
        // The walk over the schemas needs the room.
        reached.iter_mut().for_each(Reached::keep_used);
        while let Some(Task { base, revision, context }) = comparison.queue.pop_front() {
            comparison.schemas(&base, &revision, context);
        }
        comparison.uncompared(&reached);
        // The report needs the room.
        (comparison.compared, comparison.known) = Default::default();
        comparison.components();
        comparison
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

    /// Reports members that are not known here, where they differ. Words and extensions are compared as such.
    pub(super) fn others(&mut self, scope: ScopeId, old: &Node<'a>, new: &Node<'a>, known: &[&str]) {
        self.compared.members(old, new);
        let is_other = |key: &&str| !known.contains(key) && !DOCS.contains(key) && !key.starts_with("x-");
        let keys = |node: &Node<'a>| node.members().map(|(key, _)| key).filter(is_other);
        let mut others: Vec<_> = keys(old).collect();
        others.extend(keys(new).filter(|key| old.value.get(key).is_none()));
        self.unknown(scope, old, new, &others);
    }

    /// Reports members that the comparison does not understand, where they differ.
    pub(super) fn unknown(&mut self, scope: ScopeId, old: &Node<'a>, new: &Node<'a>, keys: &[&str]) {
        for key in keys {
            let finding = Finding::new(&UNKNOWN_CHANGE);
            let cut = |node: &Node<'a>| excerpt(node.value);
            let (old, new) = (old.get(key), new.get(key));
            old.iter().chain(&new).for_each(|node| self.compared.whole(node));
            match (old, new) {
                (Some(old), Some(new)) if !same((&self.base, &old), (&self.revision, &new)) => {
                    self.note(scope, finding.at(&old.at, &new.at).values(cut(&old), cut(&new)));
                }
                (Some(old), None) => self.note(scope, finding.removed(&old.at).values(cut(&old), None)),
                (None, Some(new)) => self.note(scope, finding.added(&new.at).values(None, cut(&new))),
                _ => {}
            }
        }
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

    /// Returns whether both are the same small schema that leads to nothing but the same: most are.
    pub(super) fn is_unchanged(&self, old: &[Node<'a>], new: &[Node<'a>]) -> bool {
        matches!((old, new), ([old], [new]) if self.unchanged.holds(old, new))
    }

    /// Compares what two uses lead to: now, or from the queue if a reference led there.
    pub(super) fn cores(&mut self, old: Usage<'a>, new: Usage<'a>, context: Context) {
        let single = old.core.len() == 1 && new.core.len() == 1;
        if !old.shared && !new.shared && single && context.depth < DEPTH {
            return self.schemas(&old.core, &new.core, context);
        }
        self.later(old.core, new.core, context);
    }

    /// Has a pair compared from the queue, once.
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
