//! A published specification's file: JSON or YAML, also YAML that is broken in places.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use openapi_document::{Budget, pointer::child};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{bundle, repair_yaml, select};
use crate::packed::Packed;

/// A specification as it was read.
pub(crate) struct Published {
    /// The file's name, without folders: it goes into what is committed.
    pub(crate) file: String,
    /// Of the file, in hex.
    pub(crate) sha256: String,
    pub(crate) edition: Edition,
    pub(crate) root: Value,
    /// What could not be read and was passed over, a line each.
    pub(crate) skipped: Vec<String>,
    /// The root, while it is not needed.
    packed: Option<Packed>,
}

impl Published {
    /// Frees the tree, until it is unpacked.
    pub(crate) fn pack(&mut self) {
        self.packed = Some(Packed::compressed(self.root.take()));
    }

    pub(crate) fn unpack(&mut self) {
        if let Some(packed) = self.packed.take() {
            self.root = packed.value();
        }
    }
}

/// The specification's specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edition {
    Swagger2,
    OpenApi30,
    OpenApi31,
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Swagger2 => "Swagger 2.0",
            Self::OpenApi30 => "OpenAPI 3.0",
            Self::OpenApi31 => "OpenAPI 3.1",
        })
    }
}

/// Reads a file and those that it refers to. The error is a line: file, place, what is wrong.
pub(crate) fn read(path: &Path) -> Result<Published, String> {
    read_within(path, &Budget::from_env()).map(|(published, _)| published)
}

/// Returns the same with the bytes of the file, within limits that other files share.
fn read_within(path: &Path, budget: &Budget) -> Result<(Published, Vec<u8>), String> {
    let bytes = budget.read(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut published = parse_within(&file, &text, budget)?;
    if text.contains('\u{fffd}') && std::str::from_utf8(&bytes).is_err() {
        published.skipped.push(format!("{file}: not UTF-8: invalid bytes became \u{fffd}"));
    }
    drop(text);
    bundle::bundle(&mut published, path.parent().unwrap_or(Path::new("")), budget)?;
    published.skipped.extend(select::lost(&published.root));
    Ok((published, bytes))
}

/// Reads files that are one specification together: some vendors cut theirs by tag or by product. What several of them define has
/// to be the same in all; where it is not, the first counts and `skipped` states it.
pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Published, String> {
    let budget = Budget::from_env();
    let mut digest = Sha256::new();
    let read = paths.iter().map(|path| {
        let (published, bytes) = read_within(path, &budget)?;
        digest.update(bytes);
        Ok(published)
    });
    let mut files = read.collect::<Result<Vec<_>, String>>()?.into_iter();
    let mut all = files.next().ok_or("no file is given")?;
    for other in files {
        if other.edition != all.edition {
            return Err(format!("{} is {}, {} is {}", all.file, all.edition, other.file, other.edition));
        }
        join(&mut all.root, &other.root, "", &mut |place| {
            all.skipped.push(format!("{}: {place} is not the same as in {}, which counts", other.file, all.file));
        });
        all.file = format!("{}, {}", all.file, other.file);
        all.skipped.extend(other.skipped);
    }
    if paths.len() > 1 {
        all.sha256 = hex(&digest.finalize());
    }
    Ok(all)
}

/// What may have entries of several files, level by level; all else is of the first.
const JOINED: [&str; 5] = ["paths", "definitions", "components", "parameters", "responses"];

/// Adds what another document has to one. Sections hold names, sections of `components` as well, and a path holds methods.
fn join(one: &mut Value, other: &Value, at: &str, differs: &mut impl FnMut(&str)) {
    let (Some(one), Some(other)) = (one.as_object_mut(), other.as_object()) else { return };
    for (key, value) in other.iter().filter(|(key, _)| !at.is_empty() || JOINED.contains(&key.as_str())) {
        let section = at == "/components" && SECTIONS.contains(&key.as_str());
        match one.get_mut(key) {
            None => drop(one.insert(key.clone(), value.clone())),
            Some(known) if known == value => {}
            Some(known) if at.is_empty() || at == "/paths" || section => join(known, value, &child(at, key), differs),
            Some(_) => differs(&child(at, key)),
        }
    }
}

/// The sections of `components` that are joined name by name.
const SECTIONS: [&str; 5] = ["schemas", "parameters", "responses", "requestBodies", "securitySchemes"];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a text.
#[cfg(test)]
pub(crate) fn parse(file: &str, text: &str) -> Result<Published, String> {
    parse_within(file, text, &Budget::from_env())
}

fn parse_within(file: &str, text: &str, budget: &Budget) -> Result<Published, String> {
    let mut skipped = Vec::new();
    let root = tree(file, text, budget, &mut skipped)?;
    let edition = edition(file, &root)?;
    let sha256 = hex(&Sha256::digest(text));
    Ok(Published { file: file.to_owned(), sha256, edition, root, skipped, packed: None })
}

/// JSON, if it looks like it and is; else YAML.
pub(super) fn tree(file: &str, text: &str, budget: &Budget, skipped: &mut Vec<String>) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        // YAML's parser takes more than JSON's (a comma at the end), but reports less well what is wrong with JSON.
        return budget.json(text).or_else(|error| {
            let error = format!("{file}:{}:{}: {}", error.line(), error.column(), without_place(&error.to_string()));
            if budget.is_exceeded() {
                return Err(error);
            }
            repair_yaml::yaml(file, text, budget, skipped).map_err(|_| error)
        });
    }
    repair_yaml::yaml(file, text, budget, skipped)
}

fn without_place(message: &str) -> &str {
    message.split(" at line ").next().unwrap_or(message)
}

fn edition(file: &str, root: &Value) -> Result<Edition, String> {
    let said = |key: &str| match root.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let (openapi, swagger) = (said("openapi"), said("swagger"));
    match (openapi.as_str(), swagger.as_str()) {
        (_, "2.0" | "2") => Ok(Edition::Swagger2),
        (version, _) if version.starts_with("3.0") => Ok(Edition::OpenApi30),
        (version, _) if version.starts_with("3.1") => Ok(Edition::OpenApi31),
        ("", "") => Err(format!("{file}: neither `openapi` nor `swagger` at its top: no specification of an HTTP API")),
        ("", other) | (other, _) => {
            Err(format!("{file}: version {other:?} is not read; OpenAPI 3.0 and 3.1 and Swagger 2.0 are"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_three_editions_are_distinguished() {
        for (text, edition) in [
            ("{\"swagger\": \"2.0\"}", Edition::Swagger2),
            ("swagger: 2.0", Edition::Swagger2),
            ("openapi: 3.0.3", Edition::OpenApi30),
            ("\u{feff}{\"openapi\": \"3.1.0\",}", Edition::OpenApi31),
        ] {
            assert_eq!(parse("x", text).map(|read| read.edition), Ok(edition), "{text}");
        }
    }

    #[test]
    fn files_that_are_one_specification_are_joined() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).map(|()| path)
        };
        let files = [
            write(
                "a.yaml",
                "swagger: '2.0'\npaths: {/a: {get: {}}}\ndefinitions: {A: {type: string}, B: {type: string}}\n",
            )?,
            write(
                "b.yaml",
                "swagger: '2.0'\npaths: {/a: {put: {}}, /b: {}}\ndefinitions: {A: {type: string}, B: {}}\n",
            )?,
        ];
        let read = read_all(&files).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read.root["paths"], serde_json::json!({"/a": {"get": {}, "put": {}}, "/b": {}}));
        assert_eq!(read.root["definitions"]["B"]["type"], "string");
        assert_eq!(read.skipped, ["b.yaml: /definitions/B is not the same as in a.yaml, which counts"]);
        assert_eq!(read.file, "a.yaml, b.yaml");
        let mut bytes = fs::read(&files[0])?;
        bytes.extend(fs::read(&files[1])?);
        assert_eq!(read.sha256, hex(&Sha256::digest(bytes)));
        let newer = write("c.yaml", "openapi: 3.0.0\n")?;
        let error = read_all(&[files[0].clone(), newer]).map(|read| read.file);
        assert_eq!(error, Err("a.yaml is Swagger 2.0, c.yaml is OpenAPI 3.0".to_owned()));
        Ok(())
    }

    #[test]
    fn other_text_than_a_specification_is_an_error_of_one_line() {
        for (text, expected) in [
            ("", "x: neither `openapi` nor `swagger` at its top: no specification of an HTTP API"),
            ("a: b", "x: neither `openapi` nor `swagger` at its top: no specification of an HTTP API"),
            ("openapi: 4.0.0", "x: version \"4.0.0\" is not read; OpenAPI 3.0 and 3.1 and Swagger 2.0 are"),
            ("{\"openapi\": ", "x:1:12: EOF while parsing a value"),
        ] {
            assert_eq!(parse("x", text).map(|read| read.edition), Err(expected.to_owned()), "{text}");
        }
    }
}
