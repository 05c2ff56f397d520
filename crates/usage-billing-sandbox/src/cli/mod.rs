//! The command line of the sandbox: its options, and the run until Ctrl-C. Only for the programs `usage-billing-sandbox` and `usage-billing
//! sandbox`: it may change with any version.

mod arguments;
mod dataset;
mod env_file;
mod options;

use std::io::{self, ErrorKind, Write};

use usage_billing_acronis::types::ReportLevel;
use usage_billing_core::printable;

pub use self::arguments::check_arguments;
use self::env_file::EnvFile;
use self::options::Command;
pub use self::options::Options;
use crate::admin::expected_usage::Bill;
use crate::admin::expected_usage::last_month;
use crate::shell_settings::{Shell, settings};

/// Starts a sandbox, prints the settings for a shell, and serves until Ctrl-C; or prints the true usage of the dataset.
///
/// # Errors
/// The address cannot be bound or the output cannot be written; [`InvalidInput`](ErrorKind::InvalidInput) for invalid options. The message
/// is a human-readable line.
pub async fn run(mut options: Options) -> io::Result<()> {
    let address = options.address();
    let command = options.command.take();
    let env_file = options.env_file.take().filter(|_| command.is_none());
    env_file.as_deref().map_or(Ok(()), EnvFile::clear)?;
    let sandbox = options.builder().start().await.map_err(|error| {
        let hint = if address.port() == 0 { "" } else { "; try another --port" };
        match error.kind() {
            ErrorKind::InvalidInput => error,
            kind => io::Error::new(kind, format!("the sandbox cannot listen on {address}: {error}{hint}")),
        }
    })?;
    if let Some(Command::Expected { period }) = command {
        let period = period.unwrap_or_else(|| last_month(sandbox.now().date_naive()));
        let level = ReportLevel::DirectPartners;
        let bills = [
            Bill::Acronis(level.clone()),
            Bill::AcronisPerGigabyte(level),
            Bill::Genesys,
            Bill::GenesysClients,
            Bill::Suger,
        ];
        let rows: Vec<_> = bills.iter().flat_map(|bill| sandbox.expected_usage(bill, period.clone())).collect();
        return print(&format!("{:#}\n", serde_json::to_value(rows)?));
    }
    let url = sandbox.url();
    // Scripts may send the signal as soon as they read the output.
    let stopped = stop_signal()?;
    let env_file = env_file.map(|path| EnvFile::write(&path, url).map(|file| (file, path))).transpose()?;
    let how = match &env_file {
        Some((_, path)) => {
            let path = path.to_string_lossy();
            format!("{} has its settings: read it with `.` in another shell", printable(&path))
        }
        None => {
            print(&settings(url, Shell::Posix))?;
            "the lines above are its settings, for another shell (--env-file PATH writes them to a file)".to_owned()
        }
    };
    let reach = match address.ip() {
        ip if ip.is_loopback() => String::new(),
        ip if ip.is_unspecified() => {
            let port = url.rsplit(':').next().unwrap_or_default();
            format!("\nother machines and containers reach it at an address of this machine, port {port}")
        }
        _ => "\nother machines can reach it".to_owned(),
    };
    // A closed stderr is ignored.
    let _ = writeln!(io::stderr(), "the sandbox runs at {url} until Ctrl-C; {how}{reach}");
    stopped.await
}

/// Returns a future that waits for Ctrl-C, on Unix also for SIGTERM, which `kill` and containers send. After the call, neither ends the
/// program at once.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => Ok(()),
            _ = terminated.recv() => Ok(()),
        }
    })
}

/// Returns a future that waits for Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}

/// Writes a text to the output. A closed pipe (`| head`) is not an error.
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), format!("the output cannot be written: {error}"))),
        Ok(()) => Ok(()),
    }
}
