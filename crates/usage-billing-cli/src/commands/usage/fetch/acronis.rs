//! Usage of an Acronis tenant, by reports that can be resumed.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use usage_billing::acronis::{Client, ObtainedReport, ReportEvent, UsageOptions};
use usage_billing::{Period, Result, UsageRow};

use super::FetchArguments;
use super::vendor_usage::Fetched;
use crate::terminal;

/// Fetches the usage of each calendar month that has started. Each report id is printed as soon as it is known, so that it can be resumed.
pub(crate) async fn fetch(client: &Client, label: &str, period: Period, arguments: &FetchArguments) -> Result<Fetched> {
    if !arguments.acronis.options().is_empty() {
        return fetch_reports(client, label, period, arguments).await.map(Fetched::from);
    }
    let (failed, errors) = mpsc::channel();
    let of_account = label.to_owned();
    let on_report = move |event: ReportEvent<'_>| match event {
        ReportEvent::Created { id, .. } => print_created(&of_account, id),
        ReportEvent::Reused { id, month } => print_reused(&of_account, id, month),
        // The receiver lives as long as events are sent.
        ReportEvent::NotDeleted { error, .. } => _ = failed.send(error.clone()),
        _ => {}
    };
    let options = UsageOptions::new().delete_created_reports(arguments.delete_report).on_report(on_report);
    let rows = client.usage_with(period, arguments.timeout, options).await?;
    Ok(Fetched { rows, errors: errors.try_iter().collect() })
}

/// Fetches the usage of another level or kind, from one report for each calendar month.
async fn fetch_reports(
    client: &Client,
    label: &str,
    period: Period,
    arguments: &FetchArguments,
) -> Result<Vec<UsageRow>> {
    let start = Instant::now();
    let remaining = |start: Instant| -> Duration { arguments.timeout.saturating_sub(start.elapsed()) };
    let (tenant, mut rows) = (client.own_tenant().await?, Vec::new());
    for month in period.months() {
        let mut report = match client.obtain_report(&arguments.acronis.request(tenant, month)).await? {
            ObtainedReport::Created(report) => {
                print_created(label, report.id());
                report
            }
            ObtainedReport::Existing(report) => {
                print_reused(label, report.id(), month);
                report
            }
        };
        rows.extend(client.usage_from_report(&mut report, remaining(start)).await?);
    }
    Ok(rows)
}

fn print_created(label: &str, id: &str) {
    terminal::eprint_line(&format!("{label}: report {id} was created (resume it with --report {id})"));
}

fn print_reused(label: &str, id: &str, month: Period) {
    terminal::print_progress(&format!("{label}: reusing report {id} of {month}"));
}
