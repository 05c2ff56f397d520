//! Genesys Cloud: the partner's own organization (billable usage, licences, API requests), and its customers with their
//! contracts and bills.

mod api_requests;
mod billable_usage;
mod contract_terms;
mod contracts;
mod customers;
mod invoices;
mod licences;
mod overview;
mod periods;
mod special_customers;
mod trustors;

pub(crate) use api_requests::{ApiClient, PATHS, Requests, clients, oauth_clients, organization_id};
pub(crate) use invoices::Invoice;
pub(crate) use licences::{licence, licences};
pub(crate) use periods::Calendar;
pub(crate) use trustors::AmountDue;

use chrono::NaiveDate;

use self::customers::Customer;
use super::seed::Seed;
use super::size::Size;

/// Months of usage before today.
const HISTORY: u32 = 36;

pub(crate) struct Partner {
    seed: Seed,
    customers: Vec<Customer>,
}

impl Partner {
    pub(crate) fn new(seed: Seed, size: &Size, opened: NaiveDate) -> Self {
        Self { seed, customers: customers::all(seed, size.organizations, opened) }
    }
}

#[cfg(test)]
impl Partner {
    fn of_tests() -> Self {
        Self::new(Seed::new(0), &Size::default(), NaiveDate::from_ymd_opt(2026, 11, 21).unwrap())
    }
}
