//! For a terminal: a block for each owner, the worst first.

use std::io::{Result, Write};

use anstyle::{AnsiColor, Style};
use spec_diff::{Bump, Level};

use super::{by_owner, decision, reach, verdict, words};
use crate::{
    commands::diff::{
        accepted_changes::Finding,
        api_diff::{ApiDiff, DiffRun},
        gate::Counts,
    },
    output::pluralize,
    text::printable,
};

/// How many items of generated code are listed.
const ITEMS: usize = 8;

pub(in crate::commands::diff) fn write(comparison: &DiffRun, colour: bool, out: &mut impl Write) -> Result<()> {
    if !comparison.apis.is_empty() {
        writeln!(out, "compared with {}", printable(&comparison.base))?;
    }
    for api in &comparison.apis {
        write_api(api, colour, out)?;
    }
    closing(comparison, out)
}

/// What fails, and a line of figures.
pub(in crate::commands::diff) fn closing(comparison: &DiffRun, out: &mut dyn Write) -> Result<()> {
    for failure in &comparison.failures {
        writeln!(out, "failed: {}", printable(failure))?;
    }
    if comparison.apis.is_empty() && !comparison.problems.is_empty() {
        return Ok(());
    }
    let all = comparison.apis.iter().map(|api| api.counts).sum::<Counts>();
    let hidden = comparison.apis.iter().map(|api| api.hidden).sum::<usize>();
    let hidden = if hidden > 0 { format!(" and {hidden} not shown") } else { String::new() };
    writeln!(
        out,
        "{}: {} breaking, {} warning, {} info, {} of names only, {} accepted{hidden}",
        pluralize(comparison.apis.len(), "API"),
        all.breaking,
        all.warning,
        all.info,
        all.none,
        all.accepted
    )
}

fn write_api(api: &ApiDiff, colour: bool, out: &mut impl Write) -> Result<()> {
    let name = &api.report.api;
    if api.is_same() {
        return writeln!(out, "{name}: no changes");
    }
    writeln!(out, "\n{}: {}", painted(name, Style::new().bold(), colour), printable(&verdict(api)))?;
    for block in by_owner(&api.findings) {
        let Some(first) = block.first() else { continue };
        writeln!(out, "\n  {}", painted(&printable(&first.change.owner.to_string()), Style::new().bold(), colour))?;
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
    items(api, out)?;
    for notice in &api.notices {
        let (level, message) = (painted_level(notice.level, colour), printable(&notice.message));
        writeln!(out, "\n  {level}  {}:{}: {message}", notice.file, notice.line)?;
    }
    writeln!(out)
}

/// The operations that it reaches are named if they are others than those of the finding before.
fn write_finding(
    api: &ApiDiff,
    finding: &Finding,
    names_reach: bool,
    colour: bool,
    out: &mut impl Write,
) -> Result<()> {
    let change = &finding.change;
    let place = format!("{}:{}", api.revision.name, api.first_line(change));
    // As an entry of the list of accepted changes names it.
    let at = match change.members.first().and_then(|member| member.revision.as_ref().or(member.base.as_ref())) {
        Some(location) if finding.needs_decision() => format!(" at {}", location.pointer),
        _ => String::new(),
    };
    let (level, words) = (painted_level(change.level, colour), printable(words(change)));
    writeln!(out, "    {level}  {place}: {words} [{}{}]", change.id, printable(&at))?;
    let own = change.owner.to_string();
    if names_reach && change.operations.iter().any(|operation| operation.to_string() != own) {
        writeln!(out, "              reaches {}", printable(&reach(&change.operations, 4)))?;
    }
    match &finding.accepted {
        Some(accepted) => writeln!(out, "              {}", printable(&decision(accepted))),
        None => Ok(()),
    }
}

/// Why the crate needs its step.
fn items(api: &ApiDiff, out: &mut impl Write) -> Result<()> {
    let Some(Ok(change)) = api.generated.as_ref().map(|generated| &generated.needed) else { return Ok(()) };
    if change.needed == Bump::None {
        return Ok(());
    }
    writeln!(out, "\n  generated code")?;
    if change.items.is_empty() {
        writeln!(out, "    patch: it differs, what it offers does not")?;
    }
    for item in change.items.iter().take(ITEMS) {
        writeln!(out, "    {}", printable(&item.to_string()))?;
    }
    match change.items.len().saturating_sub(ITEMS) {
        0 => Ok(()),
        more => writeln!(out, "    and {}", pluralize(more, "item")),
    }
}

/// In a column.
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
