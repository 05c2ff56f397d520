//! What Suger lists, and the changes of groups that a list leads to.

use usage_billing::ErrorKind;
use usage_billing::suger::types::{self, UsageRecordGroupStatus as Status};

use serde_json::json;
use usage_billing_tests::{Reply, ScriptedServer};

use super::{client, sandbox, scripted};

#[tokio::test(start_paused = true)]
async fn groups_are_put_back_and_deleted_by_status_even_if_answers_get_lost() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let listed = async |status: Status| {
        let day = "2026-11-18".parse::<chrono::NaiveDate>().unwrap();
        let groups = client.usage_record_groups(move |request| request.status(status.clone()).start_date(day));
        groups.collect_all().await.unwrap()
    };
    for fault in [
        "reset_after; times=2; operation=retryUsageRecordGroup",
        "reset_after; times=2; operation=deleteUsageRecordGroup",
    ] {
        sandbox.inject(fault.parse().unwrap()).unwrap();
    }
    let failed = listed(Status::ReportFailed).await;
    assert!(failed.len() > 2);
    let changes = client.retry_groups(failed.clone()).await;
    assert_eq!((changes.changed.len(), changes.failed.len()), (failed.len(), 0), "{changes:?}");
    assert!(listed(Status::ReportFailed).await.is_empty());
    // A second time they are no longer failed: so it is told, with what they were.
    let changes = client.retry_groups(failed.clone()).await;
    assert_eq!((changes.changed.len(), changes.failed.len()), (0, failed.len()));
    assert_eq!(changes.failed[0].1.status().map(|status| status.as_u16()), Some(400));

    let mut invalid = listed(Status::Invalid).await;
    let count = invalid.len();
    invalid.extend(listed(Status::Reported).await.into_iter().take(1));
    let changes = client.delete_groups(invalid).await;
    assert_eq!((changes.changed.len(), changes.failed.len()), (count, 1), "{changes:?}");
    assert!(changes.changed.iter().all(|group| group.status == Some(Status::Deleted)));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_goes_round_in_circles_is_an_error() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    for operation in ["listUsageRecordGroups", "listUsageRecordReports"] {
        sandbox.inject(format!("duplicated_page; operation={operation}").parse().unwrap()).unwrap();
    }
    let error = client
        .usage_record_groups(|request| request.start_date("2026-09-22".parse::<chrono::NaiveDate>().unwrap()))
        .collect_all()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    let error = client
        .usage_record_reports(|request| request.start_date("2026-09-22".parse::<chrono::NaiveDate>().unwrap()))
        .collect_all()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
}

#[tokio::test(start_paused = true)]
async fn who_buys_what_and_the_marketplaces_own_count_are_listed_by_their_filters() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let buyers = client.buyers(|request| request).collect_all().await.unwrap();
    let aws = client.buyers(|request| request.partner("AWS")).collect_all().await.unwrap();
    assert!(!aws.is_empty() && aws.len() < buyers.len(), "{} of {}", aws.len(), buyers.len());
    let entitlements = client.entitlements(|request| request.buyer_id("buy-aws01")).collect_all().await.unwrap();
    assert!(entitlements.iter().any(|one| one.id.as_deref() == Some("ent-aws01")), "{entitlements:?}");
    let products = client.products(|request| request.partner("AWS")).collect_all().await.unwrap();
    assert!(!products.is_empty() && products.iter().all(|product| product.partner == Some(types::Partner::Aws)));
    let days = client.daily_records(types::Partner::Aws, |request| request.entitlement_id("ent-aws01"));
    let days = days.collect_all().await.unwrap();
    assert!(!days.is_empty() && days.iter().all(|day| day.entitlement_id.as_deref() == Some("ent-aws01")));
}

#[tokio::test]
async fn a_list_whose_pages_are_shorter_than_asked_for_is_read_to_its_end() {
    let server = ScriptedServer::start(|request| {
        let offset =
            request.target.split(['?', '&']).find_map(|pair| pair.strip_prefix("offset=")?.parse::<u32>().ok());
        let page = offset.map(|offset| (offset..230.min(offset + 100)).map(|number| json!({"id": number.to_string()})));
        Reply::json(200, &json!(page.expect("an offset").collect::<Vec<_>>()).to_string())
    });
    let client = scripted(&server);
    let products = client.products(|request| request).collect_all().await.unwrap();
    assert!(products.len() == 230 && products.iter().zip(0..).all(|(one, number)| one.id == Some(number.to_string())));
    assert_eq!(client.entitlements(|request| request).collect_all().await.unwrap().len(), 230);
    assert_eq!(client.buyers(|request| request).collect_all().await.unwrap().len(), 230);
}
