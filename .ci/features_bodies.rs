//! Bodies of any media type, forms and paths of the crate of `.ci/features.yaml`.

use usage_billing_features::{
    Client, DecimalString, ErrorKind,
    httpmock::{Method, Mock, MockServer, prelude::*},
    types,
};

fn client(server: &MockServer) -> Client {
    Client::builder("hush".to_owned()).base_url(server.base_url()).build().unwrap()
}

/// Expects a body with its media type, in a request to a path.
fn expect<'a>(server: &'a MockServer, method: Method, path: &str, media: &str, body: &'static str) -> Mock<'a> {
    server.mock(|when, then| {
        when.method(method).path(path).header("content-type", media).is_true(move |request| request.body_ref() == body.as_bytes());
        then.status(200).body("stored");
    })
}

#[tokio::test]
async fn bodies_of_callers_are_sent_as_the_media_type_of_the_document() {
    let server = MockServer::start_async().await;
    let client = client(&server);
    let note = expect(&server, POST, "/notes", "text/plain; charset=utf-8", "7 \u{fc}");
    client.put_note().body("7 \u{fc}").send().await.unwrap();
    let archive = expect(&server, PUT, "/archives", "application/gzip", "\u{1f}b");
    client.put_archive().body(vec![0x1F, b'b']).send().await.unwrap();
    let report = expect(&server, POST, "/reports", "application/xml", "<hours>7</hours>");
    client.put_report().body("<hours>7</hours>").send().await.unwrap();
    [note, archive, report].iter().for_each(Mock::assert);
    let error = client.put_note().send().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Request, "the parameter body is required: set it before `send`"));
}

#[tokio::test]
async fn downloads_ask_for_the_documented_media_types() {
    let server = MockServer::start_async().await;
    let rows = server.mock(|when, then| {
        when.method(POST).path("/rows").header("content-type", "text/csv; header=present").header("accept", "application/pdf, text/csv").body("a;b");
        then.status(200).body("c;d");
    });
    client(&server).put_rows().body("a;b").send().await.unwrap();
    rows.assert();
}

#[tokio::test]
async fn lists_of_a_form_are_sent_item_by_item() {
    let server = MockServer::start_async().await;
    let decimal = |text: &str| text.parse::<DecimalString>().unwrap();
    let pay = expect(
        &server,
        POST,
        "/pay",
        "application/x-www-form-urlencoded",
        "amount=1.50&rates=0.10&rates=2&tags=a+b&tags=c%26d",
    );
    let form = types::PayForm::builder().amount(decimal("1.50")).rates(vec![decimal("0.10"), decimal("2")]);
    let form = form.tags(vec!["a b".to_owned(), "c&d".to_owned()]);
    client(&server).pay().body(form).send().await.unwrap();
    pay.assert();
}

#[tokio::test]
async fn paths_are_sent_as_the_document_has_them() {
    let server = MockServer::start_async().await;
    let cancel = server.mock(|when, then| {
        when.method(POST).path("/odd%20pl%C3%A4ce/7%2F8:cancel").header("content-length", "0");
        then.status(204);
    });
    let client = client(&server);
    client.cancel_odd().id("7/8").send().await.unwrap();
    cancel.assert();
    let error = client.cancel_odd().id("").send().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Request && error.to_string().contains("a path parameter is empty"), "{error}");
    let pair = server.mock(|when, then| {
        when.method(GET).path("/pairs/x/to/x");
        then.status(204);
    });
    client.pair_up().a("x").send().await.unwrap();
    pair.assert();
}
