//! The text of attributes and types, as people write them.

use syn::{Attribute, File, Ident, Path, Type, parse_quote, visit_mut::VisitMut};

/// Writes attributes, each on a line of its own: doc comments as `///`.
pub(super) fn attributes<'a>(out: &mut String, indent: &str, all: impl IntoIterator<Item = &'a Attribute>) {
    let item = syn::ItemStruct {
        attrs: all.into_iter().cloned().collect(),
        ..parse_quote!(
            struct X;
        )
    };
    let file = File { shebang: None, attrs: Vec::new(), items: vec![item.into()] };
    for line in prettyplease::unparse(&file).lines().filter(|line| *line != "struct X;") {
        out.push_str(format!("{indent}{line}").trim_end());
        out.push('\n');
    }
}

/// Indents lines by a level.
pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n").collect()
}

/// Writes a type on one line.
pub(super) fn one_line(of: &Type) -> String {
    let file = File { shebang: None, attrs: Vec::new(), items: vec![parse_quote!(type X = #of;)] };
    let text = prettyplease::unparse(&file);
    let text = text.trim().trim_start_matches("type X =").trim_end_matches(';');
    let joined = text.lines().map(str::trim).collect::<Vec<_>>().concat().replace(",>", ">");
    joined.replace(",", ", ").replace(",  ", ", ").trim().to_owned()
}

/// Names types of the document by their module: in a module of builders, their own names are those of builders.
pub(super) fn qualified(of: &Type) -> Type {
    struct Qualified;

    impl VisitMut for Qualified {
        fn visit_path_mut(&mut self, path: &mut Path) {
            syn::visit_mut::visit_path_mut(self, path);
            let is_primitive = |name: &Ident| name.to_string().starts_with(|first: char| first.is_lowercase());
            if path.leading_colon.is_none()
                && let Some(name) = path.get_ident().filter(|name| !is_primitive(name))
            {
                *path = parse_quote!(types::#name);
            }
        }
    }

    let mut of = of.clone();
    Qualified.visit_type_mut(&mut of);
    of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_types_are_on_one_line() {
        let of = parse_quote!(
            ::std::option::Option<::std::collections::BTreeMap<::std::string::String, ::std::vec::Vec<UsageRecord>>>
        );
        assert_eq!(
            one_line(&qualified(&of)),
            "::std::option::Option<::std::collections::BTreeMap<::std::string::String, ::std::vec::Vec<types::UsageRecord>>>"
        );
    }

    #[test]
    fn attributes_have_a_line_each() {
        let mut out = String::new();
        let item: syn::ItemStruct = parse_quote!(
            /// One.
            ///
            /// Two.
            #[derive(Clone)]
            struct A;
        );
        attributes(&mut out, "  ", &item.attrs);
        assert_eq!(out, "  /// One.\n  ///\n  /// Two.\n  #[derive(Clone)]\n");
    }
}
