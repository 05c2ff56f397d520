//! Parameters: in the path by position, all others by location and name.

use std::collections::BTreeMap;

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::{Circumstance, Comparison, Context, Finding, ScopeId, lifecycle::Sunset, operation_pairing::Operation};
use crate::{
    classification::{Direction, MessagePart, Role},
    compare::schema::{TYPE_CHANGED, TYPE_GENERALIZED},
    rule::rules,
    schema::{Schema, Types, Usage},
};

rules! {
    PARAMETER_ADDED_REQUIRED = Rule::api("new-required-request-parameter", Parameters, Breaking, Major,
        "request-parameter-removed", "calls must send a new parameter");
    PARAMETER_ADDED_PATH = Rule::api("new-request-path-parameter", Parameters, Breaking, Major,
        "request-parameter-removed", "the path has one more part");
    PARAMETER_ADDED_OPTIONAL = Rule::api("new-optional-request-parameter", Parameters, Info, Major,
        "request-parameter-removed", "calls may send one more parameter");
    PARAMETER_REMOVED = Rule::api("request-parameter-removed", Parameters, Warning, Major,
        "new-optional-request-parameter", "the parameter is now ignored or rejected");
    PARAMETER_REMOVED_DEPRECATED = Rule::api("request-parameter-removed-with-deprecation", Parameters, Warning, Major,
        "new-optional-request-parameter", "a deprecated parameter was removed");
    PARAMETER_REMOVED_BEFORE_SUNSET = Rule::api("request-parameter-removed-before-sunset", Parameters, Breaking, Major,
        "new-optional-request-parameter", "a parameter was removed before its sunset");
    PARAMETER_REMOVED_AFTER_SUNSET = Rule::api("request-parameter-removed-after-sunset", Parameters, Level::None, Major,
        "new-optional-request-parameter", "a parameter was removed as announced");
    PARAMETER_REQUIRED = Rule::api("request-parameter-became-required", Parameters, Breaking, Major,
        "request-parameter-became-optional", "calls without the parameter are rejected");
    PARAMETER_OPTIONAL = Rule::api("request-parameter-became-optional", Parameters, Info, Major,
        "request-parameter-became-required", "calls may leave the parameter out");
    PARAMETER_STYLE = Rule::api("request-parameter-style-changed", Parameters, Breaking, Patch,
        "request-parameter-style-changed", "lists or objects are written in another way");
    RESERVED_ALLOWED = Rule::api("request-parameter-reserved-allowed", Parameters, Info, Patch,
        "request-parameter-reserved-encoded", "reserved characters such as / may be in the value unescaped");
    RESERVED_ENCODED = Rule::api("request-parameter-reserved-encoded", Parameters, Warning, Patch,
        "request-parameter-reserved-allowed", "reserved letters such as / must be percent-encoded in the value");
    EMPTY_ALLOWED = Rule::api("request-parameter-empty-allowed", Parameters, Info, Patch,
        "request-parameter-empty-rejected", "the parameter may be sent without a value");
    EMPTY_REJECTED = Rule::api("request-parameter-empty-rejected", Parameters, Warning, Patch,
        "request-parameter-empty-allowed", "the parameter may no longer be sent without a value");
    PATH_PARAMETER_DECLARED = Rule::api("request-path-parameter-declared", Parameters, Info, Major,
        "request-path-parameter-undeclared", "a part of the path that was there is now declared as a parameter");
    PATH_PARAMETER_UNDECLARED = Rule::api("request-path-parameter-undeclared", Parameters, Warning, Major,
        "request-path-parameter-declared", "a part of the path is no longer declared");
    PARAMETER_CONTENT = Rule::api("request-parameter-content-changed", Parameters, Breaking, Major,
        "request-parameter-content-changed", "the parameter now has, or no longer has, a media type");
    PATH_PARAMETER_RENAMED = Rule::api("request-path-parameter-renamed", Parameters, Level::None, Major,
        "request-path-parameter-renamed", "only the name of an argument differs; paths on the wire are the same");
}

/// A parameter's location in a call, as it is on the wire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Slot<'a> {
    /// The nth in the path.
    Path(usize),
    /// By `in` and name; header names in lower case.
    Named(&'a str, String),
}

/// Returns the path item's parameters, overridden by the operation's.
fn slots<'a>(document: &DocumentTree<'a>, operation: &Operation<'a>) -> BTreeMap<Slot<'a>, Node<'a>> {
    let in_path = operation.path_names();
    let mut slots = BTreeMap::new();
    for holder in [&operation.item, &operation.node] {
        for node in holder.get("parameters").iter().flat_map(Node::items) {
            let node = document.resolve(node);
            let (Some(name), Some(location)) = (node.text("name"), node.text("in")) else { continue };
            let slot = match (location, in_path.iter().position(|known| *known == name)) {
                ("path", Some(index)) => Slot::Path(index),
                ("header", _) => Slot::Named(location, name.to_lowercase()),
                _ => Slot::Named(location, name.to_owned()),
            };
            slots.insert(slot, node);
        }
    }
    // These three headers are described elsewhere in a document; as parameters they count for nothing.
    slots.retain(|slot, _| !matches!(slot, Slot::Named("header", name) if matches!(name.as_str(), "accept" | "content-type" | "authorization")));
    slots
}

/// Returns whether the path has the parameter's part, declared or not.
fn is_in_path(slot: &Slot<'_>, operation: &Operation<'_>) -> bool {
    matches!(slot, Slot::Path(index) if *index < operation.path_names().len())
}

fn normal<'a>(document: &DocumentTree<'a>, schema: &Node<'a>) -> Schema<'a> {
    Schema::of(document, &Usage::of(document, std::slice::from_ref(schema)).core)
}

/// Returns the schema of a path parameter that only its name describes: any string of the type.
fn any_text<'a>(schema: &Schema<'a>, operation: &Operation<'a>) -> Schema<'a> {
    Schema { at: operation.node.at.clone(), types: schema.types.clone(), ..Schema::default() }
}

/// Returns a parameter's title: `limit (query)`.
fn title(node: &Node<'_>) -> String {
    format!("{} ({})", node.text("name").unwrap_or_default(), node.text("in").unwrap_or_default())
}

impl<'a> Comparison<'a> {
    pub(super) fn parameters(&mut self, old: &Operation<'a>, new: &Operation<'a>) {
        let scope = self.operation_scope(new, Role::Parameter);
        let (olds, news) = (slots(&self.base, old), slots(&self.revision, new));
        for holder in [&old.item, &old.node, &new.item, &new.node] {
            holder.get("parameters").iter().for_each(|list| self.compared.whole(list));
        }
        for (slot, node) in &olds {
            match news.get(slot) {
                Some(other) => self.parameter(node, other, scope),
                // A part of the path that is there as before.
                None if is_in_path(slot, new) => {
                    let finding = Finding::new(&PATH_PARAMETER_UNDECLARED).removed(&node.at);
                    self.note(scope, finding.with_name(title(node)));
                    if let Some(schema) = node.get("schema") {
                        let schema = normal(&self.base, &schema);
                        self.normal_forms(&schema, &any_text(&schema, new), self.of_parameter(scope));
                    }
                }
                None => self.parameter_removed(node, scope),
            }
        }
        for (slot, node) in news.iter().filter(|(slot, _)| !olds.contains_key(slot)) {
            if is_in_path(slot, old) {
                let finding = Finding::new(&PATH_PARAMETER_DECLARED).added(&node.at);
                self.note(scope, finding.with_name(title(node)));
                if let Some(schema) = node.get("schema") {
                    let schema = normal(&self.revision, &schema);
                    self.normal_forms(&any_text(&schema, old), &schema, self.of_parameter(scope));
                }
            } else {
                self.parameter_added(node, scope);
            }
        }
    }

    /// Returns where the walk over a parameter's schema begins.
    fn of_parameter(&self, scope: ScopeId) -> Context {
        let direction = self.direction(scope, Direction::Request);
        Context { text: true, ..Context::of(scope, direction, MessagePart::Parameter) }
    }

    fn parameter_removed(&mut self, node: &Node<'a>, scope: ScopeId) {
        let sunset = Sunset::of(node);
        let rule = match (node.flag("deprecated"), sunset) {
            (false, _) => &PARAMETER_REMOVED,
            (true, sunset) if sunset.has_passed(self.options.today.as_deref()) => &PARAMETER_REMOVED_AFTER_SUNSET,
            (true, Sunset::Day(_)) => &PARAMETER_REMOVED_BEFORE_SUNSET,
            (true, _) => &PARAMETER_REMOVED_DEPRECATED,
        };
        self.note(scope, Finding::new(rule).removed(&node.at).with_name(title(node)));
    }

    fn parameter_added(&mut self, node: &Node<'a>, scope: ScopeId) {
        let rule = match (node.text("in"), node.flag("required")) {
            (Some("path"), _) => &PARAMETER_ADDED_PATH,
            (_, true) => &PARAMETER_ADDED_REQUIRED,
            (_, false) => &PARAMETER_ADDED_OPTIONAL,
        };
        self.note(scope, Finding::new(rule).added(&node.at).with_name(title(node)));
    }

    pub(super) fn parameter(&mut self, old: &Node<'a>, new: &Node<'a>, scope: ScopeId) {
        let context = self.of_parameter(scope);
        self.compare_docs_and_extensions(scope, old, new);
        self.others(scope, old, new, PARAMETER);
        let is_path = new.text("in") == Some("path");
        let finding = |rule| Finding::new(rule).at(&old.at, &new.at).with_name(title(new));
        // Elsewhere it counts for nothing.
        let takes_empty = |node: &Node<'a>| node.text("in") == Some("query") && node.flag("allowEmptyValue");
        match (takes_empty(old), takes_empty(new)) {
            (false, true) => self.note(scope, finding(&EMPTY_ALLOWED)),
            (true, false) => self.note(scope, finding(&EMPTY_REJECTED)),
            _ => {}
        }
        if is_path && old.text("name") != new.text("name") {
            let values = (old.text("name").map(Value::from), new.text("name").map(Value::from));
            self.note(scope, finding(&PATH_PARAMETER_RENAMED).values(values.0, values.1));
        }
        match (old.flag("required"), new.flag("required")) {
            // A path parameter is always there.
            _ if is_path => {}
            (false, true) => self.note(scope, finding(&PARAMETER_REQUIRED)),
            (true, false) => self.note(scope, finding(&PARAMETER_OPTIONAL)),
            _ => {}
        }
        let deprecation = |node: &Node<'a>| node.flag("deprecated").then(|| node.clone());
        self.data_lifecycle((deprecation(old), &old.at), (deprecation(new), &new.at), context);
        match (media(&self.base, old), media(&self.revision, new)) {
            (None, None) => self.parameter_schema(old, new, context),
            (Some((name, old)), Some((other, new))) if name == other => match (old.get("schema"), new.get("schema")) {
                (Some(old), Some(new)) => self.usages(&[old], &[new], Context { text: false, ..context }),
                _ => self.unknown(scope, &old, &new, &["schema"]),
            },
            (before, after) => {
                let value = |media: Option<(&str, Node<'a>)>| media.map(|(name, _)| Value::from(name));
                self.note(scope, finding(&PARAMETER_CONTENT).values(value(before), value(after)));
            }
        }
    }

    fn parameter_schema(&mut self, old: &Node<'a>, new: &Node<'a>, context: Context) {
        let (Some(before), Some(after)) = (old.get("schema"), new.get("schema")) else {
            return self.unknown(context.scope, old, new, &["schema"]);
        };
        let (old_normal, new_normal) = (normal(&self.base, &before), normal(&self.revision, &after));
        let scalar = old_normal.types.is_scalar() && new_normal.types.is_scalar();
        let (old_style, new_style) = (style(old, &old_normal), style(new, &new_normal));
        // Of a single value, only the styles of paths look different, and in cookies, what is escaped.
        let differs = match new.text("in") {
            Some("path") if scalar => old_style.0 != new_style.0,
            Some("cookie") if scalar => old_style.0 != new_style.0 && (has_text(&old_normal) || has_text(&new_normal)),
            _ => !scalar && old_style != new_style,
        };
        if differs {
            let value = |(style, explode): (&str, bool)| Value::from(format!("{style}, explode {explode}"));
            let finding = Finding::new(&PARAMETER_STYLE).at(&old.at, &new.at).with_name(title(new));
            let finding = finding.when(scalar && new.text("in") == Some("cookie"), Circumstance::Escapes);
            self.note(context.scope, finding.values(value(old_style), value(new_style)));
        }
        self.reserved((old, &old_normal), (new, &new_normal), context.scope);
        // `?tag=a` is also a list of one where each item stands for itself; of `?tag=a&tag=b` a single value keeps one.
        let repeats = |(style, explode): (&str, bool)| style == "form" && explode;
        let is_list = |schema: &Schema<'a>| schema.types == Types::single("array") && !schema.items.is_empty();
        let finding = |rule| {
            Finding::new(rule)
                .at(&before.at, &after.at)
                .values(old_normal.types.describe(), new_normal.types.describe())
        };
        if old_normal.types.is_scalar() && is_list(&new_normal) && repeats(new_style) {
            self.note_data(context, finding(&TYPE_GENERALIZED));
            return self.usages(&[before], &new_normal.items, context);
        }
        if is_list(&old_normal) && repeats(old_style) && new_normal.types.is_scalar() {
            self.note_data(context, finding(&TYPE_CHANGED));
            return self.usages(&old_normal.items, &[after], context);
        }
        let first = self.findings.len();
        self.usages(&[before], &[after], context);
        if old.flag("required") && !new.flag("required") && scalar {
            self.default_of_required(first);
        }
    }

    /// Compares `allowReserved`: `/` and `?` in strings of a query; numbers have none.
    fn reserved(
        &mut self,
        (old, before): (&Node<'a>, &Schema<'a>),
        (new, after): (&Node<'a>, &Schema<'a>),
        scope: ScopeId,
    ) {
        let rule = match (old.flag("allowReserved"), new.flag("allowReserved")) {
            (true, false) => &RESERVED_ENCODED,
            (false, true) => &RESERVED_ALLOWED,
            _ => return,
        };
        if has_text(before) || has_text(after) {
            self.note(scope, Finding::new(rule).at(&old.at, &new.at).with_name(title(new)));
        }
    }
}

/// Returns whether values may have characters that are escaped.
fn has_text(schema: &Schema<'_>) -> bool {
    schema.types.is_any() || !schema.types.0.keys().all(|name| matches!(*name, "boolean" | "integer" | "number"))
}

/// The members of a parameter or a header that are compared.
pub(super) const PARAMETER: &[&str] = &[
    "$ref",
    "allowEmptyValue",
    "allowReserved",
    "content",
    "deprecated",
    "explode",
    "in",
    "name",
    "required",
    "schema",
    "style",
];

/// Returns the one media type of a parameter that is written as such.
fn media<'a>(document: &DocumentTree<'a>, node: &Node<'a>) -> Option<(&'a str, Node<'a>)> {
    let (name, media) = node.get("content")?.without_extensions().next()?;
    Some((name, document.resolve(media)))
}

/// Returns style and explode, with OpenAPI's defaults. Where `explode` changes nothing, it is the default.
fn style<'a>(node: &Node<'a>, schema: &Schema<'a>) -> (&'a str, bool) {
    let style = node.text("style").unwrap_or(match node.text("in") {
        Some("query" | "cookie") => "form",
        _ => "simple",
    });
    // `a,b` either way, and `o[a]=1` in any case.
    let is_without = style == "deepObject" || (style == "simple" && schema.types == Types::single("array"));
    let explode = node.value.get("explode").and_then(Value::as_bool).filter(|_| !is_without);
    (style, explode.unwrap_or(style == "form"))
}
