//! The page: a template, the library, and the rows as JSON.

use std::collections::BTreeMap;
use std::io;

use serde_json::json;
use usage_billing::{Decimal, UsageRow};

use crate::terminal::count;

const TEMPLATE: &str = include_str!("../../../../assets/chart.html");
/// Chart.js 4.6.1, MIT: stacked bars, resizing and tooltips; maintained by a team since 2013. Its licence is beside the file.
const LIBRARY: &str = include_str!("../../../../assets/chartjs/chart.umd.min.js");

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    vendor: String,
    /// Id of the customer, or of the account.
    customer: String,
    sku: String,
    metric: String,
    unit: String,
    month: String,
    currency: Option<String>,
}

#[derive(Default)]
struct Sum {
    rows: u64,
    quantity: Decimal,
    amount: Option<Decimal>,
    cost: Option<Decimal>,
}

/// Sums of billable rows, as the page filters them.
#[derive(Default)]
pub(super) struct ChartRows {
    sums: BTreeMap<Key, Sum>,
    /// Names by vendor and id.
    names: BTreeMap<(String, String), String>,
    others: u64,
}

impl ChartRows {
    /// Adds a row to the sums.
    ///
    /// # Errors
    /// If a sum has more than 28 digits.
    pub(super) fn add(&mut self, row: &UsageRow) -> io::Result<()> {
        if row.is_billable != Some(true) {
            self.others += 1;
            return Ok(());
        }
        let (id, name) = match &row.customer_id {
            Some(id) => (id, &row.customer_name),
            None => (&row.account_id, &row.account_name),
        };
        if let Some(name) = name {
            self.names.insert((row.vendor.to_string(), id.clone()), name.clone());
        }
        let key = Key {
            vendor: row.vendor.to_string(),
            customer: id.clone(),
            sku: row.sku.clone(),
            metric: row.metric.clone(),
            unit: row.unit.clone(),
            month: row.period_start.format("%Y-%m").to_string(),
            currency: row.currency.clone(),
        };
        let sum = self.sums.entry(key).or_default();
        let add = |one: Decimal, other: Decimal| {
            one.checked_add(other).ok_or_else(|| io::Error::other("a sum of the rows has more than 28 digits"))
        };
        sum.rows += 1;
        sum.quantity = add(sum.quantity, row.quantity)?;
        for (sum, value) in [(&mut sum.amount, row.amount), (&mut sum.cost, row.cost)] {
            if let Some(value) = value {
                *sum = Some(add(sum.unwrap_or_default(), value)?);
            }
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Returns a line that states what the page contains.
    pub(super) fn note(&self) -> String {
        let rows = self.sums.values().map(|sum| sum.rows).sum::<u64>();
        let rows = count(usize::try_from(rows).unwrap_or(usize::MAX), "billable row");
        format!("{rows}; {} other rows are not in the chart, as they are not known to be billable", self.others)
    }

    /// Returns the name of a customer, with the id if another customer has the same name.
    fn label(&self, key: &Key) -> String {
        let Some(name) = self.names.get(&(key.vendor.clone(), key.customer.clone())) else {
            return key.customer.clone();
        };
        match self.names.values().filter(|other| *other == name).count() {
            1 => name.clone(),
            _ => format!("{name} ({})", key.customer),
        }
    }

    fn json(&self) -> serde_json::Result<String> {
        let text = |value: Option<Decimal>| value.map(|value| value.normalize().to_string());
        let rows = self.sums.iter().map(|(key, sum)| {
            json!({
                "vendor": key.vendor, "customer": self.label(key), "sku": key.sku, "metric": key.metric, "unit": key.unit,
                "month": key.month, "currency": key.currency, "rows": sum.rows, "quantity": text(Some(sum.quantity)),
                "amount": text(sum.amount), "cost": text(sum.cost),
            })
        });
        serde_json::to_string(&json!({ "note": self.note(), "rows": rows.collect::<Vec<_>>() }))
    }
}

/// Returns the page. Names of customers are data in it: they cannot end the script, as `<` is escaped.
pub(super) fn page(rows: &ChartRows) -> io::Result<String> {
    let data = rows.json()?.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    // The library first: the data may contain anything, also a placeholder.
    let (before, after) = TEMPLATE.split_once("{{library}}").ok_or_else(|| io::Error::other("no {{library}}"))?;
    let (between, end) = after.split_once("{{data}}").ok_or_else(|| io::Error::other("no {{data}}"))?;
    Ok([before, LIBRARY, between, &data, end].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::{full_row, row};

    fn page_of(rows: &[UsageRow]) -> String {
        let mut chart = ChartRows::default();
        rows.iter().for_each(|row| chart.add(row).unwrap());
        page(&chart).unwrap()
    }

    fn data(page: &str) -> serde_json::Value {
        let start = page.find(r#"id="data">"#).unwrap() + r#"id="data">"#.len();
        let end = page[start..].find("</script>").unwrap();
        serde_json::from_str(&page[start..start + end]).unwrap()
    }

    #[test]
    fn names_of_customers_cannot_become_markup() {
        let mut row = full_row();
        let name = "</script><script>alert(1)</script> {{library}} {{data}} \u{2028} & \"";
        row.customer_name = Some(name.to_owned());
        let page = page_of(&[row]);
        assert!(!page.contains("<script>alert"));
        assert_eq!(data(&page)["rows"][0]["customer"], name);
        assert_eq!(page.matches("</script>").count(), 3);
    }

    #[test]
    fn page_has_exact_sums_of_billable_rows_only() {
        let mut other = row("7");
        other.is_billable = None;
        let data = data(&page_of(&[row("0.1"), row("0.2"), other]));
        assert_eq!(data["rows"].as_array().unwrap().len(), 1);
        assert_eq!((&data["rows"][0]["quantity"], &data["rows"][0]["rows"]), (&json!("0.3"), &json!(2)));
        assert!(data["note"].as_str().unwrap().starts_with("2 billable rows; 1 other rows"));
    }

    #[test]
    fn customers_of_the_same_name_are_not_merged() {
        let mut other = row("7");
        other.customer_id = Some("t-2".to_owned());
        let data = data(&page_of(&[row("1"), other]));
        let customers: Vec<_> =
            data["rows"].as_array().unwrap().iter().map(|row| row["customer"].as_str().unwrap()).collect();
        assert_eq!(customers, ["Birch, \"Inc.\" 株式会社 (t-1)", "Birch, \"Inc.\" 株式会社 (t-2)"]);
    }

    #[test]
    fn page_loads_nothing() {
        let page = page_of(&[row("1")]);
        let own = page.replace(LIBRARY, "");
        for loading in ["src=", "href=", "@import", "url(", "fetch(", "innerHTML"] {
            assert!(!own.contains(loading), "{loading}");
        }
        assert!(own.contains("default-src 'none'"));
    }
}
