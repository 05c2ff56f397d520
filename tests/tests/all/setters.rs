//! Values that setters of calls and of builders take, and errors of values that do not convert.

use usage_billing_acronis as acronis_api;
use usage_billing_suger::{mock::MockServerExt as _, types};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, acronis, suger};

#[test]
fn builders_take_strings_and_options() {
    let build = |params: types::builder::CreateUsageRecordGroupParams| {
        let built = types::CreateUsageRecordGroupParams::try_from(params).unwrap();
        (built.id, built.organization_id)
    };
    let params = || types::CreateUsageRecordGroupParams::builder().entitlement_id("e-1");
    let expected = (Some("7".to_owned()), "acme".to_owned());
    assert_eq!(build(params().organization_id("acme").id("7")), expected);
    assert_eq!(build(params().organization_id("acme".to_owned()).id("7".to_owned())), expected);
    assert_eq!(build(params().organization_id("acme").id(Some("7"))), expected);
    assert_eq!(build(params().organization_id("acme").id("8").id(None::<String>)).0, None);
}

#[tokio::test]
async fn calls_take_strings_and_options() {
    let server = ScriptedServer::start(|request| {
        let is_token = request.target.contains("token");
        ScriptedResponse::json(
            200,
            if is_token { r#"{"access_token":"t","token_type":"bearer","expires_in":3600}"# } else { "{}" },
        )
    });
    let client = acronis(server.url()).build().unwrap();
    let call = || client.list_tenants();
    let _ = call().after("x").limit(7).allow_deleted(None::<bool>).send().await;
    let _ = call().after(Some("x")).limit(Some(7)).send().await;
    for request in server.requests().iter().filter(|request| !request.target.contains("token")) {
        assert!(request.target.ends_with("/tenants?after=x&limit=7"), "{}", request.target);
    }
}

#[tokio::test]
async fn mock_responds_with_a_built_response() {
    let server = httpmock::MockServer::start_async().await;
    let id = "7b0e6b6e-0000-4000-8000-000000000001";
    let built = types::MeteringUsageRecordGroup::builder().id(id).entitlement_id("e-1");
    let group: types::MeteringUsageRecordGroup = built.try_into().unwrap();
    let mock = server.report_usage_record_group(|when, then| {
        when.org_id("acme").entitlement_id("e-1");
        then.ok(&group);
    });
    let client = suger(&server.base_url()).build().unwrap();
    let body = types::CreateUsageRecordGroupParams::builder().entitlement_id("e-1").organization_id("acme");
    let response =
        client.report_usage_record_group().org_id("acme").entitlement_id("e-1").body(body).send().await.unwrap();
    mock.assert();
    assert_eq!((*response).clone(), group);
}

#[tokio::test]
async fn failed_conversion_reports_value_and_reason_without_secrets() {
    let client = acronis("http://127.0.0.1:9").build().unwrap();
    let error = client.get_client().client_id("not-a-uuid").send().await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(r#"get_client: parameter client_id: invalid value "not-a-uuid": "#), "{text}");
    assert!(text.len() > 70, "with the reason: {text}");
    let error = client.get_client().client_id("hush-secret").send().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hush-secret"), "{error}");

    // In the body, the field is named.
    let body = acronis_api::types::ReportCreate::builder().recipients(vec![]);
    let error = client.create_report().body(body).send().await.unwrap_err();
    assert!(error.to_string().starts_with("create_report: parameter body: no value supplied for "), "{error}");
}
