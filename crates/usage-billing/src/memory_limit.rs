//! A memory limit for a vendor's data.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;
use usage_billing_core::__private::display_bytes;
use usage_billing_core::{Error, ErrorKind, Result};

#[cfg(any(feature = "acronis", feature = "genesys"))]
use crate::Pager;
use crate::UsageRow;

/// The overhead of an allocation in bytes.
pub(crate) const ALLOCATION: usize = 16;
/// The overhead of an entry of a hash table in bytes. A quarter of the slots is in use just after the table has grown, and the old table is
/// allocated until then.
pub(crate) const SLOT: usize = 64;

/// The size of a row without the strings that differ between rows. It has about 14 strings; account, operation, report and unit are equal in
/// many rows.
pub(crate) const ROW: usize = size_of::<UsageRow>() + 14 * ALLOCATION + 150;
/// The default limit, which is enough for about 30,000 rows.
pub(crate) const MAX_USAGE_BYTES: usize = 64 << 20;
/// Name of the setting that raises the limit.
pub(crate) const SETTING: &str = "max_usage_bytes";

/// Counts the bytes that are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryLimit {
    kept: usize,
    limit: usize,
}

impl MemoryLimit {
    pub(crate) fn new(limit: usize) -> Self {
        Self { kept: 0, limit }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] if the sum exceeds the limit; `what` names the data.
    pub(crate) fn keep<W: fmt::Display>(&mut self, bytes: usize, what: impl FnOnce() -> W) -> Result<()> {
        self.kept = self.kept.saturating_add(bytes);
        if self.kept > self.limit {
            let message = format!("{} exceeds the limit of {} of memory", what(), display_bytes(self.limit));
            return Err(Error::new(ErrorKind::Limit, message).with_setting(SETTING));
        }
        Ok(())
    }

    /// Collects the remaining items of a list, each with `extra_bytes` for the data that is derived from it.
    ///
    /// # Errors
    /// The first error of a page, and [`ErrorKind::Limit`] as of [`keep`](Self::keep).
    #[cfg(any(feature = "acronis", feature = "genesys"))]
    pub(crate) async fn collect<T: Serialize + Send + 'static>(
        &mut self,
        mut list: Pager<T>,
        extra_bytes: usize,
        what: &str,
    ) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while let Some(item) = list.next().await.transpose()? {
            self.keep(value_bytes(&item) + extra_bytes, || what)?;
            items.push(item);
        }
        Ok(items)
    }

    /// Returns the number of bytes so far.
    #[cfg(feature = "acronis")]
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }
}

/// Estimates the size of a decoded value from its JSON: each object and each entry takes more than its text.
pub(crate) fn value_bytes<T: Serialize>(value: &T) -> usize {
    let mut json = WeightCounter(0);
    // A counter of bytes does not fail. A value that has no JSON counts as its own size.
    let _ = serde_json::to_writer(&mut json, value);
    size_of::<T>() + json.0
}

struct WeightCounter(usize);

impl Write for WeightCounter {
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

/// Returns the size of a string with its allocation.
#[cfg(any(feature = "acronis", feature = "suger"))]
pub(crate) fn text_bytes(text: &str) -> usize {
    text.len() + ALLOCATION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_of_a_value_includes_its_heap() {
        assert_eq!(value_bytes(&7_u64), size_of::<u64>() + 1);
        let strings = vec!["x".repeat(1000); 10];
        assert!((10_000..11_000).contains(&value_bytes(&strings)));
        let maps = vec![std::collections::BTreeMap::<String, u64>::new(); 100];
        assert!(value_bytes(&maps) > 100 * 256);
    }

    #[test]
    fn limit_may_be_reached_but_not_exceeded() {
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
