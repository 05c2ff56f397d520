//! `usage fetch`.

use std::process::ExitCode;

use chrono::Utc;
use futures_util::future::join_all;
use usage_billing::{Error, ErrorKind, Period};
use usage_billing_sandbox::Sandbox;

use crate::arguments::{FetchArguments, Vendor};
use crate::exit::{Failure, PARTIAL};
use crate::output;
use crate::vendors::{self, Client};

pub(crate) async fn run(arguments: FetchArguments) -> Result<ExitCode, Failure> {
    let period = arguments.period.unwrap_or_else(|| Period::last_month(Utc::now()));
    if !arguments.allow_open {
        let advised =
            |error: Error| Failure::Usage(error.with_hint("--allow-open fetches it all the same").to_string());
        period.require_closed(Utc::now()).map_err(advised)?;
    }
    // Held until the rows are here: it stops when dropped.
    let sandbox = match arguments.sandbox {
        true => {
            let failed = |error| Failure::Local(format!("the sandbox cannot listen on 127.0.0.1: {error}"));
            Some(Sandbox::builder().polls_before_ready(1).start().await.map_err(failed)?)
        }
        false => None,
    };
    let clients = match &sandbox {
        Some(sandbox) => {
            output::tell(&format!("sandbox: {}", sandbox.url()));
            vendors::of_sandbox(&arguments.vendors, sandbox.url())
        }
        None => vendors::from_env(&arguments.vendors),
    };
    let clients = clients.map_err(|error| Failure::Usage(error.to_string()))?;
    if clients.is_empty() {
        let message = "no vendor is set up: try --sandbox, or set the variables that --help lists";
        return Err(Failure::Usage(message.to_owned()));
    }
    let outcomes = join_all(clients.iter().map(|client| fetch(client, period, &arguments))).await;
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(vendor) => rows.extend(vendor),
            Err(error) => errors.push(error),
        }
    }
    if errors.len() == clients.len() {
        return Err(Failure::Vendors(errors));
    }
    output::print(&rows, arguments.format)
        .map_err(|error| Failure::Local(format!("the rows cannot be written: {error}")))?;
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(PARTIAL) })
}

async fn fetch(
    client: &Client,
    period: Period,
    arguments: &FetchArguments,
) -> usage_billing::Result<Vec<usage_billing::UsageRow>> {
    let vendor = client.vendor().name();
    output::tell(&format!("{vendor}: fetching usage of {period} …"));
    let outcome = client.usage(period, arguments.timeout).await;
    match &outcome {
        Ok(rows) => output::tell(&format!("{vendor}: {}", output::counted(rows.len()))),
        Err(error) => {
            output::tell(&format!("{vendor}: {error}{}", in_terms_of_the_program(client.vendor(), error.kind())))
        }
    }
    outcome
}

/// What an error of the library cannot know: where the credential came from, and how to wait longer.
fn in_terms_of_the_program(vendor: Vendor, kind: ErrorKind) -> String {
    match kind {
        ErrorKind::Auth => format!(" ({})", vendor.settings().join(", ")),
        ErrorKind::WaitTimeout => " (--timeout waits longer)".to_owned(),
        _ => String::new(),
    }
}
