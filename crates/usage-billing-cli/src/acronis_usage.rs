//! Usage of an Acronis tenant, by reports that can be resumed.

use std::sync::mpsc;

use usage_billing::acronis::{Client, ReportEvent, UsageOptions};
use usage_billing::{Period, Result};

use crate::arguments::FetchArguments;
use crate::output;
use crate::vendors::Fetched;

/// Fetches the usage of each calendar month that has begun. Each report is named as soon as it is known, so that it can be resumed.
pub(crate) async fn fetch(client: &Client, period: Period, arguments: &FetchArguments) -> Result<Fetched> {
    let (failed, errors) = mpsc::channel();
    let tell = move |event: ReportEvent<'_>| match event {
        ReportEvent::Created { id, .. } => {
            output::tell(&format!("acronis: report {id} is being made (--report takes it up again)"));
        }
        ReportEvent::Reused { id, month } => {
            output::tell(&format!("acronis: report {id} of {month} is there already and is read"));
        }
        // The receiver is there as long as events come.
        ReportEvent::NotDeleted { error, .. } => _ = failed.send(error.clone()),
        _ => {}
    };
    let options = UsageOptions::new().delete_created_reports(arguments.delete_report).on_report(tell);
    let rows = client.usage_with(period, arguments.timeout, options).await?;
    Ok(Fetched { rows, errors: errors.try_iter().collect() })
}
