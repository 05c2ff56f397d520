//! The comparison: walks both documents side by side and notes what differs.
//!
//! Schemas that a reference resolves to are compared once per pair, direction and location, from a queue, so that cycles end and the cost
//! grows with the documents. Each such pair is a [`Scope`]; the uses between scopes decide which operations a
//! finding reaches.

mod attributes;
mod callbacks;
mod compared;
mod comparison;
mod components;
mod conditions;
mod constraints;
mod context;
mod credentials;
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
mod reached;
mod request_response;
mod schema;
mod scope;
mod security;
mod security_schemes;
mod servers;
mod uncompared;
mod union;
mod unused_components;

use openapi_document::DocumentTree;

pub(crate) use comparison::{Comparison, EXTENSION_CHANGED};
use comparison::{DEPTH, Task, excerpt};
pub(crate) use components::COMPONENT_RENAMED;
use context::{Context, Raw};
pub(crate) use enums::{ENUM_REMOVED, ENUM_VALUE_ADDED};
pub(crate) use finding::{Circumstance, Finding};
pub(crate) use object::{ADDITIONAL_CLOSED, ADDITIONAL_OPENED};
pub(crate) use operation_pairing::Operation;
use reached::Reached;
pub(crate) use scope::{Scope, ScopeId};

use crate::{options::Options, rule::Rule};

/// The rules of all files.
pub(crate) const ALL_RULES: &[&[Rule]] = &[
    attributes::RULES,
    callbacks::RULES,
    comparison::RULES,
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

/// The members of a document that are compared, or that do not concern calls.
const ROOT: &[&str] = &["$self", "components", "info", "openapi", "paths", "security", "servers", "tags", "webhooks"];

/// Compares two documents.
pub(crate) fn compare<'a>(base: DocumentTree<'a>, revision: DocumentTree<'a>, options: &'a Options) -> Comparison<'a> {
    let mut comparison = Comparison::new(base, revision, options);
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
