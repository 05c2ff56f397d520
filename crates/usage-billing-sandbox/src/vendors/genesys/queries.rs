//! API requests by queries, the older way: start a query, a search or a summary, then poll its results.

use axum::extract::{Path, State};
use axum::response::Response;
use usage_billing_genesys::types;
use usage_billing_genesys::types::{
    ApiUsageClientGroupBy as ClientGroupBy, ApiUsageOrganizationGroupBy as GroupBy,
    ApiUsageSimpleSearchHttpMethod as SearchMethod, ApiUsageSimpleSearchMetric as Column, UsageGranularity,
    UsageMetric,
};

use super::aggregation::{Aggregation, Dimension, Filter, Row, counters, filter, known_values};
use super::error::Failure;
use super::interval::{self, Days};
use super::pagination::{self, PageRequest};
use super::{Genesys, HandlerResult, MAX_PAGE, Progress, Shared};
use crate::dataset::{days_before, midnight};
use crate::http_util::request::{Params, RequestBody, first_unlisted};
use crate::http_util::response::{json, ok};

/// Maximum number of rows of a search.
const MAX_FOUND: usize = 20_000;
/// Default page size of a search. The maximum is not documented, and is that of jobs.
const DEFAULT_PAGE: usize = 100;
/// Default and maximum number of days of a summary.
const DEFAULT_SUMMARY: usize = 7;
const MAX_SUMMARY: usize = 3_660;

/// A validated query and its polls.
#[derive(Clone)]
pub(super) struct Execution {
    of: ExecutionScope,
    requests: Aggregation,
    counters: Vec<UsageMetric>,
    pub(super) progress: Progress,
}

/// Selects the path of the results.
#[derive(Clone, PartialEq, Eq)]
enum ExecutionScope {
    Organization,
    Search,
    /// Contains the id of the client.
    Client(String),
}

pub(super) async fn start(State(genesys): Shared, body: RequestBody) -> HandlerResult {
    let query: types::ApiUsageOrganizationQuery = body.declared_json()?;
    let unlisted = first_unlisted!(UsageGranularity, &query.granularity)
        .or(first_unlisted!(GroupBy, &query.group_by))
        .or(first_unlisted!(UsageMetric, &query.metrics));
    Failure::if_unlisted(unlisted)?;
    let by = split(GroupBy::KNOWN.iter().filter(|known| query.group_by.contains(known)).map(GroupBy::as_str));
    let requests = aggregation(&genesys, interval::parse(&query.interval)?, query.granularity, by, Vec::new());
    Ok(genesys.execute(ExecutionScope::Organization, requests, counters(&query.metrics)))
}

pub(super) async fn start_of_client(
    State(genesys): Shared,
    Path(client): Path<String>,
    body: RequestBody,
) -> HandlerResult {
    let query: types::ApiUsageClientQuery = body.declared_json()?;
    let unlisted = first_unlisted!(UsageGranularity, &query.granularity)
        .or(first_unlisted!(ClientGroupBy, &query.group_by))
        .or(first_unlisted!(UsageMetric, &query.metrics));
    Failure::if_unlisted(unlisted)?;
    let by =
        split(ClientGroupBy::KNOWN.iter().filter(|known| query.group_by.contains(known)).map(ClientGroupBy::as_str));
    let only = of_client(&client);
    let requests = aggregation(&genesys, interval::parse(&query.interval)?, query.granularity, by, only);
    Ok(genesys.execute(ExecutionScope::Client(client), requests, counters(&query.metrics)))
}

/// Starts a query for the last days, one row each.
pub(super) async fn summary(State(genesys): Shared, Path(client): Path<String>, query: Params) -> HandlerResult {
    let days = pagination::number(&query, "days", DEFAULT_SUMMARY, MAX_SUMMARY)?;
    let today = genesys.dataset.today();
    let span = (days_before(today, u64::try_from(days).unwrap_or(u64::MAX)), days_before(today, 1));
    let requests =
        aggregation(&genesys, span, Some(UsageGranularity::Day), split(std::iter::empty()), of_client(&client));
    Ok(genesys.execute(ExecutionScope::Client(client), requests, counters(&[])))
}

pub(super) async fn search(State(genesys): Shared, body: RequestBody) -> HandlerResult {
    let query: types::ApiUsageSimpleSearch = body.declared_json()?;
    Failure::if_unlisted(
        first_unlisted!(Column, &query.metrics).or(first_unlisted!(SearchMethod, &query.http_methods)),
    )?;
    let columns: Vec<_> =
        Column::KNOWN.iter().filter(|known| query.metrics.is_empty() || query.metrics.contains(known)).collect();
    let methods: Vec<_> = query.http_methods.iter().map(|method| method.as_str().to_owned()).collect();
    let filters = [
        filter(Dimension::ClientName, &query.oauth_client_names),
        filter(Dimension::Method, &methods),
        filter(Dimension::Template, &query.template_uris),
    ];
    let by = columns.iter().filter_map(|column| match column {
        Column::ClientName => Some(Dimension::ClientName),
        Column::HttpMethod => Some(Dimension::Method),
        Column::TemplateUri => Some(Dimension::Template),
        _ => None,
    });
    let granularity = columns.contains(&&Column::Date).then_some(UsageGranularity::Day);
    let days = interval::parse(&query.interval)?;
    let requests = aggregation(&genesys, days, granularity, by.collect(), filters.into_iter().flatten().collect());
    // A search has no column for all requests; other columns are named like the counters.
    let named = |counter: &&UsageMetric| columns.iter().any(|column| column.as_str() == counter.as_str());
    let counters = UsageMetric::KNOWN.iter().filter(named).cloned().collect();
    Ok(genesys.execute(ExecutionScope::Search, requests, counters))
}

pub(super) async fn results(State(genesys): Shared, Path(id): Path<String>) -> HandlerResult {
    let execution = genesys.executed(&ExecutionScope::Organization, &id)?;
    let (status, rows) = genesys.outcome(&execution);
    Ok(ok(&result(status, rows, None)))
}

pub(super) async fn results_of_client(
    State(genesys): Shared,
    Path((client, id)): Path<(String, String)>,
) -> HandlerResult {
    let execution = genesys.executed(&ExecutionScope::Client(client), &id)?;
    let (status, rows) = genesys.outcome(&execution);
    Ok(ok(&result(status, rows, None)))
}

/// Returns a page; [`types::Cursors::before`] is that of its first row.
pub(super) async fn found(State(genesys): Shared, Path(id): Path<String>, query: Params) -> HandlerResult {
    let query = PageRequest::read(&query, DEFAULT_PAGE, MAX_PAGE)?;
    let execution = genesys.executed(&ExecutionScope::Search, &id)?;
    let (status, mut rows) = genesys.outcome(&execution);
    rows.truncate(MAX_FOUND);
    let page = query.of(rows);
    let cursors = types::Cursors { before: page.previous, after: page.next };
    let cursors = (cursors.before.is_some() || cursors.after.is_some()).then_some(cursors);
    Ok(ok(&result(status, page.rows, cursors)))
}

fn result(
    status: types::ApiUsageQueryStatus,
    rows: Vec<types::ApiUsageRow>,
    cursors: Option<types::Cursors>,
) -> types::ApiUsageQueryResult {
    let results = (status == types::ApiUsageQueryStatus::Complete).then_some(rows);
    types::ApiUsageQueryResult { query_status: Some(status), results, cursors }
}

impl Genesys {
    fn execute(&self, of: ExecutionScope, requests: Aggregation, counters: Vec<UsageMetric>) -> Response {
        let mut jobs = self.jobs();
        let id = jobs.new_id(self.realm);
        let results_uri = match &of {
            ExecutionScope::Organization => format!("/api/v2/usage/query/{id}/results"),
            ExecutionScope::Search => format!("/api/v2/usage/simplesearch/{id}/results"),
            ExecutionScope::Client(client) => {
                format!("/api/v2/oauth/clients/{}/usage/query/results/{id}", pagination::escaped(client))
            }
        };
        jobs.executions.insert(id.clone(), Execution { of, requests, counters, progress: self.progress() });
        let started = types::UsageExecutionResult { execution_id: Some(id), results_uri: Some(results_uri) };
        json(self.accepted_status(), &started)
    }

    /// Returns a query, and counts the poll.
    fn executed(&self, of: &ExecutionScope, id: &str) -> Result<Execution, Failure> {
        let executions = &mut self.jobs().executions;
        let execution = executions.get_mut(&id.to_owned()).filter(|execution| execution.of == *of);
        let execution = execution.ok_or_else(|| Failure::not_found(id))?;
        execution.progress.poll();
        Ok(execution.clone())
    }

    fn outcome(&self, execution: &Execution) -> (types::ApiUsageQueryStatus, Vec<types::ApiUsageRow>) {
        let status = self.status(execution);
        let rows = match status {
            types::ApiUsageQueryStatus::Complete => execution.requests.rows(&self.dataset.genesys),
            _ => Vec::new(),
        };
        (status, rows.iter().map(|row| execution.row(row)).collect())
    }

    /// Returns the status of a query. One of an unknown client fails.
    pub(super) fn status(&self, execution: &Execution) -> types::ApiUsageQueryStatus {
        match &execution.of {
            _ if !self.is_done(&execution.progress) => types::ApiUsageQueryStatus::Running,
            ExecutionScope::Client(client) if !known_values(Dimension::ClientId).contains(client) => {
                types::ApiUsageQueryStatus::Failed
            }
            _ => types::ApiUsageQueryStatus::Complete,
        }
    }
}

impl Execution {
    pub(super) fn kind(&self) -> &'static str {
        match self.of {
            ExecutionScope::Organization => "usage query",
            ExecutionScope::Search => "search of API requests",
            ExecutionScope::Client(_) => "usage query of a client",
        }
    }

    fn row(&self, row: &Row) -> types::ApiUsageRow {
        let text = |dimension| Some(row.text(dimension).to_owned());
        let counter = |metric: &UsageMetric| self.counters.contains(metric).then(|| row.count(metric));
        types::ApiUsageRow {
            client_id: text(Dimension::ClientId),
            client_name: text(Dimension::ClientName),
            organization_id: text(Dimension::Organization),
            user_id: text(Dimension::User),
            template_uri: text(Dimension::Template),
            http_method: text(Dimension::Method),
            status200: counter(&UsageMetric::Status200),
            status300: counter(&UsageMetric::Status300),
            status400: counter(&UsageMetric::Status400),
            status500: counter(&UsageMetric::Status500),
            status429: counter(&UsageMetric::Status429),
            requests: counter(&UsageMetric::Requests),
            date: row.date.map(midnight),
        }
    }
}

fn aggregation(
    genesys: &Genesys,
    (first, last): Days,
    granularity: Option<UsageGranularity>,
    by: Vec<Dimension>,
    only: Vec<Filter>,
) -> Aggregation {
    Aggregation { first, last, today: genesys.dataset.today(), granularity, by, only, builtin: false }
}

fn of_client(id: &str) -> Vec<Filter> {
    filter(Dimension::ClientId, &[id.to_owned()]).into_iter().collect()
}

/// Returns the dimensions of a query; the client without a choice.
fn split<'a>(query: impl Iterator<Item = &'a str>) -> Vec<Dimension> {
    let by: Vec<_> = query
        .flat_map(|name| match name {
            "OAuthClientId" => &[Dimension::ClientId, Dimension::ClientName][..],
            "OrganizationId" => &[Dimension::Organization],
            "UserId" => &[Dimension::User],
            "TemplateUri" => &[Dimension::Template],
            "HttpMethod" => &[Dimension::Method],
            _ => &[],
        })
        .copied()
        .collect();
    if by.is_empty() { vec![Dimension::ClientId, Dimension::ClientName] } else { by }
}
