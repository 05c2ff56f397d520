//! The comparison: walks both documents side by side and notes what differs.
//!
//! Schemas that a reference leads to are compared once per pair, direction and location, from a queue, so that cycles end and the cost
//! grows with the documents. Each such pair is a [`Scope`]; the uses between scopes decide which operations a
//! finding reaches.

mod attributes;
mod callbacks;
mod comparison;
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

pub(crate) use comparison::{Comparison, EXTENSION_CHANGED, Scope, ScopeId};
use comparison::{DEPTH, excerpt};
pub(crate) use components::COMPONENT_RENAMED;
use context::{Context, Raw};
pub(crate) use enums::{ENUM_REMOVED, ENUM_VALUE_ADDED};
pub(crate) use finding::{Circumstance, Finding};
pub(crate) use object::{ADDITIONAL_CLOSED, ADDITIONAL_OPENED};
pub(crate) use operation_pairing::Operation;

use crate::rule::Rule;

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
