//! Two documents of an API: parsed, compared and reviewed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use openapi_document::Locations;
use serde_json::{Map, Value};

use super::{ApiDiff, ApiState, Finding, accepted_changes, gate};
use crate::{
    NotOpenApi, Options, Report, Side, diff_with_files,
    input::{Folder, Input, Parsed, Source},
};

/// One API before and after.
#[derive(Debug)]
pub struct Pair {
    /// The document before; none if the API is new.
    pub base: Option<Input>,
    /// The document now; none if the API was removed.
    pub revision: Option<Input>,
}

/// One API before and after, parsed.
#[derive(Debug)]
pub struct ParsedPair {
    /// Whether both documents exist.
    pub state: ApiState,
    /// The document before; if the API is new, the one that it has now, without operations.
    pub base: Parsed,
    /// The document now; if the API was removed, the one that it had, without operations.
    pub revision: Parsed,
}

/// The list of accepted changes, and how messages name it.
#[derive(Debug, Clone, Default)]
pub struct AcceptFile {
    /// Where findings can be accepted: `openapi/cars.accept.toml`. If empty, reports do not mention it.
    pub name: String,
    /// The file, if there is one.
    pub source: Option<Source>,
}

impl Pair {
    /// Parses both documents.
    ///
    /// # Errors
    /// One line: what cannot be read, where and why.
    pub fn parse(self) -> Result<ParsedPair, String> {
        let (state, base, revision) = match (self.base, self.revision) {
            (Some(base), Some(revision)) => (ApiState::Compared, base, revision),
            (Some(base), None) => (ApiState::Removed, base.clone(), base),
            (None, Some(revision)) => (ApiState::Added, revision.clone(), revision),
            (None, None) => return Err("no document before or after".to_owned()),
        };
        let of_base = in_base(&base);
        let mut base = base.parse().map_err(|error| format!("{error}{of_base}"))?;
        let mut revision = revision.parse()?;
        match state {
            ApiState::Compared => {}
            ApiState::Added => without_operations(&mut base),
            ApiState::Removed => without_operations(&mut revision),
        }
        Ok(ParsedPair { state, base, revision })
    }
}

/// Returns the words that distinguish two documents of a repository, which have the same name.
fn in_base(input: &Input) -> &'static str {
    if matches!(input.folder, Folder::Git { .. }) { " (in the base)" } else { "" }
}

/// Removes all operations: an API that is new or was removed is compared with such a document, so that each operation is a finding.
fn without_operations(parsed: &mut Parsed) {
    if let Some(root) = parsed.document.root.as_object_mut() {
        root.insert("paths".to_owned(), Value::Object(Map::new()));
    }
}

impl ParsedPair {
    /// Compares the documents. Separate from [`review`](Self::review), which needs the documents themselves.
    ///
    /// # Errors
    /// One line: which document is not OpenAPI 3.
    pub fn diff(&self, options: &Options) -> Result<Report, String> {
        let (base, revision) = (&self.base, &self.revision);
        let sides = [base, revision].map(|side| (&side.document.root, &side.files));
        diff_with_files(sides[0], sides[1], options).map_err(|NotOpenApi { side, found }| {
            let name = match side {
                Side::Base => &base.source.name,
                Side::Revision => &revision.source.name,
            };
            let of_base =
                if side == Side::Base && base.source.name == revision.source.name { " (in the base)" } else { "" };
            format!("{name}: not an OpenAPI 3 document{of_base}: {found}")
        })
    }

    /// Adds positions and the decisions of an accept file to a report.
    #[must_use]
    pub fn review(self, mut report: Report, accept: &AcceptFile, today: NaiveDate) -> ApiDiff {
        let Self { state, base, revision } = self;
        let mut locations = [locations(&base, &report), locations(&revision, &report)];
        report.locate(|side, location| {
            let of_side = &locations[usize::from(side == Side::Revision)];
            let at = of_side.get(location.file.as_deref().unwrap_or_default())?.at(&location.pointer);
            Some((u32::try_from(at.line).ok()?, u32::try_from(at.column).ok()?))
        });
        let changes = std::mem::take(&mut report.changes);
        let mut findings = changes.into_iter().map(|change| Finding { change, accepted: None }).collect::<Vec<_>>();
        let notices = match &accept.source {
            Some(source) => accepted_changes::apply(source, &mut report, &mut findings, today),
            None => Vec::new(),
        };
        let counts = gate::counts(&findings);
        ApiDiff {
            report,
            findings,
            state,
            base,
            revision,
            accept_name: accept.name.clone(),
            notices,
            counts,
            hidden: 0,
            supplement: None,
            locations: std::mem::take(&mut locations[1]),
        }
    }
}

/// Returns the positions, in the revision's files, of the locations of both sides. A removed member has the position of its parent.
fn locations(parsed: &Parsed, report: &Report) -> BTreeMap<String, Locations> {
    let members = || report.changes.iter().flat_map(|change| &change.members);
    let all = || members().flat_map(|member| [&member.base, &member.revision]).flatten();
    let of = |path: &str, source: &Source| {
        let within = all().filter(|location| location.file.as_deref().unwrap_or_default() == path);
        Locations::of(&source.name, &source.text, within.map(|location| location.pointer.as_str()))
    };
    let is_used = |path: &str| all().any(|location| location.file.as_deref() == Some(path));
    let others = parsed.sources.iter().filter(|(path, _)| is_used(path));
    let others = others.map(|(path, source)| (path.clone(), of(path, source)));
    std::iter::once((String::new(), of("", &parsed.source))).chain(others).collect()
}
