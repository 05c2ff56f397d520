//! Validation of events by Suger before they are sent.
//!
//! The call validates many events and has one response for all: 200, or 500 with the reason of the first invalid
//! event. The reason is documented; that validation stops there is inferred. A failure of the server has the same
//! status. A failed batch is therefore bisected until each suspect is alone. A suspect is invalid only if Suger itself
//! states a reason, repeats it, and then accepts an event that is known to be valid. That event, of this flush or
//! an earlier one, or of a group that was reported to a marketplace, proves that the server works, which an empty batch
//! need not prove. Without any, a 500 decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream::{self, FuturesUnordered};
use usage_billing_core::{Error, Result};

use super::circuit_breaker::CircuitBreaker;
use super::usage_queue::QueueKey;
use crate::suger::response::{Response, is_of_suger};
use crate::suger::types::UsageRecordGroupStatus as Status;
use crate::suger::usage::quantities::original_records;
use crate::suger::{Client, UsageEvent, types};

/// Number of events in one call. No limit is documented.
const BATCH_SIZE: usize = 100;

#[derive(Clone)]
pub(super) enum Check {
    Valid,
    /// With the reason of Suger.
    Invalid(Error),
    /// No response decides it.
    Unknown(Error),
}

/// An event in the form of the validation call.
type EventToValidate = (QueueKey, types::NewUsageRecordGroup);

/// Validates every event. Once batches fail without a response, the others are not sent to Suger: a flush has to have
/// time left for the rest of its work.
pub(super) async fn check_all<'a>(
    client: &Client,
    concurrency: usize,
    events: impl Iterator<Item = (&'a QueueKey, &'a UsageEvent)>,
    known_valid: &mut Option<types::NewUsageRecordGroup>,
) -> BTreeMap<QueueKey, Check> {
    let mut events = events.map(|(key, event)| (*key, types::NewUsageRecordGroup::from(event)));
    let batches = std::iter::from_fn(|| {
        Some(events.by_ref().take(BATCH_SIZE).collect::<Vec<_>>()).filter(|batch| !batch.is_empty())
    });
    let mut batches = batches.zip(1u64..);
    let (mut breaker, mut bisections) = (CircuitBreaker::default(), FuturesUnordered::new());
    let (mut all, mut suspects, mut known_good) = (BTreeMap::new(), Vec::new(), None);
    loop {
        while bisections.len() < concurrency
            && let Some((batch, number)) = batches.next()
        {
            let number = number.to_string();
            match breaker.rejection_for(&number, "not validated") {
                Some(reason) => all.extend(batch.into_iter().map(|(key, _)| (key, Check::Unknown(unchecked(&reason))))),
                None => bisections.push(async { (Bisection::run(client, batch).await, number) }),
            }
        }
        let Some((batch, number)) = bisections.next().await else { break };
        match &batch.failure {
            Some(error) => breaker.record_failure(&number, error, is_of_suger(error)),
            None => breaker.record_success(&number),
        }
        all.extend(batch.checks);
        suspects.extend(batch.suspects);
        known_good = known_good.or(batch.known_good);
    }
    let known_good = known_good.map(|(_, event)| event);
    // If none passes, one that passed before proves that the server works. If it has become invalid, reported usage does.
    let mut known_before = known_valid.clone();
    if known_good.is_none() && suspects.iter().any(|(_, error)| is_server_error(error)) {
        let is_invalid = match &known_before {
            Some(event) => check(client, vec![event.clone()]).await.is_err_and(|error| reason(&error).is_some()),
            None => true,
        };
        if is_invalid {
            // It is read again when it is needed, since it may become invalid as well.
            known_before = reported_usage(client).await.or(known_before);
        }
    }
    if known_good.is_some() {
        known_valid.clone_from(&known_good);
    }
    if known_good.is_none() && same_error(&suspects) {
        all.extend(suspects.into_iter().map(|((key, _), error)| (key, Check::Unknown(unchecked(&error)))));
        return all;
    }
    let (known_good, known_before) = (known_good.as_ref(), known_before.as_ref());
    let decided = stream::iter(suspects).map(|(suspect, error)| async move {
        (suspect.0, check_suspect(client, &suspect, error, known_good, known_before).await)
    });
    let decided: Vec<_> = decided.buffer_unordered(concurrency).collect().await;
    all.extend(decided);
    all
}

/// Returns the usage of a recent group that was reported to a marketplace, so that it was valid before.
async fn reported_usage(client: &Client) -> Option<types::NewUsageRecordGroup> {
    let request = client.api.list_usage_record_groups().org_id(&client.org_id).status(Status::Reported).limit(1);
    let group = request.send().await.ok()?.into_inner().usage_record_groups.into_iter().next()?;
    let records = original_records(&group).unwrap_or(&group.records).clone();
    let is_usable = group.status == Some(Status::Reported) && !records.is_empty();
    is_usable.then(|| types::NewUsageRecordGroup {
        entitlement_id: group.entitlement_id.unwrap_or_default(),
        records: Some(records),
        timestamp: None,
        billable_records: Vec::new(),
        usage_allocations: BTreeMap::new(),
        meta_info: None,
    })
}

/// Result of the bisection of one batch.
#[derive(Default)]
struct Bisection {
    checks: Vec<(QueueKey, Check)>,
    /// Events that fail on their own.
    suspects: Vec<(EventToValidate, Error)>,
    known_good: Option<EventToValidate>,
    /// The last error that is not about the events.
    failure: Option<Error>,
}

impl Bisection {
    async fn run(client: &Client, batch: Vec<EventToValidate>) -> Self {
        let mut found = Self::default();
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            let verdict = match check(client, part.iter().map(|(_, event)| event.clone()).collect()).await {
                Ok(()) => {
                    found.known_good = found.known_good.or_else(|| part.first().cloned());
                    Check::Valid
                }
                Err(error) if !may_be_about_events(&error) => {
                    let check = Check::Unknown(unchecked(&error));
                    found.failure = Some(error);
                    check
                }
                Err(_) if part.len() > 1 => {
                    parts.push(part.split_off(part.len() / 2));
                    parts.push(part);
                    continue;
                }
                Err(error) => {
                    found.suspects.extend(part.pop().map(|suspect| (suspect, error)));
                    continue;
                }
            };
            found.checks.extend(part.into_iter().map(|(key, _)| (key, verdict.clone())));
        }
        found
    }
}

/// Returns whether events of several entitlements fail with the same message. A server whose lookups fail does so,
/// too.
fn same_error(suspects: &[(EventToValidate, Error)]) -> bool {
    let entitlements: BTreeSet<_> = suspects.iter().map(|((_, event), _)| &event.entitlement_id).collect();
    let messages: BTreeSet<_> = suspects.iter().map(|(_, error)| error.message()).collect();
    entitlements.len() > 1 && messages.len() == 1
}

/// Validates one event again that failed with `error`. `known_good` is an event that passed, if there is one, and
/// `known_before` one of an earlier flush.
async fn check_suspect(
    client: &Client,
    suspect: &EventToValidate,
    error: Error,
    known_good: Option<&types::NewUsageRecordGroup>,
    known_before: Option<&types::NewUsageRecordGroup>,
) -> Check {
    let Some(reason) = reason(&error) else { return Check::Unknown(unchecked(&error)) };
    // A temporary fault proves nothing about the event.
    match check(client, vec![suspect.1.clone()]).await {
        Ok(()) => return Check::Valid,
        Err(again) if self::reason(&again) != Some(reason) => return Check::Unknown(unchecked(&again)),
        Err(_) => {}
    }
    let Some(control) = control(is_server_error(&error), known_good, known_before) else {
        return Check::Unknown(unchecked(&error).with_hint(
            "neither another event nor reported usage passes the validation, so Suger itself may be at fault: flush again later, or without validating first",
        ));
    };
    let outcome = check(client, control.cloned().into_iter().collect()).await;
    match is_proved(reason, control.is_some(), outcome.as_ref().map_err(self::reason).copied()) {
        true => Check::Invalid(error),
        false => Check::Unknown(unchecked(&error)),
    }
}

/// Returns the event whose validation shows whether Suger works, or an empty batch in its place (`Some(None)`). That needs
/// no lookup, so its success proves nothing after a server error: `None` if there is no event then.
fn control<T>(is_server_error: bool, known_good: Option<T>, known_before: Option<T>) -> Option<Option<T>> {
    match is_server_error {
        true => known_good.or(known_before).map(Some),
        false => Some(known_good),
    }
}

/// Returns whether the outcome of a control proves that an event is invalid that was rejected with `reason`. A fault that
/// also affects a valid event proves nothing. An empty batch may be rejected because it is empty, with another reason.
fn is_proved(reason: &str, is_event: bool, control: Result<(), Option<&str>>) -> bool {
    match control {
        Ok(()) => true,
        Err(other) => !is_event && other.is_some_and(|other| other != reason),
    }
}

async fn check(client: &Client, body: Vec<types::NewUsageRecordGroup>) -> Result<()> {
    client.api.batch_validate_usage_record_groups().org_id(&client.org_id).body(body).send().await.map(drop)
}

/// Returns whether a response may concern the events, so that others may pass without the suspect. A proxy may also
/// block an event.
fn may_be_about_events(error: &Error) -> bool {
    matches!(Response::from(Err(error.clone())), Response::Rejection { .. } | Response::Unsendable(_))
        || is_server_error(error)
}

/// Returns the reason why an event is invalid, if the response may decide that: Suger itself must send it and state a
/// reason. A failing server states no more than the name of its status.
fn reason(error: &Error) -> Option<&str> {
    let body = String::from_utf8_lossy(error.body()).to_lowercase();
    let is_reason = may_be_about_events(error) && is_of_suger(error) && !body.contains("internal server error");
    is_reason.then(|| error.message())
}

fn is_server_error(error: &Error) -> bool {
    error.status().is_some_and(|status| status == 500)
}

fn unchecked(error: &Error) -> Error {
    Error::new(error.kind(), format!("not sent, because Suger could not validate it: {error}"))
        .with_source(error.clone())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use usage_billing_core::ErrorKind;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn suspects_of_several_entitlements_share_one_error_message() {
        let suspect = |entitlement: &str, message: &str| {
            let event = serde_json::from_value(serde_json::json!({ "entitlementID": entitlement })).unwrap();
            (((DateTime::UNIX_EPOCH, Uuid::nil()), event), Error::new(ErrorKind::Failed, message.to_owned()))
        };
        let one = suspect("ent-1", "no such dimension");
        assert!(same_error(&[one.clone(), suspect("ent-2", "no such dimension")]));
        assert!(!same_error(&[one.clone(), suspect("ent-2", "no such entitlement")]));
        assert!(!same_error(&[one.clone(), one]));
    }

    #[test]
    fn server_error_is_decided_by_a_known_event_only() {
        for (is_server_error, good, before, expected) in [
            (true, Some("good"), Some("before"), Some(Some("good"))),
            (true, None, Some("before"), Some(Some("before"))),
            (true, None, None, None),
            (false, Some("good"), Some("before"), Some(Some("good"))),
            // What passed before may have become invalid; an empty batch shows that Suger responds.
            (false, None, Some("before"), Some(None)),
            (false, None, None, Some(None)),
        ] {
            assert_eq!(control(is_server_error, good, before), expected, "{is_server_error} {good:?} {before:?}");
        }
    }

    #[test]
    fn event_is_invalid_if_control_passes_or_only_empty_batch_fails() {
        for (is_event, outcome, expected) in [
            (true, Ok(()), true),
            (true, Err(Some("no such dimension")), false),
            (true, Err(Some("another reason")), false),
            (true, Err(None), false),
            (false, Ok(()), true),
            (false, Err(Some("no such dimension")), false),
            (false, Err(Some("nothing to validate")), true),
            (false, Err(None), false),
        ] {
            assert_eq!(is_proved("no such dimension", is_event, outcome), expected, "{is_event} {outcome:?}");
        }
    }
}
