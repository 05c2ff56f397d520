use serde::de::DeserializeOwned;
use usage_billing_genesys::{Client, types};

use super::{calls, instant};
use crate::{Call, Document};

/// Returns the document's example of the body.
fn body<T: DeserializeOwned>(operation: &str) -> T {
    Document::genesys().operation(operation).body()
}

// The document describes an operation that the vendor has deprecated.
#[expect(deprecated)]
pub(crate) fn calls() -> Vec<Call<Client>> {
    calls! { |client: Client|
        json "getBillingReportsBillableusage" => client
            .get_billing_reports_billableusage()
            .start_date(instant("2026-09-01T00:00:00Z"))
            .end_date(instant("2026-09-30T23:59:59.999Z"));
        json "getBillingTrusteebillingoverviewTrustorOrgId" => client
            .get_billing_trusteebillingoverview_trustor_org_id()
            .trustor_org_id("o-1")
            .billing_period_index(1);
        json "getBillingContract" => client.get_billing_contract().contract_id("c-1");
        json "getBillingContractBillingperiod" =>
            client.get_billing_contract_billingperiod().contract_id("c-1").billing_period_id("p-1");
        json "getBillingContractsInvoiceDocument" => client.get_billing_contracts_invoice_document().invoice_id("i-1");
        json "getBillingContracts" => client.get_billing_contracts();
        json "getBillingContractsInvoices" => client.get_billing_contracts_invoices();
        json "getBillingContractsInvoiceLines" => client.get_billing_contracts_invoice_lines().invoice_id("i-1");
        json "postUsageAggregatesQueryJobs" =>
            client.post_usage_aggregates_query_jobs().body::<types::OrganizationPublicApiUsageQueryRequest>(body("postUsageAggregatesQueryJobs"));
        json "getUsageAggregatesQueryJob" => client.get_usage_aggregates_query_job().job_id("j-1").after("cursor");
        json "postUsageClientClientIdAggregatesQueryJobs" => client
            .post_usage_client_client_id_aggregates_query_jobs()
            .client_id("c-1")
            .body::<types::ClientPublicApiUsageQueryRequest>(body("postUsageClientClientIdAggregatesQueryJobs"));
        json "getUsageClientClientIdAggregatesQueryJob" =>
            client.get_usage_client_client_id_aggregates_query_job().client_id("c-1").job_id("j-1");
        json "postUsageQuery" => client.post_usage_query().body::<types::ApiUsageOrganizationQuery>(body("postUsageQuery"));
        json "getUsageQueryExecutionIdResults" => client.get_usage_query_execution_id_results().execution_id("e-1");
        json "postUsageSimplesearch" => client.post_usage_simplesearch().body::<types::ApiUsageSimpleSearch>(body("postUsageSimplesearch"));
        json "getUsageSimplesearchExecutionIdResults" =>
            client.get_usage_simplesearch_execution_id_results().execution_id("e-1");
        json "postOauthClientUsageQuery" =>
            client.post_oauth_client_usage_query().client_id("c-1").body::<types::ApiUsageClientQuery>(body("postOauthClientUsageQuery"));
        json "getOauthClientUsageQueryResult" =>
            client.get_oauth_client_usage_query_result().client_id("c-1").execution_id("e-1");
        json "getOauthClientUsageSummary" => client.get_oauth_client_usage_summary().client_id("c-1");
        json "getLicenseDefinition" => client.get_license_definition().license_id("l-1");
        json "getLicenseUser" => client.get_license_user().user_id("u-1");
        json "getLicenseToggle" => client.get_license_toggle().feature_name("f-1");
        json "getLicenseDefinitions" => client.get_license_definitions();
        json "getLicenseUsers" => client.get_license_users();
        json "getOauthClients" => client.get_oauth_clients();
        json "getOrganizationsMe" => client.get_organizations_me();
        json "getOrgauthorizationTrustors" => client.get_orgauthorization_trustors();
    }
}
