//! progenitor, called so that its panics and errors become one line that names the culprit.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::{Mutex, PoisonError},
};

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use quote::quote;
use schemars::schema::{InstanceType, SchemaObject, SingleOrVec};
use serde_json::{Map, Value, json};

use crate::{
    document::{Operation, operations, schemas},
    enums::OpenEnum,
    normalise::{Success, normalise},
    pointer::child,
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
const CONVERSIONS: [(InstanceType, &str, &str); 5] = [
    (InstanceType::Number, "decimal", "DecimalNumber"),
    (InstanceType::String, "decimal", "DecimalString"),
    (InstanceType::String, "lenient-date-time", "LenientDateTime"),
    (InstanceType::String, "lenient-decimal", "LenientDecimal"),
    (InstanceType::String, "password", "SecretText"),
];

type Generate<'a> = dyn Fn(&OpenAPI) -> Result<TokenStream, progenitor::Error> + 'a;

/// Generates the whole document; if that fails, finds what fails alone.
fn named(root: &Value, success: Success, generate: &Generate<'_>) -> Result<syn::File, String> {
    let run = |root: &Value| one(&normalise(root, success), generate);
    run(root).map_err(|message| {
        let text = culprit(root, &run).unwrap_or_else(|| format!("{message}; nothing in it fails alone"));
        format!("progenitor could not generate: {text}")
    })
}

/// The message of what fails alone, with its place: the head of the document, else a schema, else an operation. A whole document
/// may take many seconds, so that operations are not tried one by one but by halves, each with the schemas that it reaches.
fn culprit(root: &Value, run: &dyn Fn(&Value) -> Result<syn::File, String>) -> Option<String> {
    // Swapped in, not copied with the rest for each try.
    let mut head = root.clone();
    head["paths"] = json!({});
    head["components"]["schemas"] = json!({});
    let with = |paths: Value, schemas: Map<String, Value>| {
        let mut part = head.clone();
        part["paths"] = paths;
        part["components"]["schemas"] = Value::Object(schemas);
        run(&part).err()
    };
    if let Some(message) = with(json!({}), Map::new()) {
        return Some(format!("{message}; look at `openapi` and at /info"));
    }
    let all = root.pointer("/components/schemas").cloned().unwrap_or_else(|| json!({}));
    let whole = |schemas: &Value| {
        let mut part = head.clone();
        part["components"] = json!({"schemas": schemas});
        run(&part).err()
    };
    if let Some(message) = whole(&all) {
        let alone = schemas(root).find_map(|(name, schema)| {
            // What it refers to is there, but is anything.
            let mut some = Map::new();
            for target in reached(root, [schema], false) {
                some.insert(target, json!({}));
            }
            some.insert(name.to_owned(), schema.clone());
            let message = whole(&Value::Object(some))?;
            Some(format!("{message}; schema {name} at {}", child("/components/schemas", name)))
        });
        return Some(alone.unwrap_or_else(|| format!("{message}; a schema in /components/schemas")));
    }
    let all = operations(root).into_iter().filter(|operation| !operation.of_core()).collect::<Vec<_>>();
    let fails = |some: &[Operation<'_>]| {
        let mut paths = json!({});
        let mut nodes = Vec::new();
        for operation in some {
            let shared = operation.item.get("parameters").cloned().unwrap_or_else(|| json!([]));
            paths[operation.path]["parameters"] = shared;
            paths[operation.path][operation.method] = Value::Object(operation.value.clone());
        }
        nodes.push(&paths);
        let names = reached(root, nodes, true);
        let schemas = names.into_iter().filter_map(|name| {
            let schema = root.pointer(&child("/components/schemas", &name))?.clone();
            Some((name, schema))
        });
        let schemas = schemas.collect();
        with(paths, schemas)
    };
    let mut some = all.as_slice();
    let mut message = fails(some)?;
    while let (count @ 2.., Some(first), Some(last)) = (some.len(), some.first(), some.last()) {
        let (one, other) = some.split_at(count / 2);
        let halves = [one, other].into_iter().find_map(|half| Some((half, fails(half)?)));
        let Some((half, said)) = halves else {
            let (first, last) = (&first.pointer, &last.pointer);
            return Some(format!("{message}; only together: {count} operations from {first} to {last}"));
        };
        (some, message) = (half, said);
    }
    let operation = some.first()?;
    Some(format!("{message}; operation {} at {}", operation.id(), operation.pointer))
}

/// The names of the schemas that nodes refer to, by way of other components too; of those that these refer to as well, if asked.
fn reached<'a>(root: &'a Value, nodes: impl IntoIterator<Item = &'a Value>, all: bool) -> BTreeSet<String> {
    let (mut found, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mut next = nodes.into_iter().collect::<Vec<_>>();
    while let Some(node) = next.pop() {
        match node {
            Value::Object(map) => {
                let target = map.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
                if let Some(place) = target.filter(|place| found.insert(*place))
                    && let Some(component) = root.pointer(place)
                {
                    let schema = place.strip_prefix("/components/schemas/").filter(|name| !name.contains('/'));
                    names.extend(schema.map(|name| name.replace("~1", "/").replace("~0", "~")));
                    next.extend((all || schema.is_none()).then_some(component));
                }
                next.extend(map.values());
            }
            Value::Array(list) => next.extend(list),
            _ => {}
        }
    }
    names
}

fn one(spec: &Value, generate: &Generate<'_>) -> Result<syn::File, String> {
    let spec = serde_json::from_value::<OpenAPI>(spec.clone()).map_err(|error| format!("not OpenAPI 3.0: {error}"))?;
    let tokens = caught(|| generate(&spec))?.map_err(|error| line(&error.to_string()))?;
    syn::parse2(tokens).map_err(|error| format!("the code does not parse: {error}"))
}

/// Runs what may panic. Its message comes back; the usual hook would print it as well, with a backtrace.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // The hook is the whole program's: two at a time would put back each other's.
    static HOOK: Mutex<()> = Mutex::new(());
    let _alone = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
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

/// A message in a line. Some print whole schemas as Rust has them: their beginning says what is wrong.
fn line(text: &str) -> String {
    let line = crate::prose::one_line(text);
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
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
            let error = client(&changed(pointer, value).root, &[]).err().unwrap_or_default();
            assert!(error.ends_with("; schema Line at /components/schemas/Line"), "{pointer}: {error}");
        }
    }

    #[test]
    fn what_fails_only_together_is_told_with_its_range() {
        let tries = std::cell::Cell::new(0);
        // As if two operations made the same method.
        let run = |root: &Value| {
            tries.set(tries.get() + 1);
            let both = root["paths"].get("/orders").is_some() && root["paths"].get("/export").is_some();
            if both { Err("twice".to_owned()) } else { Ok(syn::File { shebang: None, attrs: vec![], items: vec![] }) }
        };
        let said = culprit(&mini().root, &run).unwrap_or_default();
        assert!(said.starts_with("twice; only together: ") && said.contains(" operations from /paths/"), "{said}");
        assert!(tries.get() < 8, "{}", tries.get());
    }

    #[test]
    fn the_small_document_generates() {
        assert!(client(&mini().root, &[]).is_ok());
        assert!(mock(&mini().root, &[]).is_ok());
    }
}
