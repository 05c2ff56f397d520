//! Facts that the names of items state: their type, and the licensing. `docs/acronis.md` has the sources of the lists.

use crate::BillingReason;
use crate::acronis::account::licensing_mode::LicensingMode;

/// The licensing of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Licensing {
    /// Devices, and storage that the vendor hosts.
    Workloads,
    /// Users, for services that `licensing_mode` does not cover. Storage is charged as with devices.
    Users,
    /// Storage of any host; devices are only counted.
    Gigabytes,
    /// Editions before these two, with a prefix of their own.
    Edition,
    /// No prefix: an edition without one, or a metric that is not sold.
    Unprefixed,
}

/// Prefixes of items, longer ones first.
const PREFIXES: [(&str, Licensing); 17] = [
    ("pw_base_", Licensing::Workloads),
    ("pw_p_adv_", Licensing::Workloads),
    ("pw_p_ess_", Licensing::Workloads),
    ("pw_p_", Licensing::Workloads),
    ("pw_", Licensing::Workloads),
    ("pg_base_", Licensing::Gigabytes),
    ("pg_p_adv_", Licensing::Gigabytes),
    ("pg_p_", Licensing::Gigabytes),
    ("pg_", Licensing::Gigabytes),
    ("pu_base_", Licensing::Users),
    ("pu_", Licensing::Users),
    ("p_adv_", Licensing::Edition),
    ("p_dre_", Licensing::Edition),
    ("p_", Licensing::Edition),
    ("bndl_", Licensing::Edition),
    ("adv_", Licensing::Edition),
    ("dre_", Licensing::Edition),
];

/// Editions whose items have no prefix ("Editions" of the offering items). A name without a prefix in any other edition is not an item of it.
pub(crate) const WITHOUT_PREFIX: [&str; 2] = ["standard", "fss_legacy"];

/// Devices, mailboxes and seats, which are sold individually if workloads are charged.
pub(crate) const WORKLOADS: [&str; 24] = [
    "workstations",
    "servers",
    "vms",
    "mobiles",
    "virtualhosts",
    "win_server_essentials",
    "universal_devices",
    "mailboxes",
    "websites",
    "web_hosting_servers",
    "hosting_servers",
    "nas",
    "gsuite_seats",
    "m365_seats",
    "o365_mailboxes",
    "o365_seats",
    "o365_teams",
    "o365_onedrive",
    "o365_sharepoint_sites",
    "google_mail",
    "google_drive",
    "google_team_drive",
    "fc_seats",
    "hosted_exchange_mailboxes",
];
/// Content that a seat of Microsoft 365 or Google Workspace protects. The vendor's billing module has prices for seats and teams and for none of these.
pub(crate) const SEAT_PARTS: [&str; 7] = [
    "mailboxes",
    "o365_mailboxes",
    "o365_onedrive",
    "o365_sharepoint_sites",
    "google_mail",
    "google_drive",
    "google_team_drive",
];
pub(crate) const LOCAL_STORAGE: &str = "local_storage";
pub(crate) const HCI_STORAGE: &str = "hci_storage";
/// No source states whether it is sold, or contains other rows.
pub(crate) const HCI_TOTAL: &str = "hci_total_storage";
pub(crate) const STORAGE: [&str; 5] = ["storage", "c2c_storage", "dr_storage", "fc_storage", HCI_STORAGE];
/// Items that are charged by use in any licensing.
pub(crate) const SERVICES: [&str; 7] = [
    "compute_points",
    "public_ips",
    "notary_storage",
    "notarizations",
    "esignatures",
    "drives_shipped_to_cloud",
    "drives_shipped_from_cloud",
];
/// Parts of storage or of calls that other rows count as a whole.
const PARTS: [&str; 15] = [
    "immutable_storage",
    "vm_storage",
    "server_storage",
    "workstation_storage",
    "mobile_storage",
    "virtualhost_storage",
    "website_storage",
    "mailbox_storage",
    "protected_mailbox_storage",
    "orphaned_storage",
    "hci_iscsi_storage",
    "hci_s3_storage",
    "hci_nfs_storage",
    "hci_cifs_storage",
    "notarizations_api",
];

/// Returns whether the licensing mode can decide about the item in addition to its prefix.
pub(crate) fn depends_on_licensing(name: &str) -> bool {
    let (name, by_prefix) = without_prefix(name);
    by_prefix.is_open() && (is_stored(name) || WORKLOADS.contains(&name))
}

/// Returns whether the item is storage that is sold by size.
pub(crate) fn is_stored(name: &str) -> bool {
    STORAGE.contains(&name) || name == LOCAL_STORAGE
}

/// Returns whether a number is of storage, whose host matters; the unit may be missing or have another spelling.
pub(crate) fn is_storage(name: &str, measurement_unit: Option<&str>) -> bool {
    measurement_unit.is_some_and(|unit| unit.eq_ignore_ascii_case("bytes")) || name.ends_with("storage")
}

/// Returns whether neither the name nor the unit states what a number counts: pieces, unless it is of a component.
pub(crate) fn lacks_unit(name: &str, measurement_unit: Option<&str>) -> bool {
    let is_listed = |name: &str| is_stored(name) || WORKLOADS.contains(&name) || SERVICES.contains(&name);
    measurement_unit.is_none_or(str::is_empty)
        && !is_storage(name, None)
        && !is_listed(without_prefix(name).0)
        && never_charged(name, None).is_none()
}

/// Returns whether the host decides whether a number is billed: that of storage which is neither counted only nor a service.
pub(crate) fn needs_host(name: &str, measurement_unit: Option<&str>) -> bool {
    is_storage(name, measurement_unit)
        && never_charged(name, measurement_unit).is_none()
        && !SERVICES.contains(&without_prefix(name).0)
}

/// Returns whether the unit is not the one in which the vendor counts the item, so that its quantity is unknown: bytes for storage, seconds for
/// compute points, pieces for devices and other services, bytes for unlisted storage, bytes or pieces for other unlisted items.
pub(crate) fn contradicts_unit(name: &str, measurement_unit: Option<&str>) -> bool {
    let unit = measurement_unit.unwrap_or_default();
    let is_in = |expected: &str| unit.eq_ignore_ascii_case(expected);
    let is_in_pieces = unit.is_empty() || is_in("quantity");
    match without_prefix(name).0 {
        "compute_points" => !is_in("seconds"),
        name if is_storage(name, None) => !is_in("bytes"),
        name if WORKLOADS.contains(&name) || SERVICES.contains(&name) => !is_in_pieces,
        _ => !is_in("bytes") && !is_in_pieces,
    }
}

/// Returns why a number of this name and unit is never charged: it is not a quantity, or other numbers contain it.
pub(crate) fn never_charged(name: &str, measurement_unit: Option<&str>) -> Option<BillingReason> {
    let unit = measurement_unit.unwrap_or_default();
    if unit.eq_ignore_ascii_case("feature") || unit.eq_ignore_ascii_case("n/a") {
        return Some(BillingReason::FeatureSwitch);
    }
    counted_only(name).or_else(|| counted_only(without_prefix(name).0))
}

impl Licensing {
    /// Returns whether the item does not state its licensing mode.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Edition | Self::Unprefixed)
    }
}

impl From<LicensingMode> for Licensing {
    fn from(mode: LicensingMode) -> Self {
        match mode {
            LicensingMode::PerDevice => Self::Workloads,
            LicensingMode::PerGigabyte => Self::Gigabytes,
        }
    }
}

/// Names that are never sold.
fn counted_only(name: &str) -> Option<BillingReason> {
    if name == HCI_TOTAL {
        return None;
    }
    if name.starts_with("total_") || name.ends_with("_total") || name.contains("_total_") {
        return Some(BillingReason::TotalOfRows);
    }
    if PARTS.contains(&name) || name == "esignatures_api" {
        return Some(BillingReason::PartOfRow);
    }
    let is_counter = name.ends_with("_count") || name.ends_with("child_storages");
    is_counter.then_some(BillingReason::Counter)
}

pub(crate) fn without_prefix(name: &str) -> (&str, Licensing) {
    let found = PREFIXES.iter().find_map(|(prefix, licensing)| Some((name.strip_prefix(prefix)?, *licensing)));
    found.unwrap_or((name, Licensing::Unprefixed))
}

/// Returns the bit of a name in a set of names; 0 for names other than those of workloads and storage.
pub(crate) fn bit(name: &str) -> u64 {
    let mut names = WORKLOADS.iter().chain(&STORAGE).chain([&LOCAL_STORAGE]);
    names.position(|known| *known == name).map_or(0, |place| 1 << place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_counted_in_their_own_units() {
        for (name, right) in [
            ("pw_base_storage", "Bytes"),
            ("pg_local_storage", "bytes"),
            ("hci_total_storage", "bytes"),
            ("notary_storage", "bytes"),
            ("pw_base_archive_storage", "bytes"),
            ("p_dre_compute_points", "seconds"),
        ] {
            for unit in ["bytes", "BYTES", "seconds", "", "quantity", "GB", "octets"] {
                let is_right = unit.eq_ignore_ascii_case(right);
                assert_eq!(contradicts_unit(name, Some(unit)), !is_right, "{name} {unit}");
            }
            assert!(contradicts_unit(name, None), "{name}");
        }
        for (name, is_in_bytes) in [
            ("pw_base_servers", false),
            ("servers", false),
            ("p_mailboxes", false),
            ("notarizations", false),
            ("pw_public_ips", false),
            ("pw_base_quantum", true),
            ("pw_pack_adv_backup", true),
            ("pw_base_archive_x", true),
            ("compute_points_quota", true),
        ] {
            for unit in [None, Some(""), Some("quantity"), Some("Quantity")] {
                assert!(!contradicts_unit(name, unit), "{name} {unit:?}");
            }
            for unit in ["seconds", "GB", "hours", "parcels"] {
                assert!(contradicts_unit(name, Some(unit)), "{name} {unit}");
            }
            assert_eq!(contradicts_unit(name, Some("bytes")), !is_in_bytes, "{name}");
        }
    }

    #[test]
    fn the_mode_is_read_only_where_it_can_decide() {
        for name in ["p_storage", "local_storage", "storage", "servers", "adv_mailboxes", "p_local_storage"] {
            assert!(depends_on_licensing(name), "{name}");
        }
        for name in
            ["pw_base_storage", "pg_base_vms", "pu_base_fc_seats", "notarizations", "p_compute_points", "euc_count"]
        {
            assert!(!depends_on_licensing(name), "{name}");
        }
    }
}
