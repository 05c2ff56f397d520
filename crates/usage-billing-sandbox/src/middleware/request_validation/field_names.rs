//! Field names as Go's `encoding/json` matches them: Suger reads `organizationId` as `organizationID`.

use std::collections::HashMap;

use bytes::Bytes;
use openapi_document::resolve;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Returns a JSON body with the documented spelling of each field, for validation and handlers. As in Go, an exact name precedes one that differs
/// in case only, the last of several values counts, and keys of maps stay as they are. Params keep their digits. A body that is not JSON stays as
/// it is.
pub(super) fn as_documented(root: &Value, schema: &Value, body: &Bytes) -> Bytes {
    match serde_json::from_slice::<&RawValue>(body) {
        Ok(json) => {
            let mut out = Vec::with_capacity(body.len());
            write(root, schema, json.get(), &mut out);
            out.into()
        }
        Err(_) => body.clone(),
    }
}

fn write(root: &Value, schema: &Value, json: &str, out: &mut Vec<u8>) {
    let schema = resolve(root, schema);
    let first = json.as_bytes().first();
    if first == Some(&b'{')
        && let Ok(Members(members)) = serde_json::from_str(json)
    {
        write_object(root, schema, members, out);
    } else if first == Some(&b'[')
        && let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json)
    {
        let schema = schema.get("items").unwrap_or(&Value::Null);
        out.push(b'[');
        for (item, index) in items.into_iter().zip(0..) {
            if index > 0 {
                out.push(b',');
            }
            write(root, schema, item.get(), out);
        }
        out.push(b']');
    } else {
        out.extend_from_slice(json.as_bytes());
    }
}

fn write_object(root: &Value, schema: &Value, members: Vec<(String, &RawValue)>, out: &mut Vec<u8>) {
    let fields = fields(root, schema);
    let others = schema.get("additionalProperties").unwrap_or(&Value::Null);
    let mut indexes = HashMap::new();
    let mut named: Vec<(String, &RawValue, &Value)> = Vec::with_capacity(members.len());
    for (name, value) in members {
        let exact = fields.iter().find(|(field, _)| *field == name);
        let field = exact.or_else(|| fields.iter().find(|(field, _)| folded(field).eq(folded(&name))));
        let (name, schema) = field.map_or((name, others), |(field, schema)| ((*field).to_owned(), *schema));
        let index = *indexes.entry(name.clone()).or_insert(named.len());
        match named.get_mut(index) {
            Some(before) => before.1 = value,
            None => named.push((name, value, schema)),
        }
    }
    out.push(b'{');
    for ((name, value, schema), index) in named.into_iter().zip(0..) {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(Value::from(name).to_string().as_bytes());
        out.push(b':');
        write(root, schema, value.get(), out);
    }
    out.push(b'}');
}

/// Returns the properties of a schema and of the schemas in its `allOf`.
fn fields<'a>(root: &'a Value, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let schema = resolve(root, schema);
    let own = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let own = own.map(|(name, schema)| (name.as_str(), schema));
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    own.chain(parts.flat_map(|part| fields(root, part))).collect()
}

/// Folds case as Go does for field names: ASCII, and the two other letters whose lower case is ASCII.
fn folded(name: &str) -> impl Iterator<Item = char> {
    name.chars().map(|letter| match letter {
        '\u{212A}' => 'k',
        '\u{017F}' => 's',
        letter => letter.to_ascii_lowercase(),
    })
}

/// The members of an object in order, with duplicates.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::Vendor;
    use crate::vendors::document::Document;

    fn rewritten(operation: &str, body: &str) -> String {
        let document = Document::of(Vendor::Suger);
        let schema = document.operation(operation).unwrap().body.unwrap();
        let bytes = as_documented(document.root, schema, &Bytes::copy_from_slice(body.as_bytes()));
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn report(body: &str) -> String {
        rewritten("reportUsageRecordGroup", body)
    }

    #[test]
    fn field_names_are_matched_without_case() {
        assert_eq!(
            report(r#" {"ID": "a", "organizationId":"o", "ENTITLEMENTID" :"e", "Records":{"GB": 1.10}} "#),
            r#"{"id":"a","organizationID":"o","entitlementID":"e","records":{"GB":1.10}}"#
        );
        assert_eq!(report("{\"record\u{17f}\":{}, \"RECORD\\u017f\":{\"a\":1}}"), r#"{"records":{"a":1}}"#);
    }

    #[test]
    fn last_value_counts_and_map_keys_keep_their_case() {
        assert_eq!(report(r#"{"id":"a","ID":"b"}"#), r#"{"id":"b"}"#);
        assert_eq!(report(r#"{"Id":"b","id":"a"}"#), r#"{"id":"a"}"#);
        assert_eq!(
            report(r#"{"records":{"gb":1,"GB":2,"id":3,"ID":4}}"#),
            r#"{"records":{"gb":1,"GB":2,"id":3,"ID":4}}"#
        );
    }

    #[test]
    fn nested_fields_are_renamed() {
        let body = r#"{"BillableRecords":[{"KEY":"m","Quantity":1.0000000000000000000000001}]}"#;
        assert_eq!(report(body), r#"{"billableRecords":[{"key":"m","quantity":1.0000000000000000000000001}]}"#);
        let batch = rewritten("batchReportUsageRecordGroups", r#"[ {"EntitlementId":"a"}, 7,null]"#);
        assert_eq!(batch, r#"[{"entitlementID":"a"},7,null]"#);
    }

    #[test]
    fn unknown_fields_and_invalid_bodies_are_unchanged() {
        assert_eq!(report(r#"{"Colour":"ä\n\u0000"}"#), "{\"Colour\":\"ä\\n\\u0000\"}");
        for body in ["", "{", "[1,", r#"{"a":1}x"#, "\u{feff}{}", "nul"] {
            assert_eq!(report(body), body);
        }
        assert_eq!((report("7"), report("null"), report(r#""ID""#)), ("7".into(), "null".into(), r#""ID""#.into()));
    }
}
