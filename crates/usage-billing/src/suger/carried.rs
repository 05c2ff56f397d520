//! Fractions of a unit that a marketplace of whole units, such as AWS, leaves to the next report of the entitlement: not billed until a later
//! report includes them (`decimalParts`) and leaves none.

use chrono::{DateTime, Utc};
use usage_billing_core::Decimal;

use super::groups::is_set;
use super::marketplace::{Acceptance, acceptance, partner_of};
use super::types::{MeteringUsageRecordReport as Report, MeteringUsageRecordReportInfo as Info};

/// Returns the fraction of a dimension that a report leaves to the next one. `None` if it leaves none, or if
/// `quantity` is a whole number, so that the fraction cannot be part of it.
pub(super) fn carried_out(info: &Info, dimension: &str, quantity: Decimal) -> Option<Decimal> {
    let part = info.new_decimal_parts.get(dimension).map(|part| part.0);
    part.filter(|part| !part.is_zero() && !quantity.fract().is_zero())
}

/// Returns whether a report includes a fraction that an earlier one left.
fn is_carried_in(info: &Info, dimension: &str) -> bool {
    info.decimal_parts.get(dimension).is_some_and(|part| !part.0.is_zero())
}

/// Returns the dimensions of which a report bills every fraction that was left to it. It includes them, leaves nothing
/// to a later one, and was accepted. A new fraction may be the one that was carried in: after 0.5, a report of 2 has 2
/// units and leaves 0.5.
pub(super) fn cleared_dimensions<'a>(report: &'a Report, info: &'a Info) -> impl Iterator<Item = &'a str> {
    let cleared = move |dimension: &&str| {
        let parts = [&info.reported_records, &info.included_records, &info.credit_records];
        let parts = parts.into_iter().filter_map(|map| map.get(*dimension));
        let whole = parts.map(|part| part.0).try_fold(Decimal::ZERO, Decimal::checked_add);
        let leaves_none = info.new_decimal_parts.get(*dimension).is_none_or(|part| part.0.is_zero());
        is_carried_in(info, dimension)
            && leaves_none
            && whole.is_none_or(|whole| whole >= Decimal::ONE)
            && acceptance(info, partner_of(report, None), &[dimension]) == Acceptance::Accepted
    };
    info.reported_records.keys().map(String::as_str).filter(cleared)
}

/// Returns the start of the hour of a report, or its creation time if it does not state the start.
pub(super) fn start_of(report: &Report) -> Option<DateTime<Utc>> {
    let start = report.info.as_ref().and_then(|info| info.start_time).filter(is_set);
    start.or(report.creation_time.filter(is_set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn info_of(json: Value) -> Info {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn fraction_is_carried_out_unless_it_is_zero() {
        let info = info_of(json!({"newDecimalParts": {"gb": 0.25, "calls": 0}, "decimalParts": {"seats": 0.5}}));
        let half = Decimal::new(25, 1);
        let left = ["gb", "calls", "seats"].map(|dimension| carried_out(&info, dimension, half));
        assert_eq!(left, [Some(Decimal::new(25, 2)), None, None]);
        assert_eq!(carried_out(&info, "gb", Decimal::new(300, 2)), None, "no part of a whole number is left");
    }

    #[test]
    fn accepted_whole_unit_clears_fractions() {
        let cleared = |records: Value, more: Value| {
            let parts = json!({"gb": 0.25, "calls": 0.25, "seats": 0.25});
            let mut json = json!({"status": "SUCCESS", "reportedRecords": records, "decimalParts": parts});
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            cleared_dimensions(&Report::default(), &info_of(json)).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(cleared(json!({"gb": 1, "calls": 0.9, "seats": 2}), json!({})), ["gb", "seats"]);
        assert_eq!(
            cleared(json!({"gb": 0}), json!({"includedRecords": {"gb": 0.5}, "creditRecords": {"gb": 0.5}})),
            ["gb"]
        );
        assert!(cleared(json!({"gb": 5}), json!({"status": "FAILED"})).is_empty());
        let parts = json!({"newDecimalParts": {"gb": 0.5, "seats": 0}});
        assert_eq!(cleared(json!({"gb": 5, "seats": 2}), parts), ["seats"]);
        for not_carried in [json!({}), json!({"gb": 0}), json!({"calls": 0.5})] {
            assert!(cleared(json!({"gb": 5}), json!({"decimalParts": not_carried})).is_empty(), "{not_carried}");
        }
        let rejected = json!({"awsMeteringResponse": {"results": [{"status": "DuplicateRecord", "usageRecord": {"dimension": "gb"}}]}});
        assert!(cleared(json!({"gb": 5}), rejected).is_empty());
        let vast = Decimal::MAX.to_string();
        assert_eq!(cleared(json!({"gb": vast}), json!({"includedRecords": {"gb": vast}})), ["gb"]);
    }

    #[test]
    fn start_is_the_start_time_or_the_creation_time() {
        let start = |json: Value| start_of(&serde_json::from_value(json).unwrap()).map(|time| time.to_rfc3339());
        let (zero, made) = ("0001-01-01T00:00:00Z", "2026-10-01T08:01:00Z");
        let at = |hour: u32| Some(format!("2026-10-01T{hour:02}:{:02}:00+00:00", hour % 7));
        assert_eq!(start(json!({"creationTime": made, "info": {"startTime": "2026-10-01T07:00:00Z"}})), at(7));
        assert_eq!(start(json!({"creationTime": made, "info": {"startTime": zero}})), at(8));
        assert_eq!(start(json!({"creationTime": zero})), None);
    }
}
