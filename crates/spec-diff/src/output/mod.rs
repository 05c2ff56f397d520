//! The output formats of a review.

mod escaping;
mod findings;
pub mod github;
mod html;
mod json;
pub mod markdown;
mod sarif;
mod short_values;
mod source_excerpt;
pub mod text;

use std::io::{Result, Write};

use clap::ValueEnum;

use crate::review::Review;

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

#[cfg(test)]
pub(crate) mod tests;
