//! Builders of types: two thirds of progenitor's code, and most of it is defined by core's `builder!`.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The part of the builders of types that is generated.
#[derive(Clone, Copy)]
pub(in crate::codegen) enum TypeBuilders {
    /// As progenitor writes them: their public items are compared.
    Complete,
    /// Their `Default`, which states the required fields. The rest is not parsed: its syntax tree would be the largest.
    Defaults,
}

impl TypeBuilders {
    pub(super) fn of(self, client: TokenStream) -> TokenStream {
        match self {
            Self::Complete => client,
            Self::Defaults => in_module(client, "types", |types| in_module(types, "builder", defaults)),
        }
    }
}

/// Replaces the content of a module.
fn in_module(code: TokenStream, name: &str, replace: impl Fn(TokenStream) -> TokenStream) -> TokenStream {
    let (mut is_module, mut is_found) = (false, false);
    let tokens = code.into_iter().map(|token| match token {
        TokenTree::Group(group) if is_found && group.delimiter() == Delimiter::Brace => {
            is_found = false;
            let content = group.stream();
            // The last owner of tokens takes them without a copy.
            drop(group);
            TokenTree::Group(Group::new(Delimiter::Brace, replace(content)))
        }
        TokenTree::Ident(ident) => {
            is_found = is_module && ident == name;
            is_module = ident == "mod";
            ident.into()
        }
        other => other,
    });
    tokens.collect()
}

/// Returns the implementations of `Default` among the items of a module. An item ends with braces.
fn defaults(items: TokenStream) -> TokenStream {
    let mut item = Vec::new();
    let kept = items.into_iter().filter_map(|token| {
        let is_end = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        item.push(token);
        let whole = if is_end { std::mem::take(&mut item) } else { Vec::new() };
        is_default(&whole).then_some(whole)
    });
    kept.flatten().collect()
}

fn is_default(item: &[TokenTree]) -> bool {
    let is = |token: &TokenTree, name: &str| matches!(token, TokenTree::Ident(ident) if ident == name);
    item.windows(2).any(|two| is(&two[0], "Default") && is(&two[1], "for"))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn only_the_defaults_of_builders_of_types_are_left() {
        let code = quote! {
            pub mod types {
                pub struct Default { builder: u8 }
                impl Default { pub fn builder() -> builder::Default { builder::Default {} } }
                pub mod builder {
                    #[derive(Clone)]
                    pub struct Default { id: u8 }
                    impl ::std::default::Default for Default { fn default() -> Self { Self { id: Err("no id") } } }
                    impl Default { pub fn id<T>(mut self, value: T) -> Self where T: TryInto<u8> { self } }
                    impl TryFrom<Default> for super::Default { type Error = String; }
                    impl From<super::Default> for Default {}
                }
            }
            pub mod builder { pub struct Get { id: u8 } }
        };
        let expected = quote! {
            pub mod types {
                pub struct Default { builder: u8 }
                impl Default { pub fn builder() -> builder::Default { builder::Default {} } }
                pub mod builder {
                    impl ::std::default::Default for Default { fn default() -> Self { Self { id: Err("no id") } } }
                }
            }
            pub mod builder { pub struct Get { id: u8 } }
        };
        assert_eq!(TypeBuilders::Defaults.of(code.clone()).to_string(), expected.to_string());
        assert_eq!(TypeBuilders::Complete.of(code.clone()).to_string(), code.to_string());
    }
}
