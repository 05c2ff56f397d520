//! Rows of counted API requests, for jobs and for the older query. They are never billed.

use std::time::Duration;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use usage_billing_core::{ClientInfo as _, Decimal, Error, ErrorKind, Result, printable};

use super::{Client, LAG, Organization, types};
use crate::memory_limit::{MemoryLimit, ROW};
use crate::rows::identity::{RowIdentity, disambiguate_keys};
use crate::{BillingReason, Period, UsageRow, Vendor};
use usage_billing_core::__private::TimeLimit;

/// Parameters of a job or query that its rows do not contain.
///
/// ```
/// use usage_billing::chrono::Utc;
/// use usage_billing::genesys::{ApiUsage, Organization, types::UsageGranularity};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let account = Organization::new("o-1", Some("Example, Inc.".to_owned()));
/// let usage = ApiUsage::new("job-1", &account, "2026-10".parse()?, UsageGranularity::Day);
/// let saved = serde_json::from_str::<Vec<_>>(r#"[{"date": "2026-10-07", "requestCount": 12}]"#)?;
/// let rows = usage.job_rows(&saved, Utc::now())?;
/// assert_eq!(rows[0].quantity.to_string(), "12");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiUsage<'a> {
    /// The id of the job or query.
    pub report_id: &'a str,
    /// The account of the rows.
    pub account: &'a Organization,
    /// The period that was counted.
    pub period: Period,
    /// The size of the time buckets, if there are any.
    pub granularity: Option<types::UsageGranularity>,
}

impl Client {
    /// Returns the API requests of the organization as rows, by day, OAuth client, platform, method and path template. Not billable.
    ///
    /// # Errors
    /// Those of [`start_usage_job`](Self::start_usage_job) and [`Poller::wait`](crate::Poller::wait); [`ErrorKind::Limit`] if the rows take more memory
    /// than [`with_max_usage_bytes`](Self::with_max_usage_bytes) allows.
    pub async fn api_usage(&self, period: Period, timeout: Duration) -> Result<Vec<UsageRow>> {
        self.api_usage_within(TimeLimit::new(timeout), period).await.map_err(|error| self.api.inner().masked(error))
    }

    async fn api_usage_within(&self, limit: TimeLimit, period: Period) -> Result<Vec<UsageRow>> {
        use types::OrganizationUsageGroupBy::{HttpMethod, OauthClientId, OauthClientName, Platform, TemplateUri};
        let dimensions = vec![OauthClientId, OauthClientName, Platform, HttpMethod, TemplateUri];
        let granularity = types::UsageGranularity::Day;
        let now = self.clock.now();
        let start = self.start_usage_job(period, |query| query.granularity(granularity.clone()).group_by(dimensions));
        let job = limit.run(start).await;
        let mut job = job.unwrap_or_else(|| Err(limit.exceeded("the start of the usage job was not confirmed")))?;
        let pages = job.wait_within(limit).await?;
        let mut memory = MemoryLimit::new(self.max_usage_bytes);
        let rows = limit.run(memory.collect(pages, ROW, "the usage of the API")).await;
        let rows = rows.unwrap_or_else(|| {
            Err(limit.exceeded(format_args!("the pages of usage job {} were not read to their end", job.id())))
        })?;
        let account = limit.run(self.organization()).await;
        let account = account.unwrap_or_else(|| Err(limit.exceeded("the own organization was not looked up")))?;
        let usage = ApiUsage::new(job.id(), &account, period, granularity);
        usage.job_rows(&rows, now)
    }
}

impl<'a> ApiUsage<'a> {
    /// Creates a value from its fields.
    pub fn new(
        report_id: &'a str,
        account: &'a Organization,
        period: Period,
        granularity: impl Into<Option<types::UsageGranularity>>,
    ) -> Self {
        Self { report_id, account, period, granularity: granularity.into() }
    }

    /// Returns the rows of a job over the organization.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] for a row without its date or its number of requests.
    pub fn job_rows(&self, rows: &[types::OrganizationPublicApiUsage], now: DateTime<Utc>) -> Result<Vec<UsageRow>> {
        let count = |row: &types::OrganizationPublicApiUsage| Count {
            operation: "getUsageAggregatesQueryJob",
            date: row.date,
            client: row.oauth_client.as_ref().and_then(|client| client.id.clone()).unwrap_or_default(),
            client_name: row.oauth_client.as_ref().and_then(|client| client.name.clone()).unwrap_or_default(),
            method: row.http_method.as_ref().map(ToString::to_string).unwrap_or_default(),
            template: row.template_uri.clone().unwrap_or_default(),
            others: [("platform", row.platform.clone()), ("user", row.user.as_ref().and_then(|user| user.id.clone()))],
            requests: row.request_count,
        };
        self.rows(rows.iter().map(count), now)
    }

    /// Returns the rows of a job over the OAuth client `client_id`.
    ///
    /// # Errors
    /// Those of [`job_rows`](Self::job_rows).
    pub fn client_job_rows(
        &self,
        client_id: &str,
        rows: &[types::ClientPublicApiUsage],
        now: DateTime<Utc>,
    ) -> Result<Vec<UsageRow>> {
        let count = |row: &types::ClientPublicApiUsage| Count {
            operation: "getUsageClientClientIdAggregatesQueryJob",
            date: row.date,
            client: client_id.to_owned(),
            client_name: String::new(),
            method: row.http_method.as_ref().map(ToString::to_string).unwrap_or_default(),
            template: row.template_uri.clone().unwrap_or_default(),
            others: [("platform", row.platform.clone()), ("organization", row.organization_id.clone())],
            requests: row.request_count,
        };
        self.rows(rows.iter().map(count), now)
    }

    /// Returns the rows of a query.
    ///
    /// # Errors
    /// Those of [`job_rows`](Self::job_rows).
    pub fn query_rows(&self, rows: &[types::ApiUsageRow], now: DateTime<Utc>) -> Result<Vec<UsageRow>> {
        let count = |row: &types::ApiUsageRow| Count {
            operation: "getUsageQueryExecutionIdResults",
            date: row.date.map(|date| date.date_naive()),
            client: row.client_id.clone().unwrap_or_default(),
            client_name: row.client_name.clone().unwrap_or_default(),
            method: row.http_method.clone().unwrap_or_default(),
            template: row.template_uri.clone().unwrap_or_default(),
            others: [("organization", row.organization_id.clone()), ("user", row.user_id.clone())],
            requests: row.requests,
        };
        self.rows(rows.iter().map(count), now)
    }

    fn rows(&self, counts: impl Iterator<Item = Count>, now: DateTime<Utc>) -> Result<Vec<UsageRow>> {
        let row = |(count, position): (Count, u64)| {
            let missing = |field: &str| {
                let message = format!("row {position} of {} lacks {field}", printable(self.report_id));
                Error::new(ErrorKind::Decode, message).with_operation(count.operation)
            };
            let requests =
                count.requests.ok_or_else(|| missing("its number of requests: request the metric Requests"))?;
            let period = match &self.granularity {
                None => self.period,
                Some(granularity) => {
                    time_bucket(count.date.ok_or_else(|| missing("its date"))?, granularity, self.period)?
                }
            };
            let grouping = count.grouping();
            let metric = [count.method.as_str(), &count.template].join(" ");
            let identity = RowIdentity {
                customer_id: Some(count.client.as_str()).filter(|id| !id.is_empty()),
                sku: "api-requests",
                metric: match metric.trim() {
                    "" => "all requests",
                    metric => metric,
                },
                vendor_grouping: grouping.as_deref(),
                unit: "requests",
                ..RowIdentity::new(Vendor::Genesys, count.operation, &self.account.id, period)
            };
            let is_final = period.has_ended(now - LAG);
            Ok(UsageRow {
                account_name: self.account.name.clone(),
                as_of: Some(now).filter(|_| !is_final),
                customer_kind: identity.customer_id.map(|_| "oauth client".to_owned()),
                customer_name: Some(count.client_name).filter(|name| !name.is_empty()),
                is_final,
                source_report_id: Some(self.report_id.to_owned()),
                source_row: Some(position),
                ..identity.row(Decimal::from(requests), BillingReason::NotABillingBasis)
            })
        };
        Ok(disambiguate_keys(counts.zip(1..).map(row).collect::<Result<_>>()?))
    }
}

/// A row of any of the three kinds; a dimension that was not requested is empty.
struct Count {
    operation: &'static str,
    date: Option<NaiveDate>,
    client: String,
    client_name: String,
    method: String,
    template: String,
    /// Names and values of other dimensions.
    others: [(&'static str, Option<String>); 2],
    requests: Option<i64>,
}

impl Count {
    fn grouping(&self) -> Option<String> {
        let given = self.others.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let pairs = given.filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={value}"));
        let pairs: Vec<_> = pairs.collect();
        (!pairs.is_empty()).then(|| pairs.join(","))
    }
}

/// Returns the time bucket that begins on `date`, clipped to the requested period.
fn time_bucket(date: NaiveDate, granularity: &types::UsageGranularity, requested: Period) -> Result<Period> {
    let whole = match granularity {
        types::UsageGranularity::Day => Period::of_days(date, date)?,
        types::UsageGranularity::Week => Period::of_days(date, date.checked_add_days(Days::new(6)).unwrap_or(date))?,
        types::UsageGranularity::Month => {
            let month = Period::month_of(date);
            // The date of a clipped month may be its first counted day.
            if date.day() == 1 { month } else { Period::new(Period::of_days(date, date)?.start(), month.end())? }
        }
        other => {
            let message =
                format!("the length of time buckets of the granularity {} is unknown", printable(other.as_str()));
            return Err(Error::new(ErrorKind::Decode, message));
        }
    };
    Ok(Period::new(whole.start().max(requested.start()), whole.end().min(requested.end())).unwrap_or(whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::UsageGranularity::{Day, Month, Week};

    static ACCOUNT: std::sync::LazyLock<Organization> =
        std::sync::LazyLock::new(|| Organization::new("org-1", Some("Northwind".to_owned())));

    fn usage(granularity: Option<types::UsageGranularity>) -> ApiUsage<'static> {
        ApiUsage::new("job-1", &ACCOUNT, "2026-10".parse().unwrap(), granularity)
    }

    fn now() -> DateTime<Utc> {
        "2026-11-21T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn time_bucket_is_clipped_to_the_requested_period() {
        for (date, granularity, expected) in [
            ("2026-10-31", Day, "2026-10-31/2026-11-01"),
            ("2026-10-05", Week, "2026-10-05/2026-10-12"),
            ("2026-09-28", Week, "2026-10-01/2026-10-05"),
            ("2026-10-26", Week, "2026-10-26/2026-11-01"),
            ("2026-10-01", Month, "2026-10"),
            ("2026-10-20", Month, "2026-10-20/2026-11-01"),
        ] {
            let found = time_bucket(date.parse().unwrap(), &granularity, "2026-10".parse().unwrap()).unwrap();
            assert_eq!(found.to_string(), expected, "{date} {granularity}");
        }
    }

    #[test]
    fn rows_differ_by_dimension_and_are_never_billable() {
        let row = |platform: &str, method: &str| {
            serde_json::json!({
                "date": "2026-10-02", "platform": platform, "httpMethod": method, "templateUri": "api/v2/users", "requestCount": 1204,
                "oauthClient": {"id": "c-1", "name": "billing-sync, nightly"},
            })
        };
        let rows =
            serde_json::from_value::<Vec<_>>(serde_json::json!([row("a", "GET"), row("b", "GET"), row("a", "POST")]));
        let rows = usage(Some(Day)).job_rows(&rows.unwrap(), now()).unwrap();
        assert!(
            rows.iter().all(|row| row.is_billable == Some(false)
                && row.is_final
                && row.unit == "requests"
                && row.cost.is_none())
        );
        assert_eq!((rows[0].metric.as_str(), rows[0].quantity.to_string().as_str()), ("GET api/v2/users", "1204"));
        assert_eq!(rows[0].customer_name.as_deref(), Some("billing-sync, nightly"));
        let keys: std::collections::BTreeSet<_> = rows.iter().map(|row| row.row_key).collect();
        assert_eq!(keys.len(), 3);
    }

    #[test]
    fn grouping_names_each_dimension_as_the_vendor_does() {
        let grouping = |rows: Result<Vec<UsageRow>>| {
            let row = rows.unwrap().remove(0);
            assert_eq!((row.account_id.as_str(), row.account_name.as_deref()), ("org-1", Some("Northwind")));
            row.vendor_grouping
        };
        let array = |json| serde_json::json!([json]);
        let job = |json| grouping(usage(None).job_rows(&serde_json::from_value::<Vec<_>>(array(json)).unwrap(), now()));
        let client = |json| {
            grouping(usage(None).client_job_rows("c", &serde_json::from_value::<Vec<_>>(array(json)).unwrap(), now()))
        };
        let query =
            |json| grouping(usage(None).query_rows(&serde_json::from_value::<Vec<_>>(array(json)).unwrap(), now()));
        let text = |text: &str| Some(text.to_owned());
        let all = serde_json::json!({"requestCount": 1, "platform": "public-api", "user": {"id": "u-1"}});
        assert_eq!(job(all), text("platform=public-api,user=u-1"));
        assert_eq!(job(serde_json::json!({"requestCount": 1, "platform": "x"})), text("platform=x"));
        assert_eq!(job(serde_json::json!({"requestCount": 1, "user": {"id": "u-1"}})), text("user=u-1"));
        assert_eq!(job(serde_json::json!({"requestCount": 1, "platform": ""})), None);
        let all = serde_json::json!({"requestCount": 1, "platform": "x", "organizationId": "o-2"});
        assert_eq!(client(all), text("platform=x,organization=o-2"));
        let all = serde_json::json!({"requests": 1, "organizationId": "o-2", "userId": "u-1"});
        assert_eq!(query(all), text("organization=o-2,user=u-1"));
    }

    #[test]
    fn empty_dimensions_of_the_older_query_become_none() {
        let rows = serde_json::json!([{"clientId": "", "templateUri": "", "httpMethod": "", "requests": 7}]);
        let rows = usage(None).query_rows(&serde_json::from_value::<Vec<_>>(rows).unwrap(), now()).unwrap();
        let row = &rows[0];
        assert_eq!((row.customer_id.as_deref(), row.customer_kind.as_deref()), (None, None));
        assert_eq!(
            (row.metric.as_str(), row.period_start, row.source_row),
            ("all requests", usage(None).period.start(), Some(1))
        );
    }

    #[test]
    fn row_without_its_number_or_date_is_an_error() {
        let rows = |json| serde_json::from_value::<Vec<types::ClientPublicApiUsage>>(json).unwrap();
        let error =
            |granularity, json| usage(granularity).client_job_rows("c", &rows(json), now()).unwrap_err().to_string();
        let without_count = error(None, serde_json::json!([{"date": "2026-10-02", "status429": 3}]));
        assert!(
            without_count.ends_with("row 1 of job-1 lacks its number of requests: request the metric Requests"),
            "{without_count}"
        );
        assert!(error(Some(Day), serde_json::json!([{"requestCount": 3}])).ends_with("lacks its date"));
    }
}
