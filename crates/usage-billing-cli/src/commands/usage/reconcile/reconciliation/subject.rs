//! What a line of the invoice is about: its customer and SKU in the usage.

use std::collections::{BTreeMap, BTreeSet};

use crate::commands::usage::names::normalized;
use crate::commands::usage::reconcile::invoice::InvoiceLine;
use crate::commands::usage::reconcile::map_file::MapFile;
use crate::commands::usage::reconcile::usage_items::{CustomerKey, ItemKey, UsageItems};

/// The subject of a line of the invoice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Item(ItemKey),
    /// A customer and a SKU without billable usage.
    NotUsed(CustomerKey, String),
    UnknownCustomer(String),
    UnknownSku(BTreeSet<CustomerKey>, String),
    Ambiguous(String, String),
}

/// Returns what a line is about. Names are mapped, compared, and never guessed.
pub(super) fn subject(usage: &UsageItems, map: &MapFile, line: &InvoiceLine) -> Subject {
    let mapped = |names: &BTreeMap<String, String>, name: &str| {
        names
            .iter()
            .find(|(from, _)| normalized(from) == normalized(name))
            .map_or(name.to_owned(), |(_, to)| to.clone())
    };
    let (customer, sku) =
        (normalized(&mapped(&map.customers, &line.customer)), normalized(&mapped(&map.skus, &line.sku)));
    let is_customer = |key: &CustomerKey| {
        let names = &usage.customers[key];
        let id = key.id.as_ref().unwrap_or(&key.account);
        [Some(id), names.name.as_ref(), names.reference.as_ref()]
            .into_iter()
            .flatten()
            .any(|name| normalized(name) == customer)
    };
    let customers: BTreeSet<_> = usage.customers.keys().filter(|key| is_customer(key)).cloned().collect();
    if customers.is_empty() {
        return Subject::UnknownCustomer(line.customer.clone());
    }
    let of_customers = || usage.items.iter().filter(|(key, _)| customers.contains(&key.customer));
    let is_unit = |key: &ItemKey| line.unit.as_ref().is_none_or(|unit| normalized(unit) == normalized(&key.unit));
    let mut items: Vec<_> = of_customers().filter(|(key, _)| normalized(&key.sku) == sku && is_unit(key)).collect();
    if items.is_empty() {
        items = of_customers()
            .filter(|(_, item)| item.metrics.iter().any(|metric| normalized(metric) == sku))
            .filter(|(key, _)| is_unit(key))
            .collect();
    }
    let is_known = usage.skus.iter().any(|known| normalized(known) == sku);
    match (&*items, customers.len()) {
        ([(key, _)], _) => Subject::Item((*key).clone()),
        ([], 1) if is_known => Subject::NotUsed(
            customers.into_iter().next().unwrap_or_else(|| unreachable!("there is one")),
            line.sku.clone(),
        ),
        ([], _) if is_known => Subject::Ambiguous(line.customer.clone(), line.sku.clone()),
        ([], _) => Subject::UnknownSku(customers, line.sku.clone()),
        _ => Subject::Ambiguous(line.customer.clone(), line.sku.clone()),
    }
}
