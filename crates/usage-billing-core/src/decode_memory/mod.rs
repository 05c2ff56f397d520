//! Limits the memory that a JSON body takes while it is decoded. It is counted before it is allocated: three bytes of JSON can become a
//! struct of a thousand.

mod counted;

use std::cell::Cell;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeOwned};

use crate::display_bytes::display_bytes;
use counted::Counted;

/// Bytes that an allocation takes beyond its size.
const ALLOCATION_OVERHEAD: usize = 16;
/// Always available: serde preallocates at most this much, for any stated length of an array.
const MIN_MEMORY: usize = 1 << 20;
/// JSON bytes of an element of a long array, estimated low: memory that is not written to costs nothing, while glibc returns smaller blocks
/// to the system after each response and faults them in for the next one.
const TYPICAL_ELEMENT: usize = 128;

/// The memory limit of one response.
pub(crate) struct DecodeMemory {
    limit: usize,
    remaining: Cell<usize>,
    max_string_bytes: usize,
    exceeded: Cell<Option<Exceeded>>,
    /// The approximate length of the first array, until it is decoded. It is most of a large body, and would be copied as it grows.
    first_array_len: Cell<usize>,
    /// Whether the last value is that of a field that an object keeps beside its listed ones.
    is_other_field: Cell<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exceeded {
    Memory,
    String,
}

impl DecodeMemory {
    /// Returns the limit for a body of `body` bytes: three eighths of `max_response_bytes`, so that three decoded pages are little more than
    /// the largest body; less if the body and its value would exceed `max_response_bytes` together.
    pub(crate) fn new(body: usize, max_response_bytes: usize) -> Self {
        let limit =
            (max_response_bytes / 8).saturating_mul(3).min(max_response_bytes.saturating_sub(body)).max(MIN_MEMORY);
        // 1 MiB with the default limit.
        let max_string_bytes = (max_response_bytes / 64).max(MIN_MEMORY);
        let first_array_len = Cell::new(body / TYPICAL_ELEMENT);
        Self {
            limit,
            remaining: Cell::new(limit),
            max_string_bytes,
            exceeded: Cell::new(None),
            first_array_len,
            is_other_field: Cell::new(false),
        }
    }

    /// Returns whether decoding failed because of the limit.
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

    /// Returns the error of a limit. From then on, no memory is available: not every visitor returns an error that it gets.
    #[cold]
    fn exceed<E: de::Error>(&self, limit: Exceeded) -> E {
        self.remaining.set(0);
        self.exceeded.set(Some(limit));
        E::custom(self)
    }

    /// Rejects long strings: an error quotes a string of an unexpected type completely, and copies it.
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

/// Returns whether the JSON text contains a longer string. For invalid JSON the result may be wrong.
fn has_string_longer_than(max_bytes: usize, body: &[u8]) -> bool {
    let mut rest = body;
    while let Some(start) = memchr::memchr(b'"', rest) {
        let text = &rest[start + 1..];
        let length = string_length(text);
        if length > max_bytes {
            return true;
        }
        rest = text.get(length + 1..).unwrap_or_default();
    }
    false
}

/// Returns the length of a string in JSON bytes. `text` starts after its opening quote.
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

/// Decodes a JSON text within the memory limit.
pub(crate) fn from_json<T: DeserializeOwned>(body: &[u8], memory: &DecodeMemory) -> serde_json::Result<T> {
    memory.check_strings(body)?;
    // One UTF-8 check of the text is faster than one of each string.
    match std::str::from_utf8(body) {
        Ok(text) => decode(serde_json::Deserializer::from_str(text), memory),
        // Fails with the position of the invalid byte.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::counted::FIRST_MAP_CAPACITY;
    use super::*;
    use crate::DecimalNumber;

    const MIB: usize = 1 << 20;

    /// Returns the memory that a body takes as a `T`.
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
    fn array_elements_count_by_their_decoded_size() {
        let size = size_of::<Large>();
        for (count, capacity) in [(0, 0), (1, 1), (2, 2), (3, 4), (1000, 1024), (1025, 2048)] {
            let list = vec!["{}"; count].join(",");
            let expected = if count == 0 { 0 } else { capacity * size + ALLOCATION_OVERHEAD };
            assert_eq!(taken::<Vec<Large>>(&format!("[{list}]")), expected, "{count}");
            assert_eq!(taken::<Page>(&format!(r#"{{"items":[{list}],"other":[{list}]}}"#)), expected, "{count}");
        }
        assert_eq!(taken::<Vec<u64>>("[1,2,3,4]"), 4 * 8 + ALLOCATION_OVERHEAD);
        assert_eq!(taken::<Vec<u64>>("[1,2,3,4,5]"), 8 * 8 + ALLOCATION_OVERHEAD);
    }

    #[test]
    fn strings_and_map_entries_count_and_ignored_values_do_not() {
        assert_eq!(taken::<String>(r#""abc""#), 3 + ALLOCATION_OVERHEAD);
        assert_eq!(taken::<String>(r#""""#), 0);
        assert_eq!(taken::<Page>(&format!(r#"{{"unknown":"{}"}}"#, "x".repeat(1000))), 0);
        let keys = 1 + ALLOCATION_OVERHEAD;
        assert_eq!(taken::<BTreeMap<String, u64>>(r#"{"a":1}"#), keys + FIRST_MAP_CAPACITY * 32 + ALLOCATION_OVERHEAD);
        assert_eq!(
            taken::<BTreeMap<String, u64>>(r#"{"a":1,"b":2}"#),
            2 * keys + (FIRST_MAP_CAPACITY + 2) * 32 + ALLOCATION_OVERHEAD
        );
        assert_eq!(taken::<Option<DecimalNumber>>("12.50"), 5 + ALLOCATION_OVERHEAD);
        assert!(taken::<serde_json::Value>("[{},[],{}]") >= 4 * size_of::<serde_json::Value>());
    }

    #[test]
    #[allow(unreachable_pub)]
    fn open_objects_count_only_memory_beside_their_fields() {
        crate::object! {
            pub struct Inner {
                id: optional u64 = "id",
                ..
                others: serde_json::Map<String, serde_json::Value>,
            }
        }
        crate::object! {
            pub struct Outer {
                inner: optional Inner = "inner",
                /// Large: as entries of a map, 20,000 of them would exceed the limit below.
                numbers: nullable [u64; 16] = "numbers",
                ..
                others: serde_json::Map<String, serde_json::Value>,
            }
        }
        crate::object! {
            pub struct Boxes {
                inner: boxed Outer = "inner",
                next: boxed Boxes = "next",
            }
        }
        let entry = size_of::<String>() + size_of::<serde_json::Value>();
        let others = |names: usize, count: usize| {
            names + count * ALLOCATION_OVERHEAD + (FIRST_MAP_CAPACITY + 2 * (count - 1)) * entry + ALLOCATION_OVERHEAD
        };
        for (json, expected) in [
            (r#"{"inner":{"id":1}}"#, 0),
            (r#"{"inner":{"id":1},"a":true,"bc":null}"#, others(3, 2)),
            (r#"{"inner":{"id":1,"a":true}}"#, others(1, 1)),
            // The last value of a listed field is one that the inner object keeps.
            (r#"{"inner":{"a":true},"numbers":null}"#, others(1, 1)),
        ] {
            assert_eq!(taken::<Outer>(json), expected, "{json}");
        }
        let inner = size_of::<Outer>() + ALLOCATION_OVERHEAD;
        let next = size_of::<Boxes>() + ALLOCATION_OVERHEAD;
        for (json, expected) in [
            ("{}", 0),
            (r#"{"inner":null}"#, 0),
            (r#"{"inner":{}}"#, inner),
            (r#"{"next":{"inner":{},"next":{}}}"#, inner + 2 * next),
        ] {
            assert_eq!(taken::<Boxes>(json), expected, "{json}");
        }
        let results = format!("[{}]", vec![r#"{"inner":{"id":1}}"#; 20_000].join(","));
        let memory = DecodeMemory::new(results.len(), 64 * MIB);
        assert!(from_json::<Vec<Outer>>(results.as_bytes(), &memory).is_ok());
    }

    #[test]
    fn decoding_stops_at_the_memory_limit() {
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
    fn only_the_first_array_of_a_large_body_is_preallocated() {
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
    fn string_length_ends_at_the_unescaped_quote() {
        for (text, length) in [("abc\"d", 3), (r#"a\"b"c"#, 4), (r#"\\"a"#, 2), (r"a\", 2), ("", 0), ("abc", 3)] {
            assert_eq!(string_length(text.as_bytes()).min(text.len()), length, "{text}");
        }
        let body = |length: usize| format!(r#"{{"a":["","\"{}",1],"b":"abc"}}"#, "x".repeat(length - 2));
        assert!(has_string_longer_than(99, body(100).as_bytes()) && !has_string_longer_than(100, body(100).as_bytes()));
    }

    #[test]
    fn string_over_the_limit_is_an_error() {
        let memory = DecodeMemory::new(0, 64 * MIB);
        let error = from_json::<Page>(format!(r#"{{"items":"{}"}}"#, "x".repeat(MIB + 1)).as_bytes(), &memory).err();
        assert_eq!(error.unwrap().to_string(), "the response has a string of more than 1 MiB");
        assert!(memory.is_exceeded());
        let memory = DecodeMemory::new(0, 640 * MIB);
        assert!(from_json::<String>(format!("\"{}\"", "x".repeat(2 * MIB)).as_bytes(), &memory).is_ok());
    }

    #[test]
    fn memory_limit_leaves_room_for_the_body() {
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
