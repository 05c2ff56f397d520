//! Who hosts the storage of a row.

use std::collections::HashSet;

use super::ReportRow;
use crate::StorageHost;

/// Who hosts a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Host {
    /// The row is not of one component.
    NoComponent,
    Vendor,
    Partner,
    Unknown,
}

impl Host {
    pub(super) fn column(self) -> Option<StorageHost> {
        match self {
            Self::Vendor => Some(StorageHost::Vendor),
            Self::Partner => Some(StorageHost::Partner),
            Self::NoComponent | Self::Unknown => None,
        }
    }
}

/// What a row states of its component. The backend alone does not tell whose it is: the vendor's own example of `GET /infra` has a component
/// of the partner's with the backend `acronis`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Component {
    Absent,
    WithoutOwner,
    Owned { owner: String, has_backend: bool },
}

impl Component {
    pub(super) fn of(row: &ReportRow) -> Self {
        match (&row.infra_owner_id, &row.infra_id, &row.infra_backend) {
            (Some(owner), _, backend) => Self::Owned { owner: owner.clone(), has_backend: backend.is_some() },
            (None, None, None) => Self::Absent,
            _ => Self::WithoutOwner,
        }
    }
}

/// The owners in a report, and who they are.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// The tenant that was reported on, and those below it.
    below: HashSet<String>,
    /// Owners of components with a backend.
    with_backend: HashSet<String>,
}

impl Owners {
    pub(super) fn new(account: String) -> Self {
        Self { below: HashSet::from([account]), ..Self::default() }
    }

    pub(super) fn add(&mut self, row: &ReportRow) {
        if !self.below.contains(&row.tenant_id) {
            self.below.insert(row.tenant_id.clone());
        }
        if let (Some(owner), Some(_)) = (&row.infra_owner_id, &row.infra_backend)
            && !self.with_backend.contains(owner)
        {
            self.with_backend.insert(owner.clone());
        }
    }

    /// Once all rows were added.
    pub(super) fn host(&self, component: &Component) -> Host {
        match component {
            Component::Absent => Host::NoComponent,
            Component::WithoutOwner => Host::Unknown,
            Component::Owned { owner, .. } if self.below.contains(owner) => Host::Partner,
            Component::Owned { owner, has_backend } => {
                let is_vendor = *has_backend || self.with_backend.contains(owner);
                // Where the report names backends, one without may be of a tenant that is not in the report.
                let names_backends = self.with_backend.iter().any(|owner| !self.below.contains(owner));
                if is_vendor || !names_backends { Host::Vendor } else { Host::Unknown }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::aggregate::tests::row;
    use super::*;

    fn at(owner: Option<&str>, backend: Option<&str>) -> ReportRow {
        ReportRow {
            infra_id: Some("i".to_owned()),
            infra_owner_id: owner.map(str::to_owned),
            infra_backend: backend.map(str::to_owned),
            ..row("customer", "pw_base_storage", Some("bytes"))
        }
    }

    fn hosts(rows: &[ReportRow]) -> Vec<Host> {
        let mut owners = Owners::new("t-0".to_owned());
        rows.iter().for_each(|row| owners.add(row));
        rows.iter().map(|row| owners.host(&Component::of(row))).collect()
    }

    #[test]
    fn the_owner_decides_and_not_the_backend() {
        let own = at(Some("t-0"), Some("acronis"));
        let childs = at(Some("t-1"), Some("acronis"));
        let vendors = at(Some("v"), Some("google"));
        assert_eq!(hosts(&[own, childs, vendors]), [Host::Partner, Host::Partner, Host::Vendor]);
    }

    #[test]
    fn an_owner_without_a_backend_is_unknown_only_where_others_have_one() {
        let (vendors, same, other) = (at(Some("v"), Some("acronis")), at(Some("v"), None), at(Some("x"), None));
        assert_eq!(hosts(&[other.clone(), vendors, same]), [Host::Unknown, Host::Vendor, Host::Vendor]);
        assert_eq!(hosts(std::slice::from_ref(&other)), [Host::Vendor]);
        assert_eq!(hosts(&[other, at(Some("t-0"), Some("acronis"))]), [Host::Vendor, Host::Partner]);
    }

    #[test]
    fn a_component_without_an_owner_is_unknown() {
        let absent = ReportRow { infra_id: None, ..at(None, None) };
        assert_eq!(
            hosts(&[at(None, None), at(None, Some("acronis")), absent]),
            [Host::Unknown, Host::Unknown, Host::NoComponent]
        );
    }
}
