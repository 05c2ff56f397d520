//! Nothing is passed over: what references, names and mappings lead to, what only components have, and what no check knows.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use spec_diff::{Files, Level, Options, Report, diff_with_files};

use crate::support::{compare, document, lines, yaml};

/// A document of 3.2 whose one operation responds with a schema, beside components.
fn responding(schema: &str, components: &str) -> Value {
    let content = json!({"application/json": {"schema": yaml(schema)}});
    let mut document = document(
        json!({"/a": {"get": {"responses": {"200": {"description": "ok", "content": content}}}}}),
        yaml(components),
    );
    document["openapi"] = json!("3.2.0");
    document
}

/// A document of 3.2 with an operation that uses no component.
fn unused(components: &str) -> Value {
    let mut document = document(yaml("{/z: {get: {responses: {204: {description: done}}}}}"), yaml(components));
    document["openapi"] = json!("3.2.0");
    document
}

/// Both directions are at least a warning, and the first has this finding.
fn assert_found(base: &Value, revision: &Value, expected: &str) {
    let report = compare(base, revision);
    assert!(lines(&report).iter().any(|line| line == expected), "{expected}: {:#?}\n{base:#}", lines(&report));
    let back = compare(revision, base);
    assert!(back.wire >= Level::Warning, "{:#?}\n{revision:#} -> {base:#}", lines(&back));
}

/// `KIND` stands for `string` before and for `integer` after.
fn assert_kind_is_found(make: impl Fn(&str) -> Value, expected: &str) {
    assert_found(&make("string"), &make("integer"), expected);
    let same = compare(&make("string"), &make("string"));
    assert_eq!(lines(&same), [""; 0], "{expected}");
}

#[test]
fn references_by_names_of_schemas_lead_to_changes() {
    let rows = [
        // A pointer below a schema with an `$id` begins there.
        (
            "{$id: 'https://x.example/car', properties: {w: {$ref: '#/$defs/w'}}, $defs: {w: {type: KIND}}}",
            "{}",
            "breaking response-property-type-changed",
        ),
        (
            "{$ref: '#/components/schemas/Car'}",
            "{schemas: {Car: {$id: 'https://x.example/car', properties: {w: {$ref: '#/$defs/w'}}, $defs: {w: {type: KIND}}}}}",
            "breaking response-property-type-changed",
        ),
        // Many documents mean their own root.
        (
            "{$ref: '#/components/schemas/Car'}",
            "{schemas: {Car: {$id: 'https://x.example/car', properties: {w: {$ref: '#/components/schemas/W'}}}, W: {type: KIND}}}",
            "breaking response-property-type-changed",
        ),
        (
            "{type: array, items: {$dynamicRef: '#item'}, $defs: {item: {$dynamicAnchor: item, type: KIND}}}",
            "{}",
            "breaking response-property-type-changed",
        ),
        // Which of them is meant depends on the way to the reference.
        (
            "{$ref: '#/components/schemas/Use'}",
            "{schemas: {A: {$anchor: x, type: string}, B: {$anchor: x, type: KIND}, Use: {properties: {p: {$ref: '#x'}}}}}",
            "warning unknown-change $ref #x, which is the name of several schemas",
        ),
        (
            "{$ref: '#/components/schemas/Use'}",
            "{schemas: {A: {$id: a, $dynamicAnchor: x}, B: {$id: b, $dynamicAnchor: x, type: KIND}, Use: {properties: {p: {$dynamicRef: '#x'}}}}}",
            "warning unknown-change $ref #x, which is the name of several schemas",
        ),
        // The same name in the schemas of two ids is not ambiguous.
        (
            "{$ref: '#/components/schemas/Use'}",
            "{schemas: {A: {$id: a, $anchor: x, type: string}, Use: {$id: b, properties: {p: {$ref: '#x'}}, $defs: {x: {$anchor: x, type: KIND}}}}}",
            "breaking response-property-type-changed",
        ),
    ];
    for (schema, components, expected) in rows {
        let with = |kind: &str| responding(&schema.replace("KIND", kind), &components.replace("KIND", kind));
        let report = compare(&with("string"), &with("integer"));
        let is_it = |line: &String| line.starts_with(expected);
        assert!(lines(&report).iter().any(is_it), "{expected}: {:#?}\n{schema} {components}", lines(&report));
        assert!(compare(&with("integer"), &with("string")).wire >= Level::Warning, "{schema} {components}");
        assert_eq!(lines(&compare(&with("string"), &with("string"))), [""; 0], "{schema} {components}");
    }
}

#[test]
fn media_types_of_components_are_followed() {
    let content = |kind: &str| {
        let mut document = responding("{}", &format!("{{mediaTypes: {{M: {{schema: {{type: {kind}}}}}}}}}"));
        document["paths"]["/a"]["get"]["responses"]["200"]["content"] =
            json!({"application/json": {"$ref": "#/components/mediaTypes/M"}});
        document
    };
    assert_kind_is_found(content, "breaking response-body-type-changed");
}

#[test]
fn components_that_nothing_uses_are_compared() {
    let rows = [
        ("{mediaTypes: {M: {schema: {type: KIND}}}}", "warning response-body-type-changed"),
        (
            "{requestBodies: {B: {content: {application/json: {schema: {type: KIND}}}}}}",
            "warning request-body-type-changed",
        ),
        (
            "{responses: {R: {description: d, content: {application/json: {schema: {type: KIND}}}}}}",
            "warning response-body-type-changed",
        ),
        ("{parameters: {P: {in: query, name: KIND}}}", "warning unknown-change"),
        (
            "{pathItems: {I: {get: {responses: {200: {description: ok, content: {application/json: {schema: {type: KIND}}}}}}}}}",
            "warning unknown-change",
        ),
        (
            "{callbacks: {K: {'{$request.body#/u}': {post: {requestBody: {content: {application/json: {schema: {type: KIND}}}}}}}}}",
            "warning unknown-change",
        ),
        ("{links: {L: {operationId: KIND}}}", "warning unknown-change"),
        // Also what they refer to.
        (
            "{pathItems: {I: {get: {responses: {200: {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}}}}}, schemas: {S: {type: KIND}}}",
            "warning unknown-change",
        ),
    ];
    for (components, expected) in rows {
        assert_kind_is_found(|kind| unused(&components.replace("KIND", kind)), expected);
        // Others may refer to what was removed.
        let report = compare(&unused(&components.replace("KIND", "string")), &unused("{schemas: {S: {type: string}}}"));
        assert!(lines(&report).contains(&"warning unknown-change".to_owned()), "{components}: {:#?}", lines(&report));
        // By themselves as well.
        let alone = |kind: &str| {
            let mut document = unused(&components.replace("KIND", kind));
            document.as_object_mut().unwrap().remove("paths");
            document
        };
        assert!(compare(&alone("string"), &alone("integer")).wire >= Level::Warning, "{components}");
    }
}

fn with_files(api: &Value, models: &Value, others: &Value, other_models: &Value) -> Report {
    let files = |models: &Value| Files {
        own: "api.yaml".to_owned(),
        others: BTreeMap::from([("models.yaml".to_owned(), models.clone())]),
    };
    diff_with_files((api, &files(models)), (others, &files(other_models)), &Options::default()).unwrap()
}

#[test]
fn anchors_and_mappings_lead_into_other_files() {
    let models =
        |kind: &str| yaml(&format!("{{$defs: {{Car: {{$anchor: car, properties: {{a: {{type: {kind}}}}}}}}}}}"));
    let (old, new) = (models("string"), models("integer"));
    let api = responding("{$ref: 'models.yaml#car'}", "{}");
    assert_eq!(lines(&with_files(&api, &old, &api, &new)), ["breaking response-property-type-changed a"]);
    let mapped = |target: &str| {
        responding(
            "{$ref: '#/components/schemas/Thing'}",
            &format!(
                "{{schemas: {{Thing: {{properties: {{k: {{type: string}}}}, discriminator: {{propertyName: k, mapping: {{car: '{target}'}}}}}}}}}}"
            ),
        )
    };
    let api = mapped("models.yaml#/$defs/Car");
    assert_eq!(lines(&with_files(&api, &old, &api, &new)), ["breaking response-property-type-changed a"]);
    assert_eq!(lines(&with_files(&api, &old, &api, &old)), [""; 0]);
    // The files are not there.
    let report = compare(&api, &api);
    assert_eq!(lines(&report), ["warning unknown-change $ref models.yaml#/$defs/Car, which was not followed"]);
    let report = compare(&api, &mapped("models.yaml#/$defs/Bus"));
    assert!(report.wire == Level::Breaking, "{:#?}", lines(&report));
}

#[test]
fn reference_that_is_not_followed_has_a_location_that_can_be_accepted() {
    let api = responding("{properties: {a: {$ref: 'gone.yaml#/A'}}}", "{}");
    let report = compare(&api, &api);
    let location = report.changes[0].members[0].location().expect("it has one");
    assert_eq!(location.pointer, "/paths/~1a/get/responses/200/content/application~1json/schema/properties/a");
}

#[test]
fn dialects_cookies_and_deprecated_schemes_are_compared() {
    let dialect = |name: &str| responding(&format!("{{$schema: '{name}', type: string}}"), "{}");
    let (usual, old) = ("https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#");
    assert_found(&dialect(usual), &dialect(old), "warning unknown-change $schema");
    assert_eq!(lines(&compare(&dialect(usual), &responding("{type: string}", "{}"))), [""; 0]);
    let cookie = |style: &str, kind: &str| {
        let mut document = unused("{}");
        document["paths"]["/z"]["get"]["parameters"] =
            json!([{"name": "c", "in": "cookie", "style": style, "schema": {"type": kind}}]);
        document
    };
    let expected = "warning request-parameter-style-changed c (cookie)";
    assert_found(&cookie("form", "string"), &cookie("cookie", "string"), expected);
    assert_eq!(lines(&compare(&cookie("form", "integer"), &cookie("cookie", "integer"))), [""; 0]);
    let scheme = |deprecated: bool| {
        unused(&format!("{{securitySchemes: {{k: {{type: apiKey, in: header, name: X, deprecated: {deprecated}}}}}}}"))
    };
    let report = compare(&scheme(false), &scheme(true));
    assert_eq!(lines(&report), ["info api-security-component-deprecated"]);
}

#[test]
fn schema_of_a_parameter_with_a_media_type_may_not_go_unnoticed() {
    let parameter = |media: &str| {
        let mut document = unused("{}");
        document["paths"]["/z"]["get"]["parameters"] =
            yaml(&format!("[{{name: q, in: query, content: {{application/json: {media}}}}}]"));
        document
    };
    assert_found(&parameter("{schema: {type: string}}"), &parameter("{}"), "warning unknown-change q (query)");
}

#[test]
fn part_of_the_wrong_type_is_found_also_if_unchanged() {
    for (paths, expected) in [
        ("[]", "warning unknown-change paths, which is not an object"),
        ("{/a: 5}", "warning unknown-change /a, which is not an object"),
        ("{/a: {get: 5}}", "warning unknown-change get, which is not an object"),
        ("{/a: {get: {responses: []}}}", "warning unknown-change responses, which is not an object"),
        ("{/a: {get: {parameters: {}, responses: {}}}}", "warning unknown-change parameters, which is not an array"),
    ] {
        let document = document(yaml(paths), json!({}));
        assert!(lines(&compare(&document, &document)).contains(&expected.to_owned()), "{paths}");
        let other = self::document(json!({}), json!({}));
        for (base, revision) in [(&document, &other), (&other, &document)] {
            assert!(lines(&compare(base, revision)).contains(&expected.to_owned()), "{paths}");
        }
    }
}

#[test]
fn difference_that_no_check_compares_is_an_unknown_change() {
    // A part of a form refers to a header, and nothing else does.
    let form = |kind: &str| {
        let mut document = unused(&format!("{{headers: {{H: {{schema: {{type: {kind}}}}}}}}}"));
        document["paths"]["/z"]["get"]["requestBody"] = yaml(
            "{content: {multipart/form-data: {schema: {type: object}, encoding: {f: {headers: {X: {$ref: '#/components/headers/H'}}}}}}}",
        );
        document
    };
    assert_kind_is_found(form, "warning unknown-change type");
    let hook = |text: &str| {
        let mut document = unused("{}");
        document["webhooks"] = yaml(&format!("{{w: {{post: {{responses: {{}}}}, {text}}}}}"));
        document
    };
    assert_found(&hook("surprise: 1"), &hook("surprise: 2"), "warning unknown-change");
}
