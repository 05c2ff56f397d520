//! Rows of a report file: whatever its bytes and wherever they are cut, the same rows or the same error, and no panic. Nor is there one when they are
//! added up.
#![no_main]

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::stream;
use libfuzzer_sys::fuzz_target;
use usage_billing::acronis::types::{ReportFormat, ReportKind, ReportLevel, ReportParameters, ReportPeriod};
use usage_billing::acronis::{ReportRow, StoredFile, read_rows, usage_rows};

/// The billed report of a month.
fn stored_file(format: &ReportFormat) -> StoredFile {
    let report = ReportParameters {
        kind: ReportKind::UsageSummary,
        tenant_id: "5b1d9f0e-7a43-4c1c-9c53-1f2a6c0d8e11".parse().expect("a UUID"),
        level: ReportLevel::DirectPartners,
        period: ReportPeriod {
            start: "2026-10-01".parse().expect("a date"),
            end: "2026-10-31".parse().expect("a date"),
        },
        formats: vec![format.clone()],
        show_skus: Some(true),
        hide_zero_usage: Some(true),
    };
    let id = "41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73".parse().expect("a UUID");
    let mut file = StoredFile::new(id, id, format.clone(), report);
    file.created_at = Some("2026-11-02T00:00:00Z".parse().expect("a date-time"));
    file
}

/// The rows up to an error, if any, of `file` that arrives in chunks of `size`.
async fn rows(format: &ReportFormat, file: &Bytes, size: usize) -> (Vec<ReportRow>, Option<String>) {
    let chunks = (0..file.len()).step_by(size).map(|start| Ok(file.slice(start..file.len().min(start + size))));
    let chunks: Vec<_> = chunks.collect();
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
    let file = Bytes::copy_from_slice(file);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let whole = rows(&format, &file, file.len().max(1)).await;
        // The fuzzer changes the length, and so the size.
        let size = 1 + file.len() % 16;
        assert_eq!(rows(&format, &file, size).await, whole, "in chunks of {size}");
        if let Ok(usage) = usage_rows(&stored_file(&format), whole.0) {
            let keys: HashSet<_> = usage.iter().map(|row| row.row_key).collect();
            assert_eq!(keys.len(), usage.len(), "{usage:?}");
        }
    });
});
