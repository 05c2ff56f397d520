//! Which charge an allowance (`fair-use`) is taken off, and where an allowance applies that no overview contains. Pure.

use usage_billing_core::Decimal;

use super::SeeInvoice;
use super::bill::ChargeRole;
use super::charge::{Charge, ChargedItem, is_same};

/// What is included in one charge.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowance {
    /// Never negative.
    pub(super) quantity: Decimal,
    /// Whether the overview contains an allowance for the charge, be it of 0.
    pub(super) is_shown: bool,
    /// Why it is not known.
    pub(super) unknown: Option<SeeInvoice>,
}

/// Assigns each allowance to the charge of the same part number, or else of the same name. Several charges of one part number share it, in
/// their order. `roles` are those of `charges`, then of `unreadable`.
pub(super) fn assign(charges: &[Charge], unreadable: &[&ChargedItem], roles: &[ChargeRole]) -> Vec<Allowance> {
    let mut assigned = vec![Allowance::default(); charges.len()];
    let items: Vec<&ChargedItem> =
        charges.iter().map(|charge| &charge.item).chain(unreadable.iter().copied()).collect();
    let allowances = items.iter().zip(roles).enumerate().filter(|(_, (_, role))| **role == ChargeRole::Allowance);
    for (place, (item, _)) in allowances {
        let targets = targets(item, &items, roles);
        // Of a charge that cannot be read nothing is computed.
        let readable: Vec<usize> = targets.iter().copied().filter(|target| *target < charges.len()).collect();
        let unknown = match charges.get(place) {
            None => Some(SeeInvoice::AllowanceUnreadable),
            Some(allowance) if allowance.usage_quantity < Decimal::ZERO => Some(SeeInvoice::AllowanceUnreadable),
            Some(_) if targets.iter().any(|target| !is_same(&items[*target].unit, &item.unit)) => {
                Some(SeeInvoice::AllowanceUnit { unit: item.unit.clone() })
            }
            Some(_) if targets.len() > 1 && !can_share(&readable, targets.len(), charges) => {
                Some(SeeInvoice::AllowanceShared)
            }
            Some(_) => None,
        };
        match (unknown, charges.get(place)) {
            (None, Some(allowance)) => share(allowance.usage_quantity, &readable, charges, &mut assigned),
            (unknown, _) => readable.iter().for_each(|target| assigned[*target].unknown = unknown.clone()),
        }
    }
    assigned
}

/// The charges that an allowance may be taken off. A total stands for its parts.
fn targets(allowance: &ChargedItem, items: &[&ChargedItem], roles: &[ChargeRole]) -> Vec<usize> {
    let matching = |is_match: &dyn Fn(&ChargedItem) -> bool| -> Vec<usize> {
        let of = |wanted: fn(ChargeRole) -> bool| {
            let found =
                items.iter().zip(roles).enumerate().filter(|(_, (item, role))| wanted(**role) && is_match(item));
            found.map(|(place, _)| place).collect::<Vec<_>>()
        };
        let own = of(|role| matches!(role, ChargeRole::Usage | ChargeRole::Total | ChargeRole::Unknown));
        if !own.is_empty() || of(|role| role == ChargeRole::Part).is_empty() {
            return own;
        }
        let totals = roles.iter().enumerate().filter(|(_, role)| **role == ChargeRole::Total);
        totals.map(|(place, _)| place).collect()
    };
    let by_part_number = matching(&|item| is_same(&item.part_number, &allowance.part_number));
    if by_part_number.is_empty() {
        return matching(&|item| is_same(&item.name, &allowance.name));
    }
    by_part_number
}

/// Whether it makes no difference to the bill which of the charges an allowance is taken off.
fn can_share(readable: &[usize], targets: usize, charges: &[Charge]) -> bool {
    let price = |place: &usize| charges[*place].overage_price.map(|price| price.normalize());
    let is_bundle = |place: &usize| charges[*place].bundle_quantity.is_some_and(|bundle| bundle > Decimal::ONE);
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
        // The last one is shown the rest, whether it uses it or not.
        let taken = if number + 1 == targets.len() { left } else { beyond.min(left) };
        allowance.quantity = allowance.quantity.saturating_add(taken);
        allowance.is_shown = true;
        left -= taken;
    }
}

/// Whether the vendor includes a quantity that overviews are known to leave out: BYOC Cloud minutes by licence, and AI tokens by organization
/// (the vendor's fair use policy and "AI token billing"; the admin app of a partner computes both by itself).
pub(super) fn may_apply(item: &ChargedItem) -> bool {
    let name = item.name.to_ascii_lowercase();
    let has_word = |word: &str| name.split(|of: char| !of.is_ascii_alphanumeric()).any(|part| part == word);
    let is_token = |text: &str| matches!(text.trim().to_ascii_lowercase().as_str(), "token" | "tokens");
    has_word("byoc") || is_token(&item.unit) || (has_word("ai") && (has_word("token") || has_word("tokens")))
}

/// Whether a public tool of partners never charges this licence beyond what is committed.
pub(super) fn may_be_free(item: &ChargedItem) -> bool {
    let name = item.name.to_ascii_lowercase();
    let name = name.trim().trim_start_matches("genesys cloud").trim();
    name == "call" || name.starts_with("collaborate")
}
