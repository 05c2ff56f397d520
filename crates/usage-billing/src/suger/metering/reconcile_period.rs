//! Comparison of a period's events with the lists of Suger.

use std::collections::{BTreeSet, HashSet};
use std::future::IntoFuture;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use usage_billing_core::{ClientInfo as _, Result};

use super::comparison::compare;
use crate::Period;
use crate::memory_limit::{MemoryLimit, value_bytes};
use crate::rows::canonical_id::canonical_id;
use crate::suger::types::{MeteringUsageRecordGroup as Group, MeteringUsageRecordReport as Report};
use crate::suger::usage::carried::Fractions;
use crate::suger::usage::groups::{canonical_id_in, id_in, used_at};
use crate::suger::usage::listed_days;
use crate::suger::{Client, Reconciliation, UsageEvent};
use usage_billing_core::__private::TimeLimit;

/// Default time limit.
const TIMEOUT: Duration = Duration::from_secs(600);

/// A request for a reconciliation. Await it to run it.
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
    /// Compares the events of a period with the groups of Suger and the responses of the marketplaces. Pass all events
    /// of the period as they were sent; those with timestamps outside the period are counted and not compared.
    ///
    /// Lists the usage record groups and reports of the organization from the first day of the period up to today,
    /// however late they arrived. Groups are kept if their time is in the period and their entitlement is in `sent` or
    /// [named](Reconcile::entitlement).
    ///
    /// ```no_run
    /// # use usage_billing::suger::{Client, UsageEvent};
    /// # async fn prove(client: Client, sent: Vec<UsageEvent>) -> usage_billing::Result<()> {
    /// let october = client.reconcile("2026-10".parse()?, &sent).entitlement("ent-without-usage").await?;
    /// println!("{october}"); // 744 billed, 2 pending, 1 failed, 0 different, 0 missing, 0 extra
    /// for one in &october.failed {
    ///     eprintln!("{} {} {}: {}", one.entitlement_id, one.timestamp, one.dimension, one.reasons.join("; "));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::WaitTimeout`](crate::ErrorKind::WaitTimeout) if the lists are not read in time.
    /// - [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the lists take more memory than
    ///   [`with_max_usage_bytes`](Self::with_max_usage_bytes) allows.
    /// - [`ErrorKind::Decode`](crate::ErrorKind::Decode) for a group without any time, or a sum of more than 28
    ///   digits.
    /// - Other kinds as returned by the list calls.
    pub fn reconcile<'a>(&'a self, period: Period, sent: &'a [UsageEvent]) -> Reconcile<'a> {
        let entitlements = sent.iter().map(|event| event.entitlement_id().to_owned()).collect();
        Reconcile { client: self, period, sent, entitlements, timeout: TIMEOUT }
    }
}

impl Reconcile<'_> {
    /// Includes an entitlement without events: its usage at Suger is extra.
    pub fn entitlement(mut self, id: impl Into<String>) -> Self {
        self.entitlements.insert(id.into());
        self
    }

    /// Sets the time limit for all lists. The default is 10 minutes.
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
        // The time is taken before the lists, so that billed usage was billed when the lists were read.
        let now = self.client.clock.now();
        let (inside, outside): (Vec<_>, Vec<_>) =
            self.sent.iter().cloned().partition(|event| self.period.contains(event.timestamp()));
        let ids_of = |events: &[UsageEvent]| -> HashSet<String> {
            events.iter().map(|event| event.id(&self.client.org_id).to_string()).collect()
        };
        let (ids, ids_outside) = (ids_of(&inside), ids_of(&outside));
        let mut memory = MemoryLimit::new(self.client.max_usage_bytes);
        let groups = self.groups(now, &ids, &ids_outside, &mut memory).await?;
        let (reports, fractions) = self.reports(now, &groups, &mut memory).await?;
        let others = self.others(now, &groups, &reports, &mut memory).await?;
        let found = compare(&self.client.org_id, &inside, &groups, &others, &reports, fractions)?;
        Ok(Reconciliation { period: Some(self.period), as_of: Some(now), outside_period: outside.len(), ..found })
    }

    /// Returns the groups of the period and the entitlements, and the groups of the events regardless of their time. A
    /// group of an event outside of the period is not usage of the period, even if Suger states another time for it.
    async fn groups(
        &self,
        now: DateTime<Utc>,
        ids: &HashSet<String>,
        ids_outside: &HashSet<String>,
        memory: &mut MemoryLimit,
    ) -> Result<Vec<Group>> {
        let (first, last) = listed_days::of_period(self.period, now);
        let mut groups = self.client.usage_record_groups(move |request| request.start_date(first).end_date(last));
        let mut kept = Vec::new();
        while let Some(group) = groups.next().await.transpose()? {
            let is_wanted = group.entitlement_id.as_ref().is_some_and(|id| self.entitlements.contains(id));
            let id = canonical_id_in(&group.id);
            let is_in = |ids: &HashSet<String>| id.as_ref().is_some_and(|id| ids.contains(id));
            let (is_sent, is_outside) = (is_in(ids), is_in(ids_outside));
            if is_sent || is_wanted && !is_outside && self.period.contains(used_at(&group)?) {
                memory.keep(value_bytes(&group), || "the list of usage record groups")?;
                kept.push(group);
            }
        }
        Ok(kept)
    }

    /// Returns the reports in which groups were sent to the marketplaces, and the fractions of all reports of the
    /// entitlements.
    async fn reports(
        &self,
        now: DateTime<Utc>,
        groups: &[Group],
        memory: &mut MemoryLimit,
    ) -> Result<(Vec<Report>, Fractions)> {
        let contents = ReportContents::new(groups);
        let mut fractions = Fractions::default();
        let is_kept = |report: &Report, memory: &mut MemoryLimit| {
            let is_kept = contents.are_any_in(report);
            if is_kept || report.entitlement_id.as_ref().is_some_and(|id| self.entitlements.contains(id)) {
                fractions.add(report, |_| true, memory)?;
            }
            Ok(is_kept)
        };
        let reports = self.client.reports_of(self.period, now, memory, 0, is_kept).await?;
        Ok((reports, fractions))
    }

    /// Returns the other groups of the reports, such as those of another month: a report states the sum of their usage.
    async fn others(
        &self,
        now: DateTime<Utc>,
        groups: &[Group],
        reports: &[Report],
        memory: &mut MemoryLimit,
    ) -> Result<Vec<Group>> {
        let contents = ReportContents::new(groups);
        let ids = reports.iter().flat_map(|report| &report.info).flat_map(|info| &info.usage_record_group_ids);
        let mut unread: HashSet<String> =
            ids.map(|id| canonical_id(id.clone())).filter(|id| !contents.ids.contains(id)).collect();
        let mut others = Vec::new();
        if unread.is_empty() {
            return Ok(others);
        }
        let (first, last) = listed_days::of_reports(self.period, now);
        let mut groups = self.client.usage_record_groups(move |request| request.start_date(first).end_date(last));
        while !unread.is_empty() {
            let Some(group) = groups.next().await.transpose()? else { break };
            if canonical_id_in(&group.id).is_some_and(|id| unread.remove(&id)) {
                memory.keep(value_bytes(&group), || "the list of usage record groups")?;
                others.push(group);
            }
        }
        Ok(others)
    }
}

/// The groups that a report may contain, by which its own are found.
struct ReportContents<'a> {
    ids: HashSet<String>,
    reports: HashSet<&'a str>,
}

impl<'a> ReportContents<'a> {
    fn new(groups: &'a [Group]) -> Self {
        let reports = groups.iter().filter_map(|group| id_in(&group.usage_record_report_id)).collect();
        Self { ids: groups.iter().filter_map(|group| canonical_id_in(&group.id)).collect(), reports }
    }

    /// Returns whether a report contains any of the groups.
    fn are_any_in(&self, report: &Report) -> bool {
        let mut ids = report.info.iter().flat_map(|info| &info.usage_record_group_ids);
        id_in(&report.id).is_some_and(|id| self.reports.contains(id))
            || ids.any(|id| self.ids.contains(&canonical_id(id.clone())))
    }
}

impl<'a> IntoFuture for Reconcile<'a> {
    type Output = Result<Reconciliation>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
