//! Calls: core's `call!`, which defines their parameters and setters.

use std::fmt::Write as _;

use quote::ToTokens as _;
use syn::{Attribute, Fields, GenericParam, ImplItem, ImplItemFn, Item, ItemStruct, Type, TypeParamBound, parse_quote};

use super::{
    definitions::Definitions,
    rust_text::{attributes, one_line},
};
use crate::codegen::rewrite::{argument, foreign_name, last_name};

/// Defines the calls. Their methods that send requests stay as they are.
///
/// # Errors
/// The first parameter whose setter has another form than the macro's.
pub(super) fn define(calls: &mut [Item], definitions: &mut Definitions) -> Result<(), String> {
    for at in 0..calls.len() {
        let Some(Item::Struct(call)) = calls.get(at) else { continue };
        let (call, name) = (call.clone(), call.ident.to_string());
        let block = calls.iter_mut().find_map(|item| match item {
            Item::Impl(block) if last_name(&block.self_ty).is_some_and(|owner| owner == name) => Some(block),
            _ => None,
        });
        let Some(block) = block else { continue };
        let mut setters = Vec::new();
        block.items.retain(|item| match item {
            ImplItem::Fn(function) if sends(function) => true,
            ImplItem::Fn(function) => {
                setters.push(function.clone());
                false
            }
            _ => true,
        });
        if let Some(place) = calls.get_mut(at) {
            *place = definitions.add(definition(&call, &setters)?);
        }
    }
    Ok(())
}

/// Returns whether a function is `send` or one that uses it: setters return a call.
fn sends(function: &ImplItemFn) -> bool {
    let syn::ReturnType::Type(_, of) = &function.sig.output else { return true };
    last_name(of).is_none_or(|name| name != "Self")
}

fn definition(call: &ItemStruct, setters: &[ImplItemFn]) -> Result<String, String> {
    let mut out = String::from("::progenitor_client::call! {\n");
    attributes(&mut out, "    ", &call.attrs);
    // Writing to a string cannot fail.
    _ = writeln!(out, "    pub struct {} {{", call.ident);
    let Fields::Named(fields) = &call.fields else { return Err(format!("the call {} has no fields", call.ident)) };
    // The first one is the client.
    for field in fields.named.iter().skip(1) {
        let name = field.ident.to_token_stream().to_string();
        let setter = setters.iter().find(|setter| setter.sig.ident == name);
        let line = setter.and_then(|setter| parameter(&field.ty, setter));
        let (docs, line) = setter
            .zip(line)
            .map(|(setter, line)| (docs(setter), line))
            .ok_or_else(|| format!("the parameter {name} of the call {} has a setter of another form", call.ident))?;
        let Parameter { kind, of } = line;
        // A body with a builder comes last, behind a token of its own.
        let kind = if kind == "body" {
            out.push_str("        @body\n");
            String::new()
        } else {
            format!("{kind} ")
        };
        attributes(&mut out, "        ", docs);
        _ = writeln!(out, "        {kind}{name}: {},", one_line(&of));
    }
    Ok(out + "    }\n}")
}

fn docs(setter: &ImplItemFn) -> impl Iterator<Item = &Attribute> {
    setter.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"))
}

/// The setter of a parameter, and the type of its value.
struct Parameter {
    kind: &'static str,
    of: Type,
}

fn parameter(field: &Type, setter: &ImplItemFn) -> Option<Parameter> {
    let value = argument(field, 0)?;
    let (bound, of) = setter.sig.generics.params.iter().find_map(|parameter| match parameter {
        GenericParam::Type(parameter) => parameter.bounds.iter().find_map(|bound| match bound {
            TypeParamBound::Trait(bound) => {
                let last = bound.path.segments.last()?;
                let of: Type = syn::TypePath { qself: None, path: bound.path.clone() }.into();
                Some((last.ident.to_string(), argument(&of, 0)?.clone()))
            }
            _ => None,
        }),
        _ => None,
    })?;
    // A component may have this name too: it has no argument.
    let is_option = last_name(value).is_some_and(|name| name == "Option") && argument(value, 0).is_some();
    match bound.as_str() {
        "IntoOptional" if is_option => Some(Parameter { kind: "optional", of }),
        "IntoRequired" if is_option => Some(Parameter { kind: "json", of }),
        "IntoRequired" if *value == of => Some(Parameter { kind: "required", of }),
        // The request takes a string as its body.
        "IntoRequired" if foreign_name(value).is_some_and(|name| name == "Body") => {
            Some(Parameter { kind: "required", of: parse_quote!(::std::string::String) })
        }
        "IntoRequired" => {
            let Type::Path(path) = value else { return None };
            let segments = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>();
            match segments.as_slice() {
                [types, builder, name] if types == "types" && builder == "builder" => {
                    let name = quote::format_ident!("{name}");
                    Some(Parameter { kind: "body", of: parse_quote!(#name) })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defined(code: &str) -> Result<String, String> {
        let mut file = syn::parse_file(code).expect("it is Rust");
        let mut definitions = Definitions::default();
        define(&mut file.items, &mut definitions)?;
        Ok(definitions.splice(&prettyplease::unparse(&file)))
    }

    #[test]
    fn parameters_are_defined_by_their_setters() {
        let code = defined(
            "
            /// A call.
            #[derive(Debug, Clone)]
            pub struct Send<'a> {
                client: &'a super::Client,
                id: Result<::uuid::Uuid, String>,
                after: Result<::std::option::Option<::std::string::String>, String>,
                any: Result<Option<::serde_json::Value>, String>,
                body: Result<types::builder::Order, String>,
            }
            impl<'a> Send<'a> {
                pub fn new(client: &'a super::Client) -> Self {}
                /// Which.
                pub fn id<V: ::progenitor_client::IntoRequired<::uuid::Uuid>>(mut self, value: V) -> Self {}
                pub fn after<V: ::progenitor_client::IntoOptional<::std::string::String, K>, K>(mut self, value: V) -> Self {}
                pub fn any<V: ::progenitor_client::IntoRequired<::serde_json::Value>>(mut self, value: V) -> Self {}
                /// The order.
                pub fn body<V: ::progenitor_client::IntoRequired<types::Order>>(mut self, value: V) -> Self {}
                pub fn body_map<F>(mut self, f: F) -> Self {}
                pub async fn send(self) -> Result<(), Error> {}
                pub fn stream(self) -> ::progenitor_client::Pager<u8> {}
            }",
        );
        let expected = "::progenitor_client::call! {
    /// A call.
    #[derive(Debug, Clone)]
    pub struct Send {
        /// Which.
        required id: ::uuid::Uuid,
        optional after: ::std::string::String,
        json any: ::serde_json::Value,
        @body
        /// The order.
        body: Order,
    }
}
impl<'a> Send<'a> {
    pub async fn send(self) -> Result<(), Error> {}
    pub fn stream(self) -> ::progenitor_client::Pager<u8> {}
}
";
        assert_eq!(code.as_deref(), Ok(expected));
    }

    #[test]
    fn component_with_the_name_option_is_not_an_optional_parameter() {
        let code = defined(
            "struct Send<'a> {
                client: &'a C,
                state: Result<crate::types::Option, String>,
                body: Result<types::builder::Option, String>,
            }
            impl<'a> Send<'a> {
                pub fn state<V: ::progenitor_client::IntoRequired<crate::types::Option>>(mut self, value: V) -> Self {}
                pub fn body<V: ::progenitor_client::IntoRequired<types::Option>>(mut self, value: V) -> Self {}
            }",
        );
        let code = code.expect("both have setters");
        assert!(code.contains("required state: crate::types::Option,\n        @body\n        body: Option,"), "{code}");
    }

    #[test]
    fn text_and_bytes_are_parameters_of_their_own_types() {
        let code = defined(
            "struct Text<'a> { client: &'a C, body: Result<reqwest::Body, String> }
            impl<'a> Text<'a> { pub fn body<V: ::progenitor_client::IntoRequired<String>>(mut self, value: V) -> Self {} }
            struct Bytes<'a> { client: &'a C, body: Result<reqwest::Body, String> }
            impl<'a> Bytes<'a> { pub fn body<V: ::progenitor_client::IntoRequired<reqwest::Body>>(mut self, value: V) -> Self {} }",
        );
        let code = code.expect("both have setters");
        for expected in ["required body: ::std::string::String", "required body: reqwest::Body"] {
            assert!(code.contains(expected), "{expected}: {code}");
        }
    }

    #[test]
    fn setter_of_another_form_is_an_error() {
        let error = defined(
            "struct Send<'a> { client: &'a C, id: Result<u8, String> }
            impl<'a> Send<'a> { pub fn id<V: Into<u8>>(mut self, value: V) -> Self {} }",
        );
        assert!(error.is_err_and(|error| error.contains("parameter id of the call Send")));
    }
}
