//! Response bodies of every vendor: no panic, what was decoded is encoded to a body that decodes to the same value, and rows of usage have keys of
//! their own and survive JSON.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use serde::de::DeserializeOwned;
use usage_billing::chrono::{DateTime, Utc};
use usage_billing::{Period, Result, UsageRow, acronis, genesys, suger};

/// Decodes `body`, encodes it and decodes it again.
fn decode<T: DeserializeOwned + serde::Serialize + std::fmt::Debug>(body: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(body).ok()?;
    let encoded = serde_json::to_vec(&value).expect("JSON");
    let again: T = serde_json::from_slice(&encoded).expect("an encoded value decodes");
    assert_eq!(format!("{value:?}"), format!("{again:?}"));
    Some(value)
}

fn check(rows: Result<Vec<UsageRow>>) {
    let Ok(rows) = rows else { return };
    let keys: HashSet<_> = rows.iter().map(|row| row.row_key).collect();
    assert_eq!(keys.len(), rows.len(), "{rows:?}");
    for row in rows {
        let json = serde_json::to_string(&row).expect("JSON");
        assert_eq!(serde_json::from_str::<UsageRow>(&json).expect("a row"), row);
    }
}

fuzz_target!(|body: &[u8]| {
    let period: Period = "2026-10".parse().expect("a month");
    let now: DateTime<Utc> = "2026-11-21T00:00:00Z".parse().expect("a date-time");
    let account = genesys::Organization::new("0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11", None);

    decode::<acronis::types::Report>(body);
    decode::<acronis::types::Tenant>(body);
    decode::<acronis::types::TenantUsages>(body);
    decode::<suger::types::WorkloadEntitlement>(body);
    if let Some(report) = decode::<genesys::types::BillingUsageReport>(body) {
        check(genesys::usage_rows(&report, &account, period, now));
    }
    if let Some(overview) = decode::<genesys::types::TrusteeBillingOverview>(body) {
        let customer = overview.organization.as_ref().and_then(|it| it.id.clone()).unwrap_or_default();
        if let Ok(bill) = genesys::ClientBill::new(&overview, &customer, 1, now) {
            bill.total();
            check(Ok(bill.rows(&account)));
        }
    }
    // One body may have both lists.
    let groups = decode::<suger::types::ListUsageRecordGroupsResponse>(body).map(|page| page.usage_record_groups);
    let reports = decode::<suger::types::ListUsageRecordReportsResponse>(body).map(|page| page.usage_record_reports);
    let (groups, reports) = (groups.unwrap_or_default(), reports.unwrap_or_default());
    check(suger::report_rows(&reports, &Default::default(), "o", period));
    check(suger::usage_rows(&groups, &reports, &Default::default(), "o", period, now));
    _ = suger::reconcile("o", &[], &groups, &reports);
});
