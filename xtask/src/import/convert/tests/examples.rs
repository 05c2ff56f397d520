//! Examples of the vendor.

use super::*;

#[test]
fn examples_are_the_vendors_where_they_fit() {
    let mut root = responding(
        json!({"type": "object", "properties": {
            "day": {"type": "string", "format": "date"}, "n": {"type": "number"}, "made": {"type": "string", "format": "date-time"},
        }}),
        json!({}),
    );
    root["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]["example"] =
        json!({"day": "2026-02-03", "n": 7.25, "made": "yesterday"});
    let draft = drafted(root).expect("it converts");
    let example = &draft.operations[0].value()["responses"]["200"]["content"]["application/json"]["example"];
    assert_eq!(*example, json!({"day": "2026-02-03", "n": 7.25, "made": "2026-10-01T00:00:00Z"}));
}

#[test]
fn examples_of_published_schemas_are_shown_where_they_fit() {
    let named = json!({
        "Price": {"type": "string", "examples": ["12.50"]},
        "Tier": {"type": "string", "enum": ["free", "paid"], "example": "paid"},
        "Plan": {"type": "object", "properties": {"n": {"type": "integer"}}, "example": {"n": 7}},
        "Loop": {"type": "object", "properties": {"l": {"$ref": "#/components/schemas/Loop"}, "n": {"type": "integer", "example": 3}}},
    });
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    for (field, shown) in [
        (json!({"type": "string", "example": "a-1"}), json!("a-1")),
        (json!({"type": ["integer", "null"], "examples": [null, "one", 5]}), json!(5)),
        (json!({"type": "integer", "format": "int32", "example": 5_000_000_000_i64}), json!(1)),
        (json!({"type": "string", "format": "date", "examples": ["today", "2026-02-03"]}), json!("2026-02-03")),
        (json!({"type": "string", "format": "decimal", "example": "12.50"}), json!("12.50")),
        (json!({"type": "string", "format": "decimal", "example": "012.50"}), json!("12.5")),
        (json!({"type": "boolean", "example": false}), json!(false)),
        (reference("Price"), json!("12.50")),
        (json!({"$ref": "#/components/schemas/Price", "description": "d", "examples": ["3"]}), json!("3")),
        (json!({"allOf": [reference("Price")], "nullable": true}), json!("12.50")),
        (json!({"anyOf": [reference("Price"), {"type": "null"}]}), json!("12.50")),
        (reference("Tier"), json!("paid")),
        (reference("Plan"), json!({"n": 7})),
        (json!({"type": "array", "items": reference("Price")}), json!(["12.50"])),
        (json!({"type": "array", "items": {"type": "integer"}, "example": [4, 5]}), json!([4])),
        (json!({"type": "object", "additionalProperties": reference("Price")}), json!({"key": "12.50"})),
        (
            json!({"oneOf": [{"type": "object", "properties": {"p": reference("Price")}}, reference("Plan")]}),
            json!({"n": 7, "p": "12.50"}),
        ),
        (reference("Loop"), json!({"n": 3})),
    ] {
        let object = json!({"type": "object", "properties": {"f": field}});
        let mut root = responding(object.clone(), named.clone());
        root["paths"]["/a"]["post"] = json!({
            "operationId": "postA", "requestBody": {"content": {"application/json": {"schema": object}}},
            "responses": {"204": {"description": "d"}},
        });
        let draft = drafted(root).expect("it converts");
        for (operation, location) in draft.operations.iter().zip(["/responses/200", "/requestBody"]) {
            let value = operation.value();
            let media = value.pointer(&format!("{location}/content/application~1json"));
            assert_eq!(media.and_then(|media| media["example"].get("f")), Some(&shown), "{location} {field}");
        }
    }
    // What an example of the whole response shows is nearer.
    let mut root =
        responding(json!({"type": "object", "properties": {"f": reference("Price"), "g": reference("Price")}}), named);
    root["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]["example"] = json!({"f": "1"});
    let draft = drafted(root).expect("it converts");
    let example = &draft.operations[0].value()["responses"]["200"]["content"]["application/json"]["example"];
    assert_eq!(*example, json!({"f": "1", "g": "12.50"}));
}

#[test]
fn examples_of_schemas_of_swagger_2_are_shown() {
    let schema = json!({"type": "object", "properties": {"price": {"$ref": "#/definitions/Price"}}});
    let draft = drafted(json!({
        "swagger": "2.0", "info": {"title": "X", "version": "1"}, "host": "api.x.example", "schemes": ["https"],
        "paths": {"/a": {"post": {
            "operationId": "postA", "parameters": [{"name": "order", "in": "body", "schema": schema}],
            "responses": {"200": {"description": "d", "schema": schema, "headers": {"X-Total": {"type": "integer"}}}},
        }}},
        "definitions": {"Price": {"type": "string", "example": "12.50"}},
    }))
    .expect("it converts");
    let value = draft.operations[0].value();
    for location in ["/requestBody", "/responses/200"] {
        let example = value.pointer(&format!("{location}/content/application~1json/example/price"));
        assert_eq!(example, Some(&json!("12.50")), "{location}");
    }
    assert!(losses(&draft).iter().any(|text| text.starts_with("X-Total: ")), "{:?}", losses(&draft));
}

#[test]
fn examples_of_schemas_and_parameters_are_compared_with_them() {
    let reference = json!({"$ref": "#/components/schemas/Name", "examples": ["a", 5]});
    for (edition, count) in [("3.0.3", 0), ("3.1.0", 1)] {
        let meter = json!({"type": "object", "properties": {"name": reference}});
        let mut root = responding(meter, json!({"Name": {"type": "string"}}));
        root["openapi"] = json!(edition);
        let draft = drafted(root).expect("it converts");
        let lost = draft.losses.iter().filter(|loss| loss.kind == Kind::Evidence && loss.at.ends_with("/examples/1"));
        assert_eq!(lost.count(), count, "{edition}");
    }
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["get"]["parameters"] = json!([
        {"name": "n", "in": "query", "example": "many", "schema": {"type": "integer"}},
        {"name": "d", "in": "query", "example": 1.5, "schema": {"type": "number"}},
    ]);
    let draft = drafted(root).expect("it converts");
    let lost = draft.losses.iter().filter(|loss| loss.kind == Kind::Evidence).map(|loss| loss.at.as_str());
    assert_eq!(lost.collect::<Vec<_>>(), ["/paths/~1a/get/parameters/0/example"]);
}
