//! Parses and validates requests for jobs.

use chrono::NaiveDate;
use usage_billing_genesys::types;
use usage_billing_genesys::types::{
    ClientUsageGroupBy as ClientGroupBy, OrganizationUsageGroupBy as GroupBy, UsageGranularity, UsageHttpMethod,
    UsageJobStatus, UsageMetric, UsageQuerySortBy as SortBy, UsageQuerySortOrder as SortOrder,
};

use super::Progress;
use super::aggregation::{Aggregation, Dimension, Filter, counters, filter, known_values};
use super::error::Failure;
use super::interval;
use super::job::{Column, Job};
use crate::http_util::request::first_unlisted;

/// Names of columns to sort by. The vendor documents none; these are the fields of rows.
const COLUMNS: [(&str, Column); 13] = [
    ("date", Column::Date),
    ("platform", Column::Text(Dimension::Platform)),
    ("httpMethod", Column::Text(Dimension::Method)),
    ("templateUri", Column::Text(Dimension::Template)),
    ("oauthClient", Column::Text(Dimension::ClientName)),
    ("user", Column::Text(Dimension::User)),
    ("organizationId", Column::Text(Dimension::Organization)),
    ("requestCount", Column::Count(UsageMetric::Requests)),
    ("status200", Column::Count(UsageMetric::Status200)),
    ("status300", Column::Count(UsageMetric::Status300)),
    ("status400", Column::Count(UsageMetric::Status400)),
    ("status429", Column::Count(UsageMetric::Status429)),
    ("status500", Column::Count(UsageMetric::Status500)),
];

/// Creates a job of the organization. A job with an unknown client is cancelled.
pub(super) fn of_organization(
    query: types::OrganizationPublicApiUsageQueryRequest,
    today: NaiveDate,
    progress: Progress,
) -> Result<Job, Failure> {
    Failure::if_unlisted(
        first_unlisted!(UsageGranularity, &query.granularity)
            .or(first_unlisted!(GroupBy, &query.group_by))
            .or(first_unlisted!(UsageMetric, &query.metrics))
            .or(first_unlisted!(UsageHttpMethod, &query.http_methods)),
    )?;
    let filters = [
        filter(Dimension::ClientId, &query.oauth_client_ids),
        filter(Dimension::User, &query.user_ids),
        filter(Dimension::Platform, &query.platforms),
        filter(Dimension::Template, &query.template_uris),
        filter(Dimension::Method, &names(&query.http_methods)),
    ];
    let by = GroupBy::KNOWN.iter().filter(|known| query.group_by.is_empty() || query.group_by.contains(known));
    let by = by.filter_map(|by| match by {
        GroupBy::OauthClientId => Some(Dimension::ClientId),
        GroupBy::OauthClientName => Some(Dimension::ClientName),
        GroupBy::UserId => Some(Dimension::User),
        GroupBy::HttpMethod => Some(Dimension::Method),
        GroupBy::TemplateUri => Some(Dimension::Template),
        GroupBy::Platform => Some(Dimension::Platform),
        // Rejected before.
        _ => None,
    });
    let known = known_values(Dimension::ClientId);
    let end = match query.oauth_client_ids.iter().all(|id| known.contains(id)) {
        true => UsageJobStatus::Succeeded,
        false => UsageJobStatus::Cancelled,
    };
    let granularity = granularity(query.granularity, query.group_by.is_empty());
    Ok(Job {
        client: None,
        requests: requests(&query.interval, today, granularity, by, filters)?,
        metrics: counters(&query.metrics),
        sort: columns(&query.sort_by)?,
        end,
        progress,
    })
}

/// Creates a job of a client. A job of an unknown client fails.
pub(super) fn of_client(
    query: types::ClientPublicApiUsageQueryRequest,
    client: &str,
    today: NaiveDate,
    progress: Progress,
) -> Result<Job, Failure> {
    Failure::if_unlisted(
        first_unlisted!(UsageGranularity, &query.granularity)
            .or(first_unlisted!(ClientGroupBy, &query.group_by))
            .or(first_unlisted!(UsageMetric, &query.metrics))
            .or(first_unlisted!(UsageHttpMethod, &query.http_methods)),
    )?;
    let filters = [
        filter(Dimension::ClientId, &[client.to_owned()]),
        filter(Dimension::Organization, &query.organization_ids),
        filter(Dimension::Platform, &query.platforms),
        filter(Dimension::Template, &query.template_uris),
        filter(Dimension::Method, &names(&query.http_methods)),
    ];
    let by = ClientGroupBy::KNOWN.iter().filter(|known| query.group_by.is_empty() || query.group_by.contains(known));
    let by = by.filter_map(|by| match by {
        ClientGroupBy::OrganizationId => Some(Dimension::Organization),
        ClientGroupBy::HttpMethod => Some(Dimension::Method),
        ClientGroupBy::TemplateUri => Some(Dimension::Template),
        ClientGroupBy::Platform => Some(Dimension::Platform),
        // Rejected before.
        _ => None,
    });
    let end = match known_values(Dimension::ClientId).iter().any(|known| known == client) {
        true => UsageJobStatus::Succeeded,
        false => UsageJobStatus::Failed,
    };
    let granularity = granularity(query.granularity, query.group_by.is_empty());
    Ok(Job {
        client: Some(client.to_owned()),
        requests: requests(&query.interval, today, granularity, by, filters)?,
        metrics: counters(&query.metrics),
        sort: columns(&query.sort_by)?,
        end,
        progress,
    })
}

fn requests(
    interval: &str,
    today: NaiveDate,
    granularity: Option<UsageGranularity>,
    by: impl Iterator<Item = Dimension>,
    filters: [Option<Filter>; 5],
) -> Result<Aggregation, Failure> {
    let (first, last) = interval::parse_for_job(interval, today)?;
    let (by, only) = (by.collect(), filters.into_iter().flatten().collect());
    Ok(Aggregation { first, last, today, granularity, by, only, builtin: true })
}

fn names(methods: &[UsageHttpMethod]) -> Vec<String> {
    methods.iter().map(|method| method.as_str().to_owned()).collect()
}

/// Returns the granularity. Without aggregation, rows are per day.
fn granularity(query: Option<UsageGranularity>, whole: bool) -> Option<UsageGranularity> {
    query.or_else(|| whole.then_some(UsageGranularity::Day))
}

/// Parses the sort order; the first of repeated columns counts.
fn columns(query: &[SortBy]) -> Result<Vec<(Column, bool)>, Failure> {
    Failure::if_unlisted(first_unlisted!(SortOrder, query.iter().filter_map(|by| by.order.as_ref())))?;
    let mut columns: Vec<(Column, bool)> = Vec::new();
    for by in query {
        let name = by.field_name.as_deref().ok_or_else(|| Failure::bad_request("sortBy lacks a fieldName."))?;
        let (_, column) =
            COLUMNS.iter().find(|(known, _)| *known == name).ok_or_else(|| Failure::no_such_value(name))?;
        if !columns.iter().any(|(known, _)| known == column) {
            columns.push((column.clone(), by.order == Some(SortOrder::Desc)));
        }
    }
    Ok(columns)
}
