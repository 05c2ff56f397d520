//! Names of parameters in HTTP, in place of the distinct ones that progenitor was given.

use std::collections::BTreeMap;

use openapi_document::operations;
use serde_json::Value;
use syn::{Expr, ExprCall, ExprLit, ExprMethodCall, File, Item, Lit, LitStr, visit_mut::VisitMut};

use super::{last_name, module};
use crate::codegen::{
    identifiers::{expectation_name, type_name},
    parameter_names::{of_operation, wire_name},
};

/// Has calls send the names of the document.
pub(in crate::codegen) fn send(file: &mut File, root: &Value) {
    for_each_call(module(&mut file.items, "builder").into_iter().flatten(), root, type_name);
}

/// Has the mock helpers in a module expect the names of the document.
pub(in crate::codegen) fn expect(operations: &mut [Item], root: &Value) {
    for_each_call(operations.iter_mut(), root, expectation_name);
}

fn for_each_call<'a>(items: impl Iterator<Item = &'a mut Item>, root: &Value, item_name: fn(&str) -> String) {
    let renamed = operations(root).into_iter().filter_map(|operation| {
        let changed =
            of_operation(root, &operation).into_iter().filter(|(parameter, name)| wire_name(parameter) != name);
        let changed = changed.map(|(parameter, name)| (name, wire_name(parameter).to_owned()));
        let changed = changed.collect::<BTreeMap<_, _>>();
        (!changed.is_empty()).then(|| (item_name(operation.id()), changed))
    });
    let renamed = renamed.collect::<BTreeMap<_, _>>();
    for item in items {
        if let Item::Impl(block) = item
            && let Some(names) = last_name(&block.self_ty).and_then(|call| renamed.get(&call))
        {
            WireNames(names).visit_item_impl_mut(block);
        }
    }
}

/// Sets the names in what adds a query parameter or a header to a request, or expects one.
struct WireNames<'a>(&'a BTreeMap<String, String>);

impl WireNames<'_> {
    fn set(&self, name: Option<&mut Expr>) {
        if let Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) = name
            && let Some(wire) = self.0.get(&text.value())
        {
            *text = LitStr::new(wire, text.span());
        }
    }
}

impl VisitMut for WireNames<'_> {
    fn visit_expr_call_mut(&mut self, call: &mut ExprCall) {
        syn::visit_mut::visit_expr_call_mut(self, call);
        if matches!(&*call.func, Expr::Path(path) if path.path.segments.iter().any(|part| part.ident == "QueryParam")) {
            self.set(call.args.first_mut());
        }
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        syn::visit_mut::visit_expr_method_call_mut(self, call);
        if METHODS.iter().any(|method| call.method == method) {
            self.set(call.args.first_mut());
        }
    }
}

/// Those of a map of headers, and of httpmock.
const METHODS: [&str; 5] = ["append", "query_param", "query_param_missing", "header", "header_missing"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        codegen::render,
        test_support::{changed, mini},
    };

    #[test]
    fn parameters_of_one_name_are_sent_by_their_own_names() {
        let text = json!({"type": "string"});
        let list = json!({"type": "array", "items": text});
        let parameters = json!([
            {"name": "orderId", "in": "path", "required": true, "description": "d", "schema": text},
            {"name": "orderId", "in": "query", "description": "q", "schema": text},
            {"name": "order_id", "in": "query", "description": "l", "explode": false, "schema": list},
            {"name": "Order-Id", "in": "header", "description": "h", "schema": text},
        ]);
        let files = render(changed("/paths/~1orders~1{orderId}/get/parameters", parameters)).expect("it generates");
        let code: String = files.client.split_whitespace().collect();
        for expected in [
            "requiredorder_id:",
            "optionalorder_id_query:",
            "optionalorder_id_query_2:",
            "optionalorder_id_header:",
            "QueryParam::new(\"orderId\",&order_id_query",
            "joined_query(url,\"order_id\",&order_id_query_2",
            "append(\"Order-Id\",",
            "`order_id_query`(`orderId`inquery):q",
        ] {
            assert!(code.contains(expected), "{expected}: {}", files.client);
        }
        let mock: String = files.mock.split_whitespace().collect();
        for expected in ["query(self.0,\"orderId\",", "joined(self.0,\"order_id\",", "header(\"Order-Id\","] {
            assert!(mock.contains(expected), "{expected}: {}", files.mock);
        }
    }

    #[test]
    fn parameter_called_body_differs_from_the_body() {
        let parameters = json!([{"name": "body", "in": "query", "description": "d", "schema": {"type": "string"}}]);
        let files = render(changed("/paths/~1orders/post/parameters", parameters)).expect("it generates");
        assert!(files.client.contains("optional body_query: ::std::string::String"), "{}", files.client);
        assert!(files.client.contains("QueryParam::new(\"body\", &body_query)"), "{}", files.client);
    }

    #[test]
    fn operation_called_as_a_keyword_is_mocked_by_its_names() {
        let text = json!({"type": "string"});
        let list = json!({"type": "array", "items": text});
        let mut document = mini();
        let get = document.root.pointer_mut("/paths/~1orders~1{orderId}/get").expect("the operation");
        get["operationId"] = json!("self");
        get["parameters"] = json!([
            {"name": "orderId", "in": "path", "required": true, "description": "d", "schema": text},
            {"name": "orderId", "in": "query", "description": "q", "schema": text},
            {"name": "tags", "in": "query", "description": "l", "explode": false, "schema": list},
        ]);
        let mock: String = render(document).expect("it generates").mock.split_whitespace().collect();
        for expected in ["structSelfWhen", "query(self.0,\"orderId\",", "joined(self.0,\"tags\","] {
            assert!(mock.contains(expected), "{expected}: {mock}");
        }
    }
}
