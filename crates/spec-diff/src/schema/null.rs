//! Null as one of the values that a schema allows.

use openapi_document::{DocumentTree, Node, pointer::Pointer};
use serde_json::Value;

/// The number of schemas that one question may come to.
const BUDGET: u16 = 200;

/// The verdict of a schema on null.
#[derive(Debug, Clone)]
pub(super) enum Null<'a> {
    /// Nothing: other parts decide, or all values are allowed.
    Unspecified,
    /// It is allowed, here.
    Allowed(Pointer<'a>),
    /// A type names it, here, and the values beside do not list it. From 3.1 on it is not allowed; 3.0 leaves it to `nullable`.
    Unlisted(Pointer<'a>),
    Denied,
}

impl<'a> Null<'a> {
    /// Returns the verdict of schemas that hold together.
    pub(super) fn of(document: &DocumentTree<'a>, parts: &[Node<'a>]) -> Self {
        let mut question = Question { document, left: 0, open: Vec::new(), is_recursive: false };
        let verdict = question.schemas(parts);
        // `oneOf` that includes itself rejects what it accepts.
        if question.is_recursive { question.schemas(parts) } else { verdict }
    }

    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Denied => self,
            Self::Unspecified => other(),
            Self::Unlisted(_) => match other() {
                Self::Denied => Self::Denied,
                _ => self,
            },
            Self::Allowed(_) => match other() {
                other @ (Self::Denied | Self::Unlisted(_)) => other,
                _ => self,
            },
        }
    }
}

struct Question<'d, 'a> {
    document: &'d DocumentTree<'a>,
    left: u16,
    /// The schemas that are being asked, by address: one that includes itself adds nothing.
    open: Vec<usize>,
    /// One was found.
    is_recursive: bool,
}

impl<'a> Question<'_, 'a> {
    fn schemas(&mut self, parts: &[Node<'a>]) -> Null<'a> {
        self.left = BUDGET;
        parts.iter().fold(Null::Unspecified, |verdict, part| verdict.and(|| self.schema(part)))
    }

    fn schema(&mut self, node: &Node<'a>) -> Null<'a> {
        let Some(left) = self.left.checked_sub(1) else { return Null::Unspecified };
        self.left = left;
        if node.get("not").is_some_and(|not| matches!(self.schema(&not), Null::Allowed(_))) {
            return Null::Denied;
        }
        // Also where 3.0 states that it counts for nothing: beside a reference.
        if is_null(node.value) || node.flag("nullable") {
            return Null::Allowed(node.at.clone());
        }
        if self.open.contains(&node.address()) {
            self.is_recursive = true;
            return Null::Unspecified;
        }
        self.open.push(node.address());
        let verdict = self.with_parts(node);
        self.open.pop();
        verdict
    }

    fn with_parts(&mut self, node: &Node<'a>) -> Null<'a> {
        let target = self.document.target(node);
        if let (Some(target), false) = (&target, self.document.siblings()) {
            return self.schema(target);
        }
        let mut verdict = self.own(node);
        if let Some(target) = target {
            verdict = verdict.and(|| self.schema(&target));
        }
        for part in node.get("allOf").iter().flat_map(Node::items) {
            verdict = verdict.and(|| self.schema(&part));
        }
        for (key, any) in [("anyOf", true), ("oneOf", false)] {
            if let Some(list) = node.get(key) {
                verdict = verdict.and(|| self.alternatives(&list, any));
            }
        }
        verdict
    }

    /// Returns the verdict of the types and values of a schema itself.
    fn own(&self, node: &Node<'a>) -> Null<'a> {
        let named = node.value.get("type").map(|names| match names {
            Value::Array(names) => names.iter().any(|name| name == "null"),
            _ => false,
        });
        let values = node.value.get("enum").and_then(Value::as_array);
        let listed = values.map(|values| values.iter().any(Value::is_null));
        let listed = listed.or_else(|| node.value.get("const").map(Value::is_null));
        match (named, listed) {
            (None, None) => Null::Unspecified,
            (None | Some(true), Some(true)) | (Some(true), None) => Null::Allowed(node.at.clone()),
            (Some(true), Some(false)) => Null::Unlisted(node.at.clone()),
            // Until 3.0, generators write the type of what is included beside it.
            (Some(false), None) if !self.document.siblings() && is_wrapper(node) => Null::Unspecified,
            (Some(false) | None, _) => Null::Denied,
        }
    }

    /// Returns the verdict of alternatives: one has to allow null, and of `oneOf` no other.
    fn alternatives(&mut self, list: &Node<'a>, any: bool) -> Null<'a> {
        let (mut allowed, mut unlisted, mut is_unsaid) = (None, None, false);
        for variant in list.items() {
            let verdict = match self.document.has_files() || may_be_null(self.document, variant.value) {
                true => self.schema(&variant),
                false => Null::Denied,
            };
            match verdict {
                Null::Allowed(at) if any || self.is_recursive => return Null::Allowed(at),
                Null::Allowed(_) if allowed.is_some() => return Null::Denied,
                Null::Allowed(at) => allowed = Some(at),
                Null::Unlisted(at) => unlisted = unlisted.or(Some(at)),
                Null::Unspecified => is_unsaid = true,
                Null::Denied => {}
            }
        }
        match (allowed, unlisted) {
            (Some(at), _) => Null::Allowed(at),
            (None, Some(at)) => Null::Unlisted(at),
            (None, None) if is_unsaid => Null::Unspecified,
            (None, None) => Null::Denied,
        }
    }
}

/// Returns whether a schema includes others.
fn is_wrapper(node: &Node<'_>) -> bool {
    ["allOf", "anyOf", "oneOf"].iter().any(|key| node.value.get(key).is_some())
}

/// Returns whether a closer look is needed to decide if an alternative allows null. Most are references to objects, which
/// do not.
fn may_be_null(document: &DocumentTree<'_>, variant: &Value) -> bool {
    let target = match variant.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.schema_value(reference),
        None => Some(variant),
    };
    let Some(members) = target.and_then(Value::as_object) else { return true };
    let states_null = |(key, value): (&String, &Value)| match key.as_str() {
        "type" => value.as_str().is_none_or(|name| name == "null"),
        key => matches!(key, "$ref" | "$dynamicRef" | "allOf" | "anyOf" | "const" | "enum" | "nullable" | "oneOf"),
    };
    !members.contains_key("type") || members.iter().any(states_null)
}

/// Returns the schema of null alone.
pub(super) fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|name| name == "null" || *name == Value::from(vec!["null"]))
        || schema.get("const").is_some_and(Value::is_null)
        || schema
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|values| !values.is_empty() && values.iter().all(Value::is_null))
}
