//! `usage fetch`.

use std::process::ExitCode;

use chrono::Utc;
use futures_util::future::join_all;
use usage_billing::{ErrorKind, Period};
use usage_billing_sandbox::Sandbox;

use crate::arguments::FetchArguments;
use crate::exit::{Failure, PARTIAL};
use crate::vendors::{self, Client};
use crate::{output, sandbox};

pub(crate) async fn run(arguments: FetchArguments) -> Result<ExitCode, Failure> {
    let period = arguments.period.unwrap_or_else(|| Period::last_month(Utc::now()));
    if !arguments.allow_open && !period.is_closed(Utc::now()) {
        let message =
            format!("{period} is not over, its quantities will still change; --allow-open fetches it all the same");
        return Err(Failure::Usage(message));
    }
    // Held until the rows are here: it stops when dropped.
    let sandbox = match arguments.sandbox {
        true => Some(sandbox::start(Sandbox::builder().polls_before_ready(1)).await?),
        false => None,
    };
    let clients = match &sandbox {
        Some(sandbox) => {
            eprintln!("sandbox: {}", sandbox.url());
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
    eprintln!("{vendor}: fetching usage of {period} …");
    let outcome = client.usage(period, arguments.timeout).await;
    match &outcome {
        Ok(rows) => eprintln!("{vendor}: {} rows", rows.len()),
        Err(error) => eprintln!("{vendor}: {error}{}", advice(error.kind())),
    }
    outcome
}

fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Auth => "; check the client's id and secret or the API key, and that they belong to this region",
        ErrorKind::Permission => "; give the credential's role the permission that the vendor names",
        _ => "",
    }
}
