//! Pairs of schemas of which the one takes the same values as the other, or fewer: as bodies, members, items and the like, in requests and
//! responses, in both directions.

use serde_json::{Value, json};
use spec_diff::Level;

use crate::support::{compare, in_request, in_response, line, yaml};

/// The version of OpenAPI, and both schemas.
type Row = (&'static str, &'static str, &'static str);

const BOTH: &str = "3.0 and 3.1";

/// The places in which a schema may stand.
fn places(schema: &Value) -> [(&'static str, Value); 6] {
    let object = |members: Value| json!({"type": "object", "properties": {"m": members}, "required": ["m"]});
    [
        ("body", schema.clone()),
        ("member", object(schema.clone())),
        ("member by reference", object(json!({"$ref": "#/components/schemas/Other"}))),
        ("items", object(json!({"type": "array", "items": schema}))),
        ("additional properties", json!({"type": "object", "additionalProperties": schema})),
        ("member of an alternative", json!({"oneOf": [object(schema.clone()), {"type": "string"}]})),
    ]
}

/// The levels of a change in requests and in responses, with what is found.
fn levels(
    version: &str,
    (base, old): (&Value, &Value),
    (revision, new): (&Value, &Value),
) -> [(Level, Vec<String>); 2] {
    [in_request, in_response].map(|document| {
        let of = |schema: &Value, other: &Value| {
            let is_referred = schema.to_string().contains("schemas/Other");
            let mut document = document(schema, &if is_referred { json!({"Other": other}) } else { json!({}) });
            document["openapi"] = json!(version);
            document
        };
        let report = compare(&of(base, old), &of(revision, new));
        let found = report.changes.iter().filter(|change| change.level > Level::None).map(line).collect();
        (report.wire, found)
    })
}

/// Calls the check with the levels of each row in each place, there and back.
fn for_each(rows: &[Row], check: impl Fn(&str, [Level; 2], [Level; 2])) {
    for (versions, base, revision) in rows {
        let (old, new) = (yaml(base), yaml(revision));
        for version in ["3.0.3", "3.1.0"].into_iter().filter(|version| versions.contains(&version[..3])) {
            for ((place, base), (_, revision)) in places(&old).into_iter().zip(places(&new)) {
                let forth = levels(version, (&base, &old), (&revision, &new));
                let back = levels(version, (&revision, &new), (&base, &old));
                let what = format!("{version}, {place}: {base} -> {revision}: {forth:?}, back {back:?}");
                check(&what, forth.map(|(level, _)| level), back.map(|(level, _)| level));
            }
        }
    }
}

fn assert_narrower(rows: &[Row]) {
    for_each(rows, |what, [request, response], [back_request, back_response]| {
        assert!(request >= Level::Warning && response <= Level::Info, "{what}");
        assert!(back_request <= Level::Info && back_response >= Level::Warning, "{what}");
    });
}

fn assert_same(rows: &[Row]) {
    for_each(rows, |what, forth, back| {
        assert!(forth.into_iter().chain(back).all(|level| level <= Level::Info), "{what}");
    });
}

#[test]
fn null_that_leaves_is_found_wherever_it_is_stated() {
    assert_narrower(&[
        ("3.1", "{type: [string, 'null'], enum: [a, b, null]}", "{type: [string, 'null'], enum: [a, b]}"),
        ("3.1", "{type: [string, 'null'], enum: [a, b, null]}", "{type: string, enum: [a, b, null]}"),
        ("3.1", "{type: [string, 'null'], enum: [a, b, null]}", "{enum: [a, b]}"),
        ("3.1", "{type: [string, 'null'], enum: [a, null]}", "{type: [string, 'null'], const: a}"),
        ("3.1", "{enum: [a, 1, null]}", "{enum: [a, 1]}"),
        ("3.1", "{anyOf: [{enum: [a, null]}, {type: integer}]}", "{anyOf: [{enum: [a]}, {type: integer}]}"),
        ("3.1", "{allOf: [{type: [string, 'null']}, {maxLength: 5}]}", "{allOf: [{type: string}, {maxLength: 5}]}"),
        (
            "3.1",
            "{type: [string, 'null'], allOf: [{enum: [a, null]}]}",
            "{type: [string, 'null'], allOf: [{enum: [a]}]}",
        ),
        ("3.1", "{type: [string, 'null']}", "{type: [string, 'null'], not: {type: 'null'}}"),
        ("3.1", "{type: [string, 'null']}", "{type: [string, 'null'], not: {enum: [null]}}"),
        ("3.0", "{type: string, nullable: true, enum: [a, null]}", "{type: string, enum: [a]}"),
        // Rejected by `oneOf` because it fits two alternatives.
        (
            "3.1",
            "{anyOf: [{type: [string, 'null']}, {type: [integer, 'null']}]}",
            "{oneOf: [{type: [string, 'null']}, {type: [integer, 'null']}]}",
        ),
        (
            "3.0",
            "{anyOf: [{type: string, nullable: true}, {type: integer, nullable: true}]}",
            "{oneOf: [{type: string, nullable: true}, {type: integer, nullable: true}]}",
        ),
        (
            "3.1",
            "{oneOf: [{type: [string, 'null']}, {type: integer}]}",
            "{oneOf: [{type: [string, 'null']}, {type: integer}, {type: 'null'}]}",
        ),
        (
            "3.1",
            "{oneOf: [{type: string}, {type: 'null'}]}",
            "{oneOf: [{enum: [null]}, {type: string}, {type: 'null'}]}",
        ),
        ("3.1", "{}", "{type: [string, number, boolean, array, object]}"),
    ]);
    assert_same(&[
        ("3.1", "{type: [string, 'null'], enum: [a, null]}", "{anyOf: [{const: a}, {type: 'null'}]}"),
        ("3.1", "{type: string, enum: [a]}", "{type: string, enum: [a, null]}"),
        ("3.1", "{type: [string, 'null'], enum: [a]}", "{type: string, enum: [a]}"),
        ("3.0", "{type: string, nullable: true, enum: [a]}", "{type: string, nullable: true, enum: [a, null]}"),
    ]);
}

#[test]
fn null_at_the_root_of_a_component_that_nothing_uses_is_found() {
    for (version, base, revision) in [
        ("3.1.0", "{type: string}", "{type: [string, 'null']}"),
        ("3.1.0", "{enum: [a]}", "{enum: [a, null]}"),
        (
            "3.1.0",
            "{anyOf: [{type: string}, {type: integer}]}",
            "{anyOf: [{type: string}, {type: integer}, {type: 'null'}]}",
        ),
        ("3.1.0", "{type: object, properties: {a: {}}}", "{type: [object, 'null'], properties: {a: {}}}"),
        ("3.0.3", "{type: string}", "{type: string, nullable: true}"),
    ] {
        for (rest, least_back) in
            [("paths: {/x: {get: {responses: {}}}}", Level::Info), ("components: {}", Level::Warning)]
        {
            let document = |schema: &str| {
                let mut document = yaml(&format!("{{openapi: {version}, info: {{title: T, version: '1'}}, {rest}}}"));
                document["components"] = json!({"schemas": {"Thing": yaml(schema)}});
                document
            };
            let what = format!("{version}, {rest}: {base} -> {revision}");
            assert!(compare(&document(base), &document(revision)).wire >= Level::Warning, "{what}");
            assert!(compare(&document(revision), &document(base)).wire >= least_back, "{what}, back");
        }
    }
}

#[test]
fn value_of_several_alternatives_is_none_of_one_of() {
    assert_narrower(&[
        (BOTH, "{anyOf: [{type: number}, {type: integer}]}", "{oneOf: [{type: number}, {type: integer}]}"),
        (BOTH, "{type: number}", "{oneOf: [{type: number}, {type: integer}]}"),
        (BOTH, "{anyOf: [{type: string}, {type: string}]}", "{oneOf: [{type: string}, {type: string}]}"),
        (BOTH, "{anyOf: [{enum: [a, b]}, {enum: [b, c]}]}", "{oneOf: [{enum: [a, b]}, {enum: [b, c]}]}"),
        (BOTH, "{enum: [a, b, c]}", "{oneOf: [{enum: [a, b]}, {enum: [b, c]}]}"),
    ]);
    assert_same(&[
        (BOTH, "{anyOf: [{type: string}, {type: integer}]}", "{oneOf: [{type: string}, {type: integer}]}"),
        (BOTH, "{anyOf: [{enum: [a, b]}, {enum: [c]}]}", "{oneOf: [{enum: [a, b]}, {enum: [c]}]}"),
        (BOTH, "{oneOf: [{enum: [a, b]}, {enum: [b, c]}]}", "{enum: [a, c]}"),
    ]);
}

/// The alternatives of objects or lists beside which keywords of objects or lists come to stand.
const OBJECTS: &str = "{type: object, properties: {p: {type: string}}, required: [p]}, {type: object, properties: {q: {type: string}}, required: [q]}";
const LISTS: &str = "{type: array, items: {type: string}}, {type: array, items: {type: number}}";

#[test]
fn keywords_beside_alternatives_that_stood_alone_are_compared() {
    for (alternatives, beside) in [
        (OBJECTS, "properties: {z: {type: integer}}, required: [z]"),
        (OBJECTS, "type: object, properties: {z: {type: integer}}, required: [z]"),
        (OBJECTS, "additionalProperties: false"),
        (OBJECTS, "additionalProperties: {type: integer}"),
        (LISTS, "type: array, items: {type: integer}"),
        (LISTS, "items: {type: integer}"),
    ] {
        for union in ["oneOf", "anyOf"] {
            let (alone, with) =
                (format!("{{{union}: [{alternatives}]}}"), format!("{{{union}: [{alternatives}], {beside}}}"));
            for version in ["3.0.3", "3.1.0"] {
                for ((place, base), (_, revision)) in places(&yaml(&alone)).into_iter().zip(places(&yaml(&with))) {
                    let [(request, found), _] = levels(version, (&base, &yaml(&alone)), (&revision, &yaml(&with)));
                    assert!(request >= Level::Warning, "{version}, {place}: {alone} -> {with}: {found:?}");
                    let [_, (response, found)] = levels(version, (&revision, &yaml(&with)), (&base, &yaml(&alone)));
                    // That other members may arrive is worth no more.
                    let least = if beside == "additionalProperties: false" { Level::Info } else { Level::Warning };
                    assert!(response >= least, "{version}, {place}: {with} -> {alone}: {found:?}");
                }
            }
        }
    }
    // What they all say already.
    assert_same(&[
        (
            BOTH,
            "{oneOf: [{type: object, properties: {z: {}, p: {}}, required: [z, p]}, {type: object, properties: {z: {}, q: {}}, required: [z, q]}]}",
            "{oneOf: [{type: object, properties: {z: {}, p: {}}, required: [z, p]}, {type: object, properties: {z: {}, q: {}}, required: [z, q]}], properties: {z: {}}, required: [z]}",
        ),
        (
            BOTH,
            "{anyOf: [{type: array, items: {type: string}}, {type: array, items: {type: number}}]}",
            "{anyOf: [{type: array, items: {type: string}}, {type: array, items: {type: number}}], type: array, items: {}}",
        ),
    ]);
}

#[test]
fn union_of_all_types_is_any_value() {
    assert_same(&[
        ("3.1", "{}", "{type: [string, number, boolean, 'null', array, object]}"),
        ("3.1", "{}", "{type: [string, number, integer, boolean, 'null', array, object]}"),
        (
            "3.1",
            "{}",
            "{anyOf: [{type: string}, {type: number}, {type: boolean}, {type: 'null'}, {type: array, items: {}}, {type: object, additionalProperties: true}]}",
        ),
        (
            "3.1",
            "{}",
            "{oneOf: [{type: string}, {type: number}, {type: boolean}, {type: 'null'}, {type: array}, {type: object}]}",
        ),
        (
            "3.0",
            "{nullable: true}",
            "{nullable: true, anyOf: [{type: string}, {type: number}, {type: boolean}, {type: array, items: {}}, {type: object}]}",
        ),
        ("3.1", "{maxLength: 5}", "{type: [string, number, boolean, 'null', array, object], maxLength: 5}"),
    ]);
    assert_narrower(&[
        ("3.1", "{}", "{type: [string, number, boolean, 'null', array]}"),
        (
            "3.1",
            "{}",
            "{oneOf: [{type: string}, {type: number}, {type: integer}, {type: boolean}, {type: 'null'}, {type: array}, {type: object}]}",
        ),
    ]);
}

#[test]
fn forms_of_closed_objects_lists_and_numbers_are_the_same() {
    assert_same(&[
        // Closed by what no part evaluates.
        (
            "3.1",
            "{allOf: [{type: object, properties: {a: {type: string}}}, {type: object, properties: {b: {type: string}}, required: [b]}], unevaluatedProperties: false}",
            "{type: object, properties: {a: {type: string}, b: {type: string}}, required: [b], additionalProperties: false}",
        ),
        (
            "3.1",
            "{allOf: [{type: object, properties: {a: {type: string}}}, {properties: {b: {type: string}}}], unevaluatedProperties: false}",
            "{type: object, properties: {a: {type: string}, b: {type: string}}, unevaluatedProperties: false}",
        ),
        (
            "3.1",
            "{allOf: [{type: array, prefixItems: [{type: string}]}], unevaluatedItems: false}",
            "{type: array, prefixItems: [{type: string}], items: false}",
        ),
        (
            "3.1",
            "{type: object, patternProperties: {'.*': {type: string}}}",
            "{type: object, additionalProperties: {type: string}}",
        ),
        // Conditions.
        (
            "3.1",
            "{type: object, properties: {a: {}, b: {}}, dependentRequired: {a: [b]}}",
            "{type: object, properties: {a: {}, b: {}}, dependentSchemas: {a: {required: [b]}}}",
        ),
        ("3.1", "{type: array, contains: true}", "{type: array, minItems: 1}"),
        ("3.1", "{type: array, contains: {}, minContains: 2}", "{type: array, minItems: 2}"),
        // Numbers and values.
        (BOTH, "{type: integer, minimum: 0.5}", "{type: integer, minimum: 1}"),
        (BOTH, "{type: integer, maximum: 2.5}", "{type: integer, maximum: 2}"),
        ("3.1", "{type: integer, minimum: 3, maximum: 3}", "{type: integer, const: 3}"),
        (BOTH, "{type: integer, minimum: 1, maximum: 3}", "{type: integer, enum: [1, 2, 3]}"),
        // Keywords without effect.
        ("3.1", "{type: array, items: {type: string}}", "{type: array, items: {type: string}, additionalItems: false}"),
        ("3.1", "{type: integer}", "{type: integer, contentMediaType: image/png}"),
    ]);
    assert_narrower(&[
        (
            "3.1",
            "{allOf: [{type: object, properties: {a: {type: string}}}, {properties: {b: {type: string}}}]}",
            "{allOf: [{type: object, properties: {a: {type: string}}}, {properties: {b: {type: string}}}], unevaluatedProperties: {type: string}}",
        ),
        (
            "3.1",
            "{type: object, properties: {a: {}, b: {}}}",
            "{type: object, properties: {a: {}, b: {}}, dependentSchemas: {a: {required: [b]}}}",
        ),
    ]);
}

#[test]
fn limit_that_all_listed_values_keep_to_is_wider_than_the_list() {
    assert_narrower(&[
        (BOTH, "{type: string, maxLength: 3}", "{type: string, enum: [USD, EUR]}"),
        (BOTH, "{type: string, minLength: 1}", "{type: string, enum: [abc]}"),
        (BOTH, "{type: string, pattern: '^[A-Z]{3}$'}", "{type: string, enum: [USD, EUR]}"),
        (BOTH, "{type: string, pattern: '^(a|b)\\d+$', maxLength: 4}", "{type: string, enum: [a1, b22]}"),
        (BOTH, "{type: integer, minimum: 1, maximum: 9}", "{type: integer, enum: [1, 2, 3]}"),
        ("3.1", "{type: number, exclusiveMinimum: 0}", "{type: number, enum: [0.5, 2]}"),
        ("3.1", "{type: string, minLength: 1}", "{type: string, const: abc}"),
        // Numbers of YAML are meant as strings.
        (BOTH, "{type: string, enum: [a, 4.1]}", "{type: string, enum: [a]}"),
    ]);
    // Values that do not keep to it are no longer accepted.
    for (base, revision) in [
        ("{type: string, enum: [USD, EURO]}", "{type: string, maxLength: 3}"),
        ("{type: string, enum: [USD, eur]}", "{type: string, pattern: '^[A-Z]{3}$'}"),
        ("{type: integer, enum: [1, 2, 30]}", "{type: integer, maximum: 9}"),
        // A pattern that cannot be read.
        ("{type: string, enum: [a]}", "{type: string, pattern: '(?<=x)a'}"),
    ] {
        let [(request, found), _] = levels("3.1.0", (&yaml(base), &json!({})), (&yaml(revision), &json!({})));
        assert_eq!(request, Level::Breaking, "{base} -> {revision}: {found:?}");
    }
}

#[test]
fn subtypes_of_what_is_sent_are_compared_as_what_is_sent() {
    let subtypes = |cat: &str, lion: &str| {
        json!({
            "Cat": yaml(&format!("{{allOf: [{{$ref: '#/components/schemas/Thing'}}, {{type: object, {cat}}}]}}")),
            "Lion": yaml(&format!("{{allOf: [{{$ref: '#/components/schemas/Cat'}}, {{type: object, {lion}}}]}}")),
        })
    };
    let parent =
        yaml("{type: object, properties: {t: {type: string}}, required: [t], discriminator: {propertyName: t}}");
    let plain = "properties: {c: {type: string}}";
    for stricter in ["properties: {c: {type: string}}, required: [c]", "properties: {c: {type: string, enum: [a]}}"] {
        for (base, revision) in
            [(subtypes(plain, plain), subtypes(stricter, plain)), (subtypes(plain, plain), subtypes(plain, stricter))]
        {
            let levels = |base: &Value, revision: &Value| {
                [in_request, in_response].map(|place| compare(&place(&parent, base), &place(&parent, revision)).wire)
            };
            let (forth, back) = (levels(&base, &revision), levels(&revision, &base));
            assert!(forth[0] == Level::Breaking && back[1] >= Level::Warning, "{stricter}: {forth:?}, back {back:?}");
            assert!(forth[1] <= Level::Info && back[0] <= Level::Info, "{stricter}: {forth:?}, back {back:?}");
        }
    }
}
