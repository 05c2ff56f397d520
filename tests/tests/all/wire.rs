//! Requests byte for byte, and the decoding of responses.

use std::pin::pin;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::StreamExt;
use usage_billing_acronis::types as acronis_types;
use usage_billing_core::{Credentials, ErrorKind, LenientDateTime, ResponseValue, RetryPolicy};
use usage_billing_genesys::types as genesys_types;
use usage_billing_suger::types as suger_types;
use usage_billing_tests::{Acronis, Genesys, MockVendor, Request, ScriptedResponse, ScriptedServer, Suger, http};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x41b9_e2d0_7c36_4f58_9a0b_5d8e_1f6c_2a73);

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn last(requests: Vec<Request>) -> Request {
    requests.into_iter().next_back().unwrap()
}

#[tokio::test]
async fn query_date_times_are_utc_without_padding() {
    let vendor = MockVendor::<Genesys>::new(RetryPolicy::none());
    let cases = [
        ("2026-10-01T00:00:00Z", "2026-10-01T00%3A00%3A00Z"),
        ("2026-10-01T02:00:00.000+02:00", "2026-10-01T00%3A00%3A00Z"),
        ("2026-10-31T23:59:59.999Z", "2026-10-31T23%3A59%3A59.999Z"),
    ];
    for (given, sent) in cases {
        vendor.respond(ScriptedResponse::json(200, "{}"));
        let call =
            vendor.client.get_billing_reports_billableusage().start_date(instant(given)).end_date(instant(given));
        call.send().await.unwrap();
        let expected = format!("/api/v2/billing/reports/billableusage?endDate={sent}&startDate={sent}");
        assert_eq!(last(vendor.requests()).target, expected);
    }
}

#[tokio::test]
async fn query_parameters_of_each_type_are_encoded() {
    let vendor = MockVendor::<Genesys>::new(RetryPolicy::none());
    vendor.respond(ScriptedResponse::json(200, "{}"));
    let call = vendor.client.get_billing_contracts().date_start(day("2026-01-31")).date_end(day("2026-12-01"));
    call.status("a new & odd=status").after("c+/=").page_size("25").send().await.unwrap();
    assert_eq!(
        last(vendor.requests()).target,
        "/api/v2/billing/contracts?after=c%2B%2F%3D&dateEnd=2026-12-01&dateStart=2026-01-31&pageSize=25\
         &status=a+new+%26+odd%3Dstatus"
    );

    let vendor = MockVendor::<Acronis>::new(RetryPolicy::none());
    vendor.respond(ScriptedResponse::json(200, r#"{"items":[],"timestamp":"2026-11-01T00:00:00"}"#));
    let call = vendor.client.list_tenants().limit(1000).allow_deleted(true).with_contacts(false);
    call.updated_since(instant("2026-10-01T00:00:00Z")).send().await.unwrap();
    assert_eq!(
        last(vendor.requests()).target,
        "/api/2/tenants?allow_deleted=true&limit=1000&updated_since=2026-10-01T00%3A00%3A00Z&with_contacts=false"
    );
}

#[tokio::test]
async fn path_values_are_percent_encoded() {
    let vendor = MockVendor::<Suger>::new(RetryPolicy::none());
    vendor.respond(ScriptedResponse::json(200, "{}"));
    let cases = [
        ("mT4vKz_9a", "mT4vKz_9a"),
        ("a-b.c~d", "a-b.c~d"),
        ("a/b", "a%2Fb"),
        ("100%", "100%25"),
        ("%2F", "%252F"),
        ("a b+c", "a%20b%2Bc"),
        ("?#;:@&=", "%3F%23%3B%3A%40%26%3D"),
        ("Größe", "Gr%C3%B6%C3%9Fe"),
        ("..x", "..x"),
        ("\n\0", "%0A%00"),
    ];
    for (given, sent) in cases {
        vendor.client.get_billable_metric().org_id("acme").billable_metric_id(given).send().await.unwrap();
        assert_eq!(last(vendor.requests()).target, format!("/org/acme/billableMetric/{sent}"));
    }
}

#[tokio::test]
async fn invalid_parameter_is_reported_without_a_request() {
    let vendor = MockVendor::<Suger>::new(RetryPolicy::none());
    let unset = vendor.client.get_billable_metric().org_id("acme").send().await.unwrap_err();
    assert_eq!(
        unset.to_string(),
        "getBillableMetric: the parameter billable_metric_id is required: set it before `send`"
    );
    let wrong = vendor.client.list_usage_record_groups().org_id("acme").limit(u64::MAX).send().await.unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "listUsageRecordGroups: parameter limit: invalid value 18446744073709551615: out of range integral type conversion attempted"
    );
    assert_eq!((unset.kind(), wrong.kind()), (ErrorKind::Request, ErrorKind::Request));
    assert!(vendor.requests().is_empty());
}

#[tokio::test]
async fn decimals_are_encoded_as_the_document_states() {
    let vendor = MockVendor::<Suger>::new(RetryPolicy::none());
    vendor.respond(ScriptedResponse::json(200, "[]"));
    let cases = [
        ("12345678901234567.123456789", "12345678901234567.123456789"),
        ("0.1", "0.1"),
        ("1e-7", "0.0000001"),
        ("-0.30", "-0.30"),
        ("-12345678901234567.123456789", "-12345678901234567.123456789"),
        ("1E3", "1000"),
        ("42", "42"),
    ];
    for (given, sent) in cases {
        for json in [given.to_owned(), format!("\"{given}\"")] {
            let group = format!(r#"{{"entitlementID":"e","records":{{"gb":{json}}}}}"#);
            let group: suger_types::NewUsageRecordGroup = serde_json::from_str(&group).unwrap();
            let call = vendor.client.batch_report_usage_record_groups().org_id("acme").body(vec![group]);
            call.send().await.unwrap();
            let expected = format!(r#"[{{"entitlementID":"e","records":{{"gb":{sent}}}}}]"#);
            assert_eq!(last(vendor.requests()).body, expected);

            let usage = format!(r#"{{"name":"n","totalUsage":{json}}}"#);
            let usage: genesys_types::BillingUsage = serde_json::from_str(&usage).unwrap();
            assert_eq!(serde_json::to_string(&usage).unwrap(), format!(r#"{{"name":"n","totalUsage":"{sent}"}}"#));
        }
    }
}

#[tokio::test]
async fn decimal_in_a_response_keeps_every_digit() {
    let vendor = MockVendor::<Suger>::new(RetryPolicy::none());
    for (json, value) in [("12345678901234567.123456789", "12345678901234567.123456789"), ("1e-7", "0.0000001")] {
        vendor.respond(ScriptedResponse::json(
            200,
            &format!(r#"[{{"date":"2026-11-20","dimensionKey":"gb","quantity":{json}}}]"#),
        ));
        let call = vendor.client.aggregate_usage_record_groups().org_id("acme").partner("AWS").granularity("day");
        let totals = call.start_date(day("2026-11-20")).end_date(day("2026-11-20")).send().await.unwrap();
        assert_eq!(totals[0].quantity.unwrap().to_string(), value);
    }
}

#[tokio::test]
async fn invalid_decimal_error_names_its_path() {
    let vendor = MockVendor::<Suger>::new(RetryPolicy::none());
    vendor.respond(ScriptedResponse::json(200, r#"{"id":"g","records":{"gb":"a dozen"}}"#));
    let error =
        vendor.client.retry_usage_record_group().org_id("o").usage_record_group_id("g").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let expected = "retryUsageRecordGroup: 200 OK: unexpected body at records.gb: not a decimal number: \"a dozen\"";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[tokio::test]
async fn acronis_date_times_without_offset_are_utc() {
    let vendor = MockVendor::<Acronis>::new(RetryPolicy::none());
    for text in
        ["2026-11-01T07:36:58", "2026-11-01T07:36:58+00:00", "2026-11-01T07:36:58Z", "2026-11-01T09:36:58.000+0200"]
    {
        let item = format!(r#"{{"items":[{{"report_format":"csv_v2_0","status":"saved","created_at":"{text}"}}]}}"#);
        vendor.respond(ScriptedResponse::json(200, &item));
        let stored = vendor.client.list_stored_reports().report_id(ID).send().await.unwrap();
        let created = stored.items[0].created_at;
        assert_eq!(created, Some(LenientDateTime(instant("2026-11-01T07:36:58Z"))), "{text}");
        assert_eq!(serde_json::to_string(&created).unwrap(), r#""2026-11-01T07:36:58Z""#);
    }
}

#[tokio::test]
async fn go_zero_time_decodes() {
    let vendor = MockVendor::<Suger>::new(RetryPolicy::none());
    vendor.respond(ScriptedResponse::json(200, r#"{"id":"g","reportedTime":"0001-01-01T00:00:00Z"}"#));
    let group = vendor.client.retry_usage_record_group().org_id("o").usage_record_group_id("g").send().await.unwrap();
    assert_eq!(serde_json::to_value(group.reported_time).unwrap(), "0001-01-01T00:00:00Z");
}

#[tokio::test]
async fn unknown_enum_value_round_trips() {
    let vendor = MockVendor::<Acronis>::new(RetryPolicy::none());
    let item = r#"{"items":[{"report_format":"xlsx_v9","status":"On Hold","created_at":"2026-11-01T07:36:58"}]}"#;
    vendor.respond(ScriptedResponse::json(200, item));
    let stored = vendor.client.list_stored_reports().report_id(ID).send().await.unwrap();
    assert_eq!(format!("{} {}", stored.items[0].report_format, stored.items[0].status), "xlsx_v9 On Hold");
    assert!(matches!(stored.items[0].status, acronis_types::StoredReportStatus::Unknown(_)));

    let vendor = MockVendor::<Suger>::new(RetryPolicy::none());
    vendor.respond(ScriptedResponse::json(200, r#"{"id":"g","status":"PARKED"}"#));
    let group = vendor.client.retry_usage_record_group().org_id("o").usage_record_group_id("g").send().await.unwrap();
    vendor.respond(ScriptedResponse::json(200, r#"{"usageRecordGroups":null}"#));
    let status = group.status.clone().unwrap();
    vendor.client.list_usage_record_groups().org_id("o").status(status).send().await.unwrap();
    assert_eq!(last(vendor.requests()).target, "/org/o/usageRecordGroup?status=PARKED");
}

#[tokio::test]
async fn token_request_is_a_form_with_basic_credentials() {
    let server = ScriptedServer::in_turn(vec![
        ScriptedResponse::json(200, r#"{"access_token":"t+/=","token_type":"bearer","expires_in":60}"#),
        ScriptedResponse::json(200, r#"{"items":[]}"#),
    ]);
    let data_center = server.url().parse().unwrap();
    // RFC 6749, 2.3.1 requires that both are form-encoded first; the vendors take them unencoded.
    let credentials = Credentials::new("id-7", "s3cr:et/+ü");
    let client = usage_billing_acronis::Client::builder(&data_center, credentials).http_client(http()).build().unwrap();
    client.list_stored_reports().report_id(ID).send().await.unwrap();
    let requests = server.requests();
    assert_eq!((requests[0].method.as_str(), requests[0].target.as_str()), ("POST", "/api/2/idp/token"));
    assert_eq!(requests[0].header("authorization"), Some("Basic aWQtNzpzM2NyOmV0LyvDvA=="));
    assert_eq!(requests[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(requests[0].body, "grant_type=client_credentials");
    assert_eq!(requests[1].header("authorization"), Some("Bearer t+/="));
}

/// Starts a download of `response`; its first chunk has not been read.
async fn download(response: ScriptedResponse) -> ResponseValue<usage_billing_core::ByteStream> {
    let vendor = MockVendor::<Acronis>::new(RetryPolicy::default());
    vendor.respond(response);
    vendor.client.download_stored_report().report_id(ID).stored_report_id(ID).send().await.unwrap()
}

#[tokio::test]
async fn large_download_arrives_in_chunks() {
    let file: Vec<u8> = (0..5_000_000_u32).map(|at| (at % 251) as u8).collect();
    let download = download(ScriptedResponse::new(200, &[("content-type", "text/csv")], &file)).await;
    assert_eq!(download.headers()["content-length"], "5000000");
    let mut stream = pin!(download.into_inner());
    let (mut chunks, mut bytes) = (0, Vec::new());
    while let Some(chunk) = stream.next().await {
        chunks += 1;
        bytes.extend_from_slice(&chunk.unwrap());
    }
    assert!(chunks > 1, "{chunks}");
    assert!(bytes == file);
}

#[tokio::test]
async fn gzip_download_is_not_decompressed() {
    // `gzip -9n` of "a,b\n".
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xd4\x49\xe2\x02\x00\xc5\x10\x97\x24\x04\x00\x00\x00";
    for headers in [&[("content-encoding", "gzip")][..], &[("content-type", "application/gzip")], &[]] {
        let mut stream = download(ScriptedResponse::new(200, headers, gzip)).await.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        assert_eq!(bytes, gzip, "{headers:?}");
    }
}

#[tokio::test]
async fn truncated_download_ends_in_an_error() {
    let mut stream = download(ScriptedResponse::truncated(200, "a,b\n1,2\n")).await.into_inner();
    let mut bytes = Vec::new();
    let error = loop {
        match stream.next().await.expect("an error before the end") {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(error) => break error,
        }
    };
    assert_eq!(bytes, b"a,b\n1,2\n");
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Connection, Some("download_stored_report")));
    assert!(stream.next().await.is_none());
}
