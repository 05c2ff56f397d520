//! Rows of a report file: whatever its bytes and wherever they are cut, the same rows or the same error, and no panic.
#![no_main]

use bytes::Bytes;
use futures_util::stream;
use libfuzzer_sys::fuzz_target;
use usage_billing::acronis::{ReportRow, read_rows, types::ReportFormat};

/// The rows up to an error, if any, of `file` that arrives in chunks of `size`.
async fn rows(format: &ReportFormat, file: &[u8], size: usize) -> (Vec<ReportRow>, Option<String>) {
    let chunks: Vec<_> = file.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let mut found = Vec::new();
    let mut rows = match read_rows(format, stream::iter(chunks)).await {
        Ok(rows) => rows,
        Err(error) => return (found, Some(error.to_string())),
    };
    while let Some(row) = rows.next().await {
        match row {
            Ok(row) => found.push(row),
            Err(error) => return (found, Some(error.to_string())),
        }
    }
    (found, None)
}

fuzz_target!(|file: &[u8]| {
    let format = if file.trim_ascii_start().starts_with(b"{") { ReportFormat::JsonV20 } else { ReportFormat::CsvV20 };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let whole = format!("{:?}", rows(&format, file, file.len().max(1)).await);
        for size in [1, 7] {
            assert_eq!(format!("{:?}", rows(&format, file, size).await), whole, "in chunks of {size}");
        }
    });
});
