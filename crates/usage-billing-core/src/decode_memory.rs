//! How much memory a JSON body takes as it is decoded, counted before the memory is taken: three bytes of JSON can be a struct of a thousand.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::display_bytes::display_bytes;

/// What an allocation takes beyond the bytes that were asked for.
const ALLOCATION_OVERHEAD: usize = 16;
/// Entries for which a map has room as soon as it has one.
const FIRST_MAP_CAPACITY: usize = 11;
/// May always be taken. serde makes room for no more at once, whatever it hears of a list's length.
const MIN_MEMORY: usize = 1 << 20;
/// JSON bytes of an element of a long list, or less. Rather too few: what is not written to is only an address, and glibc gives memory back to
/// the system after each response, to fault it in again for the next one, unless a block of half of it was there at once.
const TYPICAL_ELEMENT: usize = 128;

/// The memory that one response may take.
pub(crate) struct DecodeMemory {
    limit: usize,
    remaining: Cell<usize>,
    max_string_bytes: usize,
    exceeded: Cell<Option<Exceeded>>,
    /// About how many elements the first list has, until it is decoded: of a large body it is nearly all, and would be copied as it grows.
    first_array_len: Cell<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exceeded {
    Memory,
    String,
}

impl DecodeMemory {
    /// For a body of `body` bytes where a body may have `limit` bytes: three eighths of that, so that a page, the next one and the one after
    /// it are little more than a body may be; less if the body itself is so large that both are more than the limit.
    pub(crate) fn new(body: usize, max_response_bytes: usize) -> Self {
        let limit =
            (max_response_bytes / 8).saturating_mul(3).min(max_response_bytes.saturating_sub(body)).max(MIN_MEMORY);
        // 1 MiB unless the limit is another.
        let max_string_bytes = (max_response_bytes / 64).max(MIN_MEMORY);
        let first_array_len = Cell::new(body / TYPICAL_ELEMENT);
        Self { limit, remaining: Cell::new(limit), max_string_bytes, exceeded: Cell::new(None), first_array_len }
    }

    /// Whether decoding failed because there was not enough.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.exceeded.get().is_some()
    }

    fn take<E: de::Error>(&self, bytes: usize) -> Result<(), E> {
        match self.remaining.get().checked_sub(bytes) {
            Some(remaining) => {
                self.remaining.set(remaining);
                Ok(())
            }
            None => Err(self.exceed(Exceeded::Memory)),
        }
    }

    /// Nothing may be taken from then on: not every visitor hands on an error.
    #[cold]
    fn exceed<E: de::Error>(&self, what: Exceeded) -> E {
        self.remaining.set(0);
        self.exceeded.set(Some(what));
        E::custom(self)
    }

    /// A text that is not of the expected type is quoted as a whole in the error, and copied with it.
    fn check_strings<E: de::Error>(&self, body: &[u8]) -> Result<(), E> {
        if body.len() > self.max_string_bytes && has_string_longer_than(self.max_string_bytes, body) {
            return Err(self.exceed(Exceeded::String));
        }
        Ok(())
    }

    fn take_string<E: de::Error>(&self, length: usize) -> Result<(), E> {
        if length == 0 { Ok(()) } else { self.take(length + ALLOCATION_OVERHEAD) }
    }
}

impl fmt::Display for DecodeMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exceeded.get() {
            Some(Exceeded::String) => {
                write!(f, "the response has a string of more than {}", display_bytes(self.max_string_bytes))
            }
            _ => write!(f, "the response takes more than {} of memory once decoded", display_bytes(self.limit)),
        }
    }
}

/// Whether a string of the JSON text is longer. Of bytes that are no JSON it may be wrong.
fn has_string_longer_than(longest: usize, body: &[u8]) -> bool {
    let mut rest = body;
    while let Some(start) = memchr::memchr(b'"', rest) {
        let text = &rest[start + 1..];
        let length = string_length(text);
        if length > longest {
            return true;
        }
        rest = text.get(length + 1..).unwrap_or_default();
    }
    false
}

/// The length of a string, as it stands after its opening quote.
fn string_length(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        match text[at] {
            b'"' => return at,
            _ => at += 2,
        }
    }
    text.len()
}

/// Decodes a whole JSON text, within `memory`.
pub(crate) fn from_json<T: DeserializeOwned>(body: &[u8], memory: &DecodeMemory) -> serde_json::Result<T> {
    memory.check_strings(body)?;
    // Checked for UTF-8 all at once: quicker than string by string.
    match std::str::from_utf8(body) {
        Ok(text) => decode(serde_json::Deserializer::from_str(text), memory),
        // Fails as well, and says where.
        Err(_) => decode(serde_json::Deserializer::from_slice(body), memory),
    }
}

fn decode<'de, T: Deserialize<'de>, R: serde_json::de::Read<'de>>(
    mut deserializer: serde_json::Deserializer<R>,
    memory: &DecodeMemory,
) -> serde_json::Result<T> {
    let value = T::deserialize(Counted { inner: &mut deserializer, memory })?;
    deserializer.end()?;
    if memory.is_exceeded() { Err(de::Error::custom(memory)) } else { Ok(value) }
}

/// A deserializer, or a seed, whose values are counted.
struct Counted<'m, I> {
    inner: I,
    memory: &'m DecodeMemory,
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
        // serde_json gives a raw value as a newtype that is a map, of which nothing but the text is kept.
        deserialize_newtype_struct(name: &'static str), false;
        deserialize_seq(), false;
        deserialize_tuple(len: usize), false;
        deserialize_tuple_struct(name: &'static str, len: usize), false;
        deserialize_map(), true;
        // Its fields are part of it.
        deserialize_struct(name: &'static str, fields: &'static [&'static str]), false;
    }

    /// Not counted: enums of documents are texts, and hold no data.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }

    /// Not counted: nobody keeps the name of a field.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_identifier(visitor)
    }

    /// Not counted: it is not kept.
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
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let expected = inner.size_hint();
        let (memory, is_map) = (self.memory, self.is_map);
        self.inner.visit_map(CountedAccess { inner, memory, is_map, expected, count: 0, key_size: 0 })
    }
}

/// An array or an object.
struct CountedAccess<'m, A> {
    inner: A,
    memory: &'m DecodeMemory,
    is_map: bool,
    /// About how many elements or entries there are.
    expected: Option<usize>,
    /// Elements or entries so far.
    count: usize,
    /// Size of the present key.
    key_size: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for CountedAccess<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        // Stays where it is: an element may be large.
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
        if !self.is_map {
            // Nobody keeps the name of a field.
            return self.inner.next_key_seed(seed);
        }
        self.inner.next_key_seed(Counted { inner: seed, memory: self.memory })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let value = self.inner.next_value_seed(Counted { inner: seed, memory: self.memory })?;
        if self.is_map {
            let entry = self.key_size + size_of::<S::Value>();
            // Nodes and tables may be half empty.
            self.memory.take(if self.count == 0 {
                FIRST_MAP_CAPACITY * entry + ALLOCATION_OVERHEAD
            } else {
                2 * entry
            })?;
            self.count += 1;
        }
        Ok(value)
    }

    fn size_hint(&self) -> Option<usize> {
        self.expected
    }
}

/// What a vector of `count` elements takes more for another one: it doubles when it is full.
fn growth(count: usize, size: usize) -> usize {
    let first = if size > 1024 { 1 } else { 4 };
    match count {
        0 => first * size + ALLOCATION_OVERHEAD,
        _ if count >= first && count.is_power_of_two() => count * size,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::DecimalNumber;

    const MIB: usize = 1 << 20;

    /// What a body takes as a `T`.
    fn taken<T: DeserializeOwned>(body: &str) -> usize {
        let memory = DecodeMemory::new(0, 1 << 40);
        from_json::<T>(body.as_bytes(), &memory).unwrap();
        memory.limit - memory.remaining.get()
    }

    #[derive(serde::Deserialize)]
    struct Large {
        _numbers: Option<[[u64; 32]; 7]>,
        _name: Option<String>,
    }

    #[derive(serde::Deserialize)]
    struct Page {
        #[serde(default, rename = "items")]
        _items: Vec<Large>,
    }

    #[test]
    fn elements_take_what_they_are_decoded_to() {
        let size = size_of::<Large>();
        for (count, room) in [(0, 0), (1, 1), (2, 2), (3, 4), (1000, 1024), (1025, 2048)] {
            let list = vec!["{}"; count].join(",");
            let expected = if count == 0 { 0 } else { room * size + ALLOCATION_OVERHEAD };
            assert_eq!(taken::<Vec<Large>>(&format!("[{list}]")), expected, "{count}");
            assert_eq!(taken::<Page>(&format!(r#"{{"items":[{list}],"other":[{list}]}}"#)), expected, "{count}");
        }
        assert_eq!(taken::<Vec<u64>>("[1,2,3,4]"), 4 * 8 + ALLOCATION_OVERHEAD);
        assert_eq!(taken::<Vec<u64>>("[1,2,3,4,5]"), 8 * 8 + ALLOCATION_OVERHEAD);
    }

    #[test]
    fn texts_and_entries_of_maps_count_and_what_is_ignored_does_not() {
        assert_eq!(taken::<String>(r#""abc""#), 3 + ALLOCATION_OVERHEAD);
        assert_eq!(taken::<String>(r#""""#), 0);
        assert_eq!(taken::<Page>(&format!(r#"{{"unknown":"{}"}}"#, "x".repeat(1000))), 0);
        let texts = 1 + ALLOCATION_OVERHEAD;
        assert_eq!(taken::<BTreeMap<String, u64>>(r#"{"a":1}"#), texts + FIRST_MAP_CAPACITY * 32 + ALLOCATION_OVERHEAD);
        assert_eq!(
            taken::<BTreeMap<String, u64>>(r#"{"a":1,"b":2}"#),
            2 * texts + (FIRST_MAP_CAPACITY + 2) * 32 + ALLOCATION_OVERHEAD
        );
        assert_eq!(taken::<Option<DecimalNumber>>("12.50"), 5 + ALLOCATION_OVERHEAD);
        assert!(taken::<serde_json::Value>("[{},[],{}]") >= 4 * size_of::<serde_json::Value>());
    }

    #[test]
    fn decoding_ends_where_the_memory_does() {
        let body = format!("[{}{{}}]", "{},".repeat(100_000));
        let memory = DecodeMemory::new(body.len(), 64 * MIB);
        let error = from_json::<Vec<Large>>(body.as_bytes(), &memory).err().unwrap();
        assert!(memory.is_exceeded() && error.column() < 60_000, "{error}");
        assert_eq!(memory.to_string(), "the response takes more than 24 MiB of memory once decoded");
        let memory = DecodeMemory::new(body.len(), 64 * MIB);
        assert!(from_json::<Vec<BTreeMap<String, u64>>>(body.as_bytes(), &memory).is_ok());
        let memory = DecodeMemory::new(1, 64 * MIB);
        assert!(from_json::<Vec<u64>>(b"[1,]", &memory).is_err() && !memory.is_exceeded());
        assert!(from_json::<Vec<u64>>(b"[1] 2", &memory).is_err() && !memory.is_exceeded());
        assert!(from_json::<String>(b"\"\xff\"", &memory).is_err() && !memory.is_exceeded());
    }

    #[test]
    fn first_list_of_a_large_body_gets_its_room_at_once_and_no_other_does() {
        #[derive(serde::Deserialize)]
        struct Body {
            items: Vec<Vec<u64>>,
            others: Vec<u64>,
        }
        let items = vec![format!("[1{}]", " ".repeat(2 * TYPICAL_ELEMENT)); 10].join(",");
        let json = format!(r#"{{"items":[{items}],"others":[2]}}"#);
        let body: Body = from_json(json.as_bytes(), &DecodeMemory::new(json.len(), 64 * MIB)).unwrap();
        assert_eq!((body.items.len(), body.items.capacity()), (10, json.len() / TYPICAL_ELEMENT));
        assert!(body.others.capacity() < 10 && body.items.iter().all(|item| item.capacity() < 10));
    }

    #[test]
    fn text_is_measured_from_quote_to_quote() {
        for (text, length) in [("abc\"d", 3), (r#"a\"b"c"#, 4), (r#"\\"a"#, 2), (r"a\", 2), ("", 0), ("abc", 3)] {
            assert_eq!(string_length(text.as_bytes()).min(text.len()), length, "{text}");
        }
        let body = |length: usize| format!(r#"{{"a":["","\"{}",1],"b":"abc"}}"#, "x".repeat(length - 2));
        assert!(has_string_longer_than(99, body(100).as_bytes()) && !has_string_longer_than(100, body(100).as_bytes()));
    }

    #[test]
    fn text_that_would_be_copied_into_an_error_has_a_limit() {
        let memory = DecodeMemory::new(0, 64 * MIB);
        let error = from_json::<Page>(format!(r#"{{"items":"{}"}}"#, "x".repeat(MIB + 1)).as_bytes(), &memory).err();
        assert_eq!(error.unwrap().to_string(), "the response has a string of more than 1 MiB");
        assert!(memory.is_exceeded());
        let memory = DecodeMemory::new(0, 640 * MIB);
        assert!(from_json::<String>(format!("\"{}\"", "x".repeat(2 * MIB)).as_bytes(), &memory).is_ok());
    }

    #[test]
    fn memory_follows_the_limit_and_leaves_room_for_the_body() {
        for (body, max_response_bytes, limit) in [
            (0, 64 * MIB, 24 * MIB),
            (40 * MIB, 64 * MIB, 24 * MIB),
            (60 * MIB, 64 * MIB, 4 * MIB),
            (64 * MIB, 64 * MIB, MIB),
            (0, 1000, MIB),
            (MIB, MIB, MIB),
            (0, usize::MAX, usize::MAX / 8 * 3),
        ] {
            assert_eq!(DecodeMemory::new(body, max_response_bytes).limit, limit, "{body} {max_response_bytes}");
        }
    }
}
