//! Types of objects: their fields are read and written by functions of core. serde's derive would write several functions for each type,
//! which take most of the time of checking a generated crate.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use crate::boolean::Boolean;
use crate::date_time::Rfc3339;

/// Defines the type of an object. The kind of a field decides how it is read and written:
///
/// | kind | type | absent or null | written |
/// |---|---|---|---|
/// | `required T` | `T` | an error | always |
/// | `optional T` | `Option<T>` | `None` | if it is set |
/// | `boxed T` | `Option<Box<T>>`, a large object | `None` | if it is set |
/// | `nullable T` | `Option<T>` | `None` | always |
/// | `update T` | `Update<T>` | `Unchanged` or `Null` | unless it is unchanged |
/// | `collection T` | `T`, a list or map | empty | unless it is empty |
/// | `required_collection T` | the same | empty | always |
/// | `page_items T` | the same | an error if it is absent, empty if it is null | always |
///
/// Booleans and date-times have kinds of their own, and no `T`. Collections of collections have `nested_` before their kind: null is empty
/// for each of them. Fields that are not listed are kept in the one after `..`.
///
/// ```
/// usage_billing_core::object! { pub struct A { a: collection Vec<u8> = "a", } }
/// ```
///
/// Another kind is an error:
///
/// ```compile_fail
/// usage_billing_core::object! { pub struct A { a: list Vec<u8> = "a", } }
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! object {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* $field:ident: $kind:ident $($of:ty)? = $wire:literal, )*
            $( .. $(#[$others_meta:meta])* $others:ident: $others_of:ty, )?
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $crate::__private::field!(@type $kind $($of)?), )*
            $( $(#[$others_meta])* pub $others: $others_of, )?
        }

        #[allow(deprecated)]
        impl $crate::__private::Object for $name {
            const NAME: &'static str = stringify!($name);
            const FIELDS: &'static [&'static str] = &[$($wire),*];
            const IS_OPEN: bool = $crate::__private::field!(@is_open $($others)?);

            #[allow(unused_mut, unused_variables)]
            fn read<'de, __A: $crate::__private::serde::de::MapAccess<'de>>(
                mut fields: __A,
            ) -> ::std::result::Result<Self, __A::Error> {
                #[allow(non_camel_case_types)]
                enum __Field { $($field,)* __Other(::std::option::Option<::std::string::String>) }
                $( let mut $field = ::std::option::Option::None; )*
                $( let mut $others = <$others_of as ::std::default::Default>::default(); )?
                while let ::std::option::Option::Some(field) =
                    $crate::__private::field_name(&mut fields, Self::IS_OPEN, |name| match name {
                        $( $wire => __Field::$field, )*
                        _ => __Field::__Other(Self::IS_OPEN.then(|| ::std::string::String::from(name))),
                    })?
                {
                    match field {
                        $( __Field::$field => {
                            $crate::__private::first_field::<__A::Error>($field.is_none(), $wire)?;
                            $field = ::std::option::Option::Some($crate::__private::field!(@read $kind)(&mut fields)?);
                        } )*
                        __Field::__Other(name) => {
                            $( if let ::std::option::Option::Some(name) = name {
                                $others.insert(name, $crate::__private::other_field(&mut fields)?);
                                continue;
                            } )?
                            $crate::__private::skip_field(&mut fields)?;
                        }
                    }
                }
                ::std::result::Result::Ok(Self {
                    $( $field: $crate::__private::field!(@absent $kind $field $wire), )*
                    $( $others, )?
                })
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<__D: $crate::__private::serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::std::result::Result<Self, __D::Error> {
                $crate::__private::read_object(deserializer)
            }
        }

        #[allow(deprecated)]
        impl $crate::__private::serde::Serialize for $name {
            fn serialize<__S: $crate::__private::serde::Serializer>(
                &self,
                serializer: __S,
            ) -> ::std::result::Result<__S::Ok, __S::Error> {
                let count = 0 $( + usize::from($crate::__private::field!(@is_sent $kind self.$field)) )*;
                #[allow(unused_mut)]
                let mut object = $crate::__private::write_object::<Self, __S>(serializer, count)?;
                $( object.field($wire, $crate::__private::field!(@is_sent $kind self.$field), &self.$field)?; )*
                $( object.others(&self.$others)?; )?
                object.end()
            }
        }
    };
}

/// The parts of [`object!`] that depend on the kind of a field. `__A` is the parameter of its function `read`. Only `@type` lists all kinds:
/// another one does not compile.
#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    (@type required $of:ty) => { $of };
    (@type optional $of:ty) => { ::std::option::Option<$of> };
    (@type boxed $of:ty) => { ::std::option::Option<::std::boxed::Box<$of>> };
    (@type nullable $of:ty) => { ::std::option::Option<$of> };
    (@type update $of:ty) => { $crate::Update<$of> };
    (@type required_date_time) => { ::chrono::DateTime<::chrono::offset::Utc> };
    (@type optional_date_time) => { ::std::option::Option<::chrono::DateTime<::chrono::offset::Utc>> };
    (@type nullable_date_time) => { ::std::option::Option<::chrono::DateTime<::chrono::offset::Utc>> };
    (@type required_boolean) => { bool };
    (@type optional_boolean) => { ::std::option::Option<bool> };
    (@type nullable_boolean) => { ::std::option::Option<bool> };
    (@type collection $of:ty) => { $of };
    (@type required_collection $of:ty) => { $of };
    (@type page_items $of:ty) => { $of };
    (@type nested_collection $of:ty) => { $of };
    (@type nested_required_collection $of:ty) => { $of };

    (@is_open $others:ident) => { true };
    (@is_open) => { false };

    (@read required) => { $crate::__private::field_value };
    (@read optional) => { $crate::__private::field_value };
    (@read boxed) => { $crate::__private::boxed_field };
    (@read nullable) => { $crate::__private::field_value };
    (@read update) => { $crate::__private::field_value };
    (@read required_date_time) => { $crate::__private::date_time_field };
    (@read optional_date_time) => { $crate::__private::optional_date_time_field };
    (@read nullable_date_time) => { $crate::__private::optional_date_time_field };
    (@read required_boolean) => { $crate::__private::boolean_field };
    (@read optional_boolean) => { $crate::__private::optional_boolean_field };
    (@read nullable_boolean) => { $crate::__private::optional_boolean_field };
    (@read nested_collection) => { $crate::__private::nested_collection_field };
    (@read nested_required_collection) => { $crate::__private::nested_collection_field };
    (@read $collection:ident) => { $crate::__private::collection_field };

    (@absent required $field:ident $wire:literal) => { $crate::__private::required_field::<_, __A::Error>($field, $wire)? };
    (@absent required_date_time $field:ident $wire:literal) => { $crate::__private::required_field::<_, __A::Error>($field, $wire)? };
    (@absent required_boolean $field:ident $wire:literal) => { $crate::__private::required_field::<_, __A::Error>($field, $wire)? };
    (@absent page_items $field:ident $wire:literal) => { $crate::__private::required_field::<_, __A::Error>($field, $wire)? };
    (@absent $kind:ident $field:ident $wire:literal) => { $field.unwrap_or_default() };

    (@is_sent optional $value:expr) => { $value.is_some() };
    (@is_sent boxed $value:expr) => { $value.is_some() };
    (@is_sent optional_date_time $value:expr) => { $value.is_some() };
    (@is_sent optional_boolean $value:expr) => { $value.is_some() };
    (@is_sent update $value:expr) => { !$value.is_unchanged() };
    (@is_sent collection $value:expr) => { !$value.is_empty() };
    (@is_sent nested_collection $value:expr) => { !$value.is_empty() };
    (@is_sent $kind:ident $value:expr) => { true };
}
#[doc(hidden)]
pub use crate::__field as field;

/// A type that [`object!`] defines.
pub trait Object: Sized {
    /// The name of the type.
    const NAME: &'static str;
    /// The names of its fields in JSON.
    const FIELDS: &'static [&'static str];
    /// Whether it keeps other fields.
    const IS_OPEN: bool;

    /// Reads the fields.
    ///
    /// # Errors
    /// For a value that does not fit, or a required field that is absent.
    fn read<'de, A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error>;
}

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

/// Starts to write an object of `count` listed fields.
///
/// # Errors
/// The serializer's own.
pub fn write_object<T: Object, S: Serializer>(serializer: S, count: usize) -> Result<ObjectWriter<S>, S::Error> {
    Ok(if T::IS_OPEN {
        ObjectWriter::Map(serializer.serialize_map(None)?)
    } else {
        ObjectWriter::Struct(serializer.serialize_struct(T::NAME, count)?)
    })
}

/// An object that is being written.
#[derive(Debug)]
pub enum ObjectWriter<S: Serializer> {
    /// An object with other fields.
    Map(S::SerializeMap),
    /// An object without.
    Struct(S::SerializeStruct),
}

impl<S: Serializer> ObjectWriter<S> {
    /// Writes a listed field, unless it is not sent.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn field<T: Serialize>(&mut self, name: &'static str, is_sent: bool, value: &T) -> Result<(), S::Error> {
        match self {
            Self::Map(map) if is_sent => map.serialize_entry(name, value),
            Self::Map(_) => Ok(()),
            Self::Struct(fields) if is_sent => fields.serialize_field(name, value),
            Self::Struct(fields) => fields.skip_field(name),
        }
    }

    /// Writes other fields.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn others<'a, T: Serialize + 'a>(
        &mut self,
        others: impl IntoIterator<Item = (&'a String, &'a T)>,
    ) -> Result<(), S::Error> {
        let Self::Map(map) = self else { return Ok(()) };
        others.into_iter().try_for_each(|(name, value)| map.serialize_entry(name, value))
    }

    /// Ends the object.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn end(self) -> Result<S::Ok, S::Error> {
        match self {
            Self::Map(map) => map.end(),
            Self::Struct(fields) => fields.end(),
        }
    }
}

#[cfg(test)]
mod tests;
