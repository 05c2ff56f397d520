//! API requests of the organization, the older way: start a query, then poll its results.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Datelike, NaiveDate};
use http::StatusCode;
use usage_billing_genesys::types;
use usage_billing_genesys::types::{ApiUsageOrganizationGroupBy as GroupBy, UsageGranularity, UsageMetric};
use uuid::Uuid;

use super::Genesys;
use super::error::Failure;
use crate::answer::{Sent, first_unlisted, json};
use crate::world;
use crate::world::genesys::Requests;
use crate::world::{days_before, midnight, month_of, months_after};

/// What was asked for, checked.
#[derive(Clone)]
pub(super) struct Query {
    first: NaiveDate,
    last: NaiveDate,
    granularity: Option<UsageGranularity>,
    group_by: Vec<GroupBy>,
    metrics: Vec<UsageMetric>,
    polls: u32,
}

pub(super) async fn start(State(genesys): State<Arc<Genesys>>, sent: Sent) -> Result<Response, Failure> {
    let query = checked(sent.declared_json()?)?;
    let execution_id = {
        let jobs = &mut *genesys.jobs();
        jobs.started += 1;
        let execution_id = Uuid::new_v5(&genesys.realm, format!("query/{}", jobs.started).as_bytes()).to_string();
        jobs.queries.insert(execution_id.clone(), query);
        execution_id
    };
    let execution = types::UsageExecutionResult {
        results_uri: Some(format!("/api/v2/usage/query/{execution_id}/results")),
        execution_id: Some(execution_id),
    };
    let status = if genesys.polls_before_ready == 0 { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(json(status, &execution))
}

pub(super) async fn results(
    State(genesys): State<Arc<Genesys>>,
    Path(execution_id): Path<String>,
) -> Result<Response, Failure> {
    let query = {
        let queries = &mut genesys.jobs().queries;
        let query = queries.get_mut(&execution_id).ok_or_else(|| Failure::not_found(&execution_id))?;
        query.polls = query.polls.saturating_add(1);
        query.clone()
    };
    let result = if query.polls <= genesys.polls_before_ready {
        types::ApiUsageQueryResult { query_status: Some(types::ApiUsageQueryStatus::Running), ..Default::default() }
    } else {
        types::ApiUsageQueryResult {
            results: query.rows(world::genesys::requests(genesys.world.today, query.first, query.last)),
            query_status: Some(types::ApiUsageQueryStatus::Complete),
            ..Default::default()
        }
    };
    Ok(json(StatusCode::OK, &result))
}

fn checked(asked: types::ApiUsageOrganizationQuery) -> Result<Query, Failure> {
    let unlisted = first_unlisted!(UsageGranularity, &asked.granularity)
        .or(first_unlisted!(GroupBy, &asked.group_by))
        .or(first_unlisted!(UsageMetric, &asked.metrics));
    if let Some(value) = unlisted {
        return Err(Failure::invalid_value(format!("There is no such value: {value}")));
    }
    let (first, last) = interval(&asked.interval).ok_or_else(|| {
        Failure::invalid_date(format!(
            "interval is not an ISO 8601 interval such as 2026-09-01/2026-09-30: {}",
            asked.interval
        ))
    })?;
    let group_by = if asked.group_by.is_empty() { vec![GroupBy::OAuthClientId] } else { asked.group_by };
    Ok(Query { first, last, granularity: asked.granularity, group_by, metrics: asked.metrics, polls: 0 })
}

/// First and last day of `start/end`; either side may be a month, a day or an instant.
fn interval(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let (start, end) = text.split_once('/')?;
    let month = |text: &str| format!("{text}-01").parse::<NaiveDate>().ok();
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc()).ok();
    let first = start.parse().ok().or_else(|| month(start)).or_else(|| Some(instant(start)?.date_naive()))?;
    let last = end.parse().ok().or_else(|| Some(days_before(months_after(month(end)?, 1), 1))).or_else(|| {
        let end = instant(end)?;
        // Midnight ends the day before.
        let exclusive = end == midnight(end.date_naive());
        Some(if exclusive { days_before(end.date_naive(), 1) } else { end.date_naive() })
    })?;
    (first <= last).then_some((first, last))
}

/// Dimensions of a row, in the order in which rows are sorted; empty where not asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Dimensions {
    date: Option<NaiveDate>,
    client_id: String,
    client_name: &'static str,
    organization_id: String,
    user_id: String,
    template_uri: &'static str,
    http_method: &'static str,
}

impl Query {
    fn rows(&self, requests: impl Iterator<Item = Requests>) -> Vec<types::ApiUsageRow> {
        let mut sums: BTreeMap<Dimensions, [i64; 4]> = BTreeMap::new();
        for some in requests {
            let sum = sums.entry(self.dimensions(&some)).or_default();
            for (sum, more) in sum.iter_mut().zip([some.ok, some.refused, some.limited, some.failed]) {
                *sum += more;
            }
        }
        sums.into_iter().map(|(dimensions, sums)| self.row(dimensions, sums)).collect()
    }

    fn dimensions(&self, some: &Requests) -> Dimensions {
        let mut to =
            Dimensions { date: self.granularity.as_ref().map(|size| bucket(size, some.day)), ..Default::default() };
        for dimension in &self.group_by {
            match dimension {
                GroupBy::OAuthClientId => (to.client_id, to.client_name) = some.client.clone(),
                GroupBy::OrganizationId => to.organization_id = world::genesys::organization_id(),
                GroupBy::UserId => to.user_id.clone_from(&some.user),
                GroupBy::TemplateUri => to.template_uri = some.template,
                GroupBy::HttpMethod => to.http_method = some.method,
                // Refused before.
                _ => {}
            }
        }
        to
    }

    fn row(&self, to: Dimensions, [ok, refused, limited, failed]: [i64; 4]) -> types::ApiUsageRow {
        let counter = |metric, count| (self.metrics.is_empty() || self.metrics.contains(&metric)).then_some(count);
        types::ApiUsageRow {
            client_id: Some(to.client_id),
            client_name: Some(to.client_name.to_owned()),
            organization_id: Some(to.organization_id),
            user_id: Some(to.user_id),
            template_uri: Some(to.template_uri.to_owned()),
            http_method: Some(to.http_method.to_owned()),
            status200: counter(UsageMetric::Status200, ok),
            status300: counter(UsageMetric::Status300, 0),
            status400: counter(UsageMetric::Status400, refused),
            status500: counter(UsageMetric::Status500, failed),
            status429: counter(UsageMetric::Status429, limited),
            requests: counter(UsageMetric::Requests, ok + refused + failed),
            date: to.date.map(midnight),
        }
    }
}

/// First day of the bucket; weeks begin on Monday.
fn bucket(size: &UsageGranularity, day: NaiveDate) -> NaiveDate {
    match size {
        UsageGranularity::Week => days_before(day, day.weekday().num_days_from_monday().into()),
        UsageGranularity::Month => month_of(day),
        _ => day,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn query(json: &str) -> Query {
        checked(serde_json::from_str(json).unwrap()).ok().unwrap()
    }

    #[test]
    fn an_interval_may_have_months_days_and_instants() {
        let september = Some((day("2026-09-01"), day("2026-09-30")));
        for text in [
            "2026-09/2026-09",
            "2026-09-01/2026-09-30",
            "2026-09-01T00:00:00Z/2026-10-01T00:00:00Z",
            "2026-09-01T00:00:00.000Z/2026-09-30T23:59:59.999Z",
        ] {
            assert_eq!(interval(text), september, "{text}");
        }
        for text in ["", "/", "2026-09-01", "2026-09-30/2026-09-01", "2026-13/2027-01", "x/y", "2026/2027"] {
            assert_eq!(interval(text), None, "{text}");
        }
    }

    #[test]
    fn rows_have_the_dimensions_that_were_asked_for_and_the_same_sum() {
        let requests = || world::genesys::requests(day("2026-10-01"), day("2026-09-01"), day("2026-09-30"));
        let all: i64 = requests().map(|some| some.ok + some.refused + some.failed).sum();
        for (json, rows) in [
            (r#"{"interval":"2026-09/2026-09"}"#, 2),
            (r#"{"interval":"2026-09/2026-09","groupBy":["HttpMethod"],"granularity":"Month"}"#, 2),
            (r#"{"interval":"2026-09/2026-09","groupBy":["OAuthClientId","TemplateUri"],"granularity":"Day"}"#, 180),
            (r#"{"interval":"2026-09/2026-09","groupBy":["OrganizationId"],"granularity":"Week"}"#, 5),
        ] {
            let result = query(json).rows(requests());
            assert_eq!(result.len(), rows, "{json}");
            assert_eq!(result.iter().filter_map(|row| row.requests).sum::<i64>(), all, "{json}");
        }
    }

    #[test]
    fn a_metric_that_was_not_asked_for_is_left_out() {
        let requests = world::genesys::requests(day("2026-10-01"), day("2026-09-01"), day("2026-09-01"));
        let rows = query(r#"{"interval":"2026-09/2026-09","metrics":["Requests"]}"#).rows(requests);
        assert!(rows.iter().all(|row| row.requests.is_some() && row.status200.is_none() && row.date.is_none()));
        assert!(rows.iter().all(|row| row.template_uri.as_deref() == Some("")));
    }
}
