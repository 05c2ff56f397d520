//! Assignment of allowances (`fair-use`) to charges, and allowances that no overview contains. Pure functions.

use usage_billing_core::Decimal;

use super::SeeInvoice;
use super::bill::ChargeRole;
use super::charge::{Charge, ChargedItem, Grouping, is_same};

/// The quantity included in one charge.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowance {
    /// Never negative.
    pub(super) quantity: Decimal,
    /// Whether the overview contains an allowance for the charge; an allowance of 0 counts.
    pub(super) is_shown: bool,
    /// Why the quantity is unknown.
    pub(super) unknown: Option<SeeInvoice>,
}

/// Assigns each allowance to the charge of the same part number, or else of the same name. Several charges of one part number share it, in
/// their order. `roles` are the roles of `charges`, then of `unreadable`.
pub(super) fn assign(charges: &[Charge], unreadable: &[&ChargedItem], roles: &[ChargeRole]) -> Vec<Allowance> {
    let mut assigned = vec![Allowance::default(); charges.len()];
    let items: Vec<&ChargedItem> =
        charges.iter().map(|charge| &charge.item).chain(unreadable.iter().copied()).collect();
    let allowances = items.iter().zip(roles).enumerate().filter(|(_, (_, role))| **role == ChargeRole::Allowance);
    for (position, (item, _)) in allowances {
        let Targets { positions: targets, are_alternatives } = targets(item, &items, roles);
        if targets.is_empty() {
            // It may belong to a charge by another name. It is not subtracted, and none of these charges is computed in full.
            let may_be_meant = |target: &usize| roles[*target].is_charged() && is_named_alike(items[*target], item);
            for target in (0..charges.len()).filter(may_be_meant) {
                assigned[target].unknown.get_or_insert(SeeInvoice::AllowanceMayApply);
            }
        }
        // Nothing is computed for an unreadable charge.
        let readable: Vec<usize> = targets.iter().copied().filter(|target| *target < charges.len()).collect();
        let unknown = match charges.get(position) {
            None => Some(SeeInvoice::AllowanceUnreadable),
            Some(allowance) if allowance.usage_quantity < Decimal::ZERO => Some(SeeInvoice::AllowanceUnreadable),
            Some(_) if targets.iter().any(|target| !is_same(&items[*target].unit, &item.unit)) => {
                Some(SeeInvoice::AllowanceUnit { unit: item.unit.clone() })
            }
            Some(allowance) if charges.iter().any(|other| allowance.is_repeated_by(other)) => {
                Some(SeeInvoice::ListedTwice)
            }
            // Whether an unknown charge is charged, and what it takes of the allowance, is unknown.
            Some(_) if targets.len() > 1 && targets.iter().any(|target| roles[*target] == ChargeRole::Unknown) => {
                Some(SeeInvoice::AllowanceShared)
            }
            Some(_) if are_alternatives || targets.len() > 1 && !can_share(&readable, targets.len(), charges) => {
                Some(SeeInvoice::AllowanceShared)
            }
            Some(_) => None,
        };
        match (unknown, charges.get(position)) {
            (None, Some(allowance)) => share(allowance.usage_quantity, &readable, charges, &mut assigned),
            (unknown, _) => readable.iter().for_each(|target| assigned[*target].unknown = unknown.clone()),
        }
    }
    assigned
}

/// The charges from which an allowance may be subtracted.
struct Targets {
    positions: Vec<usize>,
    /// Whether it belongs to one of them, and which one is unknown.
    are_alternatives: bool,
}

/// Finds the charges from which an allowance may be subtracted. A total represents its parts; no field names the total of a part.
fn targets(allowance: &ChargedItem, items: &[&ChargedItem], roles: &[ChargeRole]) -> Targets {
    let matching = |is_match: &dyn Fn(&ChargedItem) -> bool| {
        let with_role = |wanted: fn(ChargeRole) -> bool| {
            let found =
                items.iter().zip(roles).enumerate().filter(|(_, (item, role))| wanted(**role) && is_match(item));
            found.map(|(position, _)| position).collect::<Vec<_>>()
        };
        let own = with_role(ChargeRole::is_charged);
        if !own.is_empty() || with_role(|role| role == ChargeRole::Part).is_empty() {
            return Targets { positions: own, are_alternatives: false };
        }
        let totals = roles.iter().enumerate().filter(|(_, role)| **role == ChargeRole::Total);
        let positions: Vec<_> = totals.map(|(position, _)| position).collect();
        Targets { are_alternatives: positions.len() > 1, positions }
    };
    let by_part_number = matching(&|item| is_same(&item.part_number, &allowance.part_number));
    if by_part_number.positions.is_empty() {
        return matching(&|item| is_same(&item.name, &allowance.name));
    }
    by_part_number
}

/// Returns whether the bill is the same for any distribution of an allowance over the charges.
fn can_share(readable: &[usize], targets: usize, charges: &[Charge]) -> bool {
    let price = |position: &usize| charges[*position].overage_price.map(|price| price.normalize());
    let is_bundle = |position: &usize| charges[*position].bundle().is_some();
    readable.len() == targets
        && readable.windows(2).all(|pair| price(&pair[0]) == price(&pair[1]))
        && !readable.iter().any(is_bundle)
}

fn share(quantity: Decimal, targets: &[usize], charges: &[Charge], assigned: &mut [Allowance]) {
    let mut left = quantity;
    for (number, target) in targets.iter().enumerate() {
        let (charge, allowance) = (&charges[*target], &mut assigned[*target]);
        let covered = charge.prepaid_quantity.saturating_add(allowance.quantity);
        let beyond = charge.usage_quantity.saturating_sub(covered).max(Decimal::ZERO);
        // The last charge gets the rest, used or not.
        let taken = if number + 1 == targets.len() { left } else { beyond.min(left) };
        allowance.quantity = allowance.quantity.saturating_add(taken);
        allowance.is_shown = true;
        left -= taken;
    }
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
