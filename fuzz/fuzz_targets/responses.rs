//! Response bodies of every vendor: no panic, and what was decoded is encoded to a body that decodes to the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usage_billing::{acronis, genesys, suger};

/// Decodes `body` as each type, encodes it and decodes it again.
macro_rules! decode {
    ($body:ident, $($type:path),+ $(,)?) => {$(
        if let Ok(value) = serde_json::from_slice::<$type>($body) {
            let encoded = serde_json::to_vec(&value).expect("JSON");
            let again: $type = serde_json::from_slice(&encoded).expect("an encoded value decodes");
            assert_eq!(format!("{value:?}"), format!("{again:?}"));
        }
    )+};
}

fuzz_target!(|body: &[u8]| {
    decode!(
        body,
        acronis::types::Report,
        acronis::types::Tenant,
        acronis::types::TenantUsages,
        genesys::types::BillingUsageReport,
        genesys::types::TrusteeBillingOverview,
        suger::types::ListUsageRecordGroupsResponse,
        suger::types::ListUsageRecordReportsResponse,
        suger::types::WorkloadEntitlement,
    );
});
