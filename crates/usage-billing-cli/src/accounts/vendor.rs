//! The vendors.

use clap::ValueEnum;

/// In the order in which rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Vendor {
    Acronis,
    Genesys,
    Suger,
}

impl Vendor {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Acronis => "acronis",
            Self::Genesys => "genesys",
            Self::Suger => "suger",
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
