//! Assignment of allowances (`fair-use`) to charges, and allowances that no overview contains. Pure functions.

use std::collections::{BTreeSet, HashMap};

use usage_billing_core::Decimal;

use super::SeeInvoice;
use super::bill::ChargeRole;
use super::charge::{Charge, ChargedItem, Grouping, is_same};

/// The quantity included in one charge.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowance {
    /// The quantity that is certainly included; never negative.
    pub(super) quantity: Decimal,
    /// Whether the overview contains an allowance for the charge; an allowance of 0 counts.
    pub(super) is_shown: bool,
    /// Why more may be included.
    pub(super) unknown: Option<SeeInvoice>,
}

/// Assigns each allowance to the charge of the same part number, or else of the same name. An allowance that may belong to several charges is not
/// assigned: their usage is unknown. `roles` are the roles of `charges`, then of `unreadable`.
pub(super) fn assign(charges: &[Charge], unreadable: &[&ChargedItem], roles: &[ChargeRole]) -> Vec<Allowance> {
    let mut assigned = vec![Allowance::default(); charges.len()];
    let items: Vec<&ChargedItem> =
        charges.iter().map(|charge| &charge.item).chain(unreadable.iter().copied()).collect();
    let mut seen: HashMap<_, Vec<&Charge>> = HashMap::new();
    for position in (0..items.len()).filter(|position| roles[*position] == ChargeRole::Allowance) {
        let (item, charge) = (items[position], charges.get(position));
        let is_repeated = charge.is_some_and(|charge| {
            let before = seen.entry(charge.content()).or_default();
            let is_repeated = before.iter().any(|other| charge.is_repeated_by(other));
            before.push(charge);
            is_repeated
        });
        let targets = targets(item, &items, roles);
        let unknown = match (charge, targets.as_slice()) {
            // It includes nothing, whatever it belongs to.
            (Some(charge), targets) if charge.usage_quantity.is_zero() => {
                if let [target] = targets
                    && let Some(assigned) = assigned.get_mut(*target)
                {
                    assigned.is_shown = true;
                }
                continue;
            }
            // It may belong to a charge by another name.
            (_, []) => {
                let may_be_meant = |target: &usize| roles[*target].is_charged() && is_named_alike(items[*target], item);
                for target in (0..charges.len()).filter(may_be_meant) {
                    assigned[target].unknown.get_or_insert(SeeInvoice::AllowanceMayApply);
                }
                continue;
            }
            (None, _) => SeeInvoice::AllowanceUnreadable,
            (Some(charge), _) if charge.usage_quantity.is_sign_negative() => SeeInvoice::AllowanceUnreadable,
            (Some(_), targets) if targets.iter().any(|target| !is_same(&items[*target].unit, &item.unit)) => {
                SeeInvoice::AllowanceUnit { unit: item.unit.clone() }
            }
            (Some(charge), [target]) if !is_repeated => {
                if let Some(assigned) = assigned.get_mut(*target) {
                    assigned.quantity = assigned.quantity.saturating_add(charge.usage_quantity);
                    assigned.is_shown = true;
                }
                continue;
            }
            (Some(_), [_]) => SeeInvoice::ListedTwice,
            (Some(_), _) => SeeInvoice::AllowanceShared,
        };
        for target in targets {
            // Nothing is computed for an unreadable charge.
            if let Some(assigned) = assigned.get_mut(target) {
                assigned.unknown.get_or_insert_with(|| unknown.clone());
            }
        }
    }
    assigned
}

/// Returns the charges to which an allowance may belong. A total represents its parts, and charges may contain one whose meaning is unknown,
/// in any unit.
fn targets(allowance: &ChargedItem, items: &[&ChargedItem], roles: &[ChargeRole]) -> Vec<usize> {
    let with = |is_target: &dyn Fn(&ChargedItem, ChargeRole) -> bool| -> Vec<usize> {
        (0..items.len()).filter(|position| is_target(items[*position], roles[*position])).collect()
    };
    let named = |is_match: &dyn Fn(&ChargedItem) -> bool| {
        let own = with(&|item, role| role.is_charged() && is_match(item));
        if own.is_empty() { with(&|item, role| role == ChargeRole::Part && is_match(item)) } else { own }
    };
    let mut found = named(&|item| is_same(&item.part_number, &allowance.part_number));
    if found.is_empty() {
        found = named(&|item| is_same(&item.name, &allowance.name));
    }
    let has_total_in = |unit: &str| {
        items.iter().zip(roles).any(|(item, role)| *role == ChargeRole::Total && is_same(&item.unit, unit))
    };
    let mut targets = BTreeSet::new();
    for position in found {
        let (part, role) = (items[position], roles[position]);
        if role != ChargeRole::Part {
            targets.insert(position);
        }
        let may_contain = |item: &ChargedItem| match (role, part.grouping()) {
            (ChargeRole::Part, _) => {
                is_same(&item.grouping, "rollup") && (is_same(&item.unit, &part.unit) || !has_total_in(&part.unit))
            }
            (ChargeRole::Unknown, _) if is_named_alike(item, allowance) => true,
            (ChargeRole::Unknown, Grouping::RollupUsage) => is_same(&item.grouping, "rollup"),
            (ChargeRole::Unknown, Grouping::StorageCategory) => is_same(&item.grouping, "storage"),
            // What an unlisted grouping means is not documented: the charge may be a part of any other in its unit.
            (ChargeRole::Unknown, _) => is_same(&item.unit, &part.unit),
            _ => false,
        };
        targets.extend(with(&|item, role| role.is_charged() && may_contain(item)));
    }
    targets.into_iter().collect()
}

/// Returns whether one name contains the words of the other in their order: `Voice Transcription` and `Voice Transcription Fair Use`.
fn is_named_alike(one: &ChargedItem, other: &ChargedItem) -> bool {
    let words = |item: &ChargedItem| {
        let words: Vec<_> = item.name.split(|of: char| !of.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        format!(" {} ", words.join(" ").to_lowercase())
    };
    let (one, other) = (words(one), words(other));
    one.contains(&other) || other.contains(&one)
}

/// Returns whether the vendor includes a quantity that overviews are known to omit: BYOC Cloud minutes by licence, and AI tokens (every
/// `rollup` is a total of tokens) by organization. Sources: the vendor's fair use policy and "AI token billing". The admin app of a partner
/// computes both by itself.
pub(super) fn may_apply(item: &ChargedItem) -> bool {
    let fields = [&item.name, &item.part_number, &item.unit].map(|field| field.to_ascii_lowercase());
    let mentions = |word: &str| fields.iter().any(|field| field.contains(word));
    item.grouping() == Grouping::Rollup || ["byoc", "bring your own carrier", "token"].into_iter().any(mentions)
}

/// Returns whether a public tool of partners never charges this licence (`Call`, `Collaborate User`) beyond the committed quantity.
pub(super) fn may_be_free(item: &ChargedItem) -> bool {
    let name = item.name.to_ascii_lowercase();
    let mut words = name.split_whitespace().skip_while(|word| matches!(*word, "genesys" | "cloud"));
    match words.next() {
        Some("call") => words.all(|word| word.starts_with("user") || word.starts_with("licen")),
        Some("collaborate") => true,
        _ => false,
    }
}
