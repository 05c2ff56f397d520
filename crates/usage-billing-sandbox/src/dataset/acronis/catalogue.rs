//! Services and offering items.

use usage_billing_acronis::types::{ApplicationType, MeasurementUnit};
use usage_billing_core::Decimal;
use uuid::Uuid;

use super::Licensing;
use super::components::uuid;

/// A service. The ids are those of the platform, the same in all accounts.
#[derive(PartialEq, Eq)]
pub(crate) struct Application {
    id: &'static str,
    pub(crate) name: &'static str,
    /// The type, as reports name the service.
    pub(crate) kind: &'static str,
    /// Metrics, without prefix.
    pub(crate) usages: &'static [&'static str],
    pub(crate) base_url: &'static str,
}

/// An offering item of a service.
#[derive(PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) application: &'static Application,
    /// Name with the prefix of its edition.
    pub(crate) name: &'static str,
    /// The metric, without prefix.
    pub(crate) usage_name: &'static str,
    pub(crate) edition: Option<&'static str>,
    pub(crate) sku: Option<&'static str>,
    pub(crate) unit: Unit,
    /// Whether usage is added up over a period; otherwise it is a level.
    pub(crate) is_range: bool,
    /// Charge for partners licensed per device.
    pub(crate) charge: Charge,
    /// Charge for partners licensed per gigabyte.
    charge_per_gigabyte: Charge,
    /// Price of one unit as it is billed, in ten-thousandths of any currency.
    price: i64,
}

/// The vendor's charge to the partner for an item, written by hand for each item, to test programs that derive it from names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charge {
    Each,
    /// Storage that the vendor hosts.
    Hosted,
    /// No charge: a total, a part, a counter, a switch, or included in another fee.
    Nothing,
}

/// The unit of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    Seconds,
    Pieces,
    /// No unit: the item is a switch.
    Switch,
}

impl Application {
    pub(crate) fn id(&self) -> Uuid {
        uuid(self.id)
    }

    pub(crate) fn type_(&self) -> ApplicationType {
        ApplicationType::from(self.kind)
    }
}

impl Item {
    pub(crate) fn charge_by(&self, licensing: Licensing) -> Charge {
        match licensing {
            Licensing::PerDevice => self.charge,
            Licensing::PerGigabyte => self.charge_per_gigabyte,
        }
    }

    pub(crate) fn price(&self) -> Decimal {
        Decimal::new(self.price, 4).normalize()
    }

    /// Returns whether the item belongs to a service; otherwise it is a counter of the platform.
    pub(crate) fn is_of_service(&self) -> bool {
        *self.application != PLATFORM
    }
}

impl Unit {
    /// Returns the name in report files, where counts have none.
    pub(crate) fn in_reports(self) -> Option<&'static str> {
        match self {
            Self::Bytes => Some("bytes"),
            Self::Seconds => Some("seconds"),
            Self::Pieces => None,
            Self::Switch => Some("feature"),
        }
    }

    pub(crate) fn in_items(self) -> MeasurementUnit {
        match self {
            Self::Bytes => MeasurementUnit::Bytes,
            Self::Seconds => MeasurementUnit::Seconds,
            Self::Pieces => MeasurementUnit::Quantity,
            Self::Switch => MeasurementUnit::NotApplicable,
        }
    }
}

static BACKUP: Application = Application {
    id: "6e6d758d-8e74-3ae3-ac84-50eb0dff12eb",
    name: "Cyber Protection",
    kind: "backup",
    usages: &[
        "workstations",
        "servers",
        "mobiles",
        "storage",
        "local_storage",
        "dr_internet_access",
        "compute_points",
        "total_storage",
        "immutable_storage",
        "total_protected_workloads",
    ],
    base_url: "/bc/",
};
static FILES: Application = Application {
    id: "dfd85a5f-a464-32ab-81fd-99bcc66a070f",
    name: "File Sync & Share",
    kind: "files_cloud",
    usages: &["fc_seats", "fc_storage"],
    base_url: "/fc/",
};
static SHIPPING: Application = Application {
    id: "b71b2c18-590a-303c-9d5a-8444fbe713ac",
    name: "Physical Data Shipping",
    kind: "physical_data_shipping",
    usages: &["drives_shipped_to_cloud", "drives_shipped_from_cloud"],
    base_url: "/pds/",
};
static NOTARY: Application = Application {
    id: "f9c5744e-bd1a-36b6-b0f0-ecd7483e1796",
    name: "Notary",
    kind: "notary",
    usages: &["notary_storage", "notarizations", "esignatures"],
    base_url: "/notary/",
};
static INFRASTRUCTURE: Application = Application {
    id: "cc29685d-a9ca-3e87-a83d-069f18b588f0",
    name: "Cyber Infrastructure",
    kind: "hci",
    usages: &["hci_storage", "hci_total_storage"],
    base_url: "/hci/",
};
pub(crate) static PLATFORM: Application = Application {
    id: "7459244f-68f3-3bf4-9f53-5f63ecc1d91f",
    name: "Management Portal",
    kind: "platform",
    usages: &[],
    base_url: "/mc/",
};

pub(crate) static APPLICATIONS: [&Application; 6] = [&BACKUP, &FILES, &SHIPPING, &NOTARY, &INFRASTRUCTURE, &PLATFORM];

/// Defaults for items.
const PER_WORKLOAD: Item = Item {
    application: &BACKUP,
    name: "",
    usage_name: "",
    edition: Some("pck_per_workload"),
    sku: None,
    unit: Unit::Pieces,
    is_range: false,
    charge: Charge::Each,
    charge_per_gigabyte: Charge::Nothing,
    price: 0,
};
pub(super) static STORAGE_PER_WORKLOAD: Item = Item {
    name: "pw_base_storage",
    usage_name: "storage",
    sku: Some("DEMO-STO-ACR-PW"),
    unit: Unit::Bytes,
    charge: Charge::Hosted,
    charge_per_gigabyte: Charge::Each,
    price: 500,
    ..PER_WORKLOAD
};
/// Included in the fee for devices.
pub(super) static LOCAL_STORAGE: Item = Item {
    name: "pw_base_local_storage",
    usage_name: "local_storage",
    unit: Unit::Bytes,
    charge: Charge::Nothing,
    charge_per_gigabyte: Charge::Each,
    ..PER_WORKLOAD
};
/// The item in accounts that are licensed per gigabyte.
pub(super) static LOCAL_STORAGE_PER_GIGABYTE: Item = Item { name: "local_storage", edition: None, ..LOCAL_STORAGE };
pub(super) static WORKSTATIONS: Item = Item {
    name: "pw_base_workstations",
    usage_name: "workstations",
    sku: Some("DEMO-WKS-PW"),
    price: 37_500,
    ..PER_WORKLOAD
};
pub(super) static SERVERS: Item =
    Item { name: "pw_base_servers", usage_name: "servers", sku: Some("DEMO-SRV-PW"), price: 190_000, ..PER_WORKLOAD };
pub(super) static MOBILES: Item =
    Item { name: "pw_base_mobiles", usage_name: "mobiles", sku: Some("DEMO-MOB-PW"), price: 11_000, ..PER_WORKLOAD };
pub(super) static STORAGE_PER_GIGABYTE: Item = Item {
    name: "pg_base_storage",
    usage_name: "storage",
    edition: Some("pck_per_gigabyte"),
    sku: Some("DEMO-STO-ACR-PG"),
    unit: Unit::Bytes,
    charge_per_gigabyte: Charge::Each,
    price: 1_200,
    ..PER_WORKLOAD
};
/// Counted only.
pub(super) static WORKSTATIONS_PER_GIGABYTE: Item = Item {
    name: "pg_base_workstations",
    usage_name: "workstations",
    edition: Some("pck_per_gigabyte"),
    charge: Charge::Nothing,
    ..PER_WORKLOAD
};
pub(super) static COMPUTE_POINTS: Item = Item {
    name: "pw_compute_points",
    usage_name: "compute_points",
    edition: Some("per_workload"),
    sku: Some("DEMO-DRCP-PW"),
    unit: Unit::Seconds,
    is_range: true,
    charge_per_gigabyte: Charge::Each,
    price: 2_500,
    ..PER_WORKLOAD
};
pub(super) static RECOVERY_INTERNET: Item = Item {
    name: "pw_dr_internet_access",
    usage_name: "dr_internet_access",
    edition: Some("per_workload"),
    unit: Unit::Switch,
    charge: Charge::Nothing,
    ..PER_WORKLOAD
};
pub(super) static FILE_SEATS: Item = Item {
    application: &FILES,
    name: "pu_base_fc_seats",
    usage_name: "fc_seats",
    edition: Some("fss_per_user"),
    sku: Some("DEMO-FSS-USR"),
    charge_per_gigabyte: Charge::Each,
    price: 42_500,
    ..PER_WORKLOAD
};
/// Item of the edition without a prefix, which lists of items have by default.
pub(super) static SERVERS_STANDARD: Item = Item {
    name: "servers",
    usage_name: "servers",
    edition: Some("standard"),
    sku: Some("DEMO-SRV-STD"),
    price: 150_000,
    ..PER_WORKLOAD
};
pub(super) static NOTARIZATIONS: Item = Item {
    application: &NOTARY,
    name: "notarizations",
    usage_name: "notarizations",
    edition: None,
    sku: Some("DEMO-NOT-100"),
    is_range: true,
    charge_per_gigabyte: Charge::Each,
    price: 9_900,
    ..PER_WORKLOAD
};
/// Item in reports of partners only: the number of customers below.
pub(super) static CUSTOMER_COUNT: Item = Item {
    application: &PLATFORM,
    name: "euc_count",
    usage_name: "euc_count",
    edition: None,
    charge: Charge::Nothing,
    ..PER_WORKLOAD
};

/// Defaults for counters beside items, which no tenant has and which are not sold.
const COUNTED: Item = Item { edition: None, charge: Charge::Nothing, ..PER_WORKLOAD };
pub(super) static TOTAL_STORAGE: Item =
    Item { name: "total_storage", usage_name: "total_storage", unit: Unit::Bytes, ..COUNTED };
pub(super) static IMMUTABLE_STORAGE: Item =
    Item { name: "immutable_storage", usage_name: "immutable_storage", unit: Unit::Bytes, ..COUNTED };
pub(super) static TOTAL_WORKLOADS: Item =
    Item { name: "total_protected_workloads", usage_name: "total_protected_workloads", ..COUNTED };

/// Items with SKUs.
pub(super) static SOLD: [&Item; 9] = [
    &STORAGE_PER_WORKLOAD,
    &WORKSTATIONS,
    &SERVERS,
    &MOBILES,
    &STORAGE_PER_GIGABYTE,
    &COMPUTE_POINTS,
    &FILE_SEATS,
    &SERVERS_STANDARD,
    &NOTARIZATIONS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::acronis::components::{INFRA, Infra, VENDOR};

    #[test]
    fn ids_are_valid_uuids() {
        let infras = INFRA.map(Infra::id);
        for id in APPLICATIONS.map(Application::id).into_iter().chain(infras).chain([uuid(VENDOR)]) {
            assert!(!id.is_nil());
        }
    }

    #[test]
    fn services_know_their_metrics() {
        let others = [
            &LOCAL_STORAGE,
            &LOCAL_STORAGE_PER_GIGABYTE,
            &WORKSTATIONS_PER_GIGABYTE,
            &RECOVERY_INTERNET,
            &TOTAL_STORAGE,
            &IMMUTABLE_STORAGE,
            &TOTAL_WORKLOADS,
        ];
        for item in SOLD.into_iter().chain(others) {
            assert!(item.application.usages.contains(&item.usage_name), "{}", item.name);
            assert!(item.name.ends_with(item.usage_name));
        }
        assert!(SOLD.iter().all(|item| item.sku.is_some()) && others.iter().all(|item| item.sku.is_none()));
    }
}
