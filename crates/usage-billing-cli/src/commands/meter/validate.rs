//! `meter validate`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::events::EventFile;
use crate::accounts::DayArguments;
use crate::exit::Failure;
use crate::terminal;

#[derive(Args)]
pub(crate) struct ValidateArguments {
    /// File of events, CSV or JSON lines; - for stdin.
    file: PathBuf,

    #[command(flatten)]
    day: DayArguments,
}

pub(super) fn run(arguments: &ValidateArguments) -> Result<ExitCode, Failure> {
    let events = EventFile::read_to_send(&arguments.file, arguments.day.now())?.events;
    terminal::print_progress(&format!("{} can be sent", terminal::count(events.len(), "event")));
    Ok(ExitCode::SUCCESS)
}
