//! Chores of this repository. `cargo xtask help` lists them.

mod add_vendor;
mod docs;
mod document;
mod emit;
mod enums;
mod generate;
mod generator;
mod harden;
mod limits;
mod lint;
mod mock;
mod names;
mod normalise;
mod operations;
mod pointer;
mod prose;
mod published;
mod release;
#[cfg(test)]
mod testing;
mod text_attributes;
mod upstream;
mod vendors;

use std::{
    io::{Write as _, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

/// Chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the vendor crates' sources from the documents in openapi/.
    Generate(generate::Arguments),
    /// Make a document and a crate from a vendor's published specification.
    AddVendor(add_vendor::Arguments),
    /// Hold a document against the vendor's own published specification.
    Upstream(upstream::Arguments),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Asked at run time: a target folder that several checkouts share would keep the path of the first.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let root = package.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    let mut out = stdout().lock();
    let done = match cli.command {
        Command::Generate(arguments) => generate::run(root, &arguments, &mut out),
        Command::AddVendor(arguments) => add_vendor::run(root, &arguments, &mut out),
        Command::Upstream(arguments) => upstream::run(root, &arguments, &mut out),
    };
    done.unwrap_or_else(|error| {
        _ = writeln!(out, "error: {error}");
        ExitCode::FAILURE
    })
}
