//! The repository's own commands. `cargo xtask help` lists them.

mod codegen;
mod commands;
mod example_mismatches;
mod import;
mod lint;
mod output;
mod packed;
#[cfg(test)]
mod test_support;
mod text;
mod upstream;
mod workspace;

use std::{
    io::{stderr, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::output::Output;

/// The repository's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Generate the vendor crates' sources from the documents in openapi/.
    Generate(commands::generate::Arguments),
    /// Check OpenAPI documents against the rules of the generator and our own.
    ///
    /// Exits with 0 if nothing fails, 1 if something does, 2 if a document cannot be read.
    Lint(commands::lint::Arguments),
    /// Create a document and a crate from a vendor's published specification.
    AddVendor(commands::add_vendor::Arguments),
    /// Remove a vendor's document and crate, and what the workspace has of them.
    RemoveVendor(commands::add_vendor::remove::Arguments),
    /// Compare the loss report of a draft with what the draft lacks, field by field.
    Audit(commands::audit::Arguments),
    /// Compare a document with the vendor's published specification.
    Upstream(commands::upstream::Arguments),
    /// Report what a change of OpenAPI documents means for API consumers, and which version the crate needs.
    ///
    /// Compares the working tree with its branch point from main or with a revision, or two files. Exits with 0 if nothing
    /// fails, 1 if a finding fails by --fail-on, 2 if something cannot be read.
    Diff(commands::diff::Arguments),
}

/// The stack of all commands: schemas refer to each other over hundreds of steps, and the main thread's is short.
const STACK: usize = 256 << 20;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // One thread for everything: what a second one allocates stays with it.
    let command = std::thread::Builder::new().stack_size(STACK).spawn(|| run(cli.command));
    match command.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => {
            eprintln!("error: this is a bug of xtask: please report it with the message above");
            ExitCode::from(101)
        }
        Err(error) => {
            eprintln!("error: no thread of {} MiB of stack: {error}", STACK >> 20);
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> ExitCode {
    // Asked at run time: a target folder that several checkouts share would keep the path of the first.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let root = package.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    let (mut out, mut err) = (stdout().lock(), stderr().lock());
    let mut output = Output::new(&mut out, &mut err);
    let done = match command {
        Command::Generate(arguments) => commands::generate::run(root, &arguments, &mut output),
        Command::Lint(arguments) => commands::lint::run(root, &arguments, &mut output),
        Command::AddVendor(arguments) => commands::add_vendor::run(root, &arguments, &mut output),
        Command::RemoveVendor(arguments) => commands::add_vendor::remove::run(root, &arguments, &mut output),
        Command::Audit(arguments) => commands::audit::run(&arguments, &mut output),
        Command::Upstream(arguments) => commands::upstream::run(root, &arguments, &mut output),
        Command::Diff(arguments) => {
            commands::diff::run(root, &arguments, &commands::diff::Env::from_process(), &mut output)
        }
    };
    output.exit_code(done)
}
