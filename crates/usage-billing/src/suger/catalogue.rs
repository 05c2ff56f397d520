//! Buyers, entitlements and products; and daily usage according to the marketplaces.

use super::response::is_of_suger;
use super::{Client, builder, types};
use crate::Pager;
use usage_billing_core::Result;

impl Client {
    /// Lists the buyers that `filter` selects.
    pub fn buyers(
        &self,
        filter: impl FnOnce(builder::ListBuyers<'_>) -> builder::ListBuyers<'_>,
    ) -> Pager<types::IdentityBuyer> {
        filter(self.api.list_buyers().org_id(&self.org_id)).stream()
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
        filter: impl FnOnce(builder::ListEntitlements<'_>) -> builder::ListEntitlements<'_>,
    ) -> Pager<types::WorkloadEntitlement> {
        filter(self.api.list_entitlements().org_id(&self.org_id)).stream()
    }

    /// Returns the marketplace that bills an entitlement, or `None` if Suger does not state it or does not know the
    /// entitlement.
    pub async fn marketplace_of(&self, entitlement_id: &str) -> Result<Option<types::Partner>> {
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
        filter: impl FnOnce(builder::ListProducts<'_>) -> builder::ListProducts<'_>,
    ) -> Pager<types::WorkloadProduct> {
        filter(self.api.list_products().org_id(&self.org_id)).stream()
    }

    /// Lists usage according to a marketplace, by day, entitlement and dimension, as selected by `filter`. Compare
    /// your own usage with it. Without dates the vendor lists the last 30 days.
    pub fn daily_records(
        &self,
        marketplace: types::Partner,
        filter: impl FnOnce(builder::ListUsageMeteringDailyRecords<'_>) -> builder::ListUsageMeteringDailyRecords<'_>,
    ) -> Pager<types::UsageMeteringDailyRecord> {
        filter(self.api.list_usage_metering_daily_records().org_id(&self.org_id).partner(marketplace)).stream()
    }
}
