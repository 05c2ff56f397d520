//! The methods `poll` and `start` of calls whose operations have `x-long-running`.

use openapi_document::{Operation, is_same_parameter, operations};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use serde_json::{Map, Value};
use syn::{ImplItem, Type, parse_quote};

use super::call_model::{Call, CallModel};
use crate::codegen::{
    identifiers::{setter_name, type_name},
    parameter_names,
};

/// Returns the extension of an operation.
pub(super) fn extension<'a>(operation: &Operation<'a>) -> Option<&'a Map<String, Value>> {
    operation.value.get("x-long-running")?.as_object()
}

fn text<'a>(job: &'a Map<String, Value>, key: &str) -> &'a str {
    job.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the values of a state as text, whatever their kind: `1` as `"1"`.
pub(crate) fn states(job: &Map<String, Value>, key: &str) -> Vec<String> {
    let values = job.get(key).and_then(Value::as_array).into_iter().flatten();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    values.filter(|value| !value.is_array() && !value.is_object() && !value.is_null()).map(text).collect()
}

/// Returns the paths at which the reason of a failure may be.
pub(crate) fn errors(job: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let stated = job.get("error").map(|error| error.as_array().map_or(std::slice::from_ref(error), Vec::as_slice));
    stated.into_iter().flatten().filter_map(Value::as_str)
}

/// Returns the code for the state in `page`, a response of an operation that returns its own state.
pub(super) fn own_state(model: &CallModel, operation: &Operation<'_>) -> Result<Option<TokenStream>, String> {
    let Some(job) = extension(operation).filter(|job| text(job, "poll") == operation.id()) else { return Ok(None) };
    let call = model.call(&type_name(operation.id())).ok_or("it has no call")?;
    state(model, operation.id(), call.response()?, job).map(Some)
}

fn state(model: &CallModel, operation: &str, response: &Type, job: &Map<String, Value>) -> Result<TokenStream, String> {
    let value = |path: &str| {
        if path.contains("[]") {
            return Err(format!("the state {path:?} is one of several"));
        }
        let found = model.value(&quote!(page), response, path, true)?;
        if !model.is_text(&found.of) {
            return Err(format!("{path:?} is not a string"));
        }
        let code = found.code;
        Ok(quote!(#code.map(::std::string::ToString::to_string)))
    };
    if states(job, "succeeded").is_empty() {
        return Err("no value of `succeeded`: the job would never end".to_owned());
    }
    let states = |key: &str| {
        let states = states(job, key);
        quote!(&[#(#states),*])
    };
    let (status, succeeded, failed) = (value(text(job, "status"))?, states("succeeded"), states("failed"));
    let mut reason = quote!(::std::option::Option::None);
    for (index, path) in errors(job).enumerate() {
        let found = value(path)?;
        reason = if index == 0 { found } else { quote!(#reason.or_else(|| #found)) };
    }
    Ok(quote! {
        ::progenitor_client::__private::JobState {
            operation: #operation,
            status: #status,
            succeeded: #succeeded,
            failed: #failed,
            reason: #reason,
        }
    })
}

/// Returns the method of an operation that returns the state of a job.
///
/// # Errors
/// The reason why there is none.
pub(super) fn poll(
    model: &CallModel,
    root: &Value,
    operation: &Operation<'_>,
    job: &Map<String, Value>,
) -> Result<ImplItem, String> {
    let call = model.call(&type_name(operation.id())).ok_or("it has no call")?;
    if !call.is_clone {
        return Err("its body cannot be sent again".to_owned());
    }
    let response = call.response()?;
    let state = state(model, operation.id(), response, job)?;
    let id = match id_parameter(call, root, operation).and_then(|name| call.parameter(&name)) {
        Some(parameter) if parameter.is_required => {
            let name = &parameter.name;
            quote!(::progenitor_client::__private::text_in(&call.#name.clone().map(::std::option::Option::Some)))
        }
        _ => quote!(::std::string::String::new()),
    };
    let (name, title) = (call.free_name("poll"), operation.id());
    Ok(parse_quote! {
        /// Returns a poller that sends the call until the job has finished.
        pub fn #name(self) -> ::progenitor_client::Poller<#response> {
            let call = self.__into_owned();
            let id = #id;
            let client = call.__client.clone();
            let poller = ::progenitor_client::Poller::new(#title, id, move || {
                let call = call.clone();
                async move {
                    let response = call.send().await?;
                    let page = &*response;
                    let state = #state;
                    state.poll_result(response)
                }
            });
            poller.masking(&*client)
        }
    })
}

/// Returns the parameter that names the job: the last one of the path.
fn id_parameter(call: &Call, root: &Value, operation: &Operation<'_>) -> Option<String> {
    let in_path = |(parameter, _): &(&Value, String)| parameter.get("in").and_then(Value::as_str) == Some("path");
    let position = |(parameter, _): &(&Value, String)| {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        operation.path.find(&format!("{{{name}}}"))
    };
    let (_, last) = parameter_names::of_operation(root, operation).into_iter().filter(in_path).max_by_key(position)?;
    let name = setter_name(&last);
    call.parameter(&name).map(|_| name)
}

/// Returns the setter by which `operation` sends what `setter` of another operation sends: the body, or the parameter of the same name in
/// the same location.
fn same_parameter(root: &Value, operation: &Operation<'_>, other: &Operation<'_>, setter: &str) -> Option<String> {
    let mut others = parameter_names::of_operation(root, other).into_iter();
    let Some((wanted, _)) = others.find(|(_, name)| setter_name(name) == setter) else {
        return operation.body(root).map(|_| setter.to_owned());
    };
    let mut own = parameter_names::of_operation(root, operation).into_iter();
    own.find_map(|(parameter, name)| is_same_parameter(parameter, wanted).then(|| setter_name(&name)))
}

/// Returns the method of an operation that starts a job.
///
/// # Errors
/// The reason why there is none.
pub(super) fn start(
    model: &CallModel,
    root: &Value,
    operation: &Operation<'_>,
    job: &Map<String, Value>,
) -> Result<ImplItem, String> {
    let all = operations(root);
    let polled = all.iter().find(|other| other.id() == text(job, "poll")).ok_or("there is no operation to poll")?;
    let own = extension(polled).ok_or_else(|| format!("{} has no x-long-running", polled.id()))?;
    poll(model, root, polled, own).map_err(|reason| format!("{}: {reason}", polled.id()))?;
    let call = model.call(&type_name(operation.id())).ok_or("it has no call")?;
    let target = model.call(&type_name(polled.id())).ok_or("the operation to poll has no call")?;
    let needed = target.parameters.iter().filter(|parameter| parameter.is_required).collect::<Vec<_>>();
    let given = match text(job, "param") {
        "" => id_parameter(target, root, polled).ok_or("the operation to poll has no parameter in its path")?,
        param => parameter_names::setter(root, polled, param, &["path", "query", "header"])
            .ok_or_else(|| format!("{} has no parameter {param:?}", polled.id()))?,
    };
    let mut kept = Vec::new();
    for parameter in needed.iter().filter(|parameter| parameter.name != given) {
        let same = same_parameter(root, operation, polled, &parameter.name.to_string())
            .and_then(|name| call.parameter(&name))
            .filter(|same| same.field.to_token_stream().to_string() == parameter.field.to_token_stream().to_string());
        let same = same.ok_or_else(|| format!("{} needs {}", polled.id(), parameter.name))?;
        kept.push((&same.name, &parameter.name));
    }
    let (kept, fields): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
    let values = (0..kept.len()).map(|index| format_ident!("value_{index}")).collect::<Vec<_>>();
    let id_parameter = target.parameter(&given).ok_or_else(|| format!("{} has no parameter {given:?}", polled.id()))?;
    let path = text(job, "id");
    let found = model.value(&quote!(page), call.response()?, path, true)?;
    if !model.is_text(&found.of) {
        return Err(format!("{path:?} is not a string"));
    }
    let (code, of, name) = (found.code, &id_parameter.of, operation.id());
    let target_name = &target.name;
    let setter = format_ident!("{given}");
    let (start, poll, result) = (call.free_name("start"), target.free_name("poll"), target.response()?);
    Ok(parse_quote! {
        /// Sends the call, and returns a poller of the job that it starts.
        pub async fn #start(self) -> ::std::result::Result<::progenitor_client::Poller<#result>, ::progenitor_client::Error> {
            let client = self.__client.clone();
            #(let #values = self.#kept.clone();)*
            let response = self.send().await?;
            let page = response.into_inner();
            let id = #code.map(::std::string::ToString::to_string);
            let id = ::progenitor_client::__private::job_id(id, #name, #path)?;
            let call = #target_name { #(#fields: #values,)* ..#target_name::new(&client) };
            let call = call.#setter(::progenitor_client::__private::position::<#of>(&id)?);
            ::std::result::Result::Ok(call.#poll().confirmed_exists())
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{codegen::render, test_support::mini};

    /// The generated client and the reasons for methods that it lacks, if the start of a job has these parameters and its state those.
    fn client(start: serde_json::Value, state: serde_json::Value) -> (String, Vec<String>) {
        let text = json!({"type": "string"});
        let response = |field: &str| {
            let schema = json!({"type": "object", "properties": {field: text}});
            json!({"200": {"description": "d", "content": {"application/json": {"schema": schema}}}})
        };
        let polled = json!({"poll": "getJob", "status": "state", "succeeded": ["done"], "failed": ["bad"]});
        let mut document = mini();
        document.root["paths"]["/jobs/{tenant}"]["post"] = json!({
            "operationId": "startJob", "x-long-running": {"poll": "getJob", "id": "id"},
            "parameters": start, "responses": response("id"),
        });
        document.root["paths"]["/job/{id}"]["get"] = json!({
            "operationId": "getJob", "x-long-running": polled, "parameters": state, "responses": response("state"),
        });
        let files = render(document).expect("it generates");
        (files.client.split_whitespace().collect(), files.omitted.into_iter().map(|one| one.reason).collect())
    }

    #[test]
    fn states_of_any_kind_are_compared_as_text() {
        let job = json!({"pending": [1, false], "succeeded": ["done", 2.5, null, {}]});
        let job = job.as_object().expect("an object");
        assert_eq!(super::states(job, "pending"), ["1", "false"]);
        assert_eq!(super::states(job, "succeeded"), ["done", "2.5"]);
        assert!(super::states(job, "failed").is_empty());
    }

    #[test]
    fn start_passes_the_parameter_of_the_same_name_and_place() {
        let parameter = |name: &str, location: &str| json!({"name": name, "in": location, "required": true, "description": "d", "schema": {"type": "string"}});
        let state = json!([parameter("id", "path"), parameter("tenant", "header")]);
        let (code, omitted) =
            client(json!([parameter("tenant", "path"), parameter("Tenant", "header")]), state.clone());
        assert!(code.contains("letvalue_0=self.tenant_header.clone();"), "{omitted:?} {code}");
        assert!(code.contains("GetJob{tenant:value_0,"), "{code}");
        // The path's is another value, which only the vendor knows to be the same.
        let (code, omitted) = client(json!([parameter("tenant", "path")]), state);
        assert_eq!(omitted, ["startJob has no method `start`: getJob needs tenant"]);
        assert!(!code.contains("GetJob{tenant"), "{code}");
    }
}
