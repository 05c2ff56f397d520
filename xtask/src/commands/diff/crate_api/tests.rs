use serde_json::{Value, json};

use crate::{
    commands::diff::crate_api::*,
    test_support::{changed, mini},
};

/// Returns the effect of one changed value on the crate; the worst item states why.
fn change(pointer: &str, value: Value) -> CrateChange {
    needed(&mini(), &changed(pointer, value)).expect("both generate")
}

fn worst(pointer: &str, value: Value) -> (Bump, String) {
    let change = change(pointer, value);
    (change.needed, change.items.first().map(|item| item.to_string()).unwrap_or_default())
}

#[test]
fn each_change_has_its_step_and_reason() {
    let changes: Vec<(String, Value)> = serde_saphyr::from_str(include_str!("changes.yaml")).expect("it is YAML");
    let steps = changes.into_iter().map(|(pointer, value)| {
        let (needed, first) = worst(&pointer, value.clone());
        format!("{needed:?}: {pointer} is {value}\n{first}\n")
    });
    insta::assert_snapshot!(steps.collect::<String>());
}

#[test]
fn document_that_fails_to_generate_is_named() {
    let broken = changed("/components/schemas/Line/properties/sku/type", json!("strng"));
    let error = needed(&mini(), &broken).err().unwrap_or_default();
    assert!(error.starts_with("openapi/mini.yaml: progenitor could not generate: "), "{error}");
}

/// Returns the step between two pieces of code, and the items that ask for it.
fn between(base: &str, head: &str) -> Vec<String> {
    let items = |code: &str| public(&syn::parse_str(code).expect("it is code"), &[], "");
    compare(&items(base), &items(head)).iter().map(ToString::to_string).collect()
}

#[test]
fn added_field_breaks_only_structs_with_literals() {
    let closed = between("pub struct A { pub a: u8 }", "pub struct A { pub a: u8, pub b: u8 }");
    assert_eq!(closed, ["major: field A::b is new"]);
    let open = between(
        "#[non_exhaustive] pub struct A { pub a: u8 }",
        "#[non_exhaustive] pub struct A { pub a: u8, pub b: u8 }",
    );
    assert_eq!(open, ["minor: field A::b is new"]);
    let private = between("pub struct A { pub a: u8, c: u8 }", "pub struct A { pub a: u8, pub b: u8, c: u8 }");
    assert_eq!(private, ["minor: field A::b is new"]);
    let closing = between("pub struct A { pub a: u8 }", "#[non_exhaustive] pub struct A { pub a: u8 }");
    assert_eq!(closing, ["major: attribute non_exhaustive of A is new"]);
}

#[test]
fn added_variant_breaks_only_exhaustive_enums() {
    assert_eq!(between("pub enum A { B }", "pub enum A { B, C }"), ["major: variant A::C is new"]);
    let open = between("#[non_exhaustive] pub enum A { B }", "#[non_exhaustive] pub enum A { B, C }");
    assert_eq!(open, ["minor: variant A::C is new"]);
}

#[test]
fn added_or_removed_type_includes_its_items() {
    let code = "#[derive(Clone)] pub struct A { pub a: u8 } impl A { pub fn b(&self) {} } impl Default for A { fn default() -> Self { Self { a: 0 } } }";
    assert_eq!(between(code, ""), ["major: A was removed"]);
    assert_eq!(between("", code), ["minor: A is new"]);
    assert_eq!(between("pub struct A;", "pub enum A {}"), ["major: A was `struct`, is `enum`"]);
}

#[test]
fn removed_trait_breaks_and_added_trait_does_not() {
    let (with, without) = ("#[derive(Clone, Copy)] pub struct A;", "#[derive(Clone)] pub struct A;");
    assert_eq!(between(with, without), ["major: impl Copy for A was removed"]);
    assert_eq!(between(without, with), ["minor: impl Copy for A is new"]);
    let (with, without) = ("impl Hooks<T> for &Client {}", "");
    assert_eq!(between(with, without), ["major: impl Hooks<T> for &Client was removed"]);
}

#[test]
fn setter_of_a_value_that_becomes_optional_is_unchanged() {
    let (required, optional) = (
        "impl Get { pub fn id<V: progenitor_client::IntoRequired<String>>(mut self, value: V) -> Self {} }",
        "impl Get { pub fn id<V: progenitor_client::IntoOptional<String, K>, K>(mut self, value: V) -> Self {} }",
    );
    assert!(between(required, optional).is_empty());
}

#[test]
fn new_required_setter_breaks_calls() {
    let call = |page: &str| {
        format!("pub struct Get {{ page: P }} impl Get {{ pub fn new() -> Self {{ Self {{ page: {page} }} }} }}")
    };
    let (free, required) = (call("Ok(None)"), call("Err(\"page was not initialized\".to_string())"));
    assert_eq!(between(&free, &required), ["major: requirement Get::page is new"]);
    assert_eq!(between(&required, &free), ["minor: requirement Get::page was removed"]);
}

#[test]
fn names_of_parameters_and_bodies_are_not_compared() {
    let (one, other) =
        ("impl A { pub fn b(&self, c: u8) {} fn d() {} }", "impl A { pub fn b(&self, e: u8) { todo!() } }");
    assert_eq!(between(one, other), Vec::<String>::new());
}
