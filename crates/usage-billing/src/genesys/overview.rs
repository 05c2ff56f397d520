//! The partner's view of a client organization's bill: usage, what is prepaid of it, and prices.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};

use super::{Client, LAG, types};
use crate::row_identity::{RowIdentity, disambiguate_keys};
use crate::{BillingReason, Period, UsageRow, Vendor, loadable};

/// Grouping of rows whose quantity is free, not used (two partners' public tools, seen November 2026).
const FAIR_USE: &str = "fair-use";
/// Grouping of the parts of a row of the grouping `rollup`.
const PART: &str = "rollup-usage";
const OPERATION: &str = "getBillingTrusteebillingoverviewTrustorOrgId";

/// How many organizations are asked about at a time: well within the 300 requests a minute of a token.
const AT_A_TIME: usize = 4;

impl Client {
    /// The billing overview of a client organization (trustor), asked by the partner that it trusts. `index` counts billing periods back:
    /// 0 is the running one, which changes until it ends, 1 the last finished one.
    ///
    /// Prices are before tax; telephony of Genesys Cloud Voice and BYOC Cloud is not in it.
    ///
    /// # Errors
    /// 403 without `affiliateOrganization:clientBilling:view`; 404 for an organization without trust in this one, or an index before its
    /// first billing period (inferred); else those of the call.
    pub async fn billing_overview(&self, organization: &str, index: u16) -> Result<types::TrusteeBillingOverview> {
        let request = self.api.get_billing_trusteebillingoverview_trustor_org_id().trustor_org_id(organization);
        let overview = request.billing_period_index(i32::from(index)).send().await.map_err(|error| {
            match error.status().map(|status| status.as_u16()) {
                Some(404) => error.with_hint(format!(
                    "check that {} trusts this organization and has a billing period {index}, and the region",
                    printable(organization)
                )),
                _ => error,
            }
        })?;
        let mut overview = overview.into_inner();
        // Rows of no organization would be the partner's own.
        overview.organization.id.get_or_insert_with(|| organization.to_owned());
        Ok(overview)
    }

    /// Overviews of many client organizations, four at a time, in the order of `organizations`. One that fails does not stop the others:
    /// each has its own outcome.
    pub async fn billing_overviews<O: Into<String>>(
        &self,
        organizations: impl IntoIterator<Item = O>,
        index: u16,
    ) -> Vec<(String, Result<types::TrusteeBillingOverview>)> {
        let asked = organizations.into_iter().map(Into::into).map(|organization: String| async move {
            let outcome = self.billing_overview(&organization, index).await;
            (organization, outcome)
        });
        // Boxed: the compiler cannot tell otherwise that what it borrows lives long enough.
        let asked: Vec<_> = asked.map(futures_util::FutureExt::boxed).collect();
        stream::iter(asked).buffered(AT_A_TIME).collect().await
    }

    /// The overview of a client organization as rows: see [`overview_rows`].
    ///
    /// # Errors
    /// Those of [`billing_overview`](Self::billing_overview) and of [`overview_rows`].
    pub async fn client_usage(&self, organization: &str, index: u16) -> Result<Vec<UsageRow>> {
        // Before the answer: its figures are of then.
        let now = self.clock.now();
        overview_rows(&self.billing_overview(organization, index).await?, &self.account, index, now)
    }
}

/// One row per usage: `quantity` is what was used, beside it the prepaid and the free quantity and what goes beyond both, with the prices. Rows of
/// the grouping `fair-use` are the free quantity, and those of `rollup-usage` parts of the `rollup`: neither is billable. Final only if
/// `index`, which the overview was asked for with, is not 0, and the period has been over for a day at `now`, because the figures lag.
///
/// A month's bill before tax is, of each row, `prepaid_quantity` by `prepaid_price` and `overage_quantity` by `unit_price`, but at least the
/// overview's `minimum_monthly_amount`, which is in no row.
///
/// # Errors
/// [`ErrorKind::Decode`] for an overview without a billing period or an organization.
pub fn overview_rows(
    overview: &types::TrusteeBillingOverview,
    account: &str,
    index: u16,
    now: DateTime<Utc>,
) -> Result<Vec<UsageRow>> {
    let wrong = |message: &str| Error::new(ErrorKind::Decode, message).with_operation(OPERATION);
    let (Some(start), Some(last)) = (overview.billing_period_start_date, overview.billing_period_end_date) else {
        return Err(wrong("the overview does not say which billing period it is of"));
    };
    let period = Period::through(start, last).map_err(|error| wrong(error.message()))?;
    let organization = overview.organization.id.as_deref().filter(|id| !id.is_empty());
    let organization = organization.ok_or_else(|| wrong("the overview does not say which organization it is of"))?;
    // Free quantities are rows of their own, beside the usage that they are taken off.
    let mut allowances: HashMap<(&str, &str), Decimal> = HashMap::new();
    for usage in overview.usages.iter().filter(|usage| usage.grouping == FAIR_USE) {
        let sum = allowances.entry((&usage.part_number, &usage.name)).or_default();
        *sum = sum.checked_add(usage.usage_quantity.0).ok_or_else(|| wrong("an allowance has more than 28 digits"))?;
    }
    let subscription_type = Some(overview.subscription_type.to_string()).filter(|kind| !kind.is_empty());
    let row = |(usage, number): (&types::SubscriptionOverviewUsage, u64)| {
        let identity = RowIdentity {
            customer_id: Some(organization),
            sku: &usage.part_number,
            metric: &usage.name,
            grouping: Some(&usage.grouping),
            unit: &usage.unit_of_measure_type,
            ..RowIdentity::new(Vendor::Genesys, OPERATION, account, period)
        };
        let bundle = usage.bundle_quantity.map(Decimal::from).filter(|bundle| !bundle.is_zero());
        let is_charge = !matches!(usage.grouping.as_str(), FAIR_USE | PART);
        let allowance =
            allowances.get(&(usage.part_number.as_str(), usage.name.as_str())).copied().filter(|_| is_charge);
        let prepaid = usage.prepay_quantity.0;
        let free = prepaid.checked_add(allowance.unwrap_or_default());
        let beyond = free.and_then(|free| overage(usage.usage_quantity.0, free, bundle)).filter(|_| is_charge);
        let reason = match usage.grouping.as_str() {
            FAIR_USE => BillingReason::Allowance,
            PART => BillingReason::PartOfRow,
            // What is charged during the ramp period, and how bundles enter, is in no response.
            _ if overview.in_ramp_period == Some(true) || beyond.is_none() => BillingReason::SeeInvoice,
            _ => BillingReason::Usage,
        };
        let place = || format!("row {number} of the overview");
        let price = |price: Option<Decimal>| price.map(|price| loadable::unit_price(price, place)).transpose();
        Ok(UsageRow {
            customer_name: overview.organization.name.clone(),
            customer_kind: Some("trustor".to_owned()),
            subscription_type: subscription_type.clone(),
            is_final: index > 0 && period.is_closed(now - LAG),
            included_quantity: allowance.map(loadable::quantity),
            prepaid_quantity: Some(loadable::quantity(prepaid)),
            bundle_quantity: bundle.map(loadable::quantity),
            overage_quantity: beyond.map(loadable::quantity),
            currency: Some(overview.currency.clone()).filter(|currency| !currency.is_empty()),
            unit_price: price(usage.overage_price.map(Decimal::from))?,
            prepaid_price: price(usage.prepay_price.map(Decimal::from))?,
            source_row: Some(number),
            ..identity.row(usage.usage_quantity.0, reason)
        })
    };
    Ok(disambiguate_keys(overview.usages.iter().zip(1..).map(row).collect::<Result<_>>()?))
}

/// What was used beyond the prepaid quantity, never less than nothing.
///
/// `None` where a charge is sold in bundles of other than one: how they enter is not documented (Partner Billing page and SDK 257.1.0, seen
/// 2026-11-21), and a guess would be a wrong bill. The invoice tells.
pub fn overage(usage: Decimal, prepaid: Decimal, bundle: Option<Decimal>) -> Option<Decimal> {
    if bundle.is_some_and(|bundle| bundle != Decimal::ONE) {
        return None;
    }
    usage.checked_sub(prepaid).map(|beyond| beyond.max(Decimal::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overview() -> types::TrusteeBillingOverview {
        serde_json::from_value(serde_json::json!({
            "organization": {"id": "b7a0", "name": "株式会社みなと"}, "currency": "EUR", "subscriptionType": "PREPAY",
            "billingPeriodStartDate": "2026-10-15T00:00:00Z", "billingPeriodEndDate": "2026-11-14T23:59:59Z",
            "minimumMonthlyAmount": "11000.00",
            "usages": [
                {"name": "CX 2", "partNumber": "GC-CX2", "grouping": "user-license", "unitOfMeasureType": "seat", "usageQuantity": "118",
                    "overagePrice": "132.00", "prepayQuantity": "100", "prepayPrice": "110.00", "bundleQuantity": "1"},
                {"name": "IVR Minutes", "partNumber": "GC-IVR", "grouping": "resource", "unitOfMeasureType": "minute",
                    "usageQuantity": "20451.5", "overagePrice": "0.0119", "prepayQuantity": "0"},
                {"name": "CX 2", "partNumber": "GC-CX2", "grouping": "user-license", "unitOfMeasureType": "seat", "usageQuantity": "1",
                    "prepayQuantity": "2"},
            ],
        }))
        .unwrap()
    }

    fn later() -> DateTime<Utc> {
        "2026-11-21T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_row_is_final_a_day_after_the_period_because_the_figures_lag() {
        for (now, expected) in
            [("2026-11-14T12:00:00Z", false), ("2026-11-15T23:59:59Z", false), ("2026-11-16T00:00:00Z", true)]
        {
            let rows = overview_rows(&overview(), "partner", 1, now.parse().unwrap()).unwrap();
            assert!(rows.iter().all(|row| row.is_final == expected), "{now}");
        }
    }

    #[test]
    fn a_currency_that_is_not_told_is_none() {
        let silent = types::TrusteeBillingOverview { currency: String::new(), ..overview() };
        let rows = overview_rows(&silent, "partner", 1, later()).unwrap();
        assert!(rows.iter().all(|row| row.currency.is_none()));
    }

    #[test]
    fn a_charge_becomes_a_row_with_every_number_exact() {
        let rows = overview_rows(&overview(), "partner", 1, later()).unwrap();
        let text = |number: Option<Decimal>| number.map(|number| number.to_string());
        let read: Vec<_> = rows
            .iter()
            .map(|row| {
                let prices = (text(row.prepaid_price), text(row.unit_price));
                (row.quantity.to_string(), text(row.prepaid_quantity), text(row.overage_quantity), prices)
            })
            .collect();
        let some = |number: &str| Some(number.to_owned());
        assert_eq!(
            read,
            [
                ("118".to_owned(), some("100"), some("18"), (some("110.00"), some("132.00"))),
                ("20451.5".to_owned(), some("0"), some("20451.5"), (None, some("0.0119"))),
                ("1".to_owned(), some("2"), some("0"), (None, None)),
            ]
        );
        let row = &rows[0];
        assert_eq!(
            (row.period_start.to_string().as_str(), row.period_end.to_string().as_str()),
            ("2026-10-15 00:00:00 UTC", "2026-11-15 00:00:00 UTC")
        );
        assert_eq!((row.customer_id.as_deref(), row.customer_kind.as_deref()), (Some("b7a0"), Some("trustor")));
        assert_eq!((row.currency.as_deref(), row.unit.as_str()), (Some("EUR"), "seat"));
        assert_ne!(row.row_key, rows[2].row_key, "two lines of one part");
    }

    #[test]
    fn only_a_finished_billing_period_is_final_and_its_keys_do_not_change_with_the_index() {
        let rows = |index| overview_rows(&overview(), "partner", index, later()).unwrap();
        assert!(rows(0).iter().all(|row| !row.is_final));
        assert!(rows(1).iter().all(|row| row.is_final));
        let keys = |index| rows(index).iter().map(|row| row.row_key).collect::<Vec<_>>();
        assert_eq!(keys(0), keys(1), "the final row takes the place of the open one");
    }

    #[test]
    fn overage_is_what_goes_beyond_the_prepaid_quantity() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        for (usage, prepaid, bundle, expected) in [
            ("118", "100", None, Some("18")),
            ("118", "100", Some("1"), Some("18")),
            ("118", "100", Some("1.0"), Some("18")),
            ("100", "100", None, Some("0")),
            ("99.5", "100", None, Some("0")),
            ("0.1", "0", None, Some("0.1")),
            ("2500", "0", Some("1000"), None),
            ("2500", "0", Some("0"), None),
        ] {
            let found = overage(decimal(usage), decimal(prepaid), bundle.map(decimal));
            assert_eq!(found, expected.map(decimal), "{usage} {prepaid} {bundle:?}");
        }
    }

    #[test]
    fn an_overview_without_a_billing_period_or_an_organization_is_an_error() {
        let without = types::TrusteeBillingOverview { billing_period_end_date: None, ..overview() };
        assert_eq!(overview_rows(&without, "partner", 1, later()).unwrap_err().kind(), ErrorKind::Decode);
        let mut nobodys = overview();
        nobodys.organization.id = None;
        assert_eq!(overview_rows(&nobodys, "partner", 1, later()).unwrap_err().kind(), ErrorKind::Decode);
        let start = overview().billing_period_start_date;
        let turned = types::TrusteeBillingOverview {
            billing_period_end_date: start.map(|start| start - chrono::TimeDelta::days(3)),
            ..overview()
        };
        assert_eq!(overview_rows(&turned, "partner", 1, later()).unwrap_err().kind(), ErrorKind::Decode);
    }

    proptest::proptest! {
        #[test]
        fn what_is_prepaid_and_what_goes_beyond_covers_what_was_used(
            usage in 0i64..1_000_000_000, places in 0u32..6, prepaid in 0i64..1_000_000,
        ) {
            let (usage, prepaid) = (Decimal::new(usage, places), Decimal::from(prepaid));
            let beyond = overage(usage, prepaid, None).unwrap();
            proptest::prop_assert_eq!(beyond + prepaid.min(usage), usage);
            proptest::prop_assert!(!beyond.is_sign_negative() && (beyond.is_zero() || usage > prepaid));
        }
    }
}
