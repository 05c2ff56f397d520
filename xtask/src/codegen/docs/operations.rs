//! Doc comments of operations: everything that the document states of a call, where its caller reads it.

use std::{collections::BTreeMap, fmt::Write as _};

use openapi_document::{Operation, operations, resolve};
use serde_json::{Map, Value};

use super::constraints::with_limits;
use crate::{
    codegen::{
        identifiers::{setter_name, value_name},
        parameter_names,
    },
    text::{
        markdown::{code_span, doc_comment, doc_line, list_entry},
        sentence,
    },
};

/// The documentation of one operation, ready for rustdoc.
pub(crate) struct OperationDocs {
    /// The documentation of the client's method.
    pub(crate) method: String,
    /// The documentation of the call's setters, by Rust name.
    pub(crate) setters: BTreeMap<String, String>,
    /// Why not to use it, if the vendor states it.
    pub(crate) deprecated: Option<String>,
}

/// Returns the documentation of all operations of a document, by Rust name.
pub(crate) fn operation_docs(root: &Value) -> BTreeMap<String, OperationDocs> {
    let all = operations(root);
    let known = all.iter().filter(|operation| !operation.is_sent_by_core()).map(Operation::id).collect::<Vec<_>>();
    let docs = all.iter().map(|operation| (value_name(operation.id()), docs(root, operation, &known)));
    docs.collect()
}

fn docs(root: &Value, operation: &Operation<'_>, known: &[&str]) -> OperationDocs {
    let superseded_by = operation.text("x-superseded-by");
    let deprecated = operation.flag("deprecated").then(|| match superseded_by {
        "" => "the vendor has deprecated it".to_owned(),
        other => format!("use `{}`", value_name(other)),
    });
    OperationDocs { method: method(root, operation, known), setters: setters(root, operation), deprecated }
}

fn method(root: &Value, operation: &Operation<'_>, known: &[&str]) -> String {
    let mut text = String::new();
    let mut paragraph = |part: String| {
        if !part.is_empty() {
            let gap = if text.is_empty() { "" } else { "\n\n" };
            _ = write!(text, "{gap}{part}");
        }
    };
    paragraph(doc_comment(&sentence(operation.text("summary"))));
    paragraph(doc_comment(operation.text("description")));
    paragraph(marks(root, operation, known));
    let request = format!("{} {}", operation.method.to_uppercase(), operation.path);
    paragraph(format!("Sends {}.", code_span(&request)));
    paragraph(headed("Parameters", parameters(root, operation)));
    paragraph(headed("Errors", errors(root, operation)));
    paragraph(headed("Sources", sources(operation)));
    text
}

fn headed(title: &str, lines: Vec<String>) -> String {
    if lines.is_empty() { String::new() } else { format!("# {title}\n\n{}", lines.join("\n")) }
}

/// Returns the marks, a sentence each.
fn marks(root: &Value, operation: &Operation<'_>, known: &[&str]) -> String {
    let link = |id: &str| {
        let name = value_name(id);
        if known.contains(&id) { format!("[`{name}`](Client::{name})") } else { format!("`{name}`") }
    };
    let mut lines = Vec::new();
    match operation.text("x-superseded-by") {
        "" => {}
        other => lines.push(format!("**Superseded** by {}.", link(other))),
    }
    if operation.flag("x-preview") {
        lines.push("**Preview**: the vendor may change it without notice.".to_owned());
    }
    match operation.strings("x-permissions").map(code_span).collect::<Vec<_>>().as_slice() {
        [] => {}
        [one] => lines.push(format!("Permission: {one}.")),
        any => lines.push(format!("Permissions: any of {}.", any.join(", "))),
    }
    if let Some(limit) = operation.value.get("x-rate-limit") {
        lines.push(format!("Rate limit: {}", doc_comment(&sentence(&facts(limit)))));
    }
    if operation.flag("x-idempotent") {
        lines.push("Safe to repeat: sending the same request again changes nothing more.".to_owned());
    }
    match operation.text("x-idempotent-with") {
        "" => {}
        field => lines.push(format!("Safe to repeat if the body has {}.", code_span(field))),
    }
    if let Some(paging) = operation.value.get("x-pagination").and_then(Value::as_object) {
        lines.push(pages(root, operation, paging));
    }
    let poll = operation.value.get("x-long-running").and_then(|long| long.get("poll")).and_then(Value::as_str);
    if let Some(poll) = poll {
        lines.push(if poll == operation.id() {
            "Long-running: call it again until the state is final.".to_owned()
        } else {
            format!("Long-running: poll {}.", link(poll))
        });
    }
    if operation.flag("x-download") {
        lines.push("The body is streamed as it comes.".to_owned());
    }
    lines.join("\n\n")
}

fn pages(root: &Value, operation: &Operation<'_>, paging: &Map<String, Value>) -> String {
    let setter =
        |name| parameter_names::setter(root, operation, name, &["query", "header"]).unwrap_or_else(|| value_name(name));
    let text = |key: &str| paging.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut line = format!("Paged by {}", doc_line(text("style").unwrap_or("pages")));
    if let Some(param) = text("param") {
        _ = write!(line, " in `{}`", setter(param));
    }
    if let Some(limit) = text("limit") {
        _ = write!(line, ", size in `{}`", setter(limit));
    }
    if let Some(max) = paging.get("max").filter(|max| !max.is_null()) {
        _ = write!(line, ", at most {}", doc_line(&facts(max)));
    }
    if let Some(items) = text("items") {
        _ = write!(line, "; entries in {}", code_span(items));
    }
    if let Some(next) = text("next") {
        _ = write!(line, "; next page in {}", code_span(next));
    }
    line + "."
}

/// Returns a mark's value in words: a text as it is, a mapping as `key value` pairs.
fn facts(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| format!("{key} {}", facts(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Array(list) => list.iter().map(facts).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn parameters(root: &Value, operation: &Operation<'_>) -> Vec<String> {
    let described = |(parameter, name): (&Value, String)| {
        let mut entry = format!("`{}`", setter_name(&name));
        if parameter_names::is_renamed(parameter, &name) {
            let (wire, location) = (parameter_names::wire_name(parameter), parameter_names::location(parameter));
            _ = write!(entry, " ({} in {location})", code_span(wire));
        }
        (entry, parameter_text(root, parameter), required(parameter))
    };
    let mut lines = parameter_names::of_operation(root, operation).into_iter().map(described).collect::<Vec<_>>();
    if let Some(body) = operation.body(root) {
        lines.push(("`body`".to_owned(), text_of(body, "description"), true));
    }
    let lines = lines.into_iter().map(|(entry, text, required)| {
        let required = if required { " (required)" } else { "" };
        list_entry(&format!("{entry}{required}"), &text)
    });
    lines.collect()
}

fn setters(root: &Value, operation: &Operation<'_>) -> BTreeMap<String, String> {
    let parameters = parameter_names::of_operation(root, operation);
    let documented =
        parameters.into_iter().map(|(parameter, name)| (setter_name(&name), parameter_text(root, parameter)));
    let body = operation.body(root).map(|body| ("body".to_owned(), text_of(body, "description")));
    documented.chain(body).map(|(name, text)| (name, doc_comment(&text))).collect()
}

fn parameter_text(root: &Value, parameter: &Value) -> String {
    let description = text_of(parameter, "description");
    let Some(schema) = parameter.get("schema") else { return description };
    let limits = resolve(root, schema).as_object().cloned().unwrap_or_default();
    with_limits(&description, &limits)
}

fn required(parameter: &Value) -> bool {
    parameter.get("required").and_then(Value::as_bool).unwrap_or_default()
}

/// Returns the responses other than successes: status and text.
fn errors(root: &Value, operation: &Operation<'_>) -> Vec<String> {
    let errors = operation.responses(root).into_iter().filter(|(status, _)| !status.starts_with('2'));
    let mut lines = errors
        .map(|(status, response)| {
            let status = if status == "default" { "any other".to_owned() } else { doc_line(status) };
            list_entry(&status, &text_of(response, "description"))
        })
        .collect::<Vec<_>>();
    lines.sort();
    lines
}

fn sources(operation: &Operation<'_>) -> Vec<String> {
    let sources = operation.value.get("x-source").and_then(Value::as_array).into_iter().flatten();
    let line = |source: &Value| {
        let [reference, seen] = ["ref", "seen"].map(|key| doc_line(&text_of(source, key)));
        format!("- {reference}, seen {seen}")
    };
    sources.map(line).collect()
}

fn text_of(node: &Value, key: &str) -> String {
    node.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_support::{changed, mini};

    fn doc(of: &str) -> OperationDocs {
        operation_docs(&mini().root).remove(of).expect("it is there")
    }

    #[test]
    fn a_method_says_all_that_the_document_says() {
        assert_eq!(
            doc("list_orders").method,
            "Orders, newest first.

At most a year back.

Permissions: any of `orders:read`, `orders:all`.

Paged by cursor in `after`, size in `limit`, at most 100; entries in `orders`; next page in `next`.

Sends `GET /orders`.

# Parameters

- `after`: Cursor of the page.
- `limit`: Size of the page. Default: 25. At least 1. At most 100.
- `since`: Not before.
- `status`: Only these.
- `x_trace`: Returned in the response.

# Errors

- 429: Too many requests.

# Sources

- Shop reference, Orders, seen 2026-11-20"
        );
    }

    #[test]
    fn marks_are_sentences() {
        let method = doc("get_order").method;
        assert!(method.contains("**Superseded** by [`list_orders`](Client::list_orders)."), "{method}");
        assert!(method.contains("**Preview**: the vendor may change it without notice."), "{method}");
        assert!(doc("create_order").method.contains("Safe to repeat if the body has `id`."));
        assert!(doc("export_orders").method.contains("The body is streamed as it comes."));
    }

    #[test]
    fn other_marks_are_sentences_too() {
        let documented = |mark: &str, value: Value| {
            let document = changed(&format!("/paths/~1export/get/{mark}"), value);
            operation_docs(&document.root).remove("export_orders").map(|docs| docs.method).unwrap_or_default()
        };
        assert!(documented("x-rate-limit", json!("5 a second")).contains("\n\nRate limit: 5 a second.\n\n"));
        assert!(documented("x-permissions", json!(["all"])).contains("\n\nPermission: `all`.\n\n"));
        assert!(documented("x-idempotent", json!(true)).contains("\n\nSafe to repeat: "));
        assert!(
            documented("x-long-running", json!({"poll": "getOrder"}))
                .contains("\n\nLong-running: poll [`get_order`](Client::get_order).\n\n")
        );
    }

    #[test]
    fn only_operations_that_the_vendor_deprecates_are_deprecated() {
        assert_eq!(doc("get_order").deprecated.as_deref(), Some("use `list_orders`"));
        assert_eq!(doc("list_orders").deprecated, None);
    }

    #[test]
    fn setters_have_the_descriptions_of_their_parameters() {
        assert_eq!(doc("list_orders").setters["limit"], "Size of the page. Default: 25. At least 1. At most 100.");
        assert_eq!(doc("create_order").setters["body"], "The order.");
    }
}
