//! Open enums: components with `enum` become types of core's `open_enum!`, which keep a value that is not listed.
//!
//! typify's own enums are closed: a value that a vendor adds would fail the whole response.

use openapi_document::component_schemas;
use serde_json::Value;

use super::identifiers;
use crate::text::{
    self,
    markdown::{code_span, doc_comment, tested},
};

/// An enum of a document.
#[derive(PartialEq, Eq)]
pub(crate) struct OpenEnum {
    /// Its Rust name.
    pub(crate) name: String,
    doc: String,
    variants: Vec<Variant>,
}

#[derive(PartialEq, Eq)]
struct Variant {
    name: String,
    value: String,
    doc: String,
}

/// Returns whether a component becomes an open enum.
pub(crate) fn is_enum(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("string") && schema.get("enum").is_some_and(Value::is_array)
}

/// Returns all enums of a document, by name.
pub(crate) fn open_enums(root: &Value) -> Vec<OpenEnum> {
    let mut enums = component_schemas(root).filter(|(_, schema)| is_enum(schema)).map(open_enum).collect::<Vec<_>>();
    enums.sort_by(|one, other| one.name.cmp(&other.name));
    enums
}

fn open_enum((name, schema): (&str, &Value)) -> OpenEnum {
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let (doc, documented) = split(description);
    let variants = values(schema).into_iter().zip(variant_names(schema)).map(|(value, name)| {
        let documented = documented.iter().find(|(of, _)| *of == value).map_or("", |(_, text)| text.as_str());
        let shown = code_span(&format!("{value:?}"));
        let doc = if documented.is_empty() {
            format!("{shown}.")
        } else {
            format!("{shown}: {}", text::sentence(documented))
        };
        Variant { name, value: value.to_owned(), doc: doc_comment(&doc) }
    });
    let doc = if doc.is_empty() { format!("{}.", code_span(name)) } else { doc_comment(&doc) };
    OpenEnum { name: identifiers::component_name(name), doc, variants: variants.collect() }
}

/// Returns the listed values; `null` stands for `nullable` and is not one of them.
pub(crate) fn values(schema: &Value) -> Vec<&str> {
    schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Returns the values' Rust names, in their order: those of `x-enum-varnames`, else made of the values.
///
/// Lint rejects a document where they are not valid names, or not distinct.
pub(crate) fn variant_names(schema: &Value) -> Vec<String> {
    match schema.get("x-enum-varnames").and_then(Value::as_array) {
        Some(names) => names.iter().map(|name| name.as_str().unwrap_or_default().to_owned()).collect(),
        None => values(schema).into_iter().map(identifiers::type_name).collect(),
    }
}

/// Returns the values that have a line in the description.
pub(crate) fn described(schema: &Value) -> Vec<&str> {
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    split(description).1.into_iter().filter(|(_, text)| !text.is_empty()).map(|(value, _)| value).collect()
}

/// Takes the list of values (``- `VALUE`: text``, with indented lines below it) out of a description: the rest, and value and
/// text of each entry.
fn split(description: &str) -> (String, Vec<(&str, String)>) {
    let mut rest = Vec::new();
    let mut documented = Vec::<(&str, String)>::new();
    let mut in_entry = false;
    for line in description.lines() {
        if let Some((value, text)) = value_line(line) {
            documented.push((value, text.to_owned()));
            in_entry = true;
        } else if let (true, true, Some((_, text))) = (in_entry, line.starts_with(' '), documented.last_mut()) {
            text.push(' ');
            text.push_str(line.trim());
        } else {
            in_entry = false;
            rest.push(line);
        }
    }
    (rest.join("\n").trim().to_owned(), documented)
}

fn value_line(line: &str) -> Option<(&str, &str)> {
    let (value, text) = line.strip_prefix("- `")?.split_once('`')?;
    let value = if value == "\"\"" { "" } else { value };
    Some((value, text.strip_prefix(':')?.trim()))
}

impl OpenEnum {
    /// Returns the Rust names of its values.
    pub(crate) fn variants(&self) -> impl Iterator<Item = &str> {
        self.variants.iter().map(|variant| variant.name.as_str())
    }

    /// Returns the path of its type in generated code.
    pub(crate) fn path(&self) -> String {
        format!("crate::types::{}", self.name)
    }

    /// Returns the item that stands for it until the code is formatted: formatters leave macro bodies alone.
    pub(crate) fn placeholder(&self) -> syn::Item {
        let name = quote::format_ident!("OpenEnumPlaceholder{}", self.name);
        syn::parse_quote!(struct #name;)
    }

    /// Returns its definition in formatted code.
    pub(super) fn definition(&self) -> String {
        let mut out = String::from("::progenitor_client::open_enum! {\n");
        comment(&mut out, "    ", &self.doc);
        out.push_str(&format!("    pub enum {} {{\n", self.name));
        for variant in &self.variants {
            comment(&mut out, "        ", &variant.doc);
            out.push_str(&format!("        {} = {:?},\n", variant.name, variant.value));
        }
        out.push_str("    }\n}");
        out
    }
}

fn comment(out: &mut String, indent: &str, text: &str) {
    for line in tested(text.to_owned()).lines() {
        out.push_str(format!("{indent}/// {line}").trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status() -> OpenEnum {
        open_enum((
            "order_status",
            &json!({
                "type": "string",
                "description": "State of an order.\n\n- `\"\"`: not known\n- `in_work`: being\n  <made>",
                "enum": ["", "in_work", "gone"],
                "x-enum-varnames": ["Empty", "InWork", "Gone"],
            }),
        ))
    }

    #[test]
    fn an_enum_is_written_with_a_line_of_doc_for_each_value() {
        assert_eq!(
            status().definition(),
            r#"::progenitor_client::open_enum! {
    /// State of an order.
    pub enum OrderStatus {
        /// `""`: not known.
        Empty = "",
        /// `"in_work"`: being \<made\>.
        InWork = "in_work",
        /// `"gone"`.
        Gone = "gone",
    }
}"#
        );
    }

    #[test]
    fn names_are_made_of_the_values_unless_the_document_names_them() {
        assert_eq!(variant_names(&json!({"enum": ["IN_WORK", "2nd"]})), ["InWork", "_2nd"]);
    }

    #[test]
    fn a_null_among_the_values_is_none() {
        assert_eq!(values(&json!({"enum": ["a", null]})), ["a"]);
    }
}
