//! Discriminators: which property tells alternatives apart, and by which values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::name;
use crate::{
    compare::{Comparison, Context, Finding},
    document::Node,
    rules,
    schema::{Schema, Union},
};

impl<'a> Comparison<'a> {
    pub(in crate::compare) fn discriminators(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let (before, after) = match (&old.discriminator, &new.discriminator) {
            (None, None) => return,
            (Some(node), None) => {
                let finding = Finding::new(&rules::DISCRIMINATOR_REMOVED).at(&node.at, &new.at);
                return self.note_data(context, finding.values(node.text("propertyName").map(Value::from), None));
            }
            (None, Some(node)) => {
                let finding = Finding::new(&rules::DISCRIMINATOR_ADDED).at(&old.at, &node.at);
                return self.note_data(context, finding.values(None, node.text("propertyName").map(Value::from)));
            }
            (Some(before), Some(after)) => (before, after),
        };
        let properties = (before.text("propertyName"), after.text("propertyName"));
        if properties.0 != properties.1 {
            let finding = Finding::new(&rules::DISCRIMINATOR_PROPERTY).at(&before.at, &after.at);
            self.note_data(context, finding.values(properties.0.map(Value::from), properties.1.map(Value::from)));
        }
        let olds = mapping(before, &old.unions);
        let news = mapping(after, &new.unions);
        let names = |schema: &Schema<'a>| {
            schema.unions.iter().flat_map(|union| &union.variants).filter_map(name).collect::<BTreeSet<_>>()
        };
        let (had, has) = (names(old), names(new));
        for (value, target) in &olds {
            let finding = |rule| Finding::new(rule).at(&before.at, &after.at).named(*value);
            match news.get(value) {
                Some(other) if other == target || self.pairs.get(target) == Some(other) => {}
                Some(other) => {
                    let finding = finding(&rules::MAPPING_CHANGED).values(Value::from(*target), Value::from(*other));
                    self.note_data(context, finding);
                }
                // An alternative that went is reported as such.
                None if had.contains(target) && !has.contains(target) => {}
                None => self.note_data(context, finding(&rules::MAPPING_DELETED).values(Value::from(*target), None)),
            }
        }
        for (value, target) in news.iter().filter(|(value, _)| !olds.contains_key(*value)) {
            if had.contains(target) || !has.contains(target) {
                let finding = Finding::new(&rules::MAPPING_ADDED).at(&before.at, &after.at).named(*value);
                self.note_data(context, finding.values(None, Value::from(*target)));
            }
        }
    }
}

/// The values of a discriminator and what they stand for: what is written, and the names of the alternatives themselves.
fn mapping<'a>(discriminator: &Node<'a>, unions: &[Union<'a>]) -> BTreeMap<&'a str, &'a str> {
    let last = |reference: &'a str| reference.rsplit('/').next().unwrap_or(reference);
    let written = discriminator.get("mapping");
    let written =
        written.iter().flat_map(Node::entries).filter_map(|(value, node)| Some((value, last(node.value.as_str()?))));
    let mut mapping: BTreeMap<_, _> = written.collect();
    let named: BTreeSet<_> = mapping.values().copied().collect();
    let implied = unions.iter().flat_map(|union| &union.variants).filter_map(name).filter(|name| !named.contains(name));
    mapping.extend(implied.map(|name| (name, name)));
    mapping
}
