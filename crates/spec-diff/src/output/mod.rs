//! The output formats of a review.

pub mod github;
mod html;
mod json;
pub mod markdown;
mod sarif;
mod short_values;
mod source_excerpt;
pub mod text;

use std::{
    collections::HashMap,
    io::{Result, Write},
};

use clap::ValueEnum;
use openapi_document::text::is_unseen;

use crate::{OperationRef, review::Finding, review::Review};

/// Output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A block for each operation or component, for a terminal.
    #[default]
    Text,
    /// A comment on a pull request.
    Markdown,
    /// A self-contained page.
    Html,
    /// Everything, for programs.
    Json,
    /// Annotations for GitHub Actions, with the outputs and the summary of the step.
    Github,
    /// Results for code scanning (SARIF 2.1.0).
    Sarif,
}

/// Writes a review. Colours are for the format `text`.
///
/// # Errors
/// Those of the writer.
pub fn write(format: Format, review: &Review, colour: bool, out: &mut dyn Write) -> Result<()> {
    match format {
        Format::Text => text::write(review, colour, out),
        Format::Markdown => out.write_all(markdown::comment(review, markdown::LIMIT).as_bytes()),
        Format::Html => out.write_all(html::page(review).as_bytes()),
        Format::Json => json::write(review, out),
        Format::Github => github::write(review, out),
        Format::Sarif => sarif::write(review, out),
    }
}

/// Escapes a text for HTML, in an element or a quoted attribute. Line feeds stay, unseen characters become visible.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' => safe.push(letter),
            letter if is_unseen(letter) => safe.extend(letter.escape_default()),
            letter => safe.push(letter),
        }
    }
    safe
}

/// Encodes a relative path for a URL. None for an absolute path and one that leads upwards: no link can be made of it.
fn url_path(path: &str) -> Option<String> {
    let path = path.strip_prefix("./").unwrap_or(path);
    if path.is_empty() || path.starts_with('/') || path.contains(':') || path.split('/').any(|part| part == "..") {
        return None;
    }
    Some(percent_encoded(path))
}

/// Encodes all of a path but its slashes for a URL.
fn percent_encoded(path: &str) -> String {
    use std::fmt::Write as _;
    let mut url = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
            byte => _ = write!(url, "%{byte:02X}"),
        }
    }
    url
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Returns the operations that a finding reaches, the first of many.
fn reach(operations: &[OperationRef], most: usize) -> String {
    let named = operations.iter().take(most).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match operations.len().saturating_sub(most) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Returns whether a finding reaches other operations than the one that it is about.
fn reaches_others(finding: &Finding) -> bool {
    let owner = finding.change.owner.to_string();
    finding.change.operations.iter().any(|operation| operation.to_string() != owner)
}

/// Returns the findings by what a reader would open, the owner with the worst first.
fn by_owner(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut blocks = Vec::<Vec<&Finding>>::new();
    let mut known = HashMap::new();
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
pub(crate) mod tests;
