//! How the vendor charges the partner.

/// The partner's setting: devices are charged, and storage that the vendor hosts.
pub(crate) const LICENSING_MODE: &str = "per_device";
/// The partner's minimum commitment: tier 3.
pub(crate) const TIER_LEVEL: i64 = 2;
