//! Tenants and their items: a table of special cases, and as many more as the size needs.

use usage_billing_acronis::types::TenantKind;

use super::catalogue::{
    COMPUTE_POINTS, FILE_SEATS, Item, LOCAL_STORAGE, LOCAL_STORAGE_PER_GIGABYTE, MOBILES, NOTARIZATIONS,
    RECOVERY_INTERNET, SERVERS, SERVERS_STANDARD, STORAGE_PER_GIGABYTE, STORAGE_PER_WORKLOAD, WORKSTATIONS,
    WORKSTATIONS_PER_GIGABYTE,
};
use super::components::{ATTIC, CELLAR, Infra, RECOVERY, STORE_1, STORE_2, STORE_3};
use super::usage_series::UsageSeries;
use crate::dataset::names::company;
use crate::dataset::seed::Seed;

/// An item of a tenant, and its usage.
#[derive(Clone, Copy)]
pub(super) struct UsageLine {
    pub(super) item: &'static Item,
    pub(super) infra: Option<&'static Infra>,
    pub(super) quota: Option<i64>,
    pub(super) series: UsageSeries,
}

/// A tenant without its ids.
#[derive(Clone)]
pub(super) struct TenantSpec {
    pub(super) parent: Option<usize>,
    pub(super) kind: TenantKind,
    pub(super) name: String,
    pub(super) customer_id: Option<String>,
    pub(super) trial: Trial,
    /// Whether it was deleted long ago.
    pub(super) deleted: bool,
    /// Currency of its prices, if its parent has set prices in the platform.
    pub(super) currency: Option<&'static str>,
    pub(super) lines: Vec<UsageLine>,
}

/// Whether the usage of a tenant is billed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trial {
    No,
    /// Billed from a day in the month before the sandbox started.
    Leaves,
    /// Never billed.
    Stays,
}

const GIB: i64 = 1 << 30;

const fn line(item: &'static Item, infra: Option<&'static Infra>, series: UsageSeries) -> UsageLine {
    UsageLine { item, infra, quota: None, series }
}

const fn level(base: i64, per_day: i64, jitter: u64) -> UsageSeries {
    UsageSeries::Level { base, per_day, jitter }
}

static ALDER: [UsageLine; 6] = [
    // The same metric on three components, one of which belongs to the partner.
    UsageLine {
        quota: Some(1024 * GIB),
        ..line(&STORAGE_PER_WORKLOAD, Some(&STORE_1), level(120 * GIB, GIB / 5, 1 << 27))
    },
    line(&STORAGE_PER_WORKLOAD, Some(&STORE_2), level(7 * GIB, 31_337, 4_096)),
    line(&STORAGE_PER_WORKLOAD, Some(&CELLAR), level(90 * GIB, 77_777, 8_192)),
    line(&LOCAL_STORAGE, None, level(500 * GIB, 99_999, 8_192)),
    UsageLine { quota: Some(50), ..line(&WORKSTATIONS, None, UsageSeries::Pieces(42)) },
    line(&SERVERS, None, UsageSeries::Pieces(3)),
];
static KESTREL: [UsageLine; 5] = [
    // Recovery servers run for about ten hours a day.
    line(&COMPUTE_POINTS, Some(&RECOVERY), UsageSeries::Range(35_400)),
    line(&STORAGE_PER_WORKLOAD, Some(&STORE_1), level(31 * GIB, 57_000_001, 9_999_999)),
    line(&STORAGE_PER_WORKLOAD, Some(&STORE_3), level(12 * GIB, 31_000_001, 999_999)),
    line(&MOBILES, None, UsageSeries::Idle),
    line(&RECOVERY_INTERNET, None, UsageSeries::Idle),
];
static SAKURA: [UsageLine; 1] = [line(&FILE_SEATS, None, UsageSeries::Pieces(11))];
static BIRCH: [UsageLine; 2] = [
    // Shrinks every day, by more than the jitter.
    line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(9_000 * GIB, -GIB / 2, 1 << 20)),
    UsageLine { quota: Some(40), ..line(&FILE_SEATS, None, UsageSeries::Pieces(25)) },
];
// Below the partner that is licensed per gigabyte: devices are counted but not charged.
static DUNE: [UsageLine; 4] = [
    line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(40 * GIB, 22_000_000, 3_000_000)),
    line(&NOTARIZATIONS, None, UsageSeries::Range(3)),
    line(&LOCAL_STORAGE_PER_GIGABYTE, None, level(70 * GIB, 55_555, 1_024)),
    line(&WORKSTATIONS_PER_GIGABYTE, None, UsageSeries::Pieces(9)),
];
static ELM: [UsageLine; 3] = [
    line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(4 * GIB, 1_234_567, 0)),
    line(&SERVERS_STANDARD, None, UsageSeries::Pieces(2)),
    line(&STORAGE_PER_GIGABYTE, Some(&ATTIC), level(40 * GIB, 12_345, 678)),
];
static WAREHOUSE: [UsageLine; 1] = [line(&FILE_SEATS, None, UsageSeries::Pieces(4))];
// Part of the usage of the partner above is on trial.
static FJORD: [UsageLine; 1] = [line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(10 * GIB, 0, 0))];
static HERON: [UsageLine; 3] = [
    line(&COMPUTE_POINTS, Some(&RECOVERY), UsageSeries::Range(7_200)),
    line(&STORAGE_PER_WORKLOAD, Some(&STORE_1), level(3 * GIB, 4_321, 99)),
    line(&WORKSTATIONS, None, UsageSeries::Pieces(6)),
];
static GULL: [UsageLine; 1] = [line(&WORKSTATIONS, None, UsageSeries::Idle)];

/// Items of generated tenants: those of a tenant in the table, scaled.
static PROFILES: [&[UsageLine]; 6] = [&ALDER, &KESTREL, &SAKURA, &BIRCH, &DUNE, &ELM];
/// Items of customers below the partner that is licensed per gigabyte.
static PER_GIGABYTE: [&[UsageLine]; 2] = [&DUNE, &ELM];
/// One in this number of tenants is a partner, and one is on trial.
const PER_PARTNER: usize = 40;
const PER_TRIAL: usize = 9;

/// Returns a number of tenants. A parent precedes its children.
pub(super) fn tenant_specs(seed: Seed, count: u32) -> Vec<TenantSpec> {
    let mut tenant_specs = table();
    for (at, entry) in tenant_specs.iter_mut().enumerate().skip(1).filter(|_| !seed.is_default()) {
        entry.name = company(seed, 1, at as u64);
        for (line, number) in entry.lines.iter_mut().zip(0..) {
            line.series = line.series.scaled(seed.percent(&[53, at as u64, number]));
        }
    }
    // The partner, the one below it, and its folder.
    let mut sellers = vec![0, 5, 6];
    for at in tenant_specs.len()..usize::try_from(count).unwrap_or_default() {
        let chance = |what, below| seed.chance(&[54, at as u64, what], below);
        let is_partner = at % PER_PARTNER == 0;
        let seller = usize::try_from(chance(0, sellers.len() as u64 + 3)).unwrap_or_default();
        let parent = if is_partner { 0 } else { sellers.get(seller).copied().unwrap_or_default() };
        let profiles = if matches!(parent, 5 | 6) { &PER_GIGABYTE[..] } else { &PROFILES };
        let profile = profiles.get(at % profiles.len()).copied().unwrap_or_default();
        let scaled = |(line, number): (&UsageLine, u64)| UsageLine {
            series: line.series.scaled(67 + chance(number, 84)),
            ..*line
        };
        tenant_specs.push(TenantSpec {
            parent: Some(parent),
            kind: if is_partner { TenantKind::Partner } else { TenantKind::Customer },
            customer_id: (at % 2 == 0).then(|| format!("C-{at:05}")),
            trial: if at % PER_TRIAL == 0 && !is_partner { Trial::Stays } else { Trial::No },
            currency: [Some("EUR"), None, Some("USD")][at % 3].filter(|_| parent == 0),
            lines: if is_partner { Vec::new() } else { profile.iter().zip(1..).map(scaled).collect() },
            ..entry(&company(seed, 1, at as u64), &[])
        });
        if is_partner {
            sellers.push(at);
        }
    }
    tenant_specs
}

/// Returns a customer of the partner.
fn entry(name: &str, lines: &[UsageLine]) -> TenantSpec {
    TenantSpec {
        parent: Some(0),
        kind: TenantKind::Customer,
        name: name.to_owned(),
        customer_id: None,
        trial: Trial::No,
        deleted: false,
        currency: None,
        lines: lines.to_vec(),
    }
}

fn table() -> Vec<TenantSpec> {
    let known_as = |id: &str| Some(id.to_owned());
    vec![
        TenantSpec { parent: None, kind: TenantKind::Partner, ..entry("Northwind Cloud Services", &[]) },
        TenantSpec { customer_id: known_as("ALD-77"), currency: Some("EUR"), ..entry("Alder Dental Group", &ALDER) },
        TenantSpec {
            customer_id: known_as("KST-0042"),
            currency: Some("USD"),
            ..entry("Kestrel & Sons, \"Harbour\" Ltd.", &KESTREL)
        },
        TenantSpec { trial: Trial::Stays, ..entry("株式会社さくら", &SAKURA) },
        entry("Birch Logistics, Inc.", &BIRCH),
        TenantSpec { kind: TenantKind::Partner, customer_id: known_as("CDR"), ..entry("Cedar MSP", &[]) },
        TenantSpec { parent: Some(5), kind: TenantKind::Folder, ..entry("Bakeries; \"hot & cold\"", &[]) },
        TenantSpec { parent: Some(5), customer_id: known_as("ELM;1"), ..entry("Elm & Ødegård AS", &ELM) },
        TenantSpec { parent: Some(6), ..entry("Dune Bakery", &DUNE) },
        TenantSpec { parent: Some(6), trial: Trial::Stays, ..entry("Fjord Kiosk", &FJORD) },
        TenantSpec { parent: Some(4), kind: TenantKind::Unit, ..entry("Birch, Warehouse 2", &WAREHOUSE) },
        TenantSpec { deleted: true, ..entry("Gull Optics", &GULL) },
        TenantSpec { trial: Trial::Leaves, customer_id: known_as("HRN-3"), ..entry("Heron Vets", &HERON) },
    ]
}
