use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::*;
use BillingReason::{Included, NotSold, PartnerHosted, UnknownHosting, UnknownLicensing, Usage};

fn seen_items(names: &[&str]) -> SeenItems {
    let mut seen = SeenItems::default();
    names.iter().for_each(|name| seen.add(name));
    seen
}

/// Beside items of today's licensing by device.
const BY_DEVICE: SeenItems = SeenItems { is_modern: true, has_workloads: true, has_gigabytes: false, sold: 0 };
/// Beside items of older editions.
const BY_EDITION: SeenItems = SeenItems { is_modern: false, has_workloads: false, has_gigabytes: false, sold: 0 };
/// Beside items of today's licensing by gigabyte.
const BY_GIGABYTE: SeenItems = SeenItems { is_modern: true, has_workloads: false, has_gigabytes: true, sold: 0 };

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

/// Rows of `cases.yaml`, which explains them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    about: String,
    #[serde(default)]
    each: Vec<BTreeMap<String, Value>>,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    unit: Option<String>,
    edition: Option<String>,
    sku: Option<bool>,
    host: Option<String>,
    mode: Option<UsageMode>,
    items: Option<String>,
    report: Option<String>,
    tenant: Option<String>,
    licensing: Option<String>,
    reason: Option<BillingReason>,
    sold: Option<BillingReason>,
    unsold: Option<BillingReason>,
}

impl Group {
    fn cases(&self) -> Vec<Case> {
        let each = if self.each.is_empty() { vec![BTreeMap::new()] } else { self.each.clone() };
        assert!(self.rows.iter().all(|row| row.len() <= self.columns.len()), "{}: a cell without a column", self.about);
        let rows = self.rows.iter().map(|row| self.columns.iter().cloned().zip(row.iter().cloned()));
        rows.flat_map(|row| each.iter().map(move |more| row.clone().chain(more.clone()).collect()))
            .flat_map(combinations)
            .map(|cells| serde_json::from_value(Value::Object(cells.into_iter().collect())).unwrap())
            .collect()
    }
}

/// Returns cells for each combination of the values of cells with several.
fn combinations(cells: BTreeMap<String, Value>) -> Vec<BTreeMap<String, Value>> {
    cells.into_iter().fold(vec![BTreeMap::new()], |all, (column, cell)| {
        let values = if let Value::Array(values) = cell { values } else { vec![cell] };
        let with = |cells: &BTreeMap<String, Value>, value: &Value| {
            cells
                .iter()
                .map(|(column, value)| (column.clone(), value.clone()))
                .chain([(column.clone(), value.clone())])
                .collect()
        };
        all.iter().flat_map(|cells| values.iter().map(|value| with(cells, value)).collect::<Vec<_>>()).collect()
    })
}

impl Case {
    fn check(&self, about: &str) {
        let items = |of: &Option<String>| match of.as_ref().or(self.items.as_ref()).map(String::as_str) {
            None | Some("by device") => BY_DEVICE,
            Some("by edition") => BY_EDITION,
            Some("by gigabyte") => BY_GIGABYTE,
            Some(names) if names.starts_with("by ") => panic!("{names}"),
            Some(names) => seen_items(&names.split(' ').collect::<Vec<_>>()),
        };
        let item = Item {
            name: &self.name,
            measurement_unit: self.unit.as_deref(),
            edition: self.edition.as_deref(),
            has_sku: self.sku,
            host: match self.host.as_deref() {
                None | Some("no_component") => Host::NoComponent,
                Some("vendor") => Host::Vendor,
                Some("partner") => Host::Partner,
                Some("unknown") => Host::Unknown,
                Some(other) => panic!("{other}"),
            },
            mode: self.mode.unwrap_or(UsageMode::Production),
            seen: &items(&self.report),
            of_tenant: &items(&self.tenant),
            licensing_mode: self.licensing.as_deref().map(|mode| match mode {
                "per_device" => LicensingMode::PerDevice,
                "per_gigabyte" => LicensingMode::PerGigabyte,
                other => panic!("{other}"),
            }),
        };
        let expected = [(self.reason, self.sku), (self.sold, Some(true)), (self.unsold, Some(false))];
        assert!(expected.iter().any(|(reason, _)| reason.is_some()), "{about}: {self:?}");
        for (expected, has_sku) in
            expected.iter().filter_map(|(expected, has_sku)| Some((expected.as_ref()?, *has_sku)))
        {
            assert_eq!(reason(&Item { has_sku, ..item }), *expected, "{about}: {has_sku:?} {self:?}");
        }
    }
}

#[test]
fn every_case_has_the_expected_reason() {
    let groups: Vec<Group> = serde_saphyr::from_str(include_str!("cases.yaml")).unwrap();
    let mut count = 0;
    for group in &groups {
        let cases = group.cases();
        cases.iter().for_each(|case| case.check(&group.about));
        count += cases.len();
    }
    assert_eq!(count, 459);
}

#[test]
fn items_of_todays_licensing_are_known_by_their_prefix() {
    for name in ["pw_base_servers", "pg_storage", "pu_base_fc_seats", "pw_anything"] {
        assert!(seen_items(&["servers", name, "servers"]).is_modern, "{name}");
    }
    for name in ["servers", "p_servers", "adv_storage", "bndl_vms", "p_adv_pw_servers", "pwa_servers", ""] {
        assert!(!seen_items(&[name]).is_modern, "{name}");
    }
    for (name, has_gigabytes, has_local_storage) in [
        ("pg_base_storage", true, false),
        ("pg_base_local_storage", true, true),
        ("pw_local_storage", false, true),
        ("p_local_storage", false, false),
        ("local_storage", false, false),
    ] {
        let seen = seen_items(&["pw_base_vms", name, "pw_base_vms"]);
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
        let confirmed = |mode| seen_items(names).confirm(mode);
        assert_eq!(confirmed(LicensingMode::PerDevice), by_device, "{names:?}");
        assert_eq!(confirmed(LicensingMode::PerGigabyte), by_gigabyte, "{names:?}");
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
        let reason = |licensing_mode, seen| {
            let item = Item { edition, host, has_sku, licensing_mode, seen, ..item(name) };
            reason(&item)
        };
        let label = format!("{name} {edition:?} {host:?} {has_sku:?}");
        assert_eq!(reason(None, &BY_EDITION), stated, "{label}");
        assert_eq!(reason(Some(PerDevice), &BY_DEVICE), per_device, "{label}");
        assert_eq!(reason(Some(PerGigabyte), &BY_GIGABYTE), per_gigabyte, "{label}");
        // An unconfirmed mode makes a row unknown, and never known.
        let both = seen_items(&["pw_base_vms", "pg_base_storage"]);
        for (mode, in_mode, seen) in [
            (PerDevice, per_device, &BY_EDITION),
            (PerGigabyte, per_gigabyte, &BY_EDITION),
            (PerDevice, per_device, &BY_GIGABYTE),
            (PerGigabyte, per_gigabyte, &BY_DEVICE),
            (PerDevice, per_device, &both),
            (PerGigabyte, per_gigabyte, &both),
        ] {
            let found = reason(Some(mode), seen);
            let agrees = in_mode.is_billable() == reason(None, seen).is_billable();
            assert_eq!(found, if agrees { reason(None, seen) } else { UnknownLicensing }, "{label} {mode:?} {seen:?}");
        }
    }
}
