//! The function `send` of calls: their macro checks the parameters, and the transport builds and sends the request.

use syn::{
    Arm, Block, Expr, ExprMethodCall, File, Ident, ImplItem, ImplItemFn, Item, Local, Pat, Stmt, parse_quote,
    visit::Visit, visit_mut::VisitMut,
};

use super::module;

/// Shortens what is the same in each call.
///
/// # Errors
/// A call of another form than progenitor's.
pub(crate) fn rewrite(file: &mut File) -> Result<(), String> {
    for send in sends(file) {
        shorten(send).ok_or_else(|| {
            let code = quote::quote!(#send).to_string();
            format!("the code of a call has another form: {code}")
        })?;
    }
    Ok(())
}

/// Returns the success without a `match`, if all of them have the same: other statuses have failed before.
pub(crate) fn without_match(file: &mut File) {
    for send in sends(file) {
        if let Some(Stmt::Expr(last, None)) = send.block.stmts.last_mut()
            && let Some(success) = only_success(last)
        {
            *last = success;
        }
    }
}

fn sends(file: &mut File) -> impl Iterator<Item = &mut ImplItemFn> {
    let calls = module(&mut file.items, "builder").into_iter().flatten();
    let functions = calls.filter_map(|item| if let Item::Impl(block) = item { Some(&mut block.items) } else { None });
    functions.flatten().filter_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == "send" && function.sig.asyncness.is_some() => Some(function),
        _ => None,
    })
}

fn shorten(send: &mut ImplItemFn) -> Option<()> {
    let operation = operation(&send.block)?;
    Accept.visit_block_mut(&mut send.block);
    let statements = &mut send.block.stmts;
    let client = parameters(statements, &operation)?;
    let at = statements.iter().position(|statement| built(statement).is_some())?;
    let request = built(&statements[at])?.clone();
    // After the request: the operation, the hooks before and after, the result, and the response.
    let Stmt::Local(Local { pat: response, .. }) = statements.get(at + 5)? else { return None };
    let sent = parse_quote!(let #response = #client.inner.call(#request, #operation).await?;);
    statements.splice(at..=at + 5, [sent]);
    Some(())
}

/// Joins `let Self { client, id } = self; let id = id.map_err(…)?;` to one statement. Returns the name of the client.
fn parameters(statements: &mut Vec<Stmt>, operation: &str) -> Option<Ident> {
    let Some(Stmt::Local(Local { pat: Pat::Struct(parts), .. })) = statements.first() else { return None };
    let names = parts.fields.iter().map(|field| match &*field.pat {
        Pat::Ident(name) => Some(name.ident.clone()),
        _ => None,
    });
    let names = names.collect::<Option<Vec<_>>>()?;
    let (client, parameters) = names.split_first()?;
    let client = client.clone();
    let taken: Stmt = if parameters.is_empty() {
        parse_quote!(let #client = self.__client;)
    } else {
        parse_quote!(let (#client, #(#parameters),*) = self.__parameters(#operation)?;)
    };
    let checks = parameters.len();
    let is_check = |statement: &Stmt, name: &Ident| {
        matches!(statement, Stmt::Local(Local { pat: Pat::Ident(checked), init: Some(init), .. })
            if checked.ident == *name && matches!(&*init.expr, Expr::Try(_)))
    };
    let checked = statements.get(1..=checks)?;
    if !checked.iter().zip(parameters).all(|(statement, name)| is_check(statement, name)) {
        return None;
    }
    statements.splice(0..=checks, [taken]);
    Some(client)
}

/// Returns the request of `let mut request = ….build()?`.
fn built(statement: &Stmt) -> Option<&Expr> {
    let Stmt::Local(Local { init: Some(init), .. }) = statement else { return None };
    let Expr::Try(tried) = &*init.expr else { return None };
    match &*tried.expr {
        Expr::MethodCall(call) if call.method == "build" => Some(&call.receiver),
        _ => None,
    }
}

fn only_success(last: &Expr) -> Option<Expr> {
    let Expr::Match(by_status) = last else { return None };
    let [Arm { pat, body, .. }, Arm { pat: Pat::Wild(_), .. }] = by_status.arms.as_slice() else { return None };
    let all: Pat = parse_quote!(200..=299);
    let success = match &**body {
        Expr::Block(block) => match block.block.stmts.as_slice() {
            [Stmt::Expr(only, None)] => only,
            _ => body,
        },
        other => other,
    };
    (*pat == all).then(|| success.clone())
}

/// `header(ACCEPT, HeaderValue::from_static("…"))` has a function in core.
struct Accept;

impl VisitMut for Accept {
    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        syn::visit_mut::visit_expr_method_call_mut(self, call);
        if call.method == "header"
            && let (Some(Expr::Path(name)), Some(Expr::Call(value))) = (call.args.first(), call.args.get(1))
            && name.path.segments.last().is_some_and(|last| last.ident == "ACCEPT")
            && let Some(media_types) = value.args.first().cloned()
        {
            let receiver = &call.receiver;
            *call = parse_quote!(#receiver.accept(#media_types));
        }
    }
}

/// Returns the id in `OperationInfo { operation_id: "…" }`.
fn operation(block: &Block) -> Option<String> {
    let mut found = OperationId(None);
    found.visit_block(block);
    found.0
}

struct OperationId(Option<String>);

impl Visit<'_> for OperationId {
    fn visit_field_value(&mut self, field: &syn::FieldValue) {
        if let (syn::Member::Named(name), Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(id), .. })) =
            (&field.member, &field.expr)
            && name == "operation_id"
        {
            self.0 = Some(id.value());
        }
        syn::visit::visit_field_value(self, field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(last: &str) -> Result<String, String> {
        let mut file = syn::parse_file(&format!(
            r#"mod builder {{ impl Get<'_> {{ async fn send(self) {{
                let Self {{ _client, client, body }} = self;
                let client = client.map_err(Error::InvalidRequest)?;
                let body = body.and_then(|v| types::Body::try_from(v)).map_err(Error::InvalidRequest)?;
                let url = url(&client);
                #[allow(unused_mut)]
                let mut request = _client.client.get(url)
                    .header(::reqwest::header::ACCEPT, ::reqwest::header::HeaderValue::from_static("application/json"))
                    .json(&body).build()?;
                let info = OperationInfo {{ operation_id: "get" }};
                _client.pre(&mut request, &info).await?;
                let result = _client.exec(request, &info).await;
                _client.post(&result, &info).await?;
                let response = result?;
                {last}
            }} }} }}"#
        ))
        .expect("it is Rust");
        rewrite(&mut file)?;
        without_match(&mut file);
        Ok(prettyplease::unparse(&file).split_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn call_checks_its_parameters_and_is_sent_by_the_transport() {
        let code = rewritten("match response.status() { 200..=299 => Ok(response), _ => Err(no) }").expect("it fits");
        for expected in [
            r#"{ let (_client, client, body) = self.__parameters("get")?; let url = url(&client);"#,
            r#".get(url).accept("application/json").json(&body), "get", ) .await?; Ok(response) }"#,
        ] {
            assert!(code.contains(expected), "{expected}: {code}");
        }
    }

    #[test]
    fn successes_that_differ_stay() {
        let code = rewritten("match response.status() { 200 => Ok(1), 204 => Ok(2), _ => Err(no) }").expect("it fits");
        assert!(code.contains("204 => Ok(2), _ => Err(no)"), "{code}");
    }

    #[test]
    fn call_of_another_form_is_an_error() {
        let mut file =
            syn::parse_file("mod builder { impl A { async fn send(self) { todo!() } } }").expect("it is Rust");
        assert!(rewrite(&mut file).is_err_and(|error| error.contains("another form")));
    }
}
