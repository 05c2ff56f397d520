//! Usage of an Acronis tenant, by reports that can be resumed.

use std::sync::mpsc;

use usage_billing::acronis::{Client, ReportEvent, UsageOptions};
use usage_billing::{Period, Result};

use super::FetchArguments;
use super::vendor_usage::Fetched;
use crate::terminal;

/// Fetches the usage of each calendar month that has started. Each report id is printed as soon as it is known, so that it can be resumed.
pub(crate) async fn fetch(client: &Client, label: &str, period: Period, arguments: &FetchArguments) -> Result<Fetched> {
    let (failed, errors) = mpsc::channel();
    let label = label.to_owned();
    let on_report = move |event: ReportEvent<'_>| match event {
        ReportEvent::Created { id, .. } => {
            terminal::eprint_line(&format!("{label}: report {id} was created (resume it with --report {id})"));
        }
        ReportEvent::Reused { id, month } => {
            terminal::print_progress(&format!("{label}: reusing report {id} of {month}"));
        }
        // The receiver lives as long as events are sent.
        ReportEvent::NotDeleted { error, .. } => _ = failed.send(error.clone()),
        _ => {}
    };
    let options = UsageOptions::new().delete_created_reports(arguments.delete_report).on_report(on_report);
    let rows = client.usage_with(period, arguments.timeout, options).await?;
    Ok(Fetched { rows, errors: errors.try_iter().collect() })
}
