//! Data of the account beside a report: its name, owners of storage, kinds of tenants, licensing mode and prices.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::join;
use uuid::Uuid;

use crate::acronis::Client;
use crate::acronis::account::licensing_mode::LicensingMode;
use crate::acronis::account::price_book::PriceBook;
use crate::acronis::billing::hosting::Ownership;
use crate::acronis::usage::aggregator::UsageAggregator;
use usage_billing_core::__private::TimeLimit;

/// The time limit for all of it: a bill does not wait longer for optional data.
const LIMIT: Duration = Duration::from_secs(60);

/// The data that could be read. All of it is optional for a bill: missing data leaves rows unknown or without prices.
#[derive(Debug, Default)]
pub(crate) struct AccountFacts {
    pub(crate) account_name: Option<String>,
    pub(crate) ownership: Ownership,
    /// Kinds of tenants for which the report states none.
    pub(crate) tenant_kinds: HashMap<Uuid, Arc<str>>,
    pub(crate) licensing_mode: Option<LicensingMode>,
    pub(crate) prices: PriceBook,
}

impl Client {
    /// Reads the data that can affect the rows of a report. The requests are sent concurrently; failures are not errors.
    pub(crate) async fn account_facts(&self, aggregator: &UsageAggregator<'_>) -> AccountFacts {
        let limit = TimeLimit::new(LIMIT);
        let tenant = aggregator.tenant();
        let components = aggregator.components();
        let without_kind = aggregator.tenants_without_kind();
        let account_name = async {
            if aggregator.lacks_account_name() { limit.run(self.tenant_name(tenant)).await.flatten() } else { None }
        };
        let tenant_kinds =
            async { if without_kind.is_empty() { None } else { limit.run(self.tenant_kinds(&without_kind)).await } };
        let ownership = async {
            if components.is_empty() { None } else { limit.run(self.ownership(&components, aggregator.owners())).await }
        };
        let licensing_mode = async {
            if aggregator.depends_on_licensing() {
                limit.run(self.licensing_mode(tenant)).await.flatten()
            } else {
                None
            }
        };
        let prices = async {
            match aggregator.priced_month() {
                Some(month) => limit.run(self.price_book(tenant, month)).await,
                None => None,
            }
        };
        let (account_name, ownership, tenant_kinds, licensing_mode, prices) =
            join!(account_name, ownership, tenant_kinds, licensing_mode, prices);
        AccountFacts {
            account_name,
            ownership: ownership.unwrap_or_default(),
            tenant_kinds: tenant_kinds.unwrap_or_default(),
            licensing_mode,
            prices: prices.unwrap_or_default(),
        }
    }
}
