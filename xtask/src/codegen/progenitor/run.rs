//! Runs progenitor on a document.

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::Generator;
use serde_json::Value;

use super::{panic::catch_panic, settings::settings, type_builders::TypeBuilders};
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
    run(root, Success::Any, &|spec| {
        Generator::new(&settings(enums)).generate_tokens(spec).map(|code| builders.of(code))
    })
}

/// Returns the mock helpers' code as progenitor generates it.
pub(in crate::codegen) fn mock(root: &Value, enums: &[OpenEnum]) -> Result<syn::File, String> {
    run(root, Success::AsDocumented, &|spec| Generator::new(&settings(enums)).httpmock(spec, "crate"))
}

type Generate<'a> = dyn Fn(&OpenAPI) -> Result<TokenStream, progenitor::Error> + 'a;

fn run(root: &Value, success: Success, generate: &Generate<'_>) -> Result<syn::File, String> {
    run_generator(normalize(root, success), generate)
        .map_err(|message| format!("progenitor could not generate: {message}"))
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
