//! The program, as it is called.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use clap::{CommandFactory as _, Parser as _};
use serde_json::Value;
use spec_diff::cli::{Arguments, Env, run};
use tempfile::TempDir;

const BASE: &str = "\
openapi: 3.1.0
info: {title: Cars, version: '1'}
paths:
  /cars: {$ref: 'paths/cars.yaml'}
";
const PATHS: &str = "\
get:
  operationId: listCars
  responses:
    '200': {description: d, content: {application/json: {schema: {$ref: '../models.yaml#/Car'}}}}
";
const MODELS: &str = "Car: {type: object, properties: {plate: {type: string}, wheels: {type: integer}}}\n";

/// A folder with a document of several files.
fn folder(models: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("paths")).unwrap();
    for (path, text) in [("api.yaml", BASE), ("paths/cars.yaml", PATHS), ("models.yaml", models)] {
        fs::write(folder.path().join(path), text).unwrap();
    }
    folder
}

/// Runs the program; `BASE` and `HEAD` in its arguments are folders.
fn ran(base: &Path, head: &Path, line: &str) -> (u8, String, String) {
    let path =
        |word: &str| word.replace("BASE", &base.display().to_string()).replace("HEAD", &head.display().to_string());
    let arguments = Arguments::parse_from(std::iter::once("spec-diff".to_owned()).chain(line.split(' ').map(path)));
    let github = spec_diff::output::github::Files {
        output: Some(head.join("github-output")),
        summary: Some(head.join("github-summary")),
    };
    let env = Env { today: "2026-11-22".parse().unwrap(), colour: false, github };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run(&arguments, &env, &mut out, &mut err).unwrap();
    let code = (0..=2).find(|number| ExitCode::from(*number) == code).unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&head.display().to_string(), "HEAD");
    (code, text(out).replace(&base.display().to_string(), "BASE"), text(err))
}

#[test]
fn help_is_complete() {
    insta::assert_snapshot!(Arguments::command().term_width(0).render_long_help());
}

#[test]
fn documents_of_several_files_are_compared() {
    let (base, head) = (folder(MODELS), folder(&MODELS.replace("wheels: {type: integer}", "wheels: {type: number}")));
    let (code, out, err) = ran(base.path(), head.path(), "BASE/api.yaml HEAD/api.yaml");
    assert_eq!((code, err.as_str()), (1, ""));
    insta::assert_snapshot!(out);
}

#[test]
fn reference_that_cannot_be_followed_is_a_warning() {
    let (base, head) = (folder(MODELS), folder(MODELS));
    for folder in [&base, &head] {
        fs::remove_file(folder.path().join("models.yaml")).unwrap();
    }
    let (code, out, _) = ran(base.path(), head.path(), "BASE/api.yaml HEAD/api.yaml --fail-on warning");
    assert!(code == 1 && out.contains("$ref ../models.yaml#/Car, which was not followed"), "{out}");
    fs::write(head.path().join("models.yaml"), MODELS).unwrap();
    let (code, out, _) = ran(base.path(), head.path(), "BASE/api.yaml HEAD/api.yaml --fail-on warning");
    assert!(code == 1 && out.contains("unknown-change"), "{out}");
}

#[test]
fn missing_document_is_an_api_without_operations_if_allowed() {
    let (base, head) = (folder(MODELS), folder(MODELS));
    let (code, out, _) = ran(base.path(), head.path(), "BASE/none.yaml HEAD/api.yaml --allow-missing");
    assert!(code == 0 && out.contains("a new API, not in the base") && out.contains("endpoint-added"), "{out}");
    let (code, out, _) = ran(base.path(), head.path(), "BASE/api.yaml HEAD/none.yaml --allow-missing");
    assert!(code == 1 && out.contains("the API was removed"), "{out}");
    let (code, _, err) = ran(base.path(), head.path(), "BASE/none.yaml HEAD/none.yaml --allow-missing");
    assert!(code == 2 && err.contains("none.yaml nor HEAD/none.yaml exists") && err.lines().count() == 1, "{err}");
}

#[test]
fn entries_of_the_comment_accept_names_with_invisible_letters() {
    let name = "pl\u{200b}a\u{ad}te\u{e0041}\u{202e}";
    let models = |kind: &str| format!("Car: {{type: object, properties: {{\"{name}\": {{type: {kind}}}}}}}\n");
    let (base, head) = (folder(&models("string")), folder(&models("integer")));
    let (_, comment, _) = ran(base.path(), head.path(), "BASE/api.yaml HEAD/api.yaml --format markdown");
    let block = comment.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let entry = block.replace("reason = \"\"", "reason = \"So.\"");
    assert!(!entry.contains('\u{200b}'), "{entry:?}");
    let entry = entry.lines().map(|line| format!("{}\n", line.trim())).collect::<String>();
    fs::write(head.path().join("accept.toml"), entry).unwrap();
    let (code, out, _) = ran(base.path(), head.path(), "BASE/api.yaml HEAD/api.yaml --accept HEAD/accept.toml");
    assert!(code == 0 && out.contains("1 accepted"), "{out}");
}

#[test]
fn thresholds_decide_the_exit_code() {
    let (base, head) = (folder(MODELS), folder(&MODELS.replace("plate: {type: string}, ", "")));
    for (fail_on, expected) in [("none", 0), ("info", 1), ("warning", 1), ("breaking", 0)] {
        let line = format!("BASE/api.yaml HEAD/api.yaml --fail-on {fail_on}");
        assert_eq!(ran(base.path(), head.path(), &line).0, expected, "{fail_on}");
    }
    let line = "BASE/api.yaml HEAD/api.yaml --set-level response-optional-property-removed=breaking";
    assert_eq!(ran(base.path(), head.path(), line).0, 1);
    let (code, out, err) = ran(base.path(), head.path(), "BASE/none.yaml HEAD/api.yaml --format json");
    assert_eq!(
        (code, err.as_str()),
        (2, "error: BASE/none.yaml: no such file\n".replace("BASE", &base.path().display().to_string()).as_str())
    );
    assert!(
        serde_json::from_str::<Value>(&out).unwrap()["problems"][0]
            .as_str()
            .is_some_and(|line| line.contains("no such file"))
    );
    for wrong in
        [&["spec-diff", "a"][..], &["spec-diff", "a", "b", "--fail-on", "loud"], &["spec-diff", "--json-schema", "a"]]
    {
        assert_eq!(Arguments::try_parse_from(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
    }
}

#[test]
fn wrong_arguments_are_one_line() {
    for (line, expected) in [
        ("a", "the following required arguments were not provided: <REVISION>"),
        ("a b --fail-on loud", "invalid value 'loud' for '--fail-on <LEVEL>'"),
        ("a b --loud", "unexpected argument '--loud' found"),
        ("a b --set-level nosuch=info", "invalid rule \"nosuch\": expected a rule such as enum-value-added"),
        ("a b --set-level request-body-nosuch=info", "invalid rule"),
        ("a b --set-level enum-value-added=loud", "invalid level \"loud\": expected breaking"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_spec-diff")).args(line.split(' ')).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(
            error.starts_with("error: ") && error.contains(expected) && error.lines().count() == 1,
            "{line}: {error}"
        );
    }
    for id in [
        "enum-value-added",
        "response-property-enum-value-added",
        "api-path-removed-before-sunset",
        "request-parameter-max-length-set",
    ] {
        let level = format!("{id}=info");
        let words = ["spec-diff", "a", "b", "--set-level", &level, "--format", "json", "--format", "text"];
        assert!(Arguments::try_parse_from(words).is_ok(), "{id}");
    }
}

#[test]
fn accept_entry_that_cannot_be_read_is_a_warning() {
    let (base, head) = (folder(MODELS), folder(MODELS));
    fs::write(head.path().join("accept.toml"), "[[accept]]\nrule = \"type-changed\"\n").unwrap();
    let line = "BASE/api.yaml HEAD/api.yaml --accept HEAD/accept.toml";
    let (code, out, _) = ran(base.path(), head.path(), line);
    assert!(code == 0 && out.contains("missing field"), "{out}");
    assert_eq!(ran(base.path(), head.path(), &format!("{line} --fail-on warning")).0, 1);
}

#[test]
fn comment_on_a_document_that_cannot_be_read_has_no_empty_table() {
    let (base, head) = (folder(MODELS), folder(MODELS));
    let (code, out, _) = ran(base.path(), head.path(), "BASE/api.yaml HEAD/none.yaml --format markdown");
    assert!(
        code == 2 && out.contains("Cannot be read") && !out.contains("Compared with") && !out.contains("| API"),
        "{out}"
    );
}

#[test]
fn accept_file_names_parts_of_other_files() {
    let (base, head) = (folder(MODELS), folder(&MODELS.replace("plate: {type: string}", "plate: {type: integer}")));
    let line = "BASE/api.yaml HEAD/api.yaml --accept HEAD/accept.toml";
    assert_eq!(ran(base.path(), head.path(), line).0, 2, "there is no such file");
    let entry = "[[accept]]\nrule = \"type-changed\"\nat = \"models.yaml#/Car/properties/plate\"\nkind = \"correction\"\nreason = \"It was wrong.\"\n";
    fs::write(head.path().join("accept.toml"), entry).unwrap();
    let (code, out, _) = ran(base.path(), head.path(), line);
    assert!(code == 0 && out.contains("accepted (correction): It was wrong."), "{out}");
}

#[test]
fn json_is_as_its_schema_describes() {
    let (base, head) = (folder(MODELS), folder(&MODELS.replace("plate: {type: string}", "plate: {type: integer}")));
    let entry = "[[accept]]\nrule = \"x\"\nat = \"/a\"\nkind = \"vendor\"\nreason = \"r\"\n\
                 [[accept]]\nrule = \"type-changed\"\nat = \"models.yaml#/Car\"\nkind = \"vendor\"\nreason = \"r\"\nuntil = 2027-01-01\n";
    fs::write(head.path().join("accept.toml"), entry).unwrap();
    let line = "BASE/api.yaml HEAD/api.yaml --format json --accept HEAD/accept.toml";
    let (_, json, _) = ran(base.path(), head.path(), line);
    let json = serde_json::from_str::<Value>(&json).unwrap();
    let (_, schema, _) = ran(base.path(), head.path(), "--json-schema");
    let schema = serde_json::from_str::<Value>(&schema).unwrap();
    assert_eq!(crate::report::mismatch(&schema, &schema, &json), None, "{json:#}");
    let location = &json["changes"][0]["members"][0]["revision"];
    assert_eq!((&location["file"], &location["line"]), (&"models.yaml".into(), &1.into()), "{json:#}");
    assert_eq!(json["changes"][0]["accepted"]["until"], "2027-01-01");
}

#[test]
fn github_format_leaves_outputs_and_a_summary() {
    let (base, head) = (folder(MODELS), folder(MODELS));
    let line = "BASE/api.yaml HEAD/api.yaml --format github";
    assert_eq!(ran(base.path(), head.path(), line).0, 0);
    let outputs = fs::read_to_string(head.path().join("github-output")).unwrap();
    assert_eq!(
        outputs,
        "verdict=passed\nchanged=false\nwire=none\nbreaking=0\nwarning=0\ninfo=0\nnone=0\naccepted=0\n"
    );
    assert!(fs::read_to_string(head.path().join("github-summary")).unwrap().starts_with("<!-- spec-diff -->\n"));
}

#[test]
fn report_goes_to_the_file_and_the_verdict_to_standard_error() {
    let (base, head) = (folder(MODELS), folder(&MODELS.replace("plate: {type: string}", "plate: {type: integer}")));
    let (code, out, err) =
        ran(base.path(), head.path(), "BASE/api.yaml HEAD/api.yaml --format sarif --output HEAD/report.sarif");
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with("failed: api: 1 open finding of level breaking") && err.lines().count() == 2, "{err}");
    assert!(fs::read_to_string(head.path().join("report.sarif")).unwrap().contains("\"uri\""));
    let (code, _, err) = ran(base.path(), head.path(), "BASE/api.yaml HEAD/api.yaml --output HEAD/none/report");
    assert!(code == 2 && err.contains("cannot be written"), "{err}");
}
