//! Rows of the vendor's own charges, with our amounts for comparison.

use chrono::{DateTime, Utc};
use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};

use super::charge::is_same;
use super::charge_difference::is_rounded;
use super::contract_charges::{ContractCharge, ContractCharges, OPERATION};
use super::contract_precedence::{self, EndedCharge};
use super::exact::{exact_product, exact_sum};
use super::repeated_charges::are_repeated;
use super::{LAG, Organization};
use crate::rows::identity::{RowIdentity, UNITS, disambiguate_keys};
use crate::rows::loadable;
use crate::{BillingReason, UsageRow, Vendor};

/// Rows of contracts, and the errors of charges without a row.
#[derive(Debug)]
#[non_exhaustive]
pub struct ContractRows {
    /// One row per charge.
    pub rows: Vec<UsageRow>,
    /// Errors of charges that have no row.
    pub errors: Vec<Error>,
}

impl ContractCharges {
    /// Returns one row per charge; `account` is the own organization, which is not named as a customer. `overage_quantity` and `cost` are the vendor's
    /// own numbers, and `amount` is `cost` with the amount of what is prepaid, as far as that is known.
    ///
    /// Charges for the own organization that state an overage are billable: [billable usage](super::Client::usage) of the same usage states no charge.
    /// Charges for client organizations are compared with `bill_rows`, the [rows of their bills](super::ClientBill::rows), by organization, billing period
    /// and part number, or else the name. If these are billable and have the vendor's numbers, the charges are not billable. If not, complete charges are
    /// billable, take over the prepaid amount, and the rows of bills become `not_a_billing_basis`. If charges are missing, unreadable, may count the same
    /// usage twice, or cover other organizations too, both are unknown (`see_invoice`). So are a charge without such rows, wallets, an overage of a bill
    /// without a charge, and one of a product and organization for which a wallet states an overage. Rows are final a day after the period if the vendor has closed it.
    pub fn rows(&self, account: &Organization, bill_rows: &mut [UsageRow], now: DateTime<Utc>) -> ContractRows {
        let (mut rows, mut errors, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for (charge, is_repeated) in self.charges.iter().zip(are_repeated(&self.charges)) {
            let is_uncertain = is_repeated || charge.may_be_charged_elsewhere();
            let row = charge.row(account, is_uncertain, now);
            if charge.period.has_ended(now) {
                ended.push(EndedCharge { charge, row: row.is_ok().then_some(rows.len()), is_repeated });
            }
            match row {
                Ok(row) => rows.push(row),
                Err(error) => errors.push(error),
            }
        }
        // A charge without product may be for any product of its organizations, as if it had not been read. Wallets without one are ignored.
        let mut unread = self.unread.clone();
        for charge in ended.iter().map(|of| of.charge).filter(|charge| !charge.is_wallet && charge.sku().is_none()) {
            unread.add(charge.organizations.iter().map(|organization| organization.id.as_str()));
        }
        contract_precedence::apply(&ended, &unread, &account.id, &mut rows, bill_rows);
        ContractRows { rows: disambiguate_keys(rows), errors }
    }
}

impl ContractCharge {
    fn row(&self, account: &Organization, is_uncertain: bool, now: DateTime<Utc>) -> Result<UsageRow> {
        let (kind, quantity_field) =
            if self.is_wallet { ("wallet", "balanceConsumption") } else { ("charge", "actualQuantity") };
        let label = || format!("{kind} {} of contract {}", self.position, printable(&self.contract));
        let missing = |field: &str| {
            Error::new(ErrorKind::Decode, format!("{} has no {field}", label())).with_operation(OPERATION)
        };
        let quantity = self.actual_quantity.ok_or_else(|| missing(quantity_field))?;
        let sku = self.sku().ok_or_else(|| missing("product and no name"))?;
        let (customer_id, customer_name) = self.customer(account);
        let unit = self.unit.as_deref().filter(|unit| !unit.is_empty());
        let identity = RowIdentity {
            customer_id: customer_id.as_deref(),
            sku,
            metric: if self.name.is_empty() { sku } else { &self.name },
            vendor_grouping: Some(self.contract.as_str()),
            unit: unit.unwrap_or(UNITS),
            ..RowIdentity::new(Vendor::Genesys, OPERATION, &account.id, self.period)
        };
        let is_final = self.is_closed && self.period.has_ended(now - LAG);
        let has_ended = self.period.has_ended(now);
        let reason = match has_ended {
            false => BillingReason::NotAWholePeriod,
            true if is_uncertain => BillingReason::SeeInvoice,
            true => self.billing_reason(account),
        };
        // The vendor's charge outranks our arithmetic, which is for comparison alone.
        let cost = self.overage_charge.map(loadable::quantity);
        Ok(UsageRow {
            account_name: account.name.clone(),
            customer_name,
            customer_kind: identity.customer_id.map(|_| "organization".to_owned()),
            as_of: Some(now).filter(|_| !is_final),
            is_final,
            included_quantity: self.fair_use_quantity.filter(|quantity| !quantity.is_zero()).map(loadable::quantity),
            prepaid_quantity: self.prepaid_quantity.map(loadable::quantity),
            overage_quantity: self.overage_quantity.map(loadable::quantity),
            currency: self.currency.clone(),
            unit_price: self.overage_rate.map(|rate| loadable::unit_price(rate, label)).transpose()?,
            // The amount of what is prepaid is not stated.
            amount: cost.filter(|_| self.prepaid_quantity.is_some_and(|quantity| quantity.is_zero())),
            cost,
            source_report_id: Some(self.contract.clone()),
            source_row: Some(self.position),
            ..identity.row(quantity, reason)
        }
        .with_price_source())
    }

    /// Returns the part number, or else the name.
    pub(super) fn sku(&self) -> Option<&str> {
        [&self.part_number, &self.name].into_iter().map(|name| name.trim()).find(|name| !name.is_empty())
    }

    /// Returns whether it states a charge: without one, everything may be prepaid or free.
    pub(super) fn states_overage(&self) -> bool {
        self.overage_charge.is_some() || self.overage_quantity.is_some()
    }

    /// Returns whether it states an overage above 0.
    pub(super) fn has_overage(&self) -> bool {
        [self.overage_quantity, self.overage_charge].into_iter().flatten().any(|number| !number.is_zero())
    }

    /// Returns the items of a bill that count the usage of this charge: those of its part number; if there are none, those of its name, unless both
    /// have a part number. An item without one has its name as `product`'s first string.
    pub(super) fn counted_by<T>(
        &self,
        items: impl Iterator<Item = T> + Clone,
        product: impl Fn(&T) -> (&str, &str),
    ) -> Vec<T> {
        let has_part_number = !self.part_number.trim().is_empty();
        let by_part_number = items.clone().filter(|item| self.sku().is_some_and(|sku| is_same(product(item).0, sku)));
        let by_name = items.filter(|item| {
            let (part_number, name) = product(item);
            is_same(name, &self.name) && (!has_part_number || is_same(part_number, name))
        });
        let found: Vec<_> = by_part_number.collect();
        if found.is_empty() { by_name.collect() } else { found }
    }

    /// Returns the reason of a row of an ended period if no rows of bills count the usage. Other rows of the own organization's usage are never
    /// billable. A client's usage counts here only if no bill counts it, which is never known: the bill may not have been requested.
    fn billing_reason(&self, account: &Organization) -> BillingReason {
        match self.organizations.as_slice() {
            [] => BillingReason::SeeInvoice,
            all if all.iter().all(|organization| organization.id == account.id) && self.states_overage() => {
                BillingReason::Usage
            }
            _ => BillingReason::SeeInvoice,
        }
    }

    /// Returns ids and names of the organizations that the charge covers, ordered by id; `None` if it covers the account alone or names none.
    fn customer(&self, account: &Organization) -> (Option<String>, Option<String>) {
        let mut organizations: Vec<&Organization> = self.organizations.iter().collect();
        organizations.sort_by(|one, other| one.id.cmp(&other.id));
        if organizations.iter().all(|organization| organization.id == account.id) {
            return (None, None);
        }
        let ids: Vec<_> = organizations.iter().map(|organization| organization.id.as_str()).collect();
        let names: Vec<_> = organizations.iter().filter_map(|organization| organization.name.as_deref()).collect();
        (Some(ids.join(",")), Some(names.join(", ")).filter(|names| !names.is_empty()))
    }

    /// Returns the used quantity less the prepaid and free ones, never negative; `None` if a number is missing.
    fn expected_overage(&self) -> Option<Decimal> {
        let covered = exact_sum(self.prepaid_quantity?, self.fair_use_quantity?)?;
        Some(exact_sum(self.actual_quantity?, -covered)?.max(Decimal::ZERO))
    }

    /// Returns whether the vendor's overage is the used quantity less the prepaid and free ones, never negative; `None` if a number is missing.
    pub fn has_expected_overage(&self) -> Option<bool> {
        Some(self.overage_quantity? == self.expected_overage()?)
    }

    /// Returns whether the vendor's amount is the product of overage and rate, exact or rounded to the places of the amount; `None` if a number
    /// is missing.
    pub fn has_expected_charge(&self) -> Option<bool> {
        let (charge, exact) = (self.overage_charge?, exact_product(self.overage_quantity?, self.overage_rate?)?);
        Some(is_rounded(charge, exact, self.currency.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Deserialize;
    use serde_json::Value;

    use super::*;
    use crate::genesys::test_support::{LATER, columns, contract_charge, outcomes};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        now: Option<String>,
        charges: Vec<Vec<Value>>,
    }

    #[test]
    fn rows_of_all_cases_are_those_of_the_snapshot() {
        let account = Organization::new("partner", Some("Partner".to_owned()));
        let snapshot = outcomes(include_str!("cases.yaml"), |_, case| {
            let Case { now, charges } = serde_json::from_value(case.clone()).unwrap();
            let now = now.as_deref().unwrap_or(LATER).parse().unwrap();
            let charges = charges.iter().map(|fields| contract_charge(fields)).collect();
            let charges = ContractCharges { charges, ..ContractCharges::default() };
            let ContractRows { rows, errors } = charges.rows(&account, &mut [], now);
            let keys: BTreeSet<_> = rows.iter().map(|row| row.row_key).collect();
            assert_eq!(keys.len(), rows.len(), "{rows:?}");
            let expected = |of: &ContractCharge| (of.has_expected_overage(), of.has_expected_charge());
            let expected: Vec<_> = charges.charges.iter().map(expected).collect();
            let lines = rows.iter().map(columns).chain(errors.iter().map(|error| error.message().to_owned()));
            let lines: String = lines.map(|line| format!("  {line}\n")).collect();
            format!("{case}: overage and amount are as expected: {expected:?}\n{lines}")
        });
        insta::assert_snapshot!(snapshot);
    }
}
