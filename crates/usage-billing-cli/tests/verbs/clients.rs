//! The customers of partners.

use serde_json::Value;

use super::support::{TODAY, ok, program, run};

#[test]
fn customers_of_both_vendors_are_listed() {
    let (stdout, _) = ok(run(&mut program(&["clients", "list", "--sandbox", "--today", TODAY])));
    let customers: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    for (vendor, name) in [("acronis", "株式会社さくら"), ("genesys", "Harbor Lane Retail, Inc.")] {
        assert!(customers.iter().any(|one| one["vendor"] == vendor && one["name"] == name), "{name}: {stdout}");
    }
    // Also those below another partner, each once.
    let unit = customers.iter().find(|one| one["kind"] == "unit").unwrap();
    assert!(customers.iter().any(|one| one["id"] == unit["parent_id"]), "{unit}");
    let mut ids: Vec<_> = customers.iter().map(|one| one["id"].to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), customers.len());
}
