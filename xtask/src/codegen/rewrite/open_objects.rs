//! Objects with fields beside the listed ones.

use quote::ToTokens as _;
use syn::{FieldValue, File, Item, Member, parse_quote, visit_mut::VisitMut};

use super::{has_option, last_name, module};
use crate::codegen::identifiers::OTHER_FIELDS;

/// Has the builders of structs with a field for all others start with none.
pub(crate) fn rewrite(file: &mut File) {
    let Some(types) = module(&mut file.items, "types") else { return };
    let open = |item: &Item| match item {
        Item::Struct(item) if item.fields.iter().any(|field| has_option(&field.attrs, "flatten")) => {
            Some(item.ident.to_string())
        }
        _ => None,
    };
    let names = types.iter().filter_map(open).collect::<Vec<_>>();
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
        let missing = format!("no value supplied for {OTHER_FIELDS}");
        let is_missing = field.expr.to_token_stream().to_string().contains(&missing);
        if matches!(&field.member, Member::Named(name) if name == OTHER_FIELDS) && is_missing {
            field.expr = parse_quote!(Ok(Default::default()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_fields_are_not_required() {
        let mut file = syn::parse_file(
            r#"mod types {
                struct Open { id: u8, #[serde(flatten)] extra: Map }
                struct Closed { extra: u8 }
                mod builder {
                    impl Default for Open {
                        fn default() -> Self { Self { id: Err("no id".to_string()), extra: Err("no value supplied for extra".to_string()) } }
                    }
                    impl Default for Closed {
                        fn default() -> Self { Self { extra: Err("no value supplied for extra".to_string()) } }
                    }
                }
            }"#,
        )
        .expect("it is Rust");
        rewrite(&mut file);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("extra: Ok(Default::default())").count(), 1, "{code}");
        assert_eq!(code.matches("no value supplied for extra").count(), 1, "{code}");
    }
}
