//! Calls, clients and crates as the documents describe them.

use std::collections::BTreeSet;

use serde_json::Value;
use usage_billing_genesys::Region;
use usage_billing_tests::{Acronis, Document, Genesys, Suger, Vendor};

#[test]
fn calls_cover_every_operation_of_the_documents() {
    fn all<V: Vendor>() {
        let called = V::calls().into_iter().map(|call| call.operation).collect::<BTreeSet<_>>();
        let operations = V::document().operations().into_iter().filter(|operation| !operation.is_sent_by_core());
        let described = operations.map(|operation| operation.id()).collect::<BTreeSet<_>>();
        assert_eq!(called, described);
    }
    all::<Genesys>();
    all::<Suger>();
    all::<Acronis>();
}

#[test]
fn successes_with_a_body_have_an_example() {
    for document in [Document::genesys(), Document::suger(), Document::acronis()] {
        for operation in document.operations() {
            for (status, _, example) in operation.successes() {
                assert!(status == 204 || !example.is_null(), "{} {status}", operation.id());
            }
        }
    }
}

#[test]
fn operation_table_matches_the_document() {
    let tables = [
        (Document::genesys(), usage_billing_genesys::OPERATIONS),
        (Document::suger(), usage_billing_suger::OPERATIONS),
        (Document::acronis(), usage_billing_acronis::OPERATIONS),
    ];
    for (document, table) in tables {
        assert_eq!(table.len(), document.operations().iter().filter(|operation| !operation.is_sent_by_core()).count());
        for row in table {
            let operation = document.operation(&row.name);
            assert_eq!((row.method, &*row.path), (&*operation.method.to_uppercase(), operation.path), "{}", row.name);
            assert_eq!(row.idempotent, operation.flag("x-idempotent"), "{}", row.name);
            assert_eq!(
                row.idempotent_with,
                operation.value.get("x-idempotent-with").and_then(Value::as_str),
                "{}",
                row.name
            );
            let statuses = operation.value.get("x-final-statuses").and_then(Value::as_array).into_iter().flatten();
            assert!(statuses.eq(row.final_statuses.iter()), "{}", row.name);
            assert_eq!(row.download, operation.flag("x-download"), "{}", row.name);
        }
    }
}

#[test]
fn genesys_regions_match_the_document() {
    let document = Document::genesys();
    let listed = document.value_at("/servers/0/variables/domain/enum").as_array().expect("an enum of domains");
    let listed: Vec<_> = listed.iter().filter_map(Value::as_str).collect();
    assert_eq!(Region::all().map(|(_, domain)| domain).collect::<Vec<_>>(), listed);
    let default = document.value_at("/servers/0/variables/domain/default").as_str().expect("a default");
    let url = document.value_at("/servers/0/url").as_str().expect("a URL").replace("{domain}", default);
    assert_eq!(default.parse::<Region>().expect("a region").api_url(), url);
}

#[test]
fn acronis_data_centres_match_the_document() {
    let document = Document::acronis();
    let text = document.value_at("/servers/0/variables/datacenter/description").as_str().expect("a description");
    let named: BTreeSet<_> = text.split('`').filter_map(|word| word.strip_prefix("https://")).collect();
    assert_eq!(usage_billing_acronis::DataCenter::seen().collect::<BTreeSet<_>>(), named);
    let default = document.value_at("/servers/0/variables/datacenter/default").as_str().expect("a default");
    let url = document.value_at("/servers/0/url").as_str().expect("a URL").replace("{datacenter}", default);
    let data_center: usage_billing_acronis::DataCenter = default.parse().expect("a data centre");
    assert_eq!(data_center.url(), url);
}

#[test]
fn default_base_url_matches_the_document() {
    let builder = format!("{:?}", usage_billing_suger::Client::builder("hush-key".to_owned()));
    let url = Document::suger().value_at("/servers/0/url").as_str().expect("a URL");
    assert!(builder.contains(&format!("{url:?}")), "{builder}");
}

#[test]
fn crate_versions_contain_the_documents_version() {
    let crates = [
        (Document::genesys(), include_str!("../../../crates/usage-billing-genesys/Cargo.toml")),
        (Document::suger(), include_str!("../../../crates/usage-billing-suger/Cargo.toml")),
        (Document::acronis(), include_str!("../../../crates/usage-billing-acronis/Cargo.toml")),
    ];
    for (document, manifest) in crates {
        let version = manifest.lines().find_map(|line| line.strip_prefix("version = ")).expect("a version");
        let (_, built_from) = version.trim_matches('"').split_once('+').expect("build metadata");
        assert_eq!(document.value_at("/info/version"), built_from);
    }
}
