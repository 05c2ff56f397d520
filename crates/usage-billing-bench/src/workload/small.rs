//! Many small answers.

use futures_util::{StreamExt, TryStreamExt, stream};
use usage_billing::suger::types::BillableMetric;

use super::{Result, Side};
use crate::clients::{self, ByHand};

const ORG: &str = "bench-0001";

pub(super) async fn run(side: Side, base: &str, count: u64, at_once: usize) -> Result<String> {
    let (mut group_bys, mut filters, mut length) = (0, 0, 0);
    let mut add = |metric: BillableMetric| {
        let info = metric.info.unwrap_or_default();
        group_bys += info.group_bys.len();
        filters += info.filter_groups.iter().map(|group| group.filters.len()).sum::<usize>();
        length += metric.name.map_or(0, |name| name.len());
        std::future::ready(Ok(()))
    };
    match side {
        Side::Ours => {
            let client = clients::suger(base, ORG)?;
            let calls = (0..count).map(|index| {
                let call = client.api().get_billable_metric().org_id(ORG).billable_metric_id(format!("bm-{index}"));
                async move { Result::Ok(call.send().await?.into_inner()) }
            });
            stream::iter(calls).buffer_unordered(at_once).try_for_each(&mut add).await?;
        }
        Side::ByHand => {
            let client = ByHand::key(base)?;
            let calls = (0..count).map(|index| {
                let client = &client;
                async move { client.get(&format!("/org/{ORG}/billableMetric/bm-{index}")).await }
            });
            stream::iter(calls).buffer_unordered(at_once).try_for_each(&mut add).await?;
        }
    }
    Ok(format!("CHECKSUM small count={count} groupbys={group_bys} filters={filters} namelen={length}"))
}
