//! Request bodies, responses and their headers.

pub(super) mod encoding;
pub(super) mod headers;
mod media_types;

use std::collections::BTreeMap;

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::{Circumstance, Comparison, Context, Finding, Raw, ScopeId, operation_pairing::Operation};
use crate::{
    classification::{Direction, MessagePart, Role},
    rule::rules,
};

rules! {
    BODY_ADDED_REQUIRED = Rule::api("request-body-added-required", RequestBody, Breaking, Major, "request-body-removed",
        "calls must send a body");
    BODY_ADDED_OPTIONAL = Rule::api("request-body-added-optional", RequestBody, Info, Major, "request-body-removed",
        "calls may send a body");
    BODY_REMOVED = Rule::api("request-body-removed", RequestBody, Breaking, Major, "request-body-added-optional",
        "the operation takes no body any more");
    BODY_REQUIRED = Rule::api("request-body-became-required", RequestBody, Breaking, Major,
        "request-body-became-optional", "calls without a body are rejected");
    BODY_OPTIONAL = Rule::api("request-body-became-optional", RequestBody, Info, Major, "request-body-became-required",
        "calls may leave the body out");
    REQUEST_MEDIA_ADDED = Rule::api("request-body-media-type-added", MediaTypes, Info, Minor,
        "request-body-media-type-removed", "bodies may be sent in one more form");
    REQUEST_MEDIA_REMOVED = Rule::api("request-body-media-type-removed", MediaTypes, Breaking, Major,
        "request-body-media-type-added", "bodies are no longer accepted in this form");
    RESPONSE_MEDIA_ADDED = Rule::api("response-media-type-added", MediaTypes, Info, Minor,
        "response-media-type-removed", "responses may have one more media type");
    RESPONSE_MEDIA_REMOVED = Rule::api("response-media-type-removed", MediaTypes, Breaking, Major,
        "response-media-type-added", "responses no longer have this media type");
    MEDIA_NAME_CHANGED = Rule::api("media-type-name-changed", MediaTypes, Info, Patch,
        "media-type-name-changed", "a parameter such as charset differs")
        .written("{what}-media-type-name-changed");
    MEDIA_NAME_GENERALIZED = Rule::api("media-type-name-generalized", MediaTypes, Breaking, Patch,
        "media-type-name-specialized", "responses may have more media types than before")
        .written("{what}-media-type-name-generalized");
    MEDIA_NAME_SPECIALIZED = Rule::api("media-type-name-specialized", MediaTypes, Info, Patch,
        "media-type-name-generalized", "another media type of the same format")
        .written("{what}-media-type-name-specialized");
    REQUEST_SCHEMA_ADDED = Rule::api("request-body-media-type-schema-added", MediaTypes, Breaking, Major,
        "request-body-media-type-schema-removed", "any body was accepted, now it must match a schema");
    REQUEST_SCHEMA_REMOVED = Rule::api("request-body-media-type-schema-removed", MediaTypes, Info, Major,
        "request-body-media-type-schema-added", "any body is accepted now");
    RESPONSE_SCHEMA_ADDED = Rule::api("response-body-media-type-schema-added", MediaTypes, Info, Major,
        "response-body-media-type-schema-removed", "responses now have a schema");
    RESPONSE_SCHEMA_REMOVED = Rule::api("response-body-media-type-schema-removed", MediaTypes, Warning, Major,
        "response-body-media-type-schema-added", "responses no longer have a schema");
    SUCCESS_ADDED = Rule::api("response-success-status-added", Responses, Warning, Major,
        "response-success-status-removed", "typed clients that accept only the listed statuses reject this response");
    SUCCESS_REMOVED = Rule::api("response-success-status-removed", Responses, Breaking, Major,
        "response-success-status-added", "the response that clients wait for is no longer returned");
    NON_SUCCESS_ADDED = Rule::api("response-non-success-status-added", Responses, Info, Minor,
        "response-non-success-status-removed", "one more way to fail is documented");
    NON_SUCCESS_REMOVED = Rule::api("response-non-success-status-removed", Responses, Info, Major,
        "response-non-success-status-added", "an error status is no longer documented");
    DEFAULT_ADDED = Rule::api("response-default-added", Responses, Info, Minor, "response-default-removed",
        "responses of other statuses are now documented");
    DEFAULT_REMOVED = Rule::api("response-default-removed", Responses, Info, Major, "response-default-added",
        "responses of other statuses are no longer documented");
    RESPONSE_BODY_ADDED = Rule::api("response-body-added", Responses, Info, Major, "response-body-removed",
        "the response now has a body");
    RESPONSE_BODY_REMOVED = Rule::api("response-body-removed", Responses, Breaking, Major, "response-body-added",
        "the response no longer has a body");
}

impl<'a> Comparison<'a> {
    pub(super) fn request_body(&mut self, old: &Operation<'a>, new: &Operation<'a>) {
        let before = old.node.get("requestBody").map(|node| self.base.resolve(node));
        let after = new.node.get("requestBody").map(|node| self.revision.resolve(node));
        let scope = self.operation_scope(new, Role::Request);
        match (before, after) {
            (None, None) => {}
            (Some(before), None) => self.note(scope, Finding::new(&BODY_REMOVED).removed(&before.at)),
            (None, Some(after)) => {
                let required = after.flag("required");
                let rule = if required { &BODY_ADDED_REQUIRED } else { &BODY_ADDED_OPTIONAL };
                self.note(scope, Finding::new(rule).added(&after.at));
            }
            (Some(before), Some(after)) => self.body(&before, &after, scope),
        }
    }

    pub(super) fn body(&mut self, old: &Node<'a>, new: &Node<'a>, scope: ScopeId) {
        self.compare_docs_and_extensions(scope, old, new);
        self.others(scope, old, new, &["$ref", "content", "required"]);
        let rule = match (old.flag("required"), new.flag("required")) {
            (false, true) => Some(&BODY_REQUIRED),
            (true, false) => Some(&BODY_OPTIONAL),
            _ => None,
        };
        if let Some(rule) = rule {
            self.note(scope, Finding::new(rule).at(&old.at, &new.at));
        }
        self.content(old, new, Context::of(scope, self.direction(scope, Direction::Request), MessagePart::Body));
    }

    pub(super) fn responses(&mut self, old: &Operation<'a>, new: &Operation<'a>) {
        let list = |operation: &Operation<'a>| operation.node.get("responses");
        // Ranges are written `4XX` and `4xx`.
        let status = |(name, node): (&'a str, Node<'a>)| match name {
            "default" => (name.to_owned(), node),
            name => (name.to_uppercase(), node),
        };
        let statuses = |responses: &Option<Node<'a>>| {
            responses.iter().flat_map(Node::without_extensions).map(status).collect::<BTreeMap<_, _>>()
        };
        let (olds, news) = (statuses(&list(old)), statuses(&list(new)));
        let [success, failure] = [Role::Response, Role::Error].map(|role| self.operation_scope(new, role));
        let scope = |status: &str| if is_success(status) { success } else { failure };
        let header_scope = |comparison: &mut Self| comparison.operation_scope(new, Role::Header);
        // `default` describes errors without a status of their own; where it is the only response, it describes successes too.
        let otherwise = |responses: &BTreeMap<String, Node<'a>>, status: &str| {
            let is_of_errors = !is_success(status) && responses.keys().any(|status| is_success(status));
            responses.get("default").filter(|_| is_of_errors && status != "default").cloned()
        };
        for (status, node) in &olds {
            let before = self.base.resolve(node.clone());
            let same = news.get(status.as_str()).or_else(|| news.get(range(status)));
            if let Some(other) = same.cloned().or_else(|| otherwise(&news, status)) {
                let after = self.revision.resolve(other);
                self.response(header_scope, &before, &after, scope(status));
            }
            // A range that takes its place is a finding of its own.
            if same.is_some() && (news.contains_key(status) || !olds.contains_key(range(status))) {
                continue;
            }
            let rule = match status.as_str() {
                "default" => &DEFAULT_REMOVED,
                status if is_success(status) => &SUCCESS_REMOVED,
                _ => &NON_SUCCESS_REMOVED,
            };
            let finding = Finding::new(rule).removed(&node.at);
            // The range is left for one of its statuses, or one of its statuses is listed instead: callers have to expect no more than before.
            let narrowed = same.is_some() || news.keys().any(|new| range(new) == status);
            self.note(scope(status), finding.when(narrowed, Circumstance::Narrowed));
        }
        for (status, node) in news.iter().filter(|(status, _)| !olds.contains_key(*status)) {
            let known = olds.get(range(status));
            if let Some(old) = known.cloned().or_else(|| otherwise(&olds, status)) {
                let (before, after) = (self.base.resolve(old), self.revision.resolve(node.clone()));
                self.response(header_scope, &before, &after, scope(status));
            }
            let rule = match status.as_str() {
                "default" => &DEFAULT_ADDED,
                status if is_success(status) => &SUCCESS_ADDED,
                _ => &NON_SUCCESS_ADDED,
            };
            let finding = Finding::new(rule).added(&node.at);
            self.note(scope(status), finding.when(known.is_some(), Circumstance::Narrowed));
        }
    }

    /// Compares two responses. `header_scope` returns the scope of headers; it is called if there are any.
    pub(super) fn response(
        &mut self,
        header_scope: impl Fn(&mut Self) -> ScopeId,
        old: &Node<'a>,
        new: &Node<'a>,
        scope: ScopeId,
    ) {
        self.compare_docs_and_extensions(scope, old, new);
        self.others(scope, old, new, &["$ref", "content", "headers", "links"]);
        self.headers(header_scope, old, new);
        self.unknown(scope, old, new, &["links"]);
        let context = Context::of(scope, self.direction(scope, Direction::Response), MessagePart::Body);
        let has_content =
            |node: &Node<'a>| node.get("content").is_some_and(|content| content.without_extensions().next().is_some());
        match (has_content(old), has_content(new)) {
            (false, false) => {}
            (true, false) => self.note(scope, Finding::new(&RESPONSE_BODY_REMOVED).at(&old.at, &new.at)),
            (false, true) => self.note(scope, Finding::new(&RESPONSE_BODY_ADDED).at(&old.at, &new.at)),
            (true, true) => self.content(old, new, context),
        }
    }

    /// Compares the schemas of one media type.
    pub(super) fn media_type(&mut self, name: &str, old: &Node<'a>, new: &Node<'a>, context: Context) {
        let raw = match () {
            () if name.starts_with("multipart/") => Raw::Parts,
            () if media_types::is_binary(name) => Raw::Whole,
            () => Raw::No,
        };
        let context = Context { text: !media_types::is_typed(name), raw, ..context };
        self.compare_docs_and_extensions(context.scope, old, new);
        self.others(context.scope, old, new, &["$ref", "encoding", "itemSchema", "schema"]);
        let [added, removed] = match context.direction {
            Direction::Request => [&REQUEST_SCHEMA_ADDED, &REQUEST_SCHEMA_REMOVED],
            _ => [&RESPONSE_SCHEMA_ADDED, &RESPONSE_SCHEMA_REMOVED],
        };
        match (old.get("schema"), new.get("schema")) {
            (Some(old), Some(new)) => self.usages(&[old], &[new], context),
            (Some(schema), None) if is_bytes(&self.base, name, &schema) => {}
            (None, Some(schema)) if is_bytes(&self.revision, name, &schema) => {}
            (Some(schema), None) => self.note(context.scope, Finding::new(removed).at(&schema.at, &new.at)),
            (None, Some(schema)) => self.note(context.scope, Finding::new(added).at(&old.at, &schema.at)),
            (None, None) => {}
        }
        match (old.get("itemSchema"), new.get("itemSchema")) {
            (Some(old), Some(new)) => self.usages(&[old], &[new], context.inside()),
            _ => self.unknown(context.scope, old, new, &["itemSchema"]),
        }
        match context.direction {
            Direction::Request => self.encoding(name, old, new, context),
            _ => old.get("encoding").iter().chain(&new.get("encoding")).for_each(|node| self.compared.whole(node)),
        }
    }

    /// Compares the media types of a body.
    pub(super) fn content(&mut self, old: &Node<'a>, new: &Node<'a>, context: Context) {
        let list = |document: &DocumentTree<'a>, node: &Node<'a>| {
            let content = node.get("content");
            let media_types = content.iter().flat_map(Node::without_extensions);
            media_types.map(|(name, node)| (name, document.resolve(node))).collect::<Vec<_>>()
        };
        let matching = media_types::Matching::of(list(&self.base, old), list(&self.revision, new));
        let request = context.direction == Direction::Request;
        for (old, new, relation) in &matching.pairs {
            let rule = match relation {
                media_types::Relation::Same => None,
                media_types::Relation::Parameters => Some(&MEDIA_NAME_CHANGED),
                media_types::Relation::Wider if request => Some(&MEDIA_NAME_SPECIALIZED),
                media_types::Relation::Wider => Some(&MEDIA_NAME_GENERALIZED),
                media_types::Relation::Narrower if request => Some(&MEDIA_NAME_GENERALIZED),
                media_types::Relation::Narrower => Some(&MEDIA_NAME_SPECIALIZED),
            };
            if let Some(rule) = rule {
                let finding = Finding::new(rule).what(if request { "request-body" } else { "response" });
                let values = (Value::from(old.0), Value::from(new.0));
                self.note(context.scope, finding.at(&old.1.at, &new.1.at).values(values.0, values.1));
            }
            self.media_type(new.0, &old.1, &new.1, context);
        }
        let [added, removed] = match request {
            true => [&REQUEST_MEDIA_ADDED, &REQUEST_MEDIA_REMOVED],
            false => [&RESPONSE_MEDIA_ADDED, &RESPONSE_MEDIA_REMOVED],
        };
        for (name, node) in &matching.removed {
            self.note(context.scope, Finding::new(removed).removed(&node.at).values(Value::from(*name), None));
        }
        for (name, node) in &matching.added {
            self.note(context.scope, Finding::new(added).added(&node.at).values(None, Value::from(*name)));
        }
    }
}

/// Returns whether a schema states no more than its media type: bytes that are not JSON are any bytes. 3.1 leaves such
/// schemas out.
fn is_bytes<'a>(document: &DocumentTree<'a>, media: &str, schema: &Node<'a>) -> bool {
    let schema = document.resolve(schema.clone());
    let is_binary = schema.text("format") == Some("binary") || schema.value.get("contentMediaType").is_some();
    !media.contains("json") && !media.contains("form") && schema.text("type") == Some("string") && is_binary
}

/// Returns the range that a status is in, as documents write it.
fn range(status: &str) -> &'static str {
    match status.as_bytes().first() {
        Some(b'2') => "2XX",
        Some(b'3') => "3XX",
        Some(b'4') => "4XX",
        Some(b'5') => "5XX",
        _ => "1XX",
    }
}

/// Returns whether a response of this status (`200`, `2XX`) is one that callers wait for. Redirects are followed or
/// wanted.
fn is_success(status: &str) -> bool {
    status.starts_with(['2', '3'])
}
