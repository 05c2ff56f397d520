//! The table of operations: the metadata that core needs of each.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;
use syn::parse_quote;

use super::{identifiers, parameter_names::encoded_path};

/// Returns the static `OPERATIONS`, by id. Core looks an operation up by the id that generated methods report.
pub(crate) fn table(root: &Value) -> syn::Item {
    let mut rows = openapi_document::operations(root)
        .iter()
        .filter(|operation| !operation.is_sent_by_core())
        .map(|operation| (identifiers::value_name(operation.id()), row(operation)))
        .collect::<Vec<_>>();
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    let rows = rows.into_iter().map(|(_, row)| row);
    parse_quote! {
        /// The metadata of each operation, by id.
        pub static OPERATIONS: &[progenitor_client::Operation] = &[#(#rows),*];
    }
}

fn row(operation: &openapi_document::Operation<'_>) -> TokenStream {
    let id = identifiers::value_name(operation.id());
    let name = operation.id();
    let method = operation.method.to_uppercase();
    let path = encoded_path(operation.path);
    let idempotent = operation.flag("x-idempotent");
    let idempotent_with = match operation.text("x-idempotent-with") {
        "" => quote!(None),
        field => quote!(Some(#field)),
    };
    let anonymous = operation.value.get("security").and_then(Value::as_array).is_some_and(Vec::is_empty);
    let download = operation.flag("x-download");
    let statuses = operation.value.get("x-final-statuses").and_then(Value::as_array).into_iter().flatten();
    let final_statuses = statuses.filter_map(|status| u16::try_from(status.as_u64()?).ok()).collect::<Vec<_>>();
    let permissions = operation.strings("x-permissions").collect::<Vec<_>>();
    quote! {
        progenitor_client::Operation {
            id: #id,
            name: ::std::borrow::Cow::Borrowed(#name),
            method: #method,
            path: ::std::borrow::Cow::Borrowed(#path),
            idempotent: #idempotent,
            idempotent_with: #idempotent_with,
            anonymous: #anonymous,
            download: #download,
            final_statuses: &[#(#final_statuses),*],
            permissions: &[#(#permissions),*],
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn table_of_operations_is_sorted_and_lacks_those_of_core() {
        let code = table(&json!({"paths": {
            "/z": {"post": {"operationId": "zOperation", "x-idempotent-with": "id", "x-final-statuses": [500], "x-permissions": ["z:read", "z:all"]}},
            "/a/{b}": {"get": {"operationId": "aOperation", "x-download": true, "security": []}},
            "/t": {"post": {"operationId": "token", "x-client": "core"}},
            "/ü b": {"get": {"operationId": "encoded"}},
        }}))
        .to_token_stream()
        .to_string();
        let (a, z) = (code.find("a_operation"), code.find("z_operation"));
        assert!(a.is_some() && a < z, "{code}");
        assert!(code.contains("\"aOperation\"") && code.contains("\"/a/{b}\"") && code.contains("\"GET\""), "{code}");
        assert!(code.contains("Some (\"id\")") && code.contains("download : true"), "{code}");
        assert_eq!(code.matches("anonymous : true").count(), 1, "{code}");
        assert!(code.contains(r#"permissions : & ["z:read" , "z:all"]"#), "{code}");
        assert!(code.contains("final_statuses : & [500u16]") && code.contains("final_statuses : & []"), "{code}");
        assert!(!code.contains("token") && code.contains("/%C3%BC%20b"), "{code}");
    }
}
