//! Specifications of several files: what is referred to in another file is brought in, so that all references stay within one.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use openapi_document::{
    Budget,
    pointer::{child, unescape},
};
use serde_json::{Map, Value};

use super::parse::{self, Published};

/// Under this key the other files stand.
const FILES: &str = "x-files";

/// The maximum number of files that are read.
const MOST: usize = 5_000;

/// Adds the files of `folder` that the specification refers to. Missing ones are listed in `skipped`.
pub(super) fn bundle(published: &mut Published, folder: &Path, budget: &Budget) -> Result<(), String> {
    let mut files = Files { folder, found: BTreeMap::new(), wanted: Vec::new(), missing: BTreeSet::new() };
    files.rewrite(&mut published.root, Path::new(""), "");
    while let Some(path) = files.wanted.pop() {
        let mut tree = match load(&folder.join(&path), &path, budget, &mut published.skipped) {
            Ok(tree) => tree,
            // Of all files together: those that come after would not fit either.
            Err(error) if budget.is_exceeded() => return Err(error),
            Err(error) => {
                published.skipped.push(error);
                Value::Null
            }
        };
        files.rewrite(&mut tree, path.parent().unwrap_or(Path::new("")), &location(&path));
        files.found.insert(path, tree);
    }
    published.skipped.extend(files.missing);
    let found = files.found.into_iter().map(|(path, tree)| (name(&path), tree)).collect::<Map<_, _>>();
    if let (Some(root), false) = (published.root.as_object_mut(), found.is_empty()) {
        root.insert(FILES.to_owned(), Value::Object(found));
    }
    Ok(())
}

struct Files<'a> {
    folder: &'a Path,
    found: BTreeMap<PathBuf, Value>,
    wanted: Vec<PathBuf>,
    /// A line for each that is not there.
    missing: BTreeSet<String>,
}

impl Files<'_> {
    /// Rewrites all references of a file to pointers into the one document. The file is in `folder` and will be at `location`.
    fn rewrite(&mut self, node: &mut Value, folder: &Path, location: &str) {
        match node {
            Value::Object(map) => {
                if let Some(Value::String(target)) = map.get_mut("$ref")
                    && let Some(rewritten) = self.target(target, folder, location)
                {
                    *target = rewritten;
                }
                map.values_mut().for_each(|value| self.rewrite(value, folder, location));
            }
            Value::Array(list) => list.iter_mut().for_each(|value| self.rewrite(value, folder, location)),
            _ => {}
        }
    }

    fn target(&mut self, target: &str, folder: &Path, location: &str) -> Option<String> {
        let target = decoded(target);
        let (file, pointer) = target.split_once('#').unwrap_or((&target, ""));
        if file.is_empty() {
            return Some(format!("#{location}{pointer}"));
        }
        // The reference is unresolved, which is reported where it is needed.
        let Some(path) = within(&folder.join(file)).filter(|_| !file.contains("://")) else {
            self.missing.insert(format!("{file}: not fetched; refer to a copy in the same folder"));
            return None;
        };
        let known = self.found.contains_key(&path) || self.wanted.contains(&path);
        if !known && !self.folder.join(&path).is_file() {
            self.missing.insert(format!("{}: referenced file not found", name(&path)));
        } else if !known && self.found.len() + self.wanted.len() < MOST {
            self.wanted.push(path.clone());
        }
        Some(format!("#{}{pointer}", self::location(&path)))
    }
}

/// Returns a pointer or reference as the vendor's files have it: what is in another file begins with that.
pub(crate) fn display_pointer(pointer: &str) -> String {
    let inside = pointer.trim_start_matches('#').strip_prefix(&format!("{}/", child("", FILES)));
    let Some(inside) = inside else { return pointer.to_owned() };
    let (file, rest) = inside.split_at(inside.find('/').unwrap_or(inside.len()));
    format!("{}#{rest}", unescape(file))
}

/// Returns the reference that a node is still, although it was followed: an unresolved one, as the vendor has it.
pub(super) fn dangling(followed: &Value) -> Option<String> {
    followed.get("$ref").and_then(Value::as_str).map(display_pointer)
}

/// Returns the path without `.` and `..`; nothing if it is absolute. It may leave the specification's folder: vendors share
/// files so.
fn within(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir if clean.file_name().is_some() => drop(clean.pop()),
            Component::ParentDir => clean.push(".."),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}

fn name(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

fn location(path: &Path) -> String {
    child(&child("", FILES), &name(path))
}

fn load(file: &Path, path: &Path, budget: &Budget, skipped: &mut Vec<String>) -> Result<Value, String> {
    let name = name(path);
    let text = budget.read_text(file).map_err(|error| format!("{name}: cannot be read: {error}"))?;
    let structured =
        path.extension().is_some_and(|extension| ["json", "yaml", "yml"].iter().any(|known| extension == *known));
    // A text that is referred to, such as a description in Markdown.
    if structured { parse::tree(&name, &text, (budget, |_| false), skipped) } else { Ok(Value::String(text)) }
}

/// Returns a reference with `%7B` and the like resolved, as JSON pointers in URLs are written.
fn decoded(reference: &str) -> String {
    let bytes = reference.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let hex = if byte == b'%' { reference.get(index + 1..index + 3) } else { None };
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                out.push(value);
                index += 3;
            }
            None => {
                out.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| reference.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::import::read;

    #[test]
    fn other_files_are_brought_in_with_their_own_references() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("models"))?;
        fs::write(
            folder.path().join("models/a.yml"),
            "type: object\nproperties:\n  b: {$ref: 'b.yml'}\n  c: {$ref: '#/x'}\nx: 1\n",
        )?;
        fs::write(folder.path().join("models/b.yml"), "type: string\ndescription: {$ref: ../text.md}\n")?;
        fs::write(folder.path().join("text.md"), "Words.")?;
        fs::write(
            folder.path().join("s.yaml"),
            "openapi: 3.0.0\na: {$ref: 'models/a.yml'}\ngone: {$ref: 'gone.yml#/A'}\n",
        )?;
        let read = read::read(&folder.path().join("s.yaml")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read.root["a"], json!({"$ref": "#/x-files/models~1a.yml"}));
        assert_eq!(read.root["x-files"]["models/a.yml"]["properties"]["b"], json!({"$ref": "#/x-files/models~1b.yml"}));
        assert_eq!(
            read.root["x-files"]["models/a.yml"]["properties"]["c"],
            json!({"$ref": "#/x-files/models~1a.yml/x"})
        );
        assert_eq!(read.root["x-files"]["text.md"], "Words.");
        assert_eq!(read.root["gone"], json!({"$ref": "#/x-files/gone.yml/A"}));
        assert_eq!(read.skipped, ["gone.yml: referenced file not found"]);
        Ok(())
    }

    #[test]
    fn place_in_another_file_is_reported_with_the_name_of_the_file() {
        for (pointer, expected) in [
            ("/x-files/models~1a.yml/properties/b", "models/a.yml#/properties/b"),
            ("#/x-files/text.md", "text.md#"),
            ("/components/schemas/A", "/components/schemas/A"),
            ("#/components/schemas/A", "#/components/schemas/A"),
        ] {
            assert_eq!(display_pointer(pointer), expected);
        }
    }

    #[test]
    fn references_are_decoded() {
        assert_eq!(decoded("#/paths/~1a~1%7Bid%7D"), "#/paths/~1a~1{id}");
        assert_eq!(decoded("#/a%zz%"), "#/a%zz%");
    }
}
