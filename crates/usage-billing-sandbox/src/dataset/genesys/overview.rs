//! The partner's overview of a customer's bill.

use chrono::{NaiveDate, TimeDelta};
use serde_json::json;
use usage_billing_core::{Decimal, LenientDecimal};
use usage_billing_genesys::types;

use super::Partner;
use super::customers::{Charge, Customer};
use super::periods::Calendar;
use crate::dataset::{days_before, midnight};

impl Partner {
    /// Summarizes the customers.
    pub(crate) fn summaries(&self) -> impl ExactSizeIterator<Item = serde_json::Value> {
        let short =
            |of: &Customer| json!({"name": of.name, "id": of.id, "contract": of.contract, "currency": of.currency});
        self.customers.iter().map(short)
    }

    /// Returns the bill of a billing period: 0 is the current one. `None` for other organizations, and before the first period.
    pub(crate) fn overview(
        &self,
        calendar: Calendar,
        trustor: &str,
        index: u32,
    ) -> Option<types::TrusteeBillingOverview> {
        let customer = self.customers.iter().find(|customer| customer.id == trustor && customer.trusts_partner)?;
        // The index moves late, but usage is known as usual.
        let turned = Calendar { today: days_before(calendar.today, customer.rotation), ..calendar };
        let index = customer.count(turned).checked_sub(index.checked_add(1)?)?;
        let period = customer.period(calendar, index);
        let end_of = |day: NaiveDate| midnight(day) + TimeDelta::days(1) - TimeDelta::milliseconds(1);
        let (ramp_start, ramp_end) = (customer.contract_start(calendar), customer.ramp_end(calendar));
        let term = customer.terms(calendar).into_iter().find(|term| term.periods.contains(&index))?;
        let usages = customer.charges.iter().zip(customer.used(self.seed, calendar, period));
        let usages = usages.flat_map(|(charge, quantity)| rows(charge, quantity));
        Some(types::TrusteeBillingOverview {
            id: None,
            name: None,
            organization: Some(customer.organization()),
            currency: Some(customer.currency.to_owned()),
            enabled_products: vec!["genesysCloudCX2Overage".to_owned(), "ivrMinutesOverage".to_owned()],
            subscription_type: Some(customer.subscription.clone()),
            ramp_period_start_date: Some(midnight(ramp_start)),
            ramp_period_end_date: Some(end_of(ramp_end)),
            billing_period_start_date: Some(midnight(period.first)),
            billing_period_end_date: Some(midnight(period.last) + TimeDelta::days(1) - TimeDelta::seconds(1)),
            usages: Some(usages.collect()),
            contract_amendment_date: None,
            contract_effective_date: Some(midnight(term.first)),
            contract_end_date: Some(end_of(term.last)),
            minimum_monthly_amount: Some(Decimal::new(customer.minimum, 2).into()),
            in_ramp_period: Some(period.first <= ramp_end),
            self_uri: Some(format!("/api/v2/billing/trusteebillingoverview/{}", customer.id)),
        })
    }
}

/// Returns the rows of a charge: its allowance, the charge itself, and its parts.
fn rows(charge: &Charge, quantity: Decimal) -> Vec<types::SubscriptionOverviewUsage> {
    let row = |name: &str, part_number: &str, grouping: &str, quantity: Decimal, is_own: bool| {
        let own_price = |price: Option<i64>| match charge.is_unpriced {
            true => Some(no_number()),
            false => price.filter(|_| is_own).map(self::price),
        };
        types::SubscriptionOverviewUsage {
            name: Some(name.to_owned()),
            part_number: Some(part_number.to_owned()),
            grouping: Some(grouping.to_owned()),
            unit_of_measure_type: Some(charge.unit.to_owned()),
            usage_quantity: Some(quantity.into()),
            prepay_quantity: Some(Decimal::from(if is_own { charge.prepaid } else { 0 }).into()),
            prepay_price: own_price(charge.prepay_price),
            overage_price: own_price(Some(charge.overage_price)),
            bundle_quantity: charge.bundle.filter(|_| is_own).map(|bundle| Decimal::from(bundle).into()),
            usage_notes: charge.notes.filter(|_| is_own).map(str::to_owned),
            is_cancellable: Some(charge.prepaid == 0),
            is_third_party: Some(false),
        }
    };
    let mut rows = Vec::new();
    if charge.fair_use > 0 {
        rows.push(row(charge.name, charge.part_number, "fair-use", charge.fair_use.into(), false));
    }
    rows.push(row(charge.name, charge.part_number, charge.grouping, quantity, true));
    let mut left = quantity;
    for (number, (name, part_number, percent)) in charge.parts.iter().enumerate() {
        let is_last = number + 1 == charge.parts.len();
        let part = if is_last { left } else { (quantity * Decimal::new(*percent, 2)).round_dp(3) };
        left -= part;
        rows.push(row(name, part_number, "rollup-usage", part.normalize(), false));
    }
    rows
}

/// Returns the empty string that the vendor sends instead of a missing price.
fn no_number() -> LenientDecimal {
    "".parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
}

fn price(ten_thousandths: i64) -> LenientDecimal {
    let mut price = Decimal::new(ten_thousandths, 4).normalize();
    if price.scale() < 2 {
        price.rescale(2);
    }
    price.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::day;
    use crate::demo_credentials::{GENESYS_TRUSTOR_ORG_ID, GENESYS_YOUNG_TRUSTOR_ORG_ID};

    fn calendar(opened: &str, today: &str) -> Calendar {
        Calendar { opened: day(opened), today: day(today) }
    }

    #[test]
    fn history_ends_at_the_first_period_of_the_contract() {
        let partner = Partner::of_tests();
        let start = calendar("2026-05-31", "2026-05-31");
        assert!(partner.overview(start, GENESYS_TRUSTOR_ORG_ID, 13).is_some());
        for (trustor, index) in [
            (GENESYS_TRUSTOR_ORG_ID, 14),
            (GENESYS_TRUSTOR_ORG_ID, u32::MAX),
            ("else", 0),
            (&partner.customers[2].id, 0),
        ] {
            assert!(partner.overview(start, trustor, index).is_none(), "{trustor} {index}");
        }
        let young = partner.overview(start, GENESYS_YOUNG_TRUSTOR_ORG_ID, 1).unwrap();
        assert_eq!(young.billing_period_start_date, Some(midnight(day("2026-04-15"))));
        assert_eq!(young.billing_period_end_date.unwrap().to_rfc3339(), "2026-05-14T23:59:59+00:00");
    }

    #[test]
    fn closed_period_does_not_change() {
        let partner = Partner::of_tests();
        let may = partner.overview(calendar("2026-06-01", "2026-06-01"), GENESYS_TRUSTOR_ORG_ID, 1).unwrap();
        let later = calendar("2026-06-01", "2026-08-17");
        assert_eq!(
            serde_json::to_string(&partner.overview(later, GENESYS_TRUSTOR_ORG_ID, 3).unwrap()).unwrap(),
            serde_json::to_string(&may).unwrap()
        );
        assert!(partner.overview(later, GENESYS_TRUSTOR_ORG_ID, 15).is_some(), "two more periods, none forgotten");
        assert!(partner.overview(later, GENESYS_TRUSTOR_ORG_ID, 16).is_none());
    }
}
