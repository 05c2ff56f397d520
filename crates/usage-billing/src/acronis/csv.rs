//! `csv_v2_0`: a header of dotted names, then a line for each row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use csv_async::{AsyncReader, AsyncReaderBuilder, StringRecord};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio_util::io::InspectReader;
use usage_billing_core::{Error, ErrorKind, Result};

use super::ReportRow;
use super::columns::Columns;
use super::download::{Arriving, Reader, unreadable};

/// Bytes that are unpacked at a time: with csv-async's own 8 KiB more time goes into asking than into reading.
const BUFFER: usize = 64 * 1024;

pub(super) fn rows(arriving: Arriving) -> BoxStream<'static, Result<ReportRow>> {
    let is_line_end = |byte: u8| matches!(byte, b'\n' | b'\r');
    let (mut whole, cut_off) = (true, Arc::new(AtomicBool::new(false)));
    let (tells_its_end, found) = (arriving.tells_its_end(), cut_off.clone());
    let note = move |piece: &[u8]| match piece.last() {
        Some(last) => whole = tells_its_end || is_line_end(*last),
        None => found.store(!whole, Relaxed),
    };
    let reader: Reader = Box::pin(InspectReader::new(arriving.plain(), note));
    // Boxed: it is moved in and out for each row.
    let lines = Box::new(Lines {
        reader: AsyncReaderBuilder::new().buffer_capacity(BUFFER).create_reader(reader),
        cut_off,
        columns: None,
        record: StringRecord::new(),
        number: 0,
    });
    stream::try_unfold(lines, |mut lines| async move { Ok(lines.next().await?.map(|row| (row, lines))) }).boxed()
}

struct Lines {
    reader: AsyncReader<Reader>,
    /// Whether it ended in the middle of a line, and `-600` may be read as `-6`.
    cut_off: Arc<AtomicBool>,
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
        let more = self.reader.read_record(&mut self.record).await.map_err(broken)?;
        if self.cut_off.load(Relaxed) {
            let message = "the report's file ends in the middle of a line, as if it were cut off: download it again";
            return Err(Error::new(ErrorKind::Decode, message));
        }
        if !more {
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
        read_bytes(text.into_bytes()).await
    }

    async fn read_bytes(bytes: Vec<u8>) -> Result<Vec<ReportRow>> {
        let chunks = bytes.chunks(7).map(|chunk| Ok(bytes::Bytes::copy_from_slice(chunk))).collect::<Vec<_>>();
        rows(Arriving::new(stream::iter(chunks)).await.unwrap()).try_collect().await
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
        let reader = super::super::download::Arriving::new(stream::iter(chunks)).await.unwrap();
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
