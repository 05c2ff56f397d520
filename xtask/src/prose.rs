//! Text from documents as rustdoc takes it: Markdown in which nothing is by accident HTML, a link or a test.

/// Makes a description safe for a doc comment. Code spans and fences stay as they are.
pub(crate) fn rustdoc(text: &str) -> String {
    let mut fenced = false;
    let lines = text.trim().lines().map(|line| {
        let line = line.trim_end();
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fenced = !fenced;
            // A fence without a language would be compiled as a test.
            return if fenced && language.is_empty() { format!("{line}text") } else { line.to_owned() };
        }
        if fenced { line.to_owned() } else { escape(shallow(line)) }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The line with no more indentation than a list needs: four spaces would make it code, and code would be a test.
fn shallow(line: &str) -> &str {
    let text = line.trim_start_matches(' ');
    &line[(line.len() - text.len()).saturating_sub(3)..]
}

fn escape(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    for (index, part) in line.split('`').enumerate() {
        let code = index % 2 == 1;
        if index > 0 {
            out.push('`');
        }
        out.push_str(&if code { part.to_owned() } else { escape_prose(part) });
    }
    out
}

fn escape_prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let taken = if let Some(link) = markdown_link(rest).or_else(|| autolink(rest)) {
            out.push_str(link);
            link.len()
        } else if let Some(url) = url(rest) {
            out.push('<');
            out.push_str(url);
            out.push('>');
            url.len()
        } else {
            if matches!(letter, '<' | '>' | '[' | ']') && !(letter == '>' && out.trim().is_empty()) {
                out.push('\\');
            }
            out.push(letter);
            letter.len_utf8()
        };
        rest = &rest[taken..];
    }
    out
}

/// `[text](https://…)` at the start of a text.
fn markdown_link(text: &str) -> Option<&str> {
    let close = text.strip_prefix('[')?.find(']')? + 1;
    url(text[close + 1..].strip_prefix('(')?)?;
    let end = text[close..].find(')')?;
    Some(&text[..=close + end])
}

/// `<https://…>` at the start of a text.
fn autolink(text: &str) -> Option<&str> {
    let inner = url(text.strip_prefix('<')?)?;
    text[1 + inner.len()..].starts_with('>').then(|| &text[..inner.len() + 2])
}

/// A URL at the start of a text, without the punctuation of the sentence around it.
fn url(text: &str) -> Option<&str> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let end = text.find(|letter: char| letter.is_whitespace() || "<>()[]\"".contains(letter)).unwrap_or(text.len());
    let url = text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
    (url.len() > scheme.len()).then_some(url)
}

/// A text in one line, whatever breaks and indents it had.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as one sentence: in one line, with a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let line = one_line(text);
    if line.is_empty() || line.ends_with(['.', '!', '?', ':']) { line } else { format!("{line}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angle_and_square_brackets_are_escaped_outside_code() {
        assert_eq!(rustdoc("a Vec<T> of [x], `b<T>[0]`"), r"a Vec\<T\> of \[x\], `b<T>[0]`");
    }

    #[test]
    fn bare_addresses_become_links_and_links_stay() {
        assert_eq!(rustdoc("See https://a.b/c?d=e."), "See <https://a.b/c?d=e>.");
        assert_eq!(
            rustdoc("[the page](https://a.b/c) and <https://a.b>"),
            "[the page](https://a.b/c) and <https://a.b>"
        );
    }

    #[test]
    fn indented_text_does_not_become_a_test() {
        assert_eq!(rustdoc("- a\n      deep"), "- a\n   deep");
    }

    #[test]
    fn a_fence_without_a_language_is_text() {
        assert_eq!(rustdoc("```\na<b>\n```\nc<d>"), "```text\na<b>\n```\nc\\<d\\>");
    }

    #[test]
    fn a_sentence_is_one_line_and_ends() {
        assert_eq!(sentence("a\n  b"), "a b.");
        assert_eq!(sentence("Why?"), "Why?");
        assert_eq!(sentence(""), "");
    }
}
