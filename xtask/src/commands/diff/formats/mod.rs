//! A comparison, written for people and programs.

pub(crate) mod github;
mod html;
mod json;
mod junit;
pub(crate) mod markdown;
mod source_excerpt;
pub(crate) mod text;

use std::io::{Result, Write};

use clap::ValueEnum;
use spec_diff::{Bump, Change, OperationRef};

use super::accepted_changes::{Accepted, Finding, Kind};
use super::{
    api_diff::{ApiDiff, ApiState, DiffRun, bare},
    crate_api::version::Declared,
};

/// Output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A block for each operation or component, for a terminal.
    #[default]
    Text,
    /// A comment on a pull request.
    Markdown,
    /// Everything, for programs.
    Json,
    /// Annotations on the documents' lines, outputs and a summary of the step.
    Github,
    /// A self-contained page.
    Html,
    /// Test cases for other CI systems.
    Junit,
}

pub(super) fn write(format: Format, comparison: &DiffRun, colour: bool, out: &mut impl Write) -> Result<()> {
    match format {
        Format::Text => text::write(comparison, colour, out),
        Format::Markdown => out.write_all(markdown::comment(comparison, markdown::LIMIT).as_bytes()),
        Format::Json => json::write(comparison, out),
        Format::Github => github::write(comparison, out),
        Format::Html => out.write_all(html::page(comparison).as_bytes()),
        Format::Junit => out.write_all(junit::suites(comparison).as_bytes()),
    }
}

/// A text for HTML and XML, in an element or a quoted attribute. XML has no place for control characters.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(letter),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            letter if letter.is_control() => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

/// Both verdicts in one sentence.
fn verdict(api: &ApiDiff) -> String {
    let state = match api.state {
        ApiState::Compared => "",
        ApiState::Added => "a new API, not in the base; ",
        ApiState::Removed => "the API is gone; ",
    };
    let accepted = if api.counts.accepted > 0 { " but for what is accepted" } else { "" };
    format!("{state}{} on the wire{accepted}{}", api.report.wire, of_crate(api))
}

/// `; the crate needs a major step, its version stays 0.1.0`
fn of_crate(api: &ApiDiff) -> String {
    let Some(generated) = &api.generated else { return String::new() };
    let needed = match &generated.needed {
        Ok(change) if change.needed == Bump::None => "no step".to_owned(),
        Ok(change) => format!("a {} step", change.needed),
        Err(error) => return format!("; the crate cannot be judged: {error}"),
    };
    match &generated.declared {
        None => format!("; a generated crate would need {needed}"),
        Some(Err(error)) => format!("; the crate needs {needed}: {error}"),
        Some(Ok(Declared { base, bump: Bump::None, .. })) => {
            format!("; the crate needs {needed}, its version stays {}", bare(base))
        }
        Some(Ok(Declared { base, head, bump })) => {
            format!("; the crate needs {needed}, its version goes from {} to {} ({bump})", bare(base), bare(head))
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// What a finding says, without the name of its owner in front.
fn words(change: &Change) -> &str {
    let owner = change.owner.to_string();
    change.message.strip_prefix(&owner).unwrap_or(&change.message).trim_start_matches([',', ':', ' '])
}

/// `accepted (vendor) until 2026-12-31: the reviewer's words`
fn decision(accepted: &Accepted) -> String {
    let kind = match accepted.kind {
        Kind::Vendor => "vendor",
        Kind::Correction => "correction",
    };
    let until = accepted.until.map_or(String::new(), |until| format!(" until {until}"));
    format!("accepted ({kind}){until}: {}", accepted.reason)
}

/// The operations that a finding reaches, the first of many.
fn reach(operations: &[OperationRef], most: usize) -> String {
    let named = operations.iter().take(most).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match operations.len().saturating_sub(most) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// The findings by what a reader would open, the owner with the worst first.
fn by_owner(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut blocks = Vec::<Vec<&Finding>>::new();
    let mut known = std::collections::HashMap::new();
    for finding in findings {
        let index = *known.entry(&finding.change.owner).or_insert_with(|| {
            blocks.push(Vec::new());
            blocks.len() - 1
        });
        if let Some(block) = blocks.get_mut(index) {
            block.push(finding);
        }
    }
    blocks
}

#[cfg(test)]
mod tests;
