//! The second verdict on an API: which step its crate needs, and whether the manifest declares it.

use openapi_document::Document;
use serde_json::{Map, Value, json};
use spec_diff::{Bump, review::Supplement};

use super::{
    crate_api::{
        self, CrateChange,
        version::{Declared, declared, next},
    },
    inputs::Manifests,
};
use crate::lint::{self, Level, Scope};

/// The effect of a change on the crate.
pub(super) struct CrateVerdict {
    /// The error states why it is unknown.
    pub(super) needed: Result<CrateChange, String>,
    /// The step that the manifests declare; none if the documents have no crate.
    pub(super) declared: Option<Result<Declared, String>>,
}

/// Compares the code that is generated from both documents. What lint rejects is not generated: the generator's own search for what it
/// does not support takes minutes in a large document.
pub(super) fn needed(before: &Document, now: &Document) -> Result<CrateChange, String> {
    // The new document first: it is the one to be fixed, and two of ten megabytes take seconds.
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

/// Returns the step that the manifests declare.
pub(super) fn declared_step(manifests: &Manifests) -> Result<Declared, String> {
    match manifests {
        [Some(base), Some(head)] => declared(&base.text, &head.text).map_err(|error| format!("{}: {error}", head.name)),
        _ => Err("the crate has no Cargo.toml before or now".to_owned()),
    }
}

impl CrateVerdict {
    /// Returns the needed step, if it is known.
    pub(super) fn needed_bump(&self) -> Option<Bump> {
        self.needed.as_ref().ok().map(|change| change.needed)
    }

    /// Returns the declared step, if it is known.
    fn declared_bump(&self) -> Option<Bump> {
        Some(self.declared.as_ref()?.as_ref().ok()?.bump)
    }

    /// Returns whether the crate needs or takes a major step. An unknown need counts as one.
    pub(super) fn is_breaking(&self) -> bool {
        let needed = self.needed_bump().unwrap_or(Bump::Major);
        needed.max(self.declared_bump().unwrap_or_default()) == Bump::Major
    }

    /// Returns why the manifest's step is too small, if it is. An unknown need counts as a major step.
    pub(super) fn undeclared(&self) -> Option<String> {
        let step = match self.declared.as_ref()? {
            Ok(step) => step,
            Err(error) => return Some(error.clone()),
        };
        let needed = self.needed_bump().unwrap_or(Bump::Major);
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

    /// Returns what reports state of it.
    pub(super) fn supplement(&self) -> Supplement {
        let cell = |bump: Option<Bump>| bump.map_or("-".to_owned(), |bump| bump.to_string());
        let items = self.needed.iter().flat_map(|change| &change.items).map(ToString::to_string).collect::<Vec<_>>();
        let mut lines = items.clone();
        if items.is_empty() && self.needed_bump().is_some_and(|bump| bump > Bump::None) {
            lines.push("patch: the code differs, its public items do not".to_owned());
        }
        Supplement {
            verdict: self.sentence(),
            columns: vec![("crate needs", cell(self.needed_bump())), ("version declares", cell(self.declared_bump()))],
            heading: "generated code",
            lines,
            is_change: self.needed_bump() != Some(Bump::None),
            json: Map::from_iter(
                [
                    ("crate_needed", json!(self.needed_bump())),
                    ("crate_declared", json!(self.declared_bump())),
                    ("crate_changes", json!(items)),
                    ("crate_unknown", json!(self.needed.as_ref().err())),
                ]
                .map(|(name, value): (&str, Value)| (name.to_owned(), value)),
            ),
        }
    }

    /// Returns the verdict as a sentence: `the crate needs a major step, its version stays 0.1.0`.
    fn sentence(&self) -> String {
        let needed = match &self.needed {
            Ok(change) if change.needed == Bump::None => "no step".to_owned(),
            Ok(change) => format!("a {} step", change.needed),
            Err(error) => return format!("the change of the crate is unknown: {error}"),
        };
        match &self.declared {
            None => format!("a generated crate would need {needed}"),
            Some(Err(error)) => format!("the crate needs {needed}: {error}"),
            Some(Ok(Declared { base, bump: Bump::None, .. })) => {
                format!("the crate needs {needed}, its version stays {}", bare(base))
            }
            Some(Ok(Declared { base, head, bump })) => {
                format!("the crate needs {needed}, its version goes from {} to {} ({bump})", bare(base), bare(head))
            }
        }
    }
}

/// Returns why the facade's step is too small, if it is: generated types are part of its signatures, so that a breaking change of
/// one of the vendors' crates is one of the facade.
pub(super) fn undeclared_facade(manifests: &Manifests, breaking: &[String]) -> Option<String> {
    // A facade that is new or was removed has no step.
    let ([Some(_), Some(_)], false) = (manifests, breaking.is_empty()) else { return None };
    let needed = Ok(CrateChange { needed: Bump::Major, items: Vec::new() });
    let undeclared = CrateVerdict { needed, declared: Some(declared_step(manifests)) }.undeclared()?;
    Some(format!("the facade, which exports the types of {}: {undeclared}", breaking.join(", ")))
}

/// Returns a version without its build metadata, which is not a step.
fn bare(version: &semver::Version) -> semver::Version {
    semver::Version { build: semver::BuildMetadata::EMPTY, ..version.clone() }
}
