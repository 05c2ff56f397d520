//! Reads objects and their fields.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Object;
use crate::boolean::Boolean;
use crate::date_time::Rfc3339;

/// Reads an object.
///
/// # Errors
/// Those of its fields.
pub fn read_object<'de, T: Object, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Fields<T>(PhantomData<T>);

    impl<'de, T: Object> Visitor<'de> for Fields<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "struct {}", T::NAME)
        }

        fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
            T::read(fields)
        }
    }

    deserializer.deserialize_struct(T::NAME, T::FIELDS, Fields(PhantomData))
}

/// Reads the name of the next field.
///
/// # Errors
/// For a name that is not a string.
pub fn field_name<'de, A: MapAccess<'de>, F>(
    fields: &mut A,
    is_open: bool,
    find: impl FnOnce(&str) -> F,
) -> Result<Option<F>, A::Error> {
    fields.next_key_seed(Name { is_open, find, of: PhantomData })
}

struct Name<F, N> {
    is_open: bool,
    find: N,
    of: PhantomData<F>,
}

impl<'de, F, N: FnOnce(&str) -> F> DeserializeSeed<'de> for Name<F, N> {
    type Value = F;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<F, D::Error> {
        // The memory limit counts strings, which may be kept, and no identifiers.
        if self.is_open { deserializer.deserialize_str(self) } else { deserializer.deserialize_identifier(self) }
    }
}

impl<F, N: FnOnce(&str) -> F> Visitor<'_> for Name<F, N> {
    type Value = F;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<F, E> {
        Ok((self.find)(name))
    }

    /// Names in CSV headers.
    fn visit_bytes<E: de::Error>(self, name: &[u8]) -> Result<F, E> {
        match std::str::from_utf8(name) {
            Ok(name) => self.visit_str(name),
            Err(_) => Err(E::invalid_value(de::Unexpected::Bytes(name), &self)),
        }
    }
}

/// Checks that a field comes for the first time: which of two values is meant is unknown.
///
/// # Errors
/// For a field that was read already.
pub fn first_field<E: de::Error>(is_first: bool, name: &'static str) -> Result<(), E> {
    if is_first { Ok(()) } else { Err(E::duplicate_field(name)) }
}

/// Returns a field that has to be there, unless its type can be read from nothing: a component that may be null is an `Option` itself.
///
/// # Errors
/// For an absent field.
pub fn required_field<'de, T: Deserialize<'de>, E: de::Error>(field: Option<T>, name: &'static str) -> Result<T, E> {
    field.map_or_else(|| T::deserialize(Absent { name, of: PhantomData }), Ok)
}

/// The deserializer of an absent field, as in serde's derive.
struct Absent<E> {
    name: &'static str,
    of: PhantomData<E>,
}

impl<'de, E: de::Error> Deserializer<'de> for Absent<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, E> {
        Err(E::missing_field(self.name))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// Skips the value of a field that is not listed.
///
/// # Errors
/// For invalid input.
pub fn skip_field<'de, A: MapAccess<'de>>(fields: &mut A) -> Result<(), A::Error> {
    fields.next_value::<IgnoredAny>().map(|_| ())
}

/// Reads a value by its own implementation.
///
/// # Errors
/// Its own.
pub fn field_value<'de, A: MapAccess<'de>, T: Deserialize<'de>>(fields: &mut A) -> Result<T, A::Error> {
    fields.next_value()
}

/// The name of the newtype as which the value of a field that is not listed is read: it and its name count against the memory limit.
pub(crate) const OTHER_FIELD: &str = "$usage_billing::other_field";

/// Reads the value of a field that is not listed, and is kept.
///
/// # Errors
/// Its own.
pub fn other_field<'de, A: MapAccess<'de>, T: Deserialize<'de>>(fields: &mut A) -> Result<T, A::Error> {
    struct Other<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Other<T> {
        type Value = T;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
            deserializer.deserialize_newtype_struct(OTHER_FIELD, Newtype(PhantomData))
        }
    }

    fields.next_value_seed(Other(PhantomData))
}

/// The name of the newtype as which an object in a box is read: its size counts against the memory limit, where other sizes count with what
/// contains them.
pub(crate) const BOXED: &str = "$usage_billing::boxed";

/// Reads an object into a box, or `null`.
///
/// # Errors
/// Those of the object's fields.
pub fn boxed_field<'de, A: MapAccess<'de>, T: Deserialize<'de>>(fields: &mut A) -> Result<Option<Box<T>>, A::Error> {
    struct Boxed<T>(T);

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Boxed<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_newtype_struct(BOXED, Newtype(PhantomData)).map(Boxed)
        }
    }

    Ok(fields.next_value::<Option<Boxed<T>>>()?.map(|object| Box::new(object.0)))
}

/// Visits a value as a newtype whose name states how the memory limit counts the value.
struct Newtype<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Newtype<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a field")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

/// Reads a list or map. Services in Go send `null` for an empty one, whatever their document states.
///
/// # Errors
/// For a value that is not a `T`.
pub fn collection_field<'de, A, T>(fields: &mut A) -> Result<T, A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(fields.next_value::<Option<T>>()?.unwrap_or_default())
}

/// Reads a map of lists or maps, with `null` as an empty one.
///
/// # Errors
/// For an entry that is not a `V`.
pub fn nested_collection_field<'de, A, T, V>(fields: &mut A) -> Result<T, A::Error>
where
    A: MapAccess<'de>,
    T: IntoIterator<Item = (String, V)> + FromIterator<(String, V)>,
    V: Deserialize<'de> + Default,
{
    let entries = fields.next_value::<Option<std::collections::BTreeMap<String, Option<V>>>>()?;
    Ok(entries.into_iter().flatten().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}

/// Reads a date-time, faster than chrono, which would take a sixth of the time of decoding a list.
///
/// # Errors
/// For a value that is not an RFC 3339 string.
pub fn date_time_field<'de, A: MapAccess<'de>>(fields: &mut A) -> Result<chrono::DateTime<chrono::Utc>, A::Error> {
    fields.next_value::<Rfc3339>().map(|instant| instant.0)
}

/// Reads a date-time or `null`.
///
/// # Errors
/// For a value that is not an RFC 3339 string.
pub fn optional_date_time_field<'de, A: MapAccess<'de>>(
    fields: &mut A,
) -> Result<Option<chrono::DateTime<chrono::Utc>>, A::Error> {
    Ok(fields.next_value::<Option<Rfc3339>>()?.map(|instant| instant.0))
}

/// Reads a boolean or the string `"true"` or `"false"`, in any case.
///
/// # Errors
/// For any other value.
pub fn boolean_field<'de, A: MapAccess<'de>>(fields: &mut A) -> Result<bool, A::Error> {
    fields.next_value::<Boolean>().map(|boolean| boolean.0)
}

/// Reads a boolean, as [`boolean_field`] does, or `null`.
///
/// # Errors
/// For any other value.
pub fn optional_boolean_field<'de, A: MapAccess<'de>>(fields: &mut A) -> Result<Option<bool>, A::Error> {
    Ok(fields.next_value::<Option<Boolean>>()?.map(|boolean| boolean.0))
}
