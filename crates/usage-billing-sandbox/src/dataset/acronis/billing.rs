//! The licensing of partners.

use super::Tree;

/// The partner's minimum commitment: tier 3.
pub(crate) const TIER_LEVEL: i64 = 2;

/// The licensing of a partner, as in its setting `licensing_mode`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Licensing {
    /// Devices, and storage that the vendor hosts.
    PerDevice,
    /// All storage; devices are counted but not charged.
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
    /// Returns the licensing of the partner at an index. Only partners with a contract of their own have one; partners below do not inherit
    /// it.
    pub(crate) fn licensing(index: usize) -> Option<Licensing> {
        match index {
            Self::OWN => Some(Licensing::PerDevice),
            Self::BELOW => Some(Licensing::PerGigabyte),
            _ => None,
        }
    }
}
