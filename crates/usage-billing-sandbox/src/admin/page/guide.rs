//! How programs connect to the sandbox.

use serde_json::{Value, json};

use crate::demo_credentials::*;
use crate::vendors::Vendor;
use crate::vendors::document::Document;

/// The card of a vendor; `url` is that of the sandbox.
pub(super) fn vendor(vendor: Vendor, url: &str) -> Value {
    let (name, base_url, credentials, sdks) = match vendor {
        Vendor::Genesys => (
            "Genesys Cloud",
            url.to_owned(),
            vec![
                ("Client id", GENESYS_CLIENT_ID),
                ("Client secret", GENESYS_CLIENT_SECRET),
                ("Customer organization", GENESYS_TRUSTOR_ORG_ID),
                ("Another one, in USD", GENESYS_YOUNG_TRUSTOR_ORG_ID),
            ],
            [
                ("Rust", genesys_rust(url)),
                ("Python, the vendor's SDK", genesys_python(url)),
                ("curl", genesys_curl(url)),
            ],
        ),
        Vendor::Suger => (
            "Suger",
            url.to_owned(),
            vec![("API key", SUGER_API_KEY), ("Organization", SUGER_ORG_ID)],
            [("Rust", suger_rust(url)), ("Python, the vendor's SDK", suger_python(url)), ("curl", suger_curl(url))],
        ),
        Vendor::Acronis => (
            "Acronis Cyber Protect Cloud",
            format!("{url}/api/2"),
            vec![
                ("Client id", ACRONIS_CLIENT_ID),
                ("Client secret", ACRONIS_CLIENT_SECRET),
                ("Tenant", ACRONIS_TENANT_ID),
            ],
            [("Rust", acronis_rust(url)), ("Python, with requests", acronis_python(url)), ("curl", acronis_curl(url))],
        ),
    };
    json!({
        "id": vendor.name(),
        "name": name,
        "base_url": base_url,
        "credentials": credentials,
        "sdks": sdks,
        "operations": Document::of(vendor).count(),
    })
}

fn genesys_rust(url: &str) -> String {
    format!(
        "let region = \"{url}\".parse()?;\n\
         let credentials = Credentials::new(\"{GENESYS_CLIENT_ID}\", \"{GENESYS_CLIENT_SECRET}\".to_owned());\n\
         let client = usage_billing_genesys::Client::builder(&region, credentials).build()?;"
    )
}

/// The SDK derives the login host by replacing `//api.`; an address without it serves both.
fn genesys_python(url: &str) -> String {
    format!(
        "import PureCloudPlatformClientV2 as genesys\n\
         genesys.configuration.host = \"{url}\"\n\
         client = genesys.api_client.ApiClient().get_client_credentials_token(\n    \
         \"{GENESYS_CLIENT_ID}\", \"{GENESYS_CLIENT_SECRET}\")\n\
         users = genesys.LicenseApi(client).get_license_users()"
    )
}

fn genesys_curl(url: &str) -> String {
    format!(
        "T=$(curl -s -u {GENESYS_CLIENT_ID}:{GENESYS_CLIENT_SECRET} -d grant_type=client_credentials {url}/oauth/token \
         | jq -r .access_token)\n\
         curl -H \"Authorization: Bearer $T\" \"{url}/api/v2/billing/trusteebillingoverview/{GENESYS_TRUSTOR_ORG_ID}\""
    )
}

fn suger_rust(url: &str) -> String {
    format!(
        "let client = usage_billing_suger::Client::builder(\"{SUGER_API_KEY}\".to_owned()).base_url(\"{url}\").build()?;"
    )
}

fn suger_python(url: &str) -> String {
    format!(
        "import suger_sdk_python as suger\n\
         configuration = suger.Configuration(host=\"{url}\")\n\
         configuration.api_key[\"APIKeyAuth\"] = \"Key {SUGER_API_KEY}\"\n\
         buyers = suger.BuyerApi(suger.ApiClient(configuration)).list_buyers(\"{SUGER_ORG_ID}\")"
    )
}

fn suger_curl(url: &str) -> String {
    format!(
        "curl -H \"Authorization: Key {SUGER_API_KEY}\" \"{url}/org/{SUGER_ORG_ID}/usageRecordGroup?status=INVALID\""
    )
}

fn acronis_rust(url: &str) -> String {
    format!(
        "let data_center = \"{url}\".parse()?;\n\
         let credentials = Credentials::new(\"{ACRONIS_CLIENT_ID}\", \"{ACRONIS_CLIENT_SECRET}\".to_owned());\n\
         let client = usage_billing_acronis::Client::builder(&data_center, credentials).build()?;"
    )
}

/// The vendor has no SDK for this API.
fn acronis_python(url: &str) -> String {
    format!(
        "import requests\n\
         base = \"{url}/api/2\"\n\
         token = requests.post(base + \"/idp/token\", data={{\"grant_type\": \"client_credentials\"}},\n    \
         auth=(\"{ACRONIS_CLIENT_ID}\", \"{ACRONIS_CLIENT_SECRET}\")).json()[\"access_token\"]\n\
         tenant = requests.get(base + \"/tenants/{ACRONIS_TENANT_ID}\", headers={{\"Authorization\": \"Bearer \" + token}}).json()"
    )
}

fn acronis_curl(url: &str) -> String {
    format!(
        "T=$(curl -s -u {ACRONIS_CLIENT_ID}:{ACRONIS_CLIENT_SECRET} -d grant_type=client_credentials \
         {url}/api/2/idp/token | jq -r .access_token)\n\
         curl -H \"Authorization: Bearer $T\" {url}/api/2/tenants/{ACRONIS_TENANT_ID}"
    )
}
