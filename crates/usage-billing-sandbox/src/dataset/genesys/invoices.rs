//! Invoices: one for each closed billing period of each contract.

use chrono::{Days, NaiveDate};
use usage_billing_core::Decimal;
use usage_billing_genesys::types;

use super::Partner;
use super::contracts::{Amount, partner};
use super::customers::Customer;
use super::periods::{Calendar, Period};
use crate::dataset::seed::Seed;

/// Days until an invoice is due. Each is paid on the last one.
const TERM: u64 = 30;

pub(crate) struct Invoice {
    pub(crate) head: types::BillingInvoice,
    pub(crate) lines: Vec<types::BillingInvoiceItem>,
}

impl Partner {
    /// Returns the invoices, newest first.
    pub(crate) fn invoices(&self, calendar: Calendar) -> Vec<Invoice> {
        let all = self.customers.iter().filter(|customer| customer.has_contract()).flat_map(|customer| {
            let closed = customer.periods(calendar).into_iter().filter(|period| period.closed);
            closed.map(move |period| invoice_of(self.seed, customer, calendar, period))
        });
        let mut invoices: Vec<_> = all.collect();
        // The sort is stable: invoices of a day remain in the order of the customers.
        invoices.sort_by_key(|invoice| std::cmp::Reverse(invoice.head.date_invoiced));
        invoices
    }

    pub(crate) fn invoice(&self, calendar: Calendar, id: &str) -> Option<Invoice> {
        self.invoices(calendar).into_iter().find(|invoice| invoice.head.id.as_deref() == Some(id))
    }
}

fn invoice_of(seed: Seed, customer: &Customer, calendar: Calendar, period: Period) -> Invoice {
    let id = format!("INV-{}-{}", period.first.format("%Y%m%d"), customer.number);
    let date = period.last.checked_add_days(Days::new(1)).unwrap_or(period.last);
    let lines = lines(customer, period, date, &customer.amounts(seed, calendar, period));
    let total: Decimal = lines.iter().filter_map(|line| line.amount).map(|amount| amount.0).sum();
    let paid = date.checked_add_days(Days::new(TERM)).is_some_and(|due| due <= calendar.today);
    let address = |kind| types::InvoiceAddress {
        date_effective: Some(customer.contract_start(calendar)),
        address_type: Some(kind),
        currency_iso_code: Some(customer.currency.to_owned()),
        line1: Some("Beispielweg 12, \"Speicher\"".to_owned()),
        city_name: Some("Hamburg".to_owned()),
        postal_code: Some("20457".to_owned()),
        state_code: Some("HH".to_owned()),
        country_code: Some("DE".to_owned()),
        country: Some("Germany".to_owned()),
        ..Default::default()
    };
    let head = types::BillingInvoice {
        bill_to_customer: Some(partner()),
        ship_to_customer: Some(partner()),
        sold_to_customer: Some(partner()),
        date_invoiced: Some(date),
        bill_to_address: Some(address(types::InvoiceAddressType::BillTo)),
        ship_to_address: Some(address(types::InvoiceAddressType::ShipTo)),
        currency_iso_code: Some(customer.currency.to_owned()),
        payment_status: Some(match paid {
            true => types::BillingInvoicePaymentStatus::Paid,
            false => types::BillingInvoicePaymentStatus::Unpaid,
        }),
        payment_terms: Some(format!("Net {TERM}")),
        payment_link: (!paid).then(|| format!("https://pay.example.com/i/{id}")),
        customer_po_number: Some(customer.purchase_order()),
        customer_invoice_type: Some("Recurring".to_owned()),
        amount: Some(total.normalize().into()),
        id: Some(id),
    };
    Invoice { head, lines }
}

/// Returns the lines for prepaid quantities and for usage beyond them. Usage of zero has no line.
fn lines(
    customer: &Customer,
    period: Period,
    date: NaiveDate,
    amounts: &[Amount<'_>],
) -> Vec<types::BillingInvoiceItem> {
    let parts = amounts.iter().flat_map(|amount| {
        let used = if amount.charge.prepaid > 0 { "overage" } else { "usage" };
        [
            (amount, "prepaid", Decimal::from(amount.charge.prepaid), amount.prepaid_amount),
            (amount, used, amount.overage, amount.overage_amount),
        ]
    });
    parts
        .filter(|(_, _, quantity, _)| *quantity > Decimal::ZERO)
        .zip(1..)
        .map(|((of, what, quantity, amount), number)| types::BillingInvoiceItem {
            id: Some(number.to_string()),
            product: Some(of.charge.product()),
            description: Some(format!("{}, {what}, {}", of.charge.name, period.first.format("%B %Y"))),
            date_transacted: Some(date),
            date_start: Some(period.first),
            date_end: Some(period.last),
            organization: Some(customer.organization()),
            quantity: Some(quantity.into()),
            unit_of_measure: Some(of.charge.measure.clone()),
            amount: Some(amount.into()),
        })
        .collect()
}
