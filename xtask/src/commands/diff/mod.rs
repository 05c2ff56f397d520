//! `cargo xtask diff`: the documents of this repository in two revisions, compared by spec-diff, with the verdict on their crates.

mod compare;
mod crate_api;
mod gate;
mod git;
mod inputs;
mod sunsets;
mod verdict;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

pub(crate) use spec_diff::cli::Env;
use spec_diff::{
    Bump, Level,
    cli::deliver,
    output::Format,
    review::{Links, Review},
};

use crate::{
    output::{Failure, Output},
    text::printable,
    workspace::vendors,
};
use compare::{Compared, compare};
use gate::FailOn;
use git::Repository;
use inputs::{ApiInput, Manifests};
use verdict::CrateVerdict;

/// The documents to compare, and the form of the report.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Revision or tag to compare the working tree with [default: the branch point from origin/main or main]
    #[arg(value_name = "BASE")]
    since: Option<String>,

    /// Only these vendors, by the name of their document [default: all]
    #[arg(long = "vendor", value_name = "VENDOR", value_delimiter = ',')]
    vendors: Vec<String>,

    /// Compare two files (OpenAPI 3, YAML or JSON): the old one.
    #[arg(long, value_name = "FILE", requires = "revision", conflicts_with_all = ["since", "vendors"])]
    base: Option<String>,

    /// The new one.
    #[arg(long, value_name = "FILE", requires = "base")]
    revision: Option<String>,

    /// Compare what callers send and receive, and do not generate the crates, which takes most of the time for large documents.
    #[arg(long)]
    wire_only: bool,

    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Show findings of this level and above. Does not affect --fail-on.
    #[arg(long, value_enum, default_value = "none")]
    level: Level,

    /// Fail if a crate's version bump is too small (bump), or also on open findings of a level (warning, breaking).
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,

    /// URL that file names are appended to, to link lines, such as .../OWNER/REPOSITORY/blob/COMMIT on GitHub
    #[arg(long, value_name = "URL")]
    link_source: Option<String>,

    /// URL of the complete report, for the Markdown comment.
    #[arg(long, value_name = "URL")]
    link_report: Option<String>,

    /// List the announced sunsets of the working tree's documents with the days left. Fails if one has less than 30.
    #[arg(long, conflicts_with_all = ["since", "base", "revision", "level", "wire_only"])]
    sunsets: bool,
}

/// Runs the command in the repository at `root`: 0 if nothing fails, 1 if something does, 2 if something cannot be read.
pub(crate) fn run(
    root: &Path,
    arguments: &Arguments,
    here: &Env,
    output: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    output.as_json = arguments.format == Format::Json;
    if arguments.sunsets {
        return run_sunsets(root, arguments, here, output);
    }
    if arguments.wire_only && arguments.fail_on == FailOn::Bump {
        return Err("--fail-on bump is about the crates, which --wire-only leaves out; give one of the two".into());
    }
    // A report for programs is one also of what cannot be compared.
    let (base, pairs, facade) = pairs(root, arguments).unwrap_or_else(|error| (String::new(), vec![Err(error)], None));
    let all = pairs.into_iter().map(|input| input.and_then(|input| compare(input, here.today, arguments.wire_only)));
    let (review, bump) = review(base, all, facade.as_ref(), arguments);
    if arguments.format == Format::Github {
        here.github.append(&review, &[("bump", bump.to_string())])?;
    }
    Ok(deliver(&review, arguments.format, here.colour, arguments.output.as_deref(), output.out, output.err)?)
}

type Inputs = Vec<Result<ApiInput, String>>;

/// The manifest of the crate that exports the vendors' crates.
const FACADE: &str = "crates/usage-billing/Cargo.toml";

/// Returns the base's human-readable name, what is compared, and the facade's manifests if crates are.
fn pairs(root: &Path, arguments: &Arguments) -> Result<(String, Inputs, Option<Manifests>), String> {
    if let (Some(base), Some(revision)) = (&arguments.base, &arguments.revision) {
        return Ok((base.clone(), vec![inputs::files(base, revision)], None));
    }
    let base = Repository::at(root).base(arguments.since.as_deref())?;
    let pairs = inputs::ours(root, &base, &arguments.vendors)?;
    let facade = (!arguments.wire_only).then(|| inputs::manifests(root, &base, FACADE)).transpose()?;
    Ok((base.title, pairs, facade))
}

/// Returns what is reported, and the greatest step that a crate needs.
fn review(
    base: String,
    all: impl Iterator<Item = Result<Compared, String>>,
    facade: Option<&Manifests>,
    arguments: &Arguments,
) -> (Review, Bump) {
    let links = Links::of(arguments.link_source.as_ref(), arguments.link_report.as_ref());
    let mut review = Review { base, links, ..Review::default() };
    let (mut greatest, mut breaking) = (Bump::None, Vec::new());
    for compared in all {
        match compared {
            Ok(mut compared) => {
                review.failures.extend(gate::failures(&compared, arguments.fail_on));
                if compared.breaks_crate() {
                    breaking.push(compared.api.report.api.clone());
                }
                compared.api.hide_below(arguments.level);
                greatest =
                    greatest.max(compared.of_crate.as_ref().and_then(CrateVerdict::needed_bump).unwrap_or_default());
                review.apis.push(compared.api);
            }
            Err(error) => review.problems.push(error),
        }
    }
    let facade = facade.filter(|_| arguments.fail_on != FailOn::None);
    review.failures.extend(facade.and_then(|manifests| verdict::undeclared_facade(manifests, &breaking)));
    (review, greatest)
}

/// Runs `--sunsets`.
fn run_sunsets(root: &Path, arguments: &Arguments, here: &Env, output: &mut Output<'_>) -> Result<ExitCode, Failure> {
    if !matches!(arguments.format, Format::Text | Format::Markdown | Format::Json) {
        return Err("--sunsets supports the formats text, markdown and json".into());
    }
    let vendors = vendors::select(vendors::find(root)?, &arguments.vendors)?;
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for name in vendors.iter().map(vendors::Vendor::document) {
        let source = inputs::present(&root.join(&name), &name);
        match source.and_then(|source| source.map_or(Ok(Vec::new()), |source| sunsets::of(&source, here.today))) {
            Ok(sunsets) => found.extend(sunsets),
            Err(error) => problems.push(error),
        }
    }
    found.sort();
    let mut text = Vec::new();
    sunsets::write(arguments.format, &found, &problems, &mut text)?;
    match &arguments.output {
        None => output.out.write_all(&text)?,
        Some(file) => {
            fs::write(file, text).map_err(|error| format!("{}: cannot be written: {error}", file.display()))?
        }
    }
    for problem in &problems {
        writeln!(output.err, "error: {}", printable(problem))?;
    }
    Ok(if !problems.is_empty() {
        ExitCode::from(2)
    } else if arguments.fail_on != FailOn::None && found.iter().any(sunsets::Sunset::is_urgent) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

#[cfg(test)]
mod tests;
