//! The file that maps the columns and names of an invoice.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use clap::Args;
use serde::{Deserialize, Serialize};
use usage_billing::{Decimal, printable};

use super::number::{self, DecimalSign};
use crate::exit::Failure;
use crate::temporary_file;

const MAX_BYTES: u64 = 4 << 20;

/// Headers of the columns of an invoice.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InvoiceColumns {
    /// Header of the column with the customer's id or name.
    #[arg(long = "customer-column", value_name = "HEADER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) customer: Option<String>,
    /// Header of the column with the SKU.
    #[arg(long = "sku-column", value_name = "HEADER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sku: Option<String>,
    /// Header of the column with the quantity.
    #[arg(long = "quantity-column", value_name = "HEADER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quantity: Option<String>,
    /// Header of the column with the price of one unit.
    #[arg(long = "price-column", value_name = "HEADER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) price: Option<String>,
    /// Header of the column with the amount of the line.
    #[arg(long = "amount-column", value_name = "HEADER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<String>,
    /// Header of the column with the currency.
    #[arg(long = "currency-column", value_name = "HEADER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) currency: Option<String>,
    /// Header of the column with the unit, as in the usage.
    #[arg(long = "unit-column", value_name = "HEADER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
}

impl InvoiceColumns {
    /// Returns these columns, where `flags` state no others.
    pub(super) fn or_else(&self, flags: &Self) -> Self {
        let first = |flag: &Option<String>, own: &Option<String>| flag.clone().or(own.clone());
        Self {
            customer: first(&flags.customer, &self.customer),
            sku: first(&flags.sku, &self.sku),
            quantity: first(&flags.quantity, &self.quantity),
            price: first(&flags.price, &self.price),
            amount: first(&flags.amount, &self.amount),
            currency: first(&flags.currency, &self.currency),
            unit: first(&flags.unit, &self.unit),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MapFile {
    pub(super) columns: InvoiceColumns,
    /// Ids or names in the usage by names on the invoice.
    pub(super) customers: BTreeMap<String, String>,
    pub(super) skus: BTreeMap<String, String>,
    /// Expected prices by SKU of the usage.
    pub(super) prices: BTreeMap<String, String>,
    pub(super) ignore: Ignored,
}

/// Names on lines that are not usage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ignored {
    pub(super) customers: Vec<String>,
    pub(super) skus: Vec<String>,
}

impl MapFile {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let failure = |reason: &dyn std::fmt::Display| {
            let reason = reason.to_string();
            Failure::Usage(format!("`{}` is not a valid map: {}", path.display(), printable(reason.trim_end())))
        };
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        read.map_err(|error| failure(&error))?;
        let map: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1);
            failure(&format_args!(
                "{}{}",
                line.map(|line| format!("line {line}: ")).unwrap_or_default(),
                error.message()
            ))
        })?;
        for (sku, price) in &map.prices {
            number::parse(price, DecimalSign::Unstated).map_err(|_| {
                let line = format!("price of `{sku}`: `{price}` is not a decimal such as 1234.50");
                failure(&printable(&line))
            })?;
        }
        Ok(map)
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        if fs::exists(path).unwrap_or_default() {
            return Err(Failure::Usage(format!(
                "`{}` exists already: --save-map never replaces a file",
                path.display()
            )));
        }
        let text = toml::to_string(self).map_err(|error| Failure::Local(error.to_string()))?;
        let (mut file, temporary) = temporary_file::create_beside(path)?.into_parts();
        file.write_all(text.as_bytes()).map_err(|error| temporary_file::failure(path, &error))?;
        temporary_file::persist(&file, temporary, path)
    }

    /// Returns the expected price of a SKU.
    pub(super) fn price(&self, sku: &str) -> Option<Decimal> {
        number::parse(self.prices.get(sku)?, DecimalSign::Unstated).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<MapFile, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        MapFile::read(file.path()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn map_is_read_and_flags_take_precedence() {
        let map = read("[columns]\ncustomer = 'Client'\nsku = 'Item'\n[prices]\nS = '0.10'\n[skus]\n'Storage' = 'S'\n")
            .unwrap();
        let flags = InvoiceColumns { sku: Some("Product".to_owned()), ..InvoiceColumns::default() };
        let columns = map.columns.or_else(&flags);
        assert_eq!((columns.customer.as_deref(), columns.sku.as_deref()), (Some("Client"), Some("Product")));
        assert_eq!(map.price("S"), "0.10".parse().ok());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.toml");
        map.write(&path).unwrap();
        assert_eq!(MapFile::read(&path).unwrap(), map);
        assert!(map.write(&path).unwrap_err().to_string().ends_with("--save-map never replaces a file"));
    }

    #[test]
    fn invalid_map_is_one_line_with_the_place() {
        for (text, expected) in [
            ("[columns]\ncustomre = 'x'", "line 2: unknown field `customre`"),
            ("[columns", "line 1: "),
            ("[prices]\nS = 'much'", "price of `S`: `much` is not a decimal such as 1234.50"),
        ] {
            let line = read(text).unwrap_err();
            assert!(line.contains(expected) && line.lines().count() == 1, "{line}");
        }
    }
}
