//! The report as text, as an issue and as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use spec_diff::output::markdown::plain;

use crate::{
    text::{markdown::code_span, printable},
    upstream::{Difference, Record},
};

/// The number of bytes of lists that are in an issue, of which GitHub takes 65,536; unexplained differences come first.
const ROOM: usize = 60_000;

/// The result of a comparison.
pub(super) struct Report {
    pub(super) vendor: String,
    pub(super) file: String,
    pub(super) edition: String,
    pub(super) sha256: String,
    pub(super) recorded: Record,
    /// Differences without a recorded reason.
    pub(super) unexplained: Vec<Difference>,
    /// Accepted differences, with the reason.
    pub(super) accepted: Vec<(Difference, String)>,
    /// Operations that the vendor has added under tags of ours, by tag.
    pub(super) added: BTreeMap<String, Vec<String>>,
    /// Parts of the file that could not be read.
    pub(super) skipped: Vec<String>,
}

impl Report {
    pub(super) fn is_clean(&self) -> bool {
        self.unexplained.is_empty() && self.added.is_empty()
    }
}

/// Returns the differences as lines.
pub(super) fn text(report: &Report) -> String {
    let mut out = String::new();
    for Difference { at, kind, text } in &report.unexplained {
        out.push_str(&format!("{kind} at {}: {}\n", printable(at), printable(text)));
    }
    for (tag, operations) in &report.added {
        for operation in operations {
            out.push_str(&format!("added under {tag:?}: {}\n", printable(operation)));
        }
    }
    out.push_str(&summary(report));
    out.push('\n');
    out
}

fn summary(report: &Report) -> String {
    let added = report.added.values().map(Vec::len).sum::<usize>();
    let recorded = &report.recorded;
    let state = if recorded.sha256.is_empty() {
        "never recorded".to_owned()
    } else if recorded.sha256 == report.sha256 {
        format!("the file that was checked on {}", recorded.checked)
    } else {
        format!("another file than that of {}", recorded.checked)
    };
    format!(
        "{} against {} ({}, {state}): {} unexplained, {} accepted, {added} operations added",
        report.vendor,
        report.file,
        report.edition,
        report.unexplained.len(),
        report.accepted.len()
    )
}

/// Returns the report for an issue: unexplained differences first, accepted ones folded.
pub(super) fn markdown(report: &Report) -> String {
    let mut out = format!("# {}: our document and the vendor's\n\n{}.\n", report.vendor, plain(&summary(report)));
    let row = |difference: &Difference| {
        format!("| {} | {} | {} |\n", place(&difference.at), difference.kind, plain(&difference.text))
    };
    if !report.unexplained.is_empty() {
        out.push_str("\n## Unexplained\n\n| where, in our document | kind | what |\n|---|---|---|\n");
        list(&mut out, report.unexplained.iter().map(row));
    }
    if !report.added.is_empty() {
        out.push_str("\n## Added by the vendor since\n");
        for (tag, operations) in &report.added {
            out.push_str(&format!(
                "\n### {}\n\n",
                if tag.is_empty() { "without a tag".to_owned() } else { plain(tag) }
            ));
            list(&mut out, operations.iter().map(|operation| format!("- {}\n", code_span(operation))));
        }
    }
    if !report.accepted.is_empty() {
        out.push_str(&format!("\n<details><summary>{} accepted</summary>\n\n", report.accepted.len()));
        out.push_str("| where, in our document | kind | what | reason |\n|---|---|---|---|\n");
        let rows = report.accepted.iter();
        list(
            &mut out,
            rows.map(|(difference, reason)| format!("{} {} |\n", row(difference).trim_end(), plain(reason))),
        );
        out.push_str("\n</details>\n");
    }
    if !report.skipped.is_empty() {
        out.push_str("\n## Could not be read\n\n");
        list(&mut out, report.skipped.iter().map(|line| format!("- {}\n", plain(line))));
    }
    out.push_str("\nChange the document, or state in `openapi/upstream/");
    out.push_str(&format!("{}.toml` why it differs; `--record` notes the file as checked.\n", report.vendor));
    out
}

/// Adds the lines for which there is room, and the number of the others.
fn list(out: &mut String, lines: impl ExactSizeIterator<Item = String>) {
    let count = lines.len();
    for (index, line) in lines.enumerate() {
        if out.len() + line.len() > ROOM {
            out.push_str(&format!("\n… and {} more.\n", count - index));
            return;
        }
        out.push_str(&line);
    }
}

/// Returns a pointer as a cell of a table.
fn place(at: &str) -> String {
    code_span(at).replace('|', "\\|")
}

/// Returns the report for programs.
pub(super) fn json(report: &Report) -> String {
    let entry =
        |difference: &Difference| json!({"at": difference.at, "kind": difference.kind, "text": difference.text});
    let accepted = report.accepted.iter().map(|(difference, reason)| {
        let mut value = entry(difference);
        value["reason"] = json!(reason);
        value
    });
    let value = json!({
        "vendor": report.vendor,
        "file": report.file,
        "edition": report.edition,
        "sha256": report.sha256,
        "recorded": {"file": report.recorded.file, "edition": report.recorded.edition, "sha256": report.recorded.sha256, "checked": report.recorded.checked},
        "unexplained": report.unexplained.iter().map(entry).collect::<Vec<_>>(),
        "accepted": accepted.collect::<Vec<Value>>(),
        "added": report.added,
        "skipped": report.skipped,
    });
    format!("{value:#}\n")
}
