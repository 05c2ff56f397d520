//! `readOnly` and `writeOnly`: a field counts in its direction only, so a schema with such fields is two types where both need it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use openapi_document::{reachable, references, resolve};
use serde_json::Value;

use super::Converter;
use crate::import::operations;

/// The direction of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Response,
}

impl Direction {
    fn other(self) -> Self {
        match self {
            Self::Request => Self::Response,
            Self::Response => Self::Request,
        }
    }

    /// Returns the keyword of the fields that this direction does not have.
    fn without(self) -> &'static str {
        match self {
            Self::Request => "readOnly",
            Self::Response => "writeOnly",
        }
    }
}

/// The directions that a specification states.
pub(super) struct Directions<'a> {
    root: &'a Value,
    /// References that responses reach.
    in_responses: BTreeSet<&'a str>,
    /// Whether the target of a reference has fields of one direction, in it or below it.
    known: RefCell<BTreeMap<String, bool>>,
    /// Whether any schema of the specification has.
    any: bool,
}

impl<'a> Directions<'a> {
    pub(super) fn of(root: &'a Value) -> Self {
        let any = has_flag(root);
        let in_responses = if any {
            let responses = operations(root).into_iter().filter_map(|operation| operation.value.get("responses"));
            reachable(root, responses, |_| true)
        } else {
            BTreeSet::new()
        };
        Self { root, in_responses, known: RefCell::default(), any }
    }

    /// Returns whether a schema is another type in each direction.
    pub(super) fn differ(&self, node: &Value) -> bool {
        self.any && (has_flag(node) || references(node).into_iter().any(|target| self.differ_at(target)))
    }

    fn differ_at(&self, target: &str) -> bool {
        if let Some(known) = self.known.borrow().get(target) {
            return *known;
        }
        // The value until it is computed: a schema that refers to itself adds nothing.
        self.known.borrow_mut().insert(target.to_owned(), false);
        let node = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let differ = node.is_some_and(|node| {
            let below = reachable(self.root, [node], |_| true);
            has_flag(node)
                || below.iter().filter_map(|target| self.root.pointer(target.strip_prefix('#')?)).any(has_flag)
        });
        self.known.borrow_mut().insert(target.to_owned(), differ);
        differ
    }

    /// Returns whether responses reach a pointer.
    pub(super) fn in_responses(&self, pointer: &str) -> bool {
        self.in_responses.contains(format!("#{pointer}").as_str())
    }
}

/// Returns whether a node, or one below it, is a field of one direction.
fn has_flag(node: &Value) -> bool {
    match node {
        Value::Object(map) => {
            ["readOnly", "writeOnly"].iter().any(|key| map.get(*key) == Some(&Value::Bool(true)))
                || map.iter().any(|(key, value)| !key.starts_with("example") && has_flag(value))
        }
        Value::Array(list) => list.iter().any(has_flag),
        _ => false,
    }
}

impl Converter<'_> {
    /// Begins the key of the one of the two types of a schema that requests have; empty if it is one.
    pub(super) fn direction_key(&self, node: &Value) -> &'static str {
        if self.direction == Direction::Request && self.directions.differ(node) { "request " } else { "" }
    }

    /// Returns whether a field is there in the direction that is converted. What is of both directions alone is of each.
    pub(super) fn has_field(&self, field: &Value) -> bool {
        let states = |key: &str| {
            let behind = resolve(self.root, field);
            let parts = behind.get("allOf").and_then(Value::as_array).into_iter().flatten();
            let parts = parts.map(|part| resolve(self.root, part));
            [field, behind].into_iter().chain(parts).any(|schema| schema.get(key) == Some(&Value::Bool(true)))
        };
        !states(self.direction.without()) || states(self.direction.other().without())
    }
}
