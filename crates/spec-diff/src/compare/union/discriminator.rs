//! Discriminators: which property distinguishes alternatives, and by which values.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{DocumentTree, Node, names_file, pointer::Step};
use serde_json::Value;

use super::{
    subtypes::{Subtypes, descendants},
    variants::name,
};
use crate::{
    compare::{Circumstance, Comparison, Context, Finding},
    rule::rules,
    schema::{Schema, Union, same},
};

rules! {
    DISCRIMINATOR_ADDED = Rule::data("discriminator-added", Composition, (Warning, Warning), Patch,
        "discriminator-removed", "a property now distinguishes the alternatives");
    DISCRIMINATOR_REMOVED = Rule::data("discriminator-removed", Composition, (Warning, Warning), Patch,
        "discriminator-added", "no property distinguishes the alternatives any more");
    DISCRIMINATOR_PROPERTY = Rule::data("discriminator-property-name-changed", Composition, (Breaking, Breaking),
        Patch, "discriminator-property-name-changed", "another property distinguishes the alternatives");
    MAPPING_ADDED = Rule::data("discriminator-mapping-added", Composition, (Info, Warning), Patch,
        "discriminator-mapping-deleted", "one more name for an alternative");
    MAPPING_DELETED = Rule::data("discriminator-mapping-deleted", Composition, (Breaking, Info), Patch,
        "discriminator-mapping-added", "an alternative's name was removed");
    MAPPING_CHANGED = Rule::data("discriminator-mapping-changed", Composition, (Breaking, Breaking), Patch,
        "discriminator-mapping-changed", "a name maps to another alternative");
}

impl<'a> Comparison<'a> {
    pub(in crate::compare) fn discriminators(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let (before, after) = match (&old.discriminator, &new.discriminator) {
            (None, None) => return,
            (Some(node), None) => {
                let finding = Finding::new(&DISCRIMINATOR_REMOVED).at(&node.at, &new.at);
                return self.note_data(context, finding.values(node.text("propertyName").map(Value::from), None));
            }
            (None, Some(node)) => {
                let finding = Finding::new(&DISCRIMINATOR_ADDED).at(&old.at, &node.at);
                return self.note_data(context, finding.values(None, node.text("propertyName").map(Value::from)));
            }
            (Some(before), Some(after)) => (before, after),
        };
        self.others(context.scope, before, after, &["mapping", "propertyName"]);
        let properties = (before.text("propertyName"), after.text("propertyName"));
        if properties.0 != properties.1 {
            let finding = Finding::new(&DISCRIMINATOR_PROPERTY).at(&before.at, &after.at);
            self.note_data(context, finding.values(properties.0.map(Value::from), properties.1.map(Value::from)));
        }
        // A subtype inherits the discriminator of its parent, but is not one of the alternatives itself.
        let inherits = |schema: &Schema<'a>, at: &Node<'a>| {
            schema.unions.is_empty() && schema.at.key("discriminator").steps() != at.at.steps()
        };
        if inherits(old, before) && inherits(new, after) {
            return;
        }
        let subtypes = self.subtypes.clone();
        let olds = mapping(&self.base, before, &old.unions, &subtypes[0]);
        let news = mapping(&self.revision, after, &new.unions, &subtypes[1]);
        let names = |schema: &Schema<'a>| {
            schema.unions.iter().flat_map(|union| &union.variants).filter_map(name).collect::<BTreeSet<_>>()
        };
        let (had, has) = (names(old), names(new));
        // Under another name, the same alternative has another value.
        let renames = had.difference(&has).flat_map(|old| has.difference(&had).map(move |new| (*old, *new)));
        let renames = renames.filter(|(old, new)| {
            let pair = self.base.mapped(old, &before.at).zip(self.revision.mapped(new, &after.at));
            self.is_renamed(old, new) && pair.is_some_and(|(old, new)| same((&self.base, &old), (&self.revision, &new)))
        });
        let (from, to): (BTreeSet<_>, BTreeSet<_>) = renames.unzip();
        for (value, target) in &olds {
            let finding = |rule| Finding::new(rule).at(&before.at, &after.at).with_name(*value);
            match news.get(value) {
                Some(other)
                    if other == target
                        || self.is_renamed(target, other)
                        || self.moved((target, before), (other, after)) =>
                {
                    // Alternatives are compared as such.
                    let (old, new) = (self.base.mapped(target, &before.at), self.revision.mapped(other, &after.at));
                    if let (Some(old), Some(new), false) = (old, new, had.contains(target)) {
                        self.later(vec![old], vec![new], context);
                    }
                }
                Some(other) => {
                    let finding = finding(&MAPPING_CHANGED).values(Value::from(*target), Value::from(*other));
                    self.note_data(context, finding);
                }
                // An alternative that went is reported as such.
                None if had.contains(target) && !has.contains(target) && !from.contains(target) => {}
                None => {
                    // Under another name, the same is no longer recognized.
                    let renamed = |(value, other): (&&str, &&str)| {
                        !olds.contains_key(*value) && (other == target || self.is_renamed(target, other))
                    };
                    let is_renamed = news.iter().any(renamed);
                    let finding = finding(&MAPPING_DELETED).values(Value::from(*target), None);
                    self.note_data(context, finding.when(is_renamed, Circumstance::Rejected));
                }
            }
        }
        for (value, target) in news.iter().filter(|(value, _)| !olds.contains_key(*value)) {
            if had.contains(target) || !has.contains(target) || to.contains(target) {
                let finding = Finding::new(&MAPPING_ADDED).at(&before.at, &after.at).with_name(*value);
                self.note_data(context, finding.values(None, Value::from(*target)));
            }
        }
    }

    /// Returns whether a component moved into a file or out of one.
    fn moved(&self, (old, before): (&str, &Node<'a>), (new, after): (&str, &Node<'a>)) -> bool {
        let pair = self.base.mapped(old, &before.at).zip(self.revision.mapped(new, &after.at));
        (names_file(old) || names_file(new))
            && pair.is_some_and(|(old, new)| same((&self.base, &old), (&self.revision, &new)))
    }
}

/// Returns the values of a discriminator and what they stand for: what is written, and the names of the alternatives
/// themselves, or of the subtypes of the component that has it.
fn mapping<'a>(
    document: &DocumentTree<'a>,
    discriminator: &Node<'a>,
    unions: &[Union<'a>],
    subtypes: &Subtypes<'a>,
) -> BTreeMap<&'a str, &'a str> {
    let last = |reference: &'a str| match names_file(reference) {
        true => reference,
        false => reference.rsplit('/').next().unwrap_or(reference),
    };
    let written = discriminator.get("mapping");
    let written =
        written.iter().flat_map(Node::entries).filter_map(|(value, node)| Some((value, last(node.value.as_str()?))));
    let mut mapping: BTreeMap<_, _> = written.collect();
    let named: BTreeSet<_> = mapping.values().copied().collect();
    let alternatives = unions.iter().flat_map(|union| &union.variants).filter_map(name);
    let children = match discriminator.at.steps().as_slice() {
        [Step::Key("components"), Step::Key("schemas"), Step::Key(parent), _] if unions.is_empty() => {
            descendants(subtypes, parent)
        }
        _ => BTreeSet::new(),
    };
    let implied = alternatives.chain(children).filter(|name| !named.contains(name));
    // Azure's generators read the value from the subtype.
    let value = |name: &'a str| {
        document.schema(name).and_then(|schema| schema.text("x-ms-discriminator-value")).unwrap_or(name)
    };
    mapping.extend(implied.map(|name| (value(name), name)));
    mapping
}
