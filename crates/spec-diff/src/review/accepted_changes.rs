//! Accept files: findings that a reviewer has decided on, with the reason.
//!
//! ```toml
//! [[accept]]
//! rule = "response-property-type-changed"      # the finding's id, or its rule
//! at = "/components/schemas/Order/properties/total"   # JSON pointer, in either document: the location itself or one above it
//! kind = "correction"                          # "vendor": the service changed; "correction": the document was wrong
//! reason = "The samples of 2026-11-20 have a string."
//! until = 2027-03-31                           # optional: the last day
//! fingerprint = "0123456789ab"                 # optional: this very change, with these values
//! ```

use std::{collections::BTreeSet, ops::Range};

use chrono::NaiveDate;
use openapi_document::text::quoted;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::{Change, Level, Location, Member, Report, input::Source};

/// A change with the reviewer's decision on it.
#[derive(Debug)]
pub struct Finding {
    /// The change.
    pub change: Change,
    /// The decision, if there is one.
    pub accepted: Option<Accepted>,
}

/// The number of entries that a finding has. Where there would be more, they name sections of the document and the finding's fingerprint.
const LOCATIONS: usize = 20;

/// Returns the section of the document that a location is in: `/components`.
fn section(location: &str) -> &str {
    let start =
        location.find('/').filter(|_| location.starts_with('/')).or_else(|| location.find("#/").map(|hash| hash + 1));
    let end = start.and_then(|start| location.get(start + 1..)?.find('/').map(|length| start + 1 + length));
    end.and_then(|end| location.get(..end)).unwrap_or(location)
}

/// `accepted (vendor) until 2026-12-31: the reviewer's words`
impl std::fmt::Display for Accepted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            Kind::Vendor => "vendor",
            Kind::Correction => "correction",
        };
        let until = self.until.map_or(String::new(), |until| format!(" until {until}"));
        write!(f, "accepted ({kind}){until}: {}", self.reason)
    }
}

impl Finding {
    /// Returns the entries of an accept file that accept the finding, each without its reason.
    #[must_use]
    pub fn accept_entries(&self) -> String {
        let Change { id, members, fingerprint, .. } = &self.change;
        let mut locations =
            members.iter().filter_map(Member::location).map(ToString::to_string).collect::<BTreeSet<_>>();
        let mut print = String::new();
        if locations.len() > LOCATIONS {
            locations = locations.iter().map(|location| section(location).to_owned()).collect();
            print = format!("fingerprint = {}\n", quoted(fingerprint));
        }
        let entry = |at: &String| {
            format!("[[accept]]\nrule = {}\nat = {}\n{print}kind = \"vendor\"\nreason = \"\"\n", quoted(id), quoted(at))
        };
        locations.iter().map(entry).collect::<Vec<_>>().join("\n")
    }

    /// Returns whether a reviewer has to decide: no reviewer has, and programs may be affected.
    #[must_use]
    pub fn needs_decision(&self) -> bool {
        self.accepted.is_none() && self.change.level >= Level::Warning
    }
}

/// A reviewer's decision on a change.
#[derive(Debug, Clone, Serialize)]
pub struct Accepted {
    /// Whose change it is.
    pub kind: Kind,
    /// The reviewer's words.
    pub reason: String,
    /// The last day on which the decision counts.
    pub until: Option<NaiveDate>,
}

/// The cause of an accepted change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The vendor changed the service.
    Vendor,
    /// The document was wrong, the service is as it was.
    Correction,
}

/// An entry that is malformed, expired or unused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// The accept file.
    pub file: String,
    /// The line of the entry, from 1.
    pub line: u32,
    /// The error, in one line.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    accept: Vec<Spanned<toml::Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: String,
    at: String,
    fingerprint: Option<String>,
    kind: Kind,
    reason: String,
    until: Option<toml::Value>,
}

/// An entry that can be used.
struct AcceptedEntry {
    entry: Entry,
    until: Option<NaiveDate>,
    line: u32,
    used: bool,
}

/// Marks accepted findings and returns the entries that are malformed, expired or unused.
pub(super) fn apply(source: &Source, report: &mut Report, findings: &mut [Finding], today: NaiveDate) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut accepted = Vec::new();
    let notice = |level, line, message| Notice { level, file: source.name.clone(), line, message };
    for (line, entry) in entries(&source.text) {
        match entry {
            Ok((entry, until)) => accepted.push(AcceptedEntry { entry, until, line, used: false }),
            Err(error) => notices.push(notice(Level::Warning, line, error)),
        }
    }
    for finding in findings.iter_mut() {
        mark(finding, &mut accepted, today);
    }
    settle(report, findings);
    for AcceptedEntry { entry, until, line, used } in accepted {
        let what = format!("{} at {}", entry.rule, entry.at);
        match until.filter(|until| *until < today) {
            Some(until) => notices.push(notice(
                Level::Warning,
                line,
                format!("the entry for {what} expired on {until}; delete it, or renew it"),
            )),
            None if !used => notices.push(notice(
                Level::Warning,
                line,
                format!(
                    "no finding matches {what}; delete the entry, or keep it for the comparison with the last release"
                ),
            )),
            None => {}
        }
    }
    notices.sort_by_key(|notice| notice.line);
    notices
}

type Read = Result<(Entry, Option<NaiveDate>), String>;

/// Returns the entries with their lines.
fn entries(text: &str) -> Vec<(u32, Read)> {
    let line = |span: Option<Range<usize>>| {
        let before = text.get(..span.map_or(0, |span| span.start)).unwrap_or_default();
        u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1)
    };
    let file = match toml::from_str::<File>(text) {
        Ok(file) => file,
        Err(error) => return vec![(line(error.span()), Err(one_line(error.message())))],
    };
    file.accept.into_iter().map(|entry| (line(Some(entry.span())), read(entry.into_inner()))).collect()
}

fn read(value: toml::Value) -> Read {
    let entry = value.try_into::<Entry>().map_err(|error| one_line(error.message()))?;
    if entry.reason.trim().is_empty() {
        return Err("the reason is empty; state why this change is accepted".to_owned());
    }
    if !entry.at.starts_with('/') && !entry.at.contains("#/") && !entry.at.ends_with('#') {
        return Err(format!("invalid JSON pointer at = {:?}: expected the form /components/schemas/…", entry.at));
    }
    let until = entry.until.as_ref().map(|until| {
        let day = match until {
            toml::Value::String(day) => day.parse().ok(),
            toml::Value::Datetime(day) => day.to_string().parse().ok(),
            _ => None,
        };
        day.ok_or("invalid until: expected a date such as 2027-03-31")
    });
    Ok((entry, until.transpose()?))
}

fn one_line(message: &str) -> String {
    message.trim().replace('\n', " ")
}

/// Accepts a finding if each of its members is accepted: one more member is a new finding.
fn mark(finding: &mut Finding, accepted: &mut [AcceptedEntry], today: NaiveDate) {
    let change = &mut finding.change;
    let find = |member: &Member| {
        accepted.iter().position(|AcceptedEntry { entry, until, .. }| {
            until.is_none_or(|until| until >= today)
                && (entry.rule == change.id || entry.rule == change.rule)
                && entry.fingerprint.as_ref().is_none_or(|print| *print == change.fingerprint)
                && [&member.base, &member.revision].into_iter().flatten().any(|location| is_within(location, &entry.at))
        })
    };
    let Some(mut found) = change.members.iter().map(find).collect::<Option<Vec<_>>>() else { return };
    found.sort_unstable();
    found.dedup();
    for index in &found {
        if let Some(accepted) = accepted.get_mut(*index) {
            accepted.used = true;
        }
    }
    let entries = found.iter().filter_map(|index| accepted.get(*index)).collect::<Vec<_>>();
    let is_correction = entries.iter().all(|accepted| matches!(accepted.entry.kind, Kind::Correction));
    if is_correction {
        // The service is as it was: working programs continue to work.
        change.level = Level::None;
    }
    finding.accepted = Some(Accepted {
        kind: if is_correction { Kind::Correction } else { Kind::Vendor },
        reason: entries.iter().map(|accepted| accepted.entry.reason.trim()).collect::<Vec<_>>().join("; "),
        until: entries.iter().filter_map(|accepted| accepted.until).min(),
    });
}

/// Returns whether a location is the pointer's or below it.
fn is_within(location: &Location, at: &str) -> bool {
    location.to_string().strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Sets the levels that follow from the findings'.
fn settle(report: &mut Report, findings: &[Finding]) {
    let open = findings.iter().filter(|finding| finding.accepted.is_none());
    report.wire = open.map(|finding| finding.change.level).max().unwrap_or_default();
    for touched in &mut report.operations {
        let changes = findings.iter().map(|finding| &finding.change).filter(|change| {
            let operations = &mut change.operations.iter();
            operations.any(|operation| (&operation.method, &operation.path) == (&touched.method, &touched.path))
        });
        touched.level = changes.map(|change| change.level).max().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, diff, output::tests::document};

    const TODAY: &str = "2026-11-22";

    fn applied(text: &str) -> (Report, Finding, Vec<String>) {
        let parsed = |text: &str| openapi_document::Document::parse("a.yaml", text).expect("it is YAML").root;
        let (base, head) = (parsed(&document("string")), parsed(&document("integer")));
        let mut report = diff(&base, &head, &Options::default()).expect("both are documents");
        assert_eq!((report.wire, report.changes.len()), (Level::Breaking, 1));
        let source = Source { name: "cars.accept.toml".to_owned(), text: text.to_owned() };
        let change = report.changes.remove(0);
        let mut findings = [Finding { change, accepted: None }];
        let notices = apply(&source, &mut report, &mut findings, TODAY.parse().expect("a day"));
        let [finding] = findings;
        let line = |notice: &Notice| format!("{}:{} {}", notice.line, notice.level, notice.message);
        (report, finding, notices.iter().map(line).collect())
    }

    fn entry(at: &str, more: &str) -> String {
        let rule = "type-changed";
        format!("# reviewed\n[[accept]]\nrule = \"{rule}\"\nat = \"{at}\"\nreason = \"Samples show it.\"\n{more}\n")
    }

    const PLATE: &str = "/components/schemas/Car/properties/plate";

    #[test]
    fn correction_has_no_level_on_the_wire() {
        let (report, finding, notices) = applied(&entry(PLATE, "kind = \"correction\""));
        assert_eq!((report.wire, finding.change.level, notices), (Level::None, Level::None, vec![]));
        assert!(report.operations.iter().all(|operation| operation.level == Level::None));
        let accepted = finding.accepted.expect("it is accepted");
        assert_eq!((accepted.kind, accepted.reason.as_str()), (Kind::Correction, "Samples show it."));
    }

    #[test]
    fn entries_for_many_locations_name_the_sections_and_the_change() {
        for (location, expected) in [
            ("/components/schemas/A/properties/b", "/components"),
            ("/paths", "/paths"),
            ("models/a.yaml#/Car/properties/b", "models/a.yaml#/Car"),
            ("models/a.yaml#", "models/a.yaml#"),
        ] {
            assert_eq!(section(location), expected);
        }
        let limits = |limit: usize| {
            let properties: serde_json::Map<_, _> =
                (0..=LOCATIONS).map(|index| (format!("p{index}"), serde_json::json!({"maxLength": limit}))).collect();
            serde_json::json!({"openapi": "3.0.0", "components": {"schemas": {"Car": {"properties": properties}}}})
        };
        let mut report = diff(&limits(2), &limits(1), &Options::default()).expect("both are documents");
        let mut findings = [Finding { change: report.changes.remove(0), accepted: None }];
        let text = findings[0].accept_entries().replace("reason = \"\"", "reason = \"So.\"");
        assert_eq!(text.matches("[[accept]]").count(), 1);
        let source = Source { name: "cars.accept.toml".to_owned(), text };
        assert_eq!(apply(&source, &mut report, &mut findings, TODAY.parse().expect("a day")), []);
        assert!(findings[0].accepted.is_some());
    }

    #[test]
    fn vendor_change_keeps_its_level_and_does_not_count() {
        let (report, finding, notices) =
            applied(&entry("/components/schemas/Car", "kind = \"vendor\"\nuntil = 2026-11-22"));
        assert_eq!((report.wire, finding.change.level, notices), (Level::None, Level::Breaking, vec![]));
    }

    #[test]
    fn accept_file_reports_expired_and_unused_entries() {
        let (report, _, notices) = applied(&entry(PLATE, "kind = \"vendor\"\nuntil = \"2026-11-21\""));
        assert_eq!(report.wire, Level::Breaking);
        let expected =
            format!("2:warning the entry for type-changed at {PLATE} expired on 2026-11-21; delete it, or renew it");
        assert_eq!(notices, [expected]);
        for (at, more) in [("/components/schemas/Ca", ""), (PLATE, "fingerprint = \"000000000000\"")] {
            let (report, _, notices) = applied(&entry(at, &format!("kind = \"vendor\"\n{more}")));
            assert_eq!(report.wire, Level::Breaking, "{at}");
            assert!(notices[0].starts_with("2:warning no finding matches type-changed at "), "{notices:?}");
        }
    }

    #[test]
    fn malformed_entries_are_reported_and_the_others_are_used() {
        let good = entry(PLATE, "kind = \"correction\"");
        for (bad, expected) in [
            ("kind = \"wrong\"", "unknown variant `wrong`"),
            ("kind = \"vendor\"\nuntil = 2027", "invalid until"),
            ("kind = \"vendor\"\nby = \"me\"", "unknown field `by`"),
            ("", "missing field `kind`"),
        ] {
            let (report, _, notices) = applied(&format!("{good}{}", entry("/paths", bad)));
            assert_eq!(report.wire, Level::None, "{bad}");
            assert!(notices[0].starts_with(&format!("8:warning {expected}")), "{notices:?}");
        }
        let (report, _, notices) = applied("[[accept]\n");
        assert!(report.wire == Level::Breaking && notices[0].starts_with("1:warning "), "{notices:?}");
        assert!(applied(&entry("components", "kind = \"vendor\"")).2[0].contains("invalid JSON pointer"));
    }
}
