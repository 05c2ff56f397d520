//! Requests and responses of each operation of Suger.

use chrono::NaiveDate;
use httpmock::When;
use serde::de::DeserializeOwned;
use usage_billing_suger::mock::MockServerExt;
use usage_billing_suger::{DecimalNumber, ErrorKind, types};
use usage_billing_tests::{Document, ScriptedResponse, ScriptedServer, Suger, Vendor};

use crate::mocked::start;

/// Ids that would change the path if they were not escaped.
const ORG: &str = "a/c?m#e";
const ID: &str = "ü 1%2F";

/// More digits than a float has.
const LONG: &str = "12345678901234567.123456789";

/// Expects the headers of every request, and no other header that concerns the API.
fn usual(when: When) -> When {
    when.header("authorization", Suger::AUTHORIZATION)
        .header("accept", "application/json")
        .header_missing("api-version")
}

fn with_body(when: When, json: &str) {
    usual(when).header("content-type", "application/json").body(json);
}

fn without_body(when: When) {
    usual(when).header_missing("content-type");
}

fn example<T: DeserializeOwned>(operation: &str) -> T {
    Document::suger().operation(operation).response()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Returns usage of one dimension, `gb`.
fn usage(quantity: &str) -> types::NewUsageRecordGroup {
    let records = [("gb".to_owned(), quantity.parse::<DecimalNumber>().unwrap())];
    types::NewUsageRecordGroup::builder().entitlement_id("e-1").records(records).try_into().unwrap()
}

fn long() -> DecimalNumber {
    LONG.parse().unwrap()
}

#[tokio::test]
async fn usage_report_has_every_digit() {
    let (server, client) = start::<Suger>();
    let mock = server.report_usage_record_group(|when, then| {
        let json = format!(
            r#"{{"entitlementID":"ü 1%2F","id":"r-1","organizationID":"a/c?m#e","records":{{"gb":{LONG},"zero":0.10}}}}"#
        );
        with_body(when.org_id(ORG).entitlement_id(ID).into_inner(), &json);
        then.ok(&example("reportUsageRecordGroup"));
    });
    let records = [("gb".to_owned(), long()), ("zero".to_owned(), "0.10".parse().unwrap())];
    let body = types::CreateUsageRecordGroupParams::builder()
        .organization_id(ORG)
        .entitlement_id(ID)
        .id("r-1")
        .records(records);
    let stored = client.report_usage_record_group().org_id(ORG).entitlement_id(ID).body(body).send().await.unwrap();
    mock.assert();
    assert_eq!(stored.status, Some(types::UsageRecordGroupStatus::Created));
    assert_eq!(stored.records["ingest_gb"].to_string(), "1843.0625");
}

#[tokio::test]
async fn batch_of_reports_has_every_digit() {
    let (server, client) = start::<Suger>();
    let mut group = usage(LONG);
    group.timestamp = Some("2026-11-20T10:15:00Z".parse().unwrap());
    let json = format!(r#"[{{"entitlementID":"e-1","records":{{"gb":{LONG}}},"timestamp":"2026-11-20T10:15:00Z"}}]"#);
    let mock = server.batch_report_usage_record_groups(|when, then| {
        with_body(when.org_id(ORG).into_inner(), &json);
        then.ok(&example("batchReportUsageRecordGroups"));
    });
    let call = client.batch_report_usage_record_groups().org_id(ORG).body(vec![group.clone()]);
    assert_eq!(call.send().await.unwrap().len(), 2);
    mock.assert();

    let mock = server.batch_validate_usage_record_groups(|when, then| {
        with_body(when.org_id(ORG).into_inner(), &json);
        then.ok("");
    });
    let call = client.batch_validate_usage_record_groups().org_id(ORG).body(vec![group]);
    assert_eq!(call.send().await.unwrap().into_inner(), "");
    mock.assert();
}

#[tokio::test]
async fn validation_with_an_empty_response_is_a_success() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::new(200, &[], "")]);
    let client = Suger::client(server.url()).build().unwrap();
    let call = client.batch_validate_usage_record_groups().org_id(ORG).body(vec![]);
    assert_eq!(call.send().await.unwrap().into_inner(), "");
    assert_eq!(server.requests()[0].body, "[]");
}

#[tokio::test]
async fn usage_record_groups_by_every_filter() {
    let (server, client) = start::<Suger>();
    let mock = server.list_usage_record_groups(|when, then| {
        let when = when
            .org_id(ORG)
            .partner(&types::Partner::Aws)
            .buyer_id("b&1")
            .entitlement_id("e=1")
            .status(&types::UsageRecordGroupStatus::ReportFailed)
            .source(&types::UsageRecordGroupSource::from("NEW_SOURCE"))
            .meta_info("{\"a\": 1}")
            .start_date(&day("2026-10-01"))
            .end_date(&day("2026-10-31"))
            .limit(1000)
            .offset(2000);
        without_body(when.into_inner());
        then.ok(&example("listUsageRecordGroups"));
    });
    let call = client.list_usage_record_groups().org_id(ORG).partner("AWS").buyer_id("b&1").entitlement_id("e=1");
    let call = call.status("REPORT_FAILED").source("NEW_SOURCE").meta_info("{\"a\": 1}");
    let call = call.start_date(day("2026-10-01")).end_date(day("2026-10-31")).limit(1000).offset(2000);
    let page = call.send().await.unwrap();
    mock.assert();
    assert_eq!((page.usage_record_groups.len(), page.next_offset), (2, Some(2)));

    let unfiltered = server.list_usage_record_groups(|when, then| {
        let when = when.org_id("plain").partner(None).buyer_id(None).entitlement_id(None).status(None).source(None);
        let when = when.meta_info(None).start_date(None).end_date(None).limit(None).offset(None);
        without_body(when.into_inner());
        then.ok(&types::ListUsageRecordGroupsResponse {
            next_offset: None,
            usage_record_groups: vec![],
            error: None,
            code: None,
            message: None,
        });
    });
    assert!(client.list_usage_record_groups().org_id("plain").send().await.unwrap().usage_record_groups.is_empty());
    unfiltered.assert();
}

#[tokio::test]
async fn usage_record_reports_by_every_filter() {
    let (server, client) = start::<Suger>();
    let mock = server.list_usage_record_reports(|when, then| {
        let when = when
            .org_id(ORG)
            .partner(&types::Partner::Azure)
            .buyer_id("b-1")
            .entitlement_id("e-1")
            .start_date(&day("2026-10-01"))
            .end_date(&day("2026-10-31"))
            .limit(10)
            .offset(0);
        without_body(when.into_inner());
        then.ok(&example("listUsageRecordReports"));
    });
    let call = client.list_usage_record_reports().org_id(ORG).partner("AZURE").buyer_id("b-1").entitlement_id("e-1");
    let call = call.start_date(day("2026-10-01")).end_date(day("2026-10-31")).limit(10).offset(0);
    let page = call.send().await.unwrap();
    mock.assert();
    let info = page.usage_record_reports[0].info.as_ref().unwrap();
    assert_eq!(info.used_commit_amount_increment.unwrap().to_string(), "64.505");
}

#[tokio::test]
async fn group_is_deleted_and_retried_by_its_id() {
    let (server, client) = start::<Suger>();
    let created = day("2026-11-20");
    let mock = server.delete_usage_record_group(|when, then| {
        without_body(when.org_id(ORG).usage_record_group_id(ID).creation_date(&created).into_inner());
        then.ok(&example("deleteUsageRecordGroup"));
    });
    let call = client.delete_usage_record_group().org_id(ORG).usage_record_group_id(ID).creation_date(created);
    assert_eq!(call.send().await.unwrap().status, Some(types::UsageRecordGroupStatus::Deleted));
    mock.assert();

    let mock = server.retry_usage_record_group(|when, then| {
        without_body(when.org_id(ORG).usage_record_group_id(ID).creation_date(None).into_inner().body(""));
        then.ok(&example("retryUsageRecordGroup"));
    });
    let call = client.retry_usage_record_group().org_id(ORG).usage_record_group_id(ID);
    assert_eq!(call.send().await.unwrap().status, Some(types::UsageRecordGroupStatus::Created));
    mock.assert();
}

#[tokio::test]
async fn billable_metrics_are_created_read_listed_and_changed() {
    let (server, client) = start::<Suger>();
    let metric: types::BillableMetric = Document::suger().operation("createBillableMetric").body();
    let mock = server.create_billable_metric(|when, then| {
        with_body(when.org_id(ORG).into_inner(), &serde_json::to_string(&metric).unwrap());
        then.ok(&example("createBillableMetric"));
    });
    let created = client.create_billable_metric().org_id(ORG).body(metric.clone()).send().await.unwrap();
    mock.assert();
    assert_eq!(created.status, Some(types::BillableMetricStatus::Active));

    let mock = server.get_billable_metric(|when, then| {
        without_body(when.org_id(ORG).billable_metric_id(ID).into_inner());
        then.ok(&example("getBillableMetric"));
    });
    let read = client.get_billable_metric().org_id(ORG).billable_metric_id(ID).send().await.unwrap();
    mock.assert();
    assert_eq!(read.aggregation_type, Some(types::BillableMetricAggregationType::Sum));

    let mock = server.list_billable_metrics(|when, then| {
        without_body(when.org_id(ORG).status(&types::BillableMetricStatus::Deleted).into_inner());
        then.ok(&example("listBillableMetrics"));
    });
    assert_eq!(client.list_billable_metrics().org_id(ORG).status("DELETED").send().await.unwrap().len(), 2);
    mock.assert();

    let mock = server.update_billable_metric(|when, then| {
        let when = when.org_id(ORG).billable_metric_id(ID).into_inner();
        with_body(when, r#"{"name":"GPU seconds, retired","status":"DELETED"}"#);
        then.ok(&example("updateBillableMetric"));
    });
    let body = types::UpdateBillableMetricParams::builder()
        .name("GPU seconds, retired".to_owned())
        .status(types::BillableMetricStatus::Deleted);
    let call = client.update_billable_metric().org_id(ORG).billable_metric_id(ID).body(body);
    assert_eq!(call.send().await.unwrap().status, Some(types::BillableMetricStatus::Deleted));
    mock.assert();
}

#[tokio::test]
async fn metering_settings_round_trip_with_every_digit() {
    let (server, client) = start::<Suger>();
    let mut settings: types::UsageMeteringConfigInfo = example("getUsageMeteringConfigInfo");
    let mock = server.get_usage_metering_config_info(|when, then| {
        without_body(when.org_id(ORG).into_inner());
        then.ok(&settings);
    });
    assert_eq!(
        client.get_usage_metering_config_info().org_id(ORG).send().await.unwrap().partner_usage_metering_configs.len(),
        2
    );
    mock.assert();

    let dimension =
        &mut settings.partner_usage_metering_configs[0].dimension_mapping_v2.get_mut("api_calls").unwrap()[0];
    dimension.convertion_multiplier = Some(long());
    let json = serde_json::to_string(&settings).unwrap();
    assert!(json.contains(&format!(r#""convertionMultiplier":{LONG}"#)), "{json}");
    let mock = server.update_usage_metering_config_info(|when, then| {
        with_body(when.org_id(ORG).into_inner(), &json);
        then.ok(&settings);
    });
    client.update_usage_metering_config_info().org_id(ORG).body(settings.clone()).send().await.unwrap();
    mock.assert();
}

#[tokio::test]
async fn mock_round_trips_every_digit() {
    let (server, client) = start::<Suger>();
    let stored = types::MeteringUsageRecordGroup { records: [("gb".to_owned(), long())].into(), ..Default::default() };
    let mock = server.batch_report_usage_record_groups(|when, then| {
        when.body(&vec![usage(LONG)]);
        then.ok(&vec![stored]);
    });
    let response =
        client.batch_report_usage_record_groups().org_id("acme").body(vec![usage(LONG)]).send().await.unwrap();
    mock.assert();
    assert_eq!(response[0].records["gb"].to_string(), LONG);
    let other = client.batch_report_usage_record_groups().org_id("acme").body(vec![usage("12345678901234567.12345")]);
    other.send().await.expect_err("another quantity");
}

#[tokio::test]
async fn undocumented_error_formats_are_read() {
    let forms = [
        ("quota exceeded\n", None, "quota exceeded"),
        ("", None, "no reason given"),
        (r#"{"message":"quota exceeded"}"#, None, "quota exceeded"),
        (r#"{"code":"E7","message":"quota exceeded"}"#, Some("E7"), "quota exceeded"),
    ];
    for (body, code, message) in forms {
        let server = ScriptedServer::in_turn(vec![ScriptedResponse::new(403, &[("x-correlation-id", "r-7")], body)]);
        let client = Suger::client(server.url()).build().unwrap();
        let error = client.list_billable_metrics().org_id("acme").send().await.unwrap_err();
        assert_eq!((error.kind(), error.code(), error.message()), (ErrorKind::Permission, code, message), "{body}");
        assert_eq!(error.request_id(), Some("r-7"));
    }
}
