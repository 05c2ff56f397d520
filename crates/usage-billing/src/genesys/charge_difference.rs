//! Comparison of our arithmetic with the vendor's.

use usage_billing_core::Decimal;

use super::billing_period::is_same_period;
use super::charge::is_same;
use super::exact::exact_total;
use super::{BillLine, ClientBill, ContractCharge, ContractCharges, Organization};

/// A difference between our arithmetic and the vendor's. The vendor bills its own number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChargeDifference {
    /// The organization whose bill differs.
    pub organization: Organization,
    /// Part number of the product.
    pub part_number: String,
    /// Name of the number that differs: `overage_quantity`, `overage_amount` or `currency`.
    pub number: &'static str,
    /// Our number; `None` if it is unknown here.
    pub ours: Option<String>,
    /// The vendor's number; `None` if no charge of a contract is for the product.
    pub vendors: Option<String>,
}

/// Currencies of the vendor's price lists and their neighbours that have no cents (ISO 4217).
const WITHOUT_CENTS: [&str; 5] = ["CLP", "ISK", "JPY", "KRW", "VND"];

/// Returns whether `amount` is `exact`, rounded to the decimal places of `amount`.
pub(super) fn is_rounded(amount: Decimal, exact: Decimal, currency: Option<&str>) -> bool {
    (amount - exact).abs() < rounding(amount, currency)
}

/// Returns the amount by which rounding changes `amount` at most. JSON omits trailing zeros (`100` for 100.00), so it has at least the places of its
/// currency.
fn rounding(amount: Decimal, currency: Option<&str>) -> Decimal {
    let has_cents = !WITHOUT_CENTS.iter().any(|code| currency.is_some_and(|currency| is_same(currency, code)));
    Decimal::new(1, amount.scale().clamp(if has_cents { 2 } else { 0 }, Decimal::MAX_SCALE))
}

/// Returns the amount by which rounding each amount changes the sum of these charges at most. `currency` is that of charges that state none.
pub(super) fn rounding_of_sum<'a>(
    charges: impl Iterator<Item = &'a ContractCharge>,
    currency: Option<&str>,
) -> Decimal {
    let amounts = charges.filter_map(|of| Some((of.overage_charge?, of.currency.as_deref().or(currency))));
    amounts.map(|(amount, currency)| rounding(amount, currency)).sum()
}

impl ContractCharges {
    /// Compares bills of client organizations with these charges by [`ClientBill::compare`], in the order of the bills. The charges
    /// outrank the bills: if the credential may read both, a bill is right only where there is no difference.
    pub fn compare(&self, bills: &[&ClientBill]) -> Vec<ChargeDifference> {
        bills.iter().flat_map(|bill| bill.compare(&self.charges)).collect()
    }
}

impl ClientBill {
    fn difference(
        &self,
        part_number: String,
        number: &'static str,
        ours: Option<String>,
        vendors: Option<String>,
    ) -> ChargeDifference {
        ChargeDifference { organization: self.organization.clone(), part_number, number, ours, vendors }
    }

    /// Compares the bill with the vendor's own charges by part number: those that cover this organization alone, for the same billing period.
    /// Where they differ, the vendor's number is right. Wallets are ignored. An overage of this bill without a charge is also a difference, unless the organization
    /// has no charges: then its contract was not read.
    pub fn compare(&self, charges: &[ContractCharge]) -> Vec<ChargeDifference> {
        let is_own = |organization: &Organization| organization.id == self.organization.id;
        let own = |charge: &&ContractCharge| matches!(charge.organizations.as_slice(), [one] if is_own(one));
        let period_charges: Vec<_> =
            charges.iter().filter(|charge| !charge.is_wallet && is_same_period(charge.period, self.period)).collect();
        let sku = |charge: &ContractCharge| charge.sku().unwrap_or_default().to_owned();
        let charged = self.lines.iter().filter(|line| line.role.is_charged());
        let lines_of = |charge: &ContractCharge| {
            charge.counted_by(charged.clone(), |line| (&line.charge.item.part_number, &line.charge.item.name))
        };
        let mut by_product: Vec<(Vec<&BillLine>, Vec<&ContractCharge>)> = Vec::new();
        for charge in period_charges.iter().copied().filter(own) {
            let lines = lines_of(charge);
            let is_like = |(of, others): &&mut (Vec<&BillLine>, Vec<&ContractCharge>)| {
                *of == lines && (!lines.is_empty() || is_same(&sku(others[0]), &sku(charge)))
            };
            match by_product.iter_mut().find(is_like) {
                Some((_, others)) => others.push(charge),
                None => by_product.push((lines, vec![charge])),
            }
        }
        let mut differences = Vec::new();
        for (lines, charges) in &by_product {
            let charge = charges[0];
            // Unknown if any charge has none.
            let vendors_sum = |number: fn(&ContractCharge) -> Option<Decimal>| {
                exact_total(charges.iter().map(|charge| number(charge)))
            };
            let sum = |number: fn(&BillLine) -> Option<Decimal>| {
                exact_total(lines.iter().map(|line| number(line))).filter(|_| !lines.is_empty())
            };
            let mut note = |number: &'static str, ours: Option<String>, vendors: String| {
                differences.push(self.difference(sku(charge), number, ours, Some(vendors)));
            };
            for (number, ours, vendors) in [
                ("overage_quantity", sum(|line| line.overage_quantity), vendors_sum(|charge| charge.overage_quantity)),
                ("overage_amount", sum(|line| line.overage_amount), vendors_sum(|charge| charge.overage_charge)),
            ] {
                let Some(vendors) = vendors else { continue };
                let tolerance = match number {
                    "overage_amount" => rounding_of_sum(charges.iter().copied(), self.currency.as_deref()),
                    _ => Decimal::ZERO,
                };
                let agrees = ours.is_some_and(|ours| ours == vendors || (ours - vendors).abs() < tolerance);
                let is_nothing = lines.is_empty() && vendors.is_zero();
                if !agrees && !is_nothing {
                    note(number, ours.map(|ours| ours.to_string()), vendors.to_string());
                }
            }
            let mut currencies = charges.iter().filter_map(|charge| charge.currency.as_deref());
            let ours = self.currency.as_deref();
            if let Some(other) = currencies.find(|vendors| ours.is_none_or(|ours| !is_same(ours, vendors))) {
                note("currency", self.currency.clone(), other.to_owned());
            }
        }
        if by_product.is_empty() {
            return differences;
        }
        // Charges that several organizations share, or that name none, also count.
        let is_charged = |line: &&BillLine| {
            let may_be_own = |charge: &&ContractCharge| {
                charge.organizations.iter().any(|one| is_own(one) || one.id.is_empty())
                    || charge.organizations.is_empty()
            };
            period_charges.iter().copied().filter(may_be_own).any(|charge| lines_of(charge).contains(line))
        };
        for line in charged.clone().filter(|line| !is_charged(line)) {
            for (number, ours) in [("overage_quantity", line.overage_quantity), ("overage_amount", line.overage_amount)]
            {
                let Some(ours) = ours.filter(|ours| !ours.is_zero()) else { continue };
                let part_number = line.charge.item.part_number.clone();
                differences.push(self.difference(part_number, number, Some(ours.to_string()), None));
            }
        }
        differences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amount_is_rounded_to_cents_or_finer() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        for (amount, exact, currency, expected) in [
            ("100.99", "100.99", Some("USD"), true),
            ("100.99", "100.9949", Some("USD"), true),
            ("100.9", "100.904", Some("EUR"), true),
            ("100", "100.99", Some("USD"), false),
            ("100", "100.99", None, false),
            ("101", "100.99", Some("JPY"), true),
            ("101", "102", Some("jpy"), false),
            ("100.123", "100.1234", Some("USD"), true),
            ("100.123", "100.125", Some("USD"), false),
        ] {
            let is_rounded = is_rounded(number(amount), number(exact), currency);
            assert_eq!(is_rounded, expected, "{amount} {exact} {currency:?}");
        }
    }
}
