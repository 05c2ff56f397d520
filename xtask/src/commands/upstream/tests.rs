//! Documents compared with specifications.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    commands::upstream::*,
    test_support::{MINI, changed, mini},
};

const DOCUMENTS: [(&str, &str); 3] = [
    ("acronis", include_str!("../../../../openapi/acronis.yaml")),
    ("genesys", include_str!("../../../../openapi/genesys.yaml")),
    ("suger", include_str!("../../../../openapi/suger.yaml")),
];

fn published(root: &Value) -> Published {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vendor.json");
    fs::write(&path, root.to_string()).expect("it is written");
    crate::import::read(&path).expect("it is a specification")
}

/// Returns kind and location of the differences after a change of the vendor's copy of the small document.
fn moved(pointer: &str, value: Value) -> Vec<String> {
    let theirs = published(&changed(pointer, value).root);
    let report = check("mini", &mini(), &theirs, Record::default()).expect("it compares");
    report.unexplained.iter().map(|difference| format!("{} {}", difference.kind, difference.at)).collect()
}

/// Changes of two documents, each a pointer and a value.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    mini: Vec<(String, Value)>,
    meters: Vec<(String, Value)>,
}

fn changes() -> Changes {
    serde_saphyr::from_str(include_str!("changes.yaml")).expect("it is YAML")
}

/// Lists the differences that each change of a document causes.
fn table(changes: Vec<(String, Value)>, moved: impl Fn(&str, Value) -> Vec<String>) -> String {
    let row = |(pointer, value): (String, Value)| {
        format!("{pointer} is {value}\n  {}\n", moved(&pointer, value.clone()).join("\n  "))
    };
    changes.into_iter().map(row).collect()
}

#[test]
fn document_compared_with_itself_has_no_difference() {
    for (name, text) in DOCUMENTS.into_iter().chain([("mini", MINI)]) {
        let ours = Document::parse(name, text).expect("it is YAML");
        let report = check(name, &ours, &published(&ours.root), Record::default()).expect("it compares");
        assert_eq!(report.unexplained, [], "{name}");
    }
}

#[test]
fn vendor_changes_are_reported_at_their_places() {
    insta::assert_snapshot!(table(changes().mini, moved));
}

#[test]
fn status_covered_by_default_is_not_a_difference() {
    const PLACE: &str = "/paths/~1orders/get/responses";
    let mut responses = mini().root.pointer(PLACE).expect(PLACE).clone();
    responses["default"] = responses["429"].take();
    responses.as_object_mut().expect("statuses").remove("429");
    assert_eq!(moved(PLACE, responses), Vec::<String>::new());
}

fn source() -> Value {
    serde_saphyr::from_str(include_str!("meters.yaml")).expect("it is YAML")
}

/// Kinds of what differs between a fresh draft of [`source`] and the source after a change.
fn moved_since_draft(change: impl FnOnce(&mut Value)) -> Vec<String> {
    moved_since_draft_of(source(), change)
}

fn moved_since_draft_of(source: Value, change: impl FnOnce(&mut Value)) -> Vec<String> {
    let before = published(&source);
    let draft = import::convert(&before, &import::operations(&before.root), "2026-11-21").expect("it converts");
    let ours = Document { name: "meters".to_owned(), sha256: String::new(), root: draft.document() };
    let mut after = source;
    change(&mut after);
    let report = check("meters", &ours, &published(&after), Record::default()).expect("it compares");
    let kinds = report.unexplained.iter().map(|difference| difference.kind.clone());
    kinds.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

#[test]
fn fresh_draft_has_no_difference_from_its_source() {
    assert_eq!(moved_since_draft(|_| {}), Vec::<String>::new());
}

#[test]
fn changes_of_smaller_requirements_are_reported() {
    let key = |name: &str| json!({"type": "apiKey", "in": "header", "name": name});
    let get = |id: &str| {
        let parameter = json!({"name": id, "in": "path", "required": true, "schema": {"type": "string"}});
        json!({"get": {"operationId": format!("by_{id}"), "parameters": [parameter], "responses": {"204": {"description": "d"}}}})
    };
    let root = json!({
        "openapi": "3.0.3", "info": {"title": "X", "version": "1"}, "servers": [{"url": "https://api.x.example"}],
        "security": [{"api": [], "app": []}],
        "components": {"securitySchemes": {"api": key("X-Api"), "app": key("X-App"), "other": key("X-Other")}},
        "paths": {
            "/contacts/{id}": get("id"), "/contacts/{number}": get("number"),
            "/check": {"post": {"operationId": "check", "security": [{"api": []}], "responses": {"204": {"description": "d"}}}},
        },
    });
    let none = Vec::<String>::new();
    assert_eq!(moved_since_draft_of(root.clone(), |_| {}), none);
    let security = |root: &mut Value| root["paths"]["/check"]["post"]["security"] = json!([{"app": []}]);
    assert_eq!(moved_since_draft_of(root.clone(), security), ["operation-security"]);
    let whole = |root: &mut Value| root["security"] = json!([{"api": []}]);
    assert_eq!(moved_since_draft_of(root.clone(), whole), ["security"]);
    // Without any credentials.
    let mut open = root;
    open["security"] = json!([]);
    open["paths"]["/check"]["post"]["security"] = json!([]);
    assert_eq!(moved_since_draft_of(open, |_| {}), none);
}

#[test]
fn every_change_of_the_source_of_a_draft_is_reported() {
    let set = |pointer: &str, value: Value| {
        let pointer = pointer.to_owned();
        move |root: &mut Value| *root.pointer_mut(&pointer).expect(&pointer) = value
    };
    let rename = |from: &'static str, to: &'static str| {
        move |root: &mut Value| {
            let item = root["paths"][from].take();
            root["paths"].as_object_mut().expect("paths").remove(from);
            root["paths"][to] = item;
        }
    };
    assert_eq!(moved_since_draft(rename("/Meters/", "/Meters")), ["path"]);
    assert_eq!(moved_since_draft(rename("/Meters/", "/meters/")), ["path"]);
    let media = |pointer: &'static str| {
        move |root: &mut Value| {
            let content = root.pointer_mut(pointer).expect(pointer);
            *content = json!({"application/vnd.meters.v2+json": content["application/json"].take()});
        }
    };
    assert_eq!(moved_since_draft(media("/paths/~1Meters~1/get/responses/200/content")), ["media-type"]);
    assert_eq!(moved_since_draft(media("/paths/~1Meters~1/post/requestBody/content")), ["media-type"]);
    insta::assert_snapshot!(table(changes().meters, |pointer, value| moved_since_draft(set(pointer, value))));
    let elsewhere = |root: &mut Value| {
        let post = &mut root["paths"]["/Meters/"]["post"];
        post["responses"] =
            json!({"201": {"description": "d", "content": {"text/json": {"schema": {"type": "string"}}}}});
    };
    assert_eq!(moved_since_draft(elsewhere), ["media-type", "response-body-type-changed", "status-missing"]);
    let subtype = |root: &mut Value| {
        root["components"]["schemas"]["Timer"] = json!({"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "enum": ["timer"]}, "seconds": {"type": "integer"}}});
        let all = root["components"]["schemas"]["Meter"]["oneOf"].as_array_mut().expect("alternatives");
        all.push(json!({"$ref": "#/components/schemas/Timer"}));
    };
    assert_eq!(
        moved_since_draft(subtype),
        ["new-optional-request-property", "response-optional-property-added", "response-property-enum-value-added"]
    );
}

#[test]
fn accepted_differences_are_apart_and_stale_entries_reported() {
    let theirs = published(&changed("/components/schemas/Order/properties/note", Value::Null).root);
    let text = "[[accepted]]\nat = \"/components/schemas/Order/*\"\nkind = \"*-property-removed\"\nreason = \"Seen in responses.\"\n\
                [[accepted]]\nat = \"/paths/*\"\nkind = \"*\"\nreason = \"Once.\"\n";
    let recorded = Record::read("x.toml", text).expect("it is a record");
    let report = check("mini", &mini(), &theirs, recorded).expect("it compares");
    assert_eq!(report.accepted.len(), 1);
    assert_eq!(report.unexplained.len(), 1);
    assert_eq!((report.unexplained[0].kind.as_str(), report.unexplained[0].at.as_str()), ("stale", "/paths/*"));
    assert!(report::markdown(&report).contains("Seen in responses."));
    let json = serde_json::from_str::<Value>(&report::json(&report)).expect("it is JSON");
    assert_eq!(json["accepted"][0]["reason"], "Seen in responses.");
}

#[test]
fn invalid_record_is_an_error_of_one_line() {
    for (text, expected) in [
        ("file = 1\n", "x.toml:1: "),
        (
            "[[accepted]]\nat = \"*\"\nkind = \"*\"\nreason = \" \"\n",
            "x.toml: the accepted difference at * has no reason",
        ),
        ("accept = []\n", "x.toml:1: "),
    ] {
        let error = Record::read("x.toml", text).expect_err(text);
        assert!(error.starts_with(expected) && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn operations_added_under_our_tags_are_listed_by_tag() {
    let mut root = mini().root;
    root["paths"]["/orders"]["get"]["tags"] = json!(["Orders"]);
    let before = published(&root);
    let known = upstream::uncurated(&mini().root, &before);
    assert!(known.is_empty());
    let head = upstream::head("mini", &before, "2026-11-22", ("", ""), &known);
    root["paths"]["/orders/lost"]["get"] = json!({"operationId": "lost", "tags": ["Orders"], "responses": {}});
    root["paths"]["/users"]["get"] = json!({"operationId": "users", "tags": ["Users"], "responses": {}});
    let after = published(&root);
    let report =
        check("mini", &mini(), &after, Record::read("x", &head).expect("it is a record")).expect("it compares");
    assert_eq!(report.added, BTreeMap::from([("Orders".to_owned(), vec!["GET /orders/lost".to_owned()])]));
    assert!(!report.is_clean());
    let head = upstream::renewed("mini", &head, &after, "2026-11-23", &upstream::uncurated(&mini().root, &after));
    let report =
        check("mini", &mini(), &after, Record::read("x", &head).expect("it is a record")).expect("it compares");
    assert!(report.is_clean());
}

#[test]
fn new_head_keeps_accepted_differences() {
    let theirs = published(&mini().root);
    let written = "file = \"old\"\nsource = \"there\"\nurl = \"https://there\"\n\n# Why.\n[[accepted]]\nat = \"*\"\nkind = \"x\"\nreason = \"r\"\n";
    let text = upstream::renewed("mini", written, &theirs, "2026-11-22", &BTreeMap::new());
    let record = Record::read("x", &text).expect("it is a record");
    assert_eq!((record.file.as_str(), record.source.as_str(), record.accepted.len()), ("vendor.json", "there", 1));
    assert_eq!(record.url, "https://there");
    assert!(text.ends_with("\n# Why.\n[[accepted]]\nat = \"*\"\nkind = \"x\"\nreason = \"r\"\n"), "{text}");
}

#[test]
fn moved_operation_is_matched_by_its_id() {
    let mut root = mini().root;
    let moved = root["paths"]["/export"].take();
    root["paths"]["/files/export"] = moved;
    let report = check("mini", &mini(), &published(&root), Record::default()).expect("it compares");
    let found = report
        .unexplained
        .iter()
        .map(|one| (one.kind.as_str(), one.at.as_str(), one.text.as_str()))
        .collect::<Vec<_>>();
    assert_eq!(found, [("path", "/paths/~1export/get", "the vendor has it as GET /files/export")]);
}

#[test]
fn entry_with_text_accepts_only_that_text() {
    let text = "[[accepted]]\nat = \"/components/schemas/Status\"\nkind = \"response-property-enum-value-added\"\n\
                text = '*: \"LOST\" at the vendor*s'\nreason = \"Not seen.\"\n";
    let unexplained = |values: Value| {
        let theirs = published(&changed("/components/schemas/Status/enum", values).root);
        let recorded = Record::read("x.toml", text).expect("it is a record");
        let report = check("mini", &mini(), &theirs, recorded).expect("it compares");
        report.unexplained.iter().map(|difference| difference.kind.clone()).collect::<Vec<_>>()
    };
    assert_eq!(unexplained(json!(["OPEN", "DONE", "LOST"])), Vec::<String>::new());
    assert_eq!(unexplained(json!(["OPEN", "DONE", "LOST", "FOUND"])), ["response-property-enum-value-added", "stale"]);
}

#[test]
fn added_enum_is_stated_with_all_of_its_values() {
    let text = |values: usize| {
        let values = (0..values).map(|index| format!("V{index}")).collect::<Vec<_>>();
        let note = json!({"type": "string", "enum": values});
        let theirs = published(&changed("/components/schemas/Order/properties/note", note).root);
        let report = check("mini", &mini(), &theirs, Record::default()).expect("it compares");
        report.unexplained.into_iter().map(|difference| difference.text).collect::<Vec<_>>().join("\n")
    };
    assert!(text(8).contains(r#""V7"] at the vendor's"#), "{}", text(8));
    assert!(text(9).contains(r#""V7","V8"] at the vendor's"#), "{}", text(9));
    assert!(text(101).contains(r#""V7"] and others, 101 in all, at the vendor's"#), "{}", text(101));
}

#[test]
fn part_that_cannot_be_compared_is_reported() {
    let ours = changed("/components/headers", json!([]));
    let report = check("mini", &ours, &published(&mini().root), Record::default()).expect("it compares");
    let found = report.unexplained.iter().map(|one| (one.kind.as_str(), one.at.as_str())).collect::<Vec<_>>();
    assert_eq!(found, [("unknown-change", "/components/headers")]);
    assert!(
        report.unexplained[0].text.ends_with(": headers, which is not an object"),
        "{}",
        report.unexplained[0].text
    );
}

#[test]
fn issue_text_keeps_to_its_limit() {
    let unexplained =
        (0..2_000).map(|index| Difference { at: format!("/{index}"), kind: "type".to_owned(), text: "x".repeat(100) });
    let theirs = published(&mini().root);
    let mut report = check("mini", &mini(), &theirs, Record::default()).expect("it compares");
    report.unexplained = unexplained.collect();
    report.accepted = report.unexplained.iter().map(|one| (one.clone(), "Why.".to_owned())).collect();
    let text = report::markdown(&report);
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(text.contains("… and 2000 more.") && text.ends_with("notes the file as checked.\n"), "{text}");
}

#[test]
fn text_of_the_vendor_has_no_meaning_in_an_issue() {
    let text = "a|b `@team` <img> [x](https://a.example) #1".to_owned();
    let difference = Difference { at: text.clone(), kind: "type".to_owned(), text: text.clone() };
    let theirs = published(&mini().root);
    let mut report = check("mini", &mini(), &theirs, Record::default()).expect("it compares");
    report.unexplained = vec![difference.clone()];
    report.accepted = vec![(difference, text.clone())];
    report.added.insert(text.clone(), vec![text.clone()]);
    report.skipped = vec![text];
    let text = report::markdown(&report);
    let outside = |line: &str| line.split("``").step_by(2).collect::<String>();
    for line in text.lines().map(outside) {
        let risky = ["@t", "<img", "[x]", "https://a", "#1"].into_iter().find(|risky| line.contains(risky));
        assert_eq!(risky, None, "{line}");
    }
    let cells = |line: &&str| line.replace("\\|", "").matches('|').count();
    assert_eq!(
        text.lines().filter(|line| line.starts_with("| ``")).map(|line| cells(&line)).collect::<Vec<_>>(),
        [4, 5]
    );
}

/// The scheduled job takes the address from there.
#[test]
fn every_document_has_a_record_with_the_url() {
    for (name, _) in DOCUMENTS {
        let file = format!("{}/../openapi/upstream/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let record = Record::read(name, &fs::read_to_string(file).expect("there is a record")).expect("it is a record");
        assert!(record.url.starts_with("https://") && !record.url.contains(['"', ' ']), "{name}: {}", record.url);
    }
}

#[test]
fn file_of_another_vendor_is_an_error() {
    let other = published(&json!({"openapi": "3.0.0", "paths": {"/x": {"get": {"responses": {}}}}}));
    let error = check("mini", &mini(), &other, Record::default()).err();
    assert_eq!(error.as_deref(), Some("vendor.json: none of our operations is in it; is it this vendor's?"));
}
