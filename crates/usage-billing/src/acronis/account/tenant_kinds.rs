//! Which tenants of a report count, so that nothing counts twice: a pure decision. What it needs beside the report is read in `tenants.rs`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use usage_billing_core::{Error, ErrorKind, Result, printable};
use uuid::Uuid;

use crate::acronis::types;

/// The kind of tenants that buy for themselves. The usage of all others contains that of those below them, or is a part of a customer's.
const CUSTOMER: &str = "customer";

/// The kinds that the rows of a report state.
#[derive(Debug)]
pub(crate) struct TenantKinds {
    level: types::ReportLevel,
    /// The tenant that was reported on.
    account: String,
    /// Whether tenants stand beside those that their usage contains, so that customers alone count.
    counts_customers_only: bool,
    stated: HashMap<Arc<str>, Arc<str>>,
}

/// Whether the rows of a tenant count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inclusion {
    /// With its kind, if it is known.
    Included(Arc<str>),
    Excluded,
    /// It may be a partner that contains others of the report.
    Unknown,
}

impl TenantKinds {
    /// # Errors
    /// [`ErrorKind::Request`] for a level whose tenants contain each other and that has no customers.
    pub(crate) fn of(report: &types::ReportParameters) -> Result<Self> {
        let counts_customers_only = match report.level {
            types::ReportLevel::Itself | types::ReportLevel::DirectPartners => false,
            types::ReportLevel::AllCustomers | types::ReportLevel::Accounts => true,
            _ => {
                let message = format!(
                    "a report of the level {} has partners and the partners below them: added up, usage would count twice; create one of \
                     direct_partners or all_customers",
                    printable(report.level.as_str())
                );
                return Err(Error::new(ErrorKind::Request, message));
            }
        };
        let account = report.tenant_id.to_string();
        Ok(Self { level: report.level.clone(), account, counts_customers_only, stated: HashMap::new() })
    }

    /// Whether the kinds that rows state have to be kept.
    pub(crate) fn are_needed(&self) -> bool {
        self.counts_customers_only
    }

    /// Keeps the kind that a row states, for other rows of the tenant that may lack it. Returns whether it is the first of the tenant.
    pub(crate) fn add(&mut self, tenant: Arc<str>, kind: Arc<str>) -> bool {
        self.stated.insert(tenant, kind).is_none()
    }

    /// Whether a row that states this kind does not count.
    pub(crate) fn excludes(&self, kind: &str) -> bool {
        self.counts_customers_only && kind != CUSTOMER
    }

    /// Of the tenants with rows, those whose kind no row states and decides whether they count.
    pub(crate) fn to_look_up<'a>(&self, tenants: impl IntoIterator<Item = &'a str>) -> BTreeSet<Uuid> {
        let is_open =
            |tenant: &&str| self.counts_customers_only && *tenant != self.account && !self.stated.contains_key(*tenant);
        tenants.into_iter().filter(is_open).filter_map(|tenant| tenant.parse().ok()).collect()
    }

    /// Once all rows were added; `kind` is that of the tenant's row, and `read` has what the vendor states elsewhere.
    pub(crate) fn inclusion(&self, tenant: &str, kind: &Arc<str>, read: &HashMap<Uuid, Arc<str>>) -> Inclusion {
        let in_report = || self.stated.get(tenant);
        let elsewhere = || read.get(&tenant.parse().ok()?);
        let known = Some(kind).filter(|kind| !kind.is_empty()).or_else(in_report).or_else(elsewhere);
        match known {
            _ if !self.counts_customers_only => Inclusion::Included(kind.clone()),
            Some(known) if self.excludes(known) => Inclusion::Excluded,
            Some(known) => Inclusion::Included(known.clone()),
            // It is compared with the others: a total, or all that there is.
            None if tenant == self.account => Inclusion::Included(kind.clone()),
            None => Inclusion::Unknown,
        }
    }

    /// A report of which all rows are left out is no empty bill.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] if only customers count, and there are tenants of other kinds.
    pub(crate) fn require_customers(&self, read: &HashMap<Uuid, Arc<str>>) -> Result<()> {
        if self.stated.values().chain(read.values()).all(|kind| !self.excludes(kind)) {
            return Ok(());
        }
        let message = format!(
            "a report of the level {} counts customers, and this one has none; ask for another level",
            printable(self.level.as_str())
        );
        Err(Error::new(ErrorKind::Request, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acronis::usage::aggregator::tests::summary;

    const ACCOUNT: Uuid = Uuid::from_u128(1);
    const ONE: Uuid = Uuid::from_u128(2);
    const OTHER: Uuid = Uuid::from_u128(3);

    fn kinds(level: types::ReportLevel) -> TenantKinds {
        TenantKinds::of(&types::ReportParameters { level, tenant_id: ACCOUNT, ..summary().report }).unwrap()
    }

    fn counts(kind: &str) -> Inclusion {
        Inclusion::Included(kind.into())
    }

    #[test]
    fn every_tenant_of_one_level_of_the_tree_counts() {
        for level in [types::ReportLevel::Itself, types::ReportLevel::DirectPartners] {
            let kinds = kinds(level);
            assert!(!kinds.are_needed() && kinds.to_look_up(["x", &ONE.to_string()]).is_empty());
            for kind in ["partner", "customer", ""] {
                let read = HashMap::from([(ONE, "partner".into())]);
                assert_eq!(kinds.inclusion(&ONE.to_string(), &kind.into(), &read), counts(kind));
            }
        }
    }

    #[test]
    fn of_levels_with_partners_and_their_customers_only_customers_count() {
        for level in [types::ReportLevel::AllCustomers, types::ReportLevel::Accounts] {
            let mut kinds = kinds(level);
            assert!(kinds.are_needed());
            kinds.add(OTHER.to_string().into(), "partner".into());
            let none = HashMap::new();
            for (tenant, kind, expected) in [
                (ONE, "customer", counts("customer")),
                (ONE, "partner", Inclusion::Excluded),
                (ONE, "unit", Inclusion::Excluded),
                (ONE, "", Inclusion::Unknown),
                (OTHER, "", Inclusion::Excluded),
                (OTHER, "customer", counts("customer")),
                (ACCOUNT, "", counts("")),
                (ACCOUNT, "partner", Inclusion::Excluded),
            ] {
                assert_eq!(kinds.inclusion(&tenant.to_string(), &kind.into(), &none), expected, "{tenant} {kind}");
            }
        }
    }

    #[test]
    fn a_report_of_others_than_customers_is_an_error() {
        let read = |kind: &str| HashMap::from([(ONE, Arc::from(kind))]);
        let mut kinds = kinds(types::ReportLevel::Accounts);
        assert!(kinds.require_customers(&HashMap::new()).is_ok() && kinds.require_customers(&read("customer")).is_ok());
        assert_eq!(kinds.require_customers(&read("partner")).unwrap_err().kind(), ErrorKind::Request);
        assert!(kinds.add("t-1".into(), "unit".into()) && !kinds.add("t-1".into(), "unit".into()));
        let error = kinds.require_customers(&HashMap::new()).unwrap_err();
        assert!(error.message().starts_with("a report of the level accounts counts customers, and this one has none"));
        let mut direct = self::kinds(types::ReportLevel::DirectPartners);
        direct.add("t-1".into(), "unit".into());
        assert!(direct.require_customers(&HashMap::new()).is_ok() && !direct.excludes("unit"));
    }

    #[test]
    fn a_kind_that_no_row_states_is_looked_up() {
        let mut kinds = kinds(types::ReportLevel::Accounts);
        kinds.add(OTHER.to_string().into(), "customer".into());
        let tenants = [ACCOUNT, ONE, OTHER].map(|id| id.to_string());
        assert_eq!(kinds.to_look_up(tenants.iter().map(String::as_str).chain(["t-1"])), [ONE].into());
        for (kind, expected) in [("customer", counts("customer")), ("folder", Inclusion::Excluded)] {
            let read = HashMap::from([(ONE, kind.into())]);
            assert_eq!(kinds.inclusion(&ONE.to_string(), &"".into(), &read), expected);
            assert_eq!(kinds.inclusion("t-1", &"".into(), &read), Inclusion::Unknown);
        }
    }
}
