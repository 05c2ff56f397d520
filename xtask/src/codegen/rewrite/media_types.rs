//! Media types: a call sends those that its document names, where progenitor supports `application/json` alone.

use std::collections::BTreeMap;

use openapi_document::operations;
use serde_json::Value;
use syn::{Expr, ExprMethodCall, File, Item, LitStr, parse_quote, visit_mut::VisitMut};

use super::{last_name, module};
use crate::codegen::{identifiers::type_name, successes::is_json};

/// Names the document's media types in `Content-Type` and `Accept`.
pub(crate) fn rewrite(file: &mut File, root: &Value) {
    let names = media_types(root);
    for item in module(&mut file.items, "builder").into_iter().flatten() {
        if let Item::Impl(block) = item
            && let Some(own) = last_name(&block.self_ty).and_then(|call| names.get(&call))
        {
            Names { sent: own.0.clone(), accepted: own.1.clone() }.visit_item_impl_mut(block);
        }
    }
}

/// Returns the media types of each call's body and success responses, as far as they are JSON of another name.
fn media_types(root: &Value) -> BTreeMap<String, (Option<String>, Option<String>)> {
    let json = |holder: &Value| {
        let media = holder.get("content").and_then(Value::as_object).into_iter().flatten();
        media.map(|(name, _)| name.clone()).filter(|name| is_json(name)).collect::<Vec<_>>()
    };
    let all = operations(root).into_iter().map(|operation| {
        let sent = operation.body(root).map(json).unwrap_or_default().into_iter().next();
        let mut accepted = Vec::new();
        for (_, response) in operation.responses(root).into_iter().filter(|(status, _)| status.starts_with('2')) {
            accepted.extend(json(response));
        }
        accepted.dedup();
        let other = |name: &String| name != "application/json";
        let accepted = Some(accepted.join(", ")).filter(|all| !all.is_empty()).filter(other);
        (type_name(operation.id()), (sent.filter(other), accepted))
    });
    all.filter(|(_, (sent, accepted))| sent.is_some() || accepted.is_some()).collect()
}

struct Names {
    sent: Option<String>,
    accepted: Option<String>,
}

impl VisitMut for Names {
    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        syn::visit_mut::visit_expr_method_call_mut(self, call);
        if call.method == "json"
            && let Some(sent) = &self.sent
        {
            let receiver: &Expr = &call.receiver;
            *call.receiver = parse_quote!(#receiver.header(::reqwest::header::CONTENT_TYPE, #sent));
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
        }}}});
        let mut file = syn::parse_file(
            r#"mod builder { impl<'a> Change<'a> { fn send(self) {
                client.patch(url).header(ACCEPT, HeaderValue::from_static("application/json")).json(&body).build()
            } } impl<'a> Other<'a> { fn send(self) { client.patch(url).json(&body).build() } } }"#,
        )
        .expect("it is Rust");
        rewrite(&mut file, &root);
        let code = prettyplease::unparse(&file);
        assert!(code.contains(r#"from_static("application/vnd.a+json;v=2")"#), "{code}");
        assert_eq!(code.matches("CONTENT_TYPE").count(), 1, "{code}");
        assert!(code.contains(r#""application/merge-patch+json; charset=utf-8""#), "{code}");
    }
}
