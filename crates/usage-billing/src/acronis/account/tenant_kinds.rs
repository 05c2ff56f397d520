//! Decides which tenants of a report count, so that nothing counts twice. It is pure; `tenants.rs` reads the data that the report lacks.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use usage_billing_core::{Error, ErrorKind, Result, printable};
use uuid::Uuid;

use crate::acronis::types;

/// The kind of tenants that buy for themselves.
const CUSTOMER: &str = "customer";
/// Kinds whose usage contains that of tenants below them, or is a part of a customer's.
const OTHERS: [&str; 4] = ["root", "partner", "folder", "unit"];

/// The kinds that the rows of a report state.
#[derive(Debug)]
pub(crate) struct TenantKinds {
    level: types::ReportLevel,
    /// The tenant of the report.
    account: String,
    /// Whether the report lists tenants beside others whose usage contains theirs, so that only customers count.
    counts_customers_only: bool,
    stated: HashMap<Arc<str>, Arc<str>>,
}

/// The decision whether the rows of a tenant count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inclusion {
    /// They count; the kind is empty if unknown.
    Included(Arc<str>),
    Excluded,
    /// The tenant may be a partner whose usage contains that of others in the report: its kind is unknown, or no source names it.
    Unknown,
}

impl TenantKinds {
    /// Creates the kinds of a report.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a level whose tenants contain each other and that has no customers.
    pub(crate) fn new(report: &types::ReportParameters) -> Result<Self> {
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

    /// Returns whether the kinds that rows state decide anything.
    pub(crate) fn are_needed(&self) -> bool {
        self.counts_customers_only
    }

    /// Keeps the kind that a row states, for other rows of the tenant that lack it. Returns whether it is the first of the tenant.
    pub(crate) fn add(&mut self, tenant: Arc<str>, kind: Arc<str>) -> bool {
        self.stated.insert(tenant, kind).is_none()
    }

    /// Returns whether a row with this kind does not count.
    pub(crate) fn excludes(&self, kind: &str) -> bool {
        self.counts_customers_only && OTHERS.iter().any(|other| kind.trim().eq_ignore_ascii_case(other))
    }

    /// Returns the tenants whose kind decides whether they count, and is not stated by any row.
    pub(crate) fn to_look_up<'a>(&self, tenants: impl IntoIterator<Item = &'a str>) -> BTreeSet<Uuid> {
        let is_open =
            |tenant: &&str| self.counts_customers_only && *tenant != self.account && !self.stated.contains_key(*tenant);
        tenants.into_iter().filter(is_open).filter_map(|tenant| tenant.parse().ok()).collect()
    }

    /// Decides about a tenant once all rows were added. `kind` is from the tenant's row, `read` from other operations.
    pub(crate) fn inclusion(&self, tenant: &str, kind: &Arc<str>, read: &HashMap<Uuid, Arc<str>>) -> Inclusion {
        let in_report = || self.stated.get(tenant);
        let elsewhere = || read.get(&tenant.parse().ok()?);
        let known = Some(kind).filter(|kind| !kind.is_empty()).or_else(in_report).or_else(elsewhere);
        match known {
            _ if !self.counts_customers_only => Inclusion::Included(kind.clone()),
            Some(known) if self.excludes(known) => Inclusion::Excluded,
            Some(known) if known.trim().eq_ignore_ascii_case(CUSTOMER) => Inclusion::Included(known.clone()),
            // The own row is a total, or the only row.
            _ if tenant == self.account => Inclusion::Included(kind.clone()),
            _ => Inclusion::Unknown,
        }
    }

    /// Rejects a report whose rows are all excluded, which is not an empty bill.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] if only customers count, and there are tenants of other kinds.
    pub(crate) fn require_customers(&self, read: &HashMap<Uuid, Arc<str>>) -> Result<()> {
        if self.stated.values().chain(read.values()).all(|kind| !self.excludes(kind)) {
            return Ok(());
        }
        let message = format!(
            "a report of the level {} counts customers, and this one has none; request another level",
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
        TenantKinds::new(&types::ReportParameters { level, tenant_id: ACCOUNT, ..summary().report }).unwrap()
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
    fn only_customers_count_in_levels_with_partners() {
        for level in [types::ReportLevel::AllCustomers, types::ReportLevel::Accounts] {
            let mut kinds = kinds(level);
            assert!(kinds.are_needed());
            kinds.add(OTHER.to_string().into(), "partner".into());
            let none = HashMap::new();
            for (tenant, kind, expected) in [
                (ONE, "customer", counts("customer")),
                (ONE, "partner", Inclusion::Excluded),
                (ONE, "unit", Inclusion::Excluded),
                (ONE, "Customer", counts("Customer")),
                (ONE, " CUSTOMER ", counts(" CUSTOMER ")),
                (ONE, "Partner", Inclusion::Excluded),
                (ONE, "FOLDER", Inclusion::Excluded),
                (ONE, "root", Inclusion::Excluded),
                (ONE, "client", Inclusion::Unknown),
                (ACCOUNT, "client", counts("client")),
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
    fn report_without_customers_is_an_error() {
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
