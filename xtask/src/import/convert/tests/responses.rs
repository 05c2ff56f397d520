//! Successes, errors and headers.

use super::*;

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
