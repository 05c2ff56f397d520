//! Go services send `null` for an empty list or map.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// Named by generated code on list and map fields: `null` is the empty value.
///
/// # Errors
/// The value's own.
#[doc(hidden)]
pub fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Named by generated code on maps of lists or maps: `null` is the empty value, for the map and for what is in it.
///
/// # Errors
/// The value's own.
#[doc(hidden)]
pub fn null_entries_are_default<'de, D, V>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de> + Default,
{
    let entries: Option<BTreeMap<String, Option<V>>> = Option::deserialize(deserializer)?;
    Ok(entries.into_iter().flatten().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}
