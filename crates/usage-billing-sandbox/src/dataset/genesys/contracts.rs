//! Contracts with the customers, and the amounts of their billing periods.

use chrono::NaiveDate;
use usage_billing_core::Decimal;
use usage_billing_genesys::types;
use usage_billing_genesys::types::BillingUnitOfMeasure as Unit;

use super::Partner;
use super::contract_terms::Term;
use super::customers::{Charge, Customer, Payment};
use super::periods::{Calendar, Period};
use crate::dataset::seed::Seed;
use crate::dataset::{day_key, days, days_before};

/// Tokens used on an average day, in thousandths: less per year than the contract includes.
const TOKENS_A_DAY: u64 = 52_333;

/// A contract of a customer.
struct Contract<'a> {
    customer: &'a Customer,
    /// Position among the contracts of the customer.
    position: usize,
    id: String,
    term: Term,
}

impl Partner {
    /// Returns the contracts without periods and plans, as in lists; [`contract`](Self::contract) has them.
    pub(crate) fn contracts(&self, calendar: Calendar) -> Vec<types::BillingContract> {
        self.all_contracts(calendar).map(|contract| contract.head(calendar)).collect()
    }

    pub(crate) fn contract(&self, calendar: Calendar, id: &str) -> Option<types::BillingContract> {
        let contract = self.all_contracts(calendar).find(|contract| contract.id == id)?;
        let (customer, head) = (contract.customer, contract.head(calendar));
        let periods: Vec<_> = contract.periods(calendar).collect();
        let charged = periods.iter().rev().find(|period| period.closed).map(|period| period.last);
        let plans = customer.charges.iter().zip(1..).map(|(charge, index)| types::BillingPlan {
            id: Some(format!("pln-{index}")),
            name: Some(charge.name.to_owned()),
            organizations: vec![customer.organization()],
            product: Some(charge.product()),
            items: vec![types::BillingPlanItem {
                item_number: Some("1".to_owned()),
                name: Some(charge.name.to_owned()),
                type_: Some(if charge.prepaid > 0 { "Recurring" } else { "Usage" }.to_owned()),
                function: Some(if charge.prepaid > 0 { "Commitment" } else { "Overage" }.to_owned()),
                description: None,
                date_charged_through: charged,
                currency_iso_code: Some(customer.currency.to_owned()),
                discount_amount: Some(Decimal::ZERO.into()),
                date_effective_start: head.date_start,
                date_effective_end: head.date_end,
                overage_price: Some(price(charge.overage_price).into()),
                price: charge.prepay_price.map(|of_one| price(of_one).into()),
                quantity: Some(charge.prepaid.into()),
                unit_of_measure: Some(charge.measure.clone()),
            }],
        });
        let plans = plans.collect();
        let billing_periods = periods.iter().map(|period| types::BillingContractPeriod {
            id: Some(period.id()),
            date_start: Some(period.first),
            date_end: Some(period.last),
            status: Some(period.status()),
        });
        Some(types::BillingContract { billing_periods: billing_periods.collect(), plans, ..head })
    }

    /// Returns `None` if the contract has no such period; [`contract`](Self::contract) checks the contract.
    pub(crate) fn period(
        &self,
        calendar: Calendar,
        contract: &str,
        id: &str,
    ) -> Option<types::BillingContractPeriodDetail> {
        let contract = self.all_contracts(calendar).find(|of| of.id == contract)?;
        let (customer, period) = (contract.customer, contract.periods(calendar).find(|period| period.id() == id)?);
        let charges = customer.amounts(self.seed, calendar, period).into_iter().zip(1..).map(|(amount, index)| {
            types::BillingCharge {
                id: Some(format!("chg-{index}")),
                name: Some(amount.charge.name.to_owned()),
                product: Some(amount.charge.product()),
                organizations: vec![customer.organization()],
                prepaid_quantity: Some(amount.charge.prepaid.into()),
                fairuse_quantity: Some(amount.charge.fair_use.into()),
                actual_quantity: Some(amount.used.into()),
                overage_quantity: Some(amount.overage.into()),
                overage_rate: Some(price(amount.charge.overage_price).into()),
                overage_charge: Some(amount.overage_amount.into()),
                overage_currency: Some(customer.currency.to_owned()),
                ..Default::default()
            }
        });
        Some(types::BillingContractPeriodDetail {
            id: Some(period.id()),
            date_start: Some(period.first),
            date_end: Some(period.last),
            status: Some(period.status()),
            charges: charges.collect(),
            wallets: customer.wallet(self.seed, calendar, period).into_iter().collect(),
        })
    }

    fn all_contracts(&self, calendar: Calendar) -> impl Iterator<Item = Contract<'_>> {
        self.customers.iter().filter(|customer| customer.has_contract()).flat_map(move |customer| {
            let terms = customer.terms(calendar).into_iter().enumerate();
            let contract =
                move |(position, term)| Contract { customer, position, id: customer.contract_id(position), term };
            terms.map(contract)
        })
    }
}

impl Contract<'_> {
    fn head(&self, calendar: Calendar) -> types::BillingContract {
        let (customer, term) = (self.customer, &self.term);
        types::BillingContract {
            id: Some(self.id.clone()),
            external_number: Some(format!("Q-{}-{}", customer.number, self.position + 1)),
            status: Some(match term.is_active {
                true => types::BillingContractStatus::Active,
                false => types::BillingContractStatus::Inactive,
            }),
            commercial_model: Some(if customer.prepays() { "Prepay" } else { "Usage" }.to_owned()),
            purchase_order_numbers: vec![customer.purchase_order()],
            bill_to_customer: Some(partner()),
            sold_to_customer: Some(partner()),
            end_customer: Some(types::Customer {
                id: Some(format!("cst-{}", customer.number)),
                number: Some(customer.number.clone()),
                name: Some(customer.name.clone()),
            }),
            date_start: Some(term.first),
            date_end: Some(term.last),
            date_ramp_start: Some(customer.contract_start(calendar)),
            date_ramp_end: Some(customer.ramp_end(calendar)),
            ..Default::default()
        }
    }

    fn periods(&self, calendar: Calendar) -> impl Iterator<Item = Period> {
        self.term.periods.clone().map(move |index| self.customer.period(calendar, index))
    }
}

/// The amount of one charge in one period, rounded half to even to cents.
pub(super) struct Amount<'a> {
    pub(super) charge: &'a Charge,
    used: Decimal,
    pub(super) overage: Decimal,
    pub(super) prepaid_amount: Decimal,
    pub(super) overage_amount: Decimal,
}

impl Customer {
    /// Customers without a contract are not in the preview API.
    pub(super) fn has_contract(&self) -> bool {
        !self.contract.is_empty()
    }

    fn prepays(&self) -> bool {
        self.charges.iter().any(|charge| charge.prepaid > 0)
    }

    pub(super) fn purchase_order(&self) -> String {
        format!("PO-{}", self.number)
    }

    pub(super) fn organization(&self) -> types::NamedEntity {
        types::NamedEntity { id: Some(self.id.clone()), name: Some(self.name.clone()) }
    }

    pub(super) fn amounts<'a>(&'a self, seed: Seed, calendar: Calendar, period: Period) -> Vec<Amount<'a>> {
        let in_ramp = period.first <= self.ramp_end(calendar);
        let amount = |(charge, used): (&'a Charge, Decimal)| {
            let overage = (used - Decimal::from(charge.prepaid) - Decimal::from(charge.fair_use)).max(Decimal::ZERO);
            let prepaid = Decimal::from(charge.prepaid) * price(charge.prepay_price.unwrap_or_default());
            let is_free = self.payment == Payment::Free || (in_ramp && charge.is_licence());
            let is_paid_now = self.payment == Payment::Monthly || period.index.is_multiple_of(12);
            let overage_price = if charge.is_unpriced { Decimal::ZERO } else { price(charge.overage_price) };
            let due =
                |amount: Decimal, is_due: bool| if is_due { amount.round_dp(2).normalize() } else { Decimal::ZERO };
            Amount {
                charge,
                used,
                overage,
                prepaid_amount: due(prepaid, !is_free && is_paid_now),
                overage_amount: due(overage * overage_price, !is_free),
            }
        };
        self.charges.iter().zip(self.used(seed, calendar, period)).map(amount).collect()
    }

    /// Returns the wallet of AI tokens of the contract. The rest of a year is carried over to the next.
    fn wallet(&self, seed: Seed, calendar: Calendar, period: Period) -> Option<types::BillingWallet> {
        if self.tokens == 0 {
            return None;
        }
        let known = days_before(calendar.today, 1);
        let used = |first, last: NaiveDate| {
            let total: i64 =
                days(first, last.min(known)).map(|day| seed.about(&[51, day_key(day)], TOKENS_A_DAY)).sum();
            Decimal::new(total, 3).normalize()
        };
        let start = self.contract_start(calendar);
        let tokens = Decimal::from(self.tokens);
        let starting = tokens * Decimal::from(period.index.div_ceil(12)) - used(start, days_before(period.first, 1));
        let increase = if period.index.is_multiple_of(12) { tokens } else { Decimal::ZERO };
        let consumption = used(period.first, period.last);
        let zero = || Some(Decimal::ZERO.into());
        Some(types::BillingWallet {
            id: Some("wal-1".to_owned()),
            name: Some("AI token wallet".to_owned()),
            organizations: vec![self.organization()],
            product: Some(product("AI Experience Tokens", "GC-170-NV-AITOKEN", Unit::Token)),
            starting_balance: Some(starting.normalize().into()),
            ending_balance: Some((starting + increase - consumption).normalize().into()),
            balance_increase: Some(increase.into()),
            balance_decrease: zero(),
            balance_consumption: Some(consumption.into()),
            balance_overage: zero(),
            balance_overage_rate: Some(Decimal::new(9, 1).into()),
            balance_overage_charge: zero(),
            balance_overage_currency: Some(self.currency.to_owned()),
            unit_of_measure: Some(Unit::Token),
        })
    }
}

impl Charge {
    fn is_licence(&self) -> bool {
        self.grouping.contains("license")
    }

    pub(super) fn product(&self) -> types::BillingProduct {
        product(self.name, self.part_number, self.measure.clone())
    }
}

impl Period {
    fn id(&self) -> String {
        format!("bp-{}", self.first)
    }

    fn status(&self) -> types::BillingPeriodStatus {
        if self.closed { types::BillingPeriodStatus::Closed } else { types::BillingPeriodStatus::Open }
    }
}

fn product(name: &str, part_number: &str, unit: Unit) -> types::BillingProduct {
    types::BillingProduct {
        id: Some(format!("prd-{}", part_number.to_ascii_lowercase())),
        sku: Some(part_number.to_owned()),
        name: Some(name.to_owned()),
        unit_of_measure: Some(unit),
    }
}

/// Returns the partner itself, which buys and pays.
pub(super) fn partner() -> types::Customer {
    types::Customer {
        id: Some("cst-100400".to_owned()),
        number: Some("100400".to_owned()),
        name: Some("Northwind Cloud Services".to_owned()),
    }
}

fn price(ten_thousandths: i64) -> Decimal {
    Decimal::new(ten_thousandths, 4).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::day;

    #[test]
    fn wallet_balance_continues_across_periods() {
        for opened in ["2026-11-21", "2026-01-01", "2024-02-29"] {
            let calendar = Calendar { opened: day(opened), today: day("2029-03-02") };
            let partner = Partner::of_tests();
            let customer = &partner.customers[0];
            let mut balance = Decimal::ZERO;
            for period in customer.periods(calendar) {
                let wallet = customer.wallet(partner.seed, calendar, period).unwrap();
                assert_eq!(wallet.starting_balance.unwrap().0, balance, "{opened} {}", period.first);
                balance += wallet.balance_increase.unwrap().0 - wallet.balance_consumption.unwrap().0;
                assert_eq!(wallet.ending_balance.unwrap().0, balance);
                assert!(balance > Decimal::ZERO, "{opened} {}", period.first);
            }
        }
    }
}
