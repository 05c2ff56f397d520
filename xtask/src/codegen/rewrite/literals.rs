//! Strings in the code that contain Rust paths: they are made of tokens, with a space around each.

use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use syn::{Attribute, File, LitStr, visit_mut::VisitMut};

/// Writes paths in messages and serde attributes as people do.
pub(crate) fn tidy(file: &mut File) {
    Literals.visit_file_mut(file);
}

struct Literals;

impl VisitMut for Literals {
    fn visit_lit_str_mut(&mut self, literal: &mut LitStr) {
        if let Some(text) = tidied(&literal.value()) {
            *literal = LitStr::new(&text, literal.span());
        }
    }

    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        if let syn::Meta::List(list) = &mut attribute.meta {
            list.tokens = in_tokens(std::mem::take(&mut list.tokens));
        }
    }
}

fn in_tokens(tokens: TokenStream) -> TokenStream {
    let tree = |tree: TokenTree| match tree {
        TokenTree::Group(group) => Group::new(group.delimiter(), in_tokens(group.stream())).into(),
        TokenTree::Literal(literal) => {
            let text = syn::parse_str::<LitStr>(&literal.to_string()).ok().and_then(|text| tidied(&text.value()));
            text.map_or(literal, |text| Literal::string(&text)).into()
        }
        other => other,
    };
    tokens.into_iter().map(tree).collect()
}

/// Returns the text without the spaces of token streams, if it has such.
fn tidied(text: &str) -> Option<String> {
    let spaced = text.starts_with(":: std ") || (text.starts_with("conversion to `") && text.contains(" :: "));
    spaced.then(|| {
        let text =
            text.replace("`:: ", "`").replace(" :: ", "::").replace(" < ", "<").replace(" > ", ">").replace(" >", ">");
        text.strip_prefix(":: ")
            .map(|path| format!("::{path}"))
            .unwrap_or(text)
            .replace("<:: ", "<")
            .replace("<::", "<")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_messages_read_as_in_code() {
        assert_eq!(
            tidied("conversion to `:: std :: vec :: Vec < crate :: types :: A >` for ids failed").as_deref(),
            Some("conversion to `std::vec::Vec<crate::types::A>` for ids failed")
        );
        assert_eq!(
            tidied(":: std :: collections :: BTreeMap::is_empty").as_deref(),
            Some("::std::collections::BTreeMap::is_empty")
        );
        assert_eq!(tidied("a :: b"), None);
    }
}
