//! Licences that users currently hold.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use usage_billing_core::Result;

use super::{Client, Organization, types};
use crate::memory_limit::MemoryLimit;
use crate::rows::identity::RowIdentity;
use crate::{BillingReason, Pager, Period, UsageRow, Vendor};

const OPERATION: &str = "getLicenseUsers";

/// Users on a page. The vendor documents no maximum; its other numbered lists accept 100.
const PAGE: i32 = 100;

impl Client {
    /// Lists all users with the ids of the licences that they hold.
    pub fn licence_holders(&self) -> Pager<types::UserLicenses> {
        self.api.get_license_users().page_size(PAGE).stream()
    }

    /// Returns the number of users that hold each licence today (UTC), as rows. Not billable: the bill counts the users that log in, see
    /// [`billable_usage`](Self::billable_usage).
    ///
    /// # Errors
    /// Errors of the calls; [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the list of users takes more memory than
    /// [`with_max_usage_bytes`](Self::with_max_usage_bytes) allows.
    pub async fn licences(&self) -> Result<Vec<UsageRow>> {
        // Before the responses, whose data is of this time or later.
        let now = self.clock.now();
        let account = self.organization().await?;
        let mut memory = MemoryLimit::new(self.max_usage_bytes);
        let holders = memory.collect(self.licence_holders(), 0, "the list of licence holders").await?;
        licence_rows(&holders, &account, now)
    }
}

/// Returns the number of `holders` of each licence, as rows of the day of `now` (UTC). A user who is listed repeatedly counts once.
///
/// # Errors
/// [`ErrorKind::Request`](crate::ErrorKind::Request) for a day that no period can contain.
pub fn licence_rows(
    holders: &[types::UserLicenses],
    account: &Organization,
    now: DateTime<Utc>,
) -> Result<Vec<UsageRow>> {
    let today = now.date_naive();
    let period = Period::of_days(today, today)?;
    // Users are added and removed while pages are read: one may be repeated on the next page.
    let users: BTreeMap<_, _> =
        holders.iter().enumerate().map(|(position, user)| (user.id.as_deref().ok_or(position), user)).collect();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for user in users.values() {
        let held: std::collections::BTreeSet<_> = user.licenses.iter().map(String::as_str).collect();
        held.into_iter().for_each(|licence| *counts.entry(licence).or_default() += 1);
    }
    let row = |(licence, count): (&str, u64)| {
        let identity = RowIdentity {
            sku: licence,
            metric: "users with the licence",
            unit: "users",
            ..RowIdentity::new(Vendor::Genesys, OPERATION, &account.id, period)
        };
        UsageRow {
            account_name: account.name.clone(),
            as_of: Some(now),
            ..identity.row(count.into(), BillingReason::NotABillingBasis)
        }
    };
    Ok(counts.into_iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_counts_once_for_each_licence() {
        let holders = serde_json::json!([
            {"id": "u-1", "licenses": ["cloudCX2", "gc2WEMupgrade", "cloudCX2"]},
            {"id": "u-2", "licenses": ["cloudCX2"]},
            {"id": "u-1", "licenses": ["cloudCX2", "gc2WEMupgrade"]},
            {"id": "u-3", "licenses": []},
            {"licenses": ["cloudCX2"]},
            {"licenses": ["cloudCX2"]},
        ]);
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let account = Organization::new("org-1", Some("Northwind".to_owned()));
        let rows = licence_rows(&serde_json::from_value::<Vec<_>>(holders).unwrap(), &account, now).unwrap();
        let accounts: Vec<_> =
            rows.iter().map(|row| (row.account_id.as_str(), row.account_name.as_deref(), row.as_of)).collect();
        assert_eq!(accounts, [("org-1", Some("Northwind"), Some(now)); 2]);
        let read: Vec<_> = rows.iter().map(|row| (row.sku.as_str(), row.quantity.to_string())).collect();
        assert_eq!(read, [("cloudCX2", "4".to_owned()), ("gc2WEMupgrade", "1".to_owned())]);
        assert!(rows.iter().all(|row| row.is_billable == Some(false)
            && !row.is_final
            && row.period_end - row.period_start == chrono::TimeDelta::days(1)));
    }
}
