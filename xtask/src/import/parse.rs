//! The text of a published specification: JSON or YAML, also YAML that is broken in places.

use std::fmt;

use openapi_document::{Budget, Unread, pointer::keys, references};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::repair_yaml;
use crate::packed::Packed;

/// A specification as it was read.
pub(crate) struct Published {
    /// The file's name, without folders: it goes into what is committed.
    pub(crate) file: String,
    /// The digest of the file, in hex.
    pub(crate) sha256: String,
    pub(crate) edition: Edition,
    /// Without what no caller reads.
    pub(crate) root: Value,
    /// The parts that could not be read and were skipped, a line each.
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

/// Returns bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a text.
#[cfg(test)]
pub(crate) fn parse(file: &str, text: &str) -> Result<Published, String> {
    parse_within(file, text, &Budget::from_env())
}

/// Reads a text within limits that other files share.
pub(super) fn parse_within(file: &str, text: &str, budget: &Budget) -> Result<Published, String> {
    let mut skipped = Vec::new();
    let mut root = tree(file, text, (budget, is_unread), &mut skipped)?;
    if references(&root).into_iter().any(may_read_unread) {
        // Freed before it is read again.
        drop(root);
        skipped.clear();
        root = tree(file, text, (budget, |_| false), &mut skipped)?;
    }
    let edition = edition(file, &root)?;
    let sha256 = hex(&Sha256::digest(text));
    Ok(Published { file: file.to_owned(), sha256, edition, root, skipped, packed: None })
}

/// Returns whether no caller reads what is under some keys, only whether it is there: what the vendor calls back with, and the bodies of
/// errors, which core reads itself.
fn is_unread(keys: &[String]) -> bool {
    match keys {
        [section, _] => section == "webhooks",
        [section, _, _, key] => section == "paths" && key == "callbacks",
        [section, _, _, responses, status, rest @ ..] => {
            let body = match rest {
                [key] => key == "schema" || key == "examples",
                [key, _] => key == "content",
                _ => false,
            };
            body && section == "paths" && responses == "responses" && status.starts_with(['4', '5'])
        }
        _ => false,
    }
}

/// Returns whether a reference resolves to what is not read, or is to another file, which may have such references, or to an anchor, which
/// may be anywhere.
fn may_read_unread(reference: &str) -> bool {
    let keys = keys(reference).collect::<Vec<_>>();
    !reference.starts_with("#/") || (1..=keys.len()).any(|count| is_unread(&keys[..count]))
}

/// Parses JSON, if the text begins like JSON and is valid; else YAML.
pub(super) fn tree(
    file: &str,
    text: &str,
    (budget, unread): (&Budget, Unread),
    skipped: &mut Vec<String>,
) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        // YAML's parser takes more than JSON's (a comma at the end), but reports less well what is wrong with JSON.
        return budget.json_without(text, unread).or_else(|error| {
            let error = format!("{file}:{}:{}: {}", error.line(), error.column(), without_place(&error.to_string()));
            if budget.is_exceeded() {
                return Err(error);
            }
            repair_yaml::yaml(file, text, (budget, unread), skipped).map_err(|_| error)
        });
    }
    repair_yaml::yaml(file, text, (budget, unread), skipped)
}

fn without_place(message: &str) -> &str {
    message.split(" at line ").next().unwrap_or(message)
}

fn edition(file: &str, root: &Value) -> Result<Edition, String> {
    let version = |key: &str| match root.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let (openapi, swagger) = (version("openapi"), version("swagger"));
    match (openapi.as_str(), swagger.as_str()) {
        (_, "2.0" | "2") => Ok(Edition::Swagger2),
        (version, _) if version.starts_with("3.0") => Ok(Edition::OpenApi30),
        (version, _) if version.starts_with("3.1") => Ok(Edition::OpenApi31),
        ("", "") => Err(format!("{file}: neither `openapi` nor `swagger` at its top: no specification of an HTTP API")),
        ("", other) => Err(format!("{file}: Swagger {other:?} is not read; OpenAPI 3.0 and 3.1 and Swagger 2.0 are")),
        (other, _) => Err(format!("{file}: version {other:?} is not read; OpenAPI 3.0 and 3.1 and Swagger 2.0 are")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn bodies_of_errors_are_read_if_a_reference_may_resolve_there() {
        let text = |schema: &str| {
            format!(
                "openapi: 3.1.0\nwebhooks: {{w: {{post: {{}}}}}}\npaths:\n  /a:\n    get:\n      callbacks: {{c: {{}}}}\n      responses:\n        \
                 '200': {{content: {{application/json: {{schema: {schema}}}}}}}\n        '4XX': {{headers: {{X-A: {{}}}}, content: {{a/b: {{schema: {{type: string}}}}}}}}\n"
            )
        };
        let read =
            |schema: &str| parse("x", &text(schema)).map(|read| read.root).unwrap_or_else(|error| panic!("{error}"));
        let error = "/paths/~1a/get/responses/4XX";
        let own = read("{$ref: '#/components/schemas/A'}");
        assert_eq!(own.pointer(error), Some(&json!({"headers": {"X-A": {}}, "content": {"a/b": null}})));
        assert_eq!((&own["webhooks"]["w"], &own["paths"]["/a"]["get"]["callbacks"]), (&Value::Null, &Value::Null));
        for reference in ["#/paths/~1a/get/responses/4XX/content/a~1b/schema", "#/webhooks/w/post", "#anchor", "a.yaml"]
        {
            let whole = read(&format!("{{$ref: '{reference}'}}"));
            assert_eq!(
                whole.pointer(&format!("{error}/content/a~1b/schema/type")),
                Some(&json!("string")),
                "{reference}"
            );
        }
    }

    #[test]
    fn other_text_than_a_specification_is_an_error_of_one_line() {
        for (text, expected) in [
            ("", "x: neither `openapi` nor `swagger` at its top: no specification of an HTTP API"),
            ("a: b", "x: neither `openapi` nor `swagger` at its top: no specification of an HTTP API"),
            ("openapi: 4.0.0", "x: version \"4.0.0\" is not read; OpenAPI 3.0 and 3.1 and Swagger 2.0 are"),
            ("swagger: '3.0'", "x: Swagger \"3.0\" is not read; OpenAPI 3.0 and 3.1 and Swagger 2.0 are"),
            ("{\"openapi\": ", "x:1:12: EOF while parsing a value"),
        ] {
            assert_eq!(parse("x", text).map(|read| read.edition), Err(expected.to_owned()), "{text}");
        }
    }
}
