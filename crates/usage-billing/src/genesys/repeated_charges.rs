//! Charges that may repeat each other, so that one of them or all may be due. Pure functions.

use std::collections::HashMap;
use std::hash::Hash;

use super::ContractCharge;

/// Returns for each charge whether another one may repeat it: in the same contract one with its id, or, without ids, with the same content; in another
/// contract one with the same content, because a contract may list what the one before it lists.
pub(super) fn are_repeated(charges: &[ContractCharge]) -> Vec<bool> {
    let with_id = counts(charges, id);
    let all = counts(charges, |charge| Some(charge.content()));
    let of_contract = counts(charges, |charge| Some((&charge.contract, charge.content())));
    let without_id = counts(charges, |charge| charge.id.is_none().then(|| (&charge.contract, charge.content())));
    let is_repeated = |number: usize| with_id[number].max(without_id[number]) > 1 || all[number] > of_contract[number];
    (0..charges.len()).map(is_repeated).collect()
}

/// Returns contract, period, product and id of a charge; `None` without an id.
fn id(charge: &ContractCharge) -> Option<impl Eq + Hash + use<'_>> {
    let id = charge.id.as_deref()?;
    Some((charge.contract.as_str(), charge.period, charge.sku().unwrap_or_default().to_lowercase(), id))
}

/// Returns for each charge how many have its key; 0 for those without a key.
fn counts<'a, K: Eq + Hash>(
    charges: &'a [ContractCharge],
    key: impl Fn(&'a ContractCharge) -> Option<K>,
) -> Vec<usize> {
    let keys: Vec<_> = charges.iter().map(key).collect();
    let mut counts: HashMap<&K, usize> = HashMap::new();
    keys.iter().flatten().for_each(|key| *counts.entry(key).or_default() += 1);
    keys.iter().map(|key| key.as_ref().map_or(0, |key| counts[key])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genesys::test_support::charge;

    #[test]
    fn repetition_is_found_by_id_or_by_content_across_contracts() {
        let charge = |contract: &str, id: Option<&str>, amount: &str| ContractCharge {
            contract: contract.to_owned(),
            id: id.map(str::to_owned),
            ..charge(&["o-1"], "1", amount)
        };
        for (charges, expected) in [
            (vec![charge("a", None, "5"), charge("a", None, "5"), charge("a", None, "6")], vec![true, true, false]),
            (vec![charge("a", Some("1"), "5"), charge("a", None, "5"), charge("a", Some("2"), "5")], vec![false; 3]),
            (
                vec![charge("a", Some("1"), "5"), charge("a", Some("1"), "6"), charge("b", Some("1"), "7")],
                vec![true, true, false],
            ),
            (vec![charge("a", Some("1"), "5"), charge("a", Some("2"), "5"), charge("b", None, "5")], vec![true; 3]),
            (vec![charge("a", None, "5"), charge("b", None, "5.00"), charge("b", None, "6")], vec![true, true, false]),
        ] {
            assert_eq!(are_repeated(&charges), expected, "{charges:?}");
        }
    }

    /// Comparing each pair would take minutes.
    #[test]
    fn many_charges_of_a_product_are_compared_by_key() {
        let charge = |number: usize| ContractCharge {
            contract: format!("CN-{number}"),
            ..charge(&[&format!("o-{}", number.max(1))], "1", "5")
        };
        let charges: Vec<_> = (0..50_000).map(charge).collect();
        let repeated: Vec<_> =
            are_repeated(&charges).iter().enumerate().filter(|(_, of)| **of).map(|(at, _)| at).collect();
        assert_eq!(repeated, [0, 1]);
    }
}
