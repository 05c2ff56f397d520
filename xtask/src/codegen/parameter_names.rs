//! Names of parameters that are distinct in Rust: the generators distinguish them by name alone, HTTP by name and location.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{Operation, operations};
use serde_json::Value;
use syn::{Expr, ExprCall, ExprLit, ExprMethodCall, File, Item, Lit, LitStr, visit_mut::VisitMut};

use super::{
    identifiers::{setter_name, type_name, value_name},
    rewrite::{last_name, module},
};

/// Returns the parameters of an operation, each with a name that no other makes the same setter of, nor the body.
pub(crate) fn of_operation<'a>(root: &'a Value, operation: &Operation<'a>) -> Vec<(&'a Value, String)> {
    distinct(operation.parameters(root), operation.body(root).is_some())
}

/// Returns [`of_operation`] for a list of parameters.
pub(crate) fn distinct(parameters: Vec<&Value>, has_body: bool) -> Vec<(&Value, String)> {
    let mut used = BTreeSet::new();
    if has_body {
        used.insert("body".to_owned());
    }
    let mut names = parameters.into_iter().map(|parameter| (parameter, String::new())).collect::<Vec<_>>();
    // The path's keep their own first, then those that are Rust names as they are.
    let turn = |parameter: &Value| match location(parameter) {
        "path" => 0,
        _ => 1 + usize::from(value_name(wire_name(parameter)) != wire_name(parameter)),
    };
    for now in 0..3 {
        for (parameter, name) in names.iter_mut().filter(|(one, _)| turn(one) == now) {
            if used.insert(value_name(wire_name(parameter))) {
                *name = wire_name(parameter).to_owned();
            }
        }
    }
    for (parameter, name) in names.iter_mut().filter(|(_, name)| name.is_empty()) {
        let with_location = format!("{}_{}", wire_name(parameter), location(parameter));
        let numbered = (2..).map(|number| format!("{with_location}_{number}"));
        let mut candidates = [with_words(wire_name(parameter)), with_location.clone()].into_iter().chain(numbered);
        *name = candidates.find(|name| used.insert(value_name(name))).unwrap_or_default();
    }
    names
}

/// Returns a name with words for the operators of a comparison: filters such as `Time<` and `Time>` differ by nothing else.
fn with_words(name: &str) -> String {
    let words = [("<=", "_le"), (">=", "_ge"), ("<", "_lt"), (">", "_gt")];
    words.iter().fold(name.to_owned(), |name, (sign, word)| name.replace(sign, word))
}

/// Returns the setter of the parameter that is sent by a name in one of some locations.
pub(crate) fn setter(root: &Value, operation: &Operation<'_>, name: &str, locations: &[&str]) -> Option<String> {
    let is_it = |parameter: &Value| wire_name(parameter) == name && locations.contains(&location(parameter));
    of_operation(root, operation).into_iter().find_map(|(parameter, own)| is_it(parameter).then(|| setter_name(&own)))
}

/// Returns the path of an operation with these names.
pub(super) fn path(root: &Value, operation: &Operation<'_>) -> String {
    let in_path = of_operation(root, operation).into_iter().filter(|(parameter, _)| location(parameter) == "path");
    in_path.fold(operation.path.to_owned(), |path, (parameter, name)| {
        path.replace(&format!("{{{}}}", wire_name(parameter)), &format!("{{{name}}}"))
    })
}

/// Has calls send the names of the document.
pub(super) fn send_wire_names(file: &mut File, root: &Value) {
    for_each_call(module(&mut file.items, "builder").into_iter().flatten(), root, "");
}

/// Has the mock helpers in a module expect the names of the document.
pub(super) fn expect_wire_names(operations: &mut [Item], root: &Value) {
    for_each_call(operations.iter_mut(), root, "When");
}

fn for_each_call<'a>(items: impl Iterator<Item = &'a mut Item>, root: &Value, suffix: &str) {
    let renamed = operations(root).into_iter().filter_map(|operation| {
        let changed =
            of_operation(root, &operation).into_iter().filter(|(parameter, name)| wire_name(parameter) != name);
        let changed = changed.map(|(parameter, name)| (name, wire_name(parameter).to_owned()));
        let changed = changed.collect::<BTreeMap<_, _>>();
        (!changed.is_empty()).then(|| (format!("{}{suffix}", type_name(operation.id())), changed))
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

/// The methods of a map of headers, and of httpmock, that take a name.
const METHODS: [&str; 5] = ["append", "query_param", "query_param_missing", "header", "header_missing"];

fn wire_name(parameter: &Value) -> &str {
    parameter.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn location(parameter: &Value) -> &str {
    parameter.get("in").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{codegen::render, test_support::changed};

    #[test]
    fn parameters_of_one_name_are_named_by_their_location() {
        let all = [
            ("id", "query"),
            ("id", "path"),
            ("Id", "header"),
            ("body", "query"),
            ("id_query", "query"),
            ("i-d", "query"),
        ];
        let all = all.map(|(name, location)| json!({"name": name, "in": location}));
        let names = distinct(all.iter().collect(), true).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names, ["id_query_2", "id", "Id_header", "body_query", "id_query", "i-d"]);
        let filters = ["time<", "time", "Time>=", "Time-"].map(|name| json!({"name": name, "in": "query"}));
        let names = distinct(filters.iter().collect(), false).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names, ["time_lt", "time", "Time_ge", "Time-_query"]);
    }

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
            "`order_id_query`:q",
        ] {
            assert!(code.contains(expected), "{expected}: {}", files.client);
        }
        let mock: String = files.mock.split_whitespace().collect();
        for expected in ["query(self.0,\"orderId\",", "joined(self.0,\"order_id\",", "header(\"Order-Id\","] {
            assert!(mock.contains(expected), "{expected}: {}", files.mock);
        }
    }

    #[test]
    fn parameter_named_body_is_distinguished_from_the_body() {
        let parameters = json!([{"name": "body", "in": "query", "description": "d", "schema": {"type": "string"}}]);
        let files = render(changed("/paths/~1orders/post/parameters", parameters)).expect("it generates");
        assert!(files.client.contains("optional body_query: ::std::string::String"), "{}", files.client);
        assert!(files.client.contains("QueryParam::new(\"body\", &body_query)"), "{}", files.client);
    }
}
