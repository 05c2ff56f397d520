//! The merge of the keywords of a schema and of its parts into the normal form.

use std::sync::LazyLock;

use openapi_document::{DocumentTree, Node, pointer::Step};
use serde_json::Value;

use super::{
    Limit, Types, constraints,
    constraints::content_of_format,
    equal,
    implied::{bare_types, is_never, is_open, same_enums, type_of, types},
    is_annotation, is_usual_dialect,
    normal::{Additional, Branch, Schema, Union},
    null,
};

/// Keywords whose values are conditions of their own.
const CONDITIONS: &[(&str, &str)] = &[
    ("contains", "contains"),
    ("contentSchema", "content-schema"),
    ("propertyNames", "property-names"),
    ("unevaluatedItems", "unevaluated-items"),
    ("unevaluatedProperties", "unevaluated-properties"),
];

impl<'a> Schema<'a> {
    /// Adds what one schema states itself; gives back the schemas that it includes whole.
    pub(super) fn merge(
        &mut self,
        document: &DocumentTree<'a>,
        node: &Node<'a>,
        left_out: &[Vec<Step<'a>>],
    ) -> Vec<Node<'a>> {
        let mut includes: Vec<_> = document.target(node).into_iter().collect();
        self.never |= is_never(node.value);
        // 3.0 states that siblings of a reference count for nothing.
        if !includes.is_empty() && !document.siblings() {
            return includes;
        }
        let mut types = types(node);
        for (written, value) in node.members().filter(|(_, value)| !value.is_null()) {
            let child = || Node { value, at: node.at.key(written) };
            let key = plainer(written, value, node);
            match key {
                "allOf" => includes.extend(child().items()),
                "oneOf" | "anyOf" if !left_out.is_empty() && left_out.contains(&child().at.steps()) => {}
                "oneOf" | "anyOf" => {
                    let (include, alternatives) = self.alternatives(document, &child(), key == "anyOf");
                    includes.extend(include);
                    types = types.intersect(alternatives);
                }
                "enum" | "const" | "x-extensible-enum" => self.merge_values(key, value, node),
                "properties" | "required" | "additionalProperties" | "patternProperties" | "discriminator" => {
                    self.merge_object(key, child());
                }
                // A list of schemas is how prefixItems was written before 2020-12.
                "items" if value.is_array() => self.first_items(&child()),
                "additionalItems" if !node.value.get("items").is_some_and(Value::is_array) => {}
                "items" | "additionalItems" if is_never(value) => {
                    let first =
                        node.get("prefixItems").or_else(|| node.get("items")).map_or(0, |list| list.items().count());
                    self.closed_items = Some(self.closed_items.map_or(first, |known| known.min(first)));
                }
                "items" if !is_open(value) => self.items.push(child()),
                // It counts only beside a list of schemas.
                "additionalItems" => self.items.extend(
                    node.get("items").filter(|items| items.value.is_array() && !is_open(value)).map(|_| child()),
                ),
                "prefixItems" => self.first_items(&child()),
                "uniqueItems" => self.unique |= value == &Value::Bool(true),
                "multipleOf" if !self.multiples.iter().any(|known| equal(known.value, value)) => {
                    self.multiples.push(child())
                }
                "pattern" => self.patterns.extend(value.as_str()),
                "contentEncoding" => self.content("content-encoding", value.as_str()),
                "contentMediaType" => self.content("content-media-type", value.as_str()),
                "format" => {
                    let content = value.as_str().and_then(content_of_format);
                    content.into_iter().for_each(|(word, text)| self.content(word, Some(text)));
                }
                "if" if is_open(value) => includes.extend(node.get("then")),
                "if" if is_never(value) => includes.extend(node.get("else")),
                "if" if ["then", "else"].iter().all(|key| node.value.get(key).is_none_or(is_open)) => {}
                "if" if self.merge_dependency(node) => {}
                "if" if !self.branches.iter().any(|known| known.node.value == node.value) => {
                    self.branches.push(Branch { node: node.clone() });
                }
                "dependentRequired" | "dependentSchemas" | "dependencies" => self.merge_dependencies(&child()),
                "not" => includes.extend(self.merge_not(document, &child())),
                "$schema" if value.as_str().is_some_and(is_usual_dialect) => {}
                "$ref" | "$dynamicRef" | "if" | "$defs" | "definitions" | "else" | "items" | "multipleOf" | "then"
                | "type" => {}
                key if is_annotation(key) => {}
                key => self.merge_rest(key, node, value),
            }
        }
        if self.types.contradicts(&types) {
            self.unknown.extend(node.get("type").map(|named| ("type", named)));
        }
        self.types = std::mem::take(&mut self.types).intersect(types);
        includes
    }

    fn first_items(&mut self, list: &Node<'a>) {
        for (index, item) in list.items().enumerate() {
            match self.prefix_items.get_mut(index) {
                Some(parts) => parts.push(item),
                None => self.prefix_items.push(vec![item]),
            }
        }
    }

    fn content(&mut self, word: &'static str, text: Option<&'a str>) {
        self.content.entry(word).or_default().extend(text);
    }

    /// Returns a branch that requires members where another is there, which is what `dependentRequired` states.
    fn merge_dependency(&mut self, node: &Node<'a>) -> bool {
        let names = |key: &str| required_only(&node.get(key)?);
        let (Some(condition), Some(outcome), None) = (names("if"), names("then"), node.get("else")) else {
            return false;
        };
        let [name] = condition.as_slice() else { return false };
        self.dependent_required.entry(name).or_default().extend(outcome);
        true
    }

    /// Merges `dependentRequired`, `dependentSchemas`, and the keyword that was both before.
    fn merge_dependencies(&mut self, child: &Node<'a>) {
        for (name, dependency) in child.entries() {
            let names = match dependency.value {
                Value::Array(names) => Some(names.iter().filter_map(Value::as_str).collect()),
                _ => required_only(&dependency),
            };
            match names {
                Some(names) => self.dependent_required.entry(name).or_default().extend(names),
                None => push_new(self.dependent_schemas.entry(name).or_default(), dependency),
            }
        }
    }

    /// Reads a list of alternatives: what it includes whole, and the types that it comes to.
    fn alternatives(
        &mut self,
        document: &DocumentTree<'a>,
        list: &Node<'a>,
        any: bool,
    ) -> (Option<Node<'a>>, Types<'a>) {
        let variants: Vec<_> = list.items().filter(|variant| !null::is_null(variant.value)).collect();
        match variants.as_slice() {
            [] => {}
            [only] => return (Some(only.clone()), Types::default()),
            _ => {
                if let Some((bare, repeated)) = bare_types(document, &variants) {
                    if !any {
                        self.ambiguous.extend(repeated.into_iter().map(|name| (name, list.at.clone())));
                    }
                    self.absorbed.extend(variants);
                    return (None, bare);
                }
                if let Some(values) = same_enums(document, &variants, any) {
                    let types = Types(values.iter().map(|value| (type_of(value), None)).collect());
                    self.restrict(list, values);
                    self.absorbed.extend(variants);
                    return (None, types);
                }
                let union = Union { any, at: list.at.clone(), variants };
                if !self.unions.iter().any(|known| known.is_like(&union)) {
                    self.unions.push(union);
                }
            }
        }
        (None, Types::default())
    }

    fn merge_values(&mut self, key: &str, value: &'a Value, node: &Node<'a>) {
        match (key, value) {
            ("const", value) => {
                self.constant = true;
                self.restrict(node, vec![value]);
            }
            ("enum", Value::Array(values)) => {
                self.restrict(node, values.iter().filter(|value| !value.is_null()).collect());
            }
            (_, Value::Array(values)) => self.extensible = Some(values.iter().collect()),
            _ => {}
        }
    }

    /// Keeps the values that both lists have; all of both if they contradict each other.
    fn restrict(&mut self, node: &Node<'a>, values: Vec<&'a Value>) {
        self.values_at.get_or_insert_with(|| node.at.clone());
        self.values = Some(match self.values.take() {
            None => values,
            Some(known) => {
                let both: Vec<_> =
                    known.iter().copied().filter(|value| values.iter().any(|other| equal(value, other))).collect();
                if both.is_empty() { known.into_iter().chain(values).collect() } else { both }
            }
        });
    }

    fn merge_object(&mut self, key: &str, child: Node<'a>) {
        match (key, child.value) {
            ("properties", _) => {
                for (name, property) in child.entries() {
                    self.properties.entry(name).or_default().push(property);
                }
            }
            ("required", Value::Array(names)) => self.required.extend(names.iter().filter_map(Value::as_str)),
            ("additionalProperties", closed) if is_never(closed) => self.additional = Additional::Closed,
            ("additionalProperties", Value::Object(schema)) if !schema.is_empty() => match &mut self.additional {
                Additional::Typed(parts) => parts.push(child),
                Additional::Open => self.additional = Additional::Typed(vec![child]),
                Additional::Closed => {}
            },
            ("patternProperties", _) => self.pattern_properties.extend(child.entries()),
            ("discriminator", _) => self.discriminator = self.discriminator.take().or(Some(child)),
            _ => {}
        }
    }

    /// Keeps the tighter of two limits.
    pub(super) fn add_limit(&mut self, limit: Limit, number: Node<'a>) {
        let known = self.limits.get(limit.1);
        if known.is_none_or(|(_, old)| constraints::is_tighter(limit.2, old.value, number.value) == Some(true)) {
            self.limits.insert(limit.1, (limit, number));
        }
    }

    /// Merges keywords of items that may be anything: they are about all items.
    fn merge_any_items(&mut self, node: &Node<'a>) {
        let one = Node { value: &ONE, at: node.at.key("contains") };
        let least = node.get("minContains").unwrap_or(one);
        let limits = [("minItems", Some(least)), ("maxItems", node.get("maxContains"))];
        for (keyword, number) in limits {
            if let (Some(limit), Some(number)) = (constraints::keyword(keyword), number) {
                self.add_limit(limit, number);
            }
        }
    }

    /// Merges limits, conditions, and unknown keywords.
    fn merge_rest(&mut self, key: &'a str, node: &Node<'a>, value: &'a Value) {
        if constraints::is_limit(key) {
            if let Some((limit, number)) = constraints::read(key, node) {
                self.add_limit(limit, number);
            }
            return;
        }
        let child = Node { value, at: node.at.key(key) };
        match CONDITIONS.iter().find(|(keyword, _)| *keyword == key) {
            Some((_, "contains")) if is_open(value) => self.merge_any_items(node),
            Some(_) if is_open(value) => {}
            Some((_, word)) => push_new(self.conditions.entry(word).or_default(), child),
            None => drop(self.unknown.insert(key, child)),
        }
    }
}

/// Returns the members that a schema requires, if it states no more.
fn required_only<'a>(schema: &Node<'a>) -> Option<Vec<&'a str>> {
    let mut members = schema.members().filter(|(key, value)| *key != "type" || *value != "object");
    let only = members.next().filter(|_| members.next().is_none());
    let (_, names) = only.filter(|(key, _)| *key == "required")?;
    names.as_array()?.iter().map(Value::as_str).collect()
}

/// Returns the keyword that states the same in a schema that includes no other, or nothing for one that states nothing.
fn plainer<'a>(key: &'a str, value: &Value, node: &Node<'a>) -> &'a str {
    let has = |keys: &[&str]| keys.iter().any(|key| node.value.get(key).is_some());
    let includes = || {
        has(&[
            "$ref",
            "$dynamicRef",
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "if",
            "dependentSchemas",
            "dependencies",
            "contains",
        ])
    };
    let zero = |key: &str| node.value.get(key).and_then(Value::as_f64) == Some(0.0);
    match key {
        "unevaluatedProperties" if !includes() && !has(&["additionalProperties"]) => "additionalProperties",
        "unevaluatedItems" if !includes() && !has(&["items", "additionalItems"]) => "items",
        "contains" if zero("minContains") && !has(&["maxContains"]) => NOTHING,
        "minContains" | "maxContains" if node.value.get("contains").is_some_and(is_open) => NOTHING,
        "minContains" if !has(&["contains"]) || value.as_f64() == Some(1.0) => NOTHING,
        "propertyNames"
            if value
                .as_object()
                .is_some_and(|names| names.len() == 1 && names.get("type") == Some(&Value::from("string"))) =>
        {
            NOTHING
        }
        key => key,
    }
}

/// The number of items that `contains` asks for.
static ONE: LazyLock<Value> = LazyLock::new(|| Value::from(1));

/// A keyword that states nothing.
const NOTHING: &str = "$comment";

/// Adds a schema unless it is there in the same words.
fn push_new<'a>(list: &mut Vec<Node<'a>>, node: Node<'a>) {
    if !list.iter().any(|known| known.value == node.value) {
        list.push(node);
    }
}
