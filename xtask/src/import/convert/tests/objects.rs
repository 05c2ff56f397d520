//! Objects of parts and alternatives.

use super::*;

#[test]
fn parts_and_alternatives_become_one_object() {
    let (_, schemas, lost) = field(json!({"allOf": [
        {"$ref": "#/components/schemas/Other"},
        {"oneOf": [
            {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}},
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "c": {"type": "boolean"}}},
        ]},
    ]}));
    let object = &schemas["GetAResponseF"];
    let names = object["properties"].as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
    assert_eq!(names, Some(["a", "b", "c", "o"].map(str::to_owned).to_vec()), "{schemas}");
    assert_eq!(object["required"], json!(["a"]));
    assert!(lost.iter().any(|text| text.starts_with("alternatives became one object")), "{lost:?}");
}

#[test]
fn fields_of_one_direction_are_not_in_the_other() {
    let meter = json!({"type": "object", "required": ["id", "label", "key"], "properties": {
        "id": {"type": "string", "readOnly": true}, "label": {"type": "string"}, "key": {"type": "string", "writeOnly": true},
    }});
    let reference = json!({"$ref": "#/components/schemas/Meter"});
    let mut root = responding(reference.clone(), json!({"Meter": meter}));
    root["paths"]["/a"]["post"] = json!({
        "operationId": "make",
        "requestBody": {"required": true, "content": {"application/json": {"schema": reference}}},
        "responses": {"204": {"description": "d"}},
    });
    let fields = |root: Value, name: &str| {
        let document = drafted(root).expect("it converts").document();
        let schema = document["components"]["schemas"][name].clone();
        let names = schema["properties"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
        (names.unwrap_or_default().join(" "), schema["required"].clone())
    };
    assert_eq!(fields(root.clone(), "Meter"), ("id label".to_owned(), json!(["id", "label"])));
    assert_eq!(fields(root.clone(), "MeterRequest"), ("key label".to_owned(), json!(["key", "label"])));
    // In a part of `allOf`, and stated by another part than the one that describes it.
    let part = |schema: Value| json!({"allOf": [schema, {"readOnly": true}]});
    let meter = json!({"allOf": [
        {"type": "object", "required": ["id", "label"], "properties": {
            "id": {"type": "string"}, "label": {"type": "string"}, "made": part(json!({"type": "string"})),
            "both": {"type": "string", "readOnly": true, "writeOnly": true},
        }},
        {"type": "object", "properties": {"id": {"readOnly": true}}},
    ]});
    let mut parts = root.clone();
    parts["components"]["schemas"]["Meter"] = meter;
    assert_eq!(fields(parts.clone(), "Meter"), ("both id label made".to_owned(), json!(["id", "label"])));
    assert_eq!(fields(parts, "MeterRequest"), ("both label".to_owned(), json!(["label"])));
    // Where one direction needs it only, it keeps its name.
    root["paths"]["/a"].as_object_mut().expect("methods").remove("get");
    assert_eq!(fields(root, "Meter").0, "key label");
}

#[test]
fn parts_of_all_of_refine_each_other() {
    let base = json!({"type": "object", "required": ["id", "amount", "note"], "properties": {
        "id": {"type": ["string", "null"], "format": "uuid"}, "amount": {"type": "number"}, "note": {"type": "string"},
        "plan": {"$ref": "#/components/schemas/Plan"},
    }});
    let line = json!({"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {
        "id": {"type": "null"}, "amount": {"minimum": 0}, "note": {"nullable": true}, "plan": {"description": "Of the month."},
    }}]});
    let plan = json!({"type": "object", "properties": {"id": {"type": "string"}}});
    let draft = drafted(responding(line, json!({"Base": base, "Plan": plan}))).expect("it converts");
    let document = draft.document();
    let fields = &document["components"]["schemas"]["GetAResponse"]["properties"];
    assert_eq!(fields["id"], json!({"type": "string", "format": "uuid", "nullable": true}));
    assert_eq!(fields["amount"], json!({"type": "number", "format": "decimal", "description": "At least 0."}));
    assert_eq!(fields["note"], json!({"type": "string", "nullable": true}));
    assert_eq!(fields["plan"]["allOf"][0]["$ref"], "#/components/schemas/Plan");
    let (plan, _, lost) = field(json!({"allOf": [{"$ref": "#/components/schemas/Other"}, {"nullable": true}]}));
    assert_eq!(plan["nullable"], true);
    assert_eq!(lost, ["of 400"]);
}

#[test]
fn object_that_several_parts_describe_has_the_fields_of_all() {
    let text = || json!({"type": "string"});
    let base = json!({"type": "object", "properties": {
        "path": {"type": "object", "required": ["kind"], "properties": {
            "kind": text(), "by": {"type": "object", "properties": {"id": text()}},
            "sets": {"type": "array", "items": {"type": "object", "properties": {"id": text(), "rules": {"type": "array", "items": {"$ref": "#/components/schemas/Rule"}}}}},
        }},
        "meta": {"$ref": "#/components/schemas/Meta"}, "owner": {"$ref": "#/components/schemas/Meta"},
        "parent": {"$ref": "#/components/schemas/Base"},
        "rates": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Rule"}},
    }});
    let line = json!({"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {
        "path": {"nullable": true, "required": ["by"], "properties": {
            "kind": {"default": "x"}, "by": {"properties": {"name": text()}},
            "sets": {"items": {"properties": {"rules": {"items": {"properties": {"to": {"type": "integer"}}}}}}},
        }},
        "meta": {"properties": {"self": {"example": "x"}, "page": {"type": "object"}}}, "owner": {"type": "object", "description": "The owner."},
        "parent": {"allOf": [{"$ref": "#/components/schemas/Line"}]},
        "rates": {"additionalProperties": {"properties": {"rate": {"type": "integer"}}}},
    }}]});
    let schemas = json!({
        "Base": base, "Line": line, "Rule": {"type": "object", "properties": {"label": text()}},
        "Meta": {"required": ["self"], "properties": {"self": text()}},
    });
    let mut root = responding(json!({"$ref": "#/components/schemas/Line"}), schemas);
    root["openapi"] = json!("3.0.3");
    let draft = drafted(root).expect("it converts");
    let document = draft.document();
    let schemas = &document["components"]["schemas"];
    let object = |name: &str| schemas[name].clone();
    let names = |name: &str| object(name)["properties"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
    let listed = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(names("LinePath"), listed(&["by", "kind", "sets"]), "{document:#}");
    assert_eq!(object("LinePath")["required"], json!(["by", "kind"]));
    assert_eq!(object("Line")["properties"]["path"]["nullable"], true);
    assert_eq!(names("LinePathBy"), listed(&["id", "name"]));
    assert_eq!(names("LinePathSet"), listed(&["id", "rules"]));
    assert_eq!(names("LinePathSetRule"), listed(&["label", "to"]));
    assert_eq!(names("LineRatesValue"), listed(&["label", "rate"]));
    assert_eq!(names("LineMeta"), listed(&["page", "self"]));
    let fields = &object("Line")["properties"];
    assert_eq!(fields["owner"]["allOf"][0]["$ref"], "#/components/schemas/Meta");
    assert_eq!(fields["parent"]["$ref"], "#/components/schemas/Line", "{fields:#}");
    let unreal = draft.losses.iter().filter(|loss| loss.at.contains("allOf/0/properties/path/allOf"));
    assert_eq!(unreal.count(), 0);
}

#[test]
fn subtypes_of_subtypes_and_named_ones_keep_their_fields() {
    let base = "#/components/schemas/Charge";
    let extending = |base: &str, field: &str| json!({"allOf": [{"$ref": base}, {"type": "object", "properties": {field: {"type": "integer"}}}]});
    let draft = drafted(responding(
        json!({"$ref": base}),
        json!({
            "Charge": {"type": "object", "properties": {"kind": {"type": "string"}}, "discriminator": {
                "propertyName": "kind", "mapping": {"flat": "#/components/schemas/Flat", "seat": "Seat"},
            }},
            "Usage": extending(base, "hours"),
            "Peak": extending("#/components/schemas/Usage", "watts"),
            "Flat": {"type": "object", "properties": {"fee": {"type": "integer"}}},
            "Seat": {"type": "object", "properties": {"seats": {"type": "integer"}}},
        }),
    ))
    .expect("it converts");
    let charge = &draft.document()["components"]["schemas"]["Charge"]["properties"];
    let names = charge.as_object().expect("fields").keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(names, ["fee", "hours", "kind", "seats", "watts"]);
}

#[test]
fn a_base_with_a_discriminator_has_the_fields_of_its_subtypes() {
    let draft = drafted(responding(
        json!({"$ref": "#/components/schemas/Charge"}),
        json!({
            "Charge": {"type": "object", "discriminator": {"propertyName": "kind"}, "required": ["kind"], "properties": {"kind": {"type": "string"}}},
            "Usage": {"allOf": [{"$ref": "#/components/schemas/Charge"}, {"type": "object", "required": ["hours"], "properties": {"hours": {"type": "integer"}}}]},
        }),
    ))
    .expect("it converts");
    let charge = &draft.document()["components"]["schemas"]["Charge"];
    assert_eq!(charge["required"], json!(["kind"]));
    assert_eq!(charge["properties"]["hours"]["type"], "integer");
    assert!(losses(&draft).iter().any(|text| text.contains("what not all have is optional")), "{:?}", losses(&draft));
}

#[test]
fn later_part_replaces_the_reference_of_an_earlier_one() {
    let draft = drafted(responding(
        json!({"allOf": [{"$ref": "#/components/schemas/Account"}, {"type": "object", "properties": {
            "balance": {"$ref": "#/components/schemas/MarginBalance"},
        }}]}),
        json!({
            "Account": {"type": "object", "properties": {"balance": {"$ref": "#/components/schemas/Balance"}}},
            "Balance": {"type": "object", "properties": {"amount": {"type": "integer"}}},
            "MarginBalance": {"allOf": [{"$ref": "#/components/schemas/Balance"}, {"type": "object", "properties": {"loan": {"type": "integer"}}}]},
        }),
    ))
    .expect("it converts");
    let document = draft.document();
    assert_eq!(
        document["components"]["schemas"]["MarginBalance"]["properties"]["loan"]["type"], "integer",
        "{document}"
    );
}

#[test]
fn alternatives_that_differ_in_documentation_only_are_one() {
    let part = |text: &str| json!({"allOf": [{"$ref": "#/components/schemas/Discount"}], "description": text});
    let variant = |text: &str| json!({"type": "object", "properties": {"discount": part(text)}});
    let draft = drafted(responding(
        json!({"$ref": "#/components/schemas/Card"}),
        json!({
            "Card": {"oneOf": [variant("of a flat fee"), variant("of usage")]},
            "Discount": {"type": "object", "properties": {"percent": {"type": "integer"}}},
        }),
    ))
    .expect("it converts");
    let unions = draft.losses.iter().filter(|loss| loss.kind == Kind::Union).map(|loss| loss.at.as_str());
    assert_eq!(unions.collect::<Vec<_>>(), ["/components/schemas/Card"]);
}

#[test]
fn alternatives_that_are_the_same_are_none() {
    let same = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let schemas = json!({"One": same, "Two": same});
    let either = json!({"anyOf": [{"$ref": "#/components/schemas/One"}, {"$ref": "#/components/schemas/Two"}]});
    let draft = drafted(responding(either, schemas)).expect("it converts");
    assert_eq!(losses(&draft), ["of 400"]);
}
