//! The operations of a specification, to choose from.

use std::{io::Write, process::ExitCode};

use openapi_document::Operation;

use super::unsupported;
use crate::{
    import::{self, Choice, Kind, Loss, Published},
    output::Failure,
    text::printable,
};

/// Prints tags and operations with their sizes: all, or those of the choice.
pub(super) fn list(published: &Published, choice: &Choice, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let all = import::operations(&published.root);
    let operations = if choice.is_empty() { all } else { choice.of(&published.root)? };
    writeln!(out, "{}: {}, {} operations\n", printable(&published.file), published.edition, operations.len())?;
    writeln!(out, "{:>10}  tag", "operations")?;
    for (tag, count) in import::tags(&operations) {
        writeln!(out, "{count:>10}  {}", if tag.is_empty() { "(none)".to_owned() } else { printable(tag) })?;
    }
    writeln!(out, "\n{:>7}  operation", "schemas")?;
    let left_out = left_out(published, &operations);
    for operation in &operations {
        let named = format!("{} {}", operation.method.to_uppercase(), operation.path);
        let prefix = format!("{named}: ");
        let bare = |reason: &str| reason.strip_prefix(&prefix).unwrap_or(reason).to_owned();
        let converted = import::convert(published, std::slice::from_ref(operation), "2000-01-01").and_then(|draft| {
            unsupported::checked("list", &draft, published)
                .map(|_| draft.schemas.len())
                .map_err(|failure| failure.reason)
        });
        let (size, why) = match converted {
            Ok(schemas) => {
                let reason = left_out.iter().find(|loss| loss.at == operation.pointer).map(|loss| loss.text.as_str());
                let why = reason.map(|reason| format!(": only without the others: {}", bare(reason)));
                (schemas.to_string(), why.unwrap_or_default())
            }
            Err(reason) => ("cannot".to_owned(), format!(": {}", bare(&reason))),
        };
        let id = if operation.id().is_empty() { String::new() } else { format!("{}  ", operation.id()) };
        writeln!(out, "{size:>7}  {}", printable(&format!("{id}{named}{why}")))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the operations that are left out if all are chosen, such as those with other credentials than most.
fn left_out(published: &Published, operations: &[Operation<'_>]) -> Vec<Loss> {
    let draft = import::convert(published, operations, "2000-01-01");
    let losses = draft.map(|draft| draft.losses).unwrap_or_default();
    losses.into_iter().filter(|loss| loss.kind == Kind::Operation).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_that_are_left_out_are_listed_with_the_reason() {
        let key = |name: &str, location: &str| json!({"type": "apiKey", "in": location, "name": name});
        let get = |id: &str, scheme: &str| json!({"get": {"operationId": id, "security": [{scheme: []}], "responses": {"204": {"description": "d"}}}});
        let root = json!({
            "openapi": "3.0.3", "info": {"title": "X", "version": "1"}, "servers": [{"url": "https://api.x.example"}],
            "components": {"securitySchemes": {"a": key("X-A", "header"), "b": key("X-B", "header"), "q": key("q", "query")}},
            "paths": {"/1": get("one", "a"), "/2": get("two", "a"), "/3": get("three", "b"), "/4": get("four", "q")},
        });
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.json");
        std::fs::write(&path, root.to_string()).expect("it is written");
        let mut out = Vec::new();
        list(&import::read(&path).expect("it is read"), &Choice::default(), &mut out).expect("a vector takes all");
        let out = String::from_utf8(out).expect("it is text");
        let lines = out.lines().filter(|line| line.contains("GET /")).collect::<Vec<_>>();
        let expected = [
            "      0  one  GET /1",
            "      0  two  GET /2",
            "      0  three  GET /3: only without the others: it calls for b, which the client does not have; make it a vendor of its own",
            " cannot  four  GET /4: no supported security scheme: q: a key in the query (\"q\"): core sends keys in headers only, as addresses are logged",
        ];
        assert_eq!(lines, expected);
    }
}
