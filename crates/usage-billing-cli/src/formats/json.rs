//! JSON.

use std::io;

use usage_billing::UsageRow;

/// Returns an array with one row per line.
pub(super) fn json(rows: &[UsageRow]) -> io::Result<String> {
    let lines = rows.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    Ok(if lines.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", lines.join(",\n")) })
}
