//! Code of the generator of core 0.1 compiles with this version of core, and its calls are sent.
//!
//! Published vendor crates require the version of core that they were generated for as a caret requirement, so that two of them can be used
//! together. The file is generated from `.ci/features.yaml`, which uses every feature. From the release of 0.1 on it is not updated within 0.1: if
//! a change of core breaks it, raise core's minor version and replace the file by one of that version.

#![allow(missing_docs, unexpected_cfgs, unreachable_pub, unused)]

extern crate usage_billing_core as progenitor_client;

#[rustfmt::skip]
mod generated_0_1;
pub use generated_0_1::*;

#[test]
fn code_that_was_generated_for_0_1_has_each_kind_of_field() {
    let code = include_str!("generated_0_1.rs");
    for kind in [
        "required",
        "optional",
        "boxed",
        "nullable",
        "update",
        "collection",
        "required_collection",
        "page_items",
        "optional_page_items",
        "nested_collection",
        "nested_required_collection",
        "required_date_time",
        "optional_date_time",
        "nullable_date_time",
        "required_boolean",
        "optional_boolean",
        "nullable_boolean",
    ] {
        assert!(code.contains(&format!(": {kind} ")), "{kind}");
    }
}

#[test]
fn operations_of_code_that_was_generated_for_0_1_are_known() {
    assert!(OPERATIONS.len() > 30, "{}", OPERATIONS.len());
    assert!(OPERATIONS.iter().all(|operation| !operation.id.is_empty()));
}
