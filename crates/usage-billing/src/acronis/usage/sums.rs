//! Aggregation keys of usage, and the sums by key.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::NaiveDate;
use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};

use crate::acronis::ReportRow;
use crate::acronis::usage::parts::Parts;

/// The aggregation key: everything that a row's identity contains, and facts that its strings may hide (the substitute of an absent SKU, a unit by
/// two names). Rows that have equal identities are distinguished by their occurrence. Rows are sorted by name of the tenant, then by this key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) tenant_id: Arc<str>,
    pub(crate) application: Arc<str>,
    /// The name, with the backend.
    pub(crate) metric: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) measurement_unit: Option<Arc<str>>,
    pub(crate) edition: Option<Arc<str>>,
    pub(crate) sku: Option<Arc<str>>,
    pub(crate) day: Option<NaiveDate>,
}

pub(crate) struct Sum {
    pub(crate) parts: Parts,
    pub(crate) first: FirstRow,
    /// Whether the tenant may be a partner whose usage contains that of others in the report.
    pub(crate) is_of_unknown_kind: bool,
}

/// Columns of the first of the aggregated rows.
pub(crate) struct FirstRow {
    pub(crate) number: u64,
    pub(crate) tenant_name: Arc<str>,
    pub(crate) tenant_kind: Arc<str>,
    pub(crate) customer_id: Option<Arc<str>>,
    /// `None` if the rows differ in it.
    pub(crate) quota: Option<Decimal>,
}

/// Returns the size of the strings that a row copies, in bytes.
pub(crate) fn string_bytes(key: &Key, sum: &Sum) -> usize {
    let Key { tenant_id, application, metric, measurement_unit, edition, sku, .. } = key;
    let FirstRow { tenant_name, tenant_kind, customer_id, .. } = &sum.first;
    let sku = sku.as_ref().map_or(application.len() + 1 + metric.len(), |sku| sku.len());
    let others = [measurement_unit, edition, customer_id].into_iter().flatten();
    let others: usize =
        others.chain([tenant_id, application, metric, tenant_name, tenant_kind]).map(|text| text.len()).sum();
    // The sum has the currency as well.
    others + sku + 2 * sum.parts.currency_bytes()
}

impl Sum {
    pub(crate) fn add(&mut self, parts: Parts, first: &FirstRow, name: &str, tenant_id: &str) -> Result<()> {
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

/// Returns the metric: storage at Google has another price than storage at Acronis.
pub(crate) fn metric(row: &ReportRow) -> Cow<'_, str> {
    match row.infra_backend.as_deref() {
        None | Some("acronis") => Cow::Borrowed(&row.name),
        Some(backend) => Cow::Owned(format!("{}_{backend}", row.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acronis::Price;
    use crate::acronis::usage::aggregator::tests::row;

    #[test]
    fn size_counts_all_strings_that_a_row_copies() {
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
        let sum = Sum { parts: Parts::from_row(&row).unwrap(), first, is_of_unknown_kind: false };
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
        assert_eq!(string_bytes(&key, &sum), others + 3 + 1 + 5, "service and metric replace the SKU");
        assert_eq!(string_bytes(&Key { sku: Some(shared(13)), ..key }, &sum), others + 13);
    }
}
