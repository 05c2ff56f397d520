//! The first call of each vendor crate's README, against the crate's mock.

use usage_billing_tests::{Acronis, Document, Genesys, Suger};

use crate::mocked::start;

/// A module with the example of a README. Its functions are private, `run` calls one of them; `CODE` is the text.
macro_rules! example {
    ($name:ident: $run:ident { $($code:tt)* }) => {
        mod $name {
            $($code)*

            pub(super) async fn run(sender: &Client) -> Result<(), Error> {
                // It has the vendor's address, which is not called.
                let _: fn() -> Result<Client, Error> = client;
                $run(sender).await
            }

            pub(super) const CODE: &str = stringify!($($code)*);
        }
    };
}

example!(acronis: print_children {
    use usage_billing_acronis::{Client, Credentials, DataCenter, Error};

    const CLIENT_ID: &str = "6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264";

    fn client() -> Result<Client, Error> {
        let data_center: DataCenter = "eu2-cloud.acronis.com".parse()?;
        let secret = std::env::var("ACRONIS_CLIENT_SECRET").unwrap_or_default();
        Client::builder(&data_center, Credentials::new(CLIENT_ID, secret)).build()
    }

    async fn print_children(client: &Client) -> Result<(), Error> {
        let tenant = client.get_client().client_id(CLIENT_ID).send().await?.tenant_id;
        for child in &client.list_tenant_children().tenant_id(tenant).send().await?.items {
            println!("{child}");
        }
        Ok(())
    }
});

example!(genesys: print_billable_usage {
    use usage_billing_genesys::chrono::{DateTime, Utc};
    use usage_billing_genesys::{Client, Credentials, Error, Region, types};

    fn client() -> Result<Client, Error> {
        let region: Region = "eu-central-1".parse()?;
        let secret = std::env::var("GENESYS_CLIENT_SECRET").unwrap_or_default();
        Client::builder(&region, Credentials::new("client-id", secret)).build()
    }

    async fn print_billable_usage(client: &Client) -> Result<(), Error> {
        let day = |text: &str| text.parse::<DateTime<Utc>>().expect("a date-time");
        let (start, end) = (day("2026-10-01T00:00:00Z"), day("2026-11-01T00:00:00Z"));
        let report = client.get_billing_reports_billableusage().start_date(start).end_date(end).send().await?;
        if report.status == Some(types::BillingUsageReportStatus::Complete) {
            for usage in report.usages.iter().flatten() {
                println!("{:40} {:>12}", usage.name, usage.total_usage);
            }
        }
        Ok(())
    }
});

example!(suger: report_an_hour {
    use usage_billing_suger::{Client, Decimal, DecimalNumber, Error, types};

    fn client() -> Result<Client, Error> {
        let key = std::env::var("SUGER_API_KEY").unwrap_or_default();
        Client::builder(key).build()
    }

    async fn report_an_hour(client: &Client) -> Result<(), Error> {
        let body = types::CreateUsageRecordGroupParams::builder()
            .organization_id("your-org")
            .entitlement_id("ent-7")
            .id("7b0e6b6e-91f5-4f5e-9a0a-3f1c2d4b5a69")
            .records([("api_calls".to_owned(), DecimalNumber(Decimal::new(125, 1)))]);
        let group = client.report_usage_record_group().org_id("your-org").entitlement_id("ent-7").body(body).send().await?;
        println!("{:?} is {:?}", group.id, group.status);
        Ok(())
    }
});

#[test]
fn readmes_have_the_tested_examples() {
    let tokens = |text: &str| {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        code.flat_map(str::chars).filter(|letter| !letter.is_whitespace() && *letter != ',').collect::<String>()
    };
    for (readme, code) in [
        (include_str!("../../../crates/usage-billing-acronis/README.md"), acronis::CODE),
        (include_str!("../../../crates/usage-billing-genesys/README.md"), genesys::CODE),
        (include_str!("../../../crates/usage-billing-suger/README.md"), suger::CODE),
    ] {
        assert!(tokens(readme).contains(&tokens(code)), "{code}");
    }
}

#[tokio::test]
async fn first_call_to_acronis_succeeds() {
    use usage_billing_acronis::{mock::MockServerExt as _, types};

    let (server, client) = start::<Acronis>();
    let document = Document::acronis();
    let own: types::ApiClient = document.operation("get_client").response();
    let children: types::TenantChildren = document.operation("list_tenant_children").response();
    let asked = server.get_client(|when, then| {
        when.client_id(&"6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264".parse().unwrap());
        then.ok(&own);
    });
    let listed = server.list_tenant_children(|when, then| {
        when.tenant_id(&own.tenant_id);
        then.ok(&children);
    });
    acronis::run(&client).await.unwrap();
    asked.assert();
    listed.assert();
}

#[tokio::test]
async fn first_call_to_genesys_succeeds() {
    use usage_billing_genesys::{mock::MockServerExt as _, types};

    let (server, client) = start::<Genesys>();
    let report: types::BillingUsageReport = Document::genesys().operation("getBillingReportsBillableusage").response();
    let asked = server.get_billing_reports_billableusage(|when, then| {
        when.start_date(&"2026-10-01T00:00:00Z".parse().unwrap()).end_date(&"2026-11-01T00:00:00Z".parse().unwrap());
        then.ok(&report);
    });
    genesys::run(&client).await.unwrap();
    asked.assert();
}

#[tokio::test]
async fn first_call_to_suger_succeeds() {
    use usage_billing_suger::{mock::MockServerExt as _, types};

    let (server, client) = start::<Suger>();
    let group: types::MeteringUsageRecordGroup = Document::suger().operation("reportUsageRecordGroup").response();
    let reported = server.report_usage_record_group(|when, then| {
        when.org_id("your-org").entitlement_id("ent-7");
        then.ok(&group);
    });
    suger::run(&client).await.unwrap();
    reported.assert();
}
