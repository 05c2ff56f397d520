//! A published specification's file: JSON or YAML, also YAML that is broken in places.

use std::{fmt, fs, path::Path};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{files, mend, select};

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
    let bytes = fs::read(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut published = parse(&file, &text)?;
    if text.contains('\u{fffd}') && std::str::from_utf8(&bytes).is_err() {
        published.skipped.push(format!("{file}: not UTF-8: odd bytes became \u{fffd}"));
    }
    files::bundle(&mut published, path.parent().unwrap_or(Path::new("")));
    published.skipped.extend(select::lost(&published.root));
    Ok(published)
}

/// Reads a text.
pub(crate) fn parse(file: &str, text: &str) -> Result<Published, String> {
    let mut skipped = Vec::new();
    let root = tree(file, text, &mut skipped)?;
    let edition = edition(file, &root)?;
    let sha256 = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Published { file: file.to_owned(), sha256, edition, root, skipped })
}

/// JSON, if it looks like it and is; else YAML.
pub(super) fn tree(file: &str, text: &str, skipped: &mut Vec<String>) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        // YAML's parser takes more than JSON's (a comma at the end), but says less well what is wrong with JSON.
        return serde_json::from_str(text).or_else(|error| {
            let place = format!("{file}:{}:{}", error.line(), error.column());
            mend::yaml(file, text, skipped).map_err(|_| format!("{place}: {}", without_place(&error.to_string())))
        });
    }
    mend::yaml(file, text, skipped)
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
    use super::*;

    #[test]
    fn the_three_editions_are_told_apart() {
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
    fn what_is_no_specification_is_said_in_a_line() {
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
