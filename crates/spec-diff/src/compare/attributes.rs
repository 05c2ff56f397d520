//! Attributes of schemas: defaults, deprecation, and the direction in which properties are sent.

use openapi_document::Node;

use super::{Circumstance, Comparison, Context, Finding, excerpt};
use crate::{
    rule::rules,
    schema::{Usage, equal},
};

rules! {
    DEFAULT_VALUE_ADDED = Rule::data("default-value-added", Defaults, (Warning, Level::None), Patch,
        "default-value-removed", "what is left out has a value now");
    DEFAULT_VALUE_CHANGED = Rule::data("default-value-changed", Defaults, (Warning, Level::None), Patch,
        "default-value-changed", "what is left out has another value");
    DEFAULT_VALUE_REMOVED = Rule::data("default-value-removed", Defaults, (Warning, Level::None), Patch,
        "default-value-added", "what is left out has no value any more");
    BECAME_READ_ONLY = Rule::data("became-read-only", Mutability, (Warning, Info), Major, "became-not-read-only",
        "it is ignored or rejected in requests");
    BECAME_NOT_READ_ONLY = Rule::data("became-not-read-only", Mutability, (Info, Info), Major, "became-read-only",
        "it may be sent");
    BECAME_WRITE_ONLY = Rule::data("became-write-only", Mutability, (Info, Warning), Major, "became-not-write-only",
        "responses no longer have it");
    BECAME_NOT_WRITE_ONLY = Rule::data("became-not-write-only", Mutability, (Info, Info), Major, "became-write-only",
        "responses have it");
}

impl<'a> Comparison<'a> {
    /// Compares the keywords of a use beside its schema: null, default, deprecation, and who may send it.
    pub(super) fn attributes(&mut self, old: &Usage<'a>, new: &Usage<'a>, context: Context) {
        self.null(old, new, context);
        self.attributes_but_null(old, new, context);
    }

    /// Compares the keywords of an alternative beside its schema. Null was compared for all alternatives together.
    pub(super) fn attributes_but_null(&mut self, old: &Usage<'a>, new: &Usage<'a>, context: Context) {
        old.wrappers.iter().chain(&new.wrappers).for_each(|wrapper| self.compared.whole(wrapper));
        for (old, new) in old.wrappers.iter().zip(&new.wrappers) {
            self.compare_docs_and_extensions(context.scope, old, new);
        }
        self.defaults(old, new, context);
        let deprecation = |usage: &Usage<'a>| usage.deprecated.clone();
        self.data_lifecycle((deprecation(old), &old.at), (deprecation(new), &new.at), context);
        for (was, is, gained, lost) in [
            (&old.read_only, &new.read_only, &BECAME_READ_ONLY, &BECAME_NOT_READ_ONLY),
            (&old.write_only, &new.write_only, &BECAME_WRITE_ONLY, &BECAME_NOT_WRITE_ONLY),
        ] {
            match (was, is) {
                (None, Some(at)) => self.note_data(context, Finding::new(gained).at(&old.at, at)),
                (Some(at), None) => self.note_data(context, Finding::new(lost).at(at, &new.at)),
                _ => {}
            }
        }
    }

    /// Drops findings about the default of a member that was required: every caller sends it. `first`: the findings about it.
    pub(super) fn default_of_required(&mut self, first: usize) {
        let added = self.findings.iter_mut().skip(first);
        for finding in added.filter(|finding| finding.rule.name == DEFAULT_VALUE_ADDED.name) {
            finding.circumstance = Circumstance::Met;
        }
    }

    fn defaults(&mut self, old: &Usage<'a>, new: &Usage<'a>, context: Context) {
        let value = |node: &Node<'a>| excerpt(node.value);
        let finding = match (&old.default, &new.default) {
            (Some(old), Some(new)) if !equal(old.value, new.value) => {
                Finding::new(&DEFAULT_VALUE_CHANGED).at(&old.at, &new.at).values(value(old), value(new))
            }
            (Some(node), None) => Finding::new(&DEFAULT_VALUE_REMOVED).at(&node.at, &new.at).values(value(node), None),
            (None, Some(node)) => Finding::new(&DEFAULT_VALUE_ADDED).at(&old.at, &node.at).values(None, value(node)),
            _ => return,
        };
        self.note_data(context, finding);
    }
}
