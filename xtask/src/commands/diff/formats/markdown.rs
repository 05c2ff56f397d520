//! A comment on a pull request: a summary, what needs a decision, and the rest folded.

use std::collections::BTreeSet;

use spec_diff::{Bump, Level};

use super::{capital, decision, reach, verdict, words};
use crate::{
    commands::diff::{
        accepted_changes::Finding,
        api_diff::{ApiDiff, DiffRun},
    },
    output::pluralize,
};

/// How many characters GitHub takes in a comment.
pub(in crate::commands::diff) const LIMIT: usize = 65_536;

/// By which a workflow finds its comment again.
const MARKER: &str = "<!-- spec-diff -->";

/// A line that may be left out, if there is no room.
struct Line {
    text: String,
    /// Whether it stands in the folded part.
    folded: bool,
    /// What goes first: the highest number.
    rank: u8,
}

/// The comment, in at most so many characters.
pub(in crate::commands::diff) fn comment(comparison: &DiffRun, limit: usize) -> String {
    let head = head(comparison);
    let sections = comparison.apis.iter().filter(|api| !api.is_same()).map(|api| (title(api), lines(api)));
    let sections = sections.collect::<Vec<_>>();
    // Room for what frames the lines, and for the sentence that some are missing.
    let frames = sections.iter().map(|(title, _)| title.chars().count() + 120).sum::<usize>();
    let mut room = limit.saturating_sub(head.chars().count() + frames + 200);
    let mut order = sections.iter().enumerate().flat_map(|(section, (_, lines))| {
        lines.iter().enumerate().map(move |(number, line)| (line.rank, section, number, line.text.chars().count() + 1))
    });
    let mut order = order.by_ref().collect::<Vec<_>>();
    order.sort_unstable();
    let all = order.len();
    let mut kept = BTreeSet::new();
    for (_, section, number, length) in order {
        // The first that does not fit ends it: what is shown is the worst, without gaps.
        let Some(left) = room.checked_sub(length) else { break };
        room = left;
        kept.insert((section, number));
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
            push_line(
                &mut text,
                &format!("\n<details><summary>{} that need no decision</summary>\n", pluralize(count, "line")),
            );
            part(true).for_each(|line| push_line(&mut text, line));
            push_line(&mut text, "\n</details>");
        }
    }
    if kept.len() < all {
        let missing = pluralize(all - kept.len(), "line");
        push_line(
            &mut text,
            &format!(
                "\n**{missing} did not fit in here:** all of it is in the report page among this run's artifacts."
            ),
        );
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

fn head(comparison: &DiffRun) -> String {
    let mut text = format!("{MARKER}\n## API changes\n\nCompared with {}.\n\n", plain(&comparison.base));
    for problem in &comparison.problems {
        push_line(&mut text, &format!("> **Cannot be read:** {}\n", plain(problem)));
    }
    for failure in &comparison.failures {
        push_line(&mut text, &format!("> **Fails:** {}\n", plain(failure)));
    }
    text.push_str(
        "| API | on the wire | crate needs | version declares | breaking | warning | info | names only | accepted |\n",
    );
    text.push_str("|---|---|---|---|--:|--:|--:|--:|--:|\n");
    let bump = |bump: Option<Bump>| bump.map_or("-".to_owned(), |bump| bump.to_string());
    for api in &comparison.apis {
        let (report, all) = (&api.report, api.counts);
        push_line(
            &mut text,
            &format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                plain(&report.api),
                report.wire,
                bump(api.crate_needed()),
                bump(api.crate_declared()),
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
    format!("\n### {}\n\n{}.\n\n", plain(&api.report.api), plain(&capital(&verdict(api))))
}

/// What is to be told, in the order in which it is shown.
fn lines(api: &ApiDiff) -> Vec<Line> {
    let mut lines = Vec::new();
    for finding in &api.findings {
        let is_open = finding.needs_decision();
        let rank = match finding.change.level {
            Level::Breaking if is_open => 0,
            _ if is_open => 1,
            _ => 3,
        };
        lines.push(Line { text: finding_line(api, finding), folded: !is_open, rank });
    }
    for notice in &api.notices {
        let text = format!("- **{}** `{}:{}`: {}", notice.level, notice.file, notice.line, plain(&notice.message));
        lines.push(Line { text, folded: false, rank: 2 });
    }
    if api.hidden > 0 {
        let text = format!("- {} below the level that was asked for", pluralize(api.hidden, "finding"));
        lines.push(Line { text, folded: true, rank: 4 });
    }
    if api.report.docs_changed > 0 {
        let text = format!("- {} of documentation", pluralize(api.report.docs_changed, "change"));
        lines.push(Line { text, folded: true, rank: 4 });
    }
    if let Some(Ok(change)) = api.generated.as_ref().map(|generated| &generated.needed) {
        let items = change.items.iter().map(|item| format!("- generated code, {}", plain(&item.to_string())));
        lines.extend(items.map(|text| Line { text, folded: true, rank: 5 }));
    }
    lines
}

fn finding_line(api: &ApiDiff, finding: &Finding) -> String {
    let change = &finding.change;
    let (level, owner, words, id) = (change.level, plain(&change.owner.to_string()), plain(words(change)), &change.id);
    let place = format!("{}:{}", api.revision.name, api.first_line(change));
    let own = change.owner.to_string();
    let reaches = if change.operations.iter().any(|operation| operation.to_string() != own) {
        format!(" Reaches {}.", plain(&reach(&change.operations, 3)))
    } else {
        String::new()
    };
    let accepted = finding
        .accepted
        .as_ref()
        .map_or(String::new(), |accepted| format!(" {}.", plain(&capital(&decision(accepted)))));
    format!("- **{level}** {owner}: {words}.{reaches}{accepted} `{id}` at {}", plain(&place))
}

/// A text that Markdown and GitHub leave as it is: on one line, no markup, no links, nobody called.
pub(in crate::commands::diff) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // With a space of no width behind it, it is neither a name nor a number of an issue.
            '@' | '#' => safe.extend([letter, '\u{200b}']),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => safe.extend(['\\', letter]),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
