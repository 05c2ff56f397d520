//! Reads a published specification: a file with those that it refers to, or several that are one specification together.

use std::path::{Path, PathBuf};

use openapi_document::{Budget, pointer::child};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    bundle,
    parse::{Published, hex, parse_within},
    select,
};

/// Reads a file and those that it refers to. The error is a line: file, location, what is wrong.
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
        join(&mut all.root, &other.root, "", &mut |location| {
            all.skipped.push(format!("{}: {location} is not the same as in {}, which counts", other.file, all.file));
        });
        all.file = format!("{}, {}", all.file, other.file);
        all.skipped.extend(other.skipped);
    }
    if paths.len() > 1 {
        all.sha256 = hex(&digest.finalize());
    }
    Ok(all)
}

/// The sections that may have entries of several files, level by level; all else is of the first.
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

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
}
