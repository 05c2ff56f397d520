//! Usage from a saved report file, without the vendor.

use std::path::Path;

use futures_util::TryStreamExt;
use tokio_util::io::ReaderStream;
use usage_billing_core::{Error, ErrorKind, Result, printable};

use crate::UsageRow;
use crate::acronis::StoredFile;
use crate::acronis::account::facts::AccountFacts;
use crate::acronis::reports::download::{ReportBody, with_file_hint};
use crate::acronis::usage::fetch::aggregate;
use crate::memory_limit::MAX_USAGE_BYTES;

/// Reads a report file at `path`, packed or not, and aggregates its rows, as [`usage_rows`](crate::acronis::usage_rows) does.
///
/// Only the sums are kept in memory, at most 64 MiB. For a larger file, pass the rows of [`read_rows`](crate::acronis::read_rows) to `usage_rows`.
/// `file` has the parameters of the report: keep it when the file is saved, because the content does not repeat all of them.
///
/// ```no_run
/// # use usage_billing::acronis::{Client, StoredFile, saved_usage};
/// # async fn keep(client: Client, file: StoredFile) -> Result<(), Box<dyn std::error::Error>> {
/// client.save_to(&file, "2026-10.csv.gz").await?;
/// std::fs::write("2026-10.json", serde_json::to_string(&file)?)?;
///
/// // On another day, without the vendor:
/// let file: StoredFile = serde_json::from_str(&std::fs::read_to_string("2026-10.json")?)?;
/// let rows = saved_usage(&file, "2026-10.csv.gz").await?;
/// # println!("{} rows", rows.len());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ErrorKind::File`] if the file cannot be read. [`ErrorKind::Limit`] if the usage takes more than 64 MiB of memory. Otherwise as
/// [`read_rows`](crate::acronis::read_rows) and [`usage_rows`](crate::acronis::usage_rows).
pub async fn saved_usage(file: &StoredFile, path: impl AsRef<Path>) -> Result<Vec<UsageRow>> {
    let path = path.as_ref();
    let shown = printable(&path.to_string_lossy()).to_string();
    let unreadable = move |error: std::io::Error| {
        Error::new(ErrorKind::File, format!("{shown} cannot be read: {error}")).with_source(error)
    };
    let open = tokio::fs::File::open(path).await.map_err(&unreadable)?;
    let bytes = ReaderStream::new(open).map_err(unreadable);
    let rows = async {
        let aggregator = aggregate(file, ReportBody::new(bytes).await?, MAX_USAGE_BYTES).await?;
        aggregator.rows(&AccountFacts::default()).map(|(rows, _)| rows)
    };
    rows.await.map_err(|error| with_file_hint(file, error.with_setting(None)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acronis::usage::aggregator::tests::summary;

    const CSV: &str = "application.name,date,is_range,measurement_unit,name,tenant.id,tenant.kind,infra.id,infra.owner_id,usage.absolute.production,\
        usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total\n\
        backup,2026-10-31,False,,pw_base_servers,t-1,customer,,,5,0,5,1,0,1\n";

    #[tokio::test]
    async fn a_saved_file_becomes_rows_packed_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut packed, CSV.as_bytes()).unwrap();
        for content in [CSV.as_bytes().to_vec(), packed.finish().unwrap()] {
            std::fs::write(&path, content).unwrap();
            let rows = saved_usage(&summary(), &path).await.unwrap();
            let [row] = rows.as_slice() else { panic!("one row: {rows:?}") };
            assert_eq!((row.quantity, row.is_final, row.is_billable), (5.into(), true, Some(true)));
        }
    }

    #[tokio::test]
    async fn missing_or_invalid_file_error_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        let error = saved_usage(&summary(), &path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
        assert!(error.message().contains("report.csv cannot be read: "), "{error}");
        assert_eq!(saved_usage(&summary(), folder.path()).await.unwrap_err().kind(), ErrorKind::File);
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        let error = saved_usage(&summary(), &path).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && error.hint().is_some_and(|hint| hint.contains("this is file")));
    }
}
