//! The encoding of a form's parts.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::media_types::essence;
use crate::{
    compare::{Circumstance, Comparison, Context, Finding, excerpt},
    rule::rules,
    schema::{Schema, Types, Usage},
};

rules! {
    BODY_ENCODING = Rule::api("request-body-encoding-changed", RequestBody, Warning, Patch,
        "request-body-encoding-changed", "parts of a form are written in another way");
}

const BYTES: &str = "application/octet-stream";

/// A part as it is sent: what is stated, and else OpenAPI's defaults for its schema.
#[derive(Debug, Default, PartialEq, Eq)]
struct Part<'a> {
    /// Without parameters such as charset.
    media_types: BTreeSet<String>,
    /// With parameters.
    written_types: BTreeSet<String>,
    /// As a query would have it; `multipart` uses the media type unless a style is stated.
    style: Option<(&'a str, bool)>,
    reserved: bool,
    headers: BTreeMap<String, &'a Value>,
    others: BTreeMap<&'a str, &'a Value>,
}

/// The form of a member with several values: as several parts, or as pairs of name and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Several {
    No,
    /// One for each item.
    Items,
    /// One for each of its members.
    Members,
}

/// A media type, and in how many parts.
type Sent = (Option<&'static str>, Several);

/// A form: its media type, the encodings that it states, and its members.
struct Form<'d, 'a> {
    document: &'d DocumentTree<'a>,
    is_multipart: bool,
    stated: BTreeMap<&'a str, Node<'a>>,
    members: BTreeMap<&'a str, Vec<Node<'a>>>,
}

impl<'d, 'a> Form<'d, 'a> {
    fn of(document: &'d DocumentTree<'a>, name: &str, media: &Node<'a>) -> Self {
        let stated = media.get("encoding").iter().flat_map(Node::entries).collect();
        let schema = media.get("schema").map(|schema| Usage::of(document, &[schema]).core);
        let members = schema.map(|core| Schema::of(document, &core).properties).unwrap_or_default();
        Self { document, is_multipart: name.starts_with("multipart/"), stated, members }
    }

    /// Returns the schema that names the media type of a member, from 3.1 on.
    fn media_type_of(&self, name: &str) -> Option<String> {
        let parts = self.members.get(name).filter(|_| self.is_multipart)?;
        let named = parts.iter().find_map(|part| {
            let part = self.document.resolve(part.clone());
            part.text("contentMediaType").map(str::to_lowercase)
        });
        named.filter(|name| name != BYTES)
    }

    /// Returns the parts of which anything is stated.
    fn names(&self) -> BTreeSet<&'a str> {
        let members = self.members.keys().filter(|name| self.media_type_of(name).is_some());
        self.stated.keys().chain(members).copied().collect()
    }

    /// Returns what is sent for a member of which nothing is stated: its media type, which urlencoded forms do not have, and whether as
    /// several parts. None if that depends on the value.
    fn usual_part(&self, name: &str) -> Option<Sent> {
        let schema = Schema::of(self.document, &Usage::of(self.document, self.members.get(name)?).core);
        if schema.types.is_any() || !schema.unions.is_empty() {
            return None;
        }
        let several = match schema.types.0.keys().copied().collect::<Vec<_>>().as_slice() {
            ["array"] => Several::Items,
            ["object"] if !self.is_multipart => Several::Members,
            _ if schema.types.is_scalar() || schema.types == Types::single("object") => Several::No,
            _ => return None,
        };
        let media_type = if self.is_multipart { Some(usual_type(self.document, Some(&schema))?) } else { None };
        Some((media_type, several))
    }

    fn part(&self, name: &str) -> Part<'a> {
        let node = self.stated.get(name);
        let schema =
            self.members.get(name).map(|parts| Schema::of(self.document, &Usage::of(self.document, parts).core));
        let text = |key| node.and_then(|node| node.text(key));
        let flag = |key| node.and_then(|node| node.value.get(key)?.as_bool());
        let written_types: BTreeSet<_> = match (text("contentType"), self.media_type_of(name)) {
            (Some(names), _) => names.split(',').map(|name| name.trim().to_lowercase()).collect(),
            (None, Some(named)) => [named].into(),
            (None, None) => usual_type(self.document, schema.as_ref()).map(str::to_owned).into_iter().collect(),
        };
        // 3.0 ignores styles of parts of `multipart`.
        let has_style = !self.is_multipart
            || (self.document.siblings()
                && ["style", "explode", "allowReserved"]
                    .iter()
                    .any(|key| node.is_some_and(|node| node.value.get(key).is_some())));
        let style = text("style").unwrap_or("form");
        let is_scalar = schema.as_ref().is_some_and(|schema| schema.types.is_scalar());
        let explode = is_scalar || style == "deepObject" || flag("explode").unwrap_or(style == "form");
        let headers = node.filter(|_| self.is_multipart).and_then(|node| node.get("headers"));
        let headers = headers.iter().flat_map(Node::members).map(|(name, value)| (name.to_lowercase(), value));
        let is_other = |(key, _): &(&str, &Value)| {
            !key.starts_with("x-") && !matches!(*key, "allowReserved" | "contentType" | "explode" | "headers" | "style")
        };
        Part {
            media_types: written_types.iter().map(|name| essence(name)).collect(),
            written_types,
            style: has_style.then_some((style, explode)),
            reserved: has_style && flag("allowReserved") == Some(true),
            headers: headers.filter(|(name, _)| name != "content-type").collect(),
            others: node.iter().flat_map(|node| node.members()).filter(is_other).collect(),
        }
    }
}

/// Returns the media type of a part for which none is stated; none if that depends on the value.
fn usual_type<'a>(document: &DocumentTree<'a>, schema: Option<&Schema<'a>>) -> Option<&'static str> {
    let Some(schema) = schema.filter(|schema| !schema.types.is_any()) else { return Some(BYTES) };
    if !schema.content.is_empty() {
        return Some(BYTES);
    }
    if schema.types.is_scalar() {
        return Some("text/plain");
    }
    if schema.types == Types::single("object") {
        return Some("application/json");
    }
    let items = (schema.types == Types::single("array"))
        .then(|| Schema::of(document, &Usage::of(document, &schema.items).core))
        .filter(|items| items.types != Types::single("array"))?;
    usual_type(document, Some(&items))
}

impl<'a> Comparison<'a> {
    /// Compares how the parts of a form are written that both sides have.
    pub(super) fn encoding(&mut self, name: &str, old: &Node<'a>, new: &Node<'a>, context: Context) {
        old.get("encoding").iter().chain(&new.get("encoding")).for_each(|node| self.compared.whole(node));
        if !name.starts_with("multipart/") && !name.contains("urlencoded") {
            return;
        }
        let (before, after) = (Form::of(&self.base, name, old), Form::of(&self.revision, name, new));
        let is_kept = |name: &&str| before.members.contains_key(*name) == after.members.contains_key(*name);
        let names: BTreeSet<_> = before.names().union(&after.names()).copied().filter(is_kept).collect();
        // A list takes one value as well.
        let is_other = |((old_type, old), (new_type, new)): (Sent, Sent)| {
            old_type != new_type || (old != new && old != Several::No)
        };
        let mut unstated = before.members.keys().filter(|name| !names.contains(*name));
        let is_unstated_other =
            unstated.any(|name| before.usual_part(name).zip(after.usual_part(name)).is_some_and(is_other));
        let parts = names.into_iter().map(|name| (before.part(name), after.part(name)));
        let parts: Vec<_> = parts.filter(|(before, after)| before != after).collect();
        if parts.is_empty() && !is_unstated_other {
            return;
        }
        // More media types, or characters that need no escape: what was sent is still accepted.
        let is_accepted = !is_unstated_other
            && parts.iter().all(|(before, after)| {
                before.media_types.is_subset(&after.media_types)
                    && before.reserved <= after.reserved
                    && (&before.style, &before.headers, &before.others) == (&after.style, &after.headers, &after.others)
            });
        let finding = Finding::new(&BODY_ENCODING).at(&old.at, &new.at);
        let value = |node: &Node<'a>| node.value.get("encoding").and_then(excerpt);
        self.note(context.scope, finding.when(is_accepted, Circumstance::MoreAllowed).values(value(old), value(new)));
    }
}
