//! The sandbox as a program: its options, and the run until Ctrl-C. `usage-billing-sandbox` is this and nothing else, and
//! `usage-billing sandbox` has it as a verb. Not meant for others: it may change with any version.

mod options;
mod world;

use std::io::{self, ErrorKind, Write};

use usage_billing_acronis::types::ReportLevel;

use self::options::Command;
pub use self::options::Options;
use crate::expected::last_month;
use crate::{Bill, demo};

/// Starts a sandbox, prints the settings that point a shell at it, and serves until Ctrl-C; or prints what its world's true usage is.
///
/// # Errors
/// When the address cannot be bound or the output cannot be written, and [`InvalidInput`](ErrorKind::InvalidInput) for options that make
/// no sandbox; in a line for people.
pub async fn run(mut options: Options) -> io::Result<()> {
    let address = options.address();
    let command = options.command.take();
    let sandbox = options.builder().start().await.map_err(|error| {
        let hint = if address.port() == 0 { "" } else { "; try another --port" };
        match error.kind() {
            ErrorKind::InvalidInput => error,
            kind => io::Error::new(kind, format!("the sandbox cannot listen on {address}: {error}{hint}")),
        }
    })?;
    if let Some(Command::Expected { period }) = command {
        let period = period.unwrap_or_else(|| last_month(sandbox.now().date_naive()));
        let bills = [Bill::Acronis(ReportLevel::DirectPartners), Bill::Genesys, Bill::Suger];
        let rows: Vec<_> = bills.iter().flat_map(|bill| sandbox.expected_usage(bill, period.clone())).collect();
        return print(&format!("{:#}\n", serde_json::to_value(rows)?));
    }
    print(&settings(sandbox.url()))?;
    let warning = if address.ip().is_loopback() { "" } else { "; others can reach it" };
    let url = sandbox.url();
    // That nobody reads it is no reason to stop.
    let _ = writeln!(
        io::stderr(),
        "the sandbox runs at {url} until Ctrl-C{warning}; the lines above point a shell at it (demo credentials)"
    );
    tokio::signal::ctrl_c().await
}

/// For a shell. The names are those that the crates of this workspace read.
fn settings(url: &str) -> String {
    [
        ("GENESYS_REGION", url),
        ("GENESYS_CLIENT_ID", demo::GENESYS_CLIENT_ID),
        ("GENESYS_CLIENT_SECRET", demo::GENESYS_CLIENT_SECRET),
        ("SUGER_BASE_URL", url),
        ("SUGER_ORG_ID", demo::SUGER_ORG_ID),
        ("SUGER_API_KEY", demo::SUGER_API_KEY),
        ("ACRONIS_DATA_CENTER", url),
        ("ACRONIS_CLIENT_ID", demo::ACRONIS_CLIENT_ID),
        ("ACRONIS_CLIENT_SECRET", demo::ACRONIS_CLIENT_SECRET),
    ]
    .iter()
    .map(|(name, value)| format!("export {name}={value}\n"))
    .collect()
}

/// A reader that has seen enough (`| head`) is no failure.
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), format!("the output cannot be written: {error}"))),
        Ok(()) => Ok(()),
    }
}
