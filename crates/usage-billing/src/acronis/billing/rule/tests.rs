use super::*;
use BillingReason::*;

fn seen(names: &[&str]) -> SeenItems {
    let mut seen = SeenItems::default();
    names.iter().for_each(|name| seen.add(name));
    seen
}

/// Beside items of today's licensing by device.
static BY_DEVICE: SeenItems = SeenItems { is_modern: true, has_workloads: true, has_gigabytes: false, sold: 0 };
/// Beside items of older editions.
static BY_EDITION: SeenItems = SeenItems { is_modern: false, has_workloads: false, has_gigabytes: false, sold: 0 };
/// Beside items of today's licensing by gigabyte.
static BY_GIGABYTE: SeenItems = SeenItems { is_modern: true, has_workloads: false, has_gigabytes: true, sold: 0 };

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
fn storage_of_any_name_is_charged_by_its_host() {
    use Host::{NoComponent, Partner, Unknown, Vendor};
    for (name, host, has_sku, expected) in [
        ("pw_base_search_index_storage", Partner, Some(true), PartnerHosted),
        ("pw_base_archive_storage", Unknown, Some(true), UnknownHosting),
        ("pw_base_archive_storage", Vendor, Some(true), Usage),
        ("pw_base_archive_storage", NoComponent, Some(true), Usage),
        ("pw_base_archive_storage", Partner, Some(false), NotSold),
        ("pw_base_archive_storage", Partner, None, UnknownItem),
        ("pu_base_archive_storage", Partner, Some(true), PartnerHosted),
        ("pg_base_archive_storage", Partner, Some(true), Usage),
        ("p_archive_storage", Partner, Some(true), UnknownLicensing),
        ("archive_storage", Unknown, Some(true), UnknownHosting),
        ("pw_pack_adv_archive_storage", Partner, None, PartnerHosted),
        ("pw_pack_adv_archive_storage", Unknown, None, UnknownHosting),
        ("pw_pack_adv_archive_storage", Vendor, None, Usage),
        ("pw_pack_adv_archive_storage", Partner, Some(true), PartnerHosted),
        ("pg_pack_adv_archive_storage", Partner, None, UnknownItem),
        ("pw_notary_storage", Partner, Some(true), Usage),
        ("notary_storage", Unknown, None, Usage),
    ] {
        assert_eq!(reason(&Item { host, has_sku, ..item(name) }), expected, "{name} {host:?} {has_sku:?}");
    }
}

#[test]
fn devices_beside_items_by_gigabyte_are_charged_only_in_a_known_mode() {
    use LicensingMode::{PerDevice, PerGigabyte};
    let both = seen(&["pg_base_storage", "pw_base_vms"]);
    for (name, edition) in [("servers", Some("standard")), ("p_vms", None), ("adv_websites", None)] {
        for (seen, of_tenant, mode, expected) in [
            (&BY_GIGABYTE, &BY_EDITION, None, UnknownLicensing),
            (&BY_GIGABYTE, &BY_EDITION, Some(PerGigabyte), Included),
            (&BY_GIGABYTE, &BY_EDITION, Some(PerDevice), UnknownLicensing),
            // An item of another tenant does not decide: by device, by gigabyte or both.
            (&both, &BY_EDITION, None, UnknownLicensing),
            (&both, &BY_EDITION, Some(PerDevice), UnknownLicensing),
            (&both, &BY_GIGABYTE, None, UnknownLicensing),
            (&both, &BY_GIGABYTE, Some(PerDevice), UnknownLicensing),
            (&both, &both, None, UnknownLicensing),
            (&both, &BY_DEVICE, None, Usage),
            (&BY_DEVICE, &BY_EDITION, None, Usage),
            (&BY_DEVICE, &BY_DEVICE, None, Usage),
            (&BY_EDITION, &BY_EDITION, None, Usage),
        ] {
            let item = Item { edition, seen, of_tenant, licensing_mode: mode, ..item(name) };
            let label = format!("{name} {seen:?} {of_tenant:?} {mode:?}");
            assert_eq!(reason(&item), expected, "{label}");
            // A SKU states that it is sold: it does not outweigh the licensing of its own tenant, and contradicts that it is included. Beside
            // devices of other tenants, it is evidence.
            let with_sku = match expected {
                Included => UnknownLicensing,
                _ if seen.has_workloads && !of_tenant.is_modern => Usage,
                other => other,
            };
            assert_eq!(reason(&Item { has_sku: Some(true), ..item }), with_sku, "{label}");
            assert_eq!(reason(&Item { has_sku: Some(false), ..item }), NotSold, "{label}");
        }
    }
    let service = Item { seen: &BY_GIGABYTE, ..item("p_compute_points") };
    assert_eq!(reason(&service), Usage, "services are charged in any licensing");
}

#[test]
fn storage_of_an_infrastructure_is_not_charged_without_a_source() {
    for (name, edition) in [
        ("hci_storage", None),
        ("hci_storage", Some("standard")),
        ("hci_storage", Some("pck_per_workload")),
        ("p_hci_storage", None),
        ("pw_base_hci_storage", None),
    ] {
        for seen in [&BY_EDITION, &BY_DEVICE] {
            for host in [Host::NoComponent, Host::Vendor, Host::Partner] {
                let item = Item { edition, host, seen, of_tenant: seen, ..item(name) };
                assert_eq!(reason(&item), UnknownItem, "{name} {edition:?} {seen:?} {host:?}");
                assert_eq!(
                    reason(&Item { has_sku: Some(true), ..item }),
                    UnknownItem,
                    "{name} {edition:?} {host:?}: sources differ"
                );
                assert_eq!(reason(&Item { has_sku: Some(false), ..item }), NotSold, "{name} {edition:?}");
            }
        }
    }
    for has_sku in [None, Some(true)] {
        let item = Item { has_sku, ..item("pg_base_hci_storage") };
        assert_eq!(reason(&item), Usage, "all storage is charged by gigabyte");
    }
}

#[test]
fn unlisted_number_of_a_component_without_unit_is_unknown() {
    use Host::{NoComponent, Partner, Unknown, Vendor};
    for (name, of_partner) in [
        ("pw_base_archive_x", UnknownItem),
        ("pw_pack_adv_x", UnknownItem),
        ("pu_quantum", UnknownItem),
        ("archive_x", UnknownLicensing),
        ("p_archive_x", UnknownLicensing),
    ] {
        for unit in [None, Some("")] {
            let item = Item { has_sku: Some(true), measurement_unit: unit, ..item(name) };
            let of = |host| reason(&Item { host, ..item });
            let reasons = [Vendor, Partner, Unknown, NoComponent].map(of);
            assert_eq!(reasons, [UnknownItem, of_partner, UnknownHosting, Usage], "{name} {unit:?}");
            assert_eq!(reason(&Item { host: Vendor, has_sku: Some(false), ..item }), NotSold, "{name}");
        }
        let of = |unit| reason(&Item { host: Vendor, has_sku: Some(true), measurement_unit: Some(unit), ..item(name) });
        assert_eq!((of("bytes"), of("quantity")), (Usage, Usage), "{name}");
    }
    let pack = Item { host: Vendor, ..item("pw_pack_adv_x") };
    assert_eq!((reason(&pack), reason(&Item { host: NoComponent, ..pack })), (UnknownItem, Usage), "without SKUs");
    for name in ["pw_base_servers", "notarizations", "pw_public_ips"] {
        assert_eq!(reason(&Item { host: Partner, ..item(name) }), Usage, "{name} is in pieces");
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
        assert_eq!((seen.has_gigabytes, seen.contains(LOCAL_STORAGE)), (has_gigabytes, has_local_storage), "{name}");
        assert!(seen.contains("vms") && !seen.contains("servers") && !seen.contains("notarizations"));
    }
    for (names, by_device, by_gigabyte) in [
        (&["pw_base_vms", "servers", "pu_base_fc_seats"][..], true, false),
        (&["pg_base_storage", "p_servers"], false, true),
        (&["pg_base_storage", "pw_base_vms"], false, false),
        (&["pu_base_fc_seats", "p_servers"], false, false),
        (&[], false, false),
    ] {
        let confirmed = |mode| seen(names).confirm(mode);
        assert_eq!(confirmed(LicensingMode::PerDevice), by_device, "{names:?}");
        assert_eq!(confirmed(LicensingMode::PerGigabyte), by_gigabyte, "{names:?}");
    }
}

#[test]
fn unprefixed_local_storage_is_charged_per_gigabyte() {
    use LicensingMode::{PerDevice, PerGigabyte};
    for (beside, mode, expected) in [
        (&["pg_base_storage"][..], Some(PerGigabyte), Usage),
        (&["pg_base_storage", "pg_base_local_storage"], Some(PerGigabyte), UnknownItem),
        // The month of the report had another mode, or may have had.
        (&["pw_base_vms"], Some(PerGigabyte), UnknownLicensing),
        (&["p_servers"], Some(PerGigabyte), UnknownLicensing),
        (&["p_servers"], Some(PerDevice), UnknownLicensing),
        (&["pg_base_storage"], Some(PerDevice), UnknownLicensing),
        (&["pg_base_storage", "pw_base_vms"], Some(PerGigabyte), UnknownLicensing),
        (&["pg_base_storage", "pw_base_vms"], Some(PerDevice), UnknownLicensing),
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
        // A SKU does not state the licensing.
        let with_sku = if mode == Some(PerGigabyte) && beside.iter().all(|name| name.starts_with("pg_")) {
            Usage
        } else {
            UnknownLicensing
        };
        assert_eq!(reason(&Item { has_sku: Some(true), ..item }), with_sku, "{beside:?} {mode:?}");
    }
}

#[test]
fn unprefixed_name_is_an_item_only_in_editions_without_prefix() {
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
fn content_of_a_seat_is_not_charged_without_a_source() {
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
fn items_of_another_tenant_do_not_affect_a_tenant() {
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
fn local_storage_is_charged_once_in_any_edition() {
    let seen = seen(&["pg_base_local_storage"]);
    for edition in [None, Some("standard"), Some("pck_per_gigabyte")] {
        let by_gigabyte = Some(LicensingMode::PerGigabyte);
        let of_tenant = &seen;
        let seen = &BY_GIGABYTE;
        let item = Item { edition, seen, of_tenant, licensing_mode: by_gigabyte, ..item("local_storage") };
        assert_eq!(reason(&item), UnknownItem, "{edition:?}");
        assert_eq!(reason(&Item { name: "pg_base_local_storage", ..item }), Usage, "{edition:?}");
        assert_eq!(reason(&Item { of_tenant: &BY_DEVICE, ..item }), Usage, "{edition:?}");
    }
}

const MODES: [Option<LicensingMode>; 3] = [None, Some(LicensingMode::PerDevice), Some(LicensingMode::PerGigabyte)];

#[test]
fn the_prefix_of_an_item_outranks_the_mode_of_today() {
    use Host::{NoComponent, Partner, Unknown, Vendor};
    for (name, host, has_sku, expected) in [
        ("pw_base_storage", Vendor, None, Usage),
        ("pw_base_storage", Partner, None, PartnerHosted),
        ("pw_base_storage", Unknown, None, UnknownHosting),
        ("pw_base_local_storage", NoComponent, None, Included),
        ("pw_base_vms", NoComponent, None, Usage),
        ("pw_base_vms", NoComponent, Some(true), Usage),
        ("pw_base_vms", NoComponent, Some(false), NotSold),
        ("pg_base_storage", Partner, None, Usage),
        ("pg_base_storage", Unknown, None, Usage),
        ("pg_base_local_storage", NoComponent, None, Usage),
        ("pg_base_vms", NoComponent, None, Included),
        ("pg_base_mailboxes", NoComponent, None, Included),
        ("pu_base_fc_seats", NoComponent, None, Usage),
        ("pw_compute_points", NoComponent, None, Usage),
        ("pw_pack_adv_security", NoComponent, None, Usage),
        ("mailboxes", NoComponent, None, Counter),
        ("a_seats", NoComponent, None, UnknownItem),
        ("notarizations", NoComponent, None, Usage),
        ("total_storage", NoComponent, None, TotalOfRows),
    ] {
        for (licensing_mode, seen) in
            MODES.into_iter().flat_map(|mode| [&BY_DEVICE, &BY_GIGABYTE].map(|seen| (mode, seen)))
        {
            let item = Item { host, has_sku, licensing_mode, seen, of_tenant: seen, ..item(name) };
            assert_eq!(reason(&item), expected, "{name} {host:?} {has_sku:?} {licensing_mode:?} {seen:?}");
        }
    }
}

#[test]
fn current_mode_decides_only_if_items_confirm_it() {
    use Host::{NoComponent, Partner, Unknown, Vendor};
    use LicensingMode::{PerDevice, PerGigabyte};
    for (name, edition, host, has_sku, stated, per_device, per_gigabyte) in [
        ("p_storage", None, Vendor, None, Usage, Usage, Usage),
        ("p_storage", None, Partner, None, UnknownLicensing, PartnerHosted, Usage),
        ("p_storage", None, Unknown, None, UnknownHosting, UnknownHosting, Usage),
        ("storage", Some("standard"), Partner, None, UnknownLicensing, PartnerHosted, Usage),
        ("p_local_storage", None, NoComponent, None, UnknownLicensing, Included, Usage),
        ("p_servers", None, NoComponent, None, Usage, Usage, Included),
        ("vms", Some("standard"), NoComponent, None, Usage, Usage, Included),
        // By the mode devices are not charged, by the SKU they are sold.
        ("vms", Some("standard"), NoComponent, Some(true), Usage, Usage, UnknownLicensing),
        ("vms", Some("standard"), NoComponent, Some(false), NotSold, NotSold, NotSold),
        // By the mode storage is charged, and without a SKU it is not sold.
        ("p_storage", None, Partner, Some(false), NotSold, NotSold, UnknownLicensing),
        ("local_storage", None, NoComponent, Some(false), NotSold, NotSold, UnknownLicensing),
        ("p_storage", None, Partner, Some(true), UnknownLicensing, UnknownLicensing, Usage),
        ("p_storage", None, Unknown, Some(true), UnknownHosting, UnknownHosting, Usage),
        ("p_storage", None, Vendor, Some(true), Usage, Usage, Usage),
        ("p_local_storage", None, NoComponent, Some(true), UnknownLicensing, UnknownLicensing, Usage),
        // A counter beside items is not one of them.
        ("storage", None, NoComponent, Some(false), NotSold, NotSold, NotSold),
    ] {
        let of = |licensing_mode, seen| {
            let item = Item { edition, host, has_sku, licensing_mode, seen, ..item(name) };
            reason(&item)
        };
        let label = format!("{name} {edition:?} {host:?} {has_sku:?}");
        assert_eq!(of(None, &BY_EDITION), stated, "{label}");
        assert_eq!(of(Some(PerDevice), &BY_DEVICE), per_device, "{label}");
        assert_eq!(of(Some(PerGigabyte), &BY_GIGABYTE), per_gigabyte, "{label}");
        // An unconfirmed mode makes a row unknown, and never known.
        let both = seen(&["pw_base_vms", "pg_base_storage"]);
        for (mode, in_mode, seen) in [
            (PerDevice, per_device, &BY_EDITION),
            (PerGigabyte, per_gigabyte, &BY_EDITION),
            (PerDevice, per_device, &BY_GIGABYTE),
            (PerGigabyte, per_gigabyte, &BY_DEVICE),
            (PerDevice, per_device, &both),
            (PerGigabyte, per_gigabyte, &both),
        ] {
            let found = of(Some(mode), seen);
            let agrees = in_mode.is_billable() == of(None, seen).is_billable();
            assert_eq!(found, if agrees { of(None, seen) } else { UnknownLicensing }, "{label} {mode:?} {seen:?}");
        }
    }
}

#[test]
fn a_sku_and_the_licensing_decide_together() {
    use Host::{NoComponent, Partner, Unknown, Vendor};
    for (name, host, with_sku, without_sku) in [
        ("pg_base_storage", Vendor, Usage, UnknownLicensing),
        ("pg_base_storage", Partner, Usage, UnknownLicensing),
        ("pg_base_local_storage", NoComponent, Usage, UnknownLicensing),
        ("pg_base_vms", NoComponent, Included, Included),
        ("pg_base_mailboxes", NoComponent, Included, Included),
        ("pg_base_something_new", NoComponent, Usage, NotSold),
        ("pg_compute_points", NoComponent, Usage, NotSold),
        ("pw_base_storage", Vendor, Usage, NotSold),
        ("pw_base_storage", NoComponent, Usage, NotSold),
        ("pw_base_storage", Partner, PartnerHosted, NotSold),
        ("pu_base_fc_storage", Partner, PartnerHosted, NotSold),
        ("pw_base_storage", Unknown, UnknownHosting, NotSold),
        ("pw_base_local_storage", NoComponent, Included, NotSold),
        ("pw_base_local_storage", Partner, Included, NotSold),
        ("storage", Partner, UnknownLicensing, NotSold),
    ] {
        let of = |has_sku| reason(&Item { host, has_sku: Some(has_sku), seen: &BY_GIGABYTE, ..item(name) });
        assert_eq!([of(true), of(false)], [with_sku, without_sku], "{name} {host:?}");
        let trial = Item { host, has_sku: Some(false), mode: UsageMode::Trial, ..item(name) };
        assert_eq!(reason(&trial), Trial, "{name}");
    }
}

#[test]
fn old_edition_item_beside_its_successor_is_unknown() {
    for (name, edition, beside, expected) in [
        ("fc_seats", "fss_legacy", "pu_base_fc_seats", UnknownItem),
        ("fc_seats", "fss_legacy", "pw_base_servers", Usage),
        ("servers", "standard", "pw_base_servers", UnknownItem),
        ("servers", "standard", "pw_p_adv_servers", UnknownItem),
        ("storage", "standard", "pg_base_storage", UnknownItem),
        ("servers", "standard", "p_servers", Usage),
        ("notarizations", "standard", "pw_notarizations", Usage),
    ] {
        let beside = seen(&[beside]);
        let item = Item { edition: Some(edition), of_tenant: &beside, ..item(name) };
        assert_eq!(reason(&item), expected, "{name} {beside:?}");
        assert_eq!(reason(&Item { has_sku: Some(true), ..item }), Usage, "{name} {beside:?}");
        assert_eq!(reason(&Item { of_tenant: &BY_EDITION, ..item }), Usage, "of another tenant");
    }
}

#[test]
fn counters_totals_parts_and_switches_are_never_charged() {
    for (name, expected) in [
        ("total_storage", TotalOfRows),
        ("storage_total", TotalOfRows),
        ("pw_total_protected_workloads", TotalOfRows),
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
        ("pg_pack_adv_security", None, UnknownItem),
        ("pg_pack_adv_security", Some(true), Usage),
        ("hci_storage", None, UnknownItem),
        ("hci_total_storage", None, UnknownItem),
        ("hci_total_storage", Some(true), UnknownItem),
        ("hci_total_storage", Some(false), NotSold),
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
