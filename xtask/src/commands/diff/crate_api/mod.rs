//! The effect of a change of a document on the users of its crate: both sides are generated, with the same generator, and their
//! public items compared.
//!
//! A table from changes of documents to bumps would repeat what the generator makes of each, and drift from it. What is
//! written by hand in a vendor crate is the same on both sides and not looked at; `cargo semver-checks` has the last word when a
//! version is released.

mod public_items;
mod type_text;
pub(crate) mod version;

use std::{cmp::Reverse, collections::BTreeMap, fmt};

use openapi_document::Document;
use spec_diff::Bump;

use crate::codegen::{self, GeneratedCode};
use public_items::{Item, public};

/// The difference between two generated crates.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CrateChange {
    /// The step that the version has to take.
    pub(crate) needed: Bump,
    /// All differences, the worst first.
    pub(crate) items: Vec<ItemChange>,
}

/// A public item that was added, removed or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ItemChange {
    pub(crate) bump: Bump,
    /// With its kind and path: `field types::Order::total`.
    pub(crate) item: String,
    /// Its type or signature before; nothing if it is new.
    pub(crate) base: Option<String>,
    /// The same now; none if it was removed.
    pub(crate) head: Option<String>,
}

impl fmt::Display for ItemChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.bump)?;
        match (&self.base, &self.head) {
            (Some(base), Some(head)) => write!(f, "{} was `{base}`, is `{head}`", self.item),
            (Some(_), None) => write!(f, "{} was removed", self.item),
            (None, _) => write!(f, "{} is new", self.item),
        }
    }
}

/// Compares the crates of two documents of one vendor. The error is a line that names the document that does not generate.
pub(crate) fn needed(base: &Document, head: &Document) -> Result<CrateChange, String> {
    let head = dated_as(base, head);
    if base.root == head.root {
        return Ok(CrateChange { needed: Bump::None, items: Vec::new() });
    }
    let (base, head) = (codegen::generate(base)?, codegen::generate(&head)?);
    let items = compare(&all(&base), &all(&head));
    let same = (&base.client, &base.mock, &base.enums) == (&head.client, &head.mock, &head.enums);
    let least = if same { Bump::None } else { Bump::Patch };
    Ok(CrateChange { needed: items.first().map_or(least, |item| item.bump.max(least)), items })
}

/// Returns the base with the revision's date: the date of the last check is generated too, but a check that found nothing does not justify a release.
fn dated_as(base: &Document, head: &Document) -> Document {
    let mut root = head.root.clone();
    if let (Some(date), Some(version)) = (root.pointer_mut("/info/version"), base.root.pointer("/info/version")) {
        *date = version.clone();
    }
    Document { name: head.name.clone(), sha256: head.sha256.clone(), root }
}

type Items = BTreeMap<String, Item>;

fn all(code: &GeneratedCode) -> Items {
    let mut items = public(&code.client, &code.enums, "");
    items.extend(public(&code.mock, &[], "mock"));
    items
}

/// Returns the worst first, those of the mock helpers behind the client's, from which they follow; then by name.
fn compare(base: &Items, head: &Items) -> Vec<ItemChange> {
    // Parts of an item that was added or removed are reported with it.
    let is_covered_by_owner = |item: &Item, own: &Items, other: &Items| {
        item.owner.as_ref().is_some_and(|owner| own.contains_key(owner) && !other.contains_key(owner))
    };
    let removed =
        base.iter().filter(|(name, item)| !head.contains_key(*name) && !is_covered_by_owner(item, base, head));
    let mut changes = removed
        .map(|(name, item)| ItemChange {
            bump: item.removed,
            item: name.clone(),
            base: Some(item.signature.clone()),
            head: None,
        })
        .collect::<Vec<_>>();
    for (name, item) in head {
        let before = base.get(name);
        let bump = match before {
            Some(before) if before.signature == item.signature => continue,
            Some(_) => Bump::Major,
            None if is_covered_by_owner(item, head, base) => continue,
            None => item.added,
        };
        let base = before.map(|before| before.signature.clone());
        changes.push(ItemChange { bump, item: name.clone(), base, head: Some(item.signature.clone()) });
    }
    changes.sort_by_cached_key(|change| (Reverse(change.bump), change.item.contains("mock::"), change.item.clone()));
    changes
}

#[cfg(test)]
mod tests;
