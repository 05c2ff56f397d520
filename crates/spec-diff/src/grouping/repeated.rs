//! The same edit in many owners, as generators of documents make it, is one finding of the document.

use std::collections::{BTreeSet, HashMap};

use super::merge::{Merged, json};
use crate::{
    classification::Group,
    compare::{ADDITIONAL_CLOSED, ADDITIONAL_OPENED},
    report::Owner,
};

/// In how many owners an edit is the document's.
const MANY: usize = 10;

/// The properties by which edits of data are the same: rule and keyword, the member's name, and the values before and after.
type Edit = ([&'static str; 2], String, Option<String>, Option<String>);

/// Gives edits that many owners share to the document; members are then named with their owners.
pub(super) fn join(all: &mut [Merged<'_>]) {
    let mut owners: HashMap<Edit, BTreeSet<&Owner>> = HashMap::new();
    for (merged, edit) in all.iter().filter_map(|merged| Some((merged, edit(merged)?))) {
        owners.entry(edit).or_default().insert(&merged.owner);
    }
    let many: BTreeSet<Edit> =
        owners.into_iter().filter(|(_, owners)| owners.len() >= MANY).map(|(edit, _)| edit).collect();
    for merged in all {
        if edit(merged).is_some_and(|edit| many.contains(&edit)) {
            let owner = std::mem::replace(&mut merged.owner, Owner::Document);
            let name = std::mem::take(&mut merged.member.name);
            merged.member.name = match name.as_str() {
                "" => owner.label(),
                name => format!("{}: {name}", owner.label()),
            };
        }
    }
}

/// Returns the edit, if it is one of data that can be recognized elsewhere.
fn edit(merged: &Merged<'_>) -> Option<Edit> {
    let (finding, _) = merged.findings.first()?;
    finding.location?;
    let (before, after) = (json(&merged.member.before), json(&merged.member.after));
    // Values of an enum, and keywords about members that are not listed, are the same for every name of the member.
    let is_keyword = [ADDITIONAL_CLOSED.name, ADDITIONAL_OPENED.name].contains(&finding.rule.name);
    let is_named = !is_keyword && finding.rule.group != Group::Enums;
    let name = if is_named { merged.member.name.clone() } else { String::new() };
    let is_known = is_keyword || !name.is_empty() || before.is_some() || after.is_some();
    is_known.then_some(([finding.rule.name, finding.what], name, before, after))
}
