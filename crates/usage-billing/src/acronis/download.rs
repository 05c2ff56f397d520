//! A report's file as rows, while it arrives.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_compression::tokio::bufread::GzipDecoder;
use csv_async::{AsyncReader, AsyncReaderBuilder};
use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncRead, BufReader};
use tokio_util::io::StreamReader;
use usage_billing_core::{ByteStream, Error, ErrorKind, Result};

use super::row::Columns;
use super::{Client, ReportRow, StoredFile, types};

/// The first bytes of a gzip file (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Rows of a report in the file's order; the file is never in memory as a whole.
#[must_use = "rows are read as they are asked for"]
pub struct Rows(Pin<Box<dyn Stream<Item = Result<ReportRow>> + Send>>);

impl Rows {
    /// The next row; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<ReportRow>> {
        self.0.next().await
    }
}

impl Client {
    /// Downloads a `csv_v2_0` file and reads its rows as they arrive.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a file of another format; those of the call; [`ErrorKind::Decode`] if needed columns are missing.
    pub async fn rows(&self, file: &StoredFile) -> Result<Rows> {
        if file.format != types::ReportFormat::CsvV20 {
            let message = format!("rows are read from csv_v2_0 files, not from {}", file.format);
            return Err(Error::new(ErrorKind::Request, message));
        }
        rows(self.download(file).await?).await
    }

    /// The bytes of a file as the vendor stores them: gzip, as a rule.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn download(&self, file: &StoredFile) -> Result<ByteStream> {
        let request = self.api.download_stored_report().report_id(file.report_id).stored_report_id(file.id);
        Ok(request.send().await?.into_inner())
    }
}

async fn rows(bytes: impl Stream<Item = Result<bytes::Bytes>> + Send + Unpin + 'static) -> Result<Rows> {
    let mut reader: AsyncReader<Pin<Box<dyn AsyncRead + Send>>> =
        AsyncReaderBuilder::new().create_reader(unpacked(bytes).await?);
    let columns = Columns::new(reader.headers().await.map_err(unreadable)?)?;
    let rows = stream::try_unfold(reader.into_records(), move |mut records| async move {
        Ok(records.next().await.transpose().map_err(unreadable)?.map(|record| (record, records)))
    });
    Ok(Rows(Box::pin(rows.and_then(move |record| std::future::ready(columns.row(&record))))))
}

/// Unpacks what begins as gzip: neither the content type nor the encoding header says so reliably.
async fn unpacked(
    mut bytes: impl Stream<Item = Result<bytes::Bytes>> + Send + Unpin + 'static,
) -> Result<Pin<Box<dyn AsyncRead + Send>>> {
    let mut beginning = Vec::new();
    while beginning.len() < GZIP.len() {
        match bytes.next().await.transpose()? {
            Some(chunk) => beginning.extend_from_slice(&chunk),
            None => break,
        }
    }
    let packed = beginning.starts_with(&GZIP);
    let whole = stream::iter([Ok(bytes::Bytes::from(beginning))]).chain(bytes).map_err(std::io::Error::other);
    let reader = StreamReader::new(whole);
    if !packed {
        return Ok(Box::pin(reader));
    }
    let mut decoder = GzipDecoder::new(BufReader::new(reader));
    decoder.multiple_members(true);
    Ok(Box::pin(decoder))
}

/// The reason is below layers of readers: a call's own error, or a fault of the file.
fn unreadable(error: csv_async::Error) -> Error {
    let mut cause: &(dyn std::error::Error + 'static) = &error;
    loop {
        if let Some(ours) = cause.downcast_ref::<Error>() {
            return ours.clone();
        }
        let inner = cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()).map(|inner| inner as _);
        match inner.or_else(|| cause.source()) {
            Some(source) => cause = source,
            None => break,
        }
    }
    Error::new(ErrorKind::Decode, format!("the report's file cannot be read: {cause}")).with_source(error)
}

impl Stream for Rows {
    type Item = Result<ReportRow>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rows")
    }
}
