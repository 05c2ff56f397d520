use std::process::Command;

use clap::Parser;
use tempfile::TempDir;

use spec_diff::output::github;

use super::compare::tests::edited;
use crate::{
    commands::diff::*,
    test_support::{MINI, captured},
};

/// Runs git in a repository of a test: nothing of the machine's or a hook's settings counts.
pub(in crate::commands::diff) fn git(root: &TempDir, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"];
    let output = command.arg("-C").arg(root.path()).args(who).args(arguments).output().expect("git is installed");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it is text")
}

pub(in crate::commands::diff) fn commit(root: &TempDir) {
    git(root, &["add", "--all"]);
    git(root, &["commit", "--quiet", "--message", "a change"]);
}

/// Returns a repository with one vendor and its crate.
pub(in crate::commands::diff) fn repository(document: &str) -> TempDir {
    let root = crate::test_support::repository(document);
    git(&root, &["init", "--quiet"]);
    commit(&root);
    root
}

const MANIFEST: &str = "crates/usage-billing-mini/Cargo.toml";

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

fn ran(root: &TempDir, arguments: &str) -> (u8, String) {
    let path = root.path().display().to_string();
    let words = arguments.split_whitespace().map(|word| word.replace("ROOT", &path));
    let cli = Cli::try_parse_from(std::iter::once("diff".to_owned()).chain(words)).expect("they are arguments");
    let files = github::Files {
        output: Some(root.path().join("github-output")),
        summary: Some(root.path().join("github-summary")),
    };
    let here = Env { today: "2026-11-22".parse().expect("a day"), colour: false, github: files };
    let (code, out, err) = captured(|output| run(root.path(), &cli.arguments, &here, output));
    // In the other formats the standard output is the report, and the standard error is human-readable.
    let is_human_readable = cli.arguments.format == Format::Text || cli.arguments.output.is_some();
    let out = if is_human_readable { err + &out } else { out };
    let number = (0..=2).find(|number| ExitCode::from(*number) == code).expect("it is one of three");
    (number, out.replace(&path, "ROOT"))
}

fn read(root: &TempDir, file: &str) -> String {
    fs::read_to_string(root.path().join(file)).expect("it was written")
}

fn with(root: &TempDir, file: &str, text: &str) {
    fs::write(root.path().join(file), text).expect("it can be written");
}

#[test]
fn unchanged_documents_pass() {
    let root = repository(MINI);
    let (code, out) = ran(&root, "");
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("(main, is HEAD)") && out.contains("mini: no changes\n"), "{out}");
}

#[test]
fn undeclared_bump_fails_and_declared_bump_passes() {
    let root = repository(MINI);
    with(&root, "openapi/mini.yaml", &edited());
    let (code, out) = ran(&root, "--fail-on bump");
    assert_eq!(code, 1, "{out}");
    let expected =
        "failed: mini: the crate needs a major step, its version goes from 0.1.0 to 0.1.0; set 0.2.0 or more\n";
    assert!(out.contains(expected), "{out}");
    assert_eq!(ran(&root, "--fail-on none").0, 0);
    with(&root, MANIFEST, "[package]\nversion = \"0.2.0+2026-11-22\"\n");
    assert_eq!(ran(&root, "--fail-on bump").0, 0);
    // It is still breaking, and not accepted.
    assert_eq!(ran(&root, "").0, 1);
    with(
        &root,
        "openapi/mini.accept.toml",
        "[[accept]]\nrule = \"type-changed\"\nat = \"/components/schemas/Line\"\nkind = \"vendor\"\nreason = \"2027 prices\"\n",
    );
    let (code, out) = ran(&root, "");
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("accepted (vendor): 2027 prices"), "{out}");
}

#[test]
fn breaking_step_of_a_vendor_crate_needs_one_of_the_facade() {
    let root = repository(MINI);
    let workspace = |version: &str| format!("[workspace.package]\nversion = \"{version}\"\n");
    let inherited = "[package]\nversion.workspace = true\n";
    fs::create_dir(root.path().join("crates/usage-billing")).expect("it can be made");
    with(&root, FACADE, inherited);
    with(&root, "Cargo.toml", &workspace("0.1.0"));
    commit(&root);
    assert_eq!(ran(&root, "--fail-on bump").0, 0);
    with(&root, "openapi/mini.yaml", &edited());
    with(&root, MANIFEST, "[package]\nversion = \"0.2.0+2026-11-22\"\n");
    let own = "[package]\nversion = \"0.2.0\"\n";
    for (facade, version, arguments, fails) in [
        (inherited, "0.1.0", "--fail-on bump", true),
        (inherited, "0.1.1", "--fail-on bump", true),
        (inherited, "0.2.0", "--fail-on bump", false),
        (own, "0.1.0", "--fail-on bump", false),
        (inherited, "0.1.0", "--fail-on none", false),
    ] {
        with(&root, FACADE, facade);
        with(&root, "Cargo.toml", &workspace(version));
        let (code, out) = ran(&root, arguments);
        assert_eq!(code, u8::from(fails), "{facade} {version}: {out}");
        let expected = format!(
            "failed: the facade, which exports the types of mini: the crate needs a major step, its version goes from 0.1.0 to \
             {version}; set 0.2.0 or more\n"
        );
        assert_eq!(out.contains(&expected), fails, "{out}");
    }
    // A smaller step needs none of the facade.
    with(&root, "openapi/mini.yaml", MINI);
    with(&root, MANIFEST, "[package]\nversion = \"0.1.1+2026-11-22\"\n");
    assert_eq!(ran(&root, "--fail-on bump").0, 0);
}

#[test]
fn changes_between_releases_need_one_step() {
    let root = repository(MINI);
    git(&root, &["tag", "v0.1.0"]);
    with(&root, MANIFEST, "[package]\nversion = \"0.2.0+2026-11-22\"\n");
    commit(&root);
    with(&root, "openapi/mini.yaml", &edited());
    assert_eq!(ran(&root, "--fail-on bump").0, 0);
    git(&root, &["tag", "v0.2.0"]);
    let (code, out) = ran(&root, "--fail-on bump");
    assert!(code == 1 && out.contains("its version goes from 0.2.0 to 0.2.0; set 0.3.0 or more"), "{out}");
}

#[test]
fn revision_is_compared_with_the_working_tree() {
    let root = repository(MINI);
    git(&root, &["tag", "v0.1.0"]);
    with(&root, "openapi/mini.yaml", &edited());
    commit(&root);
    assert!(ran(&root, "").1.contains("mini: no changes"));
    let (code, out) = ran(&root, "v0.1.0 --vendor mini");
    assert!(code == 1 && out.contains("openapi/mini.yaml:"), "{out}");
}

#[test]
fn new_and_removed_documents_are_reported() {
    let root = repository(MINI);
    with(&root, "openapi/other.yaml", &MINI.replace("/orders", "/others"));
    fs::remove_file(root.path().join("openapi/mini.yaml")).expect("it was there");
    let (code, out) = ran(&root, "");
    assert_eq!(code, 1);
    assert!(out.contains("mini: the API was removed; breaking on the wire"), "{out}");
    assert!(out.contains("other: a new API, not in the base; "), "{out}");
}

#[test]
fn unreadable_documents_are_named_and_the_others_are_compared() {
    let root = repository(MINI);
    with(&root, "openapi/bad.yaml", "openapi: [\n");
    with(&root, "openapi/mini.yaml", &edited());
    let (code, out) = ran(&root, "");
    assert_eq!(code, 2);
    assert!(out.contains("error: openapi/bad.yaml:") && out.contains("mini: breaking on the wire"), "{out}");
    let (code, out) = ran(&root, "v9");
    assert_eq!((code, out.as_str()), (2, "error: no revision \"v9\" here; `git fetch --tags origin` may bring it\n"));
    let (code, out) = ran(&root, "--vendor maxi");
    assert_eq!((code, out.as_str()), (2, "error: no vendor \"maxi\": openapi/ has bad, mini\n"));
}

#[test]
fn file_that_is_not_a_document_is_an_error_of_one_line() {
    let root = repository(MINI);
    with(&root, "word.yaml", "hello\n");
    for (arguments, expected) in [
        (
            "--base ROOT/word.yaml --revision ROOT/openapi/mini.yaml",
            "ROOT/word.yaml: not an OpenAPI 3 document: it is not an object",
        ),
        (
            "--base ROOT/openapi/mini.yaml --revision ROOT/word.yaml",
            "ROOT/word.yaml: not an OpenAPI 3 document: it is not an object",
        ),
        ("--base ROOT/nowhere.yaml --revision ROOT/word.yaml", "ROOT/nowhere.yaml: no such file"),
        (
            "--wire-only --fail-on bump",
            "--fail-on bump is about the crates, which --wire-only leaves out; give one of the two",
        ),
    ] {
        assert_eq!(ran(&root, arguments), (2, format!("error: {expected}\n")), "{arguments}");
    }
}

#[test]
fn wire_can_be_compared_without_crates() {
    let root = repository(MINI);
    with(&root, "openapi/mini.yaml", &edited());
    let (code, out) = ran(&root, "--wire-only");
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("mini: breaking on the wire\n") && !out.contains("crate"), "{out}");
}

#[test]
fn two_files_are_compared_without_manifests() {
    let root = repository(MINI);
    with(&root, "after.yaml", &edited());
    let (code, out) = ran(&root, "--base ROOT/openapi/mini.yaml --revision ROOT/after.yaml");
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("after: breaking on the wire; a generated crate would need a major step"), "{out}");
    // Its crate cannot be generated, which does not fail for foreign files.
    with(&root, "after.yaml", &MINI.replace("sku: {type: string", "sku: {type: strng"));
    let (_, out) = ran(&root, "--base ROOT/openapi/mini.yaml --revision ROOT/after.yaml --fail-on bump");
    assert!(out.contains("the change of the crate is unknown: ROOT/after.yaml: "), "{out}");
    let (code, out) = ran(&root, "--base ROOT/none.yaml --revision ROOT/after.yaml");
    assert!(code == 2 && out.contains("error: ROOT/none.yaml: no such file\n"), "{out}");
}

#[test]
fn contradicting_arguments_are_rejected() {
    for line in ["v1 --base a --revision b", "--base a", "--revision b", "--format pdf", "--sunsets v1", "--level loud"]
    {
        let parsed = Cli::try_parse_from(std::iter::once("diff").chain(line.split(' ')));
        assert_eq!(parsed.err().map(|error| error.exit_code()), Some(2), "{line}");
    }
}

#[test]
fn report_goes_to_the_file_and_the_verdict_to_standard_error() {
    let root = repository(MINI);
    with(&root, "openapi/mini.yaml", &edited());
    let (code, out) = ran(&root, "--format json --level breaking --output ROOT/report.json");
    assert_eq!((code, out.lines().count()), (1, 3), "{out}");
    let report = read(&root, "report.json");
    let report = serde_json::from_str::<serde_json::Value>(&report).expect("it is JSON");
    assert_eq!(report["apis"][0]["supplement"]["crate_needed"], "major");
    assert_eq!(report["apis"][0]["supplement"]["crate_declared"], "none");
    assert!(
        report["changes"].as_array().is_some_and(|changes| changes.iter().all(|change| change["level"] == "breaking"))
    );
    assert_eq!(ran(&root, "--output ROOT/none/report").0, 2);
}

#[test]
fn github_format_leaves_outputs_and_a_summary() {
    let root = repository(MINI);
    with(&root, "openapi/mini.yaml", &edited());
    let (code, out) = ran(&root, "--format github");
    assert!(code == 1 && out.contains("\n::error file=openapi/mini.yaml,line=126,col="), "{out}");
    let outputs = read(&root, "github-output");
    assert_eq!(
        outputs,
        "verdict=failed\nchanged=true\nwire=breaking\nbreaking=1\nwarning=0\ninfo=0\nnone=0\naccepted=0\nbump=major\n"
    );
    assert!(read(&root, "github-summary").starts_with("<!-- spec-diff -->\n"));
}

#[test]
fn sunsets_are_listed_and_imminent_ones_fail() {
    let root = repository(&MINI.replace("deprecated: true\n", "deprecated: true\n      x-sunset: 2026-12-01\n"));
    let (code, out) = ran(&root, "--sunsets");
    assert_eq!(
        (code, out.as_str()),
        (1, "2026-12-01  openapi/mini.yaml:47: GET /orders/{orderId} (getOrder): 9 days left\n")
    );
    assert_eq!(ran(&root, "--sunsets --fail-on none").0, 0);
    assert_eq!(ran(&root, "--sunsets --format html").0, 2);
}
