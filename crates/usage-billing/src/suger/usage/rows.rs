//! Usage as rows: added up from usage record groups, or as sent to the marketplaces.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use usage_billing_core::{ClientInfo as _, Result};

use super::groups::id_in;
use super::listed_days;
use super::report_rows::{self, report_rows};
use super::sums::UsageAggregator;
use crate::memory_limit::{MemoryLimit, ROW, SLOT, text_bytes, value_bytes};
use crate::suger::{Client, Lookups, types};
use crate::{Period, UsageRow};
use usage_billing_core::__private::TimeLimit;

const NOT_READ: &str = "the lists of usage were not read to their end";

impl Client {
    /// Returns the usage of a period as rows, one for each buyer, entitlement and dimension. They are added up from
    /// the usage record groups by the time of use. All lists are read within `timeout`.
    ///
    /// Events of a billable metric that adds up (`SUM` or `COUNT` without filters) are added up as well. Only Suger
    /// computes the result for any other metric: its rows are those of the hourly usage record reports, as in
    /// [`reported_usage`](Self::reported_usage).
    ///
    /// Groups and reports are read from the first day of the period up to today, however late they arrived; only sums
    /// and ids are in memory. A row is final if the marketplace accepted all of its usage. A period of several
    /// calendar months has rows for each of them; months that have not started are omitted.
    ///
    /// # Errors
    /// - [`ErrorKind::Request`](crate::ErrorKind::Request) for a period in the future.
    /// - [`ErrorKind::WaitTimeout`](crate::ErrorKind::WaitTimeout) if the lists are not read in time.
    /// - [`ErrorKind::Limit`](crate::ErrorKind::Limit) if they take more memory than
    ///   [`with_max_usage_bytes`](Self::with_max_usage_bytes) allows.
    /// - Other kinds as returned by the list calls, and by [`usage_rows`](crate::suger::usage_rows).
    pub async fn usage(&self, period: Period, timeout: Duration) -> Result<Vec<UsageRow>> {
        let limit = TimeLimit::new(timeout);
        let usage = limit.run(self.usage_in(period)).await;
        let usage = usage.map(|usage| usage.map_err(|error| self.api.inner().masked(error)));
        usage.unwrap_or_else(|| Err(limit.exceeded(NOT_READ)))
    }

    async fn usage_in(&self, period: Period) -> Result<Vec<UsageRow>> {
        // The time is taken before the lists, so that final rows were final when the lists were read.
        let now = self.clock.now();
        period.require_started(now)?;
        let (first, last) = listed_days::of_period(period, now);
        let mut memory = MemoryLimit::new(self.max_usage_bytes);
        let lookups = Lookups { buyers: self.buyer_names(&mut memory).await?, metrics: self.metrics().await? };
        let months = period.months().take_while(|month| month.start() <= now);
        let mut sums: Vec<_> = months.map(UsageAggregator::new).collect();
        let mut groups = self.usage_record_groups(move |request| request.start_date(first).end_date(last));
        while let Some(group) = groups.next().await.transpose()? {
            // Duplicates count as well, so that an endless list reaches the limit.
            let id = id_in(&group.id).unwrap_or_default();
            memory.keep(SLOT + text_bytes(id), || "the list of usage record groups")?;
            sums.iter_mut().try_for_each(|sums| sums.add(&group, &lookups, &mut memory))?;
        }
        // A report of the period may contain only events before it, so no group of the period refers to it.
        let unsummed = lookups.metrics.keys().any(|metric| lookups.unit_of_sum(metric).is_none());
        let has_rows = unsummed || sums.iter().any(UsageAggregator::has_events_in_reports);
        let reports = match has_rows || sums.iter().any(UsageAggregator::is_pending) {
            true => {
                let is_kept = |report: &types::MeteringUsageRecordReport, memory: &mut MemoryLimit| {
                    sums.iter_mut().try_for_each(|sums| sums.apply(report, memory))?;
                    let is_wanted = |id: &str| sums.iter().any(|sums| sums.is_wanted(id));
                    Ok(has_rows
                        && (report_rows::begins_in(period, report)? || report.id.as_deref().is_some_and(is_wanted)))
                };
                self.reports_of(period, now, &mut memory, ROW, is_kept).await?
            }
            false => Vec::new(),
        };
        let unread: HashSet<String> = sums.iter().flat_map(UsageAggregator::unread).map(str::to_owned).collect();
        if !unread.is_empty() {
            let (first, last) = listed_days::of_reports(period, now);
            let mut others = self.usage_record_groups(move |request| request.start_date(first).end_date(last));
            while let Some(group) = others.next().await.transpose()? {
                if id_in(&group.id).is_some_and(|id| unread.contains(id)) {
                    sums.iter_mut().try_for_each(|sums| sums.add_other(&group, &mut memory))?;
                }
            }
        }
        let mut rows = Vec::new();
        for sums in sums {
            rows.extend(sums.rows(&reports, &lookups, &self.org_id, now)?);
        }
        Ok(rows)
    }

    /// Returns the usage that was sent to the marketplaces in a period as rows, one for each usage record report and
    /// dimension or metric, with the prices that the reports state. A report counts by its hour. Reports are read up
    /// to today, because groups that were [requeued](Self::retry_groups) are reported late. See [`report_rows`].
    ///
    /// # Errors
    /// - [`ErrorKind::Request`](crate::ErrorKind::Request) for a period in the future.
    /// - [`ErrorKind::WaitTimeout`](crate::ErrorKind::WaitTimeout) if the lists are not read
    ///   [in time](Self::with_list_timeout).
    /// - [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the lists and rows take more memory than
    ///   [`with_max_usage_bytes`](Self::with_max_usage_bytes) allows.
    /// - Other kinds as returned by the list calls, and by [`report_rows`].
    pub async fn reported_usage(&self, period: Period) -> Result<Vec<UsageRow>> {
        let now = self.clock.now();
        period.require_started(now)?;
        let limit = self.list_limit();
        let rows = limit.run(async {
            let mut memory = MemoryLimit::new(self.max_usage_bytes);
            let is_kept = |report: &_, _: &mut _| report_rows::begins_in(period, report);
            let reports = self.reports_of(period, now, &mut memory, ROW, is_kept).await?;
            report_rows(&reports, &self.buyer_names(&mut memory).await?, &self.org_id, period)
        });
        let rows = rows.await.map(|rows| rows.map_err(|error| self.api.inner().masked(error)));
        rows.unwrap_or_else(|| Err(limit.exceeded(NOT_READ)))
    }

    /// Returns the reports that may be of a period and that `is_kept` accepts, within `memory`, each with `extra_bytes`
    /// for the data that is derived from it.
    pub(in crate::suger) async fn reports_of(
        &self,
        period: Period,
        now: DateTime<Utc>,
        memory: &mut MemoryLimit,
        extra_bytes: usize,
        mut is_kept: impl FnMut(&types::MeteringUsageRecordReport, &mut MemoryLimit) -> Result<bool>,
    ) -> Result<Vec<types::MeteringUsageRecordReport>> {
        let (first, last) = listed_days::of_period(period, now);
        let mut all = self.usage_record_reports(move |request| request.start_date(first).end_date(last));
        let mut kept = Vec::new();
        while let Some(report) = all.next().await.transpose()? {
            if is_kept(&report, memory)? {
                memory.keep(value_bytes(&report) + extra_bytes, || "the list of usage record reports")?;
                kept.push(report);
            }
        }
        Ok(kept)
    }

    /// Returns all billable metrics by id.
    async fn metrics(&self) -> Result<BTreeMap<String, types::BillableMetric>> {
        let metrics = self.api.list_billable_metrics().org_id(&self.org_id).send().await?.into_inner();
        Ok(metrics.into_iter().filter_map(|metric| Some((metric.id.clone()?, metric))).collect())
    }

    /// Returns the names of all buyers by id.
    async fn buyer_names(&self, memory: &mut MemoryLimit) -> Result<BTreeMap<String, String>> {
        let mut buyers = self.buyers(|request| request);
        let mut names = BTreeMap::new();
        while let Some(buyer) = buyers.next().await.transpose()? {
            let (id, name) = (buyer.id.unwrap_or_default(), buyer.name.unwrap_or_default());
            // Duplicates count as well, so that an endless list reaches the limit.
            memory.keep(SLOT + text_bytes(&id) + text_bytes(&name), || "the list of buyers")?;
            if !id.is_empty() && !name.is_empty() {
                names.insert(id, name);
            }
        }
        Ok(names)
    }
}
