//! Comparison of the quantities of a usage record report with the usage of its groups.

use std::collections::BTreeMap;

use usage_billing_core::{Decimal, DecimalNumber, printable};

use super::accepted_quantity::accepted_quantity;
use crate::suger::types::{MeteringUsageRecordReportInfo as Info, Partner};

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
pub(in crate::suger) fn contradiction(
    info: &Info,
    partner: Option<&Partner>,
    dimension: &str,
    used: Decimal,
) -> Option<String> {
    let name = printable(dimension);
    let sent = stated_in(&info.reported_records, dimension);
    let carried_in = stated_in(&info.decimal_parts, dimension).unwrap_or_default();
    let of_groups = |sent| stated(info, dimension, sent).map(|stated| stated.saturating_sub(carried_in));
    let before_adjustment = stated_in(&info.records_to_report_before_adjustment_at_list_price, dimension);
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
    let stated = stated(info, dimension, stated_in(&info.reported_records, dimension)).unwrap_or_default();
    let carried_in = stated_in(&info.decimal_parts, dimension).unwrap_or_default();
    used.max(stated).max(carried_in) * Decimal::new(1, 12)
}

/// Returns all usage of a dimension that a report states, with what it states to be sent.
fn stated(info: &Info, dimension: &str, sent: Option<Decimal>) -> Option<Decimal> {
    let others = [&info.included_records, &info.credit_records, &info.new_decimal_parts];
    sent.into_iter()
        .chain(others.into_iter().filter_map(|map| stated_in(map, dimension)))
        .reduce(Decimal::saturating_add)
}

fn stated_in(map: &BTreeMap<String, DecimalNumber>, dimension: &str) -> Option<Decimal> {
    map.get(dimension).map(|quantity| quantity.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::suger::test_support::{Section, report_json};
    use crate::suger::types::MeteringUsageRecordReport as Report;

    #[test]
    fn contradictions_of_all_cases_are_those_of_the_snapshot() {
        let sections: Vec<Section> = serde_saphyr::from_str(include_str!("cases.yaml")).unwrap();
        let snapshot = Section::outcomes(sections, |mut fields| {
            let used = fields.remove("used").unwrap().as_str().unwrap().parse().unwrap();
            let accepted = fields.remove("accepted");
            let partner = accepted.as_ref().map(|_| Partner::Aws);
            if let Some(quantity) = accepted {
                fields.insert("aws".to_owned(), json!([["gb", "Success", quantity]]));
            }
            let report: Report = serde_json::from_value(report_json(fields)).unwrap();
            let found = contradiction(&report.info.unwrap(), partner.as_ref(), "gb", used);
            found.unwrap_or_else(|| "none".to_owned())
        });
        insta::assert_snapshot!(snapshot);
    }
}
