//! Files of usage events, as CSV or JSON lines.

mod collect;
mod csv;
mod json_lines;
mod metered;
mod quantity;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};
use usage_billing::printable;
use usage_billing::suger::UsageEvent;

use self::collect::Collector;
pub(super) use self::metered::MeteredFile;
use crate::exit::Failure;
use crate::terminal;

pub(super) const HELP: &str = "Events:
  CSV with a header: entitlement_id,timestamp,dimension,quantity and optionally sequence. Lines with the same entitlement, \
timestamp and sequence are one event. Suger recognizes it by these three and its dimensions: to add a dimension to usage that was sent, send \
only the lines of the new dimension.
  JSON lines, optionally with \"sequence\":
{\"entitlement_id\":\"e\",\"timestamp\":\"2026-10-01T07:00:00Z\",\"quantities\":{\"gb\":1}}
  Timestamps are whole seconds with a time zone. Quantities are plain decimals, as numbers or strings.

Examples:
  usage-billing meter validate events.csv
  usage-billing meter send events.csv --dry-run
  usage-billing meter send events.csv --yes --format json > receipt.json
  usage-billing meter reconcile events.csv --period 2026-10 -o october.json";

pub(super) const ENQUEUE_HELP: &str = "Events:
  As `usage-billing meter send --help` describes them.
  With --hourly, records of metered usage: CSV with the header id,entitlement_id,timestamp,dimension,quantity, or JSON lines \
with these fields. The id is of your own and unique; a record that is stored already is recognized by it.

The file is stored completely or not at all. After an error or a crash, enqueue the same file again.

Examples:
  usage-billing meter enqueue events.csv --outbox usage.sqlite
  usage-billing meter enqueue records.csv --hourly --outbox usage.sqlite
  usage-billing meter run --outbox usage.sqlite --until-empty --yes";

/// A larger file is to be split: it is read into memory.
const MAX_BYTES: u64 = 64 << 20;
/// Number of errors that are printed.
const MAX_PRINTED: usize = 100;
/// The clocks of two machines differ by less.
const MAX_AHEAD: TimeDelta = TimeDelta::minutes(5);
/// No marketplace of Suger is older.
const FIRST_YEAR: i32 = 2000;

/// A line of the file and what is wrong in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) line: u64,
    pub(super) message: String,
}

/// One quantity of a file, with its line.
struct Entry {
    line: u64,
    entitlement_id: String,
    timestamp: DateTime<Utc>,
    sequence: u32,
    dimension: String,
    quantity: usage_billing::Decimal,
}

/// The events of a file.
pub(super) struct EventFile {
    name: String,
    pub(super) events: Vec<FileEvent>,
}

/// An event and its first line.
pub(super) struct FileEvent {
    pub(super) line: u64,
    pub(super) sequence: u32,
    pub(super) event: UsageEvent,
}

impl EventFile {
    /// Reads the events of a file, or of stdin for `-`. Prints every error with its line.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let (name, text) = read_text(path)?;
        let (events, problems) = parse(&text);
        let file = Self { name, events };
        file.reject(&problems, "invalid line")?;
        match file.events.is_empty() {
            true => Err(Failure::Check(format!("{} has no events", file.name))),
            false => Ok(file),
        }
    }

    /// Reads events that are to be sent: none is in the future or impossibly old.
    pub(super) fn read_to_send(path: &Path, now: DateTime<Utc>) -> Result<Self, Failure> {
        let file = Self::read(path)?;
        let times = file.events.iter().map(|one| (one.line, one.event.timestamp()));
        file.reject(&impossible_times(times, now), "invalid line")?;
        Ok(file)
    }

    /// Prints problems with their lines, and fails if there are any.
    pub(super) fn reject(&self, problems: &[Problem], what: &str) -> Result<(), Failure> {
        reject(&self.name, problems, what)
    }
}

fn reject(name: &str, problems: &[Problem], what: &str) -> Result<(), Failure> {
    for Problem { line, message } in problems.iter().take(MAX_PRINTED) {
        terminal::eprint_line(&format!("{name}:{line}: {message}"));
    }
    match problems.len() {
        0 => Ok(()),
        number => Err(Failure::Check(format!("{name} has {}", terminal::count(number, what)))),
    }
}

/// Returns the lines with times that no usage can have: those in the future, and those of the years of a clock that was never set.
fn impossible_times(times: impl Iterator<Item = (u64, DateTime<Utc>)>, now: DateTime<Utc>) -> Vec<Problem> {
    let problem = |(line, time): (u64, DateTime<Utc>)| {
        let expected = match time {
            _ if time > now + MAX_AHEAD => format!("in the future: expected at most {}", seconds(now)),
            _ if time.year() < FIRST_YEAR => format!("too old: expected the year {FIRST_YEAR} or later"),
            _ => return None,
        };
        Some(Problem { line, message: format!("the timestamp {} is {expected}", seconds(time)) })
    };
    times.filter_map(problem).collect()
}

fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Returns the name of a file in messages, and its text.
fn read_text(path: &Path) -> Result<(String, String), Failure> {
    let name = if is_stdin(path) { "stdin".to_owned() } else { printable(&path.to_string_lossy()).to_string() };
    let failed = |reason: &dyn std::fmt::Display| Failure::Usage(format!("{name} {reason}"));
    let unreadable = |error: io::Error| failed(&format_args!("cannot be read: {error}"));
    let mut bytes = Vec::new();
    if is_stdin(path) {
        io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        // Checked before it is opened: opening a pipe would wait for a writer.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(failed(&"is not a regular file: use - for stdin"));
        }
        File::open(path).map_err(unreadable)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed(&format_args!("is larger than {} MiB: split it", MAX_BYTES >> 20)));
    }
    if bytes.starts_with(b"\x1f\x8b") {
        return Err(failed(&"is compressed: decompress it first (gunzip)"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        failed(&format_args!("is not UTF-8 in line {line}: save it as UTF-8"))
    })?;
    Ok((name, text))
}

/// The formats of files.
enum FileFormat {
    Csv,
    JsonLines,
}

/// Returns the format of a text; `None` for one that is blank.
fn format_of(text: &str) -> Result<Option<FileFormat>, Problem> {
    let problem = |message: &str| Problem { line: 1, message: message.to_owned() };
    match text.trim_start().chars().next() {
        Some('{') if text.trim_start().lines().next().is_some_and(|line| line.trim_end() == "{") => {
            Err(problem("a JSON object over several lines: expected JSON lines, one object a line"))
        }
        Some('{') => Ok(Some(FileFormat::JsonLines)),
        Some('[') => Err(problem("a JSON array: expected JSON lines, one object a line")),
        Some(_) => Ok(Some(FileFormat::Csv)),
        None => Ok(None),
    }
}

/// Returns the events of a text, and everything that is wrong in it, in the order of its lines.
fn parse(text: &str) -> (Vec<FileEvent>, Vec<Problem>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut collector = Collector::default();
    match format_of(text) {
        Ok(Some(FileFormat::JsonLines)) => json_lines::read(text, &mut collector),
        Ok(Some(FileFormat::Csv)) => csv::read(text, &mut collector),
        Ok(None) => {}
        Err(Problem { line, message }) => collector.problem(line, message),
    }
    collector.finish()
}

/// Returns the timestamp of an event.
fn timestamp(text: &str) -> Result<DateTime<Utc>, String> {
    let parsed = DateTime::parse_from_rfc3339(text.trim()).map(|time| time.to_utc());
    parsed.map_err(|_| {
        format!(
            "invalid timestamp \"{}\": expected a date and time with a time zone, such as 2026-10-01T07:00:00Z",
            printable(text)
        )
    })
}

#[cfg(test)]
mod tests;
