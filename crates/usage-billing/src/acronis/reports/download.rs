//! Downloads of report files, as gzip or not.

use std::future::Future;
use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::{GzipDecoder, GzipEncoder};
use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncBufRead, AsyncRead, BufReader};
use tokio_util::io::{InspectReader, StreamReader};
use usage_billing_core::{ByteStream, ClientInfo as _, Error, ErrorKind, Result, printable};

use crate::acronis::error_hints::hinted;
use crate::acronis::report_file::limits::{IDLE_GZIP_BYTES, exceeded};
use crate::acronis::report_file::meter::Meter;
use crate::acronis::{Client, StoredFile};

/// The first bytes of a gzip file (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// How often a truncated download is restarted. The call itself has its retries.
const MAX_RESTARTS: u32 = 2;

/// A reader of bytes.
pub(crate) type Reader = Pin<Box<dyn AsyncRead + Send>>;
/// A reader of bytes with a buffer.
pub(crate) type BufferedReader = Pin<Box<dyn AsyncBufRead + Send>>;

/// The size of the buffer for unpacked bytes: with 8 KiB, calls take longer than reading.
const BUFFER: usize = 64 * 1024;

impl Client {
    /// Downloads a file as the vendor stores it, usually as gzip. [`rows`](Self::rows) reads its rows, [`save_to`](Self::save_to) saves it.
    ///
    /// # Errors
    /// The errors of the call.
    pub async fn download(&self, file: &StoredFile) -> Result<ByteStream> {
        let request = self.api.download_stored_report().report_id(file.report_id).stored_report_id(file.id);
        Ok(request.send().await.map_err(hinted)?.into_inner())
    }

    /// Downloads a file, hands its body to `read`, and restarts both if the body was truncated.
    ///
    /// # Errors
    /// The errors of the call and of `read`.
    pub(crate) async fn read_with_restart<T, F: Future<Output = Result<T>>>(
        &self,
        file: &StoredFile,
        read: impl Fn(ReportBody) -> F,
    ) -> Result<T> {
        let mut restarts = 0;
        loop {
            let bytes = self.download(file).await?;
            let outcome = async { read(ReportBody::from_download(bytes).await?).await }.await;
            match outcome {
                Err(error) if error.kind() == ErrorKind::Connection && restarts < MAX_RESTARTS => restarts += 1,
                done => return done.map_err(|error| self.api.inner().masked(with_file_hint(file, error))),
            }
        }
    }
}

/// Adds a hint that names the file.
pub(crate) fn with_file_hint(file: &StoredFile, error: Error) -> Error {
    if !matches!(error.kind(), ErrorKind::Decode | ErrorKind::Limit) {
        return error;
    }
    let hint = error.hint().map_or_else(String::new, |hint| format!("{hint}; "));
    error.with_hint(format!("{hint}this is file {} of report {}", file.id, file.report_id))
}

/// The body of a report's file, packed or not.
pub(crate) struct ReportBody {
    packed: bool,
    detects_truncation: bool,
    /// Packed bytes since the last unpacked byte.
    idle: Meter,
    bytes: StreamReader<BoxStream<'static, io::Result<Bytes>>, Bytes>,
}

impl ReportBody {
    /// Detects gzip by the first bytes: content type and encoding header are not reliable.
    ///
    /// # Errors
    /// The errors of the stream.
    pub(crate) async fn new(mut bytes: impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static) -> Result<Self> {
        let mut prefix = Vec::new();
        while prefix.len() < GZIP.len() {
            match bytes.next().await.transpose()? {
                Some(chunk) => prefix.extend_from_slice(&chunk),
                None => break,
            }
        }
        let packed = prefix.starts_with(&GZIP);
        let bytes = stream::iter([Ok(Bytes::from(prefix))]).chain(bytes);
        let idle = Meter::default();
        // gzip ends with a checksum.
        let bytes = if packed { metered(bytes, idle.clone()).boxed() } else { bytes.map_err(io::Error::other).boxed() };
        Ok(Self { packed, detects_truncation: packed, idle, bytes: StreamReader::new(bytes) })
    }

    /// Creates the body of a download: HTTP states the length of its body, so that a truncated one fails.
    ///
    /// # Errors
    /// The errors of the stream.
    pub(crate) async fn from_download(bytes: ByteStream) -> Result<Self> {
        Ok(Self { detects_truncation: true, ..Self::new(bytes).await? })
    }

    /// Returns whether missing bytes at the end are detected before rows are created from the rest.
    pub(crate) fn detects_truncation(&self) -> bool {
        self.detects_truncation
    }

    /// Returns the file unpacked.
    pub(crate) fn decompressed(self) -> Reader {
        if self.packed { Box::pin(self.unpacked()) } else { Box::pin(self.bytes) }
    }

    /// Returns the file unpacked, without a copy if it was not packed.
    pub(crate) fn decompressed_buffered(self) -> BufferedReader {
        if self.packed { buffered(self.unpacked()) } else { Box::pin(self.bytes) }
    }

    fn unpacked(self) -> impl AsyncRead + Send {
        let mut decoder = GzipDecoder::new(self.bytes);
        decoder.multiple_members(true);
        let idle = self.idle;
        InspectReader::new(decoder, move |unpacked: &[u8]| {
            if !unpacked.is_empty() {
                idle.reset();
            }
        })
    }

    /// Returns the file as gzip.
    pub(crate) fn compressed(self) -> Reader {
        if self.packed {
            // These bytes stay packed.
            let idle = self.idle;
            return Box::pin(InspectReader::new(self.bytes, move |_: &[u8]| idle.reset()));
        }
        Box::pin(GzipEncoder::new(self.bytes))
    }
}

pub(crate) fn buffered(reader: impl AsyncRead + Send + 'static) -> BufferedReader {
    Box::pin(BufReader::with_capacity(BUFFER, reader))
}

/// Limits gzip that unpacks to nothing: an endless header or endless empty members would be read without end.
fn metered(bytes: impl Stream<Item = Result<Bytes>>, idle: Meter) -> impl Stream<Item = io::Result<Bytes>> {
    bytes.map(move |chunk| {
        let chunk = chunk.map_err(io::Error::other)?;
        if idle.bytes() > IDLE_GZIP_BYTES {
            return Err(io::Error::other(exceeded("gzip without content", "1 MiB")));
        }
        idle.add(chunk.len());
        Ok(chunk)
    })
}

/// Returns the cause below layers of readers: the error of a call, or a corrupt file.
pub(crate) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let mut cause: &(dyn std::error::Error + 'static) = &error;
    loop {
        if let Some(ours) = cause.downcast_ref::<Error>() {
            return ours.clone();
        }
        let inner = cause.downcast_ref::<io::Error>().and_then(|io| io.get_ref()).map(|inner| inner as _);
        match inner.or_else(|| cause.source()) {
            Some(source) => cause = source,
            None => break,
        }
    }
    Error::new(ErrorKind::Decode, format!("the report's file cannot be read: {}", printable(&cause.to_string())))
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    async fn body(chunks: Vec<Result<Bytes>>) -> Result<ReportBody> {
        ReportBody::new(stream::iter(chunks)).await
    }

    async fn all(mut reader: Reader) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await.map(|_| bytes)
    }

    fn bytewise(bytes: &[u8]) -> Vec<Result<Bytes>> {
        bytes.iter().map(|byte| Ok(Bytes::copy_from_slice(&[*byte]))).collect()
    }

    #[tokio::test]
    async fn packed_and_plain_are_readable_from_both_at_any_chunk_size() {
        for text in ["a,b\n1,2\n", "x", ""] {
            let packed = all(body(bytewise(text.as_bytes())).await.unwrap().compressed()).await.unwrap();
            assert!(packed.starts_with(&GZIP));
            let again = all(body(bytewise(&packed)).await.unwrap().compressed()).await.unwrap();
            assert_eq!(again, packed, "packed once");
            for stored in [text.as_bytes(), &packed, &[packed.as_slice(), &packed].concat()] {
                let plain = all(body(bytewise(stored)).await.unwrap().decompressed()).await.unwrap();
                let times = stored.len() / packed.len().max(1);
                let expected = if stored.starts_with(&GZIP) { text.repeat(times) } else { text.to_owned() };
                assert_eq!(String::from_utf8(plain).unwrap(), expected);
            }
        }
    }

    #[tokio::test]
    async fn truncated_gzip_is_a_decode_error() {
        let packed = all(body(bytewise(b"a,b\n1,2\n")).await.unwrap().compressed()).await.unwrap();
        for length in 2..packed.len() {
            let read = all(body(bytewise(&packed[..length])).await.unwrap().decompressed()).await;
            assert_eq!(unreadable(read.unwrap_err()).kind(), ErrorKind::Decode, "{length}");
        }
    }

    #[tokio::test]
    async fn error_of_the_call_is_returned_unchanged() {
        let lost =
            || Err(Error::new(ErrorKind::Connection, "connection lost").with_operation("download_stored_report"));
        let [mut before, mut within] = [Vec::new(), bytewise(b"a,b")];
        before.push(lost());
        within.push(lost());
        assert_eq!(body(before).await.err().map(|error| error.kind()), Some(ErrorKind::Connection));
        let error = unreadable(all(body(within).await.unwrap().decompressed()).await.unwrap_err());
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Connection, Some("download_stored_report")));
    }
}
