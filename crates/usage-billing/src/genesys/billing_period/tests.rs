use chrono::{Datelike as _, Months, TimeDelta};

use super::month_bounds::{EAST, on_first_day};
use super::search::MAX_PERIODS;
use super::*;

fn period(text: &str) -> Period {
    text.parse().unwrap()
}

/// Returns the index that matches, or the reason for which none does.
fn find(wanted: BillingPeriod, indexes: &[&str]) -> Result<usize, String> {
    let mut search = Search::new(wanted);
    for (index, found) in indexes.iter().map(|text| Some(period(text))).chain([None]).enumerate() {
        match search.next(found) {
            Step::Fits => return Ok(index),
            Step::FitsBefore => return Ok(index - 1),
            Step::Continue => {}
            Step::Fail(reason) => return Err(reason),
        }
    }
    unreachable!("`None` ends every search")
}

fn last_finished(at: &str, indexes: &[&str]) -> Result<usize, String> {
    find(BillingPeriod::LastFinished { at: at.parse().unwrap() }, indexes)
}

const RUNNING: [&str; 3] = ["2026-12", "2026-11", "2026-10"];
const LATE: [&str; 3] = ["2026-11", "2026-10", "2026-09"];

#[test]
fn last_finished_period_does_not_depend_on_the_rotation() {
    assert_eq!(last_finished("2026-12-03T09:00:00Z", &RUNNING), Ok(1));
    assert_eq!(last_finished("2026-12-03T09:00:00Z", &LATE), Ok(0));
    assert_eq!(last_finished("2026-12-01T00:00:00Z", &LATE), Ok(0), "it has ended at this instant");
    assert_eq!(last_finished("2026-11-30T23:59:59Z", &LATE), Ok(1));
    assert_eq!(last_finished("2026-12-31T23:00:00Z", &["2026-12", "2026-11"]), Ok(1));
}

#[test]
fn period_is_found_at_any_index() {
    let october = BillingPeriod::from(period("2026-10"));
    assert_eq!((find(october, &RUNNING), find(october, &LATE)), (Ok(2), Ok(1)));
    let zoned = ["2026-11-01T04:00:00Z/2026-12-01T05:00:00Z", "2026-10-01T04:00:00Z/2026-11-01T04:00:00Z"];
    assert_eq!(find(october, &zoned), Ok(1), "midnight in the organization's time zone");
    let rotated_meanwhile = ["2026-11", "2026-11", "2026-10"];
    assert_eq!(find(october, &rotated_meanwhile), Ok(2));
}

#[test]
fn missing_period_error_names_the_nearest_periods() {
    let wanted = |text: &str| find(period(text).into(), &LATE).unwrap_err();
    assert_eq!(
        wanted("2026-10-15/2026-11-15"),
        "it has no billing period with the dates 2026-10-15/2026-11-15; nearest are 2026-10-01/2026-11-01 and \
         2026-11-01/2026-12-01: request one of these"
    );
    assert!(wanted("2026-12").ends_with("nearest are 2026-11-01/2026-12-01: request one of these"), "at once");
    assert!(wanted("2026-08").ends_with("it has no earlier billing period"));
    assert!(wanted("2026-10-02/2026-11-02").contains("nearest are"), "another activation day");
    assert!(wanted("2026-09-01/2026-11-01").contains("nearest are"));
}

#[test]
fn one_period_begins_in_each_month() {
    let october = BillingPeriod::StartingIn(period("2026-10"));
    assert_eq!(find(october, &LATE), Ok(1));
    assert_eq!(find(october, &["2026-11-15/2026-12-15", "2026-10-15/2026-11-15", "2026-09-15/2026-10-15"]), Ok(1));
    assert_eq!(
        find(october, &["2026-10-31T22:00:00Z/2026-11-30T23:00:00Z", "2026-09-30T22:00:00Z/2026-10-31T23:00:00Z"]),
        Ok(1)
    );
    assert!(find(october, &["2026-12", "2026-11"]).unwrap_err().contains("begins within 2026-10-01/2026-11-01"));
    assert!(find(october, &["2026-11", "2026-09"]).unwrap_err().ends_with("it began later, or has gaps"));
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
fn billing_month_of_an_eastern_organization_is_its_own() {
    let indexes = ["2026-10-31T11:00:00Z/2026-11-30T11:00:00Z", "2026-09-30T11:00:00Z/2026-10-31T11:00:00Z"];
    assert_eq!(find(BillingPeriod::StartingIn(period("2026-10")), &indexes), Ok(1));
    assert_eq!(find(BillingPeriod::StartingIn(period("2026-11")), &indexes), Ok(0));
    let western = ["2026-10-30T11:00:00Z/2026-11-30T11:00:00Z", "2026-09-30T11:00:00Z/2026-10-30T11:00:00Z"];
    assert_eq!(find(BillingPeriod::StartingIn(period("2026-09")), &western), Ok(1), "from the 30th in UTC-11");
}

/// Returns whether a contract with these dates explains that no index matches.
fn is_outside(wanted: BillingPeriod, indexes: &[&str], start: &str, end: &str) -> bool {
    let (mut search, mut contract) = (Search::new(wanted), ContractDates::default());
    let date = |text: &str| text.parse().ok();
    for (index, found) in indexes.iter().map(|text| Some(period(text))).chain([None]).enumerate() {
        // Earlier periods may belong to an earlier contract: only the last start and the first end count.
        match (found, index) {
            (Some(_), 0) => contract.add(date(start), date(end)),
            (Some(_), _) => contract.add(date(start), date("2000-01-01T00:00:00Z")),
            (None, _) => {}
        }
        match search.next(found) {
            Step::Fits | Step::FitsBefore => panic!("index {index} fits"),
            Step::Continue => {}
            Step::Fail(_) => {
                return search.no_bill(&contract, NOW.parse().unwrap()) == Some(NoBill::OutsideContract);
            }
        }
    }
    unreachable!("`None` ends every search")
}

const NOW: &str = "2027-06-01T00:00:00Z";

#[test]
fn running_period_is_not_shown_until_the_index_moves() {
    let month = |text: &str| BillingPeriod::StartingIn(period(text));
    let matching = |text: &str| BillingPeriod::Matching(period(text));
    let last = |at: &str| BillingPeriod::LastFinished { at: at.parse().unwrap() };
    for (wanted, now, expected) in [
        (month("2026-12"), "2026-12-01T00:00:00Z", true),
        (month("2026-12"), "2026-12-05T12:00:00Z", true),
        (month("2026-12"), "2026-12-29T00:00:00Z", false),
        (month("2027-01"), "2027-01-05T12:00:00Z", false),
        (matching("2026-12"), "2026-12-05T12:00:00Z", true),
        (matching("2026-12"), "2026-12-31T23:59:59Z", true),
        (matching("2026-12"), "2027-01-01T00:00:00Z", false),
        (matching("2026-12-02/2027-01-02"), "2026-12-05T12:00:00Z", false),
        (last("2027-03-05T12:00:00Z"), "2026-12-05T12:00:00Z", false),
    ] {
        let mut search = Search::new(wanted);
        assert!(matches!(search.next(Some(period("2026-11"))), Step::Fail(_)), "{wanted:?}");
        let found = search.no_bill(&ContractDates::default(), now.parse().unwrap());
        assert_eq!(found, expected.then_some(NoBill::NotShownYet), "{wanted:?} {now}");
        let mut ended = ContractDates::default();
        ended.add(None, "2026-11-30T23:59:59Z".parse().ok());
        let found = search.no_bill(&ended, now.parse().unwrap());
        assert_eq!(found, Some(NoBill::OutsideContract), "{wanted:?} {now}: it ended");
    }
    assert_eq!(Search::new(month("2026-12")).no_bill(&ContractDates::default(), NOW.parse().unwrap()), None);
}

#[test]
fn period_that_begins_later_in_the_month_is_not_missing() {
    use NoBill::{NotBegun, NotShownYet};
    let month = |text: &str| BillingPeriod::StartingIn(period(text));
    const FROM_THE_15TH: [&str; 2] = ["2026-10-15/2026-11-15", "2026-09-15/2026-10-15"];
    const FROM_THE_30TH: [&str; 2] = ["2026-09-30/2026-10-30", "2026-08-30/2026-09-30"];
    const ZONED: [&str; 2] = ["2026-10-15T04:00:00Z/2026-11-15T05:00:00Z", "2026-09-15T04:00:00Z/2026-10-15T04:00:00Z"];
    for (shown, wanted, now, expected) in [
        (FROM_THE_15TH, month("2026-11"), "2026-11-01T00:00:00Z", Some(NotBegun)),
        (FROM_THE_15TH, month("2026-11"), "2026-11-10T12:00:00Z", Some(NotBegun)),
        (FROM_THE_15TH, month("2026-11"), "2026-11-14T23:59:59Z", Some(NotBegun)),
        (FROM_THE_15TH, month("2026-11"), "2026-11-15T00:00:00Z", Some(NotShownYet)),
        (FROM_THE_15TH, month("2026-11"), "2026-12-14T00:00:00Z", None),
        // The index has not moved, and the running billing period is not the wanted one.
        (FROM_THE_30TH, month("2026-11"), "2026-11-02T00:00:00Z", Some(NotBegun)),
        (FROM_THE_30TH, month("2026-11"), "2026-11-29T00:00:00Z", None),
        (ZONED, month("2026-11"), "2026-11-10T12:00:00Z", Some(NotBegun)),
        (ZONED, BillingPeriod::Matching(period("2026-11-15/2026-12-15")), "2026-11-15T02:00:00Z", Some(NotBegun)),
    ] {
        let mut search = Search::new(wanted);
        let steps: Vec<_> = shown.iter().map(|of| search.next(Some(period(of)))).collect();
        assert!(!steps.contains(&Step::Fits), "{shown:?}");
        let found = search.no_bill(&ContractDates::default(), now.parse().unwrap());
        assert_eq!(found, expected, "{shown:?} {now}");
    }
}

#[test]
fn contract_that_began_later_explains_a_missing_period() {
    let none = "";
    let month = |text: &str| BillingPeriod::StartingIn(period(text));
    let matching = |text: &str| BillingPeriod::Matching(period(text));
    let last = |at: &str| BillingPeriod::LastFinished { at: at.parse().unwrap() };
    for (wanted, start, expected) in [
        (month("2026-08"), "2026-09-01T00:00:00Z", true),
        (month("2026-08"), "2026-08-31T22:00:00Z", true),
        (month("2026-08"), "2026-10-01T00:00:00Z", true),
        (month("2026-08"), "2026-08-01T00:00:00Z", false),
        (month("2026-08"), none, false),
        (month("2026-01"), "2026-09-01T00:00:00Z", true),
        (matching("2026-08"), "2026-09-01T00:00:00Z", true),
        (matching("2026-07-15/2026-08-15"), "2026-09-01T00:00:00Z", true),
        (matching("2026-08-15/2026-09-15"), "2026-09-01T00:00:00Z", false),
        (matching("2026-09-15/2026-10-15"), "2026-09-01T00:00:00Z", false),
        (last("2026-09-20T00:00:00Z"), "2026-09-01T00:00:00Z", true),
        (last("2026-09-20T00:00:00Z"), "2026-08-01T00:00:00Z", false),
        (last("2026-09-20T00:00:00Z"), none, false),
    ] {
        assert_eq!(is_outside(wanted, &LATE, start, none), expected, "{wanted:?} {start}");
    }
}

#[test]
fn contract_that_ended_before_explains_a_missing_period() {
    let none = "";
    let month = |text: &str| BillingPeriod::StartingIn(period(text));
    let matching = |text: &str| BillingPeriod::Matching(period(text));
    let last = |at: &str| BillingPeriod::LastFinished { at: at.parse().unwrap() };
    const ENDED: [&str; 2] = ["2026-03-15/2026-04-15", "2026-02-15/2026-03-15"];
    for (wanted, end, expected) in [
        (month("2026-04"), "2026-04-14T23:59:59.999Z", true),
        (month("2026-06"), "2026-04-14T23:59:59.999Z", true),
        (month("2026-06"), "2026-05-14T23:59:59.999Z", false),
        (month("2026-06"), none, false),
        (matching("2026-04-15/2026-05-15"), "2026-04-15T00:00:00Z", true),
        (matching("2026-04-15/2026-05-15"), "2026-05-15T00:00:00Z", false),
        (matching("2026-04-01/2026-05-01"), "2026-04-15T00:00:00Z", false),
        (last("2026-09-20T00:00:00Z"), "2026-04-14T23:59:59.999Z", true),
        (last("2026-09-20T00:00:00Z"), "2029-04-14T23:59:59.999Z", false),
    ] {
        assert_eq!(is_outside(wanted, &ENDED, none, end), expected, "{wanted:?} {end}");
    }
}

#[test]
fn contract_that_ended_long_ago_has_no_last_finished_period() {
    let error = last_finished("2026-12-03T09:00:00Z", &["2026-03", "2026-02"]).unwrap_err();
    assert!(error.contains("nearest are 2026-03-01/2026-04-01: that one ended longer ago"), "{error}");
    assert_eq!(last_finished("2026-03-30T09:00:00Z", &["2026-02"]), Ok(0), "February is shorter than March");
    let error = last_finished("2026-12-03T09:00:00Z", &["2026-12"]).unwrap_err();
    assert!(error.ends_with("it has no earlier billing period"), "{error}");
    assert_eq!(
        last_finished("2026-12-03T09:00:00Z", &[]).unwrap_err(),
        "it has no billing period that ended last before 2026-12-03T09:00:00Z"
    );
}

#[test]
fn last_month_of_an_ended_contract_is_finished_last_until_the_next_month_ends() {
    for (index_0, at, is_last) in [
        ("2026-10", "2026-11-03T00:00:00Z", true),
        ("2026-10", "2026-11-30T23:59:59Z", true),
        ("2026-10", "2026-12-01T00:00:00Z", false),
        ("2026-10", "2026-12-03T23:59:59Z", false),
        ("2026-01", "2026-02-28T23:59:59Z", true),
        ("2026-01", "2026-03-01T00:00:00Z", false),
        ("2026-01", "2026-03-06T00:00:00Z", false),
        ("2026-02", "2026-03-31T23:59:59Z", true),
        ("2026-02", "2026-04-01T00:00:00Z", false),
        ("2026-01-31/2026-02-28", "2026-03-30T23:59:59Z", true),
        ("2026-01-31/2026-02-28", "2026-03-31T00:00:00Z", false),
        ("2026-02-28/2026-03-31", "2026-04-29T23:59:59Z", true),
        ("2026-02-28/2026-03-31", "2026-04-30T00:00:00Z", false),
        // Shortened, so that the next one begins on another day.
        ("2026-10-15/2026-11-01", "2026-11-30T23:59:59Z", true),
        ("2026-10-15/2026-11-01", "2026-12-01T00:00:00Z", false),
        ("2026-10-01/2026-10-15", "2026-11-14T23:59:59Z", true),
        ("2026-10-01/2026-10-15", "2026-11-15T00:00:00Z", false),
        ("2026-10-15T04:00:00Z/2026-11-15T05:00:00Z", "2026-12-15T04:59:59Z", true),
        ("2026-10-15T04:00:00Z/2026-11-15T05:00:00Z", "2026-12-15T05:00:00Z", false),
    ] {
        assert_eq!(last_finished(at, &[index_0]).is_ok(), is_last, "{index_0} {at}");
    }
    // With a running period after it, also in the hour by which daylight saving time moves its end.
    let followed = ["2026-11-01T04:00:00Z/2026-12-01T05:00:00Z", "2026-10-01T04:00:00Z/2026-11-01T04:00:00Z"];
    assert_eq!(last_finished("2026-12-01T04:30:00Z", &followed), Ok(1));
    assert!(last_finished("2026-12-01T04:30:00Z", &followed[1..]).is_err());
    let after_a_gap = ["2026-12-05/2027-01-05", "2026-09"];
    assert!(last_finished("2026-12-20T00:00:00Z", &after_a_gap).is_err());
}

#[test]
fn two_periods_that_begin_in_one_month_are_an_error_that_names_both() {
    const MOVED: [&str; 4] = ["2026-11-15/2026-12-15", "2026-10-15/2026-11-15", "2026-10-01/2026-10-15", "2026-09"];
    let month = |text: &str| BillingPeriod::StartingIn(period(text));
    let error = find(month("2026-10"), &MOVED).unwrap_err();
    assert_eq!(
        error,
        "it has more than one billing period that begins within 2026-10-01/2026-11-01, 2026-10-01/2026-10-15 and \
         2026-10-15/2026-11-15: request each by its dates"
    );
    assert_eq!((find(month("2026-11"), &MOVED), find(month("2026-09"), &MOVED)), (Ok(0), Ok(3)));
    assert_eq!(find(month("2026-10"), &MOVED[..2]), Ok(1), "the first one of all");
    for exact in &MOVED[..3] {
        assert!(find(BillingPeriod::from(period(exact)), &MOVED).is_ok(), "{exact}");
    }
    let rotated_meanwhile = ["2026-11-15/2026-12-15", "2026-11-15/2026-12-15", "2026-10-15/2026-11-15"];
    assert_eq!(find(month("2026-11"), &rotated_meanwhile), Ok(1));
    let moved_meanwhile = ["2026-10-15/2026-11-15", "2026-10-15/2026-11-15", "2026-10-01/2026-10-15"];
    assert!(find(month("2026-10"), &moved_meanwhile).is_err());
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
