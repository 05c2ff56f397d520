//! Usage of an Acronis tenant, by reports that can be resumed.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Args;
use usage_billing::acronis::{Client, ObtainedReport, ReportEvent, ReportRequest, UsageOptions};
use usage_billing::uuid::Uuid;
use usage_billing::{Period, Result, UsageRow};

use super::FetchArguments;
use super::vendor_usage::Fetched;
use crate::terminal;

/// Another report than the one that bills use.
#[derive(Args, Clone, Debug)]
pub(crate) struct AcronisArguments {
    /// Level of the Acronis partner's tree whose tenants have rows. Levels other than the default contain the usage of others again: do not add
    /// levels up [default: direct_partners].
    #[arg(long, value_name = "LEVEL", value_parser = ["itself", "direct_partners", "all_customers", "accounts"])]
    #[arg(conflicts_with_all = ["report", "delete_report"])]
    acronis_level: Option<String>,

    /// Values of the Acronis report: of the month, or of each of its days; rows of days are not billable [default: usage_summary].
    #[arg(long, value_name = "KIND", value_parser = ["usage_summary", "usage_daily", "usage_breakdown"])]
    #[arg(conflicts_with_all = ["report", "delete_report"])]
    acronis_kind: Option<String>,
}

impl AcronisArguments {
    /// Returns what is set, for the manifest of a data set.
    pub(crate) fn options(&self) -> BTreeMap<String, String> {
        let options = [("level", &self.acronis_level), ("kind", &self.acronis_kind)];
        options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
    }

    fn request(&self, tenant: Uuid, month: Period) -> ReportRequest {
        let request = match self.acronis_kind.as_deref() {
            Some("usage_daily") => ReportRequest::usage_daily(tenant, month),
            Some("usage_breakdown") => ReportRequest::usage_breakdown(tenant, month),
            _ => ReportRequest::usage_summary(tenant, month),
        };
        self.acronis_level.iter().fold(request, |request, level| request.level(level.clone().into()))
    }
}

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
