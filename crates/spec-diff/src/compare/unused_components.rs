//! Components that no operation uses: of documents with components only, of callers' own documents, or of payloads that only
//! documentation mentions.

use openapi_document::{DocumentTree, Node};

use super::{Comparison, Context, Finding, excerpt, reached::Reached};
use crate::{
    classification::{Direction, MessagePart},
    compare::uncompared::UNKNOWN_CHANGE,
    schema::{Usage, same},
};

impl<'a> Comparison<'a> {
    pub(super) fn reached(&self) -> [Reached; 2] {
        let [olds, news] = self.subtypes.as_ref();
        [Reached::of(&self.base, olds), Reached::of(&self.revision, news)]
    }

    /// Compares the components that no operation uses; where there is no operation, in both directions. As all that callers send belongs to an
    /// operation, other schemas are received, or not sent at all.
    pub(super) fn unused_components(&mut self, [olds, news]: &[Reached; 2]) {
        self.unused_removed(olds);
        let is_alone = self.is_alone;
        let is_unused = |old: &Node<'a>, new: &Node<'a>| is_alone || (!olds.is_used(old) && !news.is_used(new));
        let context = |direction| Context::of(0, direction, MessagePart::Body);
        for direction in [Direction::Request, Direction::Response] {
            if is_alone || direction == Direction::Response {
                let is_described =
                    |old: &Node<'a>, new: &Node<'a>| !is_alone && (olds.is_described(old) || news.is_described(new));
                self.component_pairs("schemas", |comparison, old, new| {
                    if !is_described(&old, &new) && (is_alone || old.value != new.value) {
                        let (old, new) = (Usage::of(&comparison.base, &[old]), Usage::of(&comparison.revision, &[new]));
                        comparison.attributes(&old, &new, context(direction));
                        comparison.later(old.core, new.core, context(direction));
                    }
                });
            }
            self.unused_pairs("mediaTypes", &is_unused, |comparison, old, new| {
                comparison.media_type("", old, new, context(direction));
            });
        }
        self.unused_pairs("requestBodies", &is_unused, |comparison, old, new| comparison.body(old, new, 0));
        self.unused_pairs("responses", &is_unused, |comparison, old, new| comparison.response(|_| 0, old, new, 0));
        self.unused_pairs("parameters", &is_unused, |comparison, old, new| {
            comparison.unknown(0, old, new, &["in", "name"]);
            comparison.parameter(old, new, 0);
        });
        self.unused_pairs("headers", &is_unused, |comparison, old, new| comparison.header("", old, new, 0));
        // The direction of these calls, and their messages, are not known.
        for section in ["callbacks", "links", "pathItems"] {
            self.component_pairs(section, |comparison, old, new| {
                if is_unused(&old, &new) && !same((&comparison.base, &old), (&comparison.revision, &new)) {
                    let finding = Finding::new(&UNKNOWN_CHANGE).at(&old.at, &new.at);
                    comparison.note(0, finding.values(excerpt(old.value), excerpt(new.value)));
                    comparison.compared.whole(&old);
                    comparison.compared.whole(&new);
                }
            });
        }
    }

    /// Reports components other than schemas that were removed although nothing in this document used them: other documents may.
    fn unused_removed(&mut self, used: &Reached) {
        let sections =
            ["callbacks", "headers", "links", "mediaTypes", "parameters", "pathItems", "requestBodies", "responses"];
        for section in sections {
            let list = |document: &DocumentTree<'a>| document.at(&["components", section]);
            let news = list(&self.revision);
            for (name, old) in list(&self.base).iter().flat_map(Node::without_extensions) {
                let is_left = news.as_ref().is_some_and(|news| news.get(name).is_some());
                if !is_left && !used.is_used(&old) {
                    self.note(0, Finding::new(&UNKNOWN_CHANGE).removed(&old.at));
                }
            }
        }
    }

    /// Compares the components of a section that both documents have.
    fn component_pairs(&mut self, section: &str, compare: impl Fn(&mut Self, Node<'a>, Node<'a>)) {
        let list = |document: &DocumentTree<'a>| document.at(&["components", section]);
        let (Some(olds), Some(news)) = (list(&self.base), list(&self.revision)) else { return };
        for (name, old) in olds.entries() {
            if let Some(new) = news.get(name) {
                compare(self, old, new);
            }
        }
    }

    /// Compares the components of a section that both documents have and no operation uses, without references to others.
    fn unused_pairs(
        &mut self,
        section: &str,
        is_unused: &dyn Fn(&Node<'a>, &Node<'a>) -> bool,
        compare: impl Fn(&mut Self, &Node<'a>, &Node<'a>),
    ) {
        self.component_pairs(section, |comparison, old, new| {
            if is_unused(&old, &new) {
                let (old, new) = (comparison.base.resolve(old), comparison.revision.resolve(new));
                compare(comparison, &old, &new);
            }
        });
    }
}
