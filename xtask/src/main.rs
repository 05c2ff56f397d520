//! Chores of this repository. `cargo xtask help` lists them.

#![warn(clippy::self_named_module_files)]

mod codegen;
mod commands;
mod import;
mod lint;
mod output;
#[cfg(test)]
mod test_support;
mod text;
mod workspace;

use std::{
    io::{stderr, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::output::Output;

/// Chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the vendor crates' sources from the documents in openapi/.
    Generate(commands::generate::Arguments),
    /// Hold OpenAPI documents against the rules: those of the generator and our own.
    ///
    /// Exits with 0 if nothing fails, 1 if something does, 2 if a document cannot be read.
    Lint(commands::lint::Arguments),
    /// Make a document and a crate from a vendor's published specification.
    AddVendor(commands::add_vendor::Arguments),
    /// Hold a document against the vendor's own published specification.
    Upstream(commands::upstream::Arguments),
    /// Tell what a change of OpenAPI documents means for those who call the API, and which version the crate needs.
    ///
    /// Compares the working tree with where it left the main branch, with a revision, or two files. Exits with 0 if nothing
    /// fails, 1 at what --fail-on names, 2 if something cannot be read.
    Diff(commands::diff::Arguments),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Asked at run time: a target folder that several checkouts share would keep the path of the first.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let root = package.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    let (mut out, mut err) = (stdout().lock(), stderr().lock());
    let mut output = Output { out: &mut out, err: &mut err };
    let done = match cli.command {
        Command::Generate(arguments) => commands::generate::run(root, &arguments, &mut output),
        Command::Lint(arguments) => commands::lint::run(root, &arguments, &mut output),
        Command::AddVendor(arguments) => commands::add_vendor::run(root, &arguments, &mut output),
        Command::Upstream(arguments) => commands::upstream::run(root, &arguments, &mut output),
        Command::Diff(arguments) => {
            commands::diff::run(root, &arguments, &commands::diff::Surroundings::here(), &mut output)
        }
    };
    done.unwrap_or_else(|error| {
        _ = writeln!(output.err, "error: {error}");
        ExitCode::FAILURE
    })
}
