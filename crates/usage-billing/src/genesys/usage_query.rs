//! API requests, counted by the older query, which returns all rows at once.

use usage_billing_core::{Error, ErrorKind, Result};

use super::{Client, types};
use crate::{Period, Poller};

/// Builder for a query. [`Client::start_usage_query`] sets its interval.
///
/// ```
/// use usage_billing::genesys::{UsageQuery, types::{ApiUsageOrganizationGroupBy, UsageGranularity}};
///
/// fn by_day_and_client(query: UsageQuery) -> UsageQuery {
///     query.granularity(UsageGranularity::Day).group_by(vec![ApiUsageOrganizationGroupBy::OAuthClientId])
/// }
/// ```
pub type UsageQuery = types::builder::ApiUsageOrganizationQuery;

impl Client {
    /// Starts a query that counts the API requests of the organization in a period of whole days (UTC), without pages and without the vendor's
    /// own clients. The vendor announced, without a date, that [jobs](Self::start_usage_job) replace it.
    ///
    /// Genesys states that its bills are not based on this. Whether the last day is included is not documented.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a period in the future; otherwise the errors of the call.
    pub async fn start_usage_query(
        &self,
        period: Period,
        query: impl FnOnce(UsageQuery) -> UsageQuery,
    ) -> Result<Poller<Vec<types::ApiUsageRow>>> {
        period.require_started(self.clock.now())?;
        let (first, last) = period.days()?;
        let poller = self
            .api
            .post_usage_query()
            .body_map(|body| query(body).interval(format!("{first}/{last}")))
            .start()
            .await?;
        Ok(rows_of(poller))
    }

    /// Resumes a query by its execution id.
    pub fn usage_query(&self, id: impl Into<String>) -> Poller<Vec<types::ApiUsageRow>> {
        rows_of(self.api.get_usage_query_execution_id_results().execution_id(id.into()).poll())
    }
}

fn rows_of(poller: Poller<types::ApiUsageQueryResult>) -> Poller<Vec<types::ApiUsageRow>> {
    poller.described("usage query").and_then(|result| {
        let message = "the usage query is complete, but its response has no list `results`";
        result.results.ok_or_else(|| Error::new(ErrorKind::Decode, message))
    })
}
