//! Genesys Cloud: the partner's own organization (billable usage, licences, API requests), and its customers with their
//! contracts and bills.

mod api;
mod billable;
mod contracts;
mod customers;
mod invoices;
mod licences;

pub(crate) use api::{ApiClient, PATHS, Requests, clients, oauth_clients, organization_id, requests};
pub(crate) use billable::billable_usages;
pub(crate) use contracts::{contract, contracts, period};
pub(crate) use customers::{Calendar, customers, overview};
pub(crate) use invoices::{Invoice, invoice, invoices};
pub(crate) use licences::{licence, licences, users};

use super::chance;

/// Months that usage reaches back.
const HISTORY: u32 = 36;

/// Half to one and a half of the average.
fn about(place: &[u64], average: u64) -> i64 {
    i64::try_from(average / 2).unwrap_or_default() + chance(place, average)
}
