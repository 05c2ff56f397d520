//! The clients of the vendor crates with the address of the sandbox.

use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_suger::types::CreateUsageRecordGroupParams;

use crate::builder;

pub(crate) fn genesys_client(sandbox: &Sandbox) -> usage_billing_genesys::Client {
    let region: usage_billing_genesys::Region = sandbox.url().parse().unwrap();
    let credentials = usage_billing_genesys::Credentials::new(demo::GENESYS_CLIENT_ID, demo::GENESYS_CLIENT_SECRET);
    usage_billing_genesys::Client::builder(&region, credentials).build().unwrap()
}

pub(crate) fn suger_client(sandbox: &Sandbox) -> usage_billing_suger::Client {
    usage_billing_suger::Client::builder(demo::SUGER_API_KEY).base_url(sandbox.url()).build().unwrap()
}

pub(crate) fn acronis_client(sandbox: &Sandbox) -> usage_billing_acronis::Client {
    let center: usage_billing_acronis::DataCenter = sandbox.url().parse().unwrap();
    let credentials = usage_billing_acronis::Credentials::new(demo::ACRONIS_CLIENT_ID, demo::ACRONIS_CLIENT_SECRET);
    usage_billing_acronis::Client::builder(&center, credentials).build().unwrap()
}

/// Sends usage of a seat.
pub(crate) async fn send(
    client: &usage_billing_suger::Client,
    id: Option<&str>,
) -> Result<String, usage_billing_suger::Error> {
    let body = CreateUsageRecordGroupParams {
        id: id.map(str::to_owned),
        organization_id: demo::SUGER_ORG_ID.to_owned(),
        entitlement_id: "ent-azu01".to_owned(),
        records: Some([("seats".to_owned(), "0.1".parse().unwrap())].into_iter().collect()),
        billable_records: Vec::new(),
        usage_allocations: Default::default(),
        timestamp: None,
        meta_info: None,
    };
    let request = client.report_usage_record_group().org_id(demo::SUGER_ORG_ID).entitlement_id("ent-azu01");
    Ok(request.body(body).send().await?.records["seats"].to_string())
}

#[tokio::test]
async fn genesys_client_reads_usage_and_overview() {
    use usage_billing_genesys::types;
    let sandbox = builder().polls_before_ready(0).start().await.unwrap();
    let client = genesys_client(&sandbox);
    let day = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let (start, end) = (day("2026-10-01T00:00:00Z"), day("2026-10-31T23:59:59.999Z"));
    let report = client.get_billing_reports_billableusage().start_date(start).end_date(end).send().await.unwrap();
    assert_eq!(report.status, Some(types::BillingUsageReportStatus::Complete));
    let overview = client
        .get_billing_trusteebillingoverview_trustor_org_id()
        .trustor_org_id(demo::GENESYS_TRUSTOR_ORG_ID)
        .billing_period_index(1)
        .send()
        .await
        .unwrap();
    assert!(overview.usages.as_ref().is_some_and(|usages| !usages.is_empty()));
    let error = client
        .get_billing_trusteebillingoverview_trustor_org_id()
        .trustor_org_id(demo::GENESYS_TRUSTOR_ORG_ID)
        .billing_period_index(99)
        .send()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not.found"), "{error}");
}

#[tokio::test]
async fn suger_client_lists_reported_usage() {
    let sandbox = builder().start().await.unwrap();
    let client = suger_client(&sandbox);
    assert_eq!(send(&client, Some("mine")).await.unwrap(), "0.1");
    let error = send(&client, Some("mine")).await.unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    let page = client.list_usage_record_groups().org_id(demo::SUGER_ORG_ID).send().await.unwrap();
    assert_eq!((page.usage_record_groups.len(), page.next_offset), (1000, Some(1000)));
}

#[tokio::test]
async fn acronis_client_creates_a_report() {
    use usage_billing_acronis::types;
    let sandbox = builder().polls_before_ready(0).start().await.unwrap();
    let client = acronis_client(&sandbox);
    let own: uuid::Uuid = demo::ACRONIS_CLIENT_ID.parse().unwrap();
    let tenant_id = client.get_client().client_id(own).send().await.unwrap().tenant_id;
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    let order = types::ReportCreate {
        generation_date: None,
        parameters: types::ReportParametersCreate {
            formats: vec![types::ReportFormat::JsonV20],
            hide_zero_usage: Some(true),
            kind: types::ReportKind::UsageSummary,
            level: types::ReportLevel::AllCustomers,
            period: Some(types::ReportPeriod { start: day("2026-10-01"), end: day("2026-10-31") }),
            show_skus: None,
            tenant_id,
        },
        recipients: Vec::new(),
        result_action: types::ReportResultAction::Save,
        schedule: types::ReportScheduleCreate { enabled: None, type_: types::ReportScheduleType::Once },
    };
    let report = client.create_report().body(order).send().await.unwrap();
    let stored = client.list_stored_reports().report_id(report.id).send().await.unwrap();
    assert_eq!(stored.items[0].status, types::StoredReportStatus::Saved);
    let id = stored.items[0].id.unwrap();
    client.download_stored_report().report_id(report.id).stored_report_id(id).send().await.unwrap();
}
