//! The text of one block, line by line: emphasis and links to the web stay, everything else that Markdown could take for more is escaped.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Tag, TagEnd};

use super::code::code_span;

/// The text of a block as it grows.
pub(super) struct Inline<'s> {
    source: &'s str,
    out: String,
    /// Up to here the source is written.
    at: usize,
    /// Up to here it has been read.
    end: usize,
    /// A line has begun; where is not known yet.
    fresh: bool,
    /// The links that are open: the address, or nothing if only the text stays.
    links: Vec<Option<String>>,
    /// An autolink is written as a whole: its text is passed over.
    in_autolink: bool,
}

impl<'s> Inline<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, out: String::new(), at: 0, end: 0, fresh: true, links: Vec::new(), in_autolink: false }
    }

    /// Returns the lines, none of which begins a block.
    pub(super) fn lines(mut self) -> Vec<String> {
        self.flush(self.end);
        self.out.lines().map(|line| guarded(line.trim())).filter(|line| !line.is_empty()).collect()
    }

    /// Adds an event that stands inside the block.
    pub(super) fn add(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::SoftBreak | Event::HardBreak => {
                self.flush(range.start);
                if event == Event::HardBreak {
                    self.out.push('\\');
                }
                self.out.push('\n');
                self.fresh = true;
                self.end = range.end;
                return;
            }
            Event::End(TagEnd::Link | TagEnd::Image) => return self.close_link(range),
            Event::End(_) => return self.end = self.end.max(range.end),
            _ if std::mem::take(&mut self.fresh) => self.at = range.start,
            _ => {}
        }
        match event {
            Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                let autolink = matches!(link_type, LinkType::Autolink | LinkType::Email);
                self.open_link(range, 1, &dest_url, autolink);
            }
            Event::Start(Tag::Image { dest_url, .. }) => self.open_link(range, 2, &dest_url, false),
            Event::Code(text) => self.replace(range, &code_span(&text)),
            Event::InlineHtml(html) | Event::Html(html) => self.replace(range, &plain(&html)),
            Event::FootnoteReference(label) => self.replace(range, &plain(&format!("[^{label}]"))),
            Event::TaskListMarker(done) => self.replace(range, if done { "[x]" } else { "[ ]" }),
            _ => self.end = self.end.max(range.end),
        }
    }

    fn open_link(&mut self, range: Range<usize>, mark: usize, address: &str, autolink: bool) {
        self.flush(range.start);
        let address = web(address).filter(|_| self.links.iter().all(Option::is_none));
        self.at = range.start + mark;
        self.end = self.at;
        match address {
            Some(address) if autolink => {
                self.out.push_str(&format!("<{address}>"));
                self.in_autolink = true;
                self.links.push(None);
            }
            Some(address) => {
                self.out.push('[');
                self.links.push(Some(address));
            }
            None => self.links.push(None),
        }
    }

    fn close_link(&mut self, range: Range<usize>) {
        if !std::mem::take(&mut self.in_autolink) {
            self.flush(self.end);
        }
        if let Some(Some(address)) = self.links.pop() {
            self.out.push_str(&format!("]({address})"));
        }
        self.fresh = false;
        (self.at, self.end) = (range.end, range.end);
    }

    /// Writes something in place of what the source has there.
    fn replace(&mut self, range: Range<usize>, text: &str) {
        if !self.in_autolink {
            self.flush(range.start);
            self.out.push_str(text);
        }
        (self.at, self.end) = (range.end, range.end);
    }

    fn flush(&mut self, end: usize) {
        if let Some(text) = self.source.get(self.at..end).filter(|_| !self.fresh) {
            let linked = self.links.iter().any(Option::is_some);
            // A line break is an event of its own: none is in a piece, but in what a parser passed over.
            self.out.push_str(&escaped(&text.replace('\n', " "), linked));
        }
        self.at = self.at.max(end);
    }
}

/// Returns an address on the web, as written in parentheses and in angle brackets.
fn web(address: &str) -> Option<String> {
    let known = ["https://", "http://", "mailto:"].iter().any(|scheme| address.starts_with(scheme));
    let odd = |letter: char| letter.is_whitespace() || letter.is_control() || "<>()[]\\`\"|".contains(letter);
    let encode = |letter: char| {
        if odd(letter) {
            letter.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()
        } else {
            letter.to_string()
        }
    };
    known.then(|| address.chars().map(encode).collect())
}

/// Returns a piece of text in which emphasis, entities and escapes stay and nothing else has a meaning. Addresses
/// become links.
fn escaped(text: &str, linked: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let second = rest[letter.len_utf8()..].chars().next();
        let taken = if letter == '\\' && second.is_some_and(|second| second.is_ascii_punctuation()) {
            out.push_str(&rest[..2]);
            2
        } else if let Some(url) = url(rest).filter(|_| !linked) {
            out.push_str(&format!("<{url}>"));
            url.len()
        } else {
            if matches!(letter, '<' | '>' | '[' | ']' | '`') {
                out.push('\\');
            }
            out.push(letter);
            letter.len_utf8()
        };
        rest = &rest[taken..];
    }
    out
}

/// Returns a text in which no character has a meaning.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.replace('\n', " ").chars() {
        if "\\`*_~<>[]|&".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// Returns a URL at the start of a text, without the punctuation of the sentence around it.
fn url(text: &str) -> Option<&str> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let ends = |letter: char| letter.is_whitespace() || "<>()[]\"`\\|".contains(letter);
    let url = &text[..text.find(ends).unwrap_or(text.len())];
    let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '\'']);
    (url.len() > scheme.len()).then_some(url)
}

/// Returns the line with its first sign escaped if that would begin a block.
pub(super) fn guarded(line: &str) -> String {
    let only = |sign: char| line.chars().all(|letter| letter == sign || letter.is_whitespace());
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(char::is_whitespace);
    let begins = match line.chars().next() {
        Some('#') => ends(line.trim_start_matches('#')),
        Some('~') => line.starts_with("~~~"),
        Some(sign @ ('-' | '+' | '*' | '_' | '=')) => only(sign) || sign != '_' && sign != '=' && ends(&line[1..]),
        Some(':' | '|') => true,
        _ => false,
    };
    if begins {
        return format!("\\{line}");
    }
    let number = line.len() - line.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (digits, rest) = line.split_at(number);
    if number > 0 && rest.starts_with(['.', ')']) && ends(&rest[1..]) {
        format!("{digits}\\{rest}")
    } else {
        line.to_owned()
    }
}
