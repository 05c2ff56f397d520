//! `csv_v2_0`: a header of dotted names, then a line for each row.
//!
//! On `csv-core`, and not on a reader that returns records: such a reader keeps a record in memory however long it is.

use csv_core::{ReadRecordResult, Reader as Parser};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use usage_billing_core::{Error, ErrorKind, Result};

use super::ReportRow;
use super::columns::Columns;
use super::download::{Reader, ReportBody, unreadable};
use super::limits::{COLUMNS, RECORD_BYTES, exceeded};
use super::record::Record;

/// Bytes that are unpacked at a time: with 8 KiB more time goes into asking than into reading.
const BUFFER: usize = 64 * 1024;
/// U+FEFF. csv-core skips it only if it arrives in one piece.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Its number among the rows.
const HEADER: u64 = 0;

pub(super) fn rows(body: ReportBody) -> BoxStream<'static, Result<ReportRow>> {
    let detects_truncation = body.detects_truncation();
    let rows = Rows { records: Records::new(body.decompressed(), detects_truncation), columns: None, number: 0 };
    // Boxed: it is moved in and out for each row.
    stream::try_unfold(Box::new(rows), |mut rows| async move { Ok(rows.next().await?.map(|row| (row, rows))) }).boxed()
}

/// Whether a file that begins so has a header with the columns of a report.
///
/// # Errors
/// As [`rows`] has them.
pub(super) async fn check_beginning(beginning: Reader) -> Result<()> {
    Records::new(beginning, true).header().await.map(drop)
}

struct Rows {
    records: Records,
    columns: Option<Columns>,
    /// Of the present row, from 1.
    number: u64,
}

impl Rows {
    async fn next(&mut self) -> Result<Option<ReportRow>> {
        let columns = match &self.columns {
            Some(columns) => columns,
            None => self.columns.insert(self.records.header().await?),
        };
        self.number += 1;
        if !self.records.read(self.number).await? {
            return Ok(None);
        }
        if self.records.columns != columns.count() {
            let message = format!(
                "row {} of the report (line {}) has {} columns, but the header has {}",
                self.number,
                self.records.line,
                self.records.columns,
                columns.count()
            );
            return Err(Error::new(ErrorKind::Decode, message));
        }
        columns.row(self.number, self.records.record(self.number)?).map(Some)
    }
}

/// The records of a file, one at a time in the same buffers.
struct Records {
    reader: BufReader<Reader>,
    parser: Parser,
    /// Of the present record, with room for more.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// How much of `bytes` and `ends` the record has.
    size: usize,
    columns: usize,
    /// The line on which it begins, blank lines before it included.
    line: u64,
    last_byte: Option<u8>,
    detects_truncation: bool,
}

impl Records {
    fn new(reader: Reader, detects_truncation: bool) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER, reader),
            parser: Parser::new(),
            bytes: vec![0; 1024],
            ends: vec![0; 64],
            size: 0,
            columns: 0,
            line: 1,
            last_byte: None,
            detects_truncation,
        }
    }

    /// Reads the first record, which names the columns.
    async fn header(&mut self) -> Result<Columns> {
        self.skip_byte_order_mark().await?;
        self.read(HEADER).await?;
        Columns::new(self.record(HEADER)?)
    }

    async fn skip_byte_order_mark(&mut self) -> Result<()> {
        let mut beginning = [0; 3];
        let mut length = 0;
        while length < beginning.len() {
            match self.reader.read(&mut beginning[length..]).await.map_err(unreadable)? {
                0 => break,
                read => length += read,
            }
        }
        if beginning[..length] != BYTE_ORDER_MARK {
            let rest = std::mem::replace(&mut self.reader, BufReader::new(Box::pin(tokio::io::empty())));
            let whole: Reader = Box::pin(std::io::Cursor::new(beginning).take(length as u64).chain(rest));
            self.reader = BufReader::with_capacity(BUFFER, whole);
        }
        Ok(())
    }

    /// Reads the next record, which is row `number`; `false` at the end of the file.
    async fn read(&mut self, number: u64) -> Result<bool> {
        (self.size, self.columns, self.line) = (0, 0, self.parser.line());
        let mut consumed = 0;
        loop {
            let input = self.reader.fill_buf().await.map_err(unreadable)?;
            let is_end = input.is_empty();
            let (bytes, ends) = (&mut self.bytes[self.size..], &mut self.ends[self.columns..]);
            let (result, read, written, ended) = self.parser.read_record(input, bytes, ends);
            self.last_byte = input[..read].last().copied().or(self.last_byte);
            self.reader.consume(read);
            consumed += read as u64;
            self.size += written;
            self.columns += ended;
            if consumed > RECORD_BYTES {
                return Err(exceeded(&place(number), "1 MiB for one row"));
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                // No longer than what was consumed.
                ReadRecordResult::OutputFull => self.bytes.resize(self.bytes.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= COLUMNS => {
                    return Err(exceeded(&place(number), &format!("{COLUMNS} columns")));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize((self.ends.len() * 2).min(COLUMNS), 0),
                ReadRecordResult::Record if is_end => return self.check_end().map(|()| true),
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// Whether the last record, which no line end closed, is complete.
    fn check_end(&self) -> Result<()> {
        // A line end would have closed it outside of quotes.
        let is_quoted = matches!(self.last_byte, Some(b'\n' | b'\r'));
        let message = match (is_quoted, self.detects_truncation) {
            (true, _) => "the report's file ends within quotes: download it again",
            // `-600` may be read as `-6`.
            (false, false) => {
                "the report's file ends in the middle of a line, as if it were cut off: download it again"
            }
            (false, true) => return Ok(()),
        };
        Err(Error::new(ErrorKind::Decode, message))
    }

    /// The record that was read.
    fn record(&self, number: u64) -> Result<Record<'_>> {
        Record::from_utf8(&self.bytes[..self.size], &self.ends[..self.columns]).ok_or_else(|| {
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
    use futures_util::TryStreamExt;

    const HEADER: &str = "date,is_range,measurement_unit,name,tenant.id,tenant.kind,tenant.name,application.name,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total";
    const REST: &str = ",backup,1,2,3,4,5,-6";

    async fn read(text: String) -> Result<Vec<ReportRow>> {
        read_bytes(text.into_bytes()).await
    }

    async fn read_bytes(bytes: Vec<u8>) -> Result<Vec<ReportRow>> {
        let chunks = bytes.chunks(7).map(|chunk| Ok(bytes::Bytes::copy_from_slice(chunk))).collect::<Vec<_>>();
        rows(ReportBody::new(stream::iter(chunks)).await.unwrap()).try_collect().await
    }

    #[tokio::test]
    async fn a_byte_order_mark_before_a_quoted_name_hides_no_column() {
        let (name, rest) = HEADER.split_once(',').unwrap();
        let line = format!("2026-10-31,True,,seats,t-1,customer,Birch{REST}\n");
        for header in [format!("\u{feff}\"{name}\",{rest}\n"), format!("\u{feff}{name},{rest}\n")] {
            let rows = read(header + &line).await.unwrap();
            assert_eq!((rows[0].date, rows[0].is_range), ("2026-10-31".parse().ok(), true));
            assert!(rows[0].other.is_empty(), "{:?}", rows[0].other);
        }
    }

    #[tokio::test]
    async fn a_file_that_is_cut_off_in_a_number_is_no_smaller_number() {
        let whole = format!("{HEADER}\n2026-10-31,False,,seats,t-1,customer,Birch,backup,1,2,3,4,5,-600\n");
        assert_eq!(read(whole.clone()).await.unwrap()[0].delta.total, (-600).into());
        for cut in 1..4 {
            let error = read(whole[..whole.len() - cut].to_owned()).await.unwrap_err();
            assert!(error.kind() == ErrorKind::Decode && error.message().contains("cut off"), "{cut}: {error}");
        }
        assert!(read(HEADER.to_owned()).await.unwrap_err().message().contains("cut off"), "no usage at all");
        // Packed, its checksum says that it is whole.
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
    async fn a_call_that_breaks_off_is_told_as_it_is() {
        let lost = Error::new(usage_billing_core::ErrorKind::Connection, "connection lost");
        let chunks = [Ok(bytes::Bytes::from(format!("{HEADER}\n2026"))), Err(lost)];
        let reader = ReportBody::new(stream::iter(chunks)).await.unwrap();
        let error = rows(reader).try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (usage_billing_core::ErrorKind::Connection, "connection lost"));
    }

    #[tokio::test]
    async fn a_line_that_is_too_short_is_told_and_ends_the_rows() {
        let error = read(format!("{HEADER}\n2026-10-31,False\n")).await.unwrap_err().to_string();
        assert_eq!(error, "row 1 of the report (line 2) has 2 columns, but the header has 14");
        let error = read(String::new()).await.unwrap_err().to_string();
        assert!(error.starts_with("the report lacks tenant.id"), "{error}");
    }
}
