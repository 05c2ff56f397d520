use chrono::{Datelike as _, Months, TimeDelta};
use serde::Deserialize;

use super::month_bounds::{EAST, on_first_day};
use super::search::MAX_PERIODS;
use super::*;

fn period(text: &str) -> Period {
    text.parse().unwrap()
}

/// Cases of `cases.yaml`, which explains them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    about: String,
    #[serde(default)]
    shown: Vec<String>,
    #[serde(default)]
    contracts: Vec<[Option<String>; 2]>,
    cases: Vec<Case>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Case {
    wanted: Option<String>,
    r#in: Option<String>,
    last: Option<String>,
    shown: Option<Vec<String>>,
    contract: Option<[Option<String>; 2]>,
    now: Option<String>,
}

impl Case {
    fn wanted(&self) -> BillingPeriod {
        match (&self.wanted, &self.r#in, &self.last) {
            (Some(dates), None, None) => BillingPeriod::Matching(period(dates)),
            (None, Some(month), None) => BillingPeriod::StartingIn(period(month)),
            (None, None, Some(at)) => BillingPeriod::LastFinished { at: at.parse().unwrap() },
            _ => panic!("{self:?}"),
        }
    }

    /// Returns the index that matches, or the reasons for which none does.
    fn outcome(&self, shown: &[String], contract: &[Option<String>; 2]) -> String {
        let mut search = Search::new(self.wanted());
        let [start, end] = contract.each_ref().map(|date| date.as_deref().map(|date| date.parse().unwrap()));
        let mut contract = ContractDates::default();
        for (index, found) in shown.iter().map(|text| Some(period(text))).chain([None]).enumerate() {
            // Earlier periods may belong to an earlier contract: only the last start and the first end count.
            match (found, index) {
                (Some(_), 0) => contract.add(start, end),
                (Some(_), _) => contract.add(start, "2000-01-01T00:00:00Z".parse().ok()),
                (None, _) => {}
            }
            match search.next(found) {
                Step::Fits => return format!("index {index}"),
                Step::FitsBefore => return format!("index {}", index - 1),
                Step::Continue => {}
                Step::Fail(reason) => {
                    let now = self.now.as_deref().unwrap_or("2027-06-01T00:00:00Z").parse().unwrap();
                    return format!("{:?}: {reason}", search.no_bill(&contract, now));
                }
            }
        }
        unreachable!("`None` ends every search")
    }
}

#[test]
fn searches_of_all_cases_are_those_of_the_snapshot() {
    let sections: Vec<Section> = serde_saphyr::from_str(include_str!("cases.yaml")).unwrap();
    let mut snapshot = String::new();
    for Section { about, shown, contracts, cases } in &sections {
        snapshot += &format!("\n# {about}\n");
        let contracts = if contracts.is_empty() { &vec![[None, None]] } else { contracts };
        for (contract, case) in contracts.iter().flat_map(|contract| cases.iter().map(move |case| (contract, case))) {
            let contract = case.contract.as_ref().unwrap_or(contract);
            let shown = case.shown.as_ref().unwrap_or(shown);
            let now = case.now.as_deref().unwrap_or_default();
            snapshot +=
                &format!("{:?} {shown:?} {contract:?} {now}\n  {}\n", case.wanted(), case.outcome(shown, contract));
        }
    }
    insta::assert_snapshot!(snapshot);
}

#[test]
fn first_day_is_the_organizations_own_in_any_time_zone() {
    let first: chrono::NaiveDate = "2026-01-01".parse().unwrap();
    for (anchor, half_hours) in (1..=31u32).flat_map(|anchor| (-24..=28).map(move |offset| (anchor, offset))) {
        // Midnight of the anchor, or of the last day of a shorter month.
        let start = |number: u32| {
            let month = first + Months::new(number);
            let last = (month + Months::new(1)).pred_opt().unwrap();
            let day = month.with_day(anchor).unwrap_or(last);
            day.and_time(chrono::NaiveTime::MIN).and_utc() - TimeDelta::minutes(30 * half_hours)
        };
        for number in 0..36 {
            let (found, next) = (start(number), start(number + 1));
            // Daylight saving time moves one of the two by an hour.
            for saved in [TimeDelta::zero(), TimeDelta::hours(i64::from((-22..=26).contains(&half_hours)))] {
                let found = found - saved;
                let month = Period::month_of(first + Months::new(number));
                // Midnight there is also midnight of the 1st from UTC+12 to UTC+14.
                let is_ambiguous = anchor == 31 && (-24..=-20).contains(&half_hours);
                let fits = |month: Period| month.contains(on_first_day(found, next));
                let expected = if is_ambiguous && (found + EAST).day() == 1 {
                    Period::month_of(first + Months::new(number + 1))
                } else {
                    month
                };
                assert!(fits(expected), "{anchor} {half_hours} {found} {next}");
                let period = Period::new(found, next).unwrap();
                let mut search = Search::new(BillingPeriod::StartingIn(expected));
                let fits = match search.next(Some(period)) {
                    Step::Continue => search.next(None) == Step::FitsBefore,
                    step => step == Step::Fits,
                };
                assert!(fits, "{anchor} {half_hours} {found} {next}");
                assert!(is_whole_month(period), "{anchor} {half_hours} {found} {next}");
                let error = (end_of_next(period) - start(number + 2)).num_hours();
                // Daylight saving time moves the end by an hour, and by a day where that is across noon in a short month; so does noon itself.
                let is_exact = found == start(number) && half_hours < 24;
                let tolerated = if is_exact { 0..=0 } else { -1..=24 };
                assert!(tolerated.contains(&error), "{anchor} {half_hours} {found} {next}: {error} hours");
            }
        }
    }
}

#[test]
fn part_of_a_month_is_not_whole_in_any_time_zone() {
    for part in [
        "2026-10-01/2026-10-29",
        "2026-10-01/2026-11-04",
        "2026-10-03/2026-11-01",
        "2026-10-15/2026-11-14",
        "2026-10-15/2026-11-16",
        "2026-01-29/2026-02-26",
        "2026-10-15/2026-12-15",
    ] {
        let days = period(part);
        for half_hours in -24..=28 {
            let offset = TimeDelta::minutes(30 * half_hours);
            let zoned = Period::new(days.start() - offset, days.end() - offset).unwrap();
            assert!(!is_whole_month(zoned), "{part} {half_hours}");
        }
    }
}

#[test]
fn period_maps_to_the_billing_periods_of_its_months() {
    use BillingPeriod::{Matching, StartingIn};
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    type Kind = fn(Period) -> BillingPeriod;
    for (text, kind, parts) in [
        ("2026-10", StartingIn as Kind, &["2026-10"][..]),
        ("2026-09-01/2026-11-01", StartingIn, &["2026-09", "2026-10"]),
        ("2026-11-01/2026-11-22", StartingIn, &["2026-11"]),
        ("2026-10-01/2027-03-01", StartingIn, &["2026-10", "2026-11"]),
        ("2026-10-15/2026-11-15", Matching, &["2026-10-15/2026-11-15"]),
        ("2026-09-15/2026-11-15", Matching, &["2026-09-15/2026-10-15", "2026-10-15/2026-11-15"]),
        ("2026-10-01/2026-10-31", Matching, &["2026-10-01/2026-10-31"]),
        ("2026-12", StartingIn, &[]),
    ] {
        let expected: Vec<_> = parts.iter().map(|part| kind(period(part))).collect();
        assert_eq!(BillingPeriod::within(period(text), now), expected, "{text}");
    }
}

#[test]
fn future_billing_period_is_rejected() {
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    assert!(BillingPeriod::Matching(period("2026-12-01/2027-01-01")).require_started(now).is_err());
    assert!(BillingPeriod::StartingIn(period("2026-12")).require_started(now).is_err());
    assert!(BillingPeriod::StartingIn(period("2026-11")).require_started(now).is_ok());
    let last = |at: &str| BillingPeriod::LastFinished { at: at.parse().unwrap() }.require_started(now);
    assert!(last("2026-11-21T12:00:00Z").is_ok() && last("2020-01-01T00:00:00Z").is_ok());
    for at in ["2026-11-21T12:00:01Z", "2027-11-21T12:00:00Z"] {
        let error = last(at).unwrap_err();
        assert!(error.kind() == ErrorKind::Request && error.message().contains("in the future"), "{error}");
    }
}

#[test]
fn search_over_an_endless_list_ends() {
    let mut search = Search::new(period("2026-10").into());
    let steps = (0..1000).map(|_| search.next(Some(period("2026-11")))).position(|step| step != Step::Continue);
    assert_eq!(steps, Some(MAX_PERIODS - 1));
}

#[test]
fn search_states_that_it_looks_for_a_second_period() {
    let mut search = Search::new(BillingPeriod::StartingIn(period("2026-10")));
    for (shown, expected) in [("2026-11-15/2026-12-15", false), ("2026-10-15/2026-11-15", true)] {
        assert_eq!((search.next(Some(period(shown))), search.has_candidate()), (Step::Continue, expected), "{shown}");
    }
    assert_eq!(search.next(None), Step::FitsBefore);
}
