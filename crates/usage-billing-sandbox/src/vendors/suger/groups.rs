//! Lists of groups and reports, and the two changes of status that callers can make.

use axum::extract::{Path, State};
use chrono::NaiveDate;
use usage_billing_suger::types;
use usage_billing_suger::types::{Partner, UsageRecordGroupSource, UsageRecordGroupStatus as Status};

use super::pagination::{self, Page};
use super::state::{Row, batches};
use super::{Failure, HandlerResult, Shared, Suger, historical_groups};
use crate::dataset::suger::{GroupOutline, Organization};
use crate::http_util::request::Params;
use crate::http_util::response::ok;

/// The filter of a list.
struct Filter {
    partner: Option<Partner>,
    buyer: Option<String>,
    entitlement: Option<String>,
    status: Option<Status>,
    source: Option<UsageRecordGroupSource>,
    meta_info: Option<String>,
    first: NaiveDate,
    last: NaiveDate,
}

impl Filter {
    fn from_query(query: &Params, today: NaiveDate) -> Result<Self, Failure> {
        let (first, last) = pagination::days(query, today)?;
        let text = |name: &str| query.get(name).map(str::to_owned);
        Ok(Self {
            partner: pagination::partner(query)?,
            buyer: text("buyerId"),
            entitlement: text("entitlementId"),
            status: match query.get("status").map(Status::from) {
                Some(Status::Unknown(value)) => {
                    return Err(Failure::bad_request(format!("invalid status: {}", value.as_str())));
                }
                status => status,
            },
            source: match query.get("source").map(UsageRecordGroupSource::from) {
                Some(UsageRecordGroupSource::Unknown(value)) => {
                    return Err(Failure::bad_request(format!("invalid source: {}", value.as_str())));
                }
                source => source,
            },
            meta_info: text("metaInfo"),
            first,
            last,
        })
    }

    fn scopes(&self) -> usize {
        [self.partner.is_some(), self.buyer.is_some(), self.entitlement.is_some()].into_iter().filter(|it| *it).count()
    }

    /// Returns whether it matches all groups of its days.
    fn is_open(&self) -> bool {
        self.scopes() == 0 && self.status.is_none() && self.source.is_none() && self.meta_info.is_none()
    }

    /// Returns whether it matches a historical group that no caller has changed; see [`Filter::takes_group`].
    fn takes_past(&self, organization: &Organization, outline: GroupOutline) -> bool {
        self.takes_deal(organization, outline.spec)
            && self.status.as_ref().is_none_or(|expected| historical_groups::status(organization, outline) == *expected)
            && self.source.as_ref().is_none_or(|expected| *expected == UsageRecordGroupSource::Api)
            && self.meta_info.as_ref().is_none_or(|expected| mentions(Some(&organization.meta_info(outline)), expected))
    }

    fn takes_deal(&self, organization: &Organization, spec: usize) -> bool {
        let of = organization.entitlements.get(spec);
        of.is_some_and(|entitlement| self.takes(&entitlement.partner, &entitlement.buyer_id, &entitlement.id))
    }

    fn takes_group(&self, group: &types::MeteringUsageRecordGroup) -> bool {
        let source = group.meta_info.as_ref().and_then(|info| info.source.as_ref());
        self.takes(&group.partner, &group.buyer_id, &group.entitlement_id)
            && self.status.as_ref().is_none_or(|status| group.status.as_ref() == Some(status))
            && self.source.as_ref().is_none_or(|expected| source == Some(expected))
            && self.meta_info.as_ref().is_none_or(|expected| mentions(group.meta_info.as_deref(), expected))
    }

    fn takes_report(&self, report: &types::MeteringUsageRecordReport) -> bool {
        self.takes(&report.partner, &report.buyer_id, &report.entitlement_id)
    }

    fn takes(&self, partner: &Option<Partner>, buyer: &Option<String>, entitlement: &Option<String>) -> bool {
        (self.partner.is_none() || self.partner == *partner)
            && (self.buyer.is_none() || self.buyer == *buyer)
            && (self.entitlement.is_none() || self.entitlement == *entitlement)
    }
}

/// Returns whether a group matches `metaInfo`. The syntax of this filter is not documented. Here, the JSON of `metaInfo` must contain the text.
fn mentions(info: Option<&types::MeteringUsageRecordGroupMetaInfo>, expected: &str) -> bool {
    serde_json::to_string(&info).is_ok_and(|json| json.contains(expected))
}

pub(super) async fn list(State(suger): Shared, query: Params) -> HandlerResult {
    let mut rows = Page::from_query(&query, 1000)?.builder();
    let organization = &suger.dataset.suger;
    let (filter, mut slots) = {
        let state = suger.state();
        let filter = Filter::from_query(&query, state.now.date_naive())?;
        let slots = state.past_slots(organization, filter.first, filter.last);
        (filter, slots)
    };
    if filter.scopes() > 1 {
        return Err(Failure::bad_request("only one of partner, entitlementId and buyerId can be given"));
    }
    // Groups before the page can be skipped, unless the filter omits some.
    if filter.is_open() {
        rows.skip(&mut slots);
    }
    for batch in batches(slots) {
        if rows.is_done() {
            break;
        }
        // A million groups take seconds, for which other requests would wait.
        tokio::task::yield_now().await;
        let state = suger.state();
        let past = batch.map(|slot| state.of_past(organization, slot)).filter(|row| match row {
            Row::Computed(outline) => filter.takes_past(organization, *outline),
            Row::Stored(group) => filter.takes_group(group),
        });
        rows.add(past, |row| match row {
            Row::Computed(outline) => historical_groups::after_runs(organization, outline),
            Row::Stored(group) => group.clone(),
        });
    }
    let state = suger.state();
    let groups = pagination::span(&state.groups, filter.first, filter.last, |group| group.creation_time);
    rows.add(groups.iter().filter(|group| filter.takes_group(group)), Clone::clone);
    drop(state);
    let (usage_record_groups, next_offset) = rows.end();
    Ok(ok(&types::ListUsageRecordGroupsResponse {
        next_offset,
        usage_record_groups,
        error: None,
        code: None,
        message: None,
    }))
}

pub(super) async fn list_reports(State(suger): Shared, query: Params) -> HandlerResult {
    let mut rows = Page::from_query(&query, 1000)?.builder();
    let organization = &suger.dataset.suger;
    enum Row<'a> {
        Computed(&'a historical_groups::ReportTotals),
        Stored(Box<types::MeteringUsageRecordReport>),
    }
    let state = suger.state();
    let filter = Filter::from_query(&query, state.now.date_naive())?;
    let past = state.past.clone();
    let of_past = past.reports(filter.first, filter.last).iter();
    rows.add(of_past.filter(|sums| filter.takes_deal(organization, sums.spec)), Row::Computed);
    let reports = pagination::span(&state.reports, filter.first, filter.last, |report| report.creation_time);
    rows.add(reports.iter().filter(|report| filter.takes_report(report)), |report| {
        Row::Stored(Box::new(report.clone()))
    });
    // Computing reports reads all of their groups, for which other requests need not wait.
    drop(state);
    let (rows, next_offset) = rows.end();
    let made = |row| match row {
        Row::Computed(sums) => sums.report(organization),
        Row::Stored(report) => Some(*report),
    };
    let usage_record_reports = rows.into_iter().filter_map(made).collect();
    Ok(ok(&types::ListUsageRecordReportsResponse {
        next_offset,
        usage_record_reports,
        error: None,
        code: None,
        message: None,
    }))
}

pub(super) async fn delete(
    State(suger): Shared,
    Path((_, id)): Path<(String, String)>,
    query: Params,
) -> HandlerResult {
    suger.change(&id, &query, after_delete)
}

pub(super) async fn retry(State(suger): Shared, Path((_, id)): Path<(String, String)>, query: Params) -> HandlerResult {
    suger.change(&id, &query, after_retry)
}

/// Returns the status after a deletion; `None` if it is not allowed.
fn after_delete(status: &Status) -> Option<Status> {
    matches!(status, Status::Created | Status::Invalid).then_some(Status::Deleted)
}

/// Returns the status after a retry; `None` if it is not allowed.
fn after_retry(status: &Status) -> Option<Status> {
    matches!(status, Status::ReportFailed).then_some(Status::Created)
}

impl Suger {
    fn change(&self, id: &str, query: &Params, after: fn(&Status) -> Option<Status>) -> HandlerResult {
        let day = pagination::day(query, "creationDate")?;
        let mut state = self.state();
        let now = state.now;
        let found = state.find(&self.dataset.suger, id);
        // The vendor looks for the group on this day only.
        let group = found.filter(|group| {
            day.is_none_or(|day| group.creation_time.is_some_and(|created| created.date_naive() == day))
        });
        let group = group.ok_or_else(|| Failure::not_found("usage record group not found"))?;
        let status = group.status.clone().unwrap_or(Status::Created);
        let after = after(&status)
            .ok_or_else(|| Failure::bad_request(format!("usage record group {id} is in status {status}")))?;
        let group = state.keep(&self.dataset.suger, id)?;
        group.status = Some(after);
        group.last_update_time = Some(now);
        Ok(ok(&*group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreported_is_deleted_and_only_failed_retried() {
        let allowed = |after: fn(&Status) -> Option<Status>| -> Vec<String> {
            Status::KNOWN.iter().filter(|status| after(status).is_some()).map(ToString::to_string).collect()
        };
        assert_eq!(allowed(after_delete), ["CREATED", "INVALID"]);
        assert_eq!(allowed(after_retry), ["REPORT_FAILED"]);
    }

    #[test]
    fn unlisted_values_are_rejected() {
        let today = "2026-11-21".parse().unwrap();
        for query in ["status=Created", "source=FAX", "partner=ACME", "startDate=2026-02-30"] {
            assert!(Filter::from_query(&Params::parse(query.as_bytes()), today).is_err(), "{query}");
        }
    }
}
