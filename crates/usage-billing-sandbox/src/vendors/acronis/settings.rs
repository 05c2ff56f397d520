//! Settings of services for tenants: the licensing of the partner.

use axum::extract::{Path, State};
use serde_json::{Value, json};
use usage_billing_acronis::types;
use uuid::Uuid;

use super::error::Failure;
use super::{Acronis, HandlerResult, Shared};
use crate::dataset::acronis::{Licensing, PLATFORM, SkuPrice, TIER_LEVEL, Tree, price_list};
use crate::dataset::month_of;
use crate::http_util::response;

pub(super) async fn read(
    State(acronis): Shared,
    Path((application_id, tenant_id, setting_name)): Path<(String, String, String)>,
) -> HandlerResult {
    let application = Uuid::parse_str(&application_id).ok().filter(|id| *id == PLATFORM.id());
    let application = application.ok_or_else(|| no_such_setting(&setting_name))?;
    let index = acronis.tenant(&tenant_id)?;
    if !SETTINGS.contains(&setting_name.as_str()) {
        return Err(no_such_setting(&setting_name));
    }
    // Only partners have them; partners below do not inherit them.
    let value = Tree::licensing(index).and_then(|licensing| acronis.setting(&setting_name, licensing));
    let own = value.map(|value| types::OwnSetting { value: Some(value), lock: Some(false), exclusive: Some(false) });
    let setting =
        types::TenantApplicationSetting { name: setting_name, application_id: Some(application), own, effective: None };
    Ok(response::ok(&setting))
}

fn no_such_setting(name: &str) -> Failure {
    Failure::no_such_thing("No such setting.").about(name)
}

const SETTINGS: [&str; 5] =
    ["licensing_mode", "tier_level_value", "contract_type", "acronis_account_number", "pricing_info"];

impl Acronis {
    fn setting(&self, name: &str, licensing: Licensing) -> Option<Value> {
        match name {
            "licensing_mode" => Some(json!(licensing.as_str())),
            "tier_level_value" => Some(json!(TIER_LEVEL)),
            "contract_type" => Some(json!("Cloud Aggregation Service Provider")),
            "acronis_account_number" => Some(json!("DEMO-4711")),
            "pricing_info" => Some(self.pricing_info(licensing)),
            _ => None,
        }
    }

    /// Returns the prices of today as numbers, as the vendor's setting does.
    fn pricing_info(&self, licensing: Licensing) -> Value {
        let list = price_list(month_of(self.dataset.today()));
        let price = |price: &SkuPrice| {
            let number: Value = serde_json::from_str(&price.effective.to_string()).unwrap_or_default();
            json!({"sku": price.sku, "description": price.item, "price": number})
        };
        json!({
            "currency": list.currency,
            "licensing_mode": licensing.as_str(),
            "tier_level": format!("Minimum {} {}", list.commitment, list.currency),
            "pricing": list.prices.iter().map(price).collect::<Vec<_>>(),
        })
    }
}
