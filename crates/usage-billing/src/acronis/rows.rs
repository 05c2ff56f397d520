//! Rows of a report's file, one after the other.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use usage_billing_core::{Error, ErrorKind, Result};

use super::download::{Arriving, Reader};
use super::{Client, ReportRow, StoredFile, csv, json, types};

/// Rows of a report in the file's order; the file is never in memory as a whole.
#[must_use = "rows are read as they are asked for"]
pub struct Rows(BoxStream<'static, Result<ReportRow>>);

impl Rows {
    /// The next row; `None` at the end. After an error there is none.
    pub async fn next(&mut self) -> Option<Result<ReportRow>> {
        self.0.next().await
    }
}

impl Client {
    /// Downloads a `csv_v2_0` or `json_v2_0` file and reads its rows as they arrive.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a file of another format; those of the call; [`ErrorKind::Decode`] if needed columns are missing.
    pub async fn rows(&self, file: &StoredFile) -> Result<Rows> {
        read(&file.format, Arriving::new(self.download(file).await?).await?.plain())
    }
}

/// # Errors
/// [`ErrorKind::Request`] for a format that is not read as rows.
pub(super) fn read(format: &types::ReportFormat, reader: Reader) -> Result<Rows> {
    match format {
        types::ReportFormat::CsvV20 => Ok(Rows(csv::rows(reader))),
        types::ReportFormat::JsonV20 => Ok(Rows(json::rows(reader))),
        // `csv` and `html` are in other units as well: compute points are no seconds there.
        other => {
            let message =
                format!("rows are read from csv_v2_0 and json_v2_0 files, not from {other}, which is for people");
            Err(Error::new(ErrorKind::Request, message))
        }
    }
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
