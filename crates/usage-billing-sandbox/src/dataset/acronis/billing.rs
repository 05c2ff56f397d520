//! How the vendor charges partners.

use super::Tree;

/// The partner's minimum commitment: tier 3.
pub(crate) const TIER_LEVEL: i64 = 2;

/// What a partner is charged by, as its setting `licensing_mode` has it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Licensing {
    /// Devices, and storage that the vendor hosts.
    PerDevice,
    /// Storage, wherever it is; devices are derived_counters only.
    PerGigabyte,
}

impl Licensing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PerDevice => "per_device",
            Self::PerGigabyte => "per_gb",
        }
    }
}

impl Tree {
    /// The licensing of the partner at a position; only partners with a contract of their own have one, and those below do not inherit it.
    pub(crate) fn licensing(index: usize) -> Option<Licensing> {
        match index {
            Self::OWN => Some(Licensing::PerDevice),
            Self::BELOW => Some(Licensing::PerGigabyte),
            _ => None,
        }
    }
}
