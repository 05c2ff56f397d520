//! Where a list of pages at offsets ends. How Suger marks the end is not documented, so it ends only where nothing can be lost.

use usage_billing_core::{Error, ErrorKind, Result};

/// The largest page that the vendor gives, and the one that is asked for.
pub(super) const PAGE: i64 = 1000;

/// Returns the offset of the page after the one of `count` items at `offset`; `None` at the end.
///
/// - An empty page is the end, whatever it says of a next one: a server may always name one.
/// - Without a next offset (absent, null, 0 or -1) a page that is full is followed by one more, and a shorter one is the last.
/// - The page's own offset named as the next one is the end if the page is not full.
/// - The next page begins where the items end, or a whole page later: beyond that, items would be passed over.
///
/// # Errors
/// [`ErrorKind::Decode`] for any other next offset that does not lead on: items may be missing.
pub(super) fn following(offset: i64, count: usize, next_offset: Option<i64>) -> Result<Option<i64>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let is_full = count >= PAGE;
    match next_offset {
        _ if count == 0 => Ok(None),
        None | Some(-1 | 0) if is_full => Ok(offset.checked_add(count)),
        None | Some(-1 | 0) => Ok(None),
        Some(next) if next > offset && next <= offset.saturating_add(count.max(PAGE)) => Ok(Some(next)),
        Some(next) if next == offset && !is_full => Ok(None),
        Some(next) => {
            let message = format!(
                "the page of {count} items at offset {offset} names {next} as the offset of the next page: the list may be incomplete"
            );
            Err(Error::new(ErrorKind::Decode, message))
        }
    }
}

/// A page of a list that is nothing but its items. An empty one ends it, and none that is merely short: that Suger gives as many as are asked
/// for stands in prose only, with a smaller default for some lists.
pub(super) fn bare<T>(offset: i64, page: Vec<T>) -> (Vec<T>, Option<i64>) {
    let next = i64::try_from(page.len()).ok().filter(|count| *count > 0).and_then(|count| offset.checked_add(count));
    (page, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn list_ends_only_where_nothing_can_be_lost() {
        for (offset, count, next, expected) in [
            // Without a next offset.
            (0, 1000, None, Some(Some(1000))),
            (0, 1000, Some(0), Some(Some(1000))),
            (3000, 1000, Some(-1), Some(Some(4000))),
            (3000, 1001, None, Some(Some(4001))),
            (2000, 500, None, Some(None)),
            (2000, 999, Some(0), Some(None)),
            (2000, 500, Some(-1), Some(None)),
            // With one.
            (0, 1000, Some(1000), Some(Some(1000))),
            (0, 500, Some(1000), Some(Some(1000))),
            (0, 500, Some(500), Some(Some(500))),
            // Empty pages.
            (0, 0, None, Some(None)),
            (3000, 0, Some(4000), Some(None)),
            (3000, 0, Some(3000), Some(None)),
            (3000, 0, Some(1), Some(None)),
            // A next offset that passes over items.
            (0, 1000, Some(3000), None),
            (0, 1000, Some(1001), None),
            (2000, 500, Some(3000), Some(Some(3000))),
            (2000, 500, Some(3001), None),
            (0, 1500, Some(1500), Some(Some(1500))),
            // A next offset that does not lead on.
            (3000, 500, Some(3000), Some(None)),
            (3000, 1000, Some(3000), None),
            (3000, 500, Some(2999), None),
            (3000, 1000, Some(1), None),
            (0, 5, Some(-2), None),
            (0, 1000, Some(i64::MIN), None),
            (i64::MAX, 1000, None, Some(None)),
        ] {
            let following = following(offset, count, next);
            assert_eq!(following.as_ref().ok(), expected.as_ref(), "{offset} {count} {next:?}");
            assert!(following.is_ok() || following.is_err_and(|error| error.kind() == ErrorKind::Decode));
        }
    }

    #[test]
    fn bare_list_continues_after_its_items_and_ends_with_an_empty_page() {
        let next = |offset, items| bare(offset, vec![(); items]).1;
        assert_eq!([next(0, 1000), next(1000, 100), next(0, 1), next(7, 0)], [Some(1000), Some(1100), Some(1), None]);
    }

    proptest! {
        /// However a server marks the end of a list, and whether it names the next page by the items or by the limit: every item comes once.
        #[test]
        fn list_is_read_to_its_end_however_the_end_is_marked(items in 0i64..5000, by_limit: bool, always: bool, end in prop::option::of(-1i64..1)) {
            let (mut read, mut offset) = (0, Some(0));
            while let Some(at) = offset {
                let page = (items - at).clamp(0, PAGE);
                prop_assert_eq!(at.min(items), read);
                read += page;
                let next = if by_limit { at + PAGE } else { at + page };
                let next = if always || at + page < items { Some(next) } else { end };
                offset = following(at, page as usize, next).unwrap();
            }
            prop_assert_eq!(read, items);
        }

        #[test]
        fn list_always_leads_on(offset in 0..i64::MAX, count in 0usize..3000, next: Option<i64>) {
            if let Ok(Some(next)) = following(offset, count, next) {
                prop_assert!(next > offset);
            }
        }
    }
}
