//! JSON with some of its values changed. All others keep their text: a detour over floats would cost digits.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Where a value is.
pub(super) struct Place<'a> {
    /// RFC 6901.
    pub(super) pointer: &'a str,
    /// The name, in an object.
    pub(super) name: Option<&'a str>,
    /// In a list.
    pub(super) is_item: bool,
}

/// `json` with each value for which `change` has another text in its place; inner values come first. `None` if it is not
/// JSON.
pub(super) fn rewrite(json: &str, change: &mut dyn FnMut(&Place<'_>, &str) -> Option<String>) -> Option<String> {
    value(json, &Place { pointer: "", name: None, is_item: false }, change)
}

fn value(json: &str, place: &Place<'_>, change: &mut dyn FnMut(&Place<'_>, &str) -> Option<String>) -> Option<String> {
    let json = json.trim();
    let text = match json.bytes().next()? {
        b'{' => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
            let field = |(name, inner): (&String, &&RawValue)| {
                let pointer = format!("{}/{}", place.pointer, name.replace('~', "~0").replace('/', "~1"));
                let place = Place { pointer: &pointer, name: Some(name), is_item: false };
                Some(format!("{}:{}", serde_json::to_string(name).ok()?, value(inner.get(), &place, change)?))
            };
            format!("{{{}}}", fields.iter().map(field).collect::<Option<Vec<_>>>()?.join(","))
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let item = |(at, inner): (usize, &&RawValue)| {
                let pointer = format!("{}/{at}", place.pointer);
                value(inner.get(), &Place { pointer: &pointer, name: place.name, is_item: true }, change)
            };
            format!("[{}]", items.iter().enumerate().map(item).collect::<Option<Vec<_>>>()?.join(","))
        }
        _ => serde_json::from_str::<&RawValue>(json).ok()?.get().to_owned(),
    };
    Some(change(place, &text).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_changed_keeps_its_text() {
        let json = r#"{"b": 0.12345678901234567890, "a/~": [1e400, {"x": "\u00e9"}], "c": {}}"#;
        let mut seen = Vec::new();
        let same = rewrite(json, &mut |place, _| {
            seen.push(place.pointer.to_owned());
            None
        });
        assert_eq!(same.unwrap(), r#"{"a/~":[1e400,{"x":"\u00e9"}],"b":0.12345678901234567890,"c":{}}"#);
        assert_eq!(seen, ["/a~1~0/0", "/a~1~0/1/x", "/a~1~0/1", "/a~1~0", "/b", "/c", ""]);
        let changed = rewrite(json, &mut |place, _| (place.pointer == "/a~1~0/1/x").then(|| "7".to_owned()));
        assert!(changed.unwrap().contains(r#"{"x":7}"#));
    }

    #[test]
    fn what_is_not_json_is_told() {
        for text in ["", "{", "[1,]", "x", "1 2"] {
            assert_eq!(rewrite(text, &mut |_, _| None), None, "{text}");
        }
    }
}
