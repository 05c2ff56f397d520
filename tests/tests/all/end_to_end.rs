//! The facade against the sandbox, from the first call to the rows.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use tokio::time::Instant;
use usage_billing::acronis::{self, ReportRequest};
use usage_billing::suger::{self, Delivery, UsageEvent, types::UsageRecordGroupStatus};
use usage_billing::{Credentials, ErrorKind, Period, genesys};
use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_tests::{now, untimed};

/// No limit: under tokio's paused clock a limit may expire during a wait for a real socket.
const NO_LIMIT: Duration = Duration::MAX;

fn september() -> Period {
    "2026-09".parse().expect("a month")
}

async fn sandbox() -> Sandbox {
    Sandbox::builder().today(now().date_naive()).polls_before_ready(3).start().await.expect("a free port")
}

pub(crate) fn acronis(sandbox: &Sandbox) -> acronis::Client {
    let credentials = Credentials::new(demo::ACRONIS_CLIENT_ID, demo::ACRONIS_CLIENT_SECRET);
    let builder = acronis::Client::builder(&sandbox.url().parse().expect("a URL"), credentials);
    untimed(builder).build().expect("a client").with_now(now())
}

pub(crate) fn genesys(sandbox: &Sandbox) -> genesys::Client {
    let credentials = Credentials::new(demo::GENESYS_CLIENT_ID, demo::GENESYS_CLIENT_SECRET);
    let builder = genesys::Client::builder(&sandbox.url().parse().expect("a URL"), credentials);
    untimed(builder).build().expect("a client").with_now(now())
}

pub(crate) fn suger(sandbox: &Sandbox) -> suger::Client {
    let builder = suger::Client::builder(demo::SUGER_ORG_ID, demo::SUGER_API_KEY.to_owned());
    untimed(builder.base_url(sandbox.url())).build().expect("a client").with_now(now())
}

#[tokio::test(start_paused = true)]
async fn billable_usage_is_polled_until_complete() {
    let sandbox = sandbox().await;
    let start = Instant::now();
    let rows = genesys(&sandbox).usage(september(), NO_LIMIT).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 2 + 4 + 8, "three times in progress");
    let mut queries = sandbox.requests().into_iter().filter_map(|request| request.query);
    assert!(
        queries.next_back().is_some_and(|query| query.contains("endDate=2026-09-30T23%3A59%3A59.999Z")),
        "the end is inclusive"
    );
    assert!(rows.iter().all(|row| row.is_final && row.quantity > Decimal::ZERO), "{rows:?}");
    assert!(rows.iter().any(|row| row.quantity.fract() != Decimal::ZERO), "decimal strings stay exact: {rows:?}");
}

#[tokio::test(start_paused = true)]
async fn report_resumes_after_a_wait_timeout() {
    let sandbox = sandbox().await;
    let client = genesys(&sandbox);
    let error = client.billable_usage(september()).wait(Duration::from_secs(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitTimeout);
    assert!(!client.billable_usage(september()).wait(NO_LIMIT).await.unwrap().usages.unwrap().is_empty());

    let client = acronis(&sandbox);
    let request = ReportRequest::usage_summary(client.own_tenant().await.unwrap(), september());
    let mut report = client.create_report(&request).await.unwrap();
    let id = report.id().parse().unwrap();
    assert_eq!(report.wait(Duration::from_secs(1)).await.unwrap_err().kind(), ErrorKind::WaitTimeout);
    let files = client.report(id).await.unwrap().wait(NO_LIMIT).await.unwrap().saved;
    assert_eq!(files.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn acronis_report_becomes_the_billed_rows() {
    let sandbox = sandbox().await;
    let client = acronis(&sandbox);
    let rows = client.usage(september(), NO_LIMIT).await.unwrap();
    let units: std::collections::BTreeSet<_> = rows.iter().map(|row| row.unit.as_str()).collect();
    assert_eq!(units, ["GiB", "compute points", "feature", "units"].into());
    assert!(rows.iter().any(|row| row.customer_name.as_deref() == Some("株式会社さくら")), "{rows:?}");
    assert!(
        rows.iter()
            .any(|row| row.customer_name.as_deref().is_some_and(|name| name.contains(',') && name.contains('"')))
    );
    assert!(rows.iter().all(|row| !row.sku.starts_with("platform/") || row.is_billable == Some(false)));
    let tenant = client.own_tenant().await.unwrap();
    let mut report = client.create_report(&ReportRequest::usage_summary(tenant, september())).await.unwrap();
    let files = report.wait(NO_LIMIT).await.unwrap().saved;
    let [file] = &files[..] else { panic!("one format, one file") };
    // A second read of the report returns the same rows.
    let again = client.usage_from_file(file).await.unwrap();
    let quantities =
        |rows: &[usage_billing::UsageRow]| rows.iter().map(|row| (row.row_key, row.quantity)).collect::<Vec<_>>();
    assert_eq!(quantities(&again), quantities(&rows));
}

#[tokio::test(start_paused = true)]
async fn future_period_is_rejected_by_every_vendor_without_a_request() {
    let sandbox = sandbox().await;
    let (acronis, genesys, suger) = (acronis(&sandbox), genesys(&sandbox), suger(&sandbox));
    let tenant = demo::ACRONIS_TENANT_ID.parse().unwrap();
    let all = genesys::ClientOrganizations::All;
    for text in ["2027-05", "2026-11-22/2026-11-23", "2026-11-21T12:00:01Z/2027-01-01"] {
        let period: Period = text.parse().unwrap();
        let mut outcomes = vec![
            acronis.usage(period, NO_LIMIT).await.map(drop),
            acronis.create_report(&ReportRequest::usage_daily(tenant, period)).await.map(drop),
            genesys.usage(period, NO_LIMIT).await.map(drop),
            genesys.billable_usage(period).wait(NO_LIMIT).await.map(drop),
            genesys.client_bill(demo::GENESYS_TRUSTOR_ORG_ID, period).await.map(drop),
            genesys.client_bills(genesys::BillingPeriod::StartingIn(period), all.clone()).await.map(drop),
            genesys.contract_charges(period).await.map(drop),
            genesys.api_usage(period, NO_LIMIT).await.map(drop),
            genesys.start_usage_query(period, |query| query).await.map(drop),
            suger.usage(period, NO_LIMIT).await.map(drop),
            suger.reported_usage(period).await.map(drop),
        ];
        for error in outcomes.drain(..).map(Result::unwrap_err) {
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Request, 0), "{error}");
            assert!(error.message().starts_with(&format!("{period} is in the future: it begins at 20")), "{error}");
        }
    }
    assert!(sandbox.requests().is_empty(), "{:?}", sandbox.requests());
}

#[tokio::test(start_paused = true)]
async fn long_period_equals_its_months_up_to_the_current_one() {
    let sandbox = sandbox().await;
    let (acronis, genesys, suger) = (acronis(&sandbox), genesys(&sandbox), suger(&sandbox));
    let months = ["2026-09", "2026-10", "2026-11"].map(|text| text.parse::<Period>().unwrap());
    let whole: Period = "2026-09-01/2027-02-01".parse().unwrap();
    let mut each = Vec::new();
    let mut all = acronis.usage(whole, NO_LIMIT).await.unwrap();
    all.extend(genesys.usage(whole, NO_LIMIT).await.unwrap());
    all.extend(suger.usage(whole, NO_LIMIT).await.unwrap());
    for month in months {
        each.extend(acronis.usage(month, NO_LIMIT).await.unwrap());
        each.extend(genesys.usage(month, NO_LIMIT).await.unwrap());
        each.extend(suger.usage(month, NO_LIMIT).await.unwrap());
    }
    let values = |rows: &[usage_billing::UsageRow]| {
        let values: std::collections::BTreeMap<_, _> =
            rows.iter().map(|row| (row.row_key, (row.quantity, row.is_final, row.is_billable))).collect();
        assert_eq!(values.len(), rows.len(), "no key twice");
        values
    };
    assert!(values(&all) == values(&each), "{} rows, {} one by one", all.len(), each.len());
    for vendor in [usage_billing::Vendor::Acronis, usage_billing::Vendor::Genesys, usage_billing::Vendor::Suger] {
        let open: Vec<_> =
            all.iter().filter(|row| row.vendor == vendor && row.period_start == months[2].start()).collect();
        assert!(!open.is_empty(), "{vendor}");
        for row in open.into_iter().filter(|row| row.period_end - row.period_start > chrono::TimeDelta::days(1)) {
            assert!(!row.is_final && row.is_billable == Some(false) && row.as_of.is_some(), "{row:?}");
            assert_eq!(row.period_end, months[2].end(), "{row:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn usage_record_groups_of_all_pages_are_listed() {
    let sandbox = sandbox().await;
    let client = suger(&sandbox);
    let (first, last) = ("2026-09-01".parse().unwrap(), "2026-11-21".parse().unwrap());
    let groups = client
        .usage_record_groups(move |request| {
            let (first, last): (chrono::NaiveDate, chrono::NaiveDate) = (first, last);
            request.start_date(first).end_date(last)
        })
        .try_collect()
        .await
        .unwrap();
    let pages = sandbox.requests().iter().filter(|request| request.path.ends_with("/usageRecordGroup")).count();
    // One request more than needed: two pages of a list that is not short are fetched concurrently.
    assert_eq!(pages, groups.len() / 1000 + 2, "{} groups", groups.len());
    let ids: std::collections::BTreeSet<_> = groups.iter().filter_map(|group| group.id.as_deref()).collect();
    assert_eq!(ids.len(), groups.len(), "each once");
}

#[tokio::test(start_paused = true)]
async fn usage_sent_twice_is_delivered_once() {
    let sandbox = sandbox().await;
    let client = suger(&sandbox);
    let hour: DateTime<Utc> = "2026-11-20T07:00:00Z".parse().unwrap();
    let known = client.usage_record_groups(|request| request.status(UsageRecordGroupStatus::Reported));
    let known = known.try_collect().await.unwrap();
    let metered = known.into_iter().find(|group| group.records.contains_key("api_calls")).expect("usage of api_calls");
    let entitlement = metered.entitlement_id.unwrap();
    let exact: Decimal = "12345678901234567.123456789".parse().unwrap();
    let usage = UsageEvent::new(&entitlement, hour).quantity("api_calls", exact);

    let Delivery::Delivered(group) = client.send_usage(&usage).await.unwrap() else { panic!("it is new") };
    assert_eq!(group.id, Some(usage.id(demo::SUGER_ORG_ID).to_string()));
    assert_eq!(group.records["api_calls"].0, exact);
    let Delivery::AlreadyDelivered(id) = client.send_usage(&usage).await.unwrap() else { panic!("it was there") };
    assert_eq!(id, usage.id(demo::SUGER_ORG_ID));

    let unknown = UsageEvent::new("no-such-1", hour).quantity("api_calls", 1);
    let error = client.send_usage(&unknown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api, "{error}");
}
