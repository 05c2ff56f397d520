//! A schema where it is used: the wrapper's keywords and the core that they wrap.

use openapi_document::{DocumentTree, Node, pointer::Pointer};
use serde_json::Value;

use super::{
    is_annotation,
    null::{Null, is_null},
    same,
};

/// The number of wrappers and references that may lie around a schema.
const WRAPPERS: usize = 64;

/// A use of a schema. What a reference, a single `allOf` or an "or null" adds stands here, so that the core is the same
/// node however it is wrapped.
#[derive(Debug, Clone)]
pub(crate) struct Usage<'a> {
    /// Where the use is.
    pub(crate) at: Pointer<'a>,
    /// The schemas that hold together: one, or several where parts of an `allOf` each describe the same property.
    pub(crate) core: Vec<Node<'a>>,
    /// The core was reached through a reference.
    pub(crate) shared: bool,
    /// Where null is allowed: by the use itself, or by one of its alternatives.
    pub(crate) nullable: Option<Pointer<'a>>,
    /// Where a type names null though it is not among the values.
    pub(crate) unlisted_null: Option<Pointer<'a>>,
    /// Where it is deprecated, and until when it stays.
    pub(crate) deprecated: Option<Node<'a>>,
    pub(crate) read_only: Option<Pointer<'a>>,
    pub(crate) write_only: Option<Pointer<'a>>,
    pub(crate) default: Option<Node<'a>>,
    /// The nodes on the way to the core, for what is only counted or listed.
    pub(crate) wrappers: Vec<Node<'a>>,
}

impl<'a> Usage<'a> {
    /// Returns a use that several schemas describe; at least one.
    pub(crate) fn of(document: &DocumentTree<'a>, parts: &[Node<'a>]) -> Self {
        let mut usage = Self {
            at: parts.first().map(|part| part.at.clone()).unwrap_or_default(),
            core: Vec::with_capacity(parts.len()),
            shared: false,
            nullable: None,
            unlisted_null: None,
            deprecated: None,
            read_only: None,
            write_only: None,
            default: None,
            wrappers: Vec::new(),
        };
        for part in parts {
            let core = usage.unwrap(document, part.clone());
            if usage.core.iter().all(|known| known.value != core.value) {
                usage.core.push(core);
            }
        }
        match Null::of(document, parts) {
            Null::Allowed(at) => usage.nullable = Some(at),
            Null::Unlisted(at) => usage.unlisted_null = Some(at),
            Null::Unspecified | Null::Denied => {}
        }
        if usage.core.len() > 1 {
            // The empty schema adds nothing to another.
            let all = usage.core.clone();
            usage
                .core
                .retain(|core| !matches!(core.value, Value::Object(map) if map.keys().all(|key| is_annotation(key))));
            if usage.core.is_empty() {
                usage.core = all;
            }
        }
        usage
    }

    /// Returns the innermost schema, and notes the keywords on the way.
    fn unwrap(&mut self, document: &DocumentTree<'a>, node: Node<'a>) -> Node<'a> {
        let mut node = node;
        for _ in 0..WRAPPERS {
            self.absorb(&node);
            let Some(inner) = self.inner(document, &node) else { break };
            self.wrappers.push(std::mem::replace(&mut node, inner));
        }
        node
    }

    /// Notes what a node states of the use; the outermost word counts.
    fn absorb(&mut self, node: &Node<'a>) {
        for (key, value) in node.members() {
            let on = value == &Value::Bool(true);
            let at = || node.at.clone();
            match key {
                "deprecated" if on => set(&mut self.deprecated, || node.clone()),
                "readOnly" if on => set(&mut self.read_only, at),
                "writeOnly" if on => set(&mut self.write_only, at),
                "default" if !value.is_null() => set(&mut self.default, || Node { value, at: node.at.key(key) }),
                _ => {}
            }
        }
    }

    /// Returns what the node wraps, if it does nothing but wrap.
    fn inner(&mut self, document: &DocumentTree<'a>, node: &Node<'a>) -> Option<Node<'a>> {
        let states = |member: &(&'a str, &'a Value)| !is_annotation(member.0) && same::has_effect(member);
        let siblings = || node.members().filter(states).map(|(key, _)| key);
        if let Some(target) = document.target(node) {
            // 3.0 states that siblings of a reference count for nothing.
            if document.siblings() && siblings().any(|key| key != "$ref") {
                return None;
            }
            self.shared = true;
            return Some(target);
        }
        let keyword = siblings().find(|key| matches!(*key, "allOf" | "oneOf" | "anyOf"))?;
        let parts: Vec<_> = node.get(keyword)?.items().collect();
        let mut meant = parts.iter().filter(|part| keyword == "allOf" || !is_null(part.value));
        let (Some(inner), None) = (meant.next(), meant.next()) else { return None };
        // Generators write `type: object` beside `allOf`, also around what is a string: the part decides.
        let redundant = |key: &str| key == "type" && knows_type(node, &document.resolve(inner.clone()));
        if !siblings().all(|key| key == keyword || redundant(key)) {
            return None;
        }
        Some(inner.clone())
    }
}

/// Returns whether what is wrapped states what the wrapper's `type` states, or better.
fn knows_type(outer: &Node<'_>, inner: &Node<'_>) -> bool {
    let states = ["type", "properties", "enum", "allOf", "oneOf", "anyOf"].iter().any(|key| inner.get(key).is_some());
    inner.text("type") == outer.text("type") || (outer.text("type") == Some("object") && states)
}

/// Fills what is still empty.
fn set<T>(slot: &mut Option<T>, value: impl FnOnce() -> T) {
    if slot.is_none() {
        *slot = Some(value());
    }
}
