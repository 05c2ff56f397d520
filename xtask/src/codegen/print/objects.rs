//! Types of objects: core's `object!`, in place of serde's derives and attributes.

use std::fmt::Write as _;

use quote::ToTokens as _;
use syn::{Attribute, Field, Fields, Item, ItemStruct, LitStr, Path, Token, Type, parse_quote, punctuated::Punctuated};

use super::{
    definitions::Definitions,
    rust_text::{attributes, one_line},
};
use crate::codegen::rewrite::{argument, each_option, foreign_name, has_option};

/// Defines the structs with named fields.
///
/// # Errors
/// The first field that no kind of `object!` reads and writes as serde would, or that has an unsupported option of serde.
pub(super) fn define(types: &mut [Item], definitions: &mut Definitions) -> Result<(), String> {
    for item in types {
        if let Item::Struct(object) = &*item
            && matches!(object.fields, Fields::Named(_))
        {
            *item = definitions.add(definition(object)?);
        }
    }
    Ok(())
}

fn definition(object: &ItemStruct) -> Result<String, String> {
    let mut out = String::from("::progenitor_client::object! {\n");
    attributes(&mut out, "    ", &without_serde(&object.attrs));
    // Writing to a string cannot fail.
    _ = writeln!(out, "    pub struct {} {{", object.ident);
    if let Some(attribute) = object.attrs.iter().find(|attribute| attribute.path().is_ident("serde")) {
        return Err(format!("`object!` has nothing for `{}` of {}", attribute.to_token_stream(), object.ident));
    }
    let (others, listed): (Vec<_>, Vec<_>) =
        object.fields.iter().partition(|field| has_option(&field.attrs, "flatten"));
    if others.len() > 1 {
        return Err(format!("`object!` has one field for those that are not listed, and {} has more", object.ident));
    }
    for field in listed {
        let (kind, of, name) = Options::of(field)
            .and_then(|options| kind(field, options))
            .ok_or_else(|| format!("no kind of `object!` fits `{}` of {}", field.to_token_stream(), object.ident))?;
        attributes(&mut out, "        ", &without_serde(&field.attrs));
        let of = of.map_or_else(String::new, |of| format!(" {}", one_line(of)));
        _ = writeln!(out, "        {}: {kind}{of} = {:?},", field.ident.to_token_stream(), name);
    }
    for field in others {
        out.push_str("        ..\n");
        attributes(&mut out, "        ", &without_serde(&field.attrs));
        _ = writeln!(out, "        {}: {},", field.ident.to_token_stream(), one_line(&field.ty));
    }
    Ok(out + "    }\n}")
}

/// Returns the attributes without those of serde, and without its traits among the derived ones.
fn without_serde(all: &[Attribute]) -> Vec<Attribute> {
    let others = all.iter().filter(|attribute| !attribute.path().is_ident("serde"));
    let others = others.map(|attribute| {
        let derived = attribute
            .path()
            .is_ident("derive")
            .then(|| attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok());
        match derived.flatten() {
            Some(derived) => {
                let kept =
                    derived.iter().filter(|path| path.segments.first().is_none_or(|first| first.ident != "serde"));
                parse_quote!(#[derive(#(#kept),*)])
            }
            None => attribute.clone(),
        }
    });
    others.collect()
}

/// The options of serde for a field.
#[derive(Default)]
struct Options {
    name: Option<String>,
    is_default: bool,
    skip: Option<String>,
    reader: Option<String>,
}

impl Options {
    /// Returns the options of a field; `None` if it has one that no kind has.
    fn of(field: &Field) -> Option<Self> {
        let mut found = Self::default();
        let mut is_known = true;
        each_option(&field.attrs, |option, value| {
            let value = value.map(LitStr::value);
            match (option.to_token_stream().to_string().as_str(), value) {
                ("rename", Some(name)) => found.name = Some(name),
                ("default", None) => found.is_default = true,
                ("skip_serializing_if", Some(path)) => found.skip = Some(last(&path).to_owned()),
                ("deserialize_with", Some(path)) => found.reader = Some(last(&path).to_owned()),
                _ => is_known = false,
            }
        });
        is_known.then_some(found)
    }
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Returns the kind of a field, the type that follows it, and the name in JSON.
fn kind(field: &Field, options: Options) -> Option<(&'static str, Option<&Type>, String)> {
    let inner = |name: &str| argument(&field.ty, 0).filter(|_| foreign_name(&field.ty).is_some_and(|of| of == name));
    let (kind, of) = match (options.reader.as_deref(), options.skip.as_deref(), options.is_default) {
        (None, Some("is_none"), _) => {
            let of = inner("Option")?;
            boxed(of).map_or(("optional", Some(of)), |object| ("boxed", Some(object)))
        }
        (None, Some("is_unchanged"), true) => ("update", Some(inner("Update")?)),
        (None, None, is_default) => match inner("Option") {
            Some(of) => ("nullable", Some(of)),
            None if !is_default => ("required", Some(&field.ty)),
            None => return None,
        },
        (Some("null_is_default"), Some("is_empty"), true) => ("collection", Some(&field.ty)),
        (Some("null_is_default"), Some("is_none"), true) => ("optional_page_items", Some(inner("Option")?)),
        (Some("null_is_default"), None, true) => ("required_collection", Some(&field.ty)),
        (Some("null_is_default"), None, false) => ("page_items", Some(&field.ty)),
        (Some("null_entries_are_default"), Some("is_empty"), true) => ("nested_collection", Some(&field.ty)),
        (Some("null_entries_are_default"), None, true) => ("nested_required_collection", Some(&field.ty)),
        (Some("date_time"), None, false) => ("required_date_time", None),
        (Some("optional_date_time"), Some("is_none"), true) => ("optional_date_time", None),
        (Some("optional_date_time"), None, true) => ("nullable_date_time", None),
        (Some("boolean"), None, false) => ("required_boolean", None),
        (Some("optional_boolean"), Some("is_none"), true) => ("optional_boolean", None),
        (Some("optional_boolean"), None, true) => ("nullable_boolean", None),
        _ => return None,
    };
    let name = options.name.unwrap_or_else(|| {
        let name = field.ident.to_token_stream().to_string();
        name.trim_start_matches("r#").to_owned()
    });
    Some((kind, of, name))
}

/// Returns the type in a box.
pub(super) fn boxed(of: &Type) -> Option<&Type> {
    argument(of, 0).filter(|_| foreign_name(of).is_some_and(|name| name == "Box"))
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
    fn fields_have_the_kind_of_their_attributes() {
        let code = defined(
            r#"
            /// A record.
            #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Debug)]
            #[cfg_attr(not(feature = "exhaustive-responses"), non_exhaustive)]
            pub struct Record {
                /// Its id.
                pub id: ::uuid::Uuid,
                #[serde(rename = "type", skip_serializing_if = "::std::option::Option::is_none")]
                pub type_: ::std::option::Option<crate::types::Type>,
                #[serde(rename = "endsAt")]
                #[serde(default)]
                pub ends_at: ::std::option::Option<::std::string::String>,
                #[serde(skip_serializing_if = "::progenitor_client::Update::is_unchanged", default)]
                pub note: ::progenitor_client::Update<::std::string::String>,
                #[serde(default, skip_serializing_if = "::std::vec::Vec::is_empty", deserialize_with = "null_is_default")]
                pub tags: ::std::vec::Vec<Tag>,
                #[serde(deserialize_with = "null_entries_are_default", default)]
                pub fields: ::std::collections::BTreeMap<::std::string::String, ::std::vec::Vec<u8>>,
                #[serde(deserialize_with = "optional_date_time", default, skip_serializing_if = "::std::option::Option::is_none")]
                pub made: ::std::option::Option<::chrono::DateTime<::chrono::offset::Utc>>,
                #[serde(flatten)]
                pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
            }
            pub struct Text(pub ::std::string::String);
            "#,
        );
        let expected = r#"::progenitor_client::object! {
    /// A record.
    #[derive(Clone, Debug)]
    #[cfg_attr(not(feature = "exhaustive-responses"), non_exhaustive)]
    pub struct Record {
        /// Its id.
        id: required ::uuid::Uuid = "id",
        type_: optional crate::types::Type = "type",
        ends_at: nullable ::std::string::String = "endsAt",
        note: update ::std::string::String = "note",
        tags: collection ::std::vec::Vec<Tag> = "tags",
        fields: nested_required_collection ::std::collections::BTreeMap<::std::string::String, ::std::vec::Vec<u8>> = "fields",
        made: optional_date_time = "made",
        ..
        extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
    }
}
pub struct Text(pub ::std::string::String);
"#;
        assert_eq!(code.as_deref(), Ok(expected));
    }

    #[test]
    fn field_that_fits_no_kind_is_an_error() {
        let option = "::std::option::Option<u8>";
        for (code, expected) in [
            (r#"struct A { #[serde(default, rename = "b")] a: u8 }"#.to_owned(), "a : u8"),
            (format!(r#"struct A {{ #[serde(default = "five")] a: {option} }}"#), r#"default = "five""#),
            (format!(r#"struct A {{ #[serde(alias = "b")] a: {option} }}"#), r#"alias = "b""#),
            (format!(r#"struct A {{ #[serde(rename(serialize = "b"))] a: {option} }}"#), "rename (serialize"),
            ("#[serde(deny_unknown_fields)] struct A { a: u8 }".to_owned(), "deny_unknown_fields"),
            ("struct A { #[serde(flatten)] a: M, #[serde(flatten)] b: M }".to_owned(), "A has more"),
        ] {
            let error = defined(&code).expect_err(&code);
            assert!(error.contains(expected) && error.contains('A'), "{error}");
        }
    }
}
