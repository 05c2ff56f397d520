//! Text of a specification stays text, wherever in the specification it is and however it is written.

use std::{
    cell::RefCell,
    fs,
    process::{Command, Stdio},
};

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use super::tests::{file, planned};
use crate::text::markdown::{doc_comment, is_unsafe, is_without_code};

/// Pieces of Markdown that begin, hold, end or hide code.
const PIECES: [&str; 54] = [
    "```rust\n",
    "```\n",
    "````\n",
    "```should_panic\n",
    "```no_run\n",
    "``` rust,ignore\n",
    "```",
    "~~~\n",
    "~~~rust\n",
    "~~~~ rust\n",
    "    ",
    "\t",
    "  ",
    " ",
    "   ",
    "        ",
    "> ",
    ">",
    ">\t",
    "- ",
    "* ",
    "+ ",
    "1. ",
    "10) ",
    "-\t",
    "-     ",
    "- [ ] ",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\u{c}",
    "\u{b}",
    "\u{85}",
    "\u{2028}",
    "panic!(\"run\");\n",
    "fn main() { panic!() }\n",
    "words",
    "`",
    "``",
    "<pre>\n",
    "</pre>\n",
    "<!--\n",
    "-->\n",
    "<div>",
    "[a]: https://x.example\n",
    "[^1]: ",
    "[a](",
    "===\n",
    "---\n",
    "# ",
    "| a |\n| - |\n",
    "\\",
    "\u{202e}",
];

fn markdown() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..14).prop_map(|pieces| pieces.concat())
}

/// Returns a specification with a text wherever one can be.
fn everywhere(text: &str) -> Value {
    let field = |kind: Value| {
        let mut schema = json!({"title": text, "description": text, "example": text, "default": text, "x-note": text});
        schema.as_object_mut().into_iter().for_each(|map| map.extend(kind.as_object().cloned().unwrap_or_default()));
        schema
    };
    json!({
        "openapi": "3.0.0",
        "info": {"title": text, "version": text, "description": text, "termsOfService": text, "contact": {"name": text}},
        "servers": [{"url": "https://api.acme.example", "description": text}],
        "tags": [{"name": text, "description": text}],
        "externalDocs": {"url": "https://acme.example", "description": text},
        "security": [{"k": []}],
        "paths": {"/usage/{id}": {"summary": text, "description": text, "post": {
            "operationId": "usage", "tags": [text], "summary": text, "description": text, "deprecated": true, "x-permissions": [text],
            "externalDocs": {"url": "https://acme.example", "description": text},
            "parameters": [
                {"name": "id", "in": "path", "required": true, "description": text, "example": text, "schema": field(json!({"type": "string"}))},
                {"name": "kind", "in": "query", "required": true, "description": text, "schema": {"$ref": "#/components/schemas/Kind"}},
                {"name": "limit", "in": "query", "description": text, "schema": field(json!({"type": "string", "pattern": text}))},
                {"name": "X-Note", "in": "header", "description": text, "schema": field(json!({"type": "integer", "maximum": 5}))},
            ],
            "requestBody": {"required": true, "description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Usage"}, "example": {"note": text}}}},
            "responses": {
                "200": {"description": text, "headers": {"X-H": {"description": text, "schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Usage"}, "example": {"note": text}}}},
                "404": {"description": text}, "default": {"description": text},
            },
        }}},
        "components": {
            "schemas": {
                "Usage": field(json!({"type": "object", "required": ["note"], "properties": {
                    "note": field(json!({"type": "string", "pattern": text})),
                    "kind": {"$ref": "#/components/schemas/Kind"},
                    "inner": field(json!({"type": "object", "properties": {"deep": field(json!({"type": "number", "minimum": 1}))}})),
                    "list": field(json!({"type": "array", "items": field(json!({"type": "string", "enum": [text, "b"]}))})),
                    "choice": field(json!({"oneOf": [{"type": "string", "description": text}, {"type": "integer", "description": text}]})),
                    (format!("field {text}")): field(json!({"type": "string"})),
                }})),
                "Kind": {"type": "string", "title": text, "description": format!("{text}\n\n- `a`: {text}"), "enum": ["a", format!("b{text}"), "c"], "x-enum-descriptions": [text]},
            },
            "securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "X-K", "description": text}},
        },
    })
}

/// Returns a specification with strings in components, in a path's own parameters and in a server's variables.
fn by_reference(text: &str, version: &str) -> Value {
    let nullable = if version == "3.1.0" { json!(["string", "null"]) } else { json!("string") };
    json!({
        "openapi": version,
        "info": {"title": "Acme", "version": "1", "summary": text, "license": {"name": text, "identifier": "MIT"}},
        "servers": [{"url": "https://{region}.acme.example", "variables": {"region": {"default": "eu", "description": text, "enum": ["eu", "us"]}}}],
        "security": [{"k": []}],
        "paths": {"/usage/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}, {"name": "page", "in": "query", "description": text, "schema": {"type": "integer"}}],
            "put": {
                "operationId": "usage", "description": text,
                "parameters": [{"$ref": "#/components/parameters/Since"}],
                "requestBody": {"$ref": "#/components/requestBodies/Usage"},
                "responses": {"200": {"$ref": "#/components/responses/Usage"}, "404": {"$ref": "#/components/responses/None"}},
            },
        }},
        "components": {
            "parameters": {
                "Id": {"name": "id", "in": "path", "required": true, "description": text, "schema": {"type": "string", "description": text}},
                "Since": {"name": "since", "in": "query", "description": text, "schema": {"$ref": "#/components/schemas/Since"}},
            },
            "requestBodies": {"Usage": {"required": true, "description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Usage"}}}}},
            "responses": {
                "Usage": {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Usage"}}}},
                "None": {"description": text},
            },
            "schemas": {
                "Since": {"type": "string", "format": "date-time", "title": text, "description": text},
                "Base": {"type": "object", "description": text, "properties": {"base": {"type": "string", "description": text}}},
                "Usage": {"description": text, "allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "description": text, "properties": {
                    "note": {"type": nullable, "description": text},
                    "map": {"type": "object", "description": text, "additionalProperties": {"type": "integer", "description": text}},
                }}]},
            },
            "securitySchemes": {"k": {"type": "http", "scheme": "bearer", "description": text}},
        },
    })
}

/// Returns a specification of Swagger 2.0 with a text wherever one can be.
fn swagger(text: &str) -> Value {
    json!({
        "swagger": "2.0",
        "info": {"title": "Acme", "version": "1", "description": text},
        "host": "api.acme.example", "schemes": ["https"],
        "consumes": ["application/json"], "produces": ["application/json"],
        "security": [{"k": []}],
        "securityDefinitions": {"k": {"type": "apiKey", "in": "header", "name": "X-K", "description": text}},
        "parameters": {"Id": {"name": "id", "in": "path", "required": true, "type": "string", "description": text}},
        "responses": {"None": {"description": text}},
        "paths": {"/usage/{id}": {"post": {
            "operationId": "usage", "summary": text, "description": text,
            "parameters": [
                {"$ref": "#/parameters/Id"},
                {"name": "since", "in": "query", "type": "string", "format": "date", "description": text},
                {"name": "body", "in": "body", "required": true, "description": text, "schema": {"$ref": "#/definitions/Usage"}},
            ],
            "responses": {"200": {"description": text, "schema": {"$ref": "#/definitions/Usage"}}, "404": {"$ref": "#/responses/None"}},
        }}},
        "definitions": {"Usage": {"type": "object", "title": text, "description": text, "properties": {
            "note": {"type": "string", "description": text, "example": text},
            "kind": {"type": "string", "description": text, "enum": ["a", text]},
        }}},
    })
}

/// Returns the doc comments of a source, also of those in a macro's body.
fn doc_comments(source: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in source.lines() {
        let line = line.trim_start();
        let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        match (doc, all.last_mut()) {
            (Some(text), Some(last)) => {
                last.push_str(text.strip_prefix(' ').unwrap_or(text));
                last.push('\n');
            }
            (None, Some(last)) if !last.is_empty() => all.push(String::new()),
            _ => {}
        }
    }
    all.retain(|text| !text.is_empty());
    all
}

/// Checks all Rust that a specification becomes, and returns its doc comments.
fn checked_docs(specification: &Value) -> std::result::Result<Vec<String>, TestCaseError> {
    let files = planned(specification).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let mut all = Vec::new();
    for (name, text) in &files {
        // In the document a name is what it is on the wire.
        let is_data = name.ends_with(".yaml");
        prop_assert!(
            is_data || !text.contains(is_unsafe),
            "{name} has characters that rustc or a terminal takes for more: {text:?}"
        );
        if name.ends_with(".toml") {
            prop_assert!(text.parse::<toml::Table>().is_ok(), "{name}: {text}");
        }
        if name.ends_with(".rs") {
            prop_assert!(syn::parse_file(text).is_ok(), "{name}: {text}");
            // Attributes other than comments would be a way around them.
            prop_assert!(!text.contains("#[doc = ") && !text.contains("/**"), "{name}");
            for doc in doc_comments(text) {
                prop_assert!(is_without_code(&doc), "{name}: {doc}");
                all.push(doc);
            }
        }
    }
    let readme = file(&files, "crates/usage-billing-acme/README.md");
    prop_assert_eq!(readme.matches("```").count(), 2, "{}", readme);
    Ok(all)
}

/// Checks random strings, and returns the documentation that they became.
fn documented(cases: u32, check: impl Fn(&str) -> std::result::Result<Vec<String>, TestCaseError>) -> Vec<String> {
    let docs = RefCell::new(Vec::new());
    let config =
        ProptestConfig { failure_persistence: None, max_shrink_iters: 50, ..ProptestConfig::with_cases(cases) };
    let result = TestRunner::new(config).run(&markdown(), |text| {
        docs.borrow_mut().append(&mut check(&text)?);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    docs.into_inner()
}

#[test]
fn no_markdown_becomes_code() -> std::io::Result<()> {
    let docs = documented(2_000, |text| {
        let doc = doc_comment(text);
        prop_assert!(is_without_code(&doc), "{doc}");
        prop_assert!(!doc.contains(is_unsafe), "{doc:?}");
        // What is written again stays what it is.
        prop_assert!(is_without_code(&doc_comment(&doc)));
        Ok(vec![doc])
    });
    assert_eq!(tests_found(&docs)?, 0);
    Ok(())
}

#[test]
fn no_text_of_a_specification_becomes_code() -> std::io::Result<()> {
    let docs = documented(12, |text| {
        let of = [everywhere(text), by_reference(text, "3.0.3"), by_reference(text, "3.1.0"), swagger(text)];
        of.iter().map(checked_docs).collect::<std::result::Result<Vec<_>, _>>().map(|docs| docs.concat())
    });
    assert_eq!(tests_found(&docs)?, 0);
    Ok(())
}

#[test]
fn rustdoc_finds_no_test_in_a_specification() -> std::io::Result<()> {
    let fixture = openapi_document::Document::parse("doctest.yaml", include_str!("doctest.yaml")).expect("it is YAML");
    let docs = checked_docs(&fixture.root).expect("no code");
    assert!(docs.iter().any(|doc| doc.contains("ran-by-tilde-fence")), "the documentation is there");
    assert_eq!(tests_found(&docs)?, 0);
    // That rustdoc would find one, and that each text reaches the documentation.
    assert_eq!(tests_found(&["```\npanic!();\n```".to_owned()])?, 1);
    for (specification, least) in [
        (everywhere("where-am-i"), 20),
        (by_reference("where-am-i", "3.0.3"), 8),
        (by_reference("where-am-i", "3.1.0"), 8),
        (swagger("where-am-i"), 8),
    ] {
        let docs = checked_docs(&specification).expect("no code");
        let locations = docs.iter().map(|doc| doc.matches("where-am-i").count()).sum::<usize>();
        assert!(locations >= least, "{locations} locations: {docs:#?}");
    }
    Ok(())
}

#[test]
fn characters_removed_from_a_name_are_reported() -> std::io::Result<()> {
    let mut specification = everywhere("plain");
    specification["info"]["title"] = json!("Acme\rMetering");
    specification["tags"][0]["name"] = json!("us\u{202e}age");
    specification["paths"]["/usage/{id}"]["post"]["tags"] = json!(["us\u{202e}age\u{1b}[2K"]);
    let report = planned(&specification)?;
    let report = file(&report, "openapi/upstream/acme.md");
    for line in ["- U+000D: `/info/title`", "- U+001B, U+202E: `/paths/~1usage~1{id}/post/tags`"] {
        assert!(report.contains(line), "{line} is not in: {report}");
    }
    Ok(())
}

#[test]
fn text_in_the_report_of_losses_is_no_markup() -> std::io::Result<()> {
    let mut specification = everywhere("plain");
    let text = "ask @team <img src=x> or [us](https://a.example)";
    specification["components"]["securitySchemes"] = json!({"s": {"type": "oauth2", "description": text, "flows": {
        "clientCredentials": {"tokenUrl": "https://a.example/token", "scopes": {}},
    }}});
    specification["security"] = json!([{"s": []}]);
    let report = planned(&specification)?;
    let report = file(&report, "openapi/upstream/acme.md");
    assert!(report.contains(r"\<img src=x\> or \[us\](https://a.example)"), "{report}");
    Ok(())
}

/// Returns how many tests rustdoc lists for doc comments.
fn tests_found(docs: &[String]) -> std::io::Result<usize> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("docs.rs");
    let item = |(index, doc): (usize, &String)| {
        let lines = doc.lines().map(|line| format!("/// {line}\n")).collect::<String>();
        format!("{lines}pub struct S{index};\n")
    };
    fs::write(&path, docs.iter().enumerate().map(item).collect::<String>())?;
    let rustdoc = std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    let output = Command::new(rustdoc)
        .args(["--test", "--edition", "2024", "--crate-name", "docs"])
        .arg(&path)
        .args(["--test-args", "--list"])
        .stdin(Stdio::null())
        .output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    Ok(printed.lines().filter(|line| line.ends_with(": test")).count())
}
