//! Equivalence: two schemas that are written differently and allow the same values.

use std::collections::BTreeSet;

use openapi_document::{Node, pointer::Step};
use serde_json::Value;

use super::{Effort, InDocument, Schema, Union, fits_schema};

/// The number of alternatives that are paired.
const ALTERNATIVES: usize = 24;

/// Keywords about the use of values, not about their validity. Their changes are found by comparing part with part.
const USES: &[&str] = &["default", "deprecated", "discriminator", "readOnly", "writeOnly", "x-extensible-enum"];

/// Returns whether two schemas allow the same values, and state the same about their use. Asked only of schemas that are built
/// differently: the parts of others are compared with each other. `false` may mean that it is unknown.
pub(crate) fn is_equivalent<'a>(
    effort: &Effort,
    base: InDocument<'_, 'a, &Schema<'a>>,
    revision: InDocument<'_, 'a, &Schema<'a>>,
) -> bool {
    is_built_differently(base.1, revision.1)
        && !have_other_names(base, revision)
        && uses(base.1) == uses(revision.1)
        && (is_equal(effort, base, revision) || have_equal_alternatives(effort, base, revision))
}

fn is_built_differently(old: &Schema<'_>, new: &Schema<'_>) -> bool {
    let is_like = |old: &Union<'_>, new: &Union<'_>| old.any == new.any && old.is_like(new);
    let values =
        |list: Option<&Vec<Node<'_>>>| list.into_iter().flatten().map(|node| node.value.clone()).collect::<Vec<_>>();
    let unions =
        old.unions.len() != new.unions.len() || !old.unions.iter().zip(&new.unions).all(|(old, new)| is_like(old, new));
    // Keywords beside alternatives may only repeat those of the alternatives.
    let members = |schema: &Schema<'_>| (schema.properties.len(), schema.required.len(), schema.items.len());
    unions
        || (!old.unions.is_empty() && members(old) != members(new))
        || old.values.is_some() != new.values.is_some()
        || old.prefix_items.len() != new.prefix_items.len()
        || old.is_closed() != new.is_closed()
        || values(old.conditions.get("not")) != values(new.conditions.get("not"))
}

fn is_equal<'a>(
    effort: &Effort,
    base: InDocument<'_, 'a, &Schema<'a>>,
    revision: InDocument<'_, 'a, &Schema<'a>>,
) -> bool {
    fits_schema(effort, base, revision, true) && fits_schema(effort, revision, base, true)
}

/// Returns whether each alternative, with the keywords beside the alternatives, has its equal on the other side.
fn have_equal_alternatives<'a>(
    effort: &Effort,
    base: InDocument<'_, 'a, &Schema<'a>>,
    revision: InDocument<'_, 'a, &Schema<'a>>,
) -> bool {
    let ([old], [new]) = (base.1.unions.as_slice(), revision.1.unions.as_slice()) else { return false };
    let count = old.variants.len();
    if old.any != new.any || count != new.variants.len() || count > ALTERNATIVES {
        return false;
    }
    let mut left: Vec<_> = new.variants.iter().map(|variant| revision.1.with(revision.0, new, variant)).collect();
    old.variants.iter().all(|variant| {
        let alone = base.1.with(base.0, old, variant);
        let equal = left.iter().position(|other| is_equal(effort, (base.0, &alone), (revision.0, other)));
        equal.map(|index| left.swap_remove(index)).is_some()
    })
}

/// Returns whether alternatives with names of their own were added or removed. Two objects with names are two things, also where one takes
/// what the other takes.
fn have_other_names<'a>(base: InDocument<'_, 'a, &Schema<'a>>, revision: InDocument<'_, 'a, &Schema<'a>>) -> bool {
    let names = |(document, schema): InDocument<'_, 'a, &Schema<'a>>| {
        let variants: Vec<_> = schema.unions.iter().flat_map(|union| &union.variants).collect();
        let is_named = |node: &Node<'a>| {
            matches!(node.at.steps().as_slice(), [Step::Key("components"), Step::Key("schemas"), Step::Key(_)])
        };
        let named = variants.iter().map(|variant| document.resolve((*variant).clone())).filter(is_named);
        let named = named.filter(|node| Schema::of(document, std::slice::from_ref(node)).states_members());
        let names = named.map(|node| node.at.to_string()).collect::<BTreeSet<_>>();
        (variants.len(), names)
    };
    let (old, new) = (names(base), names(revision));
    old.0 > 0 && new.0 > 0 && old.0 != new.0 && old.1 != new.1
}

/// Returns what a schema states of uses, itself and in its parts.
fn uses<'a>(schema: &Schema<'a>) -> BTreeSet<(&'a str, String)> {
    let mut found = BTreeSet::new();
    schema.leaves.iter().for_each(|leaf| read(leaf.value, &mut found));
    found
}

fn read<'a>(value: &'a Value, found: &mut BTreeSet<(&'a str, String)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match key.as_str() {
                    key if USES.contains(&key) && value != &Value::Bool(false) => {
                        found.insert((key, value.to_string()));
                    }
                    _ => read(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| read(item, found)),
        _ => {}
    }
}
