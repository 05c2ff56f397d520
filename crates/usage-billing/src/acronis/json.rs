//! `json_v2_0`: an object whose list `tenants` holds the rows, each the columns of `csv_v2_0` unfolded at their dots.
//!
//! The form of a row is inferred (Acronis says that both formats hold the same data): it is folded back into columns, so that both are
//! read by the same rules.

use csv_async::StringRecord;
use futures_util::stream::{self, BoxStream, StreamExt};
use json_event_parser::{JsonEvent, TokioAsyncReaderJsonParser};
use usage_billing_core::{Error, ErrorKind, Result};

use super::ReportRow;
use super::columns::Columns;
use super::download::{Reader, unreadable};

/// Name of the list of rows.
const ROWS: &str = "tenants";
/// The longest single name, text or number.
const LONGEST_TOKEN: usize = 1 << 20;

pub(super) fn rows(reader: Reader) -> BoxStream<'static, Result<ReportRow>> {
    let objects = Objects {
        parser: TokioAsyncReaderJsonParser::new(reader).with_max_buffer_size(LONGEST_TOKEN),
        stage: Stage::Before,
        names: StringRecord::new(),
        cells: StringRecord::new(),
        columns: None,
        number: 0,
    };
    stream::try_unfold(objects, |mut objects| async move { Ok(objects.next().await?.map(|row| (row, objects))) })
        .boxed()
}

struct Objects {
    parser: TokioAsyncReaderJsonParser<Reader>,
    stage: Stage,
    /// Dotted names of the present row, and what they hold; used again for each row.
    names: StringRecord,
    cells: StringRecord,
    /// Of the last row: nearly always the next one has the same.
    columns: Option<(StringRecord, Columns)>,
    number: u64,
}

#[derive(Clone, Copy)]
enum Stage {
    Before,
    Within,
    After,
}

impl Objects {
    async fn next(&mut self) -> Result<Option<ReportRow>> {
        if let Stage::Before = self.stage {
            self.find_rows().await?;
            self.stage = Stage::Within;
        }
        if let Stage::Within = self.stage {
            match self.parser.parse_next().await.map_err(unreadable)? {
                JsonEvent::StartObject => return self.row().await.map(Some),
                JsonEvent::EndArray => self.stage = Stage::After,
                _ => return Err(unexpected("a row is no object")),
            }
        }
        // To the end: a file that is cut off is an error even if all rows seem to be there, and so is one with more rows.
        let mut depth = 1u32;
        loop {
            match self.parser.parse_next().await.map_err(unreadable)? {
                JsonEvent::StartObject | JsonEvent::StartArray => depth += 1,
                JsonEvent::EndObject | JsonEvent::EndArray => depth = depth.saturating_sub(1),
                JsonEvent::ObjectKey(name) if depth == 1 && name == ROWS => {
                    return Err(unexpected("it has two lists `tenants`"));
                }
                JsonEvent::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    /// Up to the beginning of the list.
    async fn find_rows(&mut self) -> Result<()> {
        let mut depth = 0u32;
        let mut found = false;
        loop {
            match self.parser.parse_next().await.map_err(unreadable)? {
                JsonEvent::StartArray if found => return Ok(()),
                JsonEvent::StartObject | JsonEvent::StartArray => depth += 1,
                JsonEvent::EndObject | JsonEvent::EndArray => depth = depth.saturating_sub(1),
                JsonEvent::ObjectKey(name) => {
                    found = depth == 1 && name == ROWS;
                    continue;
                }
                JsonEvent::Eof => return Err(unexpected("it has no list `tenants`")),
                _ => {}
            }
            found = false;
        }
    }

    /// After the row's opening brace.
    async fn row(&mut self) -> Result<ReportRow> {
        self.names.clear();
        self.cells.clear();
        // Dotted name of what is read, and where it ends for each object or list around.
        let mut name = String::new();
        let mut around = vec![Around { end: 0, entries: None }];
        while let Some(innermost) = around.last_mut() {
            let event = self.parser.parse_next().await.map_err(unreadable)?;
            if let JsonEvent::ObjectKey(key) = event {
                name.truncate(innermost.end);
                name.push_str(&key);
                continue;
            }
            if let JsonEvent::EndObject | JsonEvent::EndArray = event {
                around.pop();
                continue;
            }
            if let Some(entries) = &mut innermost.entries {
                name.truncate(innermost.end);
                name.push_str(&entries.to_string());
                *entries += 1;
            }
            let cell = match &event {
                JsonEvent::String(text) | JsonEvent::Number(text) => text,
                JsonEvent::Boolean(true) => "true",
                JsonEvent::Boolean(false) => "false",
                JsonEvent::StartObject | JsonEvent::StartArray => {
                    name.push('.');
                    let entries = (event == JsonEvent::StartArray).then_some(0);
                    around.push(Around { end: name.len(), entries });
                    continue;
                }
                _ => "",
            };
            self.names.push_field(&name);
            self.cells.push_field(cell);
        }
        self.number += 1;
        let columns = match self.columns.take() {
            Some((names, columns)) if names == self.names => (names, columns),
            _ => (self.names.clone(), Columns::new(&self.names)?),
        };
        self.columns.insert(columns).1.row(self.number, &self.cells)
    }
}

/// An object or a list that is not read to its end.
struct Around {
    /// Where the name of each entry begins.
    end: usize,
    /// Of a list: entries so far. They are named by their place.
    entries: Option<u64>,
}

fn unexpected(what: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the report's file cannot be read as json_v2_0: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt;
    use serde_json::{Value, json};
    use usage_billing_core::Decimal;

    fn object() -> Value {
        let amounts = json!({"production": 1, "trial": 2, "total": 3});
        json!({
            "tenant": {"id": "t-1", "kind": "customer", "name": "Birch, \"Inc.\" 株式会社", "customer_id": null},
            "application": {"id": "a-1", "name": "backup"},
            "infra": null,
            "date": "2026-10-31",
            "name": "pw_base_storage",
            "measurement_unit": "bytes",
            "is_range": false,
            "quota": {"value": null},
            "usage": {"absolute": amounts, "delta": amounts, "effective": amounts},
        })
    }

    async fn read(text: impl Into<String>) -> Result<Vec<ReportRow>> {
        rows(Box::pin(std::io::Cursor::new(text.into()))).try_collect().await
    }

    #[tokio::test]
    async fn rows_are_read_wherever_the_list_stands() {
        let params = json!({"kind": 5, "tenants": ["no row"], "deep": [{"tenants": []}]});
        for file in [
            json!({"params": params, "tenants": [object(), object()]}),
            json!({"tenants": [object(), object()], "zzz": params}),
        ] {
            let rows = read(file.to_string()).await.unwrap();
            assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2]);
            let row = &rows[1];
            assert_eq!((row.tenant_name.as_str(), row.customer_id.as_deref()), ("Birch, \"Inc.\" 株式会社", None));
            assert_eq!((row.effective.unwrap().total, row.quota, row.is_range), (3.into(), None, false));
        }
        assert!(read(r#"{"tenants": []}"#).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn numbers_keep_their_digits_and_unknown_fields_are_kept() {
        let mut row = object();
        row["sku"] = json!("S-1");
        row["vendor"] = json!({"list": [1, {"a": true}], "note": "x"});
        let text = json!({"tenants": [object(), row, object()]}).to_string();
        let rows = read(text.replacen("\"total\":3", "\"total\":12345678901234567.123456789", 1)).await.unwrap();
        assert_eq!(rows[0].absolute.total, "12345678901234567.123456789".parse::<Decimal>().unwrap());
        assert_eq!(rows[1].sku.as_deref(), Some("S-1"));
        let other: Vec<_> = rows[1].other.iter().map(|(name, cell)| (&**name, cell.as_str())).collect();
        assert_eq!(other, [("infra", ""), ("vendor.list.0", "1"), ("vendor.list.1.a", "true"), ("vendor.note", "x")]);
        assert_eq!(rows[2].sku, None);
    }

    #[tokio::test]
    async fn what_is_no_report_says_why() {
        let mut without = object();
        without["tenant"].as_object_mut().unwrap().remove("id");
        for (text, said) in [
            ("{}".to_owned(), "it has no list `tenants`"),
            ("[]".to_owned(), "it has no list `tenants`"),
            (r#"{"tenants": null}"#.to_owned(), "it has no list `tenants`"),
            (r#"{"tenants": [7]}"#.to_owned(), "a row is no object"),
            (json!({"tenants": [without]}).to_string(), "the report lacks tenant.id"),
            (r#"{"tenants": [], "params": {"tenants": []}, "tenants": []}"#.to_owned(), "it has two lists `tenants`"),
            ("<html>".to_owned(), "the report's file cannot be read: "),
        ] {
            let error = read(text.clone()).await.unwrap_err();
            assert!(error.kind() == ErrorKind::Decode && error.message().contains(said), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_cut_off_anywhere_is_an_error() {
        let text = json!({"params": {"kind": 5}, "tenants": [object()]}).to_string();
        for length in (1..text.len()).filter(|length| text.is_char_boundary(*length)) {
            assert!(read(&text[..length]).await.is_err(), "{}", &text[..length]);
        }
    }
}
