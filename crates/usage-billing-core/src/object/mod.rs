//! Types of objects: their fields are read and written by functions of core. serde's derive would write several functions for each type,
//! which take most of the time of checking a generated crate.

mod read;
mod write;

use serde::de::MapAccess;

pub(crate) use read::{BOXED, OTHER_FIELD};
pub use read::{
    boolean_field, boxed_field, collection_field, date_time_field, field_name, field_value, first_field,
    nested_collection_field, optional_boolean_field, optional_date_time_field, other_field, read_object,
    required_field, skip_field,
};
pub use write::{ObjectWriter, write_object};

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
/// | `optional_page_items T` | `Option<T>` | `None` if it is absent, empty if it is null | if it is set |
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
    (@type optional_page_items $of:ty) => { ::std::option::Option<$of> };
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
    (@absent optional_page_items $field:ident $wire:literal) => { $field };
    (@absent $kind:ident $field:ident $wire:literal) => { $field.unwrap_or_default() };

    (@is_sent optional $value:expr) => { $value.is_some() };
    (@is_sent optional_page_items $value:expr) => { $value.is_some() };
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

#[cfg(test)]
mod tests;
