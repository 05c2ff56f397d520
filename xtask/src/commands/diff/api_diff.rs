//! One API before and after: what changed on the wire, and what that makes of its crate.

use std::{panic::resume_unwind, thread};

use chrono::NaiveDate;
use openapi_document::{Document, Lines};
use serde_json::{Map, Value};
use spec_diff::{Bump, Change, Location, Member, Options, Report, Side, diff};

use super::{
    accepted_changes::{self, Finding, Notice},
    crate_api::{
        self, CrateChange,
        version::{Declared, declared, next},
    },
    gate::{Counts, counts},
    inputs::{Own, Pair, Source},
};
use crate::lint::{self, Level, Scope};

/// What became of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApiState {
    Compared,
    /// The base has no document of it.
    Added,
    /// Its document was deleted.
    Removed,
}

/// All that a run found.
pub(super) struct DiffRun {
    /// What was compared with, for people.
    pub(super) base: String,
    pub(super) apis: Vec<ApiDiff>,
    /// What could not be compared, a line each.
    pub(super) problems: Vec<String>,
    /// Why the run fails, a line each.
    pub(super) failures: Vec<String>,
}

/// One API, compared.
pub(super) struct ApiDiff {
    /// Its changes are in `findings`.
    pub(super) report: Report,
    /// Worst first.
    pub(super) findings: Vec<Finding>,
    pub(super) state: ApiState,
    /// Whether it is one of our documents, which have a crate and a list of accepted changes.
    pub(super) is_ours: bool,
    /// The document before; if the API is new, the one that it has now.
    pub(super) base: Source,
    /// The document now; if the API is gone, the one that it had.
    pub(super) revision: Source,
    /// The crate, if there is one before and after.
    pub(super) generated: Option<Generated>,
    /// What is wrong with the list of accepted changes.
    pub(super) notices: Vec<Notice>,
    /// Of all findings, also those that are not shown.
    pub(super) counts: Counts,
    /// How many findings are below the level that the caller wants to see.
    pub(super) hidden: usize,
    /// Of the document now.
    lines: Lines,
}

/// What the change means for the crate.
pub(super) struct Generated {
    /// The error says why this cannot be told.
    pub(super) needed: Result<CrateChange, String>,
    /// What the manifests say; nothing, if the documents are not ours.
    pub(super) declared: Option<Result<Declared, String>>,
}

/// Documentation for people: no client can depend on it.
const IGNORED: [&str; 1] = ["x-source"];

/// Compares one API, on the wire alone or with its crate. The error is a line: what cannot be read, and where.
pub(super) fn compare(pair: Pair, today: NaiveDate, wire_only: bool) -> Result<ApiDiff, String> {
    let (state, base, revision) = match (pair.base, pair.revision) {
        (Some(base), Some(revision)) => (ApiState::Compared, base, revision),
        (Some(base), None) => (ApiState::Removed, twin(&base), base),
        (None, Some(revision)) => (ApiState::Added, twin(&revision), revision),
        (None, None) => return Err(format!("{}: no document before or after", pair.api)),
    };
    let read = |source: &Source, when: &str| {
        Document::parse(&source.name, &source.text).map_err(|error| format!("{error}{when}"))
    };
    let of_base = if pair.own.is_some() { " (in the base)" } else { "" };
    let mut before = read(&base, of_base)?;
    let mut now = read(&revision, "")?;
    match state {
        ApiState::Compared => {}
        ApiState::Added => without_operations(&mut before),
        ApiState::Removed => without_operations(&mut now),
    }
    let options = Options {
        api: pair.api,
        ignored_extensions: IGNORED.map(str::to_owned).to_vec(),
        today: Some(today.to_string()),
        ..Options::default()
    };
    // Generating takes longer than comparing.
    let (report, needed) = thread::scope(|threads| {
        let needed = (state == ApiState::Compared && !wire_only).then(|| threads.spawn(|| needed(&before, &now)));
        let report = diff(&before.root, &now.root, &options);
        (report, needed.map(|needed| needed.join().unwrap_or_else(|panic| resume_unwind(panic))))
    });
    let mut report = report.map_err(|error| match error.side {
        Side::Base => format!("{}: no OpenAPI 3 document{of_base}: {}", base.name, error.found),
        Side::Revision => format!("{}: no OpenAPI 3 document: {}", revision.name, error.found),
    })?;
    let lines = [&base, &revision].map(|source| Lines::of(&source.name, &source.text, &pointers(&report)));
    report.locate(|side, pointer| Some(lines[usize::from(side == Side::Revision)].at(pointer)));
    let changes = std::mem::take(&mut report.changes);
    let mut findings = changes.into_iter().map(|change| Finding { change, accepted: None }).collect::<Vec<_>>();
    let notices = match pair.own.as_ref().and_then(|own| own.accept.as_ref()) {
        Some(source) => accepted_changes::apply(source, &mut report, &mut findings, today),
        None => Vec::new(),
    };
    let generated = needed.map(|needed| Generated { needed, declared: pair.own.as_ref().map(manifests) });
    let counts = counts(&findings);
    let [_, lines] = lines;
    Ok(ApiDiff {
        report,
        findings,
        state,
        is_ours: pair.own.is_some(),
        base,
        revision,
        generated,
        notices,
        counts,
        hidden: 0,
        lines,
    })
}

/// What lint refuses, `generate` would: the generator's own search for what it trips over takes minutes in a large document.
fn needed(before: &Document, now: &Document) -> Result<CrateChange, String> {
    // That of today first: it is the one to be mended, and two of ten megabytes take seconds.
    for document in [now, before] {
        let findings = lint::lint(document);
        let mut errors = findings
            .iter()
            .filter(|finding| finding.rule.level == Level::Error && finding.rule.scope == Scope::Generator);
        if let Some(first) = errors.next() {
            let more = match errors.count() {
                0 => String::new(),
                more => format!(" (and {more} more: `cargo xtask lint`)"),
            };
            return Err(format!("{}: {first}{more}", document.name));
        }
    }
    crate_api::needed(before, now)
}

/// The places of both sides: what was removed is shown at what it was in.
fn pointers(report: &Report) -> Vec<&str> {
    let members = report.changes.iter().flat_map(|change| &change.members);
    let places = members.flat_map(|member| [&member.base, &member.revision]).flatten();
    places.map(|location| location.pointer.as_str()).collect()
}

fn twin(source: &Source) -> Source {
    Source { name: source.name.clone(), text: source.text.clone() }
}

/// The same API with nothing to call: what one that is new or gone is compared with, so that each operation is a finding.
fn without_operations(document: &mut Document) {
    if let Some(root) = document.root.as_object_mut() {
        root.insert("paths".to_owned(), Value::Object(Map::new()));
    }
}

fn manifests(own: &Own) -> Result<Declared, String> {
    match &own.manifests {
        [Some(base), Some(head)] => declared(&base.text, &head.text).map_err(|error| format!("{}: {error}", head.name)),
        _ => Err("the crate has no Cargo.toml before or now".to_owned()),
    }
}

impl ApiDiff {
    /// The line of the revision to look at: of what was removed, that of what it was in.
    pub(super) fn line(&self, member: &Member) -> u32 {
        match (&member.revision, &member.base) {
            (Some(Location { line: Some(line), .. }), _) => *line,
            (_, Some(base)) => self.lines.at(&base.pointer),
            _ => 1,
        }
    }

    /// The same of a finding's first member.
    pub(super) fn first_line(&self, change: &Change) -> u32 {
        change.members.first().map_or(1, |member| self.line(member))
    }

    /// The step that the crate needs, if it is known.
    pub(super) fn crate_needed(&self) -> Option<Bump> {
        Some(self.generated.as_ref()?.needed.as_ref().ok()?.needed)
    }

    /// The step that the manifest declares, if it is known.
    pub(super) fn crate_declared(&self) -> Option<Bump> {
        Some(self.generated.as_ref()?.declared.as_ref()?.as_ref().ok()?.bump)
    }

    /// Whether there is nothing to tell.
    pub(super) fn is_same(&self) -> bool {
        let crate_is_same = self
            .generated
            .as_ref()
            .is_none_or(|generated| generated.needed.as_ref().is_ok_and(|change| change.needed == Bump::None));
        self.counts == Counts::default() && self.notices.is_empty() && self.report.docs_changed == 0 && crate_is_same
    }
}

impl Generated {
    /// Why the manifest's step is too small, if it is. What cannot be told may be anything.
    pub(super) fn undeclared(&self) -> Option<String> {
        let step = match self.declared.as_ref()? {
            Ok(step) => step,
            Err(error) => return Some(error.clone()),
        };
        let needed = self.needed.as_ref().map_or(Bump::Major, |change| change.needed);
        (needed > step.bump).then(|| {
            let why = self.needed.as_ref().err().map_or(String::new(), |error| format!(" ({error})"));
            format!(
                "the crate needs a {needed} step{why}, its version goes from {} to {}; set {} or more",
                bare(&step.base),
                bare(&step.head),
                next(&step.base, needed)
            )
        })
    }
}

/// A version without its build metadata, which is no step.
pub(super) fn bare(version: &semver::Version) -> semver::Version {
    semver::Version { build: semver::BuildMetadata::EMPTY, ..version.clone() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::test_support::MINI;

    pub(in crate::commands::diff) fn source(name: &str, text: &str) -> Source {
        Source { name: name.to_owned(), text: text.to_owned() }
    }

    fn manifest(version: &str) -> Source {
        source("crates/usage-billing-mini/Cargo.toml", &format!("[package]\nversion = \"{version}\"\n"))
    }

    /// The small document and its changed text, with the versions of the crate.
    pub(in crate::commands::diff) fn pair(head: &str, versions: [&str; 2]) -> Pair {
        Pair {
            api: "mini".to_owned(),
            base: Some(source("openapi/mini.yaml", MINI)),
            revision: Some(source("openapi/mini.yaml", head)),
            own: Some(Own { manifests: versions.map(|version| Some(manifest(version))), accept: None }),
        }
    }

    pub(in crate::commands::diff) fn compared(pair: Pair) -> ApiDiff {
        compare(pair, "2026-11-22".parse().expect("a day"), false).expect("both are documents")
    }

    /// The small document with a number in place of a text.
    pub(in crate::commands::diff) fn edited() -> String {
        let text = MINI.replace("sku: {type: string, ", "sku: {type: integer, format: int64, ");
        assert_ne!(text, MINI, "the edit applies");
        text
    }

    #[test]
    fn both_verdicts_are_in_the_report() {
        let api = compared(pair(&edited(), ["0.1.0", "0.1.1"]));
        assert_eq!(api.report.wire, spec_diff::Level::Breaking);
        assert_eq!((api.crate_needed(), api.crate_declared()), (Some(Bump::Major), Some(Bump::Minor)));
        let told = api.generated.and_then(|generated| generated.undeclared()).expect("it is too small");
        assert_eq!(told, "the crate needs a major step, its version goes from 0.1.0 to 0.1.1; set 0.2.0 or more");
        let api = compared(pair(&edited(), ["0.1.0", "0.2.0"]));
        assert_eq!(api.generated.and_then(|generated| generated.undeclared()), None);
    }

    #[test]
    fn what_is_new_is_no_harm_and_what_is_gone_breaks() {
        let new = compared(Pair { base: None, ..pair(MINI, ["0.1.0", "0.1.0"]) });
        assert_eq!((new.state, new.report.wire), (ApiState::Added, spec_diff::Level::Info));
        assert!(new.findings.iter().all(|finding| finding.change.rule == "endpoint-added"), "{:?}", new.findings);
        let gone = compared(Pair { revision: None, ..pair(MINI, ["0.1.0", "0.1.0"]) });
        assert_eq!((gone.state, gone.report.wire), (ApiState::Removed, spec_diff::Level::Breaking));
        assert_eq!(gone.findings.len(), new.findings.len());
    }

    #[test]
    fn a_document_that_cannot_be_read_is_a_line() {
        let broken = |pair| compare(pair, NaiveDate::MIN, false).err().expect("it is broken");
        let head = broken(pair("openapi: [", ["0.1.0", "0.1.0"]));
        assert!(head.starts_with("openapi/mini.yaml:") && head.lines().count() == 1, "{head}");
        let swagger = broken(pair("swagger: '2.0'", ["0.1.0", "0.1.0"]));
        assert_eq!(swagger, "openapi/mini.yaml: no OpenAPI 3 document: it is Swagger 2.0; convert it first");
    }
}
