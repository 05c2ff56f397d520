//! Credentials and ids that clients of the sandbox need. They are fixed and public, and are valid for sandboxes only.

/// Client id at `POST /oauth/token`.
pub const GENESYS_CLIENT_ID: &str = "5a0d7c1e-2b94-4f6a-8e13-9c4b6d2f7a01";
/// Client secret at `POST /oauth/token`.
pub const GENESYS_CLIENT_SECRET: &str = "demo-genesys-secret";
/// Client that may read licences and OAuth clients, without permission for billing.
pub const GENESYS_LIMITED_CLIENT_ID: &str = "c90e4b12-6f3d-4a58-b7c1-2d8e5f0a9b64";
/// Secret of the limited client.
pub const GENESYS_LIMITED_CLIENT_SECRET: &str = "demo-genesys-limited-secret";
/// Customer organization of the Genesys Cloud partner: fourteen billing periods, in EUR, with prepaid seats.
pub const GENESYS_TRUSTOR_ORG_ID: &str = "b7a0c2d4-19e6-4f3b-8d51-6c2e9f0a7713";
/// Customer organization with five billing periods in USD, which begin on the 15th, and nothing prepaid.
pub const GENESYS_YOUNG_TRUSTOR_ORG_ID: &str = "e1c95f38-7d02-4ab6-93f4-0b8a5e6d2c47";

/// API key, as in `Authorization: Key demo-suger-key`.
pub const SUGER_API_KEY: &str = "demo-suger-key";
/// API key that may read but not write.
pub const SUGER_LIMITED_API_KEY: &str = "demo-suger-limited-key";
/// Organization in all paths of Suger.
pub const SUGER_ORG_ID: &str = "sgr-demo1";

/// Client id at `POST /api/2/idp/token`.
pub const ACRONIS_CLIENT_ID: &str = "6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264";
/// Client secret at `POST /api/2/idp/token`.
pub const ACRONIS_CLIENT_SECRET: &str = "demo-acronis-secret";
/// Client with the role of a read-only administrator: it may read reports but not create them.
pub const ACRONIS_LIMITED_CLIENT_ID: &str = "83d5a2e7-4c1f-4b96-9e08-f17b3c6a5d20";
/// Secret of the limited client.
pub const ACRONIS_LIMITED_CLIENT_SECRET: &str = "demo-acronis-limited-secret";
/// The partner "Northwind Cloud Services", to which the client belongs.
pub const ACRONIS_TENANT_ID: &str = "2f4c1b7e-0a55-4d1e-9b1f-6a1d3c8e7f10";
