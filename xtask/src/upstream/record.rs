//! `openapi/upstream/<vendor>.toml`: the file that was checked last, and the differences that are intended.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{import::Published, text::quoted};

/// A difference between the documents at a location.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Difference {
    /// Where in our document: a JSON pointer, parameters by location and name. Parts that only the vendor has are in the vendor's,
    /// rewritten by our rules.
    pub(crate) at: String,
    /// The kind of difference, for `[[accepted]]`: an id of spec-diff for the step from our document to the vendor's, or one of ours.
    pub(crate) kind: String,
    /// The value of our document and the value of the vendor's, in a line.
    pub(crate) text: String,
}

/// The record of one vendor.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Record {
    /// The checked file's name.
    pub(crate) file: String,
    pub(crate) edition: String,
    pub(crate) sha256: String,
    /// The day of the check.
    pub(crate) checked: String,
    /// Where the checked file was from.
    pub(crate) source: String,
    /// Where the vendor publishes the newest one: a scheduled job gets it there.
    pub(crate) url: String,
    /// Operations under our tags that were there and that we have not: `GET /path`.
    pub(crate) known: BTreeSet<String>,
    pub(crate) accepted: Vec<Accepted>,
}

impl Record {
    /// Reads a record. The error is a line.
    pub(crate) fn read(file: &str, text: &str) -> Result<Self, String> {
        let record = toml::from_str::<Self>(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or_default().lines().count().max(1));
            format!("{file}:{line}: {}", error.message().replace('\n', " "))
        })?;
        match record.accepted.iter().find(|entry| entry.reason.trim().is_empty()) {
            Some(entry) => Err(format!("{file}: the accepted difference at {} has no reason; write one", entry.at)),
            None => Ok(record),
        }
    }
}

/// A difference that is intended.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepted {
    /// Where in our document; `*` for anything.
    pub(crate) at: String,
    /// `*` for any.
    pub(crate) kind: String,
    /// The difference's text when it was accepted; `*` for anything. With it, later changes at this location are reported.
    pub(crate) text: Option<String>,
    pub(crate) reason: String,
}

impl Accepted {
    pub(crate) fn fits(&self, difference: &Difference) -> bool {
        let like = |pattern: &str, text: &str| {
            pattern == text || glob::Pattern::new(&literal(pattern)).is_ok_and(|pattern| pattern.matches(text))
        };
        let text = self.text.as_deref().is_none_or(|text| like(text, &difference.text));
        like(&self.at, &difference.at) && like(&self.kind, &difference.kind) && text
    }
}

/// Returns a pattern in which only `*` is special.
fn literal(pattern: &str) -> String {
    pattern.split('*').map(glob::Pattern::escape).collect::<Vec<_>>().join("*")
}

/// Returns the record's text without accepted differences.
pub(crate) fn head(
    vendor: &str,
    theirs: &Published,
    today: &str,
    (source, url): (&str, &str),
    known: &BTreeMap<String, Vec<String>>,
) -> String {
    let all = known.values().flatten().collect::<BTreeSet<_>>();
    let known = all.iter().map(|operation| format!("    {},\n", quoted(operation))).collect::<String>();
    let known = if known.is_empty() { "[]".to_owned() } else { format!("[\n{known}]") };
    format!(
        "# What openapi/{vendor}.yaml was last compared with, by `cargo xtask upstream {vendor} --from FILE` (`--record` renews this head); below\n\
         # the differences that are meant: `at` (a pointer into our document, `*` for anything), `kind` and `reason`; with `text` only as they were then.\n\n\
         file = {}\nedition = \"{}\"\nsha256 = \"{}\"\nchecked = \"{today}\"\n\
         # Where the file was from, and where the vendor publishes the newest.\nsource = {}\nurl = {}\n\
         # Operations under tags of ours that the vendor had on that day and that are left out here.\nknown = {known}\n",
        quoted(&theirs.file),
        theirs.edition,
        theirs.sha256,
        quoted(source),
        quoted(url)
    )
}

/// Returns a record's text with a new head. What stands from the first accepted difference on stays, comments above it
/// included.
pub(crate) fn renewed(
    vendor: &str,
    written: &str,
    theirs: &Published,
    today: &str,
    known: &BTreeMap<String, Vec<String>>,
) -> String {
    let before = toml::from_str::<Record>(written).unwrap_or_default();
    let lines = written.lines().collect::<Vec<_>>();
    let first = lines.iter().position(|line| line.trim() == "[[accepted]]");
    let kept = first.map(|first| {
        let above = lines[..first].iter().rev().take_while(|line| line.starts_with('#')).count();
        format!("\n{}\n", lines[first - above..].join("\n"))
    });
    head(vendor, theirs, today, (&before.source, &before.url), known) + &kept.unwrap_or_default()
}
