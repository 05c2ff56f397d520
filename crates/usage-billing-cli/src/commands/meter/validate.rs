//! `meter validate`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::events;
use crate::exit::Failure;
use crate::terminal;

#[derive(Args)]
pub(crate) struct ValidateArguments {
    /// File of events, CSV or JSON lines; - for stdin.
    file: PathBuf,
}

pub(super) fn run(arguments: &ValidateArguments) -> Result<ExitCode, Failure> {
    let events = events::read(&arguments.file)?;
    terminal::print_progress(&format!("{} can be sent", terminal::count(events.len(), "event")));
    Ok(ExitCode::SUCCESS)
}
