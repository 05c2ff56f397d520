//! A schema at the place where it is used: the wrapper's words and the core that they wrap.

use openapi_document::{DocumentTree, Node, pointer::Pointer};
use serde_json::Value;

use super::{is_annotation, same};

/// How many wrappers and references may lie around a schema.
const WRAPPERS: usize = 64;

/// How deep alternatives are looked through for one that is null.
const NULL_DEPTH: u8 = 6;

/// A use of a schema. What a reference, a single `allOf` or an "or null" adds stands here, so that the core is the same
/// node however it is wrapped.
#[derive(Debug, Clone)]
pub(crate) struct Usage<'a> {
    /// Where the use is.
    pub(crate) at: Pointer<'a>,
    /// The schemas that hold together: one, or several where parts of an `allOf` each describe the same property.
    pub(crate) core: Vec<Node<'a>>,
    /// A reference led to the core.
    pub(crate) shared: bool,
    /// Where null is allowed: by the use itself, or by one of its alternatives.
    pub(crate) nullable: Option<Pointer<'a>>,
    /// Where it is deprecated, and until when it stays.
    pub(crate) deprecated: Option<Node<'a>>,
    pub(crate) read_only: Option<Pointer<'a>>,
    pub(crate) write_only: Option<Pointer<'a>>,
    pub(crate) default: Option<Node<'a>>,
    /// The nodes on the way to the core, for what is only counted or listed.
    pub(crate) wrappers: Vec<Node<'a>>,
    never_null: bool,
}

impl<'a> Usage<'a> {
    /// A use that several schemas describe; at least one.
    pub(crate) fn of(document: &DocumentTree<'a>, parts: &[Node<'a>]) -> Self {
        let mut usage = Self {
            at: parts.first().map(|part| part.at.clone()).unwrap_or_default(),
            core: Vec::with_capacity(parts.len()),
            shared: false,
            nullable: None,
            deprecated: None,
            read_only: None,
            write_only: None,
            default: None,
            wrappers: Vec::new(),
            never_null: false,
        };
        for part in parts {
            let core = usage.unwrap(document, part.clone());
            if usage.core.iter().all(|known| known.value != core.value) {
                usage.core.push(core);
            }
        }
        if usage.never_null {
            usage.nullable = None;
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

    /// The innermost schema, taking note of what is said on the way.
    fn unwrap(&mut self, document: &DocumentTree<'a>, node: Node<'a>) -> Node<'a> {
        let mut node = node;
        for _ in 0..WRAPPERS {
            self.absorb(document, &node);
            let Some(inner) = self.inner(document, &node) else { break };
            self.wrappers.push(std::mem::replace(&mut node, inner));
        }
        node
    }

    /// Notes what a node says of the use; the outermost word counts.
    fn absorb(&mut self, document: &DocumentTree<'a>, node: &Node<'a>) {
        if is_null(node.value) {
            set(&mut self.nullable, || node.at.clone());
        }
        self.never_null |= node.value.get("not").is_some_and(is_null);
        for (key, value) in node.members() {
            let on = value == &Value::Bool(true);
            let at = || node.at.clone();
            match key {
                "nullable" if on => set(&mut self.nullable, at),
                "type" | "enum" if allows_null(key, value, node) => set(&mut self.nullable, at),
                // From 3.1 on, a type beside alternatives limits them.
                "oneOf" | "anyOf" if self.nullable.is_none() && !(document.siblings() && forbids_null(node)) => {
                    let list = Node { value, at: node.at.key(key) };
                    let mut variants = value.as_array().into_iter().flatten();
                    if document.has_files() || variants.any(|variant| may_be_null(document, variant)) {
                        self.nullable = list.items().find_map(|item| null_at(document, item, NULL_DEPTH));
                    }
                }
                "deprecated" if on => set(&mut self.deprecated, || node.clone()),
                "readOnly" if on => set(&mut self.read_only, at),
                "writeOnly" if on => set(&mut self.write_only, at),
                "default" if !value.is_null() => set(&mut self.default, || Node { value, at: node.at.key(key) }),
                _ => {}
            }
        }
    }

    /// What the node wraps, if it does nothing but wrap.
    fn inner(&mut self, document: &DocumentTree<'a>, node: &Node<'a>) -> Option<Node<'a>> {
        let says = |member: &(&'a str, &'a Value)| !is_annotation(member.0) && same::speaks(member);
        let siblings = || node.members().filter(says).map(|(key, _)| key);
        if let Some(target) = document.target(node) {
            // 3.0 says that siblings of a reference count for nothing.
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
        // Generators write `type: object` beside `allOf`, also around what is a string: the part knows better.
        let redundant = |key: &str| key == "type" && knows_type(node, &document.resolve(inner.clone()));
        if !siblings().all(|key| key == keyword || redundant(key)) {
            return None;
        }
        Some(inner.clone())
    }
}

/// Whether a closer look is needed to know if an alternative allows null. Most are references to objects, which do not.
fn may_be_null(document: &DocumentTree<'_>, variant: &Value) -> bool {
    let target = match variant.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.schema_value(reference),
        None => Some(variant),
    };
    let says_null = |(key, value): (&String, &Value)| match key.as_str() {
        "type" => value.as_str().is_none_or(|name| name == "null"),
        key => matches!(key, "$ref" | "$dynamicRef" | "allOf" | "anyOf" | "const" | "enum" | "nullable" | "oneOf"),
    };
    target.and_then(Value::as_object).is_none_or(|members| members.iter().any(says_null))
}

/// Whether a schema names types, and null is not one of them.
fn forbids_null(node: &Node<'_>) -> bool {
    match node.value.get("type") {
        Some(Value::Array(names)) => !names.iter().any(|name| name == "null"),
        Some(Value::String(name)) => name != "null" && !node.flag("nullable"),
        _ => false,
    }
}

/// Where a schema allows null, if it does.
fn null_at<'a>(document: &DocumentTree<'a>, node: Node<'a>, depth: u8) -> Option<Pointer<'a>> {
    let node = document.resolve(node);
    if is_null(node.value)
        || node.flag("nullable")
        || ["type", "enum"].iter().any(|key| node.value.get(key).is_some_and(|value| allows_null(key, value, &node)))
    {
        return Some(node.at);
    }
    let depth = depth.checked_sub(1)?;
    let list = ["oneOf", "anyOf"].iter().find_map(|key| node.get(key)).or_else(|| {
        let parts = node.get("allOf")?;
        (parts.value.as_array()?.len() == 1).then_some(parts)
    });
    list?.items().find_map(|item| null_at(document, item, depth))
}

/// Whether what is wrapped says what the wrapper's `type` says, or better.
fn knows_type(outer: &Node<'_>, inner: &Node<'_>) -> bool {
    let says = ["type", "properties", "enum", "allOf", "oneOf", "anyOf"].iter().any(|key| inner.get(key).is_some());
    inner.text("type") == outer.text("type") || (outer.text("type") == Some("object") && says)
}

/// Fills what is still empty.
fn set<T>(slot: &mut Option<T>, value: impl FnOnce() -> T) {
    if slot.is_none() {
        *slot = Some(value());
    }
}

/// `type: [string, "null"]`, or an untyped enum with null in it. Beside a type, 3.0's `nullable` decides.
fn allows_null(key: &str, value: &Value, node: &Node<'_>) -> bool {
    let Value::Array(items) = value else { return false };
    match key {
        "type" => items.len() > 1 && items.iter().any(|name| name == "null"),
        _ => items.iter().any(Value::is_null) && node.value.get("type").is_none(),
    }
}

/// The schema of null alone.
pub(super) fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|name| name == "null" || *name == Value::from(vec!["null"]))
        || schema.get("const").is_some_and(Value::is_null)
        || schema
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|values| !values.is_empty() && values.iter().all(Value::is_null))
}
