//! Responses in forms that no source describes: none of them is a delivery without proof, or silent.

use serde_json::{Value, json};
use usage_billing::suger::UsageEvent;
use usage_billing::{ErrorKind, suger};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};

use super::{flushed, group_for, new_queue, page_of, scripted};

/// Returns the receipt of one flush as delivered, delivered before, rejected, unsent; and the first reason.
async fn outcome(response: ScriptedResponse, listed: Vec<Value>) -> ([usize; 4], String) {
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" if request.target.contains("MeteringConfig") => ScriptedResponse::json(400, "\"no\""),
        "GET" => ScriptedResponse::json(200, &page_of(&listed)),
        _ => response.clone(),
    });
    let suger::Receipt { delivered, already_delivered, rejected, unsent, .. } =
        flushed(new_queue(&server), [&event()]).await;
    let reasons = rejected.iter().chain(&unsent).map(|one| one.error.to_string()).collect::<Vec<_>>().join("; ");
    ([delivered.len(), already_delivered.len(), rejected.len(), unsent.len()], reasons)
}

fn event() -> UsageEvent {
    UsageEvent::new("e-1", now()).quantity("gb", 5)
}

#[tokio::test(start_paused = true)]
async fn unusual_response_is_a_delivery_only_with_proof() {
    let group = |other: Value| group_for(&event(), other);
    let id = event().id("acme").to_string();
    let json = |status: u16, body: &str| (status, body.to_owned());
    let there = vec![group(json!({}))];
    for (response, expected) in [
        (json(200, &group(json!({"id": id.to_uppercase()})).to_string()), [1, 0, 0, 0]),
        (json(200, &group(json!({"id": format!("{{{id}}}")})).to_string()), [1, 0, 0, 0]),
        (json(200, &group(json!({"organizationID": "acme"})).to_string()), [1, 0, 0, 0]),
        (json(200, &group(json!({"records": {"gb": "5.000"}, "metaInfo": null})).to_string()), [1, 0, 0, 0]),
        // 200 with anything else, other successes, conflicts and rejections: the list decides.
        (json(200, &group(json!({"organizationID": "acme-2"})).to_string()), [0, 1, 0, 0]),
        (json(200, &json!([group(json!({}))]).to_string()), [0, 1, 0, 0]),
        (json(200, &json!({"data": group(json!({}))}).to_string()), [0, 1, 0, 0]),
        (json(200, &group(json!({"records": {"gb": "five"}})).to_string()), [0, 1, 0, 0]),
        (json(200, &group(json!({"status": "created"})).to_string()), [0, 1, 0, 0]),
        (json(201, &group(json!({})).to_string()), [1, 0, 0, 0]),
        (json(202, "{}"), [0, 1, 0, 0]),
        (json(204, ""), [0, 1, 0, 0]),
        (json(409, r#"{"error": {"existing": "g-1"}}"#), [0, 1, 0, 0]),
        (json(409, &group(json!({})).to_string()), [0, 1, 0, 0]),
        (json(409, "[1, 2]"), [0, 1, 0, 0]),
        (json(400, r#"{"message": "Forbidden"}"#), [0, 1, 0, 0]),
        (json(402, r#""unknown dimension""#), [0, 1, 0, 0]),
        (json(422, r#"{"code": "BadRequest", "info": "", "message": "no"}"#), [0, 1, 0, 0]),
        // Without a statement about the event: it is sent again.
        (json(302, ""), [0, 0, 0, 1]),
        (json(407, r#""proxy credential""#), [0, 0, 0, 1]),
        (json(425, r#""too early""#), [0, 0, 0, 1]),
        (json(400, r#"{"code": "3rdPartyError", "info": null, "message": "AWS is throttling"}"#), [0, 0, 0, 1]),
        (json(520, "<html>"), [0, 0, 0, 1]),
    ] {
        let (status, body) = response;
        let case = format!("{status} {body}");
        let response = ScriptedResponse::json(status, &body);
        let (found, reasons) = outcome(response.clone(), there.clone()).await;
        assert_eq!(found, expected, "{case}: {reasons}");
        // Without the group, nothing is delivered but by the response, and only Suger's own words reject.
        let (found, reasons) = outcome(response, vec![]).await;
        let is_rejected = usize::from(body.contains("unknown dimension") || body.contains("BadRequest"));
        assert_eq!(found, [expected[0], 0, is_rejected, 1 - expected[0] - is_rejected], "{case}: {reasons}");
        assert!(expected[0] == 1 || !reasons.is_empty(), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn unusual_groups_in_a_list_are_compared_or_stay_visible() {
    let group = |other: Value| group_for(&event(), other);
    let conflict = || ScriptedResponse::json(409, "\"there\"");
    let id = event().id("acme").to_string();
    for (listed, expected, reason) in [
        (group(json!({"id": id.to_uppercase()})), [0, 1, 0, 0], ""),
        (group(json!({"organizationID": "acme-2"})), [0, 0, 0, 1], "its organization is acme-2"),
        (group(json!({"records": {"gb": "5"}, "metaInfo": null})), [0, 1, 0, 0], ""),
        (group(json!({"records": {"gb": 4}, "metaInfo": {"originRecords": {"gb": 5}}})), [0, 1, 0, 0], ""),
        (group(json!({"metaInfo": {"originRecords": {"gb": "4"}}})), [0, 0, 1, 0], "gb is 4 there, not 5"),
        // The settings that would decide cannot be read: the reason has both quantities.
        (group(json!({"records": {"gb": 4}, "metaInfo": null})), [0, 0, 0, 1], "gb is 4 there, not 5"),
        (group(json!({"status": "reported_pending"})), [0, 0, 0, 1], "the status reported_pending"),
        (group(json!({"status": "VOIDED"})), [0, 0, 0, 1], "the status VOIDED"),
    ] {
        let case = listed.to_string();
        let (found, reasons) = outcome(conflict(), vec![listed]).await;
        assert!(found == expected && reasons.contains(reason), "{case}: {found:?} {reasons}");
    }
}

#[tokio::test(start_paused = true)]
async fn unusual_pages_are_read_in_full_or_are_errors() {
    let full: Vec<_> = (0..1000).map(|number| json!({"id": number.to_string()})).collect();
    let page = |groups: &[Value], next: Value| json!({"usageRecordGroups": groups, "nextOffset": next}).to_string();
    let last = page(&[json!({"id": "last"})], Value::Null);
    for (next, expected) in [
        (json!(1000), Some(1001)),
        (json!(-1), Some(1001)),
        (json!("1000"), None),
        (json!(1000.5), None),
        (json!(true), None),
        (json!({"offset": 1000}), None),
        (json!(-7), None),
        (json!(1e30), None),
    ] {
        let (first, last) = (page(&full, next.clone()), last.clone());
        let server = ScriptedServer::start(move |request| match request.target.contains("offset=0") {
            true => ScriptedResponse::json(200, &first),
            false if request.target.contains("offset=1000") => ScriptedResponse::json(200, &last),
            false => ScriptedResponse::json(200, r#"{"usageRecordGroups": []}"#),
        });
        match scripted(&server).usage_record_groups(|request| request).try_collect().await {
            // A number in another form may also be read.
            Ok(groups) => assert!(groups.len() == 1001 && next != -7, "{next}: {}", groups.len()),
            Err(error) => assert!(expected.is_none() && error.kind() == ErrorKind::Decode, "{next}: {error}"),
        }
    }
    for body in [
        r#"{"usageRecordGroups": [null]}"#,
        r#"{"usageRecordGroups": [{"id": "a"}, "down"]}"#,
        r#"{"usageRecordGroups": "none"}"#,
        r#"{"usageRecordGroups": [], "error": "maintenance", "nextOffset": 1000}"#,
        r#"{"data": {"usageRecordGroups": [{"id": "a"}]}}"#,
        r#"[{"id": "a"}]"#,
        "<html>",
        "",
    ] {
        let server = ScriptedServer::start(move |_| ScriptedResponse::json(200, body));
        let error = scripted(&server).usage_record_groups(|request| request).try_collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
    }
}
