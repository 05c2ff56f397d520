//! A small document that keeps all rules, for tests to break.

use std::{fs, process::ExitCode};

use openapi_document::Document;
use serde_json::Value;
use tempfile::TempDir;

use crate::output::{Failure, Output};

/// The document's text.
pub(crate) const MINI: &str = include_str!("mini.yaml");

/// Returns the small document.
pub(crate) fn mini() -> Document {
    Document::parse("openapi/mini.yaml", MINI).expect("it is YAML")
}

/// Returns the small document with one value set or, at the end of a list, added; or removed, if it is null.
pub(crate) fn changed(pointer: &str, value: Value) -> Document {
    let mut document = mini();
    let (parent, key) = pointer.rsplit_once('/').expect("it is a pointer");
    let key = openapi_document::pointer::unescape(key);
    match document.root.pointer_mut(parent).expect("the parent exists") {
        Value::Object(map) if value.is_null() => {
            map.remove(&key);
        }
        Value::Object(map) => {
            map.insert(key, value);
        }
        Value::Array(list) => match key.parse::<usize>().expect("it is an index") {
            index if value.is_null() => drop(list.remove(index)),
            index if index == list.len() => list.push(value),
            index => list[index] = value,
        },
        other => panic!("{other} holds nothing"),
    }
    document
}

/// Returns a repository with one vendor, `mini`, and the manifest of its crate.
pub(crate) fn repository(document: &str) -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    for (file, text) in [
        ("openapi/mini.yaml", document),
        ("crates/usage-billing-mini/Cargo.toml", "[package]\nversion = \"0.1.0+2026-11-21\"\n"),
    ] {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
    root
}

/// Returns the exit code of a command, its standard output and its standard error.
pub(crate) fn captured(
    command: impl FnOnce(&mut Output<'_>) -> Result<ExitCode, Failure>,
) -> (ExitCode, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut output = Output::new(&mut out, &mut err);
    let done = command(&mut output);
    let code = output.exit_code(done);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
    (code, text(out), text(err))
}
