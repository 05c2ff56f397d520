//! The lines of an invoice.

use usage_billing::{Decimal, printable};

use super::map_file::InvoiceColumns;
use super::number::{self, DecimalSign};
use crate::commands::usage::names::normalized;
use crate::commands::usage::sheet::Sheet;
use crate::exit::Failure;
use crate::suggestion::similar;

/// An invoice whose columns were found.
#[derive(Debug)]
pub(super) struct Invoice {
    /// The headers that were used.
    pub(super) columns: InvoiceColumns,
    pub(super) lines: Vec<InvoiceLine>,
    /// Numbers of lines without customer and SKU, such as totals.
    pub(super) skipped: Vec<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct InvoiceLine {
    pub(super) number: usize,
    pub(super) customer: String,
    pub(super) sku: String,
    pub(super) unit: Option<String>,
    pub(super) quantity: Decimal,
    pub(super) price: Option<Decimal>,
    pub(super) amount: Option<Decimal>,
    pub(super) currency: Option<String>,
}

impl Invoice {
    /// Finds the columns and reads the lines.
    ///
    /// # Errors
    /// For a required column that is not found, and for a number that can be read in two ways.
    pub(super) fn read(sheet: &Sheet, columns: &InvoiceColumns, sign: DecimalSign) -> Result<Self, Failure> {
        let find = |role: &str, header: &Option<String>, usual: &[&str]| find(sheet, role, header.as_deref(), usual);
        let customer = required(
            "customer",
            find(
                "customer",
                &columns.customer,
                &[
                    "customer",
                    "customer name",
                    "customer_name",
                    "client",
                    "company",
                    "account",
                    "tenant",
                    "customer_id",
                ],
            )?,
            sheet,
        )?;
        let sku = required(
            "sku",
            find(
                "sku",
                &columns.sku,
                &["sku", "product", "item", "part number", "product code", "item code", "service"],
            )?,
            sheet,
        )?;
        let quantity = required(
            "quantity",
            find("quantity", &columns.quantity, &["quantity", "qty", "units", "usage", "billed quantity"])?,
            sheet,
        )?;
        let price = find("price", &columns.price, &["price", "unit price", "unit_price", "rate"])?;
        let amount = find("amount", &columns.amount, &["amount", "total", "line total", "net amount", "net"])?;
        let currency = find("currency", &columns.currency, &["currency"])?;
        let unit = find("unit", &columns.unit, &["unit", "uom", "unit of measure"])?;
        let (mut lines, mut skipped) = (Vec::new(), Vec::new());
        for (line, cells) in &sheet.lines {
            let cell = |column: usize| cells.get(column).map_or("", String::as_str);
            let optional = |column: Option<usize>| column.map(cell).filter(|text| !text.is_empty());
            if cell(customer).is_empty() && cell(sku).is_empty() {
                skipped.push(*line);
                continue;
            }
            let number = |column: usize| {
                number::parse(cell(column), sign).map_err(|reason| {
                    let header = printable(&sheet.headers[column]).to_string();
                    Failure::Usage(format!("`{}`, line {line}, column {header}: {reason}", sheet.name))
                })
            };
            let optional_number =
                |column: Option<usize>| column.filter(|column| !cell(*column).is_empty()).map(number).transpose();
            lines.push(InvoiceLine {
                number: *line,
                customer: cell(customer).to_owned(),
                sku: cell(sku).to_owned(),
                unit: optional(unit).map(str::to_owned),
                quantity: number(quantity)?,
                price: optional_number(price)?,
                amount: optional_number(amount)?,
                currency: optional(currency).map(str::to_uppercase),
            });
        }
        let header = |column: Option<usize>| column.map(|column| sheet.headers[column].clone());
        let columns = InvoiceColumns {
            customer: header(Some(customer)),
            sku: header(Some(sku)),
            quantity: header(Some(quantity)),
            price: header(price),
            amount: header(amount),
            currency: header(currency),
            unit: header(unit),
        };
        Ok(Self { columns, lines, skipped })
    }
}

/// Returns the column with a header, or else with one of the usual ones.
fn find(sheet: &Sheet, role: &str, header: Option<&str>, usual: &[&str]) -> Result<Option<usize>, Failure> {
    let is_header = |name: &str, header: &str| normalized(header) == normalized(name);
    let position = |name: &str| sheet.headers.iter().position(|header| is_header(name, header));
    let found = header.map_or_else(|| usual.iter().find_map(|name| position(name)), position);
    if let Some(found) = found
        && sheet.headers[found + 1..].iter().any(|other| is_header(&sheet.headers[found], other))
    {
        let header = printable(&sheet.headers[found]).to_string();
        return Err(Failure::Usage(format!(
            "`{}` has several columns `{header}` for the {role}: rename all but one of them",
            sheet.name
        )));
    }
    let Some(header) = header else { return Ok(found) };
    found.map(Some).ok_or_else(|| {
        let advice = match similar(header, sheet.headers.iter().map(String::as_str)) {
            Some(similar) => format!("did you mean `{}`?", printable(similar)),
            None => format!("it has {}", headers(sheet)),
        };
        Failure::Usage(format!("`{}` has no column `{}` for the {role}: {advice}", sheet.name, printable(header)))
    })
}

fn required(role: &str, column: Option<usize>, sheet: &Sheet) -> Result<usize, Failure> {
    column.ok_or_else(|| {
        let line = format!("the column of the {role} is unknown: set --{role}-column to one of {}", headers(sheet));
        Failure::Usage(format!("`{}`: {line}", sheet.name))
    })
}

fn headers(sheet: &Sheet) -> String {
    let headers: Vec<_> = sheet.headers.iter().map(|header| format!("`{}`", printable(header))).collect();
    headers.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(headers: &[&str], lines: &[&[&str]]) -> Sheet {
        let cells_of = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        Sheet {
            name: "a.csv".to_owned(),
            headers: cells_of(headers),
            lines: lines.iter().zip(2..).map(|(line, number)| (number, cells_of(line))).collect(),
        }
    }

    #[test]
    fn columns_are_found_by_usual_headers_or_flags() {
        let sheet =
            sheet(&["Client", "Item", "Qty", "Rate"], &[&["Birch", "S", "1,000.5", ""], &["", "", "1000.5", "total"]]);
        let invoice = Invoice::read(&sheet, &InvoiceColumns::default(), DecimalSign::default()).unwrap();
        assert_eq!((invoice.lines.len(), &*invoice.skipped), (1, &[3][..]));
        assert_eq!(invoice.lines[0].quantity, "1000.5".parse().unwrap());
        assert_eq!(invoice.columns.price.as_deref(), Some("Rate"));
    }

    #[test]
    fn header_of_several_columns_is_one_line() {
        for columns in
            [InvoiceColumns::default(), InvoiceColumns { quantity: Some("qty".into()), ..Default::default() }]
        {
            let sheet = sheet(&["Client", "Item", "Qty", "QTY"], &[&["Birch", "S", "1", "2"]]);
            let line = Invoice::read(&sheet, &columns, DecimalSign::default()).unwrap_err().to_string();
            assert_eq!(line, "`a.csv` has several columns `Qty` for the quantity: rename all but one of them");
        }
    }

    #[test]
    fn unknown_column_and_number_are_one_line() {
        let sheet = sheet(&["Client", "Item", "Number"], &[&["Birch", "S", "x"]]);
        let read =
            |columns: &InvoiceColumns| Invoice::read(&sheet, columns, DecimalSign::default()).unwrap_err().to_string();
        let line = "`a.csv`: the column of the quantity is unknown: set --quantity-column to one of `Client`, `Item`, `Number`";
        assert_eq!(read(&InvoiceColumns::default()), line);
        let columns = |header: &str| InvoiceColumns { quantity: Some(header.to_owned()), ..InvoiceColumns::default() };
        assert_eq!(
            read(&columns("Numbers")),
            "`a.csv` has no column `Numbers` for the quantity: did you mean `Number`?"
        );
        assert_eq!(read(&columns("number")), "`a.csv`, line 2, column Number: `x` is not a number");
    }
}
