//! API requests, counted by the older query, which returns all rows at once.

use usage_billing_core::{Error, ErrorKind, Result};

use super::{Client, types};
use crate::{Period, PollResult, Poller};

/// Builder for a query.
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
        let interval = format!("{}/{}", period.first_day()?, period.last_day()?);
        let request = self.api.post_usage_query().body_map(|body| query(body).interval(interval));
        // 200 and 202 have the same body.
        let id = request.send().await?.into_inner().execution_id.ok_or_else(|| {
            let message = "the query was started, but the response has no executionId";
            Error::new(ErrorKind::Decode, message).with_operation("postUsageQuery")
        })?;
        Ok(self.usage_query(id).confirmed_exists())
    }

    /// Resumes a query by its execution id.
    pub fn usage_query(&self, id: impl Into<String>) -> Poller<Vec<types::ApiUsageRow>> {
        let (api, id) = (self.api.clone(), id.into());
        Poller::new("usage query", id.clone(), move || {
            let (api, id) = (api.clone(), id.clone());
            async move {
                let response = api.get_usage_query_execution_id_results().execution_id(id).send().await?;
                match &response.query_status {
                    Some(types::ApiUsageQueryStatus::Complete) => Ok(PollResult::Ready(response.into_inner().results)),
                    Some(types::ApiUsageQueryStatus::Failed) => {
                        let message = "the usage query has failed: start another, or a usage job";
                        Err(Error::new(ErrorKind::Failed, message).with_operation("getUsageQueryExecutionIdResults"))
                    }
                    other => Ok(PollResult::pending(&response, other.as_ref())),
                }
            }
        })
        .masking(&self.api)
    }
}
