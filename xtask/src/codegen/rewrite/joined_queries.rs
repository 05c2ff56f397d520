//! Arrays that are not exploded: reqwest would percent-encode the commas between their items.

use serde_json::Value;
use syn::{Block, Expr, ExprMethodCall, File, ImplItem, Item, Local, Pat, Stmt, parse_quote, visit_mut::VisitMut};

use super::{last_name, module};
use crate::codegen::{identifiers::type_name, joined_parameters::joined_parameters};

/// Has core add these arrays to the URL, in place of `query` of the request.
pub(crate) fn rewrite(file: &mut File, root: &Value) {
    let joined = joined_parameters(root, type_name);
    for item in module(&mut file.items, "builder").into_iter().flatten() {
        if let Item::Impl(block) = item
            && let Some(names) = last_name(&block.self_ty).and_then(|call| joined.get(&call))
        {
            for item in &mut block.items {
                if let ImplItem::Fn(function) = item
                    && function.sig.ident == "send"
                {
                    join(&mut function.block, names);
                }
            }
        }
    }
}

fn join(block: &mut Block, names: &[String]) {
    let mut queries = Queries { names, values: Vec::new() };
    queries.visit_block_mut(block);
    let is_url = |statement: &Stmt| {
        matches!(statement, Stmt::Local(Local { pat: Pat::Ident(name), init: Some(init), .. })
            if name.ident == "url" && matches!(&*init.expr, Expr::Macro(_) | Expr::MethodCall(_)))
    };
    if let Some(at) = block.stmts.iter().position(is_url) {
        let statements = queries.values.into_iter().map(|(name, value)| -> Stmt {
            parse_quote!(let url = ::progenitor_client::__private::joined_query(url, #name, #value)?;)
        });
        block.stmts.splice(at + 1..=at, statements);
    }
}

/// Takes `.query(&QueryParam::new(name, &value))` out of the request.
struct Queries<'a> {
    names: &'a [String],
    values: Vec<(String, Expr)>,
}

impl VisitMut for Queries<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        syn::visit_mut::visit_expr_mut(self, expression);
        let Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) = &*expression else { return };
        if method == "query"
            && let Some(Expr::Reference(reference)) = args.first()
            && let Expr::Call(call) = &*reference.expr
            && let (Some(Expr::Lit(name)), Some(value)) = (call.args.first(), call.args.get(1))
            && let syn::Lit::Str(name) = &name.lit
            && self.names.contains(&name.value())
        {
            self.values.push((name.value(), value.clone()));
            *expression = (**receiver).clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{codegen::render, test_support::changed};

    #[test]
    fn array_without_explode_is_sent_and_expected_joined() {
        let files = render(changed("/paths/~1orders/get/parameters/3/explode", json!(false))).expect("it generates");
        let code: String = files.client.split_whitespace().collect();
        let joined = "leturl=::progenitor_client::__private::joined_query(url,\"status\",&status,)?;";
        assert!(code.contains(&format!("client.inner.url(\"/orders\");{joined}")), "{code}");
        assert!(!code.contains("QueryParam::new(\"status\""), "{code}");
        assert!(files.mock.contains("joined(self.0, \"status\", &value)"), "{}", files.mock);
    }
}
