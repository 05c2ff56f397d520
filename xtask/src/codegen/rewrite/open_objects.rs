//! Objects with fields beside the listed ones: core reads them, since serde's `flatten` would pass the listed numbers through floats.

use quote::ToTokens as _;
use syn::{Field, FieldValue, File, Item, ItemStruct, Member, parse_quote, visit_mut::VisitMut};

use super::{each_option, has_option, last_name, module};

/// Gives structs with a field for all others an implementation of serde's traits by way of core.
pub(crate) fn rewrite(file: &mut File) {
    let Some(types) = module(&mut file.items, "types") else { return };
    let (mut impls, mut names) = (Vec::new(), Vec::new());
    for item in types.iter_mut() {
        if let Item::Struct(item) = item {
            let own = open(item);
            if !own.is_empty() {
                names.push(item.ident.to_string());
            }
            impls.extend(own);
        }
    }
    types.extend(impls);
    for item in module(types, "builder").into_iter().flatten() {
        if let Item::Impl(block) = item
            && block.trait_.is_some()
            && last_name(&block.self_ty).is_some_and(|name| names.contains(&name))
        {
            Optional.visit_item_impl_mut(block);
        }
    }
}

/// No other fields are given until some are.
struct Optional;

impl VisitMut for Optional {
    fn visit_field_value_mut(&mut self, field: &mut FieldValue) {
        let is_missing = field.expr.to_token_stream().to_string().contains("no value supplied for extra");
        if matches!(&field.member, Member::Named(name) if name == "extra") && is_missing {
            field.expr = parse_quote!(Ok(Default::default()));
        }
    }
}

fn open(item: &mut ItemStruct) -> Vec<Item> {
    let Some(others) = item.fields.iter_mut().find(|field| has_option(&field.attrs, "flatten")) else {
        return Vec::new();
    };
    let Some(gathered) = others.ident.clone() else { return Vec::new() };
    others.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
    others.attrs.push(parse_quote!(#[serde(flatten, skip_deserializing)]));
    item.attrs.push(parse_quote!(#[serde(remote = "Self")]));
    let listed = item.fields.iter().filter(|field| field.ident.as_ref() != Some(&gathered)).filter_map(wire_name);
    let (listed, name) = (listed.collect::<Vec<_>>(), &item.ident);
    vec![
        parse_quote! {
            impl<'de> ::serde::Deserialize<'de> for #name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    let (mut value, others) =
                        ::progenitor_client::__private::open_object(deserializer, &[#(#listed),*], |fields| Self::deserialize(fields))?;
                    value.#gathered = others;
                    ::std::result::Result::Ok(value)
                }
            }
        },
        parse_quote! {
            impl ::serde::Serialize for #name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    Self::serialize(self, serializer)
                }
            }
        },
    ]
}

/// The name of a field on the wire.
fn wire_name(field: &Field) -> Option<String> {
    let mut name = field.ident.as_ref()?.to_string();
    each_option(&field.attrs, |path, value| {
        if let (true, Some(value)) = (path.is_ident("rename"), value) {
            name = value.value();
        }
    });
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_with_other_fields_is_read_by_core() {
        let mut file = syn::parse_file(
            r#"mod types {
                struct Open { #[serde(rename = "Id")] id: u8, #[serde(default)] note: u8, #[serde(flatten)] extra: Map }
                struct Closed { id: u8 }
                mod builder {
                    impl Default for Open {
                        fn default() -> Self { Self { id: Err("no id".to_string()), extra: Err("no value supplied for extra".to_string()) } }
                    }
                }
            }"#,
        )
        .expect("it is Rust");
        rewrite(&mut file);
        let code = prettyplease::unparse(&file);
        assert!(code.contains(r#"&["Id", "note"]"#) && code.contains("value.extra = others"), "{code}");
        assert_eq!(code.matches("#[serde(remote = \"Self\")]").count(), 1, "{code}");
        assert!(code.contains("extra: Ok(Default::default())"), "{code}");
        assert!(code.contains("#[serde(flatten, skip_deserializing)]"), "{code}");
    }
}
