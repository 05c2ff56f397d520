use serde::de::DeserializeOwned;
use usage_billing_suger::{Client, types};

use super::{calls, day};
use crate::{Call, Document};

/// Returns the document's example of the body.
fn body<T: DeserializeOwned>(operation: &str) -> T {
    Document::suger().operation(operation).body()
}

pub(crate) fn calls() -> Vec<Call<Client>> {
    calls! { |client: Client|
        json "reportUsageRecordGroup" => client
            .report_usage_record_group()
            .org_id("acme")
            .entitlement_id("e-1")
            .body::<types::CreateUsageRecordGroupParams>(body("reportUsageRecordGroup"));
        json "batchReportUsageRecordGroups" =>
            client.batch_report_usage_record_groups().org_id("acme").body::<Vec<types::NewUsageRecordGroup>>(body("batchReportUsageRecordGroups"));
        json "batchValidateUsageRecordGroups" =>
            client.batch_validate_usage_record_groups().org_id("acme").body::<Vec<types::NewUsageRecordGroup>>(body("batchValidateUsageRecordGroups"));
        json "listUsageRecordGroups" => client.list_usage_record_groups().org_id("acme");
        json "aggregateUsageRecordGroups" => client
            .aggregate_usage_record_groups()
            .org_id("acme")
            .partner("AWS")
            .granularity("DAY")
            .start_date(day("2026-11-19"))
            .end_date(day("2026-11-20"));
        json "deleteUsageRecordGroup" => client.delete_usage_record_group().org_id("acme").usage_record_group_id("g-1");
        json "retryUsageRecordGroup" => client.retry_usage_record_group().org_id("acme").usage_record_group_id("g-1");
        json "listUsageRecordReports" => client.list_usage_record_reports().org_id("acme");
        json "aggregateUsageRecordReports" => client
            .aggregate_usage_record_reports()
            .org_id("acme")
            .partner("AWS")
            .granularity("DAY")
            .start_date(day("2026-11-19"))
            .end_date(day("2026-11-20"));
        json "createBillableMetric" =>
            client.create_billable_metric().org_id("acme").body::<types::BillableMetric>(body("createBillableMetric"));
        json "listBillableMetrics" => client.list_billable_metrics().org_id("acme");
        json "getBillableMetric" => client.get_billable_metric().org_id("acme").billable_metric_id("m-1");
        json "updateBillableMetric" => client
            .update_billable_metric()
            .org_id("acme")
            .billable_metric_id("m-1")
            .body::<types::UpdateBillableMetricParams>(body("updateBillableMetric"));
        json "getUsageMeteringConfigInfo" => client.get_usage_metering_config_info().org_id("acme");
        json "updateUsageMeteringConfigInfo" =>
            client.update_usage_metering_config_info().org_id("acme").body::<types::UsageMeteringConfigInfo>(body("updateUsageMeteringConfigInfo"));
        json "listUsageMeteringDailyRecords" => client.list_usage_metering_daily_records().org_id("acme").partner("AWS");
        json "listEntitlements" => client.list_entitlements().org_id("acme");
        json "getEntitlement" => client.get_entitlement().org_id("acme").entitlement_id("e-1");
        json "listBuyers" => client.list_buyers().org_id("acme");
        json "getBuyer" => client.get_buyer().org_id("acme").buyer_id("b-1");
        json "listProducts" => client.list_products().org_id("acme");
        json "getProduct" => client.get_product().org_id("acme").product_id("p-1");
    }
}
