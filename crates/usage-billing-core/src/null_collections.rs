//! Arrays and maps for which Go services send `null` when they are empty.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// Reads an array or map, or `null` as an empty one. Generated code calls it.
///
/// # Errors
/// For a value that is not a `T`.
pub fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a map of arrays or maps, with `null` as an empty one, also for its entries. Generated code calls it.
///
/// # Errors
/// For an entry that is not a `V`.
pub fn null_entries_are_default<'de, D, V>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de> + Default,
{
    let entries: Option<BTreeMap<String, Option<V>>> = Option::deserialize(deserializer)?;
    Ok(entries.into_iter().flatten().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}
