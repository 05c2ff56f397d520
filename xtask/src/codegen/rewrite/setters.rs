//! Setters of calls and of builders: both take the same values, and report one that does not convert by its reason.

use quote::ToTokens as _;
use syn::{
    Expr, File, Ident, ImplItem, ImplItemFn, Item, ItemImpl, Path, PredicateType, Type, WherePredicate, parse_quote,
    visit_mut::VisitMut,
};

use super::{argument, foreign_name, module};

/// Has core convert the values.
pub(crate) fn rewrite(file: &mut File) {
    if let Some(calls) = module(&mut file.items, "builder") {
        setters(calls, &|setter, of| {
            let name = &setter.sig.ident;
            if name == "body" {
                // The builder of the body, unless its type has none.
                let mapped = setter.block.to_token_stream().to_string().contains("From :: from");
                let conversion = if mapped { quote::quote!(.map(From::from)) } else { quote::quote!() };
                let converted = required(setter, &of);
                setter.block = parse_quote!({ self.body = #converted #conversion; self });
            } else if setter.block.to_token_stream().to_string().contains("map (Some)") {
                let name = name.clone();
                let converted = if is_json(&of) {
                    let converted = required(setter, &of);
                    parse_quote!(#converted.map(Some))
                } else {
                    optional(setter, &of)
                };
                setter.block = parse_quote!({ self.#name = #converted; self });
            } else {
                let name = name.clone();
                let converted = required(setter, &of);
                setter.block = parse_quote!({ self.#name = #converted; self });
            }
        });
    }
    let Some(types) = module(&mut file.items, "types") else { return };
    if let Some(builders) = module(types, "builder") {
        setters(builders, &|setter, of| {
            // Their blocks are those of core's `builder!`.
            let inner =
                argument(&of, 0).filter(|inner| foreign_name(&of).is_some_and(|of| of == "Option") && !is_json(inner));
            match inner {
                Some(inner) => optional(setter, inner),
                None => required(setter, &of),
            };
        });
        builders.iter_mut().for_each(|item| BuildErrors.visit_item_mut(item));
    }
    if !types
        .iter()
        .any(|item| !is_error_module(item) && item.to_token_stream().to_string().contains("ConversionError"))
    {
        types.retain(|item| !is_error_module(item));
    }
}

fn is_error_module(item: &Item) -> bool {
    matches!(item, Item::Mod(module) if module.ident == "error")
}

/// Calls `each` with the setters of a module and the types that their values convert to. Values that become the body of a request as they
/// are, such as streams, are left alone.
fn setters(items: &mut [Item], each: &dyn Fn(&mut ImplItemFn, Type)) {
    for item in items {
        let Item::Impl(ItemImpl { items, trait_: None, .. }) = item else { continue };
        for item in items {
            if let ImplItem::Fn(setter) = item
                && let Some(of) = converted(setter)
            {
                each(setter, of);
            }
        }
    }
}

/// Returns the type `T` of a setter whose value has the bound `TryInto<T>`.
fn converted(setter: &ImplItemFn) -> Option<Type> {
    let predicates = &setter.sig.generics.where_clause.as_ref()?.predicates;
    predicates.iter().find_map(|predicate| match predicate {
        WherePredicate::Type(PredicateType { bounds, .. }) => bounds.iter().find_map(|bound| match bound {
            syn::TypeParamBound::Trait(bound) if bound.path.segments.last()?.ident == "TryInto" => {
                let of: Type = syn::TypePath { qself: None, path: bound.path.clone() }.into();
                argument(&of, 0).cloned()
            }
            _ => None,
        }),
        _ => None,
    })
}

/// Gives a setter the signature for required values, and returns the conversion of its value.
fn required(setter: &mut ImplItemFn, of: &Type) -> Expr {
    let name: Ident = setter.sig.ident.clone();
    setter.sig = parse_quote! {
        fn #name<V: ::progenitor_client::IntoRequired<#of>>(mut self, value: V) -> Self
    };
    parse_quote!(value.into_required())
}

/// Returns whether a type is any JSON, to which an `Option` converts as well: as null.
fn is_json(of: &Type) -> bool {
    foreign_name(of).is_some_and(|name| name == "Value")
}

/// Gives a setter the signature for optional values, and returns the conversion of its value.
fn optional(setter: &mut ImplItemFn, of: &Type) -> Expr {
    let name: Ident = setter.sig.ident.clone();
    setter.sig = parse_quote! {
        fn #name<V: ::progenitor_client::IntoOptional<#of, K>, K>(mut self, value: V) -> Self
    };
    parse_quote!(value.into_optional())
}

/// Names core's error of builders.
struct BuildErrors;

impl VisitMut for BuildErrors {
    fn visit_path_mut(&mut self, path: &mut Path) {
        syn::visit_mut::visit_path_mut(self, path);
        if path.segments.last().is_some_and(|last| last.ident == "ConversionError") {
            *path = parse_quote!(::progenitor_client::BuildError);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(code: &str) -> String {
        let mut file = syn::parse_file(code).expect("it is Rust");
        rewrite(&mut file);
        prettyplease::unparse(&file)
    }

    #[test]
    fn setters_of_calls_take_values_and_options() {
        let code = rewritten(
            r#"mod builder { impl<'a> List<'a> {
                pub fn id<V>(mut self, value: V) -> Self where V: TryInto<::uuid::Uuid> { self.id = value.try_into().map_err(|_| "conversion failed".to_string()); self }
                pub fn after<V>(mut self, value: V) -> Self where V: TryInto<::std::string::String> {
                    self.after = value.try_into().map(Some).map_err(|_| "conversion failed".to_string()); self
                }
                pub fn any<V>(mut self, value: V) -> Self where V: TryInto<::serde_json::Value> {
                    self.any = value.try_into().map(Some).map_err(|_| "conversion failed".to_string()); self
                }
                pub fn body<V>(mut self, value: V) -> Self where V: TryInto<types::Order> {
                    self.body = value.try_into().map(From::from).map_err(|s| format!("failed: {}", s)); self
                }
                pub fn stream<B>(mut self, value: B) -> Self where B: Into<reqwest::Body> { self }
            } }"#,
        );
        for expected in [
            "pub fn id<V: ::progenitor_client::IntoRequired<::uuid::Uuid>>(",
            "self.id = value.into_required();",
            "self.after = value.into_optional();",
            "self.any = value.into_required().map(Some);",
            "self.body = value.into_required().map(From::from);",
            "B: Into<reqwest::Body>",
        ] {
            assert!(code.contains(expected), "{expected}: {code}");
        }
    }

    #[test]
    fn setters_of_builders_have_cores_bounds_and_error() {
        let code = rewritten(
            r#"mod types {
                mod builder { impl Order {
                    pub fn count<T>(mut self, value: T) -> Self where T: ::std::convert::TryInto<i64>, T::Error: Display { self.count = value.try_into(); self }
                    pub fn note<T>(mut self, value: T) -> Self where T: TryInto<::std::option::Option<::std::string::String>> { self.note = value.try_into(); self }
                    pub fn data<T>(mut self, value: T) -> Self where T: TryInto<::std::option::Option<::serde_json::Value>> { self.data = value.try_into(); self }
                }
                impl TryFrom<Order> for super::Order { type Error = super::error::ConversionError; }
                }
                mod error { struct ConversionError; }
            }"#,
        );
        for expected in [
            "pub fn count<V: ::progenitor_client::IntoRequired<i64>>(",
            "V: ::progenitor_client::IntoOptional<::std::string::String, K>,",
            "::std::option::Option<::serde_json::Value>,",
            "type Error = ::progenitor_client::BuildError;",
        ] {
            assert!(code.contains(expected), "{expected}: {code}");
        }
        assert!(!code.contains("mod error"), "{code}");
    }

    #[test]
    fn error_module_that_other_types_use_stays() {
        let code = rewritten(
            "mod types { impl TryFrom<&str> for A { type Error = self::error::ConversionError; } mod error { struct ConversionError; } }",
        );
        assert!(code.contains("mod error"), "{code}");
    }
}
