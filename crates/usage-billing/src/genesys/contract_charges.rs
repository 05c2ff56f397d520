//! The vendor's own charges of contracts. Their API is a preview: bills come without them, too.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use usage_billing_core::{Decimal, DecimalNumber, Error};

use super::unread_charges::UnreadCharges;
use super::{Organization, types};
use crate::Period;

pub(super) const OPERATION: &str = "getBillingContractBillingperiod";

/// Charges of contracts, and the errors of those that are missing.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ContractCharges {
    /// The charges, contract by contract, in the vendor's order.
    pub charges: Vec<ContractCharge>,
    /// Errors of contracts or billing periods that could not be read. Other contracts are not affected.
    pub errors: Vec<Error>,
    /// The organizations that the errors concern.
    pub(super) unread: UnreadCharges,
}

/// The vendor's charge for one product in one billing period of a contract, by its own arithmetic.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContractCharge {
    /// Id of the charge, if the vendor states one.
    pub id: Option<String>,
    /// Id of the contract.
    pub contract: String,
    /// Position in the billing period, from 1; wallets come after the charges.
    pub position: u64,
    /// The billing period.
    pub period: Period,
    /// Whether the vendor has finished the billing period.
    pub is_closed: bool,
    /// Organizations that the charge covers, without duplicates. An id is empty if the vendor states none.
    pub organizations: Vec<Organization>,
    /// Part number of the product.
    pub part_number: String,
    /// Name of the charge, or else of the product.
    pub name: String,
    /// Unit of the quantities, in the vendor's words.
    pub unit: Option<String>,
    /// Quantity that is prepaid.
    pub prepaid_quantity: Option<Decimal>,
    /// Quantity that is free under the fair use policy.
    pub fair_use_quantity: Option<Decimal>,
    /// Quantity that was used.
    pub actual_quantity: Option<Decimal>,
    /// Quantity beyond the prepaid and free quantities.
    pub overage_quantity: Option<Decimal>,
    /// Price of one unit of the overage.
    pub overage_rate: Option<Decimal>,
    /// Amount of the overage.
    pub overage_charge: Option<Decimal>,
    /// Currency of rate and amount.
    pub currency: Option<String>,
    /// The usage converted into AI tokens, which another charge or a wallet of tokens may charge.
    pub converted_token_count: Option<Decimal>,
    /// Whether it is a wallet: a prepaid balance, the quantity taken from it, and the overage beyond it.
    pub is_wallet: bool,
}

/// Returns the charges and wallets of a contract in a billing period, each once.
pub(super) fn charges_of(
    contract: &str,
    period: Period,
    detail: types::BillingContractPeriodDetail,
) -> Vec<ContractCharge> {
    let is_closed = detail.status == Some(types::BillingPeriodStatus::Closed);
    let charges = detail.charges.into_iter().map(|charge| (charge, false));
    let wallets = detail.wallets.into_iter().map(|wallet| (charge_of(wallet), true));
    let charges = charges.chain(wallets).zip(1..).map(|((charge, is_wallet), position)| ContractCharge {
        is_wallet,
        ..ContractCharge::new(contract, position, period, is_closed, charge)
    });
    without_repetitions(charges)
}

/// Returns the numbers of a wallet that charges have, too.
fn charge_of(wallet: types::BillingWallet) -> types::BillingCharge {
    let mut product = wallet.product.unwrap_or_default();
    product.unit_of_measure = wallet.unit_of_measure.or(product.unit_of_measure);
    let mut charge = types::BillingCharge::default();
    (charge.id, charge.name) = (wallet.id, product.name.clone().or(wallet.name));
    (charge.product, charge.organizations) = (Some(product), wallet.organizations);
    (charge.actual_quantity, charge.overage_quantity) = (wallet.balance_consumption, wallet.balance_overage);
    (charge.overage_rate, charge.overage_charge) = (wallet.balance_overage_rate, wallet.balance_overage_charge);
    charge.overage_currency = wallet.balance_overage_currency;
    charge
}

/// Removes charges that are listed again with their id. A charge of other content with the same id is kept.
fn without_repetitions(charges: impl Iterator<Item = ContractCharge>) -> Vec<ContractCharge> {
    let mut by_id: HashMap<String, Vec<ContractCharge>> = HashMap::new();
    let is_new = |charge: &ContractCharge| {
        let Some(id) = &charge.id else { return true };
        let before = by_id.entry(id.clone()).or_default();
        let is_new = !before.iter().any(|other| charge.content() == other.content());
        before.push(charge.clone());
        is_new
    };
    charges.filter(is_new).collect()
}

impl ContractCharge {
    /// Returns what charges that repeat each other have in common, which is all but their id, contract and position.
    pub(super) fn content(&self) -> impl Eq + Hash + use<'_> {
        let Self { id: _, contract: _, position: _, is_closed: _, period, organizations, .. } = self;
        let Self { part_number, name, unit, prepaid_quantity, fair_use_quantity, actual_quantity, .. } = self;
        let Self { overage_quantity, overage_rate, overage_charge, currency, converted_token_count, is_wallet, .. } =
            self;
        let names = (part_number, name, unit, currency, is_wallet);
        let quantities = (prepaid_quantity, fair_use_quantity, actual_quantity, converted_token_count);
        (period, organizations, names, quantities, (overage_quantity, overage_rate, overage_charge))
    }

    /// Returns whether other charges may count its usage: its balance is prepaid, or it was converted into tokens.
    pub(super) fn may_be_charged_elsewhere(&self) -> bool {
        self.is_wallet || self.converted_token_count.is_some_and(|count| !count.is_zero())
    }

    fn new(contract: &str, position: u64, period: Period, is_closed: bool, charge: types::BillingCharge) -> Self {
        let number = |number: Option<DecimalNumber>| number.map(|number| number.0);
        let product = charge.product.unwrap_or_default();
        let mut ids = HashSet::new();
        let organizations = charge
            .organizations
            .into_iter()
            .map(|organization| Organization::new(organization.id.unwrap_or_default(), organization.name));
        let organizations = organizations.filter(|organization| ids.insert(organization.id.clone())).collect();
        Self {
            id: charge.id.filter(|id| !id.trim().is_empty()),
            contract: contract.to_owned(),
            position,
            period,
            is_closed,
            organizations,
            name: charge.name.or(product.name).unwrap_or_default(),
            part_number: product.sku.unwrap_or_default(),
            unit: product.unit_of_measure.map(|unit| unit.to_string()),
            prepaid_quantity: number(charge.prepaid_quantity),
            fair_use_quantity: number(charge.fairuse_quantity),
            actual_quantity: number(charge.actual_quantity),
            overage_quantity: number(charge.overage_quantity),
            overage_rate: number(charge.overage_rate),
            overage_charge: number(charge.overage_charge),
            currency: charge.overage_currency,
            converted_token_count: number(charge.converted_token_count),
            is_wallet: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charge_that_is_listed_again_with_its_id_is_removed() {
        let charge = |id: &str, amount: &str, position| {
            let charge =
                serde_json::json!({"id": id, "name": "Voice", "overageCharge": amount, "convertedTokenCount": 3});
            ContractCharge::new(
                "CN-1",
                position,
                "2026-10".parse().unwrap(),
                true,
                serde_json::from_value(charge).unwrap(),
            )
        };
        let listed = [
            charge("1", "5", 1),
            charge("2", "5", 2),
            charge("1", "5", 3),
            charge("1", "6", 4),
            charge("", "5", 5),
            charge(" ", "5", 6),
        ];
        assert_eq!(listed[0].converted_token_count, Some(3.into()));
        let kept = without_repetitions(listed.into_iter());
        assert_eq!(kept.iter().map(|charge| charge.position).collect::<Vec<_>>(), [1, 2, 4, 5, 6]);
    }

    #[test]
    fn wallet_has_the_numbers_of_a_charge() {
        let wallet = serde_json::json!({
            "id": "w", "name": "Token wallet", "organizations": [{"id": "o-1"}], "product": {"sku": "GC-AIT", "name": "AI tokens"},
            "balanceConsumption": 41250.5, "balanceOverage": 500, "balanceOverageRate": 1, "balanceOverageCharge": 500,
            "balanceOverageCurrency": "EUR", "unitOfMeasure": "Token",
        });
        let wallet = charge_of(serde_json::from_value(wallet).unwrap());
        let found = ContractCharge::new("CN-1", 1, "2026-10".parse().unwrap(), true, wallet);
        assert_eq!(
            (found.part_number.as_str(), found.name.as_str(), found.unit.as_deref()),
            ("GC-AIT", "AI tokens", Some("Token"))
        );
        assert_eq!((found.actual_quantity, found.overage_quantity), (Some(Decimal::new(412_505, 1)), Some(500.into())));
        assert_eq!((found.overage_rate, found.overage_charge), (Some(Decimal::ONE), Some(500.into())));
        assert_eq!(
            (found.currency.as_deref(), found.id.as_deref(), found.prepaid_quantity),
            (Some("EUR"), Some("w"), None)
        );
        assert_eq!(found.organizations[0].id, "o-1");
        let unnamed = charge_of(serde_json::from_value(serde_json::json!({"name": "Token wallet"})).unwrap());
        assert_eq!(unnamed.name.as_deref(), Some("Token wallet"));
    }

    #[test]
    fn organizations_of_a_charge_are_distinct() {
        let charge = serde_json::json!({"name": "Voice", "organizations": [{"id": "o-1"}, {"id": "o-2"}, {"id": " o-1 ", "name": "One"}]});
        let charge =
            ContractCharge::new("CN-1", 1, "2026-10".parse().unwrap(), true, serde_json::from_value(charge).unwrap());
        let ids: Vec<_> = charge.organizations.iter().map(|organization| organization.id.as_str()).collect();
        assert_eq!(ids, ["o-1", "o-2"]);
    }

    #[test]
    fn charges_and_wallets_have_state_and_positions_of_their_period() {
        for (status, is_closed) in [("Closed", true), ("Open", false)] {
            let detail = serde_json::json!({"status": status, "charges": [{"name": "A"}, {"name": "B"}], "wallets": [{"name": "W"}]});
            let found = charges_of("CN-1", "2026-10".parse().unwrap(), serde_json::from_value(detail).unwrap());
            let read: Vec<_> =
                found.iter().map(|of| (of.name.as_str(), of.position, of.is_wallet, of.is_closed)).collect();
            assert_eq!(read, [("A", 1, false, is_closed), ("B", 2, false, is_closed), ("W", 3, true, is_closed)]);
        }
    }
}
