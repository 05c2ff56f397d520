//! Labels: the owner of the value at a pointer, and its name within the owner.

use openapi_document::{
    DocumentTree,
    pointer::{Pointer, Step},
};

use crate::report::Owner;

/// Keywords that begin the inside of a schema, an operation or a part of a message.
const KEYWORDS: &[&str] = &[
    "additionalProperties",
    "allOf",
    "anyOf",
    "content",
    "headers",
    "items",
    "oneOf",
    "parameters",
    "patternProperties",
    "prefixItems",
    "properties",
    "requestBody",
    "responses",
    "schema",
    "security",
    "servers",
];

/// Returns who owns a location, and what it is called within its owner: `address.city`, `200: data[].id`, empty for the owner
/// itself.
pub(crate) fn location(document: &DocumentTree<'_>, pointer: &Pointer<'_>) -> (Owner, String) {
    let steps = pointer.steps();
    match steps.as_slice() {
        [Step::Key("components"), Step::Key(section), Step::Key(name), rest @ ..] => {
            let owner = Owner::Component { section: (*section).to_owned(), name: (*name).to_owned() };
            (owner, member(document, &steps[..3], rest))
        }
        [Step::File(path), below @ ..] => {
            // The part of the file that a reference names.
            let is_keyword = |step: &Step<'_>| matches!(step, Step::Key(key) if KEYWORDS.contains(key));
            let named = below.iter().position(is_keyword).unwrap_or(below.len()) + 1;
            let at = steps.iter().take(named).skip(1).fold(Pointer::of_file(path), |at, step| match step {
                Step::Index(index) => at.index(*index),
                Step::Key(key) => at.key(key),
                Step::File(_) => at,
            });
            let path = if named == 1 { (*path).to_owned() } else { at.to_string() };
            (Owner::File { path }, member(document, &steps[..named], &steps[named..]))
        }
        [Step::Key("paths"), Step::Key(path)] => (Owner::Path { path: (*path).to_owned() }, String::new()),
        [Step::Key("paths"), Step::Key(path), Step::Key("parameters" | "servers"), rest @ ..] => {
            (Owner::Path { path: (*path).to_owned() }, member(document, &steps[..3], rest))
        }
        [
            Step::Key("paths" | "webhooks"),
            Step::Key(path),
            Step::Key("additionalOperations"),
            Step::Key(method),
            rest @ ..,
        ] => {
            let owner = Owner::Operation { method: method.to_uppercase(), path: (*path).to_owned() };
            (owner, member(document, &steps[..4], rest))
        }
        [Step::Key("paths"), Step::Key(path), Step::Key(method), rest @ ..] => {
            let owner = Owner::Operation { method: method.to_uppercase(), path: (*path).to_owned() };
            (owner, member(document, &steps[..3], rest))
        }
        [Step::Key("webhooks"), Step::Key(name), Step::Key(method), rest @ ..] => {
            let owner = Owner::Operation { method: method.to_uppercase(), path: (*name).to_owned() };
            (owner, member(document, &steps[..3], rest))
        }
        _ => (Owner::Document, member(document, &[], &steps)),
    }
}

/// Reads the steps below an owner. Keywords that only structure a schema leave no trace.
fn member(document: &DocumentTree<'_>, prefix: &[Step<'_>], steps: &[Step<'_>]) -> String {
    let (mut call, mut part) = ("", String::new());
    let mut name = String::new();
    let mut rest = steps;
    let mut at = prefix.to_vec();
    while let Some((step, tail)) = rest.split_first() {
        let taken = match (step, tail) {
            (Step::Key("properties"), [Step::Key(property), ..]) => {
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(property);
                2
            }
            (Step::Key("items" | "prefixItems"), _) => {
                name.push_str("[]");
                1
            }
            (Step::Key("additionalProperties" | "patternProperties"), _) => {
                name.push_str("{}");
                1
            }
            (Step::Key("responses"), [Step::Key(status), Step::Key("headers"), Step::Key(header), ..]) => {
                part = format!("{status} {header}");
                4
            }
            (Step::Key("responses"), [Step::Key(status), ..]) => {
                (*status).clone_into(&mut part);
                2
            }
            (Step::Key("callbacks"), [Step::Key(name), Step::Key(_), Step::Key(_), ..]) => {
                call = name;
                4
            }
            (Step::Key("requestBody"), _) => {
                "body".clone_into(&mut part);
                1
            }
            (Step::Key("parameters"), [Step::Index(index), ..]) => {
                part = parameter(document, &at, *index);
                2
            }
            _ => 1,
        };
        at.extend(rest.iter().take(taken));
        rest = rest.get(taken..).unwrap_or_default();
    }
    let part = [call, part.as_str()].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match (part.is_empty(), name.is_empty()) {
        (true, _) => name,
        (false, true) => part,
        (false, false) => format!("{part}: {name}"),
    }
}

/// Returns a parameter's title: `limit (query)`.
fn parameter(document: &DocumentTree<'_>, at: &[Step<'_>], index: usize) -> String {
    let mut steps = at.to_vec();
    steps.extend([Step::Key("parameters"), Step::Index(index)]);
    let node = document.node(&steps);
    let text = |key| node.as_ref().and_then(|node| node.text(key)).unwrap_or("?");
    format!("{} ({})", text("name"), text("in"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn location_has_the_name_of_its_owner_and_of_its_member() {
        let root =
            json!({"openapi": "3.0.0", "paths": {"/a": {"get": {"parameters": [{"name": "limit", "in": "query"}]}}}});
        let document = DocumentTree::new(&root).unwrap();
        let read = |path: &'static str| {
            let step = |pointer: Pointer<'static>, token: &'static str| match token.parse() {
                Ok(index) if index < 100 => pointer.index(index),
                _ => pointer.key(token),
            };
            let pointer = path.split(' ').fold(Pointer::default(), step);
            let (owner, member) = location(&document, &pointer);
            format!("{} | {member}", owner.label())
        };
        assert_eq!(read("components schemas Order allOf 1 properties lines items properties id"), "Order | lines[].id");
        assert_eq!(
            read("paths /a get responses 200 content application/json schema properties data"),
            "GET /a | 200: data"
        );
        assert_eq!(read("paths /a get parameters 0 schema"), "GET /a | limit (query)");
        assert_eq!(read("paths /a get requestBody content json schema"), "GET /a | body");
        assert_eq!(
            read("paths /a get callbacks done {url} post requestBody content json schema properties id"),
            "GET /a | done body: id"
        );
        assert_eq!(read("webhooks done post responses 200"), "POST done | 200");
        assert_eq!(read("paths /a additionalOperations COPY responses 200"), "COPY /a | 200");
        assert_eq!(read("components responses Bad headers X-Id"), "response Bad | ");
        assert_eq!(read("servers 0"), "the API | ");
    }
}
