//! For a terminal: a block for each owner, the worst first.

use std::io::{Result, Write};

use anstyle::{AnsiColor, Style};
use openapi_document::text::{pluralize, printable};

use super::findings::{by_owner, reach, reaches_others};
use crate::{
    Level,
    review::{ApiDiff, Finding, Review},
};

/// The number of lines of a supplement that are listed.
const LINES: usize = 8;

pub(super) fn write(review: &Review, colour: bool, out: &mut dyn Write) -> Result<()> {
    if !review.apis.is_empty() {
        writeln!(out, "compared with {}", printable(&review.base))?;
    }
    for api in &review.apis {
        write_api(api, colour, out)?;
    }
    closing(review, out)
}

/// Writes what fails, and a line of figures.
///
/// # Errors
/// Those of the writer.
pub fn closing(review: &Review, out: &mut dyn Write) -> Result<()> {
    for failure in &review.failures {
        writeln!(out, "failed: {}", printable(failure))?;
    }
    if review.apis.is_empty() && !review.problems.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", review.figures())
}

fn write_api(api: &ApiDiff, colour: bool, out: &mut dyn Write) -> Result<()> {
    let name = printable(&api.report.api);
    if api.is_same() {
        return writeln!(out, "{name}: no changes");
    }
    writeln!(out, "\n{}: {}", painted(&name, Style::new().bold(), colour), printable(&api.verdict()))?;
    for block in by_owner(&api.findings) {
        let Some(first) = block.first() else { continue };
        writeln!(out, "\n  {}", painted(&first.change.owner.to_string(), Style::new().bold(), colour))?;
        let mut last = None;
        for finding in block {
            let operations = &finding.change.operations;
            let is_new = last.replace(operations) != Some(operations);
            write_finding(api, finding, is_new, colour, out)?;
        }
    }
    if api.report.docs_changed > 0 {
        writeln!(out, "\n  {} of documentation", pluralize(api.report.docs_changed, "change"))?;
    }
    supplement(api, out)?;
    for notice in &api.notices {
        let (level, message) = (painted_level(notice.level, colour), printable(&notice.message));
        writeln!(out, "\n  {level}  {}:{}: {message}", printable(&notice.file), notice.line)?;
    }
    writeln!(out)
}

/// Writes a finding. The operations that it reaches are named if they are others than those of the finding before.
fn write_finding(api: &ApiDiff, finding: &Finding, names_reach: bool, colour: bool, out: &mut dyn Write) -> Result<()> {
    let change = &finding.change;
    let position = printable(&api.first_position(change).to_string());
    // As an entry of the accept file names it.
    let at = match change.members.first().and_then(|member| member.location()) {
        Some(location) if finding.needs_decision() => format!(" at {location}"),
        _ => String::new(),
    };
    let (level, words) = (painted_level(change.level, colour), printable(change.statement()));
    writeln!(out, "    {level}  {position}: {words} [{}{}]", change.id, printable(&at))?;
    if names_reach && reaches_others(finding) {
        writeln!(out, "              reaches {}", printable(&reach(&change.operations, 4)))?;
    }
    match &finding.accepted {
        Some(accepted) => writeln!(out, "              {}", printable(&accepted.to_string())),
        None => Ok(()),
    }
}

fn supplement(api: &ApiDiff, out: &mut dyn Write) -> Result<()> {
    let Some(supplement) = api.supplement.as_ref().filter(|supplement| !supplement.lines.is_empty()) else {
        return Ok(());
    };
    writeln!(out, "\n  {}", supplement.heading)?;
    for line in supplement.lines.iter().take(LINES) {
        writeln!(out, "    {}", printable(line))?;
    }
    match supplement.lines.len().saturating_sub(LINES) {
        0 => Ok(()),
        more => writeln!(out, "    and {more} more"),
    }
}

/// Returns the level, padded to a column.
fn painted_level(level: Level, colour: bool) -> String {
    let style = match level {
        Level::Breaking => AnsiColor::Red.on_default().bold(),
        Level::Warning => AnsiColor::Yellow.on_default(),
        Level::Info => AnsiColor::Green.on_default(),
        Level::None => Style::new().dimmed(),
    };
    painted(&format!("{level:8}"), style, colour)
}

fn painted(text: &str, style: Style, colour: bool) -> String {
    if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}
