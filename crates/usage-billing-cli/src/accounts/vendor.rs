//! The vendors, and the settings of their accounts.

use clap::ValueEnum;
use usage_billing_core::Operation;

/// In the order in which rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Vendor {
    Acronis,
    Genesys,
    Suger,
}

/// One setting of an account.
#[derive(Debug)]
pub(crate) struct Field {
    /// The key in the configuration file. For a secret, its suffixes `_file`, `_command` and `_keyring` are keys.
    pub(crate) key: &'static str,
    /// Environment variables, ours first, then the one of the vendor's own tools.
    pub(crate) variables: &'static [&'static str],
    pub(crate) is_secret: bool,
    pub(crate) is_required: bool,
    /// Whether the value is a path, or a URL in its place.
    pub(crate) is_path: bool,
}

impl Field {
    const fn new(key: &'static str, variables: &'static [&'static str]) -> Self {
        Self { key, variables, is_secret: false, is_required: true, is_path: false }
    }

    const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    const fn optional(self) -> Self {
        Self { is_required: false, ..self }
    }

    const fn path(self) -> Self {
        Self { is_path: true, ..self }
    }
}

const ACRONIS: &[Field] = &[
    Field::new("data_center", &["ACRONIS_DATA_CENTER"]),
    Field::new("client_id", &["ACRONIS_CLIENT_ID"]),
    Field::new("client_secret", &["ACRONIS_CLIENT_SECRET"]).secret(),
];

const GENESYS: &[Field] = &[
    Field::new("region", &["GENESYS_REGION", "GENESYSCLOUD_REGION"]),
    Field::new("client_id", &["GENESYS_CLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_ID"]),
    Field::new("client_secret", &["GENESYS_CLIENT_SECRET", "GENESYSCLOUD_OAUTHCLIENT_SECRET"]).secret(),
];

const SUGER: &[Field] = &[
    Field::new("org_id", &["SUGER_ORG_ID"]),
    Field::new("api_key", &["SUGER_API_KEY"]).secret(),
    Field::new("base_url", &["SUGER_BASE_URL"]).optional(),
    // Of `meter`: where events are kept until they are delivered.
    Field::new("outbox", &["SUGER_OUTBOX"]).optional().path(),
    // Of a PostgreSQL server. PGPASSWORD and password files work as well.
    Field::new("outbox_password", &["SUGER_OUTBOX_PASSWORD"]).secret().optional(),
];

impl Vendor {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Acronis => "acronis",
            Self::Genesys => "genesys",
            Self::Suger => "suger",
        }
    }

    /// Returns the operations of its API, sorted by name.
    pub(crate) fn operations(self) -> &'static [Operation] {
        match self {
            Self::Acronis => usage_billing_acronis::OPERATIONS,
            Self::Genesys => usage_billing_genesys::OPERATIONS,
            Self::Suger => usage_billing_suger::OPERATIONS,
        }
    }

    /// Returns the settings of its accounts.
    pub(crate) fn fields(self) -> &'static [Field] {
        match self {
            Self::Acronis => ACRONIS,
            Self::Genesys => GENESYS,
            Self::Suger => SUGER,
        }
    }

    /// Returns the environment variables of its settings.
    pub(crate) fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Acronis => {
                &["ACRONIS_DATA_CENTER", "ACRONIS_CLIENT_ID", "ACRONIS_CLIENT_SECRET", "ACRONIS_CLIENT_SECRET_FILE"]
            }
            Self::Genesys => {
                &["GENESYS_REGION", "GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET", "GENESYS_CLIENT_SECRET_FILE"]
            }
            Self::Suger => &["SUGER_ORG_ID", "SUGER_API_KEY", "SUGER_API_KEY_FILE", "SUGER_BASE_URL"],
        }
    }
}
