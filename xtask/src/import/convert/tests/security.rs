//! Credentials.

use super::*;

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
