//! `usage fetch`.

mod acronis;
mod arguments;
mod genesys;
mod vendor_usage;

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Period, UsageRow};
use usage_billing_sandbox::{Sandbox, SandboxBuilder};

pub(crate) use self::arguments::{FetchArguments, HELP};
use self::vendor_usage::{FetchTarget, Fetched};
use crate::accounts::{self, Client, Vendor};
use crate::exit::{Failure, PARTIAL};
use crate::{formats, terminal};

pub(crate) async fn run(arguments: FetchArguments) -> Result<ExitCode, Failure> {
    let now = arguments.now();
    let (wanted, vendors) = match arguments.report {
        Some(id) => (FetchTarget::Report(id), vec![Vendor::Acronis]),
        None => {
            let last_month = || FetchTarget::LastMonth(Period::last_month(now));
            (arguments.period.map_or_else(last_month, FetchTarget::Period), arguments.vendors.clone())
        }
    };
    if arguments.report.is_some() && arguments.vendors.iter().any(|vendor| *vendor != Vendor::Acronis) {
        return Err(Failure::Usage(
            "--report works with Acronis only: fetch other vendors in a separate call".to_owned(),
        ));
    }
    if let FetchTarget::Period(period) | FetchTarget::LastMonth(period) = wanted {
        period.require_started(now).map_err(|error| Failure::Usage(error.to_string()))?;
        if let Some(warning) = period.inclusive_end_warning() {
            terminal::eprint_line(&format!("warning: {warning}"));
        }
        arguments.check_closed(period, now)?;
    }
    // Kept until all rows are fetched: the sandbox stops when dropped.
    let sandbox = match arguments.sandbox {
        true => {
            let failed = |error| Failure::Local(format!("the sandbox cannot listen on 127.0.0.1: {error}"));
            let builder = Sandbox::builder().polls_before_ready(1);
            let builder = arguments.today.into_iter().fold(builder, SandboxBuilder::today);
            Some(builder.start().await.map_err(failed)?)
        }
        false => None,
    };
    let clients = match &sandbox {
        Some(sandbox) => {
            terminal::eprint_line(&format!("sandbox: {}", sandbox.url()));
            accounts::of_sandbox(&vendors, sandbox.url())
        }
        None => accounts::from_env(&vendors),
    };
    let clients = clients.map_err(|error| Failure::Usage(error.to_string()))?;
    let clients = clients.into_iter().map(|client| client.with_max_usage_mib(arguments.max_usage_mib));
    let clients: Vec<_> = match arguments.today {
        Some(_) => clients.map(|client| client.with_now(now)).collect(),
        None => clients.collect(),
    };
    if clients.is_empty() {
        let message = "no vendor is configured: use --sandbox, or set the variables listed by --help";
        return Err(Failure::Usage(message.to_owned()));
    }
    let outcomes = join_all(clients.iter().map(|client| fetch(client, wanted, &arguments, now))).await;
    let (mut rows, mut errors, mut is_partial) = (Vec::new(), Vec::new(), false);
    for outcome in outcomes {
        match outcome {
            Ok(vendor) => {
                rows.extend(vendor.rows);
                is_partial |= !vendor.errors.is_empty();
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.len() == clients.len() {
        return Err(Failure::Vendors(errors));
    }
    if arguments.report.is_some() {
        // Its period is known only now.
        rows.iter()
            .filter_map(|row: &UsageRow| Period::new(row.period_start, row.period_end).ok())
            .try_for_each(|period| arguments.check_closed(period, now))?;
    }
    formats::print(&rows, arguments.format)
        .map_err(|error| Failure::Local(format!("the rows cannot be written: {error}")))?;
    Ok(if errors.is_empty() && !is_partial { ExitCode::SUCCESS } else { ExitCode::from(PARTIAL) })
}

impl FetchArguments {
    /// Rejects a period that has not ended, unless `--allow-open` is set.
    fn check_closed(&self, period: Period, now: DateTime<Utc>) -> Result<(), Failure> {
        if self.allow_open {
            return Ok(());
        }
        let advised = |error: Error| Failure::Usage(error.with_hint("use --allow-open to fetch it").to_string());
        period.require_ended(now).map_err(advised)
    }
}

async fn fetch(
    client: &Client,
    wanted: FetchTarget,
    arguments: &FetchArguments,
    now: DateTime<Utc>,
) -> usage_billing::Result<Fetched> {
    let vendor = client.vendor().name();
    terminal::eprint_line(&match wanted {
        FetchTarget::Period(period) | FetchTarget::LastMonth(period) => {
            format!("{vendor}: fetching usage of {period} …")
        }
        FetchTarget::Report(id) => format!("{vendor}: fetching report {id} …"),
    });
    let outcome = vendor_usage::usage(client, wanted, arguments, now).await;
    match &outcome {
        Ok(fetched) => {
            fetched
                .errors
                .iter()
                .for_each(|error| terminal::eprint_line(&format!("{vendor}: {}", error_line(client.vendor(), error))));
            terminal::eprint_line(&format!("{vendor}: {}", terminal::row_count(fetched.rows.len())));
        }
        Err(error) => terminal::eprint_line(&format!("{vendor}: {}", error_line(client.vendor(), error))),
    }
    outcome
}

/// Operations whose responses cover the requested period; the responses of others do not depend on it.
const OF_A_PERIOD: [&str; 3] = ["getBillingReportsBillableusage", "listUsageRecordGroups", "listUsageRecordReports"];

/// Returns the line of an error in terms of the program: with what the library cannot know (where the credential came from, which options
/// help), and without the settings of the library, to which the program's user has no access.
fn error_line(vendor: Vendor, error: &Error) -> String {
    let advice = match error.kind() {
        ErrorKind::Auth => format!(" ({})", vendor.settings().join(", ")),
        ErrorKind::WaitTimeout if names_a_report(error) => {
            " (resume it with --report and its id, or increase --timeout)".to_owned()
        }
        ErrorKind::WaitTimeout => " (increase --timeout)".to_owned(),
        ErrorKind::Limit => match (error.setting(), error.operation()) {
            (Some("max_usage_bytes"), _) => " (increase --max-usage-mib)".to_owned(),
            (Some("max_response_bytes"), Some(operation)) if OF_A_PERIOD.contains(&operation) => {
                " (a shorter --period may have a smaller response)".to_owned()
            }
            _ => String::new(),
        },
        _ => String::new(),
    };
    format!("{}{advice}", error.clone().with_setting(None))
}

fn names_a_report(error: &Error) -> bool {
    let words = |text: &str| text.split_whitespace().any(|word| word.parse::<Uuid>().is_ok());
    words(error.message()) || error.hint().is_some_and(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_of_an_error_names_options_and_no_settings_of_the_library() {
        let id = "41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73";
        let error = |kind, message: &str| Error::new(kind, message);
        let report = error(ErrorKind::WaitTimeout, &format!("Acronis report {id} is not done after 5 s"));
        for (error, expected) in [
            (report, " (resume it with --report and its id, or increase --timeout)"),
            (error(ErrorKind::WaitTimeout, "no report within 5s"), "no report within 5s (increase --timeout)"),
            (error(ErrorKind::Auth, "no"), "ACRONIS_CLIENT_ID, ACRONIS_CLIENT_SECRET, ACRONIS_CLIENT_SECRET_FILE)"),
            (
                error(ErrorKind::Limit, "too large")
                    .with_setting("max_response_bytes")
                    .with_operation("listUsageRecordGroups"),
                "too large (a shorter --period may have a smaller response)",
            ),
            (
                error(ErrorKind::Limit, "too large").with_setting("max_response_bytes").with_operation("get_client"),
                "too large",
            ),
            (error(ErrorKind::Limit, "too large").with_hint("check the URL"), "too large -> check the URL"),
            (
                error(ErrorKind::Limit, "too much").with_setting("max_usage_bytes"),
                "too much (increase --max-usage-mib)",
            ),
            (error(ErrorKind::Connection, "too slow").with_setting("min_transfer_rate"), "too slow"),
        ] {
            let line = error_line(Vendor::Acronis, &error);
            assert!(
                line.ends_with(expected)
                    && !line.contains('_') | line.contains("ACRONIS_") | line.contains("get_client"),
                "{line}"
            );
        }
    }
}
