//! Which strings of an answer are of an enum: by the name of the property in the vendor's curated document.

use crate::vendors::Vendor;

const GENESYS: &[&str] = &[
    "addressType",
    "authorizedGrantType",
    "granularity",
    "groupBy",
    "httpMethod",
    "httpMethods",
    "metrics",
    "order",
    "paymentStatus",
    "productPlatform",
    "queryStatus",
    "state",
    "status",
    "subscriptionType",
    "unitOfMeasure",
];

const SUGER: &[&str] = &[
    "action",
    "aggregationType",
    "billableMetricAggregationType",
    "billingCycle",
    "category",
    "channels",
    "discountType",
    "entityType",
    "eulaType",
    "eventStatus",
    "mappingMode",
    "minimumCommitScope",
    "operation",
    "partner",
    "paymentSchedule",
    "priority",
    "productType",
    "recurringUnit",
    "renewalOfferType",
    "service",
    "source",
    "status",
    "timeUnit",
    "type",
    "valueType",
];

const ACRONIS: &[&str] = &[
    "capabilities",
    "currency",
    "customer_type",
    "error",
    "formats",
    "grant_type",
    "kind",
    "level",
    "measurement_unit",
    "mfa_status",
    "mode",
    "pricing_mode",
    "report_format",
    "result_action",
    "status",
    "token_endpoint_auth_method",
    "type",
    "types",
];

pub(super) fn is_enum(vendor: Option<Vendor>, name: &str) -> bool {
    let names = match vendor {
        Some(Vendor::Genesys) => GENESYS,
        Some(Vendor::Suger) => SUGER,
        Some(Vendor::Acronis) => ACRONIS,
        None => return false,
    };
    names.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn collect(schema: &Value, all: &Value, names: &mut BTreeSet<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let property = property.get("items").unwrap_or(property);
            let target = property["$ref"].as_str().or_else(|| property.pointer("/allOf/0/$ref")?.as_str());
            let named = target.and_then(|target| all.get(target.rsplit('/').next()?));
            if property.get("enum").is_some() || named.is_some_and(|schema| schema.get("enum").is_some()) {
                names.insert(name.clone());
            }
        }
        match schema {
            Value::Object(fields) => fields.values().for_each(|inner| collect(inner, all, names)),
            Value::Array(items) => items.iter().for_each(|inner| collect(inner, all, names)),
            _ => {}
        }
    }

    #[test]
    fn the_names_are_those_of_the_documents() {
        for (vendor, names) in [("genesys", GENESYS), ("suger", SUGER), ("acronis", ACRONIS)] {
            // Not in the published crate.
            let path = format!("{}/../../openapi/{vendor}.yaml", env!("CARGO_MANIFEST_DIR"));
            let Ok(text) = std::fs::read_to_string(path) else { continue };
            let document: Value = serde_saphyr::from_str(&text).unwrap();
            let schemas = &document["components"]["schemas"];
            let mut documented = BTreeSet::new();
            collect(schemas, schemas, &mut documented);
            assert_eq!(documented.iter().map(String::as_str).collect::<Vec<_>>(), names, "{vendor}");
        }
    }
}
