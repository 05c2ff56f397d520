//! Lists of Suger, and changes of listed groups.

use usage_billing::ErrorKind;
use usage_billing::suger::UsageEvent;
use usage_billing::suger::types::{self, UsageRecordGroupStatus as Status};

use serde_json::{Value, json};
use std::sync::Mutex;
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};

use super::{client, listing, page_of, sandbox, scripted};

#[tokio::test(start_paused = true)]
async fn groups_are_requeued_and_deleted_despite_lost_responses() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let listed = async |status: Status| {
        let day = "2026-11-18".parse::<chrono::NaiveDate>().unwrap();
        let groups = client.usage_record_groups(move |request| request.status(status.clone()).start_date(day));
        groups.try_collect().await.unwrap()
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
    // The second call reports an error for each group, since they are no longer failed.
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
async fn requeued_group_is_confirmed_by_the_response_or_the_list() {
    let group = |status: &str| json!({"id": "g-1", "entitlementID": "e-1", "status": status, "creationTime": now()});
    for (status, listed, is_done) in [
        ("CREATED", "REPORT_FAILED", true),
        ("REPORT_PENDING", "REPORT_FAILED", true),
        ("REPORTED", "REPORT_FAILED", true),
        ("DELETED", "DELETED", false),
        ("INVALID", "INVALID", false),
        ("NEW", "NEW", false),
        ("", "REPORT_FAILED", false),
        ("REPORT_FAILED", "REPORT_FAILED", false),
        ("NEW", "CREATED", true),
    ] {
        let server =
            listing(page_of(&[group(listed)]), move |_| ScriptedResponse::json(200, &group(status).to_string()));
        let failed: types::MeteringUsageRecordGroup = serde_json::from_value(group("REPORT_FAILED")).unwrap();
        let outcome = scripted(&server).retry_group(&failed).await;
        assert_eq!(outcome.is_ok(), is_done, "{status} {listed}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn cyclic_list_is_an_error() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    for operation in ["listUsageRecordGroups", "listUsageRecordReports"] {
        sandbox.inject(format!("duplicated_page; operation={operation}").parse().unwrap()).unwrap();
    }
    let error = client
        .usage_record_groups(|request| request.start_date("2026-09-22".parse::<chrono::NaiveDate>().unwrap()))
        .try_collect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    let error = client
        .usage_record_reports(|request| request.start_date("2026-09-22".parse::<chrono::NaiveDate>().unwrap()))
        .try_collect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
}

#[tokio::test(start_paused = true)]
async fn catalogue_and_daily_records_are_listed_by_filter() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let buyers = client.buyers(|request| request).try_collect().await.unwrap();
    let aws = client.buyers(|request| request.partner("AWS")).try_collect().await.unwrap();
    assert!(!aws.is_empty() && aws.len() < buyers.len(), "{} of {}", aws.len(), buyers.len());
    let entitlements = client.entitlements(|request| request.buyer_id("buy-aws01")).try_collect().await.unwrap();
    assert!(entitlements.iter().any(|one| one.id.as_deref() == Some("ent-aws01")), "{entitlements:?}");
    let products = client.products(|request| request.partner("AWS")).try_collect().await.unwrap();
    assert!(!products.is_empty() && products.iter().all(|product| product.partner == Some(types::Partner::Aws)));
    let days = client.daily_records(types::Partner::Aws, |request| request.entitlement_id("ent-aws01"));
    let days = days.try_collect().await.unwrap();
    assert!(!days.is_empty() && days.iter().all(|day| day.entitlement_id.as_deref() == Some("ent-aws01")));
}

#[tokio::test]
async fn list_with_short_pages_is_read_to_its_end() {
    let server = ScriptedServer::start(|request| {
        let offset =
            request.target.split(['?', '&']).find_map(|pair| pair.strip_prefix("offset=")?.parse::<u32>().ok());
        let page = offset.map(|offset| (offset..230.min(offset + 100)).map(|number| json!({"id": number.to_string()})));
        ScriptedResponse::json(200, &json!(page.expect("an offset").collect::<Vec<_>>()).to_string())
    });
    let client = scripted(&server);
    let products = client.products(|request| request).try_collect().await.unwrap();
    assert!(products.len() == 230 && products.iter().zip(0..).all(|(one, number)| one.id == Some(number.to_string())));
    assert_eq!(client.entitlements(|request| request).try_collect().await.unwrap().len(), 230);
    assert_eq!(client.buyers(|request| request).try_collect().await.unwrap().len(), 230);
}

/// Starts a server of `count` groups in pages of `most`. `next` returns the next offset, from the offset of a page and the number of groups after it.
fn pages(count: i64, most: i64, next: impl Fn(i64, i64) -> Value + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(move |request| {
        let number = |name: &str| {
            let mut pairs =
                request.target.split(['?', '&']).filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            pairs.next().expect("a number").parse::<i64>().expect("a number")
        };
        let (offset, limit) = (number("offset"), number("limit").min(most));
        let page: Vec<_> =
            (offset..count.min(offset + limit)).map(|number| json!({"id": number.to_string()})).collect();
        let mut body = json!({"usageRecordGroups": page});
        let next = next(offset, (count - offset - limit).max(0));
        if next != json!("absent") {
            body["nextOffset"] = next;
        }
        ScriptedResponse::json(200, &body.to_string())
    })
}

#[tokio::test(start_paused = true)]
async fn list_is_read_to_its_end_for_any_end_marker() {
    type Next = fn(i64, i64) -> Value;
    let ways: [(&str, Next); 7] = [
        ("never a next offset", |_, _| json!("absent")),
        ("null", |_, _| Value::Null),
        ("always a next offset", |offset, _| json!(offset + 1000)),
        ("-1 at the end", |offset, left| if left > 0 { json!(offset + 1000) } else { json!(-1) }),
        ("0 at the end", |offset, left| if left > 0 { json!(offset + 1000) } else { json!(0) }),
        ("always -1", |_, _| json!(-1)),
        ("its own offset at the end", |offset, left| if left > 0 { json!(offset + 1000) } else { json!(offset) }),
    ];
    for (way, next) in ways {
        for count in [0, 1, 999, 1000, 1001, 2000, 2500] {
            // More items may follow a full page that names itself.
            let is_error = way.starts_with("its own") && count == 2000;
            let client = scripted(&pages(count, 1000, next));
            let found = client.usage_record_groups(|request| request).try_collect().await;
            match found {
                Ok(groups) => {
                    assert!(!is_error, "{way}, {count}");
                    let ids: Vec<_> = groups.into_iter().filter_map(|group| group.id?.parse::<i64>().ok()).collect();
                    assert_eq!(ids, (0..count).collect::<Vec<_>>(), "{way}, {count}");
                }
                Err(error) => assert!(is_error && error.kind() == ErrorKind::Decode, "{way}, {count}: {error}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn list_with_short_pages_without_next_is_read_to_its_end() {
    type Next = fn(i64, i64) -> Value;
    let ways: [Next; 5] = [
        |_, _| json!("absent"),
        |_, _| Value::Null,
        |_, _| json!(0),
        |_, _| json!(-1),
        // The next offset is by the requested limit, though the page has fewer items.
        |offset, _| json!(offset + 1000),
    ];
    for (way, next) in ways.into_iter().enumerate() {
        for (count, most) in [(0, 100), (1, 100), (100, 100), (101, 100), (230, 100), (1500, 999)] {
            let client = scripted(&pages(count, most, next));
            let groups = client.usage_record_groups(|request| request).try_collect().await.unwrap();
            let ids: Vec<_> = groups.into_iter().filter_map(|group| group.id?.parse::<i64>().ok()).collect();
            assert_eq!(ids, (0..count).collect::<Vec<_>>(), "way {way}, {count} by {most}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn server_that_ignores_the_offset_has_one_page() {
    for (body, count) in
        [(r#"{"usageRecordGroups": [{"id": "a"}, {"id": "b"}]}"#, 2), (r#"{"usageRecordGroups": []}"#, 0)]
    {
        let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(200, body)]);
        let groups = scripted(&server).usage_record_groups(|request| request).try_collect().await.unwrap();
        assert_eq!(groups.len(), count);
    }
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(200, r#"[{"id": "a"}]"#)]);
    assert_eq!(scripted(&server).buyers(|request| request).try_collect().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn repeated_full_page_is_an_error() {
    let report = UsageEvent::new("e-1", now()).quantity("gb", 1);
    for count in [1000, 2500] {
        let groups: Vec<_> = (0..count).map(|number| json!({"id": number.to_string()})).collect();
        let page = page_of(&groups);
        let server = listing(page, move |_| ScriptedResponse::json(409, "\"it exists\""));
        let client = scripted(&server);
        let (confirmed, sent) = (client.confirm(&report).await, client.send_usage(&report).await);
        for error in [confirmed.unwrap_err(), sent.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::NotReady, "{error}");
            assert!(error.to_string().contains("repeats an earlier one"), "{error}");
        }
        assert_eq!(server.requests().len(), 2 + 1 + 2);
    }
}

#[tokio::test(start_paused = true)]
async fn next_offset_that_does_not_advance_is_an_error() {
    for next in [-2, 5, 999, 1000] {
        let server = pages(5000, 1000, move |offset, _| if offset < 1000 { json!(1000) } else { json!(next) });
        let error = scripted(&server).usage_record_groups(|request| request).try_collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(error.to_string().contains("the list may be incomplete"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn body_without_its_list_is_an_error() {
    let beside = |list: &str, error: &str| {
        format!(
            r#"{{"usageRecordGroups": {list}, "usageRecordReports": {list}, "usageMeteringDailyRecords": {list}, {error}}}"#
        )
    };
    for body in [
        "{}".to_owned(),
        r#"{"error": "maintenance"}"#.to_owned(),
        r#"{"usageRecordGroups": {"error": "maintenance"}}"#.to_owned(),
        "null".to_owned(),
        r#""down""#.to_owned(),
        beside("null", r#""error": "maintenance""#),
        beside("[]", r#""error": {"code": 7}"#),
        beside("null", r#""code": "InternalServerError", "info": "", "message": "no""#),
        beside("[]", r#""message": "no""#),
    ] {
        let body = body.as_str();
        let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(200, body)]);
        let client = scripted(&server);
        let error = client.usage_record_groups(|request| request).try_collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
        client.usage_record_reports(|request| request).try_collect().await.unwrap_err();
        client.daily_records(types::Partner::Aws, |request| request).try_collect().await.unwrap_err();
        client.usage("2026-10".parse().unwrap(), std::time::Duration::MAX).await.unwrap_err();
    }
    for body in [r#"{"error": "maintenance"}"#, "{}", r#""down""#, r#"[{"id": "a"}, "down"]"#, "<html>", ""] {
        let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(200, body)]);
        let client = scripted(&server);
        let errors = [
            client.buyers(|request| request).try_collect().await.map(drop).unwrap_err(),
            client.entitlements(|request| request).try_collect().await.map(drop).unwrap_err(),
            client.products(|request| request).try_collect().await.map(drop).unwrap_err(),
        ];
        assert!(errors.iter().all(|error| error.kind() == ErrorKind::Decode), "{body}: {errors:?}");
    }
    // Go's empty lists.
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(200, "null")]);
    assert!(scripted(&server).buyers(|request| request).try_collect().await.unwrap().is_empty());
    // A list without an error beside it.
    for body in [
        r#"{"usageRecordGroups": null, "nextOffset": null}"#.to_owned(),
        beside("[]", r#""code": 0, "message": "success""#),
        beside("null", r#""code": "OK", "message": "no usage""#),
        beside("[]", r#""code": 200, "error": {}, "message": null"#),
    ] {
        let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(200, &body)]);
        let groups = scripted(&server).usage_record_groups(|request| request).try_collect().await;
        assert!(groups.unwrap().is_empty(), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn delete_with_a_lost_response_succeeds_if_the_group_is_missing() {
    let group: types::MeteringUsageRecordGroup = serde_json::from_value(json!({
        "id": "g-1", "entitlementID": "e-1", "status": "CREATED", "creationTime": now(), "records": {"gb": 5},
        "metaInfo": {"timestamp": "2026-11-01T07:00:00Z"},
    }))
    .unwrap();
    let json = serde_json::to_value(&group).unwrap();
    let with = |status: &str| {
        let mut group = json.clone();
        group["status"] = json!(status);
        vec![group]
    };
    let (gone, lost) = (
        || ScriptedResponse::json(404, "\"usage record group not found\""),
        || ScriptedResponse::json(504, "\"timeout\""),
    );
    for (responses, listed, is_deleted) in [
        (vec![lost(), gone()], vec![], true),
        (vec![ScriptedResponse::dropped(), gone()], vec![], true),
        (vec![lost(), ScriptedResponse::json(410, "\"gone\"")], vec![], true),
        (vec![lost(), ScriptedResponse::json(200, &with("DELETED")[0].to_string())], with("CREATED"), true),
        (vec![lost(), ScriptedResponse::json(200, "null")], vec![], false),
        (vec![lost(), ScriptedResponse::json(403, "\"no\"")], vec![], false),
        (vec![lost(), gone()], with("DELETED"), true),
        (vec![lost(), gone()], with("CREATED"), false),
        (vec![lost(), gone()], with("REPORTED"), false),
        // The group was deleted before, or is not visible.
        (vec![gone()], vec![], false),
        (vec![lost(), lost(), lost(), lost()], vec![], false),
        (vec![lost(), ScriptedResponse::json(400, "\"already reported\"")], vec![], false),
        // A response that shows no deletion.
        (vec![ScriptedResponse::json(200, "{}")], vec![], false),
        (vec![ScriptedResponse::json(200, "{}")], with("DELETED"), true),
        (vec![ScriptedResponse::json(200, &with("CREATED")[0].to_string())], with("CREATED"), false),
        (vec![ScriptedResponse::json(200, &with("DELETED")[0].to_string())], vec![], true),
        (vec![ScriptedResponse::json(200, r#"{"id": "g-2", "status": "DELETED"}"#)], with("CREATED"), false),
    ] {
        let (page, place) = (page_of(&listed), format!("{responses:?} {listed:?}"));
        let responses = Mutex::new(responses.into_iter());
        let server = listing(page, move |_| responses.lock().unwrap().next().expect("no more is sent"));
        let outcome = scripted(&server).delete_group(&group).await;
        assert_eq!(outcome.is_ok(), is_deleted, "{place}: {outcome:?}");
        assert!(outcome.is_err() || outcome.is_ok_and(|group| group.status == Some(Status::Deleted)));
        let lists = server.requests().into_iter().filter(|request| request.method == "GET");
        assert!(lists.into_iter().all(|list| list.target.contains("startDate=2026-10-31")), "since before its usage");
    }
}

#[tokio::test(start_paused = true)]
async fn listed_group_with_an_id_in_capitals_is_not_deleted() {
    let id = UsageEvent::new("e-1", now()).quantity("gb", 1).id("acme").to_string().to_uppercase();
    let of = |status: &str| json!({"id": id, "entitlementID": "e-1", "status": status, "creationTime": now()});
    for (listed, is_deleted) in [("CREATED", false), ("DELETED", true)] {
        let (page, responses) = (page_of(&[of(listed)]), Mutex::new([504, 404].into_iter()));
        let server = listing(page, move |_| {
            ScriptedResponse::json(responses.lock().unwrap().next().expect("no more is sent"), "\"no\"")
        });
        let group: types::MeteringUsageRecordGroup = serde_json::from_value(of("CREATED")).unwrap();
        assert_eq!(scripted(&server).delete_group(&group).await.is_ok(), is_deleted, "{listed}");
    }
}

#[tokio::test(start_paused = true)]
async fn groups_of_a_period_are_selected_by_the_time_of_their_usage() {
    let month = usage_billing::Period::last_month(now());
    let group = |id: &str, used: chrono::DateTime<chrono::Utc>| json!({"id": id, "entitlementID": "e-1", "creationTime": now(), "metaInfo": {"timestamp": used}});
    let second = chrono::TimeDelta::seconds(1);
    let groups = [
        group("before", month.start() - second),
        group("first", month.start()),
        group("last", month.end() - second),
        group("after", month.end()),
    ];
    let server = ScriptedServer::start(move |request| {
        let is_filtered =
            ["entitlementId=e-1", "status=REPORT_FAILED"].iter().all(|part| request.target.contains(part));
        ScriptedResponse::json(200, &page_of(if is_filtered { &groups } else { &[] }))
    });
    let client = scripted(&server);
    let found = client.usage_record_groups_of(month, Some("e-1".to_owned()), Some(Status::ReportFailed)).await.unwrap();
    let ids: Vec<_> = found.iter().filter_map(|group| group.id.as_deref()).collect();
    assert_eq!(ids, ["first", "last"]);
    assert_eq!(client.usage_record_groups_of(month, None, None).await.unwrap().len(), 0);
    let small = client.with_max_usage_bytes(10);
    let error =
        small.usage_record_groups_of(month, Some("e-1".to_owned()), Some(Status::ReportFailed)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}
