//! The size of a dataset.

use std::ops::RangeInclusive;

/// Numbers of customers and of usage in the dataset of a sandbox; see [`SandboxBuilder::size`](crate::SandboxBuilder::size).
///
/// With the smallest numbers, all awkward cases still occur: names with commas, quotes and non-Latin letters, trials, shrinking storage,
/// rejected usage. The start fails for numbers out of range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    pub(crate) tenants: u32,
    pub(crate) organizations: u32,
    pub(crate) entitlements: u32,
    pub(crate) record_groups: u32,
    pub(crate) months: u32,
}

impl Default for Size {
    fn default() -> Self {
        Self { tenants: 13, organizations: 3, entitlements: 5, record_groups: 2_745, months: 2 }
    }
}

impl Size {
    /// Sets the tenants of the Acronis partner, with itself: 13 (the default) to 10,000.
    pub fn tenants(mut self, tenants: u32) -> Self {
        self.tenants = tenants;
        self
    }

    /// Sets the customer organizations of the Genesys Cloud partner: 3 (the default) to 1,000.
    pub fn organizations(mut self, organizations: u32) -> Self {
        self.organizations = organizations;
        self
    }

    /// Sets the entitlements of the Suger organization: 5 (the default) to 1,000. Two of them have the same buyer.
    pub fn entitlements(mut self, entitlements: u32) -> Self {
        self.entitlements = entitlements;
        self
    }

    /// Sets the exact number of usage record groups of the Suger organization at the start: 0 to 1,000,000; 2,745 by default. They are
    /// computed on demand, so that a million needs no more memory than a few.
    pub fn record_groups(mut self, record_groups: u32) -> Self {
        self.record_groups = record_groups;
        self
    }

    /// Sets the months of 732 hours before the start over which the usage record groups are spread: 1 to 36; 2 by default.
    pub fn months(mut self, months: u32) -> Self {
        self.months = months;
        self
    }

    /// Rejects numbers out of range.
    pub(crate) fn check(&self) -> Result<(), String> {
        let ranges: [(&str, u32, RangeInclusive<u32>); 5] = [
            ("tenants", self.tenants, 13..=10_000),
            ("organizations", self.organizations, 3..=1_000),
            ("entitlements", self.entitlements, 5..=1_000),
            ("record groups", self.record_groups, 0..=1_000_000),
            ("months", self.months, 1..=36),
        ];
        match ranges.iter().find(|(_, number, range)| !range.contains(number)) {
            None => Ok(()),
            Some((what, number, range)) => {
                Err(format!("the number of {what} is {number}, but must be from {} to {}", range.start(), range.end()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_out_of_range_is_named() {
        assert_eq!(Size::default().check(), Ok(()));
        assert_eq!(Size::default().record_groups(1_000_000).months(36).check(), Ok(()));
        assert_eq!(
            Size::default().months(0).check().unwrap_err(),
            "the number of months is 0, but must be from 1 to 36"
        );
        assert!(Size::default().tenants(12).check().unwrap_err().contains("tenants"));
    }
}
