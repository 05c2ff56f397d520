//! Customer organizations of the partner and their charges: a table of special cases, and as many more as the size needs.

use chrono::NaiveDate;
use usage_billing_genesys::types;
use usage_billing_genesys::types::BillingUnitOfMeasure as Unit;

use crate::dataset::id;
use crate::dataset::names::company;
use crate::dataset::seed::Seed;
use crate::demo_credentials::{GENESYS_TRUSTOR_ORG_ID, GENESYS_YOUNG_TRUSTOR_ORG_ID};

#[derive(Clone)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) number: String,
    pub(super) contract: String,
    pub(super) currency: &'static str,
    pub(super) subscription: types::SubscriptionType,
    /// Whether the partner may read its bills.
    pub(super) trusts_partner: bool,
    /// Day of the month on which the billing month begins.
    pub(super) anchor: u32,
    /// Billing periods that ended before the sandbox was started.
    pub(super) finished: u32,
    /// Those of them since billing months begin on that day, and no longer on the 1st; `None` if the day never moved.
    pub(super) moved: Option<u32>,
    /// Those of them in a second contract that follows the first one; `None` if it was not renewed.
    pub(super) renewed: Option<u32>,
    /// Those of them after the end of the contract; 0 for an active contract.
    pub(super) ended: u32,
    /// Minimum monthly amount, in cents.
    pub(super) minimum: i64,
    /// AI tokens included in each year of the contract.
    pub(super) tokens: u32,
    pub(super) charges: Vec<Charge>,
    /// The terms of payment.
    pub(super) payment: Payment,
    /// Days after the end of a billing period until the index moves to the next one.
    pub(super) rotation: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Payment {
    /// Commitment and overage are due each month.
    Monthly,
    /// The commitment is due once a year, the overage each month.
    Annual,
    /// Nothing is due.
    Free,
}

#[derive(Clone)]
pub(super) struct Charge {
    pub(super) name: &'static str,
    pub(super) part_number: &'static str,
    pub(super) grouping: &'static str,
    pub(super) unit: &'static str,
    /// The unit in contracts and invoices.
    pub(super) measure: Unit,
    /// Average in thousandths: per month for seats, per day for measured usage.
    pub(super) average: u64,
    pub(super) measured: bool,
    pub(super) prepaid: i64,
    /// In ten-thousandths.
    pub(super) prepay_price: Option<i64>,
    pub(super) overage_price: i64,
    pub(super) bundle: Option<i64>,
    pub(super) notes: Option<&'static str>,
    /// Free quantity per month, in a row of its own.
    pub(super) fair_use: i64,
    /// Parts of this total, in rows of their own, with their percentage.
    pub(super) parts: &'static [(&'static str, &'static str, i64)],
    /// Whether prices are empty strings.
    pub(super) is_unpriced: bool,
}

pub(super) const SEATS: Charge = Charge {
    name: "Genesys Cloud CX 2 Named User",
    part_number: "GC-170-NV-CX2NAM",
    grouping: "user-license",
    unit: "seat",
    measure: Unit::User,
    average: 110_000,
    measured: false,
    prepaid: 100,
    prepay_price: Some(1_100_000),
    overage_price: 1_320_000,
    bundle: Some(1),
    notes: None,
    fair_use: 0,
    parts: &[],
    is_unpriced: false,
};

pub(super) const MINUTES: Charge = Charge {
    name: "IVR Minutes",
    part_number: "GC-170-NV-IVRMIN",
    grouping: "resource",
    unit: "minute",
    measure: Unit::Minute,
    average: 681_500,
    measured: true,
    prepaid: 0,
    prepay_price: None,
    overage_price: 119,
    bundle: None,
    notes: Some("metered per minute"),
    fair_use: 0,
    parts: &[],
    is_unpriced: false,
};

fn table() -> Vec<Customer> {
    vec![
        Customer {
            id: GENESYS_TRUSTOR_ORG_ID.to_owned(),
            name: "Harbor Lane Retail, Inc.".to_owned(),
            number: "100482".to_owned(),
            contract: "CN-0048213".to_owned(),
            currency: "EUR",
            subscription: types::SubscriptionType::PrepayMonthlyCommitment,
            trusts_partner: true,
            anchor: 1,
            finished: 13,
            moved: None,
            renewed: None,
            ended: 0,
            minimum: 1_100_000,
            tokens: 30_000,
            payment: Payment::Monthly,
            rotation: 0,
            charges: vec![
                SEATS,
                Charge {
                    name: "Genesys Cloud CX 3 Concurrent User",
                    part_number: "GC-170-NV-CX3CON",
                    grouping: "billable-app-concurrent-license",
                    average: 17_000,
                    prepaid: 20,
                    prepay_price: Some(1_985_000),
                    overage_price: 2_400_000,
                    ..SEATS
                },
                MINUTES,
                Charge {
                    name: "Digital Messages, bundles of 1000",
                    part_number: "GC-170-NV-MSG1K",
                    grouping: "messaging-usage",
                    unit: "message",
                    measure: Unit::Message,
                    average: 2_400_000,
                    overage_price: 8,
                    bundle: Some(1000),
                    notes: None,
                    ..MINUTES
                },
            ],
        },
        Customer {
            id: GENESYS_YOUNG_TRUSTOR_ORG_ID.to_owned(),
            name: "運輸ポータル 株式会社".to_owned(),
            number: "100913".to_owned(),
            contract: "CN-0051790".to_owned(),
            currency: "USD",
            subscription: types::SubscriptionType::MonthToMonth,
            trusts_partner: true,
            anchor: 15,
            finished: 4,
            moved: None,
            renewed: None,
            ended: 0,
            minimum: 0,
            tokens: 0,
            payment: Payment::Monthly,
            rotation: 0,
            charges: vec![
                Charge { average: 24_000, prepaid: 0, prepay_price: None, overage_price: 1_550_000, ..SEATS },
                Charge { average: 42_125, ..MINUTES },
            ],
        },
        // Left the partner: trust ended, but contract and invoices remain.
        Customer {
            id: "3c9a7f52-84be-4d16-a0c7-5e1f29d6b803".to_owned(),
            name: "Old Mill \"Radio\" & Sons".to_owned(),
            number: "100207".to_owned(),
            contract: "CN-0031077".to_owned(),
            currency: "EUR",
            subscription: types::SubscriptionType::PrepayMonthlyCommitment,
            trusts_partner: false,
            anchor: 8,
            finished: 16,
            moved: None,
            renewed: None,
            ended: 10,
            minimum: 0,
            tokens: 0,
            payment: Payment::Monthly,
            rotation: 0,
            charges: vec![
                Charge { average: 30_000, prepaid: 25, prepay_price: Some(1_199_900), ..SEATS },
                Charge { average: 11_050, ..MINUTES },
            ],
        },
    ]
}

/// Returns the customers with a contract, and the special ones.
pub(super) fn all(seed: Seed, count: u32, opened: NaiveDate) -> Vec<Customer> {
    let mut customers = table();
    for (customer, at) in customers.iter_mut().zip(0u64..).filter(|_| !seed.is_default()) {
        customer.name = company(seed, 2, at);
        for (charge, number) in customer.charges.iter_mut().zip(0..) {
            charge.scale(seed.percent(&[32, at, number]));
        }
    }
    for at in customers.len()..usize::try_from(count).unwrap_or_default() {
        let Some(mut more) = customers.get(at % 3).cloned() else { break };
        let index = at as u64;
        let chance = |what, below| seed.chance(&[33, index, what], below);
        more.name = company(seed, 2, index);
        more.id = id(&format!("genesys/customer/{}", more.name)).to_string();
        more.number = (200_000 + index * 17).to_string();
        more.contract = format!("CN-{:07}", 60_000 + index);
        // Every month has a 28th.
        more.anchor = 1 + u32::try_from(chance(0, 28)).unwrap_or_default();
        more.charges.iter_mut().zip(1..).for_each(|(charge, number)| charge.scale(67 + chance(number, 84)));
        customers.push(more);
    }
    let mut special = super::special_customers::all(opened);
    for (customer, at) in special.iter_mut().zip(0u64..).filter(|_| !seed.is_default()) {
        let charges = customer.charges.iter_mut().zip(0..);
        charges.for_each(|(charge, number)| charge.scale(seed.percent(&[34, at, number])));
    }
    customers.append(&mut special);
    customers
}

impl Charge {
    /// Scales the usage to a percentage, but not to zero.
    fn scale(&mut self, percent: i64) {
        // Seats vary by tenths of tens: see `Customer::used`.
        let least = if self.measured { 1 } else { 10_000 };
        self.average = (self.average * percent.unsigned_abs() / 100).max(least);
    }
}
