//! A format for programs is one document on the standard output, also if the command fails. Errors are on the other stream.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{repository, xtask};

/// Runs the program; its exit code, the one JSON document that it printed, and the other stream.
fn json(root: &Path, arguments: &str) -> (i32, Value, String) {
    let words = arguments.split_whitespace().map(|word| word.replace("ROOT", &root.display().to_string()));
    let output = xtask(root).args(words).output().expect("the program runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments}: {error}: {out:?} {err}"));
    (output.status.code().expect("an exit code"), value, err.into_owned())
}

fn written(root: &Path) -> std::io::Result<()> {
    fs::write(root.join("broken.yaml"), "openapi: [3\n")?;
    fs::write(root.join("spec.yaml"), include_str!("../../src/test_support/mini.yaml"))?;
    fs::write(root.join("other.yaml"), "openapi: 3.0.3\ninfo: {title: X, version: '1'}\npaths: {}\n")
}

#[test]
fn json_output_is_one_document_also_after_errors() -> std::io::Result<()> {
    let root = repository()?;
    written(root.path())?;
    for (arguments, code, is_error) in [
        ("lint --format json", 0, false),
        ("lint --format json --rules", 0, false),
        ("lint --format json --strict other.yaml", 1, false),
        ("lint --format json broken.yaml", 2, false),
        ("lint --format json gone.yaml", 2, true),
        ("upstream mini --from spec.yaml --format json", 0, false),
        ("upstream mini --from other.yaml --format json", 2, true),
        ("upstream mini --from broken.yaml --format json", 2, true),
        ("upstream mini --from gone.yaml --format json", 2, true),
        ("upstream gone --from spec.yaml --format json", 2, true),
        ("diff --base spec.yaml --revision spec.yaml --format json", 0, false),
        ("diff --base spec.yaml --revision other.yaml --format json --fail-on breaking", 1, false),
        ("diff --base spec.yaml --revision broken.yaml --format json", 2, true),
        ("diff --base spec.yaml --revision gone.yaml --format json", 2, true),
        ("diff --wire-only --fail-on bump --format json", 2, true),
        // There is no git repository.
        ("diff --format json", 2, true),
        ("diff --vendor gone --format json main", 2, true),
        ("diff --sunsets --format json", 0, false),
        ("diff --sunsets --vendor gone --format json", 2, true),
    ] {
        let (found, value, err) = json(root.path(), arguments);
        assert_eq!(found, code, "{arguments}: {value:#} {err}");
        assert!(value.is_object(), "{arguments}: {value}");
        assert_eq!(err.contains("error: "), is_error, "{arguments}: {err}");
        let names_error = !value["error"].is_null() || value["problems"].as_array().is_some_and(|all| !all.is_empty());
        assert!(!is_error || names_error, "{arguments}: {value:#}");
    }
    Ok(())
}

#[test]
fn errors_are_not_on_the_standard_output() -> std::io::Result<()> {
    let root = repository()?;
    written(root.path())?;
    for arguments in [
        "generate gone",
        "generate --check",
        "lint gone.yaml",
        "lint broken.yaml",
        "add-vendor acme --from gone.yaml --path /**",
        "add-vendor acme --from other.yaml --path /**",
        "add-vendor --list --from broken.yaml",
        "upstream mini --from broken.yaml",
        "diff --base gone.yaml --revision spec.yaml",
        "diff --base gone.yaml --revision spec.yaml --format html",
    ] {
        let output = xtask(root.path()).args(arguments.split_whitespace()).output()?;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success(), "{arguments}");
        assert!(!out.contains("error: ") && !out.contains("missing; "), "{arguments}: {out}");
        assert!(!err.trim().is_empty(), "{arguments}");
    }
    Ok(())
}

#[test]
fn a_dry_run_prints_the_document_alone() -> std::io::Result<()> {
    let root = repository()?;
    written(root.path())?;
    let output = xtask(root.path())
        .args(["add-vendor", "acme", "--from", "spec.yaml", "--path", "/**", "--dry-run"])
        .output()?;
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_saphyr::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
    assert_eq!(document["openapi"], "3.0.3");
    assert!(String::from_utf8_lossy(&output.stderr).contains("things lost or changed"));
    Ok(())
}
