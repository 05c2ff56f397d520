//! Comparison of the quantities of a usage record report with the usage of its groups.

use std::collections::BTreeMap;

use usage_billing_core::{Decimal, DecimalNumber};

use super::types::MeteringUsageRecordReportInfo as Info;

/// Returns the part of a dimension's usage that a report does not state. `None` if it states all of it, or nothing of
/// the dimension.
///
/// A report states usage as sent to the marketplace, included, paid from credit, or left to the next report
/// (`newDecimalParts`), and its quantities contain the fraction that earlier reports left to it (`decimalParts`). The
/// sources do not state whether usage that a commit covers is in any of these, so such usage may be missing.
pub(super) fn unstated(info: &Info, dimension: &str, used: Decimal) -> Option<Decimal> {
    let stated = stated(info, dimension)?;
    let part = used.saturating_sub(stated.saturating_sub(of(&info.decimal_parts, dimension).unwrap_or_default()));
    (part > rounding(info, dimension, used)).then_some(part)
}

/// Returns the largest quantity of a dimension that rounding may have left. Suger adds up floating-point numbers, so a
/// part of less than 1 in 10^12 of the quantities that it added is ignored: enough for thousands of groups.
pub(super) fn rounding(info: &Info, dimension: &str, used: Decimal) -> Decimal {
    let stated = stated(info, dimension).unwrap_or_default();
    let carried_in = of(&info.decimal_parts, dimension).unwrap_or_default();
    used.max(stated).max(carried_in) * Decimal::new(1, 12)
}

/// Returns all usage of a dimension that a report states.
fn stated(info: &Info, dimension: &str) -> Option<Decimal> {
    let stated = [&info.reported_records, &info.included_records, &info.credit_records, &info.new_decimal_parts];
    stated.into_iter().filter_map(|map| of(map, dimension)).reduce(Decimal::saturating_add)
}

fn of(map: &BTreeMap<String, DecimalNumber>, dimension: &str) -> Option<Decimal> {
    map.get(dimension).map(|quantity| quantity.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn usage_missing_in_the_report_is_returned() {
        let of = |info: Value, used: &str| {
            let part = unstated(&serde_json::from_value(info).unwrap(), "gb", used.parse().unwrap());
            part.map(|part| part.normalize().to_string())
        };
        for (info, used, expected) in [
            (json!({"reportedRecords": {"gb": 0}}), "5", Some("5")),
            (json!({"reportedRecords": {"gb": 4}}), "5", Some("1")),
            (json!({"reportedRecords": {"gb": 5}}), "5", None),
            (json!({"reportedRecords": {"gb": 7}}), "5", None),
            (
                json!({"reportedRecords": {"gb": 1}, "includedRecords": {"gb": 2}, "creditRecords": {"gb": 2}}),
                "5",
                None,
            ),
            (json!({"includedRecords": {"gb": 2}}), "5", Some("3")),
            (
                json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": 0.4}, "newDecimalParts": {"gb": 0.65}}),
                "1.25",
                None,
            ),
            (json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": 0.4}}), "1.25", Some("0.65")),
            (json!({"reportedRecords": {"gb": 0.1}}), "0.10000000000000001", None),
            // The error is that of the sum, which is larger than the usage.
            (
                json!({"reportedRecords": {"gb": 0}, "decimalParts": {"gb": 0.7}, "newDecimalParts": {"gb": 0.7000989999999999}}),
                "0.000099",
                None,
            ),
            (json!({"reportedRecords": {"gb": 0}}), "0", None),
            // The report does not state the dimension.
            (json!({}), "5", None),
            (json!({"reportedRecords": {"calls": 5}, "decimalParts": {"gb": 0.5}}), "5", None),
        ] {
            assert_eq!(of(info.clone(), used).as_deref(), expected, "{info} {used}");
        }
    }
}
