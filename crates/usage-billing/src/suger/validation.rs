//! Suger's check of reports before they are sent.
//!
//! The call takes many reports and answers for all of them: 200, or 500 with the reason of the first one that fails (the vendor's text; that
//! it stops there is inferred). The same status says that the server is at fault. So a lot that fails is halved until the culprits
//! are alone, and a culprit is one only if Suger gives a reason, gives it again, and takes something else right after: a report of the lot that
//! is known to be valid, since nothing at all may be checked without looking where the fault is.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use usage_billing_core::{Error, Result};

use super::reporter::Place;
use super::response::Response;
use super::{Client, UsageReport, types};

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

/// Checks every report.
pub(super) async fn check_all<'a>(
    client: &Client,
    concurrency: usize,
    reports: impl Iterator<Item = (&'a Place, &'a UsageReport)>,
) -> BTreeMap<Place, Check> {
    let mut reports = reports.map(|(place, report)| (*place, types::NewUsageRecordGroup::from(report)));
    let lots =
        std::iter::from_fn(|| Some(reports.by_ref().take(LOT).collect::<Vec<_>>()).filter(|lot| !lot.is_empty()));
    let judged = stream::iter(lots).map(|lot| lot_verdicts(client, lot)).buffer_unordered(concurrency);
    judged.map(stream::iter).flatten().collect().await
}

async fn lot_verdicts(client: &Client, lot: Vec<(Place, types::NewUsageRecordGroup)>) -> Vec<(Place, Check)> {
    let mut all = Vec::with_capacity(lot.len());
    let mut parts = vec![lot];
    let (mut culprits, mut known_good) = (Vec::new(), Vec::new());
    while let Some(mut part) = parts.pop() {
        let verdict = match check(client, &part).await {
            Ok(()) => {
                known_good.extend(part.first().filter(|_| known_good.is_empty()).cloned());
                Check::Valid
            }
            Err(error) if !is_verdict(&error) => Check::Unknown(unchecked(&error)),
            Err(_) if part.len() > 1 => {
                parts.push(part.split_off(part.len() / 2));
                parts.push(part);
                continue;
            }
            Err(error) => {
                culprits.push((part, error));
                continue;
            }
        };
        all.extend(part.into_iter().map(|(place, _)| (place, verdict.clone())));
    }
    let nobody_passes = known_good.is_empty() && fail_alike(&culprits);
    for (culprit, error) in culprits {
        let verdict = match nobody_passes {
            true => Check::Unknown(unchecked(&error)),
            false => alone(client, &culprit, error, &known_good).await,
        };
        all.extend(culprit.into_iter().map(|(place, _)| (place, verdict.clone())));
    }
    all
}

/// Whether reports of several entitlements fail with the same words: so does a server that cannot look anything up.
fn fail_alike(culprits: &[(Vec<(Place, types::NewUsageRecordGroup)>, Error)]) -> bool {
    let entitlements: BTreeSet<_> =
        culprits.iter().flat_map(|(part, _)| part).map(|(_, report)| &report.entitlement_id).collect();
    let words: BTreeSet<_> = culprits.iter().map(|(_, error)| error.message()).collect();
    entitlements.len() > 1 && words.len() == 1
}

/// The verdict on one report that failed with `error`.
async fn alone(
    client: &Client,
    culprit: &[(Place, types::NewUsageRecordGroup)],
    error: Error,
    known_good: &[(Place, types::NewUsageRecordGroup)],
) -> Check {
    // A fault that has passed says nothing of the report.
    match check(client, culprit).await {
        Ok(()) => return Check::Valid,
        Err(again) if again.message() == error.message() && is_verdict(&again) && says_why(&again) => {}
        Err(again) => return Check::Unknown(unchecked(&again)),
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

async fn check(client: &Client, part: &[(Place, types::NewUsageRecordGroup)]) -> Result<()> {
    let body: Vec<_> = part.iter().map(|(_, report)| report.clone()).collect();
    client.api.batch_validate_usage_record_groups().org_id(&client.org_id).body(body).send().await.map(drop)
}

/// Whether an answer may be about the reports.
fn is_verdict(error: &Error) -> bool {
    matches!(Response::from(Err(error.clone())), Response::Rejection { .. } | Response::Unsendable(_))
        || error.status().is_some_and(|status| status == 500)
}

/// Whether Suger says why: a server at fault has no more to say than the name of its status, or a page.
fn says_why(error: &Error) -> bool {
    let body = String::from_utf8_lossy(error.body()).to_lowercase();
    let words = body.trim_matches(|letter: char| letter.is_whitespace() || letter == '"');
    !words.is_empty() && !words.starts_with('<') && !words.contains("internal server error")
}

fn unchecked(error: &Error) -> Error {
    Error::new(error.kind(), format!("not sent, because Suger could not check it: {error}")).with_source(error.clone())
}
