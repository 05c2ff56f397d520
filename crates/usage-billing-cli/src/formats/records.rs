//! Results other than usage rows, such as sums: named columns in any text format.

use std::io;

use serde_json::Value;

use super::Format;
use super::columns;
use super::record_writer::RecordWriter;
use super::table::{Content, Display, Grid, GridColumn, LongText, MONEY_PLACES, PLACES, shortened};

/// Rows of named values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Records {
    pub(crate) columns: Vec<&'static str>,
    /// Columns that are decimals or integers.
    pub(crate) numbers: &'static [&'static str],
    /// Columns that tables have, however narrow they are.
    pub(crate) essential: &'static [&'static str],
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Records {
    /// Returns the records as text. Decimals are strings in JSON.
    ///
    /// # Errors
    /// For a format that is not text.
    pub(crate) fn text(&self, format: Format, width: Option<u16>) -> io::Result<String> {
        if format == Format::Table {
            return Ok(self.table(width));
        }
        let mut writer = RecordWriter::new(Vec::new(), self.columns.clone(), format)?;
        self.rows.iter().try_for_each(|row| writer.write(row))?;
        String::from_utf8(writer.finish()?).map_err(io::Error::other)
    }

    fn table(&self, width: Option<u16>) -> String {
        let is_empty = |index: usize| self.rows.iter().all(|row| row[index].is_null());
        // Such text is stated once, below the table.
        let is_constant = |index: usize| self.rows.windows(2).all(|rows| rows[0][index] == rows[1][index]);
        let column = |(name, index): (&&'static str, usize)| GridColumn {
            header: name.strip_prefix("is_").unwrap_or(name).replace('_', " ").to_uppercase(),
            content: if self.numbers.contains(name) { Content::Number } else { Content::Text },
            display: match *name {
                _ if is_empty(index) => Display::IfSpace,
                name if !self.numbers.contains(&name) && self.rows.len() > 1 && is_constant(index) => Display::IfSpace,
                name if self.essential.contains(&name) => Display::Always,
                // What a number counts.
                "unit" | "currency" | "is_billable" | "month" => Display::IfDiffers,
                _ => Display::IfSpace,
            },
        };
        let cell = |(value, name): (&Value, &&'static str)| {
            let text = columns::text(value);
            match *name {
                name if name.starts_with("amount") || name == "cost" => shortened(&text, MONEY_PLACES),
                name if self.numbers.contains(&name) => shortened(&text, PLACES),
                _ => text,
            }
        };
        let rows = self.rows.iter().map(|row| row.iter().zip(&self.columns).map(cell).collect()).collect();
        let columns = self.columns.iter().zip(0..).map(column).collect();
        Grid { columns, rows, long_text: LongText::Wrapped }.render(width)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_have_the_same_values_in_every_format() {
        let records = Records {
            columns: vec!["sku", "amount", "rows"],
            numbers: &["amount", "rows"],
            essential: &["rows"],
            rows: vec![vec![json!("A, B"), json!("0.1234567"), json!(2)], vec![json!("C"), Value::Null, json!(2)]],
        };
        let text = |format| records.text(format, None).unwrap();
        assert_eq!(text(Format::Csv), "sku,amount,rows\n\"A, B\",0.1234567,2\nC,,2\n");
        let line = r#"{"amount":"0.1234567","rows":2,"sku":"A, B"}"#;
        assert_eq!(text(Format::Jsonl).lines().next(), Some(line));
        assert_eq!(serde_json::from_str::<Vec<Value>>(&text(Format::Json)).unwrap().len(), 2);
        assert_eq!(text(Format::Table), "SKU   AMOUNT  ROWS\nA, B   0.12…     2\nC                2\n");
        assert!(records.text(Format::Xlsx, None).is_err());
    }
}
