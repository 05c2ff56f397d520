//! Media types: a call sends those that its document names, where progenitor knows one of each kind.

use std::collections::BTreeMap;

use openapi_document::operations;
use serde_json::Value;
use syn::{Expr, ExprMethodCall, File, Item, LitStr, parse_quote, visit_mut::VisitMut};

use super::{last_name, module};
use crate::codegen::{identifiers::type_name, media_types::BodyKind};

/// Names the document's media types in `Content-Type` and `Accept`.
pub(crate) fn rewrite(file: &mut File, root: &Value) {
    let names = media_types(root);
    for item in module(&mut file.items, "builder").into_iter().flatten() {
        if let Item::Impl(block) = item
            && let Some(own) = last_name(&block.self_ty).and_then(|call| names.get(&call))
        {
            own.clone().visit_item_impl_mut(block);
        }
    }
}

/// Returns the media types of each call's body and success responses, as far as progenitor has another name for them.
fn media_types(root: &Value) -> BTreeMap<String, Names> {
    let names = |holder: &Value| {
        let media = holder.get("content").and_then(Value::as_object).into_iter().flatten();
        media.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let all = operations(root).into_iter().map(|operation| {
        let sent = operation.body(root).map(names).unwrap_or_default().into_iter().next();
        let sent = sent.filter(|name| BodyKind::of(name).is_some_and(|kind| kind.of_progenitor() != name));
        let responses = operation.responses(root).into_iter().filter(|(status, _)| status.starts_with('2'));
        let mut returned = responses.flat_map(|(_, response)| names(response)).collect::<Vec<_>>();
        returned.dedup();
        let download = operation.flag("x-download");
        // Bytes of any type are asked for where the document states none that is certain.
        let is_certain = |name: &String| BodyKind::of(name).is_some() && !name.starts_with("application/octet-stream");
        let bytes = download && returned.iter().all(is_certain);
        let is_asked_for = |kind| bytes || !download && kind == BodyKind::Json;
        returned.retain(|name| BodyKind::of(name).is_some_and(is_asked_for));
        let accepted = Some(returned.join(", ")).filter(|all| !all.is_empty() && (bytes || all != "application/json"));
        (type_name(operation.id()), Names { sent, accepted, bytes })
    });
    all.filter(|(_, names)| names.sent.is_some() || names.accepted.is_some()).collect()
}

#[derive(Clone)]
struct Names {
    sent: Option<String>,
    accepted: Option<String>,
    /// The response is passed on as bytes: progenitor's code asks for no type.
    bytes: bool,
}

/// Methods of an HTTP client that begin a request.
const METHODS: [&str; 6] = ["get", "put", "post", "delete", "head", "patch"];

impl VisitMut for Names {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        syn::visit_mut::visit_expr_mut(self, expression);
        if let (true, Some(accepted), Expr::MethodCall(call)) = (self.bytes, &self.accepted, &*expression)
            && METHODS.iter().any(|method| call.method == method)
            && matches!(&*call.receiver, Expr::Field(_))
        {
            *expression = parse_quote!(#expression.accept(#accepted));
        }
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        syn::visit_mut::visit_expr_method_call_mut(self, call);
        let Some(sent) = &self.sent else { return };
        if call.method == "json" || call.method == "form_urlencoded" {
            let receiver: &Expr = &call.receiver;
            *call.receiver = parse_quote!(#receiver.header(::reqwest::header::CONTENT_TYPE, #sent));
        } else if call.method == "header"
            && let Some(Expr::Path(name)) = call.args.first()
            && name.path.segments.last().is_some_and(|last| last.ident == "CONTENT_TYPE")
        {
            call.args = parse_quote!(::reqwest::header::CONTENT_TYPE, #sent);
        }
    }

    fn visit_lit_str_mut(&mut self, text: &mut LitStr) {
        if let (Some(accepted), "application/json") = (&self.accepted, text.value().as_str()) {
            *text = LitStr::new(accepted, text.span());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_and_responses_have_the_media_types_of_the_document() {
        let content = |name: &str| json!({"content": {name: {"schema": {}}}});
        let root = json!({"paths": {"/a": {"patch": {
            "operationId": "change",
            "requestBody": content("application/merge-patch+json; charset=utf-8"),
            "responses": {"200": content("application/vnd.a+json;v=2")},
        }}, "/b": {"post": {"operationId": "text", "requestBody": content("text/csv; header=present"), "responses": {}}},
            "/c": {"get": {"operationId": "export", "x-download": true, "responses": {
                "200": content("text/csv"), "206": content("application/pdf"), "204": {"description": "d"},
            }}}}});
        let mut file = syn::parse_file(
            r#"mod builder { impl<'a> Export<'a> { fn send(self) { client.client.get(url).build() } } impl<'a> Change<'a> { fn send(self) {
                client.patch(url).header(ACCEPT, HeaderValue::from_static("application/json")).json(&body).build()
            } } impl<'a> Text<'a> { fn send(self) {
                client.post(url).header(::reqwest::header::CONTENT_TYPE, HeaderValue::from_static("text/plain")).body(body).build()
            } } impl<'a> Other<'a> { fn send(self) { client.patch(url).json(&body).build() } } }"#,
        )
        .expect("it is Rust");
        rewrite(&mut file, &root);
        let code = prettyplease::unparse(&file);
        assert!(code.contains(r#"from_static("application/vnd.a+json;v=2")"#), "{code}");
        assert_eq!(code.matches("CONTENT_TYPE").count(), 2, "{code}");
        assert!(code.contains(r#"CONTENT_TYPE, "text/csv; header=present""#) && !code.contains("text/plain"), "{code}");
        assert!(code.contains(r#"client.client.get(url).accept("text/csv, application/pdf")"#), "{code}");
        assert!(code.contains(r#""application/merge-patch+json; charset=utf-8""#), "{code}");
    }
}
