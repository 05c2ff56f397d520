//! A limit on what is kept in memory of a vendor's data.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;
use usage_billing_core::__private::display_bytes;
use usage_billing_core::{Error, ErrorKind, Result};

use crate::UsageRow;

/// What an allocation takes beyond the bytes that were asked for.
pub(crate) const ALLOCATION: usize = 16;
/// What an entry of a hash table takes beyond its content: a quarter of the slots is in use just after the table has grown, and the old
/// table is there until then.
pub(crate) const SLOT: usize = 64;

/// What a row takes, but for texts that differ between rows: it has about 14 texts, and account, operation, report and unit are the same in
/// many.
pub(crate) const ROW: usize = size_of::<UsageRow>() + 14 * ALLOCATION + 150;
/// Unless a client is given another limit. Enough for about 30,000 rows.
pub(crate) const MAX_USAGE_BYTES: usize = 64 << 20;
/// Name of the setting that raises the limit.
pub(crate) const SETTING: &str = "max_usage_bytes";

/// Counts what is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryLimit {
    kept: usize,
    limit: usize,
}

impl MemoryLimit {
    pub(crate) fn new(limit: usize) -> Self {
        Self { kept: 0, limit }
    }

    /// # Errors
    /// [`ErrorKind::Limit`] if `what` exceeds the limit with so many bytes more.
    pub(crate) fn keep<W: fmt::Display>(&mut self, bytes: usize, what: impl FnOnce() -> W) -> Result<()> {
        self.kept = self.kept.saturating_add(bytes);
        if self.kept > self.limit {
            let message = format!("{} exceeds the limit of {} of memory", what(), display_bytes(self.limit));
            return Err(Error::new(ErrorKind::Limit, message).with_setting(SETTING));
        }
        Ok(())
    }

    /// Bytes so far.
    #[cfg(feature = "acronis")]
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }
}

/// What a decoded value takes, estimated from its JSON: each object in it and each entry takes more than its text.
pub(crate) fn value_bytes<T: Serialize>(value: &T) -> usize {
    let mut json = Weight(0);
    // A counter of bytes does not fail; a value that is no JSON has no text.
    let _ = serde_json::to_writer(&mut json, value);
    size_of::<T>() + json.0
}

struct Weight(usize);

impl Write for Weight {
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        self.0 += json
            .iter()
            .map(|byte| match byte {
                b'{' => 256,
                b',' => 16,
                _ => 1,
            })
            .sum::<usize>();
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a text takes, with its allocation.
#[cfg(any(feature = "acronis", feature = "suger"))]
pub(crate) fn text_bytes(text: &str) -> usize {
    text.len() + ALLOCATION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_its_own_size_and_what_hangs_on_it() {
        assert_eq!(value_bytes(&7_u64), size_of::<u64>() + 1);
        let texts = vec!["x".repeat(1000); 10];
        assert!((10_000..11_000).contains(&value_bytes(&texts)));
        let maps = vec![std::collections::BTreeMap::<String, u64>::new(); 100];
        assert!(value_bytes(&maps) > 100 * 256);
    }

    #[test]
    fn what_is_kept_may_reach_the_limit_and_not_exceed_it() {
        let mut memory = MemoryLimit::new(2 << 20);
        memory.keep(2 << 20, || "the list").unwrap();
        memory.keep(0, || "the list").unwrap();
        let error = memory.keep(1, || "the list").unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Limit, "the list exceeds the limit of 2 MiB of memory")
        );
        assert!(MemoryLimit::new(usize::MAX).keep(usize::MAX, || "all").is_ok());
        assert_eq!(display_bytes(1000), "1000 bytes");
    }
}
