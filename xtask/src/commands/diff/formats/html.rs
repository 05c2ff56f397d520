//! One page that needs nothing else: the findings with the documents' text before and after, to be filtered by level and operation.

use std::{collections::BTreeSet, fmt::Write};

use serde_json::Value;
use spec_diff::{Change, Level, Location, Member};

use super::{capital, decision, escaped, reach, source_excerpt, verdict, words};
use crate::{
    commands::diff::{
        accepted_changes::Finding,
        api_diff::{ApiDiff, DiffRun},
        inputs::Source,
    },
    output::pluralize,
};

/// How many members of a finding are shown with their texts; the message names all.
const MEMBERS: usize = 25;

/// How many operations a finding names.
const OPERATIONS: usize = 12;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The lines of both documents.
struct Texts<'a> {
    before: Vec<&'a str>,
    after: Vec<&'a str>,
}

pub(super) fn page(comparison: &DiffRun) -> String {
    let base = escaped(&comparison.base);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src \
         'unsafe-inline'\">\n<title>API changes since {base}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>API changes</h1>\n<p>Compared with {base}.</p>\n"
    );
    for (class, lines) in [("unreadable", &comparison.problems), ("failure", &comparison.failures)] {
        for line in lines {
            _ = writeln!(page, "<p class=\"{class}\">{}</p>", escaped(line));
        }
    }
    summary(comparison, &mut page);
    page.push_str("</header>\n");
    filters(comparison, &mut page);
    page.push_str("<main>\n");
    for api in &comparison.apis {
        section(api, &mut page);
    }
    page.push_str("<p id=\"nothing\" hidden>No finding is of these levels and this operation.</p>\n</main>\n");
    _ = write!(page, "<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    page
}

fn summary(comparison: &DiffRun, page: &mut String) {
    const FIGURES: [&str; 5] = ["breaking", "warning", "info", "names only", "accepted"];
    page.push_str(
        "<div class=\"scroll\"><table>\n<thead><tr><th>API</th><th>wire</th><th>crate needs</th><th>declares</th>",
    );
    for figure in FIGURES {
        _ = write!(page, "<th class=\"number\">{figure}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for api in &comparison.apis {
        let (report, all) = (&api.report, api.counts);
        let bump = |bump: Option<spec_diff::Bump>| bump.map_or("-".to_owned(), |bump| bump.to_string());
        _ = write!(
            page,
            "<tr><th><a href=\"#{name}\">{name}</a></th><td data-label=\"wire\">{}</td><td data-label=\"crate needs\">{}</td>\
             <td data-label=\"declares\">{}</td>",
            badge(report.wire),
            bump(api.crate_needed()),
            bump(api.crate_declared()),
            name = escaped(&report.api),
        );
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

fn filters(comparison: &DiffRun, page: &mut String) {
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
    let operations = comparison.apis.iter().flat_map(|api| &api.report.operations);
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
    _ = writeln!(page, "<p>{}.</p>", escaped(&capital(&verdict(api))));
    for notice in &api.notices {
        let place = format!("{}:{}", notice.file, notice.line);
        _ = writeln!(page, "<p>{} {}: {}</p>", badge(notice.level), escaped(&place), escaped(&notice.message));
    }
    let texts = Texts { before: api.base.text.lines().collect(), after: api.revision.text.lines().collect() };
    for finding in &api.findings {
        write_finding(api, &texts, finding, page);
    }
    if api.hidden > 0 {
        _ = writeln!(page, "<p>{} below the level that was asked for.</p>", pluralize(api.hidden, "finding"));
    }
    if api.report.docs_changed > 0 {
        _ = writeln!(page, "<p>{} of documentation.</p>", pluralize(api.report.docs_changed, "change"));
    }
    if let Some(Ok(change)) = api.generated.as_ref().map(|generated| &generated.needed)
        && !change.items.is_empty()
    {
        let count = pluralize(change.items.len(), "item");
        _ = writeln!(page, "<details class=\"items\"><summary>Generated code: {count}</summary>\n<ul>");
        for item in &change.items {
            _ = writeln!(page, "<li><code>{}</code></li>", escaped(&item.to_string()));
        }
        page.push_str("</ul></details>\n");
    }
    page.push_str("</section>\n");
}

fn write_finding(api: &ApiDiff, texts: &Texts<'_>, finding: &Finding, page: &mut String) {
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
    _ = writeln!(page, "<p>{}</p>", escaped(words(change)));
    if let Some(accepted) = &finding.accepted {
        _ = writeln!(page, "<p class=\"decision\">{}</p>", escaped(&decision(accepted)));
    }
    let own = change.owner.to_string();
    if operations.iter().any(|operation| *operation != own) {
        _ = writeln!(page, "<p class=\"reach\">Reaches {}.</p>", escaped(&reach(&change.operations, OPERATIONS)));
    }
    for member in change.members.iter().take(MEMBERS) {
        sides(api, texts, member, page);
    }
    if api.is_ours && finding.needs_decision() {
        accept(change, page);
    }
    match change.members.len().saturating_sub(MEMBERS) {
        0 => {}
        more => _ = writeln!(page, "<p>And {more} more, named above.</p>"),
    }
    page.push_str("</details>\n");
}

/// The entries by which the finding is accepted, to be copied.
fn accept(change: &Change, page: &mut String) {
    page.push_str("<details class=\"accept\"><summary>Accept it</summary><pre>");
    for member in &change.members {
        let Some(Location { pointer, .. }) = member.revision.as_ref().or(member.base.as_ref()) else { continue };
        // Texts in TOML are written as in JSON, but for control characters, which no pointer of ours has.
        let (rule, at) = (Value::from(change.id.as_str()), Value::from(pointer.as_str()));
        _ = write!(page, "[[accept]]\nrule = {}\nat = {}\n", escaped(&rule.to_string()), escaped(&at.to_string()));
        page.push_str("kind = &quot;vendor&quot;\nreason = &quot;&quot;\n\n");
    }
    page.push_str("</pre></details>\n");
}

/// Before and after, side by side; lines that only one side has are marked.
fn sides(api: &ApiDiff, texts: &Texts<'_>, member: &Member, page: &mut String) {
    if !member.name.is_empty() {
        _ = writeln!(page, "<h3>{}</h3>", escaped(&member.name));
    }
    let block = |lines: &[&str], location: &Option<Location>| match location {
        Some(Location { line, .. }) => source_excerpt::block(lines, line.unwrap_or(1)),
        None => Vec::new(),
    };
    let (before, after) = (block(&texts.before, &member.base), block(&texts.after, &member.revision));
    // Two things with different names differ as a whole.
    let key = |block: &[String]| block.first().and_then(|line| Some(line.split_once(':')?.0.to_owned()));
    let unmarked = Vec::new();
    let others = if key(&before) == key(&after) { [&after, &before] } else { [&unmarked; 2] };
    page.push_str("<div class=\"sides\">\n");
    side("before", &api.base, member.base.as_ref(), [&before, others[0]], page);
    side("after", &api.revision, member.revision.as_ref(), [&after, others[1]], page);
    page.push_str("</div>\n");
}

fn side(when: &str, source: &Source, location: Option<&Location>, [own, other]: [&Vec<String>; 2], page: &mut String) {
    let Some(Location { pointer, line }) = location else {
        _ = writeln!(page, "<figure class=\"{when}\"><figcaption>{when}: not there</figcaption></figure>");
        return;
    };
    // The comma behind an entry of JSON comes and goes with the next entry.
    let says = |line: &str| line.trim().trim_end_matches(',').to_owned();
    let known = other.iter().map(|line| says(line)).collect::<BTreeSet<_>>();
    let speaks = |line: &str| line.contains(char::is_alphanumeric);
    let marked = |line: &String| match !other.is_empty() && speaks(line) && !known.contains(&says(line)) {
        true => format!("<mark>{}</mark>", escaped(line)),
        false => escaped(line),
    };
    _ = writeln!(
        page,
        "<figure class=\"{when}\"><figcaption title=\"{}\">{when}: {}:{}</figcaption><pre>{}</pre></figure>",
        escaped(pointer),
        escaped(&source.name),
        line.unwrap_or(1),
        own.iter().map(marked).collect::<Vec<_>>().join("\n"),
    );
}
