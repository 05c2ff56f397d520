//! Suger's check of reports before they are sent.
//!
//! The call takes many reports and answers for all of them: 200, or 500 with the reason of the first one that fails (the vendor's text; that
//! it stops there is inferred). The same status says that the server is at fault. So a lot that fails is halved until the culprits
//! are alone, and a culprit is one only if the server is well otherwise.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use usage_billing_core::{Error, Result};

use super::delivery::is_refusal;
use super::reporter::Place;
use super::{Client, UsageReport, types};

/// Reports in one call; no limit is documented.
const LOT: usize = 100;

#[derive(Clone)]
pub(super) enum Verdict {
    Valid,
    /// With Suger's words.
    Invalid(Error),
    /// There was no answer that says.
    Unknown(Error),
}

/// A verdict on every report.
pub(super) async fn verdicts(
    client: &Client,
    concurrency: usize,
    reports: &BTreeMap<Place, UsageReport>,
) -> BTreeMap<Place, Verdict> {
    let mut reports = reports.iter().map(|(place, report)| (*place, types::NewUsageRecordGroup::from(report)));
    let lots =
        std::iter::from_fn(|| Some(reports.by_ref().take(LOT).collect::<Vec<_>>()).filter(|lot| !lot.is_empty()));
    let judged = stream::iter(lots).map(|lot| lot_verdicts(client, lot)).buffer_unordered(concurrency);
    judged.map(stream::iter).flatten().collect().await
}

async fn lot_verdicts(client: &Client, lot: Vec<(Place, types::NewUsageRecordGroup)>) -> Vec<(Place, Verdict)> {
    let mut all = Vec::with_capacity(lot.len());
    let mut parts = vec![lot];
    while let Some(mut part) = parts.pop() {
        let verdict = match check(client, &part).await {
            Ok(()) => Verdict::Valid,
            Err(error) if !is_verdict(&error) => Verdict::Unknown(unchecked(&error)),
            Err(_) if part.len() > 1 => {
                parts.push(part.split_off(part.len() / 2));
                parts.push(part);
                continue;
            }
            Err(error) => alone(client, &part, error).await,
        };
        all.extend(part.into_iter().map(|(place, _)| (place, verdict.clone())));
    }
    all
}

/// The verdict on one report that failed with `error`.
async fn alone(client: &Client, report: &[(Place, types::NewUsageRecordGroup)], error: Error) -> Verdict {
    // A fault that has passed says nothing of the report.
    match check(client, report).await {
        Ok(()) => return Verdict::Valid,
        Err(again) if again.message() == error.message() && is_verdict(&again) => {}
        Err(again) => return Verdict::Unknown(unchecked(&again)),
    }
    // Neither does one that meets what cannot fail.
    match check(client, &[]).await {
        Err(nothing) if nothing.message() == error.message() || !is_verdict(&nothing) => {
            Verdict::Unknown(unchecked(&error))
        }
        _ => Verdict::Invalid(error),
    }
}

async fn check(client: &Client, part: &[(Place, types::NewUsageRecordGroup)]) -> Result<()> {
    let body: Vec<_> = part.iter().map(|(_, report)| report.clone()).collect();
    client.api.batch_validate_usage_record_groups().org_id(&client.org_id).body(body).send().await.map(drop)
}

fn is_verdict(error: &Error) -> bool {
    is_refusal(error) || error.status().is_some_and(|status| status == 500)
}

fn unchecked(error: &Error) -> Error {
    Error::new(error.kind(), format!("not sent, because Suger could not check it: {error}")).with_source(error.clone())
}
