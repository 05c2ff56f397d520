//! Doc comments: every public item has one, as `///` lines that rustdoc takes without a warning.

use std::collections::BTreeMap;

use syn::{Attribute, Fields, File, ImplItem, Item, ItemImpl, parse_quote, visit_mut::VisitMut};

use super::{
    doc_attributes::{doc, set_doc},
    last_name, module,
};
use crate::{
    codegen::{docs::operations::OperationDocs, identifiers::type_name},
    text::markdown::doc_comment,
};

/// Writes all doc comments.
pub(crate) fn rewrite(file: &mut File, docs: &BTreeMap<String, OperationDocs>) {
    for item in &mut file.items {
        match item {
            Item::Impl(block) if last_name(&block.self_ty).is_some_and(|name| name == "Client") => methods(block, docs),
            Item::Struct(client) if client.ident == "Client" => escape(&mut client.attrs),
            _ => {}
        }
    }
    if let Some(types) = module(&mut file.items, "types") {
        let fields = types_of_document(types);
        if let Some(builders) = module(types, "builder") {
            type_builders(builders, &fields);
        }
    }
    if let Some(calls) = module(&mut file.items, "builder") {
        call_builders(calls, docs);
    }
    Lines.visit_file_mut(file);
}

/// Sets the documentation of the client's methods: one for each operation, and the constructor.
fn methods(block: &mut ItemImpl, docs: &BTreeMap<String, OperationDocs>) {
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        let name = function.sig.ident.to_string();
        if let Some(operation) = docs.get(&name) {
            set_doc(&mut function.attrs, &operation.method);
            if let Some(note) = &operation.deprecated {
                function.attrs.push(parse_quote!(#[deprecated(note = #note)]));
            }
        } else if name == "new_with_client" {
            set_doc(&mut function.attrs, CONSTRUCTOR);
        }
    }
}

const CONSTRUCTOR: &str = "A client of the service at `baseurl`, on a given HTTP client and transport.

Everything that a call needs besides its own parameters (credentials, limits, retries) is in the transport.";

/// Descriptions of types and fields come from the document: makes them safe, and returns those of the fields by type and name.
fn types_of_document(types: &mut [Item]) -> BTreeMap<(String, String), String> {
    let mut fields = BTreeMap::new();
    for item in types {
        match item {
            Item::Struct(item) => {
                escape(&mut item.attrs);
                for field in &mut item.fields {
                    escape(&mut field.attrs);
                    let Some(name) = &field.ident else { continue };
                    if doc(&field.attrs).is_none() {
                        set_doc(&mut field.attrs, &format!("`{name}`."));
                    }
                    fields.insert((item.ident.to_string(), name.to_string()), doc(&field.attrs).unwrap_or_default());
                }
            }
            Item::Enum(item) => escape(&mut item.attrs),
            Item::Type(item) => escape(&mut item.attrs),
            Item::Impl(block) if block.trait_.is_none() => {
                for function in functions(block) {
                    if doc(&function.attrs).is_none() {
                        set_doc(&mut function.attrs, "Starts to build a value of this type.");
                    }
                }
            }
            _ => {}
        }
    }
    fields
}

fn type_builders(builders: &mut [Item], fields: &BTreeMap<(String, String), String>) {
    for item in builders {
        match item {
            Item::Struct(item) => {
                let name = &item.ident;
                set_doc(&mut item.attrs, &format!("Builds a [`{name}`](super::{name})."));
                without_field_docs(&mut item.fields);
            }
            Item::Impl(block) if block.trait_.is_none() => {
                let owner = last_name(&block.self_ty).unwrap_or_default();
                for function in functions(block) {
                    let name = function.sig.ident.to_string();
                    let text = fields.get(&(owner.clone(), name.clone())).cloned();
                    set_doc(&mut function.attrs, &text.unwrap_or_else(|| format!("Sets `{name}`.")));
                }
            }
            _ => {}
        }
    }
}

fn call_builders(calls: &mut [Item], docs: &BTreeMap<String, OperationDocs>) {
    for item in calls {
        match item {
            Item::Struct(item) => {
                let method = docs.keys().find(|name| item.ident == type_name(name)).cloned().unwrap_or_default();
                set_doc(
                    &mut item.attrs,
                    &format!("A call of [`Client::{method}`](super::Client::{method}), not sent yet."),
                );
                without_field_docs(&mut item.fields);
            }
            Item::Impl(block) => {
                let owner = last_name(&block.self_ty).unwrap_or_default();
                let operation = docs.iter().find(|(name, _)| type_name(name) == owner).map(|(_, docs)| docs);
                for function in functions(block) {
                    let name = function.sig.ident.to_string();
                    let setter = operation.and_then(|docs| docs.setters.get(&name)).filter(|text| !text.is_empty());
                    let text = match (name.as_str(), setter) {
                        ("new", None) => "A call of this client, with no parameter set.".to_owned(),
                        ("send", None) => "Sends the call. A parameter that is required and not set, or does not convert, is an error.".to_owned(),
                        ("body_map", None) => "Changes the body with its builder.".to_owned(),
                        (_, Some(text)) => text.clone(),
                        (_, None) => format!("Sets `{name}`."),
                    };
                    set_doc(&mut function.attrs, &text);
                }
            }
            _ => {}
        }
    }
}

fn functions(block: &mut ItemImpl) -> impl Iterator<Item = &mut syn::ImplItemFn> {
    block.items.iter_mut().filter_map(|item| if let ImplItem::Fn(function) = item { Some(function) } else { None })
}

fn without_field_docs(fields: &mut Fields) {
    fields.iter_mut().for_each(|field| field.attrs.retain(|attribute| !attribute.path().is_ident("doc")));
}

fn escape(attributes: &mut Vec<Attribute>) {
    if let Some(text) = doc(attributes) {
        set_doc(attributes, &doc_comment(&text));
    }
}

/// Splits what is left: a text of several lines would be printed as a block comment. Here all doc comments pass, so that none of
/// them holds code.
pub(crate) struct Lines;

impl VisitMut for Lines {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        // The generator documents a module from outside; `set_doc` would turn a comment inside it into one of the first item.
        attributes.retain(|attribute| {
            !(attribute.path().is_ident("doc") && matches!(attribute.style, syn::AttrStyle::Inner(_)))
        });
        if let Some(text) = doc(attributes) {
            set_doc(attributes, &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(code: &str) -> String {
        let mut file = syn::parse_file(code).expect("it is Rust");
        let docs = OperationDocs {
            method: "Gets <it>.\n\nMore.".to_owned(),
            setters: BTreeMap::from([("id".to_owned(), "The id.".to_owned())]),
            deprecated: Some("use `other`".to_owned()),
        };
        rewrite(&mut file, &BTreeMap::from([("get_it".to_owned(), docs)]));
        prettyplease::unparse(&file)
    }

    #[test]
    fn methods_have_the_documents_text_and_deprecation() {
        let code = rewritten("impl Client { #[doc = \"old\"] pub fn get_it(&self) {} }");
        let expected =
            "    /// Gets <it>.\n    ///\n    /// More.\n    #[deprecated(note = \"use `other`\")]\n    pub fn get_it";
        assert!(code.contains(expected), "{code}");
    }

    #[test]
    fn types_and_fields_are_escaped_and_their_builders_say_the_same() {
        let code = rewritten(
            "mod types {
                #[doc = \"A <b>\\n\\nc\"] pub struct A { #[doc = \"see https://x.y\"] pub f: u8, pub g: u8 }
                mod builder { pub struct A { f: u8 } impl A { pub fn f(self) {} } }
            }",
        );
        assert!(code.contains("/// A \\<b\\>\n    ///\n    /// c\n"), "{code}");
        assert_eq!(code.matches("/// see <https://x.y>\n").count(), 2, "{code}");
        assert!(code.contains("/// `g`.\n") && code.contains("/// Builds a [`A`](super::A)."), "{code}");
    }

    #[test]
    fn calls_and_setters_are_described() {
        let code = rewritten(
            "mod builder { pub struct GetIt { id: u8 } impl GetIt { pub fn new() {} pub fn id() {} pub fn x() {} } }",
        );
        assert!(code.contains("/// A call of [`Client::get_it`](super::Client::get_it), not sent yet."), "{code}");
        assert!(code.contains("/// The id.") && code.contains("/// Sets `x`."), "{code}");
    }
}
