//! Operations: paths, addresses, and those that are left out.

use super::*;

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
fn options_is_left_out_alone() {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["options"] = json!({"operationId": "cors", "responses": {"204": {"description": "d"}}});
    let draft = drafted(root).expect("it converts");
    assert_eq!(draft.operations.len(), 1);
    assert!(losses(&draft).contains(&"OPTIONS /a: the HTTP client has no method OPTIONS"), "{:?}", losses(&draft));
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
