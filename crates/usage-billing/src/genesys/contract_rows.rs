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
pub(super) mod tests {
    use super::*;

    pub(in crate::genesys) fn charge(organizations: &[&str], overage: &str, amount: &str) -> ContractCharge {
        ContractCharge {
            id: None,
            contract: "CN-1".to_owned(),
            position: 3,
            period: "2026-10".parse().unwrap(),
            is_closed: true,
            organizations: organizations.iter().map(|id| Organization::new(*id, Some(format!("Org {id}")))).collect(),
            part_number: "GC-VTR".to_owned(),
            name: "Voice Transcription".to_owned(),
            unit: Some("Minute".to_owned()),
            prepaid_quantity: Some(Decimal::ZERO),
            fair_use_quantity: Some(Decimal::from(50_000)),
            actual_quantity: Some(Decimal::from(61_500)),
            overage_quantity: Some(overage.parse().unwrap()),
            overage_rate: Some("0.01".parse().unwrap()),
            overage_charge: Some(amount.parse().unwrap()),
            currency: Some("EUR".to_owned()),
            converted_token_count: None,
            is_wallet: false,
        }
    }

    fn rows(charges: Vec<ContractCharge>, now: &str) -> ContractRows {
        let account = Organization::new("partner", Some("Partner".to_owned()));
        ContractCharges { charges, ..ContractCharges::default() }.rows(&account, &mut [], now.parse().unwrap())
    }

    pub(in crate::genesys) const LATER: &str = "2026-11-21T12:00:00Z";

    #[test]
    fn charge_row_has_the_vendors_numbers() {
        let ContractRows { rows, errors } = rows(vec![charge(&["o-1"], "12000", "99.99")], LATER);
        assert!(errors.is_empty());
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.sku.as_str(), row.metric.as_str()), ("GC-VTR", "Voice Transcription"));
        assert_eq!((row.vendor_grouping.as_deref(), row.source_report_id.as_deref()), (Some("CN-1"), Some("CN-1")));
        assert_eq!((row.quantity, row.overage_quantity), (61_500.into(), Some(12_000.into())));
        assert_eq!((row.unit_price, row.source_row), (Some(Decimal::new(1, 2)), Some(3)));
        assert_eq!((row.cost, row.amount), (Some(Decimal::new(9_999, 2)), Some(Decimal::new(9_999, 2))));
        assert_eq!((row.price_source.as_deref(), row.cost_source.as_deref()), (Some(OPERATION), Some(OPERATION)));
        assert_eq!((row.included_quantity, row.prepaid_quantity), (Some(50_000.into()), Some(Decimal::ZERO)));
        assert_eq!((row.unit.as_str(), row.currency.as_deref()), ("Minute", Some("EUR")));
        assert_eq!((row.customer_id.as_deref(), row.customer_name.as_deref()), (Some("o-1"), Some("Org o-1")));
        assert_eq!((row.account_id.as_str(), row.account_name.as_deref()), ("partner", Some("Partner")));
        assert_eq!((row.billing_reason, row.is_final, row.as_of), (BillingReason::SeeInvoice, true, None));
    }

    #[test]
    fn row_is_final_a_day_after_a_closed_period() {
        let open = |is_closed, now: &str| {
            rows(vec![ContractCharge { is_closed, ..charge(&["partner"], "0", "0") }], now).rows.remove(0)
        };
        for (is_closed, now, is_final, is_billable) in [
            (true, "2026-11-02T00:00:00Z", true, true),
            (false, "2026-11-02T00:00:00Z", false, true),
            (true, "2026-11-01T23:59:59Z", false, true),
            (false, "2026-10-31T23:59:59Z", false, false),
        ] {
            let row = open(is_closed, now);
            assert_eq!((row.is_final, row.is_billable), (is_final, Some(is_billable)), "{is_closed} {now}");
            assert_eq!(row.as_of.is_some(), !is_final);
        }
    }

    #[test]
    fn only_charges_of_the_own_organization_are_billable() {
        use BillingReason::{SeeInvoice, Usage};
        for (organizations, expected) in [
            (&["partner"][..], Usage),
            (&[" partner", "partner"], Usage),
            (&["PARTNER"], SeeInvoice),
            (&["o-1"], SeeInvoice),
            (&["partner", "o-1"], SeeInvoice),
            (&[], SeeInvoice),
            (&["partner", ""], SeeInvoice),
            (&["o-1", " "], SeeInvoice),
        ] {
            let row = rows(vec![charge(organizations, "11500", "115")], LATER).rows.remove(0);
            assert_eq!(row.billing_reason, expected, "{organizations:?}");
        }
    }

    #[test]
    fn customers_exclude_the_account_alone() {
        let customer = |organizations: &[&str]| {
            let row = rows(vec![charge(organizations, "0", "0")], LATER).rows.remove(0);
            (row.customer_id, row.customer_name, row.customer_kind)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(customer(&["partner"]), (None, None, None));
        assert_eq!(customer(&[]), (None, None, None));
        assert_eq!(customer(&["o-2", "o-1"]), (some("o-1,o-2"), some("Org o-1, Org o-2"), some("organization")));
        assert_eq!(customer(&["o-2", "o-1"]), customer(&["o-1", "o-2"]));
    }

    #[test]
    fn charge_without_quantity_or_product_is_an_error() {
        let without_quantity = ContractCharge { actual_quantity: None, ..charge(&["o-1"], "0", "0") };
        let nameless = ContractCharge { part_number: String::new(), name: String::new(), ..charge(&["o-1"], "0", "0") };
        let twice = charge(&["o-1"], "0", "0");
        let wallet = ContractCharge { is_wallet: true, ..without_quantity.clone() };
        let found = rows(vec![without_quantity, twice.clone(), nameless, twice, wallet], LATER);
        let errors: Vec<_> = found.errors.iter().map(|error| error.message().to_owned()).collect();
        assert_eq!(
            errors,
            [
                "charge 3 of contract CN-1 has no actualQuantity",
                "charge 3 of contract CN-1 has no product and no name",
                "wallet 3 of contract CN-1 has no balanceConsumption",
            ]
        );
        assert_eq!(found.rows.len(), 2);
        assert_ne!(found.rows[0].row_key, found.rows[1].row_key);
    }

    #[test]
    fn missing_part_number_or_name_is_replaced_by_the_other() {
        let named = |part_number: &str, name: &str, unit: Option<&str>| {
            let (part_number, name, unit) = (part_number.to_owned(), name.to_owned(), unit.map(str::to_owned));
            let row = rows(vec![ContractCharge { part_number, name, unit, ..charge(&["o-1"], "0", "0") }], LATER);
            let row = row.rows.into_iter().next().unwrap();
            (row.sku, row.metric, row.unit)
        };
        let fields = |sku: &str, metric: &str, unit: &str| (sku.to_owned(), metric.to_owned(), unit.to_owned());
        assert_eq!(named("", "Voice", None), fields("Voice", "Voice", "units"));
        assert_eq!(named("GC-VTR", "", Some("")), fields("GC-VTR", "GC-VTR", "units"));
        let free = ContractCharge { fair_use_quantity: Some(Decimal::ZERO), ..charge(&["o-1"], "0", "0") };
        assert_eq!(rows(vec![free], LATER).rows[0].included_quantity, None, "nothing is included");
    }

    #[test]
    fn amount_is_the_vendors_and_unknown_without_it() {
        let unknown = ContractCharge { fair_use_quantity: None, ..charge(&["o-1"], "11500", "115") };
        assert_eq!((unknown.has_expected_overage(), unknown.has_expected_charge()), (None, Some(true)));
        let row = rows(vec![unknown], LATER).rows.remove(0);
        assert_eq!((row.amount, row.cost), (Some(115.into()), Some(115.into())));
        let silent = ContractCharge { overage_charge: None, ..charge(&["partner"], "11500", "115") };
        assert_eq!(silent.has_expected_charge(), None);
        let row = rows(vec![silent], LATER).rows.remove(0);
        assert_eq!((row.amount, row.cost, row.is_billable), (None, None, Some(true)));
        for prepaid in [None, Some(Decimal::ONE_HUNDRED)] {
            let own = ContractCharge { prepaid_quantity: prepaid, ..charge(&["partner"], "10", "1200") };
            let row = rows(vec![own], LATER).rows.remove(0);
            assert_eq!((row.amount, row.cost, row.is_billable), (None, Some(1200.into()), Some(true)), "{prepaid:?}");
        }
    }

    #[test]
    fn charge_without_overage_or_counted_elsewhere_is_left_to_the_invoice() {
        use BillingReason::{SeeInvoice, Usage};
        let own = || charge(&["partner"], "5", "5");
        let tokens = |count: i64| ContractCharge { converted_token_count: Some(count.into()), ..own() };
        for (charge, expected) in [
            (own(), Usage),
            (ContractCharge { overage_charge: None, ..own() }, Usage),
            (ContractCharge { overage_quantity: None, ..own() }, Usage),
            (ContractCharge { overage_quantity: None, overage_charge: None, ..own() }, SeeInvoice),
            (ContractCharge { is_wallet: true, ..own() }, SeeInvoice),
            (tokens(3000), SeeInvoice),
            (tokens(0), Usage),
        ] {
            let row = rows(vec![charge.clone()], LATER).rows.remove(0);
            assert_eq!((row.billing_reason, row.cost), (expected, charge.overage_charge), "{charge:?}");
        }
    }

    #[test]
    fn charge_that_may_be_listed_twice_is_left_to_the_invoice() {
        use BillingReason::{SeeInvoice, Usage};
        let of = |id: Option<&str>, amount: &str| ContractCharge {
            id: id.map(str::to_owned),
            ..charge(&["partner"], "1", amount)
        };
        let in_another = |id: Option<&str>, amount| ContractCharge {
            contract: "CN-2".to_owned(),
            is_closed: false,
            ..of(id, amount)
        };
        let of_september = ContractCharge { period: "2026-09".parse().unwrap(), ..in_another(Some("1"), "5") };
        for (charges, expected) in [
            (vec![of(None, "5"), of(None, "5")], vec![SeeInvoice; 2]),
            (vec![of(None, "5"), of(None, "6")], vec![Usage; 2]),
            (vec![of(Some("1"), "5"), of(Some("2"), "5")], vec![Usage; 2]),
            (vec![of(Some("1"), "5"), of(Some("1"), "6")], vec![SeeInvoice; 2]),
            (vec![of(Some("1"), "5"), of(None, "5")], vec![Usage; 2]),
            // A contract may list what the one before it lists.
            (vec![of(Some("1"), "5"), in_another(Some("1"), "5")], vec![SeeInvoice; 2]),
            (vec![of(Some("1"), "5"), in_another(Some("2"), "5")], vec![SeeInvoice; 2]),
            (vec![of(None, "5"), in_another(Some("2"), "5")], vec![SeeInvoice; 2]),
            (vec![of(None, "5"), in_another(None, "5")], vec![SeeInvoice; 2]),
            (vec![of(Some("1"), "5"), in_another(Some("1"), "6")], vec![Usage; 2]),
            (vec![of(Some("1"), "5"), of_september], vec![Usage; 2]),
        ] {
            let found: Vec<_> = rows(charges, LATER).rows.iter().map(|row| row.billing_reason).collect();
            assert_eq!(found, expected);
        }
    }
}
