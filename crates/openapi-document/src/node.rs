//! Values with their location.

use serde_json::Value;

use crate::pointer::Pointer;

/// A value with its location.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// The value.
    pub value: &'a Value,
    /// Its location.
    pub at: Pointer<'a>,
}

impl<'a> Node<'a> {
    /// Returns a field, unless it is null.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Self> {
        let (key, value) = self.value.as_object()?.get_key_value(key)?;
        (!value.is_null()).then(|| Self { value, at: self.at.key(key) })
    }

    /// Returns the fields without their locations: cheaper where few of many matter.
    pub fn members(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }

    /// Returns the fields, if this is an object.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let at = self.at.clone();
        let entry = move |(key, value): (&'a String, &'a Value)| (key.as_str(), Self { value, at: at.key(key) });
        self.value.as_object().into_iter().flatten().map(entry)
    }

    /// Returns the fields except for extensions. Maps from names, such as `headers`, have none: there `x-rate` is a name.
    pub fn without_extensions(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        self.entries().filter(|(key, _)| !key.starts_with("x-"))
    }

    /// Returns the items, if this is an array.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let at = self.at.clone();
        let item = move |(index, value)| Self { value, at: at.index(index) };
        self.value.as_array().into_iter().flatten().enumerate().map(item)
    }

    /// Returns a field that is a string.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.value.get(key)?.as_str()
    }

    /// Returns whether a field is `true`.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns the address of the value: two nodes with the same address are the same location of the same document.
    #[must_use]
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self.value).addr()
    }
}
