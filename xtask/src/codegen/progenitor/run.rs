//! Runs progenitor on a document.

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::Generator;
use serde_json::Value;

use super::{bisect::bisect_failure, panic::catch_panic, settings::settings, type_builders::TypeBuilders};
use crate::codegen::{
    normalize::{Success, normalize},
    open_enum::OpenEnum,
    parts::References,
};

/// Returns the client's code as progenitor generates it, with as much of the builders of types as is asked for.
pub(in crate::codegen) fn client(
    root: &Value,
    enums: &[OpenEnum],
    builders: TypeBuilders,
) -> Result<syn::File, String> {
    with_cause_named(root, Success::Any, &|spec| {
        Generator::new(&settings(enums)).generate_tokens(spec).map(|code| builders.of(code))
    })
}

/// Returns the mock helpers' code as progenitor generates it.
pub(in crate::codegen) fn mock(root: &Value, enums: &[OpenEnum]) -> Result<syn::File, String> {
    with_cause_named(root, Success::AsDocumented, &|spec| Generator::new(&settings(enums)).httpmock(spec, "crate"))
}

type Generate<'a> = dyn Fn(&OpenAPI) -> Result<TokenStream, progenitor::Error> + 'a;

/// Generates the whole document; if that fails, finds what fails alone.
fn with_cause_named(root: &Value, success: Success, generate: &Generate<'_>) -> Result<syn::File, String> {
    let run = |root: &Value| run_generator(normalize(root, success), generate);
    run(root).map_err(|message| {
        let text = bisect_failure(root, &run).unwrap_or_else(|| format!("{message}; nothing in it fails alone"));
        format!("progenitor could not generate: {text}")
    })
}

fn run_generator(spec: Value, generate: &Generate<'_>) -> Result<syn::File, String> {
    let references = References::new(&spec);
    let mut spec = serde_json::from_value::<OpenAPI>(spec).map_err(|error| format!("not OpenAPI 3.0: {error}"))?;
    // typify breaks a cycle where it enters it first. That must not depend on the schemas that lead to the cycle: they may be in another part.
    if let Some(components) = &mut spec.components {
        components.schemas.sort_by_cached_key(|name, _| (references.reached([name.clone()]).len(), name.clone()));
    }
    let tokens = catch_panic(|| generate(&spec))
        .map_err(|panic| message_line(&panic))?
        .map_err(|error| message_line(&error.to_string()))?;
    // Parsing takes the most memory of all.
    drop((spec, references));
    syn::parse2(tokens).map_err(|error| format!("the code does not parse: {error}"))
}

/// Returns a message in a line. Some print whole schemas as Rust has them: their beginning states what is wrong.
fn message_line(text: &str) -> String {
    let line = crate::text::one_line(text);
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_support::{changed, mini};

    #[test]
    fn a_panic_becomes_a_line_that_names_the_operation() {
        let document = changed("/paths/~1orders~1{orderId}/get/parameters/0/required", json!(false));
        let error = client(&document.root, &[], TypeBuilders::Complete).err().unwrap_or_default();
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
        let error = client(&document.root, &[], TypeBuilders::Complete).err().unwrap_or_default();
        assert!(
            error.contains("unexpected content type: text/csv; operation createOrder at /paths/~1orders/post"),
            "{error}"
        );
    }

    #[test]
    fn document_that_is_not_openapi_is_an_error() {
        let document = changed("/info/title", json!([]));
        let error = client(&document.root, &[], TypeBuilders::Complete).err().unwrap_or_default();
        assert!(error.starts_with("progenitor could not generate: not OpenAPI 3.0: "), "{error}");
        assert!(error.ends_with("; look at `openapi` and at /info"), "{error}");
    }

    #[test]
    fn a_schema_that_fails_is_named_and_no_operation() {
        for (pointer, value) in [
            ("/components/schemas/Line/properties/sku/type", json!("strng")),
            ("/components/schemas/Line/required", json!("id")),
            ("/components/schemas/Line/allOf", json!("")),
            ("/components/schemas/Line/description", json!(["d"])),
            ("/components/schemas/Line", json!("")),
            ("/components/schemas/Line/properties/sku", json!({"$ref": "#/components/responses/Made"})),
        ] {
            let error = client(&changed(pointer, value).root, &[], TypeBuilders::Complete).err().unwrap_or_default();
            assert!(error.ends_with("; schema Line at /components/schemas/Line"), "{pointer}: {error}");
        }
    }

    #[test]
    fn the_small_document_generates() {
        assert!(client(&mini().root, &[], TypeBuilders::Complete).is_ok());
        assert!(mock(&mini().root, &[]).is_ok());
    }
}
