//! Types compare, so that tests do with one assertion. A secret does not: its comparison would have to take the same time for all values.

use std::collections::BTreeSet;

use syn::{Attribute, File, Ident, Item, Path, parse_quote, visit::Visit};

use super::module;

/// Derives `PartialEq` for all types without a secret.
pub(crate) fn derive(file: &mut File) {
    let Some(types) = module(&mut file.items, "types") else { return };
    let mut excluded = BTreeSet::new();
    // Types contain each other: until nothing is added.
    loop {
        let found = types.iter().filter_map(|item| {
            let mut mentions = Mentions { excluded: &excluded, found: false };
            mentions.visit_item(item);
            name(item).filter(|_| mentions.found).map(ToString::to_string)
        });
        let found = found.collect::<BTreeSet<_>>();
        if found.is_subset(&excluded) {
            break;
        }
        excluded = found;
    }
    for item in types {
        if name(item).is_none_or(|name| excluded.contains(&name.to_string())) {
            continue;
        }
        if let Item::Struct(syn::ItemStruct { attrs, .. }) | Item::Enum(syn::ItemEnum { attrs, .. }) = item {
            attrs.iter_mut().filter(|attribute| attribute.path().is_ident("derive")).for_each(add);
        }
    }
}

fn name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Struct(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        _ => None,
    }
}

fn add(attribute: &mut Attribute) {
    if let syn::Meta::List(list) = &mut attribute.meta
        && !list.tokens.to_string().contains("PartialEq")
    {
        let derived = &list.tokens;
        *attribute = parse_quote!(#[derive(#derived, PartialEq)]);
    }
}

/// A visitor that finds out whether an item has a secret, or a type that has one.
struct Mentions<'a> {
    excluded: &'a BTreeSet<String>,
    found: bool,
}

impl Visit<'_> for Mentions<'_> {
    fn visit_path(&mut self, path: &Path) {
        syn::visit::visit_path(self, path);
        let (Some(first), Some(last)) = (path.segments.first(), path.segments.last()) else { return };
        let is_foreign = path.segments.len() > 1 && !["crate", "super", "self"].iter().any(|own| first.ident == own);
        self.found |= match is_foreign {
            true => first.ident == "progenitor_client" && last.ident == "SecretText",
            false => self.excluded.contains(&last.ident.to_string()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_without_a_secret_compare() {
        let mut file = syn::parse_file(
            "mod types {
                #[derive(Clone)] struct Outer { inner: ::std::vec::Vec<crate::types::Inner> }
                #[derive(Clone)] struct Inner { secret: ::progenitor_client::SecretText }
                #[derive(Clone)] struct Plain { of: ::progenitor_client::DecimalNumber, own: SecretText }
                #[derive(Clone)] struct SecretText { a: u8 }
                #[derive(Clone, PartialEq)] enum State { A(Plain) }
            }",
        )
        .expect("it is Rust");
        derive(&mut file);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("PartialEq").count(), 3, "{code}");
        for name in ["struct Plain", "struct SecretText", "enum State"] {
            assert!(code.contains(&format!("#[derive(Clone, PartialEq)]\n    {name}")), "{name}: {code}");
        }
    }
}
