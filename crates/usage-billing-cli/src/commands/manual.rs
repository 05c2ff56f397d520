//! `completions` and `man`: files that are generated from the description of the command line.

use std::io;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::exit::Failure;
use crate::terminal;

#[derive(Args)]
pub(crate) struct CompletionsArguments {
    /// Shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "usage-billing", &mut script);
    print(script)
}

/// Prints the manual page of the program, and of each verb after it.
pub(crate) fn man() -> Result<ExitCode, Failure> {
    let mut pages = Vec::new();
    let mut program = Arguments::command();
    program.build();
    render(&program, &mut pages).map_err(Failure::of_output)?;
    print(pages)
}

fn render(command: &clap::Command, pages: &mut Vec<u8>) -> io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(pages)?;
    let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help" && !verb.is_hide_set());
    verbs.into_iter().try_for_each(|verb| render(verb, pages))
}

fn print(text: Vec<u8>) -> Result<ExitCode, Failure> {
    terminal::print(&String::from_utf8_lossy(&text)).map_err(Failure::of_output)?;
    Ok(ExitCode::SUCCESS)
}
