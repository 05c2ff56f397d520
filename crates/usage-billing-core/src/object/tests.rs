#![allow(unreachable_pub)]

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use crate::{DecimalNumber, Update};

object! {
    /// A record with each kind of field.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Record {
        /// Its id.
        id: required String = "Id",
        r#type: optional String = "type",
        hours: optional DecimalNumber = "hours",
        plan: nullable String = "plan",
        note: update String = "note",
        tags: collection Vec<String> = "tags",
        rows: required_collection Vec<u8> = "rows",
        fields: nested_collection BTreeMap<String, Vec<u8>> = "fields",
        value: optional_date_time = "value",
        made: required_date_time = "made",
        name: optional_boolean = "name",
        is_new: required_boolean = "new",
    }
}

object! {
    #[derive(Clone, Debug, PartialEq)]
    pub struct Page {
        items: page_items Vec<u8> = "items",
        others: optional_page_items Vec<u8> = "others",
        ends: nullable_date_time = "ends",
        last: nullable_boolean = "last",
        record: boxed Record = "record",
    }
}

object! {
    #[derive(Clone, Debug, PartialEq)]
    pub struct Open {
        hours: required DecimalNumber = "hours",
        note: optional String = "note",
        ..
        /// All others.
        extra: Map<String, Value>,
    }
}

object! {
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Empty {}
}

const AT: &str = "2026-10-01T00:00:00Z";

fn read(changes: Value) -> serde_json::Result<Record> {
    let mut json = json!({"Id": "a", "made": AT, "new": "True"});
    let changes = changes.as_object().cloned().unwrap_or_default();
    json.as_object_mut().unwrap().extend(changes);
    // From a value and from text: the names of fields are owned or borrowed.
    assert_eq!(
        serde_json::from_value::<Record>(json.clone()).ok(),
        serde_json::from_str::<Record>(&json.to_string()).ok()
    );
    serde_json::from_str(&json.to_string())
}

#[test]
fn absent_fields_are_empty_and_written_by_their_type() {
    let record = read(json!({})).unwrap();
    assert!(record.is_new && record.note == Update::Unchanged && record.rows.is_empty());
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(json, format!(r#"{{"Id":"a","plan":null,"rows":[],"made":"{AT}","new":true}}"#));
}

#[test]
fn null_is_read_by_the_kind_of_the_field() {
    let record = read(json!({
        "type": null, "hours": null, "plan": null, "note": null, "tags": null, "rows": null, "fields": null, "value": null, "name": null,
    }))
    .unwrap();
    assert_eq!(record.note, Update::Null);
    assert_eq!(Record { note: Update::Unchanged, ..record }, read(json!({})).unwrap());
    assert_eq!(read(json!({"fields": {"a": null, "b": [1]}})).unwrap().fields.len(), 2);
    for required in ["Id", "made", "new"] {
        assert!(read(json!({required: null})).is_err(), "{required}");
    }
}

#[test]
fn values_survive_both_ways() {
    let json = json!({
        "Id": "a", "type": "t", "plan": "p", "note": "n", "tags": ["x"], "rows": [1], "fields": {"a": [2]}, "value": AT, "made": AT,
        "name": false, "new": true,
    });
    let record = read(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&record).unwrap(), json);
    let digits = r#"{"Id":"a","made":"2026-10-01T00:00:00Z","new":true,"hours":0.12345678901234567890}"#;
    let record = serde_json::from_str::<Record>(digits).unwrap();
    assert_eq!(record.hours.unwrap().to_string(), "0.12345678901234567890");
}

#[test]
fn errors_name_the_field_or_the_type() {
    for (json, expected) in [
        (r#"{"made": "2026-10-01T00:00:00Z", "new": true}"#, "missing field `Id`"),
        (r#"{"Id": "a", "Id": "b"}"#, "duplicate field `Id` at line 1 column 16"),
        (r#"{"Id": "a", "Id": 7}"#, "duplicate field `Id` at line 1 column 16"),
        ("[]", "invalid type: sequence, expected struct Record"),
        (r#"{"made": "today"}"#, "not a date-time: \"today\""),
        (r#"{"new": 0}"#, "expected a boolean"),
    ] {
        let error = serde_json::from_str::<Record>(json).unwrap_err().to_string();
        assert!(error.contains(expected), "{json}: {error}");
    }
}

#[test]
fn list_of_a_page_has_to_be_there_and_may_be_null() {
    let page = serde_json::from_str::<Page>(r#"{"items": null, "unknown": {"items": [1]}}"#).unwrap();
    assert_eq!(serde_json::to_string(&page).unwrap(), r#"{"items":[],"ends":null,"last":null}"#);
    assert_eq!(page.others, None);
    for (json, expected) in [("null", vec![]), ("[1]", vec![1])] {
        let page = serde_json::from_str::<Page>(&format!(r#"{{"items": [], "others": {json}}}"#)).unwrap();
        assert_eq!(page.others.as_ref(), Some(&expected));
        assert!(serde_json::to_string(&page).unwrap().contains("others"));
    }
    assert!(serde_json::from_str::<Page>("{}").unwrap_err().to_string().contains("missing field `items`"));
}

#[test]
fn object_in_a_box_is_read_and_written_as_one_in_place() {
    let boxed = json!({"items": [1], "ends": null, "last": null, "record": {"Id": "a", "plan": null, "rows": [], "made": AT, "new": true}});
    let page = serde_json::from_value::<Page>(boxed.clone()).unwrap();
    assert_eq!(page.record.as_deref(), Some(&read(json!({"new": true})).unwrap()));
    assert_eq!(serde_json::to_value(&page).unwrap(), boxed);
    let decode = |record: Value| serde_json::from_value::<Page>(json!({"items": [], "record": record}));
    assert_eq!(decode(Value::Null).unwrap().record, None);
    assert!(decode(json!("a")).unwrap_err().to_string().contains("expected struct Record"));
}

#[test]
fn required_field_of_a_type_that_reads_null_may_be_absent() {
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    #[serde(transparent)]
    pub struct Note(Option<String>);
    object! {
        #[derive(Clone, Debug, PartialEq)]
        pub struct Line {
            note: required Note = "note",
        }
    }
    for json in ["{}", r#"{"note": null}"#] {
        assert_eq!(serde_json::from_str::<Line>(json).unwrap(), Line { note: Note(None) }, "{json}");
    }
}

#[test]
fn names_are_read_as_bytes_too() {
    object! {
        #[derive(Clone, Debug, PartialEq)]
        pub struct Row {
            id: required String = "id",
        }
    }
    let read = |name: &'static [u8]| {
        let fields = serde::de::value::MapDeserializer::new([(name, "a")].into_iter());
        Row::deserialize(fields).map_err(|error: serde::de::value::Error| error.to_string())
    };
    assert_eq!(read(b"id"), Ok(Row { id: "a".to_owned() }));
    assert_eq!(read(b"\xff"), Err("invalid value: byte array, expected the name of a field".to_owned()));
}

#[test]
fn listed_fields_keep_their_digits_and_others_survive_both_ways() {
    let json = r#"{"hours":0.12345678901234567890,"region":"eu","tags":[1]}"#;
    let record = serde_json::from_str::<Open>(json).unwrap();
    assert_eq!(record.hours.to_string(), "0.12345678901234567890");
    assert_eq!(serde_json::to_string(&record).unwrap(), json);
    let error = serde_json::from_str::<Open>(r#"{"region":"eu"}"#).unwrap_err();
    assert!(error.to_string().contains("missing field `hours`"), "{error}");
    let error = serde_json::from_str::<Open>(r#"{"note":"a","note":"b"}"#).unwrap_err();
    assert!(error.to_string().contains("duplicate field `note`"), "{error}");
    let last = serde_json::from_str::<Open>(r#"{"hours":1,"other":2,"other":3}"#).unwrap();
    assert_eq!(last.extra, *json!({"other": 3}).as_object().unwrap());
}

#[test]
fn object_without_fields_is_read_and_written() {
    assert_eq!(serde_json::from_str::<Empty>(r#"{"a": 1}"#).unwrap(), Empty {});
    assert_eq!(serde_json::to_string(&Empty {}).unwrap(), "{}");
}
