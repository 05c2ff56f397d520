//! The comparison: walks both documents side by side and notes what differs.
//!
//! Schemas that a reference leads to are compared once per pair, direction and place, from a queue, so that cycles end and the cost
//! grows with the documents. Each such pair is a [`Scope`]; the uses between scopes decide which operations a
//! finding reaches.

mod attributes;
mod callbacks;
mod components;
mod conditions;
mod constraints;
mod context;
mod enums;
mod external_references;
mod finding;
mod identity_cache;
mod lifecycle;
mod lists;
mod malformed;
mod null;
mod numbers;
mod object;
mod operation_pairing;
mod operations;
mod parameters;
mod request_response;
mod schema;
mod security;
mod security_schemes;
mod servers;
mod uncompared;
mod union;
mod unused_components;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    rc::Rc,
};

use serde_json::Value;

pub(crate) use components::COMPONENT_RENAMED;
use context::{Context, Raw};
pub(crate) use enums::{ENUM_REMOVED, ENUM_VALUE_ADDED};
pub(crate) use finding::{Circumstance, Finding};
pub(crate) use object::{ADDITIONAL_CLOSED, ADDITIONAL_OPENED};
use openapi_document::{DocumentTree, Node};
pub(crate) use operation_pairing::Operation;

use crate::{
    options::Options,
    report::{Direction, Role},
    rules::{Place, Rule, rules},
    schema::{DOCS, Effort, Usage, same},
};
use identity_cache::Unchanged;
use uncompared::{Compared, UNKNOWN_CHANGE};
use union::Subtypes;
use unused_components::Reached;

rules! {
    EXTENSION_CHANGED = Rule::api("extension-changed", Unknown, Level::None, Patch, "extension-changed",
        "an x- field differs; generators may read it");
}

/// The rules of all files.
pub(crate) const ALL_RULES: &[&[Rule]] = &[
    RULES,
    attributes::RULES,
    callbacks::RULES,
    components::RULES,
    conditions::RULES,
    constraints::RULES,
    enums::RULES,
    lifecycle::RULES,
    lists::RULES,
    null::RULES,
    object::RULES,
    operations::RULES,
    parameters::RULES,
    request_response::RULES,
    request_response::encoding::RULES,
    request_response::headers::RULES,
    schema::RULES,
    security::RULES,
    security_schemes::RULES,
    servers::RULES,
    uncompared::RULES,
    union::RULES,
    union::ambiguous::RULES,
    union::discriminator::RULES,
];

/// How many more pairs of schemas than the documents have objects are compared before the comparison stops with an `unknown-change`.
const BUDGET: usize = 100_000;

/// How many more pairs of schemas than the documents have objects are asked about whether the one fits the other.
const PROOFS: usize = 20_000;

/// How deep a walk goes before it goes on from the queue.
const DEPTH: u8 = 40;

/// The members of a document that are compared, or that say nothing of calls.
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
type Key = (Vec<usize>, Vec<usize>, Direction, Place, [bool; 3], Raw);

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
    unchanged: Unchanged<'a>,
    /// Of the base and of the revision.
    subtypes: Rc<[Subtypes<'a>; 2]>,
    /// Components that correspond to each other: names in the base and in the revision.
    pairs: HashMap<&'a str, &'a str>,
    /// Which operations a security scheme lets in.
    scheme_users: BTreeMap<&'a str, Vec<ScopeId>>,
    left: usize,
    effort: Effort,
    /// For the question whether schemas are equivalent.
    equivalence: Effort,
    /// No operation uses the components.
    pub(crate) is_alone: bool,
    compared: Compared,
    /// What stands for the same credential on both sides.
    scheme_keys: Rc<[security::Keys<'a>; 2]>,
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

    fn scope(&mut self, scope: Scope) -> ScopeId {
        self.scopes.push(scope);
        self.scopes.len() - 1
    }

    /// Notes a finding about an operation or the document.
    fn note(&mut self, scope: ScopeId, finding: Finding<'a>) {
        self.compared.note(&self.base, &self.revision, &finding);
        let incoming = self.scopes[scope].incoming && finding.rule.is_about_messages();
        self.findings.push(Finding { scope, incoming, ..finding });
    }

    /// Notes a finding about data.
    fn note_data(&mut self, context: Context, finding: Finding<'a>) {
        self.compared.note(&self.base, &self.revision, &finding);
        let Context { scope, direction, place, absent, settled, .. } = context;
        if settled && finding.rule.is_about_values() {
            return;
        }
        let circumstance = if absent { Circumstance::Absent } else { finding.circumstance };
        self.findings.push(Finding { scope, direction, place: Some(place), circumstance, ..finding });
    }

    /// Compares documentation, which is counted, and extensions, which are listed.
    fn compare_docs_and_extensions(&mut self, scope: ScopeId, old: &Node<'a>, new: &Node<'a>) {
        let is_operation = old.value.get("responses").is_some();
        let is_word = |(key, _): &(&'a str, &'a Value)| key.starts_with("x-") || DOCS.contains(key);
        let gone = old.members().filter(is_word).map(|(key, value)| (key, Some(value), new.value.get(key)));
        let come = new.members().filter(is_word).filter(|(key, _)| old.value.get(key).is_none());
        let come = come.map(|(key, value)| (key, None, Some(value)));
        for (key, before, after) in gone.chain(come).filter(|(_, before, after)| before != after) {
            if DOCS.contains(&key) {
                self.docs_changed += 1;
            } else if !self.reads_extension(key, is_operation) {
                let mut finding = Finding::new(&EXTENSION_CHANGED).named(key);
                finding.base = before.map(|_| old.at.key(key));
                finding.revision = after.map(|_| new.at.key(key));
                self.note(scope, finding);
            }
        }
    }

    /// Whether a rule of its own reads the extension, or it is ignored.
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
    fn others(&mut self, scope: ScopeId, old: &Node<'a>, new: &Node<'a>, known: &[&str]) {
        self.compared.members(old, new);
        let is_other = |key: &&str| !known.contains(key) && !DOCS.contains(key) && !key.starts_with("x-");
        let keys = |node: &Node<'a>| node.members().map(|(key, _)| key).filter(is_other);
        let mut others: Vec<_> = keys(old).collect();
        others.extend(keys(new).filter(|key| old.value.get(key).is_none()));
        self.unknown(scope, old, new, &others);
    }

    /// Reports members that the comparison does not understand, where they differ.
    fn unknown(&mut self, scope: ScopeId, old: &Node<'a>, new: &Node<'a>, keys: &[&str]) {
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
    fn usages(&mut self, old: &[Node<'a>], new: &[Node<'a>], context: Context) {
        if self.is_unchanged(old, new) {
            return;
        }
        let old = Usage::of(&self.base, old);
        let new = Usage::of(&self.revision, new);
        self.attributes(&old, &new, context);
        self.cores(old, new, context);
    }

    /// Compares two alternatives.
    fn variants(&mut self, old: &Node<'a>, new: &Node<'a>, context: Context) {
        let (olds, news) = (std::slice::from_ref(old), std::slice::from_ref(new));
        if !self.is_unchanged(olds, news) {
            let (old, new) = (Usage::of(&self.base, olds), Usage::of(&self.revision, news));
            self.attributes_but_null(&old, &new, context);
            self.cores(old, new, context);
        }
    }

    /// Whether both are the same small schema that leads to nothing but the same: most are.
    fn is_unchanged(&self, old: &[Node<'a>], new: &[Node<'a>]) -> bool {
        matches!((old, new), ([old], [new]) if self.unchanged.holds(old, new))
    }

    /// Compares what two uses lead to: now, or from the queue if a reference led there.
    fn cores(&mut self, old: Usage<'a>, new: Usage<'a>, context: Context) {
        let single = old.core.len() == 1 && new.core.len() == 1;
        if !old.shared && !new.shared && single && context.depth < DEPTH {
            return self.schemas(&old.core, &new.core, context);
        }
        self.later(old.core, new.core, context);
    }

    /// Has a pair compared from the queue, once.
    fn later(&mut self, old: Vec<Node<'a>>, new: Vec<Node<'a>>, context: Context) {
        self.pair_up(&old, &new);
        let addresses = |nodes: &[Node<'a>]| nodes.iter().map(Node::address).collect::<Vec<_>>();
        let key = (
            addresses(&old),
            addresses(&new),
            context.direction,
            context.place,
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

/// A value for a report, unless it is so large that the place says more.
fn excerpt(value: &Value) -> Option<Value> {
    let small = match value {
        Value::Array(items) => items.len() <= 8 && items.iter().all(|item| !item.is_object() && !item.is_array()),
        Value::Object(map) => map.len() <= 4 && map.values().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    };
    small.then(|| value.clone())
}
