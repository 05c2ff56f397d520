//! Changes of schemas: each row is the same edit in what callers send and in what they receive.

use serde_json::json;
use spec_diff::{Level, Report};

use crate::support::{compare, in_request, in_response, lines, table, yaml};

/// Lists the findings of each change, in requests and in responses.
fn changes(rows: &[(&str, &str)]) -> String {
    table(rows, found)
}

fn found(base: &str, revision: &str) -> Vec<String> {
    reports(base, revision).iter().flat_map(lines).collect()
}

fn reports(base: &str, revision: &str) -> [Report; 2] {
    let (old, new, none) = (yaml(base), yaml(revision), json!({}));
    [in_request, in_response].map(|place| compare(&place(&old, &none), &place(&new, &none)))
}

fn union(keyword: &str, parts: &[&str]) -> &'static str {
    format!("{{{keyword}: [{}]}}", parts.join(", ")).leak()
}

fn one(parts: &[&str]) -> &'static str {
    union("oneOf", parts)
}

fn any(parts: &[&str]) -> &'static str {
    union("anyOf", parts)
}

fn all(parts: &[&str]) -> &'static str {
    union("allOf", parts)
}

#[test]
fn added_removed_and_required_properties() {
    insta::assert_snapshot!(changes(&[
        ("{properties: {a: {type: string}}}", "{properties: {a: {type: string}, b: {type: string}}}"),
        ("{properties: {a: {type: string}}}", "{properties: {a: {type: string}, b: {type: string}}, required: [b]}"),
        (
            "{properties: {a: {type: string}}}",
            "{properties: {a: {type: string}, b: {type: string, default: x}}, required: [b]}",
        ),
        ("{properties: {a: {type: string}, b: {type: string}}}", "{properties: {a: {type: string}}}"),
        ("{properties: {a: {type: string}, b: {type: string}}, required: [b]}", "{properties: {a: {type: string}}}"),
        (
            "{properties: {a: {type: string}, b: {type: string}}, additionalProperties: false}",
            "{properties: {a: {type: string}}, additionalProperties: false}",
        ),
        ("{properties: {a: {type: string}}}", "{properties: {a: {type: string}}, required: [a]}"),
        (
            "{properties: {a: {type: string, default: x}}}",
            "{properties: {a: {type: string, default: x}}, required: [a]}",
        ),
        ("{properties: {a: {type: string}}, required: [a]}", "{properties: {a: {type: string}}}"),
        // A name that no property describes is a slip, or nothing that a typed client could send.
        ("{type: object, required: [a]}", "{type: object, required: [a, b]}"),
    ]));
}

#[test]
fn types_formats_and_null() {
    insta::assert_snapshot!(changes(&[
        ("{type: string}", "{type: boolean}"),
        ("{type: integer}", "{type: number}"),
        ("{type: number}", "{type: integer}"),
        ("{type: integer, format: int32}", "{type: integer, format: int64}"),
        ("{type: string, format: date-time}", "{type: string, format: date}"),
        ("{oneOf: [{type: string}, {type: integer}]}", "{type: string}"),
        ("{}", "{type: string}"),
        ("{type: array, items: {type: string}}", "{type: object, properties: {items: {type: array}}}"),
        ("{properties: {a: {type: string}}}", "{properties: {a: {type: string, nullable: true}}}"),
        ("{properties: {a: {oneOf: [{type: string}, {type: 'null'}]}}}", "{properties: {a: {type: string}}}"),
        ("{type: string, contentEncoding: base64}", "{type: string, contentEncoding: base64url}"),
    ]));
}

#[test]
fn contradictory_schemas_are_compared() {
    insta::assert_snapshot!(changes(&[(
        "{allOf: [{type: object, properties: {a: {type: string}}}, {type: object}]}",
        "{allOf: [{type: string, properties: {a: {type: string}}}, {type: object}]}"
    )]));
}

#[test]
fn enums_and_constants() {
    insta::assert_snapshot!(changes(&[
        ("{enum: [a]}", "{enum: [b, a]}"),
        ("{enum: [a, b]}", "{enum: [a]}"),
        ("{type: string}", "{type: string, enum: [a]}"),
        ("{type: string, enum: [a]}", "{type: string}"),
        ("{type: string, x-extensible-enum: [a]}", "{type: string, x-extensible-enum: [b]}"),
        ("{const: a}", "{const: b}"),
        ("{type: string}", "{type: string, const: b}"),
        ("{type: string, const: b}", "{type: string}"),
    ]));
}

#[test]
fn limits() {
    insta::assert_snapshot!(changes(&[
        ("{type: string, maxLength: 5}", "{type: string, maxLength: 4}"),
        ("{type: integer, maximum: 5}", "{type: integer, maximum: 6}"),
        ("{type: array, minItems: 1}", "{type: array, minItems: 2}"),
        ("{type: integer, minimum: 1}", "{type: integer}"),
        ("{type: integer}", "{type: integer, exclusiveMaximum: 9}"),
        ("{type: integer, multipleOf: 6}", "{type: integer, multipleOf: 3}"),
        ("{type: integer, multipleOf: 6}", "{type: integer, multipleOf: 4}"),
        ("{type: array}", "{type: array, uniqueItems: true}"),
        ("{type: string}", "{type: string, pattern: a+}"),
        ("{type: string, pattern: a}", "{type: string, pattern: b}"),
        ("{type: string, pattern: a}", "{type: string, pattern: '.*'}"),
        ("{type: string, pattern: a}", "{type: string}"),
    ]));
}

#[test]
fn alternatives() {
    const CAT: &str = "{type: object, title: Cat, properties: {claws: {type: integer}}}";
    const DOG: &str = "{type: object, title: Dog, properties: {teeth: {type: integer}}}";
    const FISH: &str = "{type: object, title: Fish, properties: {fins: {type: integer}}}";
    insta::assert_snapshot!(changes(&[
        (one(&[CAT, DOG]), one(&[DOG, CAT])),
        (one(&[CAT, DOG]), one(&[CAT, DOG, FISH])),
        (one(&[CAT, DOG, FISH]), one(&[CAT, DOG])),
        (any(&[CAT, DOG]), any(&[CAT, DOG, FISH])),
        // A type that no alternative had is news whatever `anyOf` says.
        (any(&[CAT, DOG]), any(&[CAT, DOG, "{type: string, maxLength: 3}"])),
        (CAT, one(&[DOG, CAT])),
        (CAT, one(&[DOG, FISH])),
        (one(&[DOG, FISH]), CAT),
        (one(&["{enum: [a]}", "{enum: [b]}"]), "{type: string, enum: [a, b]}"),
    ]));
}

#[test]
fn added_and_removed_parts_of_an_all_of() {
    const A: &str = "{type: object, title: A, properties: {a: {type: string}}}";
    const B: &str = "{type: object, title: B, properties: {b: {type: string}}}";
    const OTHER_A: &str = "{type: object, title: O, properties: {a: {type: string, minLength: 0}}}";
    const LONG_A: &str = "{type: object, title: L, properties: {a: {type: string, minLength: 2}}}";
    insta::assert_snapshot!(changes(&[
        // What says nothing new adds nothing.
        (all(&[A, B]), all(&[A, B, OTHER_A])),
        (all(&[A, B, OTHER_A]), all(&[A, B])),
        (all(&[A, B]), all(&[A, B, LONG_A])),
        (all(&[A, B, LONG_A]), all(&[A, B])),
        // A part of new optional properties does not restrict what callers send.
        (all(&[A, OTHER_A]), all(&[A, OTHER_A, B])),
    ]));
}

#[test]
fn discriminators() {
    let shape = |discriminator: &str| {
        let variants = "oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]";
        yaml(&format!("{{{variants}, discriminator: {discriminator}}}"))
    };
    let pets =
        yaml("{Cat: {properties: {k: {type: string}}}, Dog: {properties: {k: {type: string}, t: {type: string}}}}");
    for (base, revision, expected) in [
        ("{propertyName: k}", "{propertyName: k, mapping: {Cat: Cat}}", None),
        ("{propertyName: k}", "{propertyName: t}", Some("breaking response-body-discriminator-property-name-changed")),
        (
            "{propertyName: k, mapping: {c: Cat, d: Dog}}",
            "{propertyName: k, mapping: {c: Dog, d: Dog}}",
            Some("breaking response-body-discriminator-mapping-changed c"),
        ),
    ] {
        let found = lines(&compare(&in_response(&shape(base), &pets), &in_response(&shape(revision), &pets)));
        assert_eq!(found.first().map(String::as_str), expected, "{base} -> {revision}");
    }
}

#[test]
fn discriminator_value_has_the_levels_of_an_enum_value() {
    let parent =
        yaml("{type: object, properties: {k: {type: string}}, required: [k], discriminator: {propertyName: k}}");
    let cat = yaml("{allOf: [{$ref: '#/components/schemas/Thing'}, {type: object}]}");
    let (one, two) = (json!({"Cat": cat}), json!({"Cat": cat, "Dog": cat}));
    let request = |base, revision| compare(&in_request(&parent, base), &in_request(&parent, revision)).wire;
    let response = |base, revision| compare(&in_response(&parent, base), &in_response(&parent, revision)).wire;
    assert_eq!((request(&one, &two), response(&one, &two)), (Level::Info, Level::Warning));
    assert_eq!((request(&two, &one), response(&two, &one)), (Level::Breaking, Level::Info));
}

#[test]
fn union_beside_members_that_is_reduced_to_one_alternative_has_fewer_values() {
    let others = yaml(
        "{E: {type: object, properties: {e: {type: string}}, required: [e]}, P: {type: object, properties: {p: {type: string}}, required: [p]}, Q: {type: object, properties: {q: {type: string}}, required: [q]}}",
    );
    let all_of = |second: &str| yaml(&format!("{{allOf: [{{$ref: '#/components/schemas/E'}}, {second}]}}"));
    let (p, q) = ("{$ref: '#/components/schemas/P'}", "{$ref: '#/components/schemas/Q'}");
    for union in ["anyOf", "oneOf"] {
        let (both, one) = (all_of(&format!("{{{union}: [{p}, {q}]}}")), all_of(p));
        let wire = |place: fn(&serde_json::Value, &serde_json::Value) -> serde_json::Value, base, revision| {
            compare(&place(base, &others), &place(revision, &others)).wire
        };
        assert_eq!(wire(in_response, &both, &one), Level::Info, "{union}");
        assert_eq!(wire(in_request, &both, &one), Level::Breaking, "{union}");
        // The member that the alternative required is no longer one of all.
        assert_eq!(wire(in_request, &one, &both), Level::Warning, "{union}");
        assert_eq!(wire(in_response, &one, &both), Level::Breaking, "{union}");
    }
}

#[test]
fn subtypes_of_a_discriminator_are_compared_where_the_parent_is_used() {
    let pets = |child: &str, mapping: &str, kind: &str| {
        let parent = format!(
            "{{type: object, properties: {{kind: {{type: string}}}}, discriminator: {{propertyName: kind{mapping}}}}}"
        );
        let others = json!({
            "Pet": yaml(&parent),
            child: {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"properties": {"meows": {"type": kind}}}]},
        });
        in_response(&yaml("{$ref: '#/components/schemas/Pet'}"), &others)
    };
    let to = |child: &str| format!(", mapping: {{cat: '#/components/schemas/{child}'}}");
    let rows = [
        (("Cat", to("Cat"), "integer"), vec![]),
        (("Cat", to("Cat"), "number"), vec!["breaking response-property-type-generalized meows"]),
        // The value on the wire is the mapping's, whatever the component is called.
        (("Lynx", to("Lynx"), "integer"), vec![]),
        (
            ("Cat", String::new(), "integer"),
            vec![
                "breaking response-body-discriminator-mapping-deleted cat",
                "warning response-body-discriminator-mapping-added Cat",
            ],
        ),
    ];
    for ((child, mapping, kind), expected) in rows {
        let report = compare(&pets("Cat", &to("Cat"), "integer"), &pets(child, &mapping, kind));
        let found: Vec<_> = lines(&report).into_iter().filter(|line| !line.starts_with("info")).collect();
        assert_eq!(found, expected, "{child} {mapping} {kind}");
    }
    // Without a mapping the names of the components are on the wire.
    let report = compare(&pets("Cat", "", "integer"), &pets("Lynx", "", "integer"));
    assert!(lines(&report).contains(&"breaking response-body-discriminator-mapping-deleted Cat".to_owned()));
}

#[test]
fn renamed_alternative_without_a_mapping_has_another_value_on_the_wire() {
    let either = |first: &str, mapping: &str| {
        let of = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let mut union = json!({"oneOf": [of(first), of("B")], "discriminator": {"propertyName": "k"}});
        if !mapping.is_empty() {
            union["discriminator"]["mapping"] = json!({ mapping: format!("#/components/schemas/{first}") });
        }
        let member = |name: &str| {
            yaml(&format!(
                "{{type: object, required: [k, {name}], properties: {{k: {{type: string}}, {name}: {{type: string}}}}}}"
            ))
        };
        in_response(&union, &json!({first: member("a"), "B": member("b")}))
    };
    let found = |base: &serde_json::Value, revision: &serde_json::Value| {
        let lines = lines(&compare(base, revision));
        lines.into_iter().filter(|line| !line.starts_with("info")).collect::<Vec<_>>()
    };
    let renamed = found(&either("A", ""), &either("A2", ""));
    assert!(renamed.contains(&"breaking response-body-discriminator-mapping-deleted A".to_owned()), "{renamed:?}");
    assert_eq!(found(&either("A", "x"), &either("A2", "x")), [""; 0], "the mapping has the value");
    assert_eq!(found(&either("A", ""), &either("A", "")), [""; 0]);
}

#[test]
fn maps_and_closed_objects() {
    insta::assert_snapshot!(changes(&[
        ("{type: object}", "{type: object, additionalProperties: false}"),
        ("{type: object, additionalProperties: false}", "{type: object}"),
        ("{type: object, additionalProperties: {type: string}}", "{type: object}"),
        (
            "{type: object, additionalProperties: {type: string}}",
            "{type: object, additionalProperties: {type: integer}}",
        ),
        ("{type: object, additionalProperties: true}", "{type: object}"),
        (
            // Nothing was promised beside the listed properties; but what callers echo may be rejected.
            "{type: object, properties: {a: {}}}",
            "{type: object, properties: {a: {}}, additionalProperties: false}",
        ),
        (
            "{type: object, properties: {a: {}}, additionalProperties: true}",
            "{type: object, properties: {a: {}}, additionalProperties: false}",
        ),
    ]));
}

#[test]
fn conditions_of_3_1() {
    insta::assert_snapshot!(changes(&[
        ("{type: object}", "{type: object, dependentRequired: {a: [b]}}"),
        ("{type: object, dependentRequired: {a: [b]}}", "{type: object, dependentRequired: {a: [c]}}"),
        ("{type: array, contains: {type: string}}", "{type: array}"),
        ("{not: {type: string}}", "{not: {type: integer}}"),
        ("{type: string, made-up: 1}", "{type: string, made-up: 2}"),
        (
            "{type: array, prefixItems: [{type: string}]}",
            "{type: array, prefixItems: [{type: string}, {type: string}]}",
        ),
        // After the last item of a closed list came nothing, after that of an open one anything.
        (
            "{type: array, prefixItems: [{type: string}], items: false}",
            "{type: array, prefixItems: [{type: string}, {type: string}], items: false}",
        ),
        ("{type: array, prefixItems: [{type: string}]}", "{type: array, prefixItems: [{type: string}], items: false}"),
        ("{type: array, items: false}", "{type: array, items: {type: string}}"),
        ("{not: {enum: [a]}}", "{not: {enum: [a, b]}}"),
        ("{not: {type: number}}", "{not: {type: integer}}"),
        ("{type: string}", "{type: string, not: {}}"),
        ("{properties: {a: {type: string}}}", "{properties: {a: false}}"),
        ("{properties: {a: {not: {}}}}", "{properties: {a: {type: string}}}"),
    ]));
}

/// Each part of an `allOf` may have one of its own, and the last one is not the only one.
#[test]
fn several_conditions_of_one_keyword_are_all_compared() {
    let all = |parts: &str| all(&[parts]);
    let when = |kind: &str, then: &str| {
        format!("{{if: {{properties: {{k: {{const: {kind}}}}}}}, then: {{required: [{then}]}}}}")
    };
    insta::assert_snapshot!(changes(&[
        (
            all(&format!("{}, {}", when("bank", "iban"), when("card", "pan"))),
            all(&format!("{}, {}", when("card", "pan"), when("bank", "bic")))
        ),
        (all(&when("bank", "iban")), all(&format!("{}, {}", when("card", "pan"), when("bank", "iban")))),
        (all("{not: {const: a}}, {not: {const: b}}"), all("{not: {const: c}}, {not: {const: b}}")),
        (all("{pattern: a}, {pattern: b}"), all("{pattern: c}, {pattern: b}")),
        (all("{type: string}, {pattern: a}, {pattern: b}"), all("{type: string}, {pattern: b, minLength: 0}")),
        (all("{multipleOf: 2}, {multipleOf: 3}"), all("{multipleOf: 2}, {multipleOf: 9}")),
        (all("{multipleOf: 0.2}, {multipleOf: 0.3}"), "{multipleOf: 0.6}"),
        (
            all("{dependentRequired: {a: [b]}}, {dependentRequired: {a: [c]}}"),
            all("{dependentRequired: {a: [b]}}, {dependentRequired: {a: [c, d]}}")
        ),
        (
            all("{contentEncoding: base64}, {contentMediaType: image/png}"),
            all("{contentEncoding: base64}, {contentMediaType: image/gif}")
        ),
    ]));
}

/// Whether null is one of the alternatives is asked of all of them together.
#[test]
fn null_among_alternatives() {
    const NULL: &str = "{anyOf: [{type: string}, {type: array, items: {type: string}}, {type: 'null'}]}";
    const TWO: &str = "{anyOf: [{type: string}, {type: array, items: {type: string}}]}";
    for null in [
        NULL,
        "{anyOf: [{type: string}, {type: array, items: {type: string}}], nullable: true}",
        "{anyOf: [{type: string}, {type: array, items: {type: string}, nullable: true}]}",
        "{anyOf: [{type: string}, {type: [array, 'null'], items: {type: string}}]}",
        "{anyOf: [{type: string}, {type: array, items: {type: string}}, {const: null}]}",
        "{anyOf: [{type: string}, {type: array, items: {type: string}}, {enum: [null]}]}",
        "{anyOf: [{type: string}, {anyOf: [{type: array, items: {type: string}}, {type: 'null'}]}]}",
    ] {
        let both = |id: &str, levels: [&str; 2]| {
            [format!("{} request-body-became-{id}", levels[0]), format!("{} response-body-became-{id}", levels[1])]
        };
        assert_eq!(found(TWO, null), both("nullable", ["info", "breaking"]), "{null}");
        assert_eq!(found(null, TWO), both("not-nullable", ["breaking", "info"]), "{null}");
        assert_eq!([found(NULL, null), found(null, NULL)], [[""; 0]; 2], "{null}");
    }
    insta::assert_snapshot!(changes(&[
        (NULL, "{type: [string, 'null']}"),
        ("{type: [string, 'null']}", NULL),
        ("{type: [string, 'null']}", "{}"),
        ("{}", "{type: [string, 'null']}"),
    ]));
}

#[test]
fn formats_that_change_no_value_break_nothing() {
    insta::assert_snapshot!(changes(&[
        ("{type: integer}", "{type: integer, format: int64}"),
        ("{type: number, format: double}", "{type: number}"),
        ("{type: integer, format: int64}", "{type: integer, format: unixtime}"),
        ("{type: string}", "{type: string, format: uri}"),
        ("{type: string, format: iban}", "{type: string}"),
        // These have values of their own.
        ("{type: string}", "{type: string, format: uuid}"),
        ("{type: string, format: uuid}", "{type: string, format: uri}"),
        ("{type: integer}", "{type: integer, format: int32}"),
    ]));
}

#[test]
fn bounds_are_compared_by_the_values_they_allow() {
    insta::assert_snapshot!(changes(&[
        ("{type: integer, exclusiveMinimum: 0}", "{type: integer, minimum: 1}"),
        ("{type: number, exclusiveMinimum: 0}", "{type: number, minimum: 1}"),
        ("{type: number, maximum: 5}", "{type: number, exclusiveMaximum: 5}"),
        ("{type: number, maximum: 5, exclusiveMaximum: 9}", "{type: number, maximum: 5.0}"),
    ]));
}

/// A value that the one form takes and the other does not decides, not how many alternatives there are.
#[test]
fn alternatives_are_compared_by_the_values_they_allow() {
    const AB: &str = "{type: object, properties: {a: {type: string}, b: {type: string}}, required: [a, b]}";
    const A: &str = "{type: object, properties: {a: {type: string}, b: {type: string}}, required: [a]}";
    const B: &str = "{type: object, properties: {a: {type: string}, b: {type: string}}, required: [b]}";
    let rows: &[(&str, &str)] = &[
        // Values with both members fit both.
        (AB, one(&[A, B])),
        (any(&[A, B]), one(&[A, B])),
        (one(&[A, B]), any(&[A, B])),
        (any(&["{type: string, maxLength: 3}", A]), one(&["{type: string, maxLength: 3}", A])),
        (any(&["{type: string}", "{type: string, enum: [a]}"]), "{type: string}"),
        ("{type: string}", any(&["{type: string}", "{type: string, enum: [a]}"])),
        ("{type: object}", one(&[A, "{type: object, required: [c], properties: {c: {type: string}}}"])),
        (
            "{type: object, properties: {a: {type: string}}, required: [a]}",
            "{type: object, properties: {a: {type: string}, c: {type: string}}, anyOf: [{required: [a]}, {required: [c]}]}",
        ),
        (
            one(&[A, "{type: integer, maximum: 5}"]),
            &format!("{{type: [object, integer], {}", &one(&[A, "{type: integer, maximum: 5}"])[1..]),
        ),
        // Of the same title, or with all that the other has, it is the same alternative that grew.
        (
            any(&["{type: object, title: O, properties: {}}", "{enum: ['']}"]),
            any(&["{type: object, title: O, properties: {a: {type: string}}}", "{enum: ['']}"]),
        ),
        (
            any(&["{type: object, properties: {a: {type: string}}}", "{enum: ['']}"]),
            any(&[
                "{type: object, properties: {a: {type: string}, b: {type: string}, c: {type: string}}}",
                "{enum: ['']}",
            ]),
        ),
        // A member with one value distinguishes alternatives, whatever else they have in common.
        (
            one(&["{properties: {k: {const: a}, x: {type: string}}, required: [k]}", "{type: string, maxLength: 3}"]),
            one(&["{properties: {k: {const: b}, x: {type: string}}, required: [k]}", "{type: string, maxLength: 3}"]),
        ),
    ];
    let levels = |base: &str, revision: &str| reports(base, revision).map(|report| report.wire.to_string()).to_vec();
    insta::assert_snapshot!(table(rows, levels));
}

#[test]
fn defaults_deprecation_and_direction_of_properties() {
    insta::assert_snapshot!(changes(&[
        ("{properties: {a: {type: string, default: x}}}", "{properties: {a: {type: string, default: y}}}"),
        ("{properties: {a: {type: string}}}", "{properties: {a: {type: string, deprecated: true}}}"),
        (
            "{properties: {a: {type: string}}}",
            "{properties: {a: {type: string, deprecated: true, x-sunset: '2027-01-31'}}}",
        ),
        (
            "{properties: {a: {type: string, deprecated: true, x-sunset: '2027-01-31'}}}",
            "{properties: {a: {type: string, deprecated: true, x-sunset: '2027-01-30'}}}",
        ),
        ("{properties: {a: {type: string}}}", "{properties: {a: {type: string, readOnly: true}}}"),
        // What is not sent can change as it likes; it is still listed.
        ("{properties: {a: {type: string, readOnly: true}}}", "{properties: {a: {type: integer, readOnly: true}}}"),
        ("{properties: {a: {type: string, writeOnly: true}}, required: [a]}", "{properties: {}}"),
    ]));
}

#[test]
fn null_alone_is_a_type_with_one_value() {
    let own = |schema: &str| format!("{{properties: {{a: {schema}}}}}");
    for (base, revision, request, response) in [
        (
            "{type: [string, 'null']}",
            "{type: 'null'}",
            &["breaking request-property-type-specialized a"][..],
            &["info response-property-type-specialized a"][..],
        ),
        (
            "{}",
            "{type: ['null']}",
            &["breaking request-property-type-specialized a"],
            &["info response-property-type-specialized a"],
        ),
        (
            "{type: 'null'}",
            "{type: [string, 'null']}",
            &["info request-property-type-generalized a"],
            &["breaking response-property-type-generalized a"],
        ),
        ("{type: 'null'}", "{const: null}", &[], &[]),
    ] {
        let (old, new, none) = (yaml(&own(base)), yaml(&own(revision)), json!({}));
        let document = |mut document: serde_json::Value| {
            document["openapi"] = json!("3.1.0");
            document
        };
        let found = compare(&document(in_request(&old, &none)), &document(in_request(&new, &none)));
        assert_eq!(lines(&found), request, "in requests: {base} -> {revision}");
        let found = compare(&document(in_response(&old, &none)), &document(in_response(&new, &none)));
        assert_eq!(lines(&found), response, "in responses: {base} -> {revision}");
    }
}

#[test]
fn schema_around_an_all_of_is_not_a_part_of_it() {
    let others = yaml("{Ref: {type: object, properties: {id: {type: string}}}}");
    let (old, new) = (
        yaml("{type: object, allOf: [{$ref: '#/components/schemas/Ref'}]}"),
        yaml(
            "{type: object, allOf: [{$ref: '#/components/schemas/Ref'}], properties: {id: {}}, additionalProperties: false}",
        ),
    );
    let report = compare(&in_request(&old, &others), &in_request(&new, &others));
    assert_eq!(lines(&report), ["breaking request-body-additional-properties-closed"]);
}

#[test]
fn alternative_that_is_divided_is_removed_and_its_parts_are_not_new() {
    let none = json!({});
    let whole = yaml("{anyOf: [{type: string}, {type: object, properties: {eq: {type: string}, gt: {type: string}}}]}");
    let part = |name: &str| {
        format!(
            "{{type: object, properties: {{{name}: {{type: string}}}}, required: [{name}], additionalProperties: false}}",
        )
    };
    let parts = yaml(&format!("{{oneOf: [{{type: string}}, {}, {}]}}", part("eq"), part("gt")));
    let request = |old: &_, new: &_| lines(&compare(&in_request(old, &none), &in_request(new, &none)));
    let response = |old: &_, new: &_| lines(&compare(&in_response(old, &none), &in_response(new, &none)));
    let found = [request(&whole, &parts), response(&whole, &parts), request(&parts, &whole), response(&parts, &whole)];
    assert_eq!(
        found,
        [
            ["breaking request-body-any-of-removed", "none request-body-one-of-added"],
            ["info response-body-any-of-removed", "none response-body-one-of-added"],
            ["info request-body-any-of-added", "none request-body-one-of-removed"],
            ["warning response-body-any-of-added", "none response-body-one-of-removed"],
        ]
    );
}
