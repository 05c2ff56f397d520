//! Usage from day to day.

use chrono::NaiveDate;

use crate::dataset::seed::Seed;
use crate::dataset::{day_key, day_number, days, days_before};

#[derive(Clone, Copy)]
pub(super) enum UsageSeries {
    /// A level: the base at the beginning of 2015, a change per day, and a jitter.
    Level { base: i64, per_day: i64, jitter: u64 },
    /// A count, which varies by one from month to month.
    Pieces(i64),
    /// Usage that is added up over a period: the average per day.
    Range(u64),
    /// No usage.
    Idle,
}

/// Days, the first and the last included.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
    /// The day from whose end the change of levels is counted.
    pub(crate) since: NaiveDate,
}

impl Span {
    /// Returns the days of a summary, as far as they are known at the end of a day: the change is that between the ends of the first and
    /// the last of them.
    pub(crate) fn summary(first: NaiveDate, last: NaiveDate, known: NaiveDate) -> Self {
        let last = last.min(known);
        Self { first, last, since: first.min(last) }
    }

    /// Splits the span into the days before a day and the days from it on; all days are before `None`.
    pub(super) fn split(self, at: Option<NaiveDate>) -> (Option<Self>, Option<Self>) {
        let at = at.unwrap_or(NaiveDate::MAX);
        let before = Self { last: self.last.min(days_before(at, 1)), ..self };
        let after = Self { first: self.first.max(at), ..self };
        ((before.first <= before.last).then_some(before), (after.first <= after.last).then_some(after))
    }
}

impl UsageSeries {
    /// Scales the series to a percentage, but not to zero.
    pub(super) fn scaled(self, percent: i64) -> Self {
        let of = |number: i64| number * percent / 100;
        let of_natural = |number: u64| number * percent.unsigned_abs() / 100;
        match self {
            Self::Level { base, per_day, jitter } => {
                Self::Level { base: of(base), per_day: of(per_day), jitter: of_natural(jitter) }
            }
            Self::Pieces(about) => Self::Pieces(of(about).max(1)),
            Self::Range(average) => Self::Range(of_natural(average).max(1)),
            Self::Idle => Self::Idle,
        }
    }

    /// Returns the level at the end of a day; for usage that is added up, the total up to then.
    pub(super) fn absolute(self, seed: Seed, index: &[u64; 2], day: NaiveDate) -> i64 {
        let number = day_number(day);
        if number < 0 {
            return 0;
        }
        match self {
            Self::Level { base, per_day, jitter } => {
                (base + per_day * number + seed.chance(&[51, index[0], index[1], day_key(day)], jitter)).max(0)
            }
            Self::Pieces(about) => (about + (number / 30 + about) % 4 - 1).max(0),
            // Not the sum over ten years of days, but also increasing.
            Self::Range(average) => i64::try_from(average).unwrap_or_default().saturating_mul(number + 1),
            Self::Idle => 0,
        }
    }

    /// Returns the change of a level, or the sum over all days of the span.
    pub(super) fn delta(self, seed: Seed, index: &[u64; 2], span: Span) -> i64 {
        match self {
            Self::Range(average) => days(span.first, span.last)
                .filter(|day| day_number(*day) >= 0)
                .map(|day| {
                    i64::try_from(average / 2).unwrap_or_default()
                        + seed.chance(&[52, index[0], index[1], day_key(day)], average + average % 2)
                })
                .sum(),
            _ => self.absolute(seed, index, span.last) - self.absolute(seed, index, span.since),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::day;

    #[test]
    fn range_usage_adds_up_over_parts_of_a_period() {
        let series = UsageSeries::Range(35_400);
        let sum =
            |first, last| series.delta(Seed::new(0), &[1, 2], Span::summary(day(first), day(last), NaiveDate::MAX));
        assert_eq!(sum("2026-10-01", "2026-10-31"), sum("2026-10-01", "2026-10-15") + sum("2026-10-16", "2026-10-31"));
    }

    #[test]
    fn current_day_has_no_usage() {
        let today = Span::summary(day("2026-11-21"), day("2026-11-21"), day("2026-11-20"));
        for series in
            [UsageSeries::Range(3), UsageSeries::Pieces(4), UsageSeries::Level { base: 1, per_day: 1, jitter: 9 }]
        {
            assert_eq!(series.delta(Seed::new(0), &[1, 2], today), 0);
        }
    }
}
