use serde_json::{Value, json};

use super::*;

fn drafted(root: &Value) -> (Published, Conversion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vendor.json");
    std::fs::write(&path, root.to_string()).expect("it is written");
    let published = import::read(&path).expect("it is a specification");
    let chosen = import::operations(&published.root);
    let draft = import::convert(&published, &chosen, "2026-11-21").expect("it converts");
    drop(chosen);
    (published, draft)
}

fn meters() -> Value {
    serde_saphyr::from_str(include_str!("meters.yaml")).expect("it is YAML")
}

#[test]
fn report_of_a_draft_is_complete_and_true() {
    let (published, draft) = drafted(&meters());
    let (missing, unfounded) = check(&published, &draft);
    assert_eq!(missing, []);
    assert!(unfounded.is_empty(), "{:?}", unfounded.iter().map(|loss| &loss.text).collect::<Vec<_>>());
}

#[test]
fn forms_and_fields_that_alternatives_share_are_compared() {
    let mut root = meters();
    let variant = |schema: Value| json!({"type": "object", "properties": {"by": schema}});
    root["components"]["schemas"]["Meter"] = json!({"oneOf": [variant(json!({"type": "object", "properties": {"a": {"type": "string"}}})), variant(json!({"type": "string"}))]});
    root["components"]["schemas"]["Once"] = json!({"type": "string", "enum": ["now"]});
    root["paths"]["/meters"]["post"] = json!({
        "operationId": "addMeter",
        "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {
            "when": {"$ref": "#/components/schemas/Once"},
            "tags": {"type": "array", "items": {}},
        }}}}},
        "responses": {"200": {"description": "ok", "content": {"application/json": {}}}},
    });
    let (published, draft) = drafted(&root);
    let (missing, unfounded) = check(&published, &draft);
    assert_eq!(missing, []);
    assert!(unfounded.is_empty(), "{:?}", unfounded.iter().map(|loss| &loss.text).collect::<Vec<_>>());
    assert!(draft.losses.iter().any(|loss| loss.text.contains("one value alone")));
}

#[test]
fn objects_and_numbers_of_forms_are_compared_as_they_are_sent() {
    let text = json!({"type": "string"});
    let address = json!({"type": "object", "properties": {"city": text, "at": {"type": "object", "properties": {"x": {"type": "number"}}}}});
    let mut root = meters();
    root["paths"]["/meters"]["post"] = json!({
        "operationId": "addMeter",
        "requestBody": {"required": true, "content": {"application/x-www-form-urlencoded": {
            "schema": {"type": "object", "properties": {"rate": {"type": "number"}, "address": address}},
            "encoding": {"address": {"style": "deepObject"}},
        }}},
        "responses": {"204": {"description": "ok"}},
    });
    let (published, mut draft) = drafted(&root);
    assert_eq!(check(&published, &draft), (vec![], vec![]));
    for (_, packed) in &mut draft.schemas {
        let mut schema = packed.value();
        if let Some(properties) = schema["properties"].as_object_mut() {
            properties.remove("address[at][x]");
        }
        *packed = schema.into();
    }
    let at = check(&published, &draft).0.into_iter().map(|difference| difference.at).collect::<Vec<_>>();
    let form = "/paths/~1meters/post/requestBody/content/application~1x-www-form-urlencoded/schema";
    assert_eq!(at, [format!("{form}/properties/address/properties/at")]);
}

#[test]
fn bodies_and_parameters_of_swagger_2_are_compared() {
    let text = json!({"type": "string"});
    let usage = json!({"$ref": "#/definitions/Usage"});
    let root = json!({
        "swagger": "2.0", "info": {"title": "Ferry", "version": "1"}, "host": "ferry.example",
        "paths": {"/trips": {"post": {
            "operationId": "addTrip", "consumes": ["application/json"], "produces": ["application/json"],
            "parameters": [
                {"name": "sort", "in": "query", "type": "array", "collectionFormat": "pipes", "items": text},
                {"name": "trip", "in": "body", "required": true, "schema": usage},
            ],
            "responses": {"200": {"description": "d", "schema": {"type": "array", "items": usage}}},
        }}},
        "definitions": {
            "Usage": {"type": "object", "discriminator": "kind", "required": ["kind"], "properties": {"kind": text}},
            "CarUsage": {"allOf": [usage, {"type": "object", "properties": {"plate": text}}]},
        },
    });
    let (published, mut draft) = drafted(&root);
    assert_eq!(check(&published, &draft), (vec![], vec![]));
    draft.losses.retain(|loss| !matches!(loss.kind, Kind::Parameter | Kind::Union));
    let at = check(&published, &draft).0.into_iter().map(|difference| difference.at).collect::<Vec<_>>();
    let usage = "/definitions/Usage";
    assert_eq!(at, [usage, usage, "/paths/~1trips/post/parameters/0"]);
}

/// Where a draft lacks something that no loss states.
fn missing_at(published: &Published, draft: &Conversion) -> Vec<String> {
    check(published, draft).0.into_iter().map(|difference| difference.at).collect()
}

fn form_of(media: &str, schema: Value, address: Value) -> Value {
    json!({
        "openapi": "3.0.3", "info": {"title": "Ferry", "version": "1"}, "servers": [{"url": "https://ferry.example"}],
        "paths": {"/trips": {"post": {
            "operationId": "addTrip",
            "requestBody": {"required": true, "content": {media: {
                "schema": schema, "encoding": {"address": {"style": "deepObject", "explode": true}},
            }}},
            "responses": {"204": {"description": "ok"}},
        }}},
        "components": {"schemas": {"Address": address}},
    })
}

#[test]
fn loss_of_a_field_in_a_form_states_nothing_of_other_fields() {
    let text = json!({"type": "string"});
    let tags = json!({"type": "array", "items": text});
    let deep = within(&["l1", "l2", "l3", "l4"], text.clone());
    let address = json!({"type": "object", "properties": {
        "line": text, "zip": text, "tags": tags, "geo": deep, "made": {"type": "string", "readOnly": true},
    }});
    for (media, by) in [
        ("application/x-www-form-urlencoded", json!({"$ref": "#/components/schemas/Address"})),
        ("application/x-www-form-urlencoded; charset=utf-8", address.clone()),
    ] {
        let form = json!({"type": "object", "properties": {"name": text, "labels": tags, "address": by}});
        let (published, mut draft) = drafted(&form_of(media, form, address.clone()));
        assert_eq!(check(&published, &draft), (vec![], vec![]), "{media}");
        let form = format!("/paths/~1trips/post/requestBody/content/{}/schema", media.replace('/', "~1"));
        let at = by["$ref"].as_str().map_or(format!("{form}/properties/address"), |at| at[1..].to_owned());
        for (name, at) in
            [("name", format!("{form}/properties/name")), ("address[line]", format!("{at}/properties/line"))]
        {
            for (_, packed) in &mut draft.schemas {
                let mut schema = packed.value();
                schema["properties"].as_object_mut().and_then(|properties| properties.remove(name));
                *packed = schema.into();
            }
            assert!(missing_at(&published, &draft).contains(&at), "{name}: {:?}", missing_at(&published, &draft));
        }
        draft.losses.clear();
        let all = missing_at(&published, &draft);
        assert!(all.contains(&format!("{at}/properties/geo")) && all.len() == 3, "{all:?}");
    }
}

#[test]
fn object_of_a_form_that_is_asked_for_in_another_form_is_found() {
    let form = json!({"type": "object", "properties": {"address": within(&["line"], json!({"type": "string"}))}});
    let (mut published, draft) = drafted(&form_of("application/x-www-form-urlencoded", form, json!({})));
    assert_eq!(check(&published, &draft), (vec![], vec![]));
    let at = "/paths/~1trips/post/requestBody/content/application~1x-www-form-urlencoded";
    published.root.pointer_mut(&format!("{at}/encoding")).expect("an encoding")["address"] =
        json!({"contentType": "application/json"});
    assert_eq!(missing_at(&published, &draft), [format!("{at}/schema/properties/address")]);
}

#[test]
fn forms_and_joined_lists_of_swagger_2_are_compared() {
    let list = |name: &str, location: &str, format: &str| json!({"name": name, "in": location, "type": "array", "items": {"type": "string"}, "collectionFormat": format});
    let fields = json!([
        {"name": "n", "in": "formData", "type": "number"},
        list("csv", "query", "csv"), list("multi", "query", "multi"), list("tags", "formData", "multi"),
    ]);
    let body = json!([{"name": "trip", "in": "body", "schema": within(&["a"], json!({"type": "string"}))}]);
    let post = |id: &str, media: &str, parameters: &Value| {
        json!({"post": {
            "operationId": id, "consumes": [media], "parameters": parameters, "responses": {"204": {"description": "d"}},
        }})
    };
    let root = json!({
        "swagger": "2.0", "info": {"title": "Ferry", "version": "1"}, "host": "ferry.example",
        "paths": {
            "/form": post("form", "application/x-www-form-urlencoded", &fields),
            "/parts": post("parts", "multipart/form-data", &json!([{"name": "a", "in": "formData", "type": "string"}])),
            "/xml": post("xml", "application/xml", &body),
        },
    });
    let (published, mut draft) = drafted(&root);
    assert_eq!(check(&published, &draft), (vec![], vec![]));
    for operation in &mut draft.operations {
        let mut value = operation.packed.value();
        for parameter in value["parameters"].as_array_mut().into_iter().flatten() {
            let joined = parameter["explode"] == false;
            parameter["explode"] = json!(joined);
        }
        operation.packed = value.into();
    }
    draft.losses.clear();
    for (_, packed) in &mut draft.schemas {
        let mut schema = packed.value();
        schema["properties"].as_object_mut().and_then(|properties| properties.remove("n"));
        *packed = schema.into();
    }
    let form = "/paths/~1form/post/parameters";
    assert_eq!(
        missing_at(&published, &draft),
        [
            format!("{form}/0"),
            format!("{form}/1"),
            format!("{form}/2"),
            "/paths/~1parts/post/parameters".to_owned(),
            "/paths/~1xml/post/parameters/0/schema".to_owned(),
        ]
    );
}

/// Returns a schema within as many objects as there are names.
fn within(names: &[&str], schema: Value) -> Value {
    names.iter().rev().fold(schema, |inner, name| json!({"type": "object", "properties": {*name: inner}}))
}

#[test]
fn nested_fields_and_items_of_alternatives_are_compared() {
    let list = |by: Value| json!({"type": "array", "items": within(&["by"], by)});
    let one = |by: Value| within(&["parts"], list(by));
    let read_only = |schema: Value| json!({"allOf": [schema], "readOnly": true});
    let span = json!({"$ref": "#/components/schemas/Span"});
    for (schema, losses) in [
        // Items of arrays are one type where alternatives are.
        (json!({"oneOf": [one(span.clone()), one(within(&["name"], json!({"type": "string"})))]}), 3),
        // Alternatives that differ in their direction only are one.
        (json!({"oneOf": [within(&["at"], json!({"allOf": [span]})), within(&["at"], read_only(span.clone()))]}), 1),
        // Any map, with a word about its values.
        (within(&["headers"], json!({"type": "object", "additionalProperties": {"description": "A header."}})), 0),
        (within(&["a"; 20], json!({"type": "string", "enum": ["now"]})), 1),
    ] {
        let mut root = meters();
        root["components"]["schemas"]["Meter"] = schema.clone();
        root["components"]["schemas"]["Span"] = within(&["from"], json!({"type": "string"}));
        root["paths"]["/meters"]["get"]["parameters"] = json!([]);
        let (published, draft) = drafted(&root);
        let (missing, unfounded) = check(&published, &draft);
        assert_eq!((missing, unfounded), (vec![], vec![]), "{schema}");
        let found = draft.losses.iter().filter(|loss| matches!(loss.kind, Kind::Union | Kind::Enum)).count();
        assert_eq!(found, losses, "{schema}: {:?}", draft.losses);
    }
}

#[test]
fn missing_loss_is_found_at_its_place() {
    let (published, mut draft) = drafted(&meters());
    draft.losses.retain(|loss| !matches!(loss.kind, Kind::Parameter | Kind::Union | Kind::Untyped));
    let at = check(&published, &draft).0.into_iter().map(|difference| difference.at).collect::<Vec<_>>();
    let kind = "/components/schemas/Meter/properties/kind";
    assert_eq!(at, [kind, "/paths/~1meters/get/parameters/1"]);
    // What is said of one parameter states nothing of the next.
    draft.losses = vec![Loss {
        kind: Kind::Parameter,
        at: "/paths/~1meters/get/parameters/0".to_owned(),
        text: "left out".to_owned(),
        owner: import::Owner::Document,
    }];
    for operation in &mut draft.operations {
        let mut value = operation.packed.value();
        value["parameters"].as_array_mut().into_iter().for_each(|parameters| parameters.truncate(1));
        operation.packed = value.into();
    }
    assert_eq!(missing_at(&published, &draft), [kind, "/paths/~1meters/get/parameters/1"]);
    // A field that the draft has lost.
    let (published, mut draft) = drafted(&meters());
    for (_, packed) in &mut draft.schemas {
        let mut schema = packed.value();
        if let Some(properties) = schema["properties"].as_object_mut() {
            properties.remove("state");
        }
        *packed = schema.into();
    }
    let at = check(&published, &draft).0.into_iter().map(|difference| difference.at).collect::<Vec<_>>();
    assert_eq!(at, ["/components/schemas/Meter/properties/state"]);
}

#[test]
fn missing_loss_of_response_headers_is_found() {
    let mut root = meters();
    let header = json!({"ETag": {"schema": {"type": "string"}}});
    root["components"]["responses"] = json!({"Busy": {"description": "d", "headers": header}});
    let responses = &mut root["paths"]["/meters"]["get"]["responses"];
    responses["200"]["headers"] = header;
    responses["429"] = json!({"$ref": "#/components/responses/Busy"});
    responses["500"] = json!({"description": "d", "headers": {"Content-Type": {}}});
    let (published, mut draft) = drafted(&root);
    assert_eq!(check(&published, &draft), (vec![], vec![]));
    // A loss of headers is not a loss of the body.
    draft.losses.retain(|loss| loss.kind != Kind::Union && loss.kind != Kind::Untyped);
    let at = |draft: &Conversion| check(&published, draft).0.into_iter().map(|found| found.at).collect::<Vec<_>>();
    assert_eq!(at(&draft), ["/components/schemas/Meter/properties/kind"]);
    draft.losses.retain(|loss| loss.kind != Kind::Header);
    assert_eq!(
        at(&draft),
        [
            "/components/responses/Busy/headers",
            "/components/schemas/Meter/properties/kind",
            "/paths/~1meters/get/responses/200/headers"
        ]
    );
}

#[test]
fn missing_loss_below_a_body_that_has_one_is_found() {
    let mut root = meters();
    let by = json!({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]});
    let fields = |by: &Value| json!({"type": "object", "properties": {"at": {"type": "string"}, "by": by}});
    let body = |media: &str, by: &Value| json!({"content": {media: {"schema": fields(by)}}});
    for (path, media) in [("/meters", "application/json"), ("/forms", "application/x-www-form-urlencoded")] {
        root["paths"][path]["post"] = json!({
            "operationId": format!("post{}", &path[1..]), "requestBody": body(media, &by),
            "responses": {"204": {"description": "d"}},
        });
    }
    root["paths"]["/files"]["post"] = json!({
        "operationId": "postfiles", "requestBody": body("multipart/form-data", &json!({"type": "string"})),
        "responses": {"204": {"description": "d"}},
    });
    let (published, mut draft) = drafted(&root);
    assert_eq!(check(&published, &draft).0, []);
    assert_eq!(draft.losses.iter().filter(|loss| loss.text.contains("always sent")).count(), 2);
    draft.losses.retain(|loss| loss.text.contains("always sent") || loss.text.contains("no body is sent"));
    let at = check(&published, &draft).0.into_iter().map(|difference| difference.at);
    let at = at.filter(|at| at.contains("/requestBody")).collect::<Vec<_>>();
    let schema = "schema/properties/by";
    assert_eq!(
        at,
        [
            format!("/paths/~1forms/post/requestBody/content/application~1x-www-form-urlencoded/{schema}"),
            format!("/paths/~1meters/post/requestBody/content/application~1json/{schema}"),
        ]
    );
}

#[test]
fn each_change_of_a_draft_is_found() {
    let mut root = meters();
    let get = &mut root["paths"]["/meters"]["get"];
    get["parameters"][1] = json!({
        "name": "ids", "in": "query", "explode": false, "schema": {"type": "array", "items": {"type": "string"}},
    });
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Meter"}}});
    root["paths"]["/meters"]["post"] = json!({
        "operationId": "addMeter",
        "requestBody": {"required": true, "content": content},
        "responses": {"204": {"description": "d"}},
    });
    root["components"]["schemas"]["Meter"]["properties"] = json!({
        "id": {"type": "string"},
        "state": {"type": "string", "enum": ["on", "off"]},
        "at": {"type": "string", "format": "date-time"},
        "tags": {"type": "object", "additionalProperties": {"type": "integer"}},
        "names": {"type": "array", "items": {"type": "string"}},
    });
    let (of_meter, of_list) = ("/components/schemas/Meter/properties", "/paths/~1meters/get/parameters");
    let schema = "application~1json/schema";
    for (at, changed, expected) in [
        ("/components/schemas/Meter/properties/id", Value::Null, format!("{of_meter}/id")),
        ("/components/schemas/Meter/properties/id/type", json!("integer"), format!("{of_meter}/id")),
        ("/components/schemas/MeterState/enum", json!(["on"]), format!("{of_meter}/state")),
        ("/components/schemas/Meter/properties/at/format", Value::Null, format!("{of_meter}/at")),
        (
            "/components/schemas/Meter/properties/tags/additionalProperties/type",
            json!("boolean"),
            format!("{of_meter}/tags/additionalProperties"),
        ),
        ("/components/schemas/Meter/properties/names/items/type", json!("number"), format!("{of_meter}/names/items")),
        ("/paths/~1meters/get/parameters/0/schema/type", json!("boolean"), format!("{of_list}/0/schema")),
        ("/paths/~1meters/get/parameters/0/name", json!("size"), format!("{of_list}/0")),
        ("/paths/~1meters/get/parameters/1/explode", json!(true), format!("{of_list}/1")),
        (
            "/paths/~1meters/get/responses/200/content",
            json!({}),
            format!("/paths/~1meters/get/responses/200/content/{schema}"),
        ),
        (
            "/paths/~1meters/post/requestBody/content",
            json!({}),
            format!("/paths/~1meters/post/requestBody/content/{schema}"),
        ),
    ] {
        let (published, mut draft) = drafted(&root);
        assert_eq!(check(&published, &draft).0, [], "{at}");
        let part = match at.strip_prefix("/components/schemas/").and_then(|at| at.split_once('/')) {
            Some((name, rest)) => {
                let (_, schema) = draft.schemas.iter_mut().find(|(own, _)| own == name).expect("the schema");
                Some((schema, format!("/{rest}")))
            }
            None => draft.operations.iter_mut().find_map(|operation| {
                let rest = at.strip_prefix(&format!("{}/", operation.at))?;
                Some((&mut operation.packed, format!("/{rest}")))
            }),
        };
        let (packed, pointer) = part.expect("a part of the draft");
        let mut value = packed.value();
        let (holder, key) = pointer.rsplit_once('/').expect("a pointer");
        let holder = value.pointer_mut(holder).expect(at);
        if let (Value::Null, Some(object)) = (&changed, holder.as_object_mut()) {
            object.remove(key).expect(at);
        } else {
            holder[key] = changed;
        }
        *packed = value.into();
        let found = check(&published, &draft).0.into_iter().map(|difference| difference.at).collect::<Vec<_>>();
        assert!(found.contains(&expected), "{at}: {found:?}");
    }
}

#[test]
fn false_loss_is_found() {
    let (published, mut draft) = drafted(&meters());
    let at = "/components/schemas/Meter/properties/id".to_owned();
    draft.losses.push(Loss { kind: Kind::Field, at, text: "left out".to_owned(), owner: import::Owner::Document });
    assert_eq!(check(&published, &draft).1.len(), 1);
}

#[test]
fn pointers_are_related_by_whole_parts() {
    assert!(related("/a/b", "/a/b/c") && related("/a/b/c", "/a/b") && related("/a", "/a"));
    assert!(!related("/a/b", "/a/bc") && !related("/a/b", "/a/c"));
}

#[test]
fn parameters_of_path_and_client_are_stated() {
    let mut root = meters();
    root["paths"]["/meters/{id}"] = json!({"put": {
        "operationId": "putMeter",
        "parameters": [
            {"name": "site", "in": "path", "required": true, "schema": {"type": "string"}},
            {"name": "Accept", "in": "header", "schema": {"type": "string"}},
            {"name": "authorization", "in": "header", "schema": {"type": "string"}},
        ],
        "responses": {"204": {"description": "ok"}},
    }});
    let (published, mut draft) = drafted(&root);
    assert_eq!(check(&published, &draft), (vec![], vec![]));
    let is_stated = |loss: &Loss| loss.kind == Kind::Parameter && loss.at.starts_with("/paths/~1meters~1{id}/put");
    assert_eq!(draft.losses.iter().filter(|loss| is_stated(loss)).count(), 4);
    draft.losses.retain(|loss| !is_stated(loss));
    assert_eq!(check(&published, &draft).0.len(), 4);
}

#[test]
fn parts_of_an_object_are_compared_together() {
    let text = json!({"type": "string"});
    let mut root = meters();
    root["components"]["schemas"]["Meter"] = json!({"required": ["name", "gone"], "allOf": [
        {"type": "object", "properties": {
            "from": {"type": "object", "properties": {"email": text}}, "kind": {"type": "string", "readOnly": true},
        }},
        {"properties": {"from": {"type": "object", "required": ["email"]}, "kind": {"default": "x"}, "name": text}},
        {"anyOf": [{"required": ["from"]}, {"required": ["name"]}]},
    ]});
    root["components"]["schemas"]["Context"] =
        json!({"type": "object", "discriminator": {"propertyName": "type"}, "properties": {"type": text}});
    root["paths"]["/meters"]["post"]["responses"] = json!({"200": {"description": "ok", "content": {
        "application/json": {"schema": {"type": "object", "properties": {
            "context": {"$ref": "#/components/schemas/Context"}, "meter": {"$ref": "#/components/schemas/Meter"},
        }}},
    }}});
    let (published, mut draft) = drafted(&root);
    assert_eq!(check(&published, &draft), (vec![], vec![]));
    let at = ["/components/schemas/Meter/required", "/components/schemas/Meter/allOf/2/anyOf"];
    assert!(at.iter().all(|at| draft.losses.iter().any(|loss| loss.at == *at)), "{:?}", draft.losses);
    draft.losses.retain(|loss| !at.contains(&loss.at.as_str()));
    assert_eq!(check(&published, &draft).0.len(), 2);
}

/// A specification of one operation on `/trips/{id}`, with components.
fn trips(edition: &str, operation: &Value, schemas: &Value) -> Value {
    json!({
        "openapi": edition, "info": {"title": "Ferry", "version": "1"}, "servers": [{"url": "https://ferry.example"}],
        "paths": {"/trips/{id}": {"post": operation}}, "components": {"schemas": schemas},
    })
}

/// Checks that losses state all differences at these locations, and that all are found without the losses.
fn assert_stated(root: &Value, expected: &[&str]) {
    let (published, mut draft) = drafted(root);
    assert_eq!(check(&published, &draft), (vec![], vec![]), "{root}");
    draft.losses.clear();
    let mut expected = expected.iter().map(|at| (*at).to_owned()).collect::<Vec<_>>();
    expected.sort();
    let mut found = missing_at(&published, &draft);
    found.dedup();
    assert_eq!(found, expected, "{root}");
}

#[test]
fn parameters_that_cannot_be_sent_as_described_are_found() {
    let text = json!({"type": "string"});
    let query = |name: &str, schema: Value| json!({"name": name, "in": "query", "schema": schema});
    let operation = json!({
        "operationId": "addTrip",
        "parameters": [
            query("a", json!({})),
            query("b", json!({"$ref": "ferry-types.yaml#/B"})),
            query("c", json!({"oneOf": [{"type": "integer"}, text]})),
            query("d", text.clone()),
            query("d", text.clone()),
            query("e", json!({"type": "array", "items": {}})),
            {"$ref": "ferry-types.yaml#/F"},
            null,
            {"name": "site", "in": "path", "required": true, "schema": text},
            {"name": "Accept", "in": "header", "schema": text},
            {"name": "g", "in": "query", "schema": text, "content": {"application/json": {}}},
            query("h", json!({"enum": ["x", "y"]})),
        ],
        "responses": {"204": {"description": "d"}},
    });
    let at = "/paths/~1trips~1{id}/post";
    let parameter = |rest: &str| format!("{at}/parameters/{rest}");
    let rest = ["0/schema", "1/schema", "2/schema", "4", "5/schema/items", "6", "7", "8", "9"];
    let all = rest.map(parameter);
    let mut expected = all.iter().map(String::as_str).collect::<Vec<_>>();
    expected.push(at);
    assert_stated(&trips("3.0.3", &operation, &json!({})), &expected);
}

#[test]
fn bodies_and_responses_that_differ_are_found() {
    let usage = json!({"$ref": "#/components/schemas/Usage"});
    let schemas = json!({"Usage": {"type": "object", "properties": {"by": {}}}});
    let id = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]);
    let by = "/components/schemas/Usage/properties/by";
    let body = |media: &str, schema: Value| json!({"description": "d", "content": {media: schema}});
    let of_body = |at: &str| format!("/paths/~1trips~1{{id}}/post{at}/schema");
    let text = body("application/json", json!({"schema": {"type": "string"}}));
    for (media, schema, responses, expected) in [
        // Of any media type.
        ("*/*", json!({"schema": usage}), json!({"204": {"description": "d"}}), vec![by.to_owned()]),
        (
            "*/*",
            json!({"schema": {"type": "string", "format": "binary"}}),
            json!({"204": {"description": "d"}}),
            vec![],
        ),
        ("application/*", json!({}), json!({"204": {}}), vec![of_body("/requestBody/content/application~1*")]),
        // The default response is the success where there is no other.
        (
            "text/plain",
            json!({}),
            json!({"default": body("application/json", json!({"schema": usage}))}),
            vec![by.to_owned()],
        ),
        // All other successes are read like 200.
        (
            "text/plain",
            json!({}),
            json!({"200": text, "2XX": body("application/json", json!({"schema": usage}))}),
            vec!["/components/schemas/Usage".to_owned(), of_body("/responses/200/content/application~1json")],
        ),
    ] {
        let operation = json!({
            "operationId": "addTrip", "parameters": id, "requestBody": {"required": true, "content": {media: schema}},
            "responses": responses,
        });
        let expected = expected.iter().map(String::as_str).collect::<Vec<_>>();
        assert_stated(&trips("3.0.3", &operation, &schemas), &expected);
    }
}

#[test]
fn fields_of_each_kind_are_compared() {
    let text = json!({"type": "string"});
    let variant = |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}});
    let thing = json!({"$ref": "#/components/schemas/Thing"});
    let at = "/components/schemas/Usage/properties/f";
    for (schema, expected) in [
        // The items are not described.
        (json!({"type": "array"}), vec![format!("{at}/items")]),
        (
            json!({"anyOf": [{"type": "array", "prefixItems": [text, {"type": "integer"}]}, {"type": "null"}]}),
            ["0", "1"].map(|index| format!("{at}/anyOf/0/prefixItems/{index}")).to_vec(),
        ),
        // Fields beside the listed ones.
        (
            json!({"type": "object", "properties": {"a": text}, "patternProperties": {"^x-": {"type": "integer"}}}),
            vec![format!("{at}/patternProperties/^x-")],
        ),
        (json!({"type": "object", "properties": {"extra": text}, "additionalProperties": true}), vec![]),
        // What an `allOf` of one part requires beside it.
        (json!({"allOf": [thing], "required": ["gone"]}), vec![at.to_owned()]),
        // Alternatives in a part.
        (json!({"allOf": [{"oneOf": [variant("a"), variant("b")]}, variant("c")]}), vec![format!("{at}/allOf/0")]),
        // Not different in the draft: values of a text without its type, the same twice, a part that adds an example.
        (json!({"oneOf": [{"type": "string", "enum": ["a", "b"]}, {"enum": ["c", "d"]}]}), vec![]),
        (
            json!({"anyOf": [{"title": "one", "$ref": "#/components/schemas/Thing"}, {"title": "two", "$ref": "#/components/schemas/Thing"}]}),
            vec![],
        ),
        (json!({"allOf": [variant("a"), {"properties": {"a": {"example": "x"}}}]}), vec![]),
        (json!({"type": "object", "discriminator": {"propertyName": "a"}, "properties": {"a": text}}), vec![]),
        (json!({"type": ["string", "null"]}), vec![]),
    ] {
        let schemas = json!({
            "Thing": {"type": "object", "properties": {"name": text}},
            "Usage": {"type": "object", "properties": {"f": schema}},
        });
        let operation = json!({
            "operationId": "addTrip",
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": text}],
            "responses": {"200": {"description": "d", "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Usage"}},
            }}},
        });
        let expected = expected.iter().map(String::as_str).collect::<Vec<_>>();
        assert_stated(&trips("3.1.0", &operation, &schemas), &expected);
    }
}

#[test]
fn null_and_optional_fields_that_a_draft_loses_are_found() {
    let mut root = meters();
    let id = &mut root["components"]["schemas"]["Meter"]["properties"]["id"];
    *id = json!({"type": "string", "nullable": true});
    let (published, draft) = drafted(&root);
    assert_eq!(check(&published, &draft).0, []);
    for change in [
        |schema: &mut Value| schema["required"] = json!(["state"]),
        |schema: &mut Value| {
            schema["properties"]["id"].as_object_mut().map(|id| id.remove("nullable"));
        },
    ] {
        let (published, mut draft) = drafted(&root);
        let (_, packed) = draft.schemas.iter_mut().find(|(name, _)| name == "Meter").expect("the schema");
        let mut schema = packed.value();
        change(&mut schema);
        *packed = schema.into();
        assert_eq!(missing_at(&published, &draft).len(), 1);
    }
}

#[test]
fn fields_of_subtypes_and_of_refined_references_are_compared() {
    let text = json!({"type": "string"});
    let fields = |names: &[&str]| {
        let fields = names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"})));
        json!({"type": "object", "properties": fields.collect::<serde_json::Map<_, _>>()})
    };
    let mut base = fields(&["kind", "a"]);
    base["discriminator"] = json!({"propertyName": "kind"});
    let of = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let schemas = json!({
        "Base": base, "One": {"allOf": [of("Base"), fields(&["b"])]}, "Two": {"allOf": [of("One"), fields(&["c"])]},
        "Any": {"type": "object", "properties": {"base": of("Base"), "one": {"oneOf": [of("One"), of("Two")]}}},
        "Refined": {"type": "object", "properties": {
            "f": {"$ref": "#/components/schemas/Any", "required": ["base"], "properties": {"d": text}},
        }},
    });
    let operation = json!({
        "operationId": "addTrip", "parameters": [{"name": "id", "in": "path", "required": true, "schema": text}],
        "responses": {"200": {"description": "d", "content": {"application/json": {"schema": of("Refined")}}}},
    });
    let (published, mut draft) = drafted(&trips("3.1.0", &operation, &schemas));
    assert_eq!(check(&published, &draft), (vec![], vec![]));
    for (_, packed) in &mut draft.schemas {
        let mut schema = packed.value();
        for name in ["c", "d"] {
            schema["properties"].as_object_mut().and_then(|properties| properties.remove(name));
        }
        *packed = schema.into();
    }
    let mut missing = missing_at(&published, &draft);
    missing.dedup();
    assert_eq!(
        missing,
        ["/components/schemas/Refined/properties/f/properties/d", "/components/schemas/Two/allOf/1/properties/c"]
    );
}

#[test]
fn parameters_and_forms_that_are_sent_otherwise_are_found() {
    let text = json!({"type": "string"});
    let list = json!({"type": "array", "items": text});
    let query = |name: &str, key: &str, value: Value, schema: &Value| json!({"name": name, "in": "query", key: value, "schema": schema});
    let form = json!({"type": "object", "properties": {"a": text}, "additionalProperties": true});
    let operation = json!({
        "operationId": "addTrip",
        "parameters": [
            {"name": "id", "in": "path", "required": true, "schema": text},
            query("a", "allowEmptyValue", json!(true), &text), query("b", "allowReserved", json!(true), &text),
            query("c", "style", json!("deepObject"), &list),
        ],
        "requestBody": {"required": true, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": {"204": {"description": "d"}},
    });
    let at = "/paths/~1trips~1{id}/post";
    assert_stated(
        &trips("3.0.3", &operation, &json!({})),
        &[
            &format!("{at}/parameters/1"),
            &format!("{at}/parameters/2"),
            &format!("{at}/parameters/3"),
            &format!("{at}/requestBody/content/application~1x-www-form-urlencoded/schema/additionalProperties"),
        ],
    );
}

#[test]
fn report_of_each_published_shape_is_complete_and_true() {
    let rows: Vec<serde_json::Map<String, Value>> =
        serde_saphyr::from_str(include_str!("schemas.yaml")).expect("it is YAML");
    let mut wrong = Vec::new();
    for schemas in rows {
        let names = schemas.keys().cloned().collect::<Vec<_>>();
        let mut root = meters();
        root["openapi"] = json!("3.1.0");
        root["paths"] = json!({});
        root["components"]["schemas"] = schemas.into();
        for name in &names {
            let content = json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}});
            root["paths"][format!("/{name}")] = json!({
                "get": {"operationId": format!("get{name}"), "responses": {"200": {"description": "ok", "content": content}}},
                "post": {
                    "operationId": format!("post{name}"), "requestBody": {"required": true, "content": content},
                    "responses": {"204": {"description": "ok"}},
                },
            });
        }
        let (published, draft) = drafted(&root);
        let (missing, unfounded) = check(&published, &draft);
        wrong.extend(missing.iter().map(|missing| format!("missing at {}: {}", missing.at, missing.text)));
        wrong.extend(unfounded.iter().map(|loss| format!("false at {}: {}", loss.at, loss.text)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn headers_paths_and_bodies_of_several_types_are_compared() {
    let text = json!({"type": "string"});
    let object = json!({"schema": {"type": "object", "properties": {"rows": text}}});
    let mut root = meters();
    root["paths"]["/teams/{team}/rows"]["post"] = json!({
        "operationId": "putRows",
        "parameters": [
            {"name": "Accept", "in": "header", "schema": text}, {"name": "Host", "in": "header", "schema": text},
            {"name": "id", "in": "path", "required": true, "schema": text},
        ],
        "requestBody": {"required": true, "content": {"text/csv": {"schema": text}, "multipart/form-data": object}},
        "responses": {"200": {"description": "ok", "content": {"application/xml": object}}, "303": {"description": "elsewhere"}},
    });
    root["paths"]["/reports"]["post"] = json!({
        "operationId": "putReport", "requestBody": {"required": true, "content": {"application/xml": object}},
        "responses": {"204": {"description": "ok"}},
    });
    let (published, mut draft) = drafted(&root);
    let (missing, unfounded) = check(&published, &draft);
    assert_eq!(missing, []);
    assert!(unfounded.is_empty(), "{:?}", unfounded.iter().map(|loss| &loss.text).collect::<Vec<_>>());
    draft.losses.clear();
    let missing = missing_at(&published, &draft);
    for expected in [
        "/paths/~1teams~1{team}~1rows/post",
        "/paths/~1teams~1{team}~1rows/post/parameters/2",
        "/paths/~1reports/post/requestBody/content/application~1xml/schema",
    ] {
        assert!(missing.iter().any(|at| at == expected), "{expected}: {missing:?}");
    }
}

#[test]
fn parts_and_items_that_contain_each_other_are_compared_once() {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let text = json!({"type": "string"});
    let schemas = json!({
        // Its parts are itself, so that each level has sixty times as many.
        "Whole": {"type": "object", "properties": {"a": text}, "allOf": vec![reference("Whole"); 60]},
        "One": {"type": "array", "items": reference("Other")},
        "Other": {"type": "array", "maxItems": 2, "items": reference("One")},
    });
    let either = json!({"oneOf": [reference("One"), reference("Other")]});
    let schema = json!({"type": "object", "properties": {"whole": reference("Whole"), "either": either}});
    let operation = json!({
        "operationId": "addTrip", "parameters": [{"name": "id", "in": "path", "required": true, "schema": text}],
        "responses": {"200": {"description": "d", "content": {"application/json": {"schema": schema}}}},
    });
    let (published, draft) = drafted(&trips("3.0.3", &operation, &schemas));
    assert_eq!(check(&published, &draft).0, []);
}
