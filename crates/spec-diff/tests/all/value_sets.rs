//! Pairs of schemas of which the one takes the same values as the other, or fewer: as bodies, members, items and the like, in requests and
//! responses, in both directions.

use serde::Deserialize;
use serde_json::{Value, json};
use spec_diff::Level;

use crate::{
    rewrites::{self, found},
    support::{compare, in_request, in_response, line},
};

/// `pairs.yaml` describes what each means.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Identical,
    Same,
    Narrower,
    Restricted,
    Change,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    about: String,
    expect: Expected,
    #[serde(default)]
    versions: Vec<String>,
    pairs: Vec<[Value; 2]>,
}

/// Returns the locations in which a schema may be.
fn locations(schema: &Value) -> [(&'static str, Value); 6] {
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
    assert_eq!(groups.iter().map(|group| group.pairs.len()).sum::<usize>(), 128);
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
                expected => {
                    assert!(!versions.is_empty(), "{about}: no versions");
                    versions.iter().for_each(|version| assert_levels(about, expected, version, base, revision));
                }
            }
        }
    }
}

fn assert_levels(about: &str, expected: Expected, version: &str, old: &Value, new: &Value) {
    for ((location, base), (_, revision)) in locations(old).into_iter().zip(locations(new)) {
        let forth = levels(version, (&base, old), (&revision, new));
        let back = levels(version, (&revision, new), (&base, old));
        let what = format!("{about}, {version}, {location}: {base} -> {revision}: {forth:?}, back {back:?}");
        let ([request, response], [back_request, back_response]) =
            (forth.map(|(level, _)| level), back.map(|(level, _)| level));
        let is_same = expected == Expected::Same;
        let changes = if is_same { Level::None..=Level::Info } else { Level::Warning..=Level::Breaking };
        assert!(changes.contains(&request) && changes.contains(&back_response), "{what}");
        let is_promised = expected != Expected::Restricted;
        assert!(!is_promised || (response <= Level::Info && back_request <= Level::Info), "{what}");
    }
}
