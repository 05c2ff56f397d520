//! Rewrites progenitor's mock helpers so that they expect what the client sends.
//!
//! As generated they compare query parameters by `Display` (dates never match, lists do not compile), put path values into
//! regular expressions as they are, and have bodies only as JSON.

mod helpers;
mod path_regex;

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens as _;
use serde_json::Value;
use syn::{
    Expr, ExprMethodCall, File, FnArg, Ident, ImplItem, ImplItemFn, Item, ItemImpl, LitStr, parse_quote,
    visit_mut::VisitMut,
};

use super::{
    identifiers::expectation_name,
    joined_parameters::joined_parameters,
    rewrite::{doc_attributes::set_doc, shadowed_names::rename_setters, wire_names},
};
pub(super) use helpers::HELPERS;
use helpers::helpers;
use path_regex::{around_value, base_path, pattern};

/// Makes the mock helpers' code ours.
pub(crate) fn rewrite(mut file: File, root: &Value) -> File {
    let forms = forms(root);
    let joined = joined_parameters(root, expectation_name);
    let base = base_path(root);
    file.attrs
        .push(parse_quote!(#![doc = " Typed helpers to stand in for the vendor in tests, one for each operation."]));
    for item in &mut file.items {
        match item {
            Item::Mod(operations) => {
                let Some((_, items)) = &mut operations.content else { continue };
                operations.attrs = OPERATIONS.map(|line| parse_quote!(#[doc = #line])).to_vec();
                wire_names::expect(items, root);
                rename_setters(items);
                items.iter_mut().for_each(|item| operation(item, &forms, &joined, &base));
                items.extend(helpers(items));
            }
            Item::Trait(server) => {
                for item in &mut server.items {
                    if let syn::TraitItem::Fn(function) = item {
                        let name = function.sig.ident.to_string();
                        set_doc(
                            &mut function.attrs,
                            &format!("Stands in for [`Client::{name}`](crate::Client::{name})."),
                        );
                    }
                }
            }
            _ => {}
        }
    }
    file
}

const OPERATIONS: [&str; 2] = [
    " The expected request of each operation ([`When`](::httpmock::When)) and its response ([`Then`](::httpmock::Then)).",
    " `into_inner()` returns the helper of httpmock, for all that these types lack.",
];

/// Returns the `When` types of operations whose body is a form.
fn forms(root: &Value) -> BTreeSet<String> {
    let is_form = |operation: &openapi_document::Operation<'_>| {
        let content = operation.body(root).and_then(|body| body.get("content")).and_then(Value::as_object);
        content
            .is_some_and(|content| content.keys().any(|media| media.starts_with("application/x-www-form-urlencoded")))
    };
    let forms = openapi_document::operations(root).into_iter().filter(is_form);
    forms.map(|operation| expectation_name(operation.id())).collect()
}

/// Rewrites an item of the module of operations.
fn operation(item: &mut Item, forms: &BTreeSet<String>, joined: &BTreeMap<String, Vec<String>>, base: &str) {
    match item {
        Item::Use(import) => {
            *import = parse_quote!(
                #[allow(unused_imports)]
                use crate::types;
            )
        }
        Item::Struct(item) => {
            let name = item.ident.to_string();
            let text = if name.ends_with("When") {
                "The request of this operation."
            } else {
                "The response of this operation."
            };
            set_doc(&mut item.attrs, text);
        }
        Item::Impl(block) => {
            let name = block.self_ty.to_token_stream().to_string();
            if name.ends_with("When") {
                let joined = joined.get(&name).map_or(&[][..], Vec::as_slice);
                functions(block).for_each(|function| expectation(function, forms.contains(&name), joined, base));
            } else {
                functions(block).for_each(response);
                block.items.push(error());
            }
        }
        _ => {}
    }
}

fn functions(block: &mut ItemImpl) -> impl Iterator<Item = &mut ImplItemFn> {
    block.items.iter_mut().filter_map(|item| if let ImplItem::Fn(function) = item { Some(function) } else { None })
}

/// Rewrites a function that narrows the expected request.
fn expectation(function: &mut ImplItemFn, form: bool, joined: &[String], base: &str) {
    let name = function.sig.ident.to_string();
    let code = function.block.to_token_stream().to_string();
    if name == "new" {
        Patterns { base }.visit_block_mut(&mut function.block);
        set_doc(&mut function.attrs, "Expects the operation's method and path.");
    } else if name == "into_inner" {
        set_doc(&mut function.attrs, INNER);
    } else if code.contains("path_matches") {
        let places = around_value(&literal(&code), base).into_iter();
        let expected = places.fold(
            parse_quote!(self.0),
            |when: Expr, (before, after)| parse_quote!(path_value(#when, #before, &value, #after)),
        );
        function.block = parse_quote!({ Self(#expected) });
        set_doc(&mut function.attrs, &format!("Expects `{name}` in the path."));
    } else if code.contains("query_param") {
        let helper = if joined.contains(&literal(&code)) { "joined" } else { "query" };
        Queries { helper: quote::format_ident!("{helper}") }.visit_block_mut(&mut function.block);
        set_doc(&mut function.attrs, &format!("Expects the query parameter `{}`.", literal(&code)));
    } else if code.contains("header") {
        set_doc(&mut function.attrs, &format!("Expects the header `{}`.", literal(&code)));
    } else if raw(function) {
        retyped(function, &[parse_quote!(value: impl AsRef<[u8]>)]);
        function.block = parse_quote!({
            let expected = value.as_ref().to_vec();
            Self(self.0.is_true(move |request| request.body_ref() == expected))
        });
        set_doc(&mut function.attrs, "Expects these bytes as the body.");
    } else {
        if form {
            function.block = parse_quote!({ Self(form(self.0, value)) });
        } else {
            JsonText { plain: takes_plain(function) }.visit_block_mut(&mut function.block);
        }
        set_doc(&mut function.attrs, "Expects this body.");
    }
}

/// Rewrites a function that sets the response.
fn response(function: &mut ImplItemFn) {
    let name = function.sig.ident.to_string();
    match name.as_str() {
        "new" => set_doc(&mut function.attrs, "Creates a response without status and body."),
        "into_inner" => set_doc(&mut function.attrs, INNER),
        _ => {
            if raw(function) {
                retyped(function, &[parse_quote!(content_type: &str), parse_quote!(value: impl AsRef<[u8]>)]);
                Bytes.visit_block_mut(&mut function.block);
            }
            JsonText { plain: takes_plain(function) }.visit_block_mut(&mut function.block);
            let code = function.block.to_token_stream().to_string();
            let status = code.split("status (").nth(1).and_then(|rest| rest.split("u16").next()).unwrap_or_default();
            set_doc(&mut function.attrs, &format!("Responds with {} ({}).", status.trim(), name.replace('_', " ")));
        }
    }
}

const INNER: &str = "Returns the helper of httpmock.";

/// Returns the function that responds with an error. The client has no types for errors, which core reads.
fn error() -> ImplItem {
    parse_quote! {
        /// Responds with an error: a status and a JSON body.
        pub fn error(self, status: u16, value: ::serde_json::Value) -> Self {
            Self(self.0.status(status).header("content-type", "application/json").json_body(value))
        }
    }
}

/// Returns whether a function takes a raw body; progenitor's helpers take JSON for it.
fn raw(function: &ImplItemFn) -> bool {
    function.sig.inputs.iter().any(|input| matches!(input, FnArg::Typed(input) if input.ty.to_token_stream().to_string() == ":: serde_json :: Value"))
}

/// Returns whether a function takes its value as it is: progenitor's helpers do so for numbers and flags.
fn takes_plain(function: &ImplItemFn) -> bool {
    function.sig.inputs.iter().any(|input| {
        matches!(input, FnArg::Typed(input)
            if input.pat.to_token_stream().to_string() == "value" && !matches!(*input.ty, syn::Type::Reference(_)))
    })
}

/// Gives a function other parameters in place of its JSON body.
fn retyped(function: &mut ImplItemFn, parameters: &[FnArg]) {
    let inputs = std::mem::take(&mut function.sig.inputs).into_iter();
    let kept = inputs
        .filter(|input| !matches!(input, FnArg::Typed(input) if input.pat.to_token_stream().to_string() == "value"));
    function.sig.inputs = kept.chain(parameters.iter().cloned()).collect();
}

/// Returns the first text in code.
fn literal(code: &str) -> String {
    let tokens = code.parse::<proc_macro2::TokenStream>().unwrap_or_default();
    first_text(tokens).unwrap_or_default()
}

fn first_text(tokens: proc_macro2::TokenStream) -> Option<String> {
    tokens.into_iter().find_map(|tree| match tree {
        proc_macro2::TokenTree::Group(group) => first_text(group.stream()),
        proc_macro2::TokenTree::Literal(literal) => {
            syn::parse_str::<LitStr>(&literal.to_string()).ok().map(|text| text.value())
        }
        _ => None,
    })
}

struct Patterns<'a> {
    base: &'a str,
}

impl VisitMut for Patterns<'_> {
    fn visit_lit_str_mut(&mut self, text: &mut LitStr) {
        *text = LitStr::new(&pattern(&text.value(), self.base), text.span());
    }
}

struct Queries {
    /// The function that narrows the request.
    helper: Ident,
}

impl VisitMut for Queries {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        syn::visit_mut::visit_expr_mut(self, expression);
        if let Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) = &*expression
            && method == "query_param"
            && let Some(name) = args.first()
        {
            let helper = &self.helper;
            *expression = parse_quote!(#helper(#receiver, #name, &value));
        }
    }
}

struct Bytes;

impl VisitMut for Bytes {
    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        syn::visit_mut::visit_expr_method_call_mut(self, call);
        if call.method == "json_body" {
            call.method = parse_quote!(body);
        } else if call.method == "header" {
            call.args = parse_quote!("content-type", content_type);
        }
    }
}

/// JSON as the text that the client sends and reads: httpmock's way over `serde_json::Value` would make floats of decimals.
struct JsonText {
    /// The function takes the value itself, not a reference to it.
    plain: bool,
}

impl VisitMut for JsonText {
    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        syn::visit_mut::visit_expr_method_call_mut(self, call);
        if call.method == "json_body_obj" {
            call.method = parse_quote!(body);
            let value = &call.args;
            call.args = if self.plain { parse_quote!(json(&#value)) } else { parse_quote!(json(#value)) };
        }
    }
}
