//! Rewrites what progenitor generates into what we publish: one pass over the syntax tree, each part with its reason.

mod boxes;
pub(super) mod builders;
mod call_model;
mod client;
pub(crate) mod doc_attributes;
mod doc_comments;
mod equality;
mod errors;
mod field_readers;
mod growth;
pub(crate) mod jobs;
mod joined_queries;
mod lists_and_jobs;
mod literals;
mod media_types;
mod null_collections;
mod nullable;
mod open_objects;
mod pages;
mod sending;
mod setters;
pub(crate) mod shadowed_names;
mod successes;
mod twins;
pub(super) mod wire_names;

use std::collections::BTreeMap;

use serde_json::Value;
use syn::{Attribute, File, GenericArgument, Item, ItemMod, LitStr, PathArguments};

pub(crate) use lists_and_jobs::Omitted;

use super::{docs::operations::OperationDocs, open_enum::OpenEnum};

/// Makes the client's code ours. The enums and the table of operations are not part of it.
pub(crate) fn rewrite(
    mut file: File,
    docs: &BTreeMap<String, OperationDocs>,
    enums: &[OpenEnum],
    root: &Value,
) -> Result<(File, Vec<Omitted>), String> {
    boxes::move_into_options(&mut file);
    wire_names::send(&mut file, root);
    client::rewrite(&mut file);
    twins::rename(&mut file, root);
    joined_queries::rewrite(&mut file, root);
    media_types::rewrite(&mut file, root);
    sending::rewrite(&mut file)?;
    errors::rewrite(&mut file)?;
    successes::rewrite(&mut file, root);
    sending::without_match(&mut file);
    nullable::rewrite(&mut file, root);
    builders::prune(&mut file);
    setters::rewrite(&mut file);
    null_collections::tolerate_null(&mut file, root);
    field_readers::set(&mut file);
    open_objects::rewrite(&mut file);
    literals::tidy(&mut file);
    shadowed_names::qualify(&mut file, enums, root);
    if let Some(calls) = module(&mut file.items, "builder") {
        shadowed_names::rename_setters(calls);
    }
    equality::derive(&mut file);
    growth::allow(&mut file);
    doc_comments::rewrite(&mut file, docs);
    let omitted = lists_and_jobs::add(&mut file, root);
    // Last: the code of lists and jobs is found by types without boxes, and reads fields through them as well.
    boxes::set_of_large_objects(&mut file);
    Ok((file, omitted))
}

/// Returns the items of a module among others.
pub(super) fn module<'a>(items: &'a mut [Item], name: &str) -> Option<&'a mut Vec<Item>> {
    items.iter_mut().find_map(|item| match item {
        Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) if ident == name => Some(items),
        _ => None,
    })
}

/// Returns the name at the end of a path to a type that is not the document's: `Vec` of `::std::vec::Vec`.
pub(super) fn foreign_name(of: &syn::Type) -> Option<String> {
    let syn::Type::Path(path) = of else { return None };
    let segments = &path.path.segments;
    let first = segments.first().filter(|_| segments.len() > 1)?;
    let own = ["crate", "super", "self", "types"].iter().any(|own| first.ident == own);
    if own { None } else { segments.last().map(|segment| segment.ident.to_string()) }
}

/// Returns the name at the end of a type's path: `Report` of `types::Report`.
pub(super) fn last_name(of: &syn::Type) -> Option<String> {
    match of {
        syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

/// Returns the type that a generic type is given at `index`.
pub(super) fn argument(of: &syn::Type, index: usize) -> Option<&syn::Type> {
    let syn::Type::Path(path) = of else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    match arguments.args.get(index)? {
        GenericArgument::Type(of) => Some(of),
        _ => None,
    }
}

/// Calls `each` with the options of serde among attributes, and their values.
pub(super) fn each_option(attributes: &[Attribute], mut each: impl FnMut(&syn::Path, Option<&LitStr>)) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // All values of options are strings.
        _ = attribute.parse_nested_meta(|meta| {
            let value = if meta.input.peek(syn::Token![=]) { Some(meta.value()?.parse::<LitStr>()?) } else { None };
            each(&meta.path, value.as_ref());
            Ok(())
        });
    }
}

/// Returns whether an option of serde is among attributes.
pub(super) fn has_option(attributes: &[Attribute], option: &str) -> bool {
    let mut found = false;
    each_option(attributes, |path, _| found |= path.is_ident(option));
    found
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn options_of_serde_are_found_behind_others_with_values() {
        let field: syn::Field = parse_quote!(
            #[doc = "flatten"]
            #[serde(rename = "Id", skip_serializing_if = "f", default)]
            id: u8
        );
        assert!(has_option(&field.attrs, "default") && !has_option(&field.attrs, "flatten"));
        let mut values = Vec::new();
        each_option(&field.attrs, |path, value| values.push((path.is_ident("rename"), value.map(LitStr::value))));
        assert_eq!(values, [(true, Some("Id".to_owned())), (false, Some("f".to_owned())), (false, None)]);
    }
}
