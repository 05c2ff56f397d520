//! Properties of the comparison of any two documents.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};
use spec_diff::{Change, Level, rules};

use crate::support::{compare, document, line};

const NAMES: [&str; 3] = ["A", "B", "C"];

/// A schema as vendors write them, with references to three components.
fn schema() -> impl Strategy<Value = Value> {
    let limits = select(vec![json!({}), json!({"maxLength": 5}), json!({"minLength": 1}), json!({"pattern": "a+"})]);
    let text = (limits, any::<bool>()).prop_map(|(mut schema, nullable)| {
        schema["type"] = json!("string");
        if nullable {
            schema["nullable"] = json!(true);
        }
        schema
    });
    let simple = select(vec![
        json!({"type": "integer", "format": "int32"}),
        json!({"type": "integer", "format": "int64"}),
        json!({"type": "number"}),
        json!({"type": "boolean", "default": false}),
        json!({"type": "string", "enum": ["x", "y"]}),
        json!({"type": "string", "enum": ["y", "z"]}),
        json!({"type": "string", "format": "date", "readOnly": true}),
        json!({"type": "object", "additionalProperties": {"type": "string"}}),
        json!({"type": "object"}),
    ]);
    let reference = select(NAMES.to_vec()).prop_map(|name| json!({"$ref": format!("#/components/schemas/{name}")}));
    prop_oneof![text, simple, reference].prop_recursive(3, 24, 4, |inner| {
        let property = (select(vec!["p", "q", "r"]), inner.clone(), any::<bool>());
        prop_oneof![
            4 => vec(property, 0..4).prop_map(object),
            1 => inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            // Parts that contradict each other have no meaning that a rewrite could keep: they share no property.
            1 => (vec((Just("s"), inner.clone(), any::<bool>()), 0..2), vec((Just("t"), inner.clone(), any::<bool>()), 0..2))
                .prop_map(|(one, two)| json!({"allOf": [object(one), object(two)]})),
            1 => (inner.clone(), inner).prop_map(|(one, two)| json!({"oneOf": [one, two]})),
        ]
    })
}

fn object(properties: Vec<(&str, Value, bool)>) -> Value {
    let required: Vec<_> = properties.iter().filter(|(_, _, required)| *required).map(|(name, ..)| *name).collect();
    let mut schema = json!({"type": "object"});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema["properties"] =
        properties.into_iter().map(|(name, schema, _)| (name.to_owned(), schema)).collect::<Map<_, _>>().into();
    schema
}

/// The components that a schema includes, without a member or an item between.
fn included(schema: &Value) -> Vec<&str> {
    let parts = ["allOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    let own = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next());
    own.into_iter().chain(parts.flat_map(included)).collect()
}

/// Returns whether no component includes itself: `oneOf` would reject what it accepts.
fn is_finite(schemas: &[Value; 3]) -> bool {
    NAMES.iter().all(|start| {
        let (mut seen, mut open) = (Vec::new(), vec![*start]);
        while let Some(name) = open.pop() {
            let index = NAMES.iter().position(|known| *known == name).unwrap_or_default();
            for inner in included(&schemas[index]) {
                if inner == *start {
                    return false;
                }
                if !seen.contains(&inner) {
                    seen.push(inner);
                    open.push(inner);
                }
            }
        }
        true
    })
}

/// A document that sends the first component and receives the others.
pub(crate) fn api() -> impl Strategy<Value = Value> {
    let schemas = [schema(), schema(), schema()].prop_filter("no component includes itself", is_finite);
    schemas.prop_map(|[a, b, c]| {
        let content = |name: &str| json!({"content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}}});
        let post = json!({"requestBody": content("A"), "responses": {"200": content("B")}});
        let get = json!({
            "parameters": [{"name": "p", "in": "query", "schema": {"type": "string"}}],
            "responses": {"200": content("C"), "400": content("A")},
        });
        document(json!({"/x": {"post": post, "get": get}}), json!({"schemas": {"A": a, "B": b, "C": c}}))
    })
}

/// Applies an edit to every schema of a document, innermost first.
fn rewrite(document: &Value, edit: &dyn Fn(Value) -> Value) -> Value {
    let mut document = document.clone();
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        for schema in schemas.values_mut() {
            *schema = rewrite_schema(schema.take(), edit);
        }
    }
    document
}

fn rewrite_schema(mut schema: Value, edit: &dyn Fn(Value) -> Value) -> Value {
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(key).filter(|inner| inner.is_object()) {
            *inner = rewrite_schema(inner.take(), edit);
        }
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for inner in properties.values_mut() {
            *inner = rewrite_schema(inner.take(), edit);
        }
    }
    for key in ["allOf", "oneOf"] {
        if let Some(Value::Array(parts)) = schema.get_mut(key) {
            for inner in parts {
                *inner = rewrite_schema(inner.take(), edit);
            }
        }
    }
    edit(schema)
}

fn in_other_order(mut schema: Value) -> Value {
    for key in ["required", "enum", "allOf"] {
        if let Some(Value::Array(items)) = schema.get_mut(key) {
            items.reverse();
        }
    }
    schema
}

fn wrapped(schema: Value) -> Value {
    json!({"allOf": [schema], "description": "wrapped"})
}

fn explicit(mut schema: Value) -> Value {
    let is_object = schema.get("type").is_some_and(|name| name == "object");
    let Some(map) = schema.as_object_mut().filter(|map| !map.contains_key("$ref")) else { return schema };
    for key in ["nullable", "deprecated", "readOnly", "writeOnly", "uniqueItems"] {
        map.entry(key).or_insert(json!(false));
    }
    map.entry("minLength").or_insert(json!(0));
    if is_object {
        map.entry("additionalProperties").or_insert(json!(true));
    }
    schema
}

/// Replaces references by what they point to, one level deep.
fn inlined(document: &Value) -> Value {
    let edit = |schema: Value| match schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|path| document.pointer(path.get(1..)?))
    {
        // A component that is a reference itself would be a circle, if it is the one that is edited.
        Some(target) if target.get("$ref").is_none() => target.clone(),
        _ => schema,
    };
    rewrite(document, &edit)
}

/// Moves the components' properties into components of their own.
fn extracted(document: &Value) -> Value {
    let mut document = document.clone();
    let mut moved = Map::new();
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        for (name, schema) in schemas.iter_mut() {
            for (property, inner) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
                let key = format!("{name}_{property}");
                let reference = json!({"$ref": format!("#/components/schemas/{key}")});
                moved.insert(key, std::mem::replace(inner, reference));
            }
        }
        schemas.extend(moved);
    }
    document
}

fn assert_names_only(base: &Value, revision: &Value, edit: &str) {
    let report = compare(base, revision);
    let found: Vec<_> = report.changes.iter().filter(|change| change.level > Level::None).map(line).collect();
    assert!(found.is_empty(), "{edit}: {found:#?}\n{base:#}\n{revision:#}");
    let other: Vec<_> =
        report.changes.iter().filter(|change| !change.id.starts_with("api-schema-")).map(line).collect();
    assert!(other.is_empty(), "{edit}: {other:#?}\n{base:#}\n{revision:#}");
}

/// Any JSON, with words that mean something here.
fn anything() -> impl Strategy<Value = Value> {
    const WORDS: &str = "
        $ref paths /a /{a} get post parameters in name query path schema content application/json requestBody
        responses 200 default headers components schemas A B security securitySchemes oauth2 flows scopes
        servers url type object string array properties required items allOf oneOf anyOf not enum const
        discriminator mapping propertyName additionalProperties maximum exclusiveMaximum multipleOf x-sunset
        deprecated # #/ #/components/schemas/A #/components/schemas/B #/paths/~1a/get #/%zz/~2 2026-11-22 é
    ";
    let words: Vec<_> = WORDS.split_whitespace().chain([""]).collect();
    let word = select(words).prop_map(str::to_owned);
    let leaf = prop_oneof![
        4 => word.clone().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 96, 6, move |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..5).prop_map(Value::from),
            4 => vec((word.clone(), inner), 0..6).prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// A document whose parts may be anything.
fn wild() -> impl Strategy<Value = Value> {
    [anything(), anything(), anything(), anything()].prop_map(|[item, a, b, rest]| {
        let mut document =
            json!({"openapi": "3.1.0", "paths": {"/a": {"get": item}}, "components": {"schemas": {"A": a, "B": b}}});
        if let (Value::Object(document), Value::Object(rest)) = (&mut document, rest) {
            for (key, value) in rest {
                document.entry(key).or_insert(value);
            }
        }
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_document_does_not_differ_from_itself(document in api()) {
        let report = compare(&document, &document);
        prop_assert!(report.changes.is_empty(), "{:#?}\n{document:#}", report.changes);
        prop_assert_eq!(report.docs_changed, 0);
    }

    #[test]
    fn equivalent_documents_have_no_changes(document in api()) {
        for (name, edited) in [
            ("reorder", rewrite(&document, &in_other_order)),
            ("wrap", rewrite(&document, &wrapped)),
            ("explicit defaults", rewrite(&document, &explicit)),
            ("inline", inlined(&document)),
            ("extract", extracted(&document)),
        ] {
            assert_names_only(&document, &edited, name);
            assert_names_only(&edited, &document, name);
        }
    }

    #[test]
    fn differences_have_the_inverse_rules_in_the_other_direction(base in api(), revision in api()) {
        let (forth, back) = (compare(&base, &revision), compare(&revision, &base));
        prop_assert_eq!(forth.changes.is_empty(), back.changes.is_empty());
        let mirrors = |name: &str, other: &str| {
            rules::rule(name).is_some_and(|rule| rule.inverse == rules::Inverse::Rule(rules::rule(other).map_or("", |rule| rule.name)))
        };
        for change in &forth.changes {
            let is_reversed = back.changes.iter().any(|other| {
                change.group == other.group && (mirrors(change.rule, other.rule) || mirrors(other.rule, change.rule))
            });
            prop_assert!(is_reversed, "{}\n{base:#}\n{revision:#}", line(change));
        }
    }

    #[test]
    fn no_document_makes_it_panic(base in wild(), revision in wild()) {
        compare(&base, &revision);
        // References into other files may resolve to something else by now, and what is malformed cannot be compared.
        let is_known = |name: &str| name.starts_with("$ref ") || name.contains(", which is not an ");
        let is_followed = |change: &&Change| !change.members.iter().all(|member| is_known(&member.name));
        let found: Vec<_> = compare(&base, &base).changes.iter().filter(is_followed).map(line).collect();
        prop_assert!(found.is_empty(), "{found:#?}\n{base:#}");
    }

    #[test]
    fn no_value_makes_it_panic(base in anything(), revision in anything()) {
        let _ = spec_diff::diff(&base, &revision, &spec_diff::Options::default());
    }
}

#[test]
fn circles_chains_and_depth_end() {
    let chain = |length: usize, kind: &str| {
        let name = |index: usize| format!("#/components/schemas/S{index}");
        let link = |index| json!({"type": "object", "properties": {"next": {"$ref": name((index + 1) % length)}}});
        let mut schemas: Map<_, _> = (0..length).map(|index| (format!("S{index}"), link(index))).collect();
        schemas.insert("S1".into(), json!({"properties": {"next": {"$ref": name(2 % length)}, "end": {"type": kind}}}));
        let content = json!({"application/json": {"schema": {"$ref": name(0)}}});
        document(json!({"/a": {"get": {"responses": {"200": {"content": content}}}}}), json!({"schemas": schemas}))
    };
    let report = compare(&chain(5_000, "string"), &chain(5_000, "integer"));
    assert_eq!(report.changes.iter().map(line).collect::<Vec<_>>(), ["breaking response-property-type-changed end"]);
    // Circles of different lengths meet in every combination.
    let report = compare(&chain(97, "string"), &chain(89, "string"));
    assert!(report.changes.len() <= 100, "{}", report.changes.len());

    let deep = |kind: &str| {
        let leaf = json!({"type": kind});
        let schema = (0..100).fold(leaf, |inner, _| json!({"type": "array", "items": {"properties": {"p": inner}}}));
        crate::support::in_response(&schema, &json!({}))
    };
    assert_eq!(compare(&deep("string"), &deep("boolean")).wire, Level::Breaking);

    // Each part includes the next twice.
    let doubling = |kind: &str| {
        let link = |index: usize| {
            let next = json!({"$ref": format!("#/components/schemas/S{}", index + 1)});
            (format!("S{index}"), json!({"allOf": [next, next], "properties": {"p": {"allOf": [next, next]}}}))
        };
        let mut schemas: Map<_, _> = (0..60).map(link).collect();
        schemas.insert("S60".into(), json!({"properties": {"end": {"type": kind}}}));
        crate::support::in_response(&json!({"$ref": "#/components/schemas/S0"}), &schemas.into())
    };
    assert_eq!(compare(&doubling("string"), &doubling("boolean")).wire, Level::Breaking);
}
