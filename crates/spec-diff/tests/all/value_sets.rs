//! Pairs of schemas of which the one takes the same values as the other, or fewer: as bodies, members, items and the like, in requests and
//! responses, in both directions.

use serde::Deserialize;
use serde_json::{Value, json};
use spec_diff::Level;

use crate::{
    rewrites::{self, found},
    support::{compare, in_request, in_response, line, yaml},
};

/// `pairs.yaml` describes what each means.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Identical,
    Same,
    Narrower,
    Change,
}

#[derive(Deserialize)]
struct Group {
    about: String,
    expect: Expected,
    #[serde(default)]
    versions: Vec<String>,
    pairs: Vec<[Value; 2]>,
}

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

#[test]
fn pairs_of_schemas_have_the_expected_levels() {
    let groups: Vec<Group> = serde_saphyr::from_str(include_str!("pairs.yaml")).unwrap();
    assert_eq!(groups.iter().map(|group| group.pairs.len()).sum::<usize>(), 118);
    for Group { about, expect, versions, pairs } in &groups {
        for [base, revision] in pairs {
            match *expect {
                Expected::Identical => {
                    let found = [found(base, revision), found(revision, base)];
                    assert_eq!(found, [[""; 0]; 2], "{about}: {base} -> {revision}");
                }
                Expected::Change => {
                    let levels = [(base, revision), (revision, base)].map(|(old, new)| rewrites::levels(old, new));
                    let most = levels.map(|(request, response)| request.max(response));
                    assert!(
                        most.iter().all(|level| *level >= Level::Warning),
                        "{about}: {base} -> {revision}: {most:?}"
                    );
                }
                Expected::Same | Expected::Narrower => {
                    let is_narrower = *expect == Expected::Narrower;
                    versions.iter().for_each(|version| assert_levels(about, is_narrower, version, base, revision));
                }
            }
        }
    }
}

fn assert_levels(about: &str, is_narrower: bool, version: &str, old: &Value, new: &Value) {
    for ((place, base), (_, revision)) in places(old).into_iter().zip(places(new)) {
        let forth = levels(version, (&base, old), (&revision, new));
        let back = levels(version, (&revision, new), (&base, old));
        let what = format!("{about}, {version}, {place}: {base} -> {revision}: {forth:?}, back {back:?}");
        let ([request, response], [back_request, back_response]) =
            (forth.map(|(level, _)| level), back.map(|(level, _)| level));
        let changes = if is_narrower { Level::Warning..=Level::Breaking } else { Level::None..=Level::Info };
        assert!(changes.contains(&request) && response <= Level::Info, "{what}");
        assert!(back_request <= Level::Info && changes.contains(&back_response), "{what}");
    }
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
}

#[test]
fn listed_value_beyond_a_new_limit_is_no_longer_accepted() {
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
