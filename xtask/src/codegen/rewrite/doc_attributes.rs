//! Doc comments as attributes: a text, one attribute a line, which is what formatters print as `///`.

use syn::{Attribute, Expr, ExprLit, Lit, Meta, parse_quote};

/// Returns the whole doc comment, if there is one.
pub(crate) fn doc(attributes: &[Attribute]) -> Option<String> {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let lines = lines.map(|line| line.strip_prefix(' ').map(str::to_owned).unwrap_or(line)).collect::<Vec<_>>();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Replaces the doc comment, before all other attributes. In a text with code that rustdoc would run the whole becomes a fence.
pub(crate) fn set_doc(attributes: &mut Vec<Attribute>, text: &str) {
    attributes.retain(|attribute| !attribute.path().is_ident("doc"));
    let text = crate::text::markdown::tested(text.trim().to_owned());
    let lines =
        text.trim().lines().map(|line| if line.is_empty() { String::new() } else { format!(" {}", line.trim_end()) });
    let docs = lines.map(|line| parse_quote!(#[doc = #line])).collect::<Vec<Attribute>>();
    attributes.splice(0..0, docs);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_into_lines_and_comes_back() {
        let mut attributes: Vec<Attribute> = vec![parse_quote!(#[doc = "old"]), parse_quote!(#[must_use])];
        set_doc(&mut attributes, "One.\n\nTwo.\n");
        assert_eq!(attributes.len(), 4);
        assert_eq!(attributes[0], parse_quote!(#[doc = " One."]));
        assert_eq!(attributes[1], parse_quote!(#[doc = ""]));
        assert_eq!(doc(&attributes).as_deref(), Some("One.\n\nTwo."));
    }
}
