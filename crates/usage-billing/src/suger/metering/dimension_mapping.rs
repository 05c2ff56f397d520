//! Whether Suger maps dimensions of an event: a group without its original quantities may then have others.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::OnceCell;
use usage_billing_core::{Decimal, ResponseValue};

use super::trace;
use crate::suger::Client;
use crate::suger::types::{
    MeteringUsageRecordGroup as Group, PartnerUsageMeteringConfig, UsageMeteringConfigInfo as Config,
};
use crate::suger::usage::quantities::{differences, is_void, original_records, quantity};

/// The settings of an organization's dimension mapping, which are requested at most once in an operation, when they
/// first matter. They are those of that time: Suger states no earlier ones.
#[derive(Debug, Default)]
pub(super) struct MappingSettings(OnceCell<Option<Config>>);

impl MappingSettings {
    /// States the original quantities of groups that lack them, if they are not those that were `sent` and the settings
    /// have no mapping of their dimensions: their own quantities are the original ones then. Settings that cannot be read
    /// prove nothing.
    pub(super) async fn state_original_records(
        &self,
        client: &Client,
        groups: &mut HashMap<String, Group>,
        sent: &HashMap<String, BTreeMap<String, Decimal>>,
    ) {
        for (id, group) in groups {
            if sent.get(id).is_some_and(|sent| may_differ(group, sent))
                && self.read(client).await.is_some_and(|config| maps_none(config, group))
            {
                group.meta_info.get_or_insert_default().origin_records = group.records.clone();
            }
        }
    }

    async fn read(&self, client: &Client) -> Option<&Config> {
        let request = || client.api.get_usage_metering_config_info().org_id(&client.org_id).send();
        let read = || async {
            let outcome = request().await.inspect_err(|error| trace::unknown_mapping(client, error));
            outcome.ok().map(ResponseValue::into_inner)
        };
        self.0.get_or_init(read).await.as_ref()
    }
}

/// Returns whether a group has other quantities than those that were sent, of the same dimensions, and does not state which
/// ones are the original ones.
fn may_differ(group: &Group, sent: &BTreeMap<String, Decimal>) -> bool {
    let there = group.records.iter().map(|(dimension, quantity)| (dimension.clone(), quantity.0)).collect();
    !is_void(group)
        && original_records(group).is_none()
        && differences(sent, &there).next().is_some()
        && has_dimensions_of(sent, &there)
}

/// Returns whether two sides have the same dimensions, regardless of those without usage.
fn has_dimensions_of(sent: &BTreeMap<String, Decimal>, there: &BTreeMap<String, Decimal>) -> bool {
    let are_in = |one: &BTreeMap<String, Decimal>, other: &BTreeMap<String, Decimal>| {
        one.iter().all(|(dimension, used)| used.is_zero() || !quantity(other, dimension).is_zero())
    };
    are_in(sent, there) && are_in(there, sent)
}

/// Returns whether the settings for the marketplace of a group have no mapping of its dimensions. They must have an entry
/// for it; if the group does not name its marketplace, all entries count. A mapping that is switched off counts: it may have
/// been on when the group was stored.
fn maps_none(config: &Config, group: &Group) -> bool {
    let partner = group.partner.as_ref().filter(|partner| !partner.as_str().is_empty());
    let is_meant = |config: &&PartnerUsageMeteringConfig| partner.is_none() || config.partner.as_ref() == partner;
    let maps = |config: &PartnerUsageMeteringConfig| {
        let is_source = |dimension: &String| {
            config.dimension_mapping.contains_key(dimension) || config.dimension_mapping_v2.contains_key(dimension)
        };
        group.records.keys().any(is_source)
    };
    let mut configs = config.partner_usage_metering_configs.iter().filter(is_meant).peekable();
    configs.peek().is_some() && !configs.any(maps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn dimensions_are_not_mapped_only_if_the_settings_prove_it() {
        let group = |partner: Value| -> Group {
            serde_json::from_value(json!({"partner": partner, "records": {"gb": 4}})).unwrap()
        };
        let config = |entries: Value| -> Config {
            serde_json::from_value(json!({"partnerUsageMeteringConfigs": entries})).unwrap()
        };
        let mapping = |partner: &str, is_enabled: Value, source: &str| json!({"partner": partner, "enableDimensionMapping": is_enabled, "dimensionMappingV2": {source: [{"dimensionKey": "gb"}]}});
        let old = json!({"partner": "AWS", "enableDimensionMapping": true, "dimensionMapping": {"gb": {"dimensionKey": "gb"}}});
        for (entries, expected) in [
            (json!([]), false),
            (Value::Null, false),
            (json!([{"partner": "AWS", "enableDimensionMapping": false}]), true),
            (json!([mapping("AWS", json!(false), "calls")]), true),
            // It may have been on when the group was stored.
            (json!([mapping("AWS", json!(false), "gb")]), false),
            (json!([mapping("AWS", Value::Null, "gb")]), false),
            (json!([mapping("AWS", json!(true), "calls")]), true),
            (json!([mapping("AWS", json!(true), "gb")]), false),
            (json!([old]), false),
            (json!([mapping("AWS", json!(true), "calls"), mapping("AWS", json!(true), "gb")]), false),
        ] {
            for partner in [json!("AWS"), json!(""), Value::Null] {
                assert_eq!(maps_none(&config(entries.clone()), &group(partner)), expected, "{entries}");
            }
        }
        let both = config(json!([mapping("AWS", json!(true), "calls"), mapping("GCP", json!(true), "gb")]));
        let known = ["AWS", "GCP", "AZURE", ""].map(|partner| maps_none(&both, &group(json!(partner))));
        assert_eq!(known, [true, false, false, false]);
    }

    #[test]
    fn settings_matter_only_if_quantities_of_dimensions_differ() {
        let sent = [("gb".to_owned(), 5.into())].into();
        for (group, expected) in [
            (json!({"records": {"gb": 4}}), true),
            (json!({"records": {"gb": 4}, "status": "REPORTED"}), true),
            (json!({"records": {"gb": 5}}), false),
            (json!({"records": {"gb": 4}, "status": "INVALID"}), false),
            (json!({"records": {"gb": 4}, "metaInfo": {"originRecords": {"gb": 4}}}), false),
            (json!({"records": {"storage": 4}}), false),
            (json!({"records": {}}), false),
        ] {
            assert_eq!(may_differ(&serde_json::from_value(group.clone()).unwrap(), &sent), expected, "{group}");
        }
    }

    #[test]
    fn dimensions_without_usage_do_not_matter() {
        let quantities =
            |gb: i64, calls: i64| [("gb".to_owned(), gb.into()), ("calls".to_owned(), calls.into())].into();
        assert!(has_dimensions_of(&quantities(5, 0), &[("gb".to_owned(), 4.into())].into()));
        assert!(
            has_dimensions_of(&quantities(5, 3), &quantities(4, 3))
                && !has_dimensions_of(&quantities(5, 3), &quantities(5, 0))
        );
        assert!(!has_dimensions_of(&quantities(5, 0), &quantities(5, 1)));
    }
}
