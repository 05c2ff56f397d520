//! API requests, the present way: jobs over the organization or one OAuth client, and the pages of their rows.

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Days, Months, Utc};
use usage_billing_core::{Error, ErrorKind, ResponseValue, Result, printable};
use usage_billing_genesys::Client as Api;

use super::page_link::next_cursor;
use super::{Client, types};
use crate::{Pager, Period, PollResult, Poller};

/// The largest page that the vendor gives.
const PAGE: i32 = 1000;

/// A job's longest span in days, both ends included.
const LONGEST: u64 = 90;
/// How far back a job may start, in months.
const OLDEST: Months = Months::new(12);

impl Client {
    /// Starts to count the API requests of the organization in a period of whole days (UTC). Once done, the report gives the rows, page by
    /// page.
    ///
    /// All requests count, those of the vendor's own clients too: Genesys says that its bills are not based on this.
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
    /// [`ErrorKind::Request`], before anything is sent, for a period that is in the future, starts over a year ago or is longer than 90 days;
    /// else those of the call.
    pub async fn start_usage_job(
        &self,
        period: Period,
        query: impl FnOnce(JobQuery) -> JobQuery,
    ) -> Result<Poller<Pager<types::OrganizationPublicApiUsage>>> {
        let interval = interval(period, self.clock.now())?;
        let request = self.api.post_usage_aggregates_query_jobs();
        let job = request.body_map(|body| query(body).interval(interval)).send().await?.into_inner();
        Ok(self.usage_job(job.id).confirmed_exists())
    }

    /// Takes up a job of the organization by its id.
    pub fn usage_job(&self, id: impl Into<String>) -> Poller<Pager<types::OrganizationPublicApiUsage>> {
        let (api, id) = (self.api.clone(), id.into());
        job(&self.api, id.clone(), move |size, after| {
            let (api, id) = (api.clone(), id.clone());
            async move {
                let first = api.get_usage_aggregates_query_job().job_id(id).page_size(size);
                let request = if after.is_empty() { first } else { first.after(after) };
                Ok(request.send().await?.into())
            }
        })
    }

    /// As [`start_usage_job`](Self::start_usage_job), for the requests of one OAuth client.
    ///
    /// # Errors
    /// As [`start_usage_job`](Self::start_usage_job).
    pub async fn start_client_usage_job(
        &self,
        client_id: &str,
        period: Period,
        query: impl FnOnce(ClientJobQuery) -> ClientJobQuery,
    ) -> Result<Poller<Pager<types::ClientPublicApiUsage>>> {
        let interval = interval(period, self.clock.now())?;
        let request = self.api.post_usage_client_client_id_aggregates_query_jobs().client_id(client_id);
        let job = request.body_map(|body| query(body).interval(interval)).send().await?.into_inner();
        Ok(self.client_usage_job(client_id, job.id).confirmed_exists())
    }

    /// Takes up a job over one OAuth client by its id.
    pub fn client_usage_job(
        &self,
        client_id: &str,
        id: impl Into<String>,
    ) -> Poller<Pager<types::ClientPublicApiUsage>> {
        let (api, client_id, id) = (self.api.clone(), client_id.to_owned(), id.into());
        job(&self.api, id.clone(), move |size, after| {
            let (api, client_id, id) = (api.clone(), client_id.clone(), id.clone());
            async move {
                let job = api.get_usage_client_client_id_aggregates_query_job().client_id(client_id).job_id(id);
                let first = job.page_size(size);
                let request = if after.is_empty() { first } else { first.after(after) };
                Ok(request.send().await?.into())
            }
        })
    }
}

/// Builds what a job over the organization counts.
pub type JobQuery = types::builder::OrganizationPublicApiUsageQueryRequest;
/// Builds what a job over one OAuth client counts.
pub type ClientJobQuery = types::builder::ClientPublicApiUsageQueryRequest;

/// What an answer says of a job, be it over the organization or a client.
struct Look<T> {
    status: types::UsageJobStatus,
    error: Option<types::ErrorBody>,
    rows: Vec<T>,
    next_uri: Option<String>,
    retry_after: Option<Duration>,
}

impl From<ResponseValue<types::OrganizationPublicApiUsageResultsResponse>> for Look<types::OrganizationPublicApiUsage> {
    fn from(answer: ResponseValue<types::OrganizationPublicApiUsageResultsResponse>) -> Self {
        let retry_after = answer.retry_after();
        let answer = answer.into_inner();
        let (status, error) = (answer.query_status, answer.error_body);
        Self { status, error, rows: answer.entities, next_uri: answer.next_uri, retry_after }
    }
}

impl From<ResponseValue<types::ClientPublicApiUsageResultsResponse>> for Look<types::ClientPublicApiUsage> {
    fn from(answer: ResponseValue<types::ClientPublicApiUsageResultsResponse>) -> Self {
        let retry_after = answer.retry_after();
        let answer = answer.into_inner();
        let (status, error) = (answer.query_status, answer.error_body);
        Self { status, error, rows: answer.entities, next_uri: answer.next_uri, retry_after }
    }
}

/// A job that `look` looks at: by the size of the page and the cursor, which is empty for the first page.
fn job<T, F>(api: &Api, id: String, look: impl Fn(i32, String) -> F + Clone + Send + 'static) -> Poller<Pager<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<Look<T>>> + Send + 'static,
{
    let of_pages = api.clone();
    Poller::new("usage job", id, move || {
        let (look, api) = (look.clone(), of_pages.clone());
        async move {
            // Of the state alone; the rows come with the pages.
            let seen = look(1, String::new()).await?;
            match seen.status {
                types::UsageJobStatus::Succeeded => Ok(PollResult::Ready(pages(look).masking(&api))),
                types::UsageJobStatus::Failed | types::UsageJobStatus::Cancelled => Err(failed(&seen)),
                state => Ok(PollResult::Pending { status: Some(state.to_string()), retry_after: seen.retry_after }),
            }
        }
    })
    .masking(api)
}

fn pages<T, F>(look: impl Fn(i32, String) -> F + Clone + Send + 'static) -> Pager<T>
where
    T: Send + 'static,
    F: Future<Output = Result<Look<T>>> + Send + 'static,
{
    Pager::new(String::new(), move |after| {
        let look = look.clone();
        async move {
            let page = look(PAGE, after).await?;
            if page.status != types::UsageJobStatus::Succeeded {
                return Err(failed(&page));
            }
            Ok((page.rows, next_cursor(page.next_uri.as_deref())?))
        }
    })
}

/// Both answers of the vendor carry 202 alike; only the state tells a job that failed from one that runs.
fn failed<T>(look: &Look<T>) -> Error {
    let why = look.error.as_ref().and_then(|error| error.message.clone().or_else(|| error.code.clone()));
    let why = why.unwrap_or_else(|| "the vendor does not say why; start another".to_owned());
    Error::new(ErrorKind::Failed, format!("the usage job is {}: {}", printable(look.status.as_str()), printable(&why)))
}

/// The interval as the vendor writes it, both ends included, if it may be asked for.
fn interval(period: Period, now: DateTime<Utc>) -> Result<String> {
    period.require_started(now)?;
    let (first, last) = (period.first_day()?, period.last_day()?);
    let wrong = |message: String| Err(Error::new(ErrorKind::Request, message));
    let oldest = now.date_naive().checked_sub_months(OLDEST).unwrap_or_default();
    if first < oldest {
        return wrong(format!("{period} starts over a year ago: a usage job goes back to {oldest}"));
    }
    let longest = first.checked_add_days(Days::new(LONGEST)).unwrap_or(first);
    if last >= longest {
        return wrong(format!(
            "{period} is longer than {LONGEST} days: ask for it in parts, the first of them {first}/{longest}"
        ));
    }
    Ok(format!("{first}T00:00:00/{last}T23:59:59"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_beyond_the_vendors_limits_is_refused_before_it_is_sent() {
        let asked = |period: &str| {
            interval(period.parse().unwrap(), "2026-11-21T12:00:00Z".parse().unwrap())
                .map_err(|error| error.to_string())
        };
        assert_eq!(asked("2026-08").unwrap(), "2026-08-01T00:00:00/2026-08-31T23:59:59");
        assert_eq!(asked("2025-11-21/2025-11-22").unwrap(), "2025-11-21T00:00:00/2025-11-21T23:59:59");
        assert!(asked("2025-11-20/2025-11-22").unwrap_err().contains("goes back to 2025-11-21"));
        assert!(asked("2026-08-01/2026-10-30").is_ok(), "90 days");
        assert!(asked("2026-08-01/2026-10-31").unwrap_err().ends_with("the first of them 2026-08-01/2026-10-30"));
        assert!(asked("2026-08-01T06:00:00Z/2026-08-02").unwrap_err().contains("whole days"));
        assert!(asked("2026-12").unwrap_err().contains("is in the future"));
        assert!(asked("2026-11").is_ok());
    }
}
