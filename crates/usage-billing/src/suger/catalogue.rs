//! Who buys what: buyers, entitlements and products; and the marketplaces' own count of usage by day.

use super::groups::{PAGE, following};
use super::{Client, builder, types};
use crate::Pager;

impl Client {
    /// All buyers that `filter` lets through.
    pub fn buyers(
        &self,
        filter: impl for<'a> Fn(builder::ListBuyers<'a>) -> builder::ListBuyers<'a> + Send + Sync + Clone + 'static,
    ) -> Pager<types::IdentityBuyer> {
        let client = self.clone();
        Pager::new(0, move |offset| {
            let (client, filter) = (client.clone(), filter.clone());
            async move {
                let request = filter(client.api.list_buyers().org_id(&client.org_id));
                Ok(bare(offset, request.limit(PAGE).offset(offset).send().await?.into_inner()))
            }
        })
        .masking(&self.api)
    }

    /// All entitlements that `filter` lets through: whose usage can be reported. Suger is thought to ignore a filter that it does not
    /// know, so look at what comes.
    ///
    /// ```no_run
    /// # use usage_billing::suger::Client;
    /// # async fn list(client: Client) -> usage_billing::Result<()> {
    /// let mut entitlements = client.entitlements(|request| request.product_id("pC2_hG9Lk"));
    /// while let Some(entitlement) = entitlements.next().await {
    ///     println!("{:?}", entitlement?.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn entitlements(
        &self,
        filter: impl for<'a> Fn(builder::ListEntitlements<'a>) -> builder::ListEntitlements<'a>
        + Send
        + Sync
        + Clone
        + 'static,
    ) -> Pager<types::WorkloadEntitlement> {
        let client = self.clone();
        Pager::new(0, move |offset| {
            let (client, filter) = (client.clone(), filter.clone());
            async move {
                let request = filter(client.api.list_entitlements().org_id(&client.org_id));
                Ok(bare(offset, request.limit(PAGE).offset(offset).send().await?.into_inner()))
            }
        })
        .masking(&self.api)
    }

    /// All products that `filter` lets through, with their dimensions.
    pub fn products(
        &self,
        filter: impl for<'a> Fn(builder::ListProducts<'a>) -> builder::ListProducts<'a> + Send + Sync + Clone + 'static,
    ) -> Pager<types::WorkloadProduct> {
        let client = self.clone();
        Pager::new(0, move |offset| {
            let (client, filter) = (client.clone(), filter.clone());
            async move {
                let request = filter(client.api.list_products().org_id(&client.org_id));
                Ok(bare(offset, request.limit(PAGE).offset(offset).send().await?.into_inner()))
            }
        })
        .masking(&self.api)
    }

    /// Usage as a marketplace has it, by day, entitlement and dimension, of what `filter` lets through: what to compare own numbers with.
    /// Without dates the vendor lists the last 30 days.
    pub fn daily_records(
        &self,
        marketplace: types::Partner,
        filter: impl for<'a> Fn(builder::ListUsageMeteringDailyRecords<'a>) -> builder::ListUsageMeteringDailyRecords<'a>
        + Send
        + Sync
        + Clone
        + 'static,
    ) -> Pager<types::UsageMeteringDailyRecord> {
        let client = self.clone();
        Pager::new(0, move |offset| {
            let (client, marketplace, filter) = (client.clone(), marketplace.clone(), filter.clone());
            async move {
                let request =
                    client.api.list_usage_metering_daily_records().org_id(&client.org_id).partner(marketplace);
                let page = filter(request).limit(PAGE).offset(offset).send().await?.into_inner();
                Ok((page.usage_metering_daily_records, following(page.next_offset)))
            }
        })
        .masking(&self.api)
    }
}

/// A page of a list that is nothing but its items. An empty one ends it, and none that is merely short: that Suger gives as many as are asked
/// for stands in prose only, with a smaller default for some lists.
fn bare<T>(offset: i64, page: Vec<T>) -> (Vec<T>, Option<i64>) {
    let next = i64::try_from(page.len()).ok().filter(|count| *count > 0).and_then(|count| offset.checked_add(count));
    (page, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_list_goes_on_after_what_came_and_ends_with_an_empty_page() {
        let next = |offset, items| bare(offset, vec![(); items]).1;
        assert_eq!([next(0, 1000), next(1000, 100), next(0, 1), next(7, 0)], [Some(1000), Some(1100), Some(1), None]);
    }
}
