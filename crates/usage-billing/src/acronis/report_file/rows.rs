//! Streams of rows of a report's file.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use usage_billing_core::{ClientInfo as _, Error, ErrorKind, Result, Transport, printable};

use crate::acronis::report_file::csv;
use crate::acronis::report_file::json;
use crate::acronis::reports::download::{ReportBody, with_file_hint};
use crate::acronis::{Client, ReportRow, StoredFile, types};

/// Streams the rows of a report in the order of the file; the complete file is never in memory.
#[must_use = "rows are read when they are requested"]
pub struct Rows {
    source: Source,
    /// The downloaded file, which errors name, and the transport whose secrets are masked in them.
    download: Option<Box<(StoredFile, Transport)>>,
}

enum Source {
    Csv(csv::Rows),
    Json(BoxStream<'static, Result<ReportRow>>),
}

impl Rows {
    /// Returns the next row; `None` at the end and after an error.
    pub async fn next(&mut self) -> Option<Result<ReportRow>> {
        StreamExt::next(self).await
    }

    /// Overwrites `row` with the next one; returns `false` at the end and after an error. In contrast to [`next`](Self::next), it does not
    /// allocate each string of each row, which takes a third of the time of reading a `csv_v2_0` file.
    ///
    /// ```
    /// # use usage_billing::{Decimal, Result, acronis::{ReportRow, Rows}};
    /// async fn effective_total(mut rows: Rows) -> Result<Decimal> {
    ///     let (mut row, mut total) = (ReportRow::default(), Decimal::ZERO);
    ///     while rows.next_into(&mut row).await? {
    ///         total += row.effective.unwrap_or_default().total;
    ///     }
    ///     Ok(total)
    /// }
    /// ```
    ///
    /// # Errors
    /// As the items of the stream. After an error, the row is a mixture of two rows.
    pub async fn next_into(&mut self, row: &mut ReportRow) -> Result<bool> {
        poll_fn(|context| self.poll_next_into(context, row)).await
    }

    fn poll_next_into(&mut self, context: &mut Context<'_>, row: &mut ReportRow) -> Poll<Result<bool>> {
        let read = match &mut self.source {
            Source::Csv(rows) => ready!(rows.poll_next_into(context, row)),
            Source::Json(rows) => match ready!(rows.as_mut().poll_next(context)) {
                Some(next) => next.map(|next| *row = next).map(|()| true),
                None => Ok(false),
            },
        };
        Poll::Ready(read.map_err(|error| match self.download.as_deref() {
            Some((file, transport)) => transport.masked(with_file_hint(file, error)),
            None => error,
        }))
    }
}

impl Client {
    /// Downloads a `csv_v2_0` or `json_v2_0` file and reads its rows as they arrive.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a file of another format; the errors of the call; [`ErrorKind::Decode`] if required columns are
    /// missing; [`ErrorKind::Limit`] for a header or row of more than 1 MiB or 4,096 columns or values, more than 64 nested objects and arrays,
    /// or 1 MiB of gzip without content. These limits are fixed.
    pub async fn rows(&self, file: &StoredFile) -> Result<Rows> {
        let body = ReportBody::from_download(self.download(file).await?).await?;
        let transport = self.api.inner().clone();
        let rows = read(&file.format, body).map_err(|error| transport.masked(error))?;
        Ok(Rows { download: Some(Box::new((file.clone(), transport))), ..rows })
    }
}

/// Reads the rows of a file that was saved before, packed or not. For a download, call [`Client::rows`].
///
/// # Errors
/// The errors of `bytes`; [`ErrorKind::Request`] for a format that is not read as rows; [`ErrorKind::Limit`] as [`Client::rows`];
/// [`ErrorKind::Decode`] for a truncated file. In a `csv_v2_0` that is not packed, truncation is detected only in the middle of a line: keep
/// files packed.
pub async fn read_rows(
    format: &types::ReportFormat,
    bytes: impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static,
) -> Result<Rows> {
    read(format, ReportBody::new(bytes).await?)
}

/// Returns whether a file of this format is read as rows.
pub(crate) fn has_rows(format: &types::ReportFormat) -> bool {
    matches!(format, types::ReportFormat::CsvV20 | types::ReportFormat::JsonV20)
}

/// Returns the error of a report whose formats are never read as rows; `None` if one of them is.
pub(crate) fn no_rows_error(formats: &[types::ReportFormat]) -> Option<Error> {
    let (first, others) = formats.split_first()?;
    if formats.iter().any(has_rows) {
        return None;
    }
    let others: String = others.iter().map(|format| format!(" and {}", printable(format.as_str()))).collect();
    let message = format!(
        "rows are read from csv_v2_0 and json_v2_0 files; the report has only human-readable ones: {}{others}",
        printable(first.as_str())
    );
    Some(
        Error::new(ErrorKind::Request, message)
            .with_hint("its files can be saved; create a report of csv_v2_0 for rows"),
    )
}

/// Reads the rows of a body.
///
/// # Errors
/// [`ErrorKind::Request`] for a format that is not read as rows.
pub(crate) fn read(format: &types::ReportFormat, body: ReportBody) -> Result<Rows> {
    let source = match format {
        types::ReportFormat::CsvV20 => Source::Csv(csv::rows(body)),
        types::ReportFormat::JsonV20 => Source::Json(json::rows(body.decompressed())),
        // `csv` and `html` also have other units: compute points instead of seconds.
        other => {
            let message = format!(
                "rows are read from csv_v2_0 and json_v2_0 files; {} is a human-readable format",
                printable(other.as_str())
            );
            return Err(Error::new(ErrorKind::Request, message));
        }
    };
    Ok(Rows { source, download: None })
}

impl Stream for Rows {
    type Item = Result<ReportRow>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut row = ReportRow::default();
        let read = ready!(self.poll_next_into(context, &mut row));
        Poll::Ready(read.map(|read| read.then_some(row)).transpose())
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rows")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use futures_util::{FutureExt, stream};

    use super::*;

    const ROWS: usize = 20_000;
    const CSV_HEADER: &str = "application.name,date,is_range,measurement_unit,name,tenant.id,tenant.kind,infra.id,infra.owner_id,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total\n";
    const CSV_ROW: &str = "backup,2026-10-31,False,bytes,pw_base_storage,t-1,customer,,,1,2,3,4,5,6\n";
    const JSON_ROW: &str = r#"{"application":{"name":"backup"},"date":"2026-10-31","infra":null,"is_range":false,"measurement_unit":"bytes","name":"pw_base_storage","tenant":{"id":"t-1","kind":"customer"},"usage":{"absolute":{"production":1,"trial":2,"total":3},"delta":{"production":4,"trial":5,"total":6}}}"#;

    /// A file that is generated while it is read.
    fn file(format: &types::ReportFormat) -> impl Stream<Item = String> + use<> {
        let (before, row, between, after) = match format {
            types::ReportFormat::CsvV20 => (CSV_HEADER, CSV_ROW, "", ""),
            _ => ("{\"tenants\":[", JSON_ROW, ",", "]}"),
        };
        let rows = (0..ROWS).map(move |number| if number == 0 { row.to_owned() } else { format!("{between}{row}") });
        stream::iter([before.to_owned()]).chain(stream::iter(rows)).chain(stream::iter([after.to_owned()]))
    }

    #[tokio::test]
    async fn file_is_read_no_faster_than_rows_are_requested() {
        for (format, length) in
            [(types::ReportFormat::CsvV20, CSV_ROW.len()), (types::ReportFormat::JsonV20, JSON_ROW.len() + 1)]
        {
            let made = Arc::new(AtomicUsize::new(0));
            let count = made.clone();
            let bytes = file(&format).map(move |text| {
                count.fetch_add(text.len(), Relaxed);
                Ok(Bytes::from(text))
            });
            let mut rows = read(&format, ReportBody::new(bytes).await.unwrap()).unwrap();
            let mut number = 0;
            while let Some(row) = rows.next().await {
                number += 1;
                assert_eq!(row.unwrap().number, number as u64);
                let ahead = made.load(Relaxed).saturating_sub(number * length);
                assert!(ahead < 256 * 1024, "{format}: {ahead} bytes ahead of row {number}");
            }
            assert_eq!(number, ROWS);
        }
    }

    /// A complete file with some bytes replaced.
    fn spoilt(format: &types::ReportFormat, at: usize, piece: &[u8]) -> Vec<u8> {
        let mut whole = match format {
            types::ReportFormat::CsvV20 => [CSV_HEADER, CSV_ROW, CSV_ROW].concat(),
            _ => format!("{{\"tenants\":[{JSON_ROW},{JSON_ROW}]}}"),
        }
        .into_bytes();
        let at = at % whole.len();
        whole.splice(at..(at + piece.len()).min(whole.len()), piece.iter().copied());
        whole
    }

    proptest::proptest! {
        #[test]
        fn reading_any_file_ends_without_panic(
            at in proptest::prelude::any::<usize>(),
            piece in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..8),
            rest in ".{0,40}",
        ) {
            for format in [types::ReportFormat::CsvV20, types::ReportFormat::JsonV20] {
                for file in [spoilt(&format, at, &piece), rest.clone().into_bytes()] {
                    let bytes = stream::iter([Ok(Bytes::from(file))]);
                    let rows = read_rows(&format, bytes).now_or_never().unwrap().unwrap();
                    proptest::prop_assert!(rows.take(10).count().now_or_never().is_some_and(|rows| rows < 10));
                }
            }
        }
    }
}
