//! Pages and spans of days.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, Utc};
use usage_billing_suger::types::Partner;

use super::Failure;
use crate::dataset::days_before;
use crate::http_util::request::Params;

const MAX_ROWS: usize = 1_000;
/// Default number of days before the last one.
const DEFAULT_SPAN: u64 = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    limit: usize,
    offset: usize,
}

impl Page {
    pub(super) fn from_query(query: &Params, default: usize) -> Result<Self, Failure> {
        let number = |name: &str, default: usize| match query.get(name) {
            None => Ok(default),
            Some(text) => text.parse::<usize>().map_err(|_| Failure::bad_request(format!("invalid {name}: {text}"))),
        };
        let page = Self { limit: number("limit", default)?, offset: number("offset", 0)? };
        match page.limit {
            1..=MAX_ROWS => Ok(page),
            _ => Err(Failure::bad_request(format!("limit must be from 1 to {MAX_ROWS}"))),
        }
    }

    /// Returns the rows of the page, and the offset of the next one if there is one.
    pub(super) fn of<T>(self, rows: impl Iterator<Item = T>) -> (Vec<T>, Option<i64>) {
        let mut builder = self.builder();
        builder.add(rows, |row| row);
        builder.end()
    }

    /// Returns a builder of the page without rows.
    pub(super) fn builder<T>(self) -> PageBuilder<T> {
        PageBuilder { page: self, before: self.offset, rows: Vec::new(), is_more: false }
    }
}

/// Builds a page from several parts of a list.
pub(super) struct PageBuilder<T> {
    page: Page,
    /// Rows to skip before the page.
    before: usize,
    rows: Vec<T>,
    is_more: bool,
}

impl<T> PageBuilder<T> {
    /// Skips slots before the page.
    pub(super) fn skip(&mut self, slots: &mut Range<u64>) {
        let before = u64::try_from(self.before).unwrap_or(u64::MAX);
        let skipped = before.min(slots.end.saturating_sub(slots.start));
        slots.start += skipped;
        self.before = usize::try_from(before - skipped).unwrap_or(usize::MAX);
    }

    /// Adds rows; only those on the page are computed.
    pub(super) fn add<R>(&mut self, rows: impl Iterator<Item = R>, made: impl Fn(R) -> T) {
        for row in rows {
            if self.before > 0 {
                self.before -= 1;
            } else if self.rows.len() < self.page.limit {
                self.rows.push(made(row));
            } else {
                self.is_more = true;
                return;
            }
        }
    }

    /// Returns whether the page is full, and not the last one.
    pub(super) fn is_done(&self) -> bool {
        self.is_more
    }

    /// Returns the rows of the page, and the offset of the next one if there is one.
    pub(super) fn end(self) -> (Vec<T>, Option<i64>) {
        let next = || i64::try_from(self.page.offset.checked_add(self.rows.len())?).ok();
        let next = if self.is_more { next() } else { None };
        (self.rows, next)
    }
}

/// Parses the first and the last day, both included.
pub(super) fn days(query: &Params, today: NaiveDate) -> Result<(NaiveDate, NaiveDate), Failure> {
    let last = day(query, "endDate")?.unwrap_or(today);
    let first = day(query, "startDate")?.unwrap_or_else(|| days_before(last, DEFAULT_SPAN));
    if last < first { Err(Failure::bad_request("endDate is before startDate")) } else { Ok((first, last)) }
}

pub(super) fn day(query: &Params, name: &str) -> Result<Option<NaiveDate>, Failure> {
    let Some(text) = query.get(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Failure::bad_request(format!("invalid {name}, expected YYYY-MM-DD: {text}")))
}

/// Parses the marketplace of a filter.
pub(super) fn partner(query: &Params) -> Result<Option<Partner>, Failure> {
    query.get("partner").map(listed_partner).transpose()
}

pub(super) fn listed_partner(text: &str) -> Result<Partner, Failure> {
    match Partner::from(text) {
        Partner::Unknown(_) | Partner::Empty => Err(Failure::bad_request(format!("invalid partner: {text}"))),
        partner => Ok(partner),
    }
}

/// Returns the rows of a period, both days included, of a list that is sorted by creation time.
pub(super) fn span<T>(rows: &[T], first: NaiveDate, last: NaiveDate, created: fn(&T) -> Option<DateTime<Utc>>) -> &[T] {
    let day = |row: &T| created(row).map(|time| time.date_naive());
    let from = rows.partition_point(|row| day(row) < Some(first));
    let to = rows.partition_point(|row| day(row) <= Some(last));
    rows.get(from..to).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Option<Page> {
        Page::from_query(&Params::parse(query.as_bytes()), 1000).ok()
    }

    #[test]
    fn page_has_1_to_1000_rows() {
        assert_eq!(page(""), Some(Page { limit: 1000, offset: 0 }));
        assert_eq!(page("limit=1&offset=7"), Some(Page { limit: 1, offset: 7 }));
        for bad in
            ["limit=0", "limit=1001", "limit=-1", "limit=x", "offset=-1", "limit=1e3", "offset=99999999999999999999"]
        {
            assert_eq!(page(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_pages_before_the_last_have_a_next_offset() {
        let of = |limit, offset| Page { limit, offset }.of(0..5);
        assert_eq!(of(2, 0), (vec![0, 1], Some(2)));
        assert_eq!(of(2, 3), (vec![3, 4], None));
        assert_eq!(of(2, 4), (vec![4], None));
        assert_eq!(of(2, usize::MAX), (vec![], None));
    }

    #[test]
    fn skipped_slots_do_not_change_the_page() {
        for offset in [0, 3, 7, 100] {
            let page = Page { limit: 3, offset };
            let mut slots = 20..27;
            let mut builder = page.builder();
            builder.skip(&mut slots);
            builder.add(slots, |slot| slot);
            assert_eq!(builder.end(), page.of(20..27), "{offset}");
        }
    }

    #[test]
    fn page_of_several_parts_equals_page_of_whole_list() {
        for offset in [0, 3, 7, 100] {
            let page = Page { limit: 3, offset };
            let mut builder = page.builder();
            for stretch in [20..21, 21..25, 25..25, 25..27] {
                builder.add(stretch, |slot| slot);
            }
            assert_eq!(builder.is_done(), offset < 4);
            assert_eq!(builder.end(), page.of(20..27), "{offset}");
        }
    }

    #[test]
    fn default_period_is_the_last_thirty_days() {
        let today = "2026-11-21".parse().unwrap();
        let span = |query: &str| days(&Params::parse(query.as_bytes()), today).ok().map(|(a, b)| format!("{a} {b}"));
        assert_eq!(span("").as_deref(), Some("2026-10-22 2026-11-21"));
        assert_eq!(span("endDate=2026-03-31").as_deref(), Some("2026-03-01 2026-03-31"));
        assert_eq!(span("startDate=2026-11-22"), None);
        assert_eq!(span("startDate=yesterday"), None);
    }

    #[test]
    fn period_includes_first_and_last_day() {
        let day = |text: &str| text.parse().unwrap();
        let times: Vec<DateTime<Utc>> = ["2026-11-01T00:00:00Z", "2026-11-02T23:59:59.999Z", "2026-11-03T00:00:00Z"]
            .map(|it| it.parse().unwrap())
            .into();
        for (first, last, count) in [
            ("2026-11-01", "2026-11-02", 2),
            ("2026-11-02", "2026-11-09", 2),
            ("2026-10-01", "2026-10-31", 0),
            ("2026-11-03", "2026-11-01", 0),
        ] {
            assert_eq!(span(&times, day(first), day(last), |time| Some(*time)).len(), count, "{first} {last}");
        }
    }
}
