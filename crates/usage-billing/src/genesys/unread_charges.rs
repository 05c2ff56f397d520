//! The organizations whose charges were not read, or not all of them.

use std::collections::BTreeSet;

/// Organizations that may have charges that were not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UnreadCharges {
    organizations: BTreeSet<String>,
    /// Whether a charge that was not read may be of any organization.
    are_of_any: bool,
}

impl UnreadCharges {
    /// Adds a charge or a contract of these organizations. Without organizations, or if one has no id, it may be of any.
    pub(super) fn add<'a>(&mut self, organizations: impl IntoIterator<Item = &'a str>) {
        let mut organizations = organizations.into_iter().peekable();
        self.are_of_any |= organizations.peek().is_none();
        for organization in organizations {
            self.are_of_any |= organization.is_empty();
            self.organizations.insert(organization.to_owned());
        }
    }

    /// Returns whether charges of the organization may not have been read.
    pub(super) fn may_be_of(&self, organization: &str) -> bool {
        self.are_of_any || self.organizations.contains(organization)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unread_charges_concern_their_organizations_or_any() {
        for (organizations, is_of_first, is_of_other) in [
            (&["o-1"][..], true, false),
            (&["o-2", "o-1"], true, false),
            (&["o-2"], false, false),
            (&["o-2", ""], true, true),
            (&[], true, true),
        ] {
            let mut unread = UnreadCharges::default();
            unread.add(organizations.iter().copied());
            assert_eq!(
                (unread.may_be_of("o-1"), unread.may_be_of("o-9")),
                (is_of_first, is_of_other),
                "{organizations:?}"
            );
        }
        assert!(!UnreadCharges::default().may_be_of("o-1"));
    }
}
