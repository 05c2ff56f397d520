use serde::de::DeserializeOwned;
use usage_billing_acronis::{Client, types};
use uuid::Uuid;

use super::calls;
use crate::{Call, Document};

const ID: Uuid = Uuid::from_u128(0x2f4c_1b7e_0a55_4d1e_9b1f_6a1d_3c8e_7f10);

/// Returns the document's example of the body.
fn body<T: DeserializeOwned>(operation: &str) -> T {
    Document::acronis().operation(operation).body()
}

pub(crate) fn calls() -> Vec<Call<Client>> {
    calls! { |client: Client|
        json "create_report" => client.create_report().body::<types::ReportCreate>(body("create_report"));
        json "get_report" => client.get_report().report_id(ID);
        json "update_report" => client.update_report().report_id(ID).body::<types::ReportUpdate>(body("update_report"));
        json "delete_report" => client.delete_report().report_id(ID).version(1);
        json "list_tenant_reports" => client.list_tenant_reports().tenant_id(ID);
        json "list_stored_reports" => client.list_stored_reports().report_id(ID);
        file "download_stored_report" => client.download_stored_report().report_id(ID).stored_report_id(ID);
        json "get_tenant_usages" => client.get_tenant_usages().tenant_id(ID);
        json "list_tenants_usages" => client.list_tenants_usages().tenants(ID.to_string());
        json "get_tenant" => client.get_tenant().tenant_id(ID);
        json "list_tenants" => client.list_tenants();
        json "list_tenant_children" => client.list_tenant_children().tenant_id(ID);
        json "get_tenant_offering_items" => client.get_tenant_offering_items().tenant_id(ID);
        json "list_offering_items" => client.list_offering_items();
        json "list_offering_items_for_child" => client.list_offering_items_for_child().tenant_id(ID);
        json "list_infra" => client.list_infra().uuids(ID.to_string());
        json "get_infra" => client.get_infra().infra_id(ID);
        json "get_offering_item_prices" => client.get_offering_item_prices().tenant_id(ID);
        json "get_tenant_pricing" => client.get_tenant_pricing().tenant_id(ID);
        json "get_tenant_application_setting" =>
            client.get_tenant_application_setting().application_id(ID).tenant_id(ID).setting_name("licensing_mode");
        json "list_effective_price_lists" => client.list_effective_price_lists().tenant_id(ID).months("2026-10");
        json "get_application" => client.get_application().application_id(ID);
        json "list_applications" => client.list_applications();
        json "list_tenant_applications" => client.list_tenant_applications().tenant_id(ID);
        json "list_tenants_applications" => client.list_tenants_applications().tenants(ID.to_string());
        json "get_client" => client.get_client().client_id(ID);
        json "get_me" => client.get_me();
    }
}
