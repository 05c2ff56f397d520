//! `openapi/<vendor>.accept.toml`: findings that somebody has looked at, and why they do not count.
//!
//! ```toml
//! [[accept]]
//! rule = "response-property-type-changed"      # the finding's id, or its rule
//! at = "/components/schemas/Order/properties/total"   # JSON pointer, in either document: the place itself or one above it
//! kind = "correction"                          # "vendor": the service changed; "correction": the document was wrong
//! reason = "The samples of 2026-11-20 have a text."
//! until = 2027-03-31                           # optional: the last day
//! fingerprint = "0123456789ab"                 # optional: this very change, with these values
//! ```

use std::ops::Range;

use chrono::NaiveDate;
use serde::Deserialize;
use spec_diff::{Accepted, AcceptedKind, Change, Level, Location, Member, Report};
use toml::Spanned;

use super::inputs::Source;

/// Something that is wrong with an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) level: Level,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) message: String,
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

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Vendor,
    Correction,
}

/// An entry that can be used.
struct Known {
    entry: Entry,
    until: Option<NaiveDate>,
    line: u32,
    used: bool,
}

/// Marks what is accepted, and tells which entries are malformed, expired or without use.
pub(super) fn apply(source: &Source, report: &mut Report, today: NaiveDate) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut known = Vec::new();
    let notice = |level, line, message| Notice { level, file: source.name.clone(), line, message };
    for (line, entry) in entries(&source.text) {
        match entry {
            Ok((entry, until)) => known.push(Known { entry, until, line, used: false }),
            Err(error) => notices.push(notice(Level::Breaking, line, error)),
        }
    }
    for change in &mut report.changes {
        mark(change, &mut known, today);
    }
    settle(report);
    for Known { entry, until, line, used } in known {
        let what = format!("{} at {}", entry.rule, entry.at);
        match until.filter(|until| *until < today) {
            Some(until) => notices.push(notice(
                Level::Warning,
                line,
                format!("the entry for {what} counted until {until}; delete it, or decide anew"),
            )),
            None if !used => notices.push(notice(
                Level::Warning,
                line,
                format!(
                    "nothing found is {what}; delete the entry, or keep it for the comparison with the last release"
                ),
            )),
            None => {}
        }
    }
    notices.sort_by_key(|notice| notice.line);
    notices
}

type Read = Result<(Entry, Option<NaiveDate>), String>;

/// The entries with their lines.
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
        return Err("the reason is empty; say why this does not count".to_owned());
    }
    if !entry.at.starts_with('/') {
        return Err(format!(
            "at = {:?} is no JSON pointer; write it as the finding does: /components/schemas/…",
            entry.at
        ));
    }
    let until = entry.until.as_ref().map(|until| {
        let day = match until {
            toml::Value::String(day) => day.parse().ok(),
            toml::Value::Datetime(day) => day.to_string().parse().ok(),
            _ => None,
        };
        day.ok_or("until is no day; write it as 2027-03-31")
    });
    Ok((entry, until.transpose()?))
}

fn one_line(message: &str) -> String {
    message.trim().replace('\n', " ")
}

/// A finding is accepted if each of its members is: one more member is a new finding.
fn mark(change: &mut Change, known: &mut [Known], today: NaiveDate) {
    let find = |member: &Member| {
        known.iter().position(|Known { entry, until, .. }| {
            until.is_none_or(|until| until >= today)
                && (entry.rule == change.id || entry.rule == change.rule)
                && entry.fingerprint.as_ref().is_none_or(|print| *print == change.fingerprint)
                && [&member.base, &member.revision].into_iter().flatten().any(|place| is_within(place, &entry.at))
        })
    };
    let Some(mut found) = change.members.iter().map(find).collect::<Option<Vec<_>>>() else { return };
    found.sort_unstable();
    found.dedup();
    for index in &found {
        if let Some(known) = known.get_mut(*index) {
            known.used = true;
        }
    }
    let entries = found.iter().filter_map(|index| known.get(*index)).collect::<Vec<_>>();
    let is_correction = entries.iter().all(|known| matches!(known.entry.kind, Kind::Correction));
    if is_correction {
        // The service is as it was: programs that work go on working.
        change.level = Level::None;
    }
    change.accepted = Some(Accepted {
        kind: if is_correction { AcceptedKind::Correction } else { AcceptedKind::Vendor },
        reason: entries.iter().map(|known| known.entry.reason.trim()).collect::<Vec<_>>().join("; "),
        until: entries.iter().filter_map(|known| known.until).min().map(|until| until.to_string()),
    });
}

/// Whether a place is the pointer's or below it.
fn is_within(place: &Location, at: &str) -> bool {
    place.pointer.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Levels that follow from the findings'.
fn settle(report: &mut Report) {
    report.wire = report.open().map(|change| change.level).max().unwrap_or_default();
    for touched in &mut report.operations {
        let reaches = |change: &&Change| {
            change
                .operations
                .iter()
                .any(|operation| (&operation.method, &operation.path) == (&touched.method, &touched.path))
        };
        touched.level = report.changes.iter().filter(reaches).map(|change| change.level).max().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use spec_diff::{Options, diff};

    use super::*;
    use crate::test_support::{changed, mini};

    const TODAY: &str = "2026-11-22";

    fn applied(text: &str) -> (Report, Vec<String>) {
        let head = changed("/components/schemas/Line/properties/sku/type", json!("integer"));
        let mut report = diff(&mini().root, &head.root, &Options::default()).expect("both are documents");
        assert_eq!((report.wire, report.changes.len()), (Level::Breaking, 1));
        let source = Source { name: "openapi/mini.accept.toml".to_owned(), text: text.to_owned() };
        let notices = apply(&source, &mut report, TODAY.parse().expect("a day"));
        let line = |notice: &Notice| format!("{}:{} {}", notice.line, notice.level, notice.message);
        (report, notices.iter().map(line).collect())
    }

    fn entry(at: &str, more: &str) -> String {
        let rule = "type-changed";
        format!("# reviewed\n[[accept]]\nrule = \"{rule}\"\nat = \"{at}\"\nreason = \"Samples say so.\"\n{more}\n")
    }

    const SKU: &str = "/components/schemas/Line/properties/sku";

    #[test]
    fn a_correction_is_nothing_on_the_wire() {
        let (report, notices) = applied(&entry(SKU, "kind = \"correction\""));
        assert_eq!((report.wire, report.changes[0].level, notices), (Level::None, Level::None, vec![]));
        assert!(report.operations.iter().all(|operation| operation.level == Level::None));
        let accepted = report.changes[0].accepted.as_ref().expect("it is accepted");
        assert_eq!((accepted.kind, accepted.reason.as_str()), (AcceptedKind::Correction, "Samples say so."));
    }

    #[test]
    fn a_change_of_the_vendor_keeps_its_level_and_does_not_count() {
        let (report, notices) = applied(&entry("/components/schemas/Line", "kind = \"vendor\"\nuntil = 2026-11-22"));
        assert_eq!((report.wire, report.changes[0].level, notices), (Level::None, Level::Breaking, vec![]));
    }

    #[test]
    fn expired_and_unused_entries_are_told_and_do_not_count() {
        let (report, notices) = applied(&entry(SKU, "kind = \"vendor\"\nuntil = \"2026-11-21\""));
        assert_eq!(report.wire, Level::Breaking);
        let told = format!(
            "2:warning the entry for type-changed at {SKU} counted until 2026-11-21; delete it, or decide anew"
        );
        assert_eq!(notices, [told]);
        for (at, more) in [("/components/schemas/Lin", ""), (SKU, "fingerprint = \"000000000000\"")] {
            let (report, notices) = applied(&entry(at, &format!("kind = \"vendor\"\n{more}")));
            assert_eq!(report.wire, Level::Breaking, "{at}");
            assert!(notices[0].starts_with("2:warning nothing found is type-changed at "), "{notices:?}");
        }
    }

    #[test]
    fn malformed_entries_are_told_with_their_line_and_the_others_count() {
        let good = entry(SKU, "kind = \"correction\"");
        for (bad, told) in [
            ("kind = \"wrong\"", "unknown variant `wrong`"),
            ("kind = \"vendor\"\nuntil = 2027", "until is no day"),
            ("kind = \"vendor\"\nby = \"me\"", "unknown field `by`"),
            ("", "missing field `kind`"),
        ] {
            let (report, notices) = applied(&format!("{good}{}", entry("/paths", bad)));
            assert_eq!(report.wire, Level::None, "{bad}");
            assert!(notices[0].starts_with(&format!("8:breaking {told}")), "{notices:?}");
        }
        let (report, notices) = applied("[[accept]\n");
        assert!(report.wire == Level::Breaking && notices[0].starts_with("1:breaking "), "{notices:?}");
        assert!(applied(&entry("components", "kind = \"vendor\"")).1[0].contains("is no JSON pointer"));
    }
}
