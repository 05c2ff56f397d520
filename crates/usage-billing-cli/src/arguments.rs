//! The command line.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand};
use usage_billing_sandbox::cli::check_arguments;

use crate::commands::api::{self, ApiArguments};
use crate::commands::auth::AuthCommand;
use crate::commands::clients::ClientsCommand;
use crate::commands::doctor::DoctorArguments;
use crate::commands::manual::CompletionsArguments;
use crate::commands::meter::MeterCommand;
use crate::commands::report::ReportCommand;
use crate::commands::schema::{self, SchemaArguments};
use crate::commands::usage::{self, UsageCommand};
use crate::commands::vendors::{self, VendorsArguments};
use crate::exit::Failure;
use crate::logging::LogArguments;
use crate::suggestion::similar;

/// Usage and billing data of Genesys Cloud, Suger and Acronis.
#[derive(Parser)]
#[command(name = "usage-billing", bin_name = "usage-billing", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) log: LogArguments,

    /// For verbs without requests: with it, every verb of a script runs without accounts. Those that call a vendor define it themselves.
    #[arg(long, global = true, hide = true)]
    sandbox: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed, or incomplete with --require-all
  2  wrong arguments, settings or files; nothing to compare
  3  a credential was rejected or lacks a permission
  4  partial: the rows of some vendors or months were written, others failed
  5  not ready: a vendor is still at work, events of an outbox are open, or metered usage is not reported; try again later
  6  a check failed: rows with the same key, an invoice that differs, invalid events, events that would be billed \
twice, usage that is not billed as it was sent, or an outbox with events that are not billed or wait for an operator
  75 a vendor rejected the request for now; the message states the time of the next attempt; or another sender has the outbox
  130 interrupted";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Usage data.
    #[command(subcommand)]
    Usage(UsageCommand),
    /// Usage events for Suger: send, enqueue, check, retry and reconcile them.
    #[command(subcommand)]
    Meter(MeterCommand),
    /// The configured accounts: each setting and its source, without secrets.
    #[command(after_help = vendors::HELP)]
    Vendors(VendorsArguments),
    /// The permissions of accounts.
    #[command(subcommand)]
    Auth(AuthCommand),
    /// Check settings, clock, proxy, name resolution, TLS, token and one harmless call, with advice.
    Doctor(DoctorArguments),
    /// The customers of partners.
    #[command(subcommand)]
    Clients(ClientsCommand),
    /// The reports that are stored at Acronis.
    #[command(subcommand)]
    Report(ReportCommand),
    /// Call any operation of a vendor's API, or list them.
    #[command(after_help = api::HELP)]
    Api(ApiArguments),
    /// The same as `usage fetch`.
    #[command(hide = true, after_help = usage::FETCH_HELP)]
    Fetch(Box<usage::FetchArguments>),
    /// Print the columns of usage rows as a schema for DuckDB, BigQuery, Spark or JSON.
    #[command(after_help = schema::HELP)]
    Schema(SchemaArguments),
    /// Print the completion script of a shell.
    Completions(CompletionsArguments),
    /// Print the manual pages (roff).
    Man,
    /// Run a mock server of the three vendors on this machine until Ctrl-C.
    Sandbox(usage_billing_sandbox::cli::Options),
}

impl Arguments {
    /// Parses a command line that the program itself composes. Invalid options are reported as those of the user.
    pub(crate) fn from_command_line(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        Self::try_parse_from(arguments).map_err(failure)
    }
}

/// Returns the arguments of the command line. Those that cannot be quoted on one line are rejected before an error message
/// quotes them.
pub(crate) fn parse() -> Result<Arguments, Failure> {
    check_arguments(std::env::args_os()).map_err(Failure::of_sandbox)?;
    Arguments::try_parse().map_err(|error| failure(with_suggestion(error)))
}

/// Returns the failure of an invalid command line as one line. Help and the version are printed, and end the program.
fn failure(error: clap::Error) -> Failure {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error.exit();
    }
    Failure::Usage(one_line(&error.render().to_string()))
}

/// Returns the reason and the advice of a message of clap, without its usage.
fn one_line(message: &str) -> String {
    let is_usage = |line: &&str| line.starts_with("Usage:") || line.starts_with("For more information");
    let lines = message.trim_start_matches("error: ").lines().map(str::trim).filter(|line| !line.is_empty());
    let mut text = String::new();
    for line in lines.take_while(|line| !is_usage(line)) {
        // Advice follows the reason; lists and possible values continue it.
        let separator = if text.is_empty() {
            ""
        } else if line.starts_with("tip: ") {
            "; "
        } else {
            " "
        };
        text = text + separator + line.trim_start_matches("tip: ");
    }
    text
}

/// Adds where a verb that is unknown at the top is, such as `meter send` for `send`.
fn with_suggestion(mut error: clap::Error) -> clap::Error {
    if let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(unknown))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
    {
        let program = Arguments::command();
        let inner = program.get_subcommands().flat_map(|verb| {
            verb.get_subcommands()
                .map(move |inner| (inner.get_name(), format!("`{} {}`", verb.get_name(), inner.get_name())))
        });
        let inner: Vec<_> = inner.collect();
        let is_similar_above = error.get(ContextKind::SuggestedSubcommand).is_some();
        let name = match inner.iter().any(|(name, _)| name == unknown) {
            true => Some(&**unknown),
            false if is_similar_above => None,
            false => similar(unknown, inner.iter().map(|(name, _)| *name)),
        };
        let meant: Vec<_> = inner.iter().filter(|(inner, _)| Some(*inner) == name).map(|(_, verb)| &**verb).collect();
        if !meant.is_empty() {
            let tip = format!("did you mean {}?", meant.join(" or "));
            error.remove(ContextKind::SuggestedSubcommand);
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_arguments_are_one_line() {
        for (arguments, expected) in [
            (
                "usage fetch --perio 2026-10",
                "unexpected argument '--perio' found; a similar argument exists: '--period'",
            ),
            (
                "usage fetch oracle",
                "invalid value 'oracle' for '[VENDOR]...' [possible values: acronis, genesys, suger]",
            ),
            ("usage reconcile x", "the following required arguments were not provided: --against <INVOICE>"),
            ("send x", "unrecognized subcommand 'send'; did you mean `meter send`?"),
            ("reconcil x", "unrecognized subcommand 'reconcil'; did you mean `usage reconcile` or `meter reconcile`?"),
            ("showw", "unrecognized subcommand 'showw'; did you mean `usage show` or `meter show`?"),
            ("doctr", "unrecognized subcommand 'doctr'; a similar subcommand exists: 'doctor'"),
            (
                "report delete october",
                "invalid value 'october' for '<ID>...': expected a UUID such as 41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73",
            ),
        ] {
            let words = ["usage-billing"].into_iter().chain(arguments.split(' '));
            let error = Arguments::try_parse_from(words).err().unwrap();
            assert_eq!(failure(with_suggestion(error)).to_string(), expected, "{arguments}");
        }
    }

    #[test]
    fn arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
