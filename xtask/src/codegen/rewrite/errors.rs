//! Errors: core has one opaque type, made by functions.

use syn::{
    Expr, ExprPath, ExprTry, File, GenericArgument, PathArguments, Type, TypePath, parse_quote, visit_mut::VisitMut,
};

/// Names core's `Error`, its function in place of progenitor's variant, and its function for headers that cannot be sent, in place of a
/// conversion. An unknown variant is an error: with a success
/// of one kind and no error kinds in the document, progenitor names no other.
pub(crate) fn rewrite(file: &mut File) -> Result<(), String> {
    let mut errors = Errors { unknown: None };
    errors.visit_file_mut(file);
    errors.unknown.map_or(Ok(()), |name| Err(format!("generated code names `Error::{name}`, which core has not")))
}

struct Errors {
    unknown: Option<String>,
}

impl VisitMut for Errors {
    fn visit_type_path_mut(&mut self, path: &mut TypePath) {
        syn::visit_mut::visit_type_path_mut(self, path);
        if let Some(last) = path.path.segments.last_mut()
            && last.ident == "Error"
            && let PathArguments::AngleBracketed(arguments) = &last.arguments
            && arguments
                .args
                .iter()
                .all(|argument| matches!(argument, GenericArgument::Type(Type::Tuple(unit)) if unit.elems.is_empty()))
        {
            last.arguments = PathArguments::None;
        }
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        syn::visit_mut::visit_expr_mut(self, expression);
        if let Expr::Try(ExprTry { expr, .. }) = expression {
            convert(expr);
        }
        let Expr::Path(ExprPath { path, qself: None, .. }) = expression else { return };
        let mut segments = path.segments.iter_mut();
        let (Some(owner), Some(name), None) = (segments.next(), segments.next(), segments.next()) else { return };
        if owner.ident != "Error" {
            return;
        }
        if name.ident == "UnexpectedResponse" {
            name.ident = syn::Ident::new("unexpected_response", name.ident.span());
        } else {
            self.unknown = Some(name.ident.to_string());
        }
    }
}

/// Converts the error of a header's value.
fn convert(tried: &mut Expr) {
    if let Expr::MethodCall(call) = &*tried
        && call.method == "try_into"
    {
        *tried = parse_quote!(#call.map_err(progenitor_client::__private::invalid_header));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_become_functions_and_the_type_loses_its_parameter() {
        let mut file = syn::parse_file(
            "fn send() -> Result<ResponseValue<A>, Error<()>> {
                let request = build().map_err(Error::UnexpectedResponse)?;
                Err(Error::UnexpectedResponse(response))
            }",
        )
        .expect("it is Rust");
        assert_eq!(rewrite(&mut file), Ok(()));
        assert_eq!(
            prettyplease::unparse(&file),
            "fn send() -> Result<ResponseValue<A>, Error> {
    let request = build().map_err(Error::unexpected_response)?;
    Err(Error::unexpected_response(response))
}
"
        );
    }

    #[test]
    fn headers_that_cannot_be_sent_are_converted_by_core() {
        let mut file = syn::parse_file(
            r#"fn send() {
                headers.append("x", value.to_string().try_into()?);
                let result = result?;
            }"#,
        )
        .expect("it is Rust");
        assert_eq!(rewrite(&mut file), Ok(()));
        let code: String = prettyplease::unparse(&file).split_whitespace().collect();
        assert!(code.contains(".try_into().map_err(progenitor_client::__private::invalid_header)?"), "{code}");
        assert!(code.contains("letresult=result?;"), "{code}");
    }

    #[test]
    fn a_variant_that_core_has_not_is_an_error() {
        let mut file = syn::parse_file("fn send() { Err(Error::ErrorResponse(x)) }").expect("it is Rust");
        assert_eq!(
            rewrite(&mut file),
            Err("generated code names `Error::ErrorResponse`, which core has not".to_owned())
        );
    }
}
