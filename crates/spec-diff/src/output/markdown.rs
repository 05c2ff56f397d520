//! A comment on a pull request: a summary, what needs a decision, and the rest folded.

use std::collections::BTreeSet;

use openapi_document::text::{is_unseen, pluralize, printable};

use super::{
    escaping::url_path,
    findings::{capitalized, reach, reaches_others},
    short_values::short,
    source_excerpt::Excerpts,
};
use crate::{
    Level,
    review::{ApiDiff, Finding, Links, Position, Review},
};

/// The number of characters that GitHub takes in a comment.
pub const LIMIT: usize = 65_536;

/// By which a workflow finds its comment again.
const MARKER: &str = "<!-- spec-diff -->";

/// Of how many open findings of an API the text before and after and the entry that accepts them are shown.
const DETAILS: usize = 5;

/// A line that may be left out, if there is no room.
struct Line {
    text: String,
    /// Whether it is in the folded part.
    folded: bool,
    /// The order in which parts are left out: the highest number first.
    rank: u8,
}

/// Returns the comment, in at most `limit` characters.
#[must_use]
pub fn comment(review: &Review, limit: usize) -> String {
    let head = head(review);
    let sections = review.apis.iter().filter(|api| !api.is_same());
    let sections = sections.map(|api| (title(api), lines(api, &review.links))).collect::<Vec<_>>();
    // Room for what frames the lines, and for the sentence that some are missing.
    let frames = sections.iter().map(|(title, _)| title.chars().count() + 120).sum::<usize>();
    let missing_room = 300 + review.links.report.as_ref().map_or(0, |url| url.chars().count());
    let mut room = limit.saturating_sub(head.chars().count() + frames + missing_room);
    let order = sections.iter().enumerate().flat_map(|(section, (_, lines))| {
        lines.iter().enumerate().map(move |(number, line)| (line.rank, section, number, line.text.chars().count() + 1))
    });
    let mut order = order.collect::<Vec<_>>();
    order.sort_unstable();
    let all = order.len();
    let mut kept = BTreeSet::new();
    for (_, section, number, length) in order {
        // A line that does not fit leaves its room to the next.
        if let Some(left) = room.checked_sub(length) {
            room = left;
            kept.insert((section, number));
        }
    }
    let mut text = head;
    for (section, (title, lines)) in sections.iter().enumerate() {
        let part = |folded: bool| {
            let lines = lines.iter().enumerate().filter(move |(_, line)| line.folded == folded);
            lines.filter(|(number, _)| kept.contains(&(section, *number))).map(|(_, line)| line.text.as_str())
        };
        text.push_str(title);
        part(false).for_each(|line| push_line(&mut text, line));
        let count = part(true).count();
        if count > 0 {
            let lines = pluralize(count, "line");
            push_line(&mut text, &format!("\n<details><summary>{lines} without an open decision</summary>\n"));
            part(true).for_each(|line| push_line(&mut text, line));
            push_line(&mut text, "\n</details>");
        }
    }
    let report = match &review.links.report {
        Some(url) => format!("[the whole report]({})", url.replace([')', ' ', '\n'], "")),
        None => "the report page among this run's artifacts".to_owned(),
    };
    if kept.len() < all {
        let missing = pluralize(all - kept.len(), "line");
        push_line(&mut text, &format!("\n**{missing} did not fit in here:** all of it is in {report}."));
    } else if review.links.report.is_some() && !sections.is_empty() {
        push_line(&mut text, &format!("\nWith the text of every finding before and after: {report}."));
    }
    // The head alone may be too long, if very much fails.
    match text.char_indices().nth(limit) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn head(review: &Review) -> String {
    let mut text = format!("{MARKER}\n## API changes\n\n");
    if !review.has_changes() {
        return text + &format!("None since {}.\n", plain(&review.base));
    }
    if !review.base.is_empty() {
        text.push_str(&format!("Compared with {}.\n\n", plain(&review.base)));
    }
    for problem in &review.problems {
        push_line(&mut text, &format!("> **Cannot be read:** {}\n", plain(problem)));
    }
    for failure in &review.failures {
        push_line(&mut text, &format!("> **Fails:** {}\n", plain(failure)));
    }
    if review.apis.is_empty() {
        return text;
    }
    let extra = review.extra_columns();
    let headings = extra.iter().map(|heading| format!(" {heading} |")).collect::<String>();
    let rules = extra.iter().map(|_| "---|").collect::<String>();
    text.push_str(&format!("| API | on the wire |{headings} breaking | warning | info | names only | accepted |\n"));
    text.push_str(&format!("|---|---|{rules}--:|--:|--:|--:|--:|\n"));
    for api in &review.apis {
        let all = api.counts;
        let cells = api.extra_cells(&extra).iter().map(|cell| format!(" {} |", plain(cell))).collect::<String>();
        push_line(
            &mut text,
            &format!(
                "| {} | {} |{cells} {} | {} | {} | {} | {} |",
                plain(&api.report.api),
                api.report.wire,
                all.breaking,
                all.warning,
                all.info,
                all.none,
                all.accepted
            ),
        );
    }
    text
}

fn title(api: &ApiDiff) -> String {
    format!("\n### {}\n\n{}.\n\n", plain(&api.report.api), plain(&capitalized(&api.verdict())))
}

/// Returns the lines of a report. They are shown in the order of their ranks.
fn lines(api: &ApiDiff, links: &Links) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut excerpts = Excerpts::of(api);
    let mut detailed = 0;
    for finding in &api.findings {
        let is_open = finding.needs_decision();
        let rank = match finding.change.level {
            Level::Breaking if is_open => 0,
            _ if is_open => 1,
            _ => 4,
        };
        lines.push(Line { text: finding_line(api, finding, links), folded: !is_open, rank });
        if is_open && detailed < DETAILS {
            detailed += 1;
            lines.push(Line { text: details(api, finding, &mut excerpts), folded: false, rank: 3 });
        }
    }
    for notice in &api.notices {
        let position = linked(Position { name: &notice.file, line: notice.line, column: 1 }, links);
        let text = format!("- **{}** {position}: {}", notice.level, plain(&notice.message));
        lines.push(Line { text, folded: false, rank: 2 });
    }
    if api.hidden > 0 {
        let text = format!("- {} below the level that was asked for", pluralize(api.hidden, "finding"));
        lines.push(Line { text, folded: true, rank: 5 });
    }
    if api.report.docs_changed > 0 {
        let text = format!("- {} of documentation", pluralize(api.report.docs_changed, "change"));
        lines.push(Line { text, folded: true, rank: 5 });
    }
    if let Some(supplement) = &api.supplement {
        let items = supplement.lines.iter().map(|line| format!("- {}, {}", supplement.heading, plain(line)));
        lines.extend(items.map(|text| Line { text, folded: true, rank: 6 }));
    }
    lines
}

fn finding_line(api: &ApiDiff, finding: &Finding, links: &Links) -> String {
    let change = &finding.change;
    let (level, owner, id) = (change.level, plain(&change.owner.to_string()), &change.id);
    let reaches = if reaches_others(finding) {
        format!(" Reaches {}.", plain(&reach(&change.operations, 3)))
    } else {
        String::new()
    };
    let accepted = finding
        .accepted
        .as_ref()
        .map_or(String::new(), |accepted| format!(" {}.", plain(&capitalized(&accepted.to_string()))));
    let position = linked(api.first_position(change), links);
    format!("- **{level}** {owner}: {}.{reaches}{accepted} `{id}` at {position}", plain(change.statement()))
}

/// Returns a position as code, linked to the line at the commit that was compared.
fn linked(position: Position<'_>, links: &Links) -> String {
    let code = format!("`{}`", printable(&position.to_string()).replace('`', "'"));
    match (&links.source, url_path(position.name)) {
        (Some(source), Some(path)) => {
            format!("[{code}]({}/{path}#L{})", source.trim_end_matches('/'), position.line)
        }
        _ => code,
    }
}

/// Returns the text of the first member before and after, and the entry of the accept file, as a part of the finding's
/// list item.
fn details(api: &ApiDiff, finding: &Finding, excerpts: &mut Excerpts<'_>) -> String {
    let mut text = "<details><summary>Before and after</summary>\n\n".to_owned();
    if let Some(member) = finding.change.members.first() {
        let [before, after] = short(excerpts.of_member(member));
        text.push_str(&fenced("diff", &diff_lines(&before, &after)));
    }
    if !api.accept_name.is_empty() {
        let entries = finding.accept_entries();
        let entries = entries.lines().map(str::to_owned).collect::<Vec<_>>();
        text.push_str(&format!("\nTo accept it, add a reason and append to {}:\n\n", plain(&api.accept_name)));
        text.push_str(&fenced("toml", &entries));
    }
    text.push_str("\n</details>");
    let indented = text.lines().map(|line| if line.is_empty() { String::new() } else { format!("  {line}") });
    indented.collect::<Vec<_>>().join("\n")
}

/// Returns the lines of both sides, with equal ones at the beginning and the end only once.
fn diff_lines(before: &[String], after: &[String]) -> Vec<String> {
    let same = |pair: &(&String, &String)| pair.0 == pair.1;
    let first = before.iter().zip(after).take_while(same).count();
    let (olds, news) = (&before[first..], &after[first..]);
    let last = olds.iter().rev().zip(news.iter().rev()).take_while(same).count();
    let (olds, tail) = olds.split_at(olds.len() - last);
    let context = |line: &String| format!("  {line}");
    let mut lines = before.iter().take(first).map(context).collect::<Vec<_>>();
    lines.extend(olds.iter().map(|line| format!("- {line}")));
    lines.extend(news.iter().take(news.len() - last).map(|line| format!("+ {line}")));
    lines.extend(tail.iter().map(context));
    lines
}

/// Returns a block of code that nothing in it ends.
fn fenced(language: &str, lines: &[String]) -> String {
    let lines = lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n");
    let longest = lines.split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{lines}\n{fence}\n")
}

/// Returns a text that Markdown and GitHub leave as it is: on one line, without markup, links, mentions and emoji.
#[must_use]
pub fn plain(text: &str) -> String {
    const BREAK: char = '\u{200b}';
    let mut safe = String::with_capacity(text.len());
    let mut rest = text.char_indices().peekable();
    // Digits of a commit's id, which GitHub links from the seventh on.
    let mut hex = 0;
    while let Some((at, letter)) = rest.next() {
        hex = if letter.is_ascii_hexdigit() { hex + 1 } else { 0 };
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // With a space of no width behind it, it is neither a name nor a number of an issue.
            '@' | '#' => safe.extend([letter, BREAK]),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => safe.extend(['\\', letter]),
            letter if is_unseen(letter) => {
                safe.push('\\');
                safe.extend(letter.escape_default());
            }
            letter => safe.push(letter),
        }
        let before = text.get(..at + letter.len_utf8()).unwrap_or_default();
        let ends_with = |word: &str| {
            let start = before.len().saturating_sub(word.len());
            before.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(word))
        };
        // `https://`, `:smile:`; `www.example.com`; `GH-1`.
        let is_followed = rest.peek().is_some_and(|(_, next)| !next.is_whitespace());
        if letter == ':' && is_followed
            || letter == 'w' && ends_with("www")
            || letter == '-' && ends_with("gh-")
            || hex == 6
        {
            safe.push(BREAK);
            hex = 0;
        }
    }
    safe
}
