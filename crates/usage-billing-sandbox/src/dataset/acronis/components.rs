//! The storage and recovery components, and their owners.

use uuid::Uuid;

use super::Tree;

/// A storage or recovery component.
#[derive(PartialEq, Eq)]
pub(crate) struct Infra {
    id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) backend: &'static str,
    owner: Owner,
    /// Whether reports describe it, and not only its id.
    pub(crate) is_described: bool,
}

/// The owner of a component.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Vendor,
    /// The tenant at this index.
    Tenant(usize),
}

/// The vendor's own tenant, which owns the components.
pub(super) const VENDOR: &str = "c95f2a08-47be-4d61-8230-1e6b9d7fa4c3";

impl Infra {
    pub(crate) fn id(&self) -> Uuid {
        uuid(self.id)
    }

    pub(crate) fn is_vendors(&self) -> bool {
        self.owner == Owner::Vendor
    }

    pub(crate) fn owner(&self, tree: &Tree) -> Uuid {
        match self.owner {
            Owner::Vendor => uuid(VENDOR),
            Owner::Tenant(index) => tree.get(index).map(|tenant| tenant.id).unwrap_or_default(),
        }
    }
}

/// Parses an id of the catalogue; all are valid, which a test checks.
pub(super) fn uuid(text: &str) -> Uuid {
    Uuid::parse_str(text).unwrap_or_default()
}

/// Defaults for components.
const HOSTED: Infra = Infra { id: "", name: "", backend: "acronis", owner: Owner::Vendor, is_described: true };
pub(super) static STORE_1: Infra =
    Infra { id: "3f6a1c58-2d7b-4e90-b1a3-c4d5e6f70819", name: "eu-west-storage-1", ..HOSTED };
pub(super) static STORE_2: Infra = Infra {
    id: "4a7b2d69-3e8c-4fa1-82b4-d5e6f708192a",
    name: "eu-west-storage-2, \"cold\"",
    backend: "google",
    ..HOSTED
};
/// Component that reports identify by its id only.
pub(super) static STORE_3: Infra =
    Infra { id: "5d3c9e7a-4f9d-40b2-93c5-e6f708192a3b", name: "eu-west-storage-3", is_described: false, ..HOSTED };
/// The partner's own component, with the same backend as the vendor's.
pub(super) static CELLAR: Infra =
    Infra { id: "6e1fa48b-50ae-41c3-a4d6-f708192a3b4c", name: "cellar", owner: Owner::Tenant(Tree::OWN), ..HOSTED };
/// Component of the partner below, which reports identify by its id only.
pub(super) static ATTIC: Infra = Infra {
    id: "7f20b59c-61bf-42d4-b5e7-08192a3b4c5d",
    name: "attic",
    owner: Owner::Tenant(Tree::BELOW),
    is_described: false,
    ..HOSTED
};
pub(super) static RECOVERY: Infra =
    Infra { id: "7d2e4f60-8a1b-4c3d-9e5f-60718293a4b5", name: "eu-west-dr-1", ..HOSTED };

pub(crate) static INFRA: [&Infra; 6] = [&STORE_1, &STORE_2, &STORE_3, &CELLAR, &ATTIC, &RECOVERY];
