//! The quantity that a marketplace states to have accepted.

use usage_billing_core::Decimal;

use super::aws_response::aws_response;
use crate::suger::types::{
    AwsUsageRecordResultStatus, AzureUsageEventStatus, MeteringUsageRecordReportInfo as Info, Partner,
};

/// Returns the quantity of a dimension in the response of the marketplace. `None` if the response does not state it for
/// every accepted record of the dimension, or if responses of this marketplace have no quantities.
pub(super) fn accepted_quantity(info: &Info, partner: Option<&Partner>, dimension: &str) -> Option<Decimal> {
    match partner {
        Some(Partner::Aws | Partner::AwsChina) => of_aws(info, dimension),
        Some(Partner::Azure) => of_azure(info, dimension),
        Some(_) => None,
        None => of_aws(info, dimension).or_else(|| of_azure(info, dimension)),
    }
}

fn of_aws(info: &Info, dimension: &str) -> Option<Decimal> {
    let response = aws_response(info)?.ok()?;
    let accepted = response.results.iter().filter(|it| it.status == Some(AwsUsageRecordResultStatus::Success));
    let records = accepted.filter_map(|result| result.usage_record.as_ref());
    sum(records.filter(|it| it.dimension.as_deref() == Some(dimension)).map(|it| it.quantity.map(Decimal::from)))
}

fn of_azure(info: &Info, dimension: &str) -> Option<Decimal> {
    let events = info.azure_metering_response.as_ref()?.result.iter();
    let accepted = events.filter(|event| event.status == Some(AzureUsageEventStatus::Accepted));
    sum(accepted.filter(|it| it.dimension.as_deref() == Some(dimension)).map(|it| it.quantity.map(|it| it.0)))
}

/// Returns the sum of at least one quantity, if all are stated.
fn sum(quantities: impl Iterator<Item = Option<Decimal>>) -> Option<Decimal> {
    let mut quantities = quantities.peekable();
    quantities.peek()?;
    quantities.try_fold(Decimal::ZERO, |sum, quantity| Some(sum.saturating_add(quantity?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn quantity_of_aws_is_read_in_any_spelling() {
        let record = |quantity: &str, number: u32| json!({"dimension": "gb", quantity: number});
        for results in [
            json!([{"Status": "Success", "UsageRecord": {"Dimension": "gb", "Quantity": 3}}]),
            json!([{"status": "Success", "usageRecord": record("Quantity", 3)}]),
            json!([{"status": "Success", "usageRecord": record("QUANTITY", 1)}, {"Status": "Success", "UsageRecord": record("quantity", 2)}]),
        ] {
            for name in ["results", "Results"] {
                let info = serde_json::from_value(json!({"awsMeteringResponse": {name: results}})).unwrap();
                assert_eq!(accepted_quantity(&info, Some(&Partner::Aws), "gb"), Some(Decimal::from(3)), "{results}");
            }
        }
    }

    #[test]
    fn accepted_quantity_is_the_sum_that_the_marketplace_states() {
        let accepted = |partner: Option<Partner>, info: Value| {
            accepted_quantity(&serde_json::from_value(info).unwrap(), partner.as_ref(), "gb").map(|it| it.to_string())
        };
        let aws = |results: Value| json!({"awsMeteringResponse": {"results": results}});
        let azure = |result: Value| json!({"azureMeteringResponse": {"result": result}});
        let record = |status: &str, quantity: Value| json!({"status": status, "usageRecord": {"dimension": "gb", "quantity": quantity}});
        let event = |status: &str, quantity: Value| json!({"status": status, "dimension": "gb", "quantity": quantity});
        let other = json!({"status": "Success", "usageRecord": {"dimension": "calls", "quantity": 9}});
        for (results, expected) in [
            (json!([record("Success", json!(5)), other]), Some("5")),
            (json!([record("Success", json!(5)), record("Success", json!(2))]), Some("7")),
            (json!([record("Success", json!(5)), record("DuplicateRecord", json!(2))]), Some("5")),
            (json!([record("Success", json!(0))]), Some("0")),
            (json!([record("Success", json!(5)), record("Success", Value::Null)]), None),
            (json!([other]), None),
            (json!([{"status": "Success"}]), None),
            (json!([]), None),
        ] {
            for partner in [Some(Partner::Aws), Some(Partner::AwsChina), None] {
                assert_eq!(accepted(partner, aws(results.clone())).as_deref(), expected, "{results}");
            }
            assert_eq!(accepted(Some(Partner::Azure), aws(results.clone())), None);
        }
        for (result, expected) in [
            (json!([event("Accepted", json!(2)), event("Accepted", json!(0.5))]), Some("2.5")),
            (json!([event("Accepted", json!(2)), event("Duplicate", json!(3))]), Some("2")),
            (json!([{"status": "Accepted", "dimension": "calls", "quantity": 3}]), None),
        ] {
            for partner in [Some(Partner::Azure), None] {
                assert_eq!(accepted(partner, azure(result.clone())).as_deref(), expected, "{result}");
            }
            assert_eq!(accepted(Some(Partner::Gcp), azure(result)), None);
        }
    }
}
