//! The README matches the code.

use std::collections::BTreeSet;

#[test]
fn coverage_table_lists_exactly_the_generated_operations() {
    let readme = include_str!("../../../README.md");
    let vendors = [
        ("acronis", usage_billing_acronis::OPERATIONS),
        ("genesys", usage_billing_genesys::OPERATIONS),
        ("suger", usage_billing_suger::OPERATIONS),
    ];
    for (vendor, operations) in vendors {
        let link = format!("(openapi/{vendor}.yaml) |");
        let rows = readme.lines().filter_map(|line| line.split_once(&link)).map(|(_, row)| row);
        let named: BTreeSet<_> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
        assert_eq!(named, operations.iter().map(|operation| operation.id).collect(), "{vendor}");
    }
}

/// A caller's own HTTP client has to be of the re-exported version, so the documentation states it.
#[test]
fn documentation_states_the_version_of_the_http_client() {
    let manifest = include_str!("../../../Cargo.toml");
    let version = manifest.split_once("\nreqwest = { version = \"").expect("the dependency").1;
    let compatible: Vec<_> = version.split(['.', '"']).take(2).collect();
    let stated = format!("reqwest {}", compatible.join("."));
    for (file, text) in [
        ("README.md", include_str!("../../../README.md")),
        ("crates/usage-billing/README.md", include_str!("../../../crates/usage-billing/README.md")),
        ("crates/usage-billing-core/README.md", include_str!("../../../crates/usage-billing-core/README.md")),
        ("crates/usage-billing-core/src/lib.rs", include_str!("../../../crates/usage-billing-core/src/lib.rs")),
    ] {
        assert!(text.contains(&stated), "{stated} in {file}");
    }
}

/// The facade, the vendors' crates and core share one `reqwest::Client` type.
#[test]
fn reexported_http_client_is_the_one_that_clients_take() {
    let of_facade: usage_billing::reqwest::Client = usage_billing_tests::http();
    let of_vendor: usage_billing_suger::reqwest::Client = of_facade.clone();
    assert!(usage_billing::suger::Client::builder("acme", "hush").http_client(of_facade).build().is_ok());
    assert!(usage_billing_suger::Client::builder("hush").http_client(of_vendor).build().is_ok());
}
