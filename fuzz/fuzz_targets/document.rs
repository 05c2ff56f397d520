//! Documents within limits: no panic, and a position for every pointer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openapi_document::{Document, Positions};

fuzz_target!(|text: &[u8]| {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(document) = Document::parse("api", text) else { return };
    // A carriage return alone ends a line of YAML.
    let (positions, lines) = (Positions::of(text), 1 + text.matches(['\n', '\r']).count());
    let mut pending = vec![(String::new(), &document.root)];
    while let Some((pointer, value)) = pending.pop() {
        let position = positions.at(&pointer);
        assert!(position.line <= lines + 1, "{pointer} is at {position:?}");
        match value {
            serde_json::Value::Object(members) => {
                pending.extend(
                    members.iter().map(|(key, value)| (openapi_document::pointer::child(&pointer, key), value)),
                );
            }
            serde_json::Value::Array(items) => {
                pending.extend(
                    items.iter().enumerate().map(|(at, value)| (openapi_document::pointer::item(&pointer, at), value)),
                );
            }
            _ => {}
        }
    }
});
