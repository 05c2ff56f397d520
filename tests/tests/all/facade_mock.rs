//! The facade's feature `mock`: the vendors' typed helpers without a dependency on their crates.

use serde_json::json;
use usage_billing::suger::httpmock::MockServer;
use usage_billing::{Credentials, acronis, genesys, suger};
use usage_billing_tests::untimed;

#[tokio::test]
async fn facade_exports_the_mock_helpers_of_every_vendor() {
    let server = MockServer::start_async().await;
    let login = server.mock(|when, then| {
        when.path_includes("token");
        then.status(200).json_body(json!({"access_token": "t", "expires_in": 600}));
    });

    let mock = suger::mock::MockServerExt::get_billable_metric(&server, |when, then| {
        when.org_id("acme").billable_metric_id("gb");
        then.error(404, json!("no such metric"));
    });
    let client = untimed(suger::Client::builder("acme", "hush").base_url(server.base_url())).build().unwrap();
    let error = client.api().get_billable_metric().org_id("acme").billable_metric_id("gb").send().await.unwrap_err();
    assert_eq!(error.message(), "no such metric");
    mock.assert();

    let credentials = || Credentials::new("id", "hush");
    let mock = genesys::mock::MockServerExt::get_license_definitions(&server, |_, then| {
        then.error(400, json!({"message": "no licences", "code": "bad.request"}));
    });
    let region: genesys::Region = server.base_url().parse().unwrap();
    let client = untimed(genesys::Client::builder(&region, credentials())).build().unwrap();
    assert_eq!(client.api().get_license_definitions().send().await.unwrap_err().code(), Some("bad.request"));
    mock.assert();

    let mock = acronis::mock::MockServerExt::list_applications(&server, |_, then| {
        then.error(400, json!({"error": {"code": 400, "message": "no applications"}}));
    });
    let data_center: acronis::DataCenter = server.base_url().parse().unwrap();
    let client = untimed(acronis::Client::builder(&data_center, credentials())).build().unwrap();
    let error = client.api().list_applications().send().await.unwrap_err();
    assert!(error.message().contains("no applications"), "{error}");
    mock.assert();
    assert_eq!(login.calls(), 2);
}
