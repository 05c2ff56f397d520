//! A period's reports compared with what Suger lists of it.

use std::collections::{BTreeSet, HashSet};
use std::future::IntoFuture;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use usage_billing_core::{ClientInfo as _, Result};

use super::groups::{id_in, used_at};
use super::types::{MeteringUsageRecordGroup as Group, MeteringUsageRecordReport as Report};
use super::{Client, Reconciliation, UsageEvent, listed_days, reconcile};
use crate::Period;
use crate::memory_limit::{MemoryLimit, value_bytes};
use crate::time_limit::TimeLimit;

/// Longest time unless set otherwise.
const TIMEOUT: Duration = Duration::from_secs(600);

/// A reconciliation that is to be made: await it.
#[derive(Clone, Debug)]
#[must_use = "nothing is listed until it is awaited"]
pub struct Reconcile<'a> {
    client: &'a Client,
    period: Period,
    sent: &'a [UsageEvent],
    entitlements: BTreeSet<String>,
    timeout: Duration,
}

impl Client {
    /// Compares what was sent of a period with what Suger has and what the marketplaces said of it. Give all reports of the period, as they were
    /// sent; those of windows outside it are counted and not compared.
    ///
    /// Lists the organization's usage record groups and reports from the period's first day up to today, however late they came in, and
    /// keeps those of windows inside the period and of entitlements that were sent or [named](Reconcile::entitlement).
    ///
    /// ```no_run
    /// # use usage_billing::suger::{Client, UsageEvent};
    /// # async fn prove(client: Client, sent: Vec<UsageEvent>) -> usage_billing::Result<()> {
    /// let october = client.reconcile("2026-10".parse()?, &sent).entitlement("ent-without-usage").await?;
    /// println!("{october}"); // 744 billed, 2 pending, 1 failed, 0 different, 0 missing, 0 extra
    /// for one in &october.failed {
    ///     eprintln!("{} {} {}: {}", one.entitlement_id, one.window, one.dimension, one.words.join("; "));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of the lists; [`ErrorKind::WaitTimeout`](crate::ErrorKind::WaitTimeout) if they are not read in time;
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if what is compared takes more memory than
    /// [`with_max_usage_bytes`](Self::with_max_usage_bytes) allows;
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) for a group without any time, or a sum of more than 28 digits.
    pub fn reconcile<'a>(&'a self, period: Period, sent: &'a [UsageEvent]) -> Reconcile<'a> {
        let entitlements = sent.iter().map(|report| report.entitlement_id().to_owned()).collect();
        Reconcile { client: self, period, sent, entitlements, timeout: TIMEOUT }
    }
}

impl Reconcile<'_> {
    /// Compares an entitlement of which nothing was sent, too: what Suger has of it is extra.
    pub fn entitlement(mut self, id: impl Into<String>) -> Self {
        self.entitlements.insert(id.into());
        self
    }

    /// Sets the longest time for all lists, in place of 10 minutes.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    async fn run(self) -> Result<Reconciliation> {
        let limit = TimeLimit::new(self.timeout);
        let outcome = limit.run(self.compare()).await;
        let outcome = outcome.map(|outcome| outcome.map_err(|error| self.client.api.inner().masked(error)));
        outcome.unwrap_or_else(|| Err(limit.exceeded("the lists of usage were not read to their end")))
    }

    async fn compare(&self) -> Result<Reconciliation> {
        // Before the lists: what is billed has to have been so when they were read.
        let now = self.client.clock.now();
        let (inside, outside): (Vec<_>, Vec<_>) =
            self.sent.iter().cloned().partition(|report| self.period.contains(report.window()));
        let ids: HashSet<_> = inside.iter().map(|report| report.id(&self.client.org_id).to_string()).collect();
        let mut memory = MemoryLimit::new(self.client.max_usage_bytes);
        let groups = self.groups(now, &ids, &mut memory).await?;
        let reports = self.reports(now, &groups, &mut memory).await?;
        let found = reconcile(&self.client.org_id, &inside, &groups, &reports)?;
        Ok(Reconciliation { period: Some(self.period), as_of: Some(now), outside_period: outside.len(), ..found })
    }

    /// Groups of the period and of the entitlements; those of reports that were sent, whatever time they state.
    async fn groups(&self, now: DateTime<Utc>, ids: &HashSet<String>, memory: &mut MemoryLimit) -> Result<Vec<Group>> {
        let (first, last) = listed_days::of_period(self.period, now);
        let mut groups = self.client.usage_record_groups(move |request| request.start_date(first).end_date(last));
        let mut kept = Vec::new();
        while let Some(group) = groups.next().await.transpose()? {
            let is_wanted = group.entitlement_id.as_ref().is_some_and(|id| self.entitlements.contains(id));
            let is_sent = id_in(&group.id).is_some_and(|id| ids.contains(id));
            if is_sent || is_wanted && self.period.contains(used_at(&group)?) {
                memory.keep(value_bytes(&group), || "the list of usage record groups")?;
                kept.push(group);
            }
        }
        Ok(kept)
    }

    /// Reports in which groups were sent to the marketplaces, and those that took in fractions of earlier ones.
    async fn reports(&self, now: DateTime<Utc>, groups: &[Group], memory: &mut MemoryLimit) -> Result<Vec<Report>> {
        let (first, last) = listed_days::of_period(self.period, now);
        let ids: HashSet<_> = groups.iter().filter_map(|group| id_in(&group.id)).collect();
        let named: HashSet<_> = groups.iter().filter_map(|group| id_in(&group.usage_record_report_id)).collect();
        let mut reports = self.client.usage_record_reports(move |request| request.start_date(first).end_date(last));
        let mut kept = Vec::new();
        while let Some(report) = reports.next().await.transpose()? {
            let mut of_report = report.info.iter().flat_map(|info| &info.usage_record_group_ids);
            let is_named = id_in(&report.id).is_some_and(|id| named.contains(id));
            let is_later = report.entitlement_id.as_ref().is_some_and(|id| self.entitlements.contains(id))
                && report.info.as_ref().is_some_and(|info| !info.decimal_parts.is_empty());
            if is_named || is_later || of_report.any(|id| ids.contains(id.as_str())) {
                memory.keep(value_bytes(&report), || "the list of usage record reports")?;
                kept.push(report);
            }
        }
        Ok(kept)
    }
}

impl<'a> IntoFuture for Reconcile<'a> {
    type Output = Result<Reconciliation>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
