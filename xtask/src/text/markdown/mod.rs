//! Documentation of a document as doc comments: Markdown without HTML, without links into Rust, and without code that rustdoc would run.
//!
//! A text is parsed with rustdoc's own parser and written again in a small subset of Markdown. Every block of code becomes a
//! fence marked as text. The result is parsed once more; a text that still has other code in it is put into one fence as a whole.

mod blocks;
mod characters;
mod inline;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

pub(crate) use characters::{safe_characters, unsafe_characters};
pub(crate) use openapi_document::text::is_unsafe;

/// The options with which rustdoc reads a doc comment.
const RUSTDOC: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS);

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

/// Returns finished Markdown as it is if rustdoc finds no code in it but what is marked as text, else in a fence.
pub(crate) fn tested(markdown: String) -> String {
    if is_without_code(&markdown) && !markdown.contains(is_unsafe) {
        markdown
    } else {
        fenced(&safe_characters(&markdown))
    }
}

/// Returns whether every block of code is a fence marked as text, by the options of rustdoc and by those of plain
/// CommonMark.
pub(crate) fn is_without_code(markdown: &str) -> bool {
    [RUSTDOC, Options::empty()].into_iter().all(|options| {
        Parser::new_ext(markdown, options).all(|event| match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => &*language == "text",
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => false,
            _ => true,
        })
    })
}

/// Returns a text as inline code, in one line.
pub(crate) fn code_span(text: &str) -> String {
    let text = safe_characters(text).replace('\n', " ");
    if text.trim().is_empty() {
        return "` `".to_owned();
    }
    let ticks = "`".repeat(free_run(&text, 1));
    let edge = text.starts_with('`') || text.ends_with('`') || text.starts_with(' ') && text.ends_with(' ');
    let pad = if edge { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
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

/// Returns a text as one block that is not code to rustdoc.
fn fenced(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).collect::<Vec<_>>();
    let fence = "`".repeat(free_run(text, 3));
    format!("{fence}text\n{}\n{fence}", lines.join("\n"))
}

/// Returns the length of a run of backticks, of at least `least`, that is longer than any in the text.
fn free_run(text: &str, least: usize) -> usize {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
    least.max(longest + 1)
}

#[cfg(test)]
mod tests;
