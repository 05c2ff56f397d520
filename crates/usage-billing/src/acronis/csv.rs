//! `csv_v2_0`: a header of dotted names, then a line for each row.

use csv_async::{AsyncReader, AsyncReaderBuilder, StringRecord};
use futures_util::stream::{self, BoxStream, StreamExt};
use usage_billing_core::{Error, Result};

use super::ReportRow;
use super::columns::Columns;
use super::download::{Reader, unreadable};

/// Bytes that are unpacked at a time: with csv-async's own 8 KiB more time goes into asking than into reading.
const BUFFER: usize = 64 * 1024;

pub(super) fn rows(reader: Reader) -> BoxStream<'static, Result<ReportRow>> {
    // Boxed: it is moved in and out for each row.
    let lines = Box::new(Lines {
        reader: AsyncReaderBuilder::new().buffer_capacity(BUFFER).create_reader(reader),
        columns: None,
        record: StringRecord::new(),
        number: 0,
    });
    stream::try_unfold(lines, |mut lines| async move { Ok(lines.next().await?.map(|row| (row, lines))) }).boxed()
}

struct Lines {
    reader: AsyncReader<Reader>,
    columns: Option<Columns>,
    /// Used again for each line.
    record: StringRecord,
    number: u64,
}

impl Lines {
    async fn next(&mut self) -> Result<Option<ReportRow>> {
        let columns = match &self.columns {
            Some(columns) => columns,
            None => self.columns.insert(Columns::new(self.reader.headers().await.map_err(broken)?)?),
        };
        if !self.reader.read_record(&mut self.record).await.map_err(broken)? {
            return Ok(None);
        }
        self.number += 1;
        columns.row(self.number, &self.record).map(Some)
    }
}

/// csv-async hands a cause on by its kind only, not as a source.
fn broken(error: csv_async::Error) -> Error {
    let message = error.to_string();
    match error.into_kind() {
        csv_async::ErrorKind::Io(cause) => unreadable(cause),
        _ => unreadable(std::io::Error::other(message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt;

    const HEADER: &str = "date,is_range,measurement_unit,name,tenant.id,tenant.kind,tenant.name,application.name,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total";
    const REST: &str = ",backup,1,2,3,4,5,-6";

    async fn read(text: String) -> Result<Vec<ReportRow>> {
        rows(Box::pin(std::io::Cursor::new(text))).try_collect().await
    }

    #[tokio::test]
    async fn quotes_line_ends_and_empty_lines_are_those_of_csv() {
        let name = "\"Birch, \"\"Inc.\"\"\n株式会社\"";
        for end in ["\n", "\r\n"] {
            let line = format!("2026-10-31,False,,seats,t-1,customer,{name}{REST}{end}");
            let rows = read([HEADER, end, &line, end, &line].concat()).await.unwrap();
            assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2]);
            assert_eq!(rows[1].tenant_name, "Birch, \"Inc.\"\n株式会社");
            assert_eq!(rows[1].delta.total, (-6).into());
        }
        assert!(read(format!("{HEADER}\n")).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_call_that_breaks_off_is_told_as_it_is() {
        let lost = Error::new(usage_billing_core::ErrorKind::Connection, "connection lost");
        let chunks = [Ok(bytes::Bytes::from(format!("{HEADER}\n2026"))), Err(lost)];
        let reader = super::super::download::Arriving::new(stream::iter(chunks)).await.unwrap().plain();
        let error = rows(reader).try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (usage_billing_core::ErrorKind::Connection, "connection lost"));
    }

    #[tokio::test]
    async fn a_line_that_is_too_short_is_told_and_ends_the_rows() {
        let error = read(format!("{HEADER}\n2026-10-31,False\n")).await.unwrap_err().to_string();
        assert!(error.starts_with("the report's file cannot be read: ") && error.contains("line: 2"), "{error}");
        let error = read(String::new()).await.unwrap_err().to_string();
        assert!(error.starts_with("the report lacks tenant.id"), "{error}");
    }
}
