//! Whether Acronis charges for a number: a pure decision from what a report states of it.
//!
//! The rule, with its sources, is in `docs/acronis.md`.

use super::hosting::Host;
use super::licensing_mode::LicensingMode;
use crate::{BillingReason, UsageMode};

/// What is known of a number when the whole report was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    /// With the prefix of the edition: `pw_base_storage`.
    pub(super) name: &'a str,
    pub(super) measurement_unit: Option<&'a str>,
    pub(super) edition: Option<&'a str>,
    /// Whether it has a SKU, in a report that has SKUs.
    pub(super) has_sku: Option<bool>,
    pub(super) host: Host,
    pub(super) mode: UsageMode,
    /// What the report has beside it.
    pub(super) seen: &'a SeenItems,
    /// What the report has of the same tenant.
    pub(super) of_tenant: &'a SeenItems,
    /// What the account's settings state, where they can be read: it outranks the prefix of the item.
    pub(super) licensing_mode: Option<LicensingMode>,
}

/// What the items of a report, or of a tenant in it, show.
#[derive(Debug, Default)]
pub(super) struct SeenItems {
    /// Whether there are items of today's licensing: `pw_…`, `pg_…`, `pu_…`.
    is_modern: bool,
    /// Whether there are per-gigabyte items: `pg_…`.
    has_gigabytes: bool,
    /// Whether there is an item of today's licensing for local storage.
    has_local_storage: bool,
}

impl SeenItems {
    pub(super) fn add(&mut self, name: &str) {
        let (name, licensing) = without_prefix(name);
        if matches!(licensing, Licensing::Workloads | Licensing::Users | Licensing::Gigabytes) {
            self.is_modern = true;
            self.has_gigabytes |= licensing == Licensing::Gigabytes;
            self.has_local_storage |= name == LOCAL_STORAGE;
        }
    }
}

/// What the account is charged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Licensing {
    /// Devices, and storage that the vendor hosts.
    Workloads,
    /// Users: items of services that `licensing_mode` is not about. Storage as with devices.
    Users,
    /// Storage, wherever it is; devices are only counted.
    Gigabytes,
    /// Editions before these two, with a prefix of their own.
    Edition,
    /// No prefix: an edition without one, or a metric that no item is sold by.
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

/// Editions whose items have no prefix ("Editions" of the offering items). A name without a prefix in any other edition is no item of it.
const WITHOUT_PREFIX: [&str; 2] = ["standard", "fss_legacy"];

/// Devices, mailboxes, seats: sold by the piece where workloads are charged.
const WORKLOADS: [&str; 24] = [
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
/// What a seat of Microsoft 365 or Google Workspace protects. The vendor's billing module has prices for seats and teams and for none of these.
const SEAT_PARTS: [&str; 7] = [
    "mailboxes",
    "o365_mailboxes",
    "o365_onedrive",
    "o365_sharepoint_sites",
    "google_mail",
    "google_drive",
    "google_team_drive",
];
const LOCAL_STORAGE: &str = "local_storage";
const STORAGE: [&str; 5] = ["storage", "c2c_storage", "dr_storage", "fc_storage", "hci_storage"];
/// Charged by use, whatever else the account is charged by.
const SERVICES: [&str; 7] = [
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

/// Why the vendor charges for the number or does not.
pub(super) fn reason(item: &Item<'_>) -> BillingReason {
    if let Some(reason) = never_charged(item.name, item.measurement_unit) {
        return reason;
    }
    let (name, by_prefix) = without_prefix(item.name);
    if item.mode == UsageMode::Trial {
        return BillingReason::Trial;
    }
    let licensing = by_prefix.in_mode(item.licensing_mode);
    let is_workload = WORKLOADS.contains(&name);
    if is_workload && by_prefix == Licensing::Gigabytes && licensing == Licensing::Gigabytes {
        return BillingReason::Included;
    }
    match item.has_sku {
        // The mode states that devices are not charged, and the SKU that they are sold.
        Some(true) if is_workload && licensing == Licensing::Gigabytes => BillingReason::UnknownLicensing,
        Some(true) => BillingReason::Usage,
        Some(false) => BillingReason::NotSold,
        None if is_unnamed(item, by_prefix) && !SERVICES.contains(&name) => unnamed(item, name, licensing),
        None => by_licensing(item, name, licensing),
    }
}

/// Whether neither prefix nor edition states what the item is sold by.
fn is_unnamed(item: &Item<'_>, by_prefix: Licensing) -> bool {
    by_prefix == Licensing::Unprefixed && item.edition.is_none_or(|edition| !WITHOUT_PREFIX.contains(&edition))
}

fn unnamed(item: &Item<'_>, name: &str, licensing: Licensing) -> BillingReason {
    let is_storage = STORAGE.contains(&name) || name == LOCAL_STORAGE;
    match is_storage || WORKLOADS.contains(&name) {
        true if name == LOCAL_STORAGE => unnamed_local_storage(item, licensing),
        // In today's licensing only items are sold, and all others have a prefix. Which licensing a tenant has, only its own items show.
        true if item.of_tenant.is_modern => BillingReason::Counter,
        true if is_storage && item.edition.is_none() && !item.seen.is_modern => by_licensing(item, name, licensing),
        _ => BillingReason::UnknownItem,
    }
}

/// The vendor's billing module has a price for `local_storage` and for no such item with a prefix: it is what is charged per gigabyte.
fn unnamed_local_storage(item: &Item<'_>, licensing: Licensing) -> BillingReason {
    match licensing {
        Licensing::Gigabytes | Licensing::Workloads => by_licensing(item, LOCAL_STORAGE, licensing),
        // The prefixes of the other items stand in for the mode.
        _ if item.seen.is_modern && !item.seen.has_gigabytes => BillingReason::Included,
        _ => BillingReason::UnknownLicensing,
    }
}

fn by_licensing(item: &Item<'_>, name: &str, licensing: Licensing) -> BillingReason {
    use Licensing::{Gigabytes, Users, Workloads};
    match licensing {
        _ if SERVICES.contains(&name) => BillingReason::Usage,
        Workloads | Gigabytes if name.starts_with("pack_") => BillingReason::Usage,
        Workloads | Users if name == LOCAL_STORAGE => BillingReason::Included,
        // Beside an item with a prefix it may count the same storage again.
        Gigabytes if item.name == LOCAL_STORAGE && item.of_tenant.has_local_storage => BillingReason::UnknownItem,
        Gigabytes if name == LOCAL_STORAGE || STORAGE.contains(&name) => BillingReason::Usage,
        _ if name == LOCAL_STORAGE => BillingReason::UnknownLicensing,
        _ if STORAGE.contains(&name) => match item.host {
            Host::Vendor | Host::NoComponent => BillingReason::Usage,
            Host::Unknown => BillingReason::UnknownHosting,
            Host::Partner if matches!(licensing, Workloads | Users) => BillingReason::PartnerHosted,
            Host::Partner => BillingReason::UnknownLicensing,
        },
        Gigabytes if WORKLOADS.contains(&name) => BillingReason::Included,
        _ if SEAT_PARTS.contains(&name) => BillingReason::UnknownItem,
        _ if WORKLOADS.contains(&name) => BillingReason::Usage,
        _ => BillingReason::UnknownItem,
    }
}

/// Whether a number is of storage, whose host matters; the unit may be missing, or spelt otherwise.
pub(super) fn is_storage(name: &str, measurement_unit: Option<&str>) -> bool {
    measurement_unit.is_some_and(|unit| unit.eq_ignore_ascii_case("bytes")) || name.ends_with("storage")
}

/// Why a number of this name and unit is never charged, whatever else is known of it: it is no quantity, or one that others contain.
pub(super) fn never_charged(name: &str, measurement_unit: Option<&str>) -> Option<BillingReason> {
    let unit = measurement_unit.unwrap_or_default();
    if unit.eq_ignore_ascii_case("feature") || unit.eq_ignore_ascii_case("n/a") {
        return Some(BillingReason::FeatureSwitch);
    }
    counted_only(name).or_else(|| counted_only(without_prefix(name).0))
}

impl Licensing {
    /// What an item is charged by, given what the account's settings state of it.
    fn in_mode(self, mode: Option<LicensingMode>) -> Self {
        match (self, mode) {
            (Self::Users, _) | (_, None) => self,
            (_, Some(LicensingMode::PerDevice)) => Self::Workloads,
            (_, Some(LicensingMode::PerGigabyte)) => Self::Gigabytes,
        }
    }
}

/// Names that are never sold.
fn counted_only(name: &str) -> Option<BillingReason> {
    if name.starts_with("total_") || name.ends_with("_total") || name.contains("_total_") {
        return Some(BillingReason::TotalOfRows);
    }
    if PARTS.contains(&name) || name == "esignatures_api" {
        return Some(BillingReason::PartOfRow);
    }
    let is_counter = name.ends_with("_count") || name.ends_with("child_storages");
    is_counter.then_some(BillingReason::Counter)
}

fn without_prefix(name: &str) -> (&str, Licensing) {
    let found = PREFIXES.iter().find_map(|(prefix, licensing)| Some((name.strip_prefix(prefix)?, *licensing)));
    found.unwrap_or((name, Licensing::Unprefixed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use BillingReason::*;

    fn seen(names: &[&str]) -> SeenItems {
        let mut seen = SeenItems::default();
        names.iter().for_each(|name| seen.add(name));
        seen
    }

    /// Beside items of today's licensing by device.
    static BY_DEVICE: SeenItems = SeenItems { is_modern: true, has_gigabytes: false, has_local_storage: false };
    /// Beside items of older editions.
    static BY_EDITION: SeenItems = SeenItems { is_modern: false, has_gigabytes: false, has_local_storage: false };

    fn item(name: &'static str) -> Item<'static> {
        Item {
            name,
            measurement_unit: None,
            edition: None,
            has_sku: None,
            host: Host::NoComponent,
            mode: UsageMode::Production,
            seen: &BY_DEVICE,
            of_tenant: &BY_DEVICE,
            licensing_mode: None,
        }
    }

    #[test]
    fn storage_is_charged_by_its_host_and_the_licensing() {
        use Host::{NoComponent, Partner, Unknown, Vendor};
        for (name, host, expected) in [
            ("pw_base_storage", Vendor, Usage),
            ("pw_storage", NoComponent, Usage),
            ("pw_base_c2c_storage", Partner, PartnerHosted),
            ("pw_base_storage", Unknown, UnknownHosting),
            ("pw_base_local_storage", NoComponent, Included),
            ("pg_base_storage", Vendor, Usage),
            ("pg_base_storage", Partner, Usage),
            ("pg_base_storage", Unknown, Usage),
            ("pg_base_local_storage", NoComponent, Usage),
            ("pg_base_something_new", Vendor, UnknownItem),
            ("p_local_storage", Partner, UnknownLicensing),
            ("dre_local_storage", NoComponent, UnknownLicensing),
            ("p_storage", Vendor, Usage),
            ("p_storage", Partner, UnknownLicensing),
            ("dre_dr_storage", Unknown, UnknownHosting),
        ] {
            assert_eq!(reason(&Item { host, ..item(name) }), expected, "{name} {host:?}");
        }
    }

    #[test]
    fn items_of_todays_licensing_are_known_by_their_prefix() {
        for name in ["pw_base_servers", "pg_storage", "pu_base_fc_seats", "pw_anything"] {
            assert!(seen(&["servers", name, "servers"]).is_modern, "{name}");
        }
        for name in ["servers", "p_servers", "adv_storage", "bndl_vms", "p_adv_pw_servers", "pwa_servers", ""] {
            assert!(!seen(&[name]).is_modern, "{name}");
        }
        for (name, has_gigabytes, has_local_storage) in [
            ("pg_base_storage", true, false),
            ("pg_base_local_storage", true, true),
            ("pw_local_storage", false, true),
            ("p_local_storage", false, false),
            ("local_storage", false, false),
        ] {
            let seen = seen(&["pw_base_vms", name, "pw_base_vms"]);
            assert_eq!((seen.has_gigabytes, seen.has_local_storage), (has_gigabytes, has_local_storage), "{name}");
        }
    }

    #[test]
    fn local_storage_without_a_prefix_is_charged_per_gigabyte_if_no_item_counts_it() {
        use LicensingMode::{PerDevice, PerGigabyte};
        for (beside, mode, expected) in [
            (&["pg_base_storage"][..], Some(PerGigabyte), Usage),
            (&["pw_base_vms"], Some(PerGigabyte), Usage),
            (&["p_servers"], Some(PerGigabyte), Usage),
            (&["pg_base_storage", "pg_base_local_storage"], Some(PerGigabyte), UnknownItem),
            (&["pg_base_storage"], Some(PerDevice), Included),
            (&["pw_base_vms"], Some(PerDevice), Included),
            (&["pw_base_vms", "pw_base_local_storage"], Some(PerDevice), Included),
            (&["pw_base_vms", "pw_base_local_storage"], None, Included),
            (&["pw_base_vms"], None, Included),
            // The account may be charged by either.
            (&["pg_base_storage", "pw_base_vms"], None, UnknownLicensing),
            (&["p_servers"], None, UnknownLicensing),
        ] {
            let seen = seen(beside);
            let item = Item { seen: &seen, of_tenant: &seen, licensing_mode: mode, ..item("local_storage") };
            assert_eq!(reason(&item), expected, "{beside:?} {mode:?}");
            assert_eq!(reason(&Item { mode: UsageMode::Trial, ..item }), Trial);
            assert_eq!(reason(&Item { has_sku: Some(true), ..item }), Usage);
        }
    }

    #[test]
    fn an_edition_whose_items_have_a_prefix_makes_no_counter_an_item() {
        for (name, edition, host, expected) in [
            ("mailboxes", "pck_per_workload", Host::NoComponent, [Counter, UnknownItem]),
            ("servers", "pck_per_gigabyte", Host::NoComponent, [Counter, UnknownItem]),
            ("fc_seats", "fss_per_user", Host::NoComponent, [Counter, UnknownItem]),
            ("storage", "per_workload", Host::Vendor, [Counter, UnknownItem]),
            ("vms", "an_edition_of_tomorrow", Host::NoComponent, [Counter, UnknownItem]),
            ("local_storage", "pck_per_workload", Host::NoComponent, [Included, UnknownLicensing]),
            ("servers", "standard", Host::NoComponent, [Usage, Usage]),
            ("fc_seats", "fss_legacy", Host::NoComponent, [Usage, Usage]),
            ("notarizations", "pck_per_workload", Host::NoComponent, [Usage, Usage]),
        ] {
            let of = |seen| reason(&Item { edition: Some(edition), host, seen, of_tenant: seen, ..item(name) });
            assert_eq!([of(&BY_DEVICE), of(&BY_EDITION)], expected, "{name} {edition}");
        }
    }

    #[test]
    fn what_a_seat_protects_is_not_charged_beside_it_without_a_source() {
        for name in [
            "pw_base_mailboxes",
            "pw_base_o365_mailboxes",
            "pw_base_o365_onedrive",
            "pw_base_o365_sharepoint_sites",
            "pw_base_google_mail",
            "pw_google_drive",
            "p_google_team_drive",
            "adv_mailboxes",
        ] {
            assert_eq!(reason(&item(name)), UnknownItem, "{name}");
            assert_eq!(reason(&Item { has_sku: Some(true), ..item(name) }), Usage, "{name}");
            assert_eq!(reason(&Item { has_sku: Some(false), ..item(name) }), NotSold, "{name}");
        }
        assert_eq!(reason(&Item { edition: Some("standard"), ..item("mailboxes") }), UnknownItem);
        assert_eq!(reason(&item("pg_base_mailboxes")), Included);
        for name in ["pw_base_m365_seats", "pw_o365_seats", "pw_o365_teams", "pw_gsuite_seats"] {
            assert_eq!(reason(&item(name)), Usage, "{name}");
        }
    }

    #[test]
    fn items_of_another_tenant_make_no_counter_of_this_tenants_items() {
        for (name, seen, of_tenant, expected) in [
            ("storage", &BY_DEVICE, &BY_DEVICE, Counter),
            ("storage", &BY_DEVICE, &BY_EDITION, UnknownItem),
            ("storage", &BY_EDITION, &BY_EDITION, Usage),
            ("servers", &BY_DEVICE, &BY_EDITION, UnknownItem),
        ] {
            assert_eq!(reason(&Item { seen, of_tenant, ..item(name) }), expected, "{name}");
        }
    }

    #[test]
    fn local_storage_is_charged_once_whatever_its_edition() {
        let seen = seen(&["pg_base_local_storage"]);
        for edition in [None, Some("standard"), Some("pck_per_gigabyte")] {
            let by_gigabyte = Some(LicensingMode::PerGigabyte);
            let of_tenant = &seen;
            let item = Item { edition, of_tenant, licensing_mode: by_gigabyte, ..item("local_storage") };
            assert_eq!(reason(&item), UnknownItem, "{edition:?}");
            assert_eq!(reason(&Item { name: "pg_base_local_storage", ..item }), Usage, "{edition:?}");
            assert_eq!(reason(&Item { of_tenant: &BY_DEVICE, ..item }), Usage, "{edition:?}");
        }
    }

    #[test]
    fn the_licensing_mode_outranks_the_prefix_and_not_the_sku() {
        use Host::{NoComponent, Partner, Unknown, Vendor};
        for (name, edition, host, has_sku, per_device, per_gigabyte) in [
            ("pw_base_storage", None, Vendor, None, Usage, Usage),
            ("pw_base_storage", None, Partner, None, PartnerHosted, Usage),
            ("pg_base_storage", None, Partner, None, PartnerHosted, Usage),
            ("p_storage", None, Partner, None, PartnerHosted, Usage),
            ("storage", Some("standard"), Partner, None, PartnerHosted, Usage),
            ("pw_base_storage", None, Unknown, None, UnknownHosting, Usage),
            ("p_local_storage", None, NoComponent, None, Included, Usage),
            ("pg_base_vms", None, NoComponent, None, Usage, Included),
            ("pw_base_vms", None, NoComponent, None, Usage, Included),
            // By the mode devices are not charged, by the SKU they are sold.
            ("pw_base_vms", None, NoComponent, Some(true), Usage, UnknownLicensing),
            ("vms", Some("standard"), NoComponent, Some(true), Usage, UnknownLicensing),
            ("pu_base_fc_seats", None, NoComponent, Some(true), Usage, Usage),
            ("pw_base_storage", None, Partner, Some(true), Usage, Usage),
            ("pg_base_vms", None, NoComponent, Some(true), Usage, Included),
            ("pw_base_vms", None, NoComponent, Some(false), NotSold, NotSold),
            // Of users, of use, and of items that no source names, the mode says nothing.
            ("pu_base_fc_seats", None, NoComponent, None, Usage, Usage),
            ("pw_compute_points", None, NoComponent, None, Usage, Usage),
            ("pw_pack_adv_security", None, NoComponent, None, Usage, Usage),
            ("mailboxes", None, NoComponent, None, Counter, Counter),
            ("a_seats", None, NoComponent, None, UnknownItem, UnknownItem),
            ("total_storage", None, NoComponent, None, TotalOfRows, TotalOfRows),
        ] {
            for (mode, expected) in [(LicensingMode::PerDevice, per_device), (LicensingMode::PerGigabyte, per_gigabyte)]
            {
                let item = Item { edition, host, has_sku, licensing_mode: Some(mode), ..item(name) };
                assert_eq!(reason(&item), expected, "{name} {host:?} {has_sku:?} {mode:?}");
            }
        }
        // In a report of older editions.
        for (name, host, mode, expected) in [
            ("storage", Partner, None, UnknownLicensing),
            ("storage", Partner, Some(LicensingMode::PerDevice), PartnerHosted),
            ("storage", Partner, Some(LicensingMode::PerGigabyte), Usage),
            ("local_storage", NoComponent, None, UnknownLicensing),
            ("local_storage", NoComponent, Some(LicensingMode::PerDevice), Included),
            ("mailboxes", NoComponent, Some(LicensingMode::PerDevice), UnknownItem),
        ] {
            let item = Item { host, licensing_mode: mode, seen: &BY_EDITION, of_tenant: &BY_EDITION, ..item(name) };
            assert_eq!(reason(&item), expected, "{name} {host:?} {mode:?}");
        }
    }

    #[test]
    fn counters_totals_parts_and_switches_are_never_charged() {
        for (name, expected) in [
            ("total_storage", TotalOfRows),
            ("storage_total", TotalOfRows),
            ("pw_total_protected_workloads", TotalOfRows),
            ("hci_total_storage", TotalOfRows),
            ("immutable_storage", PartOfRow),
            ("pw_base_immutable_storage", PartOfRow),
            ("esignatures_api", PartOfRow),
            ("euc_count", Counter),
            ("fc_child_storages", Counter),
        ] {
            for has_sku in [None, Some(true), Some(false)] {
                assert_eq!(reason(&Item { has_sku, ..item(name) }), expected, "{name}");
            }
        }
        for unit in ["feature", "n/a", "N/A"] {
            let switch = Item { measurement_unit: Some(unit), ..item("pw_base_servers") };
            assert_eq!(reason(&switch), FeatureSwitch, "{unit}");
        }
    }

    #[test]
    fn unknown_items_are_unknown_unless_a_sku_decides() {
        for (name, has_sku, expected) in [
            ("a_seats", None, UnknownItem),
            ("pw_base_something_new", None, UnknownItem),
            ("adv_security_edr_workloads", None, UnknownItem),
            ("adv_security_edr_workloads", Some(true), Usage),
            ("pw_base_servers", Some(false), NotSold),
            ("pw_pack_adv_security", None, Usage),
        ] {
            assert_eq!(reason(&Item { has_sku, ..item(name) }), expected, "{name} {has_sku:?}");
        }
    }

    #[test]
    fn workloads_are_charged_where_the_licensing_is_by_workload() {
        for (name, edition, is_modern, expected) in [
            ("pw_base_vms", None, true, Usage),
            ("pw_p_adv_servers", None, true, Usage),
            ("pu_base_fc_seats", None, true, Usage),
            ("pg_base_vms", None, true, Included),
            ("p_servers", None, false, Usage),
            ("servers", Some("standard"), true, Usage),
            ("mailboxes", None, true, Counter),
            ("storage", None, true, Counter),
            ("local_storage", None, true, Included),
            ("something_new", None, true, UnknownItem),
            ("mailboxes", None, false, UnknownItem),
            ("notarizations", None, true, Usage),
            ("p_dre_compute_points", None, false, Usage),
        ] {
            let seen = if is_modern { &BY_DEVICE } else { &BY_EDITION };
            assert_eq!(reason(&Item { edition, seen, of_tenant: seen, ..item(name) }), expected, "{name} {edition:?}");
        }
        assert_eq!(reason(&Item { mode: UsageMode::Trial, ..item("pw_base_vms") }), Trial);
    }
}
