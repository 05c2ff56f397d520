//! Requests and responses of each operation of Acronis.

use futures_util::TryStreamExt;
use httpmock::When;
use serde::de::DeserializeOwned;
use usage_billing_acronis::mock::MockServerExt;
use usage_billing_acronis::types;
use usage_billing_tests::{Acronis, Document, Vendor};
use uuid::Uuid;

use crate::mocked::start;

const REPORT: Uuid = Uuid::from_u128(0x41b9_e2d0_7c36_4f58_9a0b_5d8e_1f6c_2a73);
const FILE: Uuid = Uuid::from_u128(0x9d5a_0c14_e6b8_4273_8f1d_c02b_7a34_e596);

/// Expects the headers that every request has, and no others about the API.
fn usual(when: When, accept: &str) -> When {
    when.header("authorization", Acronis::AUTHORIZATION).header("accept", accept).header_missing("api-version")
}

fn example<T: DeserializeOwned>(operation: &str) -> T {
    Document::acronis().operation(operation).response()
}

#[tokio::test]
async fn a_report_is_created_with_either_success() {
    let (server, client) = start::<Acronis>();
    let report: types::ReportCreate = Document::acronis().operation("create_report").body();
    let sent = concat!(
        r#"{"parameters":{"formats":["csv_v2_0","json_v2_0"],"hide_zero_usage":true,"kind":"usage_summary","#,
        r#""level":"direct_partners","period":{"end":"2026-10-31","start":"2026-10-01"},"show_skus":true,"#,
        r#""tenant_id":"2f4c1b7e-0a55-4d1e-9b1f-6a1d3c8e7f10"},"result_action":"save","schedule":{"type":"once"}}"#,
    );
    for status in [200, 201] {
        let mut mock = server.create_report(|when, then| {
            let when = when.body(&report).into_inner().path("/api/2/reports").body(sent);
            usual(when, "application/json").header("content-type", "application/json");
            let stored = example("create_report");
            let _ = if status == 200 { then.ok(&stored) } else { then.created(&stored) };
        });
        let created = client.create_report().body(report.clone()).send().await.unwrap();
        mock.assert();
        mock.delete();
        assert_eq!((created.status().as_u16(), created.id, created.version), (status, REPORT, 1));
    }
}

#[tokio::test]
async fn stored_files_of_a_report_are_listed() {
    let (server, client) = start::<Acronis>();
    let mock = server.list_stored_reports(|when, then| {
        usual(when.report_id(&REPORT).into_inner(), "application/json").header_missing("content-type");
        then.ok(&example("list_stored_reports"));
    });
    let stored = client.list_stored_reports().report_id(REPORT).send().await.unwrap();
    mock.assert();
    assert_eq!(stored.items[0].id, Some(FILE));
    assert_eq!(stored.items[1].status, types::StoredReportStatus::InProgress);
    // The vendor sends the one with an offset and the other without.
    assert_eq!(stored.items[0].created_at, stored.items[1].created_at);
}

#[tokio::test]
async fn stored_file_is_returned_unchanged() {
    let (server, client) = start::<Acronis>();
    let gzip = b"\x1f\x8b\x08\x00not really".as_slice();
    let mock = server.download_stored_report(|when, then| {
        usual(when.report_id(&REPORT).stored_report_id(&FILE).into_inner(), "*/*").header_missing("accept-encoding");
        then.ok("text/csv", gzip).into_inner().header("content-encoding", "gzip");
    });
    let file = client.download_stored_report().report_id(REPORT).stored_report_id(FILE).send().await.unwrap();
    mock.assert();
    assert_eq!(file.headers()["content-encoding"], "gzip");
    let chunks: Vec<_> = file.into_inner().try_collect().await.unwrap();
    assert_eq!(chunks.concat(), gzip);
}
