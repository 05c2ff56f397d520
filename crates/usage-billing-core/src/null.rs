//! Go services send `null` for an empty list or map.

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
