//! Usage of an Acronis tenant, by reports that can be resumed.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use usage_billing::acronis::{Client, ObtainedReport, ReportEvent, ReportRequest, UsageOptions};
use usage_billing::{Period, Result, UsageRow};

use super::FetchArguments;
use super::vendor_usage::Fetched;
use crate::terminal;

/// Fetches the usage of each calendar month that has started. Each report id is printed as soon as it is known, so that it can be resumed.
pub(crate) async fn fetch(client: &Client, label: &str, period: Period, arguments: &FetchArguments) -> Result<Fetched> {
    if let Some(level) = &arguments.acronis_level {
        return fetch_level(client, label, period, arguments.timeout, level).await.map(Fetched::from);
    }
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

/// Fetches the usage of another level than the one that bills use, from one report for each calendar month.
async fn fetch_level(
    client: &Client,
    label: &str,
    period: Period,
    timeout: Duration,
    level: &str,
) -> Result<Vec<UsageRow>> {
    let start = Instant::now();
    let (tenant, mut rows) = (client.own_tenant().await?, Vec::new());
    for month in period.months() {
        let request = ReportRequest::usage_summary(tenant, month).level(level.to_owned().into());
        let (ObtainedReport::Created(mut report) | ObtainedReport::Existing(mut report)) =
            client.obtain_report(&request).await?;
        terminal::print_progress(&format!("{label}: report {} of {month} (level {level})", report.id()));
        rows.extend(client.usage_from_report(&mut report, timeout.saturating_sub(start.elapsed())).await?);
    }
    Ok(rows)
}
