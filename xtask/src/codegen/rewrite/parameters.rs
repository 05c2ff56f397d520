//! Parameters of a call that are not set or do not convert: the error names the call and says what to do.

use syn::{
    Block, Expr, ExprMethodCall, File, Ident, ImplItemFn, Local, Pat, Stmt, parse_quote, visit::Visit,
    visit_mut::VisitMut,
};

/// Has the transport make the error, which knows the operation's name. A text that says that a parameter is not set is not made before:
/// in most calls it will be, and the text cost an allocation for each.
pub(crate) fn rewrite(file: &mut File) {
    Parameters.visit_file_mut(file);
}

struct Parameters;

impl VisitMut for Parameters {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        syn::visit_mut::visit_expr_mut(self, expression);
        if let Expr::Call(call) = expression
            && call.func == parse_quote!(Err)
            && let Some(Expr::MethodCall(ExprMethodCall { receiver, .. })) = call.args.first()
            && text(receiver).is_some_and(|text| text.ends_with(" was not initialized"))
        {
            *expression = parse_quote!(Err(String::new()));
        }
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        syn::visit_mut::visit_impl_item_fn_mut(self, function);
        let mut operation = OperationId(None);
        operation.visit_block(&function.block);
        if let (Some(client), Some(operation)) = (client(&function.block), operation.0) {
            told_by_transport(&mut function.block, &client, &operation);
        }
    }
}

/// `let id = id.map_err(Error::InvalidRequest)?` of each parameter.
fn told_by_transport(block: &mut Block, client: &Ident, operation: &str) {
    for statement in &mut block.stmts {
        if let Stmt::Local(local) = statement
            && let Pat::Ident(name) = &local.pat
            && let Some(init) = &mut local.init
            && let Expr::Try(tried) = &mut *init.expr
            && let Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) = &*tried.expr
            && method == "map_err"
            && args.first() == Some(&parse_quote!(Error::InvalidRequest))
        {
            let name = name.ident.to_string();
            *tried.expr = parse_quote!(#client.inner.parameter(#operation, #name, #receiver));
        }
    }
}

/// The first name in `let Self { client, … } = self`: another one if a parameter is called so.
fn client(block: &Block) -> Option<Ident> {
    block.stmts.iter().find_map(|statement| match statement {
        Stmt::Local(Local { pat: Pat::Struct(parts), .. }) => match &*parts.fields.first()?.pat {
            Pat::Ident(name) => Some(name.ident.clone()),
            _ => None,
        },
        _ => None,
    })
}

/// What stands in `OperationInfo { operation_id: "…" }`.
struct OperationId(Option<String>);

impl Visit<'_> for OperationId {
    fn visit_field_value(&mut self, field: &syn::FieldValue) {
        if matches!(&field.member, syn::Member::Named(name) if name == "operation_id") {
            self.0 = text(&field.expr);
        }
        syn::visit::visit_field_value(self, field);
    }
}

fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_parameter_is_told_by_the_transport_and_an_unset_one_costs_nothing_before() {
        let mut file = syn::parse_file(
            r#"impl Get {
                fn new() { Self { id: Err("id was not initialized".to_string()), page: Ok(None) } }
                fn send(self) {
                    let Self { _client, client, id, body } = self;
                    let id = id.map_err(Error::InvalidRequest)?;
                    let body = body.and_then(|v| convert(v)).map_err(Error::InvalidRequest)?;
                    let info = OperationInfo { operation_id: "get" };
                }
            }"#,
        )
        .expect("it is Rust");
        rewrite(&mut file);
        let code = prettyplease::unparse(&file);
        assert!(code.contains("id: Err(String::new()),"), "{code}");
        for told in [
            r#"_client.inner.parameter("get", "id", id)?"#,
            r#"parameter("get", "body", body.and_then(|v| convert(v)))?"#,
        ] {
            assert!(code.contains(told), "{code}");
        }
    }
}
