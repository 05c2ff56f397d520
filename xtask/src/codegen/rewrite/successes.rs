//! Success responses that are not all of one type: an `Option` where there may be no body, an enum where the status decides.

use openapi_document::operations;
use proc_macro2::Span;
use serde_json::Value;
use syn::{
    Expr, ExprMatch, File, Ident, ImplItem, ImplItemFn, Item, ReturnType, Type, parse_quote, visit_mut::VisitMut,
};

use super::{argument, foreign_name, last_name, module};
use crate::codegen::{
    identifiers::{component_name, type_name},
    successes::{Successes, component, field, status_name, successes},
};

/// Has the calls of a document return what their success responses are.
pub(crate) fn rewrite(file: &mut File, root: &Value) {
    for operation in operations(root).iter().filter(|operation| !operation.is_sent_by_core()) {
        let call = type_name(operation.id());
        match successes(root, operation) {
            Successes::One | Successes::Mixed => {}
            Successes::Optional => {
                if let Some(send) = send(file, &call) {
                    optional(send);
                }
            }
            Successes::ByStatus(statuses) => {
                let name = component_name(&component(root, operation));
                let variants = variants(file, &name, statuses.iter().map(|(status, _)| *status));
                define(file, &name, &variants);
                if let Some(send) = send(file, &call) {
                    ByStatus { name: Ident::new(&name, Span::call_site()), variants }.visit_block_mut(&mut send.block);
                }
            }
        }
    }
}

/// Returns the function `send` of a call.
fn send<'a>(file: &'a mut File, call: &str) -> Option<&'a mut ImplItemFn> {
    module(&mut file.items, "builder")?.iter_mut().find_map(|item| match item {
        Item::Impl(block) if last_name(&block.self_ty).is_some_and(|name| name == call) => {
            block.items.iter_mut().find_map(|item| match item {
                ImplItem::Fn(function) if function.sig.ident == "send" && function.sig.asyncness.is_some() => {
                    Some(function)
                }
                _ => None,
            })
        }
        _ => None,
    })
}

/// Makes `ResponseValue<Option<T>>` of `ResponseValue<T>`; a list is empty instead.
fn optional(send: &mut ImplItemFn) {
    let ReturnType::Type(_, result) = &mut send.sig.output else { return };
    let body = argument(result, 0).and_then(|response| argument(response, 0)).cloned();
    let Some(body) = body.filter(|body| foreign_name(body).is_none_or(|name| name != "Vec")) else { return };
    **result = parse_quote!(Result<ResponseValue<::std::option::Option<#body>>, Error>);
    Reader("from_optional_response").visit_block_mut(&mut send.block);
}

/// Names another function in place of `from_response`.
pub(super) struct Reader(pub(super) &'static str);

impl VisitMut for Reader {
    fn visit_expr_path_mut(&mut self, path: &mut syn::ExprPath) {
        if let Some(last) = path.path.segments.last_mut()
            && last.ident == "from_response"
        {
            last.ident = Ident::new(self.0, last.ident.span());
        }
    }
}

/// A status with the type of its body.
struct Variant {
    status: u16,
    body: Option<Type>,
}

impl Variant {
    fn name(&self) -> Ident {
        Ident::new(&type_name(&status_name(self.status)), Span::call_site())
    }
}

/// Returns the statuses with the types that the placeholder's fields have.
fn variants(file: &mut File, name: &str, statuses: impl Iterator<Item = u16>) -> Vec<Variant> {
    let types = module(&mut file.items, "types").into_iter().flatten();
    let fields = types.filter_map(|item| match item {
        Item::Struct(item) if item.ident == name => Some(&item.fields),
        _ => None,
    });
    let fields = fields.flatten().cloned().collect::<Vec<_>>();
    let body = |status: u16| {
        let found = fields.iter().find(|known| known.ident.as_ref().is_some_and(|ident| *ident == field(status)))?;
        let optional = foreign_name(&found.ty).is_some_and(|name| name == "Option");
        if optional { argument(&found.ty, 0).cloned() } else { Some(found.ty.clone()) }
    };
    statuses.map(|status| Variant { status, body: body(status) }).collect()
}

/// Puts the enum in place of the placeholder.
fn define(file: &mut File, name: &str, variants: &[Variant]) {
    let Some(types) = module(&mut file.items, "types") else { return };
    types.retain(|item| !matches!(item, Item::Impl(block) if last_name(&block.self_ty).is_some_and(|own| own == name)));
    let ident = Ident::new(name, Span::call_site());
    let all = variants.iter().map(|variant| {
        let (name, doc) = (variant.name(), format!(" The response has the status {}.", variant.status));
        match &variant.body {
            Some(body) => quote::quote!(#[doc = #doc] #name(#body)),
            None => quote::quote!(#[doc = #doc] #name),
        }
    });
    let definition: Item = parse_quote! {
        /// A success response, by its status.
        #[derive(::serde::Serialize, Clone, Debug)]
        #[serde(untagged)]
        #[non_exhaustive]
        pub enum #ident { #(#all),* }
    };
    for item in types.iter_mut() {
        if matches!(item, Item::Struct(item) if item.ident == name) {
            *item = definition.clone();
        }
    }
}

/// Decodes by status. A status that is not documented is read like the first with a body: a vendor that returns 201 for a documented 200
/// has succeeded.
struct ByStatus {
    name: Ident,
    variants: Vec<Variant>,
}

impl VisitMut for ByStatus {
    fn visit_expr_match_mut(&mut self, matched: &mut ExprMatch) {
        let name = &self.name;
        let read = |variant: &Variant| -> Expr {
            let own = variant.name();
            match &variant.body {
                Some(body) if foreign_name(body).is_some_and(|name| name == "Vec") => parse_quote!(
                    ResponseValue::from_list_response(response).await.map(|value| ResponseValue::map(value, types::#name::#own))
                ),
                Some(_) => parse_quote!(
                    ResponseValue::from_response(response).await.map(|value| ResponseValue::map(value, types::#name::#own))
                ),
                None => parse_quote!(Ok(ResponseValue::empty(response).map(|()| types::#name::#own))),
            }
        };
        let first = self.variants.iter().find(|variant| variant.body.is_some()).map(read);
        let Some(first) = first else { return };
        let arms = self.variants.iter().map(|variant| -> syn::Arm {
            let (status, read) = (variant.status, read(variant));
            parse_quote!(#status => #read,)
        });
        let others = std::mem::take(&mut matched.arms).into_iter().skip(1);
        let any: syn::Arm = parse_quote!(200..=299 => #first,);
        matched.arms = arms.chain([any]).chain(others).collect();
    }
}
