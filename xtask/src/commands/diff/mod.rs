//! `cargo xtask diff`: which documents, what is shown of them where, and what becomes of the findings.

mod accepted_changes;
mod api_diff;
mod crate_api;
mod formats;
mod gate;
mod git;
mod inputs;
mod sunsets;

use std::{
    env, fs,
    io::{IsTerminal as _, Result},
    path::{Path, PathBuf},
    process::ExitCode,
};

use chrono::{NaiveDate, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use spec_diff::Level;

use crate::{output::Output, text::printable, workspace::vendors};
use api_diff::{DiffRun, compare};
use formats::{Format, github};
use gate::FailOn;
use git::Git;
use inputs::Pair;

/// What to compare, and how.
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
    #[arg(long, default_value = "none", value_parser = level())]
    level: Level,

    /// Fail if a crate's version bump is too small (bump), or also on open findings of a level (warning, breaking).
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,

    /// List the announced sunsets of the working tree's documents with the days left. Fails if one has less than 30.
    #[arg(long, conflicts_with_all = ["since", "base", "revision", "level", "wire_only"])]
    sunsets: bool,
}

fn level() -> impl clap::builder::TypedValueParser<Value = Level> {
    const LEVELS: [Level; 4] = [Level::None, Level::Info, Level::Warning, Level::Breaking];
    let names = PossibleValuesParser::new(["none", "info", "warning", "breaking"]);
    names.map(|name| LEVELS.into_iter().find(|level| level.to_string() == name).unwrap_or_default())
}

/// What the command finds around it: a test says it instead.
pub(crate) struct Env {
    today: NaiveDate,
    /// Whether the standard output takes colours.
    colour: bool,
    /// GitHub's files for the outputs and the summary of a step.
    github: github::Files,
}

impl Env {
    pub(crate) fn from_process() -> Self {
        let given = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            today: Utc::now().date_naive(),
            colour: std::io::stdout().is_terminal() && given("NO_COLOR").is_none(),
            github: github::Files {
                output: given("GITHUB_OUTPUT").map(PathBuf::from),
                summary: given("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            },
        }
    }
}

/// Runs the command in the repository at `root`: 0 if nothing fails, 1 if something does, 2 if something cannot be read.
pub(crate) fn run(root: &Path, arguments: &Arguments, here: &Env, output: &mut Output<'_>) -> Result<ExitCode> {
    if arguments.sunsets {
        return run_sunsets(root, arguments, here, output);
    }
    if arguments.wire_only && arguments.fail_on == FailOn::Bump {
        let error = "--fail-on bump is about the crates, which --wire-only leaves out; give one of the two";
        return output.failed(arguments.format == Format::Json, error);
    }
    // A report for programs is one also of what cannot be compared.
    let (base, pairs) = pairs(root, arguments).unwrap_or_else(|error| (String::new(), vec![Err(error)]));
    let comparison = compared(base, pairs, arguments, here.today);
    let mut text = Vec::new();
    let colour = here.colour && arguments.output.is_none();
    formats::write(arguments.format, &comparison, colour, &mut text)?;
    if arguments.format == Format::Github {
        github::files(&here.github, &comparison)?;
    }
    if let Some(code) = deliver(arguments.output.as_deref(), &text, output)? {
        return Ok(code);
    }
    for problem in &comparison.problems {
        writeln!(output.err, "error: {}", printable(problem))?;
    }
    if arguments.output.is_some() {
        formats::text::closing(&comparison, output.err)?;
    }
    Ok(if !comparison.problems.is_empty() {
        ExitCode::from(2)
    } else if !comparison.failures.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

type Pairs = Vec<std::result::Result<Pair, String>>;

/// What is compared, and the base's name for people.
fn pairs(root: &Path, arguments: &Arguments) -> std::result::Result<(String, Pairs), String> {
    if let (Some(base), Some(revision)) = (&arguments.base, &arguments.revision) {
        return Ok((base.clone(), vec![inputs::files(base, revision)]));
    }
    let base = Git { root }.base(arguments.since.as_deref())?;
    let pairs = inputs::ours(root, &base, &arguments.vendors)?;
    Ok((base.title, pairs))
}

fn compared(base: String, pairs: Pairs, arguments: &Arguments, today: NaiveDate) -> DiffRun {
    let mut comparison = DiffRun { base, apis: Vec::new(), problems: Vec::new(), failures: Vec::new() };
    for pair in pairs {
        match pair.and_then(|pair| compare(pair, today, arguments.wire_only)) {
            Ok(mut api) => {
                comparison.failures.extend(gate::failures(&api, arguments.fail_on));
                let all = api.findings.len();
                api.findings.retain(|finding| finding.change.level >= arguments.level);
                api.hidden = all - api.findings.len();
                comparison.apis.push(api);
            }
            Err(error) => comparison.problems.push(error),
        }
    }
    comparison
}

/// Writes what was rendered; a code, if it cannot be.
fn deliver(file: Option<&Path>, text: &[u8], output: &mut Output<'_>) -> Result<Option<ExitCode>> {
    let Some(file) = file else { return output.out.write_all(text).map(|()| None) };
    if let Err(error) = fs::write(file, text) {
        return output.failed(false, &format!("{}: cannot be written: {error}", file.display())).map(Some);
    }
    Ok(None)
}

/// `--sunsets`.
fn run_sunsets(root: &Path, arguments: &Arguments, here: &Env, output: &mut Output<'_>) -> Result<ExitCode> {
    if !matches!(arguments.format, Format::Text | Format::Markdown | Format::Json) {
        return output.failed(false, "--sunsets supports the formats text, markdown and json");
    }
    let vendors = match vendors::find(root).and_then(|known| vendors::select(known, &arguments.vendors)) {
        Ok(vendors) => vendors,
        Err(error) => return output.failed(arguments.format == Format::Json, &error),
    };
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
    if let Some(code) = deliver(arguments.output.as_deref(), &text, output)? {
        return Ok(code);
    }
    for problem in &problems {
        writeln!(output.err, "error: {problem}")?;
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
