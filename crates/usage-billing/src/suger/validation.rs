//! Suger's check of reports before they are sent.
//!
//! The call takes many reports and answers for all of them: 200, or 500 with the reason of the first one that fails (the vendor's text; that
//! it stops there is inferred). The same status says that the server is at fault. So a lot that fails is halved until the culprits
//! are alone, and a culprit is one only if Suger itself gives a reason, gives it again, and takes something else right after: a report that is
//! known to be valid, since nothing at all may be checked without looking where the fault is. Where no report is valid, a 500 decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use usage_billing_core::{Error, Result};

use super::response::{Response, is_of_suger};
use super::usage_queue::Place;
use super::{Client, UsageEvent, types};

/// Reports in one call; no limit is documented.
const LOT: usize = 100;

#[derive(Clone)]
pub(super) enum Check {
    Valid,
    /// With Suger's words.
    Invalid(Error),
    /// There was no answer that says.
    Unknown(Error),
}

/// A report as it is checked.
type Checked = (Place, types::NewUsageRecordGroup);

/// Checks every report.
pub(super) async fn check_all<'a>(
    client: &Client,
    concurrency: usize,
    reports: impl Iterator<Item = (&'a Place, &'a UsageEvent)>,
) -> BTreeMap<Place, Check> {
    let mut reports = reports.map(|(place, report)| (*place, types::NewUsageRecordGroup::from(report)));
    let lots =
        std::iter::from_fn(|| Some(reports.by_ref().take(LOT).collect::<Vec<_>>()).filter(|lot| !lot.is_empty()));
    let searched: Vec<_> =
        stream::iter(lots).map(|lot| Searched::of(client, lot)).buffer_unordered(concurrency).collect().await;
    let (mut all, mut culprits, mut known_good) = (BTreeMap::new(), Vec::new(), None);
    for lot in searched {
        all.extend(lot.checks);
        culprits.extend(lot.culprits);
        known_good = known_good.or(lot.known_good);
    }
    if known_good.is_none() && fail_alike(&culprits) {
        all.extend(culprits.into_iter().map(|((place, _), error)| (place, Check::Unknown(unchecked(&error)))));
        return all;
    }
    let known_good = known_good.as_slice();
    let judged = stream::iter(culprits)
        .map(|(culprit, error)| async move { (culprit.0, alone(client, &culprit, error, known_good).await) });
    let judged: Vec<_> = judged.buffer_unordered(concurrency).collect().await;
    all.extend(judged);
    all
}

/// What halving has shown of one lot.
#[derive(Default)]
struct Searched {
    checks: Vec<(Place, Check)>,
    /// Reports that fail alone.
    culprits: Vec<(Checked, Error)>,
    known_good: Option<Checked>,
}

impl Searched {
    async fn of(client: &Client, lot: Vec<Checked>) -> Self {
        let mut found = Self::default();
        let mut parts = vec![lot];
        while let Some(mut part) = parts.pop() {
            let verdict = match check(client, &part).await {
                Ok(()) => {
                    found.known_good = found.known_good.or_else(|| part.first().cloned());
                    Check::Valid
                }
                Err(error) if !may_be_about_reports(&error) => Check::Unknown(unchecked(&error)),
                Err(_) if part.len() > 1 => {
                    parts.push(part.split_off(part.len() / 2));
                    parts.push(part);
                    continue;
                }
                Err(error) => {
                    found.culprits.extend(part.pop().map(|culprit| (culprit, error)));
                    continue;
                }
            };
            found.checks.extend(part.into_iter().map(|(place, _)| (place, verdict.clone())));
        }
        found
    }
}

/// Whether reports of several entitlements fail with the same words: so does a server that cannot look anything up.
fn fail_alike(culprits: &[(Checked, Error)]) -> bool {
    let entitlements: BTreeSet<_> = culprits.iter().map(|((_, report), _)| &report.entitlement_id).collect();
    let words: BTreeSet<_> = culprits.iter().map(|(_, error)| error.message()).collect();
    entitlements.len() > 1 && words.len() == 1
}

/// The verdict on one report that failed with `error`; `known_good` is one that passed, if any did.
async fn alone(client: &Client, culprit: &Checked, error: Error, known_good: &[Checked]) -> Check {
    if !is_verdict(&error) {
        return Check::Unknown(unchecked(&error));
    }
    // A fault that has passed says nothing of the report.
    match check(client, std::slice::from_ref(culprit)).await {
        Ok(()) => return Check::Valid,
        Err(again) if again.message() == error.message() && is_verdict(&again) => {}
        Err(again) => return Check::Unknown(unchecked(&again)),
    }
    if known_good.is_empty() && is_server_error(&error) {
        // An empty lot needs no look-up: that it passes does not show that the server is in order.
        return Check::Unknown(unchecked(&error).with_hint(
            "no other report passes the check, so that Suger itself may be at fault: flush again later, or without checking reports first",
        ));
    }
    // Neither does one that meets what cannot fail.
    match check(client, known_good).await {
        Ok(()) => Check::Invalid(error),
        // An empty lot may be refused for being empty.
        Err(other) if known_good.is_empty() && is_verdict(&other) && other.message() != error.message() => {
            Check::Invalid(error)
        }
        Err(_) => Check::Unknown(unchecked(&error)),
    }
}

async fn check(client: &Client, part: &[Checked]) -> Result<()> {
    let body: Vec<_> = part.iter().map(|(_, report)| report.clone()).collect();
    client.api.batch_validate_usage_record_groups().org_id(&client.org_id).body(body).send().await.map(drop)
}

/// Whether an answer may be about the reports, so that others may pass without the culprit: a proxy may block a report, too.
fn may_be_about_reports(error: &Error) -> bool {
    matches!(Response::from(Err(error.clone())), Response::Rejection { .. } | Response::Unsendable(_))
        || is_server_error(error)
}

/// Whether an answer to the check of one report may decide that it is invalid: Suger itself has to give it, and to say why. A server at fault has
/// no more to say than the name of its status.
fn is_verdict(error: &Error) -> bool {
    let words = String::from_utf8_lossy(error.body()).to_lowercase();
    may_be_about_reports(error) && is_of_suger(error) && !words.contains("internal server error")
}

fn is_server_error(error: &Error) -> bool {
    error.status().is_some_and(|status| status == 500)
}

fn unchecked(error: &Error) -> Error {
    Error::new(error.kind(), format!("not sent, because Suger could not check it: {error}")).with_source(error.clone())
}
