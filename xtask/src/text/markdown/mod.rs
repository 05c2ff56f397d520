//! Documentation of a document as doc comments: Markdown without HTML, without links into Rust, and without code that rustdoc would run.
//!
//! A text is parsed with rustdoc's own parser and written again in a small subset of Markdown. Every block of code becomes a
//! fence marked as text. The result is parsed once more; a text that still has other code in it is put into one fence as a whole.

mod blocks;
mod characters;
mod code;
mod inline;

use pulldown_cmark::{Event, Parser, Tag};

use code::{RUSTDOC, fenced};

pub(crate) use characters::{safe_characters, unsafe_characters};
#[cfg(test)]
pub(crate) use code::is_without_code;
pub(crate) use code::{code_span, tested};
pub(crate) use inline::plain;
pub(crate) use openapi_document::text::is_unsafe;

/// Rewrites a text into Markdown that is safe in a doc comment.
pub(crate) fn doc_comment(text: &str) -> String {
    let text = safe_characters(text);
    let text = text.trim_matches('\n').trim_end();
    match blocks::parse(text) {
        Some(blocks) => tested(blocks::render(&blocks).join("\n").trim().to_owned()),
        None => fenced(text),
    }
}

/// Rewrites a text into Markdown of one line.
pub(crate) fn doc_line(text: &str) -> String {
    doc_comment(&super::one_line(text))
}

/// Returns a text as an entry of a list. What does not begin with a paragraph comes below the label.
pub(crate) fn list_entry(label: &str, text: &str) -> String {
    let text = doc_comment(text);
    if text.is_empty() {
        return format!("- {label}");
    }
    let gap = if begins_with_paragraph(&text) { " " } else { "\n\n" };
    let entry = format!("{label}:{gap}{text}");
    let lines = entry.lines().map(|line| if line.is_empty() { String::new() } else { format!("  {line}") });
    format!("- {}", lines.collect::<Vec<_>>().join("\n").trim_start())
}

/// Returns whether a sentence can follow a text in the same line.
pub(crate) fn ends_with_paragraph(text: &str) -> bool {
    // The last block at the top, and whether it is a paragraph.
    let (mut depth, mut last) = (0_usize, false);
    for event in Parser::new_ext(text, RUSTDOC) {
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    last = matches!(tag, Tag::Paragraph);
                }
                depth += 1;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Rule if depth == 0 => last = false,
            _ => {}
        }
    }
    last
}

fn begins_with_paragraph(text: &str) -> bool {
    matches!(Parser::new_ext(text, RUSTDOC).next(), Some(Event::Start(Tag::Paragraph)))
}

#[cfg(test)]
mod tests;
