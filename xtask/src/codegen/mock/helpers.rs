//! Functions that the rewritten helpers share; only those that are called are emitted.

use std::collections::BTreeSet;

use quote::ToTokens as _;
use syn::{Item, parse_quote, visit::Visit};

/// The names of the functions, in order.
pub(in crate::codegen) const HELPERS: [&str; 6] = ["path_value", "query", "joined", "json", "form", "text"];

/// Returns the functions that the rewritten code calls.
pub(super) fn helpers(items: &[Item]) -> Vec<Item> {
    let mut calls = Calls::default();
    items.iter().for_each(|item| calls.visit_item(item));
    let all: [(&str, Item); 5] = [
        (
            "path_value",
            parse_quote! {
                /// Expects a value in the path, encoded as the client does.
                fn path_value(when: ::httpmock::When, before: &str, value: &impl ToString, after: &str) -> ::httpmock::When {
                    let value = progenitor_client::encode_path(&value.to_string()).to_string();
                    let pattern = format!("{before}{}{after}", regex::escape(&value));
                    when.path_matches(regex::Regex::new(&pattern).expect("the value is escaped"))
                }
            },
        ),
        (
            "query",
            parse_quote! {
                /// Expects a query parameter, serialised as the client does: a list is a parameter for each entry.
                fn query(when: ::httpmock::When, name: &str, value: &impl ::serde::Serialize) -> ::httpmock::When {
                    match ::serde_json::to_value(value).expect("parameters serialise") {
                        ::serde_json::Value::Array(entries) => {
                            entries.iter().fold(when, |when, entry| when.query_param(name, text(entry)))
                        }
                        value => when.query_param(name, text(&value)),
                    }
                }
            },
        ),
        (
            "joined",
            parse_quote! {
                /// Expects an array in the query, joined by commas.
                fn joined(when: ::httpmock::When, name: &str, value: &impl ::serde::Serialize) -> ::httpmock::When {
                    let value = ::serde_json::to_value(value).expect("parameters serialise");
                    let items = value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
                    when.query_param(name, items.join(","))
                }
            },
        ),
        (
            "json",
            parse_quote! {
                fn json<T: ::serde::Serialize + ?Sized>(value: &T) -> String {
                    ::serde_json::to_string(value).expect("the client's types serialise")
                }
            },
        ),
        (
            "form",
            parse_quote! {
                /// Expects a form with these fields.
                fn form(when: ::httpmock::When, value: &impl ::serde::Serialize) -> ::httpmock::When {
                    let value = ::serde_json::to_value(value).expect("forms serialise");
                    let fields = value.as_object().into_iter().flatten();
                    let items = |value: &::serde_json::Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                    let pairs = fields.flat_map(|(name, value)| items(value).into_iter().map(move |item| (name, item)));
                    pairs.fold(when, |when, (name, item)| when.form_urlencoded_tuple(name, text(&item)))
                }
            },
        ),
    ];
    let mut used =
        all.into_iter().filter(|(name, _)| calls.0.contains(*name)).map(|(_, item)| item).collect::<Vec<_>>();
    if calls.0.contains("query") || calls.0.contains("joined") || calls.0.contains("form") {
        used.push(parse_quote! {
            fn text(value: &::serde_json::Value) -> String {
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            }
        });
    }
    used
}

/// The names of all functions that are called.
#[derive(Default)]
struct Calls(BTreeSet<String>);

impl Visit<'_> for Calls {
    fn visit_expr_call(&mut self, call: &syn::ExprCall) {
        self.0.insert(call.func.to_token_stream().to_string());
        syn::visit::visit_expr_call(self, call);
    }
}
