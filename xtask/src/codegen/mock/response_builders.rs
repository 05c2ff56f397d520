//! Builders of the types of responses: core's `builder!` for each type that no request reaches.

use syn::{Field, Fields, File, Item};

use crate::codegen::{
    print::builder,
    rewrite::{builders::sent, has_option, module},
};

const MODULE: &str = "
/// Builders of the types of responses, with which a mock responds: `types::X::builder()`.
pub mod builder {
    #[allow(unused_imports)]
    use crate::types;
";

/// Returns the module of builders as text; nothing if no type needs one.
pub(crate) fn response_builders(client: &mut File) -> String {
    let sent = sent(client);
    let types = module(&mut client.items, "types").into_iter().flatten();
    let builders = types.filter_map(|item| match item {
        Item::Struct(item) if matches!(item.fields, Fields::Named(_)) && !sent.contains(&item.ident.to_string()) => {
            let has_default =
                |field: &Field| ["default", "flatten"].iter().any(|option| has_option(&field.attrs, option));
            // An open object has no other fields until some are given.
            let text = builder(item, false, |_, field| !has_default(field));
            Some(text.lines().map(|line| format!("    {line}\n")).collect::<String>())
        }
        _ => None,
    });
    let builders = builders.collect::<String>();
    if builders.is_empty() { builders } else { format!("{MODULE}{builders}}}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_responses_are_required_optional_or_have_a_default() {
        let mut client = syn::parse_file(
            r#"mod types {
                struct Sent { id: u8 }
                struct Page {
                    id: ::uuid::Uuid,
                    next: ::std::option::Option<::std::string::String>,
                    any: ::std::option::Option<::serde_json::Value>,
                    #[serde(default)] items: ::std::vec::Vec<Item>,
                    #[serde(flatten, skip_deserializing)] extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
                }
            }
            mod builder { struct Send<'a> { body: Result<types::builder::Sent, String> } }"#,
        )
        .expect("it is Rust");
        let text = response_builders(&mut client);
        let fields = "    ::progenitor_client::builder!(Page {
        required id: ::uuid::Uuid,
        optional next: ::std::string::String,
        default any: ::std::option::Option<::serde_json::Value>,
        default items: ::std::vec::Vec<types::Item>,
        default extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
    });
}
";
        assert!(text.ends_with(fields) && !text.contains("Sent"), "{text}");
    }
}
