//! The tenants and what they have: the table from which the tree grows.

use usage_billing_acronis::types::TenantKind;

use super::catalogue::{
    COMPUTE_POINTS, FILE_SEATS, Infra, Item, MOBILES, NOTARIZATIONS, RECOVERY, RECOVERY_INTERNET, SERVERS,
    SERVERS_STANDARD, STORAGE_PER_GIGABYTE, STORAGE_PER_WORKLOAD, STORE_1, STORE_2, WORKSTATIONS,
};
use super::flow::Flow;

/// An item that a tenant has, and how it uses it.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) item: &'static Item,
    pub(super) infra: Option<&'static Infra>,
    pub(super) quota: Option<i64>,
    pub(super) flow: Flow,
}

/// A tenant before it has its ids.
pub(super) struct Seed {
    pub(super) parent: Option<usize>,
    pub(super) kind: TenantKind,
    pub(super) name: &'static str,
    pub(super) customer_id: Option<&'static str>,
    /// Nothing that it uses is billed.
    pub(super) trial: bool,
    /// Closed long ago.
    pub(super) deleted: bool,
    /// Currency of its prices, if its parent keeps them in the platform.
    pub(super) currency: Option<&'static str>,
    pub(super) lines: &'static [Line],
}

const GIB: i64 = 1 << 30;

const fn line(item: &'static Item, infra: Option<&'static Infra>, flow: Flow) -> Line {
    Line { item, infra, quota: None, flow }
}

const fn level(base: i64, a_day: i64, wobble: u64) -> Flow {
    Flow::Level { base, a_day, wobble }
}

const CUSTOMER: Seed = Seed {
    parent: Some(0),
    kind: TenantKind::Customer,
    name: "",
    customer_id: None,
    trial: false,
    deleted: false,
    currency: None,
    lines: &[],
};

/// A parent stands before its children.
pub(super) fn seeds() -> [Seed; 12] {
    const ALDER: [Line; 4] = [
        // The same metric on two components.
        Line {
            quota: Some(1024 * GIB),
            ..line(&STORAGE_PER_WORKLOAD, Some(&STORE_1), level(120 * GIB, GIB / 5, 1 << 27))
        },
        line(&STORAGE_PER_WORKLOAD, Some(&STORE_2), level(7 * GIB, 31_337, 4_096)),
        Line { quota: Some(50), ..line(&WORKSTATIONS, None, Flow::Pieces(42)) },
        line(&SERVERS, None, Flow::Pieces(3)),
    ];
    const KESTREL: [Line; 4] = [
        // Recovery servers run some ten hours a day.
        line(&COMPUTE_POINTS, Some(&RECOVERY), Flow::Range(35_400)),
        line(&STORAGE_PER_WORKLOAD, Some(&STORE_1), level(31 * GIB, 57_000_001, 9_999_999)),
        line(&MOBILES, None, Flow::Idle),
        line(&RECOVERY_INTERNET, None, Flow::Idle),
    ];
    const SAKURA: [Line; 1] = [line(&FILE_SEATS, None, Flow::Pieces(11))];
    const BIRCH: [Line; 2] = [
        // Shrinks from day to day, whatever the wobble.
        line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(9_000 * GIB, -GIB / 2, 1 << 20)),
        Line { quota: Some(40), ..line(&FILE_SEATS, None, Flow::Pieces(25)) },
    ];
    const DUNE: [Line; 2] = [
        line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(40 * GIB, 22_000_000, 3_000_000)),
        line(&NOTARIZATIONS, None, Flow::Range(3)),
    ];
    const ELM: [Line; 2] = [
        line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(4 * GIB, 1_234_567, 0)),
        line(&SERVERS_STANDARD, None, Flow::Pieces(2)),
    ];
    const WAREHOUSE: [Line; 1] = [line(&FILE_SEATS, None, Flow::Pieces(4))];
    // So that of what the partner above has some is still on trial.
    const FJORD: [Line; 1] = [line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(10 * GIB, 0, 0))];
    const GULL: [Line; 1] = [line(&WORKSTATIONS, None, Flow::Idle)];
    [
        Seed { parent: None, kind: TenantKind::Partner, name: "Northwind Cloud Services", ..CUSTOMER },
        Seed {
            name: "Alder Dental Group",
            customer_id: Some("ALD-77"),
            currency: Some("EUR"),
            lines: &ALDER,
            ..CUSTOMER
        },
        Seed {
            name: "Kestrel & Sons, \"Harbour\" Ltd.",
            customer_id: Some("KST-0042"),
            currency: Some("USD"),
            lines: &KESTREL,
            ..CUSTOMER
        },
        Seed { name: "株式会社さくら", trial: true, lines: &SAKURA, ..CUSTOMER },
        Seed { name: "Birch Logistics, Inc.", lines: &BIRCH, ..CUSTOMER },
        Seed { kind: TenantKind::Partner, name: "Cedar MSP", customer_id: Some("CDR"), ..CUSTOMER },
        Seed { parent: Some(5), kind: TenantKind::Folder, name: "Bakeries; \"hot & cold\"", ..CUSTOMER },
        Seed { parent: Some(5), name: "Elm & Ødegård AS", customer_id: Some("ELM;1"), lines: &ELM, ..CUSTOMER },
        Seed { parent: Some(6), name: "Dune Bakery", lines: &DUNE, ..CUSTOMER },
        Seed { parent: Some(6), name: "Fjord Kiosk", trial: true, lines: &FJORD, ..CUSTOMER },
        Seed { parent: Some(4), kind: TenantKind::Unit, name: "Birch, Warehouse 2", lines: &WAREHOUSE, ..CUSTOMER },
        Seed { name: "Gull Optics", deleted: true, lines: &GULL, ..CUSTOMER },
    ]
}
