//! Specifications in which something goes wrong easily: each is right on the wire, left out with a reason, or in the loss report.

use openapi_document::Document;

use super::tests::{file, planned};

/// A specification, what its loss report states (nothing if it is empty), and what the generated client contains.
const CASES: [(&str, &str, &[&str], &[&str]); 24] = [
    ("01-oauth-scopes-audience", include_str!("cases/01-oauth-scopes-audience.yaml"), &["audience=api://meter"], &[]),
    (
        "03-nested-deep-object",
        include_str!("cases/03-nested-deep-object.yaml"),
        &["\"filter\" is sent by its fields"],
        &["\"filter[at][gte]\"", "\"filter[only][lt]\"", "\"filter[at]\""],
    ),
    ("04-first-server-is-local", include_str!("cases/04-first-server-is-local.yaml"), &[], &[]),
    (
        "06-all-of-refines",
        include_str!("cases/06-all-of-refines.yaml"),
        &[],
        &["optional ::uuid::Uuid", "DecimalNumber"],
    ),
    (
        "08-security-per-operation",
        include_str!("cases/08-security-per-operation.yaml"),
        &["it calls for portal", "of 2 security requirements"],
        &[],
    ),
    (
        "21-examples-that-do-not-fit",
        include_str!("cases/21-examples-that-do-not-fit.yaml"),
        &["the example at /created", "the example at /total", "the example at /currency"],
        &[],
    ),
    (
        "29-3.1-shapes",
        include_str!("cases/29-3.1-shapes.yaml"),
        &["prefixItems", "then\\` is not read", "alternatives of different kinds (array, string)"],
        &[],
    ),
    ("31-all-of-nullable", include_str!("cases/31-all-of-nullable.yaml"), &[], &["plan: optional Plan"]),
    (
        "32-response-example-differs",
        include_str!("cases/32-response-example-differs.yaml"),
        &["the example at /id", "the example at /at", "the example at /status"],
        &[],
    ),
    ("anytext", include_str!("cases/anytext.yaml"), &[], &["ResponseValue<ByteStream>"]),
    ("apiversion", include_str!("cases/apiversion.yaml"), &[], &["\"api-version\","]),
    ("base", include_str!("cases/base.yaml"), &["what not all have is optional"], &["hours: optional"]),
    ("bytes", include_str!("cases/bytes.yaml"), &[], &["ResponseValue<ByteStream>"]),
    (
        "cycle",
        include_str!("cases/cycle.yaml"),
        &["\"state\": an item that is null cannot be sent"],
        &["parent: boxed Account", "required state: ::std::vec::Vec<crate::types::FindAccountsStateItem>"],
    ),
    ("datetime", include_str!("cases/datetime.yaml"), &[], &["_date_time = "]),
    ("errorop", include_str!("cases/errorop.yaml"), &[], &["::progenitor_client::Error"]),
    (
        "formdecimal",
        include_str!("cases/formdecimal.yaml"),
        &[],
        &["amount: required ::progenitor_client::DecimalString"],
    ),
    (
        "keyword",
        include_str!("cases/keyword.yaml"),
        &["## Response headers without a type (1)", "X-Total: callers"],
        &[],
    ),
    ("mixed", include_str!("cases/mixed.yaml"), &["an enum of strings and of other values"], &["::serde_json::Value"]),
    ("null", include_str!("cases/null.yaml"), &[], &[": update ::", "application/merge-patch+json"]),
    ("open", include_str!("cases/open.yaml"), &[], &["        ..\n"]),
    ("options", include_str!("cases/options.yaml"), &["the HTTP client has no method OPTIONS"], &[]),
    ("ro", include_str!("cases/ro.yaml"), &[], &["pub struct MeterRequest"]),
    ("two02", include_str!("cases/two02.yaml"), &[], &["ResponseValue<::std::option::Option<types::A>>"]),
];

#[test]
fn each_case_is_right_or_reported() -> std::io::Result<()> {
    for (name, specification, losses, code) in CASES {
        let document = Document::parse(&format!("{name}.yaml"), specification).map_err(std::io::Error::other)?;
        let files = planned(&document.root)?;
        let report = file(&files, "openapi/upstream/acme.md");
        for expected in losses {
            assert!(report.contains(expected), "{name}: {expected} is not in {report}");
        }
        assert_eq!(report.contains("Nothing."), losses.is_empty(), "{name}: {report}");
        let client = file(&files, "crates/usage-billing-acme/src/generated.rs");
        for expected in code {
            assert!(client.contains(expected), "{name}: {expected} is not in {client}");
        }
    }
    Ok(())
}

#[test]
fn test_of_an_operation_that_is_a_keyword_is_in_snake_case() -> std::io::Result<()> {
    let document =
        Document::parse("keyword.yaml", include_str!("cases/keyword.yaml")).map_err(std::io::Error::other)?;
    let files = planned(&document.root)?;
    let smoke = file(&files, "crates/usage-billing-acme/tests/smoke.rs");
    assert!(smoke.contains("async fn match_goes_out_and_comes_back()"), "{smoke}");
    assert!(smoke.contains("client(&server).match_()"), "{smoke}");
    let curated = file(&files, "openapi/acme.yaml");
    assert!(curated.contains("price: \"12.50\""), "{curated}");
    Ok(())
}

#[test]
fn readme_imports_the_types_of_its_values() -> std::io::Result<()> {
    let document = Document::parse("cycle.yaml", include_str!("cases/cycle.yaml")).map_err(std::io::Error::other)?;
    let files = planned(&document.root)?;
    let readme = file(&files, "crates/usage-billing-acme/README.md");
    assert!(readme.contains("use usage_billing_acme::{Client, Error, types};"), "{readme}");
    assert!(readme.contains("vec![types::FindAccountsStateItem::from(\"open\")]"), "{readme}");
    Ok(())
}

#[test]
fn readme_has_a_number_for_a_decimal() -> std::io::Result<()> {
    let specification = include_str!("cases/formdecimal.yaml");
    let document = Document::parse("formdecimal.yaml", specification).map_err(std::io::Error::other)?;
    let files = planned(&document.root)?;
    let readme = file(&files, "crates/usage-billing-acme/README.md");
    assert!(readme.contains(".amount(12_i64)"), "{readme}");
    Ok(())
}
