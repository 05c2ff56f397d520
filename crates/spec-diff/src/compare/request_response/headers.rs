//! Headers of responses.

use std::collections::BTreeMap;

use openapi_document::Node;

use crate::{
    classification::{Direction, MessagePart},
    compare::{Comparison, Context, Finding, ScopeId, parameters::PARAMETER},
    rule::rules,
};

rules! {
    HEADER_ADDED = Rule::api("response-header-added", Headers, Info, Minor, "optional-response-header-removed",
        "responses have one more header");
    HEADER_REMOVED_REQUIRED = Rule::api("required-response-header-removed", Headers, Breaking, Major,
        "response-header-added", "a header that was always sent was removed");
    HEADER_REMOVED_OPTIONAL = Rule::api("optional-response-header-removed", Headers, Warning, Major,
        "response-header-added", "a header that was sometimes sent was removed");
    HEADER_OPTIONAL = Rule::api("response-header-became-optional", Headers, Breaking, Major,
        "response-header-became-required", "a header may now be missing");
    HEADER_REQUIRED = Rule::api("response-header-became-required", Headers, Level::None, Major,
        "response-header-became-optional", "a header is now always there");
}

impl<'a> Comparison<'a> {
    pub(super) fn headers(&mut self, scope: impl Fn(&mut Self) -> ScopeId, old: &Node<'a>, new: &Node<'a>) {
        let list = |node: &Node<'a>| {
            let headers = node.get("headers");
            headers
                .iter()
                .flat_map(Node::entries)
                .map(|(name, node)| (name.to_lowercase(), (name, node)))
                // OpenAPI ignores it: the media types state it.
                .filter(|(key, _)| key != "content-type")
                .collect::<BTreeMap<_, _>>()
        };
        let (olds, news) = (list(old), list(new));
        if olds.is_empty() && news.is_empty() {
            return;
        }
        let scope = scope(self);
        for (key, (name, node)) in &olds {
            let before = self.base.resolve(node.clone());
            let Some((_, other)) = news.get(key) else {
                let required = before.flag("required");
                let rule = if required { &HEADER_REMOVED_REQUIRED } else { &HEADER_REMOVED_OPTIONAL };
                self.note(scope, Finding::new(rule).removed(&node.at).with_name(*name));
                continue;
            };
            let after = self.revision.resolve(other.clone());
            self.header(name, &before, &after, scope);
        }
        for (_, (name, node)) in news.iter().filter(|(key, _)| !olds.contains_key(*key)) {
            self.note(scope, Finding::new(&HEADER_ADDED).added(&node.at).with_name(*name));
        }
    }

    pub(in crate::compare) fn header(&mut self, name: &str, old: &Node<'a>, new: &Node<'a>, scope: ScopeId) {
        self.compare_docs_and_extensions(scope, old, new);
        self.others(scope, old, new, PARAMETER);
        let rule = match (old.flag("required"), new.flag("required")) {
            (true, false) => Some(&HEADER_OPTIONAL),
            (false, true) => Some(&HEADER_REQUIRED),
            _ => None,
        };
        if let Some(rule) = rule {
            self.note(scope, Finding::new(rule).at(&old.at, &new.at).with_name(name));
        }
        let direction = self.direction(scope, Direction::Response);
        let context = Context { text: true, ..Context::of(scope, direction, MessagePart::Header) };
        if let (Some(old), Some(new)) = (old.get("schema"), new.get("schema")) {
            self.usages(&[old], &[new], context);
        } else if old.get("content").is_some() || new.get("content").is_some() {
            self.content(old, new, Context { text: false, ..context });
        } else {
            self.unknown(scope, old, new, &["schema"]);
        }
    }
}
