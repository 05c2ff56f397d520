//! Byte for byte: what goes out, and what is made of what comes in.

use std::pin::pin;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::StreamExt;
use usage_billing_acronis::types as acronis_types;
use usage_billing_core::{Credentials, ErrorKind, LenientDateTime, ResponseValue, RetryPolicy};
use usage_billing_genesys::types as genesys_types;
use usage_billing_suger::types as suger_types;
use usage_billing_tests::{Acronis, Genesys, Reply, Request, ScriptedServer, Stage, Suger, http};
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
async fn date_times_in_a_query_are_utc_with_no_more_digits_than_they_have() {
    let stage = Stage::<Genesys>::new(RetryPolicy::none());
    let cases = [
        ("2026-10-01T00:00:00Z", "2026-10-01T00%3A00%3A00Z"),
        ("2026-10-01T02:00:00.000+02:00", "2026-10-01T00%3A00%3A00Z"),
        ("2026-10-31T23:59:59.999Z", "2026-10-31T23%3A59%3A59.999Z"),
    ];
    for (given, sent) in cases {
        stage.answer(Reply::json(200, "{}"));
        let call = stage.client.get_billing_reports_billableusage().start_date(instant(given)).end_date(instant(given));
        call.send().await.unwrap();
        let expected = format!("/api/v2/billing/reports/billableusage?endDate={sent}&startDate={sent}");
        assert_eq!(last(stage.requests()).target, expected);
    }
}

#[tokio::test]
async fn days_numbers_flags_and_enums_in_a_query() {
    let stage = Stage::<Genesys>::new(RetryPolicy::none());
    stage.answer(Reply::json(200, "{}"));
    let call = stage.client.get_billing_contracts().date_start(day("2026-01-31")).date_end(day("2026-12-01"));
    call.status("a new & odd=status").after("c+/=").page_size("25").send().await.unwrap();
    assert_eq!(
        last(stage.requests()).target,
        "/api/v2/billing/contracts?after=c%2B%2F%3D&dateEnd=2026-12-01&dateStart=2026-01-31&pageSize=25\
         &status=a+new+%26+odd%3Dstatus"
    );

    let stage = Stage::<Acronis>::new(RetryPolicy::none());
    stage.answer(Reply::json(200, r#"{"items":[],"timestamp":"2026-11-01T00:00:00"}"#));
    let call = stage.client.list_tenants().limit(1000).allow_deleted(true).with_contacts(false);
    call.updated_since(instant("2026-10-01T00:00:00Z")).send().await.unwrap();
    assert_eq!(
        last(stage.requests()).target,
        "/api/2/tenants?allow_deleted=true&limit=1000&updated_since=2026-10-01T00%3A00%3A00Z&with_contacts=false"
    );
}

#[tokio::test]
async fn a_path_value_is_escaped_to_the_last_byte() {
    let stage = Stage::<Suger>::new(RetryPolicy::none());
    stage.answer(Reply::json(200, "{}"));
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
        stage.client.get_billable_metric().org_id("acme").billable_metric_id(given).send().await.unwrap();
        assert_eq!(last(stage.requests()).target, format!("/org/acme/billableMetric/{sent}"));
    }
}

#[tokio::test]
async fn a_parameter_that_is_missing_or_wrong_is_told_before_anything_is_sent() {
    let stage = Stage::<Suger>::new(RetryPolicy::none());
    let unset = stage.client.get_billable_metric().org_id("acme").send().await.unwrap_err();
    assert_eq!(
        unset.to_string(),
        "getBillableMetric: the parameter billable_metric_id is required: set it before `send`"
    );
    let wrong = stage.client.list_usage_record_groups().org_id("acme").limit(u64::MAX).send().await.unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "listUsageRecordGroups: invalid parameter limit: conversion to `i64` for limit failed"
    );
    assert_eq!((unset.kind(), wrong.kind()), (ErrorKind::Request, ErrorKind::Request));
    assert!(stage.requests().is_empty());
}

#[tokio::test]
async fn decimals_go_out_as_the_document_says_whatever_they_came_as() {
    let stage = Stage::<Suger>::new(RetryPolicy::none());
    stage.answer(Reply::json(200, "[]"));
    let cases = [
        ("12345678901234567.123456789", "12345678901234567.123456789"),
        ("0.1", "0.1"),
        ("1e-7", "0.0000001"),
        ("-0.30", "-0.30"),
        ("-12345678901234567.123456789", "-12345678901234567.123456789"),
        ("1E3", "1000"),
        ("42", "42"),
    ];
    for (came, goes) in cases {
        for json in [came.to_owned(), format!("\"{came}\"")] {
            let group = format!(r#"{{"entitlementID":"e","records":{{"gb":{json}}}}}"#);
            let group: suger_types::NewUsageRecordGroup = serde_json::from_str(&group).unwrap();
            let call = stage.client.batch_report_usage_record_groups().org_id("acme").body(vec![group]);
            call.send().await.unwrap();
            let expected = format!(r#"[{{"entitlementID":"e","records":{{"gb":{goes}}}}}]"#);
            assert_eq!(last(stage.requests()).body, expected);

            let usage = format!(r#"{{"name":"n","totalUsage":{json}}}"#);
            let usage: genesys_types::BillingUsage = serde_json::from_str(&usage).unwrap();
            assert_eq!(serde_json::to_string(&usage).unwrap(), format!(r#"{{"name":"n","totalUsage":"{goes}"}}"#));
        }
    }
}

#[tokio::test]
async fn a_decimal_of_an_answer_has_every_digit() {
    let stage = Stage::<Suger>::new(RetryPolicy::none());
    for (json, value) in [("12345678901234567.123456789", "12345678901234567.123456789"), ("1e-7", "0.0000001")] {
        stage.answer(Reply::json(200, &format!(r#"[{{"date":"2026-11-20","dimensionKey":"gb","quantity":{json}}}]"#)));
        let call = stage.client.aggregate_usage_record_groups().org_id("acme").partner("AWS").granularity("day");
        let totals = call.start_date(day("2026-11-20")).end_date(day("2026-11-20")).send().await.unwrap();
        assert_eq!(totals[0].quantity.unwrap().to_string(), value);
    }
}

#[tokio::test]
async fn a_decimal_that_is_none_is_told_with_its_place() {
    let stage = Stage::<Suger>::new(RetryPolicy::none());
    stage.answer(Reply::json(200, r#"{"id":"g","records":{"gb":"a dozen"}}"#));
    let error =
        stage.client.retry_usage_record_group().org_id("o").usage_record_group_id("g").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let expected = "retryUsageRecordGroup: 200 OK: unexpected body at records.gb: not a decimal number: \"a dozen\"";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[tokio::test]
async fn date_times_of_acronis_with_and_without_offset_are_the_same() {
    let stage = Stage::<Acronis>::new(RetryPolicy::none());
    for text in
        ["2026-11-01T07:36:58", "2026-11-01T07:36:58+00:00", "2026-11-01T07:36:58Z", "2026-11-01T09:36:58.000+0200"]
    {
        let item = format!(r#"{{"items":[{{"report_format":"csv_v2_0","status":"saved","created_at":"{text}"}}]}}"#);
        stage.answer(Reply::json(200, &item));
        let stored = stage.client.list_stored_reports().report_id(ID).send().await.unwrap();
        let created = stored.items[0].created_at;
        assert_eq!(created, Some(LenientDateTime(instant("2026-11-01T07:36:58Z"))), "{text}");
        assert_eq!(serde_json::to_string(&created).unwrap(), r#""2026-11-01T07:36:58Z""#);
    }
}

#[tokio::test]
async fn the_zero_time_of_go_decodes() {
    let stage = Stage::<Suger>::new(RetryPolicy::none());
    stage.answer(Reply::json(200, r#"{"id":"g","reportedTime":"0001-01-01T00:00:00Z"}"#));
    let group = stage.client.retry_usage_record_group().org_id("o").usage_record_group_id("g").send().await.unwrap();
    assert_eq!(serde_json::to_value(group.reported_time).unwrap(), "0001-01-01T00:00:00Z");
}

#[tokio::test]
async fn an_unknown_value_goes_back_as_it_came() {
    let stage = Stage::<Acronis>::new(RetryPolicy::none());
    let item = r#"{"items":[{"report_format":"xlsx_v9","status":"On Hold","created_at":"2026-11-01T07:36:58"}]}"#;
    stage.answer(Reply::json(200, item));
    let stored = stage.client.list_stored_reports().report_id(ID).send().await.unwrap();
    assert_eq!(format!("{} {}", stored.items[0].report_format, stored.items[0].status), "xlsx_v9 On Hold");
    assert!(matches!(stored.items[0].status, acronis_types::StoredReportStatus::Unknown(_)));

    let stage = Stage::<Suger>::new(RetryPolicy::none());
    stage.answer(Reply::json(200, r#"{"id":"g","status":"PARKED"}"#));
    let group = stage.client.retry_usage_record_group().org_id("o").usage_record_group_id("g").send().await.unwrap();
    stage.answer(Reply::json(200, r#"{"usageRecordGroups":null}"#));
    let status = group.status.clone().unwrap();
    stage.client.list_usage_record_groups().org_id("o").status(status).send().await.unwrap();
    assert_eq!(last(stage.requests()).target, "/org/o/usageRecordGroup?status=PARKED");
}

#[tokio::test]
async fn a_login_is_a_form_with_the_credentials_in_basic() {
    let server = ScriptedServer::in_turn(vec![
        Reply::json(200, r#"{"access_token":"t+/=","token_type":"bearer","expires_in":60}"#),
        Reply::json(200, r#"{"items":[]}"#),
    ]);
    let data_center = server.url().parse().unwrap();
    // RFC 6749, 2.3.1 would have both form-encoded first; the vendors take them as they are.
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

/// A download of `reply`, its first chunk not yet read.
async fn download(reply: Reply) -> ResponseValue<usage_billing_core::ByteStream> {
    let stage = Stage::<Acronis>::new(RetryPolicy::default());
    stage.answer(reply);
    stage.client.download_stored_report().report_id(ID).stored_report_id(ID).send().await.unwrap()
}

#[tokio::test]
async fn a_large_file_arrives_in_chunks() {
    let file: Vec<u8> = (0..5_000_000_u32).map(|at| (at % 251) as u8).collect();
    let download = download(Reply::new(200, &[("content-type", "text/csv")], &file)).await;
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
async fn gzip_is_handed_on_untouched() {
    // `gzip -9n` of "a,b\n".
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xd4\x49\xe2\x02\x00\xc5\x10\x97\x24\x04\x00\x00\x00";
    for headers in [&[("content-encoding", "gzip")][..], &[("content-type", "application/gzip")], &[]] {
        let mut stream = download(Reply::new(200, headers, gzip)).await.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        assert_eq!(bytes, gzip, "{headers:?}");
    }
}

#[tokio::test]
async fn a_download_that_is_cut_off_ends_in_an_error() {
    let mut stream = download(Reply::cut_off(200, "a,b\n1,2\n")).await.into_inner();
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
