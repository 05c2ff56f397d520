//! Columns of FOCUS 1.2 and 1.4, and the values of a charge.

use bigdecimal::{BigDecimal, Zero as _};
use chrono::SecondsFormat;
use clap::ValueEnum;
use serde_json::json;
use usage_billing::{Decimal, UsageRow};

use super::charge::{Charge, Kind};
use super::service::{capitalized, service, unit};

/// A version of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FocusVersion {
    #[value(name = "1.2")]
    V1_2,
    #[value(name = "1.4")]
    V1_4,
}

/// Columns of all versions, in alphabetical order as in the specification; those of this program begin with `x_` and are the last ones.
const COLUMNS: [&str; 46] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountStatus",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "HostProviderName",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "ServiceProviderName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_Edition",
    "x_IncludedQuantity",
    "x_IsFinal",
    "x_PriceSource",
    "x_RowKey",
    "x_SourceVendor",
    "x_SubscriptionType",
];

impl FocusVersion {
    /// Returns the names of the columns.
    pub(super) fn columns(self) -> impl Iterator<Item = &'static str> {
        COLUMNS.into_iter().filter(move |column| self.has(column))
    }

    /// Returns whether the version has a column. 1.3 replaced the provider and the publisher by the service provider and the host provider, and 1.4 removed them.
    fn has(self, column: &str) -> bool {
        match column {
            "ProviderName" | "PublisherName" => self == Self::V1_2,
            "ServiceProviderName" | "HostProviderName" => self == Self::V1_4,
            _ => true,
        }
    }

    /// Returns the values of a charge, in the order of the columns.
    pub(super) fn record<'a>(
        self,
        row: &'a UsageRow,
        charge: &'a Charge,
        issuer: Option<&'a str>,
    ) -> impl Iterator<Item = String> + use<'a> {
        self.columns().map(move |column| value(column, row, charge, issuer).unwrap_or_default())
    }
}

/// Returns the value of a column; `None` is null.
fn value(column: &str, row: &UsageRow, charge: &Charge, issuer: Option<&str>) -> Option<String> {
    let vendor = &*capitalized(&row.vendor.to_string());
    let is_usage = charge.kind == Kind::Usage;
    let issuer = issuer.unwrap_or(vendor);
    let service = service(row);
    let text = |text: &str| Some(text.to_owned());
    match column {
        // The vendor bills its customer, the distributor; what that one bills is not in the vendor's data.
        "BilledCost" if !issuer.eq_ignore_ascii_case(vendor) => Some(cost(&BigDecimal::zero())),
        "BilledCost" | "ContractedCost" => Some(cost(&charge.cost)),
        "BillingAccountId" => text(&row.account_id),
        "BillingAccountName" => row.account_name.clone(),
        "BillingCurrency" => text(&charge.currency),
        "BillingPeriodStart" | "ChargePeriodStart" => Some(row.period_start.to_rfc3339_opts(SecondsFormat::Secs, true)),
        "BillingPeriodEnd" | "ChargePeriodEnd" => Some(row.period_end.to_rfc3339_opts(SecondsFormat::Secs, true)),
        "ChargeCategory" => text(if is_usage { "Usage" } else { "Purchase" }),
        "ChargeDescription" => Some(format!("{} {}", row.metric, if is_usage { "usage" } else { "prepaid" })),
        "ChargeFrequency" => text(if is_usage { "Usage-Based" } else { "Recurring" }),
        "ConsumedQuantity" => is_usage.then(|| number(row.quantity)),
        "ConsumedUnit" => is_usage.then(|| unit(&row.unit)),
        "ContractedUnitPrice" => charge.unit_price.map(number),
        "EffectiveCost" => Some(cost(&charge.effective_cost)),
        "InvoiceIssuerName" => text(issuer),
        "ListCost" => Some(cost(&charge.list_cost)),
        "ListUnitPrice" => charge.list_unit_price.map(number),
        "PricingCategory" => text("Standard"),
        "PricingQuantity" => Some(number(charge.quantity)),
        "PricingUnit" => Some(unit(&row.unit)),
        "ProviderName" | "PublisherName" | "ServiceProviderName" => text(vendor),
        "ServiceCategory" => text(service.category),
        "ServiceName" => text(service.name),
        "ServiceSubcategory" => text(service.subcategory),
        "SkuId" => text(&row.sku),
        "SkuMeter" => text(&row.metric),
        "SubAccountId" => row.customer_id.clone(),
        "SubAccountName" => row.customer_name.clone().filter(|_| row.customer_id.is_some()),
        "Tags" => Some(tags(row)),
        "x_Edition" => row.edition.clone(),
        "x_IncludedQuantity" => row.included_quantity.filter(|_| is_usage).map(number),
        "x_IsFinal" => Some(row.is_final.to_string()),
        "x_PriceSource" => text(&charge.price_source),
        "x_RowKey" => Some(row.row_key.to_string()),
        "x_SourceVendor" => Some(row.vendor.to_string()),
        "x_SubscriptionType" => row.subscription_type.clone(),
        // No source states them.
        _ => None,
    }
}

/// Returns a flat JSON object.
fn tags(row: &UsageRow) -> String {
    match &row.customer_reference {
        Some(reference) => json!({ "usage-billing/customer_reference": reference }).to_string(),
        None => "{}".to_owned(),
    }
}

fn number(decimal: Decimal) -> String {
    with_point(decimal.normalize().to_string())
}

fn cost(cost: &BigDecimal) -> String {
    with_point(cost.normalized().to_plain_string())
}

/// Programs that guess types take columns without a decimal point for integers.
fn with_point(text: String) -> String {
    if text.contains('.') { text } else { text + ".0" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::full_row;

    fn charge(kind: Kind) -> Charge {
        Charge {
            kind,
            quantity: Decimal::TEN,
            unit_price: Some(Decimal::new(15, 1)),
            list_unit_price: None,
            cost: 15.into(),
            list_cost: 15.into(),
            effective_cost: 15.into(),
            currency: "EUR".to_owned(),
            price_source: "get".to_owned(),
        }
    }

    #[test]
    fn columns_are_those_of_the_version() {
        let columns = |version: FocusVersion| version.columns().collect::<Vec<_>>();
        let (of_1_2, of_1_4) = (columns(FocusVersion::V1_2), columns(FocusVersion::V1_4));
        assert!(of_1_2.contains(&"ProviderName") && !of_1_2.contains(&"ServiceProviderName"));
        assert!(!of_1_4.contains(&"PublisherName") && of_1_4.contains(&"HostProviderName"));
        assert!(COLUMNS.is_sorted_by_key(|column| (column.starts_with("x_"), column.to_lowercase())));
    }

    #[test]
    fn record_has_a_value_for_every_column_of_its_version() {
        let row = full_row();
        for version in [FocusVersion::V1_2, FocusVersion::V1_4] {
            let charge = charge(Kind::Usage);
            let record: Vec<_> = version.record(&row, &charge, None).collect();
            assert_eq!(record.len(), version.columns().count());
            let cell = |column: &str| &record[version.columns().position(|it| it == column).unwrap()];
            assert_eq!((&**cell("BilledCost"), &**cell("ContractedUnitPrice")), ("15.0", "1.5"));
            assert_eq!((&**cell("ConsumedUnit"), &**cell("ChargePeriodEnd")), ("Seats", "2026-11-01T00:00:00Z"));
        }
    }

    #[test]
    fn charge_on_an_invoice_of_another_company_has_no_billed_cost() {
        let (row, charge) = (full_row(), charge(Kind::Purchase));
        let cell = |column| value(column, &row, &charge, Some("Distributor"));
        assert_eq!(cell("BilledCost").as_deref(), Some("0.0"));
        assert_eq!(cell("EffectiveCost").as_deref(), Some("15.0"));
        assert_eq!(cell("ConsumedQuantity"), None);
        assert_eq!(cell("ChargeCategory").as_deref(), Some("Purchase"));
    }
}
