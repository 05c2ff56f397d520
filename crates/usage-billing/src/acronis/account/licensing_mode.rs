//! The licensing mode of a partner, as its billing settings state it.

use usage_billing_core::{ErrorKind, Result};
use uuid::Uuid;

use crate::acronis::{Client, types};

/// The service to which billing settings belong; its id is equal in all accounts.
const PLATFORM: Uuid = Uuid::from_u128(0x7459_244f_68f3_3bf4_9f53_5f63_ecc1_d91f);
const LICENSING_MODE: &str = "licensing_mode";
/// The setting of the partner's prices as of today, with their licensing mode.
const PRICING_INFO: &str = "pricing_info";

/// The vendor's setting `licensing_mode` ("Managing billing settings", seen 2026-11-29).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LicensingMode {
    /// Each protected device, and storage that the vendor hosts.
    PerDevice,
    /// Storage only, for any host.
    PerGigabyte,
}

impl LicensingMode {
    /// Reads the tenant's own setting, which children do not inherit. `None` if it is not set or has another value.
    fn from_setting(setting: &types::TenantApplicationSetting, tenant: Uuid) -> Option<Self> {
        let value = own_value(setting, tenant)?;
        match value.get(LICENSING_MODE).unwrap_or(value).as_str()? {
            "per_device" => Some(Self::PerDevice),
            "per_gb" => Some(Self::PerGigabyte),
            _ => None,
        }
    }
}

fn own_value(setting: &types::TenantApplicationSetting, tenant: Uuid) -> Option<&serde_json::Value> {
    let own = setting.own.as_ref().and_then(|own| own.value.as_ref());
    let is_own =
        |effective: &&types::EffectiveSetting| effective.owner.as_ref().is_some_and(|owner| owner.id == tenant);
    let effective = setting.effective.as_ref().filter(is_own).and_then(|effective| effective.value.as_ref());
    own.filter(|value| !value.is_null()).or(effective)
}

impl Client {
    /// Reads the current licensing mode of a partner from the setting, or else from its price information. `None` if neither states it.
    pub(crate) async fn licensing_mode(&self, tenant: Uuid) -> Option<LicensingMode> {
        for name in [LICENSING_MODE, PRICING_INFO] {
            match self.licensing_mode_in(name, tenant).await {
                Ok(None) => {}
                Ok(mode) => return mode,
                // The permission is the same for all settings.
                Err(error) if error.kind() == ErrorKind::Permission => {
                    tracing::warn!(%error, "the licensing mode cannot be read; items are classified by their names");
                    return None;
                }
                Err(error) => {
                    tracing::warn!(%error, setting = name, "the licensing mode cannot be read from this setting")
                }
            }
        }
        None
    }

    async fn licensing_mode_in(&self, name: &str, tenant: Uuid) -> Result<Option<LicensingMode>> {
        let request = self.api.get_tenant_application_setting().application_id(PLATFORM).tenant_id(tenant);
        Ok(LicensingMode::from_setting(&*request.setting_name(name).send().await?, tenant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn only_the_tenants_own_setting_counts() {
        let tenant = Uuid::from_u128(7);
        let mode = |own: Value, effective: Value| {
            let setting = json!({"name": "licensing_mode", "own": own, "effective": effective});
            LicensingMode::from_setting(&serde_json::from_value(setting).unwrap(), tenant)
        };
        let setting_of = |id: Uuid, value: &str| json!({"owner": {"type": "tenant", "id": id}, "value": value});
        assert_eq!(mode(json!({"value": "per_gb"}), Value::Null), Some(LicensingMode::PerGigabyte));
        assert_eq!(
            mode(json!({"value": "per_gb"}), setting_of(tenant, "per_device")),
            Some(LicensingMode::PerGigabyte)
        );
        assert_eq!(mode(Value::Null, setting_of(tenant, "per_device")), Some(LicensingMode::PerDevice));
        assert_eq!(mode(json!({"value": null}), setting_of(tenant, "per_device")), Some(LicensingMode::PerDevice));
        assert_eq!(mode(Value::Null, setting_of(Uuid::nil(), "per_device")), None);
        for unknown in
            [json!("per_moon"), json!(1), json!({"mode": "per_gb"}), json!({"licensing_mode": 1}), json!(["per_gb"])]
        {
            assert_eq!(mode(json!({"value": unknown}), Value::Null), None, "{unknown}");
        }
        assert_eq!(mode(Value::Null, Value::Null), None);
        // As `pricing_info` has it.
        let prices =
            json!({"currency": "USD", "licensing_mode": "per_gb", "tier_level": "Minimum 100 USD", "pricing": []});
        assert_eq!(mode(json!({"value": prices}), Value::Null), Some(LicensingMode::PerGigabyte));
    }
}
