//! What usage is kept apart by, and the sums of it.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::NaiveDate;
use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};

use super::ReportRow;
use super::parts::Parts;

/// What usage is kept apart by: all that a row's identity has, and what a text of it may hide (a stand-in for an absent SKU, a unit by two names).
/// Rows that differ in nothing else are told apart by their occurrence. Rows come in this order, by name of the tenant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) tenant_id: Arc<str>,
    pub(super) application: Arc<str>,
    /// With the backend; of `name`.
    pub(super) metric: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) measurement_unit: Option<Arc<str>>,
    pub(super) edition: Option<Arc<str>>,
    pub(super) sku: Option<Arc<str>>,
    pub(super) day: Option<NaiveDate>,
}

pub(super) struct Sum {
    pub(super) parts: Parts,
    pub(super) first: FirstRow,
    /// Whether it may contain what others of the report have.
    pub(super) is_of_unknown_kind: bool,
}

/// Of the first of the rows that are added up.
pub(super) struct FirstRow {
    pub(super) number: u64,
    pub(super) tenant_name: Arc<str>,
    pub(super) tenant_kind: Arc<str>,
    pub(super) customer_id: Option<Arc<str>>,
    /// Unless the rows differ in it.
    pub(super) quota: Option<Decimal>,
}

/// Bytes of the texts that a row copies.
pub(super) fn text_of_row(key: &Key, sum: &Sum) -> usize {
    let Key { tenant_id, application, metric, measurement_unit, edition, sku, .. } = key;
    let FirstRow { tenant_name, tenant_kind, customer_id, .. } = &sum.first;
    let sku = sku.as_ref().map_or(application.len() + 1 + metric.len(), |sku| sku.len());
    let others = [measurement_unit, edition, customer_id].into_iter().flatten();
    let others: usize =
        others.chain([tenant_id, application, metric, tenant_name, tenant_kind]).map(|text| text.len()).sum();
    // A currency stands in the sum, too.
    others + sku + 2 * sum.parts.currency_bytes()
}

impl Sum {
    pub(super) fn add(&mut self, parts: Parts, first: &FirstRow, name: &str, tenant_id: &str) -> Result<()> {
        self.parts.add(parts).ok_or_else(|| {
            let message =
                format!("the usage of {} by {} has more than 28 digits", printable(name), printable(tenant_id));
            Error::new(ErrorKind::Decode, message)
        })?;
        if self.first.quota != first.quota {
            self.first.quota = None;
        }
        self.first.number = self.first.number.min(first.number);
        Ok(())
    }
}

/// What is counted: storage at Google is priced apart from storage at Acronis.
pub(super) fn metric(row: &ReportRow) -> Cow<'_, str> {
    match row.infra_backend.as_deref() {
        None | Some("acronis") => Cow::Borrowed(&row.name),
        Some(backend) => Cow::Owned(format!("{}_{backend}", row.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Price;
    use super::super::aggregate::tests::row;
    use super::*;

    #[test]
    fn texts_that_a_row_copies_are_counted() {
        let text = |bytes: usize| "x".repeat(bytes);
        let shared = |bytes| Arc::from(text(bytes));
        let price = Price { currency: text(3), unit: None, total: None };
        let row = ReportRow { price: Some(price), ..row("customer", "seats", None) };
        let first = FirstRow {
            number: 1,
            tenant_name: shared(17),
            tenant_kind: shared(19),
            customer_id: Some(shared(23)),
            quota: None,
        };
        let sum = Sum { parts: Parts::of(&row).unwrap(), first, is_of_unknown_kind: false };
        let key = Key {
            tenant_id: shared(2),
            application: shared(3),
            metric: shared(5),
            name: shared(1_000),
            measurement_unit: Some(shared(7)),
            edition: Some(shared(11)),
            sku: None,
            day: None,
        };
        let others = 2 + 3 + 5 + 7 + 11 + 17 + 19 + 23 + 2 * 3;
        assert_eq!(text_of_row(&key, &sum), others + 3 + 1 + 5, "service and metric stand in for the SKU");
        assert_eq!(text_of_row(&Key { sku: Some(shared(13)), ..key }, &sum), others + 13);
    }
}
