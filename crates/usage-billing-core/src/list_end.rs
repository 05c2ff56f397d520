//! The end of a list of numbered pages. Few vendors document how they mark it, and a page may be shorter than requested. A list without
//! positions of next pages therefore ends only with an empty page.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::{Error, ErrorKind, Result};

/// The unit of the positions of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// Items before the page: an offset.
    Items,
    /// Pages.
    Pages {
        /// The number of the first page.
        first: i64,
    },
}

impl Numbering {
    /// Returns whether a page is before the last of `pages`, if that is known.
    fn is_before_last(self, position: i64, pages: Option<i64>) -> Option<bool> {
        match self {
            Self::Items => None,
            Self::Pages { first } => Some(position.saturating_sub(first) < pages?.saturating_sub(1)),
        }
    }

    /// Returns whether a page is the last of `pages`. One beyond it contradicts the number.
    fn is_last(self, position: i64, pages: Option<i64>) -> bool {
        match self {
            Self::Items => false,
            Self::Pages { first } => {
                pages.is_some_and(|pages| position.saturating_sub(first) == pages.saturating_sub(1))
            }
        }
    }
}

/// State of one list that determines its end.
#[derive(Debug)]
pub(crate) struct ListEnd {
    numbering: Numbering,
    /// The requested page size. If it is not known, every page may be full.
    size: Option<i64>,
    observed: Mutex<ObservedPages>,
}

/// The statements of a response about the pages after it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PageStatement {
    /// The position of the next page.
    pub(crate) next: Option<i64>,
    /// Whether more pages follow.
    pub(crate) more: Option<bool>,
    /// The number of pages.
    pub(crate) pages: Option<i64>,
}

impl PageStatement {
    /// Returns whether a page is stated to be followed by others.
    fn is_followed(self, position: i64, numbering: Numbering) -> bool {
        self.more.unwrap_or_else(|| {
            self.next.is_some_and(|next| next > position)
                || numbering.is_before_last(position, self.pages) == Some(true)
        })
    }
}

#[derive(Debug, Default)]
struct ObservedPages {
    /// Whether a page has named a usable next position, so that this list marks its end by omitting it.
    names_next: bool,
    /// The first page.
    first: Option<PageHash>,
    /// The latest two pages: two servers that ignore the offset may respond alternately.
    latest: [Option<PageHash>; 2],
}

/// Identifies a page by hashes of its first and its last item, which take little memory.
#[derive(Clone, Copy, Debug)]
struct PageHash {
    position: i64,
    count: usize,
    first: u64,
    last: u64,
}

impl PageHash {
    /// Returns the hash of a page, if it has items.
    fn new<T: Serialize>(position: i64, items: &[T]) -> Option<Self> {
        let hash = |item: &T| {
            let mut hasher = DefaultHasher::new();
            serde_json::to_vec(item).ok()?.hash(&mut hasher);
            Some(hasher.finish())
        };
        Some(Self { position, count: items.len(), first: hash(items.first()?)?, last: hash(items.last()?)? })
    }

    /// Returns whether a later page begins with the same item.
    fn begins_again(&self, later: &Self) -> bool {
        later.position > self.position && later.first == self.first
    }

    /// Returns whether a later page has the same items. A page at the next offset may have them because a new item has
    /// shifted them.
    fn is_repeated(&self, later: &Self, numbering: Numbering) -> bool {
        let may_be_shifted = numbering == Numbering::Items && later.position <= self.position + 1 && self.count > 1;
        self.begins_again(later) && later.last == self.last && later.count == self.count && !may_be_shifted
    }
}

impl ListEnd {
    pub(crate) fn new(numbering: Numbering, size: Option<i64>) -> Self {
        Self { numbering, size, observed: Mutex::default() }
    }

    /// Returns the items of a page and the position of the next page, or `None` at the end.
    ///
    /// A page that no page named, that is not full, begins like the first one and does not state that others follow, comes
    /// from a server that ignores the position: the list has ended before it.
    ///
    /// # Errors
    /// The errors of [`following`](Self::following); and [`ErrorKind::Decode`] for a page that repeats one of the two before it and is
    /// followed by another. Such a list would never end, and may be incomplete.
    pub(crate) fn page<T: Serialize>(
        &self,
        position: i64,
        items: Vec<T>,
        stated: PageStatement,
    ) -> Result<(Vec<T>, Option<i64>)> {
        let mut observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        let page = PageHash::new(position, &items);
        let begins_again = observed.first.zip(page).is_some_and(|(first, page)| first.begins_again(&page));
        let is_followed = stated.is_followed(position, self.numbering);
        if begins_again && !observed.names_next && !is_followed && self.is_short(count(&items)) {
            return Ok((Vec::new(), None));
        }
        let next = self.following(position, count(&items), stated, observed.names_next)?;
        let mut latest = observed.latest.into_iter().flatten();
        if next.is_some() && page.is_some_and(|page| latest.any(|latest| latest.is_repeated(&page, self.numbering))) {
            let message = format!(
                "the page of {} items at position {position} repeats an earlier one (is the position ignored?): the list may be incomplete",
                items.len()
            );
            return Err(Error::new(ErrorKind::Decode, message));
        }
        observed.first = observed.first.or(page);
        if page.is_some() {
            observed.latest = [observed.latest[1], page];
        }
        observed.names_next |= next.is_some() && stated.next.is_some_and(|named| named > position);
        Ok((items, next))
    }

    /// Returns whether a page has fewer items than requested.
    fn is_short(&self, count: i64) -> bool {
        self.size.is_some_and(|size| count < size)
    }

    /// Returns the position of the page after the one of `count` items at `position`, or `None` at the end. `names_next`
    /// states whether an earlier page has named the next one.
    ///
    /// - An empty page is the end, whatever next position it names: a server may always name one. Only if the response states that more
    ///   follow, it is an error.
    /// - `more: false` is the end.
    /// - Without a next position (absent, null, 0 or -1) a page is followed by another request, unless it is the last one by the number of pages.
    ///   In a list that has named next positions, and beyond the number of pages, a page that is not full is the last one.
    /// - The page's own position as the next one is treated as absent, but is an error if the page is full.
    /// - The next page begins where the items end, even if the named offset is a full page later, since the page may be
    ///   shorter than requested.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] for any other next position that does not advance: items may be missing.
    fn following(&self, position: i64, count: i64, stated: PageStatement, names_next: bool) -> Result<Option<i64>> {
        let is_short = self.is_short(count);
        let (step, longest) = match self.numbering {
            Numbering::Items => (count, count.max(self.size.unwrap_or(i64::MAX))),
            Numbering::Pages { .. } => (1, 1),
        };
        let is_last = self.numbering.is_last(position, stated.pages);
        let following = position.checked_add(step);
        let may_end = names_next || self.numbering.is_before_last(position, stated.pages) == Some(false);
        match stated.next {
            _ if stated.more == Some(false) => Ok(None),
            _ if count == 0 && stated.more == Some(true) => Err(Error::new(
                ErrorKind::Decode,
                format!("the page at position {position} is empty, but more pages follow: the list may be incomplete"),
            )),
            _ if count == 0 => Ok(None),
            None | Some(-1 | 0) if is_last || may_end && is_short => Ok(None),
            None | Some(-1 | 0) => Ok(following),
            Some(next) if next > position && next <= position.saturating_add(longest) => {
                Ok(Some(next.min(position.saturating_add(step))))
            }
            Some(next) if next == position && is_short => Ok(following.filter(|_| !may_end)),
            Some(next) => Err(Error::new(
                ErrorKind::Decode,
                format!(
                    "the page of {count} items at position {position} names {next} as the position of the next page: the list may be incomplete"
                ),
            )),
        }
    }
}

fn count<T>(items: &[T]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The requested page size.
    const PAGE: i64 = 1000;

    fn offsets() -> ListEnd {
        ListEnd::new(Numbering::Items, Some(PAGE))
    }

    fn names(next: Option<i64>) -> PageStatement {
        PageStatement { next, ..PageStatement::default() }
    }

    fn following(offset: i64, count: i64, next: Option<i64>, names_next: bool) -> Result<Option<i64>> {
        offsets().following(offset, count, names(next), names_next)
    }

    #[test]
    fn page_numbers_advance_by_one_until_nothing_can_follow() {
        let pages = |size| ListEnd::new(Numbering::Pages { first: 1 }, size);
        let following = |size, stated, count| pages(size).following(2, count, stated, false);
        let [last, before] = [2, 1].map(|pages| PageStatement { pages: Some(pages), ..PageStatement::default() });
        let more = |more| PageStatement { more: Some(more), ..PageStatement::default() };
        for (size, stated, count, expected) in [
            (Some(10), PageStatement::default(), 10, Some(Some(3))),
            (Some(10), PageStatement::default(), 4, Some(Some(3))),
            (None, PageStatement::default(), 0, Some(None)),
            // The last page by their number, and one beyond a number that is wrong.
            (Some(10), last, 4, Some(None)),
            (Some(10), last, 10, Some(None)),
            (None, last, 4, Some(None)),
            (Some(10), before, 4, Some(None)),
            (Some(10), before, 10, Some(Some(3))),
            (None, before, 4, Some(Some(3))),
            (Some(10), more(false), 10, Some(None)),
            (Some(10), more(true), 4, Some(Some(3))),
            (Some(10), more(true), 0, None),
            (Some(10), names(Some(3)), 4, Some(Some(3))),
            (Some(10), names(Some(4)), 10, None),
            (Some(10), names(Some(1)), 10, None),
        ] {
            assert_eq!(following(size, stated, count).ok(), expected, "{size:?} {stated:?} {count}");
        }
        // An offset advances by the items of a page of unknown size.
        let unknown = ListEnd::new(Numbering::Items, None);
        assert_eq!(unknown.following(20, 7, names(Some(40)), true).unwrap(), Some(27));
        assert_eq!(unknown.following(20, 7, names(None), true).unwrap(), Some(27));
    }

    #[test]
    fn list_ends_only_where_no_item_can_be_missing() {
        let (end, error) = (Some(None), None);
        for (offset, count, next, in_any, in_one_that_names) in [
            // Without a next offset.
            (0, 1000, None, Some(Some(1000)), Some(Some(1000))),
            (0, 1000, Some(0), Some(Some(1000)), Some(Some(1000))),
            (3000, 1000, Some(-1), Some(Some(4000)), Some(Some(4000))),
            (3000, 1001, None, Some(Some(4001)), Some(Some(4001))),
            (2000, 500, None, Some(Some(2500)), end),
            (2000, 999, Some(0), Some(Some(2999)), end),
            (2000, 500, Some(-1), Some(Some(2500)), end),
            // With one.
            (0, 1000, Some(1000), Some(Some(1000)), Some(Some(1000))),
            (0, 500, Some(1000), Some(Some(500)), Some(Some(500))),
            (0, 500, Some(500), Some(Some(500)), Some(Some(500))),
            (0, 500, Some(1), Some(Some(1)), Some(Some(1))),
            (0, 1500, Some(1500), Some(Some(1500)), Some(Some(1500))),
            (2000, 500, Some(3000), Some(Some(2500)), Some(Some(2500))),
            // Empty pages.
            (0, 0, None, end, end),
            (3000, 0, Some(4000), end, end),
            (3000, 0, Some(3000), end, end),
            (3000, 0, Some(1), end, end),
            // A next offset that passes over items.
            (0, 1000, Some(3000), error, error),
            (0, 1000, Some(1001), error, error),
            (2000, 500, Some(3001), error, error),
            // A next offset that does not lead on.
            (3000, 500, Some(3000), Some(Some(3500)), end),
            (3000, 1000, Some(3000), error, error),
            (3000, 500, Some(2999), error, error),
            (3000, 1000, Some(1), error, error),
            (0, 5, Some(-2), error, error),
            (0, 1000, Some(i64::MIN), error, error),
            (i64::MAX, 1000, None, end, end),
        ] {
            for (names_next, expected) in [(false, in_any), (true, in_one_that_names)] {
                let following = following(offset, count, next, names_next);
                assert_eq!(following.as_ref().ok(), expected.as_ref(), "{offset} {count} {next:?} {names_next}");
                assert!(following.is_ok() || following.is_err_and(|error| error.kind() == ErrorKind::Decode));
            }
        }
    }

    /// Reads a list to its end, of a server that gives `items` and the offset of the next page.
    fn read(server: impl Fn(i64) -> (Vec<i64>, Option<i64>)) -> Vec<i64> {
        let (end, mut all, mut offset) = (offsets(), Vec::new(), Some(0));
        while let Some(at) = offset {
            let (items, next) = server(at);
            let (items, next) = end.page(at, items, names(next)).unwrap();
            all.extend(items);
            offset = next;
        }
        all
    }

    #[test]
    fn repeated_full_page_is_an_error() {
        for (pages, next_offset) in [
            (&[(0, 1000)][..], None),
            (&[(0, 2500)][..], None),
            (&[(0, 1000)][..], Some(0)),
            // Two servers in turn; and one more item between the pages, first or last.
            (&[(0, 1000), (5000, 6000)][..], None),
            (&[(0, 1000), (1, 1001), (1, 1001)][..], None),
            (&[(0, 5), (1, 6), (1, 6)][..], None),
            (&[(0, 2500), (0, 2501), (0, 2501)][..], None),
            // Named, whatever the offset.
            (&[(0, 1000)][..], Some(1000)),
            (&[(0, 7)][..], Some(7)),
        ] {
            let (end, mut offset, mut outcome) = (offsets(), 0, Ok(()));
            for (first, behind) in pages.iter().copied().cycle().take(5) {
                let next_offset = next_offset.map(|next: i64| if next > 0 { offset + next } else { next });
                match end.page(offset, (first..behind).collect::<Vec<i64>>(), names(next_offset)) {
                    Ok((_, next)) => offset = next.expect("more"),
                    Err(error) => {
                        outcome = Err(error);
                        break;
                    }
                }
            }
            let error = outcome.expect_err("an end");
            assert_eq!(error.kind(), ErrorKind::Decode, "{pages:?}");
            assert!(error.message().contains("repeats an earlier one"), "{error}");
        }
    }

    #[test]
    fn page_at_the_next_offset_may_be_shifted_by_a_new_item() {
        let end = offsets();
        end.page(0, (0..1000).collect(), names(Some(1000))).unwrap();
        end.page(999, (999..1999).collect(), names(Some(1999))).unwrap();
        end.page(1000, (999..1999).collect::<Vec<i64>>(), names(Some(2000))).unwrap();
        end.page(2000, (999..1999).collect::<Vec<i64>>(), names(Some(3000))).unwrap_err();
        // A new item leaves no page of one item as it was.
        let end = offsets();
        end.page(0, vec![7], names(Some(1))).unwrap();
        end.page(1, vec![7], names(Some(2))).unwrap_err();
    }

    #[test]
    fn list_continues_after_overlap_of_a_rounded_offset() {
        let end = offsets();
        let page = |offset: i64| (offset / PAGE * PAGE..(offset / PAGE + 1) * PAGE).collect::<Vec<i64>>();
        for offset in [0, 1000, 2000, 3000, 4000] {
            assert_eq!(end.page(offset, page(offset), names(None)).unwrap(), (page(offset), Some(offset + PAGE)));
            if offset >= 2000 {
                end.page(offset + 999, page(offset + 999), names(None)).unwrap_err();
            }
        }
    }

    #[test]
    fn page_far_after_an_equal_one_is_part_of_the_list() {
        let items = read(|at| if at < 9000 { (vec![at / 1000 % 3; 1000], None) } else { (Vec::new(), None) });
        assert_eq!(items.len(), 9000);
    }

    #[test]
    fn server_that_ignores_the_offset_has_one_page_if_not_full() {
        assert_eq!(read(|_| (vec![7], None)), [7]);
        assert_eq!(read(|_| ((0..999).collect(), Some(0))).len(), 999);
        // A page that was named is read, whatever is on it.
        let end = offsets();
        assert_eq!(end.page(0, vec![7], names(Some(1))).unwrap().1, Some(1));
        assert_eq!(end.page(1, vec![7], names(None)).unwrap(), (vec![7], None));
        // The same page again after an interruption.
        let end = offsets();
        for _ in 0..2 {
            assert_eq!(end.page(5, vec![7], names(None)).unwrap(), (vec![7], Some(6)));
        }
    }

    #[test]
    fn short_page_like_the_first_ends_list_unless_more_are_stated() {
        let (more, pages) = (
            |more| PageStatement { more: Some(more), ..names(None) },
            |all| PageStatement { pages: Some(all), ..names(None) },
        );
        for (stated, is_end) in [
            (names(None), true),
            (names(Some(0)), true),
            (names(Some(2)), true),
            (more(false), true),
            (pages(2), true),
            (PageStatement { pages: Some(5), ..more(false) }, true),
            (more(true), false),
            (pages(5), false),
            (names(Some(3)), false),
        ] {
            let end = ListEnd::new(Numbering::Pages { first: 1 }, Some(PAGE));
            assert_eq!(end.page(1, vec![7, 8], names(None)).unwrap().1, Some(2));
            let expected = if is_end { (vec![], None) } else { (vec![7, 9], Some(3)) };
            assert_eq!(end.page(2, vec![7, 9], stated).unwrap(), expected, "{stated:?}");
        }
        // The whole page again is an error then.
        let end = ListEnd::new(Numbering::Pages { first: 1 }, Some(PAGE));
        end.page(1, vec![7, 8], more(true)).unwrap();
        assert_eq!(end.page(2, vec![7, 8], more(true)).unwrap_err().kind(), ErrorKind::Decode);
    }

    #[test]
    fn list_with_next_offsets_ends_with_a_short_page_without_one() {
        let end = offsets();
        assert_eq!(end.page(0, vec![1], names(Some(1))).unwrap().1, Some(1));
        assert_eq!(end.page(1, vec![2], names(None)).unwrap().1, None);
        // An empty page with a next offset ends the list, and so does one that names itself.
        for (items, next) in [(vec![], Some(9)), (vec![3], Some(5))] {
            let end = offsets();
            end.page(5, items, names(next)).unwrap();
            assert_eq!(end.page(9, vec![4], names(None)).unwrap().1, Some(10));
        }
    }

    proptest! {
        /// Every item is listed once, for any mark of the end, any page size, and next offsets by items or by
        /// the limit.
        #[test]
        fn list_is_read_to_its_end_however_the_end_is_marked(
            items in 0i64..3000,
            most in prop::sample::select(vec![7, 100, 999, 1000]),
            by_limit: bool,
            always: bool,
            never: bool,
            end in prop::option::of(-1i64..1),
        ) {
            let found = read(|at| {
                let page: Vec<_> = (at..items.min(at + most)).collect();
                let behind = at + page.len() as i64;
                let next = if by_limit { at + PAGE } else { behind };
                (page, if !never && (always || behind < items) { Some(next) } else { end })
            });
            prop_assert_eq!(found, (0..items).collect::<Vec<_>>());
        }

        #[test]
        fn next_offset_always_advances(offset in 0..i64::MAX, count in 0i64..3000, next: Option<i64>, names_next: bool) {
            if let Ok(Some(next)) = following(offset, count, next, names_next) {
                prop_assert!(next > offset);
            }
        }
    }
}
