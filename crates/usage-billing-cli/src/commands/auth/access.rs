//! What is known of the access of an account to operations: a pure function of the responses.

use std::collections::BTreeMap;

use serde::Serialize;
use usage_billing_core::Operation;

/// Whether an account may call an operation. Of several accounts, the first decides: one that may call it is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Access {
    Allowed,
    Unknown,
    Denied,
}

/// The access to one operation.
#[derive(Debug, Serialize)]
pub(super) struct OperationAccess {
    pub(super) operation: String,
    /// One of them is needed.
    pub(super) permissions: Vec<&'static str>,
    pub(super) access: Access,
    pub(super) reason: String,
}

/// Returns the access that the status of a response proves. Vendors check permissions before parameters and ids, except where they respond
/// with 404 to hide what exists.
pub(super) fn of_status(status: u16) -> Access {
    match status {
        200..300 | 409 => Access::Allowed,
        401 | 403 => Access::Denied,
        _ => Access::Unknown,
    }
}

/// Returns the access to every operation, from the responses to some of them.
///
/// An operation that was not called is allowed if one was that is granted by a subset of its permissions, because any of these suffices; it is
/// denied if one was denied that needs at least these.
pub(super) fn judge(operations: &[Operation], responses: &BTreeMap<&str, (Access, String)>) -> Vec<OperationAccess> {
    let known: Vec<_> = operations.iter().filter_map(|one| Some((one, responses.get(one.id)?))).collect();
    let access_to = |operation: &Operation| {
        if let Some((access, reason)) = responses.get(operation.id) {
            return (*access, reason.clone());
        }
        let is_subset = |part: &[&str], of: &[&str]| !part.is_empty() && part.iter().all(|one| of.contains(one));
        let proof = known.iter().find_map(|(other, (access, _))| match access {
            Access::Allowed if is_subset(other.permissions, operation.permissions) => Some((*access, other)),
            Access::Denied if is_subset(operation.permissions, other.permissions) => Some((*access, other)),
            _ => None,
        });
        match proof {
            Some((access, other)) => (access, format!("as {}", other.name)),
            None => (Access::Unknown, "not called".to_owned()),
        }
    };
    let of_operation = |operation: &Operation| {
        let (access, reason) = access_to(operation);
        OperationAccess {
            operation: operation.name.to_string(),
            permissions: operation.permissions.to_vec(),
            access,
            reason,
        }
    };
    operations.iter().map(of_operation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(id: &'static str) -> Operation {
        let mut operations = usage_billing_genesys::OPERATIONS.iter();
        operations.find(|operation| operation.id == id).unwrap().clone()
    }

    fn access_to(responses: &[(&'static str, Access)], id: &'static str) -> (Access, String) {
        let responses: BTreeMap<_, _> =
            responses.iter().map(|(id, access)| (*id, (*access, "called".to_owned()))).collect();
        let mut operations: Vec<_> = responses.keys().map(|id| operation(id)).collect();
        operations.push(operation(id));
        let last = judge(&operations, &responses).pop().unwrap();
        (last.access, last.reason)
    }

    #[test]
    fn access_to_uncalled_operation_follows_from_same_permissions() {
        // Needs billing:subscription:view; the overview needs one of :read and :view.
        let contracts = "get_billing_contracts";
        let usage = "get_billing_reports_billableusage";
        let contract = "get_billing_contract";
        assert_eq!(
            access_to(&[(contracts, Access::Allowed)], contract),
            (Access::Allowed, "as getBillingContracts".to_owned())
        );
        assert_eq!(access_to(&[(contracts, Access::Denied)], contract).0, Access::Denied);
        assert_eq!(access_to(&[(contracts, Access::Allowed)], usage).0, Access::Allowed);
        // The other permission may be granted.
        assert_eq!(access_to(&[(contracts, Access::Denied)], usage).0, Access::Unknown);
        assert_eq!(access_to(&[(usage, Access::Allowed)], contract).0, Access::Unknown);
        assert_eq!(access_to(&[(usage, Access::Denied)], contract).0, Access::Denied);
        assert_eq!(access_to(&[(contracts, Access::Allowed)], contracts), (Access::Allowed, "called".to_owned()));
        // Operations without permissions prove nothing.
        assert_eq!(access_to(&[("get_organizations_me", Access::Allowed)], "get_license_users").0, Access::Unknown);
    }

    #[test]
    fn status_proves_access_only_if_it_is_unambiguous() {
        for (status, access) in [
            (200, Access::Allowed),
            (409, Access::Allowed),
            (403, Access::Denied),
            (401, Access::Denied),
            (404, Access::Unknown),
            (400, Access::Unknown),
            (503, Access::Unknown),
        ] {
            assert_eq!(of_status(status), access, "{status}");
        }
    }
}
