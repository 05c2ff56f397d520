//! The blocks of a text, and the same in the form in which doc comments have them.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::{
    code::{RUSTDOC, fenced},
    inline::{Inline, guarded, plain},
};

/// Deeper nesting is left as it is, in a fence: each level indents all lines below it.
const DEPTH: usize = 12;

pub(super) enum Block {
    Paragraph(Vec<String>),
    Heading(usize, String),
    Code(String),
    Quote(Vec<Block>),
    /// The number of the first entry, if it has one; whether entries are apart; entries.
    List(Option<u64>, bool, Vec<Vec<Block>>),
    Table(Vec<Vec<String>>),
    Rule,
}

/// A block that has begun.
enum Open {
    Quote,
    List(Option<u64>, Vec<Vec<Block>>),
    Entry { loose: bool },
    Footnote(String),
    Code(String),
    Html(String),
    Table(Vec<Vec<String>>),
}

/// Returns the blocks of a text; nothing, if they are nested too deeply.
pub(super) fn parse(text: &str) -> Option<Vec<Block>> {
    let mut work = Work { text, open: Vec::new(), done: vec![Vec::new()], inline: None, loose: Vec::new() };
    let mut events = Parser::new_ext(text, RUSTDOC).into_offset_iter();
    for (event, range) in events.by_ref() {
        if work.open.len() > DEPTH {
            return None;
        }
        work.event(event, range);
    }
    work.end_paragraph();
    let mut blocks = work.done.pop().unwrap_or_default();
    // Definitions that a text refers to are in its links; the others would be lost.
    for (label, definition) in events.reference_definitions().iter() {
        let used = text.matches(&format!("[{label}]")).count() > 1;
        if !used {
            blocks.push(Block::Paragraph(vec![format!("\\[{}\\]: {}", plain(label), plain(&definition.dest))]));
        }
    }
    Some(blocks)
}

struct Work<'s> {
    text: &'s str,
    open: Vec<Open>,
    /// The finished blocks of everything that is open, the outermost first.
    done: Vec<Vec<Block>>,
    inline: Option<Inline<'s>>,
    /// Whether entries of the open lists are apart.
    loose: Vec<bool>,
}

impl Work<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Text(text) | Event::Html(text)
                if matches!(self.open.last(), Some(Open::Code(_) | Open::Html(_))) =>
            {
                if let Some(Open::Code(all) | Open::Html(all)) = self.open.last_mut() {
                    all.push_str(&text);
                }
            }
            Event::Start(Tag::Paragraph) => {
                self.end_paragraph();
                if let Some(Open::Entry { loose }) = self.open.last_mut() {
                    *loose = true;
                }
                self.inline = Some(Inline::new(self.text));
            }
            Event::Start(Tag::Heading { .. } | Tag::TableCell) => {
                self.end_paragraph();
                self.inline = Some(Inline::new(self.text));
            }
            Event::Start(Tag::BlockQuote(_)) => self.begin(Open::Quote),
            Event::Start(Tag::List(first)) => {
                self.begin(Open::List(first, Vec::new()));
                self.loose.push(false);
            }
            Event::Start(Tag::Item) => self.begin(Open::Entry { loose: false }),
            Event::Start(Tag::FootnoteDefinition(label)) => self.begin(Open::Footnote(label.to_string())),
            Event::Start(Tag::CodeBlock(_)) => self.begin(Open::Code(String::new())),
            Event::Start(Tag::HtmlBlock) => self.begin(Open::Html(String::new())),
            Event::Start(Tag::Table(_)) => self.begin(Open::Table(Vec::new())),
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                if let Some(Open::Table(rows)) = self.open.last_mut() {
                    rows.push(Vec::new());
                }
            }
            Event::Start(Tag::MetadataBlock(_)) => self.end_paragraph(),
            Event::Rule => {
                self.end_paragraph();
                self.push(Block::Rule);
            }
            Event::End(end) => self.end(end, range),
            other => self.inline.get_or_insert_with(|| Inline::new(self.text)).add(other, range),
        }
    }

    fn end(&mut self, end: TagEnd, range: Range<usize>) {
        match end {
            TagEnd::Paragraph | TagEnd::MetadataBlock(_) => self.end_paragraph(),
            TagEnd::Heading(level) => {
                let text = self.inline.take().map(|inline| inline.lines().join(" ")).unwrap_or_default();
                self.push(Block::Heading(level as usize, text));
            }
            TagEnd::TableCell => {
                let text = self.inline.take().map(|inline| inline.lines().join(" ")).unwrap_or_default();
                if let Some(Open::Table(rows)) = self.open.last_mut()
                    && let Some(row) = rows.last_mut()
                {
                    row.push(text);
                }
            }
            TagEnd::TableHead | TagEnd::TableRow => {}
            TagEnd::BlockQuote
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::FootnoteDefinition
            | TagEnd::CodeBlock
            | TagEnd::HtmlBlock
            | TagEnd::Table => self.close(),
            inline => {
                if let Some(text) = &mut self.inline {
                    text.add(Event::End(inline), range);
                }
            }
        }
    }

    fn begin(&mut self, block: Open) {
        self.end_paragraph();
        self.open.push(block);
        self.done.push(Vec::new());
    }

    fn close(&mut self) {
        self.end_paragraph();
        let (Some(open), Some(inner)) = (self.open.pop(), self.done.pop()) else { return };
        match open {
            Open::Quote => self.push(Block::Quote(inner)),
            Open::Entry { loose } => {
                if let (Some(outer), true) = (self.loose.last_mut(), loose) {
                    *outer = true;
                }
                if let Some(Open::List(_, entries)) = self.open.last_mut() {
                    entries.push(inner);
                }
            }
            Open::List(first, entries) => {
                let loose = self.loose.pop().unwrap_or_default();
                self.push(Block::List(first, loose, entries));
            }
            Open::Footnote(label) => {
                self.push(Block::Paragraph(vec![format!("\\[^{}\\]:", plain(&label))]));
                inner.into_iter().for_each(|block| self.push(block));
            }
            Open::Code(text) => self.push(Block::Code(text)),
            Open::Html(text) => {
                for part in text.split("\n\n") {
                    let lines = part.lines().map(|line| guarded(plain(line).trim())).filter(|line| !line.is_empty());
                    self.push(Block::Paragraph(lines.collect()));
                }
            }
            Open::Table(rows) => self.push(Block::Table(rows)),
        }
    }

    fn end_paragraph(&mut self) {
        if let Some(inline) = self.inline.take() {
            self.push(Block::Paragraph(inline.lines()));
        }
    }

    fn push(&mut self, block: Block) {
        let empty = matches!(&block, Block::Paragraph(lines) if lines.is_empty());
        if let (Some(blocks), false) = (self.done.last_mut(), empty) {
            blocks.push(block);
        }
    }
}

/// Returns the blocks as lines.
pub(super) fn render(blocks: &[Block]) -> Vec<String> {
    let mut lines = Vec::new();
    for block in blocks {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(rendered(block));
    }
    lines
}

fn rendered(block: &Block) -> Vec<String> {
    match block {
        Block::Paragraph(lines) => lines.clone(),
        Block::Heading(level, text) => vec![format!("{} {text}", "#".repeat(*level)).trim_end().to_owned()],
        Block::Code(text) => fenced(text.trim_end_matches('\n')).lines().map(str::to_owned).collect(),
        Block::Quote(blocks) => {
            render(blocks).into_iter().map(|line| format!("> {line}").trim_end().to_owned()).collect()
        }
        Block::List(first, loose, entries) => list(*first, *loose, entries),
        Block::Table(rows) => table(rows),
        Block::Rule => vec!["***".to_owned()],
    }
}

fn list(first: Option<u64>, loose: bool, entries: &[Vec<Block>]) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        if loose && index > 0 {
            lines.push(String::new());
        }
        let marker = first.map_or_else(|| "- ".to_owned(), |first| format!("{}. ", first.saturating_add(index as u64)));
        // In a tight list a text is followed at once by the list below it.
        let inner = match entry.as_slice() {
            [text @ Block::Paragraph(_), below @ Block::List(..)] if !loose => {
                [rendered(text), rendered(below)].concat()
            }
            blocks => render(blocks),
        };
        let indent = " ".repeat(marker.len());
        let mut inner = inner.into_iter();
        lines.push(format!("{marker}{}", inner.next().unwrap_or_default()).trim_end().to_owned());
        lines.extend(inner.map(|line| if line.is_empty() { line } else { format!("{indent}{line}") }));
    }
    lines
}

fn table(rows: &[Vec<String>]) -> Vec<String> {
    let row = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let mut lines = Vec::new();
    for (index, cells) in rows.iter().enumerate() {
        lines.push(row(cells));
        if index == 0 {
            lines.push(row(&vec!["---".to_owned(); cells.len()]));
        }
    }
    lines
}
