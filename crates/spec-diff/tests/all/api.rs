//! Contents of findings, options, and documents of several files.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use spec_diff::{Direction, Files, Level, Options, Owner, Role, diff, diff_with_files};

use crate::support::{compare, document, in_response, line, lines, yaml};

/// A document with one operation `GET /a` of these members.
fn operation(members: &str) -> Value {
    let mut operation = yaml(members);
    if operation.get("responses").is_none() {
        operation["responses"] = json!({"204": {"description": "done"}});
    }
    document(json!({"/a": {"get": operation}}), json!({}))
}

#[test]
fn shared_component_is_one_finding_with_operations_and_roles() {
    let document = |age: &str| {
        let user = yaml("{content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}");
        let list =
            yaml("{content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/User'}}}}}");
        document(
            json!({"/users": {"post": {"requestBody": user, "responses": {"200": user}}, "get": {"responses": {"200": list}}}}),
            json!({"schemas": {"User": {"properties": {"age": yaml(age), "boss": {"$ref": "#/components/schemas/User"}}}}}),
        )
    };
    let report = compare(&document("{type: integer, format: int32}"), &document("{type: integer, format: int64}"));
    assert_eq!(lines(&report), ["breaking response-property-type-generalized age"]);
    let change = &report.changes[0];
    assert_eq!(change.owner, Owner::Component { section: "schemas".into(), name: "User".into() });
    assert_eq!(change.direction, Direction::Both);
    assert_eq!(change.operations.iter().map(ToString::to_string).collect::<Vec<_>>(), ["GET /users", "POST /users"]);
    assert_eq!(change.roles, [Role::Request, Role::Response]);
    assert_eq!(change.members[0].base.as_ref().unwrap().pointer, "/components/schemas/User/properties/age");
    assert_eq!(
        change.message,
        "User, in requests and responses: age (integer/int32 → integer/int64): more values fit: another type too, or a wider format"
    );
    assert_eq!(report.operations.iter().map(|operation| operation.level).max(), Some(Level::Breaking));
}

#[test]
fn a_new_name_for_the_same_component_is_recognised_and_harmless() {
    let document = |name: &str, kind: &str| {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let response = json!({"content": {"application/json": {"schema": {"type": "array", "items": schema}}}});
        document(
            json!({"/a": {"get": {"responses": {"200": response}}}}),
            json!({"schemas": {name: {"properties": {"a": {"type": kind}}}}}),
        )
    };
    let report = compare(&document("Old", "string"), &document("New", "string"));
    assert_eq!(report.changes.iter().map(line).collect::<Vec<_>>(), ["none api-schema-renamed"]);
    let report = compare(&document("Old", "string"), &document("New", "integer"));
    assert_eq!(lines(&report), ["breaking response-property-type-changed a"]);
}

#[test]
fn options_set_levels() {
    let schema = |text: &str| in_response(&yaml(text), &json!({}));
    let level = |base: &str, revision: &str, options: Options| {
        diff(&schema(base), &schema(revision), &options).unwrap().changes[0].level
    };
    let (small, large) = ("{type: string, enum: [a]}", "{type: string, enum: [a, b]}");
    assert_eq!(level(small, large, Options::default()), Level::Warning);
    assert_eq!(level(small, large, Options { open_enums: false, ..Options::default() }), Level::Breaking);
    let by_rule = Options { levels: [("enum-value-added".into(), Level::Info)].into(), ..Options::default() };
    assert_eq!(level(small, large, by_rule.clone()), Level::Info);
    let mut by_id = by_rule;
    by_id.levels.insert("response-body-enum-value-added".into(), Level::None);
    assert_eq!(level(small, large, by_id), Level::None);
    let (short, long) = ("{type: string, maxLength: 1}", "{type: string, maxLength: 2}");
    assert_eq!(level(short, long, Options { validates_limits: true, ..Options::default() }), Level::Breaking);
    let header = |text: &str| operation(&format!("{{responses: {{200: {{headers: {text}}}}}}}"));
    let options = Options { exposes_headers: false, ..Options::default() };
    let report = diff(&header("{A: {required: true}}"), &header("{}"), &options).unwrap();
    assert_eq!(lines(&report), ["info required-response-header-removed A"]);
    let options = Options { ignored_extensions: vec!["x-doc*".into()], ..Options::default() };
    let report = diff(&operation("{x-docs: 1}"), &operation("{x-docs: 2, x-other: 1}"), &options).unwrap();
    assert_eq!(lines(&report), ["none extension-changed x-other"]);
}

#[test]
fn message_names_the_changed_members() {
    let unused = |kind: &str| {
        let schemas = format!("{{schemas: {{Order: {{properties: {{id: {{type: {kind}}}}}}}}}}}");
        let mut document = operation("{}");
        document["components"] = yaml(&schemas);
        document
    };
    let report = compare(&unused("string"), &unused("integer"));
    assert!(report.changes[0].message.ends_with("(no operation refers to it)"), "{}", report.changes[0].message);
    let mut served = operation("{}");
    served["servers"] = json!([{"url": "https://a"}]);
    let report = compare(&served, &operation("{}"));
    assert!(report.changes[0].message.starts_with("the API: https://a → /: "), "{}", report.changes[0].message);
}

/// A document of 3.2, with which `models.yaml` is read.
fn in_files(schema: &str) -> Value {
    let mut document = in_response(&yaml(schema), &json!({}));
    document["openapi"] = json!("3.2.0");
    document
}

#[test]
fn anchors_and_mappings_lead_into_other_files() {
    let models = |kind: &str| {
        let model = yaml(&format!("{{$defs: {{Car: {{$anchor: car, properties: {{a: {{type: {kind}}}}}}}}}}}"));
        Files { own: "api.yaml".to_owned(), others: BTreeMap::from([("models.yaml".to_owned(), model)]) }
    };
    let (old, new) = (models("string"), models("integer"));
    let found = |api: &Value, revision: &Files| {
        lines(&diff_with_files((api, &old), (api, revision), &Options::default()).unwrap())
    };
    let mapped = |target: &str| {
        in_files(&format!(
            "{{properties: {{k: {{type: string}}}}, discriminator: {{propertyName: k, mapping: {{car: '{target}'}}}}}}"
        ))
    };
    for api in [in_files("{$ref: 'models.yaml#car'}"), mapped("models.yaml#/$defs/Car")] {
        assert_eq!(found(&api, &new), ["breaking response-property-type-changed a"]);
        assert_eq!(found(&api, &old), [""; 0]);
    }
    // The files are not there.
    let api = mapped("models.yaml#/$defs/Car");
    let report = compare(&api, &api);
    assert_eq!(lines(&report), ["warning unknown-change $ref models.yaml#/$defs/Car, which was not followed"]);
    let report = compare(&api, &mapped("models.yaml#/$defs/Bus"));
    assert!(report.wire == Level::Breaking, "{:#?}", lines(&report));
}

#[test]
fn unresolved_reference_has_a_location_that_can_be_accepted() {
    let schema = "{properties: {a: {$ref: 'gone.yaml#/A'}}}";
    let api = operation(&format!("{{responses: {{200: {{content: {{application/json: {{schema: {schema}}}}}}}}}}}"));
    let report = compare(&api, &api);
    let location = report.changes[0].members[0].location().expect("it has one");
    assert_eq!(location.pointer, "/paths/~1a/get/responses/200/content/application~1json/schema/properties/a");
}
