//! The true bill of a period, grouped for the page by bill and customer.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use serde::Serialize;
use usage_billing_acronis::types::ReportLevel;
use usage_billing_core::Decimal;

use super::amount::cents;
use super::chart::{Chart, ChartAmount};
use crate::admin::expected_usage::{Bill, ExpectedUsage, expected_usage};
use crate::dataset::Dataset;
use crate::vendors::Vendor;

/// Customers of a bill, and lines of a customer, that the page shows.
const MAX_CUSTOMERS: usize = 50;
const MAX_LINES: usize = 100;

/// The bills of a period. The lines are those of [`expected_usage`].
#[derive(Serialize)]
pub(super) struct PageBill {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    bills: Vec<VendorBill>,
    charts: Vec<Chart>,
}

#[derive(Serialize)]
struct VendorBill {
    /// As in the response of `/_sandbox/expected`.
    id: &'static str,
    vendor: Vendor,
    name: &'static str,
    about: &'static str,
    totals: Totals,
    /// Number of all customers and lines, shown or not.
    customer_count: usize,
    line_count: usize,
    customers: Vec<CustomerBill>,
}

#[derive(Serialize)]
struct CustomerBill {
    /// `None` if the account itself is the customer.
    name: Option<String>,
    id: Option<String>,
    totals: Totals,
    line_count: usize,
    lines: Vec<ExpectedUsage>,
}

/// Amounts by currency.
#[derive(Clone, Default)]
struct Totals(BTreeMap<String, Decimal>);

impl PageBill {
    pub(super) fn new(dataset: &Dataset, period: &Range<DateTime<Utc>>) -> Self {
        let level = ReportLevel::DirectPartners;
        let bill = |id, vendor, name, about, bill: &Bill| {
            VendorBill::new(id, vendor, name, about, expected_usage(dataset, bill, period.clone()))
        };
        let mut bills = vec![
            bill(
                "genesys_clients",
                Vendor::Genesys,
                "Genesys Cloud",
                "What client organizations owe: overage and amounts of the billing periods that begin in the month and have ended.",
                &Bill::GenesysClients,
            ),
            bill(
                "acronis",
                Vendor::Acronis,
                "Acronis",
                "What the partner is charged for its customers, at the prices of the month.",
                &Bill::Acronis(level.clone()),
            ),
            bill(
                "suger",
                Vendor::Suger,
                "Suger",
                "Reported usage by buyer, neither deleted nor invalid. Suger states no prices.",
                &Bill::Suger,
            ),
            bill(
                "genesys",
                Vendor::Genesys,
                "Genesys Cloud, own organization",
                "Billable usage. No response states that it is charged, or at what price.",
                &Bill::Genesys,
            ),
            bill(
                "acronis_per_gigabyte",
                Vendor::Acronis,
                "Acronis, the partner below",
                "Licensed per gigabyte: all storage, no devices. Partners below see neither SKUs nor prices.",
                &Bill::AcronisPerGigabyte(level),
            ),
        ];
        let charts = Chart::by_currency(bills.iter().flat_map(VendorBill::amounts));
        for bill in &mut bills {
            bill.shorten();
        }
        Self { start: period.start, end: period.end, bills, charts }
    }
}

impl VendorBill {
    fn new(
        id: &'static str,
        vendor: Vendor,
        name: &'static str,
        about: &'static str,
        lines: Vec<ExpectedUsage>,
    ) -> Self {
        let (line_count, totals) = (lines.len(), Totals::of(&lines));
        let mut by_customer: BTreeMap<(Option<String>, Option<String>), Vec<ExpectedUsage>> = BTreeMap::new();
        for line in lines {
            by_customer.entry((line.customer.clone(), line.customer_id.clone())).or_default().push(line);
        }
        let mut customers: Vec<CustomerBill> = by_customer
            .into_iter()
            .map(|((name, id), lines)| CustomerBill {
                name,
                id,
                totals: Totals::of(&lines),
                line_count: lines.len(),
                lines,
            })
            .collect();
        // The largest amount first; equal ones stay in the order of their names.
        customers.sort_by_key(|customer| std::cmp::Reverse(customer.totals.largest()));
        Self { id, vendor, name, about, totals, customer_count: customers.len(), line_count, customers }
    }

    fn amounts(&self) -> impl Iterator<Item = ChartAmount> {
        self.customers.iter().flat_map(|customer| {
            customer.totals.0.iter().map(|(currency, amount)| ChartAmount {
                vendor: self.vendor,
                customer: customer.name.clone(),
                currency: currency.clone(),
                amount: *amount,
            })
        })
    }

    fn shorten(&mut self) {
        self.customers.truncate(MAX_CUSTOMERS);
        for customer in &mut self.customers {
            customer.lines.truncate(MAX_LINES);
        }
    }
}

impl Totals {
    fn of(lines: &[ExpectedUsage]) -> Self {
        let mut totals = Self::default();
        for line in lines {
            if let (Some(amount), Some(currency)) = (line.amount, &line.currency) {
                let total = totals.0.entry(currency.clone()).or_default();
                *total = total.saturating_add(amount);
            }
        }
        totals
    }

    fn largest(&self) -> Decimal {
        self.0.values().copied().max().unwrap_or_default()
    }
}

impl Serialize for Totals {
    /// Serializes pairs of currency and amount, the largest amount first.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut totals: Vec<_> = self.0.iter().collect();
        totals.sort_by_key(|(_, amount)| std::cmp::Reverse(**amount));
        serializer.collect_seq(totals.into_iter().map(|(currency, amount)| (currency, cents(*amount))))
    }
}
