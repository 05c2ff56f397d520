//! What the crate of `.ci/features.yaml` sends and reads.

use usage_billing_features::{
    Client, Update,
    httpmock::{Method, MockServer, prelude::*},
    mock::MockServerExt as _,
    types,
};

fn client(server: &MockServer) -> Client {
    Client::builder("hush".to_owned()).base_url(server.base_url()).build().unwrap()
}

/// A server that responds to one request with a status and a body of JSON.
async fn server(method: Method, path: &'static str, status: u16, body: &'static str) -> MockServer {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(method).path(path);
        let then = then.status(status);
        if !body.is_empty() {
            then.header("content-type", "application/json").body(body);
        }
    });
    server
}

#[tokio::test]
async fn a_success_without_a_body_is_none_and_an_empty_list() {
    let empty = server(GET, "/usage/optional", 204, "").await;
    assert!(client(&empty).usage_or_nothing().send().await.unwrap().is_none());
    let some = server(GET, "/usage/optional", 200, r#"{"hours": 1.5}"#).await;
    let usage = client(&some).usage_or_nothing().send().await.unwrap().into_inner();
    assert_eq!(usage.map(|usage| usage.hours.to_string()).as_deref(), Some("1.5"));
    for (body, hours) in [("null", None), (r#"{"hours": 2.5}"#, Some("2.5"))] {
        let nullable = server(GET, "/usage/null", 200, body).await;
        let usage = client(&nullable).usage_or_null().send().await.unwrap().into_inner();
        assert_eq!(usage.map(|usage| usage.hours.to_string()).as_deref(), hours);
    }
    for (status, body) in [(200, r#"{"hours": 2.5}"#), (202, ""), (204, "")] {
        let deleted = server(DELETE, "/usage/null", status, body).await;
        let usage = client(&deleted).drop_usage().send().await.unwrap().into_inner();
        assert_eq!(usage.is_some(), !body.is_empty(), "{status}");
    }
    let list = server(GET, "/usage/list", 204, "").await;
    assert!(client(&list).usage_list().send().await.unwrap().is_empty());
}

#[tokio::test]
async fn successes_of_several_types_are_distinguished_by_status() {
    use types::UsageOrJobSuccess as Success;
    let read = async |status, body| {
        let server = server(GET, "/usage/job", status, body).await;
        client(&server).usage_or_job().send().await.unwrap().into_inner()
    };
    assert!(matches!(read(200, r#"{"hours": 2}"#).await, Success::Ok(usage) if usage.hours.to_string() == "2"));
    assert!(matches!(read(202, r#"{"job": "7"}"#).await, Success::Accepted(job) if job.job == "7"));
    assert!(matches!(read(204, "").await, Success::NoContent));
    assert!(matches!(read(201, r#"{"hours": 3}"#).await, Success::Ok(_)));
    // 200 and any other: one type holds the bodies of both.
    for (status, body, expected) in [(200, r#"{"hours": 2}"#, (true, false)), (202, r#"{"job": "7"}"#, (false, true))] {
        let server = server(GET, "/usage/either", status, body).await;
        let read = client(&server).usage_or_any_job().send().await.unwrap().into_inner();
        assert_eq!((read.hours.is_some(), read.job.is_some()), expected, "{status}");
    }
}

#[tokio::test]
async fn large_object_of_a_response_is_read_into_a_box() {
    for (body, expected) in [
        ("{}", None),
        (r#"{"page": null}"#, None),
        (r#"{"page": {"entries": [{"id": "a"}], "next": "n", "total": 7}}"#, Some(("a", Some(7)))),
    ] {
        let server = server(POST, "/lists/search", 200, body).await;
        let found = client(&server).search_entries().body_map(|body| body).send().await.unwrap().into_inner();
        let page: Option<Box<types::EntriesOfSearch>> = found.page;
        let read = page.as_ref().map(|page| (page.entries[0].id.as_str(), page.total));
        assert_eq!(read, expected, "{body}");
    }
}

#[tokio::test]
async fn head_has_no_body_and_any_media_type_is_text() {
    let head = server(Method::HEAD, "/usage/head", 200, "").await;
    assert_eq!(client(&head).usage_exists().send().await.unwrap().status(), 200);
    let text = server(GET, "/usage/text", 200, "pong, not JSON").await;
    assert_eq!(client(&text).usage_text().send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn parameters_of_any_name_are_sent() {
    let server = MockServer::start_async().await;
    let rates = server.mock(|when, then| {
        when.method(GET)
            .path("/rates")
            .header("api-version", "2")
            .query_param("header_map", "h")
            .query_param("send", "s")
            .query_param("into_inner", "i");
        then.status(204);
    });
    client(&server).rates().api_version("2").header_map("h").send_("s").into_inner_("i").send().await.unwrap();
    rates.assert();
    let error = server.mock(|when, then| {
        when.method(GET).path("/error/a%20b");
        then.status(200)
            .header("content-type", "application/json")
            .body(r#"{"at": {"date_time": "2026-10-01T00:00:00Z"}, "option": "some"}"#);
    });
    let read = client(&server).error().encode_path("a b").send().await.unwrap().into_inner();
    error.assert();
    assert_eq!(read.option, Some(types::Option::Some));
    assert!(read.at.and_then(|at| at.date_time).is_some());
}

#[tokio::test]
async fn null_is_sent_where_it_means_something() {
    let server = MockServer::start_async().await;
    let expect = |method: Method, body: &'static str, media: &'static str| {
        server.mock(|when, then| {
            when.method(method).path("/plans/7").header("content-type", media).body(body);
            then.status(204);
        })
    };
    let put = expect(PUT, r#"{"endsAt":null,"name":"a"}"#, "application/json");
    let updates = [r#"{"memo":null,"tags":[]}"#, "{}"].map(|body| expect(POST, body, "application/json"));
    let merge = "application/merge-patch+json";
    let patches = [r#"{"endsAt":null}"#, r#"{"name":"b"}"#, r#"{"endsAt":"2026-10-01T00:00:00Z"}"#];
    let patches = patches.map(|body| expect(Method::PATCH, body, merge));
    let client = client(&server);
    let plan = types::Plan::builder().name("a".to_owned());
    client.replace_plan().id("7").body(plan).send().await.unwrap();
    put.assert();
    client.update_plan().id("7").body_map(|body| body.memo(Update::Null).tags(vec![])).send().await.unwrap();
    client.update_plan().id("7").body_map(|body| body).send().await.unwrap();
    updates.iter().for_each(|update| update.assert());
    let change = |change| client.change_plan().id("7").body::<types::builder::PlanChange>(change).send();
    let at = "2026-10-01T00:00:00Z".parse::<usage_billing_features::chrono::DateTime<_>>().unwrap();
    change(types::PlanChange::builder().ends_at(Update::Null)).await.unwrap();
    change(types::PlanChange::builder().name("b".to_owned())).await.unwrap();
    change(types::PlanChange::builder().ends_at(at)).await.unwrap();
    patches.iter().for_each(|patch| patch.assert());
}

#[tokio::test]
async fn fields_are_written_and_read_by_their_kind() {
    let server = MockServer::start_async().await;
    let put = server.mock(|when, then| {
        when.method(PUT).path("/kinds").query_param("choice", "some").body(
            r#"{"at":"2026-10-01T00:00:00Z","closed":null,"days":{"a":[1]},"memo":null,"note":null,"sold":true}"#,
        );
        then.status(200)
            .header("content-type", "application/json")
            .body(r#"{"at":"2026-10-01T00:00:00Z","days":{"a":null},"sold":"True","tags":null,"weeks":{"b":[2]}}"#);
    });
    let at = "2026-10-01T00:00:00Z"
        .parse::<usage_billing_features::chrono::DateTime<usage_billing_features::chrono::Utc>>()
        .unwrap();
    let days = std::collections::BTreeMap::from([("a".to_owned(), vec![1])]);
    let kinds = types::Kinds::builder().at(at).sold(true).days(days);
    let client = client(&server);
    let error = client.put_kinds().body(kinds.clone()).send().await.unwrap_err();
    assert!(error.to_string().contains("choice"), "{error}");
    let read = client.put_kinds().choice(types::Option::Some).body(kinds).send().await.unwrap().into_inner();
    put.assert();
    // `memo` is required, absent, and of a component that may be null.
    assert!(read.memo.is_none() && read.closed.is_none());
    assert!(read.days["a"].is_empty() && read.weeks["b"] == [2] && read.tags.is_empty() && read.sold);
}

#[tokio::test]
async fn fields_count_in_their_direction_and_media_types_are_the_vendors() {
    let server = MockServer::start_async().await;
    let create = server.mock(|when, then| {
        when.method(POST)
            .path("/meters")
            .body(r#"{"label":"a","signingKey":"k"}"#)
            .header("content-type", "application/vnd.acme.v2+json; charset=utf-8")
            .header("accept", "application/vnd.acme.v2+json");
        then.status(201).header("content-type", "application/vnd.acme.v2+json").body(r#"{"id":"7","label":"a"}"#);
    });
    let meter = types::MeterRequest::builder().label("a".to_owned()).signing_key("k".to_owned());
    assert_eq!(client(&server).create_meter().body(meter).send().await.unwrap().id, "7");
    create.assert();
}

#[tokio::test]
async fn other_fields_and_those_of_subtypes_survive() {
    let server = MockServer::start_async().await;
    let json = r#"{"extra":true,"hours":0.12345678901234567890,"id":"a","region":"eu"}"#;
    let put = server.mock(|when, then| {
        when.method(POST).path("/records").body(json);
        then.status(200).header("content-type", "application/json").body(json);
    });
    let record = serde_json::from_str::<types::Record>(json).unwrap();
    let read = client(&server).put_record().body(record).send().await.unwrap().into_inner();
    put.assert();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    let charge = self::server(GET, "/charges", 200, r#"{"kind": "SpotCharge", "hours": 3, "per": 10, "zone": "a"}"#).await;
    let charge = client(&charge).charges().send().await.unwrap().into_inner();
    assert_eq!((charge.hours, charge.per, charge.zone.as_deref()), (Some(3), Some(10.into()), Some("a")));
}

#[tokio::test]
async fn forms_and_nested_filters_are_sent() {
    let server = MockServer::start_async().await;
    let pay = server.mock(|when, then| {
        when.method(POST).path("/pay").form_urlencoded_tuple("amount", "12.50").form_urlencoded_tuple("count", "2");
        then.status(204);
    });
    let form =
        types::PayForm::builder().amount("12.50".parse::<usage_billing_features::DecimalString>().unwrap()).count(2);
    client(&server).pay().body(form).send().await.unwrap();
    pay.assert();
    let search = server.mock(|when, then| {
        when.method(GET)
            .path("/search")
            .query_param("filter[at][lt]", "b")
            .query_param("filter[only][gte]", "c")
            .query_param("point", "x,1,y,2");
        then.status(204);
    });
    let call = client(&server);
    call.search().filter_at_lt("b").filter_only_gte("c").point("x,1,y,2").send().await.unwrap();
    search.assert();
}

#[tokio::test]
async fn array_that_is_not_exploded_is_joined_and_fields_of_one_name_are_read() {
    let server = MockServer::start_async().await;
    let twins: types::Twins = types::Twins::builder().id(7).id_2("a").try_into().unwrap();
    let mock = server.joined(|when, then| {
        when.ids(&vec!["a".to_owned(), "b c".to_owned()]);
        then.ok(&twins);
    });
    let read = client(&server).joined().ids(vec!["a".to_owned(), "b c".to_owned()]).page(Some(2)).send().await.unwrap();
    mock.assert();
    assert_eq!(read.into_inner(), twins);
    let json = serde_json::to_value(&twins).unwrap();
    assert_eq!(json, serde_json::json!({"_id": "a", "id": 7}));
}

#[tokio::test]
async fn requests_that_the_document_lacks_are_sent() {
    let server = server(Method::DELETE, "/new/7", 200, r#"{"done": true}"#).await;
    let client = client(&server);
    let request = client.request(reqwest::Method::DELETE, "/new/{id}").path_parameter("id", 7);
    assert_eq!(&request.send().await.unwrap()[..], br#"{"done": true}"#);
}

#[tokio::test]
async fn operation_without_security_is_sent_without_credentials() {
    let server = MockServer::start_async().await;
    let public = server.mock(|when, then| {
        when.path("/public").header_missing("x-k");
        then.status(204);
    });
    let other = server.mock(|when, then| {
        when.path("/result").header("x-k", "hush");
        then.status(204);
    });
    client(&server).public().send().await.unwrap();
    client(&server).result().send().await.unwrap();
    public.assert();
    other.assert();
}
