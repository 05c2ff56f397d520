//! Schemas: what a field becomes, and what is lost of it.

use super::*;

/// The groups of `fields.yaml`, which describes them.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    becomes: Vec<(Value, Value)>,
    reports: Vec<(Value, String)>,
    mentions: Vec<(Value, String)>,
    reports_only: Vec<(Value, String)>,
    examples: Vec<(Value, Vec<String>)>,
}

#[test]
fn fields_become_those_of_our_rules_and_losses_are_reported() {
    let fields: Fields = serde_saphyr::from_str(include_str!("fields.yaml")).expect("it is YAML");
    for (vendor, ours) in fields.becomes {
        assert_eq!(field(vendor.clone()).0, ours, "{vendor}");
    }
    let lost = |vendor: &Value| field(vendor.clone()).2;
    for (vendor, line) in fields.reports {
        assert!(lost(&vendor).contains(&line), "{vendor}: {:?}", lost(&vendor));
    }
    for (vendor, part) in fields.mentions {
        assert!(lost(&vendor).iter().any(|line| line.contains(&part)), "{vendor}: {:?}", lost(&vendor));
    }
    for (vendor, line) in fields.reports_only {
        assert_eq!(lost(&vendor), [line.as_str(), "of 400"], "{vendor}");
    }
    for (vendor, lines) in fields.examples {
        let found = lost(&vendor).into_iter().filter(|line| line.starts_with("the example"));
        assert_eq!(found.collect::<Vec<_>>(), lines, "{vendor}");
    }
}

#[test]
fn lists_of_values_become_components_once() {
    let list = json!({"type": "string", "enum": ["<", "<=", "a", "A", null]});
    let both =
        json!({"type": "object", "properties": {"op": list, "inner": {"type": "object", "properties": {"op": list}}}});
    let draft = drafted(responding(both, json!({}))).expect("it converts");
    let lists = draft.schemas.iter().filter(|(_, schema)| schema.value().get("enum").is_some()).collect::<Vec<_>>();
    assert_eq!(lists.len(), 1);
    assert_eq!(lists[0].1.value()["x-enum-varnames"], json!(["Less", "LessEqual", "A", "A2"]));
}

#[test]
fn a_list_of_values_beside_any_text_keeps_its_values() {
    let (found, schemas, lost) = field(json!({"description": "Unit.", "anyOf": [
        {"type": "string"}, {"type": "string", "enum": ["seats", "hours"]}, {"type": "null"},
    ]}));
    assert_eq!(found["nullable"], true);
    assert_eq!(schemas["GetAResponseF"]["description"], "Unit.");
    assert_eq!(schemas["GetAResponseF"]["enum"], json!(["seats", "hours"]));
    assert!(lost.iter().all(|text| text.starts_with("of 400")), "{lost:?}");
    // One value makes no list, and with a format a text is not just any.
    for other in [json!({"type": "string"}), json!({"type": "string", "format": "date"})] {
        let (found, _, lost) = field(json!({"description": "From.", "anyOf": [other, {"enum": ["now"]}]}));
        assert_eq!(found, json!({"type": "string", "description": "From. Known: `now`."}));
        assert!(lost.iter().any(|text| text == "alternatives that are all strings became a plain string"), "{lost:?}");
    }
}

#[test]
fn circles_end() {
    for (name, schemas) in [
        ("of itself", json!({"A": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}}})),
        ("only itself", json!({"A": {"$ref": "#/components/schemas/A"}})),
        ("by allOf", json!({"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}})),
        ("by a list", json!({"A": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}})),
        (
            "by alternatives",
            json!({
                "A": {"oneOf": [{"$ref": "#/components/schemas/B"}, {"$ref": "#/components/schemas/C"}]},
                "B": {"type": "object", "properties": {"x": {"$ref": "#/components/schemas/A"}}},
                "C": {"type": "object", "properties": {"x": {"oneOf": [{"$ref": "#/components/schemas/B"}, {"$ref": "#/components/schemas/C"}]}}},
            }),
        ),
    ] {
        let draft = drafted(responding(json!({"$ref": "#/components/schemas/A"}), schemas));
        assert!(draft.is_ok(), "{name}: {:?}", draft.err());
    }
}

#[test]
fn unresolved_reference_is_reported_where_it_is_used() {
    let gone = json!({"$ref": "#/x-files/gone.yaml/X"});
    let mut root = responding(gone.clone(), json!({}));
    root["paths"]["/a"]["get"]["parameters"] = json!([gone]);
    let mut post = root["paths"]["/a"]["get"].clone();
    post["operationId"] = json!("sendA");
    post["requestBody"] = gone.clone();
    root["paths"]["/a"]["post"] = post;
    root["paths"]["/b"]["get"] = json!({"operationId": "getB", "responses": {"200": gone}});
    let draft = drafted(root).expect("it converts");
    for expected in [
        "POST /a: unresolved reference \"gone.yaml#/X\" of its body",
        "a parameter is left out: unresolved reference \"gone.yaml#/X\"",
        "unresolved reference \"gone.yaml#/X\": converted to a response without a body",
        "unresolved reference \"gone.yaml#/X\"",
    ] {
        assert!(losses(&draft).contains(&expected), "{expected}: {:?}", losses(&draft));
    }
}

#[test]
fn fields_beside_a_reference_count_in_openapi_3_1() {
    let (whole, schemas, _) =
        field(json!({"$ref": "#/components/schemas/Other", "properties": {"more": {"type": "integer"}}}));
    let name = whole["$ref"].as_str().and_then(|target| target.rsplit('/').next()).unwrap_or_default();
    assert_eq!(schemas[name]["properties"].as_object().map(|fields| fields.len()), Some(2), "{schemas}");
}

#[test]
fn loss_of_a_schema_without_a_name_is_reported_for_each_user() {
    let kind = json!({"$ref": "#/components/schemas/Kind"});
    let mut root = responding(
        json!({"$ref": "#/components/schemas/Charge"}),
        json!({
            "Kind": {"type": "string", "enum": ["usage"]},
            "Charge": {"type": "object", "properties": {"kind": kind}},
        }),
    );
    // The fields of a form are converted twice, and the losses of the first conversion are forgotten.
    let form = json!({"type": "object", "properties": {"kind": kind}});
    root["paths"]["/A"] = json!({"post": {
        "operationId": "add",
        "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": {"204": {"description": "ok"}},
    }});
    let draft = drafted(root).expect("it converts");
    let found = losses(&draft).into_iter().filter(|text| text.contains("one value alone")).count();
    assert_eq!(found, 1, "{:?}", losses(&draft));
}

#[test]
fn both_values_of_a_boolean_and_null_of_a_reference_are_kept() {
    for listed in [json!([true, false]), json!(["true", "false"]), json!(["true", "false", null])] {
        let (_, _, lost) = field(json!({"type": "boolean", "enum": listed}));
        assert_eq!(lost, ["of 400"], "{listed}");
    }
    let other = json!({"$ref": "#/components/schemas/Other"});
    for nullable in
        [json!({"$ref": other["$ref"], "type": ["object", "null"]}), json!({"type": "null", "allOf": [other]})]
    {
        assert_eq!(field(nullable.clone()).0["nullable"], true, "{nullable}");
    }
}

#[test]
fn values_listed_beside_alternatives_are_kept() {
    let (_, schemas, lost) = field(json!({"enum": ["a", "b"], "oneOf": [{"type": "string"}]}));
    assert_eq!((&schemas["GetAResponseF"]["enum"], lost), (&json!(["a", "b"]), vec!["of 400".to_owned()]));
}
