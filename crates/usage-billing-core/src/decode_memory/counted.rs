//! Deserializers, seeds, visitors and collections that count the memory of their values before they return them.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{ALLOCATION_OVERHEAD, DecodeMemory};
use crate::object::{BOXED, OTHER_FIELD};

/// Entries that a map has capacity for once it has one.
pub(super) const FIRST_MAP_CAPACITY: usize = 11;

/// A deserializer or seed whose values are counted.
pub(super) struct Counted<'m, I> {
    pub(super) inner: I,
    pub(super) memory: &'m DecodeMemory,
}

macro_rules! forwarded {
    ($($method:ident($($argument:ident: $type:ty),*), $is_map:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = CountedVisitor { inner: visitor, memory: self.memory, is_map: $is_map };
            self.inner.$method($($argument,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Counted<'_, D> {
    type Error = D::Error;

    forwarded! {
        deserialize_any(), true;
        deserialize_bool(), false;
        deserialize_i8(), false;
        deserialize_i16(), false;
        deserialize_i32(), false;
        deserialize_i64(), false;
        deserialize_i128(), false;
        deserialize_u8(), false;
        deserialize_u16(), false;
        deserialize_u32(), false;
        deserialize_u64(), false;
        deserialize_u128(), false;
        deserialize_f32(), false;
        deserialize_f64(), false;
        deserialize_char(), false;
        deserialize_str(), false;
        deserialize_string(), false;
        deserialize_bytes(), false;
        deserialize_byte_buf(), false;
        deserialize_option(), false;
        deserialize_unit(), false;
        deserialize_unit_struct(name: &'static str), false;
        deserialize_seq(), false;
        deserialize_tuple(len: usize), false;
        deserialize_tuple_struct(name: &'static str, len: usize), false;
        deserialize_map(), true;
        // The size of a struct includes its fields.
        deserialize_struct(name: &'static str, fields: &'static [&'static str]), false;
    }

    /// serde_json passes a raw value as a newtype that is a map, of which only the text is kept.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        let memory = self.memory;
        if name == BOXED {
            memory.take(size_of::<V::Value>() + ALLOCATION_OVERHEAD)?;
        }
        let visitor = CountedVisitor { inner: visitor, memory, is_map: false };
        let value = self.inner.deserialize_newtype_struct(name, visitor)?;
        memory.is_other_field.set(name == OTHER_FIELD);
        Ok(value)
    }

    /// Not counted: generated enums have no data.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }

    /// Not counted: names of fields are not kept.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_identifier(visitor)
    }

    /// Not counted: the value is not kept.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_ignored_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Counted<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Counted { inner: deserializer, memory: self.memory })
    }
}

struct CountedVisitor<'m, V> {
    inner: V,
    memory: &'m DecodeMemory,
    /// Whether an object becomes a map, and not a struct.
    is_map: bool,
}

macro_rules! visited {
    ($($method:ident($type:ty);)*) => {$(
        fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

macro_rules! visited_strings {
    ($($method:ident($type:ty);)*) => {$(
        fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.memory.take_string(value.len())?;
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for CountedVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visited! {
        visit_bool(bool);
        visit_i8(i8);
        visit_i16(i16);
        visit_i32(i32);
        visit_i64(i64);
        visit_i128(i128);
        visit_u8(u8);
        visit_u16(u16);
        visit_u32(u32);
        visit_u64(u64);
        visit_u128(u128);
        visit_f32(f32);
        visit_f64(f64);
        visit_char(char);
    }

    visited_strings! {
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
        visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]);
        visit_byte_buf(Vec<u8>);
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Counted { inner: deserializer, memory: self.memory })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Counted { inner: deserializer, memory: self.memory })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let expected =
            inner.size_hint().or_else(|| Some(self.memory.first_array_len.take()).filter(|count| *count > 0));
        self.inner.visit_seq(CountedAccess {
            inner,
            memory: self.memory,
            is_map: false,
            expected,
            count: 0,
            key_size: 0,
            key_taken: 0,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let expected = inner.size_hint();
        let (memory, is_map) = (self.memory, self.is_map);
        self.inner.visit_map(CountedAccess { inner, memory, is_map, expected, count: 0, key_size: 0, key_taken: 0 })
    }
}

/// An array or an object.
struct CountedAccess<'m, A> {
    inner: A,
    memory: &'m DecodeMemory,
    is_map: bool,
    /// The approximate number of elements or entries.
    expected: Option<usize>,
    /// Elements or entries so far.
    count: usize,
    /// Size of the current key.
    key_size: usize,
    /// The memory that the text of the current key takes.
    key_taken: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for CountedAccess<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        // Borrowed below and not moved: an element may be large.
        let element = self.inner.next_element_seed(Counted { inner: seed, memory: self.memory })?;
        if element.is_some() {
            self.memory.take(growth(self.count, size_of::<S::Value>()))?;
            self.count += 1;
        }
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.expected
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for CountedAccess<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.key_size = size_of::<S::Value>();
        let available = self.memory.remaining.get();
        let key = self.inner.next_key_seed(Counted { inner: seed, memory: self.memory })?;
        self.key_taken = available - self.memory.remaining.get();
        Ok(key)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let value = self.inner.next_value_seed(Counted { inner: seed, memory: self.memory })?;
        if self.memory.is_other_field.take() || self.is_map {
            let entry = self.key_size + size_of::<S::Value>();
            // Nodes of a map may be half empty.
            self.memory.take(if self.count == 0 {
                FIRST_MAP_CAPACITY * entry + ALLOCATION_OVERHEAD
            } else {
                2 * entry
            })?;
            self.count += 1;
        } else {
            // The names of listed fields are not kept.
            self.memory.remaining.update(|remaining| remaining + self.key_taken);
        }
        Ok(value)
    }

    fn size_hint(&self) -> Option<usize> {
        self.expected
    }
}

/// Returns the memory that a vector of `count` elements takes for another one: its capacity doubles when it is full.
fn growth(count: usize, size: usize) -> usize {
    let first = if size > 1024 { 1 } else { 4 };
    match count {
        0 => first * size + ALLOCATION_OVERHEAD,
        _ if count >= first && count.is_power_of_two() => count * size,
        _ => 0,
    }
}
