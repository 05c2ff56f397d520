//! Acronis: the partner "Northwind Cloud Services", the tenants below it, and what they use.

use chrono::NaiveDate;
use usage_billing_acronis::types::TenantKind;
use uuid::Uuid;

use super::{chance, day_key, day_number, days, id};
use crate::ACRONIS_TENANT_ID;

pub(crate) struct Tenant {
    pub(crate) id: Uuid,
    /// Of API v1; only reports have it.
    pub(crate) numeric_id: i64,
    /// Position of the parent; `None` for the partner to whom the client belongs.
    pub(crate) parent: Option<usize>,
    pub(crate) kind: TenantKind,
    pub(crate) name: &'static str,
    pub(crate) customer_id: Option<&'static str>,
    pub(crate) trial: bool,
    lines: &'static [Line],
}

/// Something that a tenant uses.
#[derive(Clone, Copy)]
struct Line {
    item: &'static Item,
    infra: Option<&'static Infra>,
    trial: bool,
    quota: Option<i64>,
    flow: Flow,
}

/// How usage goes on from day to day.
#[derive(Clone, Copy)]
enum Flow {
    /// A level: so much at the beginning of 2015, growing or shrinking by so much a day, give or take a bit.
    Level { base: i64, a_day: i64, wobble: u64 },
    /// Pieces: so many, and one more or less from month to month.
    Pieces(i64),
    /// Added up over a period: on average so much a day.
    Range(u64),
    /// Nothing.
    Idle,
}

/// An offering item of a service.
#[derive(PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) application: (&'static str, &'static str),
    pub(crate) name: &'static str,
    pub(crate) edition: Option<&'static str>,
    pub(crate) sku: Option<&'static str>,
    pub(crate) unit: Option<&'static str>,
    pub(crate) is_range: bool,
}

#[derive(PartialEq, Eq)]
pub(crate) struct Infra {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) backend: &'static str,
    pub(crate) owner: &'static str,
}

const BACKUP: (&str, &str) = ("6e6d758d-8e74-3ae3-ac84-50eb0dff12eb", "backup");
const FILES: (&str, &str) = ("dfd85a5f-a464-32ab-81fd-99bcc66a070f", "files_cloud");
const NOTARY: (&str, &str) = ("f9c5744e-bd1a-36b6-b0f0-ecd7483e1796", "notary");
const PLATFORM: (&str, &str) = ("7459244f-68f3-3bf4-9f53-5f63ecc1d91f", "platform");

const VENDOR: &str = "c95f2a08-47be-4d61-8230-1e6b9d7fa4c3";
static STORE_1: Infra =
    Infra { id: "3f6a1c58-2d7b-4e90-b1a3-c4d5e6f70819", name: "eu-west-storage-1", backend: "acronis", owner: VENDOR };
static STORE_2: Infra = Infra {
    id: "4a7b2d69-3e8c-4fa1-82b4-d5e6f708192a",
    name: "eu-west-storage-2, \"cold\"",
    backend: "google",
    owner: VENDOR,
};
static RECOVERY: Infra =
    Infra { id: "7d2e4f60-8a1b-4c3d-9e5f-60718293a4b5", name: "eu-west-dr-1", backend: "acronis", owner: VENDOR };

/// What the items of one edition of backup have in common.
const PER_WORKLOAD: Item =
    Item { application: BACKUP, name: "", edition: Some("pck_per_workload"), sku: None, unit: None, is_range: false };
static STORAGE_PER_WORKLOAD: Item =
    Item { name: "pw_base_storage", sku: Some("DEMO-STO-ACR-PW"), unit: Some("bytes"), ..PER_WORKLOAD };
static WORKSTATIONS: Item = Item { name: "pw_base_workstations", sku: Some("DEMO-WKS-PW"), ..PER_WORKLOAD };
static SERVERS: Item = Item { name: "pw_base_servers", sku: Some("DEMO-SRV-PW"), ..PER_WORKLOAD };
static MOBILES: Item = Item { name: "pw_base_mobiles", sku: Some("DEMO-MOB-PW"), ..PER_WORKLOAD };
static STORAGE_PER_GIGABYTE: Item = Item {
    name: "pg_base_storage",
    edition: Some("pck_per_gigabyte"),
    sku: Some("DEMO-STO-ACR-PG"),
    unit: Some("bytes"),
    ..PER_WORKLOAD
};
static COMPUTE_POINTS: Item = Item {
    name: "pw_compute_points",
    edition: Some("per_workload"),
    sku: Some("DEMO-DRCP-PW"),
    unit: Some("seconds"),
    is_range: true,
    ..PER_WORKLOAD
};
static FILE_SEATS: Item = Item {
    application: FILES,
    name: "pu_base_fc_seats",
    edition: Some("fss_per_user"),
    sku: Some("DEMO-FSS-USR"),
    ..PER_WORKLOAD
};
static NOTARIZATIONS: Item = Item {
    application: NOTARY,
    name: "notarizations",
    edition: None,
    sku: Some("DEMO-NOT-100"),
    is_range: true,
    ..PER_WORKLOAD
};
static CUSTOMER_COUNT: Item = Item { application: PLATFORM, name: "euc_count", edition: None, ..PER_WORKLOAD };

const GIB: i64 = 1 << 30;

const fn line(item: &'static Item, infra: Option<&'static Infra>, flow: Flow) -> Line {
    Line { item, infra, trial: false, quota: None, flow }
}

const fn level(base: i64, a_day: i64, wobble: u64) -> Flow {
    Flow::Level { base, a_day, wobble }
}

/// A tenant before it has its ids.
struct Seed {
    parent: Option<usize>,
    kind: TenantKind,
    name: &'static str,
    customer_id: Option<&'static str>,
    trial: bool,
    lines: &'static [Line],
}

const CUSTOMER: Seed =
    Seed { parent: Some(0), kind: TenantKind::Customer, name: "", customer_id: None, trial: false, lines: &[] };

fn seeds() -> [Seed; 8] {
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
    const KESTREL: [Line; 3] = [
        // Recovery servers run some ten hours a day.
        line(&COMPUTE_POINTS, Some(&RECOVERY), Flow::Range(35_400)),
        line(&STORAGE_PER_WORKLOAD, Some(&STORE_1), level(31 * GIB, 57_000_001, 9_999_999)),
        line(&MOBILES, None, Flow::Idle),
    ];
    const SAKURA: [Line; 1] = [Line { trial: true, ..line(&FILE_SEATS, None, Flow::Pieces(11)) }];
    const BIRCH: [Line; 2] = [
        // Shrinks from day to day, whatever the wobble.
        line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(9_000 * GIB, -GIB / 2, 1 << 20)),
        line(&FILE_SEATS, None, Flow::Pieces(25)),
    ];
    const CEDAR: [Line; 1] = [line(&CUSTOMER_COUNT, None, Flow::Pieces(6))];
    const DUNE: [Line; 2] = [
        line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(40 * GIB, 22_000_000, 3_000_000)),
        line(&NOTARIZATIONS, None, Flow::Range(3)),
    ];
    const ELM: [Line; 2] = [
        line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(4 * GIB, 1_234_567, 0)),
        // Some of it is still on trial.
        Line { trial: true, ..line(&STORAGE_PER_GIGABYTE, Some(&STORE_1), level(10 * GIB, 0, 0)) },
    ];
    [
        Seed { parent: None, kind: TenantKind::Partner, name: "Northwind Cloud Services", ..CUSTOMER },
        Seed { name: "Alder Dental Group", customer_id: Some("ALD-77"), lines: &ALDER, ..CUSTOMER },
        Seed { name: "Kestrel & Sons, \"Harbour\" Ltd.", customer_id: Some("KST-0042"), lines: &KESTREL, ..CUSTOMER },
        Seed { name: "株式会社さくら", trial: true, lines: &SAKURA, ..CUSTOMER },
        Seed { name: "Birch Logistics, Inc.", lines: &BIRCH, ..CUSTOMER },
        Seed { kind: TenantKind::Partner, name: "Cedar MSP", customer_id: Some("CDR"), lines: &CEDAR, ..CUSTOMER },
        Seed { parent: Some(5), name: "Dune Bakery", lines: &DUNE, ..CUSTOMER },
        Seed { parent: Some(5), name: "Elm & Ødegård AS", customer_id: Some("ELM;1"), lines: &ELM, ..CUSTOMER },
    ]
}

pub(crate) struct Tree {
    tenants: Vec<Tenant>,
}

impl Tree {
    pub(crate) fn new() -> Self {
        let own = Uuid::parse_str(ACRONIS_TENANT_ID).unwrap_or_default();
        let tenants = seeds().into_iter().zip(0i64..).map(|(seed, place)| Tenant {
            id: if seed.parent.is_none() { own } else { id(&format!("acronis/tenant/{}", seed.name)) },
            numeric_id: 7_300_018 + place * 131,
            parent: seed.parent,
            kind: seed.kind,
            name: seed.name,
            customer_id: seed.customer_id,
            trial: seed.trial,
            lines: seed.lines,
        });
        Self { tenants: tenants.collect() }
    }

    /// The partner first.
    pub(crate) fn tenants(&self) -> &[Tenant] {
        &self.tenants
    }

    pub(crate) fn find(&self, id: Uuid) -> Option<usize> {
        self.tenants.iter().position(|tenant| tenant.id == id)
    }

    /// Position of the vendor's own tenant, above the partner.
    pub(crate) fn root_id() -> Uuid {
        Uuid::parse_str(VENDOR).unwrap_or_default()
    }

    pub(crate) fn children(&self, place: usize) -> impl Iterator<Item = usize> {
        (0..self.tenants.len())
            .filter(move |child| self.tenants.get(*child).is_some_and(|tenant| tenant.parent == Some(place)))
    }

    /// Ancestors within the tree, the nearest first.
    pub(crate) fn ancestors(&self, place: usize) -> impl Iterator<Item = usize> {
        let parent = |place: usize| self.tenants.get(place).and_then(|tenant| tenant.parent);
        std::iter::successors(parent(place), move |place| parent(*place))
    }

    /// All below a tenant, without itself.
    pub(crate) fn descendants(&self, place: usize) -> impl Iterator<Item = usize> {
        (0..self.tenants.len()).filter(move |other| self.ancestors(*other).any(|ancestor| ancestor == place))
    }

    /// What a tenant and all below it used in a span, one sum for each item and component.
    pub(crate) fn usage(&self, place: usize, span: Span) -> Vec<Usage> {
        let mut sums: Vec<Usage> = Vec::new();
        for (tenant, at) in self.tenants.iter().zip(0usize..) {
            if at != place && !self.ancestors(at).any(|ancestor| ancestor == place) {
                continue;
            }
            for (line, number) in tenant.lines.iter().zip(0u64..) {
                let absolute = line.flow.absolute(&[at as u64, number], span.last);
                let delta = line.flow.delta(&[at as u64, number], span);
                let known = sums.iter().position(|sum| sum.item == line.item && sum.infra == line.infra);
                let place_of_sum = known.unwrap_or_else(|| {
                    sums.push(Usage {
                        item: line.item,
                        infra: line.infra,
                        quota: None,
                        production: [0; 2],
                        trial: [0; 2],
                    });
                    sums.len() - 1
                });
                if let Some(sum) = sums.get_mut(place_of_sum) {
                    if at == place {
                        sum.quota = line.quota;
                    }
                    let side = if line.trial { &mut sum.trial } else { &mut sum.production };
                    side[0] += absolute;
                    side[1] += delta;
                }
            }
        }
        sums
    }
}

/// Days, the first and the last included.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
    /// The day from whose end on levels are said to change.
    pub(crate) since: NaiveDate,
}

/// Usage of one item on one component.
pub(crate) struct Usage {
    pub(crate) item: &'static Item,
    pub(crate) infra: Option<&'static Infra>,
    pub(crate) quota: Option<i64>,
    /// Absolute and delta.
    pub(crate) production: [i64; 2],
    pub(crate) trial: [i64; 2],
}

impl Usage {
    pub(crate) fn is_zero(&self) -> bool {
        self.production == [0; 2] && self.trial == [0; 2]
    }
}

impl Flow {
    /// Level at the end of a day; of what is added up, all there was up to then.
    fn absolute(self, place: &[u64; 2], day: NaiveDate) -> i64 {
        let number = day_number(day);
        if number < 0 {
            return 0;
        }
        match self {
            Self::Level { base, a_day, wobble } => {
                (base + a_day * number + chance(&[51, place[0], place[1], day_key(day)], wobble)).max(0)
            }
            Self::Pieces(about) => (about + (number / 30 + about) % 4 - 1).max(0),
            // Not a sum over ten years of days, but as monotonous.
            Self::Range(average) => i64::try_from(average).unwrap_or_default().saturating_mul(number + 1),
            Self::Idle => 0,
        }
    }

    /// Change of a level, or the sum over all days of the span.
    fn delta(self, place: &[u64; 2], span: Span) -> i64 {
        match self {
            Self::Range(average) => days(span.first, span.last)
                .filter(|day| day_number(*day) >= 0)
                .map(|day| {
                    i64::try_from(average / 2).unwrap_or_default()
                        + chance(&[52, place[0], place[1], day_key(day)], average + average % 2)
                })
                .sum(),
            _ => self.absolute(place, span.last) - self.absolute(place, span.since),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{days_before, months_after};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn usage(name: &str, month: &str) -> Vec<Usage> {
        let tree = Tree::new();
        let place = tree.tenants().iter().position(|tenant| tenant.name == name).unwrap();
        let first = day(&format!("{month}-01"));
        tree.usage(place, Span { first, last: days_before(months_after(first, 1), 1), since: first })
    }

    #[test]
    fn every_month_has_the_awkward_rows() {
        let tree = Tree::new();
        assert!(tree.children(0).count() >= 4);
        for month in ["2025-02", "2026-10", "2028-12"] {
            let alder = usage("Alder Dental Group", month);
            assert_eq!(alder.iter().filter(|row| row.item.name == "pw_base_storage").count(), 2);
            let kestrel = usage("Kestrel & Sons, \"Harbour\" Ltd.", month);
            assert!(kestrel.iter().any(|row| row.item.is_range && row.production[1] > 0));
            assert!(kestrel.iter().any(Usage::is_zero));
            assert!(usage("株式会社さくら", month).iter().all(|row| row.production == [0; 2] && row.trial[0] > 0));
            assert!(usage("Birch Logistics, Inc.", month).iter().any(|row| row.production[1] < 0));
        }
    }

    #[test]
    fn a_partner_has_the_sum_of_those_below() {
        let storage = |name: &str| -> i64 {
            let rows = usage(name, "2026-10");
            rows.iter()
                .filter(|row| row.item.name == "pg_base_storage")
                .map(|row| row.production[0] + row.trial[0])
                .sum()
        };
        assert_eq!(storage("Cedar MSP"), storage("Dune Bakery") + storage("Elm & Ødegård AS"));
        assert_eq!(usage("Cedar MSP", "2026-10").iter().filter(|row| row.item.name == "pg_base_storage").count(), 1);
    }

    #[test]
    fn what_is_added_up_adds_up_over_parts_of_a_period() {
        let flow = Flow::Range(35_400);
        let sum = |first, last| flow.delta(&[1, 2], Span { first: day(first), last: day(last), since: day(first) });
        assert_eq!(sum("2026-10-01", "2026-10-31"), sum("2026-10-01", "2026-10-15") + sum("2026-10-16", "2026-10-31"));
    }

    #[test]
    fn nothing_was_used_before_the_epoch() {
        let span = Span { first: day("2014-01-01"), last: day("2014-12-31"), since: day("2014-01-01") };
        assert!(Tree::new().usage(0, span).iter().all(Usage::is_zero));
    }
}
