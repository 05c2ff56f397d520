//! `json_v2_0`: an object whose array `tenants` contains the rows, each with the columns of `csv_v2_0` nested at their dots.
//!
//! The shape of a row is inferred (Acronis states that both formats contain the same data). It is flattened into columns, so that both formats
//! are read by the same rules.

use std::io;

use futures_util::stream::{self, BoxStream, StreamExt};
use json_event_parser::{JsonEvent, JsonParseError, TokioAsyncReaderJsonParser};
use usage_billing_core::{Error, ErrorKind, Result};

use crate::acronis::ReportRow;
use crate::acronis::billing::item_names::needs_host;
use crate::acronis::report_file::columns::{Columns, Shape};
use crate::acronis::report_file::limits::{COLUMNS, DEPTH, RECORD_BYTES, exceeded};
use crate::acronis::report_file::meter::Meter;
use crate::acronis::report_file::metered::Metered;
use crate::acronis::report_file::record::RecordBuf;
use crate::acronis::reports::download::{Reader, unreadable};

/// Name of the array of rows.
const ROWS: &str = "tenants";

pub(crate) fn rows(reader: Reader) -> BoxStream<'static, Result<ReportRow>> {
    stream::try_unfold(Box::new(RowParser::new(reader)), |mut objects| async move {
        Ok(objects.next().await?.map(|row| (row, objects)))
    })
    .boxed()
}

/// Checks that a file with this prefix has an array of rows.
///
/// # Errors
/// As [`rows`].
pub(crate) async fn check_prefix(prefix: Reader) -> Result<()> {
    RowParser::new(prefix).find_rows().await
}

struct RowParser {
    parser: TokioAsyncReaderJsonParser<Reader>,
    /// Bytes since the end of the last row.
    meter: Meter,
    state: State,
    /// Dotted names and values of the current row; the buffers are reused for each row.
    names: RecordBuf,
    cells: RecordBuf,
    /// The columns of the last row; the next one nearly always has the same.
    columns: Option<(RecordBuf, Columns)>,
    /// The number of rows so far.
    number: u64,
}

/// The position of the parser relative to the array of rows.
#[derive(Clone, Copy)]
enum State {
    Before,
    Within,
    After,
}

impl RowParser {
    fn new(reader: Reader) -> Self {
        let meter = Meter::default();
        let reader: Reader = Box::pin(Metered::new(reader, meter.clone()));
        Self {
            // The meter fails first: it counts from the end of the last row.
            parser: TokioAsyncReaderJsonParser::new(reader).with_max_buffer_size(2 * RECORD_BYTES as usize),
            meter,
            state: State::Before,
            names: RecordBuf::default(),
            cells: RecordBuf::default(),
            columns: None,
            number: 0,
        }
    }

    async fn next(&mut self) -> Result<Option<ReportRow>> {
        if let State::Before = self.state {
            self.find_rows().await?;
            self.meter.reset();
            self.state = State::Within;
        }
        if let State::Within = self.state {
            match self.event().await? {
                JsonEvent::StartObject => {
                    let row = self.row().await?;
                    self.meter.reset();
                    return Ok(Some(row));
                }
                JsonEvent::EndArray => self.state = State::After,
                _ => return Err(unexpected(&format!("row {} is not an object", self.number + 1))),
            }
        }
        // The rest is read as well: a truncated file, or one with a second array of rows, is an error.
        let mut depth = 1;
        loop {
            match self.event().await? {
                JsonEvent::StartObject | JsonEvent::StartArray => depth = self.descend(depth)?,
                JsonEvent::EndObject | JsonEvent::EndArray => depth = depth.saturating_sub(1),
                JsonEvent::ObjectKey(name) if depth == 1 && name == ROWS => {
                    return Err(unexpected("it has two arrays `tenants`"));
                }
                JsonEvent::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    /// Reads up to the start of the array of rows.
    async fn find_rows(&mut self) -> Result<()> {
        let mut depth = 0;
        let mut found = false;
        loop {
            match self.event().await? {
                JsonEvent::StartArray if found => return Ok(()),
                JsonEvent::StartObject | JsonEvent::StartArray => depth = self.descend(depth)?,
                JsonEvent::EndObject | JsonEvent::EndArray => depth = depth.saturating_sub(1),
                JsonEvent::ObjectKey(name) => {
                    found = depth == 1 && name == ROWS;
                    continue;
                }
                JsonEvent::Eof => return Err(unexpected("it has no array `tenants`")),
                _ => {}
            }
            found = false;
        }
    }

    /// Reads a row after its opening brace.
    async fn row(&mut self) -> Result<ReportRow> {
        self.names.clear();
        self.cells.clear();
        // The dotted name of the current value, and its prefix for each enclosing object or array.
        let mut name = String::new();
        let place = self.place();
        let mut containers = vec![Container { end: 0, entries: None, names: 0 }];
        while let Some(innermost) = containers.last_mut() {
            let event = event(&mut self.parser, &place).await?;
            if let JsonEvent::ObjectKey(key) = event {
                name.truncate(innermost.end);
                name.push_str(&key);
                continue;
            }
            if let JsonEvent::EndObject | JsonEvent::EndArray = event {
                // An empty object is a value like null.
                if innermost.names == self.names.len() && innermost.end > 0 {
                    self.names.push(&name[..innermost.end - 1]);
                    self.cells.push("");
                }
                containers.pop();
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
                    // The object of the file and the array of rows add two levels.
                    if containers.len() + 2 >= DEPTH {
                        return Err(too_deep(&place));
                    }
                    containers.push(Container { end: name.len(), entries, names: self.names.len() });
                    continue;
                }
                _ => "",
            };
            self.names.push(&name);
            self.cells.push(cell);
            if self.names.len() > COLUMNS {
                return Err(exceeded(&place, &format!("{COLUMNS} values for one row")));
            }
            // Names repeat those of the enclosing objects, so their sum is not bounded by the bytes that were read.
            if (self.names.size() + self.cells.size()) as u64 > RECORD_BYTES {
                return Err(too_long(&place));
            }
        }
        self.number += 1;
        let columns = match self.columns.take() {
            Some((names, columns)) if names == self.names => (names, columns),
            _ => (self.names.clone(), Columns::new(self.names.as_record(), Shape::Object)?),
        };
        let columns = &self.columns.insert(columns).1;
        let row = columns.row(self.number, self.cells.as_record())?;
        if needs_host(&row.name, row.measurement_unit.as_deref()) && !columns.state_component(&row) {
            let message = format!(
                "{place} is of storage and lacks infra.id and infra.owner_id: whose storage it is decides whether it is billed"
            );
            return Err(Error::new(ErrorKind::Decode, message));
        }
        Ok(row)
    }

    async fn event(&mut self) -> Result<JsonEvent<'_>> {
        let place = self.place();
        event(&mut self.parser, &place).await
    }

    /// Returns the current position, for errors.
    fn place(&self) -> String {
        match self.state {
            State::Before => "the file before its first row".to_owned(),
            State::Within => format!("row {}", self.number + 1),
            State::After => "the file after its last row".to_owned(),
        }
    }

    fn descend(&self, depth: usize) -> Result<usize> {
        if depth >= DEPTH { Err(too_deep(&self.place())) } else { Ok(depth + 1) }
    }
}

async fn event<'a>(parser: &'a mut TokioAsyncReaderJsonParser<Reader>, place: &str) -> Result<JsonEvent<'a>> {
    parser.parse_next().await.map_err(|error| match &error {
        // The limit of the parser's buffer, or of the meter.
        JsonParseError::Io(cause) if cause.kind() == io::ErrorKind::OutOfMemory => too_long(place),
        _ => unreadable(error),
    })
}

/// An object or array that is being read.
struct Container {
    /// The length of the name prefix of its entries.
    end: usize,
    /// The number of values before it.
    names: usize,
    /// For an array, the number of entries so far; entries are named by their index.
    entries: Option<u64>,
}

fn too_long(place: &str) -> Error {
    exceeded(place, "1 MiB for one row")
}

fn too_deep(place: &str) -> Error {
    exceeded(place, &format!("{DEPTH} nested objects and arrays"))
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
    async fn rows_are_read_at_any_position_of_the_array() {
        let params = json!({"kind": 5, "tenants": ["not a row"], "deep": [{"tenants": []}]});
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
    async fn row_without_a_component_states_so() {
        for without in [json!(null), json!({}), json!([])] {
            let mut row = object();
            row["infra"] = without;
            let rows = read(json!({"tenants": [row]}).to_string()).await.unwrap();
            assert_eq!((&rows[0].infra_id, &rows[0].infra_owner_id), (&None, &None));
        }
        let mut row = object();
        let component = row.as_object_mut().unwrap().remove("infra").unwrap();
        for (without, is_valid) in [
            (json!({"location": component}), false),
            (json!({"infra": "Acronis Cloud"}), false),
            (json!({"infra": {"name": "Acronis Cloud"}}), false),
            (json!({"infra": {"id": "i-1"}}), true),
            (json!({"infra": {"owner_id": "o-1"}}), true),
            (json!({"name": "pw_base_servers", "measurement_unit": null}), true),
            // Totals are never charged, and services on any host.
            (json!({"name": "total_storage"}), true),
            (json!({"name": "pw_base_notary_storage"}), true),
        ] {
            let mut row = row.clone();
            row.as_object_mut().unwrap().extend(without.as_object().unwrap().clone());
            match read(json!({"tenants": [object(), row]}).to_string()).await {
                Ok(rows) => assert!(is_valid && rows.len() == 2, "{without}"),
                Err(error) => {
                    let expected = "row 2 is of storage and lacks infra.id and infra.owner_id";
                    assert!(!is_valid && error.message().starts_with(expected), "{without}: {error}");
                }
            }
        }
    }

    #[tokio::test]
    async fn invalid_report_error_states_the_reason() {
        let mut without = object();
        without["tenant"].as_object_mut().unwrap().remove("id");
        for (text, expected) in [
            ("{}".to_owned(), "it has no array `tenants`"),
            ("[]".to_owned(), "it has no array `tenants`"),
            (r#"{"tenants": null}"#.to_owned(), "it has no array `tenants`"),
            (r#"{"tenants": [7]}"#.to_owned(), "row 1 is not an object"),
            (json!({"tenants": [without]}).to_string(), "the report lacks tenant.id"),
            (r#"{"tenants": [], "params": {"tenants": []}, "tenants": []}"#.to_owned(), "it has two arrays `tenants`"),
            ("<html>".to_owned(), "the report's file cannot be read: "),
        ] {
            let error = read(text.clone()).await.unwrap_err();
            assert!(error.kind() == ErrorKind::Decode && error.message().contains(expected), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn file_truncated_anywhere_is_an_error() {
        let text = json!({"params": {"kind": 5}, "tenants": [object()]}).to_string();
        for length in (1..text.len()).filter(|length| text.is_char_boundary(*length)) {
            assert!(read(&text[..length]).await.is_err(), "{}", &text[..length]);
        }
    }
}
