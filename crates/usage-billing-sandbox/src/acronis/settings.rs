//! Settings of services for tenants: how the vendor charges the partner.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use usage_billing_acronis::types;
use uuid::Uuid;

use super::Acronis;
use super::error::Failure;
use crate::answer;
use crate::world::acronis::{LICENSING_MODE, PLATFORM, SkuPrice, TIER_LEVEL, Tree, price_list};
use crate::world::month_of;

pub(super) async fn read(
    State(acronis): State<Arc<Acronis>>,
    Path((application_id, tenant_id, setting_name)): Path<(String, String, String)>,
) -> Result<Response, Failure> {
    let application = Uuid::parse_str(&application_id).ok().filter(|id| *id == PLATFORM.id());
    let application = application.ok_or_else(|| no_such_setting(&setting_name))?;
    let place = acronis.tenant(&tenant_id)?;
    let value = acronis.setting(&setting_name).ok_or_else(|| no_such_setting(&setting_name))?;
    // Only partners have them, and those below do not inherit them.
    let own = (place == Tree::OWN).then_some(types::OwnSetting {
        value: Some(value),
        lock: Some(false),
        exclusive: Some(false),
    });
    let setting =
        types::TenantApplicationSetting { name: setting_name, application_id: Some(application), own, effective: None };
    Ok(answer::json(StatusCode::OK, &setting))
}

fn no_such_setting(name: &str) -> Failure {
    Failure::no_such_thing("No such setting.").about(name)
}

impl Acronis {
    fn setting(&self, name: &str) -> Option<Value> {
        match name {
            "licensing_mode" => Some(json!(LICENSING_MODE)),
            "tier_level_value" => Some(json!(TIER_LEVEL)),
            "contract_type" => Some(json!("Cloud Aggregation Service Provider")),
            "acronis_account_number" => Some(json!("DEMO-4711")),
            "pricing_info" => Some(self.pricing_info()),
            _ => None,
        }
    }

    /// As of today, with prices as numbers, as the vendor has them here.
    fn pricing_info(&self) -> Value {
        let list = price_list(month_of(self.world.today()));
        let price = |price: &SkuPrice| {
            let number: Value = serde_json::from_str(&price.effective.to_string()).unwrap_or_default();
            json!({"sku": price.sku, "description": price.item, "price": number})
        };
        json!({
            "currency": list.currency,
            "licensing_mode": LICENSING_MODE,
            "tier_level": format!("Minimum {} {}", list.commitment, list.currency),
            "pricing": list.prices.iter().map(price).collect::<Vec<_>>(),
        })
    }
}
