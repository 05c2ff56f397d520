//! Classes of rewrites that change nothing on the wire, and changes of value sets, which have an inverse.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Value, json};
use spec_diff::Level;

use crate::support::{compare, in_request, in_response, line};

/// A schema of plain values, lists and alternatives, without members that come and go.
fn values() -> impl Strategy<Value = Value> {
    let simple = select(vec![
        json!({"type": "string"}),
        json!({"type": "string", "format": "uuid"}),
        json!({"type": "string", "format": "uri"}),
        json!({"type": "string", "enum": ["a", "b"]}),
        json!({"type": "string", "enum": ["b"]}),
        json!({"type": "string", "maxLength": 4}),
        json!({"type": "string", "minLength": 2, "pattern": "a+"}),
        json!({"type": "integer"}),
        json!({"type": "integer", "format": "int32"}),
        json!({"type": "integer", "minimum": 1, "maximum": 9}),
        json!({"type": "integer", "exclusiveMinimum": 1}),
        json!({"type": "integer", "multipleOf": 6}),
        json!({"type": "number", "multipleOf": 1.5}),
        json!({"type": "boolean"}),
        json!({"type": "object", "title": "Cat", "required": ["k"], "properties": {"k": {"const": "cat"}}}),
        json!({"type": "object", "title": "Dog", "required": ["k"], "properties": {"k": {"const": "dog"}}}),
        json!({"type": "string", "not": {"enum": ["x"]}}),
        json!({"type": "string", "not": {"enum": ["x", "y"]}}),
    ]);
    // What fits several of `oneOf` fits none: documents that mean something have alternatives that exclude each other.
    let exclusive = subsequence(
        vec![
            json!({"type": "string", "maxLength": 4}),
            json!({"type": "integer"}),
            json!({"type": "array", "items": {"type": "string"}}),
            json!({"type": "object", "title": "Cat", "required": ["k"], "properties": {"k": {"const": "cat"}}}),
            json!({"type": "object", "title": "Dog", "required": ["k"], "properties": {"k": {"const": "dog"}}}),
        ],
        2..4,
    );
    let one_of = exclusive.prop_map(|variants| json!({"oneOf": variants}));
    prop_oneof![4 => simple, 1 => one_of].prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            1 => inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            1 => vec(inner.clone(), 1..3).prop_map(|items| json!({"type": "array", "prefixItems": items, "items": false})),
            2 => vec(inner, 2..4).prop_map(|variants| json!({"anyOf": variants})),
        ]
    })
}

/// The levels of a change in what callers send and in what they receive.
pub(crate) fn levels(base: &Value, revision: &Value) -> (Level, Level) {
    let none = json!({});
    let request = compare(&in_request(base, &none), &in_request(revision, &none));
    let response = compare(&in_response(base, &none), &in_response(revision, &none));
    (request.wire, response.wire)
}

/// All findings but those about names.
pub(crate) fn found(base: &Value, revision: &Value) -> Vec<String> {
    let none = json!({});
    let reports = [
        compare(&in_request(base, &none), &in_request(revision, &none)),
        compare(&in_response(base, &none), &in_response(revision, &none)),
    ];
    reports.iter().flat_map(|report| &report.changes).filter(|change| change.level > Level::None).map(line).collect()
}

/// Ways to write that null is allowed too.
fn with_null(schema: &Value) -> Vec<Value> {
    let mut flag = schema.clone();
    flag["nullable"] = json!(true);
    let mut ways = vec![
        flag,
        json!({"anyOf": [schema, {"type": "null"}]}),
        json!({"oneOf": [{"const": null}, schema]}),
        json!({"allOf": [schema], "nullable": true}),
        json!({"anyOf": [{"allOf": [schema]}, {"enum": [null]}]}),
    ];
    if let Some(variants) = schema.get("anyOf").and_then(Value::as_array) {
        ways.push(json!({"anyOf": variants.iter().cloned().chain([json!({"type": "null"})]).collect::<Vec<_>>()}));
    }
    if let Some(kind) = schema.get("type").filter(|_| schema.get("enum").is_none()) {
        let mut list = schema.clone();
        list["type"] = json!([kind, "null"]);
        ways.push(list);
    }
    ways
}

/// The schema, rewritten so that the same values fit.
fn rewritten(schema: &Value) -> Vec<(&'static str, Value)> {
    let mut ways = vec![
        ("a part that says what the whole says", json!({"allOf": [schema, schema]})),
        (
            "an alternative that the others take",
            json!({"anyOf": [schema, {"allOf": [schema], "description": "again"}]}),
        ),
    ];
    let mut edit = |name, edit: &dyn Fn(&mut Value)| {
        let mut edited = schema.clone();
        edit(&mut edited);
        ways.push((name, edited));
    };
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") if schema.get("format").is_none() => edit("int64", &|schema| schema["format"] = json!("int64")),
        Some("number") => edit("double", &|schema| schema["format"] = json!("double")),
        Some(kind) => {
            let kind = kind.to_owned();
            edit("a part with the type", &|schema| {
                *schema = json!({"allOf": [schema.clone(), {"type": kind, "description": "why"}]});
            });
        }
        None => {}
    }
    edit("numbers as floats", &floats);
    for key in ["anyOf", "oneOf"] {
        let variants = schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let kinds: Vec<_> = variants.iter().filter_map(|variant| variant.get("type")).collect();
        if kinds.len() == variants.len() && !kinds.is_empty() {
            edit("the types beside the alternatives", &|schema| schema["type"] = json!(kinds));
        }
    }
    ways
}

/// `6` as `6.0`, where it is a number of the schema.
fn floats(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(floats),
        Value::Array(items) => items.iter_mut().for_each(floats),
        Value::Number(number) => *value = json!(number.as_f64()),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn null_is_null_however_it_is_written(schema in values()) {
        let ways = with_null(&schema);
        for (way, other) in ways.iter().zip(ways.iter().cycle().skip(1)) {
            prop_assert_eq!(found(way, other), [""; 0], "{} -> {}", way, other);
            let (request, response) = levels(&schema, way);
            prop_assert!(request <= Level::Info, "{request}: {schema} -> {way}");
            prop_assert_eq!(response, Level::Breaking, "{} -> {}", schema, way);
            let (request, response) = levels(way, &schema);
            prop_assert_eq!(request, Level::Breaking, "{} -> {}", way, schema);
            prop_assert!(response <= Level::Info, "{response}: {way} -> {schema}");
        }
    }

    #[test]
    fn null_allowed_by_none_or_by_several_is_rejected(schema in values()) {
        let mut ways: Vec<_> = with_null(&schema).iter().map(|way| json!({"oneOf": [way, {"type": "null"}]})).collect();
        if let (Some(kind), Some(_)) = (schema.get("type"), schema.get("enum")) {
            let mut listed = schema.clone();
            listed["type"] = json!([kind, "null"]);
            ways.push(listed);
        }
        for (way, null) in ways.iter().zip(with_null(&schema).iter().cycle()) {
            prop_assert_eq!(found(&schema, way), [""; 0], "{} -> {}", schema, way);
            prop_assert_eq!(found(way, &schema), [""; 0], "{} -> {}", way, schema);
            let (request, response) = levels(null, way);
            prop_assert_eq!(request, Level::Breaking, "{} -> {}", null, way);
            prop_assert!(response <= Level::Info, "{response}: {null} -> {way}");
        }
    }

    #[test]
    fn union_of_all_types_is_every_schema_and_more(schema in values(), turn in 0..6_usize) {
        let types = ["array", "boolean", "null", "number", "object", "string"];
        let bare = |name: &&str| json!({"type": name});
        let mut variants: Vec<_> = types.iter().map(bare).collect();
        variants.rotate_left(turn);
        for all in [json!({"type": types}), json!({"anyOf": variants}), json!({"oneOf": variants})] {
            prop_assert_eq!(found(&json!({}), &all), [""; 0], "{}", all);
            let (request, _) = levels(&schema, &all);
            prop_assert!(request <= Level::Info, "{request}: {schema} -> {all}");
            let (_, response) = levels(&all, &schema);
            prop_assert!(response <= Level::Info, "{response}: {all} -> {schema}");
            prop_assert_eq!(levels(&schema, &all), levels(&schema, &json!({})), "{} -> {}", schema, all);
        }
    }

    #[test]
    fn a_rewrite_of_the_same_values_changes_nothing(schema in values()) {
        for (name, way) in rewritten(&schema) {
            prop_assert_eq!(found(&schema, &way), [""; 0], "{}: {} -> {}", name, schema, way);
            prop_assert_eq!(found(&way, &schema), [""; 0], "{}: {} -> {}", name, way, schema);
        }
    }

    /// A value that callers may continue to send is one that they may continue to receive when it is undone.
    #[test]
    fn a_change_and_its_inverse_have_consistent_levels(base in values(), revision in values()) {
        let (request, response) = levels(&base, &revision);
        let (back_request, back_response) = levels(&revision, &base);
        prop_assert!(request > Level::Info || back_response <= Level::Info, "{request}, {back_response}: {base} -> {revision}");
        prop_assert!(back_request > Level::Info || response <= Level::Info, "{back_request}, {response}: {revision} -> {base}");
        prop_assert_eq!((request, response) == (Level::None, Level::None), (back_request, back_response) == (Level::None, Level::None));
    }

    #[test]
    fn one_more_alternative_is_harmless_to_senders_only(schema in values(), other in values()) {
        let more = json!({"anyOf": [schema, other]});
        let (request, _) = levels(&schema, &more);
        prop_assert!(request <= Level::Info, "{request}: {schema} -> {more}");
        let (_, response) = levels(&more, &schema);
        prop_assert!(response <= Level::Info, "{response}: {more} -> {schema}");
    }
}
