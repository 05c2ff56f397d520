//! The client itself: what must not be there goes, and what costs at every call is done once.

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::{
    Block, Expr, ExprField, ExprMethodCall, File, ImplItem, ImplItemFn, Item, LitStr, Local, Member, Stmt, Token,
    parse::{Parse, ParseStream, Result},
    parse_quote,
    visit_mut::VisitMut,
};

use super::module;

/// Removes
/// - `Client::new`, which makes an HTTP client of its own with a total timeout of 15 s, and no transport's settings;
/// - the header `api-version` that progenitor sends: a vendor's own is a parameter;
/// - the prelude, which has one name;
/// - the hooks before and after a call, which core does not have;
/// - the base URL before each path: parsing it again was a twelfth of the cost of a small call. The transport has it parsed.
///
/// Adds `with_call_options` and `request` beside the constructor.
pub(crate) fn rewrite(file: &mut File) {
    file.items.retain(|item| match item {
        Item::Mod(module) => module.ident != "prelude",
        Item::Impl(block) => !block.trait_.as_ref().is_some_and(|(_, of, _)| mentions(of, "ClientHooks")),
        _ => true,
    });
    Hooks.visit_file_mut(file);
    for item in &mut file.items {
        if let Item::Impl(block) = item {
            block.items.retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "new"));
            let is_constructor =
                |item: &ImplItem| matches!(item, ImplItem::Fn(function) if function.sig.ident == "new_with_client");
            if block.items.iter().any(is_constructor) {
                block.items.extend([with_call_options(), request()]);
            }
        }
    }
    Headers.visit_file_mut(file);
    // Calls without parameters and bodies name none.
    for item in module(&mut file.items, "builder").into_iter().flatten() {
        if let Item::Use(import) = item
            && import.attrs.is_empty()
        {
            import.attrs.push(parse_quote!(#[allow(unused_imports)]));
        }
    }
}

fn with_call_options() -> ImplItem {
    parse_quote! {
        /// Returns a handle whose calls have other settings, such as a deadline of their own. It shares the token, the rate limit and the
        /// connections with this client.
        pub fn with_call_options(&self, options: progenitor_client::CallOptions) -> Self {
            Self { inner: self.inner.with_call_options(options), ..self.clone() }
        }
    }
}

fn request() -> ImplItem {
    parse_quote! {
        /// Creates a request that the OpenAPI document lacks, such as for a new operation. It is sent with the credentials, limits, retries,
        /// traces and errors of this client. `path` is relative to the base URL, and may have parameters: `/reports/{id}`.
        pub fn request(
            &self,
            method: ::reqwest::Method,
            path: impl ::std::convert::Into<::std::borrow::Cow<'static, str>>,
        ) -> progenitor_client::CustomRequest<'_> {
            self.inner.custom_request(&self.client, method, path)
        }
    }
}

/// Names of the hooks in imports.
struct Hooks;

impl VisitMut for Hooks {
    fn visit_use_group_mut(&mut self, group: &mut syn::UseGroup) {
        let names = std::mem::take(&mut group.items).into_iter();
        group.items =
            names.filter(|tree| !["ClientHooks", "OperationInfo"].iter().any(|name| mentions(tree, name))).collect();
    }
}

struct Headers;

impl VisitMut for Headers {
    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        if function.sig.ident == "send" {
            let header_map = distinguish_locals(&mut function.block);
            without_version(&mut function.block, header_map);
            function.block.stmts.iter_mut().for_each(below_base);
        }
    }
}

/// Gives what the code of a call uses beside its parameters another name where a parameter has it. Returns the name of the map of headers.
fn distinguish_locals(block: &mut Block) -> &'static str {
    let has = |name: &str| {
        let parameters = block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Local(Local { pat: syn::Pat::Struct(parts), .. }) => Some(&parts.fields),
            _ => None,
        });
        parameters.flatten().any(|field| matches!(&field.member, Member::Named(member) if member == name))
    };
    let (header_map, encode_path) = (has("header_map"), has("encode_path"));
    if header_map || encode_path {
        OwnLocals { header_map, encode_path }.visit_block_mut(block);
    }
    if header_map { "header_map_" } else { "header_map" }
}

struct OwnLocals {
    header_map: bool,
    encode_path: bool,
}

impl OwnLocals {
    /// Renames a local of the generated code. Names of parameters end with an underscore only if they are words of Rust.
    fn rename(&self, expression: &mut Expr) {
        if self.header_map && *expression == parse_quote!(header_map) {
            *expression = parse_quote!(header_map_);
        }
    }
}

impl VisitMut for OwnLocals {
    fn visit_local_mut(&mut self, local: &mut Local) {
        syn::visit_mut::visit_local_mut(self, local);
        if let syn::Pat::Ident(name) = &mut local.pat
            && self.header_map
            && local.init.as_ref().is_some_and(|init| mentions(&init.expr, "HeaderMap :: with_capacity"))
        {
            name.ident = parse_quote!(header_map_);
        }
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        syn::visit_mut::visit_expr_method_call_mut(self, call);
        if call.method == "append" {
            self.rename(&mut call.receiver);
        } else if call.method == "headers" {
            call.args.iter_mut().for_each(|argument| self.rename(argument));
        }
    }

    fn visit_macro_mut(&mut self, code: &mut syn::Macro) {
        if self.encode_path && code.path.is_ident("format") {
            code.tokens = absolute(std::mem::take(&mut code.tokens));
        }
    }
}

/// Returns the tokens with calls of `encode_path` named by its path.
fn absolute(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut out = TokenStream::new();
    while let Some(tree) = tokens.next() {
        let is_called = matches!(tokens.peek(), Some(TokenTree::Group(_)));
        match tree {
            TokenTree::Ident(name) if name == "encode_path" && is_called => {
                out.extend(quote::quote!(::progenitor_client::encode_path));
            }
            TokenTree::Group(group) => {
                out.extend([TokenTree::Group(Group::new(group.delimiter(), absolute(group.stream())))]);
            }
            other => out.extend([other]),
        }
    }
    out
}

/// Removes the base URL from `let url = format!("{}/path/{}", client.baseurl, value)`.
fn below_base(statement: &mut Stmt) {
    if let Stmt::Local(Local { pat: syn::Pat::Ident(name), init: Some(init), .. }) = statement
        && name.ident == "url"
        && let Expr::Macro(format) = &*init.expr
        && let Ok(Below { path, client, values }) = syn::parse2(format.mac.tokens.clone())
    {
        *init.expr = if values.is_empty() {
            parse_quote!(#client.inner.url(#path))
        } else {
            parse_quote!(#client.inner.url(&format!(#path, #values)))
        };
    }
}

/// The arguments of such a `format!`.
struct Below {
    path: LitStr,
    client: Box<Expr>,
    values: TokenStream,
}

impl Parse for Below {
    fn parse(input: ParseStream) -> Result<Self> {
        let text: LitStr = input.parse()?;
        input.parse::<Token![,]>()?;
        let base: ExprField = input.parse()?;
        input.parse::<Token![,]>()?;
        match (text.value().strip_prefix("{}"), base.member) {
            (Some(path), Member::Named(name)) if name == "baseurl" => {
                Ok(Self { path: LitStr::new(path, text.span()), client: base.base, values: input.parse()? })
            }
            _ => Err(input.error("not below the base URL")),
        }
    }
}

fn without_version(block: &mut Block, header_map: &str) {
    // A header of this name that the vendor documents has a value from the caller.
    block.stmts.retain(|statement| matches!(statement, Stmt::Local(_)) || !mentions(statement, "api_version ()"));
    let used = block.stmts.iter().filter(|statement| has_word(statement, header_map)).count();
    // One statement makes the map, one sends it: nothing is in it.
    if used == 2 {
        block.stmts.retain(|statement| !matches!(statement, Stmt::Local(local) if has_word(&local.pat, header_map)));
        EmptyHeaders.visit_block_mut(block);
    }
}

struct EmptyHeaders;

impl VisitMut for EmptyHeaders {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        syn::visit_mut::visit_expr_mut(self, expression);
        if let Expr::MethodCall(ExprMethodCall { receiver, method, .. }) = expression
            && method == "headers"
        {
            *expression = (**receiver).clone();
        }
    }
}

/// A parameter may have a longer name than `word`.
fn has_word(node: &impl quote::ToTokens, word: &str) -> bool {
    let text = node.to_token_stream().to_string();
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|found| found == word)
}

fn mentions(node: &impl quote::ToTokens, text: &str) -> bool {
    node.to_token_stream().to_string().contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(code: &str) -> String {
        let mut file = syn::parse_file(code).expect("it is Rust");
        rewrite(&mut file);
        prettyplease::unparse(&file)
    }

    #[test]
    fn constructor_without_transport_and_prelude_are_removed() {
        let code = rewritten("impl Client { pub fn new() {} pub fn new_with_client() {} } pub mod prelude {}");
        assert!(code.starts_with("impl Client {\n    pub fn new_with_client() {}\n"), "{code}");
        assert!(
            code.contains("pub fn with_call_options(&self")
                && code.contains("pub fn request(")
                && !code.contains("prelude"),
            "{code}"
        );
    }

    #[test]
    fn version_header_is_removed_with_its_empty_map() {
        let code = rewritten(
            r#"impl Call { fn send() {
                let mut header_map = HeaderMap::with_capacity(1);
                header_map.append(name("api-version"), value(super::Client::api_version()));
                let request = client.get(url).headers(header_map).build()?;
            } }"#,
        );
        assert_eq!(code, "impl Call {\n    fn send() {\n        let request = client.get(url).build()?;\n    }\n}\n");
    }

    #[test]
    fn a_url_is_its_path_below_the_transports_base() {
        let code = rewritten(
            r#"impl Call { fn send() {
                let url = format!("{}/reports", client.baseurl,);
                let url = format!("{}/reports/{}", client.baseurl, encode_path(&id.to_string()),);
            } }"#,
        );
        assert!(code.contains(r#"let url = client.inner.url("/reports");"#), "{code}");
        assert!(code.contains(r#".url(&format!("/reports/{}", encode_path(& id.to_string()),))"#), "{code}");
    }

    #[test]
    fn a_query_parameter_of_that_name_stays() {
        let code = rewritten(
            r#"impl Call { fn send() {
                let mut header_map = HeaderMap::with_capacity(1);
                header_map.append(name("api-version"), value(super::Client::api_version()));
                let request = client.get(url).query(&param("api-version", &version)).headers(header_map).build()?;
            } }"#,
        );
        assert!(code.contains("param(\"api-version\", &version)") && !code.contains("header_map"), "{code}");
    }

    #[test]
    fn a_vendors_own_version_header_stays() {
        let code = rewritten(
            r#"impl Call { fn send() {
                let mut header_map = HeaderMap::with_capacity(2);
                header_map.append(name("api-version"), value(super::Client::api_version()));
                header_map.append("api-version", api_version.to_string().try_into()?);
                if let Some(value) = api_version { header_map.append("api-version", value.to_string().try_into()?); }
                let request = client.get(url).headers(header_map).build()?;
            } }"#,
        );
        assert!(!code.contains("Client::api_version") && code.contains(".headers(header_map)"), "{code}");
        assert_eq!(code.matches("append(\"api-version\"").count(), 2, "{code}");
    }

    #[test]
    fn parameters_may_have_the_names_of_the_calls_own_locals() {
        let code = rewritten(
            r#"impl Call { fn send() {
                let Self { client, header_map, encode_path } = self;
                let url = format!("{}/a/{}", client.baseurl, encode_path(&encode_path.to_string()),);
                let mut header_map = ::reqwest::header::HeaderMap::with_capacity(2);
                header_map.append("header_map", header_map.to_string().try_into()?);
                let request = client.get(url).headers(header_map).build()?;
            } }"#,
        );
        for expected in [
            "::progenitor_client::encode_path(& encode_path",
            "let mut header_map_ =",
            "header_map_.append(\"header_map\", header_map.to_string()",
            ".headers(header_map_)",
        ] {
            assert!(
                code.replace(":: progenitor_client :: encode_path", "::progenitor_client::encode_path")
                    .contains(expected),
                "{expected}: {code}"
            );
        }
    }

    #[test]
    fn headers_of_the_document_stay() {
        let code = rewritten(
            r#"impl Call { fn send() {
                let mut header_map = HeaderMap::with_capacity(2);
                header_map.append(name("api-version"), value(super::Client::api_version()));
                header_map.append("X-Trace", trace);
                let request = client.get(url).headers(header_map).build()?;
            } }"#,
        );
        assert!(
            code.contains("X-Trace") && code.contains(".headers(header_map)") && !code.contains("api-version"),
            "{code}"
        );
    }
}
