use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    commands::diff::{
        api_diff::{
            ApiDiff,
            tests::{compared, pair, source},
        },
        formats::*,
        gate::{self, FailOn},
    },
    test_support::MINI,
};

/// Something of each kind: breaking, a warning, an addition, and a name that is markup.
fn head() -> String {
    let edits = [
        ("sku: {type: string, ", "sku: {type: integer, format: int64, "),
        ("enum: [OPEN, DONE]", "enum: [OPEN, DONE, LOST]"),
        (
            "note: {type: string, ",
            "\"<b>`@all`</b>\": {type: string, description: New.}\n        note: {type: string, ",
        ),
    ];
    edits.iter().fold(MINI.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the edit applies: {from}");
        text.replace(from, to)
    })
}

fn comparison(apis: Vec<ApiDiff>) -> DiffRun {
    let failures = apis.iter().flat_map(|api| gate::failures(api, FailOn::Breaking)).collect();
    DiffRun { base: "v0.1.0 (1a2b3c4d)".to_owned(), apis, problems: Vec::new(), failures }
}

fn edited() -> DiffRun {
    comparison(vec![compared(pair(&head(), ["0.1.0", "0.1.1"]))])
}

fn written(format: Format, comparison: &DiffRun) -> String {
    let mut out = Vec::new();
    write(format, comparison, false, &mut out).expect("a vector takes all");
    String::from_utf8(out).expect("it is text")
}

/// Compares with a file of `expected/`, or with `UPDATE_ASSETS` writes it.
fn is_expected(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands/diff/formats/expected").join(name);
    if std::env::var_os("UPDATE_ASSETS").is_some() {
        fs::write(&path, text).expect("it can be written");
    }
    assert_eq!(text, fs::read_to_string(&path).expect("the file is there"), "{name}");
}

#[test]
fn text_has_a_block_for_each_owner() {
    is_expected("text.txt", &written(Format::Text, &edited()));
}

#[test]
fn markdown_has_the_summary_first_and_folds_what_needs_no_decision() {
    is_expected("comment.md", &written(Format::Markdown, &edited()));
}

#[test]
fn markdown_keeps_to_its_limit_and_says_what_is_missing() {
    let full = markdown::comment(&edited(), markdown::LIMIT);
    for limit in (0..full.chars().count()).step_by(97) {
        let text = markdown::comment(&edited(), limit);
        assert!(text.chars().count() <= limit, "{limit}");
    }
    let short = markdown::comment(&edited(), full.chars().count() - 300);
    assert!(short.contains("did not fit in here:** all of it is in the report page"), "{short}");
    assert!(
        short.contains("**breaking**") && short.matches("<details>").count() == short.matches("</details>").count()
    );
}

#[test]
fn a_hundred_vendors_fit_into_a_comment() {
    let apis = (0..100).map(|_| compared(pair(&head(), ["0.1.0", "0.1.1"]))).collect();
    let text = markdown::comment(&comparison(apis), markdown::LIMIT);
    assert!((40_000..=markdown::LIMIT).contains(&text.chars().count()), "{}", text.chars().count());
}

#[test]
fn nobody_is_called_and_nothing_is_markup_in_a_comment() {
    assert_eq!(
        markdown::plain("<b>@all #1 [a](http://x) `c` a|b\r\n"),
        "&lt;b&gt;@\u{200b}all #\u{200b}1 \\[a\\](http://x) \\`c\\` a\\|b  "
    );
}

#[test]
fn json_has_both_verdicts_and_why() {
    let report = serde_json::from_str::<Value>(&written(Format::Json, &edited())).expect("it is JSON");
    let api = &report["apis"][0];
    assert_eq!(
        (&api["wire"], &api["crate_needed"], &api["crate_declared"]),
        (&"breaking".into(), &"major".into(), &"minor".into())
    );
    assert!(api["crate_changes"][0].as_str().is_some_and(|item| item.starts_with("major: ")), "{api:#}");
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["changes"][0]["members"][0]["revision"]["line"], 127);
}

#[test]
fn annotations_are_on_the_lines_of_the_revision() {
    is_expected("annotations.txt", &written(Format::Github, &edited()));
}

#[test]
fn what_is_gone_is_annotated_where_it_was() {
    let line = "        note: {type: string, description: Words of the buyer.}\n";
    let head = MINI.replace(line, "");
    assert_ne!(head, MINI);
    let out = written(Format::Github, &comparison(vec![compared(pair(&head, ["0.1.0", "0.2.0"]))]));
    // The line of Order's properties.
    assert!(out.contains("file=openapi/mini.yaml,line=112,"), "{out}");
}

#[test]
fn github_gets_no_more_annotations_than_it_shows() {
    let apis = (0..30).map(|_| compared(pair(&head(), ["0.1.0", "0.2.0"]))).collect();
    let out = written(Format::Github, &DiffRun { failures: vec!["one".to_owned()], ..comparison(apis) });
    assert_eq!(out.lines().filter(|line| line.starts_with("::error")).count(), 10);
    assert_eq!(out.lines().filter(|line| line.starts_with("::warning")).count(), 10);
    assert!(out.contains("\n21 more of level breaking: see the summary of this step\n"), "{out}");
}

#[test]
fn the_page_is_alone_and_escaped() {
    let page = written(Format::Html, &edited());
    assert!(page.contains("&lt;b&gt;`@all`&lt;/b&gt;"), "{page}");
    assert!(!page.contains("<b>`@all`"), "{page}");
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        let own = page.replace("https://shop.example", "");
        assert!(!own.contains(outside), "{outside}");
    }
    // Before and after of a member stand side by side.
    assert!(
        page.contains("before: openapi/mini.yaml:126</figcaption>") || page.contains("<pre><mark>sku: {type: string"),
        "{page}"
    );
    // What the other side has not is marked.
    assert!(page.contains("<pre><mark>sku: {type: integer, format: int64, description: What.}</mark></pre>"), "{page}");
}

#[test]
fn the_page_has_the_entry_that_accepts_a_finding() {
    let page = written(Format::Html, &edited());
    let entry = page.split("<pre>[[accept]]").nth(1).and_then(|rest| rest.split("</pre>").next()).expect("it has one");
    let mut pair = pair(&head(), ["0.1.0", "0.2.0"]);
    let text = format!("[[accept]]{}", entry.replace("&quot;", "\"").replace("reason = \"\"", "reason = \"So.\""));
    pair.own.as_mut().expect("it is ours").accept = Some(source("openapi/mini.accept.toml", &text));
    let api = compared(pair);
    assert_eq!((api.counts.accepted, api.notices), (1, Vec::new()));
}

#[test]
fn a_document_cannot_write_into_the_page_or_the_xml() {
    let name = "</script><img src=x onerror=alert(1)>'\"\u{1}";
    let quoted = serde_json::to_string(name).expect("it is text");
    let head = MINI
        .replace("  schemas:\n    OrderPage:", &format!("  schemas:\n    {quoted}: {{type: string}}\n    OrderPage:"));
    let head = head.replace("/export:", "\"/exp<img>ort\":");
    let mut found = comparison(vec![compared(pair(&head, ["0.1.0", "0.2.0"]))]);
    found.problems.push(name.to_owned());
    for format in [Format::Html, Format::Junit, Format::Markdown] {
        let text = written(format, &found);
        assert!(text.contains("img"), "{format:?}");
        assert!(!text.contains("<img") && !text.contains('\u{1}'), "{format:?}: {text}");
    }
}

#[test]
fn junit_has_a_case_for_each_finding_and_for_the_version() {
    is_expected("suites.xml", &written(Format::Junit, &edited()));
}

#[test]
fn what_is_the_same_says_so_everywhere() {
    let same = || comparison(vec![compared(pair(MINI, ["0.1.0", "0.1.0"]))]);
    assert!(written(Format::Text, &same()).contains("mini: no changes\n"));
    assert!(written(Format::Html, &same()).contains("<p>No changes.</p>"));
    assert!(!written(Format::Markdown, &same()).contains("###"));
    assert!(written(Format::Junit, &same()).contains("tests=\"1\" failures=\"0\""));
}

#[test]
fn colours_are_for_terminals() {
    let mut out = Vec::new();
    text::write(&edited(), true, &mut out).expect("a vector takes all");
    assert!(String::from_utf8_lossy(&out).contains("\u{1b}[1m\u{1b}[31mbreaking"));
    assert!(!written(Format::Text, &edited()).contains('\u{1b}'));
}
