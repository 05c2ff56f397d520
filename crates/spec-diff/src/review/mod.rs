//! One or more APIs, compared and reviewed: findings with their positions and the decisions of an accept file, and what fails.

mod accepted_changes;
mod gate;
mod pair;

use std::collections::BTreeMap;

use openapi_document::{Locations, text::pluralize};
use serde_json::{Map, Value};

pub use accepted_changes::{Accepted, Finding, Kind, Notice};
pub use gate::{Counts, failure};
pub use pair::{AcceptFile, Pair, ParsedPair};

use crate::{Change, Level, Location, Member, Report, input::Parsed};

/// The existence of an API in the base and in the revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiState {
    /// In both.
    Compared,
    /// In the revision only.
    Added,
    /// In the base only.
    Removed,
}

/// The result of a run.
#[derive(Debug, Default)]
pub struct Review {
    /// The base in the words of the caller: `v0.1.0 (1a2b3c4d)`.
    pub base: String,
    /// The APIs that were compared.
    pub apis: Vec<ApiDiff>,
    /// Errors of APIs that could not be compared, a line each.
    pub problems: Vec<String>,
    /// Why the run fails, a line each.
    pub failures: Vec<String>,
    /// The targets of links in reports.
    pub links: Links,
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing fails.
    Passed,
    /// Something does.
    Failed,
    /// Something could not be compared.
    Unreadable,
}

impl Outcome {
    /// Returns the name in outputs for workflows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unreadable => "unreadable",
        }
    }

    /// Returns the exit code of a program.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Unreadable => 2,
        }
    }
}

/// URLs for reports.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// Where the revision's files are, without a slash at the end: `https://github.com/owner/repository/blob/1a2b3c4d`.
    pub source: Option<String>,
    /// Where the whole report is.
    pub report: Option<String>,
}

impl Links {
    /// Takes the URLs of a command line, where an empty one is the value of a variable that is not set.
    #[must_use]
    pub fn of(source: Option<&String>, report: Option<&String>) -> Self {
        let [source, report] = [source, report].map(|url| url.filter(|url| !url.is_empty()).cloned());
        Self { source, report }
    }
}

/// One API, compared.
#[derive(Debug)]
pub struct ApiDiff {
    /// The library's report. Its changes are in `findings`.
    pub report: Report,
    /// Worst first.
    pub findings: Vec<Finding>,
    /// Whether both documents exist.
    pub state: ApiState,
    /// The document before.
    pub base: Parsed,
    /// The document now.
    pub revision: Parsed,
    /// Where findings can be accepted; empty if reports do not mention it.
    pub accept_name: String,
    /// Entries of the accept file that are malformed, expired or unused.
    pub notices: Vec<Notice>,
    /// Of all findings, also those that are not shown.
    pub counts: Counts,
    /// The number of findings that are below the level that the caller wants to see.
    pub hidden: usize,
    /// The additions of the calling program.
    pub supplement: Option<Supplement>,
    /// Positions in the revision's files, by path; the document's own is the empty one.
    locations: BTreeMap<String, Locations>,
}

/// Additions of a program to the report of an API, such as the effect of a change on generated code.
#[derive(Debug, Clone, Default)]
pub struct Supplement {
    /// Follows the verdict on the wire: `the crate needs a major step`.
    pub verdict: String,
    /// Columns of the summary: heading and cell. All APIs of a run have the same headings.
    pub columns: Vec<(&'static str, String)>,
    /// The heading of `lines`.
    pub heading: &'static str,
    /// The lines after the findings.
    pub lines: Vec<String>,
    /// Whether it reports a change.
    pub is_change: bool,
    /// The API's `supplement` in JSON.
    pub json: Map<String, Value>,
}

impl ApiDiff {
    /// Leaves out findings below a level.
    pub fn hide_below(&mut self, level: Level) {
        let all = self.findings.len();
        self.findings.retain(|finding| finding.change.level >= level);
        self.hidden = all - self.findings.len();
    }

    /// Returns the position of a member in the revision. A removed member has the position of its parent.
    #[must_use]
    pub fn position(&self, member: &Member) -> Position<'_> {
        let Some(Location { file, pointer, line, column }) = member.location() else { return Position::default() };
        let name = &self.revision.source_of(file.as_deref()).name;
        if let (Some(_), Some(line), Some(column)) = (&member.revision, line, column) {
            return Position { name, line: *line, column: *column };
        }
        match self.locations.get(file.as_deref().unwrap_or_default()).map(|locations| locations.at(pointer)) {
            Some(at) => Position {
                name,
                line: u32::try_from(at.line).unwrap_or(u32::MAX),
                column: u32::try_from(at.column).unwrap_or(u32::MAX),
            },
            None => Position { name, ..Position::default() },
        }
    }

    /// Returns the position of a finding's first member.
    #[must_use]
    pub fn first_position(&self, change: &Change) -> Position<'_> {
        change.members.first().map_or_else(Position::default, |member| self.position(member))
    }

    /// Returns whether there is nothing to report, changes of documentation included.
    #[must_use]
    pub fn is_same(&self) -> bool {
        !self.has_changes() && self.report.docs_changed == 0
    }

    /// Returns whether anything but documentation has changed.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        let is_change = self.supplement.as_ref().is_some_and(|supplement| supplement.is_change);
        self.counts != Counts::default() || !self.notices.is_empty() || is_change
    }

    /// Returns the verdict in one sentence, without the name of the API.
    #[must_use]
    pub fn verdict(&self) -> String {
        let state = match self.state {
            ApiState::Compared => "",
            ApiState::Added => "a new API, not in the base; ",
            ApiState::Removed => "the API was removed; ",
        };
        let accepted = if self.counts.accepted > 0 { " except for what is accepted" } else { "" };
        let wire = match self.report.wire {
            Level::None => "no change".to_owned(),
            level => level.to_string(),
        };
        let supplement = self.supplement.as_ref().map(|supplement| supplement.verdict.as_str()).unwrap_or_default();
        let separator = if supplement.is_empty() { "" } else { "; " };
        format!("{state}{wire} on the wire{accepted}{separator}{supplement}")
    }

    /// Returns the cells of the columns that the calling program adds to the summary, in the order of the headings.
    pub(crate) fn extra_cells(&self, headings: &[&'static str]) -> Vec<&str> {
        let cell = |heading: &&'static str| {
            let columns = self.supplement.iter().flat_map(|supplement| &supplement.columns);
            columns.into_iter().find(|(name, _)| name == heading).map_or("-", |(_, cell)| cell.as_str())
        };
        headings.iter().map(cell).collect()
    }
}

/// A position in a file of the revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position<'a> {
    /// The file's name.
    pub name: &'a str,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
}

impl Default for Position<'_> {
    fn default() -> Self {
        Self { name: "", line: 1, column: 1 }
    }
}

/// In the form that editors follow: `openapi/cars.yaml:12`. The column is stated where the line alone is not enough.
impl std::fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.name, self.line)?;
        if self.line == 1 && self.column > 1 || self.column > 200 { write!(f, ":{}", self.column) } else { Ok(()) }
    }
}

impl Review {
    /// Returns whether there is anything to comment on: a failure, or a change of an API other than one of its documentation.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.outcome() != Outcome::Passed || self.apis.iter().any(ApiDiff::has_changes)
    }

    /// Returns the outcome of the run.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (self.problems.is_empty(), self.failures.is_empty()) {
            (false, _) => Outcome::Unreadable,
            (true, false) => Outcome::Failed,
            (true, true) => Outcome::Passed,
        }
    }

    /// Returns the headings of the columns that the calling program adds to the summary.
    pub(crate) fn extra_columns(&self) -> Vec<&'static str> {
        let first = self.apis.iter().find_map(|api| api.supplement.as_ref());
        first.map_or_else(Vec::new, |supplement| supplement.columns.iter().map(|(heading, _)| *heading).collect())
    }

    /// Returns the counts of all APIs.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.apis.iter().map(|api| api.counts).sum()
    }

    /// Returns the worst level that is not accepted.
    #[must_use]
    pub fn wire(&self) -> Level {
        self.apis.iter().map(|api| api.report.wire).max().unwrap_or_default()
    }

    /// Returns a line of figures.
    #[must_use]
    pub fn figures(&self) -> String {
        let all = self.counts();
        let hidden = self.apis.iter().map(|api| api.hidden).sum::<usize>();
        let hidden = if hidden > 0 { format!(" and {hidden} not shown") } else { String::new() };
        format!(
            "{}: {} breaking, {} warning, {} info, {} of names only, {} accepted{hidden}",
            pluralize(self.apis.len(), "API"),
            all.breaking,
            all.warning,
            all.info,
            all.none,
            all.accepted
        )
    }
}
