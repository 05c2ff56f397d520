//! `usage fetch`.

mod account_bills;
mod acronis;
mod acronis_arguments;
mod arguments;
mod checks;
mod client_selection;
mod data_set_output;
mod genesys;
mod output;
mod period_argument;
mod row_output;
mod source;
mod summary;
mod target;
mod vendor_usage;

use std::collections::BTreeMap;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use futures_util::{FutureExt, StreamExt, stream};
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Period};

use self::account_bills::AccountBills;
pub(crate) use self::arguments::{FetchArguments, HELP, report_id};
use self::output::{Destination, Output};
pub(crate) use self::period_argument::PeriodArgument;
use self::source::Source;
use self::summary::Summary;
use self::target::FetchTarget;
use self::vendor_usage::Fetched;
use crate::accounts::{AccountClient, Clients, Vendor};
use crate::exit::Failure;
use crate::{progress, terminal};

/// Months that are fetched concurrently, in memory until they are written in order.
const MONTHS: usize = 3;
/// Months whose Genesys bills are read in one pass, in memory until all of these months are written.
const MONTHS_OF_A_PASS: usize = 12;

pub(crate) async fn run(arguments: FetchArguments) -> Result<ExitCode, Failure> {
    tokio::select! {
        outcome = progress::watch(fetch_all(&arguments)) => outcome,
        Ok(()) = tokio::signal::ctrl_c() => {
            let written = match Destination::from_arguments(&arguments)? {
                Destination::DataSet(_) => "months that are complete are kept",
                Destination::Stdout(_) | Destination::File(..) => "nothing was written",
            };
            let line = format!("interrupted: {written}; to continue, run the same command again, which reuses reports that exist");
            Err(Failure::Interrupted(line))
        }
    }
}

async fn fetch_all(arguments: &FetchArguments) -> Result<ExitCode, Failure> {
    let now = arguments.accounts.now();
    let destination = Destination::from_arguments(arguments)?;
    let targets = arguments.targets(now, matches!(destination, Destination::DataSet(_)))?;
    // Kept until all rows are fetched: the sandbox stops when dropped.
    let Clients { clients, sandbox: _sandbox } = clients(arguments).await?;
    let mut sources = source::sources(clients);
    // Before anything is fetched: a folder that cannot be written to is an error at once.
    let mut output = Output::create(destination, arguments, now)?;
    if matches!(output, Output::DataSet(_)) || source::has_several_of_a_vendor(&sources) {
        source::identify(&mut sources, arguments.timeout).await?;
    }
    if let Output::DataSet(data_set) = &output {
        data_set.print_new_accounts(&sources);
    }
    let mut summary = Summary::default();
    let calls = targets.iter().map(|target| Ok((*target, wanted_sources(&sources, *target, &mut output)?)));
    let calls: Vec<_> = calls.collect::<Result<_, Failure>>()?;
    progress::set_parts(calls.iter().map(|(_, sources)| sources.len()).sum());
    for calls in calls.chunks(MONTHS_OF_A_PASS) {
        let bills: BTreeMap<_, _> =
            sources.iter().map(|source| (&source.label, bills_of(source, calls, now))).collect();
        let months = calls.iter().map(|(target, sources)| {
            let usage = sources.iter().map(|source| fetch(source, *target, &bills[&source.label], arguments, now));
            // Boxed, because the compiler cannot otherwise prove that its borrows live long enough.
            join_all(usage).map(move |outcomes| (*target, sources, outcomes)).boxed()
        });
        let mut months = stream::iter(months).buffered(MONTHS);
        while let Some((target, sources, outcomes)) = months.next().await {
            for (source, outcome) in sources.iter().zip(outcomes) {
                if let (Some(_), Ok(fetched)) = (arguments.report, &outcome) {
                    // Its period is known only now.
                    let periods =
                        fetched.rows.iter().filter_map(|row| Period::new(row.period_start, row.period_end).ok());
                    periods.into_iter().try_for_each(|period| arguments.check_closed(period, &[], now))?;
                }
                progress::part_done(outcome.as_ref().map_or(0, |fetched| fetched.rows.len()));
                let before = output.customers_before(source, target);
                summary.add(&source.label, target, &outcome, before);
                match (output.write(source, target, outcome), &output) {
                    // Other months are still written.
                    (Err(failure), Output::DataSet(_)) => summary.add_unwritten(&source.label, target, failure),
                    (written, _) => written?,
                }
            }
        }
    }
    summary.require(arguments.require_all, &output.written())?;
    output.finish()?;
    Ok(summary.finish())
}

/// Returns the sources of a target that is not in the output already.
fn wanted_sources<'a>(
    sources: &'a [Source],
    target: FetchTarget,
    output: &mut Output,
) -> Result<Vec<&'a Source>, Failure> {
    let mut wanted = Vec::new();
    for source in sources {
        match output.keeps(source, target)? {
            true => terminal::print_progress(&format!("{}: {target} is final and kept", source.label)),
            false => wanted.push(source),
        }
    }
    Ok(wanted)
}

/// Returns the bills of a source for all targets for which it is wanted.
fn bills_of(source: &Source, calls: &[(FetchTarget, Vec<&Source>)], now: DateTime<Utc>) -> AccountBills {
    let is_wanted = |sources: &[&Source]| sources.iter().any(|wanted| wanted.label == source.label);
    let targets = calls.iter().filter(|(_, sources)| is_wanted(sources));
    AccountBills::new(targets.map(|(target, _)| *target), now)
}

async fn clients(arguments: &FetchArguments) -> Result<Clients, Failure> {
    let mut clients = match arguments.report {
        Some(_) => {
            let (client, others) = arguments.accounts.client(Vendor::Acronis).await?;
            Clients { clients: vec![client], ..others }
        }
        None => arguments.accounts.clients(&arguments.vendors).await?,
    };
    let limited = |AccountClient { name, client }: AccountClient| AccountClient {
        name,
        client: client.with_max_usage_mib(arguments.max_usage_mib),
    };
    clients.clients = clients.clients.into_iter().map(limited).collect();
    Ok(clients)
}

async fn fetch(
    source: &Source,
    wanted: FetchTarget,
    bills: &AccountBills,
    arguments: &FetchArguments,
    now: DateTime<Utc>,
) -> usage_billing::Result<Fetched> {
    let label = &source.label;
    let started = match wanted {
        FetchTarget::Period(_) | FetchTarget::LastMonth(_) => format!("{label}: fetching usage of {wanted} …"),
        FetchTarget::Report(_) => format!("{label}: fetching {wanted} …"),
    };
    let usage = vendor_usage::usage(source, wanted, bills, arguments, now);
    let outcome = match &source.account {
        // One of several accounts of the vendor may be the same as another.
        Some(Err(error)) if *label != source.vendor().name() => Err(error.clone()),
        _ => progress::activity(&format!("{label} {wanted}"), &started, usage).await,
    };
    let print = |error: &Error| terminal::eprint_line(&format!("{label}: {}", error_line(source.vendor(), error)));
    match &outcome {
        Ok(fetched) => {
            fetched.errors.iter().for_each(print);
            terminal::print_progress(&format!("{label}: {}", terminal::count(fetched.rows.len(), "row")));
        }
        Err(error) => print(error),
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
    fn error_line_names_options_not_library_settings() {
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
