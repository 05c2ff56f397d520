use super::*;
use proptest::prelude::*;

fn period(text: &str) -> Period {
    text.parse().unwrap()
}

#[test]
fn months_are_the_parts_of_a_period() {
    for (period, parts) in [
        ("2026-10", &["2026-10"][..]),
        ("2026-10-05/2026-10-20", &["2026-10-05/2026-10-20"]),
        ("2026-11-15/2027-02-02", &["2026-11-15/2026-12-01", "2026-12", "2027-01", "2027-02-01/2027-02-02"]),
        ("9999-12-30/9999-12-31", &["9999-12-30/9999-12-31"]),
    ] {
        let period: Period = period.parse().unwrap();
        let expected: Vec<Period> = parts.iter().map(|part| part.parse().unwrap()).collect();
        assert_eq!(period.months().collect::<Vec<_>>(), expected, "{period}");
    }
}

#[cfg(feature = "genesys")]
#[test]
fn billing_months_begin_on_the_day_on_which_the_period_begins() {
    for (text, parts) in [
        ("2026-10-15/2026-11-15", &["2026-10-15/2026-11-15"][..]),
        ("2026-10-15/2026-11-14", &["2026-10-15/2026-11-14"]),
        ("2026-10-15/2026-11-16", &["2026-10-15/2026-11-15", "2026-11-15/2026-11-16"]),
        ("2026-11-01/2027-02-01", &["2026-11", "2026-12", "2027-01"]),
        ("2026-01-31/2026-04-30", &["2026-01-31/2026-02-28", "2026-02-28/2026-03-31", "2026-03-31/2026-04-30"]),
        ("2026-02-28/2026-03-31", &["2026-02-28/2026-03-31"]),
        ("2026-04-30/2026-06-29", &["2026-04-30/2026-05-30", "2026-05-30/2026-06-29"]),
        ("2026-02-28/2026-04-29", &["2026-02-28/2026-03-29", "2026-03-29/2026-04-29"]),
        ("2026-11-30/2027-01-31", &["2026-11-30/2026-12-31", "2026-12-31/2027-01-31"]),
        ("9999-12-30/9999-12-31", &["9999-12-30/9999-12-31"]),
    ] {
        let expected: Vec<Period> = parts.iter().map(|part| period(part)).collect();
        assert_eq!(period(text).billing_months().collect::<Vec<_>>(), expected, "{text}");
    }
}

#[cfg(feature = "genesys")]
#[test]
fn a_billing_month_is_one_whole_month_from_any_day() {
    for whole in [
        "2026-10",
        "2026-10-15/2026-11-15",
        "2026-10-15T04:00:00Z/2026-11-15T04:00:00Z",
        "2026-02-28/2026-03-28",
        "2026-02-28/2026-03-31",
        "2024-02-29/2024-03-29",
        "2026-01-30/2026-02-28",
        "2026-11-30/2026-12-31",
    ] {
        assert!(period(whole).is_billing_month(), "{whole}");
    }
    for part in [
        "2026-10-01/2026-10-31",
        "2026-10-01/2026-11-02",
        "2026-10-15/2026-11-14",
        "2026-10-15T04:00:00Z/2026-11-15T05:00:00Z",
        "2026-02-27/2026-03-31",
        "2026-01-30/2026-02-27",
        "2026-10-01/2026-12-01",
    ] {
        assert!(!period(part).is_billing_month(), "{part}");
    }
}

#[test]
fn future_period_is_rejected_on_one_line() {
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    for started in ["2026-11", "2026-10", "2026-11-21/2027-05-01", "2026-11-21T12:00:00Z/2026-11-22"] {
        assert!(period(started).require_started(now).is_ok(), "{started}");
    }
    let error = period("2027-05").require_started(now).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert_eq!(error.to_string(), "2027-05 is in the future: it begins at 2027-05-01T00:00:00Z");
    assert!(period("2026-11-22/2026-11-23").require_started(now).is_err());
    assert!(period("2026-11-21T12:00:01Z/2026-11-22").require_started(now).is_err());
}

#[test]
fn inclusive_end_causes_a_warning() {
    for (text, included) in [
        ("2026-10-01/2026-10-31", "2026-10"),
        ("2024-02-01/2024-02-29", "2024-02"),
        ("2026-10-15/2026-11-14", "2026-10-15/2026-11-15"),
        ("2026-01-01/2026-12-31", "2026-01-01/2027-01-01"),
        ("2026-10-01/2026-10-31T23:59:59Z", "2026-10"),
        ("2026-10-01/2026-10-31T23:59:59.999Z", "2026-10"),
    ] {
        let warning = period(text).inclusive_end_warning().unwrap_or_default();
        assert!(warning.starts_with(&period(text).to_string()), "{warning}");
        assert!(
            warning.ends_with(&format!("because its end is excluded: write {included} to include it")),
            "{warning}"
        );
    }
    for text in [
        "2026-10",
        "2026-10-01/2026-11-01",
        "2026-10-01/2026-10-30",
        "2026-10-15/2026-11-15",
        "2026-10-15/2026-10-31",
        "2026-10-01/2026-10-31T23:59:58Z",
        "2026-10-01/2026-10-31T12:00:00Z",
        "2026-10-01T01:00:00Z/2026-10-31",
        "2026-10-01/2026-10-02",
    ] {
        assert_eq!(period(text).inclusive_end_warning(), None, "{text}");
    }
    let warning = period("2026-10-01/2026-10-31T23:59:59Z").inclusive_end_warning().unwrap();
    assert!(warning.contains("does not contain 2026-10-31T23:59:59Z, because"), "{warning}");
}

#[test]
fn a_month_ends_where_the_next_one_starts() {
    assert_eq!(period("2026-12").end(), period("2027-01").start());
    assert_eq!(period("2024-02"), period("2024-02-01/2024-03-01"));
    assert_eq!(period("2026-10").to_string(), "2026-10");
}

#[test]
fn last_month_is_complete_on_the_first_of_january() {
    let new_year = "2027-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(Period::last_month(new_year), period("2026-12"));
    assert!(Period::last_month(new_year).has_ended(new_year));
    assert!(Period::last_month(new_year).require_ended(new_year).is_ok());
    let open = Period::month_of(new_year.date_naive()).require_ended(new_year).unwrap_err();
    assert_eq!(open.message(), "2027-01 does not end before 2027-02-01T00:00:00Z: its quantities will still change");
}

#[test]
fn invalid_period_error_states_expected_form() {
    for text in [
        "",
        "2026",
        "2026-13",
        "2026-1",
        "202610",
        "2026-10-01",
        "2026-10-01/",
        "2026-10-02/2026-10-02",
        "+026-10",
        "26-10",
        "26-10-01/26-11-01",
        "2026-1-1/2026-2-1",
        "2026-10-01/2026-11- 1",
        "2026-02-29/2026-03-01",
        "2026-10-01 /2026-11-01",
    ] {
        let error = text.parse::<Period>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request, "{text}");
    }
    let error = "oct".parse::<Period>().unwrap_err().to_string();
    assert!(error.starts_with("invalid period \"oct\": expected a month (2026-10)"), "{error}");
}

#[test]
fn days_from_the_first_through_the_last_are_a_period() {
    let (first, last) = ("2026-10-01".parse().unwrap(), "2026-10-31".parse().unwrap());
    assert_eq!(Period::of_days(first, last).unwrap(), period("2026-10"));
    assert_eq!(Period::of_days(first, first).unwrap(), period("2026-10-01/2026-10-02"));
    assert!(Period::of_days(last, first).is_err());
    assert!(Period::of_days(first, NaiveDate::MAX).is_err());
}

proptest! {
    #[test]
    fn months_tile_time_without_gap_or_overlap(days in 0u64..60_000) {
        let day = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + Days::new(days);
        let month = Period::month_of(day);
        prop_assert!(month.contains(midnight(day)));
        prop_assert!(!month.contains(month.end()));
        prop_assert_eq!(Period::month_of(month.end().date_naive()).start(), month.end());
    }

    #[cfg(feature = "genesys")]
    #[test]
    fn billing_months_tile_a_period(start in 0i64..4_000_000_000, days in 1i64..2_000) {
        let start = DateTime::from_timestamp(start, 0).unwrap();
        let whole = Period::new(start, start + TimeDelta::days(days)).unwrap();
        let parts: Vec<_> = whole.billing_months().collect();
        prop_assert_eq!((parts[0].start, parts[parts.len() - 1].end), (whole.start, whole.end));
        for pair in parts.windows(2) {
            prop_assert_eq!(pair[0].end, pair[1].start);
        }
        for part in parts {
            prop_assert!(part.start < part.end && part.end - part.start <= TimeDelta::days(31));
        }
    }

    #[test]
    fn period_survives_display_and_parse(start in 0i64..4_000_000_000, seconds in 1i64..40_000_000) {
        let start = DateTime::from_timestamp(start, 0).unwrap();
        let written = Period::new(start, start + chrono::TimeDelta::seconds(seconds)).unwrap();
        prop_assert_eq!(written.to_string().parse::<Period>().unwrap(), written);
    }
}
