//! Requests many small responses.

use std::sync::Arc;

use usage_billing::suger::types::BillableMetric;

use super::{Result, Side, tasks};
use crate::clients::{self, ByHand};

const ORG: &str = "bench-0001";

pub(super) async fn run(side: Side, base: &str, count: u64, concurrency: usize) -> Result<String> {
    let sums = match side {
        Side::Ours => {
            let client = clients::suger(base, ORG)?;
            let task = |calls: Arc<tasks::Calls>| {
                let client = client.clone();
                async move {
                    let mut sum = Sum::default();
                    while let Some(index) = calls.next() {
                        let call = client.api().get_billable_metric().org_id(ORG);
                        sum.add(&call.billable_metric_id(format!("bm-{index}")).send().await?.into_inner());
                    }
                    Ok(sum)
                }
            };
            tasks::run(count, concurrency, task).await?
        }
        Side::ByHand => {
            let client = Arc::new(ByHand::key(base)?);
            let task = |calls: Arc<tasks::Calls>| {
                let client = client.clone();
                async move {
                    let mut sum = Sum::default();
                    while let Some(index) = calls.next() {
                        sum.add(&client.get(&format!("/org/{ORG}/billableMetric/bm-{index}")).await?);
                    }
                    Ok(sum)
                }
            };
            tasks::run(count, concurrency, task).await?
        }
    };
    let sum = |of: fn(&Sum) -> usize| sums.iter().map(of).sum::<usize>();
    let (group_bys, filters, length) = (sum(|sum| sum.group_bys), sum(|sum| sum.filters), sum(|sum| sum.length));
    Ok(format!("CHECKSUM small count={count} groupbys={group_bys} filters={filters} namelen={length}"))
}

#[derive(Default)]
struct Sum {
    group_bys: usize,
    filters: usize,
    length: usize,
}

impl Sum {
    fn add(&mut self, metric: &BillableMetric) {
        if let Some(info) = &metric.info {
            self.group_bys += info.group_bys.len();
            self.filters += info.filter_groups.iter().map(|group| group.filters.len()).sum::<usize>();
        }
        self.length += metric.name.as_ref().map_or(0, String::len);
    }
}
