//! Comparison of the quantities of a usage record report with the usage of its groups.

use std::collections::BTreeMap;

use usage_billing_core::{Decimal, DecimalNumber, printable};

use super::accepted_quantity::accepted_quantity;
use super::types::{MeteringUsageRecordReportInfo as Info, Partner};

/// Returns a message if a report does not bill the usage of a dimension, or bills other usage of it. `used` is all usage
/// of its groups.
///
/// A report states usage as sent to the marketplace, included, paid from credit, or left to the next report
/// (`newDecimalParts`), and its quantities contain the fraction that earlier reports left to it (`decimalParts`). The
/// sources do not state whether usage that a commit covers is in any of these, so such usage may be missing. Usage that
/// is charged beyond a commit at list price is stated before that adjustment as well. The sources do not state whether
/// that is before the other steps, too, nor whether it is 0 without an adjustment, so a report contradicts only if it does
/// in each reading. A report that states nothing of the dimension contradicts nothing; the quantity in the response of
/// the marketplace counts then.
pub(super) fn contradiction(info: &Info, partner: Option<&Partner>, dimension: &str, used: Decimal) -> Option<String> {
    let name = printable(dimension);
    let sent = of(&info.reported_records, dimension);
    let carried_in = of(&info.decimal_parts, dimension).unwrap_or_default();
    let of_groups = |sent| stated(info, dimension, sent).map(|stated| stated.saturating_sub(carried_in));
    let before_adjustment = of(&info.records_to_report_before_adjustment_at_list_price, dimension);
    let adjusted = before_adjustment.into_iter().flat_map(|before| [of_groups(Some(before)), Some(before)]);
    let readings: Vec<Decimal> = [of_groups(sent)].into_iter().chain(adjusted).flatten().collect();
    let rounding = rounding(info, dimension, used);
    let differs = |stated: &Decimal| used.saturating_sub(*stated).abs() > rounding;
    if let Some(stated) = readings.first().filter(|_| readings.iter().all(differs)) {
        let part = used.saturating_sub(*stated);
        return Some(match part.is_sign_negative() {
            false => format!("Suger: {part} of {used} {name} in the groups of the report is not in the report"),
            true => format!("Suger: the report has {} {name} more than its groups used ({used})", -part),
        });
    }
    let expected = sent.unwrap_or(if readings.is_empty() { used } else { Decimal::ZERO });
    let accepted = accepted_otherwise(info, partner, dimension, expected, rounding)?;
    Some(format!("the marketplace accepted {accepted} {name}, not {expected}"))
}

/// Returns the quantity of a dimension that the marketplace states to have accepted, if it differs from the sent one by
/// more than rounding.
pub(super) fn accepted_otherwise(
    info: &Info,
    partner: Option<&Partner>,
    dimension: &str,
    sent: Decimal,
    rounding: Decimal,
) -> Option<Decimal> {
    accepted_quantity(info, partner, dimension).filter(|accepted| accepted.saturating_sub(sent).abs() > rounding)
}

/// Returns the largest quantity of a dimension that rounding may have left. Suger adds up floating-point numbers, so a
/// part of less than 1 in 10^12 of the quantities that it added is ignored: enough for thousands of groups.
pub(super) fn rounding(info: &Info, dimension: &str, used: Decimal) -> Decimal {
    let stated = stated(info, dimension, of(&info.reported_records, dimension)).unwrap_or_default();
    let carried_in = of(&info.decimal_parts, dimension).unwrap_or_default();
    used.max(stated).max(carried_in) * Decimal::new(1, 12)
}

/// Returns all usage of a dimension that a report states, with what it states to be sent.
fn stated(info: &Info, dimension: &str, sent: Option<Decimal>) -> Option<Decimal> {
    let others = [&info.included_records, &info.credit_records, &info.new_decimal_parts];
    sent.into_iter().chain(others.into_iter().filter_map(|map| of(map, dimension))).reduce(Decimal::saturating_add)
}

fn of(map: &BTreeMap<String, DecimalNumber>, dimension: &str) -> Option<Decimal> {
    map.get(dimension).map(|quantity| quantity.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn report_bills_exactly_the_usage_of_its_groups() {
        let of = |info: Value, used: &str| {
            contradiction(&serde_json::from_value(info).unwrap(), None, "gb", used.parse().unwrap())
        };
        let missing = |part: &str, used: &str| {
            Some(format!("Suger: {part} of {used} gb in the groups of the report is not in the report"))
        };
        let more = |part: &str, used: &str| {
            Some(format!("Suger: the report has {part} gb more than its groups used ({used})"))
        };
        for (info, used, expected) in [
            (json!({"reportedRecords": {"gb": 0}}), "5", missing("5", "5")),
            (json!({"reportedRecords": {"gb": 4}}), "5", missing("1", "5")),
            (json!({"reportedRecords": {"gb": 5}}), "5", None),
            (json!({"reportedRecords": {"gb": 50}}), "5", more("45", "5")),
            (json!({"reportedRecords": {"gb": 5}, "includedRecords": {"gb": 1}}), "5", more("1", "5")),
            (json!({"reportedRecords": {"gb": 1}}), "0", more("1", "0")),
            (
                json!({"reportedRecords": {"gb": 1}, "includedRecords": {"gb": 2}, "creditRecords": {"gb": 2}}),
                "5",
                None,
            ),
            (json!({"includedRecords": {"gb": 2}}), "5", missing("3", "5")),
            (
                json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": 0.4}, "newDecimalParts": {"gb": 0.65}}),
                "1.25",
                None,
            ),
            (json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": 0.4}}), "1.25", missing("0.65", "1.25")),
            (json!({"reportedRecords": {"gb": 2}, "decimalParts": {"gb": 0.25}}), "1.5", more("0.25", "1.5")),
            (json!({"reportedRecords": {"gb": 0.1}}), "0.10000000000000001", None),
            // The error is that of the sum, which is larger than the usage.
            (
                json!({"reportedRecords": {"gb": 0}, "decimalParts": {"gb": 0.7}, "newDecimalParts": {"gb": 0.7000989999999999}}),
                "0.000099",
                None,
            ),
            (json!({"reportedRecords": {"gb": 0}}), "0", None),
            // Charged at list price, beyond a commit.
            (
                json!({"reportedRecords": {"gb": 7.5}, "recordsToReportBeforeAdjustmentAtListPrice": {"gb": 5}}),
                "5",
                None,
            ),
            // The report does not state the dimension.
            (json!({}), "5", None),
            (json!({"reportedRecords": {"calls": 5}, "decimalParts": {"gb": 0.5}}), "5", None),
        ] {
            assert_eq!(of(info.clone(), used), expected, "{info} {used}");
        }
    }

    #[test]
    fn quantity_before_an_adjustment_contradicts_only_with_all_others() {
        let of = |mut info: Value, before: &str, used: &str| {
            info["recordsToReportBeforeAdjustmentAtListPrice"] =
                json!({"gb": serde_json::from_str::<Value>(before).unwrap()});
            contradiction(&serde_json::from_value(info).unwrap(), None, "gb", used.parse().unwrap())
        };
        let reported = |quantity: u32| json!({"reportedRecords": {"gb": quantity}});
        for (info, before, used) in [
            (reported(7), "5", "5"),
            // Not adjusted.
            (reported(5), "0", "5"),
            (reported(5), "5", "5"),
            // Before whole units, included usage or credit were taken off.
            (json!({"reportedRecords": {"gb": 5}, "newDecimalParts": {"gb": 0.25}}), "5.25", "5.25"),
            (json!({"reportedRecords": {"gb": 3}, "includedRecords": {"gb": 2}}), "5", "5"),
            (json!({"reportedRecords": {"gb": 4.5}, "includedRecords": {"gb": 2}}), "5", "5"),
            // After they were.
            (json!({"reportedRecords": {"gb": 4.5}, "creditRecords": {"gb": 2}}), "3", "5"),
            (json!({"reportedRecords": {"gb": 4}, "decimalParts": {"gb": 0.5}}), "3", "2.5"),
            (json!({}), "5", "5"),
        ] {
            assert_eq!(of(info.clone(), before, used), None, "{info} {before} {used}");
        }
        let more = Some("Suger: the report has 45 gb more than its groups used (5)".to_owned());
        assert_eq!(of(reported(50), "0", "5"), more);
        assert_eq!(of(reported(50), "50", "5"), more);
        let missing = Some("Suger: 2 of 5 gb in the groups of the report is not in the report".to_owned());
        assert_eq!(of(reported(3), "2", "5"), missing);
        assert_eq!(of(json!({}), "3", "5"), missing);
    }

    #[test]
    fn marketplace_accepts_the_quantity_of_the_report() {
        let of = |mut info: Value, accepted: Value| {
            let result = json!({"status": "Success", "usageRecord": {"dimension": "gb", "quantity": accepted}});
            info["awsMeteringResponse"] = json!({"results": [result]});
            let info = serde_json::from_value(info).unwrap();
            contradiction(&info, Some(&Partner::Aws), "gb", Decimal::from(5))
        };
        let not =
            |accepted: u32, expected: u32| Some(format!("the marketplace accepted {accepted} gb, not {expected}"));
        let reported = || json!({"reportedRecords": {"gb": 5}});
        assert_eq!(of(reported(), json!(5)), None);
        assert_eq!(of(reported(), Value::Null), None);
        assert_eq!(of(reported(), json!(3)), not(3, 5));
        assert_eq!(of(reported(), json!(6)), not(6, 5));
        // Only the marketplace states a quantity.
        assert_eq!((of(json!({}), json!(5)), of(json!({}), json!(3))), (None, not(3, 5)));
        // Nothing was charged.
        assert_eq!(of(json!({"includedRecords": {"gb": 5}}), json!(5)), not(5, 0));
        assert_eq!(of(json!({"includedRecords": {"gb": 5}}), json!(0)), None);
        let adjusted = json!({"reportedRecords": {"gb": 7}, "recordsToReportBeforeAdjustmentAtListPrice": {"gb": 5}});
        assert_eq!((of(adjusted.clone(), json!(7)), of(adjusted, json!(5))), (None, not(5, 7)));
    }
}
