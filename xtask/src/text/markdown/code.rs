//! Code in Markdown: inline, in fences, and none that rustdoc would run.

use openapi_document::text::is_unsafe;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

use super::characters::safe_characters;

/// The options with which rustdoc reads a doc comment.
pub(super) const RUSTDOC: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS);

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

/// Returns a text as one block that is not code to rustdoc.
pub(super) fn fenced(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).collect::<Vec<_>>();
    let fence = "`".repeat(free_run(text, 3));
    format!("{fence}text\n{}\n{fence}", lines.join("\n"))
}

/// Returns the length of a run of backticks, of at least `least`, that is longer than any in the text.
fn free_run(text: &str, least: usize) -> usize {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
    least.max(longest + 1)
}
