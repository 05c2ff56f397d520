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
    asked: types::OrganizationPublicApiUsageQueryRequest,
    today: NaiveDate,
    progress: Progress,
) -> Result<Job, Failure> {
    Failure::if_unlisted(
        first_unlisted!(UsageGranularity, &asked.granularity)
            .or(first_unlisted!(GroupBy, &asked.group_by))
            .or(first_unlisted!(UsageMetric, &asked.metrics))
            .or(first_unlisted!(UsageHttpMethod, &asked.http_methods)),
    )?;
    let filters = [
        filter(Dimension::ClientId, &asked.oauth_client_ids),
        filter(Dimension::User, &asked.user_ids),
        filter(Dimension::Platform, &asked.platforms),
        filter(Dimension::Template, &asked.template_uris),
        filter(Dimension::Method, &names(&asked.http_methods)),
    ];
    let by = GroupBy::KNOWN.iter().filter(|known| asked.group_by.is_empty() || asked.group_by.contains(known));
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
    let end = match asked.oauth_client_ids.iter().all(|id| known.contains(id)) {
        true => UsageJobStatus::Succeeded,
        false => UsageJobStatus::Cancelled,
    };
    let granularity = granularity(asked.granularity, asked.group_by.is_empty());
    Ok(Job {
        client: None,
        requests: requests(&asked.interval, today, granularity, by, filters)?,
        metrics: counters(&asked.metrics),
        sort: columns(&asked.sort_by)?,
        end,
        progress,
    })
}

/// Creates a job of a client. A job of an unknown client fails.
pub(super) fn of_client(
    asked: types::ClientPublicApiUsageQueryRequest,
    client: &str,
    today: NaiveDate,
    progress: Progress,
) -> Result<Job, Failure> {
    Failure::if_unlisted(
        first_unlisted!(UsageGranularity, &asked.granularity)
            .or(first_unlisted!(ClientGroupBy, &asked.group_by))
            .or(first_unlisted!(UsageMetric, &asked.metrics))
            .or(first_unlisted!(UsageHttpMethod, &asked.http_methods)),
    )?;
    let filters = [
        filter(Dimension::ClientId, &[client.to_owned()]),
        filter(Dimension::Organization, &asked.organization_ids),
        filter(Dimension::Platform, &asked.platforms),
        filter(Dimension::Template, &asked.template_uris),
        filter(Dimension::Method, &names(&asked.http_methods)),
    ];
    let by = ClientGroupBy::KNOWN.iter().filter(|known| asked.group_by.is_empty() || asked.group_by.contains(known));
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
    let granularity = granularity(asked.granularity, asked.group_by.is_empty());
    Ok(Job {
        client: Some(client.to_owned()),
        requests: requests(&asked.interval, today, granularity, by, filters)?,
        metrics: counters(&asked.metrics),
        sort: columns(&asked.sort_by)?,
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
    let (first, last) = interval::asked_of_job(interval, today)?;
    let (by, only) = (by.collect(), filters.into_iter().flatten().collect());
    Ok(Aggregation { first, last, today, granularity, by, only, builtin: true })
}

fn names(methods: &[UsageHttpMethod]) -> Vec<String> {
    methods.iter().map(|method| method.as_str().to_owned()).collect()
}

/// Without aggregation, rows are per day.
fn granularity(asked: Option<UsageGranularity>, whole: bool) -> Option<UsageGranularity> {
    asked.or_else(|| whole.then_some(UsageGranularity::Day))
}

/// Parses the sort order; the first of repeated columns counts.
fn columns(asked: &[SortBy]) -> Result<Vec<(Column, bool)>, Failure> {
    Failure::if_unlisted(first_unlisted!(SortOrder, asked.iter().filter_map(|by| by.order.as_ref())))?;
    let mut columns: Vec<(Column, bool)> = Vec::new();
    for by in asked {
        let name = by.field_name.as_deref().ok_or_else(|| Failure::bad_request("sortBy lacks a fieldName."))?;
        let (_, column) =
            COLUMNS.iter().find(|(known, _)| *known == name).ok_or_else(|| Failure::no_such_value(name))?;
        if !columns.iter().any(|(known, _)| known == column) {
            columns.push((column.clone(), by.order == Some(SortOrder::Desc)));
        }
    }
    Ok(columns)
}
