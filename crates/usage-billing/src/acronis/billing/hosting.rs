//! Decides who hosts the storage of a row. It is pure; `account/infrastructure.rs` reads its data.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use crate::StorageHost;
use crate::acronis::ReportRow;
use crate::memory_limit::{SLOT, text_bytes};

/// The host of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    /// The row does not belong to one component.
    NoComponent,
    Vendor,
    Partner,
    Unknown,
}

impl Host {
    pub(crate) fn column(self) -> Option<StorageHost> {
        match self {
            Self::Vendor => Some(StorageHost::Vendor),
            Self::Partner => Some(StorageHost::Partner),
            Self::Unknown => Some(StorageHost::Unknown),
            Self::NoComponent => None,
        }
    }
}

/// The component of a row, as the row states it. The backend does not identify the owner: the vendor's example of `GET /infra` has a component of
/// a partner with the backend `acronis`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Component {
    id: Option<Arc<str>>,
    owner: Option<Arc<str>>,
}

impl Component {
    /// Creates a component; `None` if the row does not belong to one component.
    pub(crate) fn new(id: Option<Arc<str>>, owner: Option<Arc<str>>, has_backend: bool) -> Option<Self> {
        (id.is_some() || owner.is_some() || has_backend).then_some(Self { id, owner })
    }

    /// Returns the id, if it is one that can be looked up.
    pub(crate) fn id(&self) -> Option<Uuid> {
        self.id.as_deref()?.parse().ok()
    }
}

/// The ownership of a component, as `GET /infra` states it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatedOwner {
    pub(crate) platform_owned: Option<bool>,
    pub(crate) owner: Option<Uuid>,
}

/// Components and their owners, as the vendor states them; empty if they cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Ownership {
    pub(crate) components: HashMap<Uuid, StatedOwner>,
    /// Owners that are tenants below the account.
    pub(crate) below: HashSet<Uuid>,
}

impl Ownership {
    fn stated(&self, component: &Component) -> StatedOwner {
        component.id().and_then(|id| self.components.get(&id)).copied().unwrap_or_default()
    }
}

/// The vendor's own tenant: the guide's example of locations has it as the owner of "Acronis Cloud", with `platform_owned: true` ("Fetching
/// locations", seen 2026-11-29). Other data centres may have another.
const VENDOR: Uuid = Uuid::from_u128(0x8bee_f6be_c136_4ef6_a900_0e74_c703_ddcc);

/// The tenant of the report, and the tenants in the report, which are below it.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    below: HashSet<String>,
}

impl Owners {
    pub(crate) fn new(account: String) -> Self {
        Self { below: HashSet::from([account]) }
    }

    /// Adds the tenant of a row, and returns the number of bytes kept.
    pub(crate) fn add(&mut self, row: &ReportRow) -> usize {
        if self.below.contains(&row.tenant_id) {
            return 0;
        }
        self.below.insert(row.tenant_id.clone());
        text_bytes(&row.tenant_id) + SLOT
    }

    /// Returns the owners to look up: those of components that the vendor does not state to be its own or not, except owners that the report has
    /// below the account.
    pub(crate) fn to_look_up<'a>(
        &self,
        components: impl IntoIterator<Item = &'a Component>,
        ownership: &Ownership,
    ) -> BTreeSet<Uuid> {
        let open = components.into_iter().filter_map(|component| {
            let stated = ownership.stated(component);
            let in_report = || component.owner.as_deref().and_then(|owner| owner.parse().ok());
            stated.platform_owned.is_none().then(|| stated.owner.or_else(in_report))?
        });
        open.filter(|owner| !self.below.contains(&owner.to_string())).collect()
    }

    /// Decides the host once all rows were added. The vendor's statement takes precedence over the owner. An owner that is neither the vendor nor
    /// known to be below the account may be either, or above it.
    pub(crate) fn host(&self, component: Option<&Component>, ownership: &Ownership) -> Host {
        let Some(component) = component else { return Host::NoComponent };
        let stated = ownership.stated(component);
        let owner = stated.owner.map(|owner| owner.to_string().into()).or_else(|| component.owner.clone());
        match (stated.platform_owned, owner) {
            (Some(true), _) => Host::Vendor,
            (Some(false), _) => Host::Partner,
            (None, Some(owner)) if self.is_below(&owner, ownership) => Host::Partner,
            (None, Some(owner)) if owner.parse() == Ok(VENDOR) => Host::Vendor,
            (None, _) => Host::Unknown,
        }
    }

    fn is_below(&self, owner: &str, ownership: &Ownership) -> bool {
        self.below.contains(owner) || owner.parse().is_ok_and(|owner: Uuid| ownership.below.contains(&owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acronis::usage::aggregator::tests::row;

    const ID: Uuid = Uuid::from_u128(7);
    const CHILD: Uuid = Uuid::from_u128(8);
    const OTHER: Uuid = Uuid::from_u128(9);

    fn at(owner: Option<&str>, backend: Option<&str>) -> ReportRow {
        ReportRow {
            infra_id: Some(ID.to_string()),
            infra_owner_id: owner.map(str::to_owned),
            infra_backend: backend.map(str::to_owned),
            ..row("customer", "pw_base_storage", Some("bytes"))
        }
    }

    fn component(row: &ReportRow) -> Option<Component> {
        let shared = |id: &Option<String>| id.as_deref().map(Arc::from);
        Component::new(shared(&row.infra_id), shared(&row.infra_owner_id), row.infra_backend.is_some())
    }

    fn hosts_given(rows: &[ReportRow], ownership: &Ownership) -> Vec<Host> {
        let mut owners = Owners::new("t-0".to_owned());
        let kept: Vec<_> = rows.iter().map(|row| owners.add(row)).collect();
        assert!(kept[0] > 0 && rows.iter().all(|row| owners.add(row) == 0), "each once: {kept:?}");
        rows.iter().map(|row| owners.host(component(row).as_ref(), ownership)).collect()
    }

    fn hosts(rows: &[ReportRow]) -> Vec<Host> {
        hosts_given(rows, &Ownership::default())
    }

    fn stated(platform_owned: Option<bool>, owner: Option<Uuid>, below: &[Uuid]) -> Ownership {
        let components = HashMap::from([(ID, StatedOwner { platform_owned, owner })]);
        Ownership { components, below: below.iter().copied().collect() }
    }

    #[test]
    fn size_of_ids_is_counted_once() {
        let mut owners = Owners::new("t-0".to_owned());
        assert_eq!(owners.add(&at(None, None)), text_bytes("t-1") + SLOT);
        assert_eq!(owners.add(&at(Some("x"), Some("acronis"))), 0, "the same tenant");
    }

    #[test]
    fn the_owner_decides_and_not_the_backend() {
        let vendor = VENDOR.to_string();
        for backend in [None, Some("acronis"), Some("google")] {
            let rows = ["t-0", "t-1", &vendor, &vendor.to_uppercase()].map(|owner| at(Some(owner), backend));
            assert_eq!(hosts(&rows), [Host::Partner, Host::Partner, Host::Vendor, Host::Vendor], "{backend:?}");
        }
    }

    #[test]
    fn owner_that_no_source_identifies_is_unknown() {
        let (vendor, other, above) = (VENDOR.to_string(), CHILD.to_string(), OTHER.to_string());
        for backend in [None, Some("acronis"), Some("google")] {
            let rows = [vendor.as_str(), &other, &above, "x"].map(|owner| at(Some(owner), backend));
            assert_eq!(hosts(&rows), [Host::Vendor, Host::Unknown, Host::Unknown, Host::Unknown], "{backend:?}");
            assert_eq!(hosts(&rows[1..2]), [Host::Unknown], "{backend:?}");
        }
    }

    #[test]
    fn a_component_without_an_owner_is_unknown() {
        let absent = ReportRow { infra_id: None, ..at(None, None) };
        assert_eq!(
            hosts(&[at(None, None), at(None, Some("acronis")), absent]),
            [Host::Unknown, Host::Unknown, Host::NoComponent]
        );
    }

    #[test]
    fn the_vendors_statement_outranks_the_report() {
        let rows = [at(None, None), at(Some("t-0"), Some("acronis")), at(Some("v"), Some("acronis"))];
        for (platform_owned, host) in [(true, Host::Vendor), (false, Host::Partner)] {
            let ownership = stated(Some(platform_owned), Some(OTHER), &[]);
            assert_eq!(hosts_given(&rows, &ownership), [host; 3], "{platform_owned}");
        }
    }

    #[test]
    fn owner_below_the_account_decides_without_a_statement() {
        let unnamed = at(None, None);
        let named = at(Some(&CHILD.to_string()), Some("acronis"));
        for (ownership, row, host) in [
            (stated(None, Some(CHILD), &[CHILD]), &unnamed, Host::Partner),
            (stated(None, Some(OTHER), &[CHILD]), &unnamed, Host::Unknown),
            (stated(None, None, &[]), &unnamed, Host::Unknown),
            (stated(None, Some(VENDOR), &[]), &unnamed, Host::Vendor),
            // The vendor's statement of the owner outranks the report's.
            (stated(None, Some(OTHER), &[CHILD]), &named, Host::Unknown),
            (Ownership { below: HashSet::from([CHILD]), ..Ownership::default() }, &named, Host::Partner),
            (Ownership::default(), &named, Host::Unknown),
        ] {
            assert_eq!(hosts_given(std::slice::from_ref(row), &ownership), [host], "{ownership:?}");
        }
    }

    #[test]
    fn only_owners_that_decide_something_are_looked_up() {
        let mut owners = Owners::new(OTHER.to_string());
        let rows = [at(Some(&CHILD.to_string()), None), at(Some(&OTHER.to_string()), None), at(Some("v"), None)];
        rows.iter().for_each(|row| _ = owners.add(row));
        let components: Vec<_> = rows.iter().filter_map(component).collect();
        let looked_up = |ownership| owners.to_look_up(&components, &ownership);
        assert_eq!(looked_up(Ownership::default()), [CHILD].into());
        assert_eq!(looked_up(stated(None, Some(ID), &[])), [ID].into());
        assert_eq!(looked_up(stated(Some(true), Some(CHILD), &[])), [].into());
    }
}
