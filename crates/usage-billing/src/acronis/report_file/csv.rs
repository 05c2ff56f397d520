//! `csv_v2_0`: a header of dotted names, then a line for each row.
//!
//! It uses `csv-core` instead of a reader that returns records, because such a reader keeps records of any length in memory. Nearly all lines
//! have no quotes: [`csv_line`] splits these in a third of the time.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use csv_core::{ReadRecordResult, Reader as Parser};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::AsyncReadExt;
use usage_billing_core::{Error, ErrorKind, Result};

use crate::acronis::ReportRow;
use crate::acronis::report_file::columns::{Columns, Shape};
use crate::acronis::report_file::csv_line;
use crate::acronis::report_file::limits::{COLUMNS, RECORD_BYTES, exceeded};
use crate::acronis::report_file::record::Record;
use crate::acronis::reports::download::{BufferedReader, Reader, ReportBody, buffered, unreadable};

/// U+FEFF. csv-core skips it only if it arrives in one piece.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// The row number of the header.
const HEADER: u64 = 0;

pub(crate) fn rows(body: ReportBody) -> Rows {
    let detects_truncation = body.detects_truncation();
    let opening = async move {
        let mut records = Records::new(body.decompressed_buffered(), detects_truncation);
        let columns = records.header().await?;
        Ok(Box::new((records, columns)))
    };
    Rows { source: Source::Opening(opening.boxed()), number: 0 }
}

/// Checks that a file with this prefix has a header with the columns of a report.
///
/// # Errors
/// As [`rows`].
pub(crate) async fn check_prefix(prefix: Reader) -> Result<()> {
    Records::new(buffered(prefix), true).header().await.map(drop)
}

/// The rows of a file. No row follows an error.
pub(crate) struct Rows {
    source: Source,
    /// The number of the last row, from 1.
    number: u64,
}

enum Source {
    Opening(BoxFuture<'static, Result<Box<(Records, Columns)>>>),
    Open(Box<(Records, Columns)>),
    /// The end of the file, or an error.
    End,
}

impl Rows {
    /// Overwrites `row` with the next one; returns `false` at the end. The row is large, and each surrounding future would move it once more:
    /// therefore this is polled, and the row is not returned.
    pub(crate) fn poll_next_into(&mut self, context: &mut Context<'_>, row: &mut ReportRow) -> Poll<Result<bool>> {
        let read = ready!(self.poll_row(context, row));
        if !matches!(read, Ok(true)) {
            self.source = Source::End;
        }
        Poll::Ready(read)
    }

    fn poll_row(&mut self, context: &mut Context<'_>, row: &mut ReportRow) -> Poll<Result<bool>> {
        let (records, columns) = loop {
            match &mut self.source {
                Source::Opening(opening) => self.source = Source::Open(ready!(opening.as_mut().poll(context))?),
                Source::Open(file) => break &mut **file,
                Source::End => return Poll::Ready(Ok(false)),
            }
        };
        let number = self.number + 1;
        if !ready!(records.poll_read(number, context))? {
            return Poll::Ready(Ok(false));
        }
        self.number = number;
        if records.columns != columns.count() {
            let message = format!(
                "row {number} of the report (line {}) has {} columns, but the header has {}",
                records.line,
                records.columns,
                columns.count()
            );
            return Poll::Ready(Err(Error::new(ErrorKind::Decode, message)));
        }
        Poll::Ready(columns.fill(row, number, records.record(number)?).map(|()| true))
    }
}

/// The records of a file, one at a time in the same buffers.
struct Records {
    reader: BufferedReader,
    parser: Parser,
    /// The cells of the current record, with spare capacity.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The used part of `bytes`.
    size: usize,
    columns: usize,
    /// Whether the record is a line with its commas.
    is_line: bool,
    /// Bytes that csv-core has consumed for the current record.
    consumed: u64,
    /// The line on which the record begins, including blank lines before it.
    line: u64,
    last_byte: Option<u8>,
    detects_truncation: bool,
}

impl Records {
    fn new(reader: BufferedReader, detects_truncation: bool) -> Self {
        Self {
            reader,
            parser: Parser::new(),
            bytes: vec![0; 1024],
            ends: vec![0; 64],
            size: 0,
            columns: 0,
            is_line: false,
            consumed: 0,
            line: 1,
            last_byte: None,
            detects_truncation,
        }
    }

    /// Reads the first record, which names the columns.
    async fn header(&mut self) -> Result<Columns> {
        self.skip_byte_order_mark().await?;
        self.read(HEADER).await?;
        Columns::new(self.record(HEADER)?, Shape::Table)
    }

    async fn skip_byte_order_mark(&mut self) -> Result<()> {
        let mut prefix = [0; 3];
        let mut length = 0;
        while length < prefix.len() {
            match self.reader.read(&mut prefix[length..]).await.map_err(unreadable)? {
                0 => break,
                read => length += read,
            }
        }
        if prefix[..length] != BYTE_ORDER_MARK {
            let rest = std::mem::replace(&mut self.reader, Box::pin(tokio::io::empty()));
            self.reader = Box::pin(std::io::Cursor::new(prefix).take(length as u64).chain(rest));
        }
        Ok(())
    }

    /// Reads the next record, which is row `number`; `false` at the end of the file.
    async fn read(&mut self, number: u64) -> Result<bool> {
        poll_fn(|context| self.poll_read(number, context)).await
    }

    fn poll_read(&mut self, number: u64, context: &mut Context<'_>) -> Poll<Result<bool>> {
        loop {
            let input = ready!(self.reader.as_mut().poll_fill_buf(context)).map_err(unreadable)?;
            if self.consumed == 0 {
                if self.last_byte == Some(b'\r') && input.first() == Some(&b'\n') {
                    // csv-core ended the record before this line feed.
                    self.parser.set_line(self.parser.line() + 1);
                    self.last_byte = Some(b'\n');
                    self.reader.as_mut().consume(1);
                    continue;
                }
                (self.size, self.columns, self.line) = (0, 0, self.parser.line());
                // csv-core looks for a byte order mark before the first record that it reads.
                let length =
                    if number == HEADER { None } else { csv_line::split(input, &mut self.bytes, &mut self.ends) };
                self.is_line = length.is_some();
                if let Some((size, columns, length)) = length {
                    (self.size, self.columns, self.last_byte) = (size, columns, Some(b'\n'));
                    self.parser.set_line(self.line + 1);
                    self.reader.as_mut().consume(length);
                    return Poll::Ready(Ok(true));
                }
            }
            let is_end = input.is_empty();
            let (bytes, ends) = (&mut self.bytes[self.size..], &mut self.ends[self.columns..]);
            let (result, read, written, ended) = self.parser.read_record(input, bytes, ends);
            self.last_byte = input[..read].last().copied().or(self.last_byte);
            self.reader.as_mut().consume(read);
            self.consumed += read as u64;
            self.size += written;
            self.columns += ended;
            if self.consumed > RECORD_BYTES {
                return Poll::Ready(Err(exceeded(&place(number), "1 MiB for one row")));
            }
            let is_record = match result {
                ReadRecordResult::InputEmpty => continue,
                // The output is at most as long as the consumed input.
                ReadRecordResult::OutputFull => {
                    self.bytes.resize(self.bytes.len() * 2, 0);
                    continue;
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() >= COLUMNS => {
                    return Poll::Ready(Err(exceeded(&place(number), &format!("{COLUMNS} columns"))));
                }
                ReadRecordResult::OutputEndsFull => {
                    self.ends.resize((self.ends.len() * 2).min(COLUMNS), 0);
                    continue;
                }
                ReadRecordResult::Record => true,
                ReadRecordResult::End => false,
            };
            self.consumed = 0;
            return Poll::Ready(if is_record && is_end { self.check_end().map(|()| true) } else { Ok(is_record) });
        }
    }

    /// Checks that the last record, which has no line end, is complete.
    fn check_end(&self) -> Result<()> {
        // Outside quotes, a line end would have ended the record.
        let is_quoted = matches!(self.last_byte, Some(b'\n' | b'\r'));
        let message = match (is_quoted, self.detects_truncation) {
            (true, _) => "the report's file ends within quotes: download it again",
            // `-600` may be read as `-6`.
            (false, false) => "the report's file is truncated in the middle of a line: download it again",
            (false, true) => return Ok(()),
        };
        Err(Error::new(ErrorKind::Decode, message))
    }

    /// Returns the record that was read.
    fn record(&self, number: u64) -> Result<Record<'_>> {
        let (bytes, ends) = (&self.bytes[..self.size], &self.ends[..self.columns]);
        let record = if self.is_line { Record::from_line(bytes, ends) } else { Record::from_utf8(bytes, ends) };
        record.ok_or_else(|| {
            let message = format!("{} of the report (line {}) is not valid UTF-8", place(number), self.line);
            Error::new(ErrorKind::Decode, message)
        })
    }
}

fn place(number: u64) -> String {
    if number == HEADER { "the header".to_owned() } else { format!("row {number}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acronis::types::ReportFormat;
    use futures_util::{TryStreamExt, stream};

    const HEADER: &str = "date,is_range,measurement_unit,name,tenant.id,tenant.kind,tenant.name,application.name,infra.id,infra.owner_id,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total";
    const REST: &str = ",backup,,,1,2,3,4,5,-6";

    async fn read(text: String) -> Result<Vec<ReportRow>> {
        read_bytes(text.into_bytes()).await
    }

    async fn read_bytes(bytes: Vec<u8>) -> Result<Vec<ReportRow>> {
        let chunks = bytes.chunks(7).map(|chunk| Ok(bytes::Bytes::copy_from_slice(chunk))).collect::<Vec<_>>();
        let body = ReportBody::new(stream::iter(chunks)).await.unwrap();
        crate::acronis::report_file::rows::read(&ReportFormat::CsvV20, body).unwrap().try_collect().await
    }

    #[tokio::test]
    async fn byte_order_mark_before_quoted_name_hides_no_column() {
        let (name, rest) = HEADER.split_once(',').unwrap();
        let line = format!("2026-10-31,True,,seats,t-1,customer,Birch{REST}\n");
        for header in [format!("\u{feff}\"{name}\",{rest}\n"), format!("\u{feff}{name},{rest}\n")] {
            let rows = read(header + &line).await.unwrap();
            assert_eq!((rows[0].date, rows[0].is_range), ("2026-10-31".parse().ok(), true));
            assert!(rows[0].other.is_empty(), "{:?}", rows[0].other);
        }
    }

    #[tokio::test]
    async fn file_truncated_within_a_number_is_an_error() {
        let whole = format!("{HEADER}\n2026-10-31,False,,seats,t-1,customer,Birch,backup,,,1,2,3,4,5,-600\n");
        assert_eq!(read(whole.clone()).await.unwrap()[0].delta.total, (-600).into());
        for cut in 1..4 {
            let error = read(whole[..whole.len() - cut].to_owned()).await.unwrap_err();
            assert!(error.kind() == ErrorKind::Decode && error.message().contains("is truncated"), "{cut}: {error}");
        }
        assert!(
            read(HEADER.to_owned()).await.unwrap_err().message().contains("is truncated"),
            "a header without usage"
        );
        // The checksum of gzip proves that the file is complete.
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut packed, whole.trim_end().as_bytes()).unwrap();
        assert_eq!(read_bytes(packed.finish().unwrap()).await.unwrap()[0].delta.total, (-600).into());
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
    async fn error_states_line_of_a_row_for_any_line_end() {
        for end in ["\n", "\r\n"] {
            for name in ["Birch", "\"Birch\""] {
                let line = format!("2026-10-31,False,,seats,t-1,customer,{name}{REST}{end}");
                let error = read([HEADER, end, &line, &line, "2026-10-31,False", end].concat()).await.unwrap_err();
                let expected = "row 3 of the report (line 4) has 2 columns, but the header has 16";
                assert_eq!(error.to_string(), expected, "{end:?} {name}");
            }
        }
    }

    /// Compares lines that arrive complete with lines that arrive byte by byte, which csv-core splits.
    #[tokio::test]
    async fn a_line_without_quotes_is_split_as_csv_core_does() {
        let many = "x,".repeat(100) + "y";
        for line in ["a,b,c", ",", ",,", "株,式", "a", " , b\t,", "a'b,c\0d", &many] {
            for end in ["\n", "\r\n", "\r"] {
                let file = [HEADER, end, line, end, line, end, "\"q\",", line, end, line, end, end, line, end].concat();
                let mut outcomes = Vec::new();
                for size in [1, 1 << 20] {
                    let chunks: Vec<_> =
                        file.as_bytes().chunks(size).map(|chunk| Ok(bytes::Bytes::copy_from_slice(chunk))).collect();
                    let body = ReportBody::new(stream::iter(chunks)).await.unwrap();
                    let mut records = Records::new(body.decompressed_buffered(), true);
                    records.header().await.unwrap();
                    let mut cells = Vec::new();
                    while records.read(1).await.unwrap() {
                        let record = records.record(1).unwrap();
                        cells.push(record.iter().map(str::to_owned).collect::<Vec<_>>());
                    }
                    outcomes.push(cells);
                }
                assert_eq!(outcomes[0], outcomes[1], "{line:?} {end:?}");
                assert_eq!(outcomes[0].len(), 5, "{line:?} {end:?}");
            }
        }
    }

    #[tokio::test]
    async fn error_of_the_call_is_returned_unchanged() {
        let lost = Error::new(usage_billing_core::ErrorKind::Connection, "connection lost");
        let chunks = [Ok(bytes::Bytes::from(format!("{HEADER}\n2026"))), Err(lost)];
        let body = ReportBody::new(stream::iter(chunks)).await.unwrap();
        let rows = crate::acronis::report_file::rows::read(&ReportFormat::CsvV20, body).unwrap();
        let error = rows.try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (usage_billing_core::ErrorKind::Connection, "connection lost"));
    }

    #[tokio::test]
    async fn short_line_is_an_error_that_ends_the_rows() {
        let error = read(format!("{HEADER}\n2026-10-31,False\n")).await.unwrap_err().to_string();
        assert_eq!(error, "row 1 of the report (line 2) has 2 columns, but the header has 16");
        let error = read(String::new()).await.unwrap_err().to_string();
        assert!(error.starts_with("the report lacks tenant.id"), "{error}");
    }
}
