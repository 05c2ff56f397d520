//! Fields of a change that may be cleared.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field of the body of an update: left as it is, set to null, or set to a value.
///
/// Made from a value, or from an `Option`, of which `None` is null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Update<T> {
    /// The field is not sent: the vendor keeps what it has.
    #[default]
    Unchanged,
    /// The field is sent as null: the vendor clears it.
    Null,
    /// The field is sent with this value.
    Value(T),
}

impl<T> Update<T> {
    /// Returns whether the field is not sent.
    pub fn is_unchanged(&self) -> bool {
        matches!(self, Self::Unchanged)
    }
}

impl<T> From<T> for Update<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for Update<String> {
    fn from(text: &str) -> Self {
        Self::Value(text.to_owned())
    }
}

impl<T> From<Option<T>> for Update<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }
}

impl<T: Serialize> Serialize for Update<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unchanged | Self::Null => serializer.serialize_none(),
            Self::Value(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Update<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Change {
        #[serde(default, skip_serializing_if = "Update::is_unchanged")]
        name: Update<String>,
    }

    #[test]
    fn absent_null_and_a_value_are_three_things() {
        for (name, json) in
            [(Update::Unchanged, "{}"), (None.into(), r#"{"name":null}"#), ("a".into(), r#"{"name":"a"}"#)]
        {
            let change = Change { name };
            assert_eq!(serde_json::to_string(&change).unwrap(), json);
            assert_eq!(serde_json::from_str::<Change>(json).unwrap(), change);
        }
    }
}
