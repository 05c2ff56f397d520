//! The command line of `spec-diff`.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{IsTerminal as _, Result, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use chrono::{NaiveDate, Utc};
use clap::{Parser, ValueEnum};
use openapi_document::{Budget, text::printable};

use crate::{
    JSON_SCHEMA, Level, Options,
    input::{self, Input, Source},
    output::{self, Format, github, text},
    review::{AcceptFile, ApiDiff, Links, Pair, Review, failure},
    rules,
};

/// Reports what changed between two OpenAPI documents, for the programs that call the API.
///
/// Each finding has a level: breaking (programs that work may fail), warning (some may behave differently, or the comparison cannot
/// decide), info (programs continue to work) or none (only names in generated code change).
#[derive(Debug, Parser)]
#[command(
    name = "spec-diff",
    version,
    override_usage = "spec-diff [OPTIONS] BASE REVISION",
    after_help = "\
Exit codes:
  0  no open finding at or above --fail-on
  1  at least one open finding at or above --fail-on
  2  wrong arguments, or a document that cannot be read

Accept files list findings that were reviewed, with the reason:
  [[accept]]
  rule = \"response-property-type-changed\"
  at = \"/components/schemas/Order/properties/total\"
  kind = \"vendor\"        # or \"correction\": the document was wrong
  reason = \"Announced for January.\"
  until = 2027-03-31     # optional

Files are read up to 32 MiB for a document with the files that it refers to; OPENAPI_MAX_DOCUMENT_MIB raises the limit."
)]
pub struct Arguments {
    /// The document before the change: a file, git:REVISION:PATH with PATH from the current folder, or a URL with --allow-url
    #[arg(required_unless_present = "json_schema")]
    base: Option<String>,

    /// The document after the change, in the same forms
    #[arg(required_unless_present = "json_schema")]
    revision: Option<String>,

    /// Output format
    #[arg(long, value_enum, default_value_t, overrides_with = "format")]
    format: Format,

    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE", overrides_with = "output")]
    output: Option<PathBuf>,

    /// Show findings of this level and above; does not affect --fail-on
    #[arg(long, value_enum, default_value = "none", overrides_with = "level")]
    level: Level,

    /// Fail on open findings of this level and above; "none" never fails
    #[arg(long, value_name = "LEVEL", value_enum, default_value = "breaking", overrides_with = "fail_on")]
    fail_on: Level,

    /// File of accepted findings
    #[arg(long, value_name = "FILE")]
    accept: Option<String>,

    /// Name of the API in reports [default: the name of the revision's file]
    #[arg(long, value_name = "NAME")]
    api: Option<String>,

    /// Read http and https URLs, with curl: 60 seconds, 5 redirects, the same size limit as for files
    #[arg(long)]
    allow_url: bool,

    /// Treat one of the files, if it does not exist, as an API without operations: a new document, or a removed one
    #[arg(long)]
    allow_missing: bool,

    /// Treat new values in response enums as breaking: the clients reject values that they do not list
    #[arg(long)]
    closed_enums: bool,

    /// Treat relaxed constraints in responses as breaking: the clients check lengths, ranges and patterns
    #[arg(long)]
    validates_limits: bool,

    /// Report changes of response headers as info: the clients do not expose headers
    #[arg(long)]
    hides_headers: bool,

    /// Set the level of a finding's id or of a rule, for example enum-value-added=info; may be repeated
    #[arg(long = "set-level", value_name = "RULE=LEVEL", value_parser = level_of_rule)]
    levels: Vec<(String, Level)>,

    /// Treat an x- field as documentation; a trailing * matches any ending; may be repeated
    #[arg(long = "ignore-extension", value_name = "NAME")]
    ignored_extensions: Vec<String>,

    /// URL that file names are appended to, to link lines, such as .../OWNER/REPOSITORY/blob/COMMIT on GitHub
    #[arg(long, value_name = "URL")]
    link_source: Option<String>,

    /// URL of the complete report, for the Markdown comment
    #[arg(long, value_name = "URL")]
    link_report: Option<String>,

    /// Print the JSON Schema of --format json and exit
    #[arg(long, exclusive = true)]
    json_schema: bool,
}

impl Arguments {
    /// Reads the command line. Help and the version are printed, and end the program.
    ///
    /// # Errors
    /// One line: what is wrong, and what to do.
    pub fn from_process() -> std::result::Result<Self, String> {
        Self::try_parse().map_err(|error| {
            if !error.use_stderr() {
                error.exit();
            }
            one_line(&error.render().to_string())
        })
    }
}

/// Returns the reason and the advice of a message of clap, without its usage.
fn one_line(message: &str) -> String {
    let is_usage = |line: &&str| line.starts_with("Usage:") || line.starts_with("For more information");
    let lines = message.trim_start_matches("error: ").lines().map(str::trim).filter(|line| !line.is_empty());
    lines.take_while(|line| !is_usage(line)).collect::<Vec<_>>().join(" ").replace(" tip: ", "; ")
}

impl ValueEnum for Level {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::None, Self::Info, Self::Warning, Self::Breaking]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(match self {
            Self::None => "none",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Breaking => "breaking",
        }))
    }
}

fn level_of_rule(text: &str) -> std::result::Result<(String, Level), String> {
    let (rule, level) = text.split_once('=').ok_or("expected RULE=LEVEL")?;
    if !rules::is_known(rule) {
        return Err(format!(
            "invalid rule \"{rule}\": expected a rule such as enum-value-added, or the id of a finding"
        ));
    }
    let level = Level::from_str(level, false)
        .map_err(|_| format!("invalid level \"{level}\": expected breaking, warning, info or none"))?;
    Ok((rule.to_owned(), level))
}

/// The environment of a run.
#[derive(Debug, Clone)]
pub struct Env {
    /// The day, for sunsets and accept files.
    pub today: NaiveDate,
    /// Whether the standard output takes colours.
    pub colour: bool,
    /// GitHub's files for the outputs and the summary of a step.
    pub github: github::Files,
}

impl Env {
    /// Reads the clock, the terminal and the environment.
    #[must_use]
    pub fn from_process() -> Self {
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

/// Runs the program: the report goes to `out` or to a file, errors go to `err`.
///
/// # Errors
/// `out` or `err` cannot be written.
pub fn run(arguments: &Arguments, env: &Env, out: &mut dyn Write, err: &mut dyn Write) -> Result<ExitCode> {
    if arguments.json_schema {
        out.write_all(JSON_SCHEMA.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let links = Links::of(arguments.link_source.as_ref(), arguments.link_report.as_ref());
    let mut review = Review { links, ..Review::default() };
    match reviewed(arguments, env.today) {
        Ok((base, api)) => {
            review.base = base;
            let least = Some(arguments.fail_on).filter(|least| *least > Level::None);
            review.failures.extend(least.and_then(|least| failure(&api, least)));
            review.apis.push(api);
        }
        Err(problem) => review.problems.push(problem),
    }
    review.apis.iter_mut().for_each(|api| api.hide_below(arguments.level));
    if arguments.format == Format::Github {
        env.github.append(&review, &[])?;
    }
    let code = deliver(&review, arguments.format, env.colour, arguments.output.as_deref(), out, err);
    // The program ends here: freeing large documents takes a tenth of its time.
    std::mem::forget(review);
    code
}

/// Returns the base's name, and the comparison. The error is a line.
fn reviewed(arguments: &Arguments, today: NaiveDate) -> std::result::Result<(String, ApiDiff), String> {
    let (Some(base), Some(revision)) = (&arguments.base, &arguments.revision) else {
        return Err("give the document before and the document after the change".to_owned());
    };
    let accept = match &arguments.accept {
        None => AcceptFile { name: "an accept file (--accept)".to_owned(), source: None },
        Some(file) => {
            let text = Budget::from_env().read_text(Path::new(file));
            let text = text.map_err(|error| format!("{file}: cannot be read: {error}"))?;
            AcceptFile { name: file.clone(), source: Some(Source { name: file.clone(), text }) }
        }
    };
    let read = |argument: &String| match arguments.allow_missing {
        true => input::find(argument, arguments.allow_url),
        false => input::read(argument, arguments.allow_url).map(Some),
    };
    let (old, new) = (read(base)?, read(revision)?);
    let Some(known) = new.as_ref().or(old.as_ref()) else {
        return Err(format!("neither {base} nor {revision} exists"));
    };
    let title = old.as_ref().map_or_else(|| format!("{base}, which does not exist"), Input::title);
    let stem = Path::new(&known.source.name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let options = Options {
        api: arguments.api.clone().or(stem).unwrap_or_default(),
        open_enums: !arguments.closed_enums,
        validates_limits: arguments.validates_limits,
        exposes_headers: !arguments.hides_headers,
        levels: arguments.levels.iter().cloned().collect::<BTreeMap<_, _>>(),
        ignored_extensions: arguments.ignored_extensions.clone(),
        today: Some(today.to_string()),
    };
    let pair = Pair { base: old, revision: new }.parse()?;
    let report = pair.diff(&options)?;
    Ok((title, pair.review(report, &accept, today)))
}

/// Writes a review and returns the exit code: 0 if nothing fails, 1 if something does, 2 if something cannot be read or written.
///
/// # Errors
/// `out` or `err` cannot be written.
pub fn deliver(
    review: &Review,
    format: Format,
    colour: bool,
    file: Option<&Path>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<ExitCode> {
    let mut text = Vec::new();
    output::write(format, review, colour && file.is_none(), &mut text)?;
    match file {
        None => out.write_all(&text)?,
        Some(file) => {
            if let Err(error) = fs::write(file, text) {
                let error = format!("{}: cannot be written: {error}", file.display());
                writeln!(err, "error: {}", printable(&error))?;
                return Ok(ExitCode::from(2));
            }
        }
    }
    for problem in &review.problems {
        writeln!(err, "error: {}", printable(problem))?;
    }
    if file.is_some() {
        text::closing(review, err)?;
    }
    Ok(ExitCode::from(review.outcome().code()))
}
