//! Mock servers with the typed helpers of the vendors' crates, and the errors that each helper responds with.

use httpmock::MockServer;
use serde_json::Value;
use usage_billing_core::ErrorKind;
use usage_billing_tests::{Acronis, Genesys, Suger, Vendor};

/// Starts a mock server that issues tokens, with a client of it.
pub(crate) fn start<V: Vendor>() -> (MockServer, V::Client) {
    let server = MockServer::start();
    server.mock(|when, then| {
        when.method("POST").path_suffix("/token");
        then.status(200).body(r#"{"access_token":"t","expires_in":3600}"#);
    });
    let client = V::client(&server.base_url()).build().unwrap();
    (server, client)
}

/// Makes every call, and checks that the client reads the vendor's 403 and 404. A helper that is not listed leaves its call without this error.
macro_rules! errors_are_read {
    ($test:ident: $vendor:ident, $api:ident, $($helper:ident)+) => {
        #[tokio::test]
        async fn $test() {
            use $api::mock::MockServerExt as _;

            for (status, kind) in [(403, ErrorKind::Permission), (404, ErrorKind::Api)] {
                let (server, client) = start::<$vendor>();
                let expected = $vendor::error(status);
                let body: Value = serde_json::from_str(&expected.body).unwrap();
                $(server.$helper(|_, then| drop(then.error(status, body.clone())));)+
                let expected = (kind, Some(status), expected.code.as_deref(), &*expected.message);
                for call in $vendor::calls() {
                    let error = (call.send)(client.clone()).await.unwrap_err();
                    let status = error.status().map(|status| status.as_u16());
                    let read = (error.kind(), status, error.code(), error.message());
                    assert_eq!(read, expected, "{}", call.operation);
                }
            }
        }
    };
}

errors_are_read! { mocked_errors_of_acronis_are_read: Acronis, usage_billing_acronis,
    list_applications get_application get_tenant_application_setting get_client list_infra get_infra create_report
    get_report update_report delete_report list_stored_reports download_stored_report list_tenants
    list_tenants_applications list_offering_items list_tenants_usages get_tenant list_tenant_applications
    list_tenant_children get_tenant_offering_items list_offering_items_for_child get_offering_item_prices
    get_tenant_pricing list_tenant_reports get_tenant_usages get_me list_effective_price_lists
}

errors_are_read! { mocked_errors_of_genesys_are_read: Genesys, usage_billing_genesys,
    get_billing_contracts get_billing_contracts_invoices get_billing_contracts_invoice_document
    get_billing_contracts_invoice_lines get_billing_contract get_billing_contract_billingperiod
    get_billing_reports_billableusage get_billing_trusteebillingoverview_trustor_org_id get_license_definitions
    get_license_definition get_license_toggle get_license_users get_license_user get_oauth_clients
    post_oauth_client_usage_query get_oauth_client_usage_query_result get_oauth_client_usage_summary
    get_organizations_me get_orgauthorization_trustors post_usage_aggregates_query_jobs get_usage_aggregates_query_job
    post_usage_client_client_id_aggregates_query_jobs get_usage_client_client_id_aggregates_query_job post_usage_query
    get_usage_query_execution_id_results post_usage_simplesearch get_usage_simplesearch_execution_id_results
}

errors_are_read! { mocked_errors_of_suger_are_read: Suger, usage_billing_suger,
    batch_report_usage_record_groups batch_validate_usage_record_groups list_billable_metrics create_billable_metric
    get_billable_metric update_billable_metric list_buyers get_buyer list_entitlements get_entitlement
    report_usage_record_group list_usage_metering_daily_records list_products get_product
    get_usage_metering_config_info update_usage_metering_config_info list_usage_record_groups
    aggregate_usage_record_groups delete_usage_record_group retry_usage_record_group list_usage_record_reports
    aggregate_usage_record_reports
}
