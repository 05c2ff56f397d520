//! The marketplace's part of a report: prices, the raw request and the raw response.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use usage_billing_core::{Decimal, DecimalNumber};
use usage_billing_suger::types;
use usage_billing_suger::types::Partner;

use crate::dataset;

type Info = types::MeteringUsageRecordReportInfo;
type Entitlement = types::WorkloadEntitlement;

pub(super) fn accepted(info: &mut Info, entitlement: &Entitlement, report_id: &str) {
    let records = info.reported_records.clone();
    match &entitlement.partner {
        Some(Partner::Aws) => aws(info, entitlement, &records, report_id),
        Some(Partner::Azure) => azure(info, entitlement, &records, None),
        Some(Partner::Gcp) => gcp(info, entitlement, &records, report_id),
        _ => {}
    }
}

/// Adds the marketplace's rejection. Only Azure's responses contain errors; other marketplaces leave no response.
pub(super) fn rejected(info: &mut Info, entitlement: &Entitlement, sums: &BTreeMap<String, Decimal>, reason: &str) {
    let records = sums.iter().map(|(key, quantity)| (key.clone(), quantity.normalize().into())).collect();
    if entitlement.partner == Some(Partner::Azure) {
        azure(info, entitlement, &records, Some(reason));
    }
}

fn aws(info: &mut Info, entitlement: &Entitlement, records: &BTreeMap<String, DecimalNumber>, report_id: &str) {
    // AWS accepts no larger number.
    let whole = |quantity: &DecimalNumber| i64::try_from(quantity.0.trunc()).unwrap_or(i64::MAX);
    let sent = |(key, quantity): (&String, &DecimalNumber)| types::AwsUsageRecordInput {
        customer_identifier: entitlement.external_buyer_id.clone(),
        dimension: Some(key.clone()),
        quantity: Some(whole(quantity)),
        timestamp: info.start_time,
        usage_allocations: Vec::new(),
    };
    let result = |(key, quantity): (&String, &DecimalNumber)| types::AwsUsageRecordResult {
        metering_record_id: Some(dataset::id(&format!("{report_id}/{key}")).to_string()),
        status: Some(types::AwsUsageRecordResultStatus::Success),
        usage_record: Some(types::AwsUsageRecord {
            customer_identifier: entitlement.external_buyer_id.clone(),
            dimension: Some(key.clone()),
            quantity: Some(whole(quantity)),
            timestamp: info.start_time.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true)),
            customer_aws_account_id: None,
            license_arn: None,
            usage_allocations: Vec::new(),
            extra: Default::default(),
        }),
        extra: Default::default(),
    };
    let request = types::AwsBatchMeterUsageInput {
        product_code: entitlement.external_product_id.clone(),
        usage_records: records.iter().map(sent).collect(),
    };
    let response = types::AwsBatchMeterUsageOutput {
        results: records.iter().map(result).collect(),
        unprocessed_records: Vec::new(),
        result_metadata: Default::default(),
        extra: Default::default(),
    };
    info.aws_metering_request = Some(request);
    info.aws_metering_response = Some(response);
}

fn azure(
    info: &mut Info,
    entitlement: &Entitlement,
    records: &BTreeMap<String, DecimalNumber>,
    rejected: Option<&str>,
) {
    let time = info.start_time.map(|time| time.format("%Y-%m-%dT%H:%M:%S").to_string());
    let end = info.end_time.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
    let plan = Some("standard".to_owned());
    let sent = |(key, quantity): (&String, &DecimalNumber)| types::AzureUsageEvent {
        resource_id: entitlement.external_id.clone(),
        plan_id: plan.clone(),
        dimension: Some(key.clone()),
        quantity: Some(*quantity),
        effective_start_time: time.clone(),
        ..Default::default()
    };
    let result = |(key, quantity): (&String, &DecimalNumber)| types::AzureUsageBatchEventOkMessage {
        status: Some(match rejected {
            None => types::AzureUsageEventStatus::Accepted,
            Some(_) => types::AzureUsageEventStatus::InvalidDimension,
        }),
        error: rejected.map(|reason| types::AzureUsageEventConflictResponse {
            code: Some("BadArgument".to_owned()),
            message: Some(reason.to_owned()),
            ..Default::default()
        }),
        message_time: end.clone(),
        resource_id: entitlement.external_id.clone(),
        plan_id: plan.clone(),
        dimension: Some(key.clone()),
        quantity: Some(*quantity),
        effective_start_time: time.clone(),
        ..Default::default()
    };
    let result: Vec<_> = records.iter().map(result).collect();
    info.azure_metering_request = Some(types::AzureBatchUsageEvent { request: records.iter().map(sent).collect() });
    info.azure_metering_response =
        Some(types::AzureBatchUsageEventOkResponse { count: i64::try_from(result.len()).ok(), result });
}

fn gcp(info: &mut Info, entitlement: &Entitlement, records: &BTreeMap<String, DecimalNumber>, report_id: &str) {
    let time =
        |time: Option<chrono::DateTime<chrono::Utc>>| time.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
    let service = entitlement.external_product_id.as_deref().unwrap_or_default();
    let metric = |name: &str, value: types::GcpMetricValue| types::GcpMetricValueSet {
        metric_name: Some(format!("{service}/{name}")),
        metric_values: vec![value],
    };
    let mut values: Vec<_> = records
        .iter()
        .map(|(key, quantity)| {
            metric(key, types::GcpMetricValue { double_value: Some(*quantity), ..Default::default() })
        })
        .collect();
    // Suger prices metrics itself, and reports an amount of money.
    let amounts = info.aggregated_billable_records.iter().filter_map(|total| total.amount);
    if let Some(amount) = amounts.map(|amount| amount.0).reduce(super::sum) {
        let money_value = Some(money(amount, entitlement));
        values.push(metric("usd", types::GcpMetricValue { money_value, ..Default::default() }));
    }
    info.gcp_metering_request = Some(types::GcpMeteringOperation {
        operation_id: Some(dataset::id(&format!("{report_id}/operation")).to_string()),
        operation_name: Some("hourly usage".to_owned()),
        consumer_id: entitlement.external_id.clone(),
        start_time: time(info.start_time),
        end_time: time(info.end_time),
        metric_value_sets: values,
        ..Default::default()
    });
    info.gcp_metering_response = Some(types::GcpReportResponse::default());
}

fn money(amount: Decimal, entitlement: &Entitlement) -> types::GcpMoney {
    let nanos = amount.fract().checked_mul(Decimal::from(1_000_000_000)).unwrap_or_default().trunc();
    types::GcpMoney {
        currency_code: entitlement.info.as_ref().and_then(|info| info.currency.clone()),
        units: Some(amount.trunc().to_string()),
        nanos: i64::try_from(nanos).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::suger::Organization;

    /// Returns the report on `quantity` of a dimension and `amount` of a metric.
    fn report_json(entitlement: &str, quantity: &str, amount: Option<&str>) -> serde_json::Value {
        let organization = Organization::of_tests();
        let mut info = Info {
            start_time: "2026-11-20T09:00:00Z".parse().ok(),
            end_time: "2026-11-20T10:00:00Z".parse().ok(),
            reported_records: [("key".to_owned(), quantity.parse().unwrap())].into_iter().collect(),
            ..Default::default()
        };
        info.aggregated_billable_records.extend(
            amount.map(|amount| types::AggregatedMeteringUsageRecord {
                amount: amount.parse().ok(),
                ..Default::default()
            }),
        );
        accepted(&mut info, organization.entitlement(entitlement).unwrap(), "report");
        serde_json::to_value(&info).unwrap()
    }

    #[test]
    fn report_shows_its_own_marketplace_only() {
        for (entitlement, quantity, at, expected) in [
            ("ent-aws01", "1843", "/awsMeteringRequest/UsageRecords/0/Quantity", "1843"),
            ("ent-aws01", "1843", "/awsMeteringResponse/results/0/usageRecord/timestamp", "\"2026-11-20T09:00:00Z\""),
            ("ent-aws01", "9223372036854775808", "/awsMeteringRequest/UsageRecords/0/Quantity", "9223372036854775807"),
            ("ent-azu01", "3.5", "/azureMeteringRequest/request/0/quantity", "3.5"),
            ("ent-azu01", "3.5", "/azureMeteringResponse/result/0/status", "\"Accepted\""),
            ("ent-gcp01", "0.5", "/gcpMeteringRequest/metricValueSets/0/metricValues/0/doubleValue", "0.5"),
        ] {
            let report = report_json(entitlement, quantity, None);
            assert_eq!(report.pointer(at).map(ToString::to_string).as_deref(), Some(expected), "{at}");
            let raw = report.as_object().unwrap().keys().filter(|key| key.contains("Metering"));
            assert_eq!(raw.count(), 2);
        }
    }

    #[test]
    fn gcp_amounts_are_units_and_nanos() {
        for (amount, units, nanos) in [("1.8255", "1", 825_500_000), ("0.0000000019", "0", 1), ("7", "7", 0)] {
            let report = report_json("ent-gcp01", "1", Some(amount));
            let money = &report["gcpMeteringRequest"]["metricValueSets"][1]["metricValues"][0]["moneyValue"];
            assert_eq!(*money, serde_json::json!({"currencyCode": "USD", "units": units, "nanos": nanos}));
        }
    }

    #[test]
    fn azure_rejection_has_a_reason() {
        let organization = Organization::of_tests();
        let entitlement = organization.entitlement("ent-azu02").unwrap();
        let mut info = Info::default();
        rejected(&mut info, entitlement, &[("seats".to_owned(), Decimal::TWO)].into_iter().collect(), "no such plan");
        let result = &serde_json::to_value(&info).unwrap()["azureMeteringResponse"]["result"][0];
        assert_eq!(
            (&result["status"], &result["error"]["message"]),
            (&"InvalidDimension".into(), &"no such plan".into())
        );
    }
}
