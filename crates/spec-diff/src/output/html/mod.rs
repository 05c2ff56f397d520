//! One page that needs nothing else: the findings with the documents' text before and after, to be filtered by level and operation.

use std::{collections::BTreeSet, fmt::Write};

use openapi_document::text::pluralize;

use super::{
    escaping::escaped,
    findings::{capitalized, reach, reaches_others},
    source_excerpt::Excerpts,
};
use crate::{
    Level, Location, Member,
    input::Parsed,
    review::{ApiDiff, Finding, Review},
};

/// The number of members of a finding that are shown with their excerpts; the message names all.
const MEMBERS: usize = 25;

/// The number of operations that a finding names.
const OPERATIONS: usize = 12;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub(super) fn page(review: &Review) -> String {
    let base = escaped(&review.base);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src \
         'unsafe-inline'\">\n<title>API changes since {base}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>API changes</h1>\n<p>Compared with {base}.</p>\n"
    );
    for (class, lines) in [("unreadable", &review.problems), ("failure", &review.failures)] {
        for line in lines {
            _ = writeln!(page, "<p class=\"{class}\">{}</p>", escaped(line));
        }
    }
    summary(review, &mut page);
    page.push_str("</header>\n");
    filters(review, &mut page);
    page.push_str("<main>\n");
    for api in &review.apis {
        section(api, &mut page);
    }
    page.push_str("<p id=\"nothing\" hidden>No finding has these levels and this operation.</p>\n</main>\n");
    _ = write!(page, "<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    page
}

fn summary(review: &Review, page: &mut String) {
    const FIGURES: [&str; 5] = ["breaking", "warning", "info", "names only", "accepted"];
    let extra = review.extra_columns();
    page.push_str("<div class=\"scroll\"><table>\n<thead><tr><th>API</th><th>wire</th>");
    for heading in &extra {
        _ = write!(page, "<th>{}</th>", escaped(heading));
    }
    for figure in FIGURES {
        _ = write!(page, "<th class=\"number\">{figure}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for api in &review.apis {
        let (report, all) = (&api.report, api.counts);
        let (name, wire) = (escaped(&report.api), badge(report.wire));
        _ = write!(page, "<tr><th><a href=\"#{name}\">{name}</a></th><td data-label=\"wire\">{wire}</td>");
        for (heading, cell) in extra.iter().zip(api.extra_cells(&extra)) {
            _ = write!(page, "<td data-label=\"{}\">{}</td>", escaped(heading), escaped(cell));
        }
        for (figure, count) in FIGURES.into_iter().zip([all.breaking, all.warning, all.info, all.none, all.accepted]) {
            _ = write!(page, "<td class=\"number\" data-label=\"{figure}\">{count}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

fn badge(level: Level) -> String {
    format!("<span class=\"badge {level}\">{level}</span>")
}

fn filters(review: &Review, page: &mut String) {
    page.push_str("<form id=\"filters\">\n<fieldset><legend>Levels</legend>\n");
    for (value, label) in [
        ("breaking", "breaking"),
        ("warning", "warning"),
        ("info", "info"),
        ("none", "names only"),
        ("accepted", "accepted"),
    ] {
        _ = writeln!(page, "<label><input type=\"checkbox\" name=\"level\" value=\"{value}\" checked> {label}</label>");
    }
    page.push_str("</fieldset>\n<label>Operation <select id=\"operation\"><option value=\"\">all</option>\n");
    let operations = review.apis.iter().flat_map(|api| &api.report.operations);
    let operations =
        operations.map(|operation| format!("{} {}", operation.method, operation.path)).collect::<BTreeSet<_>>();
    for operation in operations {
        let operation = escaped(&operation);
        _ = writeln!(page, "<option value=\"{operation}\">{operation}</option>");
    }
    page.push_str("</select></label>\n<output id=\"shown\"></output>\n</form>\n");
}

fn section(api: &ApiDiff, page: &mut String) {
    let name = escaped(&api.report.api);
    _ = writeln!(page, "<section id=\"{name}\">\n<h2>{name}</h2>");
    if api.is_same() {
        page.push_str("<p>No changes.</p>\n</section>\n");
        return;
    }
    _ = writeln!(page, "<p>{}.</p>", escaped(&capitalized(&api.verdict())));
    for notice in &api.notices {
        let position = format!("{}:{}", notice.file, notice.line);
        _ = writeln!(page, "<p>{} {}: {}</p>", badge(notice.level), escaped(&position), escaped(&notice.message));
    }
    let mut excerpts = Excerpts::of(api);
    for finding in &api.findings {
        write_finding(api, &mut excerpts, finding, page);
    }
    if api.hidden > 0 {
        _ = writeln!(page, "<p>{} below the level that was asked for.</p>", pluralize(api.hidden, "finding"));
    }
    if api.report.docs_changed > 0 {
        _ = writeln!(page, "<p>{} of documentation.</p>", pluralize(api.report.docs_changed, "change"));
    }
    if let Some(supplement) = api.supplement.as_ref().filter(|supplement| !supplement.lines.is_empty()) {
        let heading = capitalized(&format!("{}: {}", supplement.heading, pluralize(supplement.lines.len(), "item")));
        _ = writeln!(page, "<details class=\"items\"><summary>{}</summary>\n<ul>", escaped(&heading));
        for line in &supplement.lines {
            _ = writeln!(page, "<li><code>{}</code></li>", escaped(line));
        }
        page.push_str("</ul></details>\n");
    }
    page.push_str("</section>\n");
}

fn write_finding(api: &ApiDiff, excerpts: &mut Excerpts<'_>, finding: &Finding, page: &mut String) {
    let change = &finding.change;
    let is_accepted = finding.accepted.is_some();
    let filed = if is_accepted { "accepted".to_owned() } else { change.level.to_string() };
    let operations = change.operations.iter().map(ToString::to_string).collect::<Vec<_>>();
    _ = writeln!(
        page,
        "<details class=\"finding\" data-level=\"{filed}\" data-operations=\"{}\"{}>\n<summary>{}{} <b>{}</b> <code>{}</code></summary>",
        // Neither methods nor paths have line feeds.
        escaped(&operations.join("\n")),
        if finding.needs_decision() { " open" } else { "" },
        badge(change.level),
        if is_accepted { " <span class=\"badge accepted\">accepted</span>" } else { "" },
        escaped(&change.owner.to_string()),
        escaped(&change.id),
    );
    _ = writeln!(page, "<p>{}</p>", escaped(change.statement()));
    if let Some(accepted) = &finding.accepted {
        _ = writeln!(page, "<p class=\"decision\">{}</p>", escaped(&accepted.to_string()));
    }
    if reaches_others(finding) {
        _ = writeln!(page, "<p class=\"reach\">Reaches {}.</p>", escaped(&reach(&change.operations, OPERATIONS)));
    }
    for member in change.members.iter().take(MEMBERS) {
        sides(api, excerpts, member, page);
    }
    if !api.accept_name.is_empty() && finding.needs_decision() {
        let entries = escaped(&finding.accept_entries());
        _ = writeln!(page, "<details class=\"accept\"><summary>Accept it</summary><pre>{entries}</pre></details>");
    }
    match change.members.len().saturating_sub(MEMBERS) {
        0 => {}
        more => _ = writeln!(page, "<p>And {more} more, named above.</p>"),
    }
    page.push_str("</details>\n");
}

/// Writes before and after, side by side; lines that only one side has are marked.
fn sides(api: &ApiDiff, excerpts: &mut Excerpts<'_>, member: &Member, page: &mut String) {
    if !member.name.is_empty() {
        _ = writeln!(page, "<h3>{}</h3>", escaped(&member.name));
    }
    let [before, after] = excerpts.of_member(member);
    // Two things with different names differ as a whole.
    let key = |block: &[String]| block.first().and_then(|line| Some(line.split_once(':')?.0.to_owned()));
    let unmarked = Vec::new();
    let others = if key(&before) == key(&after) { [&after, &before] } else { [&unmarked; 2] };
    page.push_str("<div class=\"sides\">\n");
    side("before", &api.base, member.base.as_ref(), [&before, others[0]], page);
    side("after", &api.revision, member.revision.as_ref(), [&after, others[1]], page);
    page.push_str("</div>\n");
}

fn side(when: &str, parsed: &Parsed, location: Option<&Location>, [own, other]: [&Vec<String>; 2], page: &mut String) {
    let Some(location) = location else {
        _ = writeln!(page, "<figure class=\"{when}\"><figcaption>{when}: not there</figcaption></figure>");
        return;
    };
    // The comma after an entry of JSON depends on the next entry.
    let trimmed = |line: &str| line.trim().trim_end_matches(',').to_owned();
    let known = other.iter().map(|line| trimmed(line)).collect::<BTreeSet<_>>();
    let has_effect = |line: &str| line.contains(char::is_alphanumeric);
    let marked = |line: &String| match !other.is_empty() && has_effect(line) && !known.contains(&trimmed(line)) {
        true => format!("<mark>{}</mark>", escaped(line)),
        false => escaped(line),
    };
    _ = writeln!(
        page,
        "<figure class=\"{when}\"><figcaption title=\"{}\">{when}: {}:{}</figcaption><pre>{}</pre></figure>",
        escaped(&location.pointer),
        escaped(&parsed.source_of(location.file.as_deref()).name),
        location.line.unwrap_or(1),
        own.iter().map(marked).collect::<Vec<_>>().join("\n"),
    );
}
