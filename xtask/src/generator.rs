//! progenitor, called so that its panics and errors become one line that names the operation.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use quote::quote;
use schemars::schema::{InstanceType, SchemaObject, SingleOrVec};
use serde_json::{Value, json};

use crate::{
    document::operations,
    enums::OpenEnum,
    normalise::{Success, normalise},
};

/// The client's code, as progenitor makes it.
pub(crate) fn client(root: &Value, enums: &[OpenEnum]) -> Result<syn::File, String> {
    named(root, Success::Any, &|spec| Generator::new(&settings(enums)).generate_tokens(spec))
}

/// The mock helpers' code, as progenitor makes it.
pub(crate) fn mock(root: &Value, enums: &[OpenEnum]) -> Result<syn::File, String> {
    named(root, Success::AsDocumented, &|spec| Generator::new(&settings(enums)).httpmock(spec, "crate"))
}

fn settings(enums: &[OpenEnum]) -> GenerationSettings {
    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        // Core's trait has the transport as its default: no vendor crate has to implement it.
        .with_hooks(HooksMode::Optional)
        .with_inner_type(quote!(progenitor_client::Transport))
        // Maps in a stable order: tests and output compare.
        .with_map_type("::std::collections::BTreeMap");
    let text = || [TypeImpl::FromStr, TypeImpl::Display].into_iter();
    for (instance, format, name) in CONVERSIONS {
        let schema = SchemaObject {
            instance_type: Some(SingleOrVec::from(instance)),
            format: Some(format.to_owned()),
            ..SchemaObject::default()
        };
        settings.with_conversion(schema, format!("::progenitor_client::{name}"), text());
    }
    for open in enums {
        settings.with_replacement(&open.name, open.path(), text());
    }
    settings
}

/// Schemas that are types of core.
const CONVERSIONS: [(InstanceType, &str, &str); 4] = [
    (InstanceType::Number, "decimal", "DecimalNumber"),
    (InstanceType::String, "decimal", "DecimalString"),
    (InstanceType::String, "lenient-date-time", "LenientDateTime"),
    (InstanceType::String, "password", "SecretText"),
];

type Generate<'a> = dyn Fn(&OpenAPI) -> Result<TokenStream, progenitor::Error> + 'a;

/// Generates the whole document; if that fails, finds the operation that fails alone.
fn named(root: &Value, success: Success, generate: &Generate<'_>) -> Result<syn::File, String> {
    one(&normalise(root, success), generate).map_err(|message| {
        let culprit = operations(root).into_iter().filter(|operation| !operation.of_core()).find_map(|operation| {
            let mut alone = root.clone();
            alone["paths"] = json!({operation.path: {"parameters": operation.item.get("parameters").cloned().unwrap_or_else(|| json!([])), operation.method: operation.value}});
            let message = one(&normalise(&alone, success), generate).err()?;
            Some(format!("{message}; operation {} at {}", operation.id(), operation.pointer))
        });
        let text = culprit.unwrap_or_else(|| format!("{message}; no operation fails alone: look at the schemas"));
        format!("progenitor could not generate: {text}")
    })
}

fn one(spec: &Value, generate: &Generate<'_>) -> Result<syn::File, String> {
    let spec = serde_json::from_value::<OpenAPI>(spec.clone()).map_err(|error| format!("not OpenAPI 3.0: {error}"))?;
    let tokens = caught(|| generate(&spec))?.map_err(|error| line(&error.to_string()))?;
    syn::parse2(tokens).map_err(|error| format!("the code does not parse: {error}"))
}

/// Runs what may panic. Its message comes back; the usual hook would print it as well, with a backtrace.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let result = catch_unwind(AssertUnwindSafe(run));
    set_hook(hook);
    result.map_err(|panic| line(panic_text(&*panic)))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked without a message")
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{changed, mini};

    #[test]
    fn a_panic_becomes_a_line_that_names_the_operation() {
        let document = changed("/paths/~1orders~1{orderId}/get/parameters/0/required", json!(false));
        let error = client(&document.root, &[]).err().unwrap_or_default();
        assert!(
            error.starts_with("progenitor could not generate: assertion failed: parameter_data.required"),
            "{error}"
        );
        assert!(error.ends_with("; operation getOrder at /paths/~1orders~1{orderId}/get"), "{error}");
    }

    #[test]
    fn an_error_becomes_a_line_that_names_the_operation() {
        let document =
            changed("/paths/~1orders/post/requestBody/content", json!({"text/csv": {"schema": {"type": "string"}}}));
        let error = client(&document.root, &[]).err().unwrap_or_default();
        assert!(
            error.contains("unexpected content type: text/csv; operation createOrder at /paths/~1orders/post"),
            "{error}"
        );
    }

    #[test]
    fn what_is_not_openapi_is_said() {
        let document = changed("/info/title", json!([]));
        let error = client(&document.root, &[]).err().unwrap_or_default();
        assert!(error.starts_with("progenitor could not generate: not OpenAPI 3.0: "), "{error}");
    }

    #[test]
    fn the_small_document_generates() {
        assert!(client(&mini().root, &[]).is_ok());
        assert!(mock(&mini().root, &[]).is_ok());
    }
}
