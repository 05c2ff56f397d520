//! Chores of this repository. `cargo xtask help` lists them.

mod add_vendor;
mod bounded;
mod crate_diff;
mod diff;
mod docs;
mod document;
mod emit;
mod enums;
mod generate;
mod generator;
mod harden;
mod limits;
mod lint;
mod markdown;
mod mock;
mod names;
mod normalise;
mod operations;
mod orphans;
mod output;
mod pointer;
mod prose;
mod published;
mod release;
mod served;
#[cfg(test)]
mod testing;
mod text_attributes;
mod upstream;
mod vendors;

use std::{
    io::{stderr, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use output::Output;

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
    Generate(generate::Arguments),
    /// Hold OpenAPI documents against the rules: those of the generator and our own.
    ///
    /// Exits with 0 if nothing fails, 1 if something does, 2 if a document cannot be read.
    Lint(lint::command::Arguments),
    /// Make a document and a crate from a vendor's published specification.
    AddVendor(add_vendor::Arguments),
    /// Hold a document against the vendor's own published specification.
    Upstream(upstream::Arguments),
    /// Tell what a change of OpenAPI documents means for those who call the API, and which version the crate needs.
    ///
    /// Compares the working tree with where it left the main branch, with a revision, or two files. Exits with 0 if nothing
    /// fails, 1 at what --fail-on names, 2 if something cannot be read.
    Diff(diff::command::Arguments),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Asked at run time: a target folder that several checkouts share would keep the path of the first.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let root = package.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    let (mut out, mut err) = (stdout().lock(), stderr().lock());
    let mut output = Output { out: &mut out, err: &mut err };
    let done = match cli.command {
        Command::Generate(arguments) => generate::run(root, &arguments, &mut output),
        Command::Lint(arguments) => lint::command::run(root, &arguments, &mut output),
        Command::AddVendor(arguments) => add_vendor::run(root, &arguments, &mut output),
        Command::Upstream(arguments) => upstream::run(root, &arguments, &mut output),
        Command::Diff(arguments) => {
            diff::command::run(root, &arguments, &diff::command::Surroundings::here(), &mut output)
        }
    };
    done.unwrap_or_else(|error| {
        _ = writeln!(output.err, "error: {error}");
        ExitCode::FAILURE
    })
}

/// A number of things, in words: `1 line`, `2 lines`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
