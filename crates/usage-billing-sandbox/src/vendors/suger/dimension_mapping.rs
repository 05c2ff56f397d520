//! Maps reported records to the dimensions of the marketplace.

use std::collections::BTreeMap;

use usage_billing_core::{Decimal, DecimalNumber};
use usage_billing_suger::types;
use usage_billing_suger::types::UsageMeteringDimensionMappingMode as Mode;

type Records = BTreeMap<String, DecimalNumber>;

/// Returns the records by the keys of the entitlement's dimensions, or the reason why one does not exist.
///
/// The mapping of the marketplace is applied first: a reported key need not be a dimension. Each of its targets gets the complete quantity.
pub(super) fn mapped(
    origin: &Records,
    entitlement: &types::WorkloadEntitlement,
    config: &types::UsageMeteringConfigInfo,
) -> Result<Records, String> {
    let of_partner = config.partner_usage_metering_configs.iter().find(|one| one.partner == entitlement.partner);
    let mapping = of_partner.filter(|one| one.enable_dimension_mapping == Some(true));
    let mut records = Records::new();
    for (given, quantity) in origin {
        let targets = mapping.map(|mapping| targets(mapping, given)).unwrap_or_default();
        if targets.is_empty() {
            add(&mut records, entitlement, given, given, Some(quantity.0))?;
        }
        for target in targets {
            let name = target.dimension_key.as_deref().unwrap_or_default();
            let quantity = match &target.mapping_mode {
                // Inferred: the quantity is an amount in the entitlement's currency, and the target has a price per unit.
                Some(Mode::Amount) => {
                    let price = dimension(entitlement, name).and_then(|dimension| dimension.rate);
                    price.and_then(|price| quantity.0.checked_div(price.0))
                }
                _ => quantity.0.checked_mul(target.convertion_multiplier.map_or(Decimal::ONE, |factor| factor.0)),
            };
            add(&mut records, entitlement, given, name, quantity)?;
        }
    }
    Ok(records)
}

/// Returns the dimensions of a key. The newer form of the mapping precedes the older one.
fn targets<'a>(
    mapping: &'a types::PartnerUsageMeteringConfig,
    given: &str,
) -> Vec<&'a types::UsageMeteringDimensionMappingValue> {
    match mapping.dimension_mapping_v2.get(given) {
        Some(targets) if !targets.is_empty() => targets.iter().collect(),
        _ => mapping.dimension_mapping.get(given).into_iter().collect(),
    }
}

/// Adds a quantity to that of its dimension. Several keys may map to one dimension: a key and its name, or two sources of a mapping.
fn add(
    records: &mut Records,
    entitlement: &types::WorkloadEntitlement,
    given: &str,
    name: &str,
    quantity: Option<Decimal>,
) -> Result<(), String> {
    let key = dimension(entitlement, name).and_then(|dimension| dimension.key.as_ref());
    let key = key.ok_or_else(|| format!("unknown dimension {name}"))?;
    let sum = records.entry(key.clone()).or_default();
    let quantity = quantity.and_then(|quantity| sum.0.checked_add(quantity));
    sum.0 = quantity.ok_or_else(|| format!("the quantity of {given} cannot be mapped to {name}"))?;
    Ok(())
}

/// Finds a dimension by its key or its name.
fn dimension<'a>(entitlement: &'a types::WorkloadEntitlement, given: &str) -> Option<&'a types::MeteringDimension> {
    let dimensions = &entitlement.info.as_ref()?.dimensions;
    let by = |field: fn(&types::MeteringDimension) -> &Option<String>| {
        dimensions.iter().find(|dimension| field(dimension).as_deref() == Some(given))
    };
    by(|dimension| &dimension.key).or_else(|| by(|dimension| &dimension.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::suger::Organization;

    /// Returns what the AWS entitlement of the dataset meters, as JSON.
    fn metered(config: &str, records: &str) -> Result<String, String> {
        let org = Organization::of_tests();
        let config = format!(r#"{{"partnerUsageMeteringConfigs": [{{"partner": "AZURE"}}, {config}]}}"#);
        let config = serde_json::from_str(&config).unwrap();
        mapped(&serde_json::from_str(records).unwrap(), &org.entitlements[0], &config)
            .map(|records| serde_json::to_string(&records).unwrap())
    }

    #[test]
    fn without_mapping_keys_and_names_are_dimensions() {
        let off = r#"{"partner": "AWS", "dimensionMappingV2": {"api_calls": [{"dimensionKey": "usd_cent"}]}}"#;
        for (records, expected) in [
            (r#"{"api_calls": 0.10, "ingest_gb": 2}"#, Ok(r#"{"api_calls":0.10,"ingest_gb":2}"#)),
            (r#"{"Ingest, GB": 1.5, "ingest_gb": 2}"#, Ok(r#"{"ingest_gb":3.5}"#)),
            (r#"{"Ingest": 1}"#, Err("unknown dimension Ingest")),
        ] {
            let metered = metered(off, records);
            assert_eq!(metered.as_deref().map_err(String::as_str), expected, "{records}");
        }
    }

    #[test]
    fn mapping_converts_quantities_and_amounts() {
        let on = r#"{"partner": "AWS", "enableDimensionMapping": true, "dimensionMappingV2": {
            "api_calls": [{"dimensionKey": "api_calls_1k", "mappingMode": "QUANTITY", "convertionMultiplier": 0.001}],
            "support, Größe L": [{"dimensionKey": "usd_cent", "mappingMode": "AMOUNT"}],
            "both": [{"dimensionKey": "ingest_gb"}, {"dimensionKey": "API calls", "convertionMultiplier": 2}],
            "gone": [{"dimensionKey": "nothing"}], "keyless": [{}]},
            "dimensionMapping": {"gb": {"dimensionKey": "ingest_gb", "mappingMode": ""}}}"#;
        for (records, expected) in [
            (r#"{"api_calls": 0.1}"#, Ok(r#"{"api_calls_1k":0.0001}"#)),
            // 12.6 USD at 0.009 a unit (a cent, 10% off).
            (r#"{"support, Größe L": 12.6}"#, Ok(r#"{"usd_cent":1400}"#)),
            (r#"{"both": 3, "gb": 1, "ingest_gb": 0.5}"#, Ok(r#"{"api_calls":6,"ingest_gb":4.5}"#)),
            (r#"{"gone": 3}"#, Err("unknown dimension nothing")),
            (r#"{"keyless": 3}"#, Err("unknown dimension ")),
            (
                r#"{"support, Größe L": 79228162514264337593543950335}"#,
                Err("the quantity of support, Größe L cannot be mapped to usd_cent"),
            ),
        ] {
            let metered = metered(on, records);
            assert_eq!(metered.as_deref().map_err(String::as_str), expected, "{records}");
        }
    }
}
