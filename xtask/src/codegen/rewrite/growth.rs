//! Types that only responses have: the vendor adds fields to them, and so does the next version of the crate.

use syn::{Fields, File, Item, parse_quote};

use super::{builders, module};

/// Has callers read these types only by the names of their fields. The feature is for crates that are released together with this one: they
/// write all fields of a response, and have to add a new one.
pub(crate) fn allow(file: &mut File) {
    let sent = builders::sent(file);
    for item in module(&mut file.items, "types").into_iter().flatten() {
        if let Item::Struct(item) = item
            && matches!(item.fields, Fields::Named(_))
            && !sent.contains(&item.ident.to_string())
        {
            item.attrs.push(parse_quote!(#[cfg_attr(not(feature = "exhaustive-responses"), non_exhaustive)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_that_no_request_reaches_can_grow() {
        let mut file = syn::parse_file(
            "mod types { struct Sent { part: Part } struct Part { a: u8 } struct Got { a: u8 } struct Text(String); }
            mod builder { struct Send<'a> { body: Result<types::builder::Sent, String> } }",
        )
        .expect("it is Rust");
        allow(&mut file);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("non_exhaustive").count(), 1, "{code}");
        assert!(code.contains("non_exhaustive)]\n    struct Got"), "{code}");
    }
}
