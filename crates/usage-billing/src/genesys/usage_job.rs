//! API requests, counted by jobs over the organization or one OAuth client, and the pages of their rows.

use chrono::{DateTime, Days, Months, Utc};
use usage_billing_core::{Error, ErrorKind, Result};

use super::{Client, types};
use crate::{Pager, Period, Poller};

/// Largest page of the vendor.
const PAGE: i32 = 1000;

/// Longest period of a job in days, both ends included.
const MAX_DAYS: u64 = 90;
/// Largest age of the start of a job, in months.
const MAX_AGE: Months = Months::new(12);

impl Client {
    /// Starts a job that counts the API requests of the organization in a period of whole days (UTC). The finished job returns its rows page by
    /// page.
    ///
    /// It counts all requests, including those of the vendor's own clients. Genesys states that its bills are not based on this.
    ///
    /// ```no_run
    /// # use usage_billing::{Period, Result, genesys::{Client, types::{OrganizationUsageGroupBy, UsageGranularity}}};
    /// # async fn count(client: Client, october: Period) -> Result<()> {
    /// let mut job = client
    ///     .start_usage_job(october, |query| {
    ///         query.granularity(UsageGranularity::Day).group_by(vec![OrganizationUsageGroupBy::OauthClientId])
    ///     })
    ///     .await?;
    /// let mut rows = job.wait(std::time::Duration::from_secs(600)).await?;
    /// while let Some(row) = rows.next().await {
    ///     println!("{:?}", row?.request_count);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Request`], without a request to the vendor, for a period that is in the future, starts over a year ago or is longer than 90
    /// days. Otherwise the errors of the call.
    pub async fn start_usage_job(
        &self,
        period: Period,
        query: impl FnOnce(JobQuery) -> JobQuery,
    ) -> Result<Poller<Pager<types::OrganizationPublicApiUsage>>> {
        let interval = valid_interval(period, self.clock.now())?;
        let request = self.api.post_usage_aggregates_query_jobs();
        let job = request.body_map(|body| query(body).interval(interval)).send().await?.into_inner();
        Ok(self.usage_job(job.id).confirmed_exists())
    }

    /// Resumes a job over the organization by its id.
    pub fn usage_job(&self, id: impl Into<String>) -> Poller<Pager<types::OrganizationPublicApiUsage>> {
        let (api, id) = (self.api.clone(), id.into());
        // Only for the state; the rows are in the pages.
        let state = self.api.get_usage_aggregates_query_job().job_id(id.clone()).page_size(1);
        let rows = move |_| Ok(api.get_usage_aggregates_query_job().job_id(id).page_size(PAGE).stream());
        state.poll().described("usage job").and_then(rows)
    }

    /// Starts a job like [`start_usage_job`](Self::start_usage_job) for the requests of one OAuth client.
    ///
    /// # Errors
    /// Those of [`start_usage_job`](Self::start_usage_job).
    pub async fn start_client_usage_job(
        &self,
        client_id: &str,
        period: Period,
        query: impl FnOnce(ClientJobQuery) -> ClientJobQuery,
    ) -> Result<Poller<Pager<types::ClientPublicApiUsage>>> {
        let interval = valid_interval(period, self.clock.now())?;
        let request = self.api.post_usage_client_client_id_aggregates_query_jobs().client_id(client_id);
        let job = request.body_map(|body| query(body).interval(interval)).send().await?.into_inner();
        Ok(self.client_usage_job(client_id, job.id).confirmed_exists())
    }

    /// Resumes a job over one OAuth client by its id.
    pub fn client_usage_job(
        &self,
        client_id: &str,
        id: impl Into<String>,
    ) -> Poller<Pager<types::ClientPublicApiUsage>> {
        let (api, client_id, id) = (self.api.clone(), client_id.to_owned(), id.into());
        let state = self.api.get_usage_client_client_id_aggregates_query_job();
        let state = state.client_id(client_id.clone()).job_id(id.clone()).page_size(1);
        let rows = move |_| {
            let rows = api.get_usage_client_client_id_aggregates_query_job().client_id(client_id);
            Ok(rows.job_id(id).page_size(PAGE).stream())
        };
        state.poll().described("usage job").and_then(rows)
    }
}

/// Builder for the query of a job over the organization. [`Client::start_usage_job`] sets its interval.
///
/// ```
/// use usage_billing::genesys::{JobQuery, types::{OrganizationUsageGroupBy, UsageGranularity}};
///
/// fn by_day_and_client(query: JobQuery) -> JobQuery {
///     query.granularity(UsageGranularity::Day).group_by(vec![OrganizationUsageGroupBy::OauthClientId])
/// }
/// ```
pub type JobQuery = types::builder::OrganizationPublicApiUsageQueryRequest;
/// Builder for the query of a job over one OAuth client. [`Client::start_client_usage_job`] sets its interval.
///
/// ```
/// use usage_billing::genesys::{ClientJobQuery, types::{ClientUsageGroupBy, UsageGranularity}};
///
/// fn by_month_and_path(query: ClientJobQuery) -> ClientJobQuery {
///     query.granularity(UsageGranularity::Month).group_by(vec![ClientUsageGroupBy::TemplateUri])
/// }
/// ```
pub type ClientJobQuery = types::builder::ClientPublicApiUsageQueryRequest;

/// Returns the interval in the vendor's form, both ends included, if the vendor accepts it.
fn valid_interval(period: Period, now: DateTime<Utc>) -> Result<String> {
    period.require_started(now)?;
    let (first, last) = period.days()?;
    let invalid = |message: String| Err(Error::new(ErrorKind::Request, message));
    let oldest = now.date_naive().checked_sub_months(MAX_AGE).unwrap_or_default();
    if first < oldest {
        return invalid(format!("{period} starts over a year ago: a usage job goes back to {oldest}"));
    }
    let longest = first.checked_add_days(Days::new(MAX_DAYS)).unwrap_or(first);
    if last >= longest {
        return invalid(format!(
            "{period} is longer than {MAX_DAYS} days: request it in parts, the first of them {first}/{longest}"
        ));
    }
    Ok(format!("{first}T00:00:00/{last}T23:59:59"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn period_beyond_the_vendors_limits_is_rejected() {
        let interval = |period: &str| {
            valid_interval(period.parse().unwrap(), "2026-11-21T12:00:00Z".parse().unwrap())
                .map_err(|error| error.to_string())
        };
        assert_eq!(interval("2026-08").unwrap(), "2026-08-01T00:00:00/2026-08-31T23:59:59");
        assert_eq!(interval("2025-11-21/2025-11-22").unwrap(), "2025-11-21T00:00:00/2025-11-21T23:59:59");
        assert!(interval("2025-11-20/2025-11-22").unwrap_err().contains("goes back to 2025-11-21"));
        assert!(interval("2026-08-01/2026-10-30").is_ok(), "90 days");
        assert!(interval("2026-08-01/2026-10-31").unwrap_err().ends_with("the first of them 2026-08-01/2026-10-30"));
        assert!(interval("2026-08-01T06:00:00Z/2026-08-02").unwrap_err().contains("whole days"));
        assert!(interval("2026-12").unwrap_err().contains("is in the future"));
        assert!(interval("2026-11").is_ok());
    }
}
