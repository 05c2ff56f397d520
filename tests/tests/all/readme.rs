//! The README says what is there.

use std::collections::BTreeSet;

#[test]
fn the_coverage_table_names_every_generated_operation_and_no_other() {
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
