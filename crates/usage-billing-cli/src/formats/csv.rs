//! CSV.

use std::io;

use usage_billing::UsageRow;

pub(super) fn csv(rows: &[UsageRow]) -> io::Result<String> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    // By hand: without rows the writer would not know the columns.
    writer.write_record(UsageRow::COLUMNS)?;
    for row in rows {
        writer.serialize(row)?;
    }
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    String::from_utf8(bytes).map_err(io::Error::other)
}
