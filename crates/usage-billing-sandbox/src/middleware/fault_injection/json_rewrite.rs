//! Replaces values in JSON. All other values keep their text, because floats would lose digits.

use std::collections::BTreeMap;

use openapi_document::pointer;
use serde_json::value::RawValue;

/// Where a value is.
pub(super) struct ValueLocation<'a> {
    /// JSON pointer (RFC 6901).
    pub(super) pointer: &'a str,
    /// Name of the field, if it is in an object.
    pub(super) name: Option<&'a str>,
    /// Whether it is in an array.
    pub(super) is_item: bool,
}

/// Replaces each value for which `change` returns another text, inner values first. `None` if the text is not JSON.
pub(super) fn rewrite(
    json: &str,
    change: &mut dyn FnMut(&ValueLocation<'_>, &str) -> Option<String>,
) -> Option<String> {
    value(json, &ValueLocation { pointer: "", name: None, is_item: false }, change)
}

fn value(
    json: &str,
    at: &ValueLocation<'_>,
    change: &mut dyn FnMut(&ValueLocation<'_>, &str) -> Option<String>,
) -> Option<String> {
    let json = json.trim();
    let text = match json.bytes().next()? {
        b'{' => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
            let field = |(name, inner): (&String, &&RawValue)| {
                let pointer = pointer::child(at.pointer, name);
                let at = ValueLocation { pointer: &pointer, name: Some(name), is_item: false };
                Some(format!("{}:{}", serde_json::to_string(name).ok()?, value(inner.get(), &at, change)?))
            };
            format!("{{{}}}", fields.iter().map(field).collect::<Option<Vec<_>>>()?.join(","))
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let item = |(index, inner): (usize, &&RawValue)| {
                let pointer = pointer::item(at.pointer, index);
                value(inner.get(), &ValueLocation { pointer: &pointer, name: at.name, is_item: true }, change)
            };
            format!("[{}]", items.iter().enumerate().map(item).collect::<Option<Vec<_>>>()?.join(","))
        }
        _ => serde_json::from_str::<&RawValue>(json).ok()?.get().to_owned(),
    };
    Some(change(at, &text).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unchanged_values_keep_their_text() {
        let json = r#"{"b": 0.12345678901234567890, "a/~": [1e400, {"x": "\u00e9"}], "c": {}}"#;
        let mut seen = Vec::new();
        let same = rewrite(json, &mut |at, _| {
            seen.push(at.pointer.to_owned());
            None
        });
        assert_eq!(same.unwrap(), r#"{"a/~":[1e400,{"x":"\u00e9"}],"b":0.12345678901234567890,"c":{}}"#);
        assert_eq!(seen, ["/a~1~0/0", "/a~1~0/1/x", "/a~1~0/1", "/a~1~0", "/b", "/c", ""]);
        let changed = rewrite(json, &mut |at, _| (at.pointer == "/a~1~0/1/x").then(|| "7".to_owned()));
        assert!(changed.unwrap().contains(r#"{"x":7}"#));
    }

    #[test]
    fn invalid_json_returns_none() {
        for text in ["", "{", "[1,]", "x", "1 2"] {
            assert_eq!(rewrite(text, &mut |_, _| None), None, "{text}");
        }
    }
}
