//! One check and its outcome.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;

use crate::accounts::AccountClient;
use crate::commands::output;
use crate::formats::table::Content::{Prose, Text, Word};
use crate::formats::table::Display::{Always, IfDiffers, IfSpace};

/// Tokens and signatures of some vendors are rejected if the clocks differ by more.
const MAX_SKEW: TimeDelta = TimeDelta::seconds(300);
/// A smaller difference may be the time of the response.
const NOTABLE_SKEW: TimeDelta = TimeDelta::seconds(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Ok,
    Warning,
    Failed,
    Skipped,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    pub(super) account: String,
    pub(super) check: &'static str,
    pub(super) state: State,
    pub(super) message: String,
    pub(super) advice: Option<String>,
}

impl Check {
    pub(super) fn new(account: &AccountClient, check: &'static str, state: State, message: String) -> Self {
        Self { account: account.name.clone(), check, state, message, advice: None }
    }

    pub(super) fn with_advice(self, advice: &str) -> Self {
        Self { advice: Some(advice.to_owned()), ..self }
    }
}

/// Returns the state of this machine's clock, by the `Date` of a response.
pub(super) fn clock(here: DateTime<Utc>, vendor: DateTime<Utc>) -> (State, String) {
    let skew = here - vendor;
    let vendor = vendor.to_rfc3339_opts(SecondsFormat::Secs, true);
    match skew.abs() {
        small if small <= NOTABLE_SKEW => (State::Ok, format!("agrees with the vendor's ({vendor})")),
        skewed => {
            let state = if skewed > MAX_SKEW { State::Failed } else { State::Warning };
            let direction = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
            (state, format!("{} s {direction} the vendor's ({vendor})", skewed.num_seconds()))
        }
    }
}

/// Returns one line for each check; the advice is below its line.
pub(super) fn table(checks: &[Check]) -> String {
    let row = |check: &Check| {
        let state = match check.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "FAILED",
            State::Skipped => "skipped",
        };
        let advice = check.advice.clone().unwrap_or_default();
        [check.account.clone(), check.check.to_owned(), state.to_owned(), check.message.clone(), advice]
    };
    let columns = [
        ("ACCOUNT", Text, IfSpace),
        ("CHECK", Word, Always),
        ("STATE", Word, Always),
        ("RESULT", Prose, Always),
        ("ADVICE", Prose, IfDiffers),
    ];
    output::table(columns, checks.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_is_judged_by_its_difference() {
        let here: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        for (seconds, state, expected) in [
            (0, State::Ok, "agrees with the vendor's (2026-11-21T12:00:00Z)"),
            (-10, State::Ok, "agrees with the vendor's (2026-11-21T11:59:50Z)"),
            (-60, State::Warning, "60 s ahead of the vendor's (2026-11-21T11:59:00Z)"),
            (301, State::Failed, "301 s behind the vendor's (2026-11-21T12:05:01Z)"),
        ] {
            assert_eq!(clock(here, here + TimeDelta::seconds(seconds)), (state, expected.to_owned()));
        }
    }
}
