//! A job over API requests: its states, its rows and their order.

use std::cmp::Ordering;

use usage_billing_genesys::types;
use usage_billing_genesys::types::{UsageJobStatus, UsageMetric};

use super::Progress;
use super::aggregation::{Aggregation, Dimension, Row};
use crate::dataset::genesys::Partner;

/// A job and its polls.
#[derive(Clone)]
pub(super) struct Job {
    /// `None` for the organization.
    pub(super) client: Option<String>,
    pub(super) requests: Aggregation,
    pub(super) metrics: Vec<UsageMetric>,
    /// Columns, and whether the order is descending.
    pub(super) sort: Vec<(Column, bool)>,
    pub(super) end: UsageJobStatus,
    pub(super) progress: Progress,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Column {
    Date,
    Text(Dimension),
    Count(UsageMetric),
}

impl Job {
    pub(super) fn kind(&self) -> &'static str {
        if self.client.is_some() { "usage job of a client" } else { "usage job" }
    }

    /// Returns `Queued` for the first poll, and `Running` for later ones.
    pub(super) fn status(&self, done: bool) -> UsageJobStatus {
        match self.progress.polls {
            _ if done => self.end.clone(),
            ..=1 => UsageJobStatus::Queued,
            _ => UsageJobStatus::Running,
        }
    }

    pub(super) fn rows(&self, partner: &Partner) -> Vec<Row> {
        let mut rows = self.requests.rows(partner);
        rows.sort_by(|one, other| {
            let compared = self.sort.iter().map(|(column, largest_first)| {
                let order = match column {
                    Column::Date => one.date.cmp(&other.date),
                    Column::Text(dimension) => one.text(*dimension).cmp(other.text(*dimension)),
                    Column::Count(metric) => one.count(metric).cmp(&other.count(metric)),
                };
                if *largest_first { order.reverse() } else { order }
            });
            compared.fold(Ordering::Equal, Ordering::then)
        });
        rows
    }

    pub(super) fn row_of_organization(&self, row: &Row) -> types::OrganizationPublicApiUsage {
        let counter = |metric: UsageMetric| self.metrics.contains(&metric).then(|| row.count(&metric));
        let (id, name) = (row.some(Dimension::ClientId), row.some(Dimension::ClientName));
        let client = (id.is_some() || name.is_some()).then_some(types::DomainEntityRef { id, name, self_uri: None });
        let user = row.some(Dimension::User);
        types::OrganizationPublicApiUsage {
            date: row.date,
            platform: row.some(Dimension::Platform),
            http_method: row.some(Dimension::Method).map(Into::into),
            template_uri: row.some(Dimension::Template),
            request_count: counter(UsageMetric::Requests),
            status200: counter(UsageMetric::Status200),
            status300: counter(UsageMetric::Status300),
            status400: counter(UsageMetric::Status400),
            status429: counter(UsageMetric::Status429),
            status500: counter(UsageMetric::Status500),
            oauth_client: client,
            user: user.map(|id| types::UserReference { self_uri: Some(format!("/api/v2/users/{id}")), id: Some(id) }),
        }
    }

    pub(super) fn row_of_client(&self, row: &Row) -> types::ClientPublicApiUsage {
        let counter = |metric: UsageMetric| self.metrics.contains(&metric).then(|| row.count(&metric));
        types::ClientPublicApiUsage {
            date: row.date,
            platform: row.some(Dimension::Platform),
            http_method: row.some(Dimension::Method).map(Into::into),
            template_uri: row.some(Dimension::Template),
            request_count: counter(UsageMetric::Requests),
            status200: counter(UsageMetric::Status200),
            status300: counter(UsageMetric::Status300),
            status400: counter(UsageMetric::Status400),
            status429: counter(UsageMetric::Status429),
            status500: counter(UsageMetric::Status500),
            organization_id: row.some(Dimension::Organization),
        }
    }
}
