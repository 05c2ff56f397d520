//! The method `stream` of calls whose operations have `x-pagination`.

use openapi_document::Operation;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::{Map, Value};
use syn::{Ident, ImplItem, Type, parse_quote};

use super::{
    argument,
    call_model::{Call, CallModel, Parameter},
    foreign_name, jobs,
};
use crate::codegen::{identifiers::type_name, parameter_names};

/// Returns the method of an operation.
///
/// # Errors
/// The reason why there is none.
pub(super) fn stream(
    model: &CallModel,
    root: &Value,
    operation: &Operation<'_>,
    paging: &Map<String, Value>,
) -> Result<ImplItem, String> {
    let call = model.call(&type_name(operation.id())).ok_or("it has no call")?;
    if !call.is_clone {
        return Err("its body cannot be sent again".to_owned());
    }
    let text = |key: &str| paging.get(key).and_then(Value::as_str).unwrap_or_default();
    let setter = |name: &str| parameter_names::setter(root, operation, name, &["query", "header"]);
    let body = operation.body(root).and_then(|_| call.parameter("body"));
    let style = text("style");
    let numbering = match style {
        "offset" => Some(quote!(::progenitor_client::__private::Numbering::Items)),
        "page" => {
            let first = paging.get("first").and_then(Value::as_i64).unwrap_or(1);
            Some(quote!(::progenitor_client::__private::Numbering::Pages { first: #first }))
        }
        _ => None,
    };
    let response = call.response()?;
    let items = Items::new(model, response, text("items"))?;
    let position = match text("param") {
        "" if matches!(style, "next-uri" | "link") => None,
        param => Some(Position::new(model, param, setter(param).and_then(|setter| call.parameter(&setter)), body)?),
    };
    let size = size(call, paging, setter(text("limit")))?;
    let page = page(model, response, paging, operation, &items)?;
    let alone = (paging.get("alone") == Some(&Value::Bool(true))).then(|| kept(root, operation, paging, call));
    let request = request(call, position.as_ref(), numbering.is_some(), alone);
    let first = match (&position, &numbering) {
        (Some(position), Some(_)) => {
            let first = paging.get("first").and_then(Value::as_i64).unwrap_or(i64::from(style == "page"));
            position.first.as_ref().map_or(
                quote!(#first),
                |set| quote!(::progenitor_client::__private::number_in(&#set).unwrap_or(#first)),
            )
        }
        (Some(Position { first: Some(set), .. }), None) => quote!(::progenitor_client::__private::text_in(&#set)),
        _ => quote!(::std::string::String::new()),
    };
    let (function, arguments) = match numbering {
        Some(numbering) => (quote!(numbered_pages), quote!(#numbering, first, size)),
        None => (quote!(linked_pages), quote!(first)),
    };
    let prepared = size.prepared(needs_size(style));
    let (name, of) = (call.free_name("stream"), &items.of);
    let doc = doc(paging, &size);
    Ok(parse_quote! {
        #(#[doc = #doc])*
        pub fn #name(self) -> ::progenitor_client::Pager<#of> {
            let call = self.__into_owned();
            #prepared
            let first = #first;
            let client = call.__client.clone();
            ::progenitor_client::__private::#function(&*client, #arguments, move |position| {
                let call = call.clone();
                async move {
                    #request
                    let response = call.send().await?;
                    #page
                }
            })
        }
    })
}

/// Returns whether the end of a list depends on the size of its pages.
fn needs_size(style: &str) -> bool {
    matches!(style, "offset" | "page")
}

fn doc(paging: &Map<String, Value>, size: &Size) -> Vec<String> {
    let mut lines = vec![
        " Streams the items of all pages, and fetches the next page while the current one is read.".to_owned(),
        String::new(),
    ];
    let max = size.max.map_or_else(String::new, |max| format!(" Pages have {max} items, unless a size is set."));
    let from = if matches!(paging.get("style").and_then(Value::as_str), Some("offset" | "page")) {
        " The list ends where no item can follow; a page that repeats an earlier one is an error."
    } else {
        " The list ends with the page that names no other; one that was read already is an error."
    };
    lines.push(format!("{from}{max}"));
    lines
}

/// The list of a response.
struct Items {
    code: TokenStream,
    of: Type,
}

impl Items {
    fn new(model: &CallModel, response: &Type, path: &str) -> Result<Self, String> {
        let found = model.value(&quote!(page), response, path, false)?;
        let is_list = foreign_name(&found.of).is_some_and(|name| name == "Vec");
        let of = argument(&found.of, 0)
            .filter(|_| is_list)
            .ok_or_else(|| format!("{} is not an array", quoted_path(path)))?;
        Ok(Self { code: found.code, of: model.outside(of) })
    }
}

fn quoted_path(path: &str) -> String {
    if path.is_empty() { "the response".to_owned() } else { format!("{path:?}") }
}

/// The parameter by which a page is requested.
struct Position {
    /// The value of the parameter that the caller has set.
    first: Option<TokenStream>,
    /// The code that makes the call of a page from a call and a position.
    set: TokenStream,
}

impl Position {
    fn new(
        model: &CallModel,
        param: &str,
        parameter: Option<&Parameter>,
        body: Option<&Parameter>,
    ) -> Result<Self, String> {
        let parsed = |of: &Type| quote!(::progenitor_client::__private::position::<#of>(&position)?);
        if let Some(parameter) = parameter {
            is_position(&parameter.of, param)?;
            let (setter, value) = (&parameter.name, parsed(&parameter.of));
            return Ok(Self { first: Some(optional(parameter)), set: quote!(call.#setter(#value)) });
        }
        let body = body.ok_or_else(|| format!("it has no parameter {param:?} in query or header"))?;
        let (setter, of) = model.body_field(&body.of, param).ok_or_else(|| match param.contains('.') {
            true => format!("{param:?} is inside another field of its body, of which callers set the complete value"),
            false => format!("its body has no field {param:?}"),
        })?;
        is_position(&of, param)?;
        let parsed = parsed(&of);
        Ok(Self {
            first: None,
            set: quote!({
                let wanted = #parsed;
                call.body_map(|body| body.#setter(wanted))
            }),
        })
    }
}

fn is_position(of: &Type, param: &str) -> Result<(), String> {
    let integers = ["String", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "Uuid"];
    let is_one =
        foreign_name(of).or_else(|| super::last_name(of)).is_some_and(|name| integers.contains(&name.as_str()));
    if is_one { Ok(()) } else { Err(format!("the parameter {param:?} is neither a string nor an integer")) }
}

/// Returns the field of a parameter as one that may be unset.
fn optional(parameter: &Parameter) -> TokenStream {
    let name = &parameter.name;
    if parameter.is_required { quote!(call.#name.clone().map(::std::option::Option::Some)) } else { quote!(call.#name) }
}

/// The parameter for the size of pages.
struct Limit {
    setter: Ident,
    /// The value that the caller has set.
    set: TokenStream,
    is_text: bool,
}

/// The size of pages.
struct Size {
    limit: Option<Limit>,
    default: Option<i64>,
    max: Option<i64>,
}

fn size(call: &Call, paging: &Map<String, Value>, setter: Option<String>) -> Result<Size, String> {
    let number = |key: &str| paging.get(key).and_then(Value::as_i64);
    let Some(limit) = paging.get("limit").and_then(Value::as_str) else {
        return Ok(Size { limit: None, default: number("default").or(number("max")), max: None });
    };
    let Some(parameter) = setter.and_then(|setter| call.parameter(&setter)) else {
        // In the body, where the caller sets it.
        return Ok(Size { limit: None, default: None, max: None });
    };
    let setter = parameter.name.clone();
    // The end of other lists does not depend on the size.
    let is_numbered = needs_size(paging.get("style").and_then(Value::as_str).unwrap_or_default());
    let max = number("max").filter(|_| is_numbered && is_position(&parameter.of, limit).is_ok());
    let is_text = super::last_name(&parameter.of).is_some_and(|name| name == "String");
    Ok(Size { limit: Some(Limit { setter, set: optional(parameter), is_text }), default: number("default"), max })
}

impl Size {
    /// Returns the code that sets `call` and, if the list needs it, `size`.
    fn prepared(&self, needed: bool) -> TokenStream {
        let default = match self.max.or(self.default) {
            Some(default) => quote!(::std::option::Option::Some(#default)),
            None => quote!(::std::option::Option::None),
        };
        let Some(Limit { setter, set, is_text }) = &self.limit else {
            let size = if needed { quote!(let size = #default;) } else { quote!() };
            return size;
        };
        let enlarged = match self.max {
            Some(max) => {
                let max = if *is_text {
                    proc_macro2::Literal::string(&max.to_string())
                } else {
                    proc_macro2::Literal::i64_unsuffixed(max)
                };
                quote! {
                    let call = if size.is_none() {
                        call.#setter(#max)
                    } else {
                        call
                    };
                }
            }
            None => quote!(),
        };
        if !needed && self.max.is_none() {
            return quote!();
        }
        let known = self.max.or(self.default).filter(|_| needed);
        let size = known.map(|known| quote!(let size = size.or(::std::option::Option::Some(#known));));
        quote! {
            let size = ::progenitor_client::__private::number_in(&#set);
            #enlarged
            #size
        }
    }
}

/// Returns the query parameters that are sent beside a position if all others must not be, and the position itself: names and values.
fn kept(root: &Value, operation: &Operation<'_>, paging: &Map<String, Value>, call: &Call) -> Vec<TokenStream> {
    let kept = ["param", "limit"].into_iter().filter_map(|key| {
        let name = paging.get(key)?.as_str()?;
        let setter = parameter_names::setter(root, operation, name, &["query"])?;
        let set = optional(call.parameter(&setter)?);
        let value = match key {
            "param" => quote!(position.clone()),
            _ => quote!(::progenitor_client::__private::text_in(&#set)),
        };
        Some(quote!((#name, #value)))
    });
    kept.collect()
}

/// Returns the code that makes `call`, the request of the page at `position`.
fn request(call: &Call, position: Option<&Position>, numbered: bool, alone: Option<Vec<TokenStream>>) -> TokenStream {
    let name = &call.name;
    let (link, set) = match (position, alone) {
        (Some(Position { set, .. }), _) if numbered => return quote!(let call = #set;),
        (Some(Position { set, .. }), None) => {
            return quote!(let call = if position.is_empty() { call } else { #set };);
        }
        // The parameters stay set, because some may be required: the link replaces what they add to the query.
        (Some(Position { set, .. }), Some(kept)) => {
            (quote!(::progenitor_client::__private::query_link(&[#(#kept),*])), set.clone())
        }
        (None, _) => (quote!(position), quote!(call)),
    };
    quote! {
        let call = if position.is_empty() {
            call
        } else {
            let follow = ::progenitor_client::CallOptions::new().follow(#link);
            let client = call.__client.with_call_options(follow);
            let call = #name { __client: ::std::borrow::Cow::Owned(client), ..call };
            #set
        };
    }
}

/// Returns the code that makes a page of `response`.
fn page(
    model: &CallModel,
    response: &Type,
    paging: &Map<String, Value>,
    operation: &Operation<'_>,
    items: &Items,
) -> Result<TokenStream, String> {
    let text = |key: &str| paging.get(key).and_then(Value::as_str).unwrap_or_default();
    let body = quote!(page);
    let scalar = |path: &str| {
        let found = model.value(&body, response, path, true)?;
        if model.is_text(&found.of) {
            Ok(found.code)
        } else {
            Err(format!("{path:?} is neither a string nor a number"))
        }
    };
    let (param, list) = (text("param"), text("items"));
    let next = match (text("style"), text("next")) {
        ("link", _) => Some(quote!(next)),
        (_, "") => None,
        (style, path) => {
            let code = match path.split_once("[].") {
                Some((array, field)) if array == list => {
                    let of = &items.of;
                    let (array, last) =
                        (model.value(&body, response, array, true)?.code, model.value(&quote!(last), of, field, true)?);
                    if !model.is_text(&last.of) {
                        return Err(format!("{path:?} is neither a string nor a number"));
                    }
                    let last = last.code;
                    // `last` is borrowed already.
                    quote!(#array.and_then(|items| items.last()).and_then(|last| #last))
                }
                Some(_) => return Err(format!("{path:?} is not a field of the items")),
                None => scalar(path)?,
            };
            let text = quote!(#code.map(::std::string::ToString::to_string));
            Some(if style == "next-uri" && !param.is_empty() {
                quote!(::progenitor_client::__private::cursor_in_link(#text.as_deref(), #param)?)
            } else {
                text
            })
        }
    };
    let before = match (text("style"), param) {
        ("link", "") => quote!(let next = ::progenitor_client::__private::next_link(response.headers());),
        ("link", param) => quote! {
            let next = ::progenitor_client::__private::next_link(response.headers());
            let next = ::progenitor_client::__private::cursor_in_link(next.as_deref(), #param)?;
        },
        _ => quote!(),
    };
    let more = match text("more") {
        "" => None,
        path => {
            let found = model.value(&body, response, path, true)?;
            if super::last_name(&found.of).is_none_or(|name| name != "bool") {
                return Err(format!("{path:?} is not a boolean"));
            }
            let code = found.code;
            Some(quote!(#code.copied()))
        }
    };
    let pages = match text("pages") {
        "" => None,
        path => {
            let code = scalar(path)?;
            Some(quote!(#code.and_then(|pages| pages.to_string().parse().ok())))
        }
    };
    let stated_error = |path: &str| -> Result<TokenStream, String> {
        let code = model.value(&body, response, path, true)?.code;
        Ok(quote!(#code.and_then(::progenitor_client::__private::stated_error)))
    };
    let error = match text("error") {
        "" => None,
        path => Some(stated_error(path)?),
    };
    let reasons = paging.get("reasons").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let reasons = reasons.map(stated_error).collect::<Result<Vec<_>, _>>()?;
    let reasons = (!reasons.is_empty()).then(|| quote!([#(#reasons),*].into_iter().flatten().collect()));
    let state = match jobs::own_state(model, operation)? {
        Some(state) => quote!(#state.require_ready()?;),
        None => quote!(),
    };
    let (list, code) = (if list.is_empty() { "(the body)" } else { list }, &items.code);
    // A documented 204 has no items.
    let nothing = super::call_model::option_of(response).map(|_| {
        quote! {
            if response.status() == ::reqwest::StatusCode::NO_CONTENT {
                return ::std::result::Result::Ok(::progenitor_client::__private::Page::new(
                    #list,
                    ::std::option::Option::Some(::std::vec::Vec::new()),
                ));
            }
        }
    });
    let fields = [("next", next), ("more", more), ("pages", pages), ("error", error), ("reasons", reasons)];
    let fields = fields.into_iter().filter_map(|(name, code)| Some((format_ident!("{name}"), code?)));
    let (names, values): (Vec<_>, Vec<_>) = fields.unzip();
    Ok(quote! {
        #nothing
        #before
        let page = response.into_inner();
        #state
        ::std::result::Result::Ok(::progenitor_client::__private::Page {
            #(#names: #values,)*
            ..::progenitor_client::__private::Page::new(#list, #code)
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{codegen::render, test_support::mini};

    /// The code of a call that is paged by `param`, or the reason why it has no `stream`.
    fn streamed(param: &str, method: &str, parameters: Value, body: Option<Value>) -> Result<String, String> {
        let text = json!({"type": "string"});
        let page = json!({"type": "object", "properties": {"next": text, "data": {"type": "array", "items": text}}});
        let mut document = mini();
        let operation = &mut document.root["paths"]["/paged"][method];
        *operation = json!({
            "operationId": "listPaged", "parameters": parameters,
            "x-pagination": {"style": "cursor", "param": param, "next": "next", "items": "data", "alone": true},
            "responses": {"200": {"description": "d", "content": {"application/json": {"schema": page}}}},
        });
        if let Some(body) = body {
            operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Paged"}}}});
            document.root["components"]["schemas"]["Paged"] = body;
        }
        let files = render(document).expect("it generates");
        let code = files.client.split_whitespace().collect();
        files.omitted.into_iter().next().map_or(Ok(code), |omitted| Err(omitted.reason))
    }

    fn parameter(name: &str, place: &str) -> Value {
        json!({"name": name, "in": place, "description": "d", "schema": {"type": "string"}})
    }

    #[test]
    fn cursor_is_sent_in_query_or_header() {
        let code = streamed("cursor", "get", json!([parameter("cursor", "header")]), None).expect("a stream");
        assert!(code.contains("call.cursor(::progenitor_client::__private::position"), "{code}");
        let both = json!([parameter("cursor", "header"), parameter("Cursor", "query")]);
        let code = streamed("Cursor", "get", both, None).expect("a stream");
        assert!(code.contains("call.cursor_query(::progenitor_client::__private::position"), "{code}");
    }

    #[test]
    fn query_parameter_called_body_is_not_the_body() {
        let parameters = json!([parameter("body", "query"), parameter("cursor", "query")]);
        let code = streamed("cursor", "get", parameters.clone(), None).expect("a stream");
        assert!(code.contains("query_link(&[(\"cursor\",position.clone())]"), "`alone` keeps it: {code}");
        let reason = streamed("other", "get", parameters, None).expect_err("no stream");
        assert_eq!(reason, "listPaged has no method `stream`: it has no parameter \"other\" in query or header");
    }

    #[test]
    fn cursor_inside_another_field_of_the_body_has_its_reason() {
        let text = json!({"type": "string", "description": "d"});
        let page = json!({"type": "object", "description": "d", "properties": {"cursor": text}});
        let body = json!({"type": "object", "description": "d", "properties": {"page": page}});
        for (param, expected) in [
            (
                "page.cursor",
                "\"page.cursor\" is inside another field of its body, of which callers set the complete value",
            ),
            ("cursor", "its body has no field \"cursor\""),
        ] {
            let reason = streamed(param, "post", json!([]), Some(body.clone())).expect_err("no stream");
            assert_eq!(reason, format!("listPaged has no method `stream`: {expected}"));
        }
    }

    #[test]
    fn cursor_in_the_body_is_set_by_the_setter_of_its_field() {
        let text = json!({"type": "string", "description": "d"});
        let body = json!({"type": "object", "properties": {"id": text, "_id": text, "1st": text}});
        for (param, setter) in [("_id", "id_2"), ("1st", "x1st"), ("id", "id")] {
            let code = streamed(param, "post", json!([]), Some(body.clone())).expect("a stream");
            let expected = format!("call.body_map(|body|body.{setter}(wanted))");
            assert!(code.contains(&expected), "{expected}: {code}");
        }
    }
}
