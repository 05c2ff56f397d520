//! Usage of an Acronis tenant, by reports that can be resumed.

use std::time::Instant;

use chrono::{DateTime, Utc};
use usage_billing::acronis::{Client, ObtainedReport, ReportRequest};
use usage_billing::{Period, Result};

use crate::arguments::FetchArguments;
use crate::output;
use crate::vendors::{Fetched, in_time};

/// Fetches the usage of each calendar month that has begun. Each report is named as soon as it is known, so that it can be resumed.
pub(crate) async fn fetch(
    client: &Client,
    period: Period,
    arguments: &FetchArguments,
    now: DateTime<Utc>,
) -> Result<Fetched> {
    let start = Instant::now();
    let left = || arguments.timeout.saturating_sub(start.elapsed());
    let not_created = "no report was confirmed to be created";
    let tenant = in_time(left(), not_created, client.own_tenant()).await?;
    let mut fetched = Fetched::from(Vec::new());
    for month in period.months().take_while(|month| month.start() <= now) {
        let request = ReportRequest::usage_summary(tenant, month);
        let (mut report, is_created) = match in_time(left(), not_created, client.obtain_report(&request)).await? {
            ObtainedReport::Created(report) => (report, true),
            ObtainedReport::Existing(report) => (report, false),
        };
        let id = report.id().to_owned();
        output::tell(&match is_created {
            true => format!("acronis: report {id} is being made (--report takes it up again)"),
            false => format!("acronis: report {id} of {month} is there already and is read"),
        });
        fetched.rows.extend(client.usage_by(&mut report, left()).await?);
        if is_created
            && arguments.delete_report
            && let Ok(id) = id.parse()
        {
            let deleted = in_time(left(), &format!("report {id} was not deleted"), client.delete_report(id)).await;
            fetched.errors.extend(deleted.err());
        }
    }
    Ok(fetched)
}
