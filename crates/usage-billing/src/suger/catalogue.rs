//! Buyers, entitlements and products; and daily usage according to the marketplaces.

use std::sync::Arc;

use super::list_end::{ListEnd, PAGE, require_list};
use super::response::is_of_suger;
use super::{Client, builder, types};
use crate::Pager;
use usage_billing_core::Result;

impl Client {
    /// Lists the buyers that `filter` selects.
    pub fn buyers(
        &self,
        filter: impl for<'a> Fn(builder::ListBuyers<'a>) -> builder::ListBuyers<'a> + Send + Sync + Clone + 'static,
    ) -> Pager<types::IdentityBuyer> {
        let (client, end) = (self.clone(), Arc::new(ListEnd::default()));
        Pager::new(0, move |offset| {
            let (client, filter, end) = (client.clone(), filter.clone(), end.clone());
            async move {
                let request = filter(client.api.list_buyers().org_id(&client.org_id));
                end.page(offset, request.limit(PAGE).offset(offset).send().await?.into_inner(), None)
            }
        })
        .masking(&self.api)
    }

    /// Lists the entitlements that `filter` selects, for which usage can be sent. Suger presumably ignores unknown
    /// filters, so check the results.
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
        let (client, end) = (self.clone(), Arc::new(ListEnd::default()));
        Pager::new(0, move |offset| {
            let (client, filter, end) = (client.clone(), filter.clone(), end.clone());
            async move {
                let request = filter(client.api.list_entitlements().org_id(&client.org_id));
                end.page(offset, request.limit(PAGE).offset(offset).send().await?.into_inner(), None)
            }
        })
        .masking(&self.api)
    }

    /// Returns the marketplace that bills an entitlement, or `None` if Suger does not state it or does not know the
    /// entitlement.
    pub(super) async fn marketplace_of(&self, entitlement_id: &str) -> Result<Option<types::Partner>> {
        let request = self.api.get_entitlement().org_id(&self.org_id).entitlement_id(entitlement_id);
        match request.send().await {
            // An empty name is one that is not set yet.
            Ok(entitlement) => Ok(entitlement.into_inner().partner.filter(|partner| !partner.as_str().is_empty())),
            Err(error) if error.status().is_some_and(|status| status == 404) && is_of_suger(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the products that `filter` selects, with their dimensions.
    pub fn products(
        &self,
        filter: impl for<'a> Fn(builder::ListProducts<'a>) -> builder::ListProducts<'a> + Send + Sync + Clone + 'static,
    ) -> Pager<types::WorkloadProduct> {
        let (client, end) = (self.clone(), Arc::new(ListEnd::default()));
        Pager::new(0, move |offset| {
            let (client, filter, end) = (client.clone(), filter.clone(), end.clone());
            async move {
                let request = filter(client.api.list_products().org_id(&client.org_id));
                end.page(offset, request.limit(PAGE).offset(offset).send().await?.into_inner(), None)
            }
        })
        .masking(&self.api)
    }

    /// Lists usage according to a marketplace, by day, entitlement and dimension, as selected by `filter`. Compare
    /// your own usage with it. Without dates the vendor lists the last 30 days.
    pub fn daily_records(
        &self,
        marketplace: types::Partner,
        filter: impl for<'a> Fn(builder::ListUsageMeteringDailyRecords<'a>) -> builder::ListUsageMeteringDailyRecords<'a>
        + Send
        + Sync
        + Clone
        + 'static,
    ) -> Pager<types::UsageMeteringDailyRecord> {
        let (client, end) = (self.clone(), Arc::new(ListEnd::default()));
        Pager::new(0, move |offset| {
            let (client, end) = (client.clone(), end.clone());
            let (marketplace, filter) = (marketplace.clone(), filter.clone());
            async move {
                let request =
                    client.api.list_usage_metering_daily_records().org_id(&client.org_id).partner(marketplace);
                let page = filter(request).limit(PAGE).offset(offset).send().await?.into_inner();
                require_list(page.usage_metering_daily_records.is_empty(), &page.error, &page.code, &page.message)?;
                end.page(offset, page.usage_metering_daily_records, page.next_offset)
            }
        })
        .masking(&self.api)
    }
}
