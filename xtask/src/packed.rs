//! Values that are kept for later, as their JSON: a tree takes seven times as much, most of it for maps with one or two keys.

use std::io::{self, BufReader, BufWriter, Read, Write as _};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use serde_json::Value;

/// The maximum depth of what is packed: serde_json reads no more than 128 levels.
const DEPTH: usize = 100;

/// A value, packed unless it is nested too deeply.
#[derive(Clone)]
pub(crate) enum Packed {
    Text(Box<str>),
    Compressed(Box<[u8]>),
    Deep(Value),
}

impl From<Value> for Packed {
    fn from(value: Value) -> Self {
        if is_deep(&value, DEPTH) { Self::Deep(value) } else { Self::Text(value.to_string().into()) }
    }
}

impl Packed {
    /// Packs a document: a tenth of its JSON. Schemas are too small to become much smaller.
    pub(crate) fn compressed(value: Value) -> Self {
        if is_deep(&value, DEPTH) {
            return Self::Deep(value);
        }
        let mut out = BufWriter::new(DeflateEncoder::new(Vec::new(), Compression::fast()));
        // The JSON is written into memory piece by piece: nothing of it can fail.
        let written = serde_json::to_writer(&mut out, &value).ok().and_then(|()| out.into_inner().ok()?.finish().ok());
        written.map_or(Self::Deep(value), |bytes| Self::Compressed(bytes.into()))
    }

    /// Returns the value.
    pub(crate) fn value(&self) -> Value {
        match self {
            // Both were written by serde_json.
            Self::Text(text) => serde_json::from_str(text).unwrap_or_default(),
            Self::Compressed(bytes) => {
                serde_json::from_reader(BufReader::new(DeflateDecoder::new(&**bytes))).unwrap_or_default()
            }
            Self::Deep(value) => value.clone(),
        }
    }
}

/// A text, packed.
pub(crate) struct PackedText(Vec<u8>);

impl PackedText {
    pub(crate) fn new(text: &str) -> io::Result<Self> {
        let mut out = DeflateEncoder::new(Vec::new(), Compression::fast());
        out.write_all(text.as_bytes())?;
        out.finish().map(Self)
    }

    /// Returns the text, piece by piece.
    pub(crate) fn reader(&self) -> impl Read {
        DeflateDecoder::new(self.0.as_slice())
    }
}

fn is_deep(value: &Value, left: usize) -> bool {
    let Some(left) = left.checked_sub(1) else { return true };
    match value {
        Value::Object(map) => map.values().any(|value| is_deep(value, left)),
        Value::Array(list) => list.iter().any(|value| is_deep(value, left)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn packed_text_is_returned_unchanged() -> io::Result<()> {
        let text = "\u{1f}\u{2028} words\n".repeat(10_000);
        let packed = PackedText::new(&text)?;
        assert!(packed.0.len() < text.len() / 10);
        assert_eq!(io::read_to_string(packed.reader())?, text);
        Ok(())
    }

    #[test]
    fn packed_values_are_returned_unchanged() {
        let deep = (0..300).fold(json!(1), |value, _| json!([value]));
        let numbers = json!([0.1, 1e300, 5.442_101_086_242_752e-20, 1.797_693_134_862_315_7e308, u64::MAX, i64::MIN]);
        for value in [json!({"a": [null, true, "\u{1f}\u{2028}"]}), numbers, deep] {
            assert_eq!(Packed::from(value.clone()).value(), value);
            assert_eq!(Packed::compressed(value.clone()).value(), value);
        }
    }
}
