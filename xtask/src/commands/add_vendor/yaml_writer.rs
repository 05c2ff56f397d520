//! A draft as a document that people read and edit: in the order of `openapi/README.md`, with a comment where something was lost.

use openapi_document::Document;
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Value;

use super::workspace_edits::GENERATED_BY;
use crate::{
    import::{Conversion, Kind, Loss, Owner, Published, display_pointer},
    text::{self, markdown::is_unsafe},
};

/// The order of keys; others follow by name.
const ORDER: [&str; 46] = [
    "openapi",
    "info",
    "title",
    "version",
    "servers",
    "security",
    "operationId",
    "tags",
    "$ref",
    "type",
    "format",
    "name",
    "in",
    "required",
    "allOf",
    "summary",
    "description",
    "nullable",
    "deprecated",
    "x-any",
    "scheme",
    "flows",
    "ref",
    "seen",
    "url",
    "enum",
    "x-enum-varnames",
    "x-source",
    "x-download",
    "parameters",
    "requestBody",
    "responses",
    "content",
    "schema",
    "items",
    "additionalProperties",
    "properties",
    "example",
    "get",
    "put",
    "post",
    "delete",
    "options",
    "head",
    "patch",
    "trace",
];

/// Reserved for the text at once: a string that grows leaves holes, into which nothing large fits. What is not used takes no memory.
const RESERVED: usize = 4 << 20;

/// The form in which values are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// As a person writes it, long strings in blocks.
    Blocks,
    /// As JSON, which is YAML: for strings that the serializer writes and the parser reads as others.
    Json,
}

/// Returns the document's text, and the document as it is parsed. The error states that the parsed text differs from the draft, which would be
/// a fault of ours.
pub(crate) fn document(name: &str, draft: &Conversion, published: &Published) -> Result<(String, Document), String> {
    let written = |style| {
        let text = text(draft, published, style)?;
        let document = Document::parse(&format!("openapi/{name}.yaml"), &text)?;
        // The draft as one document is a copy of it: made only to find out where they differ.
        if draft.is(&document.root) {
            Ok((text, document))
        } else {
            Err(difference(&draft.document(), &document.root, ""))
        }
    };
    written(Style::Blocks).or_else(|_| written(Style::Json))
}

fn text(draft: &Conversion, published: &Published, style: Style) -> Result<String, String> {
    let mut text = String::with_capacity(RESERVED);
    text.push_str(&heading(draft, published));
    for (key, value) in sorted(draft.head().iter()) {
        text.push_str(&entry(key, value.clone(), 0, style)?);
        text.push('\n');
    }
    text.push_str("paths:\n");
    let mut last = "";
    for operation in &draft.operations {
        if operation.path != last {
            text.push_str(&format!("  {}:\n", quoted(&operation.path)));
            last = &operation.path;
        }
        text.push_str(&comments(draft, &Owner::Operation(operation.id.clone()), 4));
        text.push_str(&entry(operation.method, operation.value(), 4, style)?);
        text.push('\n');
    }
    text.push_str("components:\n");
    if !draft.schemas.is_empty() {
        text.push_str("  schemas:\n");
    }
    for (name, schema) in &draft.schemas {
        text.push_str(&comments(draft, &Owner::Schema(name.clone()), 4));
        text.push_str(&entry(name, schema.value(), 4, style)?);
        text.push('\n');
    }
    text.push_str(&entry("securitySchemes", draft.schemes().clone(), 2, style)?);
    Ok(text)
}

fn heading(draft: &Conversion, published: &Published) -> String {
    let lost = draft.losses.len();
    format!(
        "{GENERATED_BY} from {} ({}, sha256 {}).\n\
         #\n\
         # A draft, not curated yet: the descriptions are the vendor's, `required` is the vendor's, and examples are made up where the\n\
         # vendor shows none. What is left to decide is in openapi/README.md: extensions (x-idempotent, x-pagination, …), formats, descriptions.\n\
         # Error bodies are left out: core reads every error itself.\n\
         # {lost} things were lost or changed on the way: in comments below as \"Changed\", and together in openapi/upstream/.\n\n",
        commented(&published.file),
        published.edition,
        published.sha256
    )
}

fn comments(draft: &Conversion, owner: &Owner, indent: usize) -> String {
    // Error bodies are left out everywhere, which the heading states.
    let own = draft.losses.iter().filter(|loss| loss.owner == *owner && loss.kind != Kind::ErrorBody);
    own.map(|loss| {
        format!("{:indent$}# Changed: {} (vendor's {})\n", "", commented(&loss.text), commented(&location(loss)))
    })
    .collect()
}

fn location(loss: &Loss) -> String {
    if loss.at.is_empty() { "document".to_owned() } else { display_pointer(&loss.at) }
}

/// Returns text for a comment, without the characters that end its line.
fn commented(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() || is_unsafe(letter) { ' ' } else { letter }).collect()
}

/// Returns `key: value` with all lines indented.
fn entry(key: &str, value: Value, indent: usize, style: Style) -> Result<String, String> {
    if style == Style::Json {
        return Ok(format!("{:indent$}{}: {}\n", "", text::quoted(key), json(&value)));
    }
    let map = serde_json::Map::from_iter([(key.to_owned(), value)]);
    let text = yaml(&Value::Object(map))?;
    let lines = text.lines().map(|line| if line.is_empty() { String::new() } else { format!("{:indent$}{line}", "") });
    Ok(lines.map(|line| line + "\n").collect())
}

/// Returns a path as a key. A long string would be written as a block, which is not a key.
fn quoted(text: &str) -> String {
    let plain = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "/_-.{}".contains(letter));
    if plain { text.to_owned() } else { text::quoted(text) }
}

/// Returns a value in one line.
fn json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries = sorted(map.iter()).into_iter();
            let entries = entries.map(|(key, value)| format!("{}: {}", text::quoted(key), json(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::String(text) => text::quoted(text),
        other => other.to_string(),
    }
}

fn yaml(value: &Value) -> Result<String, String> {
    let options =
        serde_saphyr::ser_options! { prefer_block_scalars: true, folded_wrap_chars: 120, compact_list_indent: false };
    serde_saphyr::to_string_with_options(&Ordered(value), options)
        .map_err(|error| format!("the generated document is not valid YAML: {error}"))
}

struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in sorted(map.iter()) {
                    out.serialize_entry(key, &Ordered(value))?;
                }
                out.end()
            }
            Value::Array(list) => {
                let mut out = serializer.serialize_seq(Some(list.len()))?;
                for value in list {
                    out.serialize_element(&Ordered(value))?;
                }
                out.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

fn sorted<'a>(entries: impl Iterator<Item = (&'a String, &'a Value)>) -> Vec<(&'a String, &'a Value)> {
    let mut entries = entries.collect::<Vec<_>>();
    let rank = |key: &str| ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len());
    entries.sort_by(|(one, _), (other, _)| (rank(one), one).cmp(&(rank(other), other)));
    entries
}

/// Returns the first location where two documents differ.
fn difference(expected: &Value, read: &Value, at: &str) -> String {
    let pairs: Vec<(String, &Value, &Value)> = match (expected, read) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            one.iter().zip(other.values()).map(|((key, one), other)| (key.clone(), one, other)).collect()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            one.iter().zip(other).enumerate().map(|(index, (one, other))| (index.to_string(), one, other)).collect()
        }
        _ => vec![],
    };
    match pairs.into_iter().find(|(_, one, other)| one != other) {
        Some((key, one, other)) => difference(one, other, &openapi_document::pointer::child(at, &key)),
        None => {
            format!("the generated document differs at {at} after parsing: a bug of add-vendor; please report it")
        }
    }
}
