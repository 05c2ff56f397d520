use openapi_document::text::quoted;
use serde_json::Value;

use crate::{
    Level, Options,
    input::{Folder, Input, Source},
    output::*,
    review::{AcceptFile, ApiDiff, Links, Pair, Review, Supplement, failure},
};

const NAME: &str = "openapi/cars.yaml";

/// A small document in which the number plate of a car has this type.
pub(crate) fn document(plate: &str) -> String {
    format!(
        "\
openapi: 3.0.3
info: {{title: Cars, version: '1'}}
servers: [{{url: 'https://cars.example'}}]
paths:
  /cars:
    get:
      operationId: listCars
      responses:
        '200':
          description: All cars.
          content: {{application/json: {{schema: {{type: array, items: {{$ref: '#/components/schemas/Car'}}}}}}}}
    post:
      operationId: addCar
      requestBody: {{content: {{application/json: {{schema: {{$ref: '#/components/schemas/Car'}}}}}}}}
      responses: {{'204': {{description: Added.}}}}
components:
  schemas:
    Car:
      type: object
      properties:
        plate: {{type: {plate}, description: The number plate.}}
        state: {{$ref: '#/components/schemas/State'}}
        note: {{type: string}}
    State: {{type: string, enum: [NEW, SOLD]}}
"
    )
}

/// Something of each kind: breaking, a warning, an addition, and a name that is markup.
fn head() -> String {
    let note = "        note: {type: string}\n";
    document("integer")
        .replace("[NEW, SOLD]", "[NEW, SOLD, LOST]")
        .replace(note, &format!("{note}        \"<b>`@all`</b> www.x.example #1 :tada: \\u200b\": {{type: string}}\n"))
}

fn input(name: &str, text: &str) -> Input {
    Input { source: Source { name: name.to_owned(), text: text.to_owned() }, folder: Folder::None }
}

fn accept_file(text: Option<&str>) -> AcceptFile {
    let name = "openapi/cars.accept.toml".to_owned();
    let source = text.map(|text| Source { name: name.clone(), text: text.to_owned() });
    AcceptFile { name, source }
}

fn compared(name: &str, base: &str, revision: &str, accept: Option<&str>) -> ApiDiff {
    let pair = Pair { base: Some(input(name, base)), revision: Some(input(name, revision)) }.parse().unwrap();
    let report = pair.diff(&Options { api: "cars".to_owned(), ..Options::default() }).unwrap();
    pair.review(report, &accept_file(accept), "2026-11-22".parse().unwrap())
}

fn edited() -> ApiDiff {
    compared(NAME, &document("string"), &head(), None)
}

fn review(apis: Vec<ApiDiff>) -> Review {
    let failures = apis.iter().filter_map(|api| failure(api, Level::Breaking)).collect();
    Review { base: "v0.1.0 (1a2b3c4d)".to_owned(), apis, failures, ..Review::default() }
}

fn linked() -> Review {
    let source = Some("https://github.example/o/r/blob/1a2b3c4d".to_owned());
    let links = Links { source, report: Some("https://github.example/artifact/1".to_owned()) };
    Review { links, ..review(vec![edited()]) }
}

fn written(format: Format, review: &Review) -> String {
    let mut out = Vec::new();
    write(format, review, false, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn text_has_a_block_for_each_owner() {
    insta::assert_snapshot!(written(Format::Text, &review(vec![edited()])));
}

#[test]
fn text_has_a_supplement_and_decisions() {
    let accept = "[[accept]]\nrule = \"type-changed\"\nat = \"/components/schemas/Car\"\nkind = \"vendor\"\nreason = \"Announced.\"\n\
                  [[accept]]\nrule = \"type-changed\"\nat = \"/paths\"\nkind = \"vendor\"\nreason = \"Old.\"\n";
    let mut api = compared(NAME, &document("string"), &head(), Some(accept));
    api.supplement = Some(Supplement {
        verdict: "the crate needs a major step".to_owned(),
        columns: vec![("crate needs", "major".to_owned())],
        heading: "generated code",
        lines: (0..10).map(|index| format!("item {index}")).collect(),
        is_change: true,
        json: serde_json::Map::from_iter([("crate_needed".to_owned(), "major".into())]),
    });
    let review = review(vec![api]);
    insta::assert_snapshot!(written(Format::Text, &review));
    assert!(written(Format::Markdown, &review).contains("| API | on the wire | crate needs | breaking |"));
    let json = serde_json::from_str::<Value>(&written(Format::Json, &review)).unwrap();
    assert_eq!(
        (&json["apis"][0]["supplement"]["crate_needed"], &json["changes"][0]["accepted"]["kind"]),
        (&"major".into(), &"vendor".into())
    );
}

#[test]
fn markdown_begins_with_the_summary_and_folds_decided_findings() {
    insta::assert_snapshot!(written(Format::Markdown, &linked()));
}

#[test]
fn annotations_are_on_the_lines_of_the_revision() {
    insta::assert_snapshot!(written(Format::Github, &review(vec![edited()])));
}

#[test]
fn sarif_has_rules_results_and_suppressions() {
    let accept = "[[accept]]\nrule = \"type-changed\"\nat = \"/components/schemas/Car\"\nkind = \"vendor\"\nreason = \"Announced.\"\n";
    let sarif =
        written(Format::Sarif, &review(vec![compared(NAME, &document("string"), &document("integer"), Some(accept))]));
    insta::assert_snapshot!(sarif.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn page_shows_both_sides() {
    let page = written(Format::Html, &review(vec![edited()]));
    let main = page.split("<main>").nth(1).and_then(|rest| rest.split("</main>").next()).unwrap();
    insta::assert_snapshot!(main);
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}: the page is self-contained");
    }
}

#[test]
fn markdown_keeps_to_its_limit_and_counts_omitted_findings() {
    let full = markdown::comment(&linked(), markdown::LIMIT);
    for limit in (0..full.chars().count()).step_by(97) {
        let text = markdown::comment(&linked(), limit);
        assert!(text.chars().count() <= limit, "{limit}");
    }
    let short = markdown::comment(&linked(), full.chars().count() - 300);
    assert!(short.contains("did not fit in here:** all of it is in [the whole report]"), "{short}");
    assert_eq!(short.matches("<details>").count(), short.matches("</details>").count());
}

#[test]
fn line_that_does_not_fit_does_not_end_the_list() {
    let base = document("string");
    let operation = |path: &str| format!("  {path}:\n    get: {{responses: {{'200': {{description: d}}}}}}\n");
    let long = format!("/{}", "y".repeat(150));
    let removed = base.replace("paths:\n", &format!("paths:\n{}{}", operation(&long), operation("/z")));
    let api = || review(vec![compared(NAME, &removed, &base, None)]);
    let full = markdown::comment(&api(), markdown::LIMIT);
    let length = |path: &str| full.lines().find(|line| line.starts_with("- ") && line.contains(path)).unwrap().len();
    let fits = (300..full.len()).map(|limit| markdown::comment(&api(), limit));
    let is_listed = |text: &str, path: &str| text.lines().any(|line| line.starts_with("- ") && line.contains(path));
    assert!(length(&long) > length("/z") + 100);
    assert!(fits.into_iter().any(|text| is_listed(&text, "/z") && !is_listed(&text, &long)));
}

#[test]
fn hundred_apis_fit_into_a_comment() {
    let text = markdown::comment(&review((0..100).map(|_| edited()).collect()), markdown::LIMIT);
    assert!((40_000..=markdown::LIMIT).contains(&text.chars().count()), "{}", text.chars().count());
}

#[test]
fn vendor_text_is_plain_in_markdown() {
    for (text, plain) in [
        ("<b>@all #1 [a](x) `c` a|b\r\n", "&lt;b&gt;@\u{200b}all #\u{200b}1 \\[a\\](x) \\`c\\` a\\|b\\\\r\\\\n"),
        ("https://x.example www.x.example", "https:\u{200b}//x.example www\u{200b}.x.example"),
        ("gh-1 :tada: a: b", "gh-\u{200b}1 :\u{200b}tada: a: b"),
        ("1a2b3c4d", "1a2b3c\u{200b}4d"),
        ("a\u{202e}b", "a\\\\u{202e}b"),
    ] {
        assert_eq!(markdown::plain(text), plain, "{text:?}");
    }
}

#[test]
fn removed_part_is_annotated_where_it_was() {
    let base = document("string");
    let head = base.replace("        note: {type: string}\n", "");
    let out = written(Format::Github, &review(vec![compared(NAME, &base, &head, None)]));
    // The line of the car's properties.
    assert!(out.contains("file=openapi/cars.yaml,line=20,"), "{out}");
}

#[test]
fn github_gets_no_more_annotations_than_it_shows() {
    let review = Review { failures: vec!["one".to_owned()], ..review((0..30).map(|_| edited()).collect()) };
    let out = written(Format::Github, &review);
    assert_eq!(out.lines().filter(|line| line.starts_with("::error")).count(), 10);
    assert_eq!(out.lines().filter(|line| line.starts_with("::warning")).count(), 10);
    assert!(out.contains("\n21 more of level breaking: see the summary of this step\n"), "{out}");
}

#[test]
fn positions_in_minified_json_have_columns() {
    let minified = |text: &str| serde_saphyr::from_str::<Value>(text).unwrap().to_string();
    let api = compared("cars.json", &minified(&document("string")), &minified(&head()), None);
    let review = review(vec![api]);
    let position = review.apis[0].first_position(&review.apis[0].findings[0].change).to_string();
    assert!(position.starts_with("cars.json:1:") && written(Format::Text, &review).contains(&position), "{position}");
    assert!(written(Format::Markdown, &review).contains("  -   \"type\": \"string\"\n  +   \"type\": \"integer\"\n"));
}

#[test]
fn entry_of_the_report_accepts_the_finding() {
    // TOML forbids U+007F unescaped.
    for name in ["plate", "\u{7f}\u{85}\u{202e}\"\\plate"] {
        let named = |text: String| text.replace("plate:", &format!("{}:", quoted(name)));
        let (base, revision) = (named(document("string")), named(head()));
        let finding = &compared(NAME, &base, &revision, None).findings[0];
        let entries = finding.accept_entries().replace("reason = \"\"", "reason = \"So.\"");
        let api = compared(NAME, &base, &revision, Some(&entries));
        assert_eq!((api.counts.accepted, api.notices), (1, Vec::new()), "{entries}");
    }
}

#[test]
fn document_cannot_write_into_a_report() {
    let name = "</script><img src=x onerror=alert(1)>'\"\u{1}";
    let quoted = serde_json::to_string(name).unwrap();
    let head = head().replace("    State:", &format!("    {quoted}: {{type: string}}\n    State:"));
    let head = head.replace("  /cars:", "  \"/ca<img>rs\":");
    let mut review = review(vec![compared(NAME, &document("string"), &head, None)]);
    review.problems.push(name.to_owned());
    for format in [Format::Html, Format::Markdown] {
        let text = written(format, &review);
        assert!(text.contains("img"), "{format:?}");
        // In blocks of code all is text.
        let text = text.split("```").step_by(2).collect::<String>();
        assert!(!text.contains("<img") && !text.contains('\u{1}'), "{format:?}: {text}");
    }
}

#[test]
fn every_format_reports_no_changes() {
    let same = review(vec![compared(NAME, &document("string"), &document("string"), None)]);
    assert!(!same.has_changes());
    assert!(written(Format::Text, &same).contains("cars: no changes\n"));
    assert!(written(Format::Html, &same).contains("<p>No changes.</p>"));
    assert_eq!(
        written(Format::Markdown, &same),
        "<!-- spec-diff -->\n## API changes\n\nNone since v0.1.0 (1a2b3c\u{200b}4d).\n"
    );
    assert!(written(Format::Sarif, &same).contains("\"results\": []"));
}

#[test]
fn documentation_alone_is_reported_but_no_reason_for_a_comment() {
    let text = document("string");
    let documented = text.replace("The number plate.", "Its number plate.");
    assert_ne!(text, documented);
    let review = review(vec![compared(NAME, &text, &documented, None)]);
    assert!(!review.has_changes() && !review.apis[0].is_same());
    assert!(written(Format::Text, &review).contains(" of documentation"));
    let comment = written(Format::Markdown, &review);
    assert!(comment.contains("None since") && comment.contains(" of documentation"), "{comment}");
    let failed = Review { failures: vec!["cars: too small a step".to_owned()], ..Review::default() };
    assert!(failed.has_changes());
}

#[test]
fn stale_entry_is_a_warning_and_fails_as_one() {
    let entry = "[[accept]]\nrule = \"type-changed\"\nat = \"/paths\"\nkind = \"vendor\"\nreason = \"Old.\"\n";
    let api = compared(NAME, &document("string"), &document("string"), Some(entry));
    assert_eq!(failure(&api, Level::Breaking), None);
    let expected =
        "cars: 1 open finding of level warning or above; fix the document, or accept them in openapi/cars.accept.toml";
    assert_eq!(failure(&api, Level::Warning).as_deref(), Some(expected));
}

#[test]
fn text_has_colours_only_for_terminals() {
    let mut out = Vec::new();
    write(Format::Text, &review(vec![edited()]), true, &mut out).unwrap();
    assert!(String::from_utf8_lossy(&out).contains("\u{1b}[1m\u{1b}[31mbreaking"));
    assert!(!written(Format::Text, &review(vec![edited()])).contains('\u{1b}'));
}
