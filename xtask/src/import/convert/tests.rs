//! Small specifications, drafted.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::import::{convert::*, operations, parse, security::Credential};

fn published(root: Value) -> Published {
    parse::parse("x.json", &root.to_string()).expect("it is a specification")
}

pub(super) fn drafted(root: Value) -> Result<Conversion, String> {
    let published = published(root);
    convert(&published, &operations(&published.root), "2026-11-22")
}

pub(super) fn losses(draft: &Conversion) -> Vec<&str> {
    draft.losses.iter().map(|loss| loss.text.as_str()).collect()
}

/// A specification with one GET whose response has a schema, beside others.
pub(super) fn responding(schema: Value, schemas: Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "X", "version": "1"},
        "servers": [{"url": "https://api.x.example/v1"}],
        "security": [{"key": []}],
        "paths": {"/a": {"get": {"operationId": "getA", "responses": {
            "200": {"description": "d", "content": {"application/json": {"schema": schema}}},
            "400": {"description": "Bad.", "content": {"application/json": {"schema": {"type": "string"}}}},
        }}}},
        "components": {"schemas": schemas, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    })
}

/// The field `f` of the object in a response, and all components.
pub(super) fn field(schema: Value) -> (Value, Value, Vec<String>) {
    let object = json!({"type": "object", "properties": {"f": schema}});
    let draft =
        drafted(responding(object, json!({"Other": {"type": "object", "properties": {"o": {"type": "string"}}}})))
            .expect("it converts");
    let document = draft.document();
    let schemas = document["components"]["schemas"].clone();
    let lost = losses(&draft).into_iter().map(str::to_owned).collect();
    (schemas["GetAResponse"]["properties"]["f"].clone(), schemas, lost)
}

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
fn parameters_are_sent_as_core_can() {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"] = json!({"/a/{id}": {"get": {"parameters": [
        {"name": "Accept", "in": "header", "schema": {"type": "string"}},
        {"name": "at", "in": "header", "schema": {"type": "string", "format": "date-time"}},
        {"name": "created", "in": "query", "style": "deepObject", "schema": {"type": "object", "properties": {"gte": {"type": "integer"}}}},
        {"name": "joined", "in": "query", "explode": false, "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "list", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "price", "in": "query", "schema": {"type": "number"}},
        {"name": "session", "in": "cookie", "schema": {"type": "string"}},
    ], "responses": {"204": {"description": "d"}}}}});
    let draft = drafted(root.clone()).expect("it converts");
    let parameters = draft.operations[0].value()["parameters"].as_array().cloned().unwrap_or_default();
    let shown =
        parameters.iter().map(|parameter| format!("{} {}", parameter["name"], parameter["schema"])).collect::<Vec<_>>();
    assert_eq!(
        shown,
        [
            r#""at" {"type":"string"}"#,
            r#""created[gte]" {"format":"int64","type":"integer"}"#,
            r#""joined" {"items":{"type":"string"},"type":"array"}"#,
            r#""list" {"items":{"type":"string"},"type":"array"}"#,
            r#""price" {"type":"string"}"#,
            r#""id" {"type":"string"}"#,
        ]
    );
    assert_eq!((&parameters[2]["explode"], &parameters[3]["explode"]), (&json!(false), &Value::Null));
    assert_eq!(draft.operations[0].id, "get_a_by_id");
    root["paths"]["/a/{id}"]["get"]["parameters"][6]["required"] = json!(true);
    assert_eq!(drafted(root).err().as_deref(), Some("GET /a/{id}: its required parameter \"session\" is a cookie"));
}

#[test]
fn body_of_another_type_is_text_or_bytes_of_the_caller() {
    let bytes = json!({"type": "string", "format": "binary"});
    let text = json!({"type": "string"});
    let object = json!({"type": "object", "properties": {"a": text}});
    for (media, schema, sent, lost) in [
        ("application/xml", &object, &bytes, true),
        ("text/xml; charset=utf-8", &object, &text, true),
        ("application/soap+xml; charset=utf-8", &text, &bytes, false),
        ("text/csv; header=present", &text, &text, false),
        ("application/gzip", &bytes, &bytes, false),
        ("application/x-ndjson", &object, &bytes, true),
        ("text/*", &text, &text, false),
        ("*/*", &text, &text, false),
        ("*/*", &bytes, &bytes, false),
        ("application/*", &bytes, &bytes, false),
    ] {
        let draft = drafted(posting(&json!({media: {"schema": schema}}))).expect("it converts");
        let post = draft.operations.iter().find(|operation| operation.method == "post").expect("it is there").value();
        let any = if *sent == bytes { "application/octet-stream" } else { "text/plain" };
        let sent_as = if media.contains('*') { any } else { media };
        assert_eq!(post["requestBody"]["content"], json!({sent_as: {"schema": sent}}), "{media}");
        let renamed = losses(&draft).contains(&format!("a body of {media} is sent as {any}").as_str());
        assert_eq!(renamed, media.contains('*'), "{media}");
        let text = format!(": callers pass the body as they encode it in {media}: its schema is not read");
        let found = losses_of_bodies(&draft).iter().any(|loss| loss.ends_with(&text));
        assert_eq!(found, lost, "{media}: {:?}", losses(&draft));
    }
    let draft = drafted(posting(&json!({"image/*": {"schema": bytes}}))).expect("the other operation converts");
    let reason = "POST /a: its body is image/*, which is not supported: send that call with `Client::request`";
    assert_eq!((draft.operations.len(), losses(&draft)[0]), (1, reason));
}

/// The specification of [`responding`], with a POST whose body has some content.
fn posting(content: &Value) -> Value {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["post"] = json!({
        "operationId": "upload", "requestBody": {"required": true, "content": content},
        "responses": {"204": {"description": "d"}},
    });
    root
}

#[test]
fn list_of_changes_is_sent_only_if_nothing_else_is_taken() {
    let (patch, own) = ("application/json-patch+json", "application/vnd.api+json");
    let object = json!({"schema": {"type": "object", "properties": {"a": {"type": "string"}}}});
    let draft = drafted(posting(&json!({patch: object, own: object}))).expect("it converts");
    assert!(
        losses_of_bodies(&draft).iter().any(|text| text.contains(&format!("sent as {own}"))),
        "{:?}",
        losses(&draft)
    );
}

#[test]
fn path_that_no_url_keeps_is_left_out() {
    for (path, expected) in [
        ("/a/../b", "a segment `.` or `..`"),
        ("/a/%2E%2e/b", "a segment `.` or `..`"),
        ("/a//b", "an empty segment"),
        ("/a\\b", "a backslash"),
        ("/a\tb", "a control character"),
        ("/a/{b", "a brace without its counterpart"),
        ("/a/b}", "a brace without its counterpart"),
        ("/a/{b{c}}", "a brace without its counterpart"),
    ] {
        let mut root = responding(json!({"type": "string"}), json!({}));
        root["paths"][path] = json!({"get": {"operationId": "odd", "responses": {"204": {"description": "d"}}}});
        let draft = drafted(root).expect("the other operation converts");
        assert!(draft.operations.len() == 1 && losses(&draft)[0].contains(expected), "{path}: {:?}", losses(&draft));
    }
    for path in ["/a b/ü", "/a/{x}..{y}", "/a/{id}:cancel", "/a/'{id}'"] {
        let mut root = responding(json!({"type": "string"}), json!({}));
        root["paths"][path] = json!({"get": {"operationId": "odd", "responses": {"204": {"description": "d"}}}});
        assert_eq!(drafted(root).expect("it converts").operations.len(), 2, "{path}");
    }
}

#[test]
fn operation_whose_own_address_no_client_can_use_is_left_out() {
    let with = |servers: Value| {
        let mut root = responding(json!({"type": "string"}), json!({}));
        root["paths"]["/b"] = root["paths"]["/a"].clone();
        root["paths"]["/b"]["servers"] = servers;
        root["paths"]["/b"]["get"]["operationId"] = json!("getB");
        drafted(root).expect("it converts")
    };
    let draft = with(json!([{"url": "/v9"}]));
    assert_eq!(losses(&draft)[0], "GET /b: its own base URL \"/v9\" is relative, incomplete or of this machine");
    assert_eq!(draft.operations.len(), 1);
    assert_eq!(with(json!([{"url": "https://api.x.example/v1"}])).operations.len(), 2);
}

#[test]
fn successes_with_the_same_body_are_of_one_type() {
    let made = |id: Value| {
        let schema = json!({"type": "object", "required": ["id"], "properties": {"id": id}});
        json!({"description": "d", "content": {"application/json": {"schema": schema}}})
    };
    let text = json!({"type": "string"});
    for (second, expected) in [(text.clone(), 1), (json!({"type": "integer"}), 2)] {
        let mut root = responding(json!({"type": "string"}), json!({}));
        root["paths"]["/a"]["get"]["responses"] = json!({"201": made(text.clone()), "202": made(second)});
        let draft = drafted(root).expect("it converts");
        assert_eq!(draft.schemas.len(), expected, "{:?}", losses(&draft));
        assert_eq!(draft.operations[0].value()["responses"].as_object().map(Map::len), Some(2));
    }
}

#[test]
fn redirect_and_body_without_a_type_are_reported() {
    let mut root = responding(json!({"type": "string"}), json!({}));
    let object = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    root["paths"]["/a"]["get"]["responses"] = json!({
        "200": {"description": "d", "content": {"application/xml": {"schema": object}}}, "303": {"description": "d"},
    });
    let draft = drafted(root).expect("it converts");
    for expected in [
        "callers read the bytes of application/xml: its schema is not in the draft",
        "303: the client follows no redirect, and returns this response as an error",
    ] {
        assert!(losses(&draft).contains(&expected), "{:?}", losses(&draft));
    }
}

/// The query parameters of the draft, and the losses of parameters.
fn queried(parameters: Value) -> (Value, Vec<String>) {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["get"]["parameters"] = parameters;
    let draft = drafted(root).expect("it converts");
    let lost = draft.losses.iter().filter(|loss| loss.kind == Kind::Parameter).map(|loss| loss.text.clone());
    (draft.operations[0].value()["parameters"].clone(), lost.collect())
}

#[test]
fn lists_follow_explode_in_each_style() {
    let list = json!({"type": "array", "items": {"type": "string"}});
    for (style, explode, joined_by, lost) in [
        ("form", None, None, ""),
        ("form", Some(false), Some("comma"), ""),
        ("pipeDelimited", None, Some("text"), "one string, joined by `|`"),
        ("pipeDelimited", Some(false), Some("text"), "one string, joined by `|`"),
        ("pipeDelimited", Some(true), None, ""),
        ("spaceDelimited", Some(true), None, ""),
        ("deepObject", Some(true), None, "the list \"l\" is sent in the style form, a parameter for each item"),
    ] {
        let mut parameter = json!({"name": "l", "in": "query", "style": style, "schema": list});
        explode.into_iter().for_each(|explode| parameter["explode"] = json!(explode));
        let (drafted, losses) = queried(json!([parameter]));
        let (kind, explode) = (&drafted[0]["schema"]["type"], &drafted[0]["explode"]);
        let found = if kind == "string" { Some("text") } else { (explode == false).then_some("comma") };
        assert_eq!(found, joined_by, "{style} {explode:?}");
        assert!(lost.is_empty() && losses.is_empty() || losses.iter().any(|text| text.contains(lost)), "{losses:?}");
    }
}

#[test]
fn headers_of_the_connection_are_the_clients() {
    let header = |name: &str| json!({"name": name, "in": "header", "schema": {"type": "string"}});
    let names = ["Accept-Encoding", "Host", "Transfer-Encoding", "Connection", "X-Own"];
    let (drafted, losses) = queried(names.iter().map(|name| header(name)).collect());
    assert_eq!((drafted.as_array().map(Vec::len), &drafted[0]["name"]), (Some(1), &json!("X-Own")));
    assert_eq!(losses.len(), 4, "{losses:?}");
}

#[test]
fn operation_that_cannot_be_sent_is_left_out_with_a_reason() {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["post"] = json!({
        "operationId": "upload",
        "requestBody": {"required": true, "content": {"multipart/form-data": {"schema": {"type": "object"}}}},
        "responses": {"200": {"description": "d"}},
    });
    let draft = drafted(root).expect("the other operation converts");
    assert_eq!(draft.operations.len(), 1);
    assert_eq!(
        losses(&draft)[0],
        "POST /a: its body is multipart/form-data, which is not supported: send that call with `Client::request`"
    );
}

#[test]
fn swagger_2_is_read_in_its_own_words() {
    let draft = drafted(json!({
        "swagger": "2.0",
        "info": {"title": "Old", "version": "2"},
        "host": "api.old.example",
        "basePath": "/v2",
        "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "security": [{"key": []}],
        "paths": {"/u": {"post": {
            "operationId": "send",
            "parameters": [
                {"name": "ids", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "multi"},
                {"name": "b", "in": "body", "required": true, "schema": {"$ref": "#/definitions/U"}},
            ],
            "responses": {"default": {"description": "d", "schema": {"type": "array", "items": {"$ref": "#/definitions/U"}}}},
        }}},
        "definitions": {"U": {"type": "object", "required": ["n"], "properties": {"n": {"type": "number", "x-nullable": true}}}},
    }))
    .expect("it converts");
    let operation = draft.operations[0].value();
    assert_eq!(operation["parameters"][0]["schema"]["type"], "array");
    assert_eq!(
        operation["requestBody"]["content"]["application/json"]["schema"],
        json!({"$ref": "#/components/schemas/U"})
    );
    assert_eq!(
        operation["responses"]["200"]["content"]["application/json"]["schema"]["items"],
        json!({"$ref": "#/components/schemas/U"})
    );
    assert_eq!(
        draft.schemas[0].1.value()["properties"]["n"],
        json!({"type": "number", "format": "decimal", "nullable": true})
    );
    assert_eq!(draft.address.as_deref(), Some("https://api.old.example/v2"));
    assert_eq!(draft.credentials, [Credential::Header("X-Key".to_owned())]);
}

#[test]
fn operations_with_other_credentials_are_left_out() {
    let mut root = responding(json!({"type": "string"}), json!({}));
    let mut other = root["paths"]["/a"]["get"].clone();
    other["operationId"] = json!("getB");
    other["security"] = json!([{"admin": []}]);
    root["paths"]["/b"] = json!({"get": other});
    root["paths"]["/c"] = root["paths"]["/a"].clone();
    let content = &mut root["paths"]["/c"]["get"]["responses"]["200"]["content"];
    *content = json!({"application/vnd.x.v2+json": content["application/json"]});
    root["paths"]["/c"]["get"]["operationId"] = json!("getC");
    root["paths"]["/c"]["get"]["security"] = json!([{"admin": []}, {"key": []}]);
    root["components"]["securitySchemes"]["admin"] = json!({"type": "http", "scheme": "bearer"});
    let draft = drafted(root).expect("it converts");
    let reported = draft.losses.iter().filter(|loss| loss.kind != Kind::ErrorBody).map(|loss| loss.text.as_str());
    assert_eq!(
        reported.collect::<Vec<_>>(),
        ["GET /b: it calls for admin, which the client does not have; make it a vendor of its own"]
    );
    let content = &draft.operations[1].value()["responses"]["200"]["content"];
    assert!(content.get("application/vnd.x.v2+json").is_some(), "{content}");
}

#[test]
fn operation_is_sent_with_the_clients_credentials_or_left_out() {
    // The requirement of three operations, that of one more, and what is reported of the latter.
    let token = "calls for token, which the client does not have";
    for (most, one, reported) in [
        (
            json!([{"key": []}]),
            json!([{"key": [], "admin": []}]),
            "calls for admin and key, which the client does not have",
        ),
        (
            json!([{"key": []}]),
            json!([{"key": [], "query": []}]),
            "no supported security scheme: query: a key in the query",
        ),
        (
            json!([{"key": []}]),
            json!([{"key": [], "admin": []}, {"token": []}]),
            "calls for admin and key or token, which",
        ),
        (json!([{"key": []}]), json!([{"key": [], "admin": []}, {"key": []}]), ""),
        (json!([{"key": []}]), json!([{}, {"admin": []}]), ""),
        (json!([{"key": [], "admin": []}]), json!([{"key": []}]), ""),
        (json!([{"token": []}]), json!([{"token": [], "basic": []}]), "basic is required beside token, but both write"),
        (json!([{"token": []}]), json!([{"basic": []}]), "calls for basic, which the client does not have"),
        (
            json!([{"token": []}]),
            json!([{"token": [], "basic": [], "key": []}]),
            "calls for basic and key and token, which",
        ),
        // What most call for cannot be sent.
        (json!([{"query": []}]), json!([{"token": []}]), "no supported security scheme: query: a key in the query"),
        (json!([{"key": []}]), json!([{"token": []}]), token),
    ] {
        let mut root = responding(json!({"type": "string"}), json!({}));
        for (path, security) in [("/a", &most), ("/b", &most), ("/c", &most), ("/d", &one)] {
            root["paths"][path] = json!({"get": root["paths"]["/a"]["get"]});
            root["paths"][path]["get"]["operationId"] = json!(format!("get{path}"));
            root["paths"][path]["get"]["security"] = security.clone();
        }
        let header = |name: &str| json!({"type": "apiKey", "in": "header", "name": name});
        root["components"]["securitySchemes"] = json!({
            "key": header("X-Key"),
            "admin": header("X-Admin"),
            "query": {"type": "apiKey", "in": "query", "name": "k"},
            "token": {"type": "http", "scheme": "bearer"},
            "basic": {"type": "http", "scheme": "basic"},
        });
        let draft = drafted(root).expect("it converts");
        let of_security = draft.losses.iter().filter(|loss| matches!(loss.kind, Kind::Operation | Kind::Security));
        let found =
            of_security.map(|loss| loss.text.as_str()).filter(|text| !text.contains("was selected; the vendor"));
        let found = found.collect::<Vec<_>>();
        assert_eq!(found.is_empty(), reported.is_empty(), "{most} {one}: {found:?}");
        assert!(found.iter().all(|text| text.contains(reported)), "{most} {one}: {found:?}");
        let left_out = draft.losses.iter().filter(|loss| loss.kind == Kind::Operation).count();
        assert_eq!(draft.operations.len() + left_out, 4, "{most} {one}");
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

/// A POST under `/a` that sends a form, and a GET beside it that does.
fn sending_a_form(required: bool, schema: &Value) -> Value {
    let mut root = responding(json!({"type": "string"}), json!({}));
    let body =
        json!({"required": required, "content": {"application/x-www-form-urlencoded": {"schema": schema.clone()}}});
    let mut post = root["paths"]["/a"]["get"].clone();
    post["operationId"] = json!("sendA");
    post["requestBody"] = body;
    root["paths"]["/a"]["post"] = post;
    root["paths"]["/a"]["get"]["requestBody"] =
        json!({"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {}}}}});
    root
}

#[test]
fn form_without_supported_fields_is_not_sent() {
    let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
    for (properties, expected) in [
        (json!({}), vec!["of 400"; 2]),
        (
            json!({"tags": map}),
            vec!["the form's field \"tags\" is left out: a map, or of several types", "of 400", "of 400"],
        ),
    ] {
        let draft =
            drafted(sending_a_form(false, &json!({"type": "object", "properties": properties}))).expect("it converts");
        let post = draft.operations.iter().find(|operation| operation.method == "post").expect("it is there");
        assert_eq!(post.value().get("requestBody"), None);
        assert_eq!(losses(&draft), expected);
    }
    let needed = json!({"type": "object", "required": ["ids"], "properties": {"ids": map}});
    let draft = drafted(sending_a_form(true, &needed)).expect("the other converts");
    assert!(losses(&draft)[0].contains("required field \"ids\""), "{:?}", losses(&draft));
}

#[test]
fn a_forms_field_that_is_a_word_or_a_number_is_a_text() {
    let at = json!({"description": "When.", "anyOf": [{"type": "integer"}, {"type": "string", "enum": ["now"]}]});
    let draft = drafted(sending_a_form(true, &json!({"type": "object", "required": ["at"], "properties": {"at": at}})))
        .expect("it converts");
    let form = &draft.schemas.iter().find(|(name, _)| name == "SendAForm").expect("it is there").1.value();
    assert_eq!(form["properties"]["at"], json!({"type": "string", "description": "When."}));
    let reason = "callers pass the form's field \"at\" as a string: alternatives of different kinds (integer, string)";
    assert_eq!(losses(&draft)[0], reason);
}

/// Losses of bodies and operations, with their places below `/paths/~1a/post`.
fn losses_of_bodies(draft: &Conversion) -> Vec<String> {
    let found = draft.losses.iter().filter(|loss| matches!(loss.kind, Kind::Body | Kind::Operation));
    found.map(|loss| format!("{}: {}", loss.at.trim_start_matches("/paths/~1a/post"), loss.text)).collect()
}

#[test]
fn field_of_a_form_is_sent_as_the_encoding_asks_or_left_out() {
    let address = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let text = json!({"type": "string"});
    let list = json!({"type": "array", "items": text});
    for (field, encoding, asked) in [
        (&address, json!({"style": "deepObject", "explode": true}), None),
        (&address, json!({"style": "deepObject", "contentType": "application/json"}), None),
        (&address, json!({"contentType": "application/json"}), Some("the content type \"application/json\"")),
        (&address, json!({"style": "form", "explode": true}), Some("the style \"form\"")),
        (&address, json!({"explode": false}), Some("the style \"form\"")),
        (&list, json!({"style": "form", "explode": true}), None),
        (&list, json!({"explode": true, "contentType": "application/json"}), None),
        (&list, json!({"style": "deepObject", "explode": true}), Some("the style \"deepObject\"")),
        (&list, json!({"contentType": "application/json"}), Some("the content type \"application/json\"")),
        (&text, json!({"style": "form", "contentType": "application/json"}), None),
        (&text, json!({"contentType": "text/plain; charset=utf-8"}), None),
        (&text, json!({"contentType": "application/json"}), Some("the content type \"application/json\"")),
    ] {
        for required in [false, true] {
            let needed = if required { json!(["f"]) } else { json!([]) };
            let form = json!({"type": "object", "required": needed, "properties": {"f": field, "other": text}});
            let mut root = sending_a_form(true, &form);
            root["paths"]["/a"]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["encoding"] =
                json!({"f": encoding});
            let draft = drafted(root).expect("it converts");
            let form = draft.schemas.iter().find(|(name, _)| name == "SendAForm").map(|(_, form)| form.value());
            let found = losses_of_bodies(&draft);
            let Some(asked) = asked else {
                assert_eq!(form.map(|form| form["properties"].as_object().map(Map::len)), Some(Some(2)), "{encoding}");
                assert_eq!(found, Vec::<String>::new(), "{encoding}");
                continue;
            };
            let why = format!("the specification asks for {asked}");
            if required {
                let text = format!("its form has the required field \"f\", which cannot be sent: {why}");
                assert_eq!(found, [format!(": POST /a: {text}")], "{encoding}");
            } else {
                let place = "/requestBody/content/application~1x-www-form-urlencoded/schema/properties/f";
                assert_eq!(found, [format!("{place}: the form's field \"f\" is left out: {why}")], "{encoding}");
                assert_eq!(form.map(|form| form["properties"].clone()), Some(json!({"other": text})), "{encoding}");
            }
        }
    }
}

#[test]
fn lists_of_a_form_have_simple_items() {
    let listed = |items: Value| json!({"type": "array", "items": items});
    for (items, expected) in [
        (json!({"type": "string", "enum": ["x", "y"]}), Some(json!({"$ref": "#/components/schemas/FormFItem"}))),
        (json!({"type": "number"}), Some(json!({"type": "string", "format": "decimal"}))),
        (json!({"type": "string", "format": "date"}), Some(json!({"type": "string", "format": "date"}))),
        (json!({"type": "object", "properties": {"a": {"type": "string"}}}), None),
        (listed(json!({"type": "string"})), None),
    ] {
        let properties = json!({"f": listed(items.clone()), "other": {"type": "string"}});
        let draft =
            drafted(sending_a_form(true, &json!({"type": "object", "properties": properties}))).expect("it converts");
        let form = draft.schemas.iter().find(|(name, _)| name == "SendAForm").expect("it is there").1.value();
        assert_eq!(form["properties"].get("f").map(|list| list["items"].clone()), expected, "{items}");
        let unresolved = losses(&draft).iter().any(|text| text.contains("unresolved"));
        let left_out = losses(&draft).iter().any(|text| text.contains("left out: a list of lists, of objects or"));
        assert_eq!((unresolved, left_out), (false, expected.is_none()), "{items}: {:?}", losses(&draft));
    }
}

#[test]
fn losses_of_a_form_are_at_its_fields() {
    let deep = |names: &[&str], leaf: Value| {
        let within = |inner: Value, name: &&str| json!({"type": "object", "properties": {*name: inner}});
        names.iter().rev().fold(leaf, within)
    };
    let text = json!({"type": "string"});
    let mut root = sending_a_form(
        true,
        &json!({"type": "object", "properties": {
            "address": {"$ref": "#/components/schemas/Address"},
            "once": {"type": "string", "enum": ["now"]},
            "tags": {"type": "object", "additionalProperties": text},
        }}),
    );
    root["components"]["schemas"]["Address"] = deep(&["l1", "l2", "l3", "l4", "l5"], text.clone());
    let draft = drafted(root).expect("it converts");
    let form = "/requestBody/content/application~1x-www-form-urlencoded/schema/properties";
    let l4 = ["l1", "l2", "l3", "l4"].map(|name| format!("/properties/{name}")).concat();
    let of_form = draft.losses.iter().filter(|loss| loss.kind <= Kind::Enum && !loss.text.starts_with("of 4"));
    let of_form = of_form.map(|loss| format!("{}: {}", loss.at.trim_start_matches("/paths/~1a/post"), loss.text));
    assert_eq!(
        of_form.collect::<Vec<_>>(),
        [
            format!(
                "{form}/address: the form's object \"address\" is sent as fields such as \"address[a]\": the specification states no other form"
            ),
            format!(
                "/components/schemas/Address{l4}: the form's field \"address[l1][l2][l3][l4]\" is left out: an object within 4 others"
            ),
            format!("{form}/tags: the form's field \"tags\" is left out: a map, or of several types"),
            format!("{form}/once/enum: one value alone: converted to a plain string"),
        ]
    );
}

/// A POST of Swagger 2 with fields of a form.
fn posting_form_data(consumes: &[&str], fields: &Value) -> Value {
    json!({
        "swagger": "2.0", "info": {"title": "X", "version": "1"}, "host": "api.x.example",
        "paths": {
            "/a": {"post": {
                "operationId": "sendA", "consumes": consumes, "parameters": fields,
                "responses": {"204": {"description": "d"}},
            }},
            "/b": {"get": {"operationId": "getB", "responses": {"204": {"description": "d"}}}},
        },
    })
}

#[test]
fn form_of_swagger_2_is_sent_as_a_type_that_is_consumed() {
    let (form, parts) = ("application/x-www-form-urlencoded", "multipart/form-data");
    let field = |name: &str, kind: &str| json!({"name": name, "in": "formData", "required": true, "type": kind});
    let (text, file) = (json!([field("t", "string")]), json!([field("t", "string"), field("f", "file")]));
    let in_parts =
        format!(": POST /a: its body is {parts}, which is not supported: send that call with `Client::request`");
    for (consumes, fields, sent, expected) in [
        (vec![], &text, true, String::new()),
        (vec!["application/x-www-form-urlencoded; charset=utf-8"], &text, true, String::new()),
        (vec![parts, form], &text, true, format!("/parameters: sent as {form}; the vendor takes {parts} as well")),
        (vec![parts], &text, false, in_parts.clone()),
        (vec![parts, form], &file, false, in_parts.clone()),
        (vec![], &file, false, in_parts),
        (
            vec!["application/json"],
            &text,
            true,
            format!("/consumes: the body is a form: sent as {form}, which the operation does not list"),
        ),
    ] {
        let mut root = posting_form_data(&consumes, fields);
        if consumes.is_empty() {
            root["paths"]["/a"]["post"].as_object_mut().expect("an operation").remove("consumes");
        }
        let draft = drafted(root).expect("it converts");
        let post = draft.operations.iter().find(|operation| operation.method == "post").map(|post| post.value());
        let media = post.map(|post| post["requestBody"]["content"].as_object().map(|all| all.contains_key(form)));
        assert_eq!(media, sent.then_some(Some(true)), "{consumes:?}");
        assert_eq!(losses_of_bodies(&draft).join("\n"), expected, "{consumes:?}");
    }
}

#[test]
fn losses_of_a_form_of_swagger_2_are_at_its_parameters() {
    let fields = json!([
        {"name": "p", "in": "query", "type": "string"},
        {"name": "t", "in": "formData", "type": "string"},
        {"name": "tags", "in": "formData", "type": "array", "items": {"type": "string"}},
    ]);
    let draft = drafted(posting_form_data(&["application/x-www-form-urlencoded"], &fields)).expect("it converts");
    assert_eq!(
        losses_of_bodies(&draft),
        [
            "/parameters/2: callers pass the form's list \"tags\" as one string, joined by a comma",
            "/parameters: the body is optional, and is always sent",
        ]
    );
}

#[test]
fn form_of_any_fields_is_not_sent_with_a_reason() {
    let form = json!({"type": "object", "additionalProperties": {"type": "string"}});
    for (required, expected) in [
        (
            false,
            "/requestBody: no body is sent: the form has any fields, of which none is described, and it is optional",
        ),
        (true, ": POST /a: its form has any fields, of which none is described"),
    ] {
        let draft = drafted(sending_a_form(required, &form)).expect("it converts");
        assert_eq!(losses_of_bodies(&draft), [expected]);
    }
}

#[test]
fn header_of_an_operation_replaces_that_of_its_path_in_any_case() {
    let header = |name: &str, required: bool, kind: &str| json!({"name": name, "in": "header", "required": required, "schema": {"type": kind}});
    let mut root = sending(json!([header("x-id", true, "integer")]));
    root["paths"]["/a"]["parameters"] = json!([header("X-Id", false, "string")]);
    let draft = drafted(root).expect("it converts");
    let drafted = &draft.operations[0].value()["parameters"];
    let schema = json!({"type": "integer", "format": "int64"});
    assert_eq!(*drafted, json!([{"name": "x-id", "in": "header", "required": true, "schema": schema}]));
    assert!(draft.losses.iter().all(|loss| loss.kind != Kind::Parameter), "{:?}", losses(&draft));
}

#[test]
fn operations_with_addresses_of_their_own_go_there() {
    let with = |own: &str| {
        let mut root = responding(json!({"type": "string"}), json!({}));
        let mut item = root["paths"]["/a"].clone();
        item["get"]["operationId"] = json!("getB");
        item["servers"] = json!([{"url": own}]);
        root["paths"]["/b"] = item;
        root
    };
    let paths = |draft: &Conversion| draft.operations.iter().map(|one| one.path.clone()).collect::<Vec<_>>();
    let draft = drafted(with("https://api.x.example/v2")).expect("it converts");
    assert_eq!(
        (draft.address.as_deref(), paths(&draft)),
        (Some("https://api.x.example"), vec!["/v1/a".into(), "/v2/b".into()])
    );
    let draft = drafted(with("https://files.x.example")).expect("it converts");
    assert_eq!((draft.address.as_deref(), paths(&draft)), (Some("https://api.x.example/v1"), vec!["/a".into()]));
    assert!(losses(&draft)[0].ends_with("make it a vendor of its own"), "{:?}", losses(&draft));
    // Chosen alone, it is the vendor.
    let published = published(with("https://files.x.example"));
    let alone = operations(&published.root).into_iter().filter(|operation| operation.path == "/b").collect::<Vec<_>>();
    let draft = super::convert(&published, &alone, "2026-11-22").expect("it converts");
    assert_eq!(draft.address.as_deref(), Some("https://files.x.example"));
}

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
fn headers_of_responses_are_reported_once_for_each_response() {
    let mut root = responding(json!({"type": "string"}), json!({}));
    let header = json!({"schema": {"type": "string"}});
    root["components"]["responses"] = json!({"Busy": {"description": "d", "headers": {"X-Reset": header}}});
    root["paths"]["/a"]["get"]["responses"]["200"]["headers"] =
        json!({"ETag": header, "content-type": header, "X-Total": header});
    root["paths"]["/a"]["get"]["responses"]["204"] =
        json!({"description": "d", "headers": {"Content-Type": header, "Access-Control-Allow-Origin": header}});
    root["paths"]["/a"]["get"]["responses"]["429"] = json!({"$ref": "#/components/responses/Busy"});
    root["paths"]["/b"]["get"] = json!({"operationId": "getB", "responses": {
        "200": {"description": "d"}, "default": {"$ref": "#/components/responses/Busy"},
    }});
    let draft = drafted(root).expect("it converts");
    let found = draft.losses.iter().filter(|loss| loss.kind == Kind::Header);
    let found = found.map(|loss| format!("{} at {}", loss.text, loss.at)).collect::<Vec<_>>();
    let busy = "X-Reset: an error has the request id and `retry_after()`, and no other header at /components/responses/Busy/headers";
    assert_eq!(
        found,
        [
            "ETag, X-Total: callers read them by name, in `headers()` of the response at /paths/~1a/get/responses/200/headers",
            busy
        ]
    );
}

/// The operation `getA` with these parameters.
fn sending(parameters: Value) -> Value {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["get"]["parameters"] = parameters;
    root
}

#[test]
fn parameters_of_one_name_are_kept_and_reported() {
    let text = json!({"type": "string"});
    let (query, header) = (
        |name: &str| json!({"name": name, "in": "query", "schema": text}),
        |name: &str, required| json!({"name": name, "in": "header", "required": required, "schema": text}),
    );
    let mut root = sending(json!([
        query("id"),
        query("ID"),
        query("body"),
        query("send"),
        query("Time<"),
        query("userId"),
        header("Id", true),
        header("iD", false)
    ]));
    root["paths"]["/a/{id}"]["put"] = root["paths"]["/a"]["get"].take();
    root["paths"]["/a/{id}"]["put"]["requestBody"] = json!({"content": {"application/json": {"schema": text}}});
    let draft = drafted(root).unwrap_or_else(|error| panic!("{error}"));
    let parameters = draft.operations[0].value()["parameters"].as_array().cloned().unwrap_or_default();
    let named = parameters.iter().map(|parameter| format!("{} {}", parameter["name"], parameter["in"]));
    assert_eq!(
        named.collect::<Vec<_>>(),
        [
            "\"id\" \"query\"",
            "\"ID\" \"query\"",
            "\"body\" \"query\"",
            "\"send\" \"query\"",
            "\"Time<\" \"query\"",
            "\"userId\" \"query\"",
            "\"Id\" \"header\"",
            "\"id\" \"path\"",
        ]
    );
    let reported = losses(&draft);
    assert!(!reported.iter().any(|loss| loss.contains("userId")), "{reported:?}");
    for expected in [
        "\"id\" in \"query\" is set by `id_query`, not by `id`",
        "\"ID\" in \"query\" is set by `id_query_2`, not by `id`",
        "\"body\" in \"query\" is set by `body_query`, not by `body`",
        "\"send\" in \"query\" is set by `send_`, not by `send`",
        "\"Time<\" in \"query\" is set by `time_lt`, not by `time`",
        "\"Id\" in \"header\" is set by `id_header`, not by `id`",
        "\"iD\" is left out: it is listed twice",
    ] {
        assert!(reported.contains(&expected), "{expected}: {reported:?}");
    }
}

#[test]
fn parameters_are_sent_in_their_style_or_left_out() {
    let path = |style: &str| {
        let mut root = sending(
            json!([{"name": "day", "in": "path", "required": true, "style": style, "schema": {"type": "string"}}]),
        );
        root["paths"]["/a/{day}"] = root["paths"]["/a"].take();
        root["paths"].as_object_mut().expect("paths").remove("/a");
        drafted(root)
    };
    assert!(path("simple").is_ok());
    for style in ["matrix", "label"] {
        let reason = path(style).err().unwrap_or_default();
        assert!(reason.contains(&format!("its required parameter \"day\" has the style \"{style}\"")), "{reason}");
    }
    let object = json!({"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}});
    let list = json!({"type": "array", "items": {"type": "string"}});
    for (parameter, expected) in [
        (json!({"in": "cookie", "schema": {"type": "string"}}), "\"p\" is left out: it is a cookie"),
        (json!({"in": "header", "schema": object}), "\"p\" is left out: it is an object outside of the query"),
        (json!({"in": "header", "schema": list}), "the array \"p\" as one string, joined by a comma"),
        (json!({"in": "query", "style": "spaceDelimited", "schema": list}), "joined by a space"),
        (json!({"in": "query", "style": "pipeDelimited", "schema": list}), "joined by `|`"),
        (json!({"in": "query", "allowReserved": true, "schema": {"type": "string"}}), "reserved characters are"),
        (json!({"in": "query", "allowEmptyValue": true, "schema": {"type": "string"}}), "without a value is not sent"),
        (json!({"in": "query", "schema": {"type": "number"}}), "the number \"p\" as a string"),
        (json!({"in": "query", "schema": object}), "\"p\" is sent by its fields"),
        (json!({"in": "query", "style": "deepObject", "schema": object}), "\"p\" is sent by its fields"),
    ] {
        let mut parameter = parameter;
        parameter["name"] = json!("p");
        let reported = losses(&drafted(sending(json!([parameter]))).expect("it converts")).join("; ");
        assert!(reported.contains(expected), "{parameter}: {reported}");
    }
    let draft = drafted(sending(json!([
        {"name": "point", "in": "query", "explode": false, "schema": object},
        {"name": "each", "in": "query", "schema": object},
        {"name": "bad name", "in": "header", "schema": {"type": "string"}},
        {"name": "X.Odd~", "in": "header", "schema": {"type": "string"}},
    ])))
    .expect("it converts");
    let operation = draft.operations[0].value();
    let names = operation["parameters"].as_array().into_iter().flatten();
    let names = names.filter_map(|parameter| parameter["name"].as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["point", "x", "y", "X.Odd~"]);
    let reported = losses(&draft).join("; ");
    assert!(
        reported.contains(
            "the object \"point\" as one string: names and values by turns, joined by a comma, which is percent-encoded"
        ) && reported.contains("\"bad name\" is left out"),
        "{reported}"
    );
}

#[test]
fn operators_of_nested_deep_objects_are_parameters() {
    let bounds = json!({"type": "object", "properties": {"gte": {"type": "string"}, "lt": {"type": "string"}}});
    let draft = drafted(sending(json!([{"name": "filter", "in": "query", "style": "deepObject", "schema": {
        "type": "object", "properties": {"at": {"anyOf": [{"type": "string"}, bounds]}, "only": bounds},
    }}])))
    .expect("it converts");
    let operation = draft.operations[0].value();
    let names = operation["parameters"].as_array().into_iter().flatten();
    let mut names = names.filter_map(|parameter| parameter["name"].as_str()).collect::<Vec<_>>();
    names.sort_unstable();
    assert_eq!(names, ["filter[at]", "filter[at][gte]", "filter[at][lt]", "filter[only][gte]", "filter[only][lt]"]);
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
fn credentials_that_most_operations_take_are_used() {
    let mut root = responding(json!({"type": "string"}), json!({}));
    let get = |id: &str, security: Value| json!({"get": {"operationId": id, "security": security, "responses": {"204": {"description": "d"}}}});
    root["components"]["securitySchemes"] = json!({
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "token": {"type": "http", "scheme": "bearer"},
    });
    root["security"] = json!([{"key": []}, {"token": []}]);
    root["paths"]["/b"] = get("getB", json!([{"key": []}, {"token": []}]));
    root["paths"]["/c"] = get("getC", json!([{"token": []}]));
    let draft = drafted(root.clone()).expect("it converts");
    assert_eq!((draft.credentials.as_slice(), draft.operations.len()), (&[Credential::Bearer][..], 3));
    root["paths"]["/c"] = get("getC", json!([{"token": []}, {"key": []}]));
    assert_eq!(drafted(root).expect("it converts").credentials, [Credential::Header("X-Key".to_owned())]);
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
fn fields_beside_a_reference_count_in_openapi_3_1() {
    let (whole, schemas, _) =
        field(json!({"$ref": "#/components/schemas/Other", "properties": {"more": {"type": "integer"}}}));
    let name = whole["$ref"].as_str().and_then(|target| target.rsplit('/').next()).unwrap_or_default();
    assert_eq!(schemas[name]["properties"].as_object().map(|fields| fields.len()), Some(2), "{schemas}");
}

#[test]
fn every_success_is_read() {
    let statuses = |responses: Value, method: &str| {
        let mut root = responding(json!({}), json!({}));
        root["paths"]["/a"] = json!({method: {"operationId": "getA", "responses": responses}});
        let draft = drafted(root).expect("it converts");
        let lost = draft.losses.iter().map(|loss| loss.text.clone()).collect::<Vec<_>>();
        (draft.operations[0].value(), lost)
    };
    let json = |field: &str| json!({"description": "d", "content": {"application/json": {"schema": {"type": "object", "properties": {field: {"type": "string"}}}}}});
    let nothing = json!({"description": "d"});
    let (operation, lost) = statuses(json!({"200": json("a"), "202": json("b"), "204": nothing}), "get");
    assert_eq!(operation["responses"].as_object().map(|all| all.len()), Some(3));
    assert!(lost.is_empty(), "{lost:?}");
    let (operation, _) = statuses(json!({"200": json("a")}), "head");
    assert_eq!(operation["responses"]["200"].get("content"), None);
    let csv = json!({"description": "d", "content": {"text/csv": {}}});
    let (operation, lost) = statuses(json!({"200": json("a"), "206": csv}), "get");
    assert_eq!(operation["x-download"], true);
    assert_eq!(lost, ["success responses of JSON and of other types: all are read as bytes"]);
    // Other successes than 200 have no body.
    let (operation, _) = statuses(json!({"200": json("a"), "2XX": nothing}), "delete");
    assert_eq!(operation["responses"]["204"].get("content"), None);
    assert!(operation["responses"]["200"].get("content").is_some());
    let mut nullable = json("a");
    nullable["content"]["application/json"]["schema"]["nullable"] = json!(true);
    let (operation, lost) = statuses(json!({"200": nullable}), "get");
    assert_eq!(operation["responses"]["200"]["content"]["application/json"]["schema"]["nullable"], true);
    assert!(lost.is_empty(), "{lost:?}");
    let (_, lost) = statuses(json!({"200": nullable, "202": json("b")}), "get");
    assert_eq!(lost, ["null in place of one of several bodies is not read"]);
    let (_, lost) = statuses(json!({"200": json("a"), "303": nothing}), "get");
    assert_eq!(lost, ["303: the client follows no redirect, and returns this response as an error"]);
    // 200 and any other: what is read holds the bodies of both.
    let (operation, lost) = statuses(json!({"200": json("a"), "2XX": json("b")}), "get");
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(schema["$ref"], "#/components/schemas/GetAResponse", "{operation}");
    assert!(lost.iter().any(|text| text.starts_with("alternatives became one object")), "{lost:?}");
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

#[test]
fn options_is_left_out_alone() {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["options"] = json!({"operationId": "cors", "responses": {"204": {"description": "d"}}});
    let draft = drafted(root).expect("it converts");
    assert_eq!(draft.operations.len(), 1);
    assert!(losses(&draft).contains(&"OPTIONS /a: the HTTP client has no method OPTIONS"), "{:?}", losses(&draft));
}

/// Words that specifications are made of, so that what is made at random means something now and then.
fn word() -> impl Strategy<Value = String> {
    const WORDS: &str = "
        type string object array number $ref #/components/schemas/A #/definitions/A # properties items allOf
        oneOf anyOf enum required parameters name in query path body schema content application/json
        application/x-www-form-urlencoded responses 200 204 default requestBody style deepObject null nullable
        additionalProperties format servers url security operationId
    ";
    let words = WORDS.split_whitespace().chain(["", "a\nb"]).map(str::to_owned);
    prop::sample::select(words.collect::<Vec<_>>())
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_document_makes_it_panic(operation in anything(), a in anything(), b in anything(), old in any::<bool>()) {
        let version = if old { json!({"swagger": "2.0"}) } else { json!({"openapi": "3.1.0"}) };
        let mut root = version;
        root["paths"] = json!({"/a/{id}": {"get": operation, "post": {"requestBody": {"content": {"application/json": {"schema": a.clone()}}}, "responses": {"200": {"content": {"application/json": {"schema": b.clone()}}}}}}});
        root["components"] = json!({"schemas": {"A": a.clone(), "B": b}});
        root["definitions"] = json!({"A": a});
        // What is drafted keeps our rules; what is not has a reason of one line.
        match drafted(root) {
            Ok(draft) => {
                let document = openapi_document::Document { name: "x".to_owned(), sha256: String::new(), root: draft.document() };
                let broken = crate::lint::lint(&document);
                let broken = broken.iter().filter(|finding| finding.rule.level == crate::lint::Level::Error).map(ToString::to_string).collect::<Vec<_>>();
                prop_assert!(broken.is_empty(), "{broken:?}");
            }
            Err(reason) => prop_assert_eq!(reason.lines().count(), 1, "{}", reason),
        }
    }
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
fn parameter_without_one_type_is_a_string_with_the_true_reason() {
    let query = |name: &str, schema: Value| json!({"name": name, "in": "query", "schema": schema});
    let gone = json!({"$ref": "#/x-files/gone.yaml/X"});
    let draft = drafted(sending(json!([
        query("a", gone.clone()),
        query("b", json!({"oneOf": [{"type": "integer"}, {"type": "string"}]})),
        query("c", json!({"type": "array", "items": gone})),
        query("d", json!({"type": "array", "items": {"type": "object", "properties": {"x": {}}}})),
        {"name": "e", "in": "path", "required": true, "schema": {}},
        null,
    ])))
    .expect("it converts");
    let found = draft.losses.iter().filter(|loss| loss.at.contains("/parameters/"));
    let found = found.map(|loss| format!("{}: {}", loss.at.replace("/paths/~1a/get/parameters/", ""), loss.text));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            "0/schema: callers pass \"a\" as a string: unresolved reference \"gone.yaml#/X\"",
            "1/schema: callers pass \"b\" as a string: alternatives of different kinds (integer, string)",
            "2/schema: callers pass the items of \"c\" as strings: unresolved reference \"gone.yaml#/X\"",
            "3: \"d\" is left out: it has a type without a single form as a string",
            "4: \"e\" is left out: it is not in the path",
            "5: a parameter is left out: it is not an object",
        ]
    );
    let at = draft.losses.iter().map(|loss| loss.kind).filter(|kind| *kind == Kind::Untyped).count();
    assert_eq!(at, 0, "{:?}", losses(&draft));
}

#[test]
fn success_of_all_statuses_is_read_like_that_of_its_own() {
    let body = |kind: &str| json!({"description": "d", "content": {"application/json": {"schema": {"type": kind}}}});
    let mut root = responding(json!({}), json!({}));
    root["paths"]["/a"]["get"]["responses"] = json!({"2XX": body("integer"), "default": {}, "200": body("string")});
    let draft = drafted(root).expect("it converts");
    let schema = draft.operations[0].value()["responses"]["200"]["content"]["application/json"]["schema"].clone();
    assert_eq!(schema["x-any"], true, "either may come");
    let lost = draft.losses.iter().find(|loss| loss.text == "the success response 2XX is read like 200");
    assert_eq!(lost.map(|loss| loss.at.as_str()), Some("/paths/~1a/get/responses/2XX"), "{:?}", losses(&draft));
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
fn what_swagger_2_does_not_have_is_reported() {
    let content = json!({"application/json": {"schema": {"type": "string"}}});
    let body = |name: &str| json!({"name": name, "in": "body", "schema": {"type": "string"}});
    let root = json!({
        "swagger": "2.0", "info": {"title": "X", "version": "1"}, "host": "api.x.example",
        "paths": {
            "/a": {"post": {"requestBody": {"content": content}, "responses": {"200": {"content": content}}}},
            "/b": {"post": {"parameters": [body("one"), body("two")], "responses": {"200": {}}}},
        },
    });
    let draft = drafted(root).expect("it converts");
    for (at, expected) in [
        ("/paths/~1a/post/requestBody", "not sent: Swagger 2.0 has the body among the parameters"),
        ("/paths/~1a/post/responses/200/content", "not read: Swagger 2.0 has `schema` in its place"),
        ("/paths/~1b/post/parameters/1", "\"two\" is left out: the operation has a body already"),
    ] {
        let found = draft.losses.iter().filter(|loss| loss.at == at).map(|loss| loss.text.as_str());
        assert_eq!(found.collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn form_without_a_schema_is_not_sent_with_a_reason() {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["post"] = json!({
        "operationId": "sendA", "requestBody": {"content": {"application/x-www-form-urlencoded": {}}},
        "responses": {"204": {"description": "d"}},
    });
    let draft = drafted(root).expect("it converts");
    assert!(
        losses_of_bodies(&draft).iter().any(|text| text.contains("of which none is described")),
        "{:?}",
        losses(&draft)
    );
}

/// A specification of one GET for each path, with its security requirement; nothing states none.
fn secured(schemes: &Value, paths: &[(&str, Value)]) -> Value {
    let mut root = responding(json!({"type": "string"}), json!({}));
    let get = root["paths"]["/a"]["get"].take();
    root["paths"] = json!({});
    for (path, security) in paths {
        let mut get = get.clone();
        get["operationId"] = json!(format!("get{path}"));
        if !security.is_null() {
            get["security"] = security.clone();
        }
        root["paths"][path] = json!({"get": get});
    }
    root.as_object_mut().map(|root| root.remove("security"));
    root["components"]["securitySchemes"] = schemes.clone();
    root
}

#[test]
fn unsupported_security_takes_no_other_operations_with_it() {
    let query = json!({"type": "apiKey", "in": "query", "name": "k"});
    let key = json!({"type": "apiKey", "in": "header", "name": "X-Key"});
    let reason = "no supported security scheme: query: a key in the query (\"k\"): core sends keys in headers only, as addresses are logged";
    // Operations without credentials are kept, beside such that cannot be sent.
    for free in [json!([]), Value::Null, json!([{}, {"query": []}])] {
        let root = secured(
            &json!({"query": query, "bearer": query}),
            &[("/a", json!([{"query": []}])), ("/b", free), ("/c", json!([{"bearer": []}]))],
        );
        let draft = drafted(root).expect("it converts");
        assert_eq!(draft.operations.iter().map(|operation| operation.path.as_str()).collect::<Vec<_>>(), ["/b"]);
        assert!(losses(&draft).contains(&format!("GET /a: {reason}").as_str()), "{:?}", losses(&draft));
    }
    // The credentials are those of the operations that can be sent.
    let mut root = secured(
        &json!({"key": key, "token": {"type": "http", "scheme": "bearer"}}),
        &[("/a", json!([{"token": []}])), ("/b", json!([{"token": []}])), ("/c", json!([{"key": []}]))],
    );
    for path in ["/a", "/b"] {
        let mut post = root["paths"][path]["get"].take();
        post["requestBody"] = json!({"required": true, "content": {"multipart/form-data": {}}});
        root["paths"][path] = json!({"post": post});
    }
    let draft = drafted(root).expect("it converts");
    assert_eq!(draft.credentials, [Credential::Header("X-Key".to_owned())]);
    assert_eq!(draft.operations.len(), 1, "{:?}", losses(&draft));
    // Nothing is left.
    let root = secured(&json!({"query": query}), &[("/a", json!([{"query": []}]))]);
    assert_eq!(drafted(root).err().as_deref(), Some(reason));
}

#[test]
fn undefined_security_scheme_is_assumed_to_be_a_bearer_token() {
    let text = "the security scheme \"jwt\" is not defined: assumed to be a bearer token; look it up";
    let key = json!({"key": {"type": "apiKey", "in": "header", "name": "X-Key"}});
    for (schemes, required, credentials) in [
        (json!({}), json!([{"jwt": []}]), vec![Credential::Bearer]),
        (
            key.clone(),
            json!([{"jwt": [], "key": []}]),
            vec![Credential::Header("X-Key".to_owned()), Credential::Bearer],
        ),
    ] {
        let draft = drafted(secured(&schemes, &[("/a", required)])).expect("it converts");
        assert_eq!((draft.credentials.clone(), draft.operations.len()), (credentials, 1));
        assert!(losses(&draft).contains(&text), "{:?}", losses(&draft));
    }
    // What is defined comes first.
    let draft = drafted(secured(&key, &[("/a", json!([{"jwt": []}, {"key": []}])), ("/b", json!([{"jwt": []}]))]));
    let draft = draft.expect("it converts");
    assert_eq!((draft.credentials.len(), draft.operations.len()), (1, 1));
    assert!(
        !losses(&draft).contains(&text) && losses(&draft).iter().any(|text| text.contains("\"jwt\" is not defined"))
    );
}

#[test]
fn alternatives_that_are_the_same_are_none() {
    let same = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let schemas = json!({"One": same, "Two": same});
    let either = json!({"anyOf": [{"$ref": "#/components/schemas/One"}, {"$ref": "#/components/schemas/Two"}]});
    let draft = drafted(responding(either, schemas)).expect("it converts");
    assert_eq!(losses(&draft), ["of 400"]);
}

#[test]
fn values_listed_beside_alternatives_are_kept() {
    let (_, schemas, lost) = field(json!({"enum": ["a", "b"], "oneOf": [{"type": "string"}]}));
    assert_eq!((&schemas["GetAResponseF"]["enum"], lost), (&json!(["a", "b"]), vec!["of 400".to_owned()]));
}

#[test]
fn body_of_a_media_type_of_its_own_comes_before_that_of_any() {
    let schema = |name: &str| json!({"schema": {"type": "object", "properties": {name: {"type": "string"}}}});
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["post"] = json!({
        "operationId": "sendA", "responses": {"204": {"description": "d"}},
        "requestBody": {"required": true, "content": {"*/*": schema("any"), "application/json": schema("own")}},
    });
    let document = drafted(root).expect("it converts").document();
    assert!(document["components"]["schemas"]["SendABody"]["properties"].get("own").is_some(), "{document}");
}

#[test]
fn objects_that_hold_themselves_twice_are_sent_to_a_limit() {
    let reference = json!({"$ref": "#/components/schemas/A"});
    let mut properties = serde_json::Map::from_iter([("v".to_owned(), json!({"type": "string"}))]);
    properties.extend((0..60).map(|index| (format!("p{index}"), reference.clone())));
    let mut root = responding(json!({"type": "string"}), json!({"A": {"type": "object", "properties": properties}}));
    root["paths"]["/a"]["get"]["parameters"] =
        json!([{"name": "f", "in": "query", "style": "deepObject", "schema": reference}]);
    let content = json!({"application/x-www-form-urlencoded": {"schema": reference}});
    root["paths"]["/a"]["post"] = json!({
        "operationId": "post", "requestBody": {"required": true, "content": content},
        "responses": {"204": {"description": "d"}},
    });
    let draft = drafted(root).expect("it converts");
    let lost = losses(&draft);
    assert!(lost.contains(&"POST /a: its form has more than 5000 fields"), "{lost:?}");
    let left_out = |text: &&&str| text.ends_with("and deeper fields of \"f\" are left out: more than 500 fields");
    assert_eq!(lost.iter().filter(left_out).count(), 1, "{lost:?}");
}

#[test]
fn operations_of_a_path_item_by_reference_have_directions_and_pages() {
    let meter = json!({"type": "object", "required": ["id", "key"], "properties": {
        "id": {"type": "string", "readOnly": true}, "key": {"type": "string", "writeOnly": true},
    }});
    let reference = json!({"$ref": "#/components/schemas/Meter"});
    let list = json!({"type": "object", "required": ["items"], "properties": {
        "items": {"type": "array", "items": reference}, "next_page_token": {"type": "string"},
    }});
    let mut root = responding(json!({"type": "string"}), json!({"Meter": meter}));
    root["x-items"] = json!({"meters": {
        "parameters": [{"name": "page_token", "in": "query", "schema": {"type": "string"}}],
        "get": {"operationId": "list", "responses": {"200": {"description": "d", "content": {"application/json": {"schema": list}}}}},
        "post": {
            "operationId": "create",
            "requestBody": {"required": true, "content": {"application/json": {"schema": reference}}},
            "responses": {"204": {"description": "d"}},
        },
    }});
    root["paths"]["/meters"] = json!({"$ref": "#/x-items/meters"});
    let document = drafted(root).expect("it converts").document();
    let pages = json!({"style": "cursor", "param": "page_token", "items": "items", "next": "next_page_token"});
    assert_eq!(document["paths"]["/meters"]["get"]["x-pagination"], pages);
    let fields = |name: &str| {
        document["components"]["schemas"][name]["properties"]
            .as_object()
            .map(|all| all.keys().cloned().collect::<Vec<_>>())
    };
    assert_eq!(fields("Meter"), Some(vec!["id".to_owned()]), "{document}");
    assert_eq!(fields("MeterRequest"), Some(vec!["key".to_owned()]), "{document}");
}
